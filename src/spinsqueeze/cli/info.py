"""`spinsqueeze info`: what is in a result file, and what to cite with it."""

from pathlib import Path
from typing import Annotated

import typer


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Result file.")],
    *,
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="Print what to cite with it, as BibTeX.")
    ] = False,
) -> None:
    """Say what is in a result: model, method, seed, version, best squeezing, warnings."""
    from spinsqueeze.cli.summary import best, bounds, concerns, contents
    from spinsqueeze.results.bibtex import bibtex as entries
    from spinsqueeze.results.files import load

    data = load(file)
    if bibtex:
        print(entries(data))
        return
    for line in (*contents(data), *bounds(data), *best(data)):
        print(line)
    for concern in concerns(data):
        print(f"warning: {concern}")
