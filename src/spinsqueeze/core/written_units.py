"""Units as people write them: 'µs' where rates are in 'rad/us', and scales that fit an axis."""

import math
import re
from dataclasses import dataclass
from typing import final

from spinsqueeze.core.units import inverse

_POWERS = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "": 0,
           "k": 3, "M": 6, "G": 9, "T": 12, "P": 15}  # fmt: skip
_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G",
             12: "T", 15: "P"}  # fmt: skip
_PREFIX = f"([{''.join(_POWERS)}]?)"
_RATES = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (_PREFIX + "Hz", "Hz"),
        (r"(?:1|rad|radians?) ?/ ?" + _PREFIX + "s", "/s"),
        (r"(?:rad ?)?" + _PREFIX + r"s(?:\^-1|\^\{-1\}|\*\*-1|⁻¹|-1)", "/s"),
    )
)
_TIME = re.compile(_PREFIX + "s")
_TIMES = "[*x\N{MULTIPLICATION SIGN}\N{MIDDLE DOT}]?"
_TWO_PI = r"2 ?\*? ?(?:pi|π|\\pi|\$\\pi\$)"
_BEFORE = re.compile(_TWO_PI + f" ?{_TIMES} ?(?P<rest>.+)")
_AFTER = re.compile(f"(?P<rest>.+?) ?{_TIMES} ?" + _TWO_PI)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST, _MOST = 0.1, 1e4
"""Largest values of an axis whose unit keeps its prefix."""


@final
@dataclass(frozen=True)
class Unit:
    """A unit of laboratories: 10^power of a second, or of its inverse, perhaps with 2 pi.

    form: "s" (a time), "Hz" or "/s" (a rate); two_pi: a rate times, or a time over 2 pi.
    """

    form: str
    power: int
    two_pi: bool = False

    @property
    def si(self) -> float:
        """The unit in seconds, or in radians a second: 'Hz' without 2 pi is 1 rad/s."""
        turn = 2 * math.pi if self.two_pi else 1.0
        ten = float(f"1e{self.power}")
        return ten / turn if self.form == "s" else ten * turn

    def __str__(self) -> str:
        """'µs', 'µs/2π', '2π MHz', '1/µs'."""
        if self.form == "s":
            return f"{_PREFIXES[self.power]}s" + ("/2π" if self.two_pi else "")
        before = "2π " if self.two_pi else ""
        if self.form == "Hz":
            return f"{before}{_PREFIXES[self.power]}Hz"
        return f"{before or '1'}/{_PREFIXES[-self.power]}s".replace("2π /", "2π/")

    def inverse(self) -> "Unit":
        """The unit of times where rates are in this one, or the reverse."""
        return Unit("/s" if self.form == "s" else "s", -self.power, self.two_pi)


def rate_unit(text: str) -> Unit | None:
    """'Hz', 'MHz', '1/us', 'rad/us', 'us^-1', '2 pi MHz'; None for others such as 'J'."""
    rest = " ".join(text.split())
    turned = _BEFORE.fullmatch(rest) or _AFTER.fullmatch(rest)
    if turned:
        rest = turned["rest"].strip().removeprefix("(").removesuffix(")")
        rest = f"1{rest}" if rest.startswith("/") else rest
    for pattern, form in _RATES:
        match = pattern.fullmatch(rest)
        if match:
            power = _POWERS[match[1]]
            return Unit(form, power if form == "Hz" else -power, turned is not None)
    return None


def time_unit(rates: str) -> Unit | None:
    """The unit of times where rates are in `rates`; None where that is no unit of laboratories."""
    unit = rate_unit(rates)
    return None if unit is None else unit.inverse()


def _stored(text: str) -> Unit | None:
    """The units of a variable in a result: a rate, a time, or '1/...' of a rate."""
    match = _TIME.fullmatch(text)
    if match:
        return Unit("s", _POWERS[match[1]])
    unit = rate_unit(text)
    if unit is None and text.startswith("1/"):
        unit = time_unit(text[2:])
    return unit


def written(units: str) -> str:
    """Units that a result holds, as people write them: 'µs' for '1/MHz'; others unchanged."""
    unit = _stored(units)
    return units if unit is None else str(unit)


def is_laboratory(units: str) -> bool:
    """Whether these are units of seconds, not of a strength such as J."""
    return _stored(units) is not None


def si_value(value: float, units: str) -> float | None:
    """A time in seconds, a rate in radians a second; None where the units have no such size."""
    unit = _stored(units)
    return None if unit is None else value * unit.si


def meaning(rates: str) -> str:
    """What numbers in hertz mean, and times with them, in words; empty where nothing is unclear.

    A number in 'MHz' is 1e6 radians a second (hbar = 1); '2 pi MHz' says that it is a frequency.
    """
    unit = rate_unit(rates)
    if unit is None or not (unit.two_pi or unit.form == "Hz"):
        return ""
    per = f"1 is 1e{unit.power} rad/s"
    if unit.two_pi:
        length = f"{unit.inverse().si:.4g} s"
        return f"2 pi included: 1 is 2 pi * 1e{unit.power} rad/s, a time of 1 is {length}"
    return f"{per}, without 2 pi; for frequencies write '2 pi {rates.strip()}'"


def axis_scale(largest: float, units: str) -> tuple[float, str]:
    """A factor for the numbers of an axis, and their unit, so that they have few digits.

    Times in laboratory units come out in seconds with a prefix, without 2 pi: 1 of '1/2 pi MHz' is
    drawn as 0.159 of 'µs', 88e-6 of 's' as 88 of 'µs'. Of other units a power of 1000 is written
    before them where it is needed: '10⁻⁶/J'.

    Args:
        largest: the largest size on the axis.
        units: as the result holds them; "" or "1" where there are none.
    """
    unit = _stored(units)
    turns = 1 / (2 * math.pi) if unit is not None and unit.form == "s" and unit.two_pi else 1.0
    largest *= turns
    steps = 0
    if math.isfinite(largest) and largest > 0 and not _LEAST <= largest < _MOST:
        steps = 3 * math.floor(math.log10(largest) / 3)
    if unit is not None:
        power = unit.power + steps
        if unit.form == "s" and power > 0 and steps > 0:
            power = max(unit.power, 0)
        if power not in _PREFIXES:
            power = unit.power
        label = str(Unit(unit.form, power, unit.two_pi and unit.form != "s"))
        return float(f"1e{unit.power - power}") * turns, label
    plain = "" if units in ("", "1") else units
    if steps == 0 or (steps == -3 and largest >= _LEAST / 10):
        return 1.0, plain
    exponent = f"10{str(steps).translate(_SUPERSCRIPTS)}"
    shown = f"{exponent}{plain[1:]}" if plain.startswith("1/") else f"{exponent} {plain}".strip()
    return float(f"1e{-steps}"), shown


def time_units(rates: str) -> str:
    """The unit of times for people where rates are in `rates`: 'µs', 'µs/2π', '1/J'."""
    return written(inverse(rates))
