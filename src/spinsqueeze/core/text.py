"""Numbers for people."""

import html
import math
from collections.abc import Iterable, Sequence


def value_with_error(value: float, *, stderr: float | None = None) -> str:
    """'value ± error', the error with two digits; six significant digits without error.

    Example: value_with_error(-7.5312, stderr=0.0234) is '-7.531 ± 0.023'.
    """
    if stderr is None or not math.isfinite(stderr) or not math.isfinite(value):
        return f"{value:.6g}" + ("" if stderr is None else f" ± {stderr:.2g}")
    if stderr <= 0.0:
        return f"{value:.6g} ± 0"
    exponent = math.floor(math.log10(float(f"{stderr:.1e}")))
    places = 1 - exponent
    largest = math.floor(math.log10(max(abs(value), stderr)))
    if places > 7 or largest > 6:
        digits, unit = max(places + largest, 0), 10.0**largest
        return f"({value / unit:.{digits}f} ± {stderr / unit:.{digits}f})e{largest:+d}"
    if places < 0:
        return f"{round(value, places):.0f} ± {round(stderr, places):.0f}"
    return f"{value:.{places}f} ± {stderr:.{places}f}"


def html_lines(text: str) -> str:
    """Lines of text for a notebook, as they are."""
    return f"<pre>{html.escape(text)}</pre>"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table for a notebook; every cell is escaped."""
    cells = "".join(f"<th>{html.escape(word)}</th>" for word in head)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
