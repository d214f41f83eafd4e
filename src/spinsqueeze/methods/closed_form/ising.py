"""Ising models with any couplings: exact means, pair correlators and collective moments.

``H = sum_{i<j} J_ij s^z_i s^z_j + sum_i h_i s^z_i`` from any product state, with local decay,
pumping and dephasing. All numbers that depend on time enter integrated:
``phi_ij = int J_ij dt``, ``theta_i = int h_i dt``, rate integrals. Work: N^3/2 products a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.closed_form.collective import (
    along_times_and_sites,
    bloch_vectors,
    collective_covariance,
    integrals_table,
    integrated_rate,
    means_from,
)
from spinsqueeze.methods.closed_form.pair_kernels import (
    complex_pair_products,
    real_pair_products,
)
from spinsqueeze.methods.closed_form.single_spin import polarisation, single_spin_factors
from spinsqueeze.numerics.forks import require_own_threads

_TILE = 64


@dataclass(frozen=True)
class IsingCorrelators:
    """Exact one- and two-spin correlators at one time; diagonals of the pair tables are 0.

    Attributes:
        plus: (N,) <s^+_i>.
        z: (N,) <s^z_i>.
        plus_plus: (N, N) <s^+_i s^+_j> - <s^+_i><s^+_j>.
        plus_minus: (N, N) <s^+_i s^-_j> - <s^+_i><s^-_j>.
        z_plus: (N, N) <s^z_i s^+_j> - <s^z_i><s^+_j>.
    """

    plus: Complexes
    z: Floats
    plus_plus: Complexes
    plus_minus: Complexes
    z_plus: Complexes

    def spin(self) -> Floats:
        """(N, 3) <s_i>."""
        return means_from(self.plus, 2 * self.z)

    def pairs(self, *, connected: bool = False) -> Floats:
        """(N, N, 3, 3) <s^a_i s^b_j> for i != j, minus the product of means if connected."""
        C = np.zeros((*self.plus_plus.shape, 3, 3))
        pp, pm, zp = self.plus_plus, self.plus_minus, self.z_plus
        C[..., 0, 0] = 0.5 * (pm + pp).real
        C[..., 1, 1] = 0.5 * (pm - pp).real
        C[..., 0, 1] = 0.5 * (pp - pm).imag
        C[..., 1, 0] = 0.5 * (pp + pm).imag
        C[..., 2, 0], C[..., 2, 1] = zp.real, zp.imag
        C[..., 0, 2], C[..., 1, 2] = zp.T.real, zp.T.imag
        if not connected:
            m = self.spin()
            C += np.einsum("ia,jb->ijab", m, m)
            C[np.diag_indices(len(m))] = 0.0
        return C


def ising_correlators(
    couplings: ArrayLike,
    *,
    integrals: ArrayLike,
    bloch: ArrayLike,
    rotation: ArrayLike = 0.0,
    dephasing: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
    pumping: ArrayLike = 0.0,
) -> Iterator[IsingCorrelators]:
    """Every exact one- and two-spin correlator, one `IsingCorrelators` a time.

    ``H = sum_m f_m(t) sum_{i<j} J^m_ij s^z_i s^z_j + sum_i h_i(t) s^z_i``. Without decay and
    pumping the couplings may have any envelopes f_m. With them the result holds only if the
    couplings and both rates are constant (or share one envelope).

    Args:
        couplings: (N, N) or (n_terms, N, N) J^m, symmetric, zero diagonal.
        integrals: (T, n_terms) or (T,) integral of f_m dt: integrals * couplings are angles.
        bloch: (3,) or (N, 3) initial <sigma_i>; mixed states are allowed.
        rotation: integral of h_i [1]: one number, (T,) or (T, N).
        dephasing: integral of the local dephasing rate [1]; same shapes.
        decay: integral of the rate of s_minus [1]; same shapes.
        pumping: integral of the rate of s_plus [1]; same shapes.

    Raises:
        InvalidInput: couplings not symmetric, with a diagonal or not finite; wrong shapes;
            negative rates; Bloch vectors longer than 1.

    Source: fossfeig2013 (all-z-axis couplings with decay and dephasing); NOTES.md.
    """
    J = checked_couplings(couplings)
    N = J.shape[1]
    strengths = integrals_table(integrals, len(J))
    shape = (len(strengths), N)
    vectors = bloch_vectors(bloch, N)
    theta = along_times_and_sites(rotation, shape, name="rotation")
    Gamma = integrated_rate(dephasing, shape, name="dephasing")
    down = integrated_rate(decay, shape, name="decay")
    up = integrated_rate(pumping, shape, name="pumping")
    return (
        _at_one_time(
            np.einsum("m,mij->ij", row, J),
            vectors,
            theta[t],
            Gamma[t],
            down[t].copy(),
            up[t].copy(),
        )
        for t, row in enumerate(strengths)
    )


def ising_moments(
    couplings: ArrayLike,
    *,
    integrals: ArrayLike,
    bloch: ArrayLike,
    rotation: ArrayLike = 0.0,
    dephasing: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
    pumping: ArrayLike = 0.0,
    weights: ArrayLike = 1.0,
) -> tuple[Floats, Floats]:
    """Mean and covariance of S = sum_i w_i s_i; arguments as `ising_correlators`.

    Args:
        couplings: (N, N) or (n_terms, N, N) J^m, symmetric, zero diagonal.
        integrals: (T, n_terms) or (T,) integral of each term's envelope.
        bloch: (3,) or (N, 3) initial <sigma_i>.
        rotation: integral of h_i [1].
        dephasing: integral of the local dephasing rate [1].
        decay: integral of the rate of s_minus [1].
        pumping: integral of the rate of s_plus [1].
        weights: (N,) or scalar w_i of the collective spin.

    Returns:
        spin (T, 3): <S_a>; covariance (T, 3, 3): <{S_a, S_b}>/2 - <S_a><S_b>.

    Raises:
        InvalidInput: as `ising_correlators`.
    """
    spins, covariances = [], []
    correlators = ising_correlators(
        couplings,
        integrals=integrals,
        bloch=bloch,
        rotation=rotation,
        dephasing=dephasing,
        decay=decay,
        pumping=pumping,
    )
    for now in correlators:
        w = np.broadcast_to(np.asarray(weights, dtype=np.float64), now.z.shape)
        means = now.spin()
        spins.append(w @ means)
        covariances.append(
            collective_covariance(
                means,
                squared_weights=w * w,
                plus_plus=complex(w @ now.plus_plus @ w),
                plus_minus=float((w @ now.plus_minus @ w).real),
                z_plus=complex(w @ now.z_plus @ w),
            )
        )
    return np.array(spins).reshape(-1, 3), np.array(covariances).reshape(-1, 3, 3)


def _at_one_time(
    phi: Floats,
    vectors: Floats,
    theta: Floats,
    Gamma: Floats,
    down: Floats,
    up: Floats,
) -> IsingCorrelators:
    N = len(phi)
    z = vectors[:, 2].copy()
    s = np.sin(0.5 * phi)
    f, h = single_spin_factors(phi, z=z, down=down, up=up)
    plus_plus: Complexes | Floats
    plus_minus: Complexes | Floats
    require_own_threads("numba")
    if not (np.any(z) or np.any(down) or np.any(up)):
        plus_plus, plus_minus = np.zeros((N, N)), np.zeros((N, N))
        tiles = _balanced_tiles(-(-N // _TILE))
        real_pair_products(np.cos(0.5 * phi), s, tiles, _TILE, plus_plus, plus_minus)
    else:
        plus_plus = np.zeros((N, N), dtype=np.complex128)
        plus_minus = np.zeros((N, N), dtype=np.complex128)
        complex_pair_products(phi, s, f, z, down, up, plus_plus, plus_minus)
    # a coherence of spin i also decays at half the rate of its own jumps
    p = 0.5 * (vectors[:, 0] + 1j * vectors[:, 1])
    p = p * np.exp(1j * theta - Gamma - 0.5 * (down + up))
    F = 1 + f
    # row j: products over all k but j and i, from the left and from the right
    left = np.ones((N, N + 1), dtype=np.complex128)
    right = np.ones((N, N + 1), dtype=np.complex128)
    np.cumprod(F, axis=1, out=left[:, 1:])
    right[:, :-1] = np.cumprod(F[:, ::-1], axis=1)[:, ::-1]
    z_plus = 0.5 * h * left[:, :-1] * right[:, 1:] * p[:, None]
    return IsingCorrelators(
        plus=p * left[:, -1],
        z=0.5 * polarisation(z, down=down, up=up),
        plus_plus=plus_plus * p[:, None] * p[None, :],
        plus_minus=plus_minus * p[:, None] * p.conj()[None, :],
        z_plus=np.ascontiguousarray(z_plus.T),
    )


def checked_couplings(couplings: ArrayLike) -> Floats:
    """(n_terms, N, N) symmetric finite matrices without a diagonal.

    Raises:
        InvalidInput: any other matrix.
    """
    J = np.asarray(couplings, dtype=np.float64)
    if J.ndim == 2:
        J = J[None]
    if J.ndim != 3 or J.shape[1] != J.shape[2] or J.shape[1] == 0:
        raise InvalidInput(f"couplings must be square matrices (n_terms, N, N); got {J.shape}")
    if not np.all(np.isfinite(J)):
        raise InvalidInput("couplings must be finite; got NaN or infinity")
    asymmetry = float(np.max(np.abs(J - np.swapaxes(J, 1, 2))))
    if asymmetry > 1e-12 * float(np.max(np.abs(J))):
        raise InvalidInput(
            f"couplings must be symmetric; J and its transpose differ by {asymmetry:g}"
        )
    if np.any(np.diagonal(J, axis1=1, axis2=2)):
        raise InvalidInput("couplings must have a zero diagonal: a spin has no pair with itself")
    return 0.5 * (J + np.swapaxes(J, 1, 2))


def ising_cost(n_sites: int, *, n_times: int, n_terms: int = 1) -> tuple[float, float]:
    """(multiply-adds, bytes) of `ising_moments`.

    A fast product (transverse state, no decay or pumping) takes 8 multiply-adds of the
    N^2 (N - 2)/2 products a time; a general state about 6 times as long, jumps 100 times.
    """
    N = float(n_sites)
    return 4 * n_times * N * N * max(N - 2, 0.0), 8 * N * N * (n_terms + 24)


def _balanced_tiles(n_tiles: int) -> Integers:
    """Tiles in an order in which equal runs have equal work (tile q has q + 1 parts)."""
    from numba import get_num_threads

    n_threads = get_num_threads()
    heavy_first = np.arange(n_tiles)[::-1]
    hands = [
        heavy_first[q]
        for thread in range(n_threads)
        for q in range(n_tiles)
        if (q % n_threads if (q // n_threads) % 2 == 0 else n_threads - 1 - q % n_threads) == thread
    ]
    return np.array(hands, dtype=np.int64)
