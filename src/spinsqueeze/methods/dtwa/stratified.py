"""Stratified signs: the collective sums of a set of samples are spread evenly.

Sample k is point k // N_SETS of set k % N_SETS. A set has a scrambled Sobol sequence in the unit
square; its point (u, v) gives the numbers of + signs among the a and the b of `sampling` as
binomial quantiles, and which spins get them is random. One point of a scrambled sequence is uniform
in the square, so the signs of one sample are independent and fair, exactly as those of
`random_signs`; only samples of one set know of each other, and the sets are independent.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats, Integers

N_SETS = 32
"""Independent sets, the blocks of the jackknife: few, because longer sets gain more."""

_INDEX_BITS, _DIGITS, _PAGE = 32, 52, 64
_DEVIATIONS = 16
"""Standard deviations of the binomial beyond which no double-precision quantile lies."""

Signs = NDArray[np.int8]


def stratified_signs(n_spins: int, *, seed: int, sample: int) -> Signs:
    """The signs a, b (2, n_spins) of sample number `sample`; (seed, sample) alone fixes them."""
    index, chosen_set = divmod(sample, N_SETS)
    stream = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(chosen_set, index)))
    places = stream.random_raw(2 * n_spins).reshape(2, n_spins)
    signs = np.full((2, n_spins), -1, dtype=np.int8)
    counts = numbers_of_plus(n_spins, seed=seed, samples=np.array([sample]))[0]
    for row, order, n_plus in zip(signs, places, counts, strict=True):
        if n_plus:
            row[np.argpartition(order, n_plus - 1)[:n_plus]] = 1
    return signs


def numbers_of_plus(n_spins: int, *, seed: int, samples: Integers) -> Integers:
    """Numbers of + signs (n, 2) among the a and the b of samples number `samples` (n,)."""
    points = np.empty((len(samples), 2))
    for row, sample in zip(points, samples.tolist(), strict=True):
        index, chosen_set = divmod(sample, N_SETS)
        row[:] = _page(seed, chosen_set, index // _PAGE)[index % _PAGE]
    return binomial_quantile(points, n_spins)


def binomial_quantile(u: Floats, n: int) -> Integers:
    """The least k with P(heads of n fair coins <= k) > u, for u (...) in [0, 1)."""
    first, cumulated = _binomial(n)
    return np.asarray(first + np.searchsorted(cumulated, u, side="right"), dtype=np.int64)


def scrambled_sobol(indices: Integers, *, seed: int, stream: int) -> Floats:
    """Points (n, 2) number `indices` (n,) of the Sobol sequence of a stream of the seed.

    In binary digits, u = L_1 i + s_1 and v = L_2 P i + s_2 with the digits of i from the last on,
    P the binomial coefficients modulo 2, random unit lower-triangular L and random shifts s
    (matousek1998): each point is uniform in the square, and the first 2^m of a sequence have one
    in every elementary rectangle of area 2^-m.
    """
    digits = (np.asarray(indices)[:, None] >> np.arange(_INDEX_BITS)) & 1
    raw = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(stream,)))
    points = np.empty((len(digits), 2))
    for axis, generator in enumerate((np.eye(_INDEX_BITS, dtype=np.int64), _pascal())):
        shape = (_DIGITS, _INDEX_BITS + 1)
        bits = (raw.random_raw(shape[0] * shape[1]) >> np.uint64(63)).astype(np.int64)
        bits = bits.reshape(shape)
        scramble = np.tril(bits[:, 1:], -1) + np.eye(_DIGITS, _INDEX_BITS, dtype=np.int64)
        scrambled = (digits @ (scramble @ generator % 2).T + bits[:, 0]) % 2
        points[:, axis] = scrambled @ 0.5 ** np.arange(1, _DIGITS + 1)
    return points


@functools.lru_cache(maxsize=4 * N_SETS)
def _page(seed: int, chosen_set: int, page: int) -> Floats:
    indices = np.arange(page * _PAGE, (page + 1) * _PAGE)
    return scrambled_sobol(indices, seed=seed, stream=chosen_set)


@functools.cache
def _pascal() -> NDArray[np.int64]:
    """C(i, j) modulo 2 in row j, column i: odd where the bits of j are among those of i."""
    i = np.arange(_INDEX_BITS)
    inside: NDArray[np.int64] = ((i[None, :] & i[:, None]) == i[:, None]).astype(np.int64)
    return inside


@functools.lru_cache(maxsize=8)
def _binomial(n: int) -> tuple[int, Floats]:
    """The least k of interest, and P(heads <= k) from there on."""
    reach = _DEVIATIONS * np.sqrt(n) / 2 + 1
    first, last = max(0, int(n / 2 - reach)), min(n, int(n / 2 + reach) + 1)
    k = np.arange(first, last + 1)
    from scipy.special import gammaln

    logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) - n * np.log(2)
    cumulated = np.cumsum(np.exp(logs - logs.max()))
    return first, cumulated / cumulated[-1]
