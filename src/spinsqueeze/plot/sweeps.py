"""A quantity against swept parameters: a curve over one, a map over two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.checks import did_you_mean
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.plot import validity
from spinsqueeze.plot.style import (
    GREY,
    MISSING,
    PALETTE,
    decibels_with_error,
    draw_as_written,
    figure_of,
    new_figure,
    style,
    wrapped,
)
from spinsqueeze.results.grid import sweep_dims

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


SQUEEZING = ("optimal_xi2", "xi2")
_LABELS = {
    "optimal_xi2": r"optimal squeezing $\xi^2$ (dB)",
    "xi2": r"squeezing $\xi^2$ (dB)",
    "optimal_time": "optimal time",
}
_TICKS = 14


@clear_call
def sweep(data: Any, *, quantity: str | None = None, ax: Any = None) -> Figure:
    """Draw a quantity of a sweep against the swept parameters.

    Over one parameter: a curve with bars of 1 standard error. Over two: a map, the first upwards
    and the second to the right. Squeezing is drawn as 10 log10(xi2). Log-spaced parameters get a
    logarithmic axis; words and infinities are set side by side. Points without a number are left
    out (curve) or grey (map), and a note counts them. Open circles (curve) and dots (map) mark
    optima that are only the lowest of their times: at the first or last one, or where the times are
    too coarse. Other times may squeeze more. Of perturbation theory a band shows what the next
    orders change (curve), and a dashed line where the paramagnet breaks in mean field.

    Args:
        data: what `spinsqueeze.sweep` returns, with one or two swept dimensions; reduce others
            with `data.isel`.
        quantity: a variable over the swept dimensions alone; default optimal_xi2, or xi2 for
            steady states.
        ax: one axes to draw into, None for a new figure.

    Returns:
        The figure; `figure.savefig("sweep.png")` writes it. It needs no display.

    Raises:
        InvalidInput: data is no sweep, has more than two swept dimensions, the quantity is not
            there or has other dimensions, or nothing in it is a number.
    """
    name = _quantity(data, quantity)
    axes = [_axis(data, dim) for dim in data[name].dims]
    values = np.asarray(data[name].values, dtype=float)
    errors = _errors(data, name)
    band, load = validity.band(data, name), validity.load(data, data[name].dims)
    if name in SQUEEZING:
        values, errors = decibels_with_error(values, errors)
        if band is not None:
            band = decibels_with_error(band[0], None)[0], decibels_with_error(band[1], None)[0]
    if not np.isfinite(values).any():
        raise InvalidInput(f"{name} must hold a number at some point, got none; see data['reason']")
    edge = np.zeros(values.shape, dtype=bool)
    if name.startswith("optimal_") and "optimal_at_edge" in data:
        edge = np.asarray(data["optimal_at_edge"].values == 1)
        if "optimal_status" in data:
            edge |= np.asarray(data["optimal_status"].values == OptimumStatus.TOO_COARSE)
    lost = False
    with style():
        panel = _panel(ax)
        if len(axes) == 1:
            _draw_curve(panel, axes[0], values, errors, edge)
            _draw_validity(panel, axes[0], values, band, load)
            panel.set_ylabel(_label(data, name))
        else:
            _draw_map(panel, axes, values, edge, _label(data, name), squeezing=name in SQUEEZING)
            lost = load is not None and _draw_lost_region(panel, axes, load)
        notes = _notes(values, edge, lost=lost)
        if notes:
            panel.annotate(
                "\n".join(notes), (0.0, 1.0), xycoords="axes fraction", xytext=(0, 4),
                textcoords="offset points", color=GREY, fontsize="small", va="bottom",
            )  # fmt: skip
        if not panel.get_title() and data.attrs.get("title"):
            panel.set_title(wrapped(str(data.attrs["title"])), pad=8 + 12 * max(1, len(notes)))
    figure = figure_of(panel)
    draw_as_written(figure)
    return figure


@final
@dataclass(frozen=True)
class _Axis:
    """Where values stand on an axis: (n,) positions, words under them or none, its scale."""

    label: str
    positions: Floats
    words: tuple[str, ...]
    logarithmic: bool

    def edges(self) -> Floats:
        """(n + 1,) borders of the cells around the positions."""
        at = np.log(self.positions) if self.logarithmic else self.positions
        if len(at) == 1:
            inner = np.array([at[0] - 0.5, at[0] + 0.5])
        else:
            middle = (at[1:] + at[:-1]) / 2
            inner = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
        return np.exp(inner) if self.logarithmic else inner


def _quantity(data: Any, quantity: str | None) -> str:
    if not hasattr(data, "data_vars") or "status" not in data.data_vars:
        kind = "a single run" if hasattr(data, "data_vars") else type(data).__name__
        raise InvalidInput(
            f"data must be what spinsqueeze.sweep returns, got {kind}; "
            "plot.squeezing draws a single run"
        )
    dims = sweep_dims(data)
    if not 1 <= len(dims) <= 2:
        sizes = ", ".join(f"{dim} ({data.sizes[dim]})" for dim in dims) or "none"
        remedy = f": select with data.isel({dims[0]}=0)" if dims else ": it is a single point"
        raise InvalidInput(f"data must have one or two swept dimensions, got {sizes}{remedy}")
    known = [
        str(n)
        for n, v in data.data_vars.items()
        if set(v.dims) == set(dims) and v.dtype.kind in "fi" and not str(n).endswith("_stderr")
    ]
    if quantity is None:
        quantity = next((n for n in SQUEEZING if n in known), None)
        if quantity is None:
            raise InvalidInput(
                f"data must hold xi2 or optimal_xi2 to draw; or name a quantity of {known}"
            )
    if quantity not in known:
        if quantity in data.data_vars:
            raise InvalidInput(
                f"quantity {quantity} must be a number at each point, it has dimensions "
                f"{', '.join(map(str, data[quantity].dims))}; select the others with data.isel"
            )
        raise InvalidInput(f"quantity {quantity!r} is not in data; {did_you_mean(quantity, known)}")
    return quantity


def _axis(data: Any, dim: Any) -> _Axis:
    values = data[dim].values if dim in data.coords else np.arange(data.sizes[dim])
    others = [str(n) for n, c in data.coords.items() if c.dims == (dim,) and n != dim]
    label = str(dim) + (f" (with {', '.join(others)})" if others else "")
    if values.dtype.kind not in "fi" or not np.isfinite(values).all():
        words = tuple(f"{v:g}" if isinstance(v, float) else str(v) for v in values.tolist())
        return _Axis(label, np.arange(len(words), dtype=float), words, False)
    at = np.asarray(values, dtype=float)
    return _Axis(label, at, (), _log_spaced(at))


def _log_spaced(values: Floats) -> bool:
    if len(values) < 3 or np.any(values <= 0) or values.max() / values.min() < 4:
        return False
    steps = np.diff(np.log(np.sort(values)))
    return bool(np.ptp(steps) < 1e-6 * np.abs(steps).max())


def _errors(data: Any, name: str) -> Floats | None:
    partner = f"{name}_stderr"
    return np.asarray(data[partner].values, dtype=float) if partner in data else None


def _label(data: Any, name: str) -> str:
    label = _LABELS.get(name) or str(data[name].attrs.get("long_name", name))
    units = str(data[name].attrs.get("units", ""))
    return label if name in SQUEEZING or units in ("", "1") else f"{label} ({units})"


def _panel(ax: Any) -> Axes:
    from matplotlib.axes import Axes

    if ax is None:
        panel: Axes = new_figure(6.0, 4.2).subplots()
        return panel
    if not isinstance(ax, Axes):
        raise InvalidInput(f"ax must be one matplotlib Axes, got {type(ax).__name__}")
    return ax


def _draw_curve(
    panel: Axes, axis: _Axis, values: Floats, errors: Floats | None, edge: Booleans
) -> None:
    order = np.argsort(axis.positions)
    known = order[np.isfinite(values[order])]
    x, y = axis.positions[known], values[known]
    colour = PALETTE[0]
    joined = "none" if axis.words else "-"
    panel.plot(x, y, color=colour, linestyle=joined, linewidth=1.3)
    bars = None if errors is None else np.where(np.isfinite(errors), errors, 0.0)[known]
    panel.errorbar(x, y, bars, fmt="none", ecolor=colour, elinewidth=1.3, capsize=2)
    for open_, fill in ((False, colour), (True, "white")):
        chosen = edge[known] == open_
        panel.plot(
            x[chosen], y[chosen], "o", markersize=5, color=colour, markerfacecolor=fill, zorder=3
        )
    _scale(panel, "x", axis)


def _draw_validity(
    panel: Axes,
    axis: _Axis,
    values: Floats,
    band: tuple[Floats, Floats] | None,
    load: Floats | None,
) -> None:
    if axis.words:
        return
    order = np.argsort(axis.positions)
    known = order[np.isfinite(values[order])]
    if band is not None:
        validity.draw_band(
            panel, axis.positions[known], band[0][known], band[1][known], colour=PALETTE[0]
        )
    if load is not None:
        validity.draw_lost_line(panel, axis.positions[order], load[order])
    if panel.get_legend_handles_labels()[1]:
        panel.legend()


def _draw_lost_region(panel: Axes, axes: list[_Axis], load: Floats) -> bool:
    up, right = axes
    if up.words or right.words:
        return False
    rows, columns = np.argsort(up.positions), np.argsort(right.positions)
    return validity.draw_lost_region(
        panel, right.positions[columns], up.positions[rows], load[np.ix_(rows, columns)]
    )


def _draw_map(
    panel: Axes,
    axes: list[_Axis],
    values: Floats,
    edge: Booleans,
    label: str,
    *,
    squeezing: bool,
) -> None:
    up, right = axes
    rows, columns = np.argsort(up.positions), np.argsort(right.positions)
    up, right = _sorted(up, rows), _sorted(right, columns)
    shown, edge = values[np.ix_(rows, columns)], edge[np.ix_(rows, columns)]
    panel.set_facecolor(MISSING)
    panel.grid(visible=False)
    image = panel.pcolormesh(
        right.edges(), up.edges(), np.ma.masked_invalid(shown),
        cmap="viridis_r" if squeezing else "viridis", rasterized=True,
    )  # fmt: skip
    k, m = np.nonzero(edge & np.isfinite(shown))
    panel.plot(
        right.positions[m], up.positions[k], "o", markersize=3, color="white",
        markeredgecolor="black", markeredgewidth=0.6,
    )  # fmt: skip
    _scale(panel, "x", right)
    _scale(panel, "y", up)
    figure_of(panel).colorbar(image, ax=panel, label=label)


def _sorted(axis: _Axis, order: Integers) -> _Axis:
    words = tuple(axis.words[k] for k in order) if axis.words else ()
    return _Axis(axis.label, axis.positions[order], words, axis.logarithmic)


def _scale(panel: Axes, which: str, axis: _Axis) -> None:
    if axis.logarithmic:
        panel.set(**{f"{which}scale": "log"})
    if axis.words:
        step = -(-len(axis.words) // _TICKS)
        panel.set(
            **{
                f"{which}ticks": axis.positions[::step],
                f"{which}ticklabels": axis.words[::step],
            }
        )
    panel.set(**{f"{which}label": axis.label})


def _notes(values: Floats, edge: Booleans, *, lost: bool) -> list[str]:
    parts = []
    missing = int(np.count_nonzero(~np.isfinite(values)))
    if missing:
        parts.append(f"{missing} of {values.size} points without a number")
    at_edge = int(np.count_nonzero(edge & np.isfinite(values)))
    if at_edge:
        mark = "open circles" if values.ndim == 1 else "dots"
        parts.append(f"{mark}: first or last time is lowest, or times too coarse")
    lines = ["; ".join(parts)] if parts else []
    return [*lines, "dashed: the paramagnet breaks in mean field"] if lost else lines
