"""Flat block states: made, rotated, robbed of a spin, and their collective moments."""

from collections.abc import Sequence

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.numerics.angular_momentum import (
    axis_basis,
    coherent_amplitudes,
    rotation_matrix,
    total_spins,
)
from spinsqueeze.numerics.block_layout import (
    block_offsets,
    block_sizes,
    blocks,
    flatten,
    state_size,
)


def shell_state(n_spins: int, *, block: Complexes, shell: int = 0) -> Complexes:
    """Flat state with one block: a (2j+1,) amplitude vector or a (2j+1, 2j+1) matrix.

    It is normalised to trace 1; basis m = j ... -j of total spin j = N/2 - shell.

    Raises:
        InvalidInput: no such shell, wrong size, or zero trace.
    """
    sizes, offsets = block_sizes(n_spins), block_offsets(n_spins)
    if not 0 <= shell < sizes.size:
        raise InvalidInput(
            f"shell must be 0 ... {sizes.size - 1} for {n_spins} spins (j = N/2 - shell), "
            f"got {shell}"
        )
    size = int(sizes[shell])
    matrix = np.asarray(block, dtype=complex)
    if matrix.ndim == 1:
        matrix = np.outer(matrix, matrix.conj())
    if matrix.shape != (size, size):
        raise InvalidInput(
            f"block must have 2j + 1 = {size} levels for shell {shell} of {n_spins} spins, "
            f"got shape {np.shape(block)}"
        )
    trace = np.trace(matrix).real
    if not trace > 0:
        raise InvalidInput(f"block must have a positive trace, got {trace}")
    state = np.zeros(state_size(n_spins), dtype=complex)
    state[offsets[shell] : offsets[shell + 1]] = ((matrix + matrix.conj().T) / 2 / trace).ravel()
    return state


def coherent_state(
    n_spins: int, *, direction: Sequence[float] | Floats, shell: int = 0
) -> Complexes:
    """Every spin along `direction` (shell 0), or the coherent state of a lower shell."""
    amplitudes = coherent_amplitudes(n_spins / 2 - shell, direction)
    return shell_state(n_spins, block=amplitudes, shell=shell)


def dicke_state(n_spins: int, *, m: float, shell: int = 0, axis: str = "z") -> Complexes:
    """|j, m><j, m| along `axis`, averaged over the equivalent irreps of j = N/2 - shell.

    Raises:
        InvalidInput: m is not one of j, j - 1, ..., -j.
    """
    j = n_spins / 2 - shell
    row = j - m
    if row != round(row) or not 0 <= row <= 2 * j:
        raise InvalidInput(f"m must be one of j, j - 1, ..., -j with j = {j:g}, got {m:g}")
    if axis == "z":
        amplitudes = np.zeros(round(2 * j) + 1, dtype=complex)
        amplitudes[round(row)] = 1.0
    else:
        amplitudes = axis_basis(j, np.eye(3)["xyz".index(axis)])[:, round(row)]
    return shell_state(n_spins, block=amplitudes, shell=shell)


def rotated(state: Complexes, *, n_spins: int, axis: Floats, angle: float) -> Complexes:
    """The flat state after exp(-i angle axis . S)."""

    def turned(j: float, block: Complexes) -> Complexes:
        unitary = rotation_matrix(j, axis=axis, angle=angle)
        return unitary @ block @ unitary.conj().T

    return flatten(map(turned, total_spins(n_spins), blocks(state, n_spins)))


def without_one_spin(state: Complexes, *, n_spins: int) -> Complexes:
    """Flat state of N - 1 spins after the loss of one random spin (partial trace over one spin).

    |j, m> splits into |j - 1/2> and |j + 1/2> of the others with weights
    2j(N/2+j+1)/(N(2j+1)) and (2j+2)(N/2-j)/(N(2j+1)) (ratios of multiplicities), and
    Clebsch-Gordan amplitudes sqrt((j +- m)/(2j)), -+sqrt((j+1 -+ m)/(2j+2)) for the lost spin
    up or down.

    Raises:
        InvalidInput: fewer than two spins.
    """
    if n_spins < 2:
        raise InvalidInput(f"n_spins must be at least 2 to lose one spin, got {n_spins}")
    N = n_spins
    after = np.zeros(int(block_offsets(N - 1)[-1]), dtype=complex)
    targets = blocks(after, N - 1)
    for shell, (j, block) in enumerate(zip(total_spins(N), blocks(state, N), strict=True)):
        m = j - np.arange(block.shape[0])
        if j > 0:  # to j - 1/2, shell `shell` of N - 1: drop the bottom (up lost) or top row
            weight = 2 * j * (N / 2 + j + 1) / (N * (2 * j + 1))
            up, down = np.sqrt((j + m) / (2 * j)), np.sqrt((j - m) / (2 * j))
            moved = (np.outer(up, up) * block)[:-1, :-1] + (np.outer(down, down) * block)[1:, 1:]
            targets[shell][...] += weight * moved
        weight = (2 * j + 2) * (N / 2 - j) / (N * (2 * j + 1))
        if weight > 0:  # to j + 1/2, shell - 1 of N - 1
            up = -np.sqrt((j + 1 - m) / (2 * j + 2))
            down = np.sqrt((j + 1 + m) / (2 * j + 2))
            targets[shell - 1][1:, 1:] += weight * np.outer(up, up) * block
            targets[shell - 1][:-1, :-1] += weight * np.outer(down, down) * block
    return after


N_MOMENTS = 10
"""Rows of a moment readout: trace, S_x, S_y, S_z, then xx, yy, zz, xy, xz, yz symmetrised."""


def _covariance(first: Floats, second: Floats) -> Floats:
    """Second moments (..., 6) in readout order minus products of the first, (..., 3, 3)."""
    full = np.empty((*first.shape[:-1], 3, 3))
    for index, (a, b) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        full[..., a, b] = full[..., b, a] = second[..., index] - first[..., a] * first[..., b]
    return full


def split_readout(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Trace (...), spin (..., 3), covariance (..., 3, 3) from a moment readout (..., 10)."""
    spin = values[..., 1:4]
    return values[..., 0], spin, _covariance(spin, values[..., 4:])


def moments(state: Complexes, *, n_spins: int) -> tuple[Floats, Floats]:
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


def shell_populations(state: Complexes, *, n_spins: int) -> Floats:
    """Probability of every total spin j = N/2, N/2 - 1, ...: (..., n_shells)."""
    return np.stack(
        [np.trace(block, axis1=-2, axis2=-1).real for block in blocks(state, n_spins)], axis=-1
    )
