"""Plain data, which studies are written in: numbers, words, lists, tables, and long arrays.

Up to MANY numbers are a list, more are an array of numpy, so that no text and no list of millions
of numbers is ever made. Complex numbers are pairs [re, im] in both. In the text of a result an
array is the reference {"array": name} to a variable of that name.
"""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput

MANY = 64
"""Numbers that a list may hold before it becomes an array."""
_REFERENCE = "array"


def numbers(array: NDArray[Any]) -> Any:
    """An array as plain data: a list of up to MANY real numbers, else the array itself."""
    if array.dtype.kind == "c":
        pairs = np.ascontiguousarray(array, dtype=np.complex128).view(np.float64)
        array = pairs.reshape(*array.shape, 2)
    return array if array.size > MANY else array.tolist()


def compact(value: Any) -> Any:
    """A list of more than MANY numbers (also of lists of them) as an array; others as they are."""
    if not isinstance(value, list | tuple) or not value or isinstance(value[0], Mapping | str):
        return value
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # ragged
        return value
    return array if array.dtype.kind in "iuf" and array.size > MANY else value


def same(a: Any, b: Any) -> bool:
    """Whether two pieces of plain data are equal; an array and a list of its numbers are."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(compact(a), compact(b))
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def key(value: Any) -> Hashable:
    """A key that equal plain data share: 1 and 1.0, 0.0 and -0.0 are equal, 1 and true are not."""
    value = compact(value)
    if isinstance(value, Mapping):
        return frozenset((name, key(entry)) for name, entry in value.items())
    if isinstance(value, np.ndarray):
        return value.shape, hashlib.sha256(_bytes(value + 0.0)).digest()
    if isinstance(value, list | tuple):
        return tuple(key(entry) for entry in value)
    if isinstance(value, bool):
        return bool, value
    return value if isinstance(value, Hashable) else repr(value)


def digest(value: Any) -> bytes:
    """SHA-256 of plain data, the same however they were written: 1 and 1.0 are one number."""
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _canonical(value: Any) -> Any:
    value = compact(value)
    if isinstance(value, Mapping):
        return {str(name): _canonical(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray):
        return {"shape": value.shape, "sha256": hashlib.sha256(_bytes(value)).hexdigest()}
    if isinstance(value, list | tuple):
        return [_canonical(entry) for entry in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array, dtype="<f8").data.cast("B")


def without_arrays(
    tables: Any, name: Callable[[int], str]
) -> tuple[Any, dict[str, tuple[str, NDArray[Any]]]]:
    """Plain data that JSON can hold, and the arrays to which they refer.

    Args:
        tables: plain data.
        name: of the array of a number, from 0.

    Returns:
        a copy with references, and name -> (dotted path, array).
    """
    arrays: dict[str, tuple[str, NDArray[Any]]] = {}

    def replaced(value: Any, path: str) -> Any:
        if isinstance(value, np.ndarray):
            label = name(len(arrays))
            arrays[label] = (path, value)
            return {_REFERENCE: label}
        if isinstance(value, Mapping):
            return {key: replaced(entry, _below(path, key)) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [replaced(entry, _below(path, k)) for k, entry in enumerate(value)]
        return value

    return replaced(tables, ""), arrays


def with_arrays(tables: Any, arrays: Callable[[str], NDArray[Any]]) -> Any:
    """Plain data from a text whose references are replaced by the arrays of these names."""
    if isinstance(tables, Mapping):
        if _refers(tables):
            return arrays(tables[_REFERENCE])
        return {key: with_arrays(entry, arrays) for key, entry in tables.items()}
    if _may_refer(tables):
        return [with_arrays(entry, arrays) for entry in tables]
    return tables


def require_whole(tables: Any) -> None:
    """Refuse plain data that refer to arrays which are not with them.

    Raises:
        InvalidInput: a reference, with its dotted path and the remedy.
    """
    for path, name in _references(tables, ""):
        raise InvalidInput(
            f"is {name} of the result, not in its text; take the whole study of a result with "
            "study_of(data)",
            path=path,
        )


_SCALARS = (bool, int, float, str)


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if _refers(value):
            yield path, value[_REFERENCE]
        for key, entry in value.items():
            if not isinstance(entry, _SCALARS):
                yield from _references(entry, _below(path, key))
    elif _may_refer(value):
        for k, entry in enumerate(value):
            yield from _references(entry, _below(path, k))


def _refers(table: Mapping[str, Any]) -> bool:
    return table.keys() == {_REFERENCE} and isinstance(table[_REFERENCE], str)


def _may_refer(value: Any) -> bool:
    """Whether a list may hold references: one of numbers, which may be long, does not."""
    return isinstance(value, list | tuple) and any(
        isinstance(entry, dict | list | tuple) for entry in value
    )


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def with_value(tables: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `tables` with the entry at a dotted path replaced (or added to its table).

    What the path does not pass is shared with `tables`, not copied; an array that it passes becomes
    a list.

    Raises:
        InvalidInput: the path leads nowhere.
    """
    changed: dict[str, Any] = dict(tables)
    *way, last = path.split(".")
    spot: Any = changed
    for depth, key in enumerate(way):
        place = _key(spot, key, path, way[:depth], present=True)
        inner = spot[place]
        if isinstance(inner, np.ndarray):
            inner = spot[place] = inner.tolist()
        elif isinstance(inner, dict | list):
            inner = spot[place] = inner.copy()
        spot = inner
    spot[_key(spot, last, path, way, present=False)] = value
    return changed


def _key(spot: Any, key: str, path: str, way: list[str], *, present: bool) -> Any:
    here = ".".join(way)
    if isinstance(spot, dict):
        if present and key not in spot:
            known = f"; {checks.did_you_mean(key, spot)}" if spot else ""
            raise InvalidInput(f"there is no {key} in {here or 'the study'}{known}", path=path)
        return key
    if isinstance(spot, list):
        if not key.isdecimal() or int(key) >= len(spot):
            raise InvalidInput(
                f"{here} has entries 0 to {len(spot) - 1}, there is no {key!r}", path=path
            )
        return int(key)
    raise InvalidInput(f"{here} holds {checks.shown(spot)} and has no parts", path=path)
