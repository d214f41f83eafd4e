"""The best squeezing of a result, in lines for people."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def best(data: Any) -> Iterator[str]:
    """The best squeezing of a result, or why there is none."""
    from spinsqueeze.core.errors import SpinSqueezeError
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
        yield from _truncation(data)
        yield from _neglected(data)
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
    yield from _truncation(data.sel(time=least.time, method="nearest"))
    yield from _neglected(data)


def _neglected(data: Any) -> Iterator[str]:
    """What no error bar of an uncontrolled method holds."""
    if "uncontrolled" in str(data.attrs.get("error_kind", "")):
        yield f"not in the error: what {data.attrs['method']} neglects; compare with another method"


def gains(data: Any) -> Iterator[str]:
    """The best gain of a result, its phase resolution and readout, in lines for people."""
    from spinsqueeze.core.text import value_with_error

    gain = data["metrological_gain"]
    if not np.isfinite(gain.values).any():
        yield "no gain: the mean spin has no direction"
        return
    best = data.isel({dim: int(k) for dim, k in gain.argmax(...).items()})
    value = float(best["metrological_gain"])
    error = float(best.get("metrological_gain_stderr", 0.0))
    error = float(np.hypot(error, float(best["metrological_gain_numerical_error"])))
    shown = value_with_error(value, stderr=error if error > 5e-7 * value else None)
    unit = str(best["time"].attrs.get("units", ""))
    place = f"time {float(best['time']):.6g} {unit}".rstrip()
    if "phase" in best.coords:
        place += f", phase {float(best['phase']):.4g} rad"
    yield f"gain = {shown} ({_level(value)}) over uncorrelated spins at {place}"
    direction = ", ".join(f"{x:.4f}" for x in best["readout"].values)
    resolution = float(best["phase_resolution"])
    yield f"Delta phi = {resolution:.4g} rad in one shot, read along ({direction})"
    if "best_axis" in best:
        axis = ", ".join(f"{x:.4f}" for x in best["best_axis"].values)
        yield f"best axis of the signal: ({axis})"


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

    error, noise = (data.attrs[f"readout_{name}"] for name in ("detection_error", "resolution"))
    words = [f"{100 * error:.4g} % misread"] if error else []
    words += [f"counts to {noise:.4g} spins rms"] if noise else []
    try:
        least: Any = optimum_of_run(data, measured=True)
    except SpinSqueezeError as problem:
        least = f"no optimum: {problem}"
    yield f"as measured ({', '.join(words) or 'perfectly'}): {least}"


def _lab_time(data: Any, time: float) -> Iterator[str]:
    """A time in seconds, and in units of the rates that lab numbers give the spins."""
    from spinsqueeze.core.units import angular, seconds_of, with_prefix

    if "lab_collective_decay_hz" not in data.attrs:
        rates = {"J": "lab_coupling_hz", "chi": "lab_chi_hz"}
        known = {label: name for label, name in rates.items() if name in data.attrs}
        if known:
            seconds = time * seconds_of(data.attrs["unit"])
            parts = [
                f"|{label}| t = {angular(abs(float(data.attrs[name]))) * seconds:.4g}"
                for label, name in known.items()
            ]
            yield f"time {with_prefix(seconds, 's')}: {', '.join(parts)}"
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
        yield f"truncation: what is left out changes xi2 there by about {change:.2g}"


def points_and_best(data: Any) -> Iterator[str]:
    """What came out of a sweep, in lines for people."""
    from spinsqueeze.core.text import value_with_error
    from spinsqueeze.observables.optimum import OptimumStatus

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
    if stderr not in data and error is not None and error < 5e-7 * float(best):
        error = None
    labels = [c for c in best.coords.values() if c.ndim == 0 and "path" in c.attrs]
    place = ", ".join(f"{c.name} = {c.item():.6g}" if c.dtype.kind in "if" else
                      f"{c.name} = {c.item()}" for c in labels)  # fmt: skip
    unsqueezed = "optimal_status" in data and np.all(
        np.isin(data["optimal_status"].values, (-1, OptimumStatus.INITIAL_STATE))
    )
    if unsqueezed and float(best) >= 1.0 - 1e-9:
        yield "no squeezing at these times, at any point"
        return
    shown = value_with_error(float(best), stderr=error)
    yield f"least xi2 = {shown} ({_level(float(best))}) at {place}"
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
