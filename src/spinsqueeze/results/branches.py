"""Branches of steady states as one Dataset, with the special points beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import readings_of
from spinsqueeze.results import dataset

MARGINAL = 1e-7
"""Growth below this share of the largest is zero up to rounding, as at folds and crossings."""

OF_MEANS = ("spin", "contrast")
"""What the mean spin alone gives; the rest needs correlations."""


@final
@dataclass(frozen=True, eq=False)
class Line:
    """A branch: the parameter's values (P,), moments, growth and physical there.

    specials: (place among the points, kind, frequency).
    """

    values: Floats
    moments: Moments
    growth: Floats
    physical: Booleans
    specials: Sequence[tuple[int, str, float]]


def build(
    lines: Sequence[Line], *, name: str, path: str, order: int, attributes: Mapping[str, Any]
) -> xr.Dataset:
    """The Dataset of branches, dimensions branch and point; see `spinsqueeze.branches`.

    Args:
        lines: the branches.
        name: of the parameter.
        path: of the parameter in the study.
        order: of the equations; order 1 has no correlations.
        attributes: of the Dataset.
    """
    unit = str(attributes["unit"])
    longest = max(len(line.values) for line in lines)
    parts = [_quantities(line, order, attributes) for line in lines]
    dims = ("branch", "point")
    data = xr.Dataset(attrs=dict(attributes))
    data.coords["branch"] = np.arange(len(lines))
    data.coords["axis"] = list("xyz")
    if order > 1:
        data.coords["axis_2"] = list("xyz")

    def put(label: str, arrays: Sequence[Any], rest: tuple[Any, ...], **words: Any) -> None:
        data[label] = ((*dims, *rest), _padded(arrays, longest), words)

    for label, array in parts[0].data_vars.items():
        arrays = [part[label].values for part in parts]
        put(str(label), arrays, array.dims[1:], **array.attrs)
    put(name, [line.values for line in lines], (), long_name=path, path=path)
    data = data.set_coords(name)
    put("growth", [line.growth for line in lines], (), units=unit,
        long_name="largest growth rate of small deviations")  # fmt: skip
    largest = max(float(np.max(np.abs(line.growth))) for line in lines)
    put("stable", [line.growth < -MARGINAL * largest for line in lines], (),
        long_name="whether small deviations decay")  # fmt: skip
    put("physical", [line.physical for line in lines], (),
        long_name="whether the moments could be those of a state")  # fmt: skip
    data["n_points"] = ("branch", [len(line.values) for line in lines], {"long_name": "points"})
    return _with_specials(data, lines, unit)


def share_stable(data: xr.Dataset, branch: int) -> float:
    """Which share of a branch's points is stable; those without growth either way do not count."""
    count = int(data["n_points"].values[branch])
    growth = np.abs(data["growth"].values)
    moving = growth[branch, :count] > MARGINAL * np.nanmax(growth)
    stable = np.asarray(data["stable"].values[branch, :count], dtype=bool)
    return float(stable[moving].mean()) if np.any(moving) else float("nan")


def _quantities(line: Line, order: int, attributes: Mapping[str, Any]) -> xr.Dataset:
    whole = dataset.build(
        readings_of(line.moments),
        n_spins=int(line.moments.n_spins),
        times=np.arange(float(len(line.values))),
        attributes=attributes,
    )
    return whole if order > 1 else whole[list(OF_MEANS)]


def _padded(arrays: Sequence[Any], longest: int) -> Any:
    kind = arrays[0].dtype
    fill = {"f": np.nan, "b": False}.get(kind.kind, -1)
    out = np.full((len(arrays), longest, *arrays[0].shape[1:]), fill, dtype=kind)
    for row, array in zip(out, arrays, strict=True):
        row[: len(array)] = array
    return out


def _with_specials(data: xr.Dataset, lines: Sequence[Line], unit: str) -> xr.Dataset:
    rows = [(b, *special) for b, line in enumerate(lines) for special in line.specials]
    branch = np.array([b for b, *_ in rows], dtype=int)
    place = np.array([k for _, k, *_ in rows], dtype=int)
    values = [lines[b].values[k] for b, k, *_ in rows]
    spins = np.array([lines[b].moments.spin[k] for b, k, *_ in rows]).reshape(len(rows), 3)
    columns = {
        "kind": (np.array([kind for _, _, kind, _ in rows], dtype="U12"), "what happens there"),
        "parameter": (np.array(values, dtype=float), "value of the parameter"),
        "branch": (branch, "branch on which it lies"),
        "point": (place, "its place among the points"),
        "frequency": (np.array([f for *_, f in rows], dtype=float), "angular frequency of a hopf"),
    }
    for label, (column, words) in columns.items():
        data[f"special_{label}"] = ("special", column, {"long_name": words})
    data["special_frequency"].attrs["units"] = unit
    data["special_spin"] = (("special", "axis"), spins, {"long_name": "mean spin <S_a> there"})
    return data
