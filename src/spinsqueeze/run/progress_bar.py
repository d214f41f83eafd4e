"""progress=True: a bar in a terminal and in a notebook, now and then a line in a log file."""

from __future__ import annotations

import functools
import html
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, final

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import Progress

_WIDTH = 30
_LINE_EVERY = 60.0
_LINE_EVERY_AT_FIRST = 10.0
_DRAW_EVERY = 0.1


@contextmanager
def listener(progress: Progress | bool | None, *, title: str) -> Iterator[Progress | None]:
    """The function to be called with the fraction done: the given one, a bar for True, or none.

    Args:
        progress: what the user gave.
        title: of the work, before the bar.

    Raises:
        InvalidInput: neither a function nor True, False or None.
    """
    if progress is None or progress is False:
        yield None
        return
    if progress is not True:
        if not callable(progress):
            raise InvalidInput.of(
                "progress",
                f"must be a function of the fraction done, or True for a bar, got {progress!r}",
            )
        yield progress
        return
    bar = _bar(title)
    try:
        yield bar
    finally:
        bar.close()


@contextmanager
def point_listeners(
    progress: Callable[[Any], None] | bool | None, *, title: str
) -> Iterator[list[Callable[[Any], None]]]:
    """Who hears of every point of a sweep: the given function, a bar for True, or nobody."""
    if not isinstance(progress, bool):
        yield [] if progress is None else [progress]
        return
    with listener(progress, title=title) as heard:
        yield [] if heard is None else [functools.partial(hear_points, heard)]


def hear_points(heard: Progress, now: Any) -> None:
    """Tell how far a sweep is, with the time left that its points alone say, without starts."""
    leave = getattr(heard, "leave", None)
    if leave is not None:
        leave(now.remaining)
    heard(now.fraction)


def _bar(title: str) -> Any:
    shell = _notebook()
    if shell is not None:
        return NotebookBar(title)
    return TerminalBar(title) if sys.stderr.isatty() else LogLines(title)


def _notebook() -> Any:
    """The shell of a notebook; None elsewhere. IPython is never imported for it."""
    if "IPython" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None


class _Bar:
    """Counts time; what is shown is up to the kind."""

    every = _DRAW_EVERY

    def __init__(self, title: str) -> None:
        self.title = title
        self.start = monotonic()
        self.next = self.start if self.every < 1.0 else self.start + self.every
        self.fraction = 0.0
        self.doing = ""
        self.timed = True
        self.left: float | None = None

    def leave(self, seconds: float | None) -> None:
        """The time left from elsewhere; None: it is unknown."""
        self.left, self.timed = seconds, False

    def say(self, doing: str, *, timed: bool = True) -> None:
        """What runs from now on, and whether its time left follows from the fraction done."""
        self.doing, self.timed = doing, timed

    def __call__(self, fraction: float) -> None:
        """Show the fraction done, if the last time is a while ago."""
        self.fraction = min(max(float(fraction), 0.0), 1.0)
        now = monotonic()
        if now >= self.next:
            self.next = now + self.gap(now - self.start)
            self.show()

    def gap(self, past: float) -> float:  # noqa: ARG002
        """Seconds until it is shown again."""
        return self.every

    def close(self) -> None:
        """The work is over, or has failed."""
        self.show()

    def show(self) -> None:
        """Show what is done."""
        raise NotImplementedError

    def words(self) -> str:
        """'dtwa, 42 %, 3 s, 4 s left'."""
        past = monotonic() - self.start
        doing = f"{self.doing}, " if self.doing else ""
        text = f"{doing}{100 * self.fraction:.0f} %, {past:.0f} s"
        left = self.left
        if self.timed and self.fraction > 0.0:
            left = past * (1 / self.fraction - 1)
        if left is not None and self.fraction < 1.0:
            text += f", {left:.0f} s left"
        return text


@final
class TerminalBar(_Bar):
    """One line of a terminal that is drawn again and again, and ends with a new line."""

    def show(self) -> None:
        """Draw the line again."""
        full = round(_WIDTH * self.fraction)
        bar = "#" * full + "-" * (_WIDTH - full)
        sys.stderr.write(f"\r{self.title} [{bar}] {self.words()}\x1b[K")
        sys.stderr.flush()

    def close(self) -> None:
        """The last state, and a new line."""
        self.show()
        sys.stderr.write("\n")


@final
class LogLines(_Bar):
    """A line every 10 s of the first minute, then every minute, and one at the end of long work."""

    every = _LINE_EVERY_AT_FIRST

    def gap(self, past: float) -> float:
        """10 s in the first minute, then a minute."""
        return self.every if past < _LINE_EVERY else _LINE_EVERY

    def show(self) -> None:
        """Print a line."""
        print(f"{self.title}: {self.words()}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """The last line, unless nothing was said before."""
        if monotonic() - self.start >= self.every:
            self.show()


@final
class NotebookBar(_Bar):
    """A bar in the output of a notebook's cell, drawn again in place."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.handle: Any = None

    def show(self) -> None:
        """Draw the bar, or draw it again."""
        if self.handle is None:
            from importlib import import_module

            display: Any = import_module("IPython.display")
            self.handle = display.display(self, display_id=True)
        else:
            self.handle.update(self)

    def __repr__(self) -> str:
        return f"{self.title}: {self.words()}"

    def _repr_html_(self) -> str:
        return (
            f"<div>{html.escape(self.title)} <progress value='{self.fraction:.4f}' max='1'>"
            f"</progress> {html.escape(self.words())}</div>"
        )
