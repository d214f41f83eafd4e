"""What trajectories hand back: block means, and the curves and jumps of single ones."""

from itertools import pairwise

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.trajectories.run import Walks
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.readings import Reading
from spinsqueeze.observables.squeezing import squeezing

MAX_BLOCKS = 100
STATED = 2.0
"""At tolerance 1e-2 and N = 20 to 200 one run in sixty errs by more than its steps claim, by up to
twice as much."""


def block_moments(walks: Walks, *, n_spins: int) -> BlockMoments:
    """Means over blocks of trajectories of <S> and of <{S_a, S_b}>/2, about the mean over all."""
    n_samples, n_times, _ = walks.spins.shape
    n_blocks = min(n_samples, MAX_BLOCKS)
    reference = walks.spins.mean(axis=0)
    edges = np.linspace(0, n_samples, n_blocks + 1).astype(np.int64)
    first = np.empty((n_times, n_blocks, 3))
    second = np.empty((n_times, n_blocks, 3, 3))
    for block, (start, stop) in enumerate(pairwise(edges)):
        away = walks.spins[start:stop] - reference
        first[:, block] = away.mean(axis=0)
        second[:, block] = walks.covariances[start:stop].mean(axis=0)
        second[:, block] += np.einsum("nta,ntb->tab", away, away) / (stop - start)
    return BlockMoments(
        n_spins=n_spins,
        reference=reference,
        weights=np.diff(edges).astype(np.float64),
        first=first,
        second=second,
    )


def numerical_error(walks: Walks, *, n_spins: int, left_out: float) -> Floats:
    """Error (T,) of the mean spin from steps and windows, in units of sqrt(N)/2.

    A state off by |d| moves <S_a> by at most 2 |d| standard deviations of S_a to first order, and
    what follows in the exact evolution of the ensemble does not enlarge the trace norm of an error.
    left_out: |d| from the windows.
    """
    noise = np.sqrt(n_spins) / 2
    spread = np.sqrt(np.linalg.eigvalsh(walks.covariances)[..., -1].clip(0.0))
    moved = 2 * (STATED * walks.errors + left_out) * np.maximum(spread, noise)
    mean: Floats = moved.mean(axis=0) / noise
    return mean


def of_single(walks: Walks, count: int, *, n_spins: int) -> dict[str, Reading]:
    """Squeezing, effective spins and jumps of the first `count` trajectories."""
    count = min(count, len(walks.spins))
    moments = Moments(
        n_spins=n_spins,
        spin=np.swapaxes(walks.spins[:count], 0, 1),
        covariance=np.swapaxes(walks.covariances[:count], 0, 1),
    )
    labels = {"trajectory": np.arange(count)}
    room = max([len(times) for times, _ in walks.records[:count]], default=0)
    jump_times = np.full((count, room), np.nan)
    channels = np.full((count, room), -1, dtype=np.int64)
    for k, (times, numbers) in enumerate(walks.records[:count]):
        jump_times[k, : len(times)] = times
        channels[k, : len(numbers)] = numbers
    return {
        "trajectory_xi2": Reading(squeezing(moments).values["xi2"], coords=labels),
        "trajectory_effective_spins": Reading(
            np.swapaxes(walks.two_js[:count], 0, 1).astype(float), coords=labels
        ),
        "trajectory_spin": Reading(np.asarray(moments.spin), coords=labels),
        "jump_time": Reading(jump_times, coords=labels),
        "jump_channel": Reading(channels, coords=labels),
    }
