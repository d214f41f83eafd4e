"""DTWA's law of one-axis twisting in closed form: samples at once, and its exact moments."""

import numpy as np
from scipy.stats import binom

from spinsqueeze.methods.dtwa.samples import MAX_BLOCKS
from spinsqueeze.observables.moments import BlockMoments, Moments


def _turned(n, up, twists):
    """Factors of (n_up + i sum of the up spins' y) and of the same of the down spins in S_+."""
    phase = np.asarray(twists) * (2 * np.asarray(up) - n)[..., None]
    half = 0.5 * np.exp(1j * phase)
    return half * np.exp(-1j * np.asarray(twists)), half * np.exp(1j * np.asarray(twists))


def sampled_blocks(rng, n, *, twists, n_samples):
    """Blocks of independent samples: spin i starts at (1, ±1, ±1) and turns by chi t sum_j z_j.

    H = chi S_z^2 from +x, twists = chi t (T,). Given the number of up spins, S_+ needs only the
    sums of y over the up and over the down spins.
    """
    up = rng.binomial(n, 0.5, n_samples)
    y_up = 2 * rng.binomial(up, 0.5) - up
    y_down = 2 * rng.binomial(n - up, 0.5) - (n - up)
    of_up, of_down = _turned(n, up, twists)
    plus = of_up * (up + 1j * y_up)[:, None] + of_down * (n - up + 1j * y_down)[:, None]
    z = np.broadcast_to((up - n / 2)[:, None], plus.shape)
    samples = np.stack([plus.real, plus.imag, z], axis=-1)
    return BlockMoments.from_samples(samples, n_spins=n, n_blocks=min(n_samples, MAX_BLOCKS))


def exact_law(n, *, twists):
    """Moments (T) of infinitely many samples: a sum over the number of up spins."""
    up = np.arange(n + 1)
    share = binom.pmf(up, n, 0.5)[:, None]
    of_up, of_down = _turned(n, up, twists)
    counts = up[:, None]
    mean = of_up * counts + of_down * (n - counts)
    z = np.broadcast_to((up - n / 2)[:, None], mean.shape)
    parts = np.stack([mean.real, mean.imag, z], axis=-1)
    spin = np.sum(share[..., None] * parts, axis=0)
    second = np.sum(share[..., None, None] * parts[..., :, None] * parts[..., None, :], axis=0)
    for factor, variance in ((1j * of_up, counts), (1j * of_down, n - counts)):
        part = np.stack([factor.real, factor.imag, 0 * factor.real], axis=-1)
        weight = (share * variance)[..., None, None]
        second = second + np.sum(weight * part[..., :, None] * part[..., None, :], axis=0)
    outer = spin[..., :, None] * spin[..., None, :]
    return Moments(n_spins=n, spin=spin, covariance=second - outer)
