"""Sizes of memory as people write them."""

import math
import re

_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_UNITS |= {"KI": 2.0**10, "MI": 2.0**20, "GI": 2.0**30, "TI": 2.0**40, "PI": 2.0**50}
_SIZE = re.compile(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([kKMGTP]?i?)[bB]?\s*")


def size_in_bytes(text: str) -> float:
    """Bytes of a size such as "4 GB" (1e9 each), "512 MiB" (2^20 each) or "2e9".

    Args:
        text: a number and a unit; no unit: bytes.

    Raises:
        ValueError: text is no size above zero.
    """
    parts = _SIZE.fullmatch(text)
    unit = _UNITS.get(parts[2].upper()) if parts else None
    if parts is None or unit is None:
        raise ValueError(f"{text!r} is no size")
    size = float(parts[1]) * unit
    if not (size > 0 and math.isfinite(size)):
        raise ValueError(f"{text!r} is no size above zero")
    return size
