"""The permutations of sites that leave all couplings and site fields as they are, found from them.

Pairs that couple alike get one colour, and so do sites with like fields. A permutation p is a
symmetry where colour[p_i, p_j] = colour[i, j]. The moves of a grid (translations, reflections,
exchanges of axes, exchanges of alike sites) are tried first; a search with refinement then finds
the rest. Any subset of the symmetries is a true answer, so a search may stop early.
"""

from collections.abc import Sequence

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.lattice.kernels import Grid, Kernel

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Numbers that differ by less, relative to their size, are one."""
MOST_SEARCHED = 128
"""Spins; more than these get the moves of their grid and exchanges of alike sites only."""
MOST_STEPS = 4000
"""Refinements in one search."""


def site_symmetries(
    kernels: Sequence[Floats | Kernel], *, rows: Sequence[Floats] = (), grid: Grid | None = None
) -> list[Integers]:
    """Permutations that generate the symmetries of all kernels and rows.

    Args:
        kernels: couplings K_ij, as matrices (N, N) or kernels, at least one.
        rows: what each site has of its own, such as a field, (N,) or (N, K) each.
        grid: where the sites sit; None: as a kernel says.

    Returns:
        permutations p (N,), none of them the identity: K[p][:, p] = K and row[p] = row, up to
        rounding; empty where nothing is alike.
    """
    matrices = [k.matrix() if isinstance(k, Kernel) else k for k in kernels]
    for kernel in kernels:
        grid = grid or (kernel.grid if isinstance(kernel, Kernel) else None)
    colours = pair_colours(matrices, rows)
    found: list[Integers] = []
    for move in [*_exchanges(colours), *(_grid_moves(grid) if grid else [])]:
        if _leaves(colours, move):
            found.append(move)
    if len(colours) <= MOST_SEARCHED:
        found = _Search(colours, found).generators()
    return found


def pair_colours(matrices: Sequence[Floats], rows: Sequence[Floats] = ()) -> Integers:
    """(N, N) whole numbers from 0 up, equal where all couplings are; on the diagonal the sites."""
    n = len(matrices[0])
    layers = [_classes(matrix) for matrix in matrices]
    for row in rows:
        for values in np.reshape(row, (n, -1)).T:
            layers.append(np.diag(1 + _classes(values)))
    layers.append(np.eye(n, dtype=np.int64))
    colours = np.zeros((n, n), dtype=np.int64)
    for layer in layers:
        both = colours * (int(layer.max()) + 1) + layer
        colours = np.unique(both, return_inverse=True)[1].reshape(n, n).astype(np.int64)
    return colours


def orbits(count: int, generators: Sequence[Integers]) -> Integers:
    """(count,) the smallest of 0 ... count - 1 that the permutations take each one to."""
    lowest = np.arange(count)
    while True:
        before = lowest
        for move in generators:
            lowest = np.minimum(lowest, lowest[move])
            carried = lowest.copy()
            carried[move] = np.minimum(lowest[move], lowest)
            lowest = carried
        lowest = lowest[lowest]
        if np.array_equal(before, lowest):
            return lowest


def _classes(values: Floats) -> Integers:
    """Whole numbers from 0 up, the same for numbers that differ by rounding."""
    distinct, which = np.unique(values, return_inverse=True)
    new = np.diff(distinct) > ROUNDING * np.maximum(np.abs(distinct[1:]), np.abs(distinct[:-1]))
    order = np.concatenate([[0], np.cumsum(new)])
    return np.asarray(order[which], dtype=np.int64).reshape(values.shape)


def _leaves(colours: Integers, move: Integers) -> bool:
    return np.array_equal(colours[np.ix_(move, move)], colours)


def _exchanges(colours: Integers) -> list[Integers]:
    """Of neighbours in number among sites that everything couples to alike."""
    n = len(colours)
    if n > MOST_SEARCHED:
        return []
    moves, taken = [], np.zeros(n, dtype=bool)
    for i in range(n):
        if taken[i]:
            continue
        last = i
        for j in range(i + 1, n):
            move = np.arange(n)
            move[[last, j]] = j, last
            if not taken[j] and _leaves_exchange(colours, last, j):
                taken[j] = True
                moves.append(move)
                last = j
    return moves


def _leaves_exchange(colours: Integers, i: int, j: int) -> bool:
    differ = colours[i] != colours[j]
    differ[[i, j]] = False
    return not differ.any() and colours[i, i] == colours[j, j]


def _grid_moves(grid: Grid) -> list[Integers]:
    """A step along each axis, a reflection of each, an exchange of axes of one length."""
    index = np.arange(int(np.prod(grid.shape))).reshape(grid.shape)
    moves = []
    for axis, size in enumerate(grid.shape):
        if size > 1:
            moves.append(np.roll(index, 1, axis=axis))
        if size > 2:
            moves.append(np.flip(index, axis=axis))
    for a in range(index.ndim):
        for b in range(a + 1, index.ndim):
            if grid.shape[a] == grid.shape[b] > 1:
                moves.append(np.swapaxes(index, a, b))
    if grid.occupied is None:
        return [move.ravel() for move in moves]
    kept = grid.occupied.ravel()
    number = np.cumsum(kept) - 1
    return [number[move.ravel()[kept]] for move in moves if kept[move.ravel()[kept]].all()]


class _Search:
    """Generators by a base of sites: who can go where once those before are fixed.

    A partial image of the base is refined (each site knows its colours to the sites placed so far)
    until the sites can be told apart, or it fails.
    """

    def __init__(self, colours: Integers, known: list[Integers]) -> None:
        self.colours = colours
        self.known = list(known)
        self.steps = MOST_STEPS
        n = len(colours)
        self.base: list[int] = []
        self.partitions = [_stable(colours, np.diagonal(colours).astype(np.int64))]
        while len(np.unique(self.partitions[-1])) < n:
            site = _first_of_many(self.partitions[-1])
            self.base.append(site)
            self.partitions.append(self._placed(self.partitions[-1], site))

    def generators(self) -> list[Integers]:
        """From the last site of the base, which has the fewest images, to the first."""
        for level in range(len(self.base) - 1, -1, -1):
            site = self.base[level]
            cells = self.partitions[level]
            failed: Booleans = np.zeros(len(cells), dtype=bool)
            for image in np.flatnonzero(cells == cells[site]):
                orbit = self._orbits(level)
                if orbit[image] == orbit[site] or failed[orbit == orbit[image]].any():
                    continue
                move = self._extend(level, self._placed(cells, int(image)))
                if move is None:
                    failed[image] = True
                    if self.steps <= 0:
                        return self.known
                else:
                    self.known.append(move)
        return self.known

    def _orbits(self, level: int) -> Integers:
        """Of the known moves that leave the base before this level where it is."""
        fixed = self.base[:level]
        moves = [p for p in self.known if np.array_equal(p[fixed], fixed)]
        return orbits(len(self.colours), moves)

    def _placed(self, cells: Integers, site: int) -> Integers:
        alone = 2 * cells
        alone[site] += 1
        return _stable(self.colours, alone)

    def _extend(self, level: int, cells: Integers) -> Integers | None:
        """A symmetry that takes the partition after this level of the base to `cells`, or None."""
        self.steps -= 1
        goal = self.partitions[level + 1]
        if self.steps <= 0 or not np.array_equal(np.bincount(goal), np.bincount(cells)):
            return None
        if level + 1 == len(self.base):
            whole = np.argsort(cells)[goal].astype(np.int64)
            return whole if _leaves(self.colours, whole) else None
        site = self.base[level + 1]
        for image in np.flatnonzero(cells == goal[site]):
            move = self._extend(level + 1, self._placed(cells, int(image)))
            if move is not None:
                return move
        return None


def _first_of_many(cells: Integers) -> int:
    """A site of the largest cell."""
    return int(np.argmax(cells == np.argmax(np.bincount(cells))))


def _stable(colours: Integers, cells: Integers) -> Integers:
    """Cells split by what each site sees of the others, until nothing splits; named by content."""
    cells = np.unique(cells, return_inverse=True)[1].astype(np.int64)
    count = int(cells.max()) + 1
    while count < len(cells):
        seen = np.sort(colours * count + cells[None, :], axis=1)
        seen = np.concatenate([cells[:, None], seen], axis=1)
        finer = np.unique(seen, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        now = int(finer.max()) + 1
        if now == count:
            break
        cells, count = finer, now
    return cells
