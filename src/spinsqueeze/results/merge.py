"""merge: runs of one study with other seeds become one run with smaller error bars."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import compact, same
from spinsqueeze.core.registry import LAB_FIGURES, READOUT_FIGURES
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.readings import Reading, merged, moments_of, readings_of
from spinsqueeze.results import provenance
from spinsqueeze.results.best import best_of_run
from spinsqueeze.results.dataset import build, diagnostics_of, read_samples, warnings_of
from spinsqueeze.results.files import MARK
from spinsqueeze.results.grid import (
    DONE,
    as_single_run,
    cut_padding,
    grid_axes,
    point_of,
    points_of,
    stack,
    sweep_dims,
)
from spinsqueeze.results.points import Point, from_dataset
from spinsqueeze.results.studies import put_study, study_tables

FREE = (
    "title",
    "run.seed",
    "run.memory_budget",
    "method.n_trajectories",
    "method.target_error",
    "method.target",
    "method.max_trajectories",
    "method.keep_trajectories",
    "losses.runs",
)
"""Entries of a study in which merged runs may differ."""
_BLOCKS = ("block_weight", "block_reference", "block_first", "block_second")
_SHARED = (
    "title",
    "n_spins",
    "unit",
    "method",
    "method_options",
    "error_kind",
    "references",
    *LAB_FIGURES,
    *READOUT_FIGURES,
)


@clear_call
def merge(datasets: Sequence[xr.Dataset]) -> xr.Dataset:
    """Merge independent runs of one model by one sampling method.

    The sample blocks of all runs stand side by side, each run weighted by its samples; every
    observable and its error are computed anew, directions found again in each jackknife replica.
    Times and axes are matched by their labels, in whatever order a result holds them.
    Error bars fall as the inverse square root of the samples.

    Args:
        datasets: two or more results of `simulate`, or of `sweep` with blocks=True, which differ
            in their seed (and perhaps in their number of samples).

    Returns:
        The Dataset of one run or sweep; the attribute `seeds` lists all seeds, `seed` and `study`
        are those of the first. Variables that are not sampled in every run are left out.

    Raises:
        InvalidInput: fewer than two results or something else, another model, method, times or
            sweep, a seed or samples that occur twice, or results without sample blocks.
    """
    if not isinstance(datasets, Iterable) or isinstance(datasets, str | Mapping):
        raise InvalidInput(f"merge needs results in a list, got {type(datasets).__name__}")
    parts = list(datasets)
    if len(parts) < 2:
        raise InvalidInput(f"merge needs at least two results in a list, got {len(parts)}")
    for number, part in enumerate(parts, start=1):
        if not isinstance(part, xr.Dataset):
            raise InvalidInput(
                f"merge needs results, got {type(part).__name__} as number {number}; load files: "
                "merge([load('a.nc'), load('b.nc')])"
            )
    _refuse_averages(parts)
    head = parts[0]
    dims = sweep_dims(head)
    for number, part in enumerate(parts[1:], start=2):
        if sweep_dims(part) != dims:
            swept = [", ".join(sweep_dims(p)) or "nothing" for p in (head, part)]
            raise InvalidInput(
                f"merge: result 1 sweeps {swept[0]} and result {number} {swept[1]}; only sweeps "
                "over the same parameters can be merged"
            )
        for dim in dims:
            if not part[dim].equals(head[dim]):
                raise InvalidInput(
                    f"merge: result {number} has other values of the swept {dim!r} than result 1"
                )
    if not dims:
        return _merged([as_single_run(part) for part in parts])
    _require_blocks(parts)
    _require_alike(parts)
    rows = zip(*(points_with_reasons(part) for part in parts), strict=True)
    points = [_merged_point(row) for row in rows]
    attributes = {
        **{k: head.attrs[k] for k in ("title", "method_options") if k in head.attrs},
        "seeds": json.dumps(_seeds(parts) if all("seed" in p.attrs for p in parts) else []),
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    data = stack(points, axes=grid_axes(head), attributes=attributes)
    return put_study(data, study_tables(head))


def points_with_reasons(data: xr.Dataset) -> Iterator[xr.Dataset | str]:
    """Each point of a sweep, or the reason why it failed."""
    dims = sweep_dims(data)
    status, reason = data["status"].values.ravel(), data["reason"].values.ravel()
    good = data["status"].values == DONE
    if good.all():
        yield from (one for _, one in points_of(data))
        return
    for k, index in enumerate(np.ndindex(good.shape)):
        if status[k] == DONE:
            yield point_of(data, dict(zip(dims, index, strict=True)))
        else:
            yield str(reason[k])


def _merged_point(row: Sequence[xr.Dataset | str]) -> Point:
    runs = [part for part in row if isinstance(part, xr.Dataset)]
    if len(runs) < len(row):
        return Point(reason=next(part for part in row if isinstance(part, str)))
    data = _merged([cut_padding(run) for run in runs])
    point = from_dataset(data, blocks=True)
    return Point(
        variables={**point.variables, **best_of_run(data)},
        coordinates=point.coordinates,
        attributes=point.attributes,
    )


def _merged(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    _require_blocks(parts)
    _require_alike(parts)
    parts = _at_equal_times(parts)
    seeds = _seeds(parts)
    _require_other_samples(parts)
    head = parts[0]
    attributes: dict[str, Any] = {name: head.attrs[name] for name in _SHARED if name in head.attrs}
    for name in ("dtype", "device"):  # runs on other machines merge, and say so
        made_on = [str(part.attrs[name]) for part in parts if name in part.attrs]
        if made_on:
            attributes[name] = ", ".join(dict.fromkeys(made_on))
    concerns = {text: None for part in parts for text in warnings_of(part)}
    attributes |= {
        "seed": seeds[0],
        "seeds": json.dumps(seeds),
        "numerical_error": max(float(p.attrs["numerical_error"]) for p in parts),
        "diagnostics": json.dumps({"merged": [diagnostics_of(part) for part in parts]}),
        "warnings": json.dumps(list(concerns)),
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    if all("wall_time" in part.attrs for part in parts):
        attributes["wall_time"] = sum(float(part.attrs["wall_time"]) for part in parts)
    n_spins = int(head.attrs["n_spins"])
    data = build(
        _merged_readings([read_samples(part) for part in parts], n_spins=n_spins),
        n_spins=n_spins,
        times=head["time"].values,
        attributes=attributes,
    )
    return put_study(data, study_tables(head))


def _merged_readings(parts: Sequence[Mapping[str, Reading]], *, n_spins: int) -> dict[str, Reading]:
    """Every reading that all parts have, their blocks side by side."""
    moments = [moments_of(part, n_spins=n_spins) for part in parts]
    blocks = [m for m in moments if isinstance(m, BlockMoments)]
    readings = readings_of(BlockMoments.merge(blocks))
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    others = {n: merged([part[n] for part in parts]) for n in shared if n not in readings}
    return readings | others


def _refuse_averages(parts: Sequence[xr.Dataset]) -> None:
    for number, part in enumerate(parts, start=1):
        if '"average_over"' in str(part.attrs.get("study", "")):
            raise InvalidInput(
                f"merge: result {number} is an average over realisations, of which another seed "
                "makes no new ones; average over more of them"
            )


def _require_blocks(parts: Sequence[xr.Dataset]) -> None:
    for number, part in enumerate(parts, start=1):
        if "study" not in part.attrs or "spin" not in part:
            raise InvalidInput(f"merge: result {number} is not a spinsqueeze result")
        missing = [name for name in _BLOCKS if name not in part]
        if not missing:
            continue
        if len(missing) < len(_BLOCKS):
            raise InvalidInput(
                f"merge: result {number} lacks {', '.join(missing)}; give the result with all of "
                "its block variables"
            )
        if "xi2_stderr" not in part and "spins_left" in part:
            raise InvalidInput(
                f"merge: result {number} is a single history of losses, which is no sample; give "
                "the rate of the losses instead of their times"
            )
        if "xi2_stderr" not in part:
            raise InvalidInput(
                f"merge: result {number} is not sampled (method {part.attrs.get('method')}): it "
                "has no error bars to make smaller"
            )
        raise InvalidInput(
            f"merge: result {number} holds no sample blocks; run the sweep with blocks=True "
            "(--blocks)"
        )


def _at_equal_times(parts: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """The parts with their times in order.

    Raises:
        InvalidInput: one has a single selected time, or other times than the first.
    """
    for number, part in enumerate(parts, start=1):
        if "time" not in part["spin"].dims or "time" not in part.coords:
            raise InvalidInput(
                f"merge: result {number} has no time axis; keep it when you select one time: "
                "data.isel(time=[3])"
            )
    ordered = [part.sortby("time") for part in parts]
    first = ordered[0]["time"].values
    for number, part in enumerate(ordered[1:], start=2):
        times = part["time"].values
        if not np.array_equal(times, first):
            raise InvalidInput(
                f"merge: result 1 has {_span(first)} and result {number} has {_span(times)}; only "
                "results at the same times can be merged"
                + ("" if times.shape != first.shape else _apart(first, times))
            )
    return ordered


def _span(times: Any) -> str:
    if len(times) == 1:
        return f"the time {times[0]:g}"
    return f"{len(times)} times from {times[0]:g} to {times[-1]:g}"


def _apart(first: Any, times: Any) -> str:
    k = int(np.flatnonzero(first != times)[0])
    return f" (time {k}: {float(first[k])!r} and {float(times[k])!r})"


def _require_other_samples(parts: Sequence[xr.Dataset]) -> None:
    """Raises InvalidInput when two parts hold the same samples, whatever seeds they name.

    Random losses are left to their seeds: histories of few spins may be alike by chance.
    """
    seen: dict[bytes, int] = {}
    for number, part in enumerate(parts, start=1):
        if "spins_left" in part:
            continue
        samples = part["block_second"].values.tobytes() + part["block_first"].values.tobytes()
        if samples in seen:
            raise InvalidInput(
                f"merge: results {seen[samples]} and {number} hold the same samples, which would "
                "count twice; run one of them with another seed"
            )
        seen[samples] = number


def _require_alike(parts: Sequence[xr.Dataset]) -> None:
    head = _flat(study_tables(parts[0]))
    for number, part in enumerate(parts[1:], start=2):
        for name in ("unit", "n_spins", "method"):
            ours, theirs = parts[0].attrs.get(name), part.attrs.get(name)
            if ours != theirs:
                raise InvalidInput(
                    f"merge: {name} is {ours} in result 1 and {theirs} in result {number}; only "
                    "runs of one model and method can be merged"
                )
        other = _flat(study_tables(part))
        for path in dict.fromkeys((*head, *other)):
            if path in FREE or same(head.get(path), other.get(path)):
                continue
            values = [_shown(study.get(path)) for study in (head, other)]
            raise InvalidInput(
                f"merge: {path} is {values[0]} in result 1 and {values[1]} in result {number}; "
                "only runs of one model and method can be merged"
            )


def _flat(tables: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted path -> entry; lists of tables are opened, lists of numbers are not."""
    pairs: dict[str, Any] = {}
    if isinstance(tables, Mapping):
        items = tables.items()
    elif isinstance(tables, list) and any(isinstance(v, Mapping) for v in tables):
        items = enumerate(tables)  # type: ignore[assignment]
    else:
        return {prefix: tables}
    for key, value in items:
        pairs |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return pairs


def _shown(value: Any) -> str:
    value = compact(value)
    if isinstance(value, np.ndarray):
        return " x ".join(map(str, value.shape)) + " numbers"
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _seeds(parts: Sequence[xr.Dataset]) -> list[int]:
    """All seeds behind the parts, each of which may be merged already."""
    seeds: list[int] = []
    for number, part in enumerate(parts, start=1):
        own = [int(s) for s in json.loads(part.attrs.get("seeds", "[]"))]
        for seed in own or [int(part.attrs["seed"])]:
            if seed in seeds:
                raise InvalidInput(
                    f"merge: result {number} has the seed {seed} once more: the same samples "
                    "would count twice; run it with another seed"
                )
            seeds.append(seed)
    return seeds
