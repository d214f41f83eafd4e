"""The errors a user can meet; each message names the argument, the rule, the value, the remedy."""


class SpinSqueezeError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidInput(SpinSqueezeError, ValueError):
    """An argument breaks its rule; the text is made from the parts.

    Args:
        rule: the rule, the value and the remedy, e.g. "must be above 0, got -1".
        path: dotted path of the entry in a study, where it is known.
        argument: name of the argument in a call, where it is known: "times", "sites[2]".
    """

    def __init__(self, rule: str = "", *, path: str = "", argument: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.path = path
        self.argument = argument

    def __str__(self) -> str:
        if self.path:
            return f"{self.path}: {self.rule}"
        return f"{self.argument} {self.rule}" if self.argument else self.rule

    @classmethod
    def of(cls, argument: str, rule: str) -> "InvalidInput":
        """The error of an argument of a call."""
        return cls(rule, argument=argument)

    def at(self, path: str) -> "InvalidInput":
        """The same error below another path: "times must ..." at "run" is "run.times: must ..."."""
        inner = self.path or self.argument.replace("[", ".").replace("]", "")
        return InvalidInput(self.rule, path=f"{path}.{inner}" if inner else path)


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
