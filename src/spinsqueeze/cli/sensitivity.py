"""`spinsqueeze sensitivity`: how well the angle of a pulse of a study is measured."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from spinsqueeze.cli.options import Output, Overwrite, Picture, Quiet, Study


def sensitivity(
    study: Study,
    signal: Annotated[
        int, typer.Option("--pulse", metavar="K", help="Which pulse is the signal, from 0.")
    ] = 0,
    phases: Annotated[
        tuple[float, float, int] | None,
        typer.Option(
            "--phases", metavar="START STOP NUM", help="Angles of it [default: the pulse's own]."
        ),
    ] = None,
    output: Output = None,
    picture: Picture = None,
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Find the smallest angle of a pulse that a readout tells from noise, and which readout."""
    import numpy as np

    from spinsqueeze.cli.pictures import check_names, check_picture, draw
    from spinsqueeze.cli.progress import bar
    from spinsqueeze.cli.text import report_to
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.results.dataset import warnings_of
    from spinsqueeze.results.files import check_result_name, save
    from spinsqueeze.run.sensitivity import sensitivity as found
    from spinsqueeze.run.study_file import read_study

    target = output if output is not None else Path(study.name).with_suffix(".nc")
    check_names(study, target, picture, overwrite=overwrite)
    check_result_name(target, overwrite=overwrite)
    if picture is not None:
        check_picture(picture, overwrite=overwrite)
    angles = None
    if phases is not None:
        start, stop, num = phases
        if num < 1:
            raise InvalidInput(f"--phases must have a number of angles of at least 1, got {num}")
        angles = np.linspace(start, stop, num)
    asked = read_study(study)
    with bar(asked.title or study.stem, quiet=quiet) as progress:
        data = found(asked, signal=signal, phases=angles, progress=progress)
    save(data, target, overwrite=overwrite)
    if picture is not None:
        draw(data, picture, overwrite=overwrite)
    if quiet:
        return
    with report_to(target, picture):
        for line in gains(data):
            print(line)
        for concern in warnings_of(data):
            print(f"warning: {concern}", file=sys.stderr)
        print(f"result: {target}")
        if picture is not None:
            print(f"picture: {picture}")


def gains(data: Any) -> Iterator[str]:
    """The best gain of a result, its phase resolution and readout, in lines for people."""
    import numpy as np

    from spinsqueeze.core.text import value_with_error
    from spinsqueeze.observables.squeezing import decibels

    gain = data["metrological_gain"]
    if not np.isfinite(gain.values).any():
        yield "no gain: the mean spin has no direction"
        return
    best = data.isel({dim: int(k) for dim, k in gain.argmax(...).items()})
    value = float(best["metrological_gain"])
    error = float(best.get("metrological_gain_stderr", 0.0))
    error = float(np.hypot(error, float(best["metrological_gain_numerical_error"])))
    shown = value_with_error(value, stderr=error if error > 5e-7 * value else None)
    unit = str(best["time"].attrs.get("units", ""))
    place = f"time {float(best['time']):.6g} {unit}".rstrip()
    if "phase" in best.coords:
        place += f", phase {float(best['phase']):.4g} rad"
    yield f"gain = {shown} ({float(decibels(value)):.4g} dB) over uncorrelated spins at {place}"
    direction = ", ".join(f"{x:.4f}" for x in best["readout"].values)
    resolution = float(best["phase_resolution"])
    yield f"Delta phi = {resolution:.4g} rad in one shot, read along ({direction})"
