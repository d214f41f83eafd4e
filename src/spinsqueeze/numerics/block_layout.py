"""The flat layout of permutation-invariant states: one block for every total spin.

The state is one (2j+1) x (2j+1) block R_j for every total spin j, normalised so that
sum_j Tr R_j = 1: rho = direct sum over j of R_j (x) 1/d_j. Flat order: shells from j = N/2 down,
each block row by row, rows and columns from m = +j down: (N+1)(N+2)(N+3)/6 complex numbers.
"""

from collections.abc import Iterable

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers


def state_size(n_spins: int) -> int:
    """Complexes numbers in a block state: (N+1)(N+2)(N+3)/6."""
    return (n_spins + 1) * (n_spins + 2) * (n_spins + 3) // 6


def block_sizes(n_spins: int) -> Integers:
    """2j + 1 of every shell, largest first."""
    return np.arange(n_spins + 1, 0, -2, dtype=np.int64)


def block_offsets(n_spins: int) -> Integers:
    """First flat index of every block, and the total at the end."""
    total: Integers = np.concatenate([[0], np.cumsum(block_sizes(n_spins) ** 2)]).astype(np.int64)
    return total


def blocks(state: Complexes, n_spins: int) -> list[Complexes]:
    """Views of the flat state (..., n) as blocks (..., 2j+1, 2j+1), largest j first."""
    offsets, sizes = block_offsets(n_spins), block_sizes(n_spins)
    return [
        state[..., start : start + size * size].reshape(*state.shape[:-1], size, size)
        for start, size in zip(offsets[:-1], sizes, strict=True)
    ]


def flatten(block_list: Iterable[Complexes]) -> Complexes:
    """Flat state from its blocks, largest j first."""
    return np.concatenate([np.asarray(block, dtype=complex).ravel() for block in block_list])


def shell_labels(n_spins: int) -> dict[str, dict[str, Floats]]:
    """The labels j of `shell_population`, N/2 first."""
    j: Floats = n_spins / 2 - np.arange(n_spins // 2 + 1, dtype=np.float64)
    return {"shell_population": {"j": j}}
