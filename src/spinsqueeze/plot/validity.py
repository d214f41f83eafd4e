"""How far a perturbative sweep holds: the next orders as a band, the mean-field instability."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.plot.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAND = "next orders"
_LINE = "paramagnet breaks in mean field"


def band(data: Any, name: str) -> tuple[Floats, Floats] | None:
    """The value minus and plus what the approximation leaves out; None where it does not say."""
    partner = f"{name}_truncation"
    if partner not in data:
        return None
    value = np.asarray(data[name].values, dtype=float)
    gap = np.asarray(data[partner].transpose(*data[name].dims).values, dtype=float)
    return value - gap, value + gap


def load(data: Any, dims: tuple[Any, ...]) -> Floats | None:
    """1/lambda of the mean-field instability at every point; above 1 the paramagnet is lost.

    None where no point tells.
    """
    if "diagnostics" not in data or set(data["diagnostics"].dims) != set(dims):
        return None
    texts = data["diagnostics"].transpose(*dims).values
    known = [json.loads(text or "{}") for text in texts.flat]
    strengths = [row.get("mean_field_instability", np.nan) for row in known]
    out = 1.0 / np.array(strengths, dtype=float).reshape(texts.shape)
    return out if np.isfinite(out).any() else None


def draw_band(panel: Axes, x: Floats, low: Floats, high: Floats, *, colour: str) -> None:
    """A band that leaves the axis where it has no end; the axis keeps to the curve."""
    bottom, top = panel.get_ylim()
    far = 2 * (top - bottom)
    low = np.where(np.isfinite(low), np.maximum(low, bottom - far), bottom - far)
    high = np.where(np.isfinite(high), np.minimum(high, top + far), top + far)
    panel.fill_between(x, low, high, color=colour, alpha=0.22, linewidth=0, label=_BAND)
    room = 0.5 * (top - bottom)
    panel.set_ylim(
        max(bottom - room, min(bottom, float(low.min()))),
        min(top + room, max(top, float(high.max()))),
    )


def crossings(x: Floats, load: Floats) -> list[float]:
    """Where the load crosses 1, between the points in order of x."""
    out = []
    for a, b, u, v in zip(x[:-1], x[1:], load[:-1] - 1, load[1:] - 1, strict=True):
        if np.isfinite(u) and np.isfinite(v) and (u < 0) != (v < 0):
            out.append(float(a + (b - a) * u / (u - v)))
    return out


def draw_lost_line(panel: Axes, x: Floats, load: Floats) -> None:
    """Dashed where the paramagnet breaks, grey beyond."""
    marks = crossings(x, load)
    if not marks:
        return
    panel.update_datalim(np.array([[x.min(), panel.get_ylim()[0]], [x.max(), panel.get_ylim()[0]]]))
    panel.autoscale_view(scaley=False)
    left, right = panel.get_xlim()
    for k, mark in enumerate(marks):
        panel.axvline(mark, color=GREY, linestyle="--", linewidth=1.2, label=None if k else _LINE)
    edges = [left, *marks, right]
    for a, b in pairwise(edges):
        inside = (x > a) & (x < b) & np.isfinite(load)
        if np.any(inside) and np.mean(load[inside]) > 1:
            panel.axvspan(a, b, color=GREY, alpha=0.13, linewidth=0, zorder=0)
    panel.set_xlim(left, right)


def draw_lost_region(panel: Axes, x: Floats, y: Floats, load: Floats) -> bool:
    """A dashed contour where the paramagnet breaks; whether there is one."""
    if min(load.shape) < 2 or not (np.nanmin(load) < 1 < np.nanmax(load)):
        return False
    panel.contour(
        x, y, np.ma.masked_invalid(load), levels=[1.0], colors="black", linestyles="--",
        linewidths=1.3,
    )  # fmt: skip
    return True
