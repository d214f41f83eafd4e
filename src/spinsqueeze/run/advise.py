"""advise: which methods fit a model, which not and why, and what they would cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from spinsqueeze.methods.base import DEFAULT_MEMORY_BUDGET, Method, in_bytes
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import CoherentState, InitialState
from spinsqueeze.run.task import make_steady_task, make_task


@final
@dataclass(frozen=True)
class Row:
    """One method: whether it fits, why not, its expected memory [bytes] and time [s]."""

    name: str
    fits: bool
    reasons: tuple[str, ...]
    memory: float
    seconds: float
    error_kind: str
    summary: str

    def __str__(self) -> str:
        if not self.fits:
            return f"{self.name}: no: " + "; ".join(self.reasons)
        return (
            f"{self.name}: fits ({self.error_kind} error), about {in_bytes(self.memory)} and "
            f"{in_time(self.seconds)}"
        )


@final
@dataclass(frozen=True)
class Advice:
    """What `advise` returns: iterate over its rows, or print it."""

    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __str__(self) -> str:
        return "\n".join(map(str, self.rows))


def advise(
    model: SpinModel,
    *,
    initial_state: InitialState | None = None,
    times: Any = (1.0,),
    pulses: Sequence[Pulse] = (),
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    method: Method | None = None,
    steady_state: bool = False,
) -> Advice:
    """Ask every method whether it fits, with its reasons, expected memory and time.

    Args:
        model: the model.
        initial_state: the state at time 0; the coherent state along +x by default.
        times: output times.
        pulses: instantaneous rotations.
        memory_budget: bytes; a method that needs more does not fit.
        method: judged with its own options; every other method with its defaults.
        steady_state: ask for the steady state; times and pulses play no part then.
    """
    if steady_state:
        task = make_steady_task(model, initial_state=initial_state, memory_budget=memory_budget)
    else:
        task = make_task(
            model,
            CoherentState("+x") if initial_state is None else initial_state,
            times,
            pulses=pulses,
            memory_budget=memory_budget,
        )
    rows = []
    for name, kind in METHODS.items():
        tried = method if type(method) is kind else kind()
        reasons = (tried.steady_support(task) if steady_state else tried.support(task)).reasons
        memory = seconds = float("nan")
        if not reasons:
            cost = tried.steady_cost(task) if steady_state else tried.cost(task)
            memory, seconds = cost.memory, cost.seconds
            if memory > memory_budget:
                reasons = (
                    f"needs {in_bytes(memory)} ({cost.detail}), more than memory_budget = "
                    f"{in_bytes(memory_budget)}",
                )
        rows.append(Row(name, not reasons, reasons, memory, seconds, kind.error_kind, kind.summary))
    return Advice(tuple(rows))


def in_time(seconds: float) -> str:
    """'3 min': a duration for people."""
    if seconds < 1.0:
        return "under a second"
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
