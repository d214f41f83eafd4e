"""The progress bar: fraction done and time left, on stderr, silent away from a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """Show a bar while the block runs; hands out the function that moves it.

    Args:
        title: text before the bar.
        quiet: show nothing.
    """
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
    if quiet or not console.is_terminal:
        yield lambda _fraction: None
        return
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
