"""Initial block states: coherent, Dicke, any symmetric state, any mixture over shells."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.permutation_invariant.layout import (
    block_offsets,
    block_sizes,
    blocks,
    state_size,
)
from spinsqueeze.numerics.angular_momentum import (
    axis_basis,
    coherent_amplitudes,
    log_multiplicity,
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def shell_state(n_spins: int, *, block: Complex, shell: int = 0) -> Complex:
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


def coherent_state(n_spins: int, *, direction: Sequence[float] | Float, shell: int = 0) -> Complex:
    """Every spin along `direction` (shell 0), or the coherent state of a lower shell."""
    amplitudes = coherent_amplitudes(n_spins / 2 - shell, direction)
    return shell_state(n_spins, block=amplitudes, shell=shell)


def dicke_state(n_spins: int, *, m: float, shell: int = 0) -> Complex:
    """|j, m><j, m| averaged over the equivalent irreps of j = N/2 - shell.

    Raises:
        InvalidInput: m is not one of j, j - 1, ..., -j.
    """
    j = n_spins / 2 - shell
    row = j - m
    if row != round(row) or not 0 <= row <= 2 * j:
        raise InvalidInput(f"m must be one of j, j - 1, ..., -j with j = {j:g}, got {m:g}")
    amplitudes = np.zeros(round(2 * j) + 1, dtype=complex)
    amplitudes[round(row)] = 1.0
    return shell_state(n_spins, block=amplitudes, shell=shell)


def product_mixture(n_spins: int, *, bloch: Sequence[float] | Float) -> Complex:
    """Identical mixed spins: each with density matrix (1 + bloch.sigma)/2, |bloch| <= 1.

    Shell j holds d_j (det rho_1)^{N/2 - j} times the spin-j representation of rho_1.

    Raises:
        InvalidInput: |bloch| above 1.
    """
    vector = np.asarray(bloch, dtype=float)
    length = float(np.linalg.norm(vector))
    if length > 1 + 1e-12:
        raise InvalidInput(f"bloch must have length at most 1, got {length:g}")
    length = min(length, 1.0)
    if length == 1.0:
        return coherent_state(n_spins, direction=vector)
    high, low = np.log((1 + length) / 2), np.log((1 - length) / 2)
    direction = vector if length > 0 else np.array([0.0, 0.0, 1.0])
    state = np.zeros(state_size(n_spins), dtype=complex)
    log_d = log_multiplicity(n_spins)
    for shell, block in enumerate(blocks(state, n_spins)):
        j = n_spins / 2 - shell
        m = j - np.arange(block.shape[0])
        weight = np.exp(log_d[shell] + (n_spins / 2 + m) * high + (n_spins / 2 - m) * low)
        basis = axis_basis(j, direction)
        block[...] = (basis * weight) @ basis.conj().T
    return state
