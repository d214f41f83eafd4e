"""optimise: the parameters of a model that squeeze best, with their errors and the path taken."""

import contextlib
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput, NotAnInteger, NumericalFailure, SpinSqueezeError
from spinsqueeze.core.plain import with_value
from spinsqueeze.core.text import value_with_error
from spinsqueeze.run.execute import execute, execute_many
from spinsqueeze.run.objective import MissingObjective, Objective, jackknifed_minimum
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import study_from_tables
from spinsqueeze.run.sweep import study_from
from spinsqueeze.run.sweep_plan import short_names

if TYPE_CHECKING:
    import xarray as xr

SCAN = 9
_GOLDEN = 1.22074408460575947536  # x^(d+1) = x + 1 for d = 3; good spread for any small d


@final
@clear_init
@dataclass(frozen=True)
class Optimisation:
    """What `optimise` returns.

    values: path -> optimal value. values_stderr: path -> its standard error; None where the
    method does not sample, or at a bound. value, stderr: the objective there. at_bound: path ->
    "low" or "high" for those at a bound: the true optimum may lie beyond. converged, message:
    whether and why the search ended, and what the times lack where xi2 is least (see `optimum`).
    path: Dataset of all evaluations in order. data: the run at the optimum.
    """

    objective: str
    values: Mapping[str, float]
    values_stderr: Mapping[str, float | None]
    value: float
    stderr: float | None
    at_bound: Mapping[str, str]
    converged: bool
    message: str
    path: "xr.Dataset" = field(repr=False)
    data: "xr.Dataset" = field(repr=False)

    def __str__(self) -> str:
        """One line for people: value ± error, at which parameters."""
        parts = []
        for name, value in self.values.items():
            text = f"{name} = {value_with_error(value, stderr=self.values_stderr[name])}"
            if name in self.at_bound:
                text += f" [at its {self.at_bound[name]} bound]"
            parts.append(text)
        line = f"{self.objective} = {value_with_error(self.value, stderr=self.stderr)} at "
        return (
            line + ", ".join(parts) + ("" if self.message == "converged" else f" [{self.message}]")
        )


@clear_call
def optimise(
    subject: Any,
    initial_state: Any = None,
    times: Any = None,
    *,
    over: Mapping[str, Sequence[Any]],
    objective: str | Callable[["xr.Dataset"], float] = "xi2",
    at: str = "best",
    method: Any = None,
    pulses: Any = (),
    seed: int | None = None,
    memory_budget: float | None = None,
    tolerance: float = 1e-3,
    max_evaluations: int = 200,
    progress: Callable[[int, float], None] | None = None,
) -> Optimisation:
    """Minimise an observable over named parameters within bounds.

    One parameter: a scan of 9 points, then Brent's method between the neighbours of the lowest.
    More: points spread over the box, then Nelder-Mead from the best, and once more from where
    that ends. The search is over the logarithm of a positive objective. Every evaluation has the
    same seed, so that the objective of a sampling method is smooth; its noise shows in the
    errors, which are from a jackknife over sample blocks with the minimum found again (by a
    Newton step) in each replica. A global minimum in many dimensions is not guaranteed: see
    `path`.

    Args:
        subject: a model, a `Study`, or the tables of a study; with time or a steady state.
        initial_state: with a model: the state at time 0.
        times: with a model: output times (T,); None: the steady state; "auto": chosen at every
            point, see `simulate`.
        over: dotted path -> (low, high), or (low, high, "log") to search on a logarithmic scale.
        objective: a variable of the result, such as "xi2", or a function of the Dataset.
        at: "best": least over time; "last": at the last time. A steady state has one value.
        method: see `simulate`.
        pulses: with a model: instantaneous rotations.
        seed: instead of the study's.
        memory_budget: bytes, instead of the study's.
        tolerance: of the parameters, as a part of their ranges.
        max_evaluations: runs at most; those for the errors come on top.
        progress: called with the number of runs and the best value so far.

    Raises:
        InvalidInput: an argument breaks its rule.
        NumericalFailure: no evaluation gave a number; with the reason of the first.
    """
    study = study_from(
        subject,
        initial_state,
        times,
        method=method,
        pulses=pulses,
        seed=seed,
        memory_budget=memory_budget,
    )
    if study.sweep is not None:
        raise InvalidInput("the study has a sweep; optimise a single run")
    box = _box(over)
    checks.choice("at", at, ("best", "last"))
    tolerance = checks.real("tolerance", tolerance, minimum=1e-8, maximum=0.1)
    checks.integer("max_evaluations", max_evaluations, minimum=SCAN + 3)
    search = _Search(study, box, Objective(objective, at), max_evaluations, progress)
    try:
        if len(box) == 1:
            _one(search, tolerance)
        else:
            _several(search, tolerance)
        converged, message = True, "converged"
    except _Spent:
        converged, message = False, f"stopped after max_evaluations = {max_evaluations} runs"
    return _result(search, tolerance=tolerance, converged=converged, message=message)


@final
@dataclass(frozen=True)
class _Range:
    path: str
    low: float
    high: float
    log: bool

    def value(self, u: float) -> float:
        """The parameter at a part u of its range, bounds exactly."""
        if u <= 0.0 or u >= 1.0:
            return self.low if u <= 0.0 else self.high
        if self.log:
            return float(self.low * (self.high / self.low) ** u)
        return self.low + u * (self.high - self.low)

    def slope(self, u: float) -> float:
        """D value/du."""
        if self.log:
            return self.value(u) * math.log(self.high / self.low)
        return self.high - self.low


def _box(over: Any) -> list[_Range]:
    if not isinstance(over, Mapping) or not over:
        raise InvalidInput(
            f'over must map paths to bounds such as {{"jumps.0.rate": (0.1, 2.0)}}, got '
            f"{checks.shown(over)}"
        )
    box = []
    for path, bounds in over.items():
        spec = list(bounds) if isinstance(bounds, list | tuple | np.ndarray) else []
        if len(spec) not in (2, 3) or (len(spec) == 3 and spec[2] not in ("log", "linear")):
            raise InvalidInput(
                f'over.{path}: must be (low, high) or (low, high, "log"), got '
                f"{checks.shown(bounds)}"
            )
        low = checks.real(f"over.{path}: low", spec[0])
        high = checks.real(f"over.{path}: high", spec[1], above=low)
        log = len(spec) == 3 and spec[2] == "log"
        if log and low <= 0:
            raise InvalidInput(
                f"over.{path}: low must be above 0 on a logarithmic scale, got {low:g}"
            )
        box.append(_Range(str(path), low, high, log))
    return box


class _Spent(Exception):
    """The evaluations are used up."""


class _Search:
    """The objective over the unit box, with a record of every evaluation."""

    def __init__(
        self,
        study: Study,
        box: list[_Range],
        objective: Objective,
        limit: int,
        progress: Callable[[int, float], None] | None,
    ) -> None:
        self.tables = study.as_tables()
        self.box = box
        self.objective = objective
        self.limit = limit
        self.progress = progress
        self.tried: dict[tuple[float, ...], float] = {}
        self.values: list[float] = []
        self.errors: list[float] = []
        self.reasons: list[str] = []
        for part in (0.0, 1.0, 0.4142):  # between the ends no number is whole by chance
            try:
                study_from_tables(self._at(np.full(len(box), part)))
            except NotAnInteger as error:
                rule = f"{error.rule}; optimise varies real numbers only, sweep whole ones"
                raise InvalidInput(rule, path=error.path) from None

    def _at(self, u: Sequence[float] | Floats) -> dict[str, Any]:
        tables: Any = self.tables
        for item, part in zip(self.box, u, strict=True):
            try:
                tables = with_value(tables, item.path, item.value(float(part)))
            except InvalidInput as error:
                raise error.at("over") from None
        return dict(tables)

    def run(self, u: Sequence[float] | Floats) -> "xr.Dataset":
        """The run at a point of the box."""
        return execute(study_from_tables(self._at(u)))

    def __call__(self, u: Any) -> float:
        """Log of the objective (itself where it is not positive); infinite for a failed run."""
        point = tuple(float(np.clip(part, 0.0, 1.0)) for part in np.atleast_1d(u))
        if point in self.tried:
            return self._scaled(self.tried[point])
        if len(self.tried) >= self.limit:
            raise _Spent
        return self._record(point, lambda: self.run(point))

    def scan(self, points: Sequence[Any]) -> list[float]:
        """The same at many points, in one call where the method answers many together."""
        fresh = [tuple(np.atleast_1d(u).tolist()) for u in points]
        studies = [study_from_tables(self._at(u)) for u in fresh[: self.limit - len(self.tried)]]
        if studies and studies[0].method is not None and studies[0].method.together:
            with contextlib.suppress(SpinSqueezeError):  # one by one below, each with its reason
                for point, data in zip(fresh, execute_many(studies), strict=False):
                    self._record(point, functools.partial(_given, data))
        return [self(u) for u in points]

    def _record(self, point: tuple[float, ...], run: Callable[[], "xr.Dataset"]) -> float:
        value, error, reason = math.nan, math.nan, ""
        try:
            value, stderr = self.objective.of(run())
            error = math.nan if stderr is None else stderr
        except MissingObjective:
            raise
        except SpinSqueezeError as problem:
            reason = f"{type(problem).__name__}: {problem}"
        self.tried[point] = value
        self.values.append(value)
        self.errors.append(error)
        self.reasons.append(reason)
        if self.progress is not None:
            self.progress(len(self.tried), float(np.nanmin([*self.values, math.inf])))
        return self._scaled(value)

    def _scaled(self, value: float) -> float:
        if math.isnan(value):
            return math.inf
        return math.log(value) if self.objective.positive and value > 0 else value

    def best(self) -> tuple[float, ...]:
        """The lowest point so far.

        Raises:
            NumericalFailure: none gave a number.
        """
        point = min(self.tried, key=lambda p: self._scaled(self.tried[p]))
        if math.isnan(self.tried[point]):
            raise NumericalFailure(
                f"no run of the optimisation gave a number; the first: {self.reasons[0]}"
            )
        return point


def _given(data: "xr.Dataset | SpinSqueezeError") -> "xr.Dataset":
    if isinstance(data, SpinSqueezeError):
        raise data
    return data


def _one(search: _Search, tolerance: float) -> None:
    from scipy.optimize import minimize_scalar

    grid = np.linspace(0.0, 1.0, SCAN)
    curve = search.scan([[u] for u in grid])
    search.best()
    k = int(np.argmin(curve))
    bounds = (grid[max(k - 1, 0)], grid[min(k + 1, SCAN - 1)])
    minimize_scalar(
        lambda u: search([u]), bounds=bounds, method="bounded", options={"xatol": tolerance}
    )


def _several(search: _Search, tolerance: float) -> None:
    from scipy.optimize import minimize

    d = len(search.box)
    steps = _GOLDEN ** -np.arange(1.0, d + 1)
    search.scan([(0.5 + k * steps) % 1.0 for k in range(4 * (d + 1))])
    for width in (0.2, 0.05):
        start = np.array(search.best())
        simplex = [start]
        for k in range(d):
            corner = start.copy()
            corner[k] += width if corner[k] + width <= 1.0 else -width
            simplex.append(corner)
        minimize(
            search,
            start,
            method="Nelder-Mead",
            bounds=[(0.0, 1.0)] * d,
            options={
                "initial_simplex": np.array(simplex),
                "xatol": tolerance,
                "fatol": 1e-6,
                "maxfev": 10**9,
            },
        )


def _result(search: _Search, *, tolerance: float, converged: bool, message: str) -> Optimisation:
    import xarray as xr

    point = np.array(search.best())
    data = search.run(point)
    value, stderr = search.objective.of(data)
    concern = search.objective.concern(data)
    message = f"{message}; {concern}" if concern else message
    at_bound = {
        item.path: "low" if u <= 2 * tolerance else "high"
        for item, u in zip(search.box, point, strict=True)
        if u <= 2 * tolerance or u >= 1 - 2 * tolerance
    }
    inner = [k for k, item in enumerate(search.box) if item.path not in at_bound]
    shifts = jackknifed_minimum(search.run, search.objective, point, inner)
    errors: dict[str, float | None] = {item.path: None for item in search.box}
    for k, shift in shifts.items():
        errors[search.box[k].path] = shift * search.box[k].slope(point[k])
    names = short_names([item.path for item in search.box])
    tried = np.array(list(search.tried))
    path = xr.Dataset(
        {
            **{
                names[item.path]: ("evaluation", [item.value(u) for u in tried[:, k]])
                for k, item in enumerate(search.box)
            },
            "value": ("evaluation", search.values),
            "value_stderr": ("evaluation", search.errors),
            "reason": ("evaluation", search.reasons),
        },
        attrs={"objective": search.objective.name},
    )
    return Optimisation(
        objective=search.objective.name,
        values={i.path: i.value(float(u)) for i, u in zip(search.box, point, strict=True)},
        values_stderr=errors,
        value=value,
        stderr=stderr,
        at_bound=at_bound,
        converged=converged,
        message=message,
        path=path,
        data=data,
    )
