"""From collective moments to the Dataset that every user reads, and back to moments."""

import json
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
    coordinates["j"] = moments.n_spins / 2 - np.arange(moments.n_spins // 2 + 1)
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
    n_spins = int(data.attrs["n_spins"])
    if "block_first" in data:
        fields = {field: data[name].values for name, field in _BLOCKS.items()}
        return BlockMoments(n_spins=n_spins, **fields)
    return Moments(n_spins=n_spins, spin=data["spin"].values, covariance=data["covariance"].values)


def warnings_of(data: xr.Dataset) -> list[str]:
    """The concerns a run recorded, in words."""
    return list(json.loads(data.attrs.get("warnings", "[]")))


def diagnostics_of(data: xr.Dataset) -> dict[str, Any]:
    """How far a run's numbers can be trusted, by name."""
    return dict(json.loads(data.attrs.get("diagnostics", "{}")))
