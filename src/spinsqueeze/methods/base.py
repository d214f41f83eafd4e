"""What every method takes (a `Task`) and hands back (an `Evolution`), and how it says no."""

import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import TooLarge, Unsupported
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.states import InitialState
from spinsqueeze.models.term import Plain, snake_case
from spinsqueeze.observables.moments import BlockMoments, Moments

Floats = NDArray[np.float64]
Progress = Callable[[float], None]
DEFAULT_MEMORY_BUDGET = 4e9


@final
@dataclass(frozen=True, eq=False)
class Rotation:
    """A pulse in canonical form: exp(-i angle axis . S) at `time` on the spins of `mask`."""

    time: float
    axis: Floats
    angle: float
    mask: NDArray[np.bool_] | None = None


@final
@dataclass(frozen=True, eq=False)
class Task:
    """One evolution from time 0: a canonical model, a state, output times (T,) and pulses.

    For a steady state times is [inf], and initial_state may be None.
    """

    model: Canonical
    initial_state: InitialState | None
    times: Floats
    pulses: tuple[Rotation, ...] = ()
    seed: int = 0
    memory_budget: float = DEFAULT_MEMORY_BUDGET
    progress: Progress = field(default=lambda fraction: None)


def stretches(task: Task) -> list[tuple[float, list[Rotation], NDArray[np.int64]]]:
    """(end, pulses there, indices of outputs before it) from pulse to pulse, and to the end.

    An output at the time of a pulse is read after it, so it belongs to the next stretch.
    """
    out, done = [], 0
    for edge in sorted({r.time for r in task.pulses}):
        last = int(np.searchsorted(task.times, edge, side="left"))
        out.append((edge, [r for r in task.pulses if r.time == edge], np.arange(done, last)))
        done = last
    out.append((float(task.times[-1]), [], np.arange(done, len(task.times))))
    return out


@final
@dataclass(frozen=True)
class Support:
    """Whether a method fits a task: empty reasons mean yes; `reasons` lists every obstacle."""

    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.reasons


@final
@dataclass(frozen=True)
class Cost:
    """Expected memory in bytes and time in seconds on a common two-core machine.

    `detail` says where the bytes come from and how to need fewer.
    """

    memory: float
    seconds: float
    detail: str


@final
@dataclass(frozen=True, eq=False)
class Evolution:
    """What every method hands back.

    moments: collective moments at the task's times. numerical_error: estimated error of the mean
    spin from steps and round-off, in units of the projection noise sqrt(N)/2. extras: registered
    variables beyond those that follow from the moments. diagnostics: how far the numbers can be
    trusted. warnings: named concerns in words. final_state: a state to go on from, or None.
    """

    moments: Moments | BlockMoments
    numerical_error: float
    diagnostics: dict[str, float | int | str]
    extras: dict[str, Floats] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    final_state: InitialState | None = None


_IN_WORDS = {
    "modes": "a cavity",
    "mode_couplings": "a cavity",
    "weights": "spins of different weight",
}


class Method(Plain, abc.ABC):
    """A way to compute; a frozen dataclass whose fields are its options."""

    references: ClassVar[tuple[str, ...]]
    error_kind: ClassVar[str]  # "exact", "sampling", "truncation" or "uncontrolled"
    summary: ClassVar[str]
    handles: ClassVar[frozenset[str]] = frozenset()
    """Features of the canonical form that it treats; a model with any other is refused."""

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return snake_case(cls.__name__)

    def support(self, task: Task) -> Support:
        """Whether this method can do the task, with every reason why not."""
        return Support((*self.unknown_features(task.model), *self.obstacles(task)))

    def steady_support(self, task: Task) -> Support:
        """Whether this method can find the steady state, with every reason why not."""
        return Support((*self.unknown_features(task.model), *self.steady_obstacles(task)))

    @abc.abstractmethod
    def obstacles(self, task: Task) -> list[str]:
        """Every finer reason why it cannot do a task whose features it handles."""

    def steady_obstacles(self, task: Task) -> list[str]:
        """Every finer reason why it cannot find a steady state."""
        return ["it evolves in time only and has no steady-state solver"]

    @classmethod
    def unknown_features(cls, model: Canonical) -> list[str]:
        """What the model holds that this method does not treat, in words."""
        names = model.features - cls.handles
        words = {_IN_WORDS.get(name, name.replace("_", " ")) for name in names}
        return [f"the model has {what}, which it does not treat" for what in sorted(words)]

    @abc.abstractmethod
    def cost(self, task: Task) -> Cost:
        """Expected memory and time; only called when supported."""

    @abc.abstractmethod
    def evolve(self, task: Task) -> Evolution:
        """Do the task.

        Raises:
            NumericalFailure: the calculation ended without a trustworthy number.
        """

    def steady_cost(self, task: Task) -> Cost:
        """Expected memory and time of the steady state; only called when supported."""
        raise NotImplementedError

    def steady_state(self, task: Task) -> Evolution:
        """Find the steady state; moments have one time.

        Raises:
            NumericalFailure: the calculation ended without a trustworthy number.
            InvalidInput: there are several steady states and no initial state chooses one.
        """
        raise NotImplementedError

    def require(self, task: Task) -> None:
        """Refuse what does not fit, before any work.

        Raises:
            Unsupported: with every reason.
            TooLarge: with the bytes needed, the budget and the remedy.
        """
        steady = bool(np.isinf(task.times[-1]))
        reasons = (self.steady_support(task) if steady else self.support(task)).reasons
        if reasons:
            numbered = "; ".join(f"({k}) {text}" for k, text in enumerate(reasons, start=1))
            raise Unsupported(f"{type(self).__name__} cannot do this: {numbered}")
        cost = self.steady_cost(task) if steady else self.cost(task)
        if cost.memory > task.memory_budget:
            raise TooLarge(
                f"{type(self).__name__} needs {in_bytes(cost.memory)} ({cost.detail}); the budget "
                f"is {in_bytes(task.memory_budget)}: raise memory_budget or use another method"
            )

    def option_table(self) -> dict[str, Any]:
        """The method as a study file writes it: its name and the options that are not default."""
        return {"name": self.name(), **self.as_dict()}


def in_bytes(count: float) -> str:
    """'1.2 GB': a number of bytes for people."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} B"
