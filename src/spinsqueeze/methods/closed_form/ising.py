"""Ising models with any couplings: exact means, pair correlators and collective moments.

``H = sum_{i<j} J_ij s^z_i s^z_j + sum_i h_i s^z_i`` from any product state, with local decay,
pumping and dephasing. All numbers that depend on time enter integrated:
``phi_ij = int J_ij dt``, ``theta_i = int h_i dt``, rate integrals. Work: N^3/2 products a time.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.closed_form.collective import (
    along_times_and_sites,
    bloch_vectors,
    collective_covariance,
    integrated_rate,
)
from spinsqueeze.methods.closed_form.correlators import IsingCorrelators, Turns
from spinsqueeze.methods.closed_form.spin_factors import (
    polarisation,
    product_seconds,
    single_spin_factors,
    transverse_factors,
)
from spinsqueeze.methods.closed_form.stretches import (
    acting_stretches,
    stretched_rate,
    stretches_table,
)
from spinsqueeze.numerics.forks import require_own_threads

_TILE = 64


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
    couplings and both rates are constant (or share one envelope) in each of the S stretches of
    time by which their integrals are given.

    Args:
        couplings: (N, N) or (n_terms, N, N) J^m, symmetric, zero diagonal.
        integrals: (T, S, n_terms), (T, n_terms) or (T,) integral of f_m dt: integrals * couplings
            are angles.
        bloch: (3,) or (N, 3) initial <sigma_i>; mixed states are allowed.
        rotation: integral of h_i [1]: one number, (T,) or (T, N).
        dephasing: integral of the local dephasing rate [1]; same shapes.
        decay: integral of the rate of s_minus [1]; same shapes, or (T, S, N).
        pumping: integral of the rate of s_plus [1]; same shapes, or (T, S, N).

    Raises:
        InvalidInput: couplings not symmetric, with a diagonal or not finite; wrong shapes;
            negative rates; Bloch vectors longer than 1.

    Source: fossfeig2013 (all-z-axis couplings with decay and dephasing); NOTES.md.
    """
    J = checked_couplings(couplings)
    N = J.shape[1]
    strengths = stretches_table(integrals, len(J))
    T, S = strengths.shape[:2]
    vectors = bloch_vectors(bloch, N)
    theta = along_times_and_sites(rotation, (T, N), name="rotation")
    Gamma = integrated_rate(dephasing, (T, N), name="dephasing")
    down = stretched_rate(decay, (T, S, N), name="decay")
    up = stretched_rate(pumping, (T, S, N), name="pumping")
    return (
        _at_one_time(
            J, *acting_stretches(strengths[t], down[t], up[t]), vectors, theta[t], Gamma[t]
        )
        for t in range(T)
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
    turns: Turns | None = None,
) -> tuple[Floats, Floats]:
    """Mean and covariance of S = sum_i w_i s_i; arguments as `ising_correlators`.

    Args:
        couplings: (N, N) or (n_terms, N, N) J^m, symmetric, zero diagonal.
        integrals: (T, S, n_terms), (T, n_terms) or (T,) integral of each term's envelope.
        bloch: (3,) or (N, 3) initial <sigma_i>.
        rotation: integral of h_i [1].
        dephasing: integral of the local dephasing rate [1].
        decay: integral of the rate of s_minus [1].
        pumping: integral of the rate of s_plus [1].
        weights: (N,) or scalar w_i of the collective spin.
        turns: by what pulses have turned each spin.

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
    for t, now in enumerate(correlators):
        if turns is not None:
            now = now.turned(turns.flipped[t], turns.phases[t])
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
    J: Floats,
    rows: Floats,
    down: Floats,
    up: Floats,
    vectors: Floats,
    theta: Floats,
    Gamma: Floats,
) -> IsingCorrelators:
    N = J.shape[1]
    z = vectors[:, 2].copy()
    history = np.stack([np.einsum("m,mij->ij", row, J) for row in rows], axis=-1)
    phi = history.sum(axis=-1)
    s = np.sin(0.5 * phi)
    # a coherence of spin i also decays at half the rate of its own jumps
    p = 0.5 * (vectors[:, 0] + 1j * vectors[:, 1])
    p = p * np.exp(1j * theta - Gamma - 0.5 * (down + up).sum(axis=-1))
    noisy = bool(np.any(down) or np.any(up))
    transverse = not (noisy or np.any(z))
    dtype = np.float64 if transverse else np.complex128
    plus_plus, plus_minus = np.zeros((N, N), dtype), np.zeros((N, N), dtype)
    f: Floats | Complexes
    h: Floats | Complexes
    if transverse:
        f, h = transverse_factors(phi)
    else:
        f, h = single_spin_factors(history, z=z, down=down, up=up)
    from spinsqueeze.methods.closed_form.pair_kernels import (
        complex_pair_products,
        real_pair_products,
    )
    from spinsqueeze.numerics.numba_threads import threads_for

    require_own_threads("numba")
    seconds = product_seconds(transverse=transverse, n_stretches=len(rows) if noisy else 0)
    with threads_for(seconds * N**3 / 2):
        if transverse:
            tiles = _balanced_tiles(-(-N // _TILE))
            real_pair_products(np.cos(0.5 * phi), s, tiles, _TILE, plus_plus, plus_minus)
        else:
            complex_pair_products(history, s, f, z, down, up, plus_plus, plus_minus)
    left, right = _products_but_one(1 + f)
    z_plus = 0.5 * h * left[:, :-1] * right[:, 1:] * (1j * p if transverse else p)[:, None]
    return IsingCorrelators(
        plus=p * left[:, -1],
        z=0.5 * polarisation(z, down=down, up=up),
        plus_plus=plus_plus * p[:, None] * p[None, :],
        plus_minus=plus_minus * p[:, None] * p.conj()[None, :],
        z_plus=np.ascontiguousarray(z_plus.T),
    )


def _products_but_one(F: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(N, N + 1) products along each row of all entries before k, and of all from k on."""
    N = len(F)
    left, right = np.ones((N, N + 1), F.dtype), np.ones((N, N + 1), F.dtype)
    np.cumprod(F, axis=1, out=left[:, 1:])
    right[:, :-1] = np.cumprod(F[:, ::-1], axis=1)[:, ::-1]
    return left, right


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
    N^2 (N - 2)/2 products a time; a general state about 5 times as long, jumps 60 times.
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
