"""The errors a user can meet; each message names the argument, the rule, the value, the remedy."""

from collections.abc import Mapping
from typing import Self


class SpinSqueezeError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidInput(SpinSqueezeError, ValueError):
    """An argument breaks its rule; the text is made from the parts.

    Args:
        rule: the rule, the value and the remedy, e.g. "must be above 0, got -1".
        path: dotted path of the entry in a study, where it is known.
        argument: name of the argument in a call, where it is known: "times", "sites[2]".
        owner: what the argument is of, where its name alone says too little: "pulse".
    """

    def __init__(
        self, rule: str = "", *, path: str = "", argument: str = "", owner: str = ""
    ) -> None:
        super().__init__(rule)
        self.rule = rule
        self.path = path
        self.argument = argument
        self.owner = owner

    def __str__(self) -> str:
        if self.path:
            return f"{self.path}: {self.rule}"
        words = (self.owner, self.argument, self.rule) if self.argument else (self.rule,)
        return " ".join(word for word in words if word)

    @classmethod
    def of(cls, argument: str, rule: str) -> Self:
        """The error of an argument of a call."""
        return cls(rule, argument=argument)

    @property
    def entry(self) -> str:
        """Dotted path of what it is about, as far as it is known; empty where it is not."""
        return self.path or self.argument.replace("[", ".").replace("]", "")

    def owned_by(self, owner: str) -> Self:
        """The same error of an argument of `owner`: "time must ..." is "pulse time must ..."."""
        return type(self)(self.rule, path=self.path, argument=self.argument, owner=owner)

    def at(self, path: str, *, names: Mapping[str, str] | None = None) -> Self:
        """The same error below another path: "times must ..." at "run" is "run.times: must ...".

        Args:
            path: empty: the entry itself becomes the path.
            names: argument -> how users call it there.
        """
        first, dot, rest = self.entry.partition(".")
        inner = (names or {}).get(first, first) + dot + rest
        return type(self)(self.rule, path=".".join(part for part in (path, inner) if part))


class NotAnInteger(InvalidInput):
    """A number that must be whole is not."""


class InvalidCall(InvalidInput, TypeError):
    """A call with a keyword that there is not, an argument too few or too many."""


class Unsupported(SpinSqueezeError):
    """A method does not fit a model; the message lists every reason."""


class TooLarge(SpinSqueezeError):
    """A calculation would need more memory than its budget."""


class NumericalFailure(SpinSqueezeError):
    """A calculation ended without a trustworthy number."""


class UndefinedDirection(SpinSqueezeError):
    """The mean spin is too short to define the directions perpendicular to it."""


class FileProblem(SpinSqueezeError, OSError):
    """A study or result file cannot be read or written."""
