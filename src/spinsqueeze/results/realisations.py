"""Many realisations of one experiment as one result: the moments of their mixture."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.readings import Reading, readings_of
from spinsqueeze.results.best import best_of_moments
from spinsqueeze.results.concerns import in_few_lines
from spinsqueeze.results.dataset import readout_of, tables_of_run
from spinsqueeze.results.points import Entry, Point

BAND = "{}: standard error of the average, not the spread"
"""What an error of an average is, for notes of pictures; to be filled with how it is drawn."""

_WITH_SPREAD = ("xi2", "measured_xi2")
"""What has its standard deviation between single realisations in the average."""

_DROPPED = ("diagnostics", "warnings", "automatic_times")


def average(points: Sequence[Point], *, blocks: bool) -> Point:
    """The state of somebody who does not know which realisation a shot was.

    With m_r and C_r of R realisations, the mean spin is m = mean m_r and the covariance
    C = mean C_r + Cov(m_r), so that xi2 = N min Var/|m|^2 has the scatter between realisations in
    it; N is the mean number of spins where it differs. Every realisation is one block of the
    jackknife, whose errors hold the finite R and the sampling errors of each, if these are
    independent. `xi2_spread` is the standard deviation of xi2 between single realisations, their
    sampling errors included. Quantities that are no function of these moments are left out.

    Args:
        points: the realisations; those that failed are left out, with a warning.
        blocks: keep the moments of the realisations.

    Returns:
        The point; a failed one where fewer than 4 realisations are there, or their times differ.
    """
    done = [point for point in points if not point.reason]
    failures = Counter(point.reason for point in points if point.reason)
    if len(done) < MINIMUM_BLOCKS:
        reason, count = failures.most_common(1)[0]
        return Point(
            reason=f"{len(done)} of {len(points)} realisations are done, at least {MINIMUM_BLOCKS} "
            f"are needed; {count} failed: {reason}"
        )
    timed = "time" in done[0].coordinates
    times = [p.coordinates["time"].values if timed else np.array([np.inf]) for p in done]
    if any(not np.array_equal(others, times[0]) for others in times):
        return Point(reason="the realisations have different times: some ended early")
    spin, covariance = (
        np.stack([_timed(p.variables[name], timed) for p in done], axis=1)
        for name in ("spin", "covariance")
    )
    moments = _mixture(spin, covariance, _counts(done, timed, len(times[0])))
    readings = readings_of(moments)
    for name in _WITH_SPREAD:
        if all(name in p.variables for p in done):
            of_each = np.stack([_timed(p.variables[name], timed) for p in done])
            readings[f"{name}_spread"] = Reading(of_each.std(axis=0, ddof=1))
    if isinstance(moments.n_spins, np.ndarray):
        readings["spins_left"] = Reading(moments.n_spins, weights=moments.weights)
    attributes = _attributes(points, done, failures)
    variables, labels = tables_of_run(
        readings,
        moments,
        times=times[0],
        attributes=attributes,
        error=attributes["numerical_error"],
        truncation=_truncation(done, timed),
    )
    best: dict[str, Entry] = {}
    if timed:
        units = str(labels["time"][2]["units"])
        readout = readout_of(attributes)
        best = best_of_moments(
            times[0],
            moments,
            error=attributes["numerical_error"],
            smooth=True,
            units=units,
            readout=readout,
        )
    kept = {
        name: _as_was(Entry(*entry), timed)
        for name, entry in variables.items()
        if blocks or not name.startswith("block_")
    }
    used = {dim for entry in kept.values() for dim in entry.dims}
    return Point(
        variables=kept | best,
        coordinates={n: Entry(*entry) for n, entry in labels.items() if used.issuperset(entry[0])},
        attributes=attributes,
    )


def count_of(data: xr.Dataset) -> str:
    """How many realisations a result averages, "30" or "27 to 30" over a sweep; else ""."""
    texts = [data.attrs.get("diagnostics", "{}")]
    if "diagnostics" in data:
        texts = data["diagnostics"].values.ravel().tolist()
    counts = {json.loads(text or "{}").get("realisations") for text in texts} - {None}
    return " to ".join(map(str, sorted({min(counts), max(counts)}))) if counts else ""


def _mixture(spin: Floats, covariance: Floats, counts: Any) -> BlockMoments:
    """Block moments, one block a realisation, from mean spins (T, R, 3) and covariances."""
    reference = spin.mean(axis=1)
    first = spin - reference[:, None]
    return BlockMoments(
        n_spins=counts,
        reference=reference,
        weights=np.ones(spin.shape[1]),
        first=first,
        second=covariance + first[..., :, None] * first[..., None, :],
    )


def _counts(done: Sequence[Point], timed: bool, n_times: int) -> Any:
    """The number of spins, or (T, R) where it differs between realisations or in time."""
    if any("spins_left" in p.variables for p in done):
        columns = [
            _timed(p.variables["spins_left"], timed)
            if "spins_left" in p.variables
            else np.full(n_times, p.attributes["n_spins"])
            for p in done
        ]
        return np.stack(columns, axis=1).astype(np.float64)
    numbers = [int(p.attributes["n_spins"]) for p in done]
    if len(set(numbers)) == 1:
        return numbers[0]
    return np.broadcast_to(np.array(numbers, dtype=np.float64), (n_times, len(numbers))).copy()


def _truncation(done: Sequence[Point], timed: bool) -> dict[str, Floats]:
    """What an approximation leaves out: the largest of all realisations."""
    truncations = (
        name for point in done for name in point.variables if name.endswith("_truncation")
    )
    names = list(dict.fromkeys(truncations))
    return {
        name.removesuffix("_truncation"): np.max(
            [_timed(p.variables[name], timed) for p in done if name in p.variables], axis=0
        )
        for name in names
    }


def _attributes(
    points: Sequence[Point], done: Sequence[Point], failures: Mapping[str, int]
) -> dict[str, Any]:
    """Those that all share, the mean number of spins, and what the realisations warned of."""
    head = done[0].attributes
    shared: dict[str, Any] = {
        name: value
        for name, value in head.items()
        if name not in _DROPPED and all(p.attributes.get(name) == value for p in done)
    }
    concerns = [json.loads(point.attributes.get("warnings", "[]")) for point in points]
    kinds = {part for p in done for part in str(p.attributes["error_kind"]).split(" and ")}
    approximate = [kind for kind in ("uncontrolled", "truncation") if kind in kinds][:1]
    return {
        **shared,
        "n_spins": round(np.mean([p.attributes["n_spins"] for p in done])),
        "error_kind": " and ".join([*approximate, "sampling"]),
        "seed": head["seed"],
        "numerical_error": max(float(p.attributes["numerical_error"]) for p in done),
        "diagnostics": json.dumps({"realisations": len(done)}),
        "warnings": json.dumps(
            [f"{k} of {len(points)} realisations failed: {why}" for why, k in failures.items()]
            + in_few_lines(concerns, what="realisations")
        ),
    }


def _timed(entry: Entry, timed: bool) -> Floats:
    """Values with time as first axis, one time for a steady state."""
    return np.asarray(entry.values if timed else entry.values[None], dtype=np.float64)


def _as_was(entry: Entry, timed: bool) -> Entry:
    """Without the one time of a steady state."""
    if timed or "time" not in entry.dims:
        return entry
    dims = tuple(dim for dim in entry.dims if dim != "time")
    values = np.take(entry.values, 0, axis=entry.dims.index("time"))
    return Entry(dims, values, entry.attributes)
