"""Legends where there is room for them: beside the curves, or above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spinsqueeze.plot import fit
from spinsqueeze.plot.style import OPAQUE, draw_as_written, refilled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend


def fits_beside(panel: Axes, texts: Sequence[Any]) -> bool:
    """Whether the legend of a panel lies inside it, away from its curves and from the texts."""
    box, frame = _legend(panel).get_window_extent(), panel.bbox
    inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
    others = [text.get_window_extent() for text in texts]
    return inside and not fit.touches(box, others) and not fit.covers_curve(panel, box)


def put_above(panel: Axes, above: float) -> None:
    """Put the legend to the top, in as many columns as fit, in letters that fit.

    Args:
        panel: has a legend.
        above: pixels at its top that are taken.
    """
    letters = float(_legend(panel).get_texts()[0].get_fontsize())
    anchor = (0.0, 0.0, 1.0, 1.0 - above / panel.bbox.height)
    handles, labels = panel.get_legend_handles_labels()

    def made(size: float, columns: int) -> tuple[bool, bool]:
        """Whether a legend of this size is narrow enough, and low enough."""
        legend = panel.legend(
            handles, labels, loc="upper right", bbox_to_anchor=anchor, ncols=columns,
            fontsize=size, columnspacing=1.2, handlelength=1.6, facecolor="white", **OPAQUE,
        )  # fmt: skip
        legend.set_in_layout(False)
        draw_as_written(legend)
        box = legend.get_window_extent()
        return box.width <= panel.bbox.width, box.height <= 0.45 * panel.bbox.height

    if not made(0.7 * letters, 1)[0]:
        wide = _legend(panel).get_window_extent().width
        signs = int(0.9 * max(map(len, labels)) * panel.bbox.width / wide)
        labels = [refilled(label, max(signs, 12)) for label in labels]
    shapes = [(size, k) for size in (1.0, 0.85, 0.7, 0.6, 0.5) for k in (4, 3, 2, 1)]
    for size, columns in shapes:
        if columns <= len(labels) and all(made(max(size * letters, 5.0), columns)):
            return
    widest = [k for k in (4, 3, 2, 1) if k <= len(labels) and made(5.0, k)[0]]
    made(5.0, max(widest, default=1))


def _legend(panel: Axes) -> Legend:
    legend = panel.get_legend()
    assert legend is not None
    return legend
