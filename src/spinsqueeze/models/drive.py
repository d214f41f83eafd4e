"""The strengths of a model in time: which change, where, and what they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.models.envelope import Envelope, Strength, at


def breakpoints(strengths: Iterable[Any], *, start: float, stop: float) -> list[float]:
    """Ascending times inside (start, stop) that integrators step onto."""
    times = {float(t) for s in strengths if isinstance(s, Envelope) for t in s.breakpoints}
    return sorted(t for t in times if start < t < stop)


def constant_between(strengths: Iterable[Any], start: float, stop: float) -> bool:
    """Whether no strength changes between two times."""
    return all(s.constant_between(start, stop) for s in strengths if isinstance(s, Envelope))


@final
@dataclass(frozen=True, eq=False)
class DriveWeights:
    """A(t) = sum_k w_k(t) A_k: one weight w_k for each part."""

    strengths: tuple[Strength, ...]

    @cached_property
    def varies(self) -> bool:
        """Whether any weight depends on time."""
        return any(isinstance(s, Envelope) for s in self.strengths)

    def moments(self, start: float, stop: float) -> tuple[Floats, Floats]:
        """Areas int w dt and tilts int (t - middle) w dt / (stop - start): each (n_parts,)."""
        both = [_moments(s, start, stop) for s in self.strengths]
        return np.array([m[0] for m in both]), np.array([m[1] for m in both])

    def pieces(self, start: float, stop: float) -> list[tuple[float, float]]:
        """Intervals of [start, stop] between breakpoints."""
        return list(pairwise([start, *breakpoints(self.strengths, start=start, stop=stop), stop]))

    def constant_weights(self, start: float, stop: float) -> Floats | None:
        """The weights in a piece if they are constant there, else None."""
        if not constant_between(self.strengths, start, stop):
            return None
        middle = start + (stop - start) / 2
        return np.array([float(at(s, middle)) for s in self.strengths])


def _moments(value: Strength, start: float, stop: float) -> tuple[float, float]:
    if isinstance(value, Envelope):
        return value.moments(start, stop)
    return value * (stop - start), 0.0
