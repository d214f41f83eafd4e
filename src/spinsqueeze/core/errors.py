"""The errors a user can meet; each message names the argument, the rule, the value, the remedy."""


class SpinSqueezeError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidInput(SpinSqueezeError, ValueError):
    """An argument breaks its rule."""


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
