"""One finished point of a sweep: named arrays, and bytes on disk that prove themselves whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from spinsqueeze.core.errors import FileProblem
from spinsqueeze.core.registry import LAB_FIGURES, READOUT_FIGURES

MAGIC = b"spinsqueeze point 1\n"
DIGEST = 32
KEPT_ATTRIBUTES = (
    "n_spins",
    "unit",
    "method",
    "error_kind",
    "references",
    "seed",
    "numerical_error",
    "diagnostics",
    "warnings",
    "dtype",
    "device",
    "automatic_times",
    *LAB_FIGURES,
    *READOUT_FIGURES,
)
"""Attributes that follow from the study alone; times, machine and version are not among them."""


@final
@dataclass(frozen=True)
class Entry:
    """One array with the names of its dimensions and its attributes."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Point:
    """The outcome of one point: its arrays, or the reason why there are none.

    reason: empty for a finished point. variables, coordinates: name -> Entry. attributes: those
    of KEPT_ATTRIBUTES that the run had.
    """

    reason: str = ""
    variables: Mapping[str, Entry] = field(default_factory=dict)
    coordinates: Mapping[str, Entry] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


def from_dataset(data: xr.Dataset, *, blocks: bool) -> Point:
    """The parts of a run's Dataset that its study determines.

    Args:
        data: what `simulate` returns.
        blocks: keep the moments of the sample blocks too.
    """
    names = [str(n) for n in data.data_vars if blocks or not str(n).startswith("block_")]
    used = {dim for name in names for dim in data[name].dims}
    return Point(
        variables={name: _entry(data[name]) for name in names},
        coordinates={str(c): _entry(data[c]) for c in data.coords if set(data[c].dims) <= used},
        attributes={k: data.attrs[k] for k in KEPT_ATTRIBUTES if k in data.attrs},
    )


def _entry(array: xr.DataArray) -> Entry:
    return Entry(tuple(str(d) for d in array.dims), np.asarray(array.values), dict(array.attrs))


def pack(point: Point) -> bytes:
    """The point as bytes, the same for the same point, closed by their SHA-256."""
    header: dict[str, Any] = {"reason": point.reason, "attributes": dict(point.attributes)}
    body: list[bytes] = []
    for part in ("variables", "coordinates"):
        rows = []
        for name, entry in getattr(point, part).items():
            values = np.ascontiguousarray(entry.values)
            if values.dtype.kind not in "biufcUS":
                raise TypeError(f"{name} holds {values.dtype}, which has no bytes of its own")
            values = values.astype(values.dtype.newbyteorder("<"), copy=False)
            body.append(values.tobytes())
            rows.append(
                [name, entry.dims, values.dtype.str, entry.values.shape, dict(entry.attributes)]
            )
        header[part] = rows
    head = json.dumps(header, default=_plain).encode()
    whole = b"".join([MAGIC, len(head).to_bytes(8, "little"), head, *body])
    return whole + hashlib.sha256(whole).digest()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value.tolist()


def unpack(raw: bytes) -> Point:
    """The point that `pack` made.

    Raises:
        FileProblem: the bytes are not those of a point, or a single bit of them changed.
    """
    if not raw.startswith(MAGIC):
        raise FileProblem("it is not a point of a sweep")
    if len(raw) < len(MAGIC) + 8 + DIGEST:
        raise FileProblem("it is cut short")
    if hashlib.sha256(raw[:-DIGEST]).digest() != raw[-DIGEST:]:
        raise FileProblem("its checksum does not match")
    start = len(MAGIC) + 8
    stop = start + int.from_bytes(raw[len(MAGIC) : start], "little")
    header = json.loads(raw[start:stop])
    parts: dict[str, dict[str, Entry]] = {}
    for part in ("variables", "coordinates"):
        parts[part] = {}
        for name, dims, dtype, shape, attributes in header[part]:
            kind = np.dtype(dtype)
            count = int(np.prod(shape, dtype=np.int64))
            values = np.frombuffer(raw, kind, count, stop).reshape(shape)
            stop += count * kind.itemsize
            parts[part][name] = Entry(tuple(dims), values, attributes)
    return Point(header["reason"], attributes=header["attributes"], **parts)
