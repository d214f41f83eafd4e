"""Metrological gain against time, or against the phase of the signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.written_units import axis_scale
from spinsqueeze.plot import fit
from spinsqueeze.plot.style import (
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    single_panel,
    style,
    wrapped,
)
from spinsqueeze.results.dataset import refuse_file_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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

    The title says if the signal is about its best axis. A band shows one standard error. 0 dB,
    dotted, is that of N uncorrelated spins.

    Args:
        data: what `spinsqueeze.sensitivity` returns.
        ax: one axes to draw into, None for a new figure.
        width: of a new figure, inches or "column" (3.4).
        title: whether there is a title.
        labels: whether the title says how the signal is read.

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
    name = "time"
    largest = float(np.abs(data["time"].values).max(initial=0.0))
    factor, unit = axis_scale(largest, str(data["time"].attrs.get("units", "")))
    note = ""
    if "phase" in data.dims and data.sizes["phase"] > 1:
        best = int(data["metrological_gain"].max("phase").argmax("time"))
        data = data.isel(time=best)
        note = f"read at t = {factor * float(data['time']):.4g} {unit}".rstrip()
        name, unit, factor = "phase", "rad", 1.0
    elif "phase" in data.dims:
        data = data.isel(phase=0)
    if "best_axis" in data:
        note = f"{note}, about the best axis".removeprefix(", ")
    stderr = data.get("metrological_gain_stderr")
    values, errors = decibels_with_error(
        np.where(data["metrological_gain"].values > 0, data["metrological_gain"].values, np.nan),
        None if stderr is None else stderr.values,
    )
    x = factor * np.asarray(data[name].values, dtype=float)
    asked = inches(width, ax)
    with style(asked):
        panel = single_panel(ax, 6.0, 4.0, asked=asked)
        panel.plot(x, values, color=PALETTE[0])
        if errors is not None:
            panel.fill_between(x, values - errors, values + errors, color=PALETTE[0], alpha=0.25)
        panel.axhline(0.0, color="black", linewidth=0.8, linestyle=":")
        panel.set_xlabel(f"{name} of the signal (rad)" if name == "phase" else f"time ({unit})")
        panel.set_ylabel(r"gain $1/(N\Delta\phi^2)$ (dB)")
        words = [str(data.attrs["title"])] if title and data.attrs.get("title") else []
        words += [note] if labels and note else []
        if words and not panel.get_title():
            panel.set_title(wrapped(", ".join(words)))
    figure = figure_of(panel)
    fit.fit(figure, [panel])
    return figure
