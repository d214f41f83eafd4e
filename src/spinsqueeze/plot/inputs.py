"""What a picture of curves in time is made of: labelled Datasets, their optima, unit and title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import inverse
from spinsqueeze.results.dataset import refuse_file_name
from spinsqueeze.results.grid import as_single_run

_DRAWN = ("xi2", "contrast", "total_spin_squared")


def labelled(data: Any) -> dict[str, Any]:
    """Label -> Dataset of one run, "" for a single one.

    Raises:
        InvalidInput: nothing to draw, or what `plot.squeezing` refuses.
    """
    refuse_file_name(data, call="plot.squeezing")
    if hasattr(data, "data_vars"):
        curves = {"": data}
    elif isinstance(data, Mapping):
        curves = {str(label): dataset for label, dataset in data.items()}
    else:
        remedy = "; name each: {'exact': first, 'dtwa': second}" if isinstance(data, list) else ""
        raise InvalidInput(
            "data must be a Dataset or a mapping of labels to Datasets, got "
            f"{type(data).__name__}{remedy}"
        )
    if not curves:
        raise InvalidInput("data must hold at least one Dataset, got an empty mapping")
    for label, dataset in curves.items():
        if hasattr(dataset, "data_vars"):
            curves[label] = as_single_run(dataset)
        _check(curves[label], f"data[{label!r}]" if label else "data")
    units = {unit_of(dataset) for dataset in curves.values()}
    if len(units) > 1:
        raise InvalidInput(
            f"the Datasets must share one unit of time, got {', '.join(sorted(units))}"
        )
    return curves


def _check(dataset: Any, name: str) -> None:
    if not hasattr(dataset, "data_vars"):
        raise InvalidInput(f"{name} must be a Dataset, got {type(dataset).__name__}")
    missing = [variable for variable in _DRAWN if variable not in dataset.data_vars]
    if missing:
        raise InvalidInput(
            f"{name} must hold {', '.join(_DRAWN)}; it lacks {', '.join(missing)}: "
            "draw a result of spinsqueeze.simulate or a file it wrote"
        )
    if "n_spins" not in dataset.attrs:
        remedy = (
            "draw a sweep with plot.sweep" if "status" in dataset else "give a result as it was"
        )
        raise InvalidInput(f"{name} must carry its number of spins, n_spins; {remedy}")
    dims = dataset["xi2"].dims
    if "time" not in dims:
        raise InvalidInput(
            f"{name} has no dimension time: a steady state is a number, not a curve; it is "
            "drawn by plot.ellipse(data), or spinsqueeze plot FILE --kind ellipse"
        )
    extra = [dim for dim in dims if dim != "time"]
    if extra:
        sizes = ", ".join(f"{dim} ({dataset.sizes[dim]})" for dim in extra)
        choice = ", ".join(f"{dim}=0" for dim in extra)
        raise InvalidInput(
            f"{name} must have no dimension besides time, got {sizes}: "
            f"select one with data.isel({choice})"
        )


def optima_of(optimum: Any, curves: Mapping[str, Any]) -> dict[str, Any]:
    """Label -> optimum.

    Raises:
        InvalidInput: one optimum for several Datasets, or an unknown label.
    """
    if optimum is None:
        return {}
    if not isinstance(optimum, Mapping):
        if len(curves) > 1:
            raise InvalidInput(
                "optimum must be a mapping {label: optimum} when several Datasets are drawn"
            )
        return {next(iter(curves)): optimum}
    unknown = [str(label) for label in optimum if str(label) not in curves]
    if unknown:
        raise InvalidInput(
            f"optimum names {', '.join(unknown)}, but the Datasets are {', '.join(curves)}"
        )
    return {str(label): value for label, value in optimum.items()}


def unit_of(dataset: Any) -> str:
    """The unit of times of a run."""
    unit = dataset.attrs.get("unit")
    if unit:
        return inverse(unit)
    return str(dataset["time"].attrs.get("units", "1/J"))


def title_of(curves: Mapping[str, Any]) -> str:
    """The title that all curves share, or what they have in common."""
    titles = {dataset.attrs.get("title") or "" for dataset in curves.values()}
    if len(titles) == 1 and "" not in titles:
        return str(titles.pop())
    sizes = {int(dataset.attrs["n_spins"]) for dataset in curves.values()}
    words = [f"N = {sizes.pop()}"] if len(sizes) == 1 else []
    methods = {str(dataset.attrs["method"]) for dataset in curves.values() if _named(dataset)}
    if len(methods) == 1:
        words.append(methods.pop())
    return ", ".join(words)


def _named(dataset: Any) -> bool:
    method = dataset.attrs.get("method")
    return isinstance(method, str) and len(method) <= 40
