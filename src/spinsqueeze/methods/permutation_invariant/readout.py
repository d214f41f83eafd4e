"""Readout of collective moments and shell populations from the unknowns of a sector."""

from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.methods.permutation_invariant.sectors import Sector
from spinsqueeze.numerics.angular_momentum import total_spins
from spinsqueeze.numerics.block_layout import block_sizes
from spinsqueeze.numerics.block_states import N_MOMENTS

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def moment_readout(sector: Sector) -> "csr_array":
    """Sparse (10, size) map from a sector's unknowns to its share of the moments."""
    from scipy.sparse import coo_array

    j = total_spins(sector.n_spins)[sector.shell]
    k = sector.column - sector.row
    m = j - sector.row
    down = np.sqrt(np.maximum((j + m) * (j - m + 1), 0.0))
    down2 = down * np.sqrt(np.maximum((j + m - 1) * (j - m + 2), 0.0))
    real = sector.part == 0
    k0, k1, k2 = real & (k == 0), k == 1, k == 2
    rows, columns, values = [], [], []

    def put(row: int, chosen: Booleans, value: Floats) -> None:
        index = np.flatnonzero(chosen)
        rows.append(np.full(index.size, row))
        columns.append(index)
        values.append(value[index])

    flat = (j * (j + 1) - m**2) / 2
    put(0, k0, np.ones_like(j))
    put(1, k1 & real, down)
    put(2, k1 & ~real, -down)
    put(3, k0, m)
    put(4, k0, flat)
    put(4, k2 & real, down2 / 2)
    put(5, k0, flat)
    put(5, k2 & real, -down2 / 2)
    put(6, k0, m**2)
    put(7, k2 & ~real, -down2 / 2)
    put(8, k1 & real, down * (2 * m - 1) / 2)
    put(9, k1 & ~real, -down * (2 * m - 1) / 2)
    place = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(values), place), shape=(N_MOMENTS, sector.size)).tocsr()


def shell_readout(sector: Sector) -> "csr_array":
    """Sparse (n_shells, size) map from a sector's unknowns to the shell populations."""
    from scipy.sparse import coo_array

    chosen = np.flatnonzero((sector.row == sector.column) & (sector.part == 0))
    shape = (block_sizes(sector.n_spins).size, sector.size)
    return coo_array((np.ones(chosen.size), (sector.shell[chosen], chosen)), shape=shape).tocsr()
