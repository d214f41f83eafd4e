"""simulate: one model, one method, one labelled result."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET, Evolve, Question
from spinsqueeze.models.catalogue import INITIAL_STATES, state_as_dict
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState, ProductState
from spinsqueeze.models.tables import model_as_tables
from spinsqueeze.results import dataset, provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.run.choice import default_method, make_method
from spinsqueeze.run.questions import evolve_question
from spinsqueeze.run.ranges import shortest

LARGE_ERROR = 0.1
"""Claimed errors from here on, in units of the projection noise, are said as a warning."""


def simulate(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    method: Method | type[Method] | str | None = None,
    pulses: Sequence[Pulse] = (),
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
    title: str = "",
    keep_state: bool = False,
) -> xr.Dataset:
    """Evolve a model from time 0 and return everything that follows from its moments.

    Args:
        model: the spins, their Hamiltonian and jumps.
        initial_state: the state at time 0.
        times: output times (T,), strictly increasing, >= 0, in the inverse of model.unit.
        method: a method with its options, its name, or None: the most trusted method that
            supports the model and is expected to finish within a minute.
        pulses: instantaneous rotations during the run.
        seed: seeds the sampling methods; a result depends on nothing else.
        memory_budget: bytes; more is refused before any work.
        progress: called with the fraction done.
        title: title of the result.
        keep_state: store the state at the last time, for `final_state`.

    Returns:
        Dataset with dims time, axis, axis_2: spin, covariance, xi2, xi2_kitagawa_ueda,
        squeezing_angle, contrast, total_spin_squared, effective_spins, squeezing_status; each with
        units, long_name and, where statistical, <name>_stderr. Attributes hold the whole study.

    Raises:
        InvalidInput: an argument breaks its rule.
        Unsupported: the method does not fit, with every reason.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the calculation ended without a trustworthy number.
    """
    question = evolve_question(
        model,
        initial_state,
        times,
        pulses=pulses,
        seed=seed,
        memory_budget=memory_budget,
        progress=progress,
    )
    checks.text("title", title)
    chosen = default_method(question) if method is None else make_method(method)
    chosen.require(question)
    started = time.perf_counter()
    answer = chosen.answer(question)
    wall_time = time.perf_counter() - started
    study = {
        "title": title,
        **model_as_tables(model),
        "initial_state": state_as_dict(initial_state),
        "pulses": [pulse.as_dict() for pulse in _listed(pulses)],
        "method": chosen.option_table(),
        "run": {
            "times": shortest(question.times),
            "seed": question.seed,
            "memory_budget": question.memory_budget,
        },
    }
    return as_dataset(question, chosen, answer, study, wall_time, keep_state=keep_state)


def _listed(pulses: Any) -> tuple[Pulse, ...]:
    return (pulses,) if isinstance(pulses, Pulse) else tuple(pulses)


def as_dataset(
    question: Question,
    method: Method,
    answer: Answer,
    study: dict[str, Any],
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
    attributes: dict[str, str | int | float] = {
        "title": study["title"],
        "n_spins": question.model.n_spins,
        "unit": study["unit"],
        "method": method.name(),
        "error_kind": method.trust(question).in_words,
        "references": ", ".join(method.references),
        "seed": question.seed,
        "study": json.dumps({k: v for k, v in study.items() if v not in ("", [], {})}),
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
    return dataset.build(
        answer.readings,
        n_spins=question.model.n_spins,
        times=times,
        attributes=attributes,
        error=answer.error,
        final_state=values,
    )


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
