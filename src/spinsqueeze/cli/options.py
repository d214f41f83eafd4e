"""What several commands share: their arguments, and the exit code of Ctrl-C."""

from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130

Study = Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (TOML), or a result.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Result file (netCDF) [default: STUDY's name .nc]."
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Also draw a picture (png, pdf, svg).")
]
Seed = Annotated[int | None, typer.Option(help="Seed, instead of the study's.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")]
