"""`spinsqueeze sweep`: a study with [sweep] in, one result file for all its points out."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

INTERRUPTED = 130


def sweep(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Study file (TOML) with [sweep].")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Result file (netCDF) [default: STUDY's name .nc].",
        ),
    ] = None,
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
    blocks: Annotated[
        bool, typer.Option("--blocks", help="Keep sample blocks, for merge; large.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the study's.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a result file that is there.")
    ] = False,
) -> None:
    """Run every point of a study's [sweep]; run it again to go on after an interruption."""
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.run.study import read_study

    asked = read_study(study)
    if asked.sweep is None:
        raise InvalidInput(f"{study}: has no [sweep]; use spinsqueeze run")
    run_sweep(
        asked,
        study,
        output if output is not None else Path(study.name).with_suffix(".nc"),
        store=store,
        quiet=quiet,
        overwrite=overwrite,
        options={
            "workers": workers,
            "scheduler": scheduler,
            "memory_limit": memory_limit,
            "blocks": blocks,
            "seed": seed,
        },
    )


def run_sweep(
    asked: Any,
    study: Path,
    target: Path,
    *,
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
        store: folder of finished points; None: beside the result.
        quiet: print nothing but errors.
        overwrite: replace the result file.
        options: further options of `spinsqueeze.sweep`.

    Raises:
        SpinSqueezeError: see `spinsqueeze.sweep`; or every point failed.
        typer.Exit: interrupted, after saying what is kept.
    """
    from spinsqueeze.core.errors import FileProblem, InvalidInput, SpinSqueezeError
    from spinsqueeze.results.files import check_writable, save
    from spinsqueeze.run.sweep import sweep as run

    folder = store if store is not None else target.with_suffix(".points")
    if target.absolute() == study.absolute():
        raise InvalidInput(f"--output must not be the study file itself, got {target}")
    if target.is_file() and not overwrite:
        raise FileProblem(f"{target} exists already; add --overwrite, or name another --output")
    check_writable(target, overwrite=overwrite)
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
        done = f"{last[0].done} of {last[0].total}" if last else "no"
        print(
            f"spinsqueeze: {done} points are done and kept in {folder}; run the same command "
            "again to go on",
            file=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED) from None
    save(data, target, overwrite=overwrite)
    if (data["status"] != "done").all():
        raise SpinSqueezeError(
            f"every point failed: {data['reason'].values.flat[0]} (all reasons are in {target})"
        )
    if not quiet:
        for line in summary(data):
            print(line)
        if last and last[0].reused:
            print(f"{last[0].reused} points were there already")
        print(f"result: {target}")
        print(f"points: {folder} (no longer needed, unless you change an axis or go on)")


def _say(message: Any, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


def summary(data: Any) -> Iterator[str]:
    """What came out of a sweep, in lines for people."""
    import numpy as np

    from spinsqueeze.observables.optimum import value_with_error

    status, reason = data["status"].values, data["reason"].values
    failed = status != "done"
    yield f"{status.size - failed.sum()} of {status.size} points done, {failed.sum()} failed"
    for text in dict.fromkeys(reason[failed].ravel()):
        count = int((reason == text).sum())
        yield f"failed ({count} points): {text}"
    name = "optimal_xi2" if "optimal_xi2" in data else "xi2"
    if name not in data or not np.isfinite(data[name].values).any():
        return
    where = {dim: int(k) for dim, k in data[name].argmin(...).items()}
    best = data[name].isel(where)
    stderr = f"{name}_stderr"
    error = float(data[stderr].isel(where)) if stderr in data else None
    labels = [c for c in best.coords.values() if c.ndim == 0 and "path" in c.attrs]
    place = ", ".join(f"{c.name} = {c.item():.6g}" if c.dtype.kind in "if" else
                      f"{c.name} = {c.item()}" for c in labels)  # fmt: skip
    yield f"least xi2 = {value_with_error(float(best), stderr=error)} at {place}"


@contextmanager
def _bar(title: str, *, quiet: bool) -> Iterator[Callable[[Any], None]]:
    """Points done, failed and the time left, on stderr; silent away from a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda now: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(escape(title), total=None, told="starting")

        def show(now: Any) -> None:
            left = "" if now.remaining is None else f"left {_duration(now.remaining)}"
            failed = f"{now.failed} failed  " if now.failed else ""
            shown.update(task, total=now.total, completed=now.done + now.failed, told=failed + left)

        yield show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
