"""Figure 3(b): the least transient xi2 against chi/Gamma, with the curves of its inset."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    EARLY,
    NONE,
    base_study,
    critical_drive,
    early_minimum,
    least,
    point,
    window,
)
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

DRIVE, LOCAL_DECAY = 0.9, 50.0
"""Upsilon/Upsilon_c and gamma_s/Gamma of the caption."""
ORDERS = (2, 3)
SOON = 0.1
"""gamma_s t up to which the first minimum is the earlier, collective one."""


@final
@dataclass(frozen=True)
class Exchange:
    """N, chi/Gamma, those of the inset, and times of each half of a curve."""

    n_spins: int
    chi: tuple[float, ...]
    inset: tuple[float, ...]
    n_times: int
    local_decay: float = LOCAL_DECAY


def times_of(n_spins: int, *, chi: float, local_decay: float, n_times: int) -> Floats:
    """Half the times in the first collective oscillations, half up to the loss of squeezing."""
    middle = EARLY / n_spins
    first = np.geomspace(0.05 / (n_spins * critical_drive(chi)), middle, n_times, endpoint=False)
    rest = window(
        n_spins,
        chi=chi,
        drive=DRIVE,
        local_decay=local_decay,
        n_times=n_times,
        along_steady=True,
    )
    return np.concatenate([first, rest])


def compute(setting: Exchange, points: Points) -> xr.Dataset:
    """Least xi2 of the whole curve, of its first dip and after that, over (order, chi/Gamma)."""
    n = setting.n_spins

    @functools.cache
    def times(chi: float) -> Floats:
        return times_of(n, chi=chi, local_decay=setting.local_decay, n_times=setting.n_times)

    data = scan(
        points,
        base_study(n, title="tucker2020, Fig. 3(b)"),
        axes={"order": ORDERS, "chi": setting.chi},
        point=lambda order, chi: point(
            n,
            chi=chi,
            drive=DRIVE,
            local_decay=setting.local_decay,
            order=order,
            times=times(chi),
            along_steady=True,
        ),
        curves=True,
    )
    dims = ("order", "chi")
    shape = (len(ORDERS), len(setting.chi))
    found = {name: np.full(shape, np.nan) for name in ("least", "early", "late", "late_time")}
    for place in np.ndindex(*shape):
        t, xi2 = data["times"].values[place], data["xi2"].values[place]
        found["least"][place] = least(t, xi2).xi2
        early = early_minimum(t, xi2)
        if early.time * setting.local_decay > SOON:
            early = NONE
        rest = slice(0 if early.index < 0 else _top(xi2, early.index), None)
        late = least(t[rest], xi2[rest])
        found["late"][place], found["late_time"][place] = late.xi2, late.time
        if late.time > early.time:
            found["early"][place] = early.xi2
    return xr.Dataset(
        {
            "least_xi2": curve(dims, found["least"], "least xi2"),
            "early_xi2": curve(dims, found["early"], "xi2 at its first minimum"),
            "late_xi2": curve(dims, found["late"], "least xi2 after the first minimum"),
            "late_time": curve(dims, found["late_time"], "time of the latter", units="1/Gamma"),
            "times": data["times"],
            "xi2": data["xi2"],
        },
        coords={
            "order": curve("order", ORDERS, "order of the cumulants"),
            "chi": curve("chi", setting.chi, "chi", units="Gamma"),
        },
        attrs=data.attrs,
    ).assign_attrs(
        n_spins=n,
        local_decay=setting.local_decay,
        inset=list(setting.inset),
        convention=CONVENTIONS,
    )


def _top(xi2: Floats, start: int) -> int:
    """Index of the first local maximum after `start`."""
    falls = np.flatnonzero(np.diff(xi2[start + 1 :]) < 0)
    return start + 1 + (int(falls[0]) if len(falls) else 0)


def draw(data: xr.Dataset) -> "Picture":
    """Minimum against chi/Gamma; the inset beside it, over time."""
    with style():
        figure = new_figure(10.6, 4.4)
        ax, inset = figure.subplots(1, 2)
        lines = (
            ("least_xi2", 2, "-", "o", "whole curve, order 2"),
            ("least_xi2", 3, "--", "s", "whole curve, order 3"),
            ("late_xi2", 2, "-", "^", "after the first dip, order 2"),
            ("early_xi2", 2, ":", "v", "first dip, order 2"),
        )
        for (name, order, dash, marker, label), colour in zip(lines, PALETTE, strict=False):
            ax.plot(
                data["chi"],
                decibels(data[name].sel(order=order)),
                dash,
                marker=marker,
                ms=4,
                color=colour,
                label=label,
            )
        ax.set(xlabel=r"$\chi/\Gamma$", ylabel=r"least $\xi^2$ (dB)")
        ax.legend()
        for index, chi in enumerate(np.atleast_1d(data.attrs["inset"])):
            chosen = data.sel(order=2).sel(chi=chi, method="nearest")
            shown = decibels(chosen["xi2"].where(chosen["xi2"] > 0).values)
            inset.semilogx(
                chosen["times"],
                shown,
                DASHES[index % 4],
                color=PALETTE[index],
                label=rf"$\chi/\Gamma$ = {float(chosen['chi']):g}",
            )
        inset.set(xlabel=r"$\Gamma t$", ylabel=r"$\xi^2$ (dB)", title="inset, order 2")
        inset.set_ylim(1.1 * float(decibels(data["least_xi2"].min())), 3.0)
        inset.legend()
        figure.suptitle(
            rf"$N$ = {data.attrs['n_spins']}, $\Upsilon/\Upsilon_c$ = {DRIVE}, "
            rf"$\gamma_s/\Gamma$ = {data.attrs['local_decay']:g}"
        )
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """What the text says of Fig. 3(b)."""
    chi = data["chi"].values
    levels = {order: decibels(data["least_xi2"].sel(order=order).values) for order in ORDERS}
    two, three = levels[2], levels[3]
    near = int(np.argmin(np.abs(chi - 2.0)))
    gained, rest = two[0] - two[near], two[near] - float(np.nanmin(two))
    gained_3 = three[0] - three[near]
    early = data["early_xi2"].sel(order=2).values
    late = decibels(data["late_xi2"].sel(order=2).values)
    last = data["late_time"].sel(order=2).values
    return [
        finding(
            "exchange-improves",
            statement="increasing chi improves the optimal squeezing, particularly for "
            "0 < chi/Gamma < 2",
            place="Fig. 3(b)",
            ours=f"{two[0]:.2f} dB at chi = 0, {two[near]:.2f} dB at {chi[near]:g}, "
            f"{np.nanmin(two):.2f} dB at best up to {chi[-1]:g}; order 3: {three[0]:.2f}, "
            f"{three[near]:.2f} dB, {np.nanmin(three):.2f} dB",
            holds=gained > 0.5 and gained > 2.0 * max(rest, 0.0) and gained_3 > 0.5,
            otherwise=f"gain {gained:.2f} dB up to chi/Gamma = 2, {rest:.2f} dB beyond",
            value=gained,
            error=abs(gained - gained_3),
        ),
        finding(
            "early-transient",
            statement="an earlier transient appears at finite chi, absent at chi = 0",
            place="Fig. 3(b), inset",
            ours="first dip before the late one at chi/Gamma = "
            + (", ".join(f"{c:g}" for c in chi[np.isfinite(early)]) or "none"),
            holds=bool(np.isnan(early[0]) and np.isfinite(early[1:]).any()),
            otherwise="the first dip is there at chi = 0 too, or at no chi",
        ),
        finding(
            "late-alone",
            statement="chi improves the transient at times of 1/gamma_s (read off the curves)",
            place="Fig. 3(b), inset; p. 4",
            ours=f"late minimum {late[0]:.2f} dB at gamma_s t = "
            f"{last[0] * data.attrs['local_decay']:.2f} for chi = 0, {late[near]:.2f} dB at "
            f"{last[near] * data.attrs['local_decay']:.2f} for chi/Gamma = {chi[near]:g}",
            holds=late[0] - late[near] > 0.05,
            otherwise="the late transient is not deeper with chi: what improves is the first dip",
            value=float(late[0] - late[near]),
        ),
        finding(
            "order-2-of-exchange",
            statement="order 2 gives the minimum",
            place="Fig. 3(b); the paper has order 2 only",
            ours=f"order 3 less order 2: {three[0] - two[0]:+.2f} dB at chi = 0, "
            f"{three[near] - two[near]:+.2f} dB at {chi[near]:g}, {three[-1] - two[-1]:+.2f} dB "
            f"at {chi[-1]:g}",
            holds=bool(np.nanmax(np.abs(three - two)) < 0.5),
            otherwise="order 3 differs by more than half a decibel where chi is large",
            value=float(np.nanmax(np.abs(three - two))),
        ),
    ]


FIGURE_3B = Figure(
    name="3b",
    title="least transient xi2 against chi/Gamma at 0.9 Upsilon_c, gamma_s = 50 Gamma; inset",
    methods=("cumulants",),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Exchange(400, (0.0, 1.0, 2.0), (0.0, 2.0), 24, 2.0),
        "small": Exchange(
            10_000, (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0), (0.0, 0.5, 1.0, 2.0), 31
        ),
        "paper": Exchange(
            10_000,
            tuple(round(0.1 * k, 1) for k in range(41)),
            (0.0, 0.5, 1.0, 2.0),
            31,
        ),
    },
)
