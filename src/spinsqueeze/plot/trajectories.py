"""Single quantum trajectories: squeezing, total spin and jumps against time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import inverse
from spinsqueeze.core.written_units import axis_scale
from spinsqueeze.plot import fit
from spinsqueeze.plot.style import (
    GREY,
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    new_figure,
    style,
    wrapped,
)
from spinsqueeze.results.dataset import refuse_file_name
from spinsqueeze.results.grid import as_single_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NEEDED = ("trajectory_xi2", "trajectory_effective_spins", "jump_time")


@clear_call
def trajectories(data: Any, *, ax: Any = None, width: Any = None, title: bool = True) -> Figure:
    """Draw xi2 in decibels, the effective spins 2j and the jumps of single trajectories.

    Three panels, one above the other; the averages over all trajectories are grey, dashed. Of the
    jumps there is a stroke for each, a row a trajectory.

    Args:
        data: a result of QuantumTrajectories(keep_trajectories=...).
        ax: None for a new figure, or three axes to draw into.
        width: of a new figure, inches or "column" (3.4).
        title: whether there is a title.

    Returns:
        The figure; `figure.savefig("trajectories.png")` writes it. It needs no display.

    Raises:
        InvalidInput: data holds no single trajectories, is no single run, `ax` is not three axes,
            or width is no width.
    """
    refuse_file_name(data, call="plot.trajectories")
    if not hasattr(data, "data_vars") or any(name not in data for name in _NEEDED):
        raise InvalidInput(
            "data must hold single trajectories: run with "
            "method=QuantumTrajectories(keep_trajectories=5)"
        )
    data = as_single_run(data)
    if "time" not in data["trajectory_xi2"].dims:
        raise InvalidInput("data must have the dimension time: give the whole run")
    asked = inches(width, ax)
    with style(asked):
        squeezing, size, jumps = _panels(ax, asked)
        times = np.asarray(data["time"].values, dtype=float)
        unit = data.attrs.get("unit")
        largest = float(np.abs(times).max(initial=0.0))
        factor, units = axis_scale(largest, inverse(unit)) if unit else (1.0, "")
        time = factor * times
        jumps.set_xlabel(f"time ({units})" if units else "time")
        _averages(squeezing, size, data, time)
        for k in range(data.sizes["trajectory"]):
            color = PALETTE[k % len(PALETTE)]
            one = data.isel(trajectory=k)
            level, _ = decibels_with_error(one["trajectory_xi2"].values, None)
            squeezing.plot(time, level, color=color)
            size.plot(time, one["trajectory_effective_spins"].values, color=color)
            when = factor * one["jump_time"].values
            jumps.eventplot(when[np.isfinite(when)], lineoffsets=k, color=color, linewidths=0.6)
        _finish(data, squeezing, size, jumps)
        if title:
            spins = f"N = {int(data.attrs['n_spins'])}, single trajectories"
            squeezing.set_title(wrapped(data.attrs.get("title") or spins))
    figure = figure_of(squeezing)
    fit.fit(figure, [squeezing, size, jumps])
    return figure


def _panels(ax: Any, asked: float | None) -> list[Axes]:
    from matplotlib.axes import Axes

    if ax is None:
        grid = new_figure(6.4, 7.2, asked=asked).subplots(
            3, 1, sharex=True, gridspec_kw={"height_ratios": [1.7, 1, 0.8]}
        )
        return list(grid)
    panels = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(panels) != 3 or not all(isinstance(panel, Axes) for panel in panels):
        raise InvalidInput(f"ax must be three matplotlib Axes, got {type(ax).__name__}")
    return panels


def _averages(squeezing: Axes, size: Axes, data: Any, time: Any) -> None:
    look: dict[str, Any] = {"color": GREY, "linestyle": "--", "label": "average"}
    level, _ = decibels_with_error(data["xi2"].values, None)
    squeezing.plot(time, level, **look)
    size.plot(time, data["effective_spins"].values, **look)


def _finish(data: Any, squeezing: Axes, size: Axes, jumps: Axes) -> None:
    squeezing.axhline(0.0, color=GREY, linewidth=1.0, linestyle=(0, (1, 1.5)), zorder=1)
    squeezing.set_ylabel(r"squeezing $\xi^2$ (dB)")
    levels = np.concatenate([np.asarray(line.get_ydata(), float) for line in squeezing.get_lines()])
    low, high = float(np.nanmin(levels, initial=0.0)), float(np.nanmax(levels, initial=0.0))
    high = min(high, max(3.0, -0.6 * low))  # above that nothing is squeezed
    room = 0.1 * max(high - low, 0.1)
    squeezing.set_ylim(low - room, high + room)
    squeezing.legend(loc="best")
    size.set_ylabel("effective spins")
    jumps.set_ylabel("jumps of\ntrajectory")
    jumps.set_yticks(range(data.sizes["trajectory"]))
    jumps.grid(visible=False)
