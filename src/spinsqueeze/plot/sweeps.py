"""A quantity against swept parameters: a curve over one, a map over two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.checks import did_you_mean
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.written_units import axis_scale
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.plot import fit, readout, swept_axes, validity
from spinsqueeze.plot.style import (
    GREY,
    MISSING,
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    single_panel,
    style,
    wrapped,
)
from spinsqueeze.results import realisations
from spinsqueeze.results.dataset import refuse_file_name
from spinsqueeze.results.grid import sweep_dims

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


SQUEEZING = ("optimal_xi2", "xi2")
_DECIBELS = (*SQUEEZING, *readout.MEASURED.values())
_LABELS = {
    "optimal_xi2": r"optimal squeezing $\xi^2$ (dB)",
    "xi2": r"squeezing $\xi^2$ (dB)",
    "optimal_measured_xi2": r"optimal squeezing $\xi^2$ as measured (dB)",
    "measured_xi2": r"squeezing $\xi^2$ as measured (dB)",
    "optimal_time": "optimal time",
}
_EDGE = "first or last time is lowest"
_COARSE = "times too coarse"
_UNSQUEEZED = "no squeezing at these times"
DOUBTS = {_EDGE: ("o", "circles"), _COARSE: ("D", "diamonds"), _UNSQUEEZED: ("v", "triangles")}
"""Why an optimum is only the lowest of its times: the mark, and what the note calls it."""


@clear_call
def sweep(
    data: Any,
    *,
    quantity: str | None = None,
    ax: Any = None,
    width: Any = None,
    title: bool = True,
    labels: bool = True,
) -> Figure:
    """Draw a quantity of a sweep against the swept parameters.

    Over one parameter: a curve with bars of 1 standard error. Over two: a map, the first upwards
    and the second to the right. Squeezing is drawn as 10 log10(xi2). Parameters whose logarithms
    are more evenly spaced (10, 32, 100, 316; 1, 2, 5, 10) get a logarithmic axis; words and
    infinities are set side by side. Points without a number are left out (curve) or grey (map), and
    a note counts them. Open marks show optima that are only the lowest of their times: circles at
    the first or last one, diamonds where the times are too coarse, triangles where the initial
    state is lowest (no squeezing at these times). Other times may squeeze more. Of perturbation
    theory a band shows what the next orders change (curve), and a dashed line where the paramagnet
    breaks in mean field. Runs with a readout have a second curve, as measured (squares, dotted); a
    map is that at the atoms, or as measured where the readout is swept or named as the quantity.
    Of averages over realisations a note says how many there are. Times in laboratory units are
    drawn in seconds with their prefix, the factor 2 pi divided out.

    Args:
        data: what `spinsqueeze.sweep` returns, with one or two swept dimensions; reduce others
            with `data.isel`.
        quantity: a variable over the swept dimensions alone; default optimal_xi2, or xi2 for
            steady states.
        ax: one axes to draw into, None for a new figure.
        width: of a new figure, inches or "column" (3.4).
        title: whether there is a title.
        labels: whether notes are drawn.

    Returns:
        The figure; `figure.savefig("sweep.png")` writes it. It needs no display.

    Raises:
        InvalidInput: data is no sweep, has more than two swept dimensions, the quantity is not
            there or has other dimensions, nothing in it is a number, or width is no width.
    """
    name, other = readout.quantities(data, _quantity(data, quantity), chosen=quantity is not None)
    axes = [swept_axes.axis_of(data, dim) for dim in data[name].dims]
    field, label = _field(data, name)
    if not np.isfinite(field.values).any():
        raise InvalidInput(f"{name} must hold a number at some point, got none; see data['reason']")
    measured = None if other is None else _field(data, other)[0]
    if measured is None and name in SQUEEZING and readout.found(data, name):
        label = label.replace(" (dB)", f" {readout.AT_ATOMS} (dB)")
    asked = inches(width, ax)
    with style(asked):
        panel = single_panel(ax, 6.0, 4.2, asked=asked)
        lost = _draw(panel, axes, [field, *([] if measured is None else [measured])], label, name)
        lines = _notes(field, measured, lost=lost, average=realisations.count_of(data))
        letters = 0.83 * float(panel.yaxis.label.get_fontsize())
        notes = [
            panel.annotate(
                ";\n".join(lines), (0.0, 1.0), xycoords="axes fraction", xytext=(0, 4),
                textcoords="offset points", color=GREY, fontsize=letters, va="bottom",
            )
        ] if labels and lines else []  # fmt: skip
        if title and not panel.get_title() and data.attrs.get("title"):
            panel.set_title(wrapped(str(data.attrs["title"])))
    figure = figure_of(panel)
    fit.fit(figure, [panel], notes=notes, over=True)
    return figure


def _field(data: Any, name: str) -> tuple[_Field, str]:
    """What is drawn of a quantity at every point, and the label of its axis."""
    dims = data[name].dims
    values = np.asarray(data[name].values, dtype=float)
    errors = _errors(data, name)
    band, load = validity.band(data, name), validity.load(data, dims)
    if name in _DECIBELS:
        values, errors = decibels_with_error(values, errors)
        if band is not None:
            band = decibels_with_error(band[0], None)[0], decibels_with_error(band[1], None)[0]
    label, factor = _label(data, name, values)
    values, errors = factor * values, None if errors is None else factor * errors
    if band is not None:
        band = factor * band[0], factor * band[1]
    return _Field(values, errors, _doubts(data, name, values), band, load), label


def _doubts(data: Any, name: str, values: Floats) -> dict[str, Booleans]:
    """Where an optimum is only the lowest of its times, by why."""
    shape = values.shape
    doubts = {why: np.zeros(shape, dtype=bool) for why in DOUBTS}
    prefix = "optimal_measured_" if name.startswith("optimal_measured_") else "optimal_"
    if not name.startswith(prefix) or f"{prefix}at_edge" not in data:
        return doubts
    status = np.full(shape, OptimumStatus.INSIDE)
    if f"{prefix}status" in data:
        status = np.asarray(data[f"{prefix}status"].values)
    doubts[_UNSQUEEZED] = status == OptimumStatus.INITIAL_STATE
    doubts[_EDGE] = (np.asarray(data[f"{prefix}at_edge"].values) == 1) & ~doubts[_UNSQUEEZED]
    doubts[_COARSE] = status == OptimumStatus.TOO_COARSE
    return {why: where & np.isfinite(values) for why, where in doubts.items()}


@final
@dataclass(frozen=True, eq=False)
class _Field:
    """What is drawn at every point: values, errors, doubts by their cause, band and load."""

    values: Floats
    errors: Floats | None
    doubts: dict[str, Booleans]
    band: tuple[Floats, Floats] | None
    load: Floats | None


def _quantity(data: Any, quantity: str | None) -> str:
    refuse_file_name(data, call="plot.sweep")
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
        if quantity.startswith("optimal_") and (whole := quantity.removeprefix("optimal_")) in data:
            raise InvalidInput(
                f"quantity {quantity!r} is not in data: at the optimum xi2, its time and its angle "
                f"are kept; {whole!r} is there at all times (data[{whole!r}])"
            )
        raise InvalidInput(f"quantity {quantity!r} is not in data; {did_you_mean(quantity, known)}")
    return quantity


def _errors(data: Any, name: str) -> Floats | None:
    partner = f"{name}_stderr"
    return np.asarray(data[partner].values, dtype=float) if partner in data else None


def _label(data: Any, name: str, values: Floats) -> tuple[str, float]:
    """The label of a quantity with its unit, and the factor that goes with it."""
    label = _LABELS.get(name) or str(data[name].attrs.get("long_name", name))
    if name in _DECIBELS:
        return label, 1.0
    units = str(data[name].attrs.get("units", ""))
    finite = np.abs(values[np.isfinite(values)])
    factor, unit = axis_scale(float(finite.max(initial=0.0)), units)
    return f"{label} ({unit})" if unit else label, factor


def _draw(
    panel: Axes, axes: list[swept_axes.SweptAxis], fields: list[_Field], label: str, name: str
) -> bool:
    """Curves or a map; whether a map shows where the paramagnet breaks."""
    field = fields[0]
    if len(axes) == 1:
        looks = zip(PALETTE, "os", "-:", (readout.AT_ATOMS, readout.AS_MEASURED), strict=False)
        for each, (colour, mark, dash, word) in zip(fields, looks, strict=False):
            named = word if len(fields) > 1 else "_curve"
            _draw_curve(panel, axes[0], each, colour=colour, mark=mark, dash=dash, label=named)
        _draw_validity(panel, axes[0], field.values, field.band, field.load)
        if panel.get_legend_handles_labels()[1]:
            panel.legend()
        panel.set_ylabel(label)
        if name not in _DECIBELS and swept_axes.spans_decades(field.values):
            panel.set_yscale("log")
        return False
    _draw_map(panel, axes, field, label, squeezing=name in _DECIBELS)
    return field.load is not None and _draw_lost_region(panel, axes, field.load)


def _draw_curve(
    panel: Axes,
    axis: swept_axes.SweptAxis,
    field: _Field,
    *,
    colour: str,
    mark: str,
    dash: str,
    label: str,
) -> None:
    order = np.argsort(axis.positions)
    known = order[np.isfinite(field.values[order])]
    x, y = axis.positions[known], field.values[known]
    joined = "none" if axis.words else dash
    panel.plot(x, y, color=colour, linestyle=joined, linewidth=1.3)
    errors = field.errors
    bars = None if errors is None else np.where(np.isfinite(errors), errors, 0.0)[known]
    panel.errorbar(x, y, bars, fmt="none", ecolor=colour, elinewidth=1.3, capsize=2)
    doubtful = np.zeros(len(known), dtype=bool)
    for why, (sign, _) in DOUBTS.items():
        chosen = field.doubts[why][known]
        doubtful |= chosen
        if chosen.any():
            panel.plot(
                x[chosen], y[chosen], sign, markersize=5, color=colour, markerfacecolor="white",
                zorder=3,
            )  # fmt: skip
    panel.plot(
        x[~doubtful], y[~doubtful], mark, markersize=5, color=colour, zorder=3, label="_points"
    )
    if not label.startswith("_"):
        panel.plot([], [], color=colour, linestyle=joined, marker=mark, markersize=5, label=label)
    swept_axes.set_scale(panel, "x", axis)


def _draw_validity(
    panel: Axes,
    axis: swept_axes.SweptAxis,
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


def _draw_lost_region(panel: Axes, axes: list[swept_axes.SweptAxis], load: Floats) -> bool:
    up, right = axes
    if up.words or right.words:
        return False
    rows, columns = np.argsort(up.positions), np.argsort(right.positions)
    return validity.draw_lost_region(
        panel, right.positions[columns], up.positions[rows], load[np.ix_(rows, columns)]
    )


def _draw_map(
    panel: Axes, axes: list[swept_axes.SweptAxis], field: _Field, label: str, *, squeezing: bool
) -> None:
    up, right = axes
    rows, columns = np.argsort(up.positions), np.argsort(right.positions)
    up, right = swept_axes.in_order(up, rows), swept_axes.in_order(right, columns)
    shown = field.values[np.ix_(rows, columns)]
    panel.set_facecolor(MISSING)
    panel.grid(visible=False)
    image = panel.pcolormesh(
        right.edges(), up.edges(), np.ma.masked_invalid(shown),
        cmap="viridis_r" if squeezing else "viridis", rasterized=True,
        norm="log" if not squeezing and swept_axes.spans_decades(shown) else None,
    )  # fmt: skip
    for why, (mark, _) in DOUBTS.items():
        k, m = np.nonzero(field.doubts[why][np.ix_(rows, columns)])
        if k.size:
            panel.plot(
                right.positions[m], up.positions[k], mark, markersize=3.5, color="white",
                markeredgecolor="black", markeredgewidth=0.6, linestyle="none",
            )  # fmt: skip
    swept_axes.set_scale(panel, "x", right)
    swept_axes.set_scale(panel, "y", up)
    figure_of(panel).colorbar(image, ax=panel, label=label)


def _notes(field: _Field, measured: _Field | None, *, lost: bool, average: str) -> list[str]:
    values = field.values
    missing = int(np.count_nonzero(~np.isfinite(values)))
    parts = [f"{missing} of {values.size} points without a number"] if missing else []
    fields = [field] if measured is None else [field, measured]
    parts += [
        f"open {name}: {why}"
        for why, (_, name) in DOUBTS.items()
        if any(each.doubts[why].any() for each in fields)
    ]
    lines = ["; ".join(parts)] if parts else []
    if average:
        bars = "" if field.errors is None else f"; {realisations.BAND.format('bars')}"
        lines.append(f"average of {average} realisations at each point{bars}")
    return [*lines, "dashed: the paramagnet breaks in mean field"] if lost else lines
