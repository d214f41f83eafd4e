"""Functions that are called with the fraction of the work that is done."""

from collections.abc import Callable

Progress = Callable[[float], None]


def no_progress(fraction: float) -> None:
    """Tells nobody."""


def say(progress: Progress | None, doing: str, *, timed: bool = True) -> None:
    """Tell a progress function with a method `say` what runs now; others hear nothing.

    Args:
        progress: the function.
        doing: what runs, in words.
        timed: whether the time left follows from the fraction done.
    """
    tell = getattr(progress, "say", None)
    if tell is not None:
        tell(doing, timed=timed)


def part_of(progress: Progress, start: float, stop: float) -> Progress:
    """For a part of the work, from the fraction `start` to the fraction `stop` of the whole."""
    return lambda fraction: progress(start + (stop - start) * fraction)
