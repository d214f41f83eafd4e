"""Many points in one Dataset, with the swept parameters as dimensions, and one point out of it."""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from spinsqueeze.core.checks import shown
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import with_value
from spinsqueeze.core.registry import LAB_FIGURES, READOUT_FIGURES
from spinsqueeze.results.concerns import in_few_lines
from spinsqueeze.results.points import KEPT_ATTRIBUTES, Entry, Point
from spinsqueeze.results.studies import put_study, study_tables

DONE = "done"
FAILED = "failed"
_ALWAYS = ("numerical_error", "diagnostics", "warnings")
_LONG_NAMES = {
    "status": "whether the point was computed",
    "reason": "why the point failed",
    "numerical_error": "error of the mean spin from steps and round-off, in units of sqrt(N)/2",
    "diagnostics": "how far the numbers can be trusted, as JSON",
    "warnings": "concerns of the run in words, as JSON",
    "n_spins": "number of spins",
    **LAB_FIGURES,
    **READOUT_FIGURES,
}


@final
@dataclass(frozen=True)
class GridAxis:
    """One dimension of a sweep.

    name: of the dimension. coordinates: name -> (values, dotted path); the one named like the
    dimension is its index, the others are swept along with it.
    """

    name: str
    coordinates: Mapping[str, tuple[Sequence[Any], str]]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.coordinates[self.name][0])


def stack(
    points: Sequence[Point], *, axes: Sequence[GridAxis], attributes: Mapping[str, Any]
) -> xr.Dataset:
    """The labelled Dataset of a sweep.

    Failed points hold NaN (-1 in integers, "" in words). A variable whose length differs between
    points is padded at its end in the same way. A coordinate that differs between points, such
    as time when times are swept, becomes the variable `<name>_of_point`. An attribute that differs
    becomes a variable of its name.

    Args:
        points: one for each grid point, the last axis fastest.
        axes: dimensions of the sweep.
        attributes: of the whole sweep.
    """
    shape = tuple(axis.size for axis in axes)
    dims = tuple(axis.name for axis in axes)
    data = xr.Dataset()
    _stack_arrays(data, points, dims=dims, shape=shape)
    swept = {name for axis in axes for name in axis.coordinates}
    shared = _stack_attributes(data, points, dims=dims, shape=shape, but=swept)
    states = [FAILED if p.reason else DONE for p in points]
    data["status"] = (dims, np.array(states).reshape(shape))
    data["reason"] = (dims, np.array([p.reason for p in points], dtype=str).reshape(shape))
    for name, text in _LONG_NAMES.items():
        if name in data:
            data[name].attrs["long_name"] = text
    for axis in axes:
        for name, (values, path) in axis.coordinates.items():
            data.coords[name] = (axis.name, _labels(values), {"path": path})
    data.attrs.update({**shared, **attributes, "warnings": json.dumps(_summary(points, axes))})
    return data


def _stack_arrays(
    data: xr.Dataset, points: Sequence[Point], *, dims: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    """The variables of the points, and their coordinates: once where they are alike everywhere."""
    done = [p for p in points if not p.reason]
    for name in dict.fromkeys(n for p in done for n in p.variables):
        _put(data, name, [p.variables.get(name) for p in points], dims=dims, shape=shape)
    for name in dict.fromkeys(n for p in done for n in p.coordinates):
        entries = [p.coordinates[name] for p in done if name in p.coordinates]
        head = entries[0]
        if all(np.array_equal(e.values, head.values) for e in entries):
            data.coords[name] = (head.dims, head.values, dict(head.attributes))
        else:
            given = [p.coordinates.get(name) for p in points]
            _put(data, f"{name}_of_point", given, dims=dims, shape=shape)


def _stack_attributes(
    data: xr.Dataset,
    points: Sequence[Point],
    *,
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    but: Collection[str],
) -> dict[str, Any]:
    """Attributes that differ between points become variables; returns those that all share."""
    shared: dict[str, Any] = {}
    for name in KEPT_ATTRIBUTES:
        if name in but:
            continue
        values = [p.attributes[name] for p in points if not p.reason and name in p.attributes]
        if name in _ALWAYS or any(value != values[0] for value in values):
            own: list[Entry | None] = [
                Entry((), np.asarray(p.attributes[name])) if name in p.attributes else None
                for p in points
            ]
            _put(data, name, own, dims=dims, shape=shape)
        elif values:
            shared[name] = values[0]
    return shared


def _put(
    data: xr.Dataset,
    name: str,
    entries: Sequence[Entry | None],
    *,
    dims: tuple[str, ...],
    shape: tuple[int, ...],
) -> None:
    given = [e for e in entries if e is not None]
    if not given:
        return
    head = given[0]
    shapes = {e.values.shape for e in given}
    inner = tuple(max(lengths) for lengths in zip(*shapes, strict=True))
    kind = np.result_type(*{e.values.dtype for e in given})
    if len(given) == len(entries) and len(shapes) == 1:
        whole = np.array([e.values for e in given], dtype=kind)
    else:
        whole = np.full((len(entries), *inner), _fill(kind), dtype=kind)
        for k, entry in enumerate(entries):
            if entry is not None:
                part: tuple[Any, ...] = (k, *(slice(n) for n in entry.values.shape))
                whole[part] = entry.values
    data[name] = ((*dims, *head.dims), whole.reshape((*shape, *inner)), dict(head.attributes))


def _fill(kind: np.dtype[Any]) -> Any:
    return {"f": np.nan, "c": np.nan, "i": -1, "U": "", "S": b""}.get(kind.kind, 0)


def _labels(values: Sequence[Any]) -> NDArray[Any]:
    """Coordinate values: numbers or words as they are, anything else as JSON."""
    for kinds in (bool, int, (int, float), str):
        if all(isinstance(v, kinds) and (kinds is bool or type(v) is not bool) for v in values):
            return np.asarray(values)
    plain = [v if isinstance(v, str) else json.dumps(v, default=np.ndarray.tolist) for v in values]
    return np.asarray(plain)


def _summary(points: Sequence[Point], axes: Sequence[GridAxis]) -> list[str]:
    """Failures and warnings of all points, with the swept values of those that have them."""
    named, shape = [_named(axis) for axis in axes], tuple(axis.size for axis in axes)

    def place(number: int) -> str:
        index = np.unravel_index(number, shape) if shape else ()
        return ", ".join(names[k] for names, k in zip(named, index, strict=True))

    failed = [[p.reason] if p.reason else [] for p in points]
    concerns = [json.loads(p.attributes.get("warnings", "[]")) for p in points]
    return [
        *in_few_lines(failed, what="points failed", place=place),
        *in_few_lines(concerns, what="points", place=place),
    ]


def _named(axis: GridAxis) -> list[str]:
    """'j_z = 1, exponent = 3': each place along a dimension."""
    columns = [
        [f"{name} = {v:.6g}" if isinstance(v, float) else f"{name} = {shown(v)}" for v in values]
        for name, (values, _) in axis.coordinates.items()
    ]
    return [", ".join(row) for row in zip(*columns, strict=True)]


def sweep_dims(data: xr.Dataset) -> tuple[str, ...]:
    """The swept dimensions of a result; none for a single run."""
    return tuple(str(d) for d in data["status"].dims) if "status" in data else ()


def points_of(data: xr.Dataset) -> Iterator[tuple[dict[str, int], xr.Dataset]]:
    """Every point of a sweep, the last axis fastest: its indices and its single-run Dataset."""
    dims = sweep_dims(data)
    for index in itertools.product(*(range(data.sizes[d]) for d in dims)):
        where = dict(zip(dims, index, strict=True))
        yield where, point_of(data, where)


def point_of(data: xr.Dataset, index: Mapping[str, int]) -> xr.Dataset:
    """One point of a sweep as the Dataset of a single run, its own attributes back in place.

    Padding of variables whose length differs between points stays.

    Raises:
        InvalidInput: not every swept dimension is given, or the point failed.
    """
    dims = sweep_dims(data)
    if "status" not in data:
        return data
    if set(index) != set(dims):
        raise InvalidInput(f"index must name {', '.join(dims) or 'nothing'}, got {dict(index)}")
    point = data.isel({name: int(index[name]) for name in dims})
    if point["status"].item() != DONE:
        place = f"point {dict(index)}" if index else "this point of a sweep"
        raise InvalidInput(f"{place} failed: {point['reason'].item()}")
    point.attrs = dict(point.attrs)
    drop = ["status", "reason"]
    for name in KEPT_ATTRIBUTES:
        if name in point and point[name].ndim == 0:
            point.attrs[name] = point[name].item()
            drop.append(name)
    study = _study_of_point(point)
    for name in [str(n) for n in point.data_vars if str(n).endswith("_of_point")]:
        base = name.removesuffix("_of_point")
        point = point.assign_coords(
            {base: (point[name].dims, point[name].values, point[name].attrs)}
        )
        drop.append(name)
    point = put_study(point, _with_times(study, point))
    labels = [c for c in point.coords if point[c].ndim == 0]
    return point.drop_vars(dict.fromkeys([*drop, *labels]))


def cut_padding(run: xr.Dataset) -> xr.Dataset:
    """A point without the times and sample blocks that longer points of its sweep have."""
    for dim, name in (("block", "block_weight"), ("time", "time")):
        if name in run.variables and dim in run.dims:
            run = run.isel({dim: run[name].notnull().values})
    return run


def as_single_run(data: xr.Dataset) -> xr.Dataset:
    """What isel has left of a sweep, once it is one point, as a single run; others as they are.

    Raises:
        InvalidInput: the point failed.
    """
    if "status" not in data or sweep_dims(data):
        return data
    return cut_padding(point_of(data, {}))


def _study_of_point(one: xr.Dataset) -> dict[str, Any]:
    """The study of a point, from that of its sweep and the values it has."""
    study = study_tables(one)
    swept = study.pop("sweep", {})
    for label in one.coords.values():
        path = label.attrs.get("path")
        if label.ndim == 0 and path in swept:
            values = swept[path]
            (where, *_) = np.flatnonzero(_labels(values) == label.item())
            study = with_value(study, path, values[where])
    averaged = swept.get("average_over", ())
    if averaged:
        study["sweep"] = _realisations(swept, averaged)
    return study


def _realisations(swept: Mapping[str, Any], averaged: Sequence[str]) -> dict[str, Any]:
    """What is left of a sweep at one point: its realisations."""
    groups = [group for group in swept.get("zipped", ()) if not set(group).isdisjoint(averaged)]
    paths = dict.fromkeys([*averaged, *(path for group in groups for path in group)])
    rest = {path: swept[path] for path in paths} | {"average_over": list(averaged)}
    return {**rest, "zipped": groups} if groups else rest


def _with_times(study: dict[str, Any], one: xr.Dataset) -> dict[str, Any]:
    """The study of a point that chose its times, with these."""
    if "automatic_times" not in one.attrs or "time" not in one.coords or one["time"].ndim != 1:
        return study
    times = one["time"].values
    return with_value(study, "run.times", {"values": times[np.isfinite(times)]})


def grid_axes(data: xr.Dataset) -> list[GridAxis]:
    """The axes of a sweep, as `stack` takes them."""
    return [
        GridAxis(
            dim,
            {
                str(name): (label.values.tolist(), str(label.attrs["path"]))
                for name, label in data.coords.items()
                if label.dims == (dim,) and "path" in label.attrs
            },
        )
        for dim in sweep_dims(data)
    ]
