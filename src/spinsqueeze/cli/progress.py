"""The progress bar: fraction done and time left, on stderr; lines away from a terminal."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
        from spinsqueeze.run.progress_bar import lines

        with lines(title) as heard:
            yield heard
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
        yield lambda fraction: shown.update(task, completed=fraction)
