"""The study in a result: JSON in the attribute `study`, its long arrays as coordinates beside it.

They are coordinates, with dimensions of their own, so that what acts on the variables of a result
(`mean`, `where`, `merge` of xarray) leaves them alone.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import with_arrays, without_arrays
from spinsqueeze.core.units import inverse

PREFIX = "study_array_"


def put_study(data: xr.Dataset, tables: Mapping[str, Any]) -> xr.Dataset:
    """The result with this study in it, in place of any other.

    Args:
        data: a result.
        tables: the study, whole.

    Returns:
        A Dataset with the attribute `study`, where {"array": "study_array_0"} stands for the
        coordinate of that name, whose attribute `path` says where in the study it belongs.
    """
    shortened, arrays = without_arrays(tables, lambda number: f"{PREFIX}{number}")
    old = [name for name in data.coords if str(name).startswith(PREFIX)]
    unit = str(tables.get("unit", "J"))
    data = data.drop_vars(old).assign_coords(
        {
            name: (
                [f"{name}_dim_{k}" for k in range(array.ndim)],
                array,
                {"units": _units(path, unit), "long_name": f"{path} of the study", "path": path},
            )
            for name, (path, array) in arrays.items()
        }
    )
    data.attrs["study"] = json.dumps(shortened)
    return data


def study_tables(data: xr.Dataset) -> dict[str, Any]:
    """The study of a result, whole, as plain tables; that of the whole sweep of a sweep.

    Raises:
        InvalidInput: data holds no study, or lacks an array of it.
    """
    if "study" not in data.attrs:
        raise InvalidInput.of("data", "must be a result with its study in it, got none")

    def array(name: str) -> NDArray[Any]:
        if name not in data.variables:
            raise InvalidInput.of(
                "data", f"must hold {name}, an array of its study; give the result as it was loaded"
            )
        return np.asarray(data[name].values)

    return dict(with_arrays(json.loads(data.attrs["study"]), array))


def full_study_tables(data: xr.Dataset) -> dict[str, Any]:
    """The study of a result with every option of the method that made it, defaults too.

    Args:
        data: a result; its attribute `method_options` holds the options.

    Raises:
        InvalidInput: see `study_tables`.
    """
    tables = study_tables(data)
    options = json.loads(data.attrs.get("method_options", "{}"))
    named = tables.get("method")
    if named is None and "sweep" not in tables and "method" in data.attrs:
        tables["method"] = {"name": str(data.attrs["method"])}
    elif (
        named is not None
        and named.get("name") == options.get("name")
        and "method.name" not in tables.get("sweep", {})
    ):
        tables["method"] = {**options, **named}
    return tables


def _units(path: str, unit: str) -> str:
    *way, last = path.split(".")
    if way[:1] == ["lab"] and last == "values":
        return "Hz"
    if last == "times" or path == "run.times.values":
        return inverse(unit)
    if last == "positions":
        return "spacing"
    strengths = ("matrix", "vectors", "rate")
    envelope = last == "values" and way[:1] != ["initial_state"] and way[-1:] != ["envelope"]
    return unit if last in strengths or envelope else "1"
