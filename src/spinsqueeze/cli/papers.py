"""`spinsqueeze papers`: the papers, their figures and claims; `papers run`: redo them."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from spinsqueeze.cli.options import INTERRUPTED

papers = typer.Typer(
    help="Published figures and claims: list them, or run them again.",
    invoke_without_command=True,
    no_args_is_help=False,
)


@papers.callback()
def _list(context: typer.Context) -> None:
    """List papers, figures, methods, sizes and what the last run found."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from spinsqueeze.papers.output import last_known
    from spinsqueeze.papers.registry import PAPERS, paper

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    for key in PAPERS:
        publication = paper(key)
        sizes = list(dict.fromkeys(s for figure in publication.figures for s in figure.settings))
        known = {size: last_known(publication, size=size) for size in sizes}
        print(f"{key}: {publication.title}")
        table = Table(box=None, pad_edge=False, header_style="")
        for name in ("figure", "shows", "methods", "sizes", *(f"last {s} run" for s in sizes)):
            table.add_column(name)
        for figure in publication.figures:
            last_states = [_state(known[size], figure.name) for size in sizes]
            cells = (figure.name, figure.title, ", ".join(figure.methods))
            table.add_row(*map(Text, (*cells, ", ".join(figure.settings), *last_states)))
        console.print(table)


def _state(table: Any, name: str) -> str:
    from spinsqueeze.papers.output import verdicts

    counts = None if table is None else verdicts(table, name)
    if counts is None:
        return "not run"
    return ", ".join(f"{n} {state}" for state, n in counts.items() if n) or "no claims"


@papers.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Paper, e.g. perlin2020.")],
    figure: Annotated[
        list[str] | None,
        typer.Option("--figure", "-f", metavar="K", help="One figure; may be repeated."),
    ] = None,
    size: Annotated[str, typer.Option("--size", "-s", help="small or paper.")] = "small",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder; default papers/NAME-SIZE."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=0, help="Processes; default: all cores.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the totals only.")] = False,
) -> None:
    """Run figures of a paper: Dataset, PDF, PNG and claims.json; resumes where it was stopped."""
    from spinsqueeze.cli.progress import bar
    from spinsqueeze.papers.output import default_folder, run_paper
    from spinsqueeze.papers.registry import paper

    chosen = paper(name)
    names = tuple(figure or ())
    figures = [chosen.figure(n) for n in names] or list(chosen.figures)
    place = {f.name: k for k, f in enumerate(figures)}
    folder = output if output is not None else default_folder(chosen, size=size)
    try:
        with bar(f"{name} ({size})", quiet=quiet) as move:
            results = run_paper(
                chosen,
                names=names,
                size=size,
                folder=folder,
                workers=workers,
                progress=lambda f, part: move((place[f.name] + part) / len(figures)),
                finished=lambda result: None if quiet else _tell(result),
            )
    except KeyboardInterrupt:
        print(
            f"spinsqueeze: interrupted; finished points are kept in {folder}: run the same again "
            "to go on",
            file=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED) from None
    states = [claim.state for result in results for claim in result.claims]
    counted = ", ".join(f"{states.count(state)} {state}" for state in ("pass", "open"))
    print(f"{len(results)} figures, claims: {counted}; in {folder}")


def _tell(result: Any) -> None:
    from spinsqueeze.papers.points import FAILED

    print(f"figure {result.figure.name}: {result.figure.title} ({result.seconds:.0f} s)")
    if FAILED in result.data.attrs:
        print(f"  warning: {result.data.attrs[FAILED]}")
    for claim in result.claims:
        print(f"  {claim.state}  {claim.key}: {claim.ours}")
        if claim.note:
            print(f"        {claim.note}")
