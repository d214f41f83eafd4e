"""Functions that are called with the fraction of the work that is done."""

from collections.abc import Callable

Progress = Callable[[float], None]


def no_progress(fraction: float) -> None:
    """Tells nobody."""


def part_of(progress: Progress, start: float, stop: float) -> Progress:
    """For a part of the work, from the fraction `start` to the fraction `stop` of the whole."""
    return lambda fraction: progress(start + (stop - start) * fraction)
