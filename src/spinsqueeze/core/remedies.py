"""What to write where a text stands in place of a number."""

import re
from dataclasses import replace

from spinsqueeze.core.units import (
    Unit,
    hertz_of,
    radians_of,
    typed,
    unit_named,
    without_two_pi,
)

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_OVER = re.compile(rf"/\s*({_NUMBER.pattern})")
_WITH_UNIT = "texts with their unit are read in [lab] of a study, in Python by spins_from_lab"
_PER = {0: "1/s", 3: "1/ms", 6: "1/us", 9: "1/ns"}
_RATE, _LENGTH, _TIME = (0, -1), (1, 0), (0, 1)


def number_in(name: str, value: object) -> str:
    """The remedy for a text where the number `name` belongs; empty where none is in it."""
    if not isinstance(value, str):
        return ""
    text, two_pi = without_two_pi(typed(value))
    if not (found := _NUMBER.match(text)):
        return ""
    number, rest = found[0], text[found.end() :].strip()
    if not rest and not two_pi:
        return f"; write {number} without quotes"
    if rest == "%":
        return f"; write {float(number) / 100:g}"
    size = float(number)
    if below := _OVER.match(rest):  # "1/5 us"
        size, rest = size / (float(below[1]) or 1.0), f"/{rest[below.end() :]}"
    unit = unit_named(f"1{rest}" if rest.startswith("/") else rest)
    if unit is not None:
        unit = replace(unit, turns=int(two_pi))
        if remedy := _with_unit(name, size, unit, value.strip()):
            return remedy
    if two_pi or "pi" in rest.lower():
        return f"; write the number with its 2 pi ({_WITH_UNIT})"
    if (angle := radians_of(value)) is not None:
        return f"; write {angle:.10g}, in radians"
    return f"; write a number without a unit ({_WITH_UNIT})"


def _with_unit(name: str, number: float, unit: Unit, text: str) -> str:
    """The remedy for a quantity with its unit; empty where it is of another kind."""
    if unit.dimension == _RATE:
        return _rate_in(name, number, unit, text)
    if unit.dimension in ((3, -1), (6, -1)):
        return (
            f"; numbers here are angular rates at the distance 1 of the lattice, c{unit.metres}/"
            f"spacing^{unit.metres} with its 2 pi; write c{unit.metres} = {text!r} and the spacing "
            f"as texts in [lab] of a study, in Python in spins_from_lab"
        )
    if unit.dimension == _TIME:
        if name.endswith("_s"):
            return f"; write {number * unit.rate_of_numbers:.10g}, in s"
        return "; times here are in one over the unit of the model's rates, us where that is 1/us"
    return _length_in(name, text) if unit.dimension == _LENGTH else ""


def _length_in(name: str, text: str) -> str:
    """The remedy for a length with its unit."""
    if name.partition("[")[0] == "spacing":
        return (
            f"; lengths here are in units of the lattice: leave it out, and write spacing = "
            f"{text!r} in [lab] of a study, in Python in spins_from_lab"
        )
    return f"; lengths here are in units of the lattice: write what {text} is over the spacing"


def _rate_in(name: str, number: float, unit: Unit, text: str) -> str:
    """The remedy for a frequency or rate with its unit."""
    rate = number * unit.rate_of_cycles
    if name.endswith("_hz"):
        return f"; write {hertz_of(rate):.10g}, in Hz"
    power = -unit.power if unit.power in _PER else 0
    per = _PER[-power]
    return (
        f"; numbers here are angular, in the unit of the model: {text} = "
        f"{rate * float(f'1e{power}'):.6g} {per}; {_WITH_UNIT}"
    )
