"""summary: a result in a few lines, for a console and for a notebook."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.core.text import html_table, value_with_error
from spinsqueeze.core.written_units import written
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.observables.squeezing import decibels
from spinsqueeze.results.dataset import checked_dataset, warnings_of
from spinsqueeze.results.grid import sweep_dims
from spinsqueeze.run.optimum import optimum


@final
@dataclass(frozen=True)
class Summary:
    """What `summary` returns: lines of a label and a text; a table in notebooks."""

    rows: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "\n".join(f"{label:<12} {text}" for label, text in self.rows)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html_table(("result", ""), self.rows)


def summary(data: xr.Dataset) -> Summary:
    """A result in a few lines: title, spins, method, times, best squeezing and warnings.

    A Dataset's own representation lists its variables; this says what came out. Of a sweep: its
    parameters, how many points are done, and how many optima are not resolved.

    Raises:
        InvalidInput: data is no Dataset.
    """
    data = checked_dataset(data, call="summary")
    rows = [("title", str(data.attrs["title"]))] if data.attrs.get("title") else []
    if "n_spins" in data.attrs:
        rows.append(("spins", str(data.attrs["n_spins"])))
    if "method" in data.attrs:
        rows.append(("method", str(data.attrs["method"])))
    rows += _sweep(data) if "status" in data and sweep_dims(data) else _single(data)
    rows += [("warning", text) for text in _warnings(data)]
    return Summary(tuple(rows))


def _warnings(data: xr.Dataset) -> list[str]:
    return warnings_of(data) if isinstance(data.attrs.get("warnings", "[]"), str) else []


def _single(data: xr.Dataset) -> list[tuple[str, str]]:
    if "xi2" in data and data["xi2"].ndim == 0 and "time" not in data.coords:
        return [("best", f"{_level(data)} in the steady state")]
    rows = []
    if data.sizes.get("time"):
        times = data["time"].values
        unit = written(str(data["time"].attrs.get("units", "")))
        rows.append(("times", f"{len(times)} from {times[0]:g} to {times[-1]:g} {unit}".rstrip()))
    try:
        rows.append(("best", str(optimum(data))))
    except SpinSqueezeError as error:
        rows.append(("best", f"none: {error}"))
    return rows


def _level(data: xr.Dataset) -> str:
    value = float(data["xi2"])
    if not value > 0:
        return "xi2 is undefined"
    error = float(data["xi2_stderr"]) if "xi2_stderr" in data else None
    return f"xi2 = {value_with_error(value, stderr=error)} ({float(decibels(value)):.4g} dB)"


def _sweep(data: xr.Dataset) -> list[tuple[str, str]]:
    rows = [
        ("over", f"{dim}: {data.sizes[dim]} values" + _ends(data[dim].values))
        for dim in map(str, sweep_dims(data))
    ]
    done = int((data["status"].values == "done").sum())
    rows.append(("points", f"{done} of {data['status'].size} done"))
    if "optimal_status" in data:
        status = data["optimal_status"].values
        parts = [
            f"{int((status == kind).sum())} {words}"
            for kind, words in _STATUSES.items()
            if (status == kind).any()
        ]
        rows.append(("optima", ", ".join(parts) or "none"))
    return rows


_STATUSES = {
    OptimumStatus.INSIDE: "resolved",
    OptimumStatus.FIRST_TIME: "at the first time",
    OptimumStatus.LAST_TIME: "at the last time",
    OptimumStatus.INITIAL_STATE: "without squeezing at these times",
    OptimumStatus.TOO_COARSE: "with times too coarse",
    OptimumStatus.JUMPS: "of curves that jump",
}


def _ends(values: Any) -> str:
    if values.dtype.kind not in "fi" or not np.isfinite(values).all():
        return ""
    return f" from {values.min():g} to {values.max():g}"
