"""`spinsqueeze info`: what is in a result file."""

from pathlib import Path
from typing import Annotated

import typer


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Result file.")],
) -> None:
    """Say what is in a result: model, method, seed, version, best squeezing, warnings."""
    from spinsqueeze.cli.summary import best, bounds, concerns, contents
    from spinsqueeze.results.files import load

    data = load(file)
    for line in (*contents(data), *bounds(data), *best(data)):
        print(line)
    for concern in concerns(data):
        print(f"warning: {concern}")
