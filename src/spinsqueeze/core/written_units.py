"""Units as people write them: 'µs' where rates are in 'rad/us', and scales that fit an axis."""

import math
from dataclasses import replace

from spinsqueeze.core.units import PREFIXES, TWO_PI, Unit, inverse, unit_named

_SYMBOLS = {power: prefix.replace("u", "µ") for prefix, power in PREFIXES.items()}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST, _MOST = 0.1, 1e4
"""Largest values of an axis whose unit keeps its prefix."""


def superscript(power: int | str) -> str:
    """An exponent in raised digits: '⁻⁶' of -6."""
    return str(power).translate(_SUPERSCRIPTS)


def rate_unit(text: str) -> Unit | None:
    """'Hz', 'MHz', '1/us', 'rad/us', 'us^-1', '2 pi MHz'; None for others such as 'J'."""
    return _of_dimension(text, -1)


def _of_dimension(text: str, seconds: int) -> Unit | None:
    unit = unit_named(text)
    if unit is None or unit.dimension != (0, seconds):
        return None
    return unit if unit.power in _SYMBOLS and -unit.power in _SYMBOLS else None


def _stored(text: str) -> Unit | None:
    """The units of a variable in a result: a rate, a time, or '1/...' of a rate."""
    if text.startswith("1/") and (rate := rate_unit(text[2:])):
        return rate.inverse()
    time = _of_dimension(text, 1)
    return time if time is not None and not time.turns else rate_unit(text)


def label_of(unit: Unit) -> str:
    """A rate or a time: 'µs', 'µs/2π', '2π MHz', '1/µs'; of hertz without 2 pi 'rad/µs'."""
    if unit.seconds == 1:
        return f"{_SYMBOLS[unit.power]}s" + ("/2π" if unit.turns else "")
    if unit.turns and unit.cycles:
        return f"2π {_SYMBOLS[unit.power]}Hz"
    above = "2π" if unit.turns else "rad" if unit.cycles else "1"
    return f"{above}/{_SYMBOLS[-unit.power]}s"


def written(units: str) -> str:
    """Units that a result holds, as people write them: 'µs' for '1/MHz'; others unchanged."""
    unit = _stored(units)
    return units if unit is None else label_of(unit)


def is_laboratory(units: str) -> bool:
    """Whether these are units of seconds, not of a strength such as J."""
    return _stored(units) is not None


def si_value(value: float, units: str) -> float | None:
    """A time in seconds, a rate in radians a second; None where the units have no such size."""
    unit = _stored(units)
    return None if unit is None else value * unit.rate_of_numbers


def meaning(rates: str) -> str:
    """What numbers in hertz mean, and times with them, in words; empty where nothing is unclear.

    A number in 'MHz' is 1e6 radians a second (hbar = 1); '2 pi MHz' says that it is a frequency.
    """
    unit = rate_unit(rates)
    if unit is None or not (unit.turns or unit.cycles):
        return ""
    if unit.turns:
        length = f"{unit.inverse().rate_of_numbers:.4g} s"
        return f"2 pi included: 1 is 2 pi * 1e{unit.power} rad/s, a time of 1 is {length}"
    name = rates.strip()
    return f"1 is 1e{unit.power} rad/s, without 2 pi; for frequencies write '2 pi {name}'"


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
    is_time = unit is not None and unit.seconds == 1
    turns = 1 / TWO_PI if unit is not None and is_time and unit.turns else 1.0
    largest *= turns
    steps = 0
    if math.isfinite(largest) and largest > 0 and not _LEAST <= largest < _MOST:
        steps = 3 * math.floor(math.log10(largest) / 3)
    if unit is not None:
        power = unit.power + steps
        if is_time and power > 0 and steps > 0:
            power = max(unit.power, 0)
        if power not in _SYMBOLS:
            power = unit.power
        label = label_of(replace(unit, power=power, turns=0 if is_time else unit.turns))
        return float(f"1e{unit.power - power}") * turns, label
    plain = "" if units in ("", "1") else units
    if steps == 0 or (steps == -3 and largest >= _LEAST / 10):
        return 1.0, plain
    exponent = f"10{superscript(steps)}"
    shown = f"{exponent}{plain[1:]}" if plain.startswith("1/") else f"{exponent} {plain}".strip()
    return float(f"1e{-steps}"), shown


def time_units(rates: str) -> str:
    """The unit of times for people where rates are in `rates`: 'µs', 'µs/2π', '1/J'."""
    return written(inverse(rates))
