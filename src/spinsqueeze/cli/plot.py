"""`spinsqueeze plot`: a picture of a result file."""

from pathlib import Path
from typing import Annotated

import typer


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
) -> None:
    """Draw a result: squeezing against time, or a sweep over one or two parameters."""
    from spinsqueeze.cli.pictures import check_picture, draw
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.core.output import same_place
    from spinsqueeze.results.files import load

    data = load(file)
    target = output if output is not None else Path(file.name).with_suffix(".png")
    check_picture(target, overwrite=True)
    if same_place(target, file):
        raise InvalidInput(
            f"the picture must not be the result file, got {target}; name it with -o"
        )
    draw(data, target, overwrite=True, quantity=quantity, kind=kind)
    print(f"picture: {target}")
