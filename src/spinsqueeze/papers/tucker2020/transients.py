"""Figure 3(a) with its strip, and the preprint's at chi = Gamma: the late minimum by cumulants."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.closed_form.driven_dicke import driven_dicke_steady_state
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import squeezing
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    base_study,
    effective_spins,
    late_minimum,
    point,
    rabi,
    window,
)
from spinsqueeze.plot.style import MISSING, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

ORDERS = (2, 3)
"""The paper's, and the next one for its error."""
RESOLVED = 0.05
"""dB: differences below it are none."""
BOUNDARY = 1.0 / np.sqrt(2.0)


@final
@dataclass(frozen=True)
class Map:
    """N, Upsilon/Upsilon_c, gamma_s/Gamma above 0 and times of each curve of a map."""

    n_spins: int
    drives: tuple[float, ...]
    local_decays: tuple[float, ...]
    n_times: int
    chi: float = 0.0


def collective_xi2(n_spins: int, *, chi: float, drive: float) -> float:
    """xi2 of the exact steady state without local decay, j = N/2."""
    state = driven_dicke_steady_state(
        n_spins / 2.0, rabi=rabi(n_spins, chi=chi, drive=drive), decay_rate=1.0, chi=chi
    )
    moments = Moments(n_spins=n_spins, spin=state.spin[None], covariance=state.covariance[None])
    return float(squeezing(moments).values["xi2"][0])


def minima(data: xr.Dataset, n_spins: int, variables: Sequence[str]) -> xr.Dataset:
    """The late minima of the curves of a scan along `step`, their times and N^eff there."""
    dims = [str(dim) for dim in data["xi2"].dims if dim != "step"]
    shape = tuple(data.sizes[dim] for dim in dims)
    out = {name: np.full(shape, np.nan) for name in ("xi2", "time", "n_eff")}
    for place in np.ndindex(*shape):
        times, xi2 = data["times"].values[place], data["xi2"].values[place]
        low = late_minimum(times, xi2)
        if low.index < 0:
            continue
        out["xi2"][place], out["time"][place] = low.xi2, low.time
        squared = data["total_spin_squared"].values[place][low.index]
        out["n_eff"][place] = effective_spins(n_spins, squared)
    texts = {
        "xi2": ("least xi2 after the first collective minimum", "1"),
        "time": ("time of that minimum", "1/Gamma"),
        "n_eff": ("N^eff = 2 sqrt(1/4 + <J^2>) - 1 at that minimum", "1"),
    }
    return xr.Dataset(
        {
            name: curve(dims, out[key], texts[key][0], units=texts[key][1])
            for name, key in zip(variables, out, strict=True)
        },
        coords={dim: data[dim] for dim in dims},
        attrs=data.attrs,
    )


def compute(setting: Map, points: Points) -> xr.Dataset:
    """Late minima over (order, gamma_s/Gamma, Upsilon/Upsilon_c), gamma_s = 0 included."""
    n = setting.n_spins

    @functools.cache
    def times(local_decay: float, drive: float) -> Floats:
        return window(
            n, chi=setting.chi, drive=drive, local_decay=local_decay, n_times=setting.n_times
        )

    scanned = scan(
        points,
        base_study(n, title="tucker2020, Fig. 3(a)"),
        axes={
            "order": ORDERS,
            "local_decay": (0.0, *setting.local_decays),
            "drive": setting.drives,
        },
        point=lambda order, local_decay, drive: point(
            n,
            chi=setting.chi,
            drive=drive,
            local_decay=local_decay,
            order=order,
            times=times(local_decay, drive),
        ),
        curves=True,
    )
    data = minima(scanned, n, ("late_xi2", "late_time", "late_n_eff"))
    data["collective_xi2"] = curve(
        "drive",
        [collective_xi2(n, chi=setting.chi, drive=u) for u in setting.drives],
        "xi2 of the exact steady state at gamma_s = 0",
    )
    data["drive"].attrs.update(units="1", long_name="Upsilon/Upsilon_c")
    data["local_decay"].attrs.update(units="Gamma", long_name="gamma_s")
    data["order"].attrs.update(units="1", long_name="order of the cumulants")
    return data.assign_attrs(n_spins=n, chi=setting.chi, convention=CONVENTIONS)


def _edges(values: Floats) -> Floats:
    middle = (values[1:] + values[:-1]) / 2.0
    return np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])


def draw(data: xr.Dataset) -> "Picture":
    """The map of order 2 with the strip gamma_s = 0 below; beside it what order 3 changes."""
    levels = decibels(data["late_xi2"])
    change = levels.sel(order=3) - levels.sel(order=2)
    drives, decays = data["drive"].values, data["local_decay"].values[1:]
    across, up = _edges(drives), np.exp(_edges(np.log(decays)))
    lowest = float(levels.sel(order=2).min())
    largest = max(0.05, float(np.nanquantile(np.abs(change.values), 0.98)))
    with style():
        figure = new_figure(11.0, 5.0)
        panels = figure.subplots(
            2, 2, sharex=True, gridspec_kw={"height_ratios": (8.0, 1.0), "hspace": 0.08}
        )
        sides = (
            (levels.sel(order=2), "viridis", lowest, 0.0, r"least $\xi^2$ (dB), order 2"),
            (change, "PuOr", -largest, largest, "order 3 less order 2 (dB)"),
        )
        for column, (shown, colours, low, high, label) in enumerate(sides):
            main, strip = panels[0, column], panels[1, column]
            options: dict[str, Any] = {
                "cmap": colours,
                "vmin": low,
                "vmax": high,
                "rasterized": True,
            }
            image = main.pcolormesh(across, up, shown.values[1:], **options)
            strip.pcolormesh(across, [0.0, 1.0], shown.values[:1], **options)
            main.set_yscale("log")
            strip.set_yticks([0.5], ["0"])
            line = "white" if column == 0 else "black"
            for panel in (main, strip):
                panel.grid(visible=False)
                panel.set_facecolor(MISSING)
                panel.axvline(BOUNDARY, color=line, ls="--", lw=1.2)
                panel.axvline(1.0, color=line, ls=":", lw=1.6)
            main.set_ylabel(r"$\gamma_s/\Gamma$")
            strip.set_xlabel(r"$\Upsilon/\Upsilon_c$")
            figure.colorbar(image, ax=panels[:, column], label=label, extend="both")
            main.text(BOUNDARY, 1.02, r"$\Upsilon_c'$", transform=main.get_xaxis_transform(),
                      ha="center", va="bottom")  # fmt: skip
            main.text(1.0, 1.02, r"$\Upsilon_c$", transform=main.get_xaxis_transform(),
                      ha="center", va="bottom")  # fmt: skip
        figure.suptitle(
            rf"$N$ = {data.attrs['n_spins']}, $\chi/\Gamma$ = {data.attrs['chi']:g}, "
            r"start along $-\hat x$"
        )
    return figure


def _span(values: Floats) -> str:
    return f"{np.nanmin(values):.2f} to {np.nanmax(values):.2f}"


def claims(data: xr.Dataset) -> list[Claim]:
    """What the text says of Fig. 3(a), from the map."""
    levels = decibels(data["late_xi2"].sel(order=2).values)
    change = decibels(data["late_xi2"].sel(order=3).values) - levels
    collective = decibels(data["collective_xi2"].values)
    drives, decays = data["drive"].values, data["local_decay"].values[1:]
    between = (drives > BOUNDARY + 0.02) & (drives < 0.99)
    below = drives < BOUNDARY - 0.02
    weak = decays <= 0.01 * data.attrs["n_spins"]
    gain = collective - levels[1:]
    return [
        _enhanced(gain, change[1:], weak, between, decays),
        _none_below(gain, weak, below),
        _degrades(levels[1:], drives, decays),
        _strip(levels[0], collective, drives),
        _crossing(data, weak, between),
        _accuracy(change[1:], weak, between, below),
    ]


def _enhanced(gain: Floats, change: Floats, weak: Any, between: Any, decays: Floats) -> Claim:
    part, error = gain[np.ix_(weak, between)], np.abs(change[np.ix_(weak, between)])
    low = float(np.nanmin(part)) if part.size else np.nan
    strongest = gain[~weak][:, between]
    rest = f"; at larger gamma_s {_span(strongest)} dB" if strongest.size else ""
    return finding(
        "enhanced-between",
        statement="gamma_s > 0 gives more transient squeezing than the collective steady state "
        "for Upsilon'_c < Upsilon < Upsilon_c, even for small gamma_s",
        place="Fig. 3(a), p. 3",
        ours=f"gain {_span(part)} dB for gamma_s/Gamma from {decays[0]:g} to "
        f"{decays[weak][-1]:g} (1 % of N); orders 2 and 3 differ by {np.nanmax(error):.2f} dB at "
        f"most{rest}",
        holds=low > 0,
        otherwise=f"at some points the gain is negative, the least {low:.2f} dB",
        value=low,
        error=float(error.flat[np.nanargmin(part)]),
    )


def _none_below(gain: Floats, weak: Any, below: Any) -> Claim:
    part = gain[np.ix_(weak, below)]
    largest = float(np.nanmax(part)) if part.size else np.nan
    return finding(
        "none-below",
        statement="for Upsilon < Upsilon'_c squeezing is not enhanced by gamma_s",
        place="Fig. 3(a), p. 4",
        ours=f"gain {_span(part)} dB" if part.size else "no points",
        holds=largest < RESOLVED if part.size else None,
        otherwise=f"the late transient beats the collective steady state by up to {largest:.2f} "
        "dB: the damped return to the steady state dips below it, or that state is another one",
        value=largest,
    )


def _degrades(levels: Floats, drives: Floats, decays: Floats) -> Claim:
    best = np.nanmin(levels, axis=1)
    at = drives[np.nanargmin(levels, axis=1)]
    worse = np.diff(best)
    shown = ", ".join(
        f"{b:.2f} dB at {u:.3g} (gamma_s/Gamma = {g:g})"
        for b, u, g in zip(best, at, decays, strict=True)
        if g in (decays[0], decays[len(decays) // 2], decays[-1])
    )
    return finding(
        "degrades-gradually",
        statement="the best transient squeezing, attained for Upsilon near Upsilon_c, degrades "
        "gradually as gamma_s grows",
        place="Fig. 3(a), p. 3",
        ours=shown,
        holds=bool(np.all(worse > -RESOLVED) and np.all(np.abs(at - 1.0) < 0.15)),
        otherwise=f"steps of the best value {_span(worse)} dB, at Upsilon/Upsilon_c {_span(at)}",
        value=float(best[0]),
    )


def _strip(levels: Floats, collective: Floats, drives: Floats) -> Claim:
    part = drives < 0.97
    off = np.abs(levels - collective)[part]
    largest = float(np.nanmax(off))
    return finding(
        "collective-strip",
        statement="the strip gamma_s = 0 by cumulants is the collective steady state",
        place="Fig. 3(a), lower strip",
        ours=f"late minimum by order 2 off the closed form by {largest:.2f} dB at most for "
        f"Upsilon < 0.97 Upsilon_c, {off[0]:.3f} dB at {drives[0]:g}",
        holds=largest < 0.1,
        otherwise="the late minimum of the damped return from -x lies below the steady state, or "
        "the curve has not come to rest",
        value=largest,
        expected=0.0,
    )


def _crossing(data: xr.Dataset, weak: Any, between: Any) -> Claim:
    ratio = data["late_n_eff"].sel(order=2).values[1:] / data.attrs["n_spins"]
    ratio = (ratio / data["drive"].values)[np.ix_(weak, between)]
    return finding(
        "minimum-at-crossing",
        statement="squeezing is lost when N^eff(t) falls to N_c = 2 Omega/Upsilon_c",
        place="p. 3, Fig. 2(a)",
        ours=f"N^eff/N_c at the late minimum {_span(ratio)} by order 2, for gamma_s up to 1 % of N",
        holds=bool(np.all(np.abs(ratio - 1.0) < 0.12)),
        otherwise="the minimum is not where N^eff crosses N_c: next to Upsilon'_c the steady state "
        "is nearly reached first",
        value=float(np.nanmedian(ratio)),
        expected=1.0,
    )


def _accuracy(change: Floats, weak: Any, between: Any, below: Any) -> Claim:
    middle, low = change[np.ix_(weak, between)], change[np.ix_(weak, below)]
    worst = float(np.nanmax(np.abs(middle)))
    text = f"order 3 less order 2: {_span(middle)} dB between the boundaries"
    if low.size:
        text += f", {_span(low)} dB below Upsilon'_c"
    missing = int(np.isnan(change[np.ix_(weak, between)]).sum())
    return finding(
        "order-2-is-enough",
        statement="order 2 is a reasonable indicator of the extent of maximal squeezing",
        place="supplement of the preprint, below Fig. S1",
        ours=text + (f"; {missing} without a value" if missing else ""),
        holds=worst < 0.5,
        otherwise=f"order 3 changes the minimum by up to {worst:.2f} dB",
        value=worst,
    )


def _grid(start: float, stop: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in np.linspace(start, stop, count))


def _decays(start: float, stop: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in np.geomspace(start, stop, count))


def _settings(chi: float, *, least: float, count: int) -> dict[str, Map]:
    return {
        "tiny": Map(400, (0.5, 0.8, 0.95), (4.0, 40.0), 41, chi),
        "small": Map(10_000, _grid(0.5, 1.1, 19), _decays(least, 1000.0, count), 61, chi),
        "paper": Map(10_000, _grid(0.5, 1.1, 100), _decays(least, 1000.0, 60), 61, chi),
    }


FIGURE_3A = Figure(
    name="3a",
    title="least transient xi2 over (Upsilon/Upsilon_c, gamma_s/Gamma), chi = 0, and gamma_s = 0",
    methods=("cumulants", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings=_settings(0.0, least=1.0, count=7),
)
PREPRINT_3A = Figure(
    name="preprint-3a",
    title="Fig. 3(a) of the preprint: the same at chi = Gamma",
    methods=("cumulants", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings=_settings(1.0, least=50.0, count=4),
)
