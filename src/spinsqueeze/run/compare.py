"""compare: the same run by every method that fits, and where they first disagree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET, Question
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState
from spinsqueeze.results.dataset import was_interrupted
from spinsqueeze.run.choice import PATIENCE, make_method
from spinsqueeze.run.questions import evolve_question, steady_question
from spinsqueeze.run.simulate import simulate
from spinsqueeze.run.steady_state import steady_state

SIGMAS = 5.0
TRUNCATIONS = 2.0
"""What a truncation may err by, in units of what its next order changes."""
_SCALES: dict[str, Callable[[int], float]] = {
    "spin": lambda n: np.sqrt(n) / 2,
    "covariance": lambda n: n / 4,
    "xi2": lambda _n: 1.0,
    "contrast": lambda n: 1 / np.sqrt(n),
    "total_spin_squared": lambda n: float(n),
}


@final
@dataclass(frozen=True)
class Difference:
    """How one method differs from the reference in one variable.

    agrees: whether they differ by no more than 5 combined standard errors plus the stated numerical
    errors and twice the truncations. time: the first time at which they differ; None where they
    agree, and for steady states. value, reference, error: both values there (at the largest
    difference if they agree) and the combined error. sigmas: largest difference, in errors.
    until: the first time at which one of them has ended, or sets no bound to its error; nothing is
    compared from there on; None where all times are (infinite: none of a steady state).
    """

    variable: str
    method: str
    agrees: bool
    time: float | None
    value: float
    reference: float
    error: float
    sigmas: float
    until: float | None = None

    def __str__(self) -> str:
        if np.isnan(self.error):
            return (
                f"{self.method}: {self.variable}: nothing to compare, it sets no bound to its error"
            )
        where = "agrees" if self.agrees else "differs"
        where += "" if self.time is None else f" from t = {self.time:.4g} on"
        if self.until is not None and self.agrees:
            where += f" up to t = {self.until:.4g}, where a method ends or bounds its error no more"
        return (
            f"{self.method}: {self.variable} {where} ({self.value:.6g} against "
            f"{self.reference:.6g}, combined error {self.error:.2g}; largest difference "
            f"{self.sigmas:.1f} errors)"
        )


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` returns: every result, and the differences from the most trusted one."""

    reference: str
    datasets: dict[str, xr.Dataset]
    differences: tuple[Difference, ...]
    refused: dict[str, str]

    @property
    def agree(self) -> bool:
        """Whether every method agrees with the reference, wherever its errors are bounded."""
        return all(d.agrees for d in self.differences)

    def __str__(self) -> str:
        lines = [f"reference: {self.reference}", *map(str, self.differences)]
        lines += [f"{name}: not run: {why}" for name, why in self.refused.items()]
        return "\n".join(lines)


def compare(
    model: SpinModel | Mapping[str, SpinModel],
    initial_state: InitialState | None = None,
    times: Any = None,
    *,
    methods: Sequence[Method | type[Method] | str] | None = None,
    pulses: Sequence[Pulse] = (),
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Run several methods on one problem and say where they first disagree.

    Several models, such as a cavity that is kept and one that is eliminated
    (`compare({"kept": model, "eliminated": eliminate_cavity(model).model}, state, times)`), are
    compared with the first of them: each by its most trusted method, or by every one of `methods`
    that fits; then labels are 'name: method'.

    Args:
        model: the model, or a mapping of names to models of one number of spins.
        initial_state: the state at time 0; with a steady state, the one that chooses it, if any.
        times: output times; None: the steady state.
        methods: methods to run; None: every method that fits and should take under a minute (of
            several models the most trusted one of these for each).
        pulses: instantaneous rotations.
        seed: seed of the sampling methods.
        memory_budget: bytes for each method.
        progress: called with the fraction done of all methods together.

    Raises:
        InvalidInput: fewer than two methods are left to compare, or an argument breaks its rule.
        TooLarge: a method in `methods` needs more memory than the budget.
    """
    shared: dict[str, Any] = {"seed": seed, "memory_budget": memory_budget}
    runs, refused = _planned(model, initial_state, times, pulses, methods, shared)
    datasets = {}
    for k, (label, run) in enumerate(runs.items()):
        options: dict[str, Any] = {**shared, "progress": _share(progress, k, len(runs))}
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
    differences = tuple(
        _difference(datasets[reference], datasets[name], variable=variable, method=name)
        for name in datasets
        if name != reference
        for variable in _SCALES
    )
    return Comparison(reference, datasets, differences, refused)


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
    for item in METHODS.values() if methods is None else methods:
        method = make_method(item)
        label = _label(method, chosen)
        verdict = method.judge(question)
        if methods is not None and verdict.too_large:
            method.insist(verdict)
        if not verdict or verdict.cost is None:
            refused[label] = f"{type(method).__name__} cannot do this: {'; '.join(verdict.reasons)}"
        elif methods is None and verdict.cost.seconds > PATIENCE:
            seconds = verdict.cost.seconds
            refused[label] = f"would take about {seconds:.0f} s; name it in methods to run it"
        else:
            chosen[label] = method
    if len(chosen) < least:
        needed = "two methods that fit" if least == 2 else f"a method that fits for {of!r}"
        raise InvalidInput(
            f"compare needs {needed}, got {len(chosen)}: "
            + "; ".join(f"{name}: {why}" for name, why in refused.items())
        )
    return chosen, refused


def _label(method: Method, taken: dict[str, Method]) -> str:
    label = method.name()
    if label in taken:
        options = ", ".join(f"{k}={checks.shown(v)}" for k, v in method.as_dict().items())
        label = f"{label}({options})"
    while label in taken:
        label += "'"
    return label


def _share(
    progress: Callable[[float], None] | None, k: int, n: int
) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda fraction: progress((k + fraction) / n)


def _difference(
    reference: xr.Dataset, data: xr.Dataset, *, variable: str, method: str
) -> Difference:
    """The difference at the times that both have, a steady state as one time."""
    steady = "time" not in reference.dims
    runs = [run.expand_dims("time") if steady else run for run in (data, reference)]
    n_times = min(run.sizes["time"] for run in runs)  # one may have ended early
    longest = max(runs, key=lambda run: run.sizes["time"])
    times = np.array([np.inf]) if steady else longest["time"].values
    data, reference = (run.isel(time=slice(n_times)) for run in runs)
    n_spins = int(reference.attrs["n_spins"])
    ours, theirs = data[variable].values, reference[variable].values
    inner = (slice(None), *(None,) * (ours.ndim - 1))
    variance, claimed = np.zeros_like(ours), np.zeros_like(ours)
    numerical = np.zeros(n_times)
    for run in (data, reference):
        if f"{variable}_stderr" in run:
            variance = variance + run[f"{variable}_stderr"].values ** 2
        if f"{variable}_truncation" in run:
            claimed = claimed + TRUNCATIONS * run[f"{variable}_truncation"].values
        own = run.get("spin_numerical_error", run.attrs["numerical_error"])
        numerical += np.maximum(np.asarray(own, dtype=float), 1e-10)
    scale = _SCALES[variable](n_spins)
    stated = 2 * numerical[inner] * np.maximum(scale, np.abs(theirs)) + claimed
    error = np.sqrt(variance) + stated / SIGMAS
    gap = np.abs(ours - theirs)
    axes = tuple(range(1, gap.ndim))
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.isnan(gap), 0.0, gap / error)
    bounded = np.isfinite(error).all(axis=axes)
    worst = np.where(bounded, ratio.max(axis=axes), -1.0)
    beyond = np.flatnonzero(worst > SIGMAS)
    k = int(beyond[0]) if len(beyond) else int(np.argmax(worst))
    inside = np.unravel_index(int(np.argmax(ratio[k])), ratio[k].shape) if axes else ()
    entry: tuple[Any, ...] = (k, *inside)
    unbounded = times[np.flatnonzero(~bounded)]
    ends = [*unbounded[:1], *times[n_times : n_times + 1]]
    return Difference(
        variable=variable,
        method=method,
        agrees=bool(np.any(bounded)) and not len(beyond),
        time=float(times[k]) if len(beyond) and not steady else None,
        value=float(ours[entry]),
        reference=float(theirs[entry]),
        error=float(error[entry]) if np.any(bounded) else np.nan,
        sigmas=float(worst.max()) if np.any(bounded) else np.nan,
        until=float(ends[0]) if ends else None,
    )
