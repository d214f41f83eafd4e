"""The points that a sweep computes, and in which order: those of one shape in a row."""

import math
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.numerics.processors import available_processors, quota_of_container
from spinsqueeze.run.point import Outcome, compute, failure
from spinsqueeze.run.store import NUMBERS

Tables = Mapping[str, Any]
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
    """One point after another in this process, points of one shape in a row."""
    for job in sorted(jobs, key=lambda job: job.shape):
        yield job, compute(job.tables, blocks=blocks)


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

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._groups: dict[str, deque[Job]] = defaultdict(deque)
        for job in jobs:
            self._groups[job.shape].append(job)
        self._shape_of: dict[str | None, str] = {}

    def __bool__(self) -> bool:
        return bool(self._groups)

    def next(self, worker: str | None) -> Job | None:
        """The next job for a worker; None when all are given out."""
        if not self._groups:
            return None
        shape = self._shape_of.get(worker)
        if shape not in self._groups:
            taken = set(self._shape_of.values())
            fresh = [s for s in self._groups if s not in taken]
            shape = fresh[0] if fresh else max(self._groups, key=lambda s: len(self._groups[s]))
            self._shape_of[worker] = shape
        group = self._groups[shape]
        job = group.popleft()
        if not group:
            del self._groups[shape]
        return job
