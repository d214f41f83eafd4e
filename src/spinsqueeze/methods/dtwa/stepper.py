"""What carries a batch of classical spins through a window, and what it may know of the run.

The engine above (`trajectories`) cuts batches and windows, samples, turns spins at pulses and
gathers outputs. How spins move between two pulses is the stepper's alone: how many steps of what
kind, what they estimate of their own error, and what is drawn at random on the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, final

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.dtwa.engine import Edge, Engine
from spinsqueeze.methods.dtwa.windows import Window

Laid = TypeVar("Laid")
"""What a stepper writes down of its steps in one window."""


@final
@dataclass(frozen=True, eq=False)
class Setup:
    """The run that a stepper is made for.

    engine: the model on its device. windows: in order; neighbours share an edge. times: outputs
    (T,). directions: unit vector (3,) of the initial state, or one per spin (n_spins, 3). seed: for
    what a stepper draws at random, together with the number of each sample.
    tolerance: largest error of the collective spins, in units of sqrt(N)/2.
    """

    engine: Engine
    windows: tuple[Window, ...]
    times: Floats
    seed: int
    tolerance: float
    directions: Floats


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Samples first_sample, first_sample + 1, ... at the start of a window, after its rotations.

    spins: on the device, laid out as `Engine.load` does. edge: what is known of them there.
    """

    first_sample: int
    spins: Any
    edge: Edge


@final
@dataclass(frozen=True, eq=False)
class Crossing:
    """A batch at the end of a window: its spins on the device, and what was seen on the way.

    sums (S, m, 3): sum_i sigma_i at the m output times of the window, those of `Window.outputs`.
    """

    spins: Any
    sums: Floats


@final
@dataclass(frozen=True, eq=False)
class StepPlan(Generic[Laid]):
    """The steps of each window (None where it has no length), and what is known of their error.

    error: of the collective spins, in units of sqrt(N)/2; infinite where not estimated.
    pilot_evaluations: right-hand sides spent on choosing, for one sample.
    noise_error: what noise that acts off its time adds to it, estimated; 0 without noise.
    """

    steps: tuple[Laid | None, ...]
    error: float
    pilot_evaluations: int
    noise_error: float = 0.0


@final
@dataclass(frozen=True, eq=False)
class Pilot(Generic[Laid]):
    """Batch 0 of the run, for trials.

    begin() -> its spins at the start of the first window. enter(spins, window) -> the batch after
    the window's rotations. collective_spins(steps) -> its outputs (S, T, 3), S = sum_i sigma_i / 2.
    """

    begin: Callable[[], Any]
    enter: Callable[[Any, Window], Batch]
    collective_spins: Callable[[Sequence[Laid | None]], Floats]


class Stepper(Protocol[Laid]):
    """One way to move the spins. A sample must not depend on the others of its batch."""

    conservative: bool
    """Whether spins keep their lengths and, at constant strengths, their energy: what changes of
    them is then error."""

    def choose(self, pilot: Pilot[Laid]) -> StepPlan[Laid]:
        """Steps for every window; NumericalFailure where none will do."""
        ...

    def cross(self, batch: Batch, window: Window, laid: Laid) -> Crossing:
        """Carry a batch from the start of a window to its end. Called from many threads at once."""
        ...

    def work(self, laid: Laid) -> tuple[int, int]:
        """(steps, right-hand sides) of one sample in one window."""
        ...
