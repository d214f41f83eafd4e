"""Truncated power series: products, inverses, roots, the least variance of a squeezed state.

Orders are the first axis, the last one holds many series; sums run in one order, so that a series
has the same bits in any company.
"""

from functools import reduce
from operator import add
from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers

ROUNDING = 1e-11
"""Coefficients below this fraction of the largest count as zero where a leading one is sought."""
NOISE = 32 * float(np.finfo(np.float64).eps)
NOT_WHOLE = -2
"""In place of a leading order: the root is no series in whole powers."""


def total(parts: Any) -> Any:
    """The sum over the first axis."""
    return reduce(add, parts)


def times(a: Floats, b: Floats) -> Floats:
    """The product of (K, ...), to the length of both."""
    shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
    out = np.zeros((len(a), *shape))
    for k, coefficient in enumerate(a):
        if np.any(coefficient):
            out[k:] += coefficient * b[: len(a) - k]
    return out


def inverse(a: Floats) -> Floats:
    """1/a of (K, P), a[0] != 0."""
    out = np.zeros(a.shape)
    out[0] = 1 / a[0]
    for k in range(1, len(a)):
        out[k] = -out[0] * total(a[i] * out[k - i] for i in range(1, k + 1))
    return out


def leading(a: Floats, *, noise: Floats) -> Integers:
    """The order p at which sqrt(a) begins, a (K, P) for lambda > 0; below `noise` a is zero.

    a = lambda^(2p) (c + ...), c > 0. K where a is zero, NOT_WHOLE where there is no such p.
    """
    count = len(a)
    floor = np.maximum(ROUNDING * np.abs(a).max(axis=0), noise)
    seen = np.abs(a) > floor
    first = np.where(seen.any(axis=0), seen.argmax(axis=0), -1)
    value = np.take_along_axis(a, np.maximum(first, 0)[None], axis=0)[0]
    out = np.where((first % 2 == 1) | (value < 0), NOT_WHOLE, first // 2)
    return np.asarray(np.where(first < 0, count, out), dtype=np.int64)


def root(a: Floats, *, order: int) -> Floats:
    """sqrt(a) (K - order, P) that begins at lambda^order, see `leading`.

    lambda^p sqrt(c) (1 + ...), p orders shorter: the last p coefficients are not known.
    """
    if order == len(a):
        return np.zeros(a.shape)
    start = a[2 * order]
    rest = a[2 * order :] / start
    out = np.zeros(rest.shape)
    out[0] = 1.0
    for k in range(1, len(rest)):
        known = total(out[i] * out[k - i] for i in range(1, k)) if k > 1 else 0.0
        out[k] = (rest[k] - known) / 2
    return np.concatenate([np.zeros((order, a.shape[1])), np.sqrt(start) * out])


def least_xi2(n_spins: int, spin: Floats, covariance: Floats) -> list[Floats]:
    """The series of xi2 from those of <S> (K, 3, P) and the covariance (K, 3, 3, P), lambda > 0.

    With T the trace and D the determinant of C across the mean spin, xi2 = N (T - sqrt(T^2 - 4 D))
    /(2 |S|^2); T = tr C - S.C S/|S|^2, D = S.adj(C) S/|S|^2. T^2 - 4 D is the square of the
    difference of two variances: where that begins at order p, its orders up to K + p follow from
    those up to K, while orders beyond K of S and C cancel: zeros stand for them. Orders up to 2 K
    are enough for every p that is seen.

    Returns:
        One series a model, empty where xi2 has none in whole powers.
    """
    count = len(spin)
    spin, covariance = (
        np.concatenate([part, np.zeros((count - 1, *part.shape[1:]))])
        for part in (spin, covariance)
    )
    S, C = spin / (n_spins / 2), covariance / (n_spins / 4)
    size = np.maximum(np.abs(S).max(axis=1), np.abs(C).max(axis=(1, 2)))
    pace = _pace(size)
    S, C = S / pace[:, None], C / pace[:, None, None]
    moved = total(total(np.abs(S[1:]).swapaxes(0, 1)))
    largest = np.abs(C).max(axis=(0, 1, 2))
    noise = NOISE * largest * (largest + n_spins * moved**2)  # <S_a><S_b> cancel in C

    def dot(M: Floats) -> Floats:
        """S.M S."""
        image = total(times(S[:, :, None], M).swapaxes(0, 1))
        return np.asarray(total(times(S, image).swapaxes(0, 1)))

    a, b = np.indices((3, 3))
    b, a = np.array([[b + 1, b + 2], [a + 1, a + 2]]) % 3
    adjugate = times(C[:, b[0], a[0]], C[:, b[1], a[1]]) - times(C[:, b[0], a[1]], C[:, b[1], a[0]])
    length = inverse(total(times(S, S).swapaxes(0, 1)))
    T = C[:, 0, 0] + C[:, 1, 1] + C[:, 2, 2] - times(dot(C), length)
    D = times(dot(adjugate), length)
    square = times(T, T) - 4 * D
    begins = leading(square, noise=noise)
    out = [np.zeros(0)] * len(begins)
    for order in np.unique(begins[begins != NOT_WHOLE]):
        models = np.flatnonzero(begins == order)
        gap = root(square[:, models], order=int(order))
        known = len(gap)
        half = (T[:known, models] - gap) / 2
        series = times(half, length[:known, models]) * pace[:known, models]
        for model, coefficients in zip(models, series[:count].T, strict=True):
            out[model] = coefficients.copy()
    return out


def _pace(size: Floats) -> Floats:
    """Powers of a power of two by which coefficients of sizes (K, P) are of the order of 1."""
    orders = np.arange(len(size))[:, None]
    logs = np.log2(np.where(size[1:] > 0, size[1:], 1.0)) / orders[1:]
    rate = np.where(size[1:] > 0, logs, -np.inf).max(axis=0)
    return np.asarray(2.0 ** (np.where(np.isfinite(rate), np.round(rate), 0.0) * orders))


def radius(series: Floats) -> float:
    """Estimate of the radius of convergence: |c_k|^(-1/k), the smallest of the last two known."""
    size = float(np.abs(series).max(initial=0.0))
    orders = [k for k in range(1, len(series)) if abs(series[k]) > ROUNDING * size]
    if not orders:
        return np.inf
    return float(min(abs(series[k] / series[0]) ** (-1.0 / k) for k in orders[-2:]))


def pade(series: Floats) -> Floats:
    """The values (P,) at lambda = 1 of the diagonal Pade forms of (K, P).

    The plain sum where there is none. p/q with q = 1 + q_1 lambda + ... + q_m lambda^m:
    sum_i q_i c_(n - i) = 0 for the m orders n beyond that of p.
    """
    count = len(series)
    m = (count - 1) // 2
    top = count - 1 - m
    lags = top + 1 + np.arange(m)[:, None] - np.arange(1, m + 1)
    q = np.zeros(series.shape)
    q[0] = 1.0
    if m:
        matrix = np.where(lags[..., None] >= 0, series[np.maximum(lags, 0)], 0.0)
        solved = np.linalg.pinv(np.moveaxis(matrix, -1, 0), rcond=ROUNDING)
        by_row = solved.transpose(2, 1, 0)  # (equation, unknown, P)
        q[1 : m + 1] = -total(by_row * series[top + 1 :, None])
    below = total(q)
    defined = below != 0
    above = total(times(series, q)[: top + 1])
    return np.asarray(np.where(defined, above / np.where(defined, below, 1.0), total(series)))
