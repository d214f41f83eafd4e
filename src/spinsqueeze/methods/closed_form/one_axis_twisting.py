"""One-axis twisting of any coherent state, without cancellation up to a million spins.

``H = chi S_z^2 + omega S_z`` from the coherent state along any direction. NOTES.md derives
the formulas in the frame that follows the mean spin in the x-y plane; only there can all six
entries of the covariance be written as sums of terms that do not cancel.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput


def one_axis_twisting_moments(
    n_spins: int,
    *,
    direction: ArrayLike,
    twisting: ArrayLike,
    rotation: ArrayLike = 0.0,
    dephasing: ArrayLike = 0.0,
) -> tuple[Floats, Floats]:
    """Mean spin and covariance of one-axis twisting.

    ``H = chi(t) S_z^2 + omega(t) S_z`` from the coherent state of n_spins spins along
    `direction`; local dephasing makes every coherence decay. Only the time integrals enter.
    Valid for every angle, revivals included, and every n_spins >= 1. With a transverse
    direction every entry is right to about 1e-13 relative (in the frame of the mean spin) at
    n_spins = 1e6; with a z component the phase ``(N - 1) arg(cos mu + i z sin mu)`` is only
    known to ``N * 1e-16``, as for any number computed from a rounded time.

    Args:
        n_spins: number N of spins.
        direction: (3,) direction of the initial state, of any length > 0.
        twisting: (T,) integral of chi [1].
        rotation: (T,) or scalar, integral of omega [1].
        dephasing: (T,) or scalar, integral of the local dephasing rate [1]: single-spin
            coherences carry exp(-dephasing).

    Returns:
        spin (T, 3): <S_a>; covariance (T, 3, 3): <{S_a, S_b}>/2 - <S_a><S_b>.

    Raises:
        InvalidInput: n_spins < 1, a direction without length, or times of unequal lengths.

    Source: kitagawa1993 (transverse); generating function in NOTES.md for the rest.
    """
    if n_spins < 1:
        raise InvalidInput(f"n_spins must be at least 1; got {n_spins}")
    N = float(n_spins)
    x, y, z, w = _unit_direction(direction)
    mu = np.atleast_1d(np.asarray(twisting, dtype=np.float64))
    if mu.ndim != 1:
        raise InvalidInput(f"twisting must be one-dimensional (T,); got shape {mu.shape}")
    theta = _along_times(rotation, len(mu), name="rotation")
    Gamma = _along_times(dephasing, len(mu), name="dephasing")

    c, s, c2 = np.cos(mu), np.sin(mu), np.cos(2 * mu)
    g_squared = c * c + (z * s) ** 2
    log_g_squared = _log_near_one(g_squared, -w * s * s)
    # g = cos mu + i z sin mu = sign |g| exp(i alpha), alpha in (-pi/2, pi/2]
    sign = np.where(c < 0, -1.0, 1.0)
    alpha = np.arctan2(z * s * sign, np.abs(c))
    parity = sign if (n_spins - 1) % 2 else np.ones_like(sign)

    transverse = math.sqrt(w)
    azimuth = (x + 1j * y) / transverse if transverse > 0 else 1.0 + 0.0j
    u = azimuth * parity * np.exp(1j * theta) * np.exp(1j * (N - 1) * alpha)

    log_mean_squared = _times(N - 1, log_g_squared) - 2 * Gamma
    length = 0.5 * N * transverse * np.exp(0.5 * log_mean_squared)
    spin = np.stack([length * u.real, length * u.imag, np.full_like(mu, 0.5 * N * z)], axis=-1)

    # frame (along u, across u, z): the terms of single spins
    along = 0.25 * N * (z * z - w * np.expm1(log_mean_squared))
    across = np.full_like(mu, 0.25 * N)
    along_across = np.zeros_like(mu)
    along_z = -0.25 * N * z * transverse * np.exp(0.5 * log_mean_squared)
    across_z = np.zeros_like(mu)
    if n_spins > 1:
        pairs = 0.125 * N * (N - 1) * w * np.exp(-2 * Gamma)
        plus, minus, cross = _pair_terms(N, z, w, c, s, c2, g_squared, log_g_squared, alpha)
        along = along + pairs * plus
        across = across + pairs * minus
        along_across = pairs * cross
        g_power = np.exp(_times(0.5 * (N - 2), log_g_squared) - Gamma)
        lever = 0.25 * N * (N - 1) * w * transverse * s * g_power * sign
        along_z = along_z + lever * np.sin(alpha)
        across_z = lever * np.cos(alpha)

    covariance = np.empty((len(mu), 3, 3))
    ux, uy = u.real, u.imag
    covariance[:, 0, 0] = along * ux**2 + across * uy**2 - 2 * along_across * ux * uy
    covariance[:, 1, 1] = along * uy**2 + across * ux**2 + 2 * along_across * ux * uy
    covariance[:, 0, 1] = (along - across) * ux * uy + along_across * (ux**2 - uy**2)
    covariance[:, 0, 2] = along_z * ux - across_z * uy
    covariance[:, 1, 2] = along_z * uy + across_z * ux
    covariance[:, 2, 2] = 0.25 * N * w
    for a, b in ((1, 0), (2, 0), (2, 1)):
        covariance[:, a, b] = covariance[:, b, a]
    return spin, covariance


def _pair_terms(
    N: float,
    z: float,
    w: float,
    c: Floats,
    s: Floats,
    c2: Floats,
    g_squared: Floats,
    log_g_squared: Floats,
    alpha: Floats,
) -> tuple[Floats, Floats, Floats]:
    """(P + M, M - P, Im) of the connected pair correlators in the frame of the mean spin.

    With g2 = cos 2mu + i z sin 2mu, e = g2^(N-2) exp(-2i(N-1) arg g) and G = |g|^(2(N-1)):
    1 + Re e - 2G, 1 - Re e, Im e.
    """
    s2 = s * s
    sine = 2 * s * c
    a = _times(0.5 * (N - 2), _log_near_one(c2 * c2 + (z * sine) ** 2, -w * sine * sine))
    # arg(g2/g^2), and its sign taken out so that a power keeps the exact parity
    real = c * c * c2 + z * z * s2 * (1 + 2 * c * c)
    imag = 2 * w * z * c * s * s2
    flip = real < 0
    beta = np.arctan2(np.where(flip, -imag, imag), np.abs(real))
    odd = flip & (int(N) % 2 == 1)
    b = (N - 2) * beta - 2 * alpha

    e = np.exp(a)
    one_minus = -np.expm1(a) + 2 * e * np.where(odd, np.cos(0.5 * b), np.sin(0.5 * b)) ** 2
    one_plus = -np.expm1(a) + 2 * e * np.where(odd, np.sin(0.5 * b), np.cos(0.5 * b)) ** 2
    E2 = (N - 1) * log_g_squared
    along = one_plus - 2 * np.exp(E2)
    cross = np.where(odd, -1.0, 1.0) * e * np.sin(b)

    # near mu = 0, pi: 1 + Re e - 2G = (1 - e^(a/2))^2 + 2(e^(a/2) - G) - 2 e^a sin^2(b/2)
    near = ~odd & (E2 > -1.0) & (w * sine * sine < 0.75)
    if np.any(near):
        s2, a, b, E2, g4 = s2[near], a[near], b[near], E2[near], g_squared[near] ** 2
        Y = s2 * s2 * (4 * w - 6 * w**2 + 4 * w**3 * s2 - w**4 * s2 * s2) / (g4 * g4)
        ratio = (-2 * w * s2 + (4 * w - w * w) * s2 * s2) / g4
        X = 0.25 * N * np.log1p(Y) - 0.5 * np.log1p(ratio)
        along[near] = (
            np.expm1(0.5 * a) ** 2
            + 2 * np.exp(E2) * np.expm1(X)
            - 2 * np.exp(a) * np.sin(0.5 * b) ** 2
        )
    return along, one_minus, cross


def _log_near_one(value: Floats, minus_one: Floats) -> Floats:
    """log(value) from value and from value - 1, whichever is the better known."""
    with np.errstate(divide="ignore"):
        return np.where(value > 0.5, np.log1p(np.maximum(minus_one, -0.75)), np.log(value))


def _times(power: float, logarithm: Floats) -> Floats:
    """Product power * logarithm, with 0 * (-inf) = 0."""
    return power * logarithm if power != 0 else np.zeros_like(logarithm)


def _unit_direction(direction: ArrayLike) -> tuple[float, float, float, float]:
    """(x, y, z, x^2 + y^2) of the normalised direction."""
    v = np.asarray(direction, dtype=np.float64)
    if v.shape != (3,) or not np.all(np.isfinite(v)) or not np.any(v):
        raise InvalidInput(
            f"direction must be three finite numbers, not all zero; got {direction!r}"
        )
    v = v / np.max(np.abs(v))
    v = v / math.sqrt(float(v @ v))
    return float(v[0]), float(v[1]), float(v[2]), float(v[0] ** 2 + v[1] ** 2)


def _along_times(value: ArrayLike, n_times: int, *, name: str) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != n_times):
        raise InvalidInput(
            f"{name} must be one number or one a time ({n_times}); got shape {array.shape}"
        )
    return np.broadcast_to(array, (n_times,))
