"""Names of units: the inverse of one, and numbers with their prefix."""

import math

PER_SECOND = "1/s"
"""The unit of every rate and strength of a model made from lab numbers."""
_PREFIXES = "yzafpnµm kMGTPEZY"
_ZERO = _PREFIXES.index(" ")


def inverse(unit: str) -> str:
    """The unit of times where rates are in `unit`: '1/J' for 'J', 's' for '1/s'."""
    return unit.removeprefix("1/") if unit.startswith("1/") and unit[2:] else f"1/{unit}"


def seconds_of(unit: str) -> float:
    """The inverse of '1/s', '1/ms', '1/us' or '1/ns' in seconds."""
    return {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[inverse(unit)]


def with_prefix(value: float, unit: str) -> str:
    """Four digits and an SI prefix, '150 kHz'; from 1 s on seconds without one."""
    if value == 0.0 or not math.isfinite(value) or (unit == "s" and abs(value) >= 1.0):
        return f"{value:.4g} {unit}"
    power = math.floor(math.log10(abs(float(f"{value:.3e}"))) / 3)
    if not 0 <= power + _ZERO < len(_PREFIXES):
        return f"{value:.4g} {unit}"
    prefix = _PREFIXES[power + _ZERO].strip()
    return f"{value / 10.0 ** (3 * power):.4g} {prefix}{unit}"
