"""The result of `sensitivity` as a Dataset, with its greatest gain over time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.units import inverse
from spinsqueeze.observables.best_gain import BestGain, best_gain
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.observables.sensitivity import Sensitivity
from spinsqueeze.results import provenance
from spinsqueeze.results.files import MARK

_LONG_NAMES = {
    "gain": "greatest metrological gain over time",
    "time": "time of the greatest gain",
    "gain_stderr": "standard error of the greatest gain",
    "time_stderr": "standard error of the time of the greatest gain",
    "gain_interpolation": "error of the greatest gain from the distance of the times",
    "time_interpolation": "error of the time of the greatest gain from that of the times",
    "gain_numerical_error": "numerical error of the greatest gain",
    "status": (
        "0 interpolated; 1 first time, 2 last time, 3 time 0 is greatest; 4 times too coarse: "
        "greatest time itself; -1 no gain"
    ),
    "add_times_near": "where more times are needed to interpolate",
}


def build(
    parts: Sequence[Sensitivity],
    phases: Floats | None,
    head: xr.Dataset,
    *,
    signal: int,
    step: float,
) -> xr.Dataset:
    """All phases in one Dataset; without the dimension where there is one of the pulse itself.

    Args:
        parts: the sensitivity of each phase.
        phases: (P,) radians; None: that of the pulse.
        head: one of the runs.
        signal: which pulse is the signal.
        step: of the phase, radians.
    """
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
    data.attrs |= {n: v for n, v in head.attrs.items() if str(n).startswith("readout_")}
    data.attrs |= {
        "signal": signal,
        "step": step,
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    times = np.asarray(head["time"].values, dtype=np.float64)
    return _with_best(data, [best_gain(times, part) for part in parts])


def _with_best(data: xr.Dataset, best: Sequence[BestGain | None]) -> xr.Dataset:
    """The Dataset with the greatest gain over time of each phase, NaN and status -1 where none.

    Args:
        data: of one phase, without the dimension; or of all.
        best: of each phase.
    """
    dims = ("phase",) if "phase" in data.dims else ()
    rows = [None if each is None else each.as_numbers() for each in best]
    units = str(data["time"].attrs.get("units", ""))
    variables = {}
    for name, words in _LONG_NAMES.items():
        missing = -1.0 if name == "status" else np.nan
        column = np.array([missing if row is None else row[name] for row in rows])
        if name.endswith("stderr") and np.isnan(column).all():
            continue
        values = column if dims else column[0]
        in_time = name.startswith("time") or name == "add_times_near"
        attributes = {"units": units if in_time else "1", "long_name": words}
        if name == "status":
            values = np.asarray(values, np.int8)
        variables[_variable(name)] = (dims, values, attributes)
    return data.assign(variables)


def read(data: xr.Dataset) -> tuple[BestGain | None, xr.Dataset]:
    """The greatest gain over time and phase, and the result at its phase and nearest time.

    Returns:
        None where no time has a gain; of a result of earlier versions the greatest of its times.
    """
    if _variable("status") not in data:
        return _greatest_of_times(data)
    if "phase" in data.dims:
        values = data["optimal_gain"].values
        data = data.isel(phase=int(np.nanargmax(np.where(np.isnan(values), -1.0, values))))
    if int(data[_variable("status")]) < 0:
        return None, data
    numbers = {
        name: float(data[_variable(name)]) if _variable(name) in data else np.nan
        for name in _LONG_NAMES
    }
    best = BestGain.read(numbers)
    return best, data.sel(time=best.time, method="nearest")


def _variable(name: str) -> str:
    return f"optimal_{name}" if name.startswith("gain") else f"optimal_gain_{name}"


def _greatest_of_times(data: xr.Dataset) -> tuple[BestGain | None, xr.Dataset]:
    gain = data["metrological_gain"]
    if not np.isfinite(gain.values).any():
        return None, data
    there = data.isel({str(dim): int(k) for dim, k in gain.argmax(...).items()})
    best = BestGain(
        float(there["metrological_gain"]),
        float(there["time"]),
        float(there.get("metrological_gain_stderr", np.nan)),
        np.nan,
        0.0,
        0.0,
        float(there["metrological_gain_numerical_error"]),
        OptimumStatus.INSIDE,
        np.nan,
    )
    return best, there
