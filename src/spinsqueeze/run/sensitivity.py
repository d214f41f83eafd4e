"""sensitivity: how well the angle of a pulse is measured at the end, as in twist-untwist."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import inverse
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.observables.measured import as_measured
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.sensitivity import (
    OFFSETS,
    Nearby,
    Sensitivity,
    best_sensitivity_of,
    sensitivity_of,
)
from spinsqueeze.results import provenance
from spinsqueeze.results.dataset import read_moments, readout_of, warnings_of
from spinsqueeze.results.files import MARK
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.answers import task_of
from spinsqueeze.run.execute import execute_many
from spinsqueeze.run.study import Study
from spinsqueeze.run.sweep import study_from

STEP, SAMPLED_STEP = 0.005, 0.05
"""Default step of the phase times sqrt(N); that of samples in single precision is longer."""

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
    seed: int | None = None,
    memory_budget: float | None = None,
    title: str | None = None,
    progress: Callable[[float], None] | None = None,
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
        times: with a model: output times (T,); those before the signal have gain 0.
        pulses: with a model: the pulses.
        signal: which pulse is the signal, in order (from 0); needed where there are several.
        axis: of the signal instead of the pulse's: a direction as of `Pulse`, or "best".
        phases: working points (P,) in radians; default the angle of the pulse itself. With
            axis="best" 0 alone, or none where the angle of the pulse is 0.
        step: radians; default 0.005/sqrt(N), of sampling methods 0.05/sqrt(N).
        method: see `simulate`.
        seed: instead of the study's.
        memory_budget: bytes, instead of the study's.
        title: instead of the study's.
        progress: called with the fraction done.

    Returns:
        Dataset over time, or phase and time: `metrological_gain` (NaN where the mean spin has no
        direction) with `_stderr` where sampled and `_numerical_error` from the step and what it
        amplifies; `phase_resolution`, Delta phi of one shot; `slope` d<S>/d phi and `readout`, the
        unit vector n, both over axis; with axis="best" `best_axis`, the unit vector k (its sign is
        free; NaN before the signal).

    Raises:
        InvalidInput: an argument breaks its rule, or there is no such pulse.
        Unsupported: the method does not fit.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the calculation ended without a trustworthy number.
    """
    if times is None and isinstance(subject, SpinModel):
        raise InvalidInput.of(
            "times", "must be given with a model: those at which the spins are read"
        )
    study = study_from(
        subject, initial_state, times, pulses=pulses, method=method, seed=seed,
        memory_budget=memory_budget, title=title,
    )  # fmt: skip
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
    # Off the angle itself: an angle of 0 or pi may fit a method that its neighbours do not.
    general = {"axis": _GENERAL_AXIS} if best else {}
    task = task_of(_changed(study, signal, angle=float(angles[0]) + STEP, **general))
    study = replace(study, method=task.method)
    sampled = task.method.trust(task.question).sampled
    step = _step(step, study.model.n_spins, sampled=sampled)
    if progress is not None and not callable(progress):
        raise InvalidInput(f"progress must be a function of the fraction, got {progress!r}")
    start = time.perf_counter()
    sensitivities, middles = [], []
    for k, angle in enumerate(angles):
        found, middle = _at_phase(
            study, signal, float(angle), step=step, sampled=sampled, best=best
        )
        sensitivities.append(found)
        middles.append(middle)
        if progress is not None:
            progress((k + 1) / len(angles))
    data = _dataset(sensitivities, angles if given else None, middles[0], signal=signal, step=step)
    concerns = list(dict.fromkeys(text for middle in middles for text in warnings_of(middle)))
    data.attrs |= {"warnings": json.dumps(concerns), "wall_time": time.perf_counter() - start}
    return put_study(data, study.as_tables())


def _checked(study: Study, signal: Any) -> int:
    """The number of the pulse that is the signal."""
    if study.sweep is not None or study.steady_state or study.losses is not None:
        raise InvalidInput("subject must be one run in time, without sweep, losses or steady state")
    if study.automatic_times:
        raise InvalidInput.of(
            "times",
            "must be given: those at which the spins are read, such as the optimum of a run",
        )
    if not study.pulses:
        raise InvalidInput.of(
            "pulses", 'must hold the signal, e.g. pulses=[Pulse(0.1, axis="+y", angle=0.0)]'
        )
    if signal is None and len(study.pulses) > 1:
        raise InvalidInput.of(
            "signal", f"must name one of the {len(study.pulses)} pulses, from 0 (--pulse)"
        )
    return checks.integer("signal", signal or 0, minimum=0, maximum=len(study.pulses) - 1)


def _phases(phases: Any) -> Floats:
    angles = checks.increasing("phases", phases)
    return np.asarray(angles, dtype=np.float64)


def _read_out(data: xr.Dataset) -> Moments | BlockMoments:
    """The moments of a run as its readout finds them, the spins' own where it has none."""
    moments, readout = read_moments(data), readout_of(data.attrs)
    return moments if readout is None else as_measured(moments, readout=readout)


def _step(step: Any, n_spins: int, *, sampled: bool) -> float:
    if step is None:
        return (SAMPLED_STEP if sampled else STEP) / math.sqrt(n_spins)
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
    study: Study, signal: int, angle: float, *, step: float, sampled: bool, best: bool
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
        ]
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


def _dataset(
    parts: Sequence[Sensitivity],
    phases: Floats | None,
    head: xr.Dataset,
    *,
    signal: int,
    step: float,
) -> xr.Dataset:
    """All phases in one Dataset; without the dimension where there is one of the pulse itself."""
    dims = ("time",) if phases is None else ("phase", "time")

    def put(arrays: Sequence[Any]) -> Any:
        return arrays[0] if phases is None else np.stack(arrays)

    unit = str(head.attrs["unit"])
    n_spins = int(head.attrs["n_spins"])
    gain = put([part.gain for part in parts])
    with np.errstate(divide="ignore"):
        resolution = 1 / np.sqrt(n_spins * gain)
    about_gain = {
        "units": "1",
        "long_name": "metrological gain 1/(N Delta phi^2) over uncorrelated spins",
    }
    of_gain = {**about_gain, "long_name": f"numerical error of {about_gain['long_name']}"}
    slope = {"units": "1", "long_name": "slope d<S_a>/d phi at the phase of the signal"}
    readout = {"units": "1", "long_name": "direction n of the best readout"}
    data = xr.Dataset(
        {
            "metrological_gain": (dims, gain, about_gain),
            "metrological_gain_numerical_error": (
                dims, put([part.numerical_error for part in parts]), of_gain,
            ),
            "phase_resolution": (
                dims, resolution, {"units": "rad", "long_name": "Delta phi of one shot"},
            ),
            "slope": ((*dims, "axis"), put([part.slope for part in parts]), slope),
            "readout": ((*dims, "axis"), put([part.readout for part in parts]), readout),
        },
        {
            "time": ("time", head["time"].values, {"units": inverse(unit), "long_name": "time"}),
            "axis": ("axis", list("xyz")),
        },
    )  # fmt: skip
    if parts[0].stderr is not None:
        sampled = {**about_gain, "long_name": f"standard error of {about_gain['long_name']}"}
        data["metrological_gain_stderr"] = (dims, put([part.stderr for part in parts]), sampled)
    if parts[0].best_axis is not None:
        words = {"units": "1", "long_name": "axis of the signal with the greatest gain"}
        data["best_axis"] = ((*dims, "axis"), put([part.best_axis for part in parts]), words)
    if phases is not None:
        words = {"units": "rad", "long_name": "phase of the signal"}
        data.coords["phase"] = ("phase", phases, words)
    kept = ("title", "n_spins", "unit", "method", "error_kind", "references", "seed")
    data.attrs = {name: head.attrs[name] for name in kept if name in head.attrs}
    data.attrs |= {
        "signal": signal,
        "step": step,
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    return data
