"""Figure S1 of the preprint: the map of the least xi2 by cumulants, and curves by trajectories."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.text import value_with_error
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.papers.tucker2020.beside import (
    DECIBELS_PER_E,
    ORDERS,
    Case,
    by_cumulants,
    by_trajectories,
    draw_levels,
    draw_orders,
    level_errors,
)
from spinsqueeze.papers.tucker2020.setting import (
    EARLY,
    base_study,
    critical_drive,
    late_minimum,
    passing,
    point,
    window,
)
from spinsqueeze.papers.tucker2020.transients import BOUNDARY, collective_xi2
from spinsqueeze.plot.style import GREY, MISSING, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

LOCAL_DECAY = 20.0
"""gamma_s/Gamma of the caption."""
PANELS = "bcdefg"


@final
@dataclass(frozen=True)
class Comparison:
    """N, gamma_s/Gamma, chi/Gamma and Upsilon/Gamma of the map, the panels, their trajectories."""

    n_spins: int
    local_decay: float
    chi: tuple[float, ...]
    drives: tuple[float, ...]
    cases: tuple[Case, ...]
    n_trajectories: int
    n_times: int


def compute(setting: Comparison, points: Points) -> xr.Dataset:
    """The map over (map_chi, map_drive) and the curves of the panels over `case`."""
    n, decay = setting.n_spins, setting.local_decay
    title = "tucker2020 preprint, Fig. S1"

    @functools.cache
    def times(chi: float, ratio: float) -> Floats:
        return window(
            n, chi=chi, drive=ratio, local_decay=decay, n_times=setting.n_times, start=EARLY / n
        )

    def one(map_chi: float, map_drive: float) -> Any:
        ratio = map_drive / critical_drive(map_chi)
        return point(
            n,
            chi=map_chi,
            drive=ratio,
            local_decay=decay,
            order=2,
            times=times(map_chi, ratio),
        )

    scanned = scan(
        points,
        base_study(n, title=title),
        axes={"map_chi": setting.chi, "map_drive": setting.drives},
        point=one,
        curves=True,
    )
    shape = (len(setting.chi), len(setting.drives))
    least, collective = np.full(shape, np.nan), np.full(shape, np.nan)
    for place in np.ndindex(*shape):
        chi, drive = setting.chi[place[0]], setting.drives[place[1]]
        t, xi2 = scanned["times"].values[place], scanned["xi2"].values[place]
        least[place] = late_minimum(t, xi2).xi2
        collective[place] = collective_xi2(n, chi=chi, drive=drive / critical_drive(chi))
    data = by_trajectories(
        points,
        n,
        setting.cases,
        title=title,
        n_trajectories=setting.n_trajectories,
        n_times=setting.n_times,
    )
    cumulants = by_cumulants(points, n, setting.cases, title=title, n_times=setting.n_times)
    data = data.assign(cumulants.data_vars)
    dims = ("map_chi", "map_drive")
    return data.assign(
        map_xi2=curve(dims, least, "least xi2 after t_min = 6/(N Gamma), order 2; NaN: none"),
        map_collective_xi2=curve(dims, collective, "xi2 of the exact steady state, gamma_s = 0"),
    ).assign_coords(
        map_chi=curve("map_chi", setting.chi, "chi", units="Gamma"),
        map_drive=curve("map_drive", setting.drives, "Upsilon = 2 Omega/N", units="Gamma"),
    ).assign_attrs(map_local_decay=decay, n_trajectories=setting.n_trajectories)  # fmt: skip


def draw(data: xr.Dataset) -> "Picture":
    """The map with both boundaries; six panels of curves at the points marked in it."""
    with style():
        figure = new_figure(13.0, 6.0)
        places = figure.subplot_mosaic("abcd;aefg", width_ratios=(1.7, 1, 1, 1))
        _draw_map(figure, places["a"], data)
        low = 1.15 * float(decibels(data["best_xi2"].min()))
        for k in range(data.sizes["case"]):
            panel = places[PANELS[k]]
            _draw_panel(panel, data.isel(case=k), data.attrs["n_spins"])
            panel.set_ylim(low, 3.0)
            panel.set_title(
                rf"({PANELS[k]}) $\chi/\Gamma$ = {float(data['chi'][k]):g}, $2\Omega/(N\Gamma)$ = "
                f"{float(data['drive'][k]) * critical_drive(float(data['chi'][k])):.3g}",
                fontsize=10,
            )
            if k % 3 == 0:
                panel.set_ylabel(r"$\xi^2$ (dB)")
            if k == 0:
                panel.legend(fontsize=8)
        figure.suptitle(
            rf"$N$ = {data.attrs['n_spins']}, $\gamma_s/\Gamma$ = "
            f"{data.attrs['map_local_decay']:g}, {data.attrs['n_trajectories']} trajectories"
        )
    return figure


def _draw_map(figure: "Picture", panel: Any, data: xr.Dataset) -> None:
    levels = np.minimum(np.nan_to_num(decibels(data["map_xi2"].values), nan=0.0), 0.0)
    chi, drives = data["map_chi"].values, data["map_drive"].values
    image = panel.pcolormesh(
        drives, chi, levels, cmap="viridis", shading="nearest", rasterized=True
    )
    panel.set_facecolor(MISSING)
    outer = np.array([critical_drive(c) for c in chi])
    panel.plot(BOUNDARY * outer, chi, color=PALETTE[5], label=r"$\Omega_c'$")
    panel.plot(outer, chi, "--", color=PALETTE[1], label=r"$\Omega_c$")
    for k in range(data.sizes["case"]):
        x = float(data["drive"][k]) * critical_drive(float(data["chi"][k]))
        panel.text(
            x,
            float(data["chi"][k]),
            PANELS[k],
            color="white",
            ha="center",
            va="center",
            bbox={"boxstyle": "circle,pad=0.15", "fc": "#B00020", "ec": "white"},
        )
    panel.grid(visible=False)
    panel.set(xlabel=r"$2\Omega/(N\Gamma)$", ylabel=r"$\chi/\Gamma$", title="(a) order 2")
    panel.set_xlim(drives[0], drives[-1])
    panel.legend(loc="upper left", fontsize=9, frameon=True)
    figure.colorbar(image, ax=panel, label=r"least $\xi^2$ (dB)")


def _draw_panel(panel: Any, row: xr.Dataset, n_spins: int) -> None:
    draw_levels(panel, row, color=PALETTE[1], label="trajectories")
    draw_orders(panel, row, color=PALETTE[0], dashes=("-", "--"), label=True)
    crossed = passing(row["times"].values, row["n_eff"].values, level=float(row["drive"]) * n_spins)
    if np.isfinite(crossed):
        panel.axvline(crossed, color=GREY, ls=":", lw=1.2)
    panel.axhline(0.0, color="black", lw=0.7)
    panel.set_xlabel(r"$\Gamma t$", labelpad=1)


def claims(data: xr.Dataset) -> list[Claim]:
    """What the preprint says of Fig. S1; order 3 is ours."""
    return [_bracketed(data), *(_agreement(data, order) for order in ORDERS)]


def _bracketed(data: xr.Dataset) -> Claim:
    gain = decibels(data["map_collective_xi2"].values) - decibels(data["map_xi2"].values)
    ratio = data["map_drive"].values / np.array(
        [[critical_drive(c)] for c in data["map_chi"].values]
    )
    between = (ratio > BOUNDARY + 0.05) & (ratio < 0.97)
    below, above = ratio < BOUNDARY - 0.02, ratio > 1.03
    enhanced = float(np.mean(np.nan_to_num(gain[between], nan=-1.0) > 0.05))
    beneath = float(np.mean(np.nan_to_num(gain[below], nan=-1.0) > 0.05))
    squeezed = float(np.mean(np.isfinite(gain[above]))) if above.any() else np.nan
    return finding(
        "s1-bracketed",
        statement="both boundaries bracket the region where gamma_s enhances squeezing",
        place="preprint, Fig. S1(a)",
        ours=f"order 2 gains on the collective steady state at {100 * enhanced:.0f} % of the "
        f"points between the boundaries, at {100 * beneath:.0f} % below, where the largest gain is "
        f"{np.nanmax(gain[below]):.2f} dB; "
        f"{100 * squeezed:.0f} % of those above Omega_c are squeezed after t_min",
        holds=enhanced > 0.9 and beneath < 0.1,
        otherwise="the region of gain is not the one between the boundaries: below Omega'_c the "
        "damped return from -x dips under the steady state, above Omega_c a transient is left",
        value=enhanced,
    )


def _until_crossing(data: xr.Dataset, order: int) -> tuple[Floats, Floats]:
    """Largest difference (case,) in decibels beyond two errors.

    Returns:
        From t_min up to the crossing, and up to 0.8 of the best time.
    """
    n = data.attrs["n_spins"]
    out = np.full((2, data.sizes["case"]), np.nan)
    for k in range(data.sizes["case"]):
        row = data.isel(case=k)
        times, chosen = row["times"].values, row.sel(order=order)
        level = decibels(row["xi2"].where(row["xi2"] > 0).values)
        error = DECIBELS_PER_E * row["xi2_stderr"].values / row["xi2"].values
        theirs = decibels(chosen["cumulant_xi2"].where(chosen["cumulant_xi2"] > 0).values)
        known = np.isfinite(theirs)
        off = np.interp(times, chosen["cumulant_times"].values[known], theirs[known], right=np.nan)
        off = np.maximum(np.abs(off - level) - 2.0 * error, 0.0)
        crossed = passing(times, row["n_eff"].values, level=float(row["drive"]) * n)
        ends = (crossed if np.isfinite(crossed) else times[-1], 0.8 * float(row["best_time"]))
        for j, end in enumerate(ends):
            inside = (times >= EARLY / n) & (times <= end)
            if np.isfinite(off[inside]).any():
                out[j, k] = np.nanmax(off[inside])
    return out[0], out[1]


def _agreement(data: xr.Dataset, order: int) -> Claim:
    chosen = data.sel(order=order)
    levels, errors = decibels(data["best_xi2"].values), level_errors(data)
    off = decibels(chosen["cumulant_best_xi2"].values) - levels
    late = chosen["cumulant_best_time"].values / data["best_time"].values
    apart, sooner = _until_crossing(data, order)
    listed = ", ".join(
        f"{value_with_error(v, stderr=e)} dB at {t:.2f} of the time (chi = {c:g}, {u:g} Upsilon_c)"
        for v, e, t, c, u in zip(
            off, errors, late, data["chi"].values, data["drive"].values, strict=True
        )
    )
    return finding(
        f"s1-order-{order}",
        statement=f"order {order} agrees closely with trajectories up to the crossing, and is a "
        "reasonable indicator of extent and timing of the best squeezing"
        + ("" if order == 2 else " (the preprint has order 2 only)"),
        place="preprint, Fig. S1(b) to (g) and the text below",
        ours=f"order {order} less trajectories at the best: {listed}; up to the crossing they are "
        f"at most {np.nanmax(apart):.2f} dB apart beyond two errors, up to 0.8 of the best time "
        f"{np.nanmax(sooner):.2f} dB",
        holds=bool(np.nanmax(np.abs(off) - 2.0 * errors) < 0.5 and np.nanmax(apart) < 1.0),
        otherwise="they part before the crossing"
        if np.nanmax(apart) >= 1.0
        else "the best differs by more than half a decibel",
        value=off[int(np.nanargmax(np.abs(off)))],
        error=errors[int(np.nanargmax(np.abs(off)))],
        expected=0.0,
    )


def _cases(local_decay: float, n_spins: int) -> tuple[Case, ...]:
    """Six points: one below Upsilon'_c, the others between it and Upsilon_c."""
    passed = 0.7 / local_decay + 60.0 / n_spins
    return (
        Case(0.0, 0.9, local_decay, passed),
        Case(0.5, 0.6, local_decay, passed),
        Case(0.5, 0.8, local_decay, 2.0 * passed),
        Case(0.5, 0.95, local_decay, 0.8 * passed),
        Case(1.0, 0.8, local_decay, 2.0 * passed),
        Case(1.2, 0.9, local_decay, passed),
    )


def _grid(start: float, stop: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{value:.5g}") for value in np.linspace(start, stop, count))


PREPRINT_S1 = Figure(
    name="preprint-s1",
    title="Fig. S1 of the preprint: least xi2 by order 2 over (Omega, chi); curves beside "
    "trajectories",
    methods=("cumulants", "trajectories", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Comparison(60, 2.0, (0.0, 1.0), (0.5, 0.8, 1.8), _cases(2.0, 60)[:2], 8, 21),
        "small": Comparison(
            2000,
            LOCAL_DECAY,
            _grid(0.0, 1.5, 11),
            _grid(0.2, 3.2, 16),
            _cases(LOCAL_DECAY, 2000),
            60,
            81,
        ),
        "paper": Comparison(
            2000,
            LOCAL_DECAY,
            _grid(0.0, 1.5, 41),
            _grid(0.1, 3.2, 63),
            _cases(LOCAL_DECAY, 2000),
            400,
            121,
        ),
    },
)
