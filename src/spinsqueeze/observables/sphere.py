"""Husimi and Wigner functions on the sphere.

Of states of the symmetric subspace, and of others part by part of total spin j. The Dicke basis
|j, m> is ordered from m = +j (index 0, all spins up) to m = -j. Both functions are real densities
on the unit sphere and integrate to one: integral sin(theta) dtheta dphi Q = 1 = that of W.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.observables.state_shells import state_shells
from spinsqueeze.observables.wigner_kernel import rotation_elements, wigner_kernel_eigenvalues

NEGLIGIBLE_TAIL = 1e-28
"""Population of |j, m> outside the window that may be left out at each end."""


@clear_call
def husimi(state: Any, *, theta: ArrayLike, phi: ArrayLike, n_spins: int | None = None) -> Floats:
    """Husimi function Q = sum_j (2j+1)/(4 pi) <j, n|R_j|j, n> on the grid theta x phi.

    R_j is the part of total spin j (`observables.state_shells`), j = N/2 alone of symmetric states.

    |n> = sum_k sqrt(binom(2j, k)) cos(theta/2)^(2j-k) sin(theta/2)^k e^(i k phi) |j, m=j-k>.
    Magnitudes are formed as logarithms, so nothing overflows. Cost O(n_theta n_phi j) for a
    vector, O(n_theta (j^2 + n_phi j)) for a matrix.

    Args:
        state: any state of this package, such as final_state(data); or (2j+1,) amplitudes or a
            (2j+1, 2j+1) density matrix in the Dicke basis, m = j first, normalised.
        theta: (n_theta,) [rad] in [0, pi].
        phi: (n_phi,) [rad].
        n_spins: of a coherent or a Dicke state, which do not hold it.

    Returns:
        (n_theta, n_phi), >= 0 for a physical state; at most (2j+1)/(4 pi).

    Raises:
        InvalidInput: no state, wrong shape, not finite, not normalised, not Hermitian, theta out of
            range.
        TooLarge: 2^N amplitudes of more than 20 spins.
    """
    shells = state_shells(state, n_spins=n_spins)
    t, p = _checked_angles(theta, phi)
    total = np.zeros((t.size, p.size))
    for _, part in shells:
        total += _husimi(part, t, p)
    return total


def _husimi(psi: Complexes, t: Floats, p: Floats) -> Floats:
    n = psi.shape[0] - 1
    magnitude = coherent_magnitudes(n, theta=t)
    if psi.ndim == 1:
        phases = np.exp(-1j * np.outer(np.arange(n + 1), p))
        overlap = (magnitude * psi) @ phases
        return np.asarray((n + 1) / (4.0 * np.pi) * (overlap.real**2 + overlap.imag**2))
    bands = np.empty((t.size, n + 1), dtype=np.complex128)
    for q in range(n + 1):
        bands[:, q] = (magnitude[:, : n + 1 - q] * magnitude[:, q:]) @ np.diagonal(psi, q)
    return np.asarray((n + 1) / (4.0 * np.pi) * _synthesis(bands, p))


@clear_call
def wigner(
    state: Any,
    *,
    theta: ArrayLike,
    phi: ArrayLike,
    memory_budget: float | str = 1e9,
    n_spins: int | None = None,
) -> Floats:
    """Wigner function W = sum_j (2j+1)/(4 pi) tr[R_j Delta(n)] on the grid theta x phi.

    R_j is the part of total spin j (`observables.state_shells`), j = N/2 alone of symmetric states.

    Delta(n) is the Stratonovich-Weyl kernel; the same as
    sqrt((2j+1)/(4 pi)) sum_lq tr[rho T_lq^dagger] Y_lq (dowling1994). Here it is summed without
    multipoles: Delta(theta) = d(theta) diag(Delta_m) d(theta)^T with
    :func:`~spinsqueeze.observables.wigner_kernel.rotation_elements`, restricted to the window of
    w values of m that the state occupies (coherent states on the equator: w of order
    17 sqrt(j/2); Dicke states along z: 1), then a Fourier sum over phi.
    Cost O(n_theta j w^2), memory O(j w); an O(j^2) preparation per j is kept. To make w small,
    rotate the state so that it is narrow in m.

    Args:
        state: as of `husimi`.
        theta: (n_theta,) [rad] in [0, pi].
        phi: (n_phi,) [rad].
        memory_budget: bytes the rotation elements may take; more polar angles share a pass
            when they fit.
        n_spins: of a coherent or a Dicke state, which do not hold it.

    Returns:
        (n_theta, n_phi); negative where the state is not classical. |W| <= 2 (2j+1)/(4 pi) or so.

    Raises:
        InvalidInput: as of `husimi`.
        TooLarge: 2^N amplitudes of more than 20 spins, or one polar angle alone exceeds the memory
            budget.
    """
    budget = checks.memory("memory_budget", memory_budget)
    shells = state_shells(state, n_spins=n_spins)
    t, p = _checked_angles(theta, phi)
    total = np.zeros((t.size, p.size))
    for _, part in shells:
        if np.any(part):
            total += _wigner(part, t, p, budget)
    return total


def _wigner(psi: Complexes, t: Floats, p: Floats, memory_budget: float) -> Floats:
    n = psi.shape[0] - 1
    first, last = _window(psi)
    width = last - first + 1
    bytes_each = 32.0 * (n + 1) * width  # two tables and their temporaries
    if bytes_each > memory_budget:
        raise TooLarge(
            f"the Wigner function of j={n / 2:g} with {width} occupied values of m needs "
            f"{bytes_each / 1e9:.2g} GB; the budget is {memory_budget / 1e9:.2g} GB. Raise "
            "memory_budget, or rotate the state so that it occupies fewer m."
        )
    chunk = max(1, int(min(memory_budget, 1e8) // bytes_each))
    kernel = wigner_kernel_eigenvalues(n)
    if psi.ndim == 1:
        psi = psi[first : last + 1]
        diagonals = [psi[: width - q] * psi[q:].conj() for q in range(width)]
    else:
        rho = psi[first : last + 1, first : last + 1]
        diagonals = [np.diagonal(rho, q) for q in range(width)]
    bands = np.empty((t.size, width), dtype=np.complex128)
    for begin in range(0, t.size, chunk):
        d = rotation_elements(n, first=first, last=last, theta=t[begin : begin + chunk])
        for i in range(d.shape[1]):
            rows = d[:, i, :]
            delta = (rows * kernel[:, None]).T @ rows
            for q in range(width):
                bands[begin + i, q] = np.diagonal(delta, q) @ diagonals[q]
    return np.asarray((n + 1) / (4.0 * np.pi) * _synthesis(bands, p))


def coherent_magnitudes(two_j: int, *, theta: Floats) -> Floats:
    """|<j, j-k|n>| = sqrt(binom(2j, k)) cos(theta/2)^(2j-k) sin(theta/2)^k.

    Args:
        two_j: 2j.
        theta: (n,) [rad] in [0, pi].

    Returns:
        (n, 2j+1); relative error about 1e-16 times the logarithm of the largest factor (1e-12
        at j = 5000).
    """
    from scipy.special import betaln, xlogy  # slow to import

    k = np.arange(two_j + 1.0)
    log_binomial = -np.log1p(two_j) - betaln(k + 1.0, two_j - k + 1.0)
    cosine, sine = np.abs(np.cos(theta / 2))[:, None], np.sin(theta / 2)[:, None]
    return np.asarray(np.exp(0.5 * log_binomial + xlogy(two_j - k, cosine) + xlogy(k, sine)))


def _synthesis(bands: Complexes, phi: Floats) -> Floats:
    """Re[b_0 + 2 sum_{q>0} b_q e^(i q phi)] for bands (n_theta, n_q)."""
    phases = np.exp(1j * np.outer(np.arange(bands.shape[1]), phi))
    phases[1:] *= 2.0
    return np.asarray((bands @ phases).real)


def _window(psi: Complexes) -> tuple[int, int]:
    population = np.abs(psi) ** 2 if psi.ndim == 1 else np.diagonal(psi).real.clip(min=0.0)
    first = int(np.argmax(np.cumsum(population) > NEGLIGIBLE_TAIL))
    last = population.size - 1 - int(np.argmax(np.cumsum(population[::-1]) > NEGLIGIBLE_TAIL))
    return first, last


def _checked_angles(theta: ArrayLike, phi: ArrayLike) -> tuple[Floats, Floats]:
    t = np.atleast_1d(checks.numbers_array("theta", theta)).astype(np.float64)
    p = np.atleast_1d(checks.numbers_array("phi", phi)).astype(np.float64)
    if t.ndim != 1 or p.ndim != 1 or not np.all(np.isfinite(t)) or not np.all(np.isfinite(p)):
        raise InvalidInput(
            "theta and phi must be vectors of finite angles, the two sides of the grid; "
            f"got shapes {np.shape(theta)} and {np.shape(phi)}."
        )
    if np.any(t < 0.0) or np.any(t > np.pi + 1e-12):
        raise InvalidInput(
            f"theta must lie in [0, pi]; got {t.min():.6g} to {t.max():.6g}. Give radians."
        )
    return t, p
