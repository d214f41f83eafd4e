"""The points that a sweep computes, and in which order: those of one shape in a row."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.numerics.processors import available_processors, quota_of_container
from spinsqueeze.run.point import Outcome, compute_many, failure
from spinsqueeze.run.store import NUMBERS

Tables = Mapping[str, Any]
SHORT, LONG = 0.2, 1.0
"""Seconds of a call below which the next has more points, and above which it has fewer."""
MAX_BATCH = 64
DEATHS = 5
"""Deaths of its worker that a point survives: with one more it most likely needs more memory."""


@final
@dataclass(frozen=True)
class Job:
    """One point to compute: its number, its study and its shape."""

    number: int
    tables: Tables
    shape: str


def run_here(jobs: Sequence[Job], *, blocks: bool) -> Iterator[tuple[Job, Outcome]]:
    """Points in this process, those of one shape in a row."""
    queue, batch = Queue(jobs), Batch()
    while chosen := queue.next(None, at_most=batch.size):
        started = time.monotonic()
        outcomes = compute_many([job.tables for job in chosen], blocks=blocks)
        batch.took(time.monotonic() - started)
        yield from zip(chosen, outcomes, strict=True)


class Batch:
    """How many points to compute in one call: as many as take a fraction of a second."""

    def __init__(self) -> None:
        self.size = 1

    def took(self, seconds: float) -> None:
        """Learn from the last call."""
        if seconds < SHORT:
            self.size = min(2 * self.size, MAX_BATCH)
        elif seconds > LONG:
            self.size = max(self.size // 2, 1)


def default_workers() -> int:
    """One local process for each core that this one may use, quotas of containers included."""
    quota = quota_of_container()
    cores = available_processors()
    return cores if math.isinf(quota) else min(cores, max(1, math.ceil(quota)))


def died() -> Outcome:
    """What becomes of a point whose worker dies again and again."""
    return failure(
        "its worker died again and again, most likely for want of memory; raise "
        "memory_limit or take fewer workers",
        kept=False,
    )


def of_same_numbers(outcome: Outcome) -> Outcome:
    """The outcome itself.

    Raises:
        SpinSqueezeError: another version of the numbers made it.
    """
    if outcome.numbers != NUMBERS:
        raise SpinSqueezeError(
            f"worker {outcome.worker} runs version {outcome.numbers} of the numbers, here is "
            f"version {NUMBERS}: install the same spinsqueeze on both"
        )
    return outcome


class Queue:
    """Jobs by shape: a worker stays with its shape, then takes a fresh one, then helps out."""

    def __init__(self, jobs: Sequence[Job], *, workers: int = 1) -> None:
        self._groups: dict[str, deque[Job]] = defaultdict(deque)
        for job in jobs:
            self._groups[job.shape].append(job)
        self._shape_of: dict[str | None, str] = {}
        self._workers = max(workers, 1)

    def __bool__(self) -> bool:
        return bool(self._groups)

    def next(self, worker: str | None, *, at_most: int = 1) -> list[Job]:
        """The next jobs for a worker, of one shape; none when all are given out.

        More than one only of a method that answers many together, and no more than leaves
        something to do for the other workers.
        """
        if not self._groups:
            return []
        shape = self._shape_of.get(worker)
        if shape not in self._groups:
            taken = set(self._shape_of.values())
            fresh = [s for s in self._groups if s not in taken]
            shape = fresh[0] if fresh else max(self._groups, key=lambda s: len(self._groups[s]))
            self._shape_of[worker] = shape
        group = self._groups[shape]
        fair = math.ceil(len(group) / (2 * self._workers))
        jobs = [group.popleft()]
        if _together(jobs[0].tables):
            jobs += [group.popleft() for _ in range(min(at_most, fair) - 1)]
        if not group:
            del self._groups[shape]
        return jobs


def _together(tables: Tables) -> bool:
    """Whether the method of a study answers many points in one call."""
    table = tables.get("method")
    name = table.get("name") if isinstance(table, Mapping) else table
    return isinstance(name, str) and name in METHODS and METHODS[name].together
