"""The variance across the mean spin against the angle, and the ellipse that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import inverse
from spinsqueeze.core.written_units import axis_scale
from spinsqueeze.plot import fit
from spinsqueeze.plot.marks import decibels_in_words
from spinsqueeze.plot.style import (
    GREY,
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    new_figure,
    refilled,
    style,
    wrapped,
)
from spinsqueeze.results.dataset import refuse_file_name
from spinsqueeze.results.realisations import count_of
from spinsqueeze.results.variance import variance_against_angle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE_BY_SIDE = 5.0
"""Inches of width that two panels need beside each other."""
_PRODUCT = "uncertainty product (at least 1)"


@clear_call
def ellipse(
    data: Any,
    *,
    time: float | None = None,
    ax: Any = None,
    width: Any = None,
    title: bool = True,
    labels: bool = True,
) -> Figure:
    """Draw the variance across the mean spin, 4 Var/N in decibels, against the angle.

    This is number squeezing, normalised to N/4 whatever the length of the mean spin: its least
    value is `xi2_kitagawa_ueda`. Wineland's xi2 = N min Var/|<S>|^2, which a measurement gains
    by, is that over contrast^2, hence never below it.

    A band of 1 standard error where there is one, a line at 0 dB for a coherent state, dots at the
    least and the greatest variance. Beside it the ellipse of standard deviations, in units of
    that of a coherent state (grey circle): S_1 is horizontal, S_2 = n x S_1. A dashed line is the
    level of Wineland's xi2.

    Args:
        data: a result of a single run, or what `variance_against_angle` returns.
        time: at which of the times of a result; None: where xi2 is least.
        ax: None for a new figure, one axes for the curve alone, or two.
        width: of a new figure, inches or "column" (3.4); below 5 the ellipse stands below.
        title: whether there is a title.
        labels: whether values stand in the legend, and the uncertainty product over the ellipse:
            4 Var Var/|<S>|^2 of the least and the greatest variance, at least 1 as `info` says.
            The ellipse itself may be smaller than the circle where the mean spin is shorter.

    Returns:
        The figure; `figure.savefig("ellipse.png")` writes it. It needs no display.

    Raises:
        InvalidInput: `variance_against_angle` refuses data or time, or `ax` is neither one axes
            nor two, or width is no width.
        UndefinedDirection: the mean spin is zero within its error at that time.
    """
    if not (hasattr(data, "data_vars") and "relative_variance" in data):
        refuse_file_name(data, call="plot.ellipse")
        whole = variance_against_angle(data, time=time)
        data = variance_against_angle(data, time=time, angles=_angles(whole))
    elif time is not None:
        raise InvalidInput("time must be None: data holds the variance at one time already")
    asked = inches(width, ax)
    with style(asked):
        panels = _panels(ax, asked)
        _draw_curve(panels[0], data, labels=labels)
        if len(panels) == 2:
            _draw_ellipse(panels[1], data, labels=labels)
        if title and not panels[0].get_title():
            panels[0].set_title(wrapped(_title(data)))
    figure = figure_of(panels[0])
    fit.fit(figure, panels)
    return figure


def _angles(data: Any) -> Floats:
    """Angles that resolve the dip, which is sqrt(least/greatest) wide, and the rest of the turn."""
    even = np.asarray(data["angle"].values, dtype=float)
    turn = float(data.attrs.get("squeezing_angle", np.nan))
    if not np.isfinite(turn):
        return even
    beside = np.geomspace(1e-7, 0.1, 60)
    near = turn + np.concatenate([-beside, [0.0], beside])
    near -= np.pi * np.ceil(near / np.pi - 0.5)  # back into a half turn
    return np.unique(np.concatenate([even, near]))


def _panels(ax: Any, asked: float | None) -> list[Axes]:
    from matplotlib.axes import Axes

    if ax is None and asked is not None and asked < _SIDE_BY_SIDE:
        figure = new_figure(5.0, 7.6, asked=asked)
        return list(figure.subplots(2, 1, gridspec_kw={"height_ratios": [1.2, 1]}))
    if ax is None:
        figure = new_figure(8.0, 3.9, asked=asked)
        return list(figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.5, 1]}))
    panels = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(panels) not in (1, 2) or not all(isinstance(panel, Axes) for panel in panels):
        raise InvalidInput(f"ax must be one matplotlib Axes or two, got {type(ax).__name__}")
    return panels


def _draw_curve(panel: Axes, data: Any, *, labels: bool) -> None:
    angles = np.asarray(data["angle"].values, dtype=float) / np.pi
    stderr = data.get("relative_variance_stderr")
    level, error = decibels_with_error(
        data["relative_variance"].values, None if stderr is None else stderr.values
    )
    panel.plot(angles, level, color=PALETTE[0])
    if error is not None:
        panel.fill_between(
            angles, level - error, level + error, color=PALETTE[0], alpha=0.28, linewidth=0
        )
    panel.axhline(0.0, color=GREY, linewidth=1.0, linestyle=(0, (1, 1.5)), zorder=1)
    turn = float(data.attrs.get("squeezing_angle", np.nan)) / np.pi
    for name, word, shift, colour in (
        ("xi2_kitagawa_ueda", "least", 0.0, PALETTE[1]),
        ("antisqueezing", "greatest", 0.5, PALETTE[2]),
    ):
        value = float(data.attrs.get(name, np.nan))
        if not (np.isfinite(turn) and value > 0):
            continue
        stderr = data.attrs.get(f"{name}_stderr")
        at, bar = decibels_with_error(value, stderr)
        text = ": " + decibels_in_words(float(at), None if bar is None else float(bar))
        where = turn + shift
        where -= np.ceil(where - 0.5)
        panel.plot(
            [where], [at], "o", color=colour, zorder=4,
            label=word + (text if labels else ""),
        )  # fmt: skip
    _draw_wineland(panel, data, labels=labels)
    low, high = panel.get_ylim()
    panel.set_ylim(low, high + 0.55 * (high - low))  # the legend stands above the curve
    if panel.get_legend_handles_labels()[1]:
        letters = 0.9 * float(panel.yaxis.label.get_fontsize())
        panel.legend(loc="upper left", fontsize=letters).set_in_layout(False)
    panel.margins(x=0.01)
    panel.set_xlabel(r"angle ($\pi$)")
    panel.set_ylabel(r"number squeezing $4\,\mathrm{Var}(S_\perp)/N$ (dB)")


def _draw_wineland(panel: Axes, data: Any, *, labels: bool) -> None:
    """The level of Wineland's xi2, which is the least variance over contrast squared."""
    xi2 = float(data.attrs.get("xi2", np.nan))
    if not xi2 > 0:
        return
    level, bar = decibels_with_error(xi2, data.attrs.get("xi2_stderr"))
    text = ": " + decibels_in_words(float(level), None if bar is None else float(bar))
    panel.axhline(
        float(level), color=PALETTE[3], linewidth=1.4, linestyle="--", zorder=2,
        label=f"Wineland $\\xi^2${text if labels else ''}\n(the least over contrast$^2$)",
    )  # fmt: skip


def _draw_ellipse(panel: Axes, data: Any, *, labels: bool) -> None:
    turn = np.linspace(0.0, 2 * np.pi, 361)
    least = float(data.attrs.get("xi2_kitagawa_ueda", np.nan))
    most = float(data.attrs.get("antisqueezing", np.nan))
    angle = float(data.attrs.get("squeezing_angle", np.nan))
    angle = angle if np.isfinite(angle) else 0.0
    panel.plot(np.cos(turn), np.sin(turn), color=GREY, linewidth=1.0, linestyle="--")
    if least > 0 and np.isfinite(most):
        short, long = np.sqrt(least) * np.cos(turn), np.sqrt(most) * np.sin(turn)
        x = np.cos(angle) * short - np.sin(angle) * long
        y = np.sin(angle) * short + np.cos(angle) * long
        panel.fill(x, y, facecolor=PALETTE[0], alpha=0.25, edgecolor="none")
        panel.plot(x, y, color=PALETTE[0])
    panel.set_aspect("equal", adjustable="datalim")
    panel.set_xlabel(r"$\Delta S_1\,/\,(\sqrt{N}/2)$")
    panel.set_ylabel(r"$\Delta S_2\,/\,(\sqrt{N}/2)$")
    product = float(data.attrs.get("uncertainty_product", np.nan))
    if labels and np.isfinite(product):
        letters = float(panel.yaxis.label.get_fontsize())
        panel.set_title(refilled(f"{_PRODUCT}: {product:.4g}", 32), fontsize=letters)


def _title(data: Any) -> str:
    words = [str(data.attrs["title"])] if data.attrs.get("title") else []
    words = words or [f"N = {int(data.attrs['n_spins'])}"]
    if "time" in data.attrs:
        factor, unit = axis_scale(float(data.attrs["time"]), inverse(data.attrs.get("unit", "J")))
        words.append(f"t = {factor * float(data.attrs['time']):.4g} {unit}".rstrip())
    if count := count_of(data):
        words.append(f"average of {count} realisations")
    return ", ".join(words)
