"""Averages over trajectories of pure states: block means for error bars, and errors from steps."""

from itertools import pairwise

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.observables.moments import BlockMoments

MAX_BLOCKS = 100


def block_moments(spins: Floats, covariances: Floats, *, n_spins: int) -> BlockMoments:
    """Means over blocks of trajectories of <S> and of <{S_a, S_b}>/2, about the mean over all.

    spins (n, T, 3) and covariances (n, T, 3, 3) of each of n trajectories.
    """
    n_samples, n_times, _ = spins.shape
    n_blocks = min(n_samples, MAX_BLOCKS)
    reference = spins.mean(axis=0)
    edges = np.linspace(0, n_samples, n_blocks + 1).astype(np.int64)
    first = np.empty((n_times, n_blocks, 3))
    second = np.empty((n_times, n_blocks, 3, 3))
    for block, (start, stop) in enumerate(pairwise(edges)):
        away = spins[start:stop] - reference
        first[:, block] = away.mean(axis=0)
        second[:, block] = covariances[start:stop].mean(axis=0)
        second[:, block] += np.einsum("nta,ntb->tab", away, away) / (stop - start)
    return BlockMoments(
        n_spins=n_spins,
        reference=reference,
        weights=np.diff(edges).astype(np.float64),
        first=first,
        second=second,
    )


def error_of_mean_spin(covariances: Floats, errors: Floats, *, n_spins: int) -> Floats:
    """Error (T,) of the mean spin from errors (n, T) of the states, in units of sqrt(N)/2.

    A state off by |d| moves <S_a> by at most 2 |d| standard deviations of S_a to first order, and
    what follows in the exact evolution of the ensemble does not enlarge the trace norm of an error.
    """
    noise = np.sqrt(n_spins) / 2
    spread = np.sqrt(np.linalg.eigvalsh(covariances)[..., -1].clip(0.0))
    moved = 2 * errors * np.maximum(spread, noise)
    mean: Floats = moved.mean(axis=0) / noise
    return mean
