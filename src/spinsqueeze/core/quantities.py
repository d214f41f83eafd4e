"""Quantities of a laboratory as texts with their unit: "5 um", "863 GHz um^6", "2 pi x 1.2 MHz".

Hertz count cycles here, so that 1 Hz is the angular rate 2 pi/s, while 1/s and rad/s are angular
as they are, and "2 pi x 1.2 MHz" says the same as "1.2 MHz": see `core.units`.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import (
    BASES,
    Unit,
    UnknownUnit,
    in_other_case,
    product,
    typed,
    without_two_pi,
)

KINDS = {
    "length": ((1, 0), "5 um", "length"),
    "time": ((0, 1), "5 us", "time"),
    "rate": ((0, -1), "1.2 MHz", "frequency or rate"),
    "c3": ((3, -1), "2.4 GHz um^3", "C3, a frequency times the third power of a length,"),
    "c6": ((6, -1), "863 GHz um^6", "C6, a frequency times the sixth power of a length,"),
}
"""Kind of quantity -> its powers of metre and second, an example, and its name in words."""

_WORDS = {
    "meter": "m", "metre": "m", "micrometer": "um", "micrometre": "um", "micron": "um",
    "nanometer": "nm", "nanometre": "nm", "millimeter": "mm", "millimetre": "mm",
    "second": "s", "sec": "s", "millisecond": "ms", "msec": "ms", "microsecond": "us",
    "usec": "us", "nanosecond": "ns", "nsec": "ns",
    "hertz": "Hz", "kilohertz": "kHz", "megahertz": "MHz", "gigahertz": "GHz",
}  # fmt: skip
"""Units in words, without the s of the plural -> their signs."""

_SEPARATOR = re.compile(r"[,_.'\u2019]\d")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@final
@dataclass(frozen=True)
class Written:
    """A quantity as a text: "2 pi x" or not, a number, its unit as it is typed."""

    two_pi: bool
    number: float
    unit: str

    @property
    def of_one(self) -> float:
        """1 of the unit in SI units, with angular rates."""
        return replace(product(self.unit), turns=int(self.two_pi)).rate_of_cycles

    @property
    def dimension(self) -> tuple[int, int]:
        """Powers of metre and second."""
        return product(self.unit).dimension

    def of(self, number: float) -> str:
        """The text of another number."""
        return f"{'2 pi x ' if self.two_pi else ''}{number:.12g} {self.unit}"


def written_quantity(value: Any) -> Written | None:
    """A quantity that a text writes, of any kind; None of anything else."""
    if not isinstance(value, str):
        return None
    rest, two_pi = without_two_pi(typed(value))
    number = _NUMBER.match(rest)
    if number is None:
        return None
    unit = rest[number.end() :].strip()
    try:
        product(unit)
    except UnknownUnit:
        return None
    return Written(two_pi, float(number[0]), unit)


def quantity(name: str, value: Any, *, kind: str) -> float:
    """A quantity in SI units (m, s, rad/s, rad m^3/s, rad m^6/s), of either sign.

    Args:
        name: of the argument.
        value: a text: perhaps "2 pi x", a number, a unit such as "um", "GHz um^6", "rad/us", "1/s".
        kind: one of `KINDS`.

    Raises:
        InvalidInput: no text, no number or unit, a unit that does not exist, or of another kind.
    """
    dimension, example, words = KINDS[kind]
    if not isinstance(value, str):
        raise InvalidInput.of(
            name, f"must be a text with its unit such as {example!r}, got {checks.shown(value)}"
        )
    rest, two_pi = without_two_pi(typed(value))
    number = _NUMBER.match(rest)
    if number is None:
        raise InvalidInput.of(name, f"must begin with a number, as in {example!r}, got {value!r}")
    after = rest[number.end() :].strip()
    if _SEPARATOR.match(after):
        raise InvalidInput.of(
            name,
            f"must have a number with a point for decimals and nothing between thousands, as in "
            f"{example!r}, got {value!r}",
        )
    unit = _unit(name, after, value, example)
    if unit.dimension != dimension:
        raise InvalidInput.of(name, f"must be a {words} such as {example!r}, got {value!r}")
    if two_pi and unit.seconds != -1:
        raise InvalidInput.of(name, f"must have no factor 2 pi, as in {example!r}, got {value!r}")
    turned = replace(unit, turns=int(two_pi))
    return checks.real(name, float(number[0]) * turned.rate_of_cycles)


def _unit(name: str, text: str, value: str, example: str) -> Unit:
    """The product of units that a text names."""
    if not text:
        raise InvalidInput.of(name, f"must carry its unit, as in {example!r}, got {value!r}")
    try:
        return product(text)
    except UnknownUnit as unknown:
        if not unknown.word:
            rule = f"must end in a unit such as that of {example!r}, got {value!r}"
            raise InvalidInput.of(name, rule) from None
        word = unknown.word.lower()
        short = _WORDS.get(word, _WORDS.get(word.removesuffix("s"), in_other_case(word)))
        if short:
            raise InvalidInput.of(
                name,
                f"must have its unit as a sign, as in {example!r}, got {value!r}; write "
                f"{short!r} for {unknown.word!r}",
            ) from None
        known = ", ".join(BASES)
        raise InvalidInput.of(
            name,
            f"must have a unit made of {known} with a prefix such as n, u, m, k, M or G, as in "
            f"{example!r}, got {unknown.word!r}",
        ) from None
