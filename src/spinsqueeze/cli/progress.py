"""Fraction done and time left, on stderr: a bar on a terminal, now and then a line elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

_LOOK_EVERY = 0.5
"""Seconds between two looks at whether a line is due."""


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """Show a bar while the block runs; hands out the function that moves it.

    Away from a terminal it is a line every minute, and none of what is over sooner.

    Args:
        title: text before the bar.
        quiet: show nothing.
    """
    # rich takes a moment to load
    if quiet:
        yield lambda _fraction: None
        return
    if not (sys.stderr.isatty() or os.environ.get("FORCE_COLOR")):
        with log_lines(title) as note:
            yield note
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("past"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, speed_estimate_period=60) as shown:
        task = shown.add_task(escape(title), total=1.0)

        def note(fraction: float) -> None:
            shown.update(task, completed=fraction)

        def say(doing: str, *, timed: bool = True) -> None:  # noqa: ARG001  rich times by itself
            shown.update(task, description=escape(f"{title}: {doing}"))

        note.say = say  # type: ignore[attr-defined]
        yield note


@contextmanager
def log_lines(title: str) -> Iterator[Callable[[float], None]]:
    """Lines in a log file while the block runs, also while the work says nothing.

    Args:
        title: text before each line.
    """
    from spinsqueeze.run.progress_bar import LogLines

    lines, over = LogLines(title), Event()

    def note(fraction: float) -> None:
        lines.fraction = fraction

    note.say, note.leave = lines.say, lines.leave  # type: ignore[attr-defined]

    def watch() -> None:
        with suppress(OSError, ValueError):  # nobody reads on
            while not over.wait(_LOOK_EVERY):
                lines(lines.fraction)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield note
    finally:
        over.set()
        watcher.join()
        with suppress(OSError, ValueError):
            lines.close()
