"""`spinsqueeze run`: a study file in, a result file (and a picture) out."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from spinsqueeze.cli.options import INTERRUPTED, Output, Overwrite, Picture, Quiet, Seed, Study
from spinsqueeze.cli.study import read, result_name

MethodName = Annotated[
    str | None, typer.Option("--method", metavar="NAME", help="Method, instead of the study's.")
]


def run(
    study: Study,
    output: Output = None,
    picture: Picture = None,
    seed: Seed = None,
    method: MethodName = None,
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Run a study file, or a result file once more, and write the result."""
    from spinsqueeze.cli.pictures import check_drawable, check_names, check_picture, draw
    from spinsqueeze.cli.text import report_to
    from spinsqueeze.results.dataset import was_interrupted
    from spinsqueeze.results.files import check_result_name, save
    from spinsqueeze.run.sweep import run_study

    read_in, again = read(study)
    asked = _with_options(read_in, seed=seed, method=method)
    target = output if output is not None else result_name(study, again)
    if asked.sweep is not None:
        from spinsqueeze.cli.sweep import run_sweep

        run_sweep(
            asked,
            study,
            target,
            picture=picture,
            quiet=quiet,
            overwrite=overwrite,
            options=_kept(again),
        )
        return
    check_names(study, target, picture, overwrite=overwrite)
    check_result_name(target, overwrite=overwrite)
    if picture is not None:
        check_picture(picture, overwrite=overwrite)
        check_drawable(asked)
    from spinsqueeze.cli.progress import bar

    with bar(asked.title or study.stem, quiet=quiet) as progress:
        data = run_study(asked, progress=progress, **_kept(again))
    save(data, target, overwrite=overwrite)
    if picture is not None:
        draw(data, picture, overwrite=overwrite)
    if not quiet:
        with report_to(target, picture):
            _report(data, target, picture)
    if was_interrupted(data):
        raise typer.Exit(INTERRUPTED)


def _kept(again: Any) -> dict[str, bool]:
    """What a run has to keep to hold what the result that it repeats does."""
    from spinsqueeze.run.rerun import kept_by

    return {} if again is None else kept_by(again)


def _with_options(study: Any, *, seed: int | None, method: str | None) -> Any:
    from spinsqueeze.run.choice import make_method

    changes: dict[str, Any] = {}
    if seed is not None:
        changes["seed"] = seed
    if method is not None and (study.method is None or study.method.name() != method):
        changes["method"] = make_method(method)
    return dataclasses.replace(study, **changes) if changes else study


def _report(data: Any, target: Path, picture: Path | None) -> None:
    from spinsqueeze.cli.summary import best, chosen_times, concerns, lab, setting

    for concern in concerns(data):
        print(f"warning: {concern}", file=sys.stderr)
    for line in (*best(data), *setting(data), *chosen_times(data), *lab(data)):
        print(line)
    print(f"result: {target}")
    if picture is not None:
        print(f"picture: {picture}")
