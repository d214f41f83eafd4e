"""advise: which methods fit a model, which not and why, and what they would cost."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import html_table
from spinsqueeze.methods.base.method import Cost, Method, in_bytes
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET, Question
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import CoherentState, InitialState
from spinsqueeze.run.choice import default_method
from spinsqueeze.run.choice import in_time as in_time
from spinsqueeze.run.questions import AUTO, evolve_question, is_auto, steady_question
from spinsqueeze.run.study import Study
from spinsqueeze.run.time_scales import likely_times


@final
@dataclass(frozen=True)
class Row:
    """One method: whether it fits, why not, its expected memory [bytes] and time [s].

    error: how it errs on this question: "exact", "sampling", "truncation", "uncontrolled", or
    two of them; empty where it does not fit. known: what its error was measured to be in such
    models, in words. default: it is taken where no method is named.
    """

    name: str
    reasons: tuple[str, ...]
    memory: float
    seconds: float
    error: str
    summary: str
    known: str = ""
    default: bool = False

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def __str__(self) -> str:
        if not self.fits:
            return f"{self.name}: no: " + "; ".join(self.reasons)
        name = self.name + " (the default)" * self.default
        return (
            f"{name}: fits ({self.error} error), about {in_bytes(self.memory)} and "
            f"{in_time(self.seconds)}" + (f"; {self.known}" if self.known else "")
        )


@final
@clear_init
@dataclass(frozen=True)
class Advice:
    """What `advise` returns: iterate over its rows, or print it."""

    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __str__(self) -> str:
        return "\n".join(map(str, self.rows))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        cells = (
            (
                r.name + " (the default)" * r.default,
                r.error,
                in_bytes(r.memory),
                in_time(r.seconds),
                r.summary,
            )
            if r.fits
            else (r.name, "no", "", "", "; ".join(r.reasons))
            for r in self.rows
        )
        return html_table(("method", "error", "memory", "time", ""), cells)


@clear_call
def advise(
    model: SpinModel | Study,
    *,
    initial_state: InitialState | None = None,
    times: Any = None,
    pulses: Sequence[Pulse] = (),
    losses: Losses | None = None,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    method: Method | None = None,
    steady_state: bool = False,
) -> Advice:
    """Ask every method whether it fits, with its reasons, expected memory and time.

    Args:
        model: the model; or a study, which says all of the rest itself.
        initial_state: the state at time 0; the coherent state along +x by default.
        times: output times; "auto" and by default: about those that a run chooses, from the time
            scale alone, as for a study without times; 1.0 with pulses or losses.
        pulses: instantaneous rotations.
        losses: single spins leave during the run.
        memory_budget: bytes; a method that needs more does not fit.
        method: judged with its own options; every other method with its defaults.
        steady_state: ask for the steady state; times, pulses and losses play no part.

    Raises:
        InvalidInput: an argument breaks its rule; or the name of an experiment, see `platforms`.
    """
    question: Question
    if isinstance(model, Study):
        return _rows(_of_study(model), model.method if method is None else method)
    if isinstance(model, str):
        raise InvalidInput(
            f"model must be a SpinModel or a Study, got {checks.shown(model)}; which model "
            f"suits an experiment: platforms({model!r})"
        )
    if steady_state:
        question = steady_question(model, initial_state=initial_state, memory_budget=memory_budget)
    else:
        if times is None:
            times = (1.0,) if pulses or losses is not None else AUTO
        question = evolve_question(
            model,
            CoherentState("+x") if initial_state is None else initial_state,
            likely_times(model.canonical) if is_auto(times) else times,
            pulses=pulses,
            losses=losses,
            memory_budget=memory_budget,
        )
    return _rows(question, method)


def _of_study(study: Study) -> Question:
    if study.automatic_times:
        study = replace(study, times=likely_times(study.model.canonical))
    return study.question()


def _rows(question: Question, method: Method | None) -> Advice:
    rows = []
    try:
        default = default_method(question).name()
    except InvalidInput:
        default = ""
    for name, kind in METHODS.items():
        tried = method if method is not None and type(method) is kind else kind()
        verdict = tried.judge(question)
        cost = verdict.cost or Cost(math.nan, math.nan, "")
        trust = tried.trust(question) if verdict else None
        error, known = ("", "") if trust is None else (trust.in_words, trust.known)
        rows.append(
            Row(
                name,
                verdict.reasons,
                cost.memory,
                cost.seconds,
                error,
                kind.summary,
                known,
                name == default,
            )
        )
    return Advice(tuple(rows))
