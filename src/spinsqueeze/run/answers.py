"""From studies to answers: one by one, or many of one structure in one call."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.core.progress import Progress
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.echoed import follows_times, joined, runs_of_times
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.models.lab_cavity import LabCavity
from spinsqueeze.models.model import SpinModel
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.readings import moments_of
from spinsqueeze.observables.squeezing import contrast, squeezing
from spinsqueeze.run.choice import default_method, require
from spinsqueeze.run.study import Study

SHORT = 0.05
"""The contrast at the least xi2 below which a result warns."""
LARGE_ERROR = 0.1
"""Claimed errors from here on, in units of the projection noise, are said as a warning."""


@final
@dataclass(frozen=True, eq=False)
class Task:
    """A question that its method takes."""

    study: Study
    question: Question
    method: Method
    pilot: bool = False
    """Whether it only looks for the times of another one."""


@final
@dataclass(frozen=True)
class TimeChoice:
    """How the times of a run were chosen.

    window: the last of them. outcome: why the search ended. pilot: the methods of the short
    runs, in turn. pilot_runs: their number. rounds: full runs, the first included. seconds: what
    all but the last of the full runs took. concern: what to ask about these times; "" for nothing.
    """

    window: float
    outcome: str
    pilot: str
    pilot_runs: int
    rounds: int
    seconds: float
    concern: str = ""

    def as_json(self) -> str:
        """All that the study determines, as JSON."""
        return json.dumps(
            {k: v for k, v in asdict(self).items() if k not in ("seconds", "concern")}
        )


@final
@dataclass(frozen=True, eq=False)
class Run:
    """A task with its answer, and the seconds that took."""

    task: Task
    answer: Answer
    wall_time: float
    choice: TimeChoice | None = None
    """How its times were chosen; None: the study gave them."""

    @property
    def times(self) -> Floats:
        """Those answered (T,); one, infinite, for a steady state."""
        if self.answer.times is not None:
            return self.answer.times
        question = self.task.question
        return question.times if isinstance(question, Evolve) else np.array([np.inf])

    @property
    def attributes(self) -> dict[str, Any]:
        """What the study determines, as attributes of a result."""
        study, question, method = self.task.study, self.task.question, self.task.method
        answer, lab = self.answer, study.model.lab
        return {
            "n_spins": question.model.n_spins,
            "unit": study.model.unit,
            "method": method.name(),
            "error_kind": method.trust(question).in_words,
            "references": ", ".join(method.references),
            "seed": question.seed,
            "numerical_error": answer.numerical_error,
            "diagnostics": json.dumps(answer.diagnostics),
            "warnings": json.dumps(
                [
                    *_of_lab(study.model),
                    *answer.warnings,
                    *_doubts(answer),
                    *self._bounds,
                    *self._mean_spin,
                    *([self.choice.concern] if self.choice and self.choice.concern else []),
                ]
            ),
            "dtype": str(answer.diagnostics.get("dtype", "float64")),
            "device": str(answer.diagnostics.get("device", "cpu")),
            **({} if lab is None else lab.figures()),
            **_readout(study),
            **({} if self.choice is None else {"automatic_times": self.choice.as_json()}),
        }

    @property
    def _mean_spin(self) -> list[str]:
        """Whether the mean spin has all but vanished where xi2 is least."""
        answer = self.answer
        if "spins_left" in answer.readings:
            return []
        moments = moments_of(answer.readings, n_spins=self.task.question.model.n_spins)
        if isinstance(moments, BlockMoments):
            moments = moments.combined()
        xi2, length = squeezing(moments).xi2, contrast(moments)
        if not np.any(defined := xi2 > 0.0):
            return []
        k = int(np.argmin(np.where(defined, xi2, np.inf)))
        if xi2[k] >= 1.0 or length[k] >= SHORT:
            return []
        return [
            f"mean spin: where xi2 is least the contrast is {length[k]:.2g}: xi2 is the ratio of a "
            "variance and a mean spin that vanish together, and any noise that the model leaves "
            "out spoils it there; read contrast beside xi2, or end the times earlier"
        ]

    def attributes_with(self, concern: str) -> dict[str, Any]:
        """The attributes with one more warning; an empty one is none."""
        attributes = self.attributes
        if concern:
            warnings = [*json.loads(attributes["warnings"]), concern]
            attributes["warnings"] = json.dumps(warnings)
        return attributes

    @property
    def _bounds(self) -> list[str]:
        """Whether 1/xi2 <= qfi/N fails by more than the errors of both, which no state does."""
        answer, question = self.answer, self.task.question
        information = answer.readings.get("qfi")
        if information is None or "spins_left" in answer.readings:
            return []
        n = question.model.n_spins
        moments = moments_of(answer.readings, n_spins=n)
        assert isinstance(moments, Moments)
        with np.errstate(divide="ignore"):
            gain = 1 / squeezing(moments).xi2
        # The state errs by numerical_error/sqrt(N), hence variances by sqrt(N) of it over N/4
        state = answer.numerical_error / np.sqrt(n)
        length = contrast(moments)
        allowed = 1e-9 * gain + 10 * n * state * (1 + (gain / length) ** 2)
        if self.task.method.trust(question).approximation == "uncontrolled":
            allowed = allowed + LARGE_ERROR * gain
        excess = gain - information.values / n
        worst = float(np.max(np.where(excess > allowed, excess, 0.0), initial=0.0))
        if not worst:
            return []
        return [
            f"bound: 1/xi2 exceeds qfi/N by {worst:.2g}, which no state does; what the method "
            "leaves out is not small here"
        ]


def task_of(study: Study, *, progress: Progress | None = None) -> Task:
    """The question of a study without a sweep, and the method that answers it.

    Raises:
        InvalidInput: progress is no function, or no method fits.
        Unsupported: the method does not fit, with every reason and the methods that do.
        TooLarge: the memory budget would be exceeded.
    """
    question = study.question(progress=progress)
    method = default_method(question) if study.method is None else study.method
    require(method, question)
    return Task(study, question, method)


def run_of(task: Task, *, keep_interrupted: bool = False) -> Run:
    """The answer to one task.

    Args:
        task: the task.
        keep_interrupted: after Ctrl-C, the answer of what is finished, from a method that can.

    Raises:
        NumericalFailure: the calculation ended without a trustworthy number.
        InvalidInput: there are several steady states and no state chooses one.
        KeyboardInterrupt: Ctrl-C, unless kept.
    """
    started = time.perf_counter()
    answer = _answer(task.method, task.question)
    if answer.interrupted and not keep_interrupted:
        raise KeyboardInterrupt
    return Run(task, answer, time.perf_counter() - started)


def runs_of(tasks: Sequence[Task]) -> list[Run | SpinSqueezeError]:
    """The answers to tasks with one method, in one call, or why there are none.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    started = time.perf_counter()
    method, questions = tasks[0].method, [task.question for task in tasks]
    answers: Sequence[Answer | SpinSqueezeError]
    if any(map(follows_times, questions)):
        answers = [_answer_or_error(method, question) for question in questions]
    else:
        answers = method.answer_many(questions)
    if any(isinstance(answer, Answer) and answer.interrupted for answer in answers):
        raise KeyboardInterrupt
    seconds = (time.perf_counter() - started) / len(tasks)
    return [
        answer if isinstance(answer, SpinSqueezeError) else Run(task, answer, seconds)
        for task, answer in zip(tasks, answers, strict=True)
    ]


def _answer(method: Method, question: Question) -> Answer:
    """What a method answers; pulses that follow the output times make a run of each of them."""
    if not follows_times(question):
        return method.answer(question)
    assert isinstance(question, Evolve)
    parts: list[Answer] = []
    for run in runs_of_times(question):
        parts.append(method.answer(run))
        if parts[-1].interrupted:
            break
    return joined(question, parts)


def _answer_or_error(method: Method, question: Question) -> Answer | SpinSqueezeError:
    try:
        return _answer(method, question)
    except SpinSqueezeError as error:
        return error


def _readout(study: Study) -> dict[str, float]:
    """The readout of a study as attributes."""
    if study.readout is None:
        return {}
    return {
        "readout_detection_error": study.readout.detection_error,
        "readout_resolution": study.readout.resolution,
    }


def _of_lab(model: SpinModel) -> tuple[str, ...]:
    """Concerns of lab numbers: of leaving out the cavity, of lengths of a lattice."""
    if model.lab is None or (isinstance(model.lab, LabCavity) and model.cavity is not None):
        return ()
    return model.lab.concerns


def _doubts(answer: Answer) -> list[str]:
    """A run that ended early, and a large error unless the method has given its own warning."""
    doubts = [] if answer.status == COMPLETE else [f"ended early: {answer.status}"]
    named = any(
        warning.startswith("steps:") or "is in the numerical error" in warning
        for warning in answer.warnings
    )
    if answer.numerical_error >= LARGE_ERROR and not named:
        doubts.append(
            f"accuracy: the mean spin may err by {answer.numerical_error:.2g} projection noises "
            "sqrt(N)/2; lower the tolerance, or take more trajectories of rare jumps, end earlier, "
            "or compare with another method"
        )
    return doubts
