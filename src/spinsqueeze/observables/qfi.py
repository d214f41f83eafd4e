"""Quantum Fisher information of collective rotations exp(-i theta n.S): F(n) = n.F n.

F is the Fisher matrix (3, 3) of the three spin components; its largest eigenvalue is the maximum
over directions. Separable states have F(n) <= N, any state F(n) <= N^2 (braunstein1994).
"""

from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.models.states import BlockState, ProductState, StateVector
from spinsqueeze.numerics import collective_operators, state_vectors
from spinsqueeze.numerics.angular_momentum import spin_matrices, total_spins
from spinsqueeze.numerics.block_layout import blocks
from spinsqueeze.observables.state_shells import number_of_spins, state_shells

AFFORDABLE = 128
"""Largest density matrix that is diagonalised for its information unasked: milliseconds a time."""


@clear_call
def quantum_fisher_information(
    state: Any, *, direction: Any = None, n_spins: int | None = None
) -> float:
    """Quantum Fisher information of rotations about `direction`, or the maximum over directions.

    Separable states have at most N, any state at most N^2.

    Args:
        state: as of `husimi`.
        direction: one of +x ... -z or a unit vector (3,); None maximises.
        n_spins: of a coherent or a Dicke state, which do not hold it.

    Raises:
        InvalidInput: no state, not a direction, or n_spins is missing or another.
    """
    unit = None if direction is None else checks.direction("direction", direction)
    return fisher_information(_matrix_of(state, n_spins), direction=unit)


def _matrix_of(state: Any, n_spins: int | None) -> Floats:
    """The Fisher matrix (3, 3) of a state."""
    if isinstance(state, BlockState):
        number_of_spins(state, n_spins)
        return block_fisher_matrix(state.values, n_spins=state.n_spins)
    if isinstance(state, StateVector):
        number_of_spins(state, n_spins)
        psi = state.amplitudes
        turned = state_vectors.spin_action(psi)
        return pure_fisher_matrix(state_vectors.collective_moments(psi, turned)[1])
    if isinstance(state, ProductState):
        d = state.directions
        number_of_spins(state, n_spins)
        return np.asarray(len(d) * np.eye(3) - d.T @ d)
    shells = state_shells(state, n_spins=n_spins)
    part, n = shells.parts[0], shells.n_spins
    if part.ndim == 2:
        return mixed_fisher_matrix(part, generators=spin_matrices(n / 2))
    return pure_fisher_matrix(collective_operators.pure_moments(part, n_spins=n)[1])


def fisher_information(matrix: Floats, *, direction: Floats | None = None) -> float:
    """N.F n for a unit vector n (3,), or the largest eigenvalue of F (3, 3)."""
    if direction is None:
        return float(np.linalg.eigvalsh(matrix)[-1])
    return float(direction @ matrix @ direction)


def pure_fisher_matrix(covariance: Floats) -> Floats:
    """4 C for a PURE state of covariance C (..., 3, 3); an upper bound for mixed ones."""
    return 4.0 * covariance


def pure_information(covariance: Floats) -> Floats:
    """(...) the maximum over directions, of a PURE state of covariance C (..., 3, 3)."""
    return np.asarray(4.0 * np.linalg.eigvalsh(covariance)[..., -1])


def mixed_information(rho: Complexes, *, generators: Complexes) -> float:
    """The maximum over directions, of rho (d, d) with the spin components (3, d, d)."""
    return fisher_information(mixed_fisher_matrix(rho, generators=generators))


def block_fisher_matrix(state: Complexes, *, n_spins: int) -> Floats:
    """Fisher matrix (3, 3) of a flat block state, block by block: the multiplicities cancel."""
    total = np.zeros((3, 3))
    for j, block in zip(total_spins(n_spins), blocks(state, n_spins), strict=True):
        if j > 0:
            total += mixed_fisher_matrix(block, generators=spin_matrices(float(j)))
    return total


def mixed_fisher_matrix(rho: Complexes, *, generators: Complexes) -> Floats:
    """F_ab = 2 sum_kl (l_k - l_l)^2/(l_k + l_l) Re <k|G_a|l><l|G_b|k> of one Hermitian block.

    l and |k> are the eigenvalues and eigenvectors of rho; eigenvalues that are negative by rounding
    count as zero.

    Args:
        rho: (d, d) Hermitian, of any trace.
        generators: (n, d, d) Hermitian.

    Returns:
        (n, n) real, of the dimension of rho times generators^2. Cost O(d^3).
    """
    values, vectors = np.linalg.eigh(rho)
    values = np.maximum(values, 0.0)
    added = values[:, None] + values[None, :]
    weight = np.zeros_like(added)
    np.divide((values[:, None] - values[None, :]) ** 2, added, out=weight, where=added > 0)
    S = vectors.conj().T @ generators @ vectors
    fisher: Floats = 2 * np.einsum("kl,akl,bkl->ab", weight, S, S.conj(), optimize=True).real
    return fisher
