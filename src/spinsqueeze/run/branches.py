"""branches: all steady-state branches of mean field or cumulants along one parameter."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, TooLarge, Unsupported
from spinsqueeze.core.plain import with_value
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import Question
from spinsqueeze.methods.cumulants.initial import initial_cumulants
from spinsqueeze.methods.cumulants.method import Cumulants, MeanField
from spinsqueeze.methods.cumulants.own_products import (
    FACTORISED,
    PAULI,
    chosen,
    factorised_tables,
)
from spinsqueeze.methods.cumulants.series import n_coefficients
from spinsqueeze.methods.cumulants.tables import Table, tables_of
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.states import CoherentState, InitialState
from spinsqueeze.results import branches as results
from spinsqueeze.results import provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.choice import make_method
from spinsqueeze.run.progress_bar import listener
from spinsqueeze.run.questions import steady_question
from spinsqueeze.run.ranges import expand
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import study_from_tables, study_of_subject
from spinsqueeze.run.sweep_axes import read_axes
from spinsqueeze.run.sweep_plan import short_names

SECTIONS = ("lab", "ensemble", "hamiltonian", "jumps")
MOST_CUMULANTS = 400
DIRECTIONS = ("+x", "-x", "+y", "-y", "+z", "-z")
MAX_NUM = 10_000


@clear_call
def branches(
    subject: SpinModel | Study | Mapping[str, Any],
    *,
    over: Mapping[str, Any],
    initial_states: Sequence[InitialState] = (),
    method: Method | type[Method] | str | None = None,
    n_places: int = 7,
    n_random: int = 10,
    max_branches: int = 64,
    seed: int = 0,
    progress: Callable[[float], None] | bool | None = None,
    title: str | None = None,
) -> xr.Dataset:
    """Steady-state branches of mean field or cumulants along a parameter, by continuation.

    Fixed points are sought at `n_places` places of the parameter, and each is followed in both
    directions by pseudo-arclength, through folds, and to the branches that cross it. Found for
    certain: all isolated fixed points of `MeanField` of one or two kinds of spins at the places,
    hence every branch that passes one of them. Not for certain: closed branches between two places;
    and of more kinds or higher orders, branches that no start reaches (raise n_places, n_random).
    They are steady states of truncated equations: the exact steady state is one state wherever a
    model has one only, however many branches there are; orders from 3 on add artefacts near
    transitions by the dozen. States that rotate or oscillate for ever are no fixed points: only
    where they begin is marked.

    Args:
        subject: a model, a `Study` (its model, initial_state and method are taken), or its tables.
        over: one dotted path into the study, such as "hamiltonian.0.rabi" -> {start, stop, num}
            with spacing "linear" or "log", or values. The longest step of the parameter is the
            range over num - 1; the places are the continuation's own.
        initial_states: what is conserved (without local jumps the total spin, for instance)
            keeps the value that it has in these; they are starts of the search too. Default:
            the study's, else all spins along +x, -x, ... -z.
        method: `MeanField` (default) or `Cumulants`; its next_order and tolerance play no part.
        n_places: of the parameter at which fixed points are sought.
        n_random: random product states from which Newton's method starts at each place, where the
            search is not exhaustive.
        max_branches: no more are followed; a warning says so.
        seed: of the random states.
        progress: called with the fraction done; True shows a bar (lines in a log file).
        title: of the result.

    Returns:
        Dataset with dimensions branch and point, shorter branches padded (`n_points`): the
        parameter as a coordinate; spin, contrast, and from order 2 on covariance, xi2 and the rest;
        growth: the largest real part of the eigenvalues of small deviations; stable: growth < 0,
        by more than 1e-7 of the largest;
        physical: no negative variance, <S^2> in its bounds (branches end where a mean spin would be
        longer than N/2). Along special: special_kind ("fold", "branch point", "hopf"),
        special_parameter, special_branch, special_point, special_spin, and special_frequency of the
        oscillation that begins at a hopf (0: a rotation about an axis of symmetry).

    Raises:
        InvalidInput: an argument breaks its rule, a closed or time-dependent model.
        Unsupported: the method does not fit the model, with every reason.
        TooLarge: too many cumulants.
        NumericalFailure: no steady state is found.
    """
    from spinsqueeze.methods.cumulants.branches import Search, curves_of
    from spinsqueeze.methods.cumulants.family import Axis, family_of

    search = {
        "n_places": checks.integer("n_places", n_places, minimum=1, maximum=1000),
        "n_random": checks.integer("n_random", n_random, minimum=0, maximum=100_000),
        "max_branches": checks.integer("max_branches", max_branches, minimum=1, maximum=10_000),
        "seed": checks.integer("seed", seed, minimum=0),
    }
    hears = progress is None or isinstance(progress, bool) or callable(progress)
    if not hears:
        raise InvalidInput.of(
            "progress", f"must be a function of the fraction done, got {progress!r}"
        )
    path, axis, num = _axis(over)
    study = _study(subject, title=title)
    asked = _method(study if method is None else make_method(method))
    models = _Models(study, path, Axis(*axis))
    states = _states(study, initial_states)
    tables = _tables(models, asked, states)
    started = time.perf_counter()
    order = min(1 if isinstance(asked, MeanField) else asked.order, models.n_spins)
    _check_size(models, order)
    family = family_of(
        lambda value: tables(models.form(value)),
        axis=models.axis,
        counts=models.counts,
        order=order,
    )
    starts = [initial_cumulants(question, family.equations.series) for question in states(models)]
    places = (np.arange(n_places) + 0.4142) / n_places
    with listener(progress, title=title or "branches") as heard:
        curves, more = curves_of(
            family,
            starts,
            Search(places, n_random, 1 / (num - 1), max_branches, seed),
            followed=bool(initial_states) or order > 1,
            progress=heard or (lambda _: None),
        )
    if not curves:
        raise NumericalFailure(
            f"no steady state of {asked.name()} is found along {path}; raise n_random, or give "
            "initial_states"
        )
    name = short_names([path])[path]
    concerns = [f"more than {max_branches} branches: raise max_branches"] if more else []
    if not all(curve.complete for curve in curves):
        concerns.append("a branch is cut: it has too many points; narrow the range")
    attributes = {
        "title": study.title,
        "n_spins": models.n_spins,
        "unit": study.model.unit,
        "method": asked.name(),
        "error_kind": "uncontrolled" if order < models.n_spins else "exact",
        "references": ", ".join(asked.references),
        "seed": seed,
        "parameter": name,
        "over": json.dumps({path: {"start": axis[0], "stop": axis[1], "num": num}}),
        "diagnostics": json.dumps({"order": order, **search, "products": tables.products}),
        "warnings": json.dumps(concerns),
        "wall_time": time.perf_counter() - started,
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    data = results.build(
        _lines(family, curves), name=name, path=path, order=order, attributes=attributes
    )
    return put_study(data, models.study.as_tables())


def _axis(over: Any) -> tuple[str, tuple[float, float, bool], int]:
    """The path, its range and whether it is logarithmic, and the number of steps asked for."""
    if not isinstance(over, Mapping) or len(over) != 1:
        raise InvalidInput.of(
            "over",
            'must be one path with its range, such as {"hamiltonian.0.rabi": {"start": 0.1, '
            f'"stop": 2.0, "num": 41}}}}, got {checks.shown(over)}',
        )
    ((path, spec),) = over.items()
    section = str(path).partition(".")[0]
    if section not in SECTIONS or "." not in str(path):
        raise InvalidInput(
            "must be a dotted path to a strength of the model, below "
            f"{', '.join(SECTIONS)}, such as hamiltonian.0.rabi",
            path=f"over.{path}",
        )
    values = expand(f"over.{path}", spec)
    if not 2 <= len(values) <= MAX_NUM:
        raise InvalidInput(
            f"must hold 2 to {MAX_NUM} values, got {len(values)}", path=f"over.{path}"
        )
    try:
        grid = checks.increasing("values", values if values[0] <= values[-1] else values[::-1])
    except (InvalidInput, TypeError, ValueError):
        raise InvalidInput(
            "must be finite real numbers that increase or decrease", path=f"over.{path}"
        ) from None
    logarithmic = isinstance(spec, Mapping) and spec.get("spacing") == "log"
    return str(path), (float(grid[0]), float(grid[-1]), logarithmic), len(grid)


def _study(subject: Any, *, title: str | None) -> Study:
    """The study of a steady state of the subject's model."""
    if isinstance(subject, SpinModel):
        return Study(subject, steady_state=True, title=title or "")
    subject = study_of_subject(subject)
    return Study(
        subject.model,
        initial_state=subject.initial_state,
        steady_state=True,
        method=subject.method,
        title=subject.title if title is None else title,
    )


def _method(source: Method | Study) -> MeanField | Cumulants:
    """The method asked for; of a study, its own where it has fixed points, else mean field."""
    if isinstance(source, Study):
        own = source.method
        return own if isinstance(own, MeanField | Cumulants) else MeanField()
    if not isinstance(source, MeanField | Cumulants):
        raise InvalidInput.of(
            "method",
            "must be MeanField or Cumulants, whose steady states form branches, got "
            f"{source.name()}",
        )
    return source


@final
class _Models:
    """The model at every value of the parameter, on the same kinds of spins."""

    def __init__(self, study: Study, path: str, axis: Any) -> None:
        self.study, self.path, self.axis = study, path, axis
        self._plain = study.as_tables()
        ends = [axis.start, axis.value(0.5), axis.stop]
        try:
            read_axes(self._plain, {path: ends}, check=study_from_tables)
        except InvalidInput as error:
            raise error.at("over") from None
        forms = [self.model(value).canonical for value in ends]
        if any(form.modes for form in forms):
            raise Unsupported("branches cannot follow this model: it keeps a cavity; eliminate it")
        self.n_spins = forms[0].n_spins
        if any(form.n_spins != self.n_spins for form in forms):
            raise InvalidInput("must not change the number of spins", path=f"over.{path}")
        self.counts = max((form.counts for form in forms), key=len)

    def model(self, value: float) -> SpinModel:
        """The model at a value."""
        return study_from_tables(with_value(self._plain, self.path, value)).model

    def form(self, value: float) -> Canonical:
        """In canonical form, on the kinds that all values share."""
        return self.model(value).canonical.split(self.counts)


@final
@dataclass(frozen=True)
class _States:
    """The initial states, as questions of the model at the middle of the range."""

    states: tuple[InitialState, ...]

    def __call__(self, models: _Models) -> list[Question]:
        return self.at(models, models.axis.value(0.5))

    def at(self, models: _Models, value: float) -> list[Question]:
        """As questions of the model at a value."""
        model = models.model(value)
        return [steady_question(model, initial_state=state) for state in self.states]


def _states(study: Study, given: Any) -> _States:
    listed = (given,) if isinstance(given, InitialState) else tuple(given)
    if not listed and study.initial_state is not None:
        listed = (study.initial_state,)
    return _States(listed or tuple(CoherentState(direction) for direction in DIRECTIONS))


@final
@dataclass(frozen=True)
class _Tables:
    """The tables of a form, by the products that suit the whole range."""

    products: str

    def __call__(self, form: Canonical) -> list[Table]:
        return factorised_tables(form) if self.products == FACTORISED else tables_of(form)


def _tables(models: _Models, method: MeanField | Cumulants, states: _States) -> _Tables:
    """Refuse models that the method does not fit, and choose the products of one spin.

    Raises:
        Unsupported: with every reason.
    """
    axis, all_chosen = models.axis, set()
    for value in (axis.start, axis.value(0.5), axis.stop):
        for question in states.at(models, value):
            reasons = method.support(question)
            if reasons:
                raise Unsupported(
                    f"branches cannot follow this model ({models.path} = {value:g}): "
                    + "; ".join(reasons)
                )
            if isinstance(method, MeanField):
                all_chosen.add(chosen(method.products, question))
    return _Tables(FACTORISED if all_chosen == {FACTORISED} else PAULI)


def _check_size(models: _Models, order: int) -> None:
    count = n_coefficients(models.counts, order) - 1
    if count > MOST_CUMULANTS:
        raise TooLarge(
            f"branches of order {order} have {count} unknowns, at most {MOST_CUMULANTS} are "
            "followed: lower the order or the number of classes"
        )


def _lines(family: Any, curves: Sequence[Any]) -> list[results.Line]:
    """The curves as arrays; those without a physical point are artefacts of the truncation."""
    from spinsqueeze.methods.cumulants.branches import sound
    from spinsqueeze.methods.cumulants.states import collective_moments

    out = []
    for curve in curves:
        u: Floats = np.array([point.u for point in curve.points])
        physical = sound(family, u[:, :-1])
        if not np.any(physical):
            continue
        p = np.array([family.cumulants(y) for y in u[:, :-1]])
        out.append(
            results.Line(
                values=np.array([family.axis.value(x) for x in u[:, -1]]),
                moments=collective_moments(
                    p, counts=family.equations.structure[2], series=family.equations.series
                ),
                growth=family.rate * np.array([point.growth for point in curve.points]),
                physical=physical,
                specials=[
                    (place, special.kind, family.rate * special.frequency)
                    for place, special in curve.specials
                ],
            )
        )
    return out
