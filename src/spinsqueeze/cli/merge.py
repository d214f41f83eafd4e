"""`spinsqueeze merge`: results with other seeds become one with smaller error bars."""

from pathlib import Path
from typing import Annotated

import typer

from spinsqueeze.cli.options import Overwrite, Quiet


def merge(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Result files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Merged result file (netCDF).")
    ],
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Merge results of one model and method with other seeds: smaller error bars."""
    from spinsqueeze.cli.text import report_to
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.core.output import same_place
    from spinsqueeze.results.files import check_result_name, load, save
    from spinsqueeze.results.grid import sweep_dims
    from spinsqueeze.results.merge import merge as merged_data

    if len({path.resolve() for path in files}) < len(files):
        raise InvalidInput("merge: a file is named twice; each result can count only once")
    if any(same_place(output, path) for path in files):
        raise InvalidInput(f"--output must not be one of the results to merge, got {output}")
    check_result_name(output, overwrite=overwrite)
    data = merged_data([load(path) for path in files])
    save(data, output, overwrite=overwrite)
    if quiet:
        return
    with report_to(output):
        if not sweep_dims(data):
            from spinsqueeze.cli.summary import best

            for line in best(data):
                print(line)
        print(f"result: {output}")
