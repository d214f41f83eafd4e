"""Execute a study without a sweep: one model, one method, one labelled result."""

import functools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput, SpinSqueezeError
from spinsqueeze.core.progress import Progress
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.models.catalogue import INITIAL_STATES
from spinsqueeze.models.states import InitialState, ProductState
from spinsqueeze.results import dataset, provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.answers import Run
from spinsqueeze.run.choice import approximation_note, default_method, require_state
from spinsqueeze.run.stepwise import run_alone, run_together
from spinsqueeze.run.study import Study
from spinsqueeze.run.time_scales import likely_times


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
    chosen = study.method is None
    if checks.flag("keep_state", keep_state):
        if study.method is None:
            study = replace(study, method=default_method(_asked(study), keep_state=True))
        else:
            require_state(study.method, _asked(study))
    run = run_alone(study, progress=progress, keep_interrupted=keep_interrupted)
    return _dataset(run, keep_state=keep_state, chosen=chosen)


def _asked(study: Study) -> Question:
    """The question of a study, at likely times where the run is to choose them."""
    if study.automatic_times:
        study = replace(study, times=likely_times(study.canonical_model))
    return study.question()


def execute_many(
    studies: Sequence[Study], *, progress: Progress | None = None
) -> list[xr.Dataset | SpinSqueezeError]:
    """The results of studies, those with one method in one call, or why there are none.

    Args:
        studies: the studies.
        progress: called with the fraction done of all.
    """
    results: list[xr.Dataset | SpinSqueezeError] = []
    makers = [functools.partial(_itself, study) for study in studies]
    for run in run_together(makers, progress=progress):
        if isinstance(run, Exception) and not isinstance(run, SpinSqueezeError):
            raise run
        results.append(_dataset(run) if isinstance(run, Run) else run)
    return results


def _itself(study: Study) -> Study:
    return study


def _dataset(run: Run, *, keep_state: bool = False, chosen: bool | None = None) -> xr.Dataset:
    study = run.task.study
    question, method = run.task.question, run.task.method
    note = ""
    if study.method is None if chosen is None else chosen:
        note = approximation_note(question, method)
    attributes = {
        "title": study.title,
        **run.attributes_with(note),
        **_loss_times(question),
        "wall_time": run.wall_time,
        "method_options": json.dumps(method.full_table()),
        **({} if run.choice is None else {"wall_time_of_choice": run.choice.seconds}),
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    values = None
    if keep_state:
        state = run.answer.state_at(len(run.times) - 1)
        if state is None:
            raise InvalidInput(
                f"keep_state: {type(method).__name__} had no state to keep; leave it out, or name "
                "no method: one that keeps its state is chosen where there is any"
            )
        attributes["final_state_kind"], values = _packed(state)
    data = dataset.build(
        run.answer.readings,
        n_spins=question.model.n_spins,
        times=run.times,
        attributes=attributes,
        error=run.answer.error["spin"],
        truncation=run.answer.truncation,
        final_state=values,
    )
    data = put_study(data, replace(study, method=method).as_tables())
    return data.isel(time=0, drop=True) if study.steady_state else data


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


@clear_call
def final_state(data: xr.Dataset) -> InitialState:
    """The state at the last time of a run with keep_state=True, to start another run from.

    Raises:
        InvalidInput: the run kept no state.
    """
    if "final_state" not in dataset.checked_dataset(data, call="final_state"):
        raise InvalidInput("data holds no final state: run simulate with keep_state=True")
    kind, _ = INITIAL_STATES[data.attrs["final_state_kind"]]
    return kind(data["final_state"].values)  # type: ignore[call-arg]
