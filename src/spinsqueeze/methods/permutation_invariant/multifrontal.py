"""Sparse LU of matrices on a lattice: geometric nested dissection with dense fronts.

The unknowns carry integer coordinates in which every matrix entry couples places at most `reach`
apart. Planes of that thickness split the lattice recursively; each plane is eliminated after the
two halves that it separates. All arithmetic is in dense blocks (LAPACK, BLAS level 3), which is
several times faster than a column-oriented sparse LU at the same fill. Pivoting stays inside a
front, so callers must check residuals and refine; `solve` does one step of refinement.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array


LEAF = 160
"""Largest number of unknowns eliminated without a further split."""


@dataclass(frozen=True)
class Dissection:
    """Elimination order of a nested dissection.

    Attributes:
        order: unknown eliminated at every step, (n,).
        starts, stops: range of steps of every front, children before parents.
        children: child fronts of every front.
    """

    order: Integers
    starts: list[int]
    stops: list[int]
    children: list[list[int]]


def dissect(coordinates: Integers, *, reach: int = 2, leaf: int = LEAF) -> Dissection:
    """Nested dissection of points (n, d) whose couplings span at most `reach` per coordinate."""
    order: list[Integers] = []
    starts: list[int] = []
    stops: list[int] = []
    children: list[list[int]] = []
    count = 0

    def emit(nodes: Integers, below: list[int]) -> int:
        nonlocal count
        order.append(nodes)
        starts.append(count)
        count += nodes.size
        stops.append(count)
        children.append(below)
        return len(starts) - 1

    def split(nodes: Integers) -> list[int]:
        if nodes.size <= leaf:
            return [emit(nodes, [])] if nodes.size else []
        best: tuple[float, int, int] | None = None
        for axis in range(coordinates.shape[1]):
            x = coordinates[nodes, axis]
            low = int(x.min())
            histogram = np.bincount(x - low)
            if histogram.size <= reach:
                continue
            below = np.concatenate([[0], np.cumsum(histogram)])
            v = np.arange(histogram.size - reach + 1)
            plane = below[v + reach] - below[v]
            n_left, n_right = below[v], nodes.size - below[v + reach]
            fair = np.minimum(n_left, n_right)
            cost = np.where(
                fair > 0,
                plane * (1.0 + 2.0 * (np.maximum(n_left, n_right) / nodes.size - 0.5)),
                np.inf,
            )
            cost = np.where(fair >= 0.2 * nodes.size, cost, cost * 4)
            pick = int(np.argmin(cost))
            if np.isfinite(cost[pick]) and (best is None or cost[pick] < best[0]):
                best = (float(cost[pick]), axis, low + pick)
        if best is None:
            return [emit(nodes, [])]
        _, axis, value = best
        x = coordinates[nodes, axis]
        left = split(nodes[x < value])
        right = split(nodes[x >= value + reach])
        plane_nodes = nodes[(x >= value) & (x < value + reach)]
        return [emit(plane_nodes, left + right)]

    split(np.arange(coordinates.shape[0]))
    return Dissection(np.concatenate(order), starts, stops, children)


class MultifrontalLU:
    """Factors of a sparse square matrix along a dissection.

    Args of the constructor:
        matrix: (n, n) CSR, real or complex.
        dissection: elimination order; entries may only couple a front to itself, to fronts below
            it and to its ancestors.
        dtype: precision of the factors; solutions are refined against `matrix` in full precision.
    """

    transposable: ClassVar[bool] = True

    def __init__(
        self, matrix: "csr_array", *, dissection: Dissection, dtype: Any = np.float64
    ) -> None:
        self.matrix = matrix
        self.dissection = dissection
        self.dtype = np.result_type(dtype, np.complex64) if np.iscomplexobj(matrix.data) else dtype
        order = dissection.order
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        self.rank = rank
        self._factorise(matrix[order][:, order].tocsr())

    def _factorise(self, permuted: "csr_array") -> None:
        from scipy.linalg import get_lapack_funcs

        dissection = self.dissection
        by_column = permuted.tocsc()
        getrf, self._getrs = get_lapack_funcs(("getrf", "getrs"), dtype=self.dtype)
        self.boundaries: list[Integers] = []
        self.fronts: list[tuple[Any, Any, Any, Any]] = []
        updates: dict[int, Any] = {}
        for index, (start, stop) in enumerate(
            zip(dissection.starts, dissection.stops, strict=True)
        ):
            below = dissection.children[index]
            size = stop - start
            rows = slice(permuted.indptr[start], permuted.indptr[stop])
            columns = slice(by_column.indptr[start], by_column.indptr[stop])
            row_of = np.repeat(np.arange(size), np.diff(permuted.indptr[start : stop + 1]))
            row_columns = permuted.indices[rows]
            column_of = np.repeat(np.arange(size), np.diff(by_column.indptr[start : stop + 1]))
            column_rows = by_column.indices[columns]
            right, lower = row_columns >= start, column_rows >= stop
            pieces = [row_columns[row_columns >= stop], column_rows[lower]]
            pieces += [self.boundaries[child] for child in below]
            boundary = np.unique(np.concatenate(pieces))
            boundary = boundary[boundary >= stop]
            total = size + boundary.size
            front = np.zeros((total, total), dtype=self.dtype, order="F")
            place = self._local(row_columns[right], start, stop, boundary)
            front[row_of[right], place] = permuted.data[rows][right]
            place = self._local(column_rows[lower], start, stop, boundary)
            front[place, column_of[lower]] = by_column.data[columns][lower]
            for child in below:
                update = updates.pop(child)
                place = self._local(self.boundaries[child], start, stop, boundary)
                _scatter_add(front, place, update)
                del update
            lu, pivots, info = getrf(front[:size, :size])
            if info > 0:
                lu[info - 1, info - 1] = np.finfo(self.dtype).eps * max(np.abs(lu).max(), 1e-300)
            if boundary.size:
                carried, _ = self._getrs(lu, pivots, front[:size, size:])
                fed = front[size:, :size].copy(order="F")
                updates[index] = front[size:, size:] - fed @ carried
            else:
                carried = fed = None
            self.boundaries.append(boundary)
            self.fronts.append((lu, pivots, carried, fed))

    @staticmethod
    def _local(steps: Integers, start: int, stop: int, boundary: Integers) -> Integers:
        inside = steps - start
        return np.where(steps < stop, inside, stop - start + np.searchsorted(boundary, steps))

    @property
    def nbytes(self) -> int:
        """Bytes of the factors."""
        return sum(part.nbytes for front in self.fronts for part in front if part is not None)

    def _apply(self, right: NDArray[Any]) -> NDArray[Any]:
        y = right[self.dissection.order].astype(self.dtype)
        starts, stops = self.dissection.starts, self.dissection.stops
        getrs = self._getrs
        for index, (lu, pivots, _, fed) in enumerate(self.fronts):
            part, _ = getrs(lu, pivots, y[starts[index] : stops[index]])
            y[starts[index] : stops[index]] = part
            if fed is not None:
                y[self.boundaries[index]] -= fed @ part
        for index in range(len(self.fronts) - 1, -1, -1):
            carried = self.fronts[index][2]
            if carried is not None:
                y[starts[index] : stops[index]] -= carried @ y[self.boundaries[index]]
        return y[self.rank]

    def _apply_transposed(self, right: NDArray[Any]) -> NDArray[Any]:
        y = right[self.dissection.order].astype(self.dtype)
        starts, stops = self.dissection.starts, self.dissection.stops
        for index, (_, _, carried, _) in enumerate(self.fronts):
            if carried is not None:
                y[self.boundaries[index]] -= carried.T @ y[starts[index] : stops[index]]
        for index in range(len(self.fronts) - 1, -1, -1):
            lu, pivots, _, fed = self.fronts[index]
            part = y[starts[index] : stops[index]]
            if fed is not None:
                part = part - fed.T @ y[self.boundaries[index]]
            y[starts[index] : stops[index]] = self._getrs(lu, pivots, part, trans=1)[0]
        return y[self.rank]

    def solve(
        self, right: NDArray[Any], *, refinements: int = 1, transposed: bool = False
    ) -> NDArray[Any]:
        """X with matrix @ x = right (or matrix.T @ x), (n,) or (n, k), refined iteratively."""
        apply = self._apply_transposed if transposed else self._apply
        matrix = self.matrix.T if transposed else self.matrix
        x = apply(right).astype(np.result_type(right, self.matrix.data))
        for _ in range(refinements):
            x += apply(right - matrix @ x)
        return x


def _scatter_add(front: NDArray[Any], place: Integers, update: NDArray[Any]) -> None:
    """front[place, place] += update, by contiguous runs of `place` where they are long."""
    breaks = np.flatnonzero(np.diff(place) != 1) + 1
    if breaks.size * 8 > place.size:
        front[np.ix_(place, place)] += update
        return
    edges = np.concatenate([[0], breaks, [place.size]])
    spans = [(int(a), int(b), int(place[a])) for a, b in pairwise(edges)]
    for a, b, i in spans:
        for c, d, k in spans:
            front[i : i + b - a, k : k + d - c] += update[a:b, c:d]
