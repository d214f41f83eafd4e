"""A method: what it handles, how far it can be trusted, what it costs, what it answers."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal, final

from spinsqueeze.core.errors import SpinSqueezeError, TooLarge, Unsupported
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.echoed import follows_times
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.models.term import Plain, plain, snake_case

_IN_WORDS = {
    "modes": "a cavity",
    "mode_couplings": "a cavity",
}
_NO_ANSWER = {
    Evolve: "it finds steady states only and does not evolve in time",
    Steady: "it evolves in time only and has no steady-state solver: evolve until nothing changes",
}
_RANKS = {"none": 0, "truncation": 2, "uncontrolled": 3}
_LAST_RANK = 4


@final
@dataclass(frozen=True)
class Trust:
    """How a method errs on one question, beyond the rounding and steps that it reports.

    approximation: "none"; "truncation" with a measured error; or "uncontrolled". sampled: whether
    the numbers are averages over samples, with standard errors. outside: whether the method's own
    criterion says that its approximation does not hold here. known: what its error was measured to
    be in such models, in words; empty where nothing is known.
    """

    approximation: Literal["none", "truncation", "uncontrolled"]
    sampled: bool = False
    outside: bool = False
    known: str = ""

    @property
    def rank(self) -> int:
        """Best 0: exact, exact up to sampling, truncation, uncontrolled, outside its domain."""
        return _LAST_RANK if self.outside else _RANKS[self.approximation] or int(self.sampled)

    @property
    def in_words(self) -> str:
        """'exact', 'sampling', 'truncation', 'uncontrolled and sampling'."""
        parts = [] if self.approximation == "none" else [self.approximation]
        return " and ".join([*parts, *(["sampling"] if self.sampled else [])]) or "exact"


EXACT = Trust("none")


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
@dataclass(frozen=True)
class Verdict:
    """Whether a method takes a question.

    obstacles: every reason why it does not fit; empty where it does. cost: where it fits.
    too_large: the memory that it needs beyond the budget, in words; empty where that suffices.
    """

    obstacles: tuple[str, ...]
    cost: Cost | None = None
    too_large: str = ""

    def __bool__(self) -> bool:
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Everything that speaks against it."""
        return (*self.obstacles, *([self.too_large] if self.too_large else []))


class Method(Plain, abc.ABC):
    """A way to compute; a frozen dataclass whose fields are its options."""

    references: ClassVar[tuple[str, ...]]
    """Keys of references.bib."""
    summary: ClassVar[str]
    handles: ClassVar[frozenset[str]] = frozenset()
    """Features of models and questions that it treats; a question with any other is refused."""
    answers: ClassVar[frozenset[type]] = frozenset((Evolve,))
    """Kinds of question: Evolve, Steady."""
    together: ClassVar[bool] = False
    """Whether a sweep hands it many points at once, for `answer_many`."""
    each_time_alone: ClassVar[bool] = False
    """Whether an output time takes as long in a run of its own as among others."""

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return snake_case(cls.__name__)

    @property
    def in_words(self) -> str:
        """'dtwa (n_trajectories = 128)': its name and the options that are not default."""
        options = ", ".join(f"{name} = {value}" for name, value in self.as_dict().items())
        return f"{self.name()} ({options})" if options else self.name()

    @abc.abstractmethod
    def obstacles(self, question: Question) -> list[str]:
        """Every finer reason why it cannot answer a question whose features it handles."""

    @abc.abstractmethod
    def trust(self, question: Question) -> Trust:
        """How it errs on a question that it answers."""

    @abc.abstractmethod
    def cost(self, question: Question) -> Cost:
        """Expected memory and time of a question that it answers."""

    def keeps_state(self, question: Question) -> bool:  # noqa: ARG002
        """Whether its answer has the state at the last time, for `keep_state`."""
        return False

    @abc.abstractmethod
    def answer(self, question: Question) -> Answer:
        """Answer a question that `require` has let pass.

        Raises:
            NumericalFailure: the calculation ended without a trustworthy number.
            InvalidInput: there are several steady states and no state chooses one.
        """

    def answer_many(self, questions: Sequence[Question]) -> list[Answer | SpinSqueezeError]:
        """What `answer` returns, or raises, for each of many questions; here one after another."""
        return [self._answer_or_error(question) for question in questions]

    @final
    def _answer_or_error(self, question: Question) -> Answer | SpinSqueezeError:
        try:
            return self.answer(question)
        except SpinSqueezeError as error:
            return error

    @final
    def support(self, question: Question) -> list[str]:
        """Every reason why it does not fit a question, memory aside; empty where it fits."""
        unknown = question.features - self.handles
        words = {_in_words(name, question) for name in unknown}
        reasons = [f"the model has {what}, which it does not treat" for what in sorted(words)]
        if follows_times(question) and getattr(self, "target_error", None) is not None:
            reasons.append("a target_error is not for pulses at a fraction: give n_trajectories")
        if type(question) not in self.answers:
            return [*reasons, _NO_ANSWER[type(question)]]
        return [*reasons, *self.obstacles(question)]

    @final
    def judge(self, question: Question) -> Verdict:
        """Whether it takes a question, with every reason why not, and the cost where it fits."""
        obstacles = tuple(self.support(question))
        if obstacles:
            return Verdict(obstacles)
        cost = self.cost(question)
        if isinstance(question, Evolve) and follows_times(question) and not self.each_time_alone:
            runs = (len(question.times) + 1) / 2  # whole ones: those of early times are shorter
            cost = replace(cost, seconds=cost.seconds * runs)
        if cost.memory <= question.memory_budget:
            return Verdict((), cost)
        return Verdict(
            (),
            cost,
            f"needs {in_bytes(cost.memory)} ({cost.detail}); the budget is "
            f"{in_bytes(question.memory_budget)}",
        )

    @final
    def require(self, question: Question) -> None:
        """Refuse what does not fit, before any work.

        Raises:
            Unsupported: with every reason.
            TooLarge: with the bytes needed, the budget and the remedy.
        """
        self.insist(self.judge(question))

    @classmethod
    def insist(cls, verdict: Verdict) -> None:
        """Raise what stands against a question.

        Raises:
            Unsupported: with every reason.
            TooLarge: with the bytes needed, the budget and the remedy.
        """
        if verdict.obstacles:
            several = len(verdict.obstacles) > 1
            numbered = "; ".join(
                f"({k}) {text}" if several else text for k, text in enumerate(verdict.obstacles, 1)
            )
            raise Unsupported(f"{cls.__name__} cannot do this: {numbered}")
        if verdict.too_large:
            raise TooLarge(
                f"{cls.__name__} {verdict.too_large}: raise memory_budget or use another method"
            )

    def option_table(self) -> dict[str, Any]:
        """The method as a study file writes it: its name and the options that are not default."""
        return {"name": self.name(), **self.as_dict()}

    def full_table(self) -> dict[str, Any]:
        """The method with every option that has a value, defaults too."""
        values = {item.name: plain(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]
        return {"name": self.name(), **{k: v for k, v in values.items() if v is not None}}


def _in_words(feature: str, question: Question) -> str:
    if feature == "unlike_spins":
        return f"spins that differ in their {' and '.join(question.differences)}"
    return _IN_WORDS.get(feature, feature.replace("_", " "))


def in_bytes(count: float) -> str:
    """'1.2 GB': a number of bytes for people."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} B"
