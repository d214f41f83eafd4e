"""`spinsqueeze methods`: which methods fit a study, which not and why, and what they cost."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from spinsqueeze.cli.study import read


def methods(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (TOML).")],
) -> None:
    """List the methods that fit a study, and every reason why others do not."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from spinsqueeze.methods.base.method import in_bytes
    from spinsqueeze.run.advise import advise, in_time

    asked, _ = read(study)
    advice = advise(asked)
    table = Table("method", "memory", "time", "error", "for")
    for row in advice:
        if row.fits:
            name = f"{row.name} (the default)" if row.default else row.name
            cells = (name, in_bytes(row.memory), in_time(row.seconds), row.error)
            table.add_row(*(Text(cell) for cell in (*cells, row.summary)))
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else 120).print(table)
    for row in advice:
        if row.fits and row.known:
            print(f"{row.name}: {row.known}")
        if not row.fits:
            print(f"{row.name} does not fit:")
            for reason in row.reasons:
                print(f"  - {reason}")
