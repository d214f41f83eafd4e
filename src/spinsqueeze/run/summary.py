"""summary: a result in a few lines, for a console and for a notebook."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.text import html_table
from spinsqueeze.core.written_units import written
from spinsqueeze.results.dataset import checked_dataset, warnings_of
from spinsqueeze.results.grid import sweep_dims
from spinsqueeze.run.lines import best


@final
@clear_init
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


@clear_call
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
    rows += _axes(data) if "status" in data else _times(data)
    rows += [("best", line) for line in best(data)]
    rows += [("warning", text) for text in _warnings(data)]
    return Summary(tuple(rows))


def _warnings(data: xr.Dataset) -> list[str]:
    return warnings_of(data) if isinstance(data.attrs.get("warnings", "[]"), str) else []


def _times(data: xr.Dataset) -> list[tuple[str, str]]:
    if not data.sizes.get("time"):
        return []
    times = data["time"].values
    unit = written(str(data["time"].attrs.get("units", "")))
    return [("times", f"{len(times)} from {times[0]:g} to {times[-1]:g} {unit}".rstrip())]


def _axes(data: xr.Dataset) -> list[tuple[str, str]]:
    return [
        ("over", f"{dim}: {data.sizes[dim]} values" + _ends(data[dim].values))
        for dim in map(str, sweep_dims(data))
    ]


def _ends(values: Any) -> str:
    if values.dtype.kind not in "fi" or not np.isfinite(values).all():
        return ""
    return f" from {values.min():g} to {values.max():g}"
