"""Truncated power series: products, inverses, roots, the least variance of a squeezed state."""

import numpy as np

from spinsqueeze.core.arrays import Floats

ROUNDING = 1e-11
"""Coefficients below this fraction of the largest count as zero where a leading one is sought."""
NOISE = 32 * float(np.finfo(np.float64).eps)


def times(a: Floats, b: Floats) -> Floats:
    """The product, to the length of both."""
    return np.asarray(np.convolve(a, b)[: len(a)])


def inverse(a: Floats) -> Floats:
    """1/a, a[0] != 0."""
    out = np.zeros(len(a))
    out[0] = 1 / a[0]
    for k in range(1, len(a)):
        out[k] = -out[0] * (a[1 : k + 1] @ out[k - 1 :: -1][:k])
    return out


def root(a: Floats, *, noise: float = 0.0) -> tuple[Floats, bool]:
    """sqrt(a) for lambda > 0, and whether it is a series in whole powers.

    a = lambda^(2p) (c + ...), c > 0: lambda^p sqrt(c) (1 + ...), p orders shorter: the last p
    coefficients are not known and are left out. Below `noise` they count as zero.
    """
    scale = float(np.abs(a).max(initial=0.0))
    leading = np.flatnonzero(np.abs(a) > max(ROUNDING * scale, noise))
    if not len(leading):
        return np.zeros(len(a)), True
    first = int(leading[0])
    if first % 2 or a[first] < 0:
        return np.zeros(len(a)), False
    p = first // 2
    rest = a[first:] / a[first]
    out = np.zeros(len(rest))
    out[0] = 1.0
    for k in range(1, len(rest)):
        out[k] = (rest[k] - out[1:k] @ out[k - 1 : 0 : -1]) / 2
    return np.concatenate([np.zeros(p), np.sqrt(a[first]) * out]), True


def least_xi2(n_spins: int, spin: Floats, covariance: Floats) -> Floats:
    """The series of xi2 from those of <S> (3, K) and the covariance (3, 3, K), lambda > 0.

    With T the trace and D the determinant of C across the mean spin, xi2 = N (T - sqrt(T^2 - 4 D))
    /(2 |S|^2); T = tr C - S.C S/|S|^2, D = S.adj(C) S/|S|^2. T^2 - 4 D is the square of the
    difference of two variances: where that begins at order p, its orders up to K + p follow from
    those up to K, while orders beyond K of S and C cancel: zeros stand for them. Orders up to 2 K
    are enough for every p that is seen.
    """
    count = spin.shape[-1]
    spin, covariance = (
        np.concatenate([part, np.zeros((*part.shape[:-1], count - 1))], axis=-1)
        for part in (spin, covariance)
    )
    S, C = spin / (n_spins / 2), covariance / (n_spins / 4)
    size = np.maximum(np.abs(S).max(axis=0), np.abs(C).max(axis=(0, 1)))
    pace = _pace(size)
    S, C = S / pace, C / pace
    moved = np.abs(S[:, 1:]).sum()  # <S_a><S_b> cancel in C
    noise = NOISE * float(np.abs(C).max()) * float(np.abs(C).max() + n_spins * moved**2)

    def dot(v: Floats, M: Floats) -> Floats:
        terms = [times(times(v[a], M[a, b]), v[b]) for a in range(3) for b in range(3)]
        return np.asarray(np.sum(terms, axis=0))

    adjugate = np.array(
        [
            [
                times(C[(b + 1) % 3, (a + 1) % 3], C[(b + 2) % 3, (a + 2) % 3])
                - times(C[(b + 1) % 3, (a + 2) % 3], C[(b + 2) % 3, (a + 1) % 3])
                for b in range(3)
            ]
            for a in range(3)
        ]
    )
    length = inverse(np.sum([times(s, s) for s in S], axis=0))
    T = C[0, 0] + C[1, 1] + C[2, 2] - times(dot(S, C), length)
    D = times(dot(S, adjugate), length)
    gap, whole = root(times(T, T) - 4 * D, noise=noise)
    if not whole:
        return np.zeros(0)
    known = min(len(gap), len(T))
    least = times((T[:known] - gap[:known]) / 2, length[:known])
    return (least * pace[:known])[:count]


def _pace(size: Floats) -> Floats:
    """Powers of a power of two by which coefficients of these sizes are of the order of 1."""
    orders = np.arange(1, len(size))
    seen = size[1:] > 0
    if not np.any(seen):
        return np.ones(len(size))
    rate = np.max(np.log2(size[1:][seen]) / orders[seen])
    return np.asarray(2.0 ** (np.round(rate) * np.arange(len(size))))


def radius(series: Floats) -> float:
    """Estimate of the radius of convergence: |c_k|^(-1/k), the smallest of the last two known."""
    size = float(np.abs(series).max(initial=0.0))
    orders = [k for k in range(1, len(series)) if abs(series[k]) > ROUNDING * size]
    if not orders:
        return np.inf
    return float(min(abs(series[k] / series[0]) ** (-1.0 / k) for k in orders[-2:]))


def pade(series: Floats) -> float:
    """The value at lambda = 1 of the diagonal Pade form; the plain sum where it has none.

    p/q with q = 1 + q_1 lambda + ... + q_m lambda^m: sum_i q_i c_(n - i) = 0 for the m orders n
    beyond that of p.
    """
    m = (len(series) - 1) // 2
    top = len(series) - 1 - m
    lags = top + 1 + np.arange(m)[:, None] - np.arange(1, m + 1)
    matrix = np.where(lags >= 0, series[np.maximum(lags, 0)], 0.0)
    solution, *_ = np.linalg.lstsq(matrix, -series[top + 1 :], rcond=ROUNDING)
    q = np.concatenate([[1.0], solution])
    p = np.convolve(series, q)[: top + 1]
    return float(p.sum() / q.sum()) if q.sum() else float(series.sum())
