"""What a worker does with points: from tables to packed bytes, whatever happens on the way."""

import functools
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from spinsqueeze.core.errors import NumericalFailure, SpinSqueezeError, UndefinedDirection
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.readings import moments_of
from spinsqueeze.observables.squeezing import Squeezing, squeezing
from spinsqueeze.results.best import best_of_moments
from spinsqueeze.results.dataset import tables_of_run
from spinsqueeze.results.points import KEPT_ATTRIBUTES, Entry, Point, pack, unpack
from spinsqueeze.run.answers import Run
from spinsqueeze.run.choice import approximation_note
from spinsqueeze.run.stepwise import run_together, tried
from spinsqueeze.run.store import NUMBERS
from spinsqueeze.run.study_file import study_from_tables

Derived = tuple[Moments | BlockMoments, Squeezing]
"""The moments of a run and their squeezing."""


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """A computed point on its way home, as bytes between processes.

    content: the point, or its bytes, for failures too. reason: empty when it was computed. kept:
    whether it goes to the store: results, and failures that took work and would come again; other
    failures are tried again by the next run. numbers: the version of the numbers that made it.
    worker: where.
    """

    content: Point | bytes
    reason: str
    kept: bool
    numbers: int = NUMBERS
    worker: str = ""

    @property
    def packed(self) -> bytes:
        """Its bytes."""
        return self.content if isinstance(self.content, bytes) else pack(self.content)

    @property
    def point(self) -> Point:
        """The point, the same whether it was packed or not."""
        return unpack(self.content) if isinstance(self.content, bytes) else self.content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and self._plain == other._plain

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Outcome, self._plain

    @property
    def _plain(self) -> tuple[Any, ...]:
        return self.packed, self.reason, self.kept, self.numbers, self.worker


def compute_many(points: Sequence[Mapping[str, Any]], *, blocks: bool) -> list[Outcome]:
    """Run studies without sweep, those with one method in one call, see `Method.answer_many`.

    Each has the outcome that it has on its own.

    Args:
        points: the studies.
        blocks: keep the moments of the sample blocks.
    """
    runs = run_together([functools.partial(study_from_tables, point) for point in points])
    derived = _squeezing_of(runs)
    return [_outcome(run, derived.get(k), blocks=blocks) for k, run in enumerate(runs)]


def _squeezing_of(runs: Sequence[Run | Exception]) -> dict[int, Derived]:
    """Moments of steady states of one number of spins and their squeezing, all in one go."""
    groups: dict[int, list[int]] = {}
    for k, run in enumerate(runs):
        if isinstance(run, Run) and run.task.study.steady_state:
            readings = run.answer.readings
            plain = not readings["spin"].sampled and not readings["second"].sampled
            if plain and "spins_left" not in readings:
                groups.setdefault(run.task.question.model.n_spins, []).append(k)
    out: dict[int, Derived] = {}
    for n_spins, members in groups.items():
        answers = [run.answer for k in members if isinstance(run := runs[k], Run)]
        spin, second = (
            np.concatenate([answer.readings[name].values for answer in answers])
            for name in ("spin", "second")
        )
        if len(answers) > 1 and len(spin) == len(answers):
            moments = Moments(n_spins=n_spins, spin=spin, covariance=second)
            parts = zip(moments.each(), squeezing(moments).each(), strict=True)
            out |= zip(members, parts, strict=True)
    return out


def _outcome(run: Run | Exception, derived: Derived | None, *, blocks: bool) -> Outcome:
    if isinstance(run, Exception):
        return _failed(run)
    point = tried(functools.partial(_point, derived=derived, blocks=blocks), run)
    return _failed(point) if isinstance(point, Exception) else Outcome(point, "", True)


def _failed(error: Exception) -> Outcome:
    if isinstance(error, NumericalFailure | UndefinedDirection):
        return failure(f"{type(error).__name__}: {error}", kept=True)
    if isinstance(error, SpinSqueezeError):
        return failure(f"{type(error).__name__}: {error}", kept=False)
    if isinstance(error, MemoryError):
        return failure("MemoryError: the point does not fit in memory", kept=False)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}, line {frame.lineno}"
    return failure(f"{type(error).__name__}: {error} ({place})", kept=False)


def failure(reason: str, *, kept: bool) -> Outcome:
    """The outcome of a point that could not be computed."""
    line = " ".join(reason.split())
    return Outcome(Point(reason=line), line, kept)


def _point(run: Run, *, derived: Derived | None, blocks: bool) -> Point:
    """What the study of a run determines, with its optimum in time."""
    readings, question = run.answer.readings, run.task.question
    chosen = run.task.study.method is None
    note = approximation_note(question, run.task.method) if chosen else ""
    attributes = run.attributes_with(note)
    if derived is None:
        moments, squeezed = moments_of(readings, n_spins=question.model.n_spins), None
    else:
        moments, squeezed = derived
    variables, labels = tables_of_run(
        readings,
        moments,
        times=run.times,
        attributes=attributes,
        error=run.answer.error["spin"],
        truncation=run.answer.truncation,
        squeezed=squeezed,
    )
    if not blocks:
        variables = {k: v for k, v in variables.items() if not k.startswith("block_")}
    best: dict[str, Entry] = {}
    if run.task.study.steady_state:
        variables = {name: _untimed(*entry) for name, entry in variables.items()}
    else:
        left = readings.get("spins_left")
        smooth = left is None or left.sampled  # a single history of losses jumps
        units = str(labels["time"][2]["units"])
        best = best_of_moments(
            run.times,
            moments,
            error=run.answer.error["spin"],
            smooth=smooth,
            units=units,
            readout=run.task.study.readout,
        )
    used = {dim for dims, _, _ in variables.values() for dim in dims}
    return Point(
        variables={name: Entry(*entry) for name, entry in variables.items()} | best,
        coordinates={
            name: Entry(*entry) for name, entry in labels.items() if used.issuperset(entry[0])
        },
        attributes={
            k: v.item() if isinstance(v, np.generic) else v
            for k, v in attributes.items()
            if k in KEPT_ATTRIBUTES
        },
    )


def _untimed(dims: tuple[str, ...], values: Any, attributes: dict[str, str]) -> Any:
    if "time" not in dims:
        return dims, values, attributes
    first = (slice(None),) * dims.index("time") + (0,)
    return tuple(d for d in dims if d != "time"), values[first], attributes
