"""The preprint's Fig. 2(a): the early minimum at chi = Gamma, for several gamma_s."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.papers.tucker2020.beside import DECIBELS_PER_E
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    base_study,
    early_minimum,
    point,
    trajectory_study,
)
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

CHI = 1.0


@final
@dataclass(frozen=True)
class Early:
    """N, Upsilon/Upsilon_c, gamma_s/Gamma, the number of times and of trajectories."""

    n_spins: int
    drive: float
    local_decays: tuple[float, ...]
    n_times: int
    n_trajectories: int


def compute(setting: Early, points: Points) -> xr.Dataset:
    """xi2 against time in the first collective oscillation, for several gamma_s."""
    n = setting.n_spins
    times = np.linspace(0.0, 8.0, setting.n_times) / (n * np.sqrt(1.0 + 4.0 * CHI**2))
    data = scan(
        points,
        base_study(n, title="tucker2020 preprint, Fig. 2(a)"),
        axes={"order": (2, 3), "local_decay": setting.local_decays},
        point=lambda order, local_decay: point(
            n,
            chi=CHI,
            drive=setting.drive,
            local_decay=local_decay,
            order=order,
            times=times,
        ),
        curves=True,
    )
    sampled = scan(
        points,
        trajectory_study(
            n, title="tucker2020 preprint, Fig. 2(a)", n_trajectories=setting.n_trajectories
        ),
        axes={"local_decay": setting.local_decays},
        point=lambda local_decay: point(
            n, chi=CHI, drive=setting.drive, local_decay=local_decay, times=times
        ),
        curves=True,
    )
    first = [early_minimum(times, xi2) for xi2 in sampled["xi2"].values]
    errors = [row[m.index] for row, m in zip(sampled["xi2_stderr"].values, first, strict=True)]
    lows = [
        [early_minimum(times, xi2) for xi2 in data["xi2"].sel(order=order).values]
        for order in (2, 3)
    ]
    dims = ("order", "local_decay")
    return xr.Dataset(
        {
            "xi2": curve((*dims, "time"), data["xi2"].values, "Wineland parameter"),
            "early_xi2": curve(dims, [[m.xi2 for m in row] for row in lows], "its first minimum"),
            "early_time": curve(
                dims, [[m.time for m in row] for row in lows], "time of that", units="1/Gamma"
            ),
            "sampled_xi2": curve(
                ("local_decay", "time"), sampled["xi2"].values, "Wineland parameter, trajectories"
            ),
            "sampled_early_xi2": curve("local_decay", [m.xi2 for m in first], "its first minimum"),
            "sampled_early_xi2_stderr": curve("local_decay", errors, "standard error of that"),
        },
        coords={
            "order": curve("order", (2, 3), "order of the cumulants"),
            "local_decay": curve("local_decay", setting.local_decays, "gamma_s", units="Gamma"),
            "time": curve("time", times, "time", units="1/Gamma"),
        },
        attrs=data.attrs,
    ).assign_attrs(n_spins=n, drive=setting.drive, convention=CONVENTIONS)


def draw(data: xr.Dataset) -> "Picture":
    """xi2 against time, one curve a gamma_s."""
    with style():
        figure = new_figure(6.4, 4.4)
        ax = figure.subplots()
        chosen = data.sel(order=2)
        for index, decay in enumerate(data["local_decay"].values):
            ax.plot(
                data["time"][1::3],
                decibels(data["sampled_xi2"].sel(local_decay=decay))[1::3],
                "o",
                color=PALETTE[index % len(PALETTE)],
                ms=4,
            )
            ax.plot(
                data["time"],
                decibels(chosen["xi2"].sel(local_decay=decay)),
                DASHES[index % 4],
                color=PALETTE[index % len(PALETTE)],
                label=rf"$\gamma_s/\Gamma$ = {decay:g}",
            )
        ax.set(
            xlabel=r"$\Gamma t$",
            ylabel=r"$\xi^2$ (dB)",
            title=rf"$N$ = {data.attrs['n_spins']}, $\chi/\Gamma$ = 1, "
            rf"$\Upsilon/\Upsilon_c$ = {data.attrs['drive']:g}; lines: order 2, symbols: "
            "trajectories",
        )
        ax.legend()
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """That the early minimum does not know gamma_s."""
    levels = decibels(data["early_xi2"].values)
    decays, n = data["local_decay"].values, data.attrs["n_spins"]
    weak = decays <= 0.01 * n
    spread = float(np.ptp(levels[0][weak]))
    error = float(np.nanmax(np.abs(levels[1] - levels[0])))
    sampled = decibels(data["sampled_early_xi2"].values)
    noise = DECIBELS_PER_E * data["sampled_early_xi2_stderr"] / data["sampled_early_xi2"]
    by_trajectories = ", ".join(
        f"{v:.3f} ± {e:.3f} dB ({g:g})"
        for v, e, g in zip(sampled, noise.values, decays, strict=True)
    )
    listed = ", ".join(f"{v:.3f} dB ({g:g})" for v, g in zip(levels[0], decays, strict=True))
    return [
        finding(
            "early-minimum",
            statement="the early minimum is independent of gamma_s",
            place="preprint, Fig. 2(a), (b), p. 3",
            ours=f"{listed} for (gamma_s/Gamma), N = {n}; spread {spread:.3f} dB for gamma_s up to "
            f"1 % of N Gamma; order 3 changes {error:.3f} dB; trajectories: {by_trajectories}",
            holds=spread < 0.1,
            otherwise="it grows shallower by gamma_s/(N Gamma) to first order: independent only "
            "while gamma_s << N Gamma",
            value=spread,
            error=error,
            expected=0.0,
        )
    ]


PREPRINT_2A = Figure(
    name="preprint-2a",
    title="Fig. 2(a) of the preprint: the early minimum at chi = Gamma, for several gamma_s",
    methods=("cumulants", "trajectories"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Early(400, 0.9, (0.0, 4.0), 31, 16),
        "small": Early(2000, 0.9, (0.0, 2.0, 20.0, 200.0), 61, 1000),
        "paper": Early(2000, 0.9, (0.0, 1.0, 4.0, 20.0, 200.0), 61, 4000),
    },
)
