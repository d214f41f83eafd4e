"""Texts that fit: what a picture says is measured, then wrapped, shrunk or thinned out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.plot.style import draw_as_written, figure_of, refilled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_SMALLEST = 5.0
"""Points below which no text is shrunk."""
_MARGIN = 7.0
"""Pixels kept free around a text."""
_TITLE_LINES = 3


def fit(
    figure: Figure,
    panels: Sequence[Axes],
    *,
    notes: Sequence[Text] = (),
    over: bool = False,
    after: Callable[[], None] | None = None,
) -> None:
    """Make titles, labels, ticks and notes of panels fit, each beside all others.

    A title is wrapped to the width it has, a label of an axis broken and shrunk to the length of
    its axis, tick labels are thinned out until none touch, notes wrapped to the width of their
    panel. That needs the layout, so figures of ours wait until they are drawn.

    Args:
        figure: holds the panels.
        panels: what to look after.
        notes: texts within the width of a panel, outside the layout.
        over: the notes stand over their panel: its title makes room for them.
        after: is called when everything else has its size.
    """
    draw_as_written(figure)
    for note in notes:
        note.set_in_layout(False)

    def work() -> None:
        draw_as_written(figure)
        _lay_out(figure)
        for _ in range(3):  # what changes takes its room from other panels
            changed = _fit_texts(figure, panels, notes)
            if over and notes:
                changed |= _lift_title(panels[0], notes[0])
            if not changed:
                break
            _lay_out(figure)
        for panel in (*panels, *_colour_bars(figure, panels)):
            for axis in (panel.xaxis, panel.yaxis):
                _fit_ticks(axis)
        if after is not None:
            after()

    waiting = getattr(figure, "before_drawing", None)
    if waiting is None:
        work()
    else:
        waiting.append(work)


def _lift_title(panel: Axes, note: Text) -> bool:
    """Put the title above a note; where there is none, an empty one keeps room for the note.

    Whether it was too low.
    """
    box, above = panel.title.get_window_extent(), note.get_window_extent()
    if panel.get_title() and box.y0 >= above.y1:
        return False
    letters = float(panel.title.get_fontsize())
    pad = above.height * 72.0 / figure_of(panel).dpi + 6.0 + 0.4 * letters
    panel.set_title(panel.get_title() or "\N{NO-BREAK SPACE}", pad=pad, fontsize=letters)
    return True


def _lay_out(figure: Figure) -> None:
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def _fit_texts(figure: Figure, panels: Sequence[Axes], notes: Sequence[Text]) -> bool:
    """Whether any of them changed."""
    changed = False
    for panel in (*panels, *_colour_bars(figure, panels)):
        changed |= _fit_label(panel.yaxis.label, panel.bbox.height)
        changed |= _fit_label(panel.xaxis.label, _width(panel, figure))
        changed |= _fill(panel.title, _width(panel, figure), lines=_TITLE_LINES)
    for note in notes:
        if note.axes is not None:
            changed |= _fill(note, note.axes.bbox.width - 2 * _MARGIN, lines=_TITLE_LINES)
    if changed:
        draw_as_written(figure)
    return changed


def height(text: Any) -> float:
    """Pixels that a text or a legend takes up and down."""
    return float(text.get_window_extent().height)


def shrink(text: Text, factor: float) -> None:
    """Smaller letters, not below 5 points."""
    text.set_fontsize(max(_SMALLEST, float(text.get_fontsize()) * factor))


def keep_inside(label: Text, panel: Axes) -> None:
    """Move an annotation sideways into its panel; its letters shrink where it is too wide."""
    wide = panel.bbox.width - 2 * _MARGIN
    box = label.get_window_extent()
    if box.width > wide:
        shrink(label, wide / box.width)
        box = label.get_window_extent()
    left, right = panel.bbox.x0 + _MARGIN, panel.bbox.x1 - _MARGIN
    move = max(left - box.x0, 0.0) or min(right - box.x1, 0.0)
    if move:
        x, y = label.get_position()
        label.set_position((x + move * 72.0 / figure_of(panel).dpi, y))


def reserve(panel: Axes, *, low: float, high: float, below: float, above: float) -> None:
    """Limits of y that keep `below` and `above` pixels free beside the values low to high."""
    free = max(panel.bbox.height - below - above, 0.2 * panel.bbox.height)
    scale = (high - low) / free
    panel.set_ylim(low - below * scale, high + above * scale)


def touches(box: Any, others: Sequence[Any]) -> bool:
    """Whether a box meets one of the others, or comes within a pixel."""
    return any(
        box.x0 < other.x1 + 1 and other.x0 < box.x1 + 1
        and box.y0 < other.y1 + 1 and other.y0 < box.y1 + 1
        for other in others
    )  # fmt: skip


def covers_curve(panel: Axes, box: Any) -> bool:
    """Whether a box in pixels covers a part of a curve of a panel."""
    for line in panel.get_lines():
        if str(line.get_label()).startswith("_"):
            continue
        points = line.get_transform().transform(line.get_xydata())
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) == 0:
            continue
        steps = np.linspace(0.0, 1.0, 33)[:, None, None]
        dense = (points[:-1] + steps * np.diff(points, axis=0)).reshape(-1, 2)
        dense = np.concatenate([dense, points])
        x, y = dense[:, 0], dense[:, 1]
        if np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)):
            return True
    return False


def _colour_bars(figure: Figure, panels: Sequence[Axes]) -> list[Axes]:
    """The axes of colour bars in a figure that holds one panel of ours alone."""
    if len(panels) != 1:
        return []
    return [ax for ax in figure.axes if ax not in panels and hasattr(ax, "_colorbar")]


def _width(panel: Axes, figure: Figure) -> float:
    """Pixels that a text centred over a panel may take: its own width where it has neighbours."""
    box, page = panel.bbox, figure.bbox
    for other in figure.axes:
        apart = other.bbox.x0 >= box.x1 or other.bbox.x1 <= box.x0
        if other is not panel and apart and not hasattr(other, "_colorbar"):
            return float(box.width)
    middle = (box.x0 + box.x1) / 2
    return float(2 * min(middle - page.x0, page.x1 - middle) - 2 * _MARGIN)


def _fill(text: Text, room: float, *, lines: int) -> bool:
    """Wrap a text to its room; smaller letters where that makes many lines or a word is wider."""
    many = text.get_text().count("\n") >= lines
    if not text.get_text() or (not many and text.get_window_extent().width <= room):
        return False
    _wrap(text, room)
    for _ in range(5):
        if text.get_text().count("\n") < lines or float(text.get_fontsize()) <= _SMALLEST:
            break
        shrink(text, 0.9)
        _wrap(text, room)
    _shrink_to(text, room, upright=False)
    return True


def _wrap(text: Text, room: float) -> None:
    drawn = text.get_text()
    longest = max(len(line) for line in drawn.split("\n"))
    per_sign = text.get_window_extent().width / max(longest, 1)
    for slack in (1.15, 1.07, 1.0, 0.93, 0.86, 0.8):
        text.set_text(refilled(drawn, max(int(slack * room / per_sign), 8)))
        if text.get_window_extent().width <= room:
            return


def _fit_label(label: Text, room: float) -> bool:
    """Break a label at the space nearest to its middle if it is too long; then smaller letters."""
    upright = abs(label.get_rotation() - 90.0) < 1.0
    if not label.get_text() or _length(label, upright) <= room:
        return False
    whole = label.get_text()
    spaces = list(_breaks(whole))
    if spaces and "\n" not in whole:
        k = min(spaces, key=lambda k: abs(k - len(whole) / 2))
        label.set_text(f"{whole[:k]}\n{whole[k + 1 :]}")
    _shrink_to(label, room, upright=upright)
    return True


def _breaks(text: str) -> Iterator[int]:
    """Where a text has spaces outside its formulas."""
    hidden = re.sub(r"\$[^$]*\$", lambda formula: "x" * len(formula.group()), text)
    return (k for k, sign in enumerate(hidden) if sign == " ")


def _length(text: Text, upright: bool) -> float:
    box = text.get_window_extent()
    return float(box.height if upright else box.width)


def _shrink_to(text: Text, room: float, *, upright: bool) -> None:
    for _ in range(2):  # letters have whole sizes in pixels, so the first try may miss
        length = _length(text, upright)
        if length > room > 0:
            shrink(text, 0.99 * room / length)


def _fit_ticks(axis: Any) -> None:
    """Thin out tick labels until none touches its neighbour."""
    if _apart(axis):
        return
    from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter

    axis.set_minor_formatter(NullFormatter())
    locator = axis.get_major_locator()
    if isinstance(locator, FixedLocator):
        ticks, words = axis.get_ticklocs(), [t.get_text() for t in axis.get_ticklabels()]
        for step in (1, 2, 3, 4, 6, 8, 12, len(words)):
            axis.set_ticks(ticks[::step], words[::step])
            if _apart(axis):
                return
        return
    for count in (6, 5, 4, 3, 2, 1):
        if isinstance(locator, LogLocator):
            axis.set_major_locator(LogLocator(numticks=count + 1))
        else:
            axis.set_major_locator(MaxNLocator(count))
        if _apart(axis):
            return


def _apart(axis: Any) -> bool:
    boxes = [label.get_window_extent() for label in seen_ticks(axis)]
    along = axis.axis_name == "x"
    boxes.sort(key=lambda box: box.x0 if along else box.y0)
    gap = 3.0 if along else 1.0
    return all((b.x0 - a.x1 if along else b.y0 - a.y1) >= gap for a, b in pairwise(boxes))


def seen_ticks(axis: Any) -> list[Text]:
    """The tick labels of an axis within its limits; there are more that are not drawn."""
    scale = axis.get_transform().transform
    low, high = sorted(scale(np.asarray(axis.get_view_interval(), dtype=float)))
    room = 1e-6 * (high - low)
    k = 0 if axis.axis_name == "x" else 1
    labels = [t for t in axis.get_ticklabels(which="both") if t.get_text() and t.get_visible()]
    at = scale(np.array([label.get_position()[k] for label in labels], dtype=float))
    return [t for t, x in zip(labels, at, strict=True) if low - room <= x <= high + room]
