"""compare: the same run by every method that fits, and where they first disagree."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, final

import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import same
from spinsqueeze.core.text import html_lines
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET, Question
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.readout import Readout
from spinsqueeze.models.states import InitialState
from spinsqueeze.results.dataset import was_interrupted
from spinsqueeze.run.choice import PATIENCE, make_method
from spinsqueeze.run.differences import (
    AGREES,
    GRADES,
    VARIABLES,
    Difference,
    OptimumDifference,
    difference,
    optimum_difference,
)
from spinsqueeze.run.progress_bar import listener
from spinsqueeze.run.questions import evolve_question, is_auto, steady_question
from spinsqueeze.run.simulate import simulate
from spinsqueeze.run.steady_state import steady_state
from spinsqueeze.run.stepwise import times_of
from spinsqueeze.run.study import Study


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` returns: every result, and the differences from the most trusted one.

    differences: of each variable; optima: of the best squeezing, in decibels.
    """

    reference: str
    datasets: dict[str, xr.Dataset]
    differences: tuple[Difference, ...]
    optima: tuple[OptimumDifference, ...]
    refused: dict[str, str]

    @property
    def agree(self) -> bool:
        """Whether every method agrees with the reference in everything, with bounded errors."""
        return self._grades <= {AGREES}

    @property
    def grade(self) -> str:
        """The worst of "agrees", "no bound" (of some error), "doubtful" and "differs"."""
        return max(self._grades, key=GRADES.index, default=AGREES)

    @property
    def _grades(self) -> set[str]:
        return {d.grade for d in self.differences} | {d.grade for d in self.optima}

    def __str__(self) -> str:
        lines = [f"reference: {self.reference}", *map(str, self.optima)]
        lines += map(str, self.differences)
        lines += [f"{name}: not run: {why}" for name, why in self.refused.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.datasets)}: {self.grade}>"

    def _repr_html_(self) -> str:
        return html_lines(str(self))


@clear_call
def compare(
    model: SpinModel | Mapping[str, SpinModel],
    initial_state: InitialState | None = None,
    times: Any = None,
    *,
    methods: Sequence[Method | type[Method] | str] | None = None,
    pulses: Sequence[Pulse] = (),
    readout: Readout | None = None,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | bool | None = None,
) -> Comparison:
    """Run several methods on one problem and say where they first disagree.

    Several models, such as a cavity that is kept and one that is eliminated
    (`compare({"kept": model, "eliminated": eliminate_cavity(model).model}, state, times)`), are
    compared with the first of them: each by its most trusted method, or by every one of `methods`
    that fits; then labels are 'name: method'.

    Args:
        model: the model, or a mapping of names to models of one number of spins.
        initial_state: the state at time 0; with a steady state, the one that chooses it, if any.
        times: output times; None: the steady state; "auto": those that `simulate` would begin
            with for the (first) model.
        methods: methods to run; None: every method that fits and should take under a minute (of
            several models the most trusted one of these for each).
        pulses: instantaneous rotations.
        readout: how the spins are misread; what is compared is that of the spins themselves.
        seed: seed of the sampling methods.
        memory_budget: bytes for each method.
        progress: called with the fraction done of all methods together; True shows a bar.

    Raises:
        InvalidInput: fewer than two methods are left to compare, or an argument breaks its rule.
        TooLarge: a method in `methods` needs more memory than the budget.
    """
    shared: dict[str, Any] = {"seed": seed, "memory_budget": memory_budget}
    head = next(iter(_named(model).values()))
    closed = isinstance(head, SpinModel) and not head.jumps and head.cavity is None
    if times is None and closed:
        raise InvalidInput.of(
            "times", 'must be given, or "auto": a closed model has no steady state to compare'
        )
    if is_auto(times):
        times = times_of(Study(head, initial_state=initial_state, pulses=pulses, **shared))
    runs, refused = _planned(model, initial_state, times, pulses, methods, shared)
    datasets = {}
    with listener(progress, title="compare") as heard:
        for k, (label, run) in enumerate(runs.items()):
            options: dict[str, Any] = {
                **shared,
                "readout": readout,
                "progress": _share(heard, k, len(runs)),
            }
            if initial_state is None or times is None:
                datasets[label] = steady_state(
                    run.model, initial_state=initial_state, method=run.method, **options
                )
            else:
                datasets[label] = simulate(
                    run.model, initial_state, times, method=run.method, pulses=pulses, **options
                )
                if was_interrupted(datasets[label]):
                    raise KeyboardInterrupt
    first = next(iter(runs.values())).model
    of_the_first = [label for label, run in runs.items() if run.model is first]
    reference = min(of_the_first, key=lambda label: runs[label].rank)
    others = {name: data for name, data in datasets.items() if name != reference}
    theirs = datasets[reference]
    differences = tuple(
        difference(theirs, data, variable=variable, method=name)
        for name, data in others.items()
        for variable in VARIABLES
    )
    of_optima = (optimum_difference(theirs, data, method=name) for name, data in others.items())
    optima = tuple(optimum for optimum in of_optima if optimum is not None)
    return Comparison(reference, datasets, differences, optima, refused)


@final
@dataclass(frozen=True, eq=False)
class _Run:
    model: SpinModel
    method: Method
    rank: int


def _planned(
    model: SpinModel | Mapping[str, SpinModel],
    initial_state: InitialState | None,
    times: Any,
    pulses: Sequence[Pulse],
    methods: Sequence[Method | type[Method] | str] | None,
    shared: dict[str, Any],
) -> tuple[dict[str, _Run], dict[str, str]]:
    """What to run, by label, and why the rest is not."""
    several = _named(model)
    runs: dict[str, _Run] = {}
    refused: dict[str, str] = {}
    for name, one in several.items():
        question = _question(one, initial_state, times, pulses, shared)
        chosen, others = _choose(question, methods, least=2 if len(several) == 1 else 1, of=name)
        ranks = {label: method.trust(question).rank for label, method in chosen.items()}
        if len(several) > 1 and methods is None:
            best = min(ranks, key=lambda label: ranks[label])
            chosen = {best: chosen[best]}
        before = f"{name}: " if len(several) > 1 else ""
        runs |= {before + label: _Run(one, m, ranks[label]) for label, m in chosen.items()}
        refused |= {before + label: why for label, why in others.items()}
    return runs, refused


def _named(model: Any) -> dict[str, SpinModel]:
    """The models to compare, by name; one alone has none.

    Raises:
        InvalidInput: no SpinModel, fewer than two of them in a mapping, or of different size.
    """
    if not isinstance(model, Mapping):
        return {"": model}
    for name, one in model.items():
        if not isinstance(name, str) or not isinstance(one, SpinModel):
            raise InvalidInput.of(
                "model", f"must map names to SpinModels, got {checks.shown({name: one})}"
            )
    units = {one.unit for one in model.values()}
    if len(units) > 1:
        raise InvalidInput.of(
            "model", f"must map names to models of one unit, got {', '.join(sorted(units))}"
        )
    sizes = {one.n_spins for one in model.values()}
    if len(model) < 2 or len(sizes) != 1:
        counts = ", ".join(f"{name}: {one.n_spins} spins" for name, one in model.items())
        raise InvalidInput.of(
            "model", f"must map names to two models or more of one size, got {counts or 'none'}"
        )
    return dict(model)


def _question(
    model: SpinModel,
    initial_state: InitialState | None,
    times: Any,
    pulses: Sequence[Pulse],
    shared: dict[str, Any],
) -> Question:
    if times is None:
        if pulses:
            raise InvalidInput("pulses have no place in a steady state; drop them, or give times")
        return steady_question(model, initial_state=initial_state, **shared)
    if initial_state is None:
        raise InvalidInput("initial_state must be given with times, e.g. CoherentState('+x')")
    return evolve_question(model, initial_state, times, pulses=pulses, **shared)


def _choose(
    question: Question,
    methods: Sequence[Method | type[Method] | str] | None,
    *,
    least: int,
    of: str,
) -> tuple[dict[str, Method], dict[str, str]]:
    """The methods to run, by label, and why the others are not.

    Raises:
        InvalidInput: fewer than `least` are left.
        TooLarge: a method that was named needs more memory than the budget.
    """
    chosen: dict[str, Method] = {}
    refused: dict[str, str] = {}
    if isinstance(methods, str | type | Method):
        methods = [methods]
    elif methods is not None and not isinstance(methods, Iterable):
        raise InvalidInput.of(
            "methods", f"must be a list such as ['exact', 'dtwa'], got {checks.shown(methods)}"
        )
    made = [make_method(item) for item in (METHODS.values() if methods is None else methods)]
    for method, label in zip(made, _labels(made), strict=True):
        verdict = method.judge(question)
        if methods is not None and verdict.too_large:
            method.insist(verdict)
        if not verdict or verdict.cost is None:
            refused[label] = f"{type(method).__name__} cannot do this: {'; '.join(verdict.reasons)}"
        elif methods is None and verdict.cost.seconds > PATIENCE:
            seconds = verdict.cost.seconds
            refused[label] = f"would take about {seconds:.0f} s; name it in methods to run it"
        elif method in chosen.values():
            raise InvalidInput.of("methods", f"must differ, got {method.name()} twice")
        else:
            chosen[label] = method
    if len(chosen) < least:
        needed = "two methods that fit" if least == 2 else f"a method that fits for {of!r}"
        raise InvalidInput(
            f"compare needs {needed}, got {len(chosen)}: "
            + "; ".join(
                [f"{name} fits" for name in chosen]
                + [f"{name}: {why}" for name, why in refused.items()]
            )
            + ("; name another, or leave methods out" if methods is not None else "")
        )
    return chosen, refused


def _labels(methods: Sequence[Method]) -> list[str]:
    """The name of each method; of one that stands there more than once with what differs."""
    labels = []
    for method in methods:
        alike = [other for other in methods if type(other) is type(method)]
        tables = [{f.name: getattr(other, f.name) for f in fields(other)} for other in alike]  # type: ignore[arg-type]
        own = {f.name: getattr(method, f.name) for f in fields(method)}  # type: ignore[arg-type]
        options = ", ".join(
            f"{name}={checks.shown(value)}"
            for name, value in own.items()
            if any(not same(value, table[name]) for table in tables)
        )
        labels.append(f"{method.name()}({options})" if options else method.name())
    return labels


def _share(
    progress: Callable[[float], None] | None, k: int, n: int
) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda fraction: progress((k + fraction) / n)
