"""sensitivity: how well the angle of a pulse is measured at the end, as in twist-untwist."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput, SpinSqueezeError
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.readout import Readout
from spinsqueeze.observables.measured import as_measured
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.sensitivity import (
    OFFSETS,
    Nearby,
    Sensitivity,
    best_sensitivity_of,
    sensitivity_of,
)
from spinsqueeze.results import gains
from spinsqueeze.results.dataset import read_moments, readout_of, warnings_of
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.answers import Task, task_of
from spinsqueeze.run.choice import approximation_note, in_time, left_note
from spinsqueeze.run.execute import execute, execute_many
from spinsqueeze.run.progress_bar import listener
from spinsqueeze.run.questions import AUTO
from spinsqueeze.run.study import Study
from spinsqueeze.run.sweep import study_from
from spinsqueeze.run.time_scales import likely_times

STEP, SAMPLED_STEP, JUMPING_STEP = 0.005, 0.05, 0.2
"""Default step of the phase times sqrt(N); that of samples in single precision is longer.
A trajectory that jumps elsewhere at phi ± step adds 1/step to the slope: longer with jumps."""

BEST = "best"
_GENERAL_AXIS = (0.48, 0.64, 0.6)
"""A direction that no symmetry singles out, to choose a method by that takes every axis."""


@clear_call
def sensitivity(
    subject: Any,
    initial_state: Any = None,
    times: Any = None,
    *,
    pulses: Pulse | Sequence[Pulse] = (),
    signal: int | None = None,
    axis: Any = None,
    phases: Any = None,
    step: float | None = None,
    method: Any = None,
    readout: Readout | None = None,
    seed: int | None = None,
    memory_budget: float | None = None,
    title: str | None = None,
    progress: Callable[[float], None] | bool | None = None,
) -> xr.Dataset:
    """The smallest angle of a pulse that the collective spin tells from noise.

    One of the pulses is the signal, exp(-i phi axis . S). The collective spin along n is read at
    the output times (a study's readout misreads it); by error propagation the angle is known to

        Delta phi^2 = min over n perpendicular to <S> of Var(S_n)/(d<S_n>/d phi)^2,

    and the metrological gain over N uncorrelated spins is 1/(N Delta phi^2). A signal read at once,
    about the best axis, gives 1/xi2; twist-untwist gives more than the spins' own noise at the
    readout allows. The signal-to-noise ratio of an angle phi in one shot is phi/Delta phi.

    The slope comes from runs at phi ± step and phi ± 2 step with the samples of the run at phi, so
    that five runs are made for each phase.

    axis="best" finds, for each time, the axis k of the signal with the greatest gain. Of a small
    signal the response is linear in k, d<S>/d phi = M k, and the gain is k.G.k with
    G = M^T P^T C^-1 P M/N, P the plane across <S> and C the covariance in it: k is the eigenvector
    of its largest eigenvalue, from thirteen runs. It holds about phase 0 only.

    Args:
        subject: a model, a `Study`, or the tables of one.
        initial_state: with a model.
        times: with a model: output times (T,); those before the signal have gain 0. None or "auto",
            as of a study without times: those that a run without the signal chooses; pulses must
            then come at a `fraction`.
        pulses: with a model: the pulses.
        signal: which pulse is the signal, in order (from 0); default the only one, or the only one
            with the angle 0.
        axis: of the signal instead of the pulse's: a direction as of `Pulse`, or "best".
        phases: working points (P,) in radians; default the angle of the pulse itself. With
            axis="best" 0 alone, or none where the angle of the pulse is 0.
        step: radians; default 0.005/sqrt(N), of sampling methods 0.05/sqrt(N), and
            0.2/sqrt(N) with jumps, since trajectories that jump elsewhere count with 1/step.
        method: see `simulate`.
        readout: how the spins are misread, instead of the study's.
        seed: instead of the study's.
        memory_budget: bytes, instead of the study's.
        title: instead of the study's.
        progress: called with the fraction done; True shows a bar (lines in a log file).

    Returns:
        Dataset over time, or phase and time: `metrological_gain` (NaN where the mean spin has no
        direction) with `_stderr` where sampled and `_numerical_error` from the step and what it
        amplifies; `phase_resolution`, Delta phi of one shot; `slope` d<S>/d phi and `readout`, the
        unit vector n, both over axis; with axis="best" `best_axis`, the unit vector k (its sign is
        free; NaN before the signal). The greatest gain over time is interpolated between the times
        like the least xi2: `optimal_gain`, `optimal_gain_time`, their errors, and
        `optimal_gain_status` (0 interpolated; 1 first time, 2 last time, 3 time 0 is greatest; 4
        times too coarse; -1 none). The warnings say where another method was taken than without the
        signal.

    Raises:
        InvalidInput: an argument breaks its rule, or there is no such pulse.
        Unsupported: the method does not fit.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the calculation ended without a trustworthy number.
    """
    study = study_from(
        subject, initial_state, AUTO if times is None and isinstance(subject, SpinModel) else times,
        pulses=pulses, method=method, readout=readout, seed=seed, memory_budget=memory_budget,
        title=title,
    )  # fmt: skip
    plan = plan_of(study, signal=signal, axis=axis, phases=phases, step=step)
    with listener(progress, title=study.title or "sensitivity") as heard:
        return carry_out(plan, progress=heard)


@final
@dataclass(frozen=True, eq=False)
class SensitivityPlan:
    """What `sensitivity` computes: a study with its method, and the working points of its signal.

    Attributes:
        study: with the method of all runs.
        task: one of the runs, at likely times where they are to be chosen.
        signal: which pulse is the signal.
        angles: (P,) its working points, radians.
        given: whether they were given.
        best: whether the best axis is looked for.
        step: of the phase, radians.
        concerns: why the method is not another one, for the warnings.
    """

    study: Study
    task: Task
    signal: int
    angles: Floats
    given: bool
    best: bool
    step: float
    concerns: tuple[str, ...]

    @property
    def sampled(self) -> bool:
        """Whether the method samples."""
        return self.task.method.trust(self.task.question).sampled

    @property
    def in_words(self) -> str:
        """What is run, and about how long that takes, in one line."""
        method, question = self.task.method, self.task.question
        each = 1 + (12 if self.best else 4)
        runs = each * len(self.angles)
        cost = method.judge(question).cost
        seconds = math.nan if cost is None else runs * cost.seconds
        time = f"{'about ' if seconds >= 1.0 else ''}{in_time(seconds)}"
        phases = f" ({each} at each of {len(self.angles)} phases)" if len(self.angles) > 1 else ""
        count = len(self.task.study.times)
        times = f"{count} time{'s' if count > 1 else ''}"
        if self.study.automatic_times:
            times = f"about {times}, which a run without the signal chooses first"
        error = method.trust(question).in_words
        return f"{runs} runs{phases} of {method.in_words}, error: {error}; {times}; {time}"

    @property
    def signal_in_words(self) -> str:
        """Which pulse is the signal, and what to do where none was meant to be."""
        pulse = self.study.pulses[self.signal]
        words = f"signal: pulse {self.signal}, {pulse.in_words}"
        if self.best:
            words += ", about the best axis instead"
        if self.given:
            words += ", at the phases instead"
        elif len(self.study.pulses) == 1 and pulse.angle != 0.0:
            words += "; a signal beside it is one more pulse, with angle = 0.0"
        return words


def plan_of(
    study: Study, *, signal: Any = None, axis: Any = None, phases: Any = None, step: Any = None
) -> SensitivityPlan:
    """Check all arguments of `sensitivity` and choose the method, before any run.

    Raises:
        SpinSqueezeError: see `sensitivity`.
    """
    signal = _checked(study, signal)
    best = isinstance(axis, str) and axis == BEST
    if axis is not None and not best:
        study = _changed(study, signal, axis=_direction(axis))
    given = phases is not None
    angles = _phases(phases) if given else np.array([study.pulses[signal].angle])
    if best and np.any(angles != 0.0):
        raise InvalidInput.of(
            "axis",
            f"'best' is about phase 0, where the response is linear in the axis, got "
            f"{angles[-1]:g} rad; give the pulse angle = 0, or phases=[0.0] (--phases 0 0 1)",
        )
    asked = study
    if study.automatic_times:
        asked = replace(study, times=likely_times(study.canonical_model))
    # Off the angle itself: an angle of 0 or pi may fit a method that its neighbours do not.
    general = {"axis": _GENERAL_AXIS} if best else {}
    task = task_of(_changed(asked, signal, angle=float(angles[0]) + STEP, **general))
    concerns: list[str] = []
    if study.method is None:
        concerns = [
            approximation_note(task.question, task.method),
            left_note(_without(asked, signal).question(), task.question, task.method),
        ]
    study = replace(study, method=task.method)
    sampled = task.method.trust(task.question).sampled
    step = _step(step, study.model, sampled=sampled)
    said = tuple(concern for concern in concerns if concern)
    return SensitivityPlan(study, task, signal, angles, given, best, step, said)


def carry_out(
    plan: SensitivityPlan, *, progress: Callable[[float], None] | None = None
) -> xr.Dataset:
    """The Dataset of `sensitivity`.

    Raises:
        SpinSqueezeError: a run failed.
    """
    start = time.perf_counter()
    study, chosen = _timed(plan)
    sensitivities, middles = [], []
    for k, angle in enumerate(plan.angles):
        sensitivity, middle = _at_phase(
            study,
            plan.signal,
            float(angle),
            step=plan.step,
            sampled=plan.sampled,
            best=plan.best,
            progress=_share(progress, k, len(plan.angles)),
        )
        sensitivities.append(sensitivity)
        middles.append(middle)
    if progress is not None:
        progress(1.0)
    phases = plan.angles if plan.given else None
    data = gains.build(sensitivities, phases, middles[0], signal=plan.signal, step=plan.step)
    of_runs = [text for middle in middles for text in warnings_of(middle)]
    concerns = list(dict.fromkeys([*plan.concerns, *of_runs]))
    data.attrs |= chosen
    data.attrs |= {"warnings": json.dumps(concerns), "wall_time": time.perf_counter() - start}
    return put_study(data, study.as_tables())


def _without(study: Study, signal: int) -> Study:
    """The study without its signal."""
    others = tuple(pulse for k, pulse in enumerate(study.pulses) if k != signal)
    return replace(study, pulses=others)


def _timed(plan: SensitivityPlan) -> tuple[Study, dict[str, Any]]:
    """The study with times, and how a run without the signal chose them, as attributes."""
    study = plan.study
    if not study.automatic_times:
        return study, {}
    quiet = _without(study, plan.signal)
    try:
        run = execute(replace(quiet, method=None))
    except SpinSqueezeError as error:
        raise InvalidInput(
            f"must be given, e.g. {{ start = 0.0, stop = 1.0, num = 101 }}: a run without the "
            f"signal finds none ({error})",
            path="run.times",
        ) from error
    return (
        replace(study, times=run["time"].values),
        {"automatic_times": run.attrs["automatic_times"]},
    )


def _share(
    progress: Callable[[float], None] | None, number: int, count: int
) -> Callable[[float], None] | None:
    """The progress of one of `count` phases as a part of all."""
    if progress is None:
        return None
    return lambda fraction: progress((number + fraction) / count)


def _checked(study: Study, signal: Any) -> int:
    """The number of the pulse that is the signal."""
    if study.sweep is not None or study.steady_state or study.losses is not None:
        raise InvalidInput("subject must be one run in time, without sweep, losses or steady state")
    if not study.pulses:
        raise InvalidInput.of(
            "pulses", 'must hold the signal, e.g. pulses=[Pulse(0.1, axis="+y", angle=0.0)]'
        )
    if signal is None and len(study.pulses) > 1:
        small = [k for k, pulse in enumerate(study.pulses) if pulse.angle == 0.0]
        if len(small) == 1:
            return small[0]
        pulses = "; ".join(f"{k}: {pulse.in_words}" for k, pulse in enumerate(study.pulses))
        raise InvalidInput.of(
            "signal",
            f"must name one of the {len(study.pulses)} pulses, from 0 (--pulse): not one alone "
            f"has the angle 0 ({pulses}); give the signal angle = 0.0, or add it as one more pulse",
        )
    number, count = checks.integer("signal", signal or 0, minimum=0), len(study.pulses)
    if number >= count:
        only = "is 1 pulse, number 0" if count == 1 else f"are {count} pulses, 0 to {count - 1}"
        raise InvalidInput.of(
            "signal", f"must be the number of a pulse: there {only}; got {number}"
        )
    return number


def _phases(phases: Any) -> Floats:
    angles = checks.increasing("phases", phases)
    return np.asarray(angles, dtype=np.float64)


def _read_out(data: xr.Dataset) -> Moments | BlockMoments:
    """The moments of a run as its readout finds them, the spins' own where it has none."""
    moments, readout = read_moments(data), readout_of(data.attrs)
    return moments if readout is None else as_measured(moments, readout=readout)


def _step(step: Any, model: SpinModel, *, sampled: bool) -> float:
    if step is None:
        of_samples = JUMPING_STEP if model.dissipative else SAMPLED_STEP
        return (of_samples if sampled else STEP) / math.sqrt(model.n_spins)
    return checks.real("step", step, above=0.0, maximum=1.0)


def _error(data: xr.Dataset, *, sampled: bool) -> float:
    """Of the mean spin in units of sqrt(N)/2; samples share theirs but for rounding."""
    rounding = float(np.finfo(data.attrs["dtype"]).eps) * math.sqrt(data.attrs["n_spins"])
    return rounding if sampled else max(rounding, float(data.attrs["numerical_error"]))


def _changed(study: Study, signal: int, **changes: Any) -> Study:
    """The study with another angle or axis of its signal."""
    pulses = list(study.pulses)
    pulses[signal] = replace(pulses[signal], **changes)
    return replace(study, pulses=tuple(pulses))


def _direction(axis: Any) -> Any:
    try:
        return checks.direction("axis", axis)
    except InvalidInput as error:
        raise InvalidInput.of("axis", f"{error.rule}; or give 'best'") from None


def _at_phase(
    study: Study,
    signal: int,
    angle: float,
    *,
    step: float,
    sampled: bool,
    best: bool,
    progress: Callable[[float], None] | None,
) -> tuple[Sensitivity, xr.Dataset]:
    """The sensitivity about an angle of the signal, and the run at that angle.

    Raises:
        SpinSqueezeError: a run failed.
    """
    axes = ("+x", "+y", "+z") if best else (study.pulses[signal].axis,)
    places = [(k, offset) for k in range(len(axes)) for offset in OFFSETS if offset]
    results = execute_many(
        [
            _changed(study, signal, axis=axes[k], angle=angle + offset * step)
            for k, offset in [(0, 0.0), *places]
        ],
        progress=progress,
    )
    whole = []
    for result in results:
        if not isinstance(result, xr.Dataset):
            raise result
        whole.append(result)
    middle = _read_out(whole[0])
    nearby: list[Nearby] = [{0.0: middle} for _ in axes]
    for (k, offset), data in zip(places, whole[1:], strict=True):
        nearby[k][offset] = _read_out(data)
    error = max(_error(data, sampled=sampled) for data in whole)
    if best:
        return best_sensitivity_of(nearby, step=step, error=error), whole[0]
    return sensitivity_of(nearby[0], step=step, error=error), whole[0]
