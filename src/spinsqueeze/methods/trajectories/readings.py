"""What trajectories hand back: errors from steps, and the curves and jumps of single ones."""

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.base.averages import error_of_mean_spin
from spinsqueeze.methods.trajectories.run import Walks
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading
from spinsqueeze.observables.squeezing import squeezing

STATED = 2.0
"""At tolerance 1e-2 and N = 20 to 200 one run in sixty errs by more than its steps claim, by up to
twice as much."""


def numerical_error(walks: Walks, *, n_spins: int, left_out: float) -> Floats:
    """Error (T,) of the mean spin from steps and windows, in units of sqrt(N)/2.

    left_out: error of the state from the windows. See `error_of_mean_spin`.
    """
    return error_of_mean_spin(walks.covariances, STATED * walks.errors + left_out, n_spins=n_spins)


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
