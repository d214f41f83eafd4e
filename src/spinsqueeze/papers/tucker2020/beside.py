"""Curves of the same points by trajectories and by cumulants of orders 2 and 3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.papers.base import curve, decibels
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    EARLY,
    Minimum,
    base_study,
    effective_spins,
    least,
    point,
    trajectory_study,
    window,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDERS = (2, 3)
DECIBELS_PER_E = 10.0 / np.log(10.0)


@final
@dataclass(frozen=True)
class Case:
    """One point: chi/Gamma, Upsilon/Upsilon_c, gamma_s/Gamma, and the last time in 1/Gamma."""

    chi: float
    drive: float
    local_decay: float
    end: float

    def times(self, n_times: int) -> Floats:
        """From 0 to the end, denser at first."""
        grid: Floats = self.end * np.linspace(0.0, 1.0, n_times) ** 2
        return grid


def passage(n_spins: int, *, local_decay: float) -> float:
    """A time after the loss of squeezing at 0.9 Upsilon_c, 1/Gamma.

    The start from -x takes about 60/N; N^eff = 0.9 N is reached about 0.45/gamma_s later.
    """
    return 0.55 / local_decay + 60.0 / n_spins


def by_trajectories(
    points: Points,
    n_spins: int,
    cases: Sequence[Case],
    *,
    title: str,
    n_trajectories: int,
    n_times: int,
) -> xr.Dataset:
    """xi2, N^eff and the least xi2 of each case by quantum trajectories.

    Returns:
        times, xi2, n_eff and their errors over (case, step); best_xi2 (the least after the first
        collective time), its error and best_time over case.
    """
    scanned = scan(
        points,
        trajectory_study(n_spins, title=title, n_trajectories=n_trajectories),
        axes={"case": range(len(cases))},
        point=lambda case: point(
            n_spins,
            chi=cases[case].chi,
            drive=cases[case].drive,
            local_decay=cases[case].local_decay,
            times=cases[case].times(n_times),
        ),
        curves=True,
    )
    times, xi2 = scanned["times"].values, scanned["xi2"].values
    error = scanned["xi2_stderr"].values
    squared = scanned["total_spin_squared"].values
    n_eff = effective_spins(n_spins, squared)
    # d N^eff/d<J^2> = 2/(N^eff + 1), and <J^2> is in units of N(N + 2)/4
    n_eff_error = scanned["total_spin_squared_stderr"].values * n_spins * (n_spins + 2)
    n_eff_error /= 2.0 * (n_eff + 1.0)
    best = np.array(
        [best_of(scanned.isel(case=k), times=times[k], n_spins=n_spins) for k in range(len(cases))]
    ).T
    dims = ("case", "step")
    return xr.Dataset(
        {
            "times": curve(dims, times, "time", units="1/Gamma"),
            "xi2": curve(dims, xi2, "Wineland parameter, trajectories"),
            "xi2_stderr": curve(dims, error, "its standard error"),
            "n_eff": curve(dims, n_eff, "N^eff = 2 sqrt(1/4 + <J^2>) - 1, trajectories"),
            "n_eff_stderr": curve(dims, n_eff_error, "its standard error"),
            "best_xi2": curve("case", best[0], "least xi2, trajectories"),
            "best_xi2_stderr": curve("case", best[1], "its standard error"),
            "best_time": curve("case", best[2], "its time", units="1/Gamma"),
        },
        coords=case_coordinates(cases),
        attrs={**scanned.attrs, "n_spins": n_spins, "convention": CONVENTIONS},
    )


def by_cumulants(
    points: Points, n_spins: int, cases: Sequence[Case], *, title: str, n_times: int
) -> xr.Dataset:
    """The same by cumulants of orders 2 and 3, up to where they leave the superradiant phase.

    Returns:
        cumulant_times, cumulant_xi2 and cumulant_n_eff over (order, case, cumulant_step);
        cumulant_best_xi2 and cumulant_best_time over (order, case).
    """
    windows = [
        window(
            n_spins,
            chi=case.chi,
            drive=case.drive,
            local_decay=case.local_decay,
            n_times=n_times,
            start=0.1 / n_spins,
        )
        for case in cases
    ]
    scanned = scan(
        points,
        base_study(n_spins, title=title),
        axes={"order": ORDERS, "case": range(len(cases))},
        point=lambda order, case: point(
            n_spins,
            chi=cases[case].chi,
            drive=cases[case].drive,
            local_decay=cases[case].local_decay,
            order=order,
            times=windows[case],
        ),
        curves=True,
    )
    times, xi2 = scanned["times"].values, scanned["xi2"].values
    lows = [
        [late(t, row, n_spins=n_spins) for t, row in zip(*pair, strict=True)]
        for pair in zip(times, xi2, strict=True)
    ]
    n_eff = effective_spins(n_spins, scanned["total_spin_squared"].values)
    dims, few = ("order", "case", "cumulant_step"), ("order", "case")
    return xr.Dataset(
        {
            "cumulant_times": curve(dims, times, "time", units="1/Gamma"),
            "cumulant_xi2": curve(dims, xi2, "Wineland parameter, cumulants"),
            "cumulant_n_eff": curve(dims, n_eff, "N^eff, cumulants"),
            "cumulant_best_xi2": curve(few, [[m.xi2 for m in row] for row in lows], "least xi2"),
            "cumulant_best_time": curve(
                few, [[m.time for m in row] for row in lows], "its time", units="1/Gamma"
            ),
        },
        coords={"order": curve("order", ORDERS, "order of the cumulants")},
    )


def best_of(row: xr.Dataset, *, times: Floats, n_spins: int) -> tuple[float, float, float, float]:
    """Least xi2 after the first collective time, its error, its time and the error of that.

    Args:
        row: xi2 and xi2_stderr along `times`, and the optimum over all times with its errors.
        times: (T,).
        n_spins: N.
    """
    if row["optimal_time"] >= EARLY / n_spins:
        names = (
            "optimal_xi2",
            "optimal_xi2_stderr",
            "optimal_time",
            "optimal_time_stderr",
        )
        xi2, error, time, time_error = (float(row[name]) for name in names)
        return xi2, error, time, time_error
    low = late(times, row["xi2"].values, n_spins=n_spins)
    k = low.index
    return low.xi2, float(row["xi2_stderr"].values[k]), low.time, float(np.diff(times)[k - 1])


def late(times: Floats, xi2: Floats, *, n_spins: int) -> Minimum:
    """The lowest point from N Gamma t = EARLY on, index in the whole curve."""
    first = int(np.searchsorted(times, EARLY / n_spins))
    low = least(times[first:], xi2[first:])
    return low if low.index < 0 else Minimum(low.xi2, low.time, low.index + first)


def case_coordinates(cases: Sequence[Case]) -> dict[str, object]:
    """What distinguishes the cases, along `case`."""
    return {
        "chi": curve("case", [case.chi for case in cases], "chi", units="Gamma"),
        "drive": curve("case", [case.drive for case in cases], "Upsilon/Upsilon_c"),
        "local_decay": curve(
            "case", [case.local_decay for case in cases], "gamma_s", units="Gamma"
        ),
    }


def draw_levels(panel: "Axes", row: xr.Dataset, *, color: str, label: str | None = None) -> None:
    """xi2 of one case in decibels with a band of one standard error."""
    ratio = row["xi2"].where(row["xi2"] > 0).values
    level, error = decibels(ratio), DECIBELS_PER_E * row["xi2_stderr"].values / ratio
    times = row["times"].values
    panel.plot(times, level, color=color, label=label)
    panel.fill_between(times, level - error, level + error, color=color, alpha=0.22, lw=0)


def draw_orders(
    panel: "Axes", row: xr.Dataset, *, color: str, dashes: Sequence[str], label: bool
) -> None:
    """xi2 of one case in decibels by each order of cumulants, as far as it is positive."""
    for order, dash in zip(ORDERS, dashes, strict=True):
        chosen = row.sel(order=order)
        shown = decibels(chosen["cumulant_xi2"].where(chosen["cumulant_xi2"] > 0).values)
        name = f"order {order}" if label else None
        panel.plot(chosen["cumulant_times"], shown, dash, color=color, lw=1.2, label=name)


def level_errors(data: xr.Dataset) -> Floats:
    """Standard errors (case,) of the least xi2 in decibels."""
    errors: Floats = DECIBELS_PER_E * data["best_xi2_stderr"].values / data["best_xi2"].values
    return errors
