"""Running a paper's figures and writing what comes out: Datasets, pictures, claims.json."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import FileProblem, InvalidInput
from spinsqueeze.core.output import write_bytes
from spinsqueeze.papers.base import OPEN, PASS, Claim, Figure, Paper
from spinsqueeze.papers.points import FAILED, Points
from spinsqueeze.plot.files import write_picture
from spinsqueeze.results import provenance
from spinsqueeze.results.files import MARK, save

CLAIMS = "claims.json"
STORE = "points"


@final
@dataclass(frozen=True)
class FigureResult:
    """One figure, done: its Dataset, its claims and the seconds it took."""

    figure: Figure
    data: xr.Dataset
    claims: tuple[Claim, ...]
    seconds: float


def default_folder(paper: Paper, *, size: str) -> Path:
    """Where results go when no folder is named: papers/KEY-SIZE."""
    return Path("papers") / f"{paper.key}-{size}"


def run_figure(figure: Figure, *, size: str, points: Points) -> FigureResult:
    """Compute one figure and check its claims.

    Raises:
        InvalidInput: the figure has no such size.
    """
    if size not in figure.settings:
        raise InvalidInput(
            f"size {size!r} is not one of figure {figure.name}; "
            f"{checks.did_you_mean(size, figure.settings)}"
        )
    started = time.perf_counter()
    data = figure.compute(figure.settings[size], points)
    claims = tuple(figure.claims(data))
    if FAILED in data.attrs:
        claims = tuple(claim.undecided(data.attrs[FAILED]) for claim in claims)
    seconds = time.perf_counter() - started
    return FigureResult(figure, data, claims, seconds)


def run_paper(
    paper: Paper,
    *,
    names: Sequence[str] = (),
    size: str = "small",
    folder: Path | None = None,
    workers: int | None = None,
    started: Callable[[Figure], None] = lambda _figure: None,
    progress: Callable[[Figure, float], None] | None = None,
    finished: Callable[[FigureResult], None] = lambda _result: None,
) -> list[FigureResult]:
    """Figures of a paper, each written as soon as it is done; a rerun computes what is missing.

    Args:
        paper: the paper.
        names: figures; none named: all.
        size: a key of the figures' settings.
        folder: made where missing; default `default_folder`. Holds figure_NAME.nc, .pdf, .png,
            claims.json, and the store of finished points.
        workers: local processes, see `sweep`.
        started: called before each figure.
        progress: called with a figure and the fraction of it done.
        finished: called after each figure is written.

    Raises:
        InvalidInput: no such figure or size.
        FileProblem: the folder cannot be written or holds another paper or size.
    """
    figures = [paper.figure(name) for name in names] or list(paper.figures)
    for figure in figures:
        if size not in figure.settings:
            hint = checks.did_you_mean(size, figure.settings)
            raise InvalidInput(f"size {size!r} is not one of figure {figure.name}; {hint}")
    target = default_folder(paper, size=size) if folder is None else Path(folder)
    _make(target)
    _check_same(target, paper, size)
    points = Points(store=target / STORE, workers=workers)
    results = []
    for figure in figures:
        started(figure)
        if progress is not None:
            points = replace(points, progress=_bound(progress, figure))
        result = run_figure(figure, size=size, points=points)
        write_figure(result, target, paper=paper, size=size)
        finished(result)
        results.append(result)
    return results


def _bound(progress: Callable[[Figure, float], None], figure: Figure) -> Callable[[float], None]:
    return lambda fraction: progress(figure, fraction)


def write_figure(result: FigureResult, folder: Path, *, paper: Paper, size: str) -> None:
    """The Dataset, the picture twice, and the claims next to those of the other figures.

    Raises:
        FileProblem: something cannot be written.
    """
    stem = f"figure_{result.figure.name}"
    data = result.data.assign_attrs(
        title=f"{paper.key}, {result.figure.name}: {result.figure.title}",
        paper=paper.key,
        figure=result.figure.name,
        size=size,
        references=paper.key,
        commit=provenance.commit(),
        machine=provenance.machine(),
        **{MARK: provenance.version()},
    )
    save(data, folder / f"{stem}.nc", overwrite=True)
    picture = result.figure.draw(result.data)
    for suffix in (".pdf", ".png"):
        write_picture(picture, folder / f"{stem}{suffix}")
    written = read_claims(folder) or {"paper": paper.key, "size": size, "figures": {}}
    written["figures"][result.figure.name] = {
        "title": result.figure.title,
        "seconds": round(result.seconds, 1),
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "claims": [claim.as_dict() for claim in result.claims],
    }
    write_json(written, folder / CLAIMS)


def write_json(table: Mapping[str, Any], path: Path) -> None:
    """Plain data as JSON; the file appears whole or not at all.

    Raises:
        FileProblem: the file cannot be written.
    """
    text = json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes((text + "\n").encode(), path, kind="file")


def read_claims(folder: Path) -> dict[str, Any] | None:
    """What claims.json of a folder holds; None where there is none.

    Raises:
        FileProblem: it is not one of ours.
    """
    path = folder / CLAIMS
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        cause = " ".join(str(error).split())[:120]
        raise FileProblem(f"{path} cannot be read ({cause}); remove it and run again") from None
    if not isinstance(table, dict) or not {"paper", "size", "figures"} <= set(table):
        raise FileProblem(f"{path} is not a file of claims; name another folder")
    return table


def verdicts(table: Mapping[str, Any], name: str) -> dict[str, int] | None:
    """{pass: n, open: n} of one figure in a claims table; None where it was not run."""
    entry = table["figures"].get(name)
    if entry is None:
        return None
    states = [claim["state"] for claim in entry["claims"]]
    return {state: states.count(state) for state in (PASS, OPEN)}


def last_known(paper: Paper, *, size: str) -> dict[str, Any] | None:
    """The claims of the last run: of the default folder, else those that came with the package."""
    last_run = read_claims(default_folder(paper, size=size))
    if last_run is not None:
        return last_run
    path = Path(__file__).parent / paper.key / f"last_known_{size}.json"
    if not path.is_file():
        return None
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        raise FileProblem(f"output folder {folder} cannot be made: {cause}") from None


def _check_same(folder: Path, paper: Paper, size: str) -> None:
    there = read_claims(folder)
    if there is not None and (there["paper"], there["size"]) != (paper.key, size):
        raise FileProblem(
            f"output folder {folder} holds {there['paper']} at size {there['size']}; "
            "name another one with -o"
        )
