"""Look of every picture: palette, sizes, and figures that need no display and no global state."""

from __future__ import annotations

import contextlib
import functools
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.written_units import superscript

if TYPE_CHECKING:
    from matplotlib.artist import Artist
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
COLUMN = 3.4
"""Inches: a column of a journal."""
_SMALL_LETTERS = 0.73
"""Letters of a narrow picture, of their usual size: 8 points."""
_PER_DECIBEL = 10.0 / np.log(10.0)

OPAQUE = {"frameon": True, "framealpha": 1.0, "edgecolor": "none", "borderpad": 0.25}
"""Background of a legend, so that no line runs through its words."""

_SETTINGS: dict[str, Any] = {
    "font.size": 11.0,
    "axes.labelsize": 11.0,
    "axes.titlesize": 12.0,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "legend.fontsize": 10.0,
    **{f"legend.{name}": value for name, value in OPAQUE.items()},
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
def style(width: float | None = None) -> Iterator[None]:
    """The package's sizes and colours for artists made inside; the caller's settings return.

    width: inches of a picture whose width was asked for: below 6 its letters are smaller.
    """
    import matplotlib

    scale = 1.0 if width is None else min(max(width / 6.0, _SMALL_LETTERS), 1.0)
    sizes = {
        name: scale * _SETTINGS[name]
        for name in _SETTINGS
        if name.endswith(("size", "lines.linewidth"))
    }
    with matplotlib.rc_context({**_SETTINGS, **sizes}):
        yield


def new_figure(width: float, height: float, *, asked: float | None = None) -> Figure:
    """An empty figure of width x height inches, unknown to pyplot; notebooks show it.

    asked: another width; the height follows, but less than in proportion.
    """
    from spinsqueeze.plot.figure import NotebookFigure

    if asked is None:
        return NotebookFigure(width, height)
    return NotebookFigure(asked, height * (asked / width) ** 0.75)


def inches(width: Any, ax: Any) -> float | None:
    """The width of a new figure: 'column' is 3.4 inches; None where it is left to us.

    Raises:
        InvalidInput: no number of inches from 2 to 30, or there are axes already.
    """
    if width is None:
        return None
    if ax is not None:
        raise InvalidInput("width must be None where ax is given: axes have a figure already")
    if width == "column":
        return COLUMN
    number = isinstance(width, int | float | np.number) and not isinstance(width, bool)
    if not number or not 2.0 <= float(width) <= 30.0:
        raise InvalidInput(
            f"width must be inches from 2 to 30, or 'column', got {width!r} (1 cm is 0.3937)"
        )
    return float(width)


def wrapped(title: str) -> str:
    """A title in lines that fit the width of a picture, no formula broken."""
    return refilled(with_superscripts(title), 48)


def with_superscripts(text: str) -> str:
    """Powers of units as people write them, 'um^6' as 'µm⁶', outside formulas."""
    parts = re.split(r"(\$[^$]*\$)", text)
    return "".join(part if k % 2 else _typeset(part) for k, part in enumerate(parts))


def _typeset(text: str) -> str:
    micro = re.sub(r"(?<![^\W\d])u(?=m\^)|(?<=\d )u(?=[ms]\b)", "µ", text)
    return re.sub(
        r"(?<=\w)\^(?:\{(-?\d+)\}|(-?\d+))",
        lambda power: superscript(power[1] or power[2]),
        micro,
    )


def refilled(text: str, width: int) -> str:
    """A text in even lines of at most `width` signs, whatever its lines were, no formula broken."""
    whole = re.sub(r"\$[^$]*\$", lambda formula: formula.group().replace(" ", _SPACE), text)
    together = re.sub(r" = |(?<=\d) (?=[A-Za-zµ])|(?<=Hz) (?=µ)", _glued, whole)
    if _longest(together) <= width:  # "C6 = 863 GHz" stays on a line
        whole = together

    def filled(signs: int) -> list[str]:
        return textwrap.wrap(whole, signs, break_on_hyphens=False, break_long_words="$" not in text)

    lines = filled(width)
    for narrower in range(width - 1, _longest(whole) - 1, -1):
        even = filled(narrower)
        if len(even) > len(lines):
            break
        lines = even
    return "\n".join(lines).replace(_SPACE, " ")


def _glued(part: re.Match[str]) -> str:
    return part.group().replace(" ", _SPACE)


def _longest(text: str) -> int:
    """Signs of the longest word of a text."""
    return max(1, *map(len, re.split(r"[ \n\t]+", text)))


def draw_as_written(holder: Artist) -> None:
    """Have every text whose formulas matplotlib cannot read drawn as it was written.

    In a figure, or in a part of it. Titles, labels and units are the user's, and mathtext lacks
    much of what is good LaTeX.
    """
    from matplotlib.text import Text

    for text in holder.findobj(Text):
        if text.get_parse_math() and not _readable(text.get_text()):
            text.set_parse_math(False)


@functools.lru_cache(maxsize=1024)
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


def single_panel(ax: Any, width: float, height: float, *, asked: float | None = None) -> Axes:
    """The axes given, or those of a new figure of this size in inches, or of the width asked for.

    Raises:
        InvalidInput: ax is no axes.
    """
    from matplotlib.axes import Axes

    if ax is None:
        panel: Axes = new_figure(width, height, asked=asked).subplots()
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
