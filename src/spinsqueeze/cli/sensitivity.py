"""`spinsqueeze sensitivity`: how well the angle of a pulse of a study is measured."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from spinsqueeze.cli.options import Output, Overwrite, Picture, Quiet, Study
from spinsqueeze.cli.study import read


def sensitivity(
    study: Study,
    signal: Annotated[
        int | None,
        typer.Option(
            "--pulse",
            metavar="K",
            help="Which pulse is the signal, from 0 [default: the only one, or that of angle 0].",
        ),
    ] = None,
    phases: Annotated[
        tuple[float, float, int] | None,
        typer.Option(
            "--phases", metavar="START STOP NUM", help="Angles of it [default: the pulse's own]."
        ),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(
            "--axis",
            metavar="AXIS",
            help="Of the signal: +x, -y, ..., or best [default: the pulse's own].",
        ),
    ] = None,
    output: Output = None,
    picture: Picture = None,
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Find the smallest angle of a pulse that a readout tells from noise, and which readout."""
    from spinsqueeze.cli.pictures import checked_target, draw
    from spinsqueeze.cli.progress import bar
    from spinsqueeze.cli.summary import chosen_times, setting
    from spinsqueeze.cli.text import report_to
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.results.dataset import warnings_of
    from spinsqueeze.results.files import save
    from spinsqueeze.run.lines import gains, method_line
    from spinsqueeze.run.sensitivity import carry_out, plan_of
    from spinsqueeze.run.study_file import is_result

    if output is None and is_result(study):
        output = Path(f"{study.stem}_sensitivity.nc")
    target = checked_target(study, output, picture, overwrite=overwrite)
    angles = None if phases is None else _angles(*phases)
    asked, _ = read(study)
    if not asked.pulses:
        raise InvalidInput(
            f"{study} has no [[pulses]]: one of them is the signal; spinsqueeze study writes the "
            "study of a result, to add one to"
        )
    plan = plan_of(asked, signal=signal, axis=axis, phases=angles)
    if not quiet:
        print(plan.signal_in_words, plan.in_words, sep="\n", file=sys.stderr, flush=True)
    with bar(asked.title or study.stem, quiet=quiet) as progress:
        data = carry_out(plan, progress=progress)
    save(data, target, overwrite=overwrite)
    if picture is not None:
        draw(data, picture, overwrite=overwrite)
    if quiet:
        return
    with report_to(target, picture):
        for line in (method_line(data), *gains(data), *setting(data), *chosen_times(data)):
            print(line)
        for concern in warnings_of(data):
            print(f"warning: {concern}", file=sys.stderr)
        print(f"result: {target}")
        if picture is not None:
            print(f"picture: {picture}")


def _angles(start: float, stop: float, num: int) -> Any:
    """The working points that --phases names.

    Raises:
        InvalidInput: none at all.
    """
    import numpy as np

    from spinsqueeze.core.errors import InvalidInput

    if num < 1:
        raise InvalidInput(f"--phases must have a number of angles of at least 1, got {num}")
    return np.linspace(start, stop, num)
