"""Brute force on 2^N by dense matrices, written apart from the package: the second opinion."""

from __future__ import annotations

import numpy as np

from spinsqueeze.methods.exact.couplings import HamiltonianPart

# Single-spin matrices on (down, up), the order of the bit values.
SPIN = np.array([[[0, 1], [1, 0]], [[0, 1j], [-1j, 0]], [[-1, 0], [0, 1]]]) / 2


def site_operator(matrix, site, n_spins):
    """Matrix of one spin, bit `site` of the index, in the full space."""
    left, right = np.eye(1 << (n_spins - 1 - site)), np.eye(1 << site)
    return np.kron(np.kron(left, matrix), right)


def collective(n_spins):
    """S_x, S_y, S_z."""
    return [sum(site_operator(SPIN[a], i, n_spins) for i in range(n_spins)) for a in range(3)]


def dense(part):
    """The Hamiltonian of a part, term by term."""
    n = part.n_spins
    s = [[site_operator(SPIN[a], i, n) for a in range(3)] for i in range(n)]
    H = np.zeros((1 << n, 1 << n), dtype=complex)
    for i in range(n):
        for a in range(3):
            H += part.field[i, a] * s[i][a]
        for j in range(i + 1, n):
            for T, K in zip(part.tensors, part.kernels, strict=True):
                for a in range(3):
                    for b in range(3):
                        H += K[i, j] * T[a, b] * s[i][a] @ s[j][b]
    return H


def random_part(rng, n_spins, n_tensors=2):
    """Random fields, symmetric tensors and symmetric kernels without diagonal."""
    tensors = rng.normal(size=(n_tensors, 3, 3))
    kernels = rng.normal(size=(n_tensors, n_spins, n_spins))
    kernels = kernels + kernels.swapaxes(1, 2)
    kernels[:, range(n_spins), range(n_spins)] = 0.0
    return HamiltonianPart(
        field=rng.normal(size=(n_spins, 3)),
        tensors=tensors + tensors.swapaxes(1, 2),
        kernels=kernels,
    )


def random_directions(rng, n_spins):
    """Unit vectors (n_spins, 3)."""
    v = rng.normal(size=(n_spins, 3))
    return v / np.linalg.norm(v, axis=1)[:, None]


def power_law_xxz(n_spins, exponent, j_perp, j_z):
    """XXZ model on a periodic chain."""
    gap = np.abs(np.subtract.outer(np.arange(n_spins), np.arange(n_spins)))
    gap = np.minimum(gap, n_spins - gap).astype(float)
    kernel = np.zeros_like(gap)
    kernel[gap > 0] = gap[gap > 0] ** -exponent
    return HamiltonianPart(
        field=np.zeros((n_spins, 3)),
        tensors=np.diag([j_perp, j_perp, j_z])[None].astype(float),
        kernels=kernel[None],
    )
