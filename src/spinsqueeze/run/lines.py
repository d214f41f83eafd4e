"""The best squeezing of a result, in lines for people."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def best(data: Any) -> Iterator[str]:
    """The best squeezing of a result, or why there is none."""
    from spinsqueeze.core.errors import SpinSqueezeError
    from spinsqueeze.models.lab_spins import NO_INTERACTION
    from spinsqueeze.results.dataset import warnings_of
    from spinsqueeze.run.optimum import optimum

    if "figure" in data.attrs:
        return
    if "metrological_gain" in data:
        yield from gains(data)
        return
    if "status" in data:
        yield from points_and_best(data)
        return
    if "time" not in data.coords and "xi2" in data and data["xi2"].ndim == 0:
        yield _steady(data)
        yield from _averaged(data, data)
        yield from _truncation(data)
        yield from _neglected(data)
        return
    alone = any(text.startswith(NO_INTERACTION) for text in warnings_of(data))
    if alone and np.isfinite(data["xi2"].values[0]) and data["xi2"].min() > 1.0 - 1e-9:
        yield "no squeezing: there is no interaction in this model"
        return
    try:
        least = optimum(data)
    except SpinSqueezeError as error:
        yield f"no optimum: {error}"
        return
    yield from str(least).splitlines()
    yield from _lab_time(data, least.time)
    yield from _seconds(data, least.time)
    yield from _measured(data)
    at_best = data.sel(time=least.time, method="nearest")
    yield from _averaged(data, at_best)
    yield from _truncation(at_best)
    yield from _neglected(data)


def _averaged(data: Any, best: Any) -> Iterator[str]:
    """How many realisations a result averages, and how far xi2 of a single one is spread.

    best: the result at the one point and time of its least xi2.
    """
    from spinsqueeze.observables.squeezing import decibels_stderr
    from spinsqueeze.results.realisations import count_of

    count = count_of(data)
    if not count:
        return
    spread = ""
    if np.isfinite(size := float(best.get("xi2_spread", np.nan))):
        decibels = float(decibels_stderr(float(best["xi2"]), stderr=size))
        spread = f"; spread of one: ± {size:.2g} in xi2, {decibels:.2g} dB"
    yield f"average of {count} realisations (± is the error of the mean{spread})"


def _neglected(data: Any) -> Iterator[str]:
    """What no error bar of an uncontrolled method holds."""
    if "uncontrolled" in str(data.attrs.get("error_kind", "")):
        yield f"not in the error: what {data.attrs['method']} neglects; compare with another method"


def gains(data: Any) -> Iterator[str]:
    """The best gain of a result, its phase resolution and readout, in lines for people."""
    from spinsqueeze.core.text import value_with_error
    from spinsqueeze.core.written_units import written
    from spinsqueeze.results.dataset import readout_of
    from spinsqueeze.results.gains import read

    best, there = read(data)
    if best is None:
        yield "no gain: the mean spin has no direction, or no time comes after the signal"
        yield from _signal(data)
        return
    unit = written(str(there["time"].attrs.get("units", "")))
    place = f"time {value_with_error(best.time, stderr=best.time_error)} {unit}".rstrip()
    if "phase" in there.coords:
        place += f", phase {float(there['phase']):.4g} rad"
    advice = f" [{best.advice}]" if best.advice else ""
    if readout := readout_of(data.attrs):
        place += f", {readout.in_words}"
    yield f"gain = {best.shown} over uncorrelated spins at {place}{advice}"
    direction = ", ".join(f"{x:.4f}" for x in there["readout"].values)
    resolution = 1 / np.sqrt(float(data.attrs["n_spins"]) * best.gain)
    near = "" if float(there["time"]) == best.time else f" at time {float(there['time']):.6g}"
    yield f"Delta phi = {resolution:.4g} rad in one shot, read along ({direction}){near}"
    if "best_axis" in there:
        axis = ", ".join(f"{x:.4f}" for x in there["best_axis"].values)
        yield f"best axis of the signal: ({axis}){near}"
    yield from _signal(data)
    yield from _neglected(data)


def _signal(data: Any) -> Iterator[str]:
    """Which pulse of the study is the signal."""
    from spinsqueeze.models.tables import pulses_from_tables
    from spinsqueeze.results.studies import full_study_tables

    if "study" not in data.attrs or "signal" not in data.attrs:
        return
    number = int(data.attrs["signal"])
    pulse = pulses_from_tables(full_study_tables(data)["pulses"])[number]
    axis = ", about the best axis instead" if "best_axis" in data else ""
    phases = ", at the phases instead" if "phase" in data.dims else ""
    yield f"signal: pulse {number}, {pulse.in_words}{axis}{phases}"


def method_line(data: Any) -> str:
    """The method of a result, and the kind of its error."""
    return f"method = {data.attrs['method']} (error: {data.attrs['error_kind']})"


def _seconds(data: Any, time: float) -> Iterator[str]:
    """A time in seconds, where rates are in laboratory units without lab numbers."""
    from spinsqueeze.core.registry import LAB_FIGURES
    from spinsqueeze.core.units import with_prefix
    from spinsqueeze.core.written_units import si_value

    seconds = si_value(time, str(data["time"].attrs.get("units", "")))
    if seconds and not any(name in data.attrs for name in LAB_FIGURES):
        yield f"time {with_prefix(seconds, 's')}"


def _measured(data: Any) -> Iterator[str]:
    """The best squeezing that the readout finds, in one line."""
    if "measured_xi2" not in data:
        return
    from spinsqueeze.core.errors import SpinSqueezeError
    from spinsqueeze.results.best import optimum_of_run
    from spinsqueeze.results.dataset import readout_of

    readout = readout_of(data.attrs)
    assert readout is not None
    try:
        least = str(optimum_of_run(data, measured=True))
    except SpinSqueezeError as problem:
        least = f"no optimum: {problem}"
    yield f"as measured ({readout.in_words}): {least}"


def _lab_time(data: Any, time: float) -> Iterator[str]:
    """A time in seconds, and in units of the rates that lab numbers give the spins."""
    from spinsqueeze.core.registry import same_coupling
    from spinsqueeze.core.units import angular, seconds_of, with_prefix

    if "lab_collective_decay_hz" not in data.attrs:
        largest = not same_coupling(data.attrs)
        coupling = "lab_largest_coupling_hz" if largest else "lab_coupling_hz"
        where = {"J": ", the largest coupling" if largest else " at the spacing", "chi": ""}
        rates = {"J": coupling, "chi": "lab_chi_hz"}
        known = {label: name for label, name in rates.items() if name in data.attrs}
        if known:
            seconds = time * seconds_of(data.attrs["unit"])
            parts = [
                f"|{label}| t = {angular(abs(float(data.attrs[name]))) * seconds:.4g}"
                for label, name in known.items()
            ]
            sizes = [
                f"{label} = 2 pi x {with_prefix(float(data.attrs[name]), 'Hz')}{where[label]}"
                for label, name in known.items()
            ]
            yield f"time {with_prefix(seconds, 's')}: {', '.join(parts)}; {', '.join(sizes)}"
        return
    chi, decay, together = (
        angular(abs(float(data.attrs[name]))) * time
        for name in ("lab_chi_hz", "lab_collective_decay_hz", "lab_superradiant_hz")
    )
    yield (
        f"time {with_prefix(time, 's')}: |chi| t = {chi:.4g}, Gamma t = {decay:.4g}, "
        f"N Gamma t = {together:.4g}"
    )


def _truncation(data: Any) -> Iterator[str]:
    """How far an approximation that measures itself trusts a value of xi2."""
    if "xi2_truncation" in data:
        change = float(data["xi2_truncation"])
        if np.isinf(change):
            yield f"truncation: no bound, outside the domain of {data.attrs['method']}"
            return
        if data.attrs["method"] in ("cumulants", "mean_field"):
            yield (
                f"truncation: the next order changes xi2 there by {change:.2g}, which is an "
                "indication and no bound"
            )
            return
        yield f"truncation: what is left out changes xi2 there by about {change:.2g}"


def points_and_best(data: Any) -> Iterator[str]:
    """What came out of a sweep, in lines for people."""
    from spinsqueeze.core.text import value_to_digits, value_with_error
    from spinsqueeze.observables.optimum import DIGITS, FROM_TIMES, OptimumStatus

    status, reason = data["status"].values, data["reason"].values
    failed = status != "done"
    yield f"{status.size - failed.sum()} of {status.size} points done, {failed.sum()} failed"
    for text in dict.fromkeys(reason[failed].ravel()):
        count = int((reason == text).sum())
        yield f"failed ({count} points): {text}"
    yield from _rounded(data)
    name = "optimal_xi2" if "optimal_xi2" in data else "xi2"
    if name not in data or not np.isfinite(data[name].values).any():
        return
    where = {dim: int(k) for dim, k in data[name].argmin(...).items()}
    best = data[name].isel(where)
    stderr = f"{name}_stderr"
    parts = [float(data[n].isel(where)) for n in (stderr, f"{name}_interpolation") if n in data]
    known = [part for part in parts if np.isfinite(part)]
    error = float(np.hypot.reduce(known)) if known else None
    labels = [c for c in best.coords.values() if c.ndim == 0 and "path" in c.attrs]
    place = ", ".join(f"{c.name} = {c.item():.6g}" if c.dtype.kind in "if" else
                      f"{c.name} = {c.item()}" for c in labels)  # fmt: skip
    unsqueezed = "optimal_status" in data and np.all(
        np.isin(data["optimal_status"].values, (-1, OptimumStatus.INITIAL_STATE))
    )
    if unsqueezed and float(best) >= 1.0 - 1e-9:
        yield "no squeezing at these times, at any point"
        return
    shown, note = value_with_error(float(best), stderr=error), ""
    if stderr not in data:
        shown = value_to_digits(float(best), error=error, digits=DIGITS)
        note = FROM_TIMES if "±" in shown else ""
    yield f"least xi2 = {shown} ({_level(float(best))}) at {place}{note}"
    point = data.isel(where)
    if "time" in point["xi2"].dims:
        point = point.isel(time=int(np.nanargmin(point["xi2"].values)))
    yield from _averaged(data, point)
    if "optimal_status" not in data:
        return
    for name, (place, remedy) in _ADVICE.items():
        count = int((data["optimal_status"].values == OptimumStatus[name]).sum())
        if count:
            yield f"{place}: {count} of {status.size} optima; {remedy}"


def _rounded(data: Any) -> Iterator[str]:
    """Which whole numbers logarithmic ranges of counts were rounded to."""
    from spinsqueeze.run.ranges import is_rounded

    for label in data.coords.values():
        if "path" in label.attrs and is_rounded(label.values):
            shown = [str(value) for value in label.values]
            shown = shown if len(shown) <= 12 else [*shown[:6], "...", *shown[-3:]]
            yield f"{label.name} = {', '.join(shown)} (log-spaced, in whole numbers)"


_ADVICE = {
    "FIRST_TIME": ("at the first time", "add earlier times"),
    "LAST_TIME": ("at the last time", "add later times"),
    "INITIAL_STATE": ("least in the initial state", "no squeezing at these times"),
    "TOO_COARSE": ("times too coarse to interpolate", "add times near the least xi2"),
}


def _steady(data: Any) -> str:
    """The squeezing of a steady state."""
    from spinsqueeze.core.text import value_with_error

    xi2 = float(data["xi2"])
    error = float(data["xi2_stderr"]) if "xi2_stderr" in data else None
    if error is not None and error < 5e-7 * abs(xi2):
        error = None
    if not np.isfinite(xi2):
        return "no squeezing: xi2 is undefined in the steady state"
    return f"xi2 = {value_with_error(xi2, stderr=error)} ({_level(xi2)}) in the steady state"


def _level(ratio: float) -> str:
    """A ratio in decibels, or why it has none: approximations may leave a negative variance."""
    from spinsqueeze.observables.squeezing import decibels

    if ratio > 0.0:
        return f"{float(decibels(ratio)):.4g} dB"
    if ratio == 0.0:
        return "no decibels: zero"
    return "no decibels: a negative variance; the method is outside its domain"
