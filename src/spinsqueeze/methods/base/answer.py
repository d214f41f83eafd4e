"""What every method hands back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.models.states import InitialState
from spinsqueeze.observables.readings import Reading

COMPLETE = "complete"


def no_state(_index: int) -> InitialState | None:
    """The state of a method that keeps none."""
    return None


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """The readings of a run, and how far they can be trusted.

    Attributes:
        readings: name of a registered quantity -> its values in time, exact or sampled. "spin" and
            "second" are required; "spins_left" where the number of spins changes, sampled where
            they are.
        error: "spin" -> error (T,) at the times answered, or one number for all: of the mean spin
            from steps and round-off, in units of the projection noise sqrt(N)/2.
        truncation: name -> what an approximation leaves out of that variable, with its dimensions
            and in its units.
        diagnostics: how the numbers came about, by name.
        warnings: named concerns in words.
        times: those answered (T,); None: all that were asked. A steady state has one, unnamed.
        status: "complete", or why the run ended early, with the remedy.
        interrupted: whether Ctrl-C ended it; who cannot use a part of a run then goes on with the
            interrupt.
        state_at: the state at the k-th time answered, to go on from or to look at, or None where it
            is not kept.
    """

    readings: Mapping[str, Reading]
    error: Mapping[str, float | Floats]
    diagnostics: Mapping[str, float | int | str]
    truncation: Mapping[str, Floats] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    times: Floats | None = None
    status: str = COMPLETE
    interrupted: bool = False
    state_at: Callable[[int], InitialState | None] = field(default=no_state)

    @property
    def numerical_error(self) -> float:
        """The largest error of the mean spin, in units of the projection noise sqrt(N)/2."""
        return float(np.max(self.error["spin"]))
