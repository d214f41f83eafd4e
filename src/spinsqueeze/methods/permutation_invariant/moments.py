"""Collective moments and shell populations of block states, and their readout from a sector."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.methods.permutation_invariant.layout import Sector, block_sizes, blocks
from spinsqueeze.numerics.angular_momentum import total_spins

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

N_MOMENTS = 10
"""Rows of a moment readout: trace, S_x, S_y, S_z, then xx, yy, zz, xy, xz, yz symmetrised."""


def _covariance(first: Float, second: Float) -> Float:
    """Second moments (..., 6) in readout order minus products of the first, (..., 3, 3)."""
    full = np.empty((*first.shape[:-1], 3, 3))
    for index, (a, b) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        full[..., a, b] = full[..., b, a] = second[..., index] - first[..., a] * first[..., b]
    return full


def split_readout(values: Float) -> tuple[Float, Float, Float]:
    """Trace (...), spin (..., 3), covariance (..., 3, 3) from a moment readout (..., 10)."""
    spin = values[..., 1:4]
    return values[..., 0], spin, _covariance(spin, values[..., 4:])


def moments(state: Complex, *, n_spins: int) -> tuple[Float, Float]:
    """<S_a> (..., 3) and <{S_a, S_b}>/2 - <S_a><S_b> (..., 3, 3) of flat states (..., n)."""
    values = np.zeros((*state.shape[:-1], N_MOMENTS))
    for j, block in zip(total_spins(n_spins), blocks(state, n_spins), strict=True):
        size = block.shape[-1]
        m = j - np.arange(size)
        k0 = np.diagonal(block, axis1=-2, axis2=-1).real
        values[..., 0] += k0.sum(axis=-1)
        values[..., 3] += k0 @ m
        flat = k0 @ (j * (j + 1) - m**2)
        values[..., 4] += flat / 2
        values[..., 5] += flat / 2
        values[..., 6] += k0 @ m**2
        if size > 1:
            down = np.sqrt((j + m[:-1]) * (j - m[:-1] + 1))
            k1 = np.diagonal(block, 1, axis1=-2, axis2=-1)
            lowering, mixed = k1 @ down, k1 @ (down * (2 * m[:-1] - 1))
            values[..., 1] += lowering.real
            values[..., 2] -= lowering.imag
            values[..., 8] += mixed.real / 2
            values[..., 9] -= mixed.imag / 2
        if size > 2:
            square = np.diagonal(block, 2, axis1=-2, axis2=-1) @ (down[:-1] * down[1:])
            values[..., 4] += square.real / 2
            values[..., 5] -= square.real / 2
            values[..., 7] -= square.imag / 2
    _, spin, covariance = split_readout(values)
    return spin, covariance


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

    def put(row: int, chosen: NDArray[np.bool_], value: Float) -> None:
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


def shell_populations(state: Complex, *, n_spins: int) -> Float:
    """Probability of every total spin j = N/2, N/2 - 1, ...: (..., n_shells)."""
    return np.stack(
        [np.trace(block, axis1=-2, axis2=-1).real for block in blocks(state, n_spins)], axis=-1
    )
