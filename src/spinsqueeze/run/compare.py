"""compare: the same run by every method that fits, and where they first disagree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, Unsupported
from spinsqueeze.methods.base import DEFAULT_MEMORY_BUDGET, Method
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState
from spinsqueeze.run.simulate import simulate
from spinsqueeze.run.task import make_method, make_task

SIGMAS = 5.0
_TRUST = ("exact", "truncation", "sampling", "uncontrolled")
_SCALES: dict[str, Callable[[int], float]] = {
    "spin": lambda n: np.sqrt(n) / 2,
    "covariance": lambda n: n / 4,
    "xi2": lambda n: 1.0,
    "contrast": lambda n: 1 / np.sqrt(n),
    "total_spin_squared": lambda n: float(n),
}


@final
@dataclass(frozen=True)
class Difference:
    """How one method differs from the reference in one variable.

    time: the first time at which they differ by more than 5 combined standard errors plus the
    stated numerical errors, None if never. value, reference, error: both values there (at the
    largest difference if never) and the combined error. sigmas: largest difference, in errors.
    """

    variable: str
    method: str
    time: float | None
    value: float
    reference: float
    error: float
    sigmas: float


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
        """Whether no method differs from the reference beyond the errors."""
        return all(d.time is None for d in self.differences)

    def __str__(self) -> str:
        lines = [f"reference: {self.reference}"]
        for d in self.differences:
            where = "agrees" if d.time is None else f"differs from t = {d.time:.4g} on"
            lines.append(
                f"{d.method}: {d.variable} {where} ({d.value:.6g} against {d.reference:.6g}, "
                f"combined error {d.error:.2g}; largest difference {d.sigmas:.1f} errors)"
            )
        lines += [f"{name}: not run: {why}" for name, why in self.refused.items()]
        return "\n".join(lines)


def compare(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    methods: Sequence[Method | type[Method] | str] | None = None,
    pulses: Sequence[Pulse] = (),
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Run several methods on one problem and say where they first disagree.

    Args:
        model: the model.
        initial_state: the state at time 0.
        times: output times.
        methods: methods to run; None: every method that fits and should take under a minute.
        pulses: instantaneous rotations.
        seed: seed of the sampling methods.
        memory_budget: bytes for each method.
        progress: called with the fraction done of all methods together.

    Raises:
        InvalidInput: fewer than two methods are left to compare.
    """
    task = make_task(
        model, initial_state, times, pulses=pulses, seed=seed, memory_budget=memory_budget
    )
    wanted = list(METHODS.values()) if methods is None else list(methods)
    chosen: dict[str, Method] = {}
    refused: dict[str, str] = {}
    for item in wanted:
        method = make_method(item)
        label = _label(method, chosen)
        try:
            method.require(task)
        except Exception as error:
            if methods is not None and not isinstance(error, Unsupported):
                raise
            refused[label] = str(error)
            continue
        seconds = method.cost(task).seconds
        if methods is None and seconds > 60.0:
            refused[label] = f"would take about {seconds:.0f} s; name it in methods to run it"
            continue
        chosen[label] = method
    if len(chosen) < 2:
        raise InvalidInput(
            f"compare needs two methods that fit, got {len(chosen)}: "
            + "; ".join(f"{name}: {why}" for name, why in refused.items())
        )
    datasets = {}
    for k, (label, method) in enumerate(chosen.items()):
        datasets[label] = simulate(
            model,
            initial_state,
            times,
            method=method,
            pulses=pulses,
            seed=seed,
            memory_budget=memory_budget,
            progress=_share(progress, k, len(chosen)),
        )
    reference = min(chosen, key=lambda name: _TRUST.index(chosen[name].error_kind))
    differences = tuple(
        _difference(datasets[reference], datasets[name], variable=variable, method=name)
        for name in datasets
        if name != reference
        for variable in _SCALES
    )
    return Comparison(reference, datasets, differences, refused)


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
    n_spins = int(reference.attrs["n_spins"])
    ours, theirs = data[variable].values, reference[variable].values
    variance = np.zeros_like(ours)
    numerical = 0.0
    for one in (data, reference):
        if f"{variable}_stderr" in one:
            variance = variance + one[f"{variable}_stderr"].values ** 2
        numerical += max(float(one.attrs["numerical_error"]), 1e-10)
    scale = _SCALES[variable](n_spins)
    error = np.sqrt(variance) + 2 * numerical * np.maximum(scale, np.abs(theirs)) / SIGMAS
    gap = np.abs(ours - theirs)
    axes = tuple(range(1, gap.ndim))
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.isnan(gap), 0.0, gap / error)
    worst = ratio.max(axis=axes) if axes else ratio
    beyond = np.flatnonzero(worst > SIGMAS)
    k = int(beyond[0]) if len(beyond) else int(np.argmax(worst))
    entry = (k, *np.unravel_index(int(np.argmax(ratio[k])), ratio[k].shape)) if axes else (k,)
    return Difference(
        variable=variable,
        method=method,
        time=float(data["time"].values[k]) if len(beyond) else None,
        value=float(ours[entry]),
        reference=float(theirs[entry]),
        error=float(error[entry]),
        sigmas=float(worst.max()),
    )
