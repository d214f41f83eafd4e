"""The best squeezing of a run as variables, so that a sweep holds one number for each point."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.core.written_units import is_laboratory, written
from spinsqueeze.models.readout import Readout
from spinsqueeze.observables.measured import as_measured
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.optimum import Optimum
from spinsqueeze.observables.optimum_search import find_optimum, optimum_of_moments
from spinsqueeze.observables.squeezing import decibels_stderr
from spinsqueeze.results.dataset import read_moments, readout_of
from spinsqueeze.results.points import Entry


def optimum_of_run(data: xr.Dataset, *, measured: bool = False) -> Optimum:
    """The optimum in time of a run, see `_optimum`; where it found none at its own times, so said.

    Raises:
        InvalidInput: see `_optimum`.
        UndefinedDirection: xi2 is undefined at every time.
    """
    best = _optimum(data, measured=measured)
    choice = json.loads(data.attrs.get("automatic_times", "{}"))
    units = str(data["time"].attrs.get("units", ""))
    return replace(
        best,
        searched=choice.get("outcome") == "no squeezing",
        time_unit=written(units) if is_laboratory(units) else "",
    )


def _optimum(data: xr.Dataset, *, measured: bool) -> Optimum:
    """The optimum in time of a run, of a sweep's point too.

    Without its sample blocks a sampled curve gives a standard error of the value alone, unless the
    point was stored with its optimum and that of the curve is still the same. A single history of
    losses jumps between its times: nothing is interpolated.

    Args:
        data: the run.
        measured: that of `measured_xi2`, as the readout of the run finds it.

    Raises:
        InvalidInput: not a spinsqueeze result, a steady state, a single selected time, one with
            sweep dimensions, or `measured` of a run without readout.
        UndefinedDirection: xi2 is undefined at every time.
    """
    moments = read_moments(data)
    if "time" not in data.coords:
        raise InvalidInput("data has no times: a steady state has no best time, read data['xi2']")
    if data["time"].ndim == 0:
        raise InvalidInput(
            "data holds a single selected time, which has no best time: read data['xi2'], or keep "
            "the axis with data.isel(time=slice(...))"
        )
    times = data["time"].values
    curve, prefix = "xi2", "optimal_"
    if measured:
        readout = readout_of(data.attrs)
        if readout is None or "measured_xi2" not in data:
            raise InvalidInput("data has no readout: it holds what the atoms have alone")
        moments = as_measured(moments, readout=readout)
        curve, prefix = "measured_xi2", "optimal_measured_"
    steps = data.get("spin_numerical_error", data.attrs.get("numerical_error", 0.0))
    if "spins_left" in data and "spins_left_stderr" not in data:
        return optimum_of_moments(times, moments=moments, numerical_error=steps, smooth=False)
    if isinstance(moments, BlockMoments) or f"{curve}_stderr" not in data:
        return optimum_of_moments(times, moments=moments, numerical_error=steps)
    best = find_optimum(
        times,
        xi2=data[curve].values,
        angle=data["squeezing_angle"].values,  # white noise of a readout turns no axis
        stderr=data[f"{curve}_stderr"].values,
        numerical_error=steps,
    )
    stored = f"{prefix}xi2"
    if stored not in data or not np.isclose(best.xi2, data[stored], rtol=1e-9):
        return best
    kept = {
        f"{name}_stderr": float(data[f"{prefix}{name}_stderr"]) for name in ("xi2", "time", "angle")
    }
    known: dict[str, Any] = {k: v if np.isfinite(v) else None for k, v in kept.items()}
    if known["xi2_stderr"] is not None:
        known["decibels_stderr"] = float(decibels_stderr(best.xi2, stderr=known["xi2_stderr"]))
    return replace(best, **known)


def best_of_run(data: xr.Dataset) -> dict[str, Entry]:
    """The optimum in time of a run as variables without dimensions; NaN where there is none.

    Of a run with a readout, that of what it finds too.
    """
    if "time" not in data.dims:
        return {}
    units, sampled = str(data["time"].attrs.get("units", "")), "xi2_stderr" in data
    best = _entries(lambda: optimum_of_run(data), time_units=units, sampled=sampled)
    if "measured_xi2" not in data:
        return best
    return best | _entries(
        lambda: optimum_of_run(data, measured=True),
        time_units=units,
        sampled=sampled,
        prefix="optimal_measured_",
    )


def best_of_moments(
    times: Floats,
    moments: Moments | BlockMoments,
    *,
    error: float | Floats,
    smooth: bool,
    units: str,
    readout: Readout | None = None,
) -> dict[str, Entry]:
    """The same from moments (T, ...), and what a readout finds.

    Args:
        times: (T,).
        moments: of the spins.
        error: () or (T,) numerical error of the mean spin, in units of sqrt(N)/2.
        smooth: whether to interpolate.
        units: of the times.
        readout: adds `optimal_measured_xi2` and its company.
    """

    def entries(moments: Moments | BlockMoments, prefix: str) -> dict[str, Entry]:
        return _entries(
            lambda: optimum_of_moments(
                times, moments=moments, numerical_error=error, smooth=smooth
            ),
            time_units=units,
            sampled=isinstance(moments, BlockMoments),
            prefix=prefix,
        )

    own = entries(moments, "optimal_")
    if readout is None:
        return own
    return own | entries(as_measured(moments, readout=readout), "optimal_measured_")


def _entries(
    find: Callable[[], Optimum], *, time_units: str, sampled: bool, prefix: str = "optimal_"
) -> dict[str, Entry]:
    try:
        best: Optimum | None = find()
    except (UndefinedDirection, InvalidInput):
        best = None
    values: dict[str, tuple[Any, Any, str, str]] = {
        "xi2": (best and best.xi2, best and best.xi2_stderr, "1", "least xi2 over time"),
        "time": (
            best and best.time,
            best and best.time_stderr,
            time_units,
            "time of the least xi2",
        ),
        "angle": (
            best and best.angle,
            best and best.angle_stderr,
            "rad",
            "squeezing angle at the least xi2",
        ),
    }
    entries = {}
    for name, (value, stderr, units, long_name) in values.items():
        attributes = {"units": units, "long_name": long_name}
        entries[f"{prefix}{name}"] = Entry((), _number(value), attributes)
        if sampled:
            attributes = {"units": units, "long_name": f"standard error of {long_name}"}
            entries[f"{prefix}{name}_stderr"] = Entry((), _number(stderr), attributes)
        bound = None if best is None else getattr(best, f"{name}_interpolation")
        attributes = {
            "units": units,
            "long_name": f"error of {long_name} from the distance of the times",
        }
        entries[f"{prefix}{name}_interpolation"] = Entry((), _number(bound), attributes)
    edge = -1 if best is None else int(best.at_edge)
    attributes = {"units": "1", "long_name": "1: the least xi2 lies at the first or last time"}
    entries[f"{prefix}at_edge"] = Entry((), np.asarray(edge, np.int8), attributes)
    status = -1 if best is None else int(best.status)
    attributes = {"units": "1", "long_name": _STATUS}
    entries[f"{prefix}status"] = Entry((), np.asarray(status, np.int8), attributes)
    return entries


_STATUS = (
    "0 interpolated; 1 first time, 2 last time, 3 initial state is lowest; 4 times too coarse, "
    "5 jumps: lowest time itself"
)


def _number(value: Any) -> Any:
    return np.asarray(np.nan if value is None else value, dtype=np.float64)
