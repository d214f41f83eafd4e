"""Units of laboratories as texts, read in one place; the factor 2 pi stands here alone.

One rule: a hertz counts cycles, 1/s and rad/s are angular, and models have angular rates
(hbar = 1). A quantity with its unit, "1.2 MHz" or "2 pi x 1.2 MHz", is a frequency and gets its
2 pi (`Unit.rate_of_cycles`). The numbers of a model are angular as they stand, whatever name
`unit` gives them: 1 of "MHz" is 1e6 rad/s, and only a 2 pi that is written, "2 pi MHz", counts
(`Unit.rate_of_numbers`); labels then say "rad/µs".
"""

import math
import re
from dataclasses import dataclass, replace
from typing import final

TWO_PI = 2 * math.pi
PER_SECOND = "1/s"
"""The unit of every rate and strength of a model made from lab numbers."""

PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9,
            "T": 12, "P": 15}  # fmt: skip
"""SI prefix as it is typed -> power of ten."""
BASES = {"m": (1, 0, 0), "s": (0, 1, 0), "Hz": (0, -1, 1), "rad": (0, 0, 0)}
"""Unit -> powers of metre, second and cycle."""

_TYPED = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{SUPERSCRIPT MINUS}": "-",
        "\N{SUPERSCRIPT ONE}": "1",
        "\N{SUPERSCRIPT TWO}": "2",
        "\N{SUPERSCRIPT THREE}": "3",
        "\N{SUPERSCRIPT SIX}": "6",
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{MIDDLE DOT}": "*",
        "\N{GREEK SMALL LETTER PI}": "pi",
        "\N{MICRO SIGN}": "u",
        "\N{GREEK SMALL LETTER MU}": "u",
    }
)
_PI = r"2\s*[*x]?\s*\$?\\?pi\$?"
_BEFORE = re.compile(rf"(?:{_PI}|\(\s*{_PI}\s*\))\s*[*x]?\s*", re.IGNORECASE)
_AFTER = re.compile(rf"\s*[*x]?\s*(?:{_PI}|\(\s*{_PI}\s*\))$", re.IGNORECASE)
_FACTOR = re.compile(
    r"([*/]?)\s*(1(?=\s*/)|[A-Za-z]+)\s*(?:\^|\*\*)?\s*(?:\{([+-]?\d+)\}|([+-]?\d+))?\s*"
)
_WORD = re.compile(r"[^\s*/^{}0-9+-]+")
_TURN = re.compile(
    r"(?P<sign>[+-]?)(?P<number>(?:\d+\.?\d*|\.\d+)?)\s*\*?\s*"
    r"(?P<unit>pi|deg|degrees?|\u00b0|rad|radians?)\s*(?:/\s*(?P<below>\d+\.?\d*))?",
    re.IGNORECASE,
)
_SHOWN = "yzafpnµm kMGTPEZY"
_ZERO = _SHOWN.index(" ")


class UnknownUnit(ValueError):
    """A text is no product of units; `word` is what is not understood, empty without one."""

    def __init__(self, word: str = "") -> None:
        super().__init__(word)
        self.word = word


@final
@dataclass(frozen=True)
class Unit:
    """A product of units: 10^power metre^metres second^seconds cycle^cycles (2 pi)^turns.

    turns: 1 where 2 pi is written before it, -1 for the inverse of such a unit.
    """

    power: int
    metres: int
    seconds: int
    cycles: int
    turns: int = 0

    @property
    def rate_of_cycles(self) -> float:
        """In SI units with angular rates, where hertz count cycles: 1 Hz is 2 pi/s."""
        return self._times_turns(self.turns or self.cycles)

    @property
    def rate_of_numbers(self) -> float:
        """In SI units, where numbers are angular: 2 pi only as far as it is written."""
        return self._times_turns(self.turns)

    def _times_turns(self, turns: int) -> float:
        ten = float(f"1e{self.power}")
        return ten / TWO_PI**-turns if turns < 0 else ten * TWO_PI**turns

    @property
    def dimension(self) -> tuple[int, int]:
        """Powers of metre and second."""
        return self.metres, self.seconds

    def inverse(self) -> "Unit":
        """One over it."""
        return Unit(-self.power, -self.metres, -self.seconds, -self.cycles, -self.turns)


def typed(text: str) -> str:
    """A text with its signs of print as they are typed, 'um' for 'µm', '*' for a cross."""
    return text.translate(_TYPED).strip()


def without_two_pi(text: str) -> tuple[str, bool]:
    """What follows a '2 pi x' at the beginning of a typed text, and whether there is one."""
    factor = _BEFORE.match(text)
    return (text[factor.end() :], True) if factor else (text, False)


def product(text: str) -> Unit:
    """A product such as 'GHz um^6', 'rad/us', '1/s', 'us^-1' of a typed text.

    Hertz of radians, 'rad MHz', count no cycles: they are angular, as 'rad/us'.

    Raises:
        UnknownUnit: a word is no unit, or the text no product.
    """
    if not text:
        raise UnknownUnit
    power, powers, at, radians = 0, [0, 0, 0], 0, False
    while at < len(text):
        factor = _FACTOR.match(text, at)
        if factor is None:
            raise UnknownUnit
        at = factor.end()
        if factor[2] == "1":
            continue
        try:
            ten, base = _unit(factor[2])
        except UnknownUnit:
            whole = _WORD.match(text, factor.start(2))
            raise UnknownUnit(whole[0] if whole else factor[2]) from None
        exponent = int(factor[3] or factor[4] or 1) * (-1 if factor[1] == "/" else 1)
        power += ten * exponent
        powers = [p + exponent * q for p, q in zip(powers, BASES[base], strict=True)]
        radians = radians or base == "rad"
    return Unit(power, powers[0], powers[1], 0 if radians else powers[2])


def _unit(word: str) -> tuple[int, str]:
    """The power of ten of a prefix, and its base: of 'GHz' 9 and 'Hz'."""
    if word == "cm":
        return -2, "m"
    if word in ("radian", "radians"):
        return 0, "rad"
    for base in sorted(BASES, key=len, reverse=True):
        prefix = word.removesuffix(base)
        if prefix != word and prefix in PREFIXES:
            return PREFIXES[prefix], base
    raise UnknownUnit(word)


def in_other_case(word: str) -> str:
    """The unit that a word is but for capitals, 'GHz' for 'ghz'; empty where it is none."""
    usual = ("MHz", *(prefix + base for base in BASES for prefix in PREFIXES))
    return next((unit for unit in usual if unit.lower() == word.lower()), "")


def unit_named(text: str) -> Unit | None:
    """The unit that a text names, perhaps with 2 pi before or after it: 'rad/us', '2 pi MHz'."""
    text = typed(text)
    rest, two_pi = without_two_pi(text)
    if not two_pi and (after := _AFTER.search(text)):
        rest, two_pi = text[: after.start()], True
    if two_pi and rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1]
    elif not two_pi and rest.startswith("/"):
        return None
    try:
        unit = product(rest)
    except UnknownUnit:
        return None
    return replace(unit, turns=1) if two_pi else unit


def angular(hertz: float) -> float:
    """The angular rate of a frequency, omega = 2 pi f."""
    return TWO_PI * hertz


def hertz_of(rate: float) -> float:
    """The frequency of an angular rate, f = omega/(2 pi)."""
    return rate / TWO_PI


def radians_of(text: str) -> float | None:
    """An angle as people write it, in radians: "pi", "-3 pi/4", "90 deg", "1.2 rad"; else None."""
    angle = _TURN.fullmatch(typed(text))
    if angle is None:
        return None
    unit, below = angle["unit"].lower(), float(angle["below"] or 1.0)
    if below == 0.0 or (unit != "pi" and (angle["below"] or not angle["number"])):
        return None
    number = float(angle["number"] or 1.0)
    if unit == "pi":
        size = number * math.pi / below
    else:
        size = number if unit.startswith("rad") else math.radians(number)
    return -size if angle["sign"] == "-" else size


def inverse(unit: str) -> str:
    """The unit of times where rates are in `unit`: '1/J' for 'J', 's' for '1/s'."""
    return unit.removeprefix("1/") if unit.startswith("1/") and unit[2:] else f"1/{unit}"


def seconds_of(unit: str) -> float:
    """The inverse of '1/s', '1/ms', '1/us' or '1/ns' in seconds."""
    named = unit_named(inverse(unit))
    if named is None or named.dimension != (0, 1):
        raise ValueError(unit)
    return named.rate_of_numbers


def with_prefix(value: float, unit: str) -> str:
    """Four digits and an SI prefix, '150 kHz'; from 1 s on seconds without one."""
    if value == 0.0 or not math.isfinite(value) or (unit == "s" and abs(value) >= 1.0):
        return f"{value:.4g} {unit}"
    power = math.floor(math.log10(abs(float(f"{value:.3e}"))) / 3)
    if not 0 <= power + _ZERO < len(_SHOWN):
        return f"{value:.4g} {unit}"
    prefix = _SHOWN[power + _ZERO].strip()
    return f"{value / 10.0 ** (3 * power):.4g} {prefix}{unit}"
