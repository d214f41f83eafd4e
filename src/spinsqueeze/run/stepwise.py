"""Runs of studies, step by step: those that choose their times need several."""

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeVar

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.plain import digest
from spinsqueeze.core.progress import Progress
from spinsqueeze.run.answers import Run, Task, run_of, runs_of
from spinsqueeze.run.automatic_times import chosen_times, steps
from spinsqueeze.run.study import Study

S = TypeVar("S")
T = TypeVar("T")


def run_alone(
    study: Study, *, progress: Progress | None = None, keep_interrupted: bool = False
) -> Run:
    """The run of one study without a sweep.

    Args:
        study: the study.
        progress: called with the fraction done.
        keep_interrupted: after Ctrl-C, the answer of what is finished, from a method that can.

    Raises:
        SpinSqueezeError: see `task_of` and `run_of`.
        KeyboardInterrupt: Ctrl-C, unless kept.
    """
    return _finished(steps(study, progress=progress), keep_interrupted)


def times_of(study: Study) -> Floats:
    """The times that the first full run of a study has, which gives none, by short runs alone.

    Raises:
        SpinSqueezeError: see `run_alone`.
    """
    return _finished(chosen_times(study), keep_interrupted=False)


def _finished(search: Generator[Task, Run, T], keep_interrupted: bool) -> T:
    run: Run | None = None
    try:
        while True:
            task = next(search) if run is None else search.send(run)
            run = _answered(search, task, keep_interrupted)
    except StopIteration as end:
        result: T = end.value
        return result


def _answered(search: Generator[Task, Run, Any], task: Task, keep_interrupted: bool) -> Run:
    """The run of a task, or of the one that takes its place where it fails."""
    while True:
        try:
            return run_of(task, keep_interrupted=keep_interrupted and not task.pilot)
        except Exception as error:  # noqa: BLE001  the search knows what to do without it
            task = search.throw(error)


def run_together(
    studies: Sequence[Callable[[], Study]], *, progress: Progress | None = None
) -> list[Run | Exception]:
    """The runs of many studies, or why there are none.

    What has one method is answered in one call; each study has the run that it has on its own.

    Args:
        studies: functions that give them.
        progress: called with the fraction done of all, as far as methods say it of each.
    """
    heard = _parts(progress, len(studies))
    searches = [
        tried(lambda pair: steps(pair[0](), progress=pair[1]), pair)
        for pair in zip(studies, heard, strict=True)
    ]
    finished: dict[int, Run | Exception] = {}
    waiting: dict[int, Task] = {}

    def go_on(number: int, answer: Run | Exception | None) -> None:
        search = searches[number]
        if isinstance(search, Exception):
            finished[number] = search
            return
        try:
            if isinstance(answer, Exception):
                waiting[number] = search.throw(answer)
            else:
                waiting[number] = next(search) if answer is None else search.send(answer)
        except StopIteration as end:
            finished[number] = end.value
        except Exception as error:  # noqa: BLE001  one study never ends the others
            finished[number] = error

    for number in range(len(searches)):
        go_on(number, None)
    while waiting:
        tasks, waiting = waiting, {}
        for number, answer in _by_method(tasks).items():
            go_on(number, answer)
    return [finished[number] for number in range(len(searches))]


def _parts(progress: Progress | None, count: int) -> list[Progress | None]:
    """What each of `count` runs calls with its fraction done, so that the mean is heard."""
    if progress is None:
        return [None] * count
    done = [0.0] * count

    def part(number: int, fraction: float) -> None:
        done[number] = max(done[number], fraction)
        progress(sum(done) / count)

    return [functools.partial(part, number) for number in range(count)]


def _by_method(tasks: Mapping[int, Task]) -> dict[int, Run | Exception]:
    groups: dict[bytes, list[int]] = {}
    for number, task in tasks.items():
        groups.setdefault(digest(task.method.option_table()), []).append(number)
    answers: dict[int, Run | Exception] = {}
    for numbers in groups.values():
        answers |= zip(numbers, _group([tasks[number] for number in numbers]), strict=True)
    return answers


def _group(tasks: Sequence[Task]) -> Sequence[Run | Exception]:
    """The runs of tasks with one method; one by one where a call with all of them fails."""
    if len(tasks) > 1 and not isinstance(runs := tried(runs_of, tasks), Exception):
        return runs
    return [tried(run_of, task) for task in tasks]


def tried(work: Callable[[S], T], given: S) -> T | Exception:
    """What work returns, or its failure."""
    try:
        return work(given)
    except Exception as error:  # noqa: BLE001  it is told, not lost
        return error
