"""What a sweep is of: a model, tables or a study, and the points that it runs over."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import numbers
from spinsqueeze.models.model import SpinModel
from spinsqueeze.run.choice import make_method
from spinsqueeze.run.questions import AUTO, listed
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import study_from_tables, study_of_subject
from spinsqueeze.run.sweep_axes import AVERAGED, ZIPPED, read_axes
from spinsqueeze.run.sweep_plan import Plan, make_plan


def study_from(subject: Any, initial_state: Any, times: Any, **options: Any) -> Study:
    """The study that a model with a state and times, or tables, or a study itself stand for.

    Args:
        subject: a SpinModel, a Study, or the tables of one.
        initial_state: with a model.
        times: with a model; None: a steady state, or "auto" where nothing can ever decay.
        **options: parts of the study to set; None leaves them alone.

    Raises:
        InvalidInput: another subject, or an argument that the study has itself.
    """
    given = {k: v for k, v in options.items() if v is not None and k != "pulses"}
    if "method" in given:
        given["method"] = make_method(given["method"])
    if isinstance(subject, SpinModel):
        pulses = options["pulses"]
        given["pulses"] = listed(pulses)
        closed = not subject.jumps and subject.cavity is None
        if times is None and initial_state is not None and closed:
            times = AUTO
        steady = times is None
        return Study(
            subject, initial_state=initial_state, times=times, steady_state=steady, **given
        )
    study = study_of_subject(subject)
    if initial_state is not None or times is not None or options["pulses"]:
        raise InvalidInput(
            "initial_state, times and pulses are the study's own; give them with a SpinModel only"
        )
    return replace(study, **given) if given else study


def plan_of(
    study: Study, *, over: Any = None, zipped: Any = None, average_over: Any = None
) -> Plan:
    """The points of a sweep, checked.

    Args:
        study: what all points share.
        over: as of `sweep`; None: the study's own.
        zipped: as of `sweep`.
        average_over: as of `sweep`.

    Raises:
        InvalidInput: nothing to sweep, or a path or value breaks its rule.
    """
    tables = study.as_tables()
    own = tables.pop("sweep", {})
    if over is None and not own:
        raise InvalidInput(
            'over must name what to sweep, e.g. over={"hamiltonian.0.j_z": [-1.0, 0.0, 1.0]}'
        )
    if over is not None and not isinstance(over, Mapping):
        raise InvalidInput(f"over must map dotted paths to values, got {checks.shown(over)}")
    asked = own if over is None else {str(path): _plain(spec) for path, spec in over.items()}
    if zipped is not None:
        asked[ZIPPED] = zipped
    if average_over is not None:
        asked[AVERAGED] = average_over
    try:
        # The study's own sweep too: it was read against its file, which may say more than needed.
        values = read_axes(tables, asked, check=study_from_tables)
    except InvalidInput as error:
        raise error.at("sweep" if over is None else "over") from None
    groups, averaged = values.pop(ZIPPED, False), values.pop(AVERAGED, ())
    return make_plan(tables, values, zipped=groups, average_over=averaged)


def _plain(spec: Any) -> Any:
    """Numbers and arrays of numpy, xarray or jax as plain ones, through lists and tables."""
    if hasattr(spec, "__array__"):
        array = np.asarray(spec)
        return array.tolist() if array.ndim < 2 else [numbers(row) for row in array]
    if isinstance(spec, Mapping):
        return {key: _plain(value) for key, value in spec.items()}
    if isinstance(spec, list | tuple | range):
        return [_plain(value) for value in spec]
    return spec
