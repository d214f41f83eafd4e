"""From collective moments to the Dataset that every user reads, and back to moments."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.registry import variable
from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.squeezing import squeezing

Floats = NDArray[np.float64]
_SQUEEZING = (
    "xi2",
    "xi2_kitagawa_ueda",
    "squeezing_angle",
    "contrast",
    "total_spin_squared",
    "effective_spins",
)


def build(
    moments: Moments | BlockMoments,
    *,
    times: Floats,
    extras: Mapping[str, Any],
    attributes: Mapping[str, str | int | float],
) -> xr.Dataset:
    """The labelled Dataset of a run; errors `<name>_stderr` where the moments are sampled.

    Args:
        moments: collective moments at the times.
        times: (T,) in the inverse of the model's unit.
        extras: further registered variables, name -> array.
        attributes: provenance and parameters.
    """
    data = xr.Dataset(attrs=dict(attributes))
    coordinates: dict[str, Any] = {"time": times, "axis": list("xyz"), "axis_2": list("xyz")}
    if "shell_population" in extras:  # N/2 + 1 numbers: only where they label something
        n = int(np.max(moments.n_spins))
        coordinates["j"] = n / 2 - np.arange(n // 2 + 1)
    if isinstance(moments, BlockMoments):
        estimates = squeezing_estimates(moments)
        for name in ("spin", "covariance", *_SQUEEZING):
            estimate = getattr(estimates, name)
            _put(data, name, estimate.value, coordinates, stderr=estimate.stderr)
        status = estimates.status
        for name, field in _BLOCKS.items():
            _put(data, name, getattr(moments, field), coordinates)
    else:
        derived = squeezing(moments)
        _put(data, "spin", moments.spin, coordinates)
        _put(data, "covariance", moments.covariance, coordinates)
        for name in _SQUEEZING:
            _put(data, name, getattr(derived, name), coordinates)
        status = derived.status
    _put(data, "squeezing_status", status, coordinates)
    for name, values in extras.items():
        _put(data, name, values, coordinates)
    data["time"].attrs.update(long_name="time", units=f"1/{data.attrs.get('unit', '1')}")
    return data


_BLOCKS = {
    "block_weight": "weights",
    "block_reference": "reference",
    "block_first": "first",
    "block_second": "second",
}


def _put(
    data: xr.Dataset,
    name: str,
    values: Any,
    coordinates: Mapping[str, Any],
    *,
    stderr: Any = None,
) -> None:
    entry = variable(name)
    attributes = {"units": entry.units, "long_name": entry.long_name}
    data[name] = (entry.dims, np.asarray(values), attributes)
    for dim in entry.dims:
        if dim in coordinates and dim not in data.coords:
            data.coords[dim] = coordinates[dim]
    if stderr is not None:
        attributes = {"units": entry.units, "long_name": f"standard error of {entry.long_name}"}
        data[f"{name}_stderr"] = (entry.dims, np.asarray(stderr), attributes)


def read_moments(data: xr.Dataset) -> Moments | BlockMoments:
    """The moments a Dataset was built from.

    Raises:
        InvalidInput: the Dataset is not one of this package, or still has sweep dimensions.
    """
    extra = [d for d in data.get("spin", xr.DataArray()).dims if d not in ("time", "axis")]
    if "spin" not in data or "n_spins" not in data.attrs:
        raise InvalidInput("data must be a spinsqueeze result with spin and covariance")
    if extra:
        raise InvalidInput(
            f"data has the sweep dimension {extra[0]!r}: select one point with .isel"
        )
    data = _in_order(data)
    n_spins = int(data.attrs["n_spins"])
    if "block_first" in data:
        fields = {field: data[name].values for name, field in _BLOCKS.items()}
        return BlockMoments(n_spins=n_spins, **fields)
    left = np.asarray(data["spins_left"].values) if "spins_left" in data else n_spins
    return Moments(n_spins=left, spin=data["spin"].values, covariance=data["covariance"].values)


def _in_order(data: xr.Dataset) -> xr.Dataset:
    """The moments with their dimensions in the registered order and the axes x, y, z.

    Raises:
        InvalidInput: an axis is missing, its labels are others, or a variable has more dimensions.
    """
    for dim in ("axis", "axis_2"):
        labels = data[dim].values.ravel().tolist() if dim in data.coords else []
        if dim not in data.dims or sorted(labels) != ["x", "y", "z"]:
            raise InvalidInput(
                f"data must hold x, y and z along {dim!r}, got {', '.join(map(str, labels))}; "
                "give the result before axes were selected from it"
            )
        data = data.sel({dim: list("xyz")})
    names = [name for name in ("spin", "covariance", *_BLOCKS) if name in data]
    for name in names:
        new = set(data[name].dims) - set(variable(name).dims)
        if new:
            raise InvalidInput(
                f"data[{name!r}] must have no dimension {', '.join(sorted(map(str, new)))}, which "
                "data.where(...) may have given it: select times with data.sel or data.isel"
            )
    ordered = {
        name: data[name].transpose(*(d for d in variable(name).dims if d in data[name].dims))
        for name in names
    }
    return data.assign(ordered)


def checked_dataset(data: Any, *, call: str) -> xr.Dataset:
    """`data` if it is a Dataset.

    Args:
        data: what the user gave.
        call: name of the function that was called, for the remedy.

    Raises:
        InvalidInput: something else; a file name and a variable with their remedies.
    """
    if isinstance(data, xr.Dataset):
        return data
    remedy = "give what simulate, sweep or load returns"
    shown = type(data).__name__
    if isinstance(data, str | os.PathLike):
        remedy = f"load the file: {call}(load({os.fspath(data)!r}))"
        shown = f"the file name {os.fspath(data)!r}"
    elif isinstance(data, xr.DataArray):
        name = data.name or "..."
        remedy = f"give the whole result: {call}(data), not {call}(data.{name})"
        shown = f"its variable {data.name!r}" if data.name else "a DataArray"
    raise InvalidInput(f"data must be a Dataset, the whole result of a run, got {shown}; {remedy}")


def warnings_of(data: xr.Dataset) -> list[str]:
    """The concerns a run recorded, in words."""
    return list(json.loads(data.attrs.get("warnings", "[]")))


def diagnostics_of(data: xr.Dataset) -> dict[str, Any]:
    """How far a run's numbers can be trusted, by name."""
    return dict(json.loads(data.attrs.get("diagnostics", "{}")))
