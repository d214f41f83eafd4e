"""`spinsqueeze plot`: a picture of a result file."""

from pathlib import Path
from typing import Annotated

import typer

from spinsqueeze.cli.options import Overwrite


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Result file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PICTURE", help="png, pdf or svg [default: FILE's name .png]."
        ),
    ] = None,
    quantity: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Variable of a sweep [default: optimal_xi2 or xi2]."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="'ellipse': variance against angle at the time of least xi2 [default: by what "
            "the file holds].",
        ),
    ] = None,
    width: Annotated[
        str | None,
        typer.Option(metavar="INCHES", help="Width in inches, or '8.6cm', '86mm', 'column' (3.4)."),
    ] = None,
    no_title: Annotated[bool, typer.Option("--no-title", help="Leave the title out.")] = False,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Leave values of optima and notes out.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Draw a result: squeezing against time, or a sweep over one or two parameters."""
    from spinsqueeze.cli.pictures import FORMATS, check_picture, draw, width_of
    from spinsqueeze.core.errors import FileProblem, InvalidInput
    from spinsqueeze.core.output import replaces, same_place
    from spinsqueeze.results.files import load

    data = load(file)
    target = output if output is not None else Path(file.name).with_suffix(".png")
    if target.suffix.lower() in FORMATS and same_place(target, file):
        raise InvalidInput(
            f"the picture must not be the result file, got {target}; name it with -o"
        )
    if target.suffix.lower() in FORMATS and replaces(target) and not overwrite:
        raise FileProblem(f"{target} exists already; add --overwrite, or name another with -o")
    check_picture(target, overwrite=overwrite)
    draw(
        data,
        target,
        overwrite=overwrite,
        quantity=quantity,
        kind=kind,
        width=width_of(width),
        title=not no_title,
        labels=not no_labels,
    )
    print(f"picture: {target}")
