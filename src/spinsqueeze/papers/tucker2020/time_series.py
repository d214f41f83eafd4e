"""Figure 2(a): xi2 and N^eff against time for several gamma_s, with what cumulants say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.text import value_with_error
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding, power_law_fit
from spinsqueeze.papers.points import Points
from spinsqueeze.papers.tucker2020.beside import (
    ORDERS,
    Case,
    by_cumulants,
    by_trajectories,
    draw_levels,
    draw_orders,
    level_errors,
    passage,
)
from spinsqueeze.papers.tucker2020.setting import passing
from spinsqueeze.papers.tucker2020.transients import collective_xi2
from spinsqueeze.plot.style import PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

CHI, DRIVE = 0.0, 0.9
"""chi/Gamma and Upsilon/Upsilon_c of the caption."""
WEAK = 0.01
"""gamma_s/(N Gamma) up to which gamma_s << N Gamma."""


@final
@dataclass(frozen=True)
class Series:
    """N, gamma_s/Gamma above 0, trajectories of each, times of a curve."""

    n_spins: int
    local_decays: tuple[float, ...]
    n_trajectories: int
    n_times: int


def compute(setting: Series, points: Points) -> xr.Dataset:
    """Curves over gamma_s/Gamma, 0 included; where squeezing is lost and N^eff passes N_c."""
    n = setting.n_spins
    ends = [passage(n, local_decay=decay) for decay in setting.local_decays]
    cases = [
        Case(CHI, DRIVE, decay, end)
        for decay, end in zip((0.0, *setting.local_decays), (max(ends), *ends), strict=True)
    ]
    data = by_trajectories(
        points,
        n,
        cases,
        title="tucker2020, Fig. 2(a)",
        n_trajectories=setting.n_trajectories,
        n_times=setting.n_times,
    )
    cumulants = by_cumulants(
        points, n, cases, title="tucker2020, Fig. 2(a)", n_times=setting.n_times
    )
    data = data.assign(cumulants.data_vars).swap_dims(case="local_decay")
    data["loss_time"], data["crossing_time"] = _losses(data, n_critical=DRIVE * n)
    data["collective_xi2"] = curve(
        (), collective_xi2(n, chi=CHI, drive=DRIVE), "xi2 of the exact steady state, gamma_s = 0"
    )
    return data.assign_attrs(n_critical=DRIVE * n, n_trajectories=setting.n_trajectories)


def _losses(data: xr.Dataset, *, n_critical: float) -> tuple[Any, Any]:
    lost, crossed = [], []
    for k in range(data.sizes["local_decay"]):
        times, xi2 = data["times"].values[k], data["xi2"].values[k]
        lost.append(passing(times, xi2, level=1.0, start=int(np.nanargmin(xi2))))
        crossed.append(passing(times, data["n_eff"].values[k], level=n_critical))
    return (
        curve("local_decay", lost, "when xi2 rises through 1", units="1/Gamma"),
        curve("local_decay", crossed, "when N^eff falls through N_c", units="1/Gamma"),
    )


def draw(data: xr.Dataset) -> "Picture":
    """xi2 in decibels (left axis of the paper) above, N^eff below; cumulants thin."""
    n = data.attrs["n_spins"]
    with style():
        figure = new_figure(7.2, 6.6)
        squeezing, size = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": (1.7, 1.0), "hspace": 0.08}
        )
        for k, decay in enumerate(data["local_decay"].values):
            row, colour = data.isel(local_decay=k), PALETTE[k % len(PALETTE)]
            draw_levels(squeezing, row, color=colour, label=rf"$\gamma_s/\Gamma$ = {decay:g}")
            draw_orders(squeezing, row, color=colour, dashes=(":", "-."), label=False)
            size.plot(row["times"], row["n_eff"], "--", color=colour)
            crossing = float(row["crossing_time"])
            if np.isfinite(crossing):
                for panel in (squeezing, size):
                    panel.axvline(crossing, color=colour, lw=0.8, alpha=0.7)
        for order, dash in zip(ORDERS, (":", "-."), strict=True):
            squeezing.plot([], [], dash, color="black", lw=1.1, label=f"order {order}")
        squeezing.axhline(0.0, color="black", lw=0.8)
        squeezing.set_xscale("log")
        squeezing.set_xlim(0.5 / n, float(data["times"].max()))
        squeezing.set_ylim(1.15 * float(decibels(data["best_xi2"].min())), 3.0)
        squeezing.set(
            ylabel=r"$\xi^2$ (dB)",
            title=rf"$N$ = {n}, $\chi/\Gamma$ = {CHI:g}, $\Upsilon/\Upsilon_c$ = {DRIVE}, "
            f"{data.attrs['n_trajectories']} trajectories",
        )
        squeezing.legend(fontsize=9, loc="lower left")
        size.axhline(data.attrs["n_critical"], color="black", lw=1.2, label="$N_c$")
        size.set(xlabel=r"$\Gamma t$", ylabel=r"$N^{\mathrm{eff}}$")
        size.legend(loc="lower left")
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """What the text says of Fig. 2(a), and how far cumulants are off, which it does not."""
    decays, n = data["local_decay"].values[1:], data.attrs["n_spins"]
    weak = decays <= WEAK * n
    levels, errors = decibels(data["best_xi2"].values)[1:], level_errors(data)[1:]
    return [
        _beyond(data, levels, errors, decays, weak),
        _robust(levels, errors, decays, weak),
        _times(data, decays, weak),
        _lost(data, decays, weak),
        *(_order(data, levels, errors, decays, order) for order in ORDERS),
    ]


def _listed(decays: Floats, levels: Floats, errors: Floats) -> str:
    return ", ".join(
        f"{value_with_error(v, stderr=e)} dB ({g:g})"
        for v, e, g in zip(levels, errors, decays, strict=True)
    )


def _beyond(data: xr.Dataset, levels: Floats, errors: Floats, decays: Floats, weak: Any) -> Claim:
    steady = float(decibels(data["collective_xi2"]))
    gain = steady - levels
    k = int(np.argmin(np.where(weak, gain, np.inf)))
    return finding(
        "transient-beyond-collective",
        statement="squeezing at times of 1/gamma_s exceeds that of the collective steady state",
        place="Fig. 2(a), p. 3",
        ours=f"{_listed(decays, levels, errors)} for (gamma_s/Gamma), {steady:.2f} dB in the "
        "collective steady state",
        holds=bool(np.all(gain[weak] > 2.0 * errors[weak])),
        otherwise=f"the least gain for gamma_s up to 1 % of N Gamma is {gain[k]:.2f} dB",
        value=gain[k],
        error=errors[k],
    )


def _robust(levels: Floats, errors: Floats, decays: Floats, weak: Any) -> Claim:
    spread = float(np.ptp(levels[weak]))
    rest = "" if weak.all() else f"; {_listed(decays[~weak], levels[~weak], errors[~weak])}"
    error = float(np.hypot(*np.sort(errors[weak])[-2:])) if weak.sum() > 1 else float(errors[0])
    return finding(
        "robust-to-gamma-s",
        statement="the achievable squeezing is relatively robust to the value of gamma_s/Gamma",
        place="Fig. 2(a), p. 3",
        ours=f"the best differ by {value_with_error(spread, stderr=error)} dB for gamma_s/Gamma "
        f"from {decays[weak][0]:g} to {decays[weak][-1]:g}{rest}",
        holds=spread < 0.5 + 2.0 * error,
        otherwise="the best squeezing depends on gamma_s",
        value=spread,
        error=error,
    )


def _times(data: xr.Dataset, decays: Floats, weak: Any) -> Claim:
    scaled = data["best_time"].values[1:] * decays
    power, error, _ = power_law_fit(decays[weak], data["best_time"].values[1:][weak])
    return finding(
        "time-of-minimum",
        statement="gamma_s only controls the timescale, of about 1/gamma_s",
        place="Fig. 2(a), p. 3",
        ours=", ".join(f"gamma_s t = {t:.2f} ({g:g})" for t, g in zip(scaled, decays, strict=True))
        + f" for (gamma_s/Gamma); t ~ gamma_s^({power:.2f} ± {error:.2f})",
        holds=bool(np.all((scaled[weak] > 0.2) & (scaled[weak] < 2.0))),
        otherwise="the time of the minimum is another one",
        value=None if np.isnan(power) else power,
        error=None if np.isnan(error) else error,
        expected=-1.0,
    )


def _lost(data: xr.Dataset, decays: Floats, weak: Any) -> Claim:
    ratio = data["loss_time"].values[1:] / data["crossing_time"].values[1:]
    known = bool(np.all(np.isfinite(ratio[weak])))
    return finding(
        "loss-at-crossing",
        statement="squeezing is lost when N^eff(t) falls to N_c, up to a small disagreement",
        place="Fig. 2(a), p. 3",
        ours=", ".join(
            f"{lost:.4f} and {crossed:.4f}/Gamma ({g:g})"
            for lost, crossed, g in zip(
                data["loss_time"].values[1:], data["crossing_time"].values[1:], decays, strict=True
            )
        )
        + " for loss (xi2 = 1) and crossing of the averages (gamma_s/Gamma)",
        holds=bool(np.all(np.abs(ratio[weak] - 1.0) < 0.2)) if known else None,
        otherwise="loss and crossing are further apart than a fifth"
        if known
        else "a curve ends before one of them",
        value=float(np.median(ratio[weak])) if known else None,
        expected=1.0,
    )


def _order(data: xr.Dataset, levels: Floats, errors: Floats, decays: Floats, order: int) -> Claim:
    chosen = data.sel(order=order).isel(local_decay=slice(1, None))
    off = decibels(chosen["cumulant_best_xi2"].values) - levels
    late = chosen["cumulant_best_time"].values / chosen["best_time"].values
    k = int(np.nanargmax(np.abs(off)))
    return finding(
        f"order-{order}-beside-trajectories",
        statement=f"cumulants of order {order} give the extent and the timing of the best "
        "squeezing" + ("" if order == 2 else " (not in the paper)"),
        place="ours; the preprint's text on Fig. S1 says so of order 2",
        ours=f"order {order} less trajectories: "
        + ", ".join(
            f"{value_with_error(v, stderr=e)} dB at {t:.2f} of the time ({g:g})"
            for v, e, t, g in zip(off, errors, late, decays, strict=True)
        )
        + f" for (gamma_s/Gamma), N = {data.attrs['n_spins']}",
        holds=bool(np.all(np.abs(off) < 0.5 + 2.0 * errors) and np.all(np.abs(late - 1.0) < 0.25)),
        otherwise=f"off by {off[k]:.2f} dB at gamma_s = {decays[k]:g} Gamma, minimum at "
        f"{late[k]:.2f} of the time",
        value=off[k],
        error=errors[k],
        expected=0.0,
    )


FIGURE_2A = Figure(
    name="2a",
    title="xi2 and N^eff against time for several gamma_s at 0.9 Upsilon_c, chi = 0",
    methods=("trajectories", "cumulants", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Series(200, (1.0, 2.0), 16, 31),
        "small": Series(2000, (1.0, 4.0, 10.0, 40.0), 100, 81),
        "paper": Series(2000, (0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 40.0), 400, 121),
    },
)
