"""Losses: single spins leave during a run, at given times or at random ones."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.term import Plain

DEFAULT_RUNS = 20
"""An error bar from 20 runs is itself known to 16 %, at 20 times the cost of one run."""

FEWEST_RUNS = 4
"""The jackknife needs as many blocks."""


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Losses(Plain):
    """Single spins leave; each is traced out, the spins left keep their strengths and rates.

    With `rate`, every spin leaves independently at this rate: rate sum_i D[|lost><s|_i], s = up and
    down, averaged over `runs` drawn histories. With `times`, one random spin leaves at each of
    them: a single history, exactly. At an output time equal to a loss the spin has left.

    Args:
        rate: of each spin, >= 0, in the model's unit.
        times: strictly increasing, >= 0, in its inverse; instead of rate.
        runs: histories drawn by the seed of the run, at least 4: the error bars come from their
            scatter, and the cost grows with their number. With a rate only.

    Raises:
        InvalidInput: an argument breaks its rule, or not exactly one of rate and times is given.
    """

    rate: float | None = field(default=None, kw_only=True)
    times: Any = field(default=None, kw_only=True)
    runs: int = field(default=DEFAULT_RUNS, kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        if (self.rate is None) == (self.times is None):
            given = "neither" if self.rate is None else "both"
            raise InvalidInput(f"give either the rate of the losses or their times, got {given}")
        if self.rate is not None:
            put(self, "rate", checks.real("rate", self.rate, minimum=0.0))
            runs = checks.integer("runs", self.runs, minimum=1)
            if runs < FEWEST_RUNS:
                raise InvalidInput.of(
                    "runs",
                    f"must be at least {FEWEST_RUNS}, got {runs}: error bars come from the scatter "
                    "of the runs; give the times of the losses for a single history",
                )
            put(self, "runs", runs)
            return
        if not isinstance(self.runs, int) or self.runs != DEFAULT_RUNS:
            raise InvalidInput.of(
                "runs", f"belongs to a rate, got {checks.shown(self.runs)} with times; leave it out"
            )
        none = np.ndim(self.times) == 1 and np.size(self.times) == 0
        events = np.zeros(0) if none else checks.increasing("times", self.times, minimum=0.0)
        put(self, "times", events)

    def histories(self, n_spins: int, *, duration: float, seed: int) -> list[Floats]:
        """Ascending times of the losses, one array for each history.

        History k depends on the seed and k alone, so that more runs keep those there were.
        """
        if self.rate is None:
            return [self.times]
        return [
            sample_loss_times(
                n_spins,
                rate=self.rate,
                duration=duration,
                rng=np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(k,))),
            )
            for k in range(self.runs)
        ]


def sample_loss_times(
    n_spins: int, *, rate: float, duration: float, rng: np.random.Generator
) -> Floats:
    """Ascending times up to `duration` at which N independent spins of loss rate `rate` leave.

    Raises:
        InvalidInput: a negative rate or duration.
    """
    if not (rate >= 0 and duration >= 0):
        raise InvalidInput(f"rate and duration must be at least 0, got {rate} and {duration}")
    if rate == 0:
        return np.zeros(0)
    arrivals = np.cumsum(rng.exponential(size=n_spins) / (rate * np.arange(n_spins, 0, -1)))
    return arrivals[arrivals <= duration]
