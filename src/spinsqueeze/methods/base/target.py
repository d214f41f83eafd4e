"""Run until good enough: samples are added until an error bar is small enough.

`collect` lets the number of a method's samples grow as the error bar says, and stops at the target,
at a limit, or at Ctrl-C. How it grows depends on the samples alone, so that a seed has one outcome:
that of a run with so many samples from the start.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.methods.base.answer import COMPLETE
from spinsqueeze.methods.base.method import Method
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS, squeezing_estimates
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.optimum_search import optimum_of_moments
from spinsqueeze.observables.readings import Reading, moments_of

TARGETS = ("optimum", "xi2")
DEFAULT_SAMPLES = 500
DEFAULT_LIMIT = 100_000
LARGEST_NUMBER = 10**8
FIRST_SAMPLES = 128
"""With fewer, error bars are too rough to stop at."""
_GROWTH, _RESERVE = (1.1, 2.0), 1.05


@final
@dataclass(frozen=True)
class Target:
    """An error bar to reach.

    quantity: "optimum": the standard error of the least xi2 over time, in decibels; "xi2": the
    largest relative standard error of xi2 at any time. error: what it may be. limit: most samples.
    """

    quantity: str
    error: float
    limit: int

    def error_of(self, readings: Mapping[str, Reading], *, times: Floats, n_spins: int) -> float:
        """The error bar of sampled readings (T,); inf where the direction is undefined."""
        moments = moments_of(readings, n_spins=n_spins)
        assert isinstance(moments, BlockMoments)
        if moments.n_blocks < MINIMUM_BLOCKS:
            return math.inf
        try:
            if self.quantity == "optimum":
                error = optimum_of_moments(times, moments=moments).decibels_stderr
                return math.inf if error is None else error
            xi2 = squeezing_estimates(moments).xi2
            relative = float(np.max(xi2.stderr / xi2.value))
        except (UndefinedDirection, InvalidInput):  # no direction at any time; xi2 = 0
            return math.inf
        return relative if math.isfinite(relative) else math.inf

    def missed_by(self, state: "Collected") -> str:
        """How far samples are from the target, with the remedy."""
        what = "dB at the optimum" if self.quantity == "optimum" else "of xi2"
        return (
            f"{state.count} samples with an error of {state.error:.2g} {what}, asked for "
            f"{self.error:.2g}; run it again with a higher limit or target_error"
        )


class SampledMethod(Method):
    """A method that takes a number of samples, or a target and a limit."""

    n_trajectories: int | None
    target_error: float | None
    target: str
    max_trajectories: int

    def _check_number(self, *, default: int | None = DEFAULT_SAMPLES) -> None:
        """Check the four options; neither a number nor a target_error: `default` samples.

        default None: then nothing is sampled.

        Raises:
            InvalidInput: an option breaks its rule, or number and target_error are both given.
        """
        checks.choice("target", self.target, TARGETS)
        limits: dict[str, Any] = {"minimum": MINIMUM_BLOCKS, "maximum": LARGEST_NUMBER}
        most = checks.integer("max_trajectories", self.max_trajectories, **limits)
        object.__setattr__(self, "max_trajectories", most)
        if self.target_error is None:
            for option, given in (
                ("target", self.target != TARGETS[0]),
                ("max_trajectories", most != DEFAULT_LIMIT),
            ):
                if given:
                    rule = "belongs to target_error, which is missing; give it or leave this out"
                    raise InvalidInput.of(option, rule)
            number = default if self.n_trajectories is None else self.n_trajectories
            if number is None:
                return
            number = checks.integer("n_trajectories", number, **limits)
            object.__setattr__(self, "n_trajectories", number)
            return
        error = checks.real("target_error", self.target_error, above=0.0)
        object.__setattr__(self, "target_error", error)
        if self.n_trajectories is not None:
            raise InvalidInput.of(
                "target_error",
                f"is instead of n_trajectories, got {checks.shown(error)} and "
                f"{checks.shown(self.n_trajectories)}; leave one out (max_trajectories limits a "
                "run with target_error)",
            )

    @property
    def _target(self) -> Target | None:
        """What to reach; None where the number is given."""
        if self.target_error is None:
            return None
        return Target(self.target, self.target_error, self.max_trajectories)

    @property
    def _most(self) -> int:
        """Samples that there may be."""
        return self.max_trajectories if self.n_trajectories is None else self.n_trajectories


@final
@dataclass(frozen=True, eq=False)
class Collected:
    """What `collect` ends with.

    count: samples behind the readings. error: the error bar reached. status: "complete", or why
    not, with the remedy. interrupted: whether Ctrl-C ended it.
    """

    readings: Mapping[str, Reading]
    count: int
    error: float
    status: str = COMPLETE
    interrupted: bool = False

    def diagnostics(self, target: Target) -> dict[str, float | str]:
        """The error bar reached and why the run ended, by name."""
        ended = "target reached"
        if self.status != COMPLETE:
            ended = "interrupted" if self.interrupted else "limit reached"
        return {"target_error": target.error, "reached_error": self.error, "ended_by": ended}


class Samples(Protocol):
    """The samples that a run has so far."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    def extend(self, number: int) -> None:
        """Make samples up to `number` in all; after Ctrl-C keep those finished, and raise it."""
        ...

    def readings(self) -> Mapping[str, Reading]:
        """Sampled readings of them all."""
        ...


def collect(
    target: Target,
    samples: Samples,
    *,
    times: Floats,
    n_spins: int,
    multiple: int = 1,
    progress: Callable[[float], None],
) -> Collected:
    """Add samples until the target is reached, its limit, or Ctrl-C.

    Args:
        target: what to reach.
        samples: none yet.
        times: (T,).
        n_spins: number of spins at the start.
        multiple: the number of samples is one of this, unless the limit or Ctrl-C ends it.
        progress: called with the fraction done of the samples that the error bar asks for.

    Raises:
        KeyboardInterrupt: Ctrl-C before there were enough samples for an error bar.
    """

    def so_far() -> Collected:
        readings = samples.readings()
        error = target.error_of(readings, times=times, n_spins=n_spins)
        return Collected(readings, samples.count, error)

    wanted, shown = _rounded(FIRST_SAMPLES, multiple, target.limit), 0.0
    try:
        while True:
            samples.extend(wanted)
            state = so_far()
            if state.error <= target.error:
                return state
            if state.count >= target.limit:
                return replace(state, status=f"limit reached at {target.missed_by(state)}")
            need = state.count * _RESERVE * (state.error / target.error) ** 2
            shown = max(shown, state.count / min(max(need, state.count), target.limit))
            progress(shown)
            grown = np.clip(need / state.count, *_GROWTH) * state.count
            wanted = _rounded(float(grown), multiple, target.limit)
    except KeyboardInterrupt:
        if samples.count < MINIMUM_BLOCKS:
            raise
        state = so_far()
        status = f"interrupted at {target.missed_by(state)}"
        return replace(state, status=status, interrupted=True)


def _rounded(number: float, multiple: int, limit: int) -> int:
    return min(limit, multiple * math.ceil(number / multiple))
