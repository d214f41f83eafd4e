"""Sparse real matrix of the Liouvillian on a sector, without a loop over entries."""

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.permutation_invariant.generator import (
    Generator,
    LadderConstants,
    ladder_constants,
)
from spinsqueeze.methods.permutation_invariant.sectors import Sector
from spinsqueeze.numerics.angular_momentum import (
    SHIFT,
    from_shell_above,
    from_shell_below,
    recycling,
    same_shell,
    total_spins,
)
from spinsqueeze.numerics.block_layout import block_sizes

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class _Collector:
    """Gathers triplets of one sector's real matrix from complex stencil coefficients."""

    def __init__(self, sector: Sector) -> None:
        self.sector = sector
        self.sizes = block_sizes(sector.n_spins)
        self.rows: list[NDArray[np.int32]] = []
        self.columns: list[NDArray[np.int32]] = []
        self.values: list[Floats] = []
        self.imaginary = sector.part == 1
        self.everyone = np.arange(sector.size, dtype=np.int32)

    def add(self, shift: tuple[int, int, int], value: Complexes | Floats) -> None:
        """R[s, r, c] <- value * R[s + shift_s, r + shift_r, c + shift_c] for every unknown."""
        sector = self.sector
        live = value != 0
        if not live.all():
            chosen = np.flatnonzero(live)
            value, everyone = value[chosen], chosen.astype(np.int32)
            shell, row, column = (x[chosen] for x in (sector.shell, sector.row, sector.column))
            imaginary = self.imaginary[chosen]
        else:
            everyone, imaginary = self.everyone, self.imaginary
            shell, row, column = sector.shell, sector.row, sector.column
        s, r, c = shell + shift[0], row + shift[1], column + shift[2]
        k = c - r
        swapped = k < 0
        k = np.abs(k)
        r = np.minimum(r, c)
        # d/dt (x + i y) += (a + i b)(x' + i sigma y'), sigma = -1 where the source is swapped
        real, imag = np.real(value), np.imag(value)
        for source in range(2):
            start = sector.base[source][s, k]
            sigma = 1.0 if source == 0 else np.where(swapped, -1.0, 1.0)
            straight = imaginary == (source == 1)
            cross = imag if source == 0 else -imag
            amount = np.where(straight, real, cross) * sigma
            keep = (start >= 0) & (amount != 0)
            self.rows.append(everyone[keep])
            self.columns.append((start[keep] + r[keep]).astype(np.int32))
            self.values.append(amount[keep])

    def matrix(self) -> "csr_array":
        from scipy.sparse import coo_array

        size = self.sector.size
        rows, columns = np.concatenate(self.rows), np.concatenate(self.columns)
        return coo_array((np.concatenate(self.values), (rows, columns)), shape=(size, size)).tocsr()


class _Tables:
    """Matrix elements between the levels (shell, m) of N spins, zero where a shell has no m."""

    def __init__(self, n_spins: int) -> None:
        self.j = total_spins(n_spins)[:, None]
        self.m = self.j - np.arange(n_spins + 1)[None, :]
        self.inside = np.arange(n_spins + 1)[None, :] < block_sizes(n_spins)[:, None]

    def kept(self, values: Floats) -> Floats:
        """The values of levels that exist."""
        return np.where(self.inside, values, 0.0)


def assemble(model: Generator, sector: Sector) -> "csr_array":
    """Real CSR matrix A of a sector: dy/dt = A y for y = sector.restrict(state).

    The sector must be closed under the model (`sectors.symmetry`); entries leaving it are dropped.
    """
    constants = ladder_constants(model)
    tables = _Tables(sector.n_spins)
    collector = _Collector(sector)
    diagonal = _add_no_jump_part(collector, constants, tables)
    diagonal = _add_recycling_within_shells(collector, constants, tables, diagonal)
    collector.add((0, 0, 0), diagonal)
    if np.any(constants.local):
        _add_recycling_between_shells(collector, constants, tables)
    return collector.matrix()


def _add_no_jump_part(
    collector: _Collector, constants: LadderConstants, tables: _Tables
) -> Complexes:
    """X R + R X^dagger; returns its diagonal part, which is not added yet."""
    sector, j, m, table = collector.sector, tables.j, tables.m, tables.kept
    s, r, c = sector.shell, sector.row, sector.column
    up, down, _ = same_shell(j, m)
    up2, down2 = table(up * same_shell(j, m - 1)[0]), table(down * same_shell(j, m + 1)[1])
    up, down = table(up), table(down)
    left: dict[int, Complexes] = {}
    for index, (step, single, double) in enumerate(((1, up, up2), (-1, down, down2))):
        # S_+ takes the target m from m - 1, one row further down
        left[2 * step] = constants.double[index] * double
        left[step] = single * (constants.ladder[index] + constants.ladder_z[index] * (2 * m - step))
    for shift, values in left.items():
        if np.any(values):
            collector.add((0, shift, 0), values[s, r])
            collector.add((0, 0, shift), values[s, c].conj())
    own = table(
        (constants.casimir.real * j * (j + 1) + constants.constant)
        + constants.z_squared.real * m**2
        + constants.z.real * m
    )
    turn = table(constants.z_squared.imag * m**2 + constants.z.imag * m)
    diagonal: Complexes = own[s, r] + own[s, c] + 1j * (turn[s, r] - turn[s, c])
    return diagonal


def _add_recycling_within_shells(
    collector: _Collector, constants: LadderConstants, tables: _Tables, diagonal: Complexes
) -> Complexes:
    """Jumps that stay in the shell; returns the diagonal with their part."""
    sector = collector.sector
    s, r, c = sector.shell, sector.row, sector.column
    a, _, _ = recycling(sector.n_spins)
    own_shell = [tables.kept(v) for v in same_shell(tables.j, tables.m)]
    for p, q in itertools.product(range(3), repeat=2):
        collective, single = constants.collective[p, q], constants.local[p, q]
        if collective == 0 and single == 0:
            continue
        weight = (collective + single * a)[s] * own_shell[p][s, r] * own_shell[q][s, c]
        if p == q == 2:
            diagonal = diagonal + weight
        else:
            collector.add((0, -SHIFT[p], -SHIFT[q]), weight)
    return diagonal


def _add_recycling_between_shells(
    collector: _Collector, constants: LadderConstants, tables: _Tables
) -> None:
    """Local jumps that change the total spin by one."""
    sector = collector.sector
    s, r, c = sector.shell, sector.row, sector.column
    _, b, d = recycling(sector.n_spins)
    above = [tables.kept(v) for v in from_shell_above(tables.j, tables.m)]
    below = [tables.kept(v) for v in from_shell_below(tables.j, tables.m)]
    fed_above = np.concatenate([[0.0], b[:-1]])
    fed_below = np.concatenate([d[1:], [0.0]])
    first, last = sector.shells
    for shells, elements, fed, ok in (
        (-1, above, fed_above, s > first),
        (1, below, fed_below, s < last - 1),
    ):
        for p, q in itertools.product(range(3), repeat=2):
            if constants.local[p, q] == 0:
                continue
            weight = constants.local[p, q] * fed[s] * elements[p][s, r] * elements[q][s, c] * ok
            # row r of shell s has m = N/2 - s - r: shell s + t and m + u sit at row
            # r - t - u
            collector.add((shells, -shells - SHIFT[p], -shells - SHIFT[q]), weight)
