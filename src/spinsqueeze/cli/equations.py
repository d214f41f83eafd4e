"""`spinsqueeze equations`: the equations of motion of a study's moments, written out."""

from pathlib import Path
from typing import Annotated

import typer

from spinsqueeze.cli.study import read


def equations(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (TOML).")],
    order: Annotated[int, typer.Option("--order", help="Highest degree, 1 to 4.")] = 2,
    latex: Annotated[bool, typer.Option("--latex", help="As a LaTeX align environment.")] = False,
) -> None:
    """Write the equations that the method cumulants closes, with the model's own names."""
    from spinsqueeze.run.equations import equations as written

    derived = written(read(study)[0].model, order=order)
    print(derived.latex if latex else derived)
