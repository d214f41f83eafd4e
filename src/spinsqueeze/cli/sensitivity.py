"""`spinsqueeze sensitivity`: how well the angle of a pulse of a study is measured."""

import sys
from typing import Annotated

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
    import numpy as np

    from spinsqueeze.cli.pictures import checked_target, draw
    from spinsqueeze.cli.progress import bar
    from spinsqueeze.cli.summary import chosen_times, setting
    from spinsqueeze.cli.text import report_to
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.results.dataset import warnings_of
    from spinsqueeze.results.files import save
    from spinsqueeze.run.lines import gains, method_line
    from spinsqueeze.run.sensitivity import carry_out, plan_of

    target = checked_target(study, output, picture, overwrite=overwrite)
    angles = None
    if phases is not None:
        start, stop, num = phases
        if num < 1:
            raise InvalidInput(f"--phases must have a number of angles of at least 1, got {num}")
        angles = np.linspace(start, stop, num)
    asked, _ = read(study)
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
