"""How far a sweep is, and who is told."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from spinsqueeze.core.calls import clear_init
from spinsqueeze.results.points import Point


@final
@clear_init
@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is.

    done: points with a result, those found in the store included. failed: points without.
    total: all points. reused: points found in the store. remaining: seconds left, None while
    unknown.
    """

    done: int
    failed: int
    total: int
    reused: int
    remaining: float | None

    @property
    def fraction(self) -> float:
        """Finished points, failed ones included, of all."""
        return (self.done + self.failed) / self.total


class PointCount:
    """Counts points and says so."""

    def __init__(
        self,
        stored: Sequence[Point],
        *,
        total: int,
        listeners: Sequence[Callable[[SweepProgress], None]],
    ) -> None:
        self.failed = sum(bool(p.reason) for p in stored)
        self.done = len(stored) - self.failed
        self.reused = len(stored)
        self.total = total
        self.listeners = listeners
        self.first: float | None = None
        self._tell()

    def add(self, *, failed: bool) -> None:
        """One more point."""
        self.failed += failed
        self.done += not failed
        if self.first is None:
            self.first = time.monotonic()
        self._tell()

    def _tell(self) -> None:
        new = self.done + self.failed - self.reused
        left = self.total - self.reused - new
        remaining = 0.0 if left == 0 else None
        if left and new > 1 and self.first is not None:
            # From the first point on: the start of the processes and compilation come once.
            remaining = (time.monotonic() - self.first) / (new - 1) * left
        for function in self.listeners:
            function(SweepProgress(self.done, self.failed, self.total, self.reused, remaining))
