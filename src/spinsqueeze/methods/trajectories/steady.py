"""Steady states: trajectories averaged over late times, until early and late averages agree."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.base.averages import MAX_BLOCKS
from spinsqueeze.methods.base.question import Steady
from spinsqueeze.methods.trajectories.initial import mixture
from spinsqueeze.methods.trajectories.lowering import lower
from spinsqueeze.methods.trajectories.run import Options, Walks, walks
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.states import CoherentState
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS
from spinsqueeze.observables.moments import BlockMoments

SAMPLES = 32
"""Times in each of the two intervals that are compared."""
MOST_DOUBLINGS = 8
SIGMAS = 2.5
"""Early and late averages agree within so many standard errors of their differences."""


@final
@dataclass(frozen=True, eq=False)
class LateTimes:
    """Trajectories from T/4 to T; the averages are those of the later half, from T/2 on.

    drift: largest difference of the averages of both intervals, in standard errors.
    """

    walks: Walks
    duration: float
    drift: float


def late_times(
    question: Steady, *, count: int, options: Options, progress: Callable[[float], None]
) -> LateTimes:
    """Double the time until the averages of [T/4, T/2] and [T/2, T] agree.

    T begins at ten times the inverse of the slowest rate of a jump.

    Raises:
        InvalidInput: the model has no jumps; or several steady states, and no state chooses one.
        KeyboardInterrupt: Ctrl-C before there were enough trajectories for an error bar.
        NumericalFailure: the averages still drift after MOST_DOUBLINGS.
    """
    model = question.model
    duration = 10.0 / _slowest_rate(model, chosen=question.state is not None)
    state = question.state or CoherentState("-z")
    start = mixture(state, model.n_spins)
    for doubling in range(MOST_DOUBLINGS + 1):
        times = duration * np.linspace(0.25, 1.0, 3 * SAMPLES + 1)[1:]
        late = walks(
            lower(model, times=times), start, times=times, seed=question.seed, count=count,
            options=options, progress=lambda part: progress(0.5 * part),
        )  # fmt: skip
        if late.interrupted and len(late.spins) < MINIMUM_BLOCKS:
            raise KeyboardInterrupt
        drift = _drift(late, n_spins=model.n_spins)
        if drift < SIGMAS or late.interrupted:
            return LateTimes(late, duration, drift)
        if doubling < MOST_DOUBLINGS:
            duration *= 2.0
    raise NumericalFailure(
        f"averages still drift at time {duration:.3g} by {drift:.1f} standard errors: evolve in "
        "time, or strengthen the slow process"
    )


def _slowest_rate(model: Canonical, *, chosen: bool) -> float:
    arrays = interchangeable.at_peak(model)
    jumps = [
        (rate * float(np.vdot(c, c).real) / 2, np.asarray(c))
        for rate, c in (*arrays.collective_jumps, *arrays.local_jumps)
        if rate > 0 and np.any(c)
    ]
    if not jumps:
        raise InvalidInput(
            "a steady state needs at least one jump with a positive rate; this model is closed"
        )
    parts = np.array([part for _, c in jumps for part in (c.real, c.imag)])
    one_axis = int(np.linalg.matrix_rank(parts)) == 1
    local = any(rate > 0 for rate, _ in arrays.local_jumps)
    if not chosen and (one_axis or not local):
        reason = (
            "all jumps lie along one axis and keep what the Hamiltonian keeps"
            if one_axis
            else "without local jumps each total spin keeps its weight"
        )
        raise InvalidInput(
            f"the model may have several steady states ({reason}): give initial_state to choose "
            "the one that it reaches"
        )
    return min(rate for rate, _ in jumps)


def _drift(late: Walks, *, n_spins: int) -> float:
    """Differences of the two averages of spin and second moments, in standard errors.

    Errors come from the scatter over trajectories, which are independent however long each of
    them remembers.
    """
    spins = late.spins
    second = late.covariances + np.einsum("nta,ntb->ntab", spins, spins)
    readings = np.concatenate([spins, second.reshape(*second.shape[:2], 9)], axis=-1)
    change = readings[:, SAMPLES:].mean(axis=1) - readings[:, :SAMPLES].mean(axis=1)
    count = len(change)
    scale = np.repeat([np.sqrt(n_spins) / 2, n_spins / 4], [3, 9])
    error = change.std(axis=0, ddof=1) / np.sqrt(count) + 1e-3 * scale
    return float(np.max(np.abs(change.mean(axis=0)) / error))


def in_blocks(late: Walks, *, n_spins: int) -> BlockMoments:
    """Moments over the later times (1, B, ...), in blocks of whole trajectories."""
    spins, covariances = late.spins[:, SAMPLES:], late.covariances[:, SAMPLES:]
    n_samples = len(spins)
    reference = spins.mean(axis=(0, 1))
    away = spins - reference
    firsts = away.mean(axis=1)
    seconds = (covariances + np.einsum("nta,ntb->ntab", away, away)).mean(axis=1)
    edges = np.linspace(0, n_samples, min(n_samples, MAX_BLOCKS) + 1).astype(np.int64)

    def means(values: Floats) -> Floats:
        return np.stack([values[a:b].mean(axis=0) for a, b in pairwise(edges)])[None]

    return BlockMoments(
        n_spins=n_spins,
        reference=reference[None],
        weights=np.diff(edges).astype(np.float64),
        first=means(firsts),
        second=means(seconds),
    )


def at_the_end(late: Walks) -> Walks:
    """The walks with one time, the last: what their errors and figures are read from."""
    return replace(
        late,
        spins=late.spins[:, -1:],
        covariances=late.covariances[:, -1:],
        two_js=late.two_js[:, -1:],
        errors=late.errors[:, -1:],
    )
