"""`spinsqueeze merge`: results with other seeds become one with smaller error bars."""

from pathlib import Path
from typing import Annotated

import typer


def merge(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Result files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Merged result file (netCDF).")
    ],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
) -> None:
    """Merge results of one model and method with other seeds: smaller error bars."""
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.results.files import check_writable, load, save
    from spinsqueeze.results.grid import sweep_dims
    from spinsqueeze.results.merge import merge as merged_data

    if len({path.absolute() for path in files}) < len(files):
        raise InvalidInput("merge: a file is named twice; each result can count only once")
    if output.absolute() in {path.absolute() for path in files}:
        raise InvalidInput(f"--output must not be one of the results to merge, got {output}")
    check_writable(output, overwrite=overwrite)
    data = merged_data([load(path) for path in files])
    save(data, output, overwrite=overwrite)
    if quiet:
        return
    if not sweep_dims(data):
        from spinsqueeze.cli.summary import best

        for line in best(data):
            print(line)
    print(f"result: {output}")
