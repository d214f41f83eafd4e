"""What to write where a text such as "1 Hz" or "97%" stands in place of a number."""

import re
from dataclasses import replace

from spinsqueeze.core.units import Unit, hertz_of, typed, unit_named, without_two_pi

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WITH_UNIT = "texts with their unit are read in [lab] of a study, in Python by spins_from_lab"
_PER = {0: "1/s", 3: "1/ms", 6: "1/us", 9: "1/ns"}


def number_in(name: str, value: object) -> str:
    """The remedy for a text where the number `name` belongs; empty where none is in it."""
    if not isinstance(value, str):
        return ""
    text, two_pi = without_two_pi(typed(value))
    if not (found := _NUMBER.match(text)):
        return ""
    number, rest = found[0], text[found.end() :].strip()
    if rest == "%":
        return f"; write {float(number) / 100:g}"
    unit = unit_named(rest)
    if unit is not None and unit.dimension == (0, -1):
        return _rate_in(name, float(number), replace(unit, turns=int(two_pi)), value.strip())
    if two_pi or "pi" in rest.lower():
        return f"; write the number with its 2 pi ({_WITH_UNIT})"
    if not rest:
        return f"; write {number} without quotes"
    return f"; write the number alone, {number}, in the unit that is expected here ({_WITH_UNIT})"


def _rate_in(name: str, number: float, unit: Unit, text: str) -> str:
    """The remedy for a frequency or rate with its unit where a number belongs."""
    rate = number * unit.rate_of_cycles
    if name.endswith("_hz"):
        return f"; write {hertz_of(rate):.10g}, in Hz"
    power = -unit.power if unit.power in _PER else 0
    per = _PER[-power]
    return (
        f"; numbers here are angular, in the unit of the model: {text} = "
        f"{rate * float(f'1e{power}'):.6g} {per}; {_WITH_UNIT}"
    )
