"""The warnings of many points in few lines: one for those that differ in their numbers alone."""

import re
from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"(?<![\w.^])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")
_NAMED = 3
"""Points that a line names."""


def in_few_lines(
    texts: Sequence[Sequence[str]], *, what: str, place: Callable[[int], str] | None = None
) -> list[str]:
    """'2 of 9 points (j_z = 1; j_z = 2): ... 0.6 to 0.8 dB ...', in the order of first mention.

    Args:
        texts: of each point; those that differ only in numbers share a line, with their ranges.
        what: "points", or "points failed".
        place: what the point of a number is called; not asked where every point has the text.
    """
    alike: dict[str, dict[int, list[str]]] = {}
    for number, own in enumerate(texts):
        for text in own:
            alike.setdefault(_NUMBER.sub("#", text), {}).setdefault(number, []).append(text)
    lines = []
    for having in alike.values():
        where = "" if place is None or len(having) == len(texts) else _named(list(having), place)
        text = _with_ranges([text for own in having.values() for text in own])
        lines.append(f"{len(having)} of {len(texts)} {what}{where}: {text}")
    return lines


def _named(numbers: Sequence[int], place: Callable[[int], str]) -> str:
    """' (j_z = 1; j_z = 2; j_z = 3; and 5 more)'."""
    more = len(numbers) - _NAMED
    shown = [place(number) for number in numbers[:_NAMED]]
    return f" ({'; '.join([*shown, f'and {more} more'] if more > 0 else shown)})"


def _with_ranges(texts: Sequence[str]) -> str:
    """Texts with the same words as one, numbers that differ as '0.6 to 0.8'."""
    words = _NUMBER.split(texts[0])
    columns = list(zip(*(_NUMBER.findall(text) for text in texts), strict=True))
    ranges = []
    for column in columns:
        low, high = min(column, key=float), max(column, key=float)
        ranges.append(low if float(low) == float(high) else f"{low} to {high}")
    return "".join(w + r for w, r in zip(words, [*ranges, ""], strict=True))
