"""Rotation matrix elements and the Wigner kernel of a spin j, stable up to j = 5000 and beyond.

Index k of the Dicke basis stands for m = j - k, k = 0 ... 2j: all spins up first.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spinsqueeze.core.arrays import Floats

RESCALE_EVERY = 8
RESCALE_ABOVE = 1e100
TINY_SINE = 1e-12
"""Below this sine of the polar angle a rotation counts as none (or as a full flip)."""


@lru_cache(maxsize=8)
def wigner_kernel_eigenvalues(two_j: int) -> Floats:
    """Eigenvalues Delta_m of the Stratonovich-Weyl kernel Delta(z), m = j ... -j.

    Delta_m = sum_{l=0}^{2j} sqrt((2l+1)/(2j+1)) t_l(m), t_l(m) = <j m|T_l0|j m> the orthonormal
    discrete Chebyshev (Gram) polynomials with t_l(j) > 0 (dowling1994). sum_m Delta_m = 1 and
    sum_m Delta_m^2 = 2j+1.

    For each l the t_l obey a three-term recurrence in m,
    a_m t(m+1) + a_{m-1} t(m-1) = [2(j(j+1) - m^2) - l(l+1)] t(m), a_m = j(j+1) - m(m+1), which is
    stable from m = j inwards (t grows there); t_l(-m) = (-1)^l t_l(m) gives the other half. Two
    passes, the first for the norms: O(j^2) time, O(j) memory; rescaled on the way, so nothing
    overflows.

    Args:
        two_j: 2j.

    Returns:
        (2j+1,), read-only.
    """
    n = two_j
    ell = np.arange(n + 1, dtype=np.float64)
    casimir = ell * (ell + 1.0)
    steps = n // 2  # index k = 0 ... n//2 covers m >= 0
    has_centre = n % 2 == 0
    weight = np.sqrt((2.0 * ell + 1.0) / (n + 1.0))
    alternating = np.where(np.arange(n + 1) % 2 == 0, 1.0, -1.0)

    norm = np.zeros(n + 1)
    scale = np.ones(n + 1)
    upper = np.zeros(steps + 1)
    lower = np.zeros(steps + 1)
    for final in (False, True):
        previous = np.zeros(n + 1)
        current = np.ones(n + 1)
        exponent = np.zeros(n + 1)
        for k in range(steps + 1):
            if final:
                value = current * np.exp(exponent - scale) / norm * weight
                upper[k] = value.sum()
                lower[k] = value @ alternating
            else:
                centre = has_centre and k == steps
                norm += current**2 if centre else 2.0 * current**2
            if k == steps:
                break
            # In terms of k: coupling of k and k+1 is (k+1)(n-k).
            diagonal = (k + 1.0) * (n - k) + k * (n - k + 1.0) - casimir
            following = (diagonal * current - k * (n - k + 1.0) * previous) / ((k + 1.0) * (n - k))
            previous, current = current, following
            if k % RESCALE_EVERY == 0:
                big = np.abs(current) > RESCALE_ABOVE
                if big.any():
                    factor = np.where(big, np.abs(current), 1.0)
                    previous = previous / factor
                    current = current / factor
                    exponent += np.log(factor)
                    if not final:
                        norm /= factor**2
        if not final:
            scale = exponent
            norm = np.sqrt(norm)
    kernel = np.empty(n + 1)
    kernel[: steps + 1] = upper
    kernel[n - steps :] = lower[::-1]
    kernel.flags.writeable = False
    return kernel


def rotation_elements(two_j: int, *, first: int, last: int, theta: Floats) -> Floats:
    """Elements d_{m mu}(theta) = <j m|exp(-i theta S_y)|j mu> for a window of m and all mu.

    Each row obeys m d_{m mu} = mu cos(theta) d_{m mu}
    - (sin(theta)/2) [c_mu d_{m, mu+1} + c_{mu-1} d_{m, mu-1}], c_mu = sqrt((j-mu)(j+mu+1)).
    It is run from both ends inwards, where it is stable, rescaled against overflow, matched at
    mu = m cos(theta), the middle of the classically allowed region, and normalised; the sign
    follows from d_{m j} > 0 for 0 < theta < pi.

    Args:
        two_j: 2j.
        first: start of the window of row indices k = j - m.
        last: its end, included.
        theta: (n,) polar angles in [0, pi].

    Returns:
        (2j+1, n, last - first + 1): mu by theta by m. Time and memory O(j n window).
    """
    n = two_j
    j = 0.5 * n
    rows = np.arange(first, last + 1)
    m = np.broadcast_to(j - rows, (theta.size, rows.size)).ravel()
    cosine = np.repeat(np.cos(theta), rows.size)
    sine = np.repeat(np.sin(theta), rows.size)
    still = sine < TINY_SINE
    safe_sine = np.where(still, 1.0, sine)

    down = _one_sided(n, m, cosine, safe_sine)
    # From below: mu -> -mu, m -> -m maps the recurrence to itself with c_mu reversed, up to the
    # sign of cos(theta) mu - m, that is of the off-diagonal part: (-1)^(j+mu).
    up = _one_sided(n, -m, cosine, safe_sine)[::-1]
    signs = np.where(np.arange(n + 1) % 2 == 0, 1.0, -1.0)
    up *= signs[:, None]

    columns = np.arange(m.size)
    meet = np.clip(np.rint(j - m * cosine).astype(np.int64), 0, max(n - 1, 0))
    after = np.minimum(meet + 1, n)
    d0, d1 = down[meet, columns], down[after, columns]
    u0, u1 = up[meet, columns], up[after, columns]
    size = np.hypot(u0, u1)
    factor = (d0 * (u0 / size) + d1 * (u1 / size)) / size
    np.multiply(up, factor, out=up)
    below = np.arange(n + 1)[:, None] > meet
    np.copyto(down, up, where=below)
    down /= np.sqrt(np.einsum("ab,ab->b", down, down))
    if still.any():
        down[:, still] = 0.0
        place = np.where(cosine > 0.0, j - m, j + m).astype(np.int64)
        # exp(-i pi S_y)|j mu> = (-1)^(j - mu) |j -mu>
        flip = np.where(cosine > 0.0, 1.0, np.where(place % 2 == 0, 1.0, -1.0))
        down[place[still], np.flatnonzero(still)] = flip[still]
    return down.reshape(n + 1, theta.size, rows.size)


def _one_sided(n: int, m: Floats, cosine: Floats, sine: Floats) -> Floats:
    """The row recurrence from mu = j down to -j, each column scaled so that its end is of order 1.

    Beyond the allowed region the result is meaningless (and discarded by the caller). Values so
    small that the scaling sends them below 1e-300 become zero.
    """
    j = 0.5 * n
    table = np.empty((n + 1, m.size))
    exponents = np.zeros((n // RESCALE_EVERY + 1, m.size))
    table[0] = 1.0
    k = np.arange(n + 1.0)
    coupling = np.sqrt((k + 1.0) * (n - k))  # between k and k+1
    inverse = 2.0 / sine
    slope, offset = cosine * inverse, m * inverse
    # No value after the meeting point is used: freeze the exponent there, or the unstable
    # growth beyond it would push the good values below the smallest number.
    stop = np.clip(np.rint(j - m * cosine).astype(np.int64) + 1, 0, n)
    running = np.zeros(m.size)
    for i in range(n):
        following = ((j - i) * slope - offset) * table[i]
        if i:
            following -= coupling[i - 1] * table[i - 1]
        following /= coupling[i]
        table[i + 1] = following
        if (i + 1) % RESCALE_EVERY == 0:
            epoch = (i + 1) // RESCALE_EVERY
            size = np.maximum(np.abs(following), np.abs(table[i]))
            big = size > RESCALE_ABOVE
            if big.any():
                factor = np.where(big, size, 1.0)
                table[i + 1] /= factor
                # the last row of the former epoch continues the recurrence, in the new scale
                table[i] /= factor
                running += np.where(i <= stop, np.log(factor), 0.0)
            exponents[epoch] = running
    return _unscaled(table, exponents, running)


def _unscaled(table: Floats, exponents: Floats, running: Floats) -> Floats:
    """Brings all epochs to the scale of the last; each begins one row early (see above)."""
    last = exponents.shape[0] - 1
    for epoch in range(last + 1):
        shift = exponents[epoch] - running
        if shift.any():
            start = max(epoch * RESCALE_EVERY - 1, 0)
            stop = (epoch + 1) * RESCALE_EVERY - 1 if epoch < last else table.shape[0]
            table[start:stop] *= np.exp(shift)
    return table
