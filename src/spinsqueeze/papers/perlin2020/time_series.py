"""Figures 3, 11 and 12: squeezing and <S^2> against time, across both boundaries."""

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.papers.base import Claim, Figure
from spinsqueeze.papers.perlin2020.boundary import lower_boundary
from spinsqueeze.papers.perlin2020.setting import (
    CONVENTIONS,
    PAPER,
    SMALL,
    Sampling,
    base_study,
    decibels_gained,
    steps,
    xxz_point,
)
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.plot.style import new_figure, style

RED = "#D7191C"


@final
@dataclass(frozen=True)
class TimeSeries:
    """Panels (shape, alpha), J_z / J_perp, sampling and times.

    end: the last t J_perp; the paper's ranges are not in its text.
    """

    panels: tuple[tuple[tuple[int, ...], float], ...]
    j_z: tuple[float, ...]
    sampling: Sampling
    n_times: int
    end: float = 8.0


def label_of(panel: tuple[tuple[int, ...], float]) -> str:
    """'D = 2, alpha = 3'."""
    shape, alpha = panel
    return f"D = {len(shape)}, alpha = {alpha:g}"


def compute(setting: TimeSeries, points: Points) -> xr.Dataset:
    """xi2(t) and <S^2>(t) for every panel and J_z / J_perp."""
    panels = {label_of(panel): panel for panel in setting.panels}
    times = np.linspace(0.0, math.sqrt(setting.end), setting.n_times) ** 2
    data = scan(
        points,
        base_study((4, 4), sampling=setting.sampling, title="perlin2020, time series"),
        axes={"panel": tuple(panels), "j_z": setting.j_z},
        point=lambda panel, j_z: xxz_point(
            panels[panel][0],
            exponent=panels[panel][1],
            j_z=j_z,
            sampling=setting.sampling,
            times=times,
        ),
        curves=True,
    )
    data["dimension"] = ("panel", [len(shape) for shape, _ in setting.panels])
    data["alpha"] = ("panel", [alpha for _, alpha in setting.panels])
    data.attrs |= {"convention": CONVENTIONS, "end": setting.end}
    return data


def draw(data: xr.Dataset) -> Any:
    """Above -10 log10 xi2, below <S^2>; colour is J_z, the red line precedes the boundary."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    j_z = data["j_z"].values
    norm = Normalize(j_z.min(), j_z.max())
    n_panels = data.sizes["panel"]
    upper = bool(j_z.max() > 1)
    with style():
        import matplotlib

        colours = matplotlib.colormaps["viridis"]
        picture = new_figure(1.6 + 2.1 * n_panels + (1.2 if n_panels == 1 else 0), 4.6)
        panels = picture.subplots(2, n_panels, sharex=True, squeeze=False)
        for column in range(n_panels):
            one = data.isel(panel=column)
            red = _red(one, upper=upper)
            for k in [k for k in range(len(j_z)) if k != red] + ([red] if red is not None else []):
                t = one["times"].values[k]
                if not np.isfinite(t).any():
                    continue
                look: dict[str, Any] = {"color": colours(norm(j_z[k])), "linewidth": 1.3}
                if k == red:
                    look = {"color": RED, "linewidth": 2.2, "label": rf"$J_z={j_z[k]:g}J_\perp$"}
                panels[0, column].plot(t, decibels_gained(one["xi2"].values[k]), **look)
                panels[1, column].plot(t, one["total_spin_squared"].values[k], **look)
            title = (
                str(one["panel"].item()).replace("alpha", r"$\alpha$").replace("inf", r"$\infty$")
            )
            panels[0, column].set_title(title, fontsize=10)
            panels[0, column].set_ylim(-5, _top(data))
            panels[1, column].set_ylim(0, 1.03)
            panels[1, column].set_xlim(0, data.attrs["end"])
            panels[1, column].set_xlabel(r"$t\times J_\perp$")
            if red is not None:
                panels[1, column].legend(loc="best", fontsize=8, handlelength=1.2)
            if column:
                for panel in panels[:, column]:
                    panel.tick_params(labelleft=False)
        panels[0, 0].set_ylabel(r"$-10\log_{10}\,\xi^2$")
        panels[1, 0].set_ylabel(r"$\langle S^2\rangle/\langle S^2\rangle_0$")
        picture.colorbar(
            ScalarMappable(norm, colours), ax=panels, label=r"$J_z/J_\perp$", pad=0.02, aspect=30
        )
    return picture


def _top(data: xr.Dataset) -> float:
    best = decibels_gained(np.nanmin(data["optimal_xi2"].values))
    return float(5 * math.ceil((best + 1) / 5))


def _red(one: xr.Dataset, *, upper: bool) -> int | None:
    """Below J_perp: the last collective J_z; above: the least J_z > J_perp."""
    j_z = one["j_z"].values
    if upper:
        above = np.flatnonzero(j_z > 1 + 1e-9)
        return int(above[np.argmin(j_z[above])])
    order = np.argsort(j_z)
    boundary = lower_boundary(
        j_z[order],
        optimal_time=one["optimal_time"].values[order],
        least_squared=one["least_total_spin_squared"].values[order],
    )
    if not math.isfinite(boundary.j_z):
        return None
    return int(np.argmin(np.abs(j_z - boundary.j_z_jump)))


LATE = 0.6
"""Steady values are read from this part of the times on."""
STEADY, FALLING = 0.03, 0.08
"""A relative drift across that window below the one is steady, a fall beyond the other is not."""
ORDERED = 10.0
"""Late <S^2> beyond this many times its value for uncorrelated spins is more than 1/N."""


def _late(one: xr.Dataset, k: int) -> tuple[float, float, float]:
    """Mean late <S^2>/<S^2>_0, its error, and its relative drift across the late window."""
    t, v = one["times"].values[k], one["total_spin_squared"].values[k]
    late = t >= LATE * t[-1]
    x, y = t[late], v[late]
    slope = float(np.polyfit(x, y, 1)[0])
    mean = float(y.mean())
    error = float(one["total_spin_squared_stderr"].values[k][late].mean())
    return mean, error, slope * float(np.ptp(x)) / mean


def _late_times(one: xr.Dataset) -> str:
    end = one.attrs["end"]
    return f"t = {LATE * end:g} to {end:g}"


def claims(data: xr.Dataset, *, place: str, key: str) -> list[Claim]:
    """Whether <S^2> settles where long-range order is allowed, and what the curves do."""
    out = []
    for column in range(data.sizes["panel"]):
        one = data.isel(panel=column)
        allowed = int(one["dimension"]) > 2 or float(one["alpha"]) < 2 * int(one["dimension"])
        if allowed:
            out.append(_steady(one, place, key))
        elif key == "lower":
            out.append(_disorders(one))
    if key == "single":
        out.append(_competing_optima(data.isel(panel=0), place))
    return out


def _slug(one: xr.Dataset) -> str:
    return f"d{int(one['dimension'])}-alpha-{float(one['alpha']):g}"


def _steady(one: xr.Dataset, place: str, key: str) -> Claim:
    j_z = one["j_z"].values
    lines, bad = [], []
    n_spins = float(np.nanmax(one["n_spins"].values))
    floor = 3.0 / (n_spins + 2.0)  # (3 N / 4) / ((N/2)(N/2 + 1)): no correlations at all
    for k in np.argsort(j_z)[::-1]:
        if j_z[k] >= 1 or not np.isfinite(one["n_spins"].values[k]):
            continue
        mean, error, drift = _late(one, int(k))
        text = f"J_z = {j_z[k]:g}: {mean:.3f} ± {error:.3f}, drift {100 * drift:+.0f} %"
        lines.append(text)
        if not (mean > ORDERED * floor and abs(drift) < STEADY):
            bad.append(f"{j_z[k]:g}")
    return Claim(
        key=f"steady-{_slug(one)}-{key}",
        statement="<S^2> approaches a nonzero steady value for J_z < J_perp (D > 2 or "
        f"alpha < 2D), here {one['panel'].item()}",
        place=place,
        ours=f"late <S^2>/<S^2>_0 at N = {n_spins:g} (uncorrelated spins: {floor:.4f}): "
        + "; ".join(lines),
        holds=None if bad else True,
        note=f"still drifting by more than {100 * STEADY:g} % from {_late_times(one)}, or within "
        f"{ORDERED:g} times the uncorrelated value, at J_z = {', '.join(bad)}: "
        "the polarised state may lie above the energies at which the model orders, and one size "
        "cannot tell a small steady value from 1/N"
        if bad
        else "",
    )


def _disorders(one: xr.Dataset) -> Claim:
    """Where order is forbidden, the late <S^2> falls below that of longer range."""
    j_z = one["j_z"].values
    k = int(np.argmin(np.abs(j_z)))
    mean, error, drift = _late(one, k)
    falling = drift < -FALLING
    return Claim(
        key=f"decays-{_slug(one)}",
        statement="long-range order is forbidden for D <= 2 and alpha >= 2D, so <S^2> goes on "
        f"falling; here {one['panel'].item()}",
        place="p. 4 and Appendix E",
        ours=f"J_z = {j_z[k]:g}: late <S^2>/<S^2>_0 = {mean:.3f} ± {error:.3f}, drift "
        f"{100 * drift:+.0f} % from {_late_times(one)}",
        holds=True if falling else None,
        note=""
        if falling
        else "a finite lattice is ordered over its whole length: the fall is "
        "slower than these times show",
    )


def _competing_optima(one: xr.Dataset, place: str) -> Claim:
    """Two local optima in time on the collective side of the boundary."""
    red = _red(one, upper=False)
    statement = "t_opt jumps because two local optima of squeezing compete: an early Ising peak "
    statement += "and a later collective one"
    if red is None:
        return Claim(
            "competing-optima", statement, place, "no boundary in the range", None,
            note="all J_z shown are collective at this size",
        )  # fmt: skip
    j_z = one["j_z"].values
    lines, competing = [], False
    for k in sorted({red, max(red - 1, 0), min(red + 1, len(j_z) - 1)}, key=lambda i: -j_z[i]):
        y = _smooth(decibels_gained(one["xi2"].values[k]))
        t = one["times"].values[k]
        peaks = [
            i for i in range(1, len(y) - 1) if y[i] > y[i - 1] and y[i] > y[i + 1] and y[i] > 0
        ]
        competing |= len(peaks) >= 2
        lines.append(f"J_z = {j_z[k]:g}: peaks at t = " + ", ".join(f"{t[i]:.2f}" for i in peaks))
    return Claim(
        key="competing-optima",
        statement=statement,
        place=place,
        ours="; ".join(lines),
        holds=competing,
        note="" if competing else "one peak only next to the boundary at this size",
    )


def _smooth(values: Floats) -> Floats:
    """Three-point mean, so that sampling noise makes no peaks."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3, dtype=float)


def _six(two: tuple[int, ...], three: tuple[int, ...]) -> tuple[tuple[tuple[int, ...], float], ...]:
    return (
        (two, 3.0), (two, 4.0), (two, 5.0), (three, 5.0), (three, 6.0), (three, math.inf),
    )  # fmt: skip


_SMALL_SIX, _PAPER_SIX = _six((16, 16), (6, 6, 6)), _six((64, 64), (16, 16, 16))
_DOWN, _DOWN_FINE = steps(-3, 0, 0.5), steps(-3, 0, 0.1)
_UP = (0.0, 0.5, 0.9, 1.1, 1.5, 2.0)
_UP_FINE = steps(0, 2, 0.1)
# Single trajectories are chaotic at late times; 0.02 projection noises change xi2 by 0.0004.
_SMALL = dataclasses.replace(SMALL, tolerance=2e-2)
METHODS = ("dtwa",)

FIGURE_3 = Figure(
    name="3",
    title="xi2 and <S^2> against time, D = 2, alpha = 3, J_z from 0 to -3",
    methods=METHODS,
    compute=compute,
    draw=draw,
    claims=functools.partial(claims, place="Fig. 3 and p. 3", key="single"),
    settings={
        "small": TimeSeries(_SMALL_SIX[:1], _DOWN, _SMALL, 61, end=5.0),
        "paper": TimeSeries(_PAPER_SIX[:1], _DOWN_FINE, PAPER, 121),
    },
)
FIGURE_11 = Figure(
    name="11",
    title="xi2 and <S^2> against time in six settings, J_z from 0 to -3",
    methods=METHODS,
    compute=compute,
    draw=draw,
    claims=functools.partial(claims, place="Fig. 11, Appendix E", key="lower"),
    settings={
        "small": TimeSeries(_SMALL_SIX, _DOWN, _SMALL, 61, end=5.0),
        "paper": TimeSeries(_PAPER_SIX, _DOWN_FINE, PAPER, 121),
    },
)
FIGURE_12 = Figure(
    name="12",
    title="xi2 and <S^2> against time in six settings, J_z from 2 to 0",
    methods=METHODS,
    compute=compute,
    draw=draw,
    claims=functools.partial(claims, place="Fig. 12, Appendix E", key="upper"),
    settings={
        "small": TimeSeries(_SMALL_SIX, _UP, _SMALL, 61),
        "paper": TimeSeries(_PAPER_SIX, _UP_FINE, PAPER, 121),
    },
)
