"""Sparse collective operators in the symmetric subspace J = N/2, basis m = J ... -J."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.numerics.angular_momentum import damping_vector, jump_matrix
from spinsqueeze.numerics.krylov.orthogonal import unitary_evolution

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Jumps = Sequence[tuple[float, Complexes]]


def spin_operators(n_spins: int) -> "tuple[csr_array, csr_array, csr_array]":
    """(S_x, S_y, S_z) as sparse (N+1, N+1) matrices."""
    from scipy.sparse import diags_array

    J = n_spins / 2
    m = J - np.arange(n_spins + 1)
    ladder = diags_array(np.sqrt((J - m[1:]) * (J + m[1:] + 1)), offsets=1).astype(complex)
    lower = ladder.T
    return (
        ((ladder + lower) / 2).tocsr(),
        ((ladder - lower) / 2j).tocsr(),
        diags_array(m.astype(complex)).tocsr(),
    )


def along(vector: Complexes, spin: "Sequence[csr_array]") -> "csr_array":
    """Vector . S."""
    return sum(complex(part) * S for part, S in zip(vector, spin, strict=True)).tocsr()


def bilinear(n_spins: int, *, quadratic: Complexes, linear: Complexes) -> "csr_array":
    """S.M.S + v.S for a symmetric complex M (3, 3) and a complex v (3,).

    Written through ladder operators, entry by entry from m: exact to rounding at N = 1e4, with
    {S_+, S_-} = 2 (J(J+1) - m^2).
    """
    from scipy.sparse import diags_array

    J = n_spins / 2
    m = J - np.arange(n_spins + 1)
    P, u = np.asarray(quadratic, dtype=complex), np.asarray(linear, dtype=complex)
    flat = (P[0, 0] + P[1, 1]) / 2
    diagonal = flat * J * (J + 1) + (P[2, 2] - flat) * m**2 + u[2] * m
    up = np.sqrt((J - m[1:]) * (J + m[1:] + 1))  # <m + 1| S_+ |m>
    across = m[1:] + m[:-1]
    raising = up * ((u[0] - 1j * u[1]) / 2 + (P[0, 2] - 1j * P[1, 2]) / 2 * across)
    lowering = up * ((u[0] + 1j * u[1]) / 2 + (P[0, 2] + 1j * P[1, 2]) / 2 * across)
    minus = (P[0, 0] - P[1, 1]) / 4
    bands = [diagonal, raising, lowering]
    offsets = [0, 1, -1]
    if n_spins > 1:
        double = up[1:] * up[:-1]
        bands += [double * (minus - 0.5j * P[0, 1]), double * (minus + 0.5j * P[0, 1])]
        offsets += [2, -2]
    matrix = diags_array(bands, offsets=offsets, dtype=complex).tocsr()
    matrix.eliminate_zeros()
    return matrix


def quadratic_and_field(
    n_spins: int, *, quadratic: Floats | None, field: Floats | None
) -> tuple[Floats, Floats]:
    """Q (3, 3) and b (3,) of H = S.Q.S + b.S, zero where None.

    Raises:
        InvalidInput: n_spins below 1 or Q not symmetric.
    """
    if n_spins < 1:
        raise InvalidInput(f"n_spins must be at least 1, got {n_spins}")
    Q = np.zeros((3, 3)) if quadratic is None else np.asarray(quadratic, dtype=float)
    b = np.zeros(3) if field is None else np.asarray(field, dtype=float)
    if Q.shape != (3, 3) or not np.allclose(Q, Q.T, rtol=1e-12, atol=0.0):
        raise InvalidInput(f"quadratic must be a symmetric 3 x 3 matrix, got {Q.tolist()}")
    return Q, b


def hamiltonian(
    n_spins: int, *, quadratic: Floats | None = None, field: Floats | None = None
) -> "csr_array":
    """S.Q.S + b.S for a real symmetric Q (3, 3) and a real b (3,).

    Raises:
        InvalidInput: n_spins below 1 or Q not symmetric.
    """
    Q, b = quadratic_and_field(n_spins, quadratic=quadratic, field=field)
    return bilinear(n_spins, quadratic=Q.astype(complex), linear=b.astype(complex))


def drift(
    n_spins: int,
    *,
    quadratic: Floats | None = None,
    field: Floats | None = None,
    jumps: Jumps = (),
) -> "csr_array":
    """X = -i H - (1/2) sum rate L^dagger L for collective jumps L = c.S."""
    total = -1j * hamiltonian(n_spins, quadratic=quadratic, field=field)
    G = jump_matrix(jumps)
    damping = bilinear(
        n_spins, quadratic=G.real.astype(complex), linear=damping_vector(G).astype(complex)
    )
    return (total - damping / 2).tocsr()


def rotated(amplitudes: Complexes, *, axis: Floats, angle: float) -> Complexes:
    """exp(-i angle axis . S) psi, as an evolution over a unit of time: no dense matrix."""
    generator = hamiltonian(amplitudes.size - 1, field=angle * axis)
    return np.asarray(
        unitary_evolution(generator, state=amplitudes, times=np.array([1.0]), tolerance=1e-13)[0]
    )


def pure_moments(amplitudes: Complexes, *, n_spins: int) -> tuple[Floats, Floats]:
    """<S_a> (..., 3) and the centred symmetrised covariance (..., 3, 3) of states (..., N+1).

    The covariance is Re <v_a|v_b> with v_a = (S_a - <S_a>) psi: nothing cancels at N = 1e4.
    """
    psi = np.atleast_2d(amplitudes)
    J = n_spins / 2
    m = J - np.arange(n_spins + 1)
    up = np.sqrt((J - m[1:]) * (J + m[1:] + 1))
    raised, lowered = np.zeros_like(psi), np.zeros_like(psi)
    raised[:, :-1] = up * psi[:, 1:]
    lowered[:, 1:] = up * psi[:, :-1]
    v = np.stack([(raised + lowered) / 2, (raised - lowered) / 2j, m * psi], axis=1)
    mean = np.einsum("tm,tam->ta", psi.conj(), v).real
    v -= mean[:, :, None] * psi[:, None, :]
    covariance = np.einsum("tam,tbm->tab", v.conj(), v).real
    shape = np.shape(amplitudes)[:-1]
    return mean.reshape(*shape, 3), covariance.reshape(*shape, 3, 3)


def mixed_moments(rho: Complexes, *, n_spins: int) -> tuple[Floats, Floats]:
    """<S_a> (..., 3) and the symmetrised covariance (..., 3, 3) of matrices (..., N+1, N+1)."""
    J = n_spins / 2
    m = J - np.arange(n_spins + 1)
    up = np.sqrt((J - m[1:]) * (J + m[1:] + 1))
    populations = np.diagonal(rho, axis1=-2, axis2=-1).real
    first = np.diagonal(rho, 1, axis1=-2, axis2=-1)
    lowering, mixed = first @ up, first @ (up * (m[1:] + m[:-1]))
    square = (
        np.diagonal(rho, 2, axis1=-2, axis2=-1) @ (up[1:] * up[:-1])
        if n_spins > 1
        else 0.0 * lowering
    )
    mean = np.stack([lowering.real, -lowering.imag, populations @ m], axis=-1)
    flat = populations @ (J * (J + 1) - m**2)
    second = np.empty((*mean.shape, 3))
    second[..., 0, 0], second[..., 1, 1] = (flat + square.real) / 2, (flat - square.real) / 2
    # centred about <S_z>, where the sum of squares would cancel for a state near a pole
    centred = (m - mean[..., 2:3]) ** 2
    second[..., 2, 2] = np.sum(populations * centred, axis=-1)
    second[..., 0, 1] = second[..., 1, 0] = -square.imag / 2
    second[..., 0, 2] = second[..., 2, 0] = mixed.real / 2
    second[..., 1, 2] = second[..., 2, 1] = -mixed.imag / 2
    outer = mean[..., :, None] * mean[..., None, :]
    outer[..., 2, 2] = 0.0
    return mean, second - outer
