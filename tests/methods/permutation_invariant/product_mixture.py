"""Identical mixed spins as a flat block state: a state whose every property is known."""

import numpy as np

from spinsqueeze.numerics.angular_momentum import axis_basis, log_multiplicity
from spinsqueeze.numerics.block_layout import blocks, state_size


def product_mixture(n_spins, *, bloch):
    """Each spin with density matrix (1 + bloch.sigma)/2, |bloch| < 1.

    Shell j holds d_j (det rho_1)^{N/2 - j} times the spin-j representation of rho_1.
    """
    length = np.linalg.norm(bloch)
    high, low = np.log((1 + length) / 2), np.log((1 - length) / 2)
    state = np.zeros(state_size(n_spins), dtype=complex)
    log_d = log_multiplicity(n_spins)
    for shell, block in enumerate(blocks(state, n_spins)):
        j = n_spins / 2 - shell
        m = j - np.arange(block.shape[0])
        weight = np.exp(log_d[shell] + (n_spins / 2 + m) * high + (n_spins / 2 - m) * low)
        basis = axis_basis(j, bloch if length else [0.0, 0.0, 1.0])
        block[...] = (basis * weight) @ basis.conj().T
    return state
