"""Execute a study without a sweep: one model, one method, one labelled result."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import Evolve, Progress, Question
from spinsqueeze.models.catalogue import INITIAL_STATES
from spinsqueeze.models.states import InitialState, ProductState
from spinsqueeze.results import dataset, provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.choice import default_method
from spinsqueeze.run.study import Study

LARGE_ERROR = 0.1
"""Claimed errors from here on, in units of the projection noise, are said as a warning."""


def execute(
    study: Study,
    *,
    progress: Progress | None = None,
    keep_state: bool = False,
    keep_interrupted: bool = False,
) -> xr.Dataset:
    """The result of a study without a sweep, by its method, or the default one where it has none.

    Args:
        study: the study.
        progress: called with the fraction done.
        keep_state: store the state at the last time, for `final_state`.
        keep_interrupted: after Ctrl-C, the result of what is finished, from a method that can.

    Returns:
        Dataset as of `simulate`; that of a steady state has no dimension time.

    Raises:
        InvalidInput: progress is no function, no method fits, or there is no state to keep.
        Unsupported: the method does not fit, with every reason.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the calculation ended without a trustworthy number.
        KeyboardInterrupt: Ctrl-C, unless kept.
    """
    question = study.question(progress=progress)
    method = default_method(question) if study.method is None else study.method
    method.require(question)
    started = time.perf_counter()
    answer = method.answer(question)
    if answer.interrupted and not keep_interrupted:
        raise KeyboardInterrupt
    wall_time = time.perf_counter() - started
    done = replace(study, method=method)
    data = _as_dataset(question, method, answer, done, wall_time, keep_state=keep_state)
    return data.isel(time=0, drop=True) if study.steady_state else data


def _as_dataset(
    question: Question,
    method: Method,
    answer: Answer,
    study: Study,
    wall_time: float,
    *,
    keep_state: bool,
) -> xr.Dataset:
    """The Dataset of a run, with the whole study and its provenance as attributes.

    Raises:
        InvalidInput: keep_state, and the method has no state to keep.
    """
    times = question.times if isinstance(question, Evolve) else np.array([np.inf])
    if answer.times is not None:
        times = answer.times
    attributes: dict[str, Any] = {
        "title": study.title,
        "n_spins": question.model.n_spins,
        "unit": study.model.unit,
        "method": method.name(),
        "error_kind": method.trust(question).in_words,
        "references": ", ".join(method.references),
        "seed": question.seed,
        **_loss_times(question),
        "numerical_error": answer.numerical_error,
        "diagnostics": json.dumps(answer.diagnostics),
        "warnings": json.dumps([*answer.warnings, *_doubts(answer)]),
        "dtype": str(answer.diagnostics.get("dtype", "float64")),
        "device": str(answer.diagnostics.get("device", "cpu")),
        "wall_time": wall_time,
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    values = None
    if keep_state:
        state = answer.state_at(len(times) - 1)
        if state is None:
            raise InvalidInput(
                f"keep_state: {type(method).__name__} has no state to keep; leave it out"
            )
        attributes["final_state_kind"], values = _packed(state)
    data = dataset.build(
        answer.readings,
        n_spins=question.model.n_spins,
        times=times,
        attributes=attributes,
        error=answer.error["spin"],
        truncation=answer.truncation,
        final_state=values,
    )
    return put_study(data, study.as_tables())


def _loss_times(question: Question) -> dict[str, Any]:
    """The losses of a run: the times of a single history, or those of all as JSON."""
    if not isinstance(question, Evolve) or question.losses is None:
        return {}
    losses = question.losses
    histories = losses.histories(
        question.model.n_spins, duration=question.duration, seed=question.seed
    )
    if losses.rate is None:
        return {"loss_times": histories[0]}
    return {"loss_times": json.dumps([events.tolist() for events in histories])}


def _packed(state: InitialState) -> tuple[str, Any]:
    ((kind, (_, main)),) = ((k, v) for k, v in INITIAL_STATES.items() if v[0] is type(state))
    values = getattr(state, main)
    if isinstance(state, ProductState):
        return kind, values
    return kind, np.stack([values.real, values.imag], axis=-1)


def final_state(data: xr.Dataset) -> InitialState:
    """The state at the last time of a run with keep_state=True, to start another run from.

    Raises:
        InvalidInput: the run kept no state.
    """
    if "final_state" not in data:
        raise InvalidInput("data holds no final state: run simulate with keep_state=True")
    kind, _ = INITIAL_STATES[data.attrs["final_state_kind"]]
    return kind(data["final_state"].values)  # type: ignore[call-arg]


def _doubts(answer: Answer) -> list[str]:
    """A run that ended early, and a large error unless the method has given its own warning."""
    doubts = [] if answer.status == COMPLETE else [f"ended early: {answer.status}"]
    named = any(warning.startswith("steps:") for warning in answer.warnings)
    if answer.numerical_error >= LARGE_ERROR and not named:
        doubts.append(
            f"accuracy: the mean spin may err by {answer.numerical_error:.2g} projection noises "
            "sqrt(N)/2; lower the tolerance, end earlier, or compare with another method"
        )
    return doubts
