"""Pulses at a fraction of every output time: each output is the end of a run of its own.

An echo is read after a pulse of pi half way, however long the run: an experiment repeats it for
each of its times.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spinsqueeze.core.registry import variable
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.models.states import InitialState
from spinsqueeze.observables.readings import Reading


def follows_times(question: Question) -> bool:
    """Whether a pulse comes at a fraction of every output time."""
    return isinstance(question, Evolve) and any(r.fraction is not None for r in question.pulses)


def runs_of_times(question: Evolve) -> list[Evolve]:
    """One question for each output time, with its pulses; those after it are left out."""
    runs = []
    for k, time in enumerate(question.times):
        pulses = [
            r if r.fraction is None else replace(r, time=r.fraction * float(time), fraction=None)
            for r in question.pulses
        ]
        acting = tuple(sorted((r for r in pulses if r.time <= time), key=lambda r: r.time))
        done = k / len(question.times)
        part = 1 / len(question.times)

        def progress(fraction: float, done: float = done, part: float = part) -> None:
            question.progress(done + part * fraction)

        runs.append(
            replace(question, times=question.times[k : k + 1], pulses=acting, progress=progress)
        )
    return runs


def joined(question: Evolve, answers: Sequence[Answer]) -> Answer:
    """The answers at single times, in their order, as one, up to the first that has none.

    Its diagnostics are those of the last run; what differs between the runs is in `of_each_time`,
    name -> one value for each time.
    """
    count = next(
        (k for k, a in enumerate(answers) if a.times is not None and not len(a.times)), len(answers)
    )
    whole = answers[: max(count, 1)]
    while len(whole) > 1 and _blocks(whole[-1]) != _blocks(whole[0]):  # the last was interrupted
        whole = whole[:-1]
    last, ended = whole[-1], answers[min(count, len(answers) - 1)]
    readings = {}
    for name, head in last.readings.items():
        if _in_time(name):
            parts = [answer.readings[name] for answer in whole]
            readings[name] = _joined(parts)
        else:
            readings[name] = head

    def state_at(index: int) -> InitialState | None:
        return whole[index].state_at(0)

    errors = [np.broadcast_to(answer.error["spin"], (1,)) for answer in whole]
    truncation = {
        name: np.concatenate([answer.truncation[name] for answer in whole])
        for name in last.truncation
    }
    own: dict[str, Any] = {"runs_of_times": len(whole), **_of_each_time(whole)}
    return Answer(
        readings,
        {"spin": np.concatenate(errors)},
        {**last.diagnostics, **own},
        truncation=truncation,
        warnings=tuple(dict.fromkeys(text for answer in answers for text in answer.warnings)),
        times=None if len(whole) == len(question.times) else question.times[: len(whole)],
        status=ended.status,
        interrupted=ended.interrupted,
        state_at=state_at,
    )


def _of_each_time(answers: Sequence[Answer]) -> dict[str, dict[str, list[Any]]]:
    """Diagnostics that differ between the runs, one value for each time."""
    names = dict.fromkeys(name for answer in answers for name in answer.diagnostics)
    columns = {name: [answer.diagnostics.get(name) for answer in answers] for name in names}
    # by their text: NaN is itself there
    differing = {name: column for name, column in columns.items() if len(set(map(str, column))) > 1}
    return {"of_each_time": differing} if differing else {}


def _blocks(answer: Answer) -> int:
    """Blocks of samples that its moments have; 0 where they are exact."""
    weights = answer.readings["spin"].weights
    return 0 if weights is None else len(weights)


def _in_time(name: str) -> bool:
    """Whether a reading has one entry a time."""
    return name == "second" or variable(name).dims[0] == "time"


def _joined(parts: Sequence[Reading]) -> Reading:
    head = parts[0]
    reference = None
    if any(part.reference is not None for part in parts):
        reference = np.concatenate(
            [
                np.zeros_like(part.values[:, 0]) if part.reference is None else part.reference
                for part in parts
            ]
        )
    values = np.concatenate([part.values for part in parts])
    return Reading(values, weights=head.weights, reference=reference, coords=head.coords)
