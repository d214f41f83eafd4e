"""The optimum of a curve, marked with its error bars and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import value_to_digits
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.plot.style import decibels_with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

NO_SQUEEZING = "no squeezing at these times"
TIME_DIGITS = 4
"""Significant digits of a time in a picture."""


def decibels_in_words(level: float, error: float | None) -> str:
    """'−7.53 ± 0.12 dB': to 0.01 dB at most, the error where it shows."""
    shown = value_to_digits(level, error=error, places=2).replace("-", "\N{MINUS SIGN}")
    return f"{shown} dB"


@final
class TimeAxis:
    """How times are drawn: their factor, and their unit as people write it."""

    def __init__(self, factor: float, unit: str, *, spoken: bool) -> None:
        """spoken: whether the unit follows a time in words too."""
        self.factor = factor
        self.unit = unit
        self.spoken = spoken

    @property
    def label(self) -> str:
        """The label of the axis."""
        return f"time ({self.unit})" if self.unit else "time"


def in_words(optimum: Any, axis: TimeAxis, *, joint: str = "\n") -> str:
    """'-7.5 ± 0.1 dB at t = 0.2 µs', and what is missing where it is not resolved.

    Raises:
        InvalidInput: no optimum, or its xi2 is not positive.
    """
    time, time_error = _time(optimum, axis)
    level, level_error = _level(optimum)
    if optimum.status is OptimumStatus.INITIAL_STATE and optimum.xi2 >= 1.0 - 1e-9:
        return NO_SQUEEZING
    decibels = decibels_in_words(level, level_error)
    when = value_to_digits(time, error=time_error, digits=TIME_DIGITS)
    unit = f" {axis.unit}" if axis.spoken else ""
    text = f"{decibels}{joint}at t = {when}{unit}"
    return text if optimum.status is OptimumStatus.INSIDE else f"lowest computed: {text}"


def draw(panels: Sequence[Axes], optimum: Any, look: Mapping[str, Any], axis: TimeAxis) -> None:
    """A point with error bars, hollow where nothing is interpolated, and a line in every panel.

    Raises:
        InvalidInput: no optimum, or its xi2 is not positive.
    """
    time, time_error = _time(optimum, axis)
    level, level_error = _level(optimum)
    # Where nothing is interpolated the true minimum may be lower: a hollow point.
    lowest_given = optimum.status is not OptimumStatus.INSIDE
    for each in panels:
        each.axvline(
            time, color=look["color"], linewidth=0.9, alpha=0.5, zorder=1, label="_optimum"
        )
    panels[0].errorbar(
        [time],
        [level],
        xerr=None if not time_error else [time_error],
        yerr=None if not level_error else [level_error],
        fmt="o",
        color=look["color"],
        markerfacecolor="white" if lowest_given else look["color"],
        markeredgecolor=look["color"] if lowest_given else "white",
        markersize=8 * float(panels[0].yaxis.label.get_fontsize()) / 11,
        capsize=3,
        zorder=5,
        label="_optimum",
    )


def annotate(
    panel: Axes, optimum: Any, look: Mapping[str, Any], axis: TimeAxis, *, name: str | None
) -> Annotation:
    """Say below the marked point what it is.

    Raises:
        InvalidInput: no optimum, or its xi2 is not positive.
    """
    from matplotlib.patheffects import withStroke

    time, _ = _time(optimum, axis)
    level, _ = _level(optimum)
    text = in_words(optimum, axis)
    # Near a side of the panel the text grows inwards, away from the numbers of the axis.
    place = panel.transAxes.inverted().transform(panel.transData.transform((time, level)))[0]
    side = "left" if place < 0.3 else "right" if place > 0.7 else "center"
    return panel.annotate(
        text if name is None else f"{name}: {text}",
        (time, level),
        xytext=({"left": -8, "center": 0, "right": 8}[side], -11),
        textcoords="offset points",
        ha=side,
        va="top",
        color=look["color"],
        fontsize=panel.yaxis.label.get_fontsize(),
        linespacing=1.15,
        annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},  # the line ends above it
        path_effects=[withStroke(linewidth=3.0, foreground="white")],
    )


def _time(optimum: Any, axis: TimeAxis) -> tuple[float, float | None]:
    value, error = _number(optimum, "time")
    return value * axis.factor, None if error is None else error * axis.factor


def _level(optimum: Any) -> tuple[float, float | None]:
    xi2, stderr = _number(optimum, "xi2")
    level, error = decibels_with_error([xi2], [stderr or 0.0])
    if not np.isfinite(level[0]) or error is None:
        raise InvalidInput(f"optimum must have xi2 > 0 to be marked in decibels, got {xi2:g}")
    return float(level[0]), float(error[0]) if stderr else None


def _number(optimum: Any, name: str) -> tuple[float, float | None]:
    """The value `name` of an optimum and its error, of samples and of times, if it shows."""
    if not isinstance(optimum, Optimum):
        raise InvalidInput(
            f"optimum must be what spinsqueeze.optimum(data) returns, got {type(optimum).__name__}"
        )
    value = float(getattr(optimum, name))
    error = optimum.shown_error(name)
    return value, None if error is None or not np.isfinite(error) else float(error)
