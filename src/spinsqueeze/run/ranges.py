"""Lists of numbers as study files write them: values, a linear range or a logarithmic one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import numbers
from spinsqueeze.core.quantities import written_quantity

MAX_POINTS = 10**7
_RANGE = ("start", "stop", "num", "spacing")


def is_range(spec: Any) -> bool:
    """Whether a table is meant as a range or as values (and not as a table of further keys)."""
    return isinstance(spec, Mapping) and bool(set(spec) & {*_RANGE, "values"})


def expand(path: str, spec: Any) -> list[Any]:
    """The list that `spec` stands for.

    Args:
        path: dotted path for messages.
        spec: [a, b, ...], of many numbers also an array; {values = [a, b, ...]}; or {start, stop,
            num} with spacing = "linear" (the default: num numbers, both ends included; integers
            where start is one and all of them are) or "log" (see `whole_numbers` for counts);
            start and stop may be texts with the same unit, "4 um" and "8 um".

    Raises:
        InvalidInput: none of these, a wrong type, or a logarithmic range that touches 0.
    """
    if isinstance(spec, list | tuple | np.ndarray):
        return list(spec)
    if not isinstance(spec, Mapping):
        raise InvalidInput(
            f"must be a list or a range such as {{ start = 0.0, stop = 1.0, num = 81 }}, "
            f"got {checks.shown(spec)}",
            path=path,
        )
    for key in spec:
        if key not in (*_RANGE, "values"):
            if key == "step":
                rule = "unknown key of a range; did you mean num, how many values there are?"
                raise InvalidInput(rule, path=f"{path}.{key}")
            hint = checks.did_you_mean(str(key), (*_RANGE, "values"))
            raise InvalidInput(f"unknown key of a range; {hint}", path=f"{path}.{key}")
    if "values" in spec:
        if len(spec) > 1:
            raise InvalidInput("give either values or start, stop and num, not both", path=path)
        values = spec["values"]
        if not isinstance(values, list | tuple | np.ndarray):
            raise InvalidInput(
                f"must be a list of numbers, got {checks.shown(values)}",
                path=f"{path}.values",
            )
        return list(values)
    if any(isinstance(spec.get(end), str) for end in ("start", "stop")):
        return _range_of_texts(path, spec)
    return _range(path, spec)


def _range_of_texts(path: str, spec: Mapping[str, Any]) -> list[str]:
    """The texts between two quantities with the same unit."""
    start, stop = (written_quantity(spec.get(end)) for end in ("start", "stop"))
    for end, text in (("start", start), ("stop", stop)):
        if text is None:
            raise InvalidInput(
                'must be a text with its unit as the other end is, as in { start = "4 um", stop = '
                f'"8 um", num = 5 }}, got {checks.shown(spec.get(end))}; or list the values, '
                '["4 um", "5 um"]',
                path=f"{path}.{end}",
            )
    assert start is not None
    assert stop is not None
    if (start.two_pi, start.unit) != (stop.two_pi, stop.unit):
        raise InvalidInput(
            f"must have the unit of start, {start.unit!r}, got {spec['stop']!r}; write it in that "
            "unit, or list the values",
            path=f"{path}.stop",
        )
    numbers_between = _range(path, {**spec, "start": start.number, "stop": stop.number})
    return [start.of(number) for number in numbers_between]


def _range(path: str, spec: Mapping[str, Any]) -> list[float] | list[int]:
    for key in ("start", "stop", "num"):
        if key not in spec:
            raise InvalidInput(
                "is missing; a range needs start, stop and num", path=f"{path}.{key}"
            )
    start = _placed(path, checks.real, "start", spec["start"])
    stop = _placed(path, checks.real, "stop", spec["stop"])
    num = _placed(path, checks.integer, "num", spec["num"], minimum=2, maximum=MAX_POINTS)
    spacing = _placed(
        path, checks.choice, "spacing", spec.get("spacing", "linear"), options=("linear", "log")
    )
    if start == stop:
        raise InvalidInput(f"must differ from start, got {start:g} for both", path=f"{path}.stop")
    if spacing == "linear":
        values = [float(x) for x in np.linspace(start, stop, num)]
        whole = isinstance(spec["start"], int) and all(x.is_integer() for x in values)
        return [int(x) for x in values] if whole else values
    if start * stop <= 0:
        raise InvalidInput(
            f"must be above 0 like stop for spacing = 'log', got {start:g} to {stop:g}",
            path=f"{path}.start",
        )
    return [float(x) for x in np.geomspace(start, stop, num)]


def whole_numbers(spec: Any, values: Sequence[Any]) -> list[int] | None:
    """The values of a logarithmic range of whole ends rounded to whole numbers, each once.

    For entries that are counts, as a number of spins from 10 to 10^5; None of any other spec.
    """
    if not isinstance(spec, Mapping) or spec.get("spacing") != "log":
        return None
    ends = (spec["start"], spec["stop"])
    if any(isinstance(end, str) for end in ends):
        return None
    if not all(float(end).is_integer() for end in ends):
        return None
    return list(dict.fromkeys(round(value) for value in values))


def is_rounded(values: Any) -> bool:
    """Whether values are a logarithmic range rounded to whole numbers (`whole_numbers`)."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size < 3 or array.dtype.kind not in "iu" or np.any(array <= 0):
        return False
    if np.ptp(np.diff(array)) == 0:
        return False  # linear, whatever it was written as
    ends = float(array[0]), float(array[-1])
    for num in range(array.size, 4 * array.size):  # repeats were left out
        exact = np.geomspace(*ends, num)
        rounded = list(dict.fromkeys(np.round(exact).astype(int).tolist()))
        if rounded == array.tolist():
            return not np.allclose(exact, np.round(exact), rtol=1e-12, atol=0.0)
    return False


def shortest(values: Any) -> Any:
    """A list of numbers as the range that gives exactly it, if there is one, else its values."""
    array = np.asarray(values)
    if array.size >= 2:
        start, stop = float(array[0]), float(array[-1])
        if start != stop and np.array_equal(np.linspace(start, stop, array.size), array):
            return {"start": start, "stop": stop, "num": int(array.size)}
        if start * stop > 0 and np.array_equal(np.geomspace(start, stop, array.size), array):
            return {"start": start, "stop": stop, "num": int(array.size), "spacing": "log"}
    return {"values": numbers(array)}


def _placed(path: str, check: Any, name: str, value: Any, **rules: Any) -> Any:
    try:
        return check(name, value, **rules)
    except InvalidInput as error:
        raise error.at(path) from None
