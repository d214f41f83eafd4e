"""The best squeezing of a run as variables, so that a sweep holds one number for each point."""

from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.optimum import optimum_of_moments
from spinsqueeze.results.dataset import read_moments
from spinsqueeze.results.points import Entry


def best_of_run(data: xr.Dataset) -> dict[str, Entry]:
    """The optimum in time of a run as variables without dimensions; NaN where there is none."""
    if "time" not in data.dims:
        return {}
    sampled = "xi2_stderr" in data
    try:
        best = optimum_of_moments(data["time"].values, moments=read_moments(data))
    except (UndefinedDirection, InvalidInput):
        best = None
    values: dict[str, tuple[Any, Any, str, str]] = {
        "xi2": (best and best.xi2, best and best.xi2_stderr, "1", "least xi2 over time"),
        "time": (
            best and best.time,
            best and best.time_stderr,
            str(data["time"].attrs.get("units", "")),
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
        told = {"units": units, "long_name": long_name}
        entries[f"optimal_{name}"] = Entry((), _number(value), told)
        if sampled:
            told = {"units": units, "long_name": f"standard error of {long_name}"}
            entries[f"optimal_{name}_stderr"] = Entry((), _number(stderr), told)
    edge = -1 if best is None else int(best.at_edge)
    told = {"units": "1", "long_name": "1: the least xi2 lies at the first or last time"}
    entries["optimal_at_edge"] = Entry((), np.asarray(edge, np.int8), told)
    return entries


def _number(value: Any) -> Any:
    return np.asarray(np.nan if value is None else value, dtype=np.float64)
