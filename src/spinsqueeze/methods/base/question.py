"""What a method is asked: to evolve a state, or to find a steady state."""

from dataclasses import dataclass, field, replace
from typing import Self, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.progress import Progress, no_progress, part_of
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.states import InitialState

DEFAULT_MEMORY_BUDGET = 4e9


@final
@dataclass(frozen=True, eq=False)
class Rotation:
    """A pulse in canonical form: exp(-i angle axis . S) at `time`.

    mask (C,): the kinds whose spins it turns; None: all. fraction: of every output time at which it
    comes; `time` is then that of the last one (`echoed`). Methods see questions without.
    """

    time: float
    axis: Floats
    angle: float
    mask: Booleans | None = None
    fraction: float | None = None


@final
@dataclass(frozen=True, eq=False)
class Evolve:
    """What are the moments at `times` (T,), from `state` at time 0, with pulses and losses?

    seed: of methods that sample. memory_budget: bytes. progress: called with the fraction done.
    """

    model: Canonical
    state: InitialState
    times: Floats
    pulses: tuple[Rotation, ...] = ()
    losses: Losses | None = None
    seed: int = 0
    memory_budget: float = DEFAULT_MEMORY_BUDGET
    progress: Progress = field(default=no_progress)

    @property
    def features(self) -> frozenset[str]:
        """What the question holds: its model's features, pulses, losses; see `differences`."""
        own = {
            "unlike_spins": bool(self.differences),
            "pulses": bool(self.pulses),
            "losses": self.losses is not None,
        }
        return self.model.features | {name for name, there in own.items() if there}

    @property
    def differences(self) -> tuple[str, ...]:
        """In what the spins differ, in words: in the model, and as pulses address some of them."""
        partial = any(r.mask is not None for r in self.pulses)
        return (*self.model.differences, *(["pulses"] if partial else []))

    def per_spin(self) -> Self:
        """The same question with arrays and masks of one entry a spin."""
        counts = self.model.counts
        pulses = tuple(
            replace(r, mask=None if r.mask is None else np.repeat(r.mask, counts))
            for r in self.pulses
        )
        return replace(self, model=self.model.per_spin(), pulses=pulses)

    @property
    def duration(self) -> float:
        """The last of the times."""
        return float(self.times[-1])


@final
@dataclass(frozen=True, eq=False)
class Steady:
    """Where does the model end? `state` chooses among several steady states; None: the only one."""

    model: Canonical
    state: InitialState | None = None
    seed: int = 0
    memory_budget: float = DEFAULT_MEMORY_BUDGET
    progress: Progress = field(default=no_progress)

    @property
    def features(self) -> frozenset[str]:
        """What the question holds: the features of its model."""
        return self.model.features

    @property
    def differences(self) -> tuple[str, ...]:
        """In what the spins differ, in words."""
        return self.model.differences


Question = Evolve | Steady


def stretches(question: Evolve) -> list[tuple[float, list[Rotation], Integers]]:
    """(end, pulses there, indices of outputs before it) from pulse to pulse, and to the end.

    An output at the time of a pulse is read after it, so it belongs to the next stretch.
    """
    times = question.times
    out, done = [], 0
    for edge in sorted({r.time for r in question.pulses}):
        last = int(np.searchsorted(times, edge, side="left"))
        out.append((edge, [r for r in question.pulses if r.time == edge], np.arange(done, last)))
        done = last
    out.append((question.duration, [], np.arange(done, len(times))))
    return out


def progress_until(question: Evolve, start: float, stop: float) -> Progress:
    """For the evolution from one time to another: all of it is 99 % of the work."""
    last = question.duration or 1.0
    return part_of(question.progress, 0.99 * min(start / last, 1.0), 0.99 * min(stop / last, 1.0))
