"""Which method a question gets: the one that the user names, or the most trusted that is quick."""

import math
from typing import Any

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import Question
from spinsqueeze.methods.registry import METHODS

PATIENCE = 60.0
"""Seconds that a method which nobody named may take."""


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


def default_method(question: Question) -> Method:
    """The method to take when the user names none.

    The least time among the fitting methods of the highest trust that finish within a minute; else
    the fastest of all.

    Raises:
        InvalidInput: no method takes the question; with the reasons of each.
    """
    best: tuple[tuple[float, float], Method] | None = None
    reasons = []
    for kind in METHODS.values():
        method = kind()
        verdict = method.judge(question)
        if not verdict or verdict.cost is None:
            reasons.append(f"{kind.__name__}: {'; '.join(verdict.reasons)}")
            continue
        seconds = verdict.cost.seconds
        key = (method.trust(question).rank if seconds < PATIENCE else math.inf, seconds)
        if best is None or key < best[0]:
            best = (key, method)
    if best is None:
        raise InvalidInput("no method fits this model. " + ". ".join(reasons))
    return best[1]
