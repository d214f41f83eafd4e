"""The simulations of a figure as one resumable sweep, and their optima on the figure's own axes."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.results.grid import DONE
from spinsqueeze.run.study import Study
from spinsqueeze.run.sweep import sweep

POINT = "point"
FAILED = "failed_points"
_CARRIED = (
    "spinsqueeze_version",
    "commit",
    "machine",
    "study",
    "unit",
    "method",
    "error_kind",
    "references",
    "seed",
    "dtype",
    "device",
    "warnings",
    FAILED,
)
_INNER = {"most_shell_population": "shell"}


@final
@dataclass(frozen=True)
class Points:
    """Runs studies at lists of points; with a store a run goes on where the last one stopped.

    Args:
        store: folder of finished points; None keeps nothing.
        workers: local processes; 0: this one; None: one for each core.
        progress: called with the fraction of the present figure done.
    """

    store: Path | None = None
    workers: int | None = 0
    progress: Callable[[float], None] | None = field(default=None, compare=False)

    def __call__(self, study: Study, *, over: Mapping[str, Sequence[Any]]) -> xr.Dataset:
        """The sweep over paths that run together, along the one dimension `point`.

        Args:
            study: what all points share.
            over: dotted path -> values, equally many for each path.

        Raises:
            NumericalFailure: all points failed; with the first reason. Where some failed they
                hold NaN, and the attribute `failed_points` says so.
        """
        tell = self.progress
        data = sweep(
            study,
            over=over,
            zipped=True,
            store=self.store,
            workers=self.workers,
            progress=None if tell is None else lambda now: tell(now.fraction),
        )
        (dim,) = data["status"].dims
        data = data.reset_index(dim).rename({dim: POINT})
        failed = np.flatnonzero(data["status"].values != DONE)
        if len(failed) == 0:
            return data
        failures = (
            f"{len(failed)} of {data.sizes[POINT]} points failed, the first because: "
            f"{data['reason'].values[failed[0]]}"
        )
        if len(failed) == data.sizes[POINT]:
            raise NumericalFailure(failures)
        return data.assign_attrs({FAILED: failures})


def scan(
    points: Points,
    study: Study,
    *,
    axes: Mapping[str, Sequence[Any]],
    point: Callable[..., Mapping[str, Any] | None],
    curves: bool = False,
) -> xr.Dataset:
    """Optima over a grid that a figure's axes span.

    Args:
        points: where simulations run.
        study: what all points share.
        axes: name -> values; the dimensions of the result.
        point: called with one value of each axis, by name; returns dotted path -> value, or None
            for a point to be left empty.
        curves: keep xi2 and <S^2> against time too.

    Returns:
        Dataset over the axes: optimal_xi2, optimal_time, least_total_spin_squared (the least
        <S^2> up to the optimal time, over its value (N/2)(N/2 + 1) at the start), n_spins, each
        with <name>_stderr where sampled, and at_edge (1 where the optimum lies at the last time).
        Where the method tells them: most_shell_population, the most that each shell of total
        spin, N/2 first, has held up to the optimal time, along `shell`; optimal_xi2_truncation,
        the claimed truncation error of xi2 at the optimal time.
        With curves: times, xi2, total_spin_squared (over its start value) along `step`.
    """
    shape = tuple(len(values) for values in axes.values())
    overs: list[Mapping[str, Any]] = []
    places: list[int] = []
    for k, values in enumerate(itertools.product(*axes.values())):
        chosen = point(**dict(zip(axes, values, strict=True)))
        if chosen is not None:
            overs.append(chosen)
            places.append(k)
    over = {path: [chosen[path] for chosen in overs] for path in overs[0]}
    swept = points(study, over=over)
    variables = _reduced(swept, curves=curves)
    data = xr.Dataset(coords={name: list(values) for name, values in axes.items()})
    for name, (array, attributes) in variables.items():
        whole = np.full((int(np.prod(shape)), *array.shape[1:]), np.nan)
        whole[places] = array
        inner = (_INNER.get(name, "step"),) * (array.ndim - 1)
        data[name] = ((*axes, *inner), whole.reshape(*shape, *array.shape[1:]), attributes)
    data.attrs.update({k: v for k, v in swept.attrs.items() if k in _CARRIED})
    return data


def _reduced(swept: xr.Dataset, *, curves: bool) -> dict[str, tuple[Floats, dict[str, str]]]:
    n_points = swept.sizes[POINT]
    n_spins = np.broadcast_to(
        swept["n_spins"].values if "n_spins" in swept else swept.attrs["n_spins"], (n_points,)
    ).astype(float)
    n_spins = np.where(n_spins > 0, n_spins, np.nan)
    start = n_spins / 2 * (n_spins / 2 + 1)
    given = swept["time_of_point"] if "time_of_point" in swept else swept["time"]
    times = np.broadcast_to(given.values, (n_points, given.shape[-1])).astype(float)
    squared = swept["total_spin_squared"].values / start[:, None]
    out: dict[str, tuple[Floats, dict[str, str]]] = {
        "n_spins": (n_spins, {"units": "1", "long_name": "number of spins"})
    }
    for name in ("optimal_xi2", "optimal_time"):
        for full in (name, f"{name}_stderr"):
            if full in swept:
                out[full] = (swept[full].values, dict(swept[full].attrs))
    out["at_edge"] = (
        np.where(swept["optimal_at_edge"].values < 0, np.nan, swept["optimal_at_edge"].values),
        {"units": "1", "long_name": "1: the optimum lies at the first or last time"},
    )
    best = swept["optimal_time"].values
    least, at = _least_until(times, squared, best)
    attributes = {
        "units": "1",
        "long_name": "least <S^2> up to the optimal time over <S^2> at t = 0",
    }
    out["least_total_spin_squared"] = (least, attributes)
    sampled = "total_spin_squared_stderr" in swept
    if sampled:
        errors = swept["total_spin_squared_stderr"].values / start[:, None]
        picked = np.take_along_axis(errors, at[:, None], axis=1)[:, 0]
        out["least_total_spin_squared_stderr"] = (
            picked,
            {**attributes, "long_name": f"standard error of {attributes['long_name']}"},
        )
    out |= _of_shells(swept, times, best)
    if curves:
        out["times"] = (times, dict(given.attrs))
        out["xi2"] = (swept["xi2"].values, dict(swept["xi2"].attrs))
        out["total_spin_squared"] = (
            squared,
            {"units": "1", "long_name": "<S^2> over its value at t = 0"},
        )
        if sampled:
            out["xi2_stderr"] = (swept["xi2_stderr"].values, dict(swept["xi2_stderr"].attrs))
            out["total_spin_squared_stderr"] = (
                errors,
                {"units": "1", "long_name": "standard error of <S^2> over its value at t = 0"},
            )
    return out


def _of_shells(
    swept: xr.Dataset, times: Floats, best: Floats
) -> dict[str, tuple[Floats, dict[str, str]]]:
    """Populations of shells and the claimed error of truncation, of methods that tell them."""
    out: dict[str, tuple[Floats, dict[str, str]]] = {}
    if "shell_population" in swept:
        held = swept["shell_population"].transpose(POINT, "time", "j").values
        most = [-_least_until(times, -held[:, :, k], best)[0] for k in range(held.shape[2])]
        words = "most that the shell of total spin N/2 - shell holds up to the optimal time"
        out["most_shell_population"] = (np.stack(most, axis=1), {"units": "1", "long_name": words})
    if "xi2_truncation" in swept:
        claimed = swept["xi2_truncation"].values
        at = [np.interp(b, t, c) for b, t, c in zip(best, times, claimed, strict=True)]
        words = "claimed truncation error of xi2 at the optimal time"
        out["optimal_xi2_truncation"] = (np.array(at), {"units": "1", "long_name": words})
    return out


def _least_until(times: Floats, values: Floats, stop: Floats) -> tuple[Floats, Integers]:
    """The least of each row of values (P, T) at times <= stop (P,), and the index next to it."""
    least = np.full(len(values), np.nan)
    at = np.zeros(len(values), dtype=np.intp)
    for k, (t, v, end) in enumerate(zip(times, values, stop, strict=True)):
        inside = np.flatnonzero((t <= end) & np.isfinite(v))
        if len(inside) == 0:
            continue
        at[k] = inside[np.argmin(v[inside])]
        least[k] = min(v[at[k]], np.interp(end, t, v))
    return least, at
