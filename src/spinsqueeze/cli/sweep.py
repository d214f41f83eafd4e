"""`spinsqueeze sweep`: a study with [sweep] in, one result file for all its points out."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spinsqueeze.cli.options import INTERRUPTED, Output, Overwrite, Picture, Quiet, Seed
from spinsqueeze.cli.progress import log_lines
from spinsqueeze.cli.study import read, result_name

if TYPE_CHECKING:
    import xarray as xr


def sweep(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (TOML) with [sweep].")],
    output: Output = None,
    picture: Picture = None,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of finished points [default: the result's name .points]."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Local processes [default: one a core]; 0: this one alone."),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Join this running dask cluster.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="For each local worker, such as '4 GB'.")
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Give up a dask cluster after so long without workers [default: 3600].",
        ),
    ] = None,
    blocks: Annotated[
        bool, typer.Option("--blocks", help="Keep sample blocks, for merge; large.")
    ] = False,
    seed: Seed = None,
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Run every point of a study's [sweep]; run it again to go on after an interruption."""
    from spinsqueeze.core.errors import InvalidInput

    asked, again = read(study)
    if asked.sweep is None:
        raise InvalidInput(f"{study}: has no [sweep]; use spinsqueeze run")
    run_sweep(
        asked,
        study,
        output if output is not None else result_name(study, again),
        picture=picture,
        store=store,
        quiet=quiet,
        overwrite=overwrite,
        options={
            "workers": workers,
            "scheduler": scheduler,
            "memory_limit": memory_limit,
            **({} if patience is None else {"patience": patience}),
            "blocks": blocks,
            "seed": seed,
        },
    )


def run_sweep(
    asked: Any,
    study: Path,
    target: Path,
    *,
    picture: Path | None = None,
    store: Path | None = None,
    quiet: bool = False,
    overwrite: bool = False,
    options: dict[str, Any] | None = None,
) -> None:
    """Run a study's sweep with a store, a progress bar and a report.

    Args:
        asked: the study.
        study: its file.
        target: result file.
        picture: also draw the result there.
        store: folder of finished points; None: beside the result.
        quiet: print nothing but errors.
        overwrite: replace the result file.
        options: further options of `spinsqueeze.sweep`.

    Raises:
        SpinSqueezeError: see `spinsqueeze.sweep`; or every point failed.
        typer.Exit: interrupted, after saying what is kept.
    """
    from spinsqueeze.cli.pictures import check_drawable, check_names, check_picture, draw
    from spinsqueeze.cli.summary import concerns
    from spinsqueeze.core.errors import SpinSqueezeError
    from spinsqueeze.results.files import check_result_name, save
    from spinsqueeze.run.sweep import sweep as run

    check_names(study, target, picture, overwrite=overwrite)
    check_result_name(target, overwrite=overwrite)
    folder = store if store is not None else _store_beside(target)
    if picture is not None:
        check_picture(picture, overwrite=overwrite)
        check_drawable(asked)
    last: list[Any] = []
    try:
        with _bar(asked.title or study.stem, quiet=quiet) as show, warnings.catch_warnings():
            warnings.filterwarnings("always", message="store |the cluster ")
            warnings.showwarning = _say

            def progress(now: Any) -> None:
                last[:] = [now]
                show(now)

            data = run(asked, store=folder, progress=progress, **(options or {}))
    except KeyboardInterrupt:
        kept = (
            f"{last[0].done} of {last[0].total} points are done and kept in {folder}; run the same "
            "command again to go on"
            if last and last[0].done
            else "nothing is done yet; run the same command to begin again"
        )
        print(f"spinsqueeze: {kept}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if "status" in data and (data["status"] != "done").all():
        reasons = list(dict.fromkeys(data["reason"].values.ravel()))
        raise SpinSqueezeError(f"every point failed: {'; '.join(reasons)}")
    save(data, target, overwrite=overwrite)
    for concern in concerns(data):
        print(f"warning: {concern}", file=sys.stderr)
    if picture is not None:
        draw(data, picture, overwrite=overwrite)
    if not quiet:
        _report(data, target, picture, folder=folder, reused=last[0].reused if last else 0)


def _report(
    data: "xr.Dataset", target: Path, picture: Path | None, *, folder: Path, reused: int
) -> None:
    from spinsqueeze.cli.summary import best, setting
    from spinsqueeze.cli.text import report_to

    with report_to(target, picture):
        for line in (*best(data), *setting(data)):
            print(line)
        if reused:
            print(f"{reused} points were there already")
        print(f"result: {target}")
        if picture is not None:
            print(f"picture: {picture}")
        print(f"points: {folder} (no longer needed, unless you change an axis or go on)")


def _store_beside(target: Path) -> Path:
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.core.output import is_stream

    if is_stream(target):
        raise InvalidInput(
            f"--store must name the folder of finished points where the output is no file, as "
            f"{target} (spinsqueeze sweep takes it)"
        )
    return target.with_suffix(".points")


def _say(message: Any, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


@contextmanager
def _bar(title: str, *, quiet: bool) -> Iterator[Callable[[Any], None]]:
    """Points done, failed and the time left, on stderr; lines away from a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    if quiet:
        yield lambda _now: None
        return
    if not console.is_terminal:
        from spinsqueeze.run.progress_bar import hear_points

        with log_lines(title) as note:
            yield lambda now: hear_points(note, now)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(escape(title), total=None, note="starting")

        def show(now: Any) -> None:
            left = "" if now.remaining is None else f"left {_duration(now.remaining)}"
            failed = f"{now.failed} failed  " if now.failed else ""
            shown.update(task, total=now.total, completed=now.done + now.failed, note=failed + left)

        yield show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
