"""Quantities of a laboratory as texts with their unit: "5 um", "863 GHz um^6", "2 pi x 1.2 MHz".

The factor 2 pi stands here alone: Hz counts cycles, so that 1 Hz is the angular rate 2 pi/s, while
1/s and rad/s are angular rates as they are. "2 pi x 1.2 MHz" says the same as "1.2 MHz".
"""

import math
import re
from dataclasses import dataclass
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput

TWO_PI = 2 * math.pi
_PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "": 0,
             "k": 3, "M": 6, "G": 9, "T": 12}  # fmt: skip
_BASES = {"m": (1, 0, 0), "s": (0, 1, 0), "Hz": (0, -1, 1), "rad": (0, 0, 0)}
"""Unit -> powers of metre, second and cycle."""

KINDS = {
    "length": ((1, 0), "5 um"),
    "time": ((0, 1), "5 us"),
    "rate": ((0, -1), "1.2 MHz"),
    "c3": ((3, -1), "2.4 GHz um^3"),
    "c6": ((6, -1), "863 GHz um^6"),
}
"""Kind of quantity -> its powers of metre and second, and an example."""

_TWO_PI = re.compile(r"^\(?\s*2\s*[*x]?\s*pi\s*\)?\s*[*x]?\s*", re.IGNORECASE)
_NUMBER = re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_FACTOR = re.compile(r"^([*/]?)\s*(1(?=\s*/)|[A-Za-z]+)\s*(?:\^|\*\*)?\s*([+-]?\d+)?")
_TYPED = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{SUPERSCRIPT MINUS}": "-",
        "\N{SUPERSCRIPT ONE}": "1",
        "\N{SUPERSCRIPT TWO}": "2",
        "\N{SUPERSCRIPT THREE}": "3",
        "\N{SUPERSCRIPT SIX}": "6",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{MIDDLE DOT}": "*",
        "\N{GREEK SMALL LETTER PI}": "pi",
        "\N{MICRO SIGN}": "u",
        "\N{GREEK SMALL LETTER MU}": "u",
    }
)
"""Signs of print as they are typed."""


@final
@dataclass(frozen=True)
class Scale:
    """A product of units: its size in metres, seconds and cycles, and their powers."""

    size: float
    powers: tuple[int, int, int]


def quantity(name: str, value: Any, *, kind: str) -> float:
    """A quantity in SI units (m, s, rad/s, rad m^3/s, rad m^6/s), of either sign.

    Args:
        name: of the argument.
        value: a text: perhaps "2 pi x", a number, a unit such as "um", "GHz um^6", "rad/us", "1/s".
        kind: one of `KINDS`.

    Raises:
        InvalidInput: no text, no number or unit, a unit that does not exist, or of another kind.
    """
    powers, example = KINDS[kind]
    if not isinstance(value, str):
        raise InvalidInput.of(
            name, f"must be a text with its unit such as {example!r}, got {checks.shown(value)}"
        )
    text = value.translate(_TYPED).strip()
    cycles = _TWO_PI.match(text)
    rest = text[cycles.end() :] if cycles else text
    number = _NUMBER.match(rest)
    if number is None:
        raise InvalidInput.of(name, f"must begin with a number, as in {example!r}, got {value!r}")
    scale = _scale(name, rest[number.end() :].strip(), value, example)
    if scale.powers[:2] != powers:
        raise InvalidInput.of(
            name, f"must be a {_IN_WORDS[kind]} such as {example!r}, got {value!r}"
        )
    if cycles and scale.powers[1] != -1:
        raise InvalidInput.of(name, f"must have no factor 2 pi, as in {example!r}, got {value!r}")
    turns = 1 if cycles else scale.powers[2]
    return checks.real(name, float(number[0]) * scale.size * TWO_PI**turns)


_IN_WORDS = {
    "length": "length",
    "time": "time",
    "rate": "frequency or rate",
    "c3": "C3, a frequency times the third power of a length,",
    "c6": "C6, a frequency times the sixth power of a length,",
}


def _scale(name: str, text: str, value: str, example: str) -> Scale:
    """The product of units that a text names."""
    if not text:
        raise InvalidInput.of(name, f"must carry its unit, as in {example!r}, got {value!r}")
    size, powers, rest = 0, [0, 0, 0], text
    while rest:
        factor = _FACTOR.match(rest)
        if factor is None:
            raise InvalidInput.of(
                name, f"must end in a unit such as that of {example!r}, got {value!r}"
            )
        rest = rest[factor.end() :].strip()
        if factor[2] == "1":
            continue
        prefix, base = _unit(name, factor[2], example)
        power = int(factor[3] or 1) * (-1 if factor[1] == "/" else 1)
        size += _PREFIXES[prefix] * power
        powers = [p + power * q for p, q in zip(powers, _BASES[base], strict=True)]
    return Scale(float(f"1e{size}"), (powers[0], powers[1], powers[2]))


def _unit(name: str, word: str, example: str) -> tuple[str, str]:
    """Prefix and base of a unit such as 'GHz'."""
    for base in sorted(_BASES, key=len, reverse=True):
        prefix = word.removesuffix(base)
        if prefix != word and prefix in _PREFIXES and not (base == "rad" and prefix):
            return prefix, base
    known = ", ".join(_BASES)
    raise InvalidInput.of(
        name,
        f"must have a unit made of {known} with a prefix such as n, u, m, k, M or G, as in "
        f"{example!r}, got {word!r}",
    )
