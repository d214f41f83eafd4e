"""Calls with a wrong keyword, or one argument too few, are refused in one line as files are."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidCall

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


def clear_call(function: F) -> F:
    """The function, whose callers read "did you mean ..." about a keyword that it lacks.

    Raises (when called):
        InvalidCall: an unknown keyword, a missing argument, or too many; also a TypeError.
    """
    return _checked(function, function.__name__)  # type: ignore[return-value]


def clear_init(kind: C) -> C:
    """The class, whose constructor is a `clear_call`."""
    kind.__init__ = _checked(kind.__init__, kind.__name__)  # type: ignore[misc]
    return kind


def _checked(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except TypeError as error:
            if isinstance(error, InvalidCall):
                raise
            mistake = _mistake(function, name, arguments, options)
            if mistake is None:
                raise
        raise InvalidCall(mistake)

    return call


def _mistake(
    function: Callable[..., Any], name: str, arguments: Any, options: dict[str, Any]
) -> str | None:
    """What is wrong with the arguments of a call; None: nothing, the error came from inside."""
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments, **options)
    except TypeError as error:
        cause = str(error)
    else:
        return None
    known = [p for p in signature.parameters.values() if p.name != "self"]
    names = [p.name for p in known]
    for word in options:
        if word not in names:
            hint = checks.did_you_mean(word, names) if names else "it takes none"
            return f"{name} has no argument {word!r}; {hint}"
    places = [p.name for p in known if p.kind is not p.KEYWORD_ONLY]
    if "too many positional" in cause:
        given = len(arguments) - (len(names) < len(signature.parameters))
        rest = [n for n in names if n not in places]
        remedy = f"; write {rest[0]}=..., say" if rest else ""
        many = f"{given} argument{'s' * (given != 1)}"
        if not places:
            return f"{name} takes keywords only, got {many} by place{remedy}"
        return (
            f"{name} takes {', '.join(places)} by place and the rest by keyword, got {many}{remedy}"
        )
    if "missing" in cause:
        filled = set(names[: len(arguments) - (len(names) < len(signature.parameters))])
        needed = [p.name for p in known if p.default is p.empty]
        lacking = [n for n in needed if n not in filled and n not in options]
        return f"{name} needs {' and '.join(lacking)}; it takes {', '.join(names)}"
    return f"{name}: {cause}"
