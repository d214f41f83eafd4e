"""Squeezing, contrast and total spin against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.written_units import axis_scale, is_laboratory
from spinsqueeze.plot import fit, inputs, legends, marks, readout
from spinsqueeze.plot.style import (
    DASHES,
    GREY,
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    new_figure,
    style,
    with_superscripts,
    wrapped,
)
from spinsqueeze.results import realisations

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation


CURVE = "curve"


@clear_call
def squeezing(
    data: Any,
    *,
    ax: Any = None,
    optimum: Any = None,
    width: Any = None,
    title: bool = True,
    labels: bool = True,
) -> Figure:
    """Draw xi2 in decibels, contrast and <S^2> against time, in three panels one above the other.

    Every curve with a `<name>_stderr` has a band of 1 standard error. xi2 is drawn as
    10 log10(xi2), with a band of +-(10/ln 10) stderr/xi2, and a line at 0 dB for a coherent state.
    <S^2> is divided by (N/2)(N/2 + 1), its value for spins all alike. Times without a number (an
    undefined direction, a negative variance) leave a gap, and a note counts them. Where the curve
    of xi2 climbs far above 0 dB the panel is cut, so that the squeezed part stays legible.

    A run with a readout has two curves of xi2, "at the atoms" and "as measured" (`measured_xi2`),
    and where its optimum is given both optima are marked; contrast and <S^2> are the atoms' own.
    Of an average over realisations a note says how many there are.

    Times in laboratory units are drawn in seconds with their prefix: where rates are in "2 pi MHz",
    in microseconds, the factor 2 pi divided out. Very small and large times of other units carry
    a power of ten in the label.

    Args:
        data: a Dataset with the one dimension `time` in its curves (a single run, or one point of
            a sweep), or {label: Dataset} to lay several over one another.
        ax: None for a new figure; three axes to draw into; or one axes, for xi2 alone.
        optimum: what `spinsqueeze.optimum(data)` returns, to be marked with its error bar; hollow
            where it is the lowest of these times, not interpolated. For several datasets
            {label: optimum}; two and more are told in the legend. Decibels go to 0.01, times to
            four digits, and an error is said where it changes the last digit.
        width: of a new figure, inches or "column" (3.4).
        title: whether there is a title.
        labels: whether optima are put in words, and notes drawn.

    Returns:
        The figure; `figure.savefig("squeezing.png")` writes it. It needs no display.

    Raises:
        InvalidInput: nothing to draw, a variable is missing, there are dimensions besides time,
            the units of time differ, `ax` is neither one axes nor three, or width is no width.
    """
    datasets = inputs.labelled(data)
    curves = readout.curves_of(datasets, inputs.optima_of(optimum, datasets))
    axis = _time_axis(datasets)
    marked = [curve for curve in curves if curve.optimum is not None]
    asked = inches(width, ax)
    with style(asked):
        panels = _panels(ax, asked)
        words_below = []
        for index, curve in enumerate(curves):
            look = _look(index, len(curves))
            best = curve.optimum
            words = ""
            if labels and best is not None and len(marked) > 1:
                words = f": {marks.in_words(best, axis, joint=' ')}"
            look["label"] = with_superscripts(curve.label) + words
            _draw(curve, panels, look, axis)
            if best is not None:
                marks.draw(panels, best, look, axis)
            if labels and best is not None and len(marked) == 1:
                shown = curve.label if len(curves) > 1 else None
                words_below.append(marks.annotate(panels[0], best, look, axis, name=shown))
        top = panels[0]
        if title and not top.get_title():
            top.set_title(wrapped(inputs.title_of(datasets)))
        note = _note(top, datasets) if labels else []
        _finish(panels, axis, note, words_below)
    return figure_of(panels[0])


def _look(index: int, count: int) -> dict[str, Any]:
    """Colour and dash of one of several curves."""
    dash = index // len(PALETTE) if count > len(PALETTE) else index
    return {"color": PALETTE[index % len(PALETTE)], "linestyle": DASHES[dash % len(DASHES)]}


def _time_axis(curves: Mapping[str, Any]) -> marks.TimeAxis:
    unit = inputs.unit_of(next(iter(curves.values())))
    times = [np.abs(dataset["time"].values).max(initial=0.0) for dataset in curves.values()]
    return marks.TimeAxis(*axis_scale(float(max(times)), unit), spoken=is_laboratory(unit))


def _panels(ax: Any, asked: float | None) -> list[Axes]:
    from matplotlib.axes import Axes

    if ax is None:
        figure = new_figure(6.4, 7.2, asked=asked)
        grid = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1.7, 1, 1]})
        return list(grid)
    if isinstance(ax, Axes):
        return [ax]
    panels = list(np.ravel(np.asarray(ax, dtype=object))) if _is_sequence(ax) else []
    if len(panels) not in (1, 3) or not all(isinstance(panel, Axes) for panel in panels):
        raise InvalidInput(
            "ax must be one matplotlib Axes (xi2 alone) or three (xi2, contrast, <S^2>), "
            f"got {type(ax).__name__}" + (f" of {len(panels)}" if panels else "")
        )
    return panels


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def _draw(
    curve: readout.Curve, panels: Sequence[Axes], look: Mapping[str, Any], axis: marks.TimeAxis
) -> None:
    dataset = curve.data
    time = axis.factor * np.asarray(dataset["time"].values, dtype=float)
    xi2, stderr = _values(dataset, curve.source)
    level, level_error = decibels_with_error(xi2, stderr)
    _curve(panels[0], time, level, level_error, look)
    if len(panels) == 1 or curve.measured:
        return
    contrast, stderr = _values(dataset, "contrast")
    _curve(panels[1], time, contrast, stderr, look)
    squared, stderr = _values(dataset, "total_spin_squared")
    left = dataset["spins_left"] if "spins_left" in dataset else dataset.attrs["n_spins"]
    spin = np.asarray(left, dtype=float) / 2
    scale = np.where(spin > 0, spin * (spin + 1), 1.0)
    _curve(panels[2], time, squared / scale, None if stderr is None else stderr / scale, look)


def _values(dataset: Any, name: str) -> tuple[Floats, Floats | None]:
    values = np.asarray(dataset[name].values, dtype=float)
    partner = f"{name}_stderr"
    if partner not in dataset.data_vars:
        return values, None
    return values, np.asarray(dataset[partner].values, dtype=float)


def _curve(
    panel: Axes, time: Floats, values: Floats, stderr: Floats | None, look: Mapping[str, Any]
) -> None:
    if np.isfinite(values).sum() == 1:
        look = {**look, "marker": "o"}
    panel.plot(time, values, gid=CURVE, **look)
    if stderr is not None:
        panel.fill_between(
            time, values - stderr, values + stderr, color=look["color"], alpha=0.28, linewidth=0
        )


def _note(top: Axes, curves: Mapping[str, Any]) -> list[Annotation]:
    """What there is to say of the curves, between title and panel; one text, or none."""
    lines = _notes(curves)
    if not lines:
        return []
    letters = 0.83 * float(top.yaxis.label.get_fontsize())
    return [
        top.annotate(
            ";\n".join(lines), (0.0, 1.0), xycoords="axes fraction", xytext=(0, 4), color=GREY,
            textcoords="offset points", fontsize=letters, va="bottom",
        )
    ]  # fmt: skip


def _finish(
    panels: Sequence[Axes],
    axis: marks.TimeAxis,
    notes: Sequence[Annotation],
    labels: Sequence[Annotation],
) -> None:
    top = panels[0]
    top.axhline(
        0.0, color=GREY, linewidth=1.0, linestyle=(0, (1, 1.5)), label="_coherent", zorder=1
    )
    top.set_ylabel(r"squeezing $\xi^2$ (dB)")
    letters = float(top.yaxis.label.get_fontsize())
    if len(panels) == 3:
        panels[1].set_ylabel(r"contrast $|\langle S\rangle|/(N/2)$")
        panels[2].set_ylabel(r"$\langle S^2\rangle\,/\,S(S+1)$" "\n" r"with $S = N/2$")
        for panel in panels[1:]:
            _limit_fraction(panel)
    panels[-1].set_xlabel(axis.label)
    for panel in panels:
        panel.margins(x=0.01)
    limits = _limit_decibels(top, below=(0.2 if labels else 0.0) * top.bbox.height, above=0.0)
    if any(label and not label.startswith("_") for label in top.get_legend_handles_labels()[1]):
        top.legend(loc="best", fontsize=0.9 * letters).set_in_layout(False)
    for label in labels:
        label.set_in_layout(False)
    figure = figure_of(top)
    if len(panels) == 3:
        figure.align_ylabels(list(panels))

    def make_room() -> None:
        if top.get_ylim() == limits:  # else they are the caller's now
            _make_room(top, labels)

    fit.fit(figure, panels, notes=notes, over=True, after=make_room)


def _make_room(top: Axes, labels: Sequence[Annotation]) -> None:
    """Room above the curve for a legend, below it for the words on the optimum.

    The legend stays beside the curves where there is a place; otherwise it goes above them.
    """
    for label in labels:
        fit.keep_inside(label, top)
    point = figure_of(top).dpi / 72.0
    for _ in range(6):
        below = max((fit.height(label) + 15 * point for label in labels), default=0.0)
        if below <= 0.6 * top.bbox.height:
            break
        for label in labels:
            fit.shrink(label, 0.88)
    _limit_decibels(top, below=below, above=0.0)
    for label in labels:
        fit.keep_inside(label, top)
    if top.get_legend() is None or legends.fits_beside(top, labels):
        return
    legends.put_above(top, 0.0)
    _limit_decibels(top, below=below, above=fit.height(top.get_legend()))


def _notes(curves: Mapping[str, Any]) -> list[str]:
    """What a band of an average is, and how many times cannot be drawn; a line each."""
    parts, lines = [], []
    averages = {label: realisations.count_of(dataset) for label, dataset in curves.items()}
    if any(averages.values()):
        same = len(set(averages.values())) == 1
        counts = [f"{k}: {n}" if k and not same else n for k, n in averages.items() if n]
        said = ", ".join(dict.fromkeys(counts))
        lines.append(f"average of {said} realisations; {realisations.BAND.format('band')}")
    for label, dataset in curves.items():
        values = np.asarray(dataset["xi2"].values, dtype=float)
        gaps = int(np.count_nonzero(~(values > 0)))
        if gaps:
            where = f"{label}: " if label else ""
            parts.append(f"{where}{gaps} of {values.size} times undefined")
    return [*lines, "; ".join(parts)] if parts else lines


def _limit_decibels(panel: Axes, *, below: float, above: float) -> tuple[float, float]:
    """Cut off what is far above 0 dB; below, above: pixels to keep free beside the curves."""
    finite = _finite(panel)
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    ceiling = min(high, max(3.0, -0.6 * low))
    ceiling = max(ceiling, low + 1.0)
    tall = panel.bbox.height
    fit.reserve(
        panel, low=low, high=ceiling, below=max(below, 0.07 * tall), above=above + 0.05 * tall
    )
    return panel.get_ylim()


def _limit_fraction(panel: Axes) -> None:
    """From 0 to 1, or closer where nothing falls below 0.6."""
    finite = _finite(panel)
    low = float(finite.min(initial=1.0))
    high = max(float(finite.max(initial=1.0)), 1.0)
    bottom = min(low, 0.0) if low < 0.6 else min(low, 0.95)
    room = high - bottom
    panel.set_ylim(bottom - (0.0 if bottom == 0.0 else 0.06 * room), high + 0.06 * room)


def _finite(panel: Axes) -> Floats:
    """Every finite value of the curves in a panel."""
    curves = [line for line in panel.get_lines() if line.get_gid() == CURVE]
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in curves])
    finite: Floats = values[np.isfinite(values)]
    return finite
