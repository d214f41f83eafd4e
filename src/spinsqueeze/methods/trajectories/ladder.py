"""A pure state of total spin j as amplitudes over n flips from the pole: compiled loops.

Amplitudes of n = 0 ... M - 1 (m = j - n along the pole) stand in two rows, real and imaginary, with
PAD zeros before and after them; `root[n + PAD]` = sqrt(n (2j - n + 1)), so that
J_+ |n> = root_n |n - 1> and J_- |n> = root_(n+1) |n + 1>. two_j = 2j is an integer.

numba's cache on disk watches the file of a compiled function alone, not those that it calls: after
a change here, touch `walk.py` too.
"""

import math
from typing import Any

from numba import njit

PAD = 2
N_BANDS = 9
"""Bands of a generator, complex: d0, d1, d2, u0, u1, l0, l1, p, q, see `apply`."""

SUMS = {"reassoc", "contract"}
"""Sums may be taken in the order that vector instructions like."""


@njit(cache=True, nogil=True)
def fill_roots(root: Any, two_j: int, size: int) -> None:
    """sqrt(n (2j - n + 1)) of n = 0 ... size + 1, zero beyond the ladder."""
    root[0] = 0.0
    root[1] = 0.0
    for n in range(size + PAD):
        square = n * (two_j - n + 1.0)
        root[n + PAD] = math.sqrt(square) if square > 0.0 else 0.0


@njit(cache=True, nogil=True, fastmath=SUMS)
def apply(bands: Any, root: Any, x_re: Any, x_im: Any, y_re: Any, y_im: Any, size: int) -> None:
    """Y = G x with G = d0 + d1 n + d2 n^2 + J_+ (u0 + u1 n) + J_- (l0 + l1 n) + p J_+^2 + q J_-^2.

    n is that of the level acted on. Within n < size: what leaves the window is cut.
    """
    d0r, d0i = bands[0].real, bands[0].imag
    d1r, d1i = bands[1].real, bands[1].imag
    d2r, d2i = bands[2].real, bands[2].imag
    u0r, u0i = bands[3].real, bands[3].imag
    u1r, u1i = bands[4].real, bands[4].imag
    l0r, l0i = bands[5].real, bands[5].imag
    l1r, l1i = bands[6].real, bands[6].imag
    pr, pi = bands[7].real, bands[7].imag
    qr, qi = bands[8].real, bands[8].imag
    for n in range(size):
        k = n + PAD
        f = float(n)
        dr = d0r + f * (d1r + f * d2r)
        di = d0i + f * (d1i + f * d2i)
        up = root[k + 1]
        ur = up * (u0r + u1r * (f + 1.0))
        ui = up * (u0i + u1i * (f + 1.0))
        low = root[k]
        lr = low * (l0r + l1r * (f - 1.0))
        li = low * (l0i + l1i * (f - 1.0))
        up2 = up * root[k + 2]
        low2 = low * root[k - 1]
        a, b = x_re[k], x_im[k]
        c, d = x_re[k + 1], x_im[k + 1]
        e, g = x_re[k - 1], x_im[k - 1]
        o, w = up2 * x_re[k + 2], up2 * x_im[k + 2]
        s, v = low2 * x_re[k - 2], low2 * x_im[k - 2]
        y_re[k] = (
            (dr * a - di * b)
            + (ur * c - ui * d)
            + (lr * e - li * g)
            + (pr * o - pi * w)
            + (qr * s - qi * v)
        )
        y_im[k] = (
            (dr * b + di * a)
            + (ur * d + ui * c)
            + (lr * g + li * e)
            + (pr * w + pi * o)
            + (qr * v + qi * s)
        )


@njit(cache=True, nogil=True, fastmath=SUMS)
def squared_norm(x: Any, size: int) -> float:
    """|x|^2."""
    total = 0.0
    for n in range(size):
        k = n + PAD
        total += x[0, k] * x[0, k] + x[1, k] * x[1, k]
    return total


@njit(cache=True, nogil=True, fastmath=SUMS)
def weight_above(x: Any, size: int, level: int) -> float:
    """Sum |x_n|^2 of n >= level."""
    total = 0.0
    for n in range(size - level):
        k = n + level + PAD
        total += x[0, k] * x[0, k] + x[1, k] * x[1, k]
    return total


@njit(cache=True, nogil=True, fastmath=SUMS)
def overlap(x: Any, y: Any, size: int) -> float:
    """Re <x|y>."""
    total = 0.0
    for n in range(size):
        k = n + PAD
        total += x[0, k] * y[0, k] + x[1, k] * y[1, k]
    return total


@njit(cache=True, nogil=True, fastmath=SUMS)
def mean_spin(mean: Any, x: Any, root: Any, two_j: int, size: int, norm: float) -> None:
    """mean[:3] = <J> in the frame, mean[3] = j - <J_z> = <n>; norm = |x|^2."""
    re, im, n_mean = 0.0, 0.0, 0.0
    for n in range(size):
        k = n + PAD
        a, b, r = x[0, k - 1], x[1, k - 1], root[k]
        c, d = x[0, k], x[1, k]
        re += r * (a * c + b * d)
        im += r * (a * d - b * c)
        n_mean += float(n) * (c * c + d * d)
    mean[0], mean[1] = re / norm, im / norm
    mean[3] = n_mean / norm
    mean[2] = two_j / 2.0 - mean[3]


@njit(cache=True, nogil=True, fastmath=SUMS)
def covariance(out: Any, mean: Any, x: Any, root: Any, two_j: int, size: int, norm: float) -> None:
    """Out (3, 3) = <{J_a, J_b}>/2 - <J_a><J_b> in the frame, with `mean` from `mean_spin`.

    Written about the pole, so that nothing of order j^2 cancels.
    """
    square_re, square_im, with_n_re, with_n_im, n_square = 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(size):
        k = n + PAD
        f = float(n)
        c, d = x[0, k], x[1, k]
        a, b, r = x[0, k - 1], x[1, k - 1], root[k]
        with_n_re += r * (0.5 - f) * (a * c + b * d)
        with_n_im += r * (0.5 - f) * (a * d - b * c)
        a, b, r = x[0, k - 2], x[1, k - 2], root[k] * root[k - 1]
        square_re += r * (a * c + b * d)
        square_im += r * (a * d - b * c)
        n_square += (f - mean[3]) ** 2 * (c * c + d * d)
    square_re, square_im = square_re / norm, square_im / norm
    variance = n_square / norm
    n_mean = mean[3]
    flat = 0.5 * (two_j / 2.0 + n_mean * (two_j - n_mean) - variance)
    out[0, 0] = flat + 0.5 * square_re - mean[0] * mean[0]
    out[1, 1] = flat - 0.5 * square_re - mean[1] * mean[1]
    out[0, 1] = out[1, 0] = 0.5 * square_im - mean[0] * mean[1]
    out[2, 2] = variance
    out[0, 2] = out[2, 0] = with_n_re / norm + mean[0] * n_mean
    out[1, 2] = out[2, 1] = with_n_im / norm + mean[1] * n_mean


@njit(cache=True, nogil=True)
def same_spin(
    y: Any, x: Any, root: Any, plus: complex, minus: complex, z: complex, offset: complex, size: int
) -> float:
    """Y = (plus J_+ + minus J_- - z n + offset) x, cut at size; returns |y|^2."""
    total = 0.0
    for n in range(size):
        k = n + PAD
        value = (offset - z * float(n)) * complex(x[0, k], x[1, k])
        value += plus * root[k + 1] * complex(x[0, k + 1], x[1, k + 1])
        value += minus * root[k] * complex(x[0, k - 1], x[1, k - 1])
        y[0, k], y[1, k] = value.real, value.imag
        total += value.real * value.real + value.imag * value.imag
    return total


@njit(cache=True, nogil=True)
def to_lower_spin(
    y: Any, x: Any, plus: complex, minus: complex, z: complex, two_j: int, size: int
) -> float:
    """Y = B x of total spin j - 1, with the amplitudes B of the vector; returns |y|^2."""
    total = 0.0
    for n in range(size):
        k = n + PAD
        f = float(n)
        rest = two_j - f
        value = 0.0j
        if rest >= 2.0:
            value -= minus * math.sqrt(rest * (rest - 1.0)) * complex(x[0, k], x[1, k])
            value += z * math.sqrt((rest - 1.0) * (f + 1.0)) * complex(x[0, k + 1], x[1, k + 1])
            value += plus * math.sqrt((f + 1.0) * (f + 2.0)) * complex(x[0, k + 2], x[1, k + 2])
        y[0, k], y[1, k] = value.real, value.imag
        total += value.real * value.real + value.imag * value.imag
    return total


@njit(cache=True, nogil=True)
def to_higher_spin(
    y: Any, x: Any, plus: complex, minus: complex, z: complex, two_j: int, size: int
) -> float:
    """Y = D x of total spin j + 1, size + 2 levels; returns |y|^2."""
    total = 0.0
    for k in range(PAD, size + 2 + PAD):
        n = float(k - PAD)
        value = 0.0j
        if k < size + PAD:
            value -= (
                plus * math.sqrt((two_j - n + 1.0) * (two_j - n + 2.0)) * complex(x[0, k], x[1, k])
            )
        if n >= 1.0 and k - 1 < size + PAD:
            value += z * math.sqrt(n * (two_j - n + 2.0)) * complex(x[0, k - 1], x[1, k - 1])
        if n >= 2.0:
            value += minus * math.sqrt((n - 1.0) * n) * complex(x[0, k - 2], x[1, k - 2])
        y[0, k], y[1, k] = value.real, value.imag
        total += value.real * value.real + value.imag * value.imag
    return total


@njit(cache=True, nogil=True)
def clear(x: Any, start: int, stop: int) -> None:
    """x_n = 0 of start <= n < stop."""
    for k in range(start + PAD, stop + PAD):
        x[0, k] = 0.0
        x[1, k] = 0.0


@njit(cache=True, nogil=True)
def added(x: Any, factor: float, y: Any, size: int) -> None:
    """X = x + factor y."""
    for part in range(2):
        out, more = x[part], y[part]
        for n in range(size):
            out[n + PAD] += factor * more[n + PAD]


@njit(cache=True, nogil=True)
def resized(x: Any, scale: float, size: int) -> None:
    """X = scale x."""
    for n in range(size):
        k = n + PAD
        x[0, k] *= scale
        x[1, k] *= scale
