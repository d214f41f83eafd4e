"""Metrological gain against time, or against the phase of the signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import value_to_digits
from spinsqueeze.core.written_units import axis_scale
from spinsqueeze.observables.best_gain import BestGain
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.plot import fit, marks
from spinsqueeze.plot.style import (
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    single_panel,
    style,
    wrapped,
)
from spinsqueeze.results import gains
from spinsqueeze.results.dataset import readout_of, refuse_file_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LEGEND_ROOM = 0.1
"""Of the height, above what is drawn."""
_HOLLOW: dict[str, Any] = {
    "marker": "D",
    "linestyle": "none",
    "color": PALETTE[1],
    "markerfacecolor": "white",
    "markersize": 7,
    "zorder": 5,
}


@clear_call
def sensitivity(
    data: Any,
    *,
    ax: Any = None,
    width: Any = None,
    title: bool = True,
    labels: bool = True,
) -> Figure:
    """Draw the metrological gain in decibels: against time, or against phase at the best time.

    Points are what was computed, with one standard error; straight lines join them. The greatest
    gain over time, interpolated, is marked, hollow where it is not resolved; over phases the
    greatest of those computed. The title says the
    method, and if the signal is about its best axis. 0 dB, dotted, is that of N uncorrelated spins.

    Args:
        data: what `spinsqueeze.sensitivity` returns.
        ax: one axes to draw into, None for a new figure.
        width: of a new figure, inches or "column" (3.4).
        title: whether there is a title.
        labels: whether the title says how the signal is read, a legend where the gain is greatest.

    Returns:
        The figure; `figure.savefig("gain.png")` writes it. It needs no display.

    Raises:
        InvalidInput: data holds no gain, ax is no axes, or width is no width.
    """
    refuse_file_name(data, call="plot.sensitivity")
    if not hasattr(data, "data_vars") or "metrological_gain" not in data:
        raise InvalidInput(
            f"data must be what spinsqueeze.sensitivity returns, got {type(data).__name__} "
            "without metrological_gain"
        )
    best, _ = gains.read(data)
    name = "time"
    largest = float(np.abs(data["time"].values).max(initial=0.0))
    factor, unit = axis_scale(largest, str(data["time"].attrs.get("units", "")))
    note = ""
    if "phase" in data.dims and data.sizes["phase"] > 1:
        data = data.isel(time=int(data["metrological_gain"].max("phase").argmax("time")))
        best = None  # this is at a time of the data, the optimum lies between them
        note = f"read at t = {factor * float(data['time']):.4g} {unit}".rstrip()
        name, unit, factor = "phase", "rad", 1.0
    elif "phase" in data.dims:
        data = data.isel(phase=0)
    note = ", ".join(part for part in (note, *_how(data)) if part)
    stderr = data.get("metrological_gain_stderr")
    values, errors = decibels_with_error(
        np.where(data["metrological_gain"].values > 0, data["metrological_gain"].values, np.nan),
        None if stderr is None else stderr.values,
    )
    x = factor * np.asarray(data[name].values, dtype=float)
    asked = inches(width, ax)
    with style(asked):
        panel = single_panel(ax, 6.0, 4.0, asked=asked)
        # many points are a line of their own
        size = min(4.5, max(1.5, 250 / max(len(x), 1)))
        panel.errorbar(
            x,
            values,
            yerr=errors,
            color=PALETTE[0],
            linewidth=0.8,
            marker="o",
            markersize=size,
            elinewidth=1.0,
        )
        if best is not None:
            _mark(panel, best, factor, unit)
        elif name == "phase" and np.isfinite(values).any():
            k = int(np.nanargmax(values))
            place = f"{marks.decibels_in_words(float(values[k]), None)} at {x[k]:.4g} rad"
            panel.plot(x[k], values[k], label=f"greatest computed: {place}", **_HOLLOW)
        panel.axhline(0.0, color="black", linewidth=0.8, linestyle=":")
        panel.set_xlabel(f"{name} of the signal (rad)" if name == "phase" else f"time ({unit})")
        panel.set_ylabel(r"gain $1/(N\Delta\phi^2)$ (dB)")
        if labels and panel.get_legend_handles_labels()[0]:
            panel.legend(loc="best")
        words = [wrapped(str(data.attrs["title"]))] if title and data.attrs.get("title") else []
        words += [note] if labels else []
        panel.margins(y=0.12)
        if panel.get_legend() is not None:  # "best" shuns the curve alone, not its marked point
            low, high = panel.get_ylim()
            panel.set_ylim(low, high + _LEGEND_ROOM * (high - low))
        if words and not panel.get_title():
            panel.set_title("\n".join(words))
    figure = figure_of(panel)
    fit.fit(figure, [panel])
    return figure


def _how(data: Any) -> list[str]:
    """How the signal is read: about which axis, by which method, with which readout."""
    readout = readout_of(data.attrs)
    return [
        "about the best axis" if "best_axis" in data else "",
        f"by {data.attrs['method']}",
        readout.in_words if readout else "",
    ]


def _mark(panel: Axes, best: BestGain, factor: float, unit: str) -> None:
    """The greatest gain over time, hollow where it is only the greatest of the times given."""
    ratio, errors = decibels_with_error([best.gain], [best.error or 0.0])
    inside = best.status is OptimumStatus.INSIDE
    time_error = None if best.time_error is None else factor * best.time_error
    when = value_to_digits(factor * best.time, error=time_error, digits=marks.TIME_DIGITS)
    level = round(float(ratio[0]), 9) + 0.0  # no rounding error of a gain of 1
    words = marks.decibels_in_words(level, None if errors is None else float(errors[0]))
    label = f"{words} at t = {when} {unit}".rstrip()
    panel.errorbar(
        [factor * best.time],
        ratio,
        xerr=None if time_error is None else [time_error],
        yerr=errors if best.error else None,
        capsize=3,
        label=label if inside else f"greatest computed: {label}",
        **(_HOLLOW | ({"markerfacecolor": PALETTE[1]} if inside else {})),
    )
