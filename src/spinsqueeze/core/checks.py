"""Argument checks: each returns the clean value or raises one clear `InvalidInput`."""

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput, NotAnInteger
from spinsqueeze.core.sizes import size_in_bytes
from spinsqueeze.core.typed_numbers import number_in

AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


def shown(value: object) -> str:
    """A short text of `value` for a message; of a class that it is no instance."""
    if isinstance(value, type):
        return f"the class {value.__name__} itself, not {value.__name__}(...)"
    text = repr(value.tolist() if isinstance(value, np.ndarray) and value.size < 10 else value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."


def flag(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        InvalidInput: something else, such as the text "no".
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput.of(name, f"must be True or False, got {shown(value)}")
    return bool(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' (did you mean ...?)' for the closest known word, else the list of known words."""
    names = sorted(known)
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else "known: " + ", ".join(names)


def _scalar(value: Any, kinds: str) -> Any:
    """The plain number that a scalar array of numpy, xarray or jax holds; others as they are."""
    if isinstance(value, numbers.Number | str) or not hasattr(value, "__array__"):
        return value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return value
    return array.item() if array.ndim == 0 and array.dtype.kind in kinds else value


def real(
    name: str,
    value: Any,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    infinite: bool = False,
) -> float:
    """One finite real number within bounds (`infinite=True` also admits +inf).

    A scalar of a result (a 0-d array of numpy, xarray or jax) is a number too.

    Raises:
        InvalidInput: not a real number, NaN, infinite, or out of bounds.
    """
    value = _scalar(value, "iuf")
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise InvalidInput.of(
            name,
            f"must be a real number, got {shown(value)} ({type(value).__name__})"
            + number_in(name, value),
        )
    number = float(value)
    if math.isnan(number):
        raise InvalidInput.of(name, "must be a number, got NaN; give a finite value")
    if math.isinf(number) and not (infinite and number > 0):
        raise InvalidInput.of(name, f"must be finite, got {number}")
    if minimum is not None and number < minimum:
        raise InvalidInput.of(name, f"must be at least {minimum:g}, got {number:g}")
    if above is not None and number <= above:
        raise InvalidInput.of(name, f"must be above {above:g}, got {number:g}")
    if maximum is not None and number > maximum:
        in_percent = maximum == 1.0 and 0.0 in (minimum, above) and 2.0 <= number <= 100.0
        remedy = f"; write {number / 100:g} for {number:g} %" if in_percent else ""
        raise InvalidInput.of(name, f"must be at most {maximum:g}, got {number:g}{remedy}")
    return number


def integer(name: str, value: Any, *, minimum: int, maximum: int | None = None) -> int:
    """One integer of at least `minimum` (and at most `maximum`), also as a scalar array.

    A whole float, such as 1e5, is an integer too.

    Raises:
        InvalidInput: not a whole number, or out of bounds.
    """
    value = _scalar(value, "iuf")
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise NotAnInteger.of(
            name,
            f"must be an integer, got {shown(value)} ({type(value).__name__})"
            + number_in(name, value),
        )
    number = int(value)
    if number < minimum:
        raise InvalidInput.of(name, f"must be at least {minimum}, got {number}")
    if maximum is not None and number > maximum:
        raise InvalidInput.of(name, f"must be at most {maximum}, got {number}")
    return number


def memory(name: str, value: Any) -> float:
    """Bytes above zero: a number, or a text such as "4 GB" or "512 MiB".

    Raises:
        InvalidInput: neither.
    """
    if not isinstance(value, str):
        return real(name, value, above=0.0)
    try:
        return size_in_bytes(value)
    except ValueError:
        raise InvalidInput.of(
            name, f"must be a number of bytes or a text such as '4 GB', got {shown(value)}"
        ) from None


def real_array(
    name: str, value: Any, *, shape: tuple[int | None, ...], minimum: float | None = None
) -> Floats:
    """A finite real array of the given shape (None: any length), read-only.

    Raises:
        InvalidInput: not numeric, complex, wrong shape, not finite, or below `minimum`.
    """
    array = numbers_array(name, value)
    if array.dtype.kind == "c":
        raise InvalidInput.of(name, f"must be real, got complex entries {shown(value)}")
    return _finish(name, array.astype(np.float64, copy=False), shape, minimum)


def complex_vector(name: str, value: Any) -> Complexes:
    """A vector of three complex numbers, not all zero; rows [re, im] are read as numbers.

    Raises:
        InvalidInput: not three finite numbers, or all zero.
    """
    array = numbers_array(name, value)
    if array.shape == (3, 2) and array.dtype.kind != "c":
        array = _as_complex(array)
    if array.shape != (3,):
        raise InvalidInput.of(
            name,
            f"must be three numbers (x, y, z), each real, complex or [re, im], got {shown(value)}",
        )
    vector = array.astype(np.complex128)
    if not np.all(np.isfinite(vector)):
        raise InvalidInput.of(name, f"must be finite, got {shown(value)}")
    if not np.any(vector):
        raise InvalidInput.of(name, "must not be the zero vector; leave the term out instead")
    vector.setflags(write=False)
    return vector


def complex_vectors(
    name: str, value: Any, *, others: str = "", remedy: str = "leave the term out instead"
) -> Complexes:
    """Three complex numbers, or rows of three; each number real, complex or [re, im].

    Args:
        name: of the argument.
        value: what to check.
        others: what else the caller takes, for the message: "a number, ".
        remedy: against zero, for the message.

    Raises:
        InvalidInput: another shape, not finite, or all zero.
    """
    array = numbers_array(name, value)
    pairs = array.ndim == 3 and array.shape[1:] == (3, 2) and array.dtype.kind != "c"
    rows = _as_complex(array) if pairs else array
    if rows.ndim != 2 or rows.shape == (3, 2):
        return complex_vector(name, value)
    if rows.shape[1] != 3:
        raise InvalidInput.of(
            name,
            f"must be {others}three numbers (x, y, z) or rows of three, each real, complex or "
            f"[re, im], got {shown(value)}",
        )
    vectors = rows.astype(np.complex128)
    if not np.all(np.isfinite(vectors)):
        raise InvalidInput.of(name, f"must be finite, got {shown(value)}")
    if not np.any(vectors):
        raise InvalidInput.of(name, f"must not be zero; {remedy}")
    vectors.setflags(write=False)
    return vectors


def _as_complex(pairs: NDArray[Any]) -> Complexes:
    """Numbers (...) from pairs [re, im] (..., 2); a zero keeps its sign."""
    values = np.empty(pairs.shape[:-1], dtype=np.complex128)
    values.real, values.imag = pairs[..., 0], pairs[..., 1]
    return values


def complex_numbers(name: str, value: Any) -> NDArray[Any]:
    """A regular array of numbers; rows of pairs [re, im] are read as complex numbers.

    Raises:
        InvalidInput: ragged, or not numeric.
    """
    array = numbers_array(name, value)
    pairs = array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind != "c"
    return _as_complex(array) if pairs else array


def numbers_array(name: str, value: Any) -> NDArray[Any]:
    """A regular array of real or complex numbers, of any shape.

    Raises:
        InvalidInput: ragged, or not numeric.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise InvalidInput.of(name, f"must be a regular array, got {shown(value)}") from None
    if array.dtype.kind not in "iufc":
        raise InvalidInput.of(name, f"must hold numbers only, got {shown(value)}")
    return array


_SHAPES: dict[tuple[int | None, ...], str] = {
    (None,): "a list of numbers",
    (3,): "three numbers",
    (None, 3): "rows of three numbers",
    (None, None): "rows of numbers",
}
"""Shapes that have words."""


def _finish(
    name: str,
    array: Floats,
    shape: tuple[int | None, ...],
    minimum: float | None,
) -> Floats:
    fits = len(shape) == array.ndim and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        have = " x ".join(map(str, array.shape)) or "a single number"
        if shape in _SHAPES:
            have = f"an array of {have}" if array.ndim > 1 else have
            have = f"{have} number{'s' * (have != '1')}" if array.ndim == 1 else have
            raise InvalidInput.of(name, f"must be {_SHAPES[shape]}, got {have}")
        wanted = " x ".join("any" if n is None else str(n) for n in shape)
        raise InvalidInput.of(name, f"must have shape {wanted}, got {have}")
    if not np.all(np.isfinite(array)):
        where = np.argwhere(~np.isfinite(array))[0].tolist()
        raise InvalidInput.of(name, f"must be finite, got {array[tuple(where)]} at index {where}")
    if minimum is not None and array.size and array.min() < minimum:
        raise InvalidInput.of(name, f"must be at least {minimum:g}, got {array.min():g}")
    array = np.array(array)
    array.setflags(write=False)
    return array


def direction(name: str, value: Any) -> Floats:
    """A unit vector, from one of +x -x +y -y +z -z or three numbers of length 1 (to 1e-6).

    Raises:
        InvalidInput: unknown name, zero vector, or length not 1.
    """
    if isinstance(value, str):
        text = value.strip().lower()
        sign = -1.0 if text.startswith("-") else 1.0
        if text.lstrip("+-") not in AXES or len(text) > 2:
            raise InvalidInput.of(
                name, f"must be one of +x, -x, +y, -y, +z, -z or a unit vector, got {value!r}"
            )
        vector = sign * np.array(AXES[text.lstrip("+-")]) + 0.0
    else:
        vector = np.array(real_array(name, value, shape=(3,)))
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            raise InvalidInput.of(name, "must be a unit vector, got the zero vector")
        if abs(length - 1.0) > 1e-6:
            near = ", ".join(f"{x:.6g}" for x in vector / length)
            raise InvalidInput.of(
                name, f"must be a unit vector, got length {length:.6g}; divide by it: [{near}]"
            )
        if abs(length - 1.0) > 4e-16:  # so that a direction read back from a file stays the same
            vector /= length
    vector.setflags(write=False)
    return vector


def axis_name(name: str, value: Any) -> str:
    """One of 'x', 'y', 'z'.

    Raises:
        InvalidInput: anything else.
    """
    if not isinstance(value, str) or value not in AXES:
        raise InvalidInput.of(name, f"must be 'x', 'y' or 'z', got {shown(value)}")
    return value


def text(name: str, value: Any) -> str:
    """A string that a file can hold.

    Raises:
        InvalidInput: something else, or a text with the sign NUL, which ends texts in files.
    """
    if not isinstance(value, str):
        raise InvalidInput.of(name, f"must be a string, got {shown(value)}")
    if "\0" in value:
        raise InvalidInput.of(name, f"must not hold the sign NUL, got {shown(value)}; leave it out")
    return value


def choice(name: str, value: Any, options: Iterable[str]) -> str:
    """One word of `options`.

    Raises:
        InvalidInput: another value; the message proposes the closest.
    """
    known = list(options)
    if not isinstance(value, str) or value not in known:
        long = [word for word in known if len(word) > 2]  # of units every other is close
        close = difflib.get_close_matches(str(value).lower(), long, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidInput.of(name, f"must be one of {', '.join(known)}, got {shown(value)}{hint}")
    return value


def increasing(name: str, value: Any, *, minimum: float | None = None, remedy: str = "") -> Floats:
    """A one-dimensional array of finite, strictly increasing numbers; `remedy` ends the message.

    Raises:
        InvalidInput: empty, not increasing, or below `minimum`.
    """
    array = real_array(name, value, shape=(None,), minimum=minimum)
    if array.size == 0:
        raise InvalidInput.of(name, "must hold at least one number, got none")
    steps = np.diff(array)
    if np.any(steps <= 0):
        k = int(np.argmax(steps <= 0))
        raise InvalidInput.of(
            name,
            f"must increase strictly, got {array[k]:g} then {array[k + 1]:g} at index {k}" + remedy,
        )
    return array


def ascending(name: str, values: Any, *, start: float = 0.0) -> Floats:
    """Finite numbers that ascend from at least `start`; equal ones may follow each other.

    Raises:
        InvalidInput: none at all, not finite, descending, or below `start`.
    """
    grid = np.asarray(values, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or not np.all(np.isfinite(grid)):
        raise InvalidInput.of(name, f"must be a list of finite numbers, got shape {grid.shape}")
    if grid[0] < start or np.any(np.diff(grid) < 0):
        raise InvalidInput.of(
            name, f"must be ascending from at least {start:g}, got {grid[:4]} ..."
        )
    return grid
