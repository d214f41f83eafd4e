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
    return _rounded(value, stderr, _places(stderr))


def value_to_digits(
    value: float, *, error: float | None, digits: int | None = None, places: int = 15
) -> str:
    """'value ± error', no finer than `digits` significant digits or `places` decimals.

    The error is left out where it does not change the last digit that is shown, or is None.
    Example: value_to_digits(2.044464, error=0.000084, digits=4) is '2.044'.
    """
    known = error is not None and math.isfinite(error) and error > 0
    if not math.isfinite(value) or (not known and digits is not None):
        return f"{value:.{digits or 6}g}"
    if digits is not None and value != 0.0:
        places = min(places, digits - 1 - math.floor(math.log10(abs(value))))
    if not known or error is None or round(error, places) == 0.0:
        return f"{value:.{digits}g}" if digits is not None else f"{value:.{places}f}"
    return _rounded(value, error, min(places, _places(error)))


def _places(error: float) -> int:
    """Decimals that give an error two digits."""
    return 1 - math.floor(math.log10(float(f"{error:.1e}")))


def _rounded(value: float, error: float, places: int) -> str:
    """Both to so many decimals; with a power of ten where the larger is huge or tiny."""
    largest = math.floor(math.log10(max(abs(value), error)))
    if not -5 <= largest <= 6:
        digits, unit = max(places + largest, 0), 10.0**largest
        return f"({value / unit:.{digits}f} ± {error / unit:.{digits}f})e{largest:+d}"
    if places < 0:
        return f"{round(value, places):.0f} ± {round(error, places):.0f}"
    return f"{value:.{places}f} ± {error:.{places}f}"


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
