"""Output times of a study as texts with their unit, next to the numbers of a laboratory."""

from collections.abc import Mapping
from typing import Any

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.quantities import quantity, written_quantity
from spinsqueeze.core.units import seconds_of
from spinsqueeze.models.model import SpinModel


def times_as_numbers(times: Any, model: SpinModel) -> Any:
    """A list or a range of times with its texts, such as "4 ns", in the unit of the model.

    Raises:
        InvalidInput: a text that is no time, or a model without numbers of a laboratory.
    """
    if isinstance(times, Mapping):
        return {
            key: times_as_numbers(value, model)
            if key == "values"
            else _number(f"run.times.{key}", value, model)
            if key in ("start", "stop")
            else value
            for key, value in times.items()
        }
    if isinstance(times, list | tuple):
        return [_number("run.times", value, model) for value in times]
    return times


def _number(path: str, value: Any, model: SpinModel) -> Any:
    if not isinstance(value, str):
        return value
    if model.lab is None and written_quantity(value) is None:
        return value  # whoever reads the list says what is wrong
    if model.lab is None:
        raise InvalidInput(
            f"must be a number in one over {model.unit!r}, the unit of the rates, got {value!r}; "
            "texts with their unit go with [lab]",
            path=path,
        )
    try:
        seconds = quantity("times", value, kind="time")
    except InvalidInput as error:
        raise InvalidInput(error.rule, path=path) from None
    return float(f"{seconds / seconds_of(model.unit):.15g}")
