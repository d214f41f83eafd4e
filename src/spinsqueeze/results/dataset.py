"""From the readings of a run to the Dataset that every user reads, and back."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.registry import READOUT_FIGURES, REGISTRY, Variable, variable
from spinsqueeze.core.units import angular, inverse, seconds_of
from spinsqueeze.models.readout import Readout
from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.measured import as_measured
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.readings import Reading, moments_of, readings_of
from spinsqueeze.observables.squeezing import Squeezing, squeezing

Table = dict[str, tuple[tuple[str, ...], Any, dict[str, str]]]
"""Name -> dimensions, values and attributes of variables on their way into a Dataset or a point."""

_LABELS = {
    "axis": list("xyz"),
    "axis_2": list("xyz"),
    "quadrature": ["re", "im"],
    "quadrature_2": ["re", "im"],
}
_LAB_TIMES = {
    "time_times_coupling": ("lab_coupling_hz", {"long_name": "time times |coupling at spacing|"}),
    "time_times_chi": ("lab_chi_hz", {"long_name": "time times |chi|"}),
    "time_times_gamma": (
        "lab_collective_decay_hz",
        {"long_name": "time times the collective decay rate Gamma"},
    ),
}
_MEASURED = {"measured_xi2": "xi2", "measured_contrast": "contrast"}
_OF_MOMENTS = ("spin", "second")
_BLOCKS = {
    "block_weight": "weights",
    "block_reference": "reference",
    "block_first": "first",
    "block_second": "second",
}
_OF_BLOCKS = "block_"
_BLOCKS_LEFT = "block_spins_left"


def build(
    readings: Mapping[str, Reading],
    *,
    n_spins: int,
    times: Floats,
    attributes: Mapping[str, Any],
    error: float | Floats = 0.0,
    truncation: Mapping[str, Floats] | None = None,
    final_state: Floats | None = None,
) -> xr.Dataset:
    """The labelled Dataset of a run; `<name>_stderr` of every reading that is sampled.

    Args:
        readings: registered quantities at the times; "spin" and "second" are required.
        n_spins: number of spins at the start.
        times: (T,) in the inverse of the model's unit.
        attributes: provenance and parameters.
        error: of the mean spin; becomes `spin_numerical_error` where it is known for each time.
        truncation: name -> what an approximation leaves out: `<name>_truncation`.
        final_state: numbers of the state at the last time.

    Raises:
        InvalidInput: a reading is not registered, or spin and second are not both there and alike.
    """
    data, labels = tables_of_run(
        readings,
        moments_of(readings, n_spins=n_spins),
        times=times,
        attributes=attributes,
        error=error,
        truncation=truncation or {},
    )
    if final_state is not None:
        _put(data, variable("final_state"), final_state)
    return xr.Dataset(data, labels, dict(attributes))


def tables_of_run(
    readings: Mapping[str, Reading],
    moments: Moments | BlockMoments,
    *,
    times: Floats,
    attributes: Mapping[str, Any],
    error: float | Floats,
    truncation: Mapping[str, Floats],
    squeezed: Squeezing | None = None,
) -> tuple[Table, Table]:
    """The variables of a run and the labels of their dimensions, see `build`.

    With lab numbers among the attributes, time has more labels: times |chi|, Gamma or coupling.
    `squeezed`: the squeezing of exact moments, where it is known already.

    Raises:
        InvalidInput: a reading is not registered.
    """
    unit = attributes.get("unit", "1")
    data: Table = {}
    _put_moments(data, moments, squeezed)
    if (readout := readout_of(attributes)) is not None:
        _put_measured(data, as_measured(moments, readout=readout))
    for name, reading in readings.items():
        if name not in _OF_MOMENTS:
            _put_reading(data, _in_unit(variable(name), unit), reading)
    if np.ndim(error):
        _put(data, variable("spin_numerical_error"), error)
    for name, sizes in truncation.items():
        _put(data, _truncation(variable(name)), sizes)
    labels: Table = {dim: ((dim,), np.array(names), {}) for dim, names in _LABELS.items()}
    labels["time"] = (("time",), times, {"long_name": "time", "units": inverse(unit)})
    labels |= _lab_times(times, attributes)
    for reading in readings.values():
        labels |= {dim: ((dim,), np.asarray(x), {}) for dim, x in reading.coords.items()}
    used = {dim for dims, _, _ in data.values() for dim in dims}
    return data, {name: label for name, label in labels.items() if used.issuperset(label[0])}


def _lab_times(times: Floats, attributes: Mapping[str, Any]) -> Table:
    """The times in units of the rates that lab numbers give the spins."""
    known = {name: entry for name, entry in _LAB_TIMES.items() if entry[0] in attributes}
    if not known or not np.all(np.isfinite(times)):  # that of a steady state
        return {}
    seconds = times * seconds_of(attributes["unit"])
    return {
        name: (("time",), seconds * abs(angular(attributes[rate])), {**said, "units": "1"})
        for name, (rate, said) in known.items()
    }


def _put_moments(
    data: Table, moments: Moments | BlockMoments, squeezed: Squeezing | None = None
) -> None:
    """Mean spin, covariance and what follows from them; sampled ones with errors and blocks."""
    if isinstance(moments, BlockMoments):
        estimates = squeezing_estimates(moments)
        for name, estimate in estimates.values.items():
            _put(data, variable(name), estimate.value, stderr=estimate.stderr)
        status = estimates.status
        for name, part in _BLOCKS.items():
            _put(data, variable(name), getattr(moments, part))
    else:
        derived = squeezing(moments) if squeezed is None else squeezed
        _put(data, variable("spin"), moments.spin)
        _put(data, variable("covariance"), moments.covariance)
        for name, values in derived.values.items():
            _put(data, variable(name), values)
        status = derived.status
    _put(data, variable("squeezing_status"), status)


def readout_of(attributes: Mapping[str, Any]) -> Readout | None:
    """The readout that a result names, or None."""
    prefix = "readout_"
    named = {k: float(attributes[k]) for k in READOUT_FIGURES if k in attributes}
    return Readout(**{k.removeprefix(prefix): v for k, v in named.items()}) if named else None


def _put_measured(data: Table, moments: Moments | BlockMoments) -> None:
    """What a readout finds of the squeezing."""
    if isinstance(moments, BlockMoments):
        estimates = squeezing_estimates(moments).values
        for name, source in _MEASURED.items():
            _put(data, variable(name), estimates[source].value, stderr=estimates[source].stderr)
        return
    values = squeezing(moments).values
    for name, source in _MEASURED.items():
        _put(data, variable(name), values[source])


def _in_unit(entry: Variable, unit: str) -> Variable:
    return replace(entry, units=entry.units.replace("unit", unit))


def _put_reading(data: Table, entry: Variable, reading: Reading) -> None:
    if not reading.sampled:
        _put(data, entry, reading.values)
        return
    estimate = reading.estimate()
    _put(data, entry, estimate.value, stderr=estimate.stderr)
    blocks = Variable(
        f"{_OF_BLOCKS}{entry.name}",
        ("time", "block", *entry.dims[1:]),
        f"block mean of {entry.long_name}",
        entry.units,
    )
    values = reading.values
    if reading.reference is not None:
        values = values + reading.reference[:, None]
    _put(data, blocks, values)


def _truncation(entry: Variable) -> Variable:
    long_name = f"what the approximation leaves out of {entry.long_name}"
    return Variable(f"{entry.name}_truncation", entry.dims, long_name, entry.units)


def _put(data: Table, entry: Variable, values: Any, *, stderr: Any = None) -> None:
    attributes = {"units": entry.units, "long_name": entry.long_name}
    data[entry.name] = (entry.dims, np.asarray(values), attributes)
    if stderr is not None:
        attributes = {"units": entry.units, "long_name": f"standard error of {entry.long_name}"}
        data[f"{entry.name}_stderr"] = (entry.dims, np.asarray(stderr), attributes)


def read_moments(data: xr.Dataset) -> Moments | BlockMoments:
    """The moments a Dataset was built from.

    Raises:
        InvalidInput: the Dataset is not one of this package, or still has sweep dimensions.
    """
    extra = [d for d in data.get("spin", xr.DataArray()).dims if d not in ("time", "axis")]
    if swept := [str(d) for d in (data["status"].dims if "status" in data else extra)]:
        point = ", ".join(f"{dim}=0" for dim in swept)
        best = "; data['optimal_xi2'] has the least of every point" * ("optimal_xi2" in data)
        raise InvalidInput(
            f"data is a sweep over {', '.join(swept)}: select one point with data.isel({point})"
            + best
        )
    if "spin" not in data or "n_spins" not in data.attrs:
        raise InvalidInput("data must be a spinsqueeze result with spin and covariance")
    data = _in_order(data)
    n_spins = int(data.attrs["n_spins"])
    if "block_first" in data:
        fields = {field: data[name].values for name, field in _BLOCKS.items()}
        count: Any = n_spins
        if _BLOCKS_LEFT in data:
            count = data[_BLOCKS_LEFT].transpose(..., "block").values
        return BlockMoments(n_spins=count, **fields)
    left = np.asarray(data["spins_left"].values) if "spins_left" in data else n_spins
    return Moments(n_spins=left, spin=data["spin"].values, covariance=data["covariance"].values)


def read_samples(data: xr.Dataset) -> dict[str, Reading]:
    """The sampled readings a Dataset was built from, with their blocks.

    Raises:
        InvalidInput: see `read_moments`; or the result holds no sample blocks.
    """
    moments = read_moments(data)
    if not isinstance(moments, BlockMoments):
        raise InvalidInput("data holds no sample blocks")
    readings = readings_of(moments)
    for name, entry in REGISTRY.items():
        blocks = f"{_OF_BLOCKS}{name}"
        if blocks in data and blocks not in _BLOCKS:
            values = data[blocks].transpose("time", "block", *entry.dims[1:]).values
            labels = {d: data[d].values for d in entry.dims[1:] if d in data.coords}
            readings[name] = Reading(values, weights=moments.weights, coords=labels)
    return readings


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


def refuse_file_name(data: Any, *, call: str) -> None:
    """Refuse the name of a file where its result is wanted.

    Raises:
        InvalidInput: a file name, with its remedy.
    """
    if isinstance(data, str | os.PathLike):
        checked_dataset(data, call=call)


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


def was_interrupted(data: xr.Dataset) -> bool:
    """Whether Ctrl-C ended the run of a result."""
    return diagnostics_of(data).get("ended_by") == "interrupted"
