"""Calls with a wrong keyword, or one argument too few, are refused in one line as files are."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, final

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidCall

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)
_USUAL = {"alpha": "exponent"}
"""What papers call an argument, and how it is written here."""
_LONGEST = 24
"""Signs of a value that a remedy repeats."""


@final
@dataclass(frozen=True)
class Call:
    """A call with too many arguments by place, and the names that the function takes."""

    function: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    places: tuple[str, ...]
    names: tuple[str, ...]


Remedy = Callable[[Call], str]
"""A call -> "; write ...", or nothing."""


def clear_call(function: F) -> F:
    """The function, whose callers read "did you mean ..." about a keyword that it lacks.

    Raises (when called):
        InvalidCall: an unknown keyword, a missing argument, or too many; also a TypeError.
    """
    return _checked(function, function.__name__, _by_keyword)  # type: ignore[return-value]


def clear_init(kind: C) -> C:
    """The class, whose constructor is a `clear_call`."""
    return clear_init_with(_by_keyword)(kind)


def clear_call_with(remedy: Remedy) -> Callable[[F], F]:
    """`clear_call` with a remedy of its own against too many arguments by place."""
    return lambda function: _checked(function, function.__name__, remedy)  # type: ignore[return-value]


def clear_init_with(remedy: Remedy) -> Callable[[C], C]:
    """`clear_init` with a remedy of its own against too many arguments by place."""

    def cleared(kind: C) -> C:
        kind.__init__ = _checked(kind.__init__, kind.__name__, remedy)  # type: ignore[misc]
        return kind

    return cleared


def _checked(function: Callable[..., Any], name: str, remedy: Remedy) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except TypeError as error:
            if isinstance(error, InvalidCall):
                raise
            mistake = _mistake(function, name, arguments, options, remedy)
            if mistake is None:
                raise
        raise InvalidCall(mistake)

    return call


def _by_keyword(call: Call) -> str:
    """The whole call with keywords: "; write PowerLawXXZ(j_perp=2.0, j_z=2.0, exponent=3)"."""
    names = [*call.places, *(n for n in call.names if n not in (*call.places, *call.options))]
    if len(call.arguments) > len(names):
        return ""
    given = [
        _short(value) if name in call.places else f"{name}={_short(value)}"
        for name, value in zip(names, call.arguments, strict=False)
    ]
    given += [f"{name}={_short(value)}" for name, value in call.options.items()]
    return f"; write {call.function}({', '.join(given)})"


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, int | float | str | list | tuple) else ""
    return text if 0 < len(text) <= _LONGEST else "..."


def _mistake(
    function: Callable[..., Any],
    name: str,
    arguments: Any,
    options: dict[str, Any],
    remedy: Remedy,
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
            near = _USUAL.get(word)
            hint = f"did you mean {near!r}?" if near in names else ""
            hint = hint or (checks.did_you_mean(word, names) if names else "it takes none")
            return f"{name} has no argument {word!r}; {hint}"
    places = [p.name for p in known if p.kind is not p.KEYWORD_ONLY]
    if "too many positional" in cause:
        own = arguments[len(signature.parameters) - len(names) :]  # without self
        hint = remedy(Call(name, own, options, tuple(places), tuple(names)))
        many = f"{len(own)} argument{'s' * (len(own) != 1)}"
        if not places:
            return f"{name} takes keywords only, got {many} by place{hint}"
        return (
            f"{name} takes {', '.join(places)} by place and the rest by keyword, got {many}{hint}"
        )
    if "missing" in cause:
        filled = set(names[: len(arguments) - (len(names) < len(signature.parameters))])
        needed = [p.name for p in known if p.default is p.empty]
        lacking = [n for n in needed if n not in filled and n not in options]
        return f"{name} needs {' and '.join(lacking)}; it takes {', '.join(names)}"
    return f"{name}: {cause}"
