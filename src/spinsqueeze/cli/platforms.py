"""`spinsqueeze platforms`: which experiment is which model and method; a study to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from spinsqueeze.cli.options import Overwrite


def platforms(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="A name, or words such as nv or lattice clock."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="STUDY", help="Write its study to begin with."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Say which model and method suit an experiment: Rydberg, dipolar, ions, cavity, clock, ..."""
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.core.output import check_writable, write_bytes
    from spinsqueeze.run.platforms import platforms as found_by

    rows = found_by(" ".join(words or ())).rows
    if output is None:
        print("\n\n".join(map(str, rows)))
        name = rows[0].name if len(rows) == 1 else "NAME"
        print(f"\nbegin with:  spinsqueeze platforms {name} -o study.toml")
        return
    if len(rows) > 1:
        names = ", ".join(row.name for row in rows)
        raise InvalidInput(f"word must name one platform to write its study, one of: {names}")
    check_writable(output, overwrite=overwrite, kind="study")
    write_bytes(rows[0].study.encode(), output, kind="study")
    print(f"study: {output}\nnext:  spinsqueeze run {output}")
