"""What a worker does with points: from tables to packed bytes, whatever happens on the way."""

import functools
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from spinsqueeze.core.errors import NumericalFailure, SpinSqueezeError, UndefinedDirection
from spinsqueeze.observables.readings import moments_of
from spinsqueeze.results.best import best_of_moments
from spinsqueeze.results.dataset import tables_of_run
from spinsqueeze.results.points import KEPT_ATTRIBUTES, Entry, Point, pack
from spinsqueeze.run.answers import Run
from spinsqueeze.run.stepwise import run_together, tried
from spinsqueeze.run.store import NUMBERS
from spinsqueeze.run.study_file import study_from_tables


@final
@dataclass(frozen=True)
class Outcome:
    """A computed point on its way home.

    packed: its bytes, for failures too. reason: empty when it was computed. kept: whether it goes
    to the store: results, and failures that took work and would come again; other failures are
    tried again by the next run. numbers: the version of the numbers that made it. worker: where.
    """

    packed: bytes
    reason: str
    kept: bool
    numbers: int = NUMBERS
    worker: str = ""


def compute_many(points: Sequence[Mapping[str, Any]], *, blocks: bool) -> list[Outcome]:
    """Run studies without sweep, those with one method in one call, see `Method.answer_many`.

    Each has the outcome that it has on its own.

    Args:
        points: the studies.
        blocks: keep the moments of the sample blocks.
    """
    runs = run_together([functools.partial(study_from_tables, point) for point in points])
    return [_outcome(run, blocks=blocks) for run in runs]


def _outcome(run: Run | Exception, *, blocks: bool) -> Outcome:
    if isinstance(run, Exception):
        return _failed(run)
    point = tried(functools.partial(_point, blocks=blocks), run)
    return _failed(point) if isinstance(point, Exception) else Outcome(pack(point), "", True)


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
    return Outcome(pack(Point(reason=line)), line, kept)


def _point(run: Run, *, blocks: bool) -> Point:
    """What the study of a run determines, with its optimum in time."""
    readings, question, attributes = run.answer.readings, run.task.question, run.attributes
    moments = moments_of(readings, n_spins=question.model.n_spins)
    variables, labels = tables_of_run(
        readings,
        moments,
        times=run.times,
        attributes=attributes,
        error=run.answer.error["spin"],
        truncation=run.answer.truncation,
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
            run.times, moments, smooth=smooth, units=units, readout=run.task.study.readout
        )
    used = {dim for dims, _, _ in variables.values() for dim in dims}
    return Point(
        variables={name: Entry(*entry) for name, entry in variables.items()} | best,
        coordinates={
            name: Entry(*entry) for name, entry in labels.items() if used.issuperset(entry[0])
        },
        attributes={k: v for k, v in attributes.items() if k in KEPT_ATTRIBUTES},
    )


def _untimed(dims: tuple[str, ...], values: Any, attributes: dict[str, str]) -> Any:
    if "time" not in dims:
        return dims, values, attributes
    return tuple(d for d in dims if d != "time"), np.take(values, 0, dims.index("time")), attributes
