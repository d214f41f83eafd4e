"""Look of every picture: palette, sizes, and figures that need no display and no global state."""

from __future__ import annotations

import contextlib
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, told apart with every common colour vision; the yellow is left out."""

DASHES = ("-", "--", "-.", ":")
"""Line styles, so that curves differ in black and white too."""

GREY = "#6E6E6E"
MISSING = "#BFBFBF"
"""Cells of a map without a number."""

_SPACE = "\N{NO-BREAK SPACE}"  # where textwrap must not break
_PER_DECIBEL = 10.0 / np.log(10.0)

_SETTINGS = {
    "font.size": 11.0,
    "axes.labelsize": 11.0,
    "axes.titlesize": 12.0,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "legend.fontsize": 10.0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "mathtext.fontset": "dejavusans",
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The package's sizes and colours for artists made inside; the caller's settings return."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of width x height inches, unknown to pyplot; notebooks show it."""
    from spinsqueeze.plot.figure import NotebookFigure

    return NotebookFigure(width, height)


def wrapped(title: str) -> str:
    """A title in lines that fit the width of a picture, no formula broken."""
    whole = re.sub(r"\$[^$]*\$", lambda formula: formula.group().replace(" ", _SPACE), title)
    filled = textwrap.fill(whole, 48, break_on_hyphens=False, break_long_words="$" not in title)
    return filled.replace(_SPACE, " ")


def draw_as_written(figure: Figure) -> None:
    """Have every text whose formulas matplotlib cannot read drawn as it was written.

    Titles, labels and units are the user's, and mathtext lacks much of what is good LaTeX.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if text.get_parse_math() and not _readable(text.get_text()):
            text.set_parse_math(False)


def _readable(text: str) -> bool:
    """Whether matplotlib can read the formulas in a text; it reads line by line."""
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    parser: Any = MathTextParser("path")
    for line in text.split("\n"):
        if is_math_text(line):
            try:
                parser.parse(line)
            except ValueError:
                return False
    return True


def decibels_with_error(ratio: Any, stderr: Any) -> tuple[Floats, Floats | None]:
    """10 log10 of a ratio, NaN where it is not positive, and its standard error to first order."""
    given = np.asarray(ratio, dtype=float)
    positive = np.where(given > 0, given, np.nan)
    level = 10.0 * np.log10(positive)
    return level, None if stderr is None else _PER_DECIBEL * np.asarray(stderr) / positive


def single_panel(ax: Any, width: float, height: float) -> Axes:
    """The axes given, or those of a new figure of this size in inches.

    Raises:
        InvalidInput: ax is no axes.
    """
    from matplotlib.axes import Axes

    if ax is None:
        panel: Axes = new_figure(width, height).subplots()
        return panel
    if not isinstance(ax, Axes):
        raise InvalidInput(f"ax must be one matplotlib Axes, got {type(ax).__name__}")
    return ax


def figure_of(axes: Axes) -> Figure:
    """The figure that holds `axes`, also when it sits in a subfigure."""
    holder: Any = axes.figure
    while getattr(holder, "figure", holder) is not holder:
        holder = holder.figure
    figure: Figure = holder
    return figure
