"""The number of the outlook, 9 dB: least xi2 against the drive at chi = Gamma."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.text import value_with_error
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.papers.tucker2020.beside import Case, by_trajectories, level_errors
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    base_study,
    least,
    point,
    window,
)
from spinsqueeze.papers.tucker2020.transients import minima
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

CHI = 1.0
BEYOND = 1.3
"""Trajectories go on for this many times as long as cumulants, which end where they run wild."""
STARTS = ("-x", "steady direction")
COUPLING, LINEWIDTH, DETUNING, LIFETIME = (
    2 * np.pi * 8.0,
    2 * np.pi * 150e3,
    2 * np.pi * 150e3,
    10.0,
)
"""2g, kappa, Delta_c in rad/s and 1/gamma_s in s: the clock transition of strontium."""


def collective_rates() -> tuple[float, float]:
    """Gamma = 4 g^2 kappa/(4 Delta^2 + kappa^2) and chi = 4 g^2 Delta/(...), rad/s."""
    below = 4.0 * DETUNING**2 + LINEWIDTH**2
    return COUPLING**2 * LINEWIDTH / below, COUPLING**2 * DETUNING / below


@final
@dataclass(frozen=True)
class Outlook:
    """The numbers of the outlook.

    Args:
        n_spins: N.
        local_decay: gamma_s/Gamma.
        orders: of the cumulants.
        drives: Upsilon/Upsilon_c of the cumulants.
        n_times: of a curve.
        sampled_drives: Upsilon/Upsilon_c of the trajectories, from -x.
        n_trajectories: at each.
    """

    n_spins: int
    local_decay: float
    orders: tuple[int, ...]
    drives: tuple[float, ...]
    n_times: int
    sampled_drives: tuple[float, ...]
    n_trajectories: int


def compute(setting: Outlook, points: Points) -> xr.Dataset:
    """Late minima over (order, start, Upsilon/Upsilon_c) at chi = Gamma; trajectories from -x."""
    n, decay = setting.n_spins, setting.local_decay

    @functools.cache
    def times(start: str, drive: float) -> Floats:
        return window(
            n,
            chi=CHI,
            drive=drive,
            local_decay=decay,
            n_times=setting.n_times,
            start=0.02 / n,
            along_steady=start != STARTS[0],
        )

    data = scan(
        points,
        base_study(n, title="tucker2020, outlook"),
        axes={"order": setting.orders, "start": STARTS, "drive": setting.drives},
        point=lambda order, start, drive: point(
            n,
            chi=CHI,
            drive=drive,
            local_decay=decay,
            order=order,
            times=times(start, drive),
            along_steady=start != STARTS[0],
        ),
        curves=True,
    )
    found = np.full((2, *(data.sizes[d] for d in ("order", "start", "drive"))), np.nan)
    for place in np.ndindex(*found.shape[1:]):
        low = least(data["times"].values[place], data["xi2"].values[place])
        found[(slice(None), *place)] = low.xi2, low.time
    dims = ("order", "start", "drive")
    out = minima(data, n, ("late_xi2", "late_time", "late_n_eff"))
    out["least_xi2"] = curve(dims, found[0], "least xi2 of the whole curve")
    out["least_time"] = curve(dims, found[1], "its time", units="1/Gamma")
    out["drive"].attrs.update(units="1", long_name="Upsilon/Upsilon_c")
    sampled = by_trajectories(
        points,
        n,
        [
            Case(CHI, drive, decay, BEYOND * float(times(STARTS[0], drive)[-1]))
            for drive in setting.sampled_drives
        ],
        title="tucker2020, outlook",
        n_trajectories=setting.n_trajectories,
        n_times=setting.n_times,
    )
    few = "sampled_drive"
    out["sampled_xi2"] = curve(few, sampled["best_xi2"].values, "least xi2, trajectories from -x")
    out["sampled_error"] = curve(few, level_errors(sampled), "its standard error", units="dB")
    out["sampled_time"] = curve(few, sampled["best_time"].values, "its time", units="1/Gamma")
    out = out.assign_coords({few: curve(few, setting.sampled_drives, "Upsilon/Upsilon_c")})
    return out.assign_attrs(
        n_spins=n,
        local_decay=decay,
        n_trajectories=setting.n_trajectories,
        convention=CONVENTIONS,
    )


def draw(data: xr.Dataset) -> "Picture":
    """Least xi2 against the drive for both starts, and when it is reached."""
    with style():
        figure = new_figure(10.6, 4.4)
        ax, when = figure.subplots(1, 2)
        for row, start in enumerate(STARTS):
            for index, order in enumerate(data["order"].values):
                chosen = data.sel(order=order, start=start)
                label = f"{start}, order {order}"
                look = {"color": PALETTE[row], "ls": DASHES[index], "marker": "osv"[index], "ms": 4}
                ax.plot(data["drive"], decibels(chosen["least_xi2"]), label=label, **look)
                when.semilogy(
                    data["drive"], data.attrs["local_decay"] * chosen["least_time"], **look
                )
        ax.errorbar(
            data["sampled_drive"],
            decibels(data["sampled_xi2"]),
            2.0 * data["sampled_error"],
            fmt="D",
            color=PALETTE[2],
            mec="black",
            ms=5,
            capsize=2,
            label=f"-x, {data.attrs['n_trajectories']} trajectories",
        )
        when.semilogy(data["sampled_drive"], data.attrs["local_decay"] * data["sampled_time"],
                      "D", color=PALETTE[2], mec="black", ms=5)  # fmt: skip
        ax.axhline(-9.0, color="black", ls=":", lw=1.2, label="9 dB")
        ax.set(xlabel=r"$\Upsilon/\Upsilon_c$", ylabel=r"least $\xi^2$ (dB)")
        when.axhline(0.2, color="black", ls=":", lw=1.2)
        when.set(xlabel=r"$\Upsilon/\Upsilon_c$", ylabel=r"$\gamma_s t$ of the minimum")
        ax.legend(fontsize=8.5)
        figure.suptitle(
            rf"$N$ = {data.attrs['n_spins']}, $\chi/\Gamma$ = 1, $\gamma_s/\Gamma$ = "
            f"{data.attrs['local_decay']:g}"
        )
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """9 dB, and the rates that lead to it."""
    best: dict[tuple[str, int], tuple[float, float, float]] = {}
    for start in STARTS:
        for order in data["order"].values:
            chosen = data.sel(order=order, start=start)
            k = int(np.nanargmin(chosen["least_xi2"].values))
            best[start, int(order)] = (
                float(decibels(chosen["least_xi2"].values[k])),
                float(chosen["drive"].values[k]),
                float(chosen["least_time"].values[k]) * data.attrs["local_decay"],
            )
    sampled, errors = decibels(data["sampled_xi2"].values), data["sampled_error"].values
    k = int(np.nanargmin(sampled))
    low, error, drive = float(sampled[k]), float(errors[k]), float(data["sampled_drive"].values[k])
    time = float(data["sampled_time"].values[k]) * data.attrs["local_decay"]
    near = data.sel(start=STARTS[0]).sel(drive=drive, method="nearest")
    off = ", ".join(
        f"{float(decibels(near['least_xi2'].sel(order=order))) - low:+.2f} dB (order {order})"
        for order in data["order"].values
    )
    gamma, chi = collective_rates()
    return [
        finding(
            "nine-decibels",
            statement="9 dB at N = 1e4, chi/Gamma = 1, gamma_s/Gamma = 200, at t of about 2 s "
            "(gamma_s t = 0.2)",
            place="p. 4",
            ours=f"-x, {data.attrs['n_trajectories']} trajectories: "
            f"{value_with_error(low, stderr=error)} dB at {drive:.3g} Upsilon_c, gamma_s t = "
            f"{time:.2f}; "
            + "; ".join(
                f"{start}, order {order}: {value:.2f} dB at {u:.3g} Upsilon_c, gamma_s t = {t:.2f}"
                for (start, order), (value, u, t) in best.items()
            ),
            holds=abs(low + 9.0) < 0.5 + 2.0 * error,
            otherwise=f"over the drives taken {-low:.2f} dB is the best of trajectories",
            value=low,
            error=error,
            expected=-9.0,
        ),
        finding(
            "orders-beside-trajectories",
            statement="cumulants of order 2 give the 9 dB (the paper has no other for N = 1e4)",
            place="p. 4; ours",
            ours=f"less trajectories at {drive:.3g} Upsilon_c from -x: {off}; error {error:.2f} dB",
            holds=bool(
                abs(float(decibels(near["least_xi2"].sel(order=2))) - low) < 0.5 + 2.0 * error
            ),
            otherwise="cumulants miss part of the squeezing at its optimum",
            value=float(decibels(near["least_xi2"].sel(order=2))) - low,
            error=error,
            expected=0.0,
        ),
        finding(
            "rates-of-strontium",
            statement="gamma_s/Gamma of about 200 and chi/Gamma of about 1 for 2g = 2 pi 8 Hz, "
            "Delta_c = kappa = 2 pi 150 kHz, 1/gamma_s = 10 s",
            place="p. 4",
            ours=f"gamma_s/Gamma = {1 / (LIFETIME * gamma):.1f}, chi/Gamma = {chi / gamma:.3f}",
            holds=abs(1 / (LIFETIME * gamma) - 200.0) < 50.0 and abs(chi / gamma - 1.0) < 0.05,
            otherwise="the rates are others",
            value=1 / (LIFETIME * gamma),
            expected=200.0,
        ),
    ]


def _drives(coarse: int, fine: int) -> tuple[float, ...]:
    """From 0.75 to 1.1 Upsilon_c, and finer from 0.9 to 0.98, where the minimum is narrow."""
    values = {*np.linspace(0.75, 1.1, coarse), *np.linspace(0.9, 0.98, fine)}
    return tuple(sorted({float(f"{u:.5g}") for u in values}))


def _sampled(count: int) -> tuple[float, ...]:
    """From 0.9 to 0.97 Upsilon_c."""
    return tuple(float(f"{u:.5g}") for u in np.linspace(0.9, 0.97, count))


OUTLOOK = Figure(
    name="outlook",
    title="the 9 dB of the outlook: least xi2 against the drive at chi = Gamma, gamma_s = 200",
    methods=("cumulants", "trajectories"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Outlook(400, 8.0, (2, 3), (0.85, 0.95), 41, (0.85, 0.95), 8),
        "small": Outlook(10_000, 200.0, (2, 3), _drives(15, 17), 61, _sampled(8), 60),
        "paper": Outlook(10_000, 200.0, (2, 3, 4), _drives(71, 81), 61, _sampled(15), 400),
    },
)
