"""`spinsqueeze branches`: the steady-state branches of a study along one parameter."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from spinsqueeze.cli.options import Output, Overwrite, Picture, Quiet, Study
from spinsqueeze.cli.study import read

if TYPE_CHECKING:
    import xarray as xr


def branches(
    study: Study,
    over: Annotated[
        tuple[str, float, float],
        typer.Option(
            "--over",
            metavar="PATH START STOP",
            help="Parameter and its range, such as hamiltonian.0.rabi 0.1 2.",
        ),
    ],
    num: Annotated[
        int, typer.Option(help="Steps of the parameter are at most range/(num-1).")
    ] = 41,
    log: Annotated[bool, typer.Option("--log", help="Space the parameter by factors.")] = False,
    output: Output = None,
    picture: Picture = None,
    quantity: Annotated[
        str, typer.Option(metavar="NAME", help="What to draw: x, y, z, or a variable such as xi2.")
    ] = "z",
    quiet: Quiet = False,
    overwrite: Overwrite = False,
) -> None:
    """Follow all steady states of mean field or cumulants, with folds and bifurcations."""
    from spinsqueeze.cli.pictures import checked_target, draw
    from spinsqueeze.cli.progress import bar
    from spinsqueeze.cli.text import report_to
    from spinsqueeze.results.dataset import warnings_of
    from spinsqueeze.results.files import save
    from spinsqueeze.run.branches import branches as found

    target = checked_target(study, output, picture, overwrite=overwrite)
    path, start, stop = over
    span = {"start": start, "stop": stop, "num": num, "spacing": "log" if log else "linear"}
    asked, _ = read(study)
    with bar(asked.title or study.stem, quiet=quiet) as progress:
        data = found(asked, over={path: span}, progress=progress)
    save(data, target, overwrite=overwrite)
    if picture is not None:
        draw(data, picture, overwrite=overwrite, quantity=quantity)
    if quiet:
        return
    with report_to(target, picture):
        _report(data)
        for concern in warnings_of(data):
            print(f"warning: {concern}", file=sys.stderr)
        print(f"result: {target}")
        if picture is not None:
            print(f"picture: {picture}")


def _report(data: "xr.Dataset") -> None:
    """A line for each branch and for each special point."""
    from spinsqueeze.results.branches import share_stable

    name = data.attrs["parameter"]
    for b, n in enumerate(data["n_points"].values):
        line = data.isel(branch=b, point=slice(0, int(n)))
        first, last = line[name].values[[0, -1]]
        share = share_stable(data, b)
        which = f"{share:.0%} stable" if share == share else "neither stable nor unstable"
        print(f"branch {b}: {name} {first:.6g} to {last:.6g}, {n} points, {which}")
    for kind, value, b in zip(
        data["special_kind"].values,
        data["special_parameter"].values,
        data["special_branch"].values,
        strict=True,
    ):
        print(f"{kind}: {name} = {value:.6g} on branch {b}")
