"""What a worker does with one point: from tables to packed bytes, whatever happens on the way."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from spinsqueeze.core.errors import NumericalFailure, SpinSqueezeError, UndefinedDirection
from spinsqueeze.results.best import best_of_run
from spinsqueeze.results.points import Point, from_dataset, pack
from spinsqueeze.run.execute import execute
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


def compute(tables: Mapping[str, Any], *, blocks: bool) -> Outcome:
    """Run one study without sweep; every failure becomes a reason.

    Args:
        tables: the study.
        blocks: keep the moments of the sample blocks.
    """
    try:
        point = _computed(tables, blocks=blocks)
        return Outcome(pack(point), "", True)
    except (NumericalFailure, UndefinedDirection) as error:
        return failure(f"{type(error).__name__}: {error}", kept=True)
    except SpinSqueezeError as error:
        return failure(f"{type(error).__name__}: {error}", kept=False)
    except MemoryError:
        return failure("MemoryError: the point does not fit in memory", kept=False)
    except Exception as error:  # noqa: BLE001  a point never ends a sweep
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}, line {frame.lineno}"
        return failure(f"{type(error).__name__}: {error} ({place})", kept=False)


def failure(reason: str, *, kept: bool) -> Outcome:
    """The outcome of a point that could not be computed."""
    line = " ".join(reason.split())
    return Outcome(pack(Point(reason=line)), line, kept)


def _computed(tables: Mapping[str, Any], *, blocks: bool) -> Point:
    data = execute(study_from_tables(tables))
    point = from_dataset(data, blocks=blocks)
    return Point(
        variables={**point.variables, **best_of_run(data)},
        coordinates=point.coordinates,
        attributes=point.attributes,
    )
