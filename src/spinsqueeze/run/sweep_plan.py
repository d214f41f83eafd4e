"""The points of a sweep: which tables each has, under which key, and which share a shape."""

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import digest, with_value
from spinsqueeze.core.registry import REGISTRY
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS
from spinsqueeze.results.grid import GridAxis
from spinsqueeze.results.points import KEPT_ATTRIBUTES
from spinsqueeze.run.sweep_axes import AVERAGED, zip_groups

Tables = Mapping[str, Any]
MAX_GRID = 10**7
_SEED = "run.seed"
_TAKEN = {
    *REGISTRY,
    *(dim for entry in REGISTRY.values() for dim in entry.dims),
    *(f"optimal_{name}" for name in ("xi2", "time", "angle", "at_edge", "status")),
    "status",
    "reason",
    *KEPT_ATTRIBUTES,
}
_SMOOTH = ("hamiltonian", "jumps", "initial_state", "pulses", "losses", "cavity", "readout")


@final
@dataclass(frozen=True)
class Plan:
    """A grid of points.

    axes: one entry a dimension, each a tuple of paths swept together. realisations: the dimensions
    that are averaged over.
    """

    base: Tables
    values: Mapping[str, Sequence[Any]]
    axes: tuple[tuple[str, ...], ...]
    realisations: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each dimension."""
        return tuple(len(self.values[paths[0]]) for paths in self.axes)

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def kept_axes(self) -> tuple[tuple[str, ...], ...]:
        """The axes that the result has."""
        return tuple(a for k, a in enumerate(self.axes) if k not in self.realisations)

    def points(self) -> Iterable[dict[str, Any]]:
        """The swept values of each point by path, the last axis fastest.

        Realisations have seeds of their own, so that their samples are independent: the study's
        (or the swept one) plus the number of the realisation.
        """
        numbered = self.realisations and not any(_SEED in self.axes[k] for k in self.realisations)
        for index in itertools.product(*(range(n) for n in self.shape)):
            point = {
                path: self.values[path][k]
                for paths, k in zip(self.axes, index, strict=True)
                for path in paths
            }
            if numbered:
                first = int(point.get(_SEED, self.base["run"]["seed"]))
                point[_SEED] = first + self._number(index)
            yield point

    def _number(self, index: Sequence[int]) -> int:
        """Of the realisation at a place of the grid."""
        number = 0
        for k in self.realisations:
            number = number * self.shape[k] + index[k]
        return number

    def groups(self) -> Integers:
        """(kept points, realisations): the numbers of the points that are averaged."""
        numbers = np.arange(self.size).reshape(self.shape)
        last = range(-len(self.realisations), 0)
        moved = np.moveaxis(numbers, self.realisations, list(last))
        return moved.reshape(-1, math.prod(self.shape[k] for k in self.realisations))

    def tables(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The study of one point; what no path changes is shared, not copied."""
        tables: Any = dict(self.base)
        for path, value in point.items():
            tables = with_value(tables, path, value)
        return dict(tables)

    def grid_axes(self) -> list[GridAxis]:
        """The dimensions of the result with their coordinates, under short names."""
        names = short_names([path for paths in self.kept_axes for path in paths])
        return [
            GridAxis(names[paths[0]], {names[p]: (self.values[p], p) for p in paths})
            for paths in self.kept_axes
        ]


def make_plan(
    base: Tables,
    values: Mapping[str, Sequence[Any]],
    *,
    zipped: Any = False,
    average_over: Sequence[str] = (),
) -> Plan:
    """Arrange swept values in a grid.

    Args:
        base: the study without its sweep.
        values: dotted path -> values, checked before.
        zipped: True: all paths run together along one dimension; False: each has its own; or
            groups of paths that run together.
        average_over: paths whose axes are realisations.

    Raises:
        InvalidInput: zipped paths of different lengths, unknown or named twice; too many points,
            or too few realisations.
    """
    axes: list[tuple[str, ...]] = []
    grouped = {path: group for group in zip_groups(values, zipped) for path in group}
    for path in values:
        group = grouped.get(path, (path,))
        if group not in axes:
            axes.append(group)
    averaged = [k for k, paths in enumerate(axes) if not set(paths).isdisjoint(average_over)]
    plan = Plan(base, values, tuple(axes), tuple(averaged))
    if plan.size > MAX_GRID:
        raise InvalidInput(f"must have at most {MAX_GRID} points, got {plan.size}", path="sweep")
    if averaged and (count := plan.groups().shape[1]) < MINIMUM_BLOCKS:
        raise InvalidInput(
            f"must have at least {MINIMUM_BLOCKS} realisations, got {count}; 20 are better",
            path=f"sweep.{AVERAGED}",
        )
    return plan


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Dimension names: the last key of each path, with as many keys before it as it takes.

    Two rates become jumps_0_rate and jumps_1_rate. A name that a result variable has also gets
    the keys before it; only run.seed, which is the result's seed, is called that.
    """
    parts = {path: path.split(".") for path in paths}
    depth = dict.fromkeys(paths, 1)

    def name(path: str) -> str:
        return "_".join(parts[path][-depth[path] :])

    for _ in range(max(map(len, parts.values()), default=0)):
        names = [name(path) for path in paths]
        for path in paths:
            taken = name(path) in _TAKEN and path != "run.seed"
            clash = names.count(name(path)) > 1 or taken or name(path).isdecimal()
            odd = parts[path][-depth[path]].isdecimal()
            if (clash or odd) and depth[path] < len(parts[path]):
                depth[path] += 1
    return {path: name(path) for path in paths}


def shape_of(point: Mapping[str, Any]) -> str:
    """What a point's arrays and compiled programs depend on, among its swept values.

    Real strengths of terms, states and pulses change numbers only; sizes, words, lists, zeros
    (a term that vanishes is left out) and infinities change the shape.
    """
    shape = []
    for path, value in point.items():
        real = isinstance(value, int | float) and not isinstance(value, bool)
        if path.startswith("run.seed"):
            continue
        if real and (path.split(".")[0] in _SMOOTH or (path.startswith("lab.") and "_hz" in path)):
            shape.append((path, value == 0, math.isinf(value)))
        else:
            shape.append((path, value, False))
    return json.dumps(shape, default=lambda value: digest(value).hex())
