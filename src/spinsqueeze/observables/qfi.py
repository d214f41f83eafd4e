"""Quantum Fisher information of collective rotations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.checks import direction
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.moments import FloatArray, Moments

NEGLIGIBLE_POPULATION = 1e-14
"""Pairs of eigenvalues of rho whose sum is below this carry no information."""


def pure_state_qfi(moments: Moments, *, axis: ArrayLike | str | None = None) -> FloatArray:
    """Quantum Fisher information of a PURE state under exp(-i phi n.S), from its covariance.

    F(n) = 4 Var(n.S) = 4 n.C n; without an axis the maximum over all n, 4 lambda_max(C). For
    mixed states 4 Var is only an upper bound: use :func:`mixed_state_qfi` there. The moments do
    not tell a pure state from a mixed one.

    Args:
        moments: moments of a pure state, leading shape (...).
        axis: one of +x ... -z or a unit vector (3,); None maximises.

    Returns:
        (...) [1]: N for a coherent state perpendicular to n, at most N^2.
    """
    if axis is None:
        eigenvalues = np.linalg.eigvalsh(moments.covariance)
        return np.asarray(4.0 * eigenvalues[..., -1], dtype=np.float64)
    n = direction("axis", axis)
    return 4.0 * np.einsum("i,...ij,j->...", n, moments.covariance, n)


def mixed_state_qfi(density_matrix: ArrayLike, *, generators: ArrayLike) -> FloatArray:
    """Fisher matrix of a mixed state; F(n) = n.F n, its largest eigenvalue the maximum over n.

    F_ab = 2 sum_{k,l} (p_k - p_l)^2 / (p_k + p_l) Re[<k|G_a|l><l|G_b|k>], p and |k> the
    eigenvalues and eigenvectors of rho (braunstein1994). Cost O(d^3).

    Args:
        density_matrix: (d, d) Hermitian.
        generators: (n, d, d) Hermitian, e.g. S_x, S_y, S_z.

    Returns:
        (n, n) real symmetric.

    Raises:
        InvalidInput: shapes disagree or rho is not Hermitian.
    """
    rho = np.asarray(density_matrix, dtype=np.complex128)
    g = np.asarray(generators, dtype=np.complex128)
    if rho.ndim != 2 or rho.shape[0] != rho.shape[1]:
        raise InvalidInput(f"density_matrix must be square; got shape {rho.shape}.")
    if g.ndim != 3 or g.shape[1:] != rho.shape:
        raise InvalidInput(
            f"generators must have shape (n, {', '.join(map(str, rho.shape))}); got {g.shape}."
        )
    if not np.allclose(rho, rho.conj().T, rtol=0.0, atol=1e-8):
        raise InvalidInput("density_matrix must be Hermitian; symmetrise it: (rho + rho†)/2.")
    p, vectors = np.linalg.eigh(rho)
    total = p[:, None] + p[None, :]
    known = total > NEGLIGIBLE_POPULATION
    factor = np.where(known, (p[:, None] - p[None, :]) ** 2 / np.where(known, total, 1.0), 0.0)
    elements: NDArray[np.complex128] = vectors.conj().T @ g @ vectors
    fisher: FloatArray = 2.0 * np.einsum("kl,akl,blk->ab", factor, elements, elements).real
    return 0.5 * (fisher + fisher.T)
