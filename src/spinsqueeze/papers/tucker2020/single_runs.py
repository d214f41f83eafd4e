"""Figure 2(b) and Figure S2 of the preprint: single trajectories lose squeezing at N^eff = N_c."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.text import value_with_error
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import POINT, Points
from spinsqueeze.papers.tucker2020.beside import DECIBELS_PER_E, Case, best_of, passage
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    least,
    passing,
    point,
    trajectory_study,
)
from spinsqueeze.plot.style import GREY, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

SETTLED = 20.0
"""N Gamma t after which the first collective oscillations are over."""


@final
@dataclass(frozen=True)
class Runs:
    """N, the point, how many trajectories, how many of them the picture shows, times of a curve."""

    n_spins: int
    case: Case
    n_trajectories: int
    shown: int
    n_times: int
    source: str


def compute(setting: Runs, points: Points) -> xr.Dataset:
    """xi2 and N^eff of every trajectory and of the average; where each is least, lost, crosses."""
    n, case = setting.n_spins, setting.case
    study = trajectory_study(
        n,
        title=f"tucker2020, {setting.source}",
        n_trajectories=setting.n_trajectories,
        kept=setting.n_trajectories,
    )
    paths = point(
        n,
        chi=case.chi,
        drive=case.drive,
        local_decay=case.local_decay,
        times=case.times(setting.n_times),
    )
    swept = points(study, over={path: [value] for path, value in paths.items()}).isel({POINT: 0})
    times = swept["time_of_point"].values if "time_of_point" in swept else swept["time"].values
    each = swept["trajectory_xi2"].transpose("trajectory", "time").values
    spins = swept["trajectory_effective_spins"].transpose("trajectory", "time").values
    found = np.array(
        [
            _events(times, xi2, n_eff, n_spins=n, n_critical=case.drive * n)
            for xi2, n_eff in zip(each, spins, strict=True)
        ]
    ).T
    best = best_of(swept, times=times, n_spins=n)
    one = ("trajectory",)
    return xr.Dataset(
        {
            "xi2": curve("time", swept["xi2"].values, "Wineland parameter of the average"),
            "xi2_stderr": curve("time", swept["xi2_stderr"].values, "its standard error"),
            "n_eff": curve("time", swept["effective_spins"].values, "N^eff of the average"),
            "best_xi2": curve((), best[0], "least xi2 of the average"),
            "best_xi2_stderr": curve((), best[1], "its standard error"),
            "best_time": curve((), best[2], "its time", units="1/Gamma"),
            "best_time_stderr": curve((), best[3], "its standard error", units="1/Gamma"),
            "trajectory_xi2": curve((*one, "time"), each, "Wineland parameter of each"),
            "trajectory_n_eff": curve((*one, "time"), spins, "N^eff = 2 j of each"),
            "least_xi2": curve(one, found[0], "least xi2 of each"),
            "least_time": curve(one, found[1], "its time", units="1/Gamma"),
            "n_eff_at_least": curve(one, found[2], "N^eff there"),
            "loss_time": curve(one, found[3], "when xi2 rises through 1", units="1/Gamma"),
            "n_eff_at_loss": curve(one, found[4], "N^eff there"),
            "crossing_time": curve(one, found[5], "when N^eff falls to N_c", units="1/Gamma"),
        },
        coords={"time": curve("time", times, "time", units="1/Gamma")},
        attrs={k: v for k, v in swept.attrs.items() if k not in ("study", "title")},
    ).assign_attrs(
        n_spins=n,
        n_critical=case.drive * n,
        chi=case.chi,
        drive=case.drive,
        local_decay=case.local_decay,
        shown=setting.shown,
        source=setting.source,
        convention=CONVENTIONS,
    )


def _events(
    times: Floats, xi2: Floats, n_eff: Floats, *, n_spins: int, n_critical: float
) -> tuple[float, float, float, float, float, float]:
    settled = int(np.searchsorted(times, SETTLED / n_spins))
    lost = passing(times, xi2, level=1.0, start=settled)
    # past its loss a trajectory is squeezed by chance now and then
    until = slice(settled, None if np.isnan(lost) else int(np.searchsorted(times, lost)))
    low = least(times[until], xi2[until])
    return (
        low.xi2,
        low.time,
        float(np.interp(low.time, times, n_eff)),
        lost,
        float(np.interp(lost, times, n_eff)) if np.isfinite(lost) else np.nan,
        passing(times, n_eff, level=n_critical),
    )


def draw(data: xr.Dataset) -> "Picture":
    """xi2 (solid) above, N^eff (dashed) with N_c below; single trajectories and the average."""
    n, few = data.attrs["n_spins"], data.attrs["shown"]
    with style():
        figure = new_figure(7.0, 6.2)
        squeezing, size = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": (1.5, 1.0), "hspace": 0.08}
        )
        for k in range(few):
            row = data.isel(trajectory=k)
            colour, width = (PALETTE[k], 1.8) if few <= 3 else (GREY, 0.8)
            squeezing.plot(data["time"], decibels(row["trajectory_xi2"]), color=colour, lw=width)
            size.plot(data["time"], row["trajectory_n_eff"], "--", color=colour, lw=width)
            if few <= 3:
                for panel in (squeezing, size):
                    panel.axvline(float(row["crossing_time"]), color=colour, ls=":", lw=1.0)
        average = "black" if few <= 3 else PALETTE[1]
        label = f"average of {data.sizes['trajectory']}"
        squeezing.plot(data["time"], decibels(data["xi2"]), color=average, lw=1.6, label=label)
        size.plot(data["time"], data["n_eff"], "--", color=average, lw=1.6)
        crossed = passing(data["time"].values, data["n_eff"].values, level=data.attrs["n_critical"])
        if few > 3 and np.isfinite(crossed):
            for panel in (squeezing, size):
                panel.axvline(crossed, color=average, lw=1.0)
        squeezing.axhline(0.0, color="black", lw=0.8)
        squeezing.set_ylim(1.15 * float(decibels(data["least_xi2"].min())), 4.0)
        squeezing.legend(loc="upper left")
        squeezing.set(
            ylabel=r"$\xi^2$ (dB)",
            title=rf"$N$ = {n}, $\chi/\Gamma$ = {data.attrs['chi']:g}, $\Upsilon/\Upsilon_c$ = "
            rf"{data.attrs['drive']:.3g}, $\gamma_s/\Gamma$ = {data.attrs['local_decay']:g}",
        )
        size.axhline(data.attrs["n_critical"], color="black", lw=1.2, label="$N_c$")
        size.set(xlabel=r"$\Gamma t$", ylabel=r"$N^{\mathrm{eff}}$")
        size.legend(loc="lower left")
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """What the text says of single trajectories; keys begin with the figure's."""
    return [_at_loss(data), _timing(data), _averaging(data), _before(data)]


def _prefix(data: xr.Dataset) -> str:
    return "s2-" if "S2" in data.attrs["source"] else ""


def _mean(values: Floats) -> tuple[float, float, float, int]:
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return np.nan, np.nan, np.nan, len(known)
    spread = float(known.std(ddof=1))
    return float(known.mean()), spread / np.sqrt(len(known)), spread, len(known)


def _at_loss(data: xr.Dataset) -> Claim:
    critical = data.attrs["n_critical"]
    mean, error, spread, count = _mean(data["n_eff_at_loss"].values / critical)
    turned, turned_error, turned_spread, _ = _mean(data["n_eff_at_least"].values / critical)
    return finding(
        f"{_prefix(data)}single-loss-at-crossing",
        statement="a single trajectory loses its squeezing when its N^eff crosses N_c",
        place=data.attrs["source"],
        ours=f"N^eff/N_c = {value_with_error(mean, stderr=error)} (scatter {spread:.3f}) where "
        f"xi2 rises through 1, {value_with_error(turned, stderr=turned_error)} (scatter "
        f"{turned_spread:.3f}) where it is least; {count} of {data.sizes['trajectory']} "
        "trajectories",
        holds=abs(mean - 1.0) < 0.05 + 2.0 * error if count > 1 else None,
        otherwise="squeezing is lost at another N^eff" if count > 1 else "no trajectory lost it",
        value=None if count < 2 else mean,
        error=None if count < 2 else error,
        expected=1.0,
    )


def _timing(data: xr.Dataset) -> Claim:
    lost, crossed = data["loss_time"].values, data["crossing_time"].values
    known = np.isfinite(lost) & np.isfinite(crossed)
    mean, error, spread, count = _mean((lost - crossed)[known] / crossed[known])
    turned, turned_error, _, _ = _mean(
        (data["least_time"].values - crossed)[known] / crossed[known]
    )
    _, _, vary, _ = _mean(crossed[known] / crossed[known].mean() if count else crossed[known])
    alike = float(np.corrcoef(lost[known], crossed[known])[0, 1]) if count > 2 else np.nan
    return finding(
        f"{_prefix(data)}single-timing",
        statement="the change is abrupt exactly for t > t*, and t* varies between trajectories",
        place=data.attrs["source"],
        ours=f"loss (xi2 = 1) {value_with_error(100 * mean, stderr=100 * error)} % after t*, "
        f"scatter {100 * spread:.1f} %; least xi2 "
        f"{value_with_error(100 * turned, stderr=100 * turned_error)} % after; "
        f"t* itself scatters by {100 * vary:.1f} %; correlation {alike:.3f}; {count} "
        "trajectories",
        holds=abs(mean) < 0.1 and spread < 0.1 if count > 2 else None,
        otherwise="the loss does not follow each trajectory's own t* within a tenth"
        if count > 2
        else "too few trajectories cross",
        value=None if count < 2 else mean,
        error=None if count < 2 else error,
        expected=0.0,
    )


def _averaging(data: xr.Dataset) -> Claim:
    mean, error, _, count = _mean(decibels(data["least_xi2"].values))
    best = float(decibels(data["best_xi2"]))
    best_error = DECIBELS_PER_E * float(data["best_xi2_stderr"] / data["best_xi2"])
    both = float(np.hypot(error, best_error))
    return finding(
        f"{_prefix(data)}averaging-reduces",
        statement="averaging over trajectories reduces the optimal squeezing",
        place=data.attrs["source"],
        ours=f"{value_with_error(mean, stderr=error)} dB is the mean best of {count} single "
        f"trajectories, {value_with_error(best, stderr=best_error)} dB that of their average",
        holds=best - mean > 2.0 * both,
        otherwise="no reduction beyond the errors",
        value=best - mean,
        error=both,
    )


def _before(data: xr.Dataset) -> Claim:
    times, best, error = (
        data["time"].values,
        float(data["best_time"]),
        float(data["best_time_stderr"]),
    )
    start = int(np.searchsorted(times, best))
    lost = passing(times, data["xi2"].values, level=1.0, start=start)
    crossed = passing(times, data["n_eff"].values, level=data.attrs["n_critical"])
    each = data["crossing_time"].values
    passed = [100.0 * float(np.mean(each <= t)) for t in (best, lost)]
    known = np.isfinite(crossed) and abs(crossed - best) > 2.0 * error
    return finding(
        f"{_prefix(data)}average-lost-first",
        statement="the average improves until a sufficient number of trajectories has crossed, "
        "which can be before its own N^eff crosses N_c",
        place=f"preprint, Fig. S2; here for the point of {data.attrs['source']}",
        ours=f"average best at {value_with_error(best, stderr=error)}/Gamma with {passed[0]:.0f} % "
        f"of the trajectories across, lost (xi2 = 1) at {lost:.4f}/Gamma with {passed[1]:.0f} %; "
        f"its N^eff crosses at {crossed:.4f}/Gamma",
        holds=bool(best < crossed) if known else None,
        otherwise="the average is best only after its own N^eff crosses"
        if known
        else "the time of the best average is not known well enough",
        value=best / crossed if known else None,
        error=error / crossed if known else None,
    )


def _settings(case: Case, *, source: str, shown: int) -> dict[str, Runs]:
    tiny = Case(case.chi, case.drive, 4.0, passage(60, local_decay=4.0))
    return {
        "tiny": Runs(60, tiny, 8, min(shown, 6), 31, source),
        "small": Runs(2000, case, 60, shown, 201, source),
        "paper": Runs(2000, case, 400, shown, 301, source),
    }


FIGURE_2B = Figure(
    name="2b",
    title="single trajectories at gamma_s = 4 Gamma: xi2 and N^eff against time",
    methods=("trajectories",),
    compute=compute,
    draw=draw,
    claims=claims,
    settings=_settings(Case(0.0, 0.9, 4.0, 0.22), source="Fig. 2(b), p. 3", shown=2),
)
PREPRINT_S2 = Figure(
    name="preprint-s2",
    title="Fig. S2 of the preprint: average and single trajectories at chi = Gamma, gamma_s = 2",
    methods=("trajectories",),
    compute=compute,
    draw=draw,
    claims=claims,
    settings=_settings(
        Case(1.0, 2.0 / np.sqrt(5.0), 2.0, 0.42), source="preprint, Fig. S2", shown=12
    ),
)
