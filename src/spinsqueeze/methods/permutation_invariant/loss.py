"""Runs in which single random spins leave at given times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.permutation_invariant.evolution import evolve
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.numerics.block_states import without_one_spin


@dataclass(frozen=True)
class LossyRun:
    """A run with spin losses; at an output time equal to a loss time the loss has happened.

    Attributes:
        times: (T,).
        n_spins: spins left at every time, (T,).
        spin: <S_a>, (T, 3).
        covariance: <{S_a, S_b}>/2 - <S_a><S_b>, (T, 3, 3).
        final_state: flat block state of the spins left at the last time.
    """

    times: Floats
    n_spins: Integers
    spin: Floats
    covariance: Floats
    final_state: Complexes = field(repr=False)


def sample_loss_times(
    n_spins: int, *, rate: float, duration: float, rng: np.random.Generator
) -> Floats:
    """Ascending times at which N independent spins of loss rate `rate` each leave, at most N - 1.

    Raises:
        InvalidInput: a negative rate or duration.
    """
    if not (rate >= 0 and duration >= 0):
        raise InvalidInput(f"rate and duration must be at least 0, got {rate} and {duration}")
    if rate == 0:
        return np.zeros(0)
    waits = rng.exponential(size=n_spins - 1) / (rate * np.arange(n_spins, 1, -1))
    arrivals = np.cumsum(waits)
    return arrivals[arrivals < duration]


def evolve_with_losses(
    model_of: Callable[[int], Generator],
    *,
    n_spins: int,
    state: Complexes,
    times: Floats,
    loss_times: Sequence[float] | Floats,
    tolerance: float = 1e-10,
) -> LossyRun:
    """Evolve under model_of(number of spins left); a random spin leaves at every loss time.

    Raises:
        InvalidInput: losses that do not ascend, start before 0, or leave no spin.
    """
    grid = np.asarray(times, dtype=float)
    events = np.asarray(loss_times, dtype=float)
    if np.any(np.diff(events) < 0) or np.any(events < 0) or events.size >= n_spins:
        raise InvalidInput(
            f"loss_times must ascend from at least 0 and be fewer than n_spins={n_spins}, "
            f"got {events.size} events"
        )
    spin, covariance = np.empty((grid.size, 3)), np.empty((grid.size, 3, 3))
    counts = np.empty(grid.size, dtype=np.int64)
    now, n, done = 0.0, n_spins, 0
    for event in [*events, np.inf]:
        stop = int(np.searchsorted(grid, event, side="left"))
        last = stop == grid.size
        wanted = grid[done:stop]
        if last and wanted.size == 0:
            break
        marks = wanted if last else np.append(wanted, event)
        run = evolve(model_of(n), state=state, times=marks - now, tolerance=tolerance)
        _, first, second = run.moments()
        spin[done:stop], covariance[done:stop] = first[: wanted.size], second[: wanted.size]
        counts[done:stop] = n
        state = run.state(marks.size - 1)
        done = stop
        if last:
            break
        state, n, now = without_one_spin(state, n_spins=n), n - 1, float(event)
    return LossyRun(grid, counts, spin, covariance, state)
