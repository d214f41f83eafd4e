"""The factor by which one spin multiplies a coherence of the spins it is coupled to.

An Ising coupling turns spin i about z by ``phi s^z_k``; a spin k that is not itself measured
enters only through ``F = <exp(i int J s^z_k dt)>``. Without jumps ``F = cos(phi/2) + i z
sin(phi/2)``. With decay and pumping s^z_k is a telegraph signal and F is a 2 x 2 exponential.
Everything here is in integrated, dimensionless numbers: ``phi = J t``, ``down = (decay rate) t``,
``up = (pumping rate) t``. Two numbers are computed without cancellation for small phi: ``F - 1``
and the connected ``<2 s^z_k exp(...)> - <2 s^z_k> F``. Where the three grow in other proportions
from one stretch of time to the next, the exponentials are multiplied.
"""

import cmath
import math

import numpy as np
from numba import njit

from spinsqueeze.core.arrays import Complexes, Floats

_INVERSE_FACTORIAL = np.array([1 / math.factorial(n) for n in range(20)])


@njit(cache=True)
def telegraph_terms(phi: float, down: float, up: float) -> tuple[complex, complex, complex]:
    """e^-k (cosh W - cosh k), e^-k (sinh W/W - sinh k/k) and e^-k sinh W/W.

    k = (down + up)/2, d = (down - up)/2, W^2 = (i phi/2 - d)^2 + down up, so that W(0) = k.
    The first two vanish with phi; their leading digits are kept.
    """
    k = 0.5 * (down + up)
    d = 0.5 * (down - up)
    change = complex(-0.25 * phi * phi, -phi * d)  # W^2 - k^2
    W2 = k * k + change
    damping = math.exp(-k)
    size = max(k * k, abs(W2.real) + abs(W2.imag))
    if size < 1.0:
        # cosh W - cosh k = sum_n (W^2n - k^2n)/(2n)!, and sinh with (2n + 1)!
        power = 1.0
        quotient = 1.0 + 0.0j  # (W^2n - k^2n)/(W^2 - k^2)
        cosh_part = 0.5 + 0.0j
        sinh_part = _INVERSE_FACTORIAL[3] + 0.0j
        still = 1 + k * k * _INVERSE_FACTORIAL[3]  # sinh k/k
        # first term left out: below 1e-17 of the first
        for n in range(2, 6 if size < 0.01 else 10):
            power *= k * k
            quotient = W2 * quotient + power
            cosh_part += _INVERSE_FACTORIAL[2 * n] * quotient
            sinh_part += _INVERSE_FACTORIAL[2 * n + 1] * quotient
            still += _INVERSE_FACTORIAL[2 * n + 1] * k * k * power
        sinh_part *= damping * change
        return damping * change * cosh_part, sinh_part, damping * still + sinh_part
    W = cmath.sqrt(W2)
    total = W + k
    h = 0.5 * change / total  # (W - k)/2
    sinh_h = cmath.sinh(h)
    grow = cmath.exp(h)
    fall = cmath.exp(-0.5 * total - k)
    cosh_part = (grow - fall) * sinh_h
    still = -0.5 * math.expm1(-2 * k)  # e^-k sinh k
    if abs(W2) < 0.1:  # then k >= 1 and phi is not small
        shape = damping * (1 + W2 / 6 * (1 + W2 / 20 * (1 + W2 / 42 * (1 + W2 / 72))))
        return cosh_part, shape - still / k, shape
    shape = 0.5 * (cmath.exp(2 * h) - cmath.exp(-total)) / W
    if k == 0.0:
        return cosh_part, shape - 1.0, shape
    sinh_part = ((grow + fall) * sinh_h - 2 * h * still / k) / W
    return cosh_part, sinh_part, shape


@njit(cache=True)
def factor_minus_one(phi: float, z: float, down: float, up: float) -> complex:
    """F - 1, to full relative accuracy for small phi; z is the initial <2 s^z>."""
    if down == 0.0 and up == 0.0:
        return complex(-2 * math.sin(0.25 * phi) ** 2, z * math.sin(0.5 * phi))
    cosh_part, sinh_part, shape = telegraph_terms(phi, down, up)
    return cosh_part + 0.5 * (down + up) * sinh_part + 0.5j * z * phi * shape


@njit(cache=True)
def connected_z_factor(phi: float, z: float, down: float, up: float) -> complex:
    """<2 s^z exp(i int J s^z)> - <2 s^z> F; without jumps i (1 - z^2) sin(phi/2)."""
    if down == 0.0 and up == 0.0:
        return complex(0.0, (1 - z) * (1 + z) * math.sin(0.5 * phi))
    k = 0.5 * (down + up)
    d = 0.5 * (down - up)
    cosh_part, sinh_part, shape = telegraph_terms(phi, down, up)
    rotation = 0.5j * phi * shape
    f = cosh_part + k * sinh_part + z * rotation
    z_now = z * math.exp(-2 * k) + d / k * math.expm1(-2 * k)
    return z * cosh_part - (2 * d + k * z) * sinh_part + rotation - z_now * f


@njit(cache=True)
def after_stretch(
    change: complex, connected: complex, mean: float, phi: float, down: float, up: float
) -> tuple[complex, complex, float]:
    """(F - 1, <2 s^z exp(...)> - <2 s^z> F, <2 s^z>) after one stretch more; NOTES.md."""
    if phi == 0.0 and down == 0.0 and up == 0.0:
        return change, connected, mean
    k = 0.5 * (down + up)
    d = 0.5 * (down - up)
    cosh_part, sinh_part, shape = telegraph_terms(phi, down, up)
    total = 1 + change
    swing = 0.5j * phi * shape
    step = (cosh_part + k * sinh_part) * total + swing * (mean * total + connected)
    mean_now = mean if k == 0.0 else mean * math.exp(-2 * k) + d / k * math.expm1(-2 * k)
    connected_now = (
        ((cosh_part - k * sinh_part) * mean + swing - 2 * d * sinh_part) * total
        + (math.exp(-2 * k) + cosh_part - k * sinh_part) * connected
        - mean_now * step
    )
    return change + step, connected_now, mean_now


@njit(cache=True)
def history_minus_one(
    phi_a: Floats, phi_b: Floats, sign: float, z: float, down: Floats, up: Floats
) -> complex:
    """F - 1 of a spin that turns others by phi_a + sign phi_b; arrays by stretch (S,)."""
    if len(phi_a) == 1:
        return factor_minus_one(phi_a[0] + sign * phi_b[0], z, down[0], up[0])
    change, connected, mean = 0.0j, 0.0j, z
    for s in range(len(phi_a)):
        angle = phi_a[s] + sign * phi_b[s]
        change, connected, mean = after_stretch(change, connected, mean, angle, down[s], up[s])
    return change


@njit(cache=True)
def fill_factors(
    phi: Floats,
    z: Floats,
    down: Floats,
    up: Floats,
    f: Complexes,
    h: Complexes,
) -> None:
    """Fill F - 1 and the connected z factor of every spin k seen by every spin i, with jumps."""
    for i in range(phi.shape[0]):
        for k in range(phi.shape[1]):
            if phi.shape[2] == 1:
                f[i, k] = factor_minus_one(phi[i, k, 0], z[k], down[k, 0], up[k, 0])
                h[i, k] = connected_z_factor(phi[i, k, 0], z[k], down[k, 0], up[k, 0])
                continue
            angle = phi[i, k].sum()
            if not (np.any(down[k] > 0) or np.any(up[k] > 0)):
                f[i, k] = factor_minus_one(angle, z[k], 0.0, 0.0)
                h[i, k] = connected_z_factor(angle, z[k], 0.0, 0.0)
                continue
            change, connected, mean = 0.0j, 0.0j, z[k]
            for s in range(phi.shape[2]):
                change, connected, mean = after_stretch(
                    change, connected, mean, phi[i, k, s], down[k, s], up[k, s]
                )
            f[i, k] = change
            h[i, k] = connected
