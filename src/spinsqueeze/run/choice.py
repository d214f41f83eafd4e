"""Which method a question gets: the one that the user names, or the most trusted that is quick."""

import math
from collections.abc import Sequence
from typing import Any

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import Question
from spinsqueeze.methods.registry import METHODS

PATIENCE = 60.0
"""Seconds that a method which nobody named may take."""
_LARGEST_MACHINE = 1e13
"""Bytes beyond which the model is the obstacle, not the budget."""


def make_method(method: Any) -> Method:
    """A method from an instance, its class, or its name (with default options).

    Raises:
        InvalidInput: no such method.
    """
    if isinstance(method, Method):
        return method
    if isinstance(method, str):
        if method not in METHODS:
            raise InvalidInput(
                f"method {method!r} does not exist; {checks.did_you_mean(method, METHODS)}"
            )
        return METHODS[method]()
    if isinstance(method, type) and issubclass(method, Method):
        return method()
    raise InvalidInput(
        f"method must be a method such as DTWA(n_trajectories=500) or a name, got "
        f"{checks.shown(method)}"
    )


def default_method(question: Question, *, keep_state: bool = False) -> Method:
    """The method to take when the user names none.

    The least time among the fitting methods of the highest trust that finish within a minute; else
    the fastest of all.

    Args:
        question: what is asked.
        keep_state: among the methods that keep the state at the last time.

    Raises:
        InvalidInput: no method takes the question; with the reasons of each.
        TooLarge: only the memory budget stands against those that would; with the least of them.
    """
    best: tuple[tuple[float, float], Method] | None = None
    reasons = []
    beyond: list[tuple[float, str]] = []
    for kind in METHODS.values():
        method = kind()
        verdict = method.judge(question)
        if not verdict or verdict.cost is None:
            reasons.append(f"{kind.__name__}: {'; '.join(verdict.reasons)}")
            if verdict.cost is not None and (not keep_state or method.keeps_state(question)):
                beyond.append((verdict.cost.memory, f"{kind.__name__} {verdict.too_large}"))
            continue
        if keep_state and not method.keeps_state(question):
            reasons.append(f"{kind.__name__}: has no state to keep here")
            continue
        seconds = verdict.cost.seconds
        key = (method.trust(question).rank if seconds < PATIENCE else math.inf, seconds)
        if best is None or key < best[0]:
            best = (key, method)
    if best is None and beyond and min(beyond)[0] <= _LARGEST_MACHINE:
        _, least = min(beyond)
        others = "every other method that fits needs more" if beyond[1:] else "no other method fits"
        raise TooLarge(f"{least}, and {others}: raise memory_budget, or make the model smaller")
    if best is None:
        what = " and keeps its state" if keep_state else ""
        raise InvalidInput(f"no method fits this model{what}. " + ". ".join(reasons))
    return best[1]


def require(method: Method, question: Question) -> None:
    """Refuse what a method that was named does not take, and name the methods that do.

    Raises:
        Unsupported: with every reason, and the methods that fit with default options.
        TooLarge: with the bytes needed, the budget and the remedy.
    """
    try:
        method.require(question)
    except Unsupported as error:
        fitting = [kind.__name__ for kind in METHODS.values() if kind().judge(question)]
        if not fitting:
            raise
        raise Unsupported(f"{error}; {_listed(fitting)} can") from None


def require_state(method: Method, question: Question) -> None:
    """Refuse to keep a state that a method will not have, and name the methods that will.

    Raises:
        Unsupported, TooLarge: see `require`.
        InvalidInput: it has no state to keep.
    """
    require(method, question)
    if method.keeps_state(question):
        return
    others = [kind() for kind in METHODS.values()]
    able = [type(m).__name__ for m in others if m.judge(question) and m.keeps_state(question)]
    remedy = f"take {_listed(able)}" if able else "change the model: no method that fits keeps one"
    raise InvalidInput(
        f"keep_state: {type(method).__name__} has no state to keep here; leave it out, or {remedy}"
    )


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def approximation_note(question: Question, method: Method) -> str:
    """Why a choice among all methods is not exact, where an exact one would take the question.

    Args:
        question: what was asked.
        method: the choice.

    Returns:
        one line for the warnings of the result; empty where the choice is exact, or nothing else
        is.
    """
    trust = method.trust(question)
    if trust.rank == 0:
        return ""
    causes = []
    for name, kind in METHODS.items():
        other = kind()
        if other.support(question) or other.trust(question).rank > 0:
            continue
        verdict = other.judge(question)
        if verdict.cost is not None:
            time = f"would take about {in_time(verdict.cost.seconds)}"
            causes.append(f"{name} {verdict.too_large or time}")
    if not causes:
        return ""
    return (
        f"choice: {method.name()} ({trust.in_words} error) was taken instead of an exact method: "
        f"{'; '.join(causes)}. Name one to take it"
    )


def left_note(near: Question, question: Question, method: Method) -> str:
    """Why an exact method that would take a question like this one does not take this one.

    Args:
        near: the question whose default method is asked for.
        question: what is asked in fact.
        method: its choice.

    Returns:
        one line for the warnings of the result; empty where the choice is exact, or the default
        method of `near` is not, or takes the question too.
    """
    trust = method.trust(question)
    if trust.rank == 0:
        return ""
    exact = default_method(near)
    reasons = exact.support(question)
    if exact.trust(near).rank > 0 or not reasons:
        return ""
    return (
        f"choice: {method.name()} ({trust.in_words} error) was taken; {exact.name()}, exact, takes "
        f"the study as it is, but not with the signal turned on: {'; '.join(reasons)}"
    )


def in_time(seconds: float) -> str:
    """'3 min': a duration for people."""
    if seconds < 1.0:
        return "under a second"
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
