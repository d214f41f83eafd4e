"""From what users write to the `Task` that methods take."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base import DEFAULT_MEMORY_BUDGET, Method, Rotation, Task
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState

MAX_SEED = 2**63 - 1


def make_task(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    pulses: Sequence[Pulse] = (),
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
) -> Task:
    """Check everything a run needs and lower it to canonical form.

    Raises:
        InvalidInput: an argument breaks its rule.
    """
    if not isinstance(model, SpinModel):
        raise InvalidInput(f"model must be a SpinModel, got {checks.shown(model)}")
    _check_state(model, initial_state)
    checked_times = checks.increasing("times", np.atleast_1d(times), minimum=0.0)
    if progress is not None and not callable(progress):
        raise InvalidInput(f"progress must be a function of the fraction done, got {progress!r}")
    return Task(
        model=model.canonical,
        initial_state=initial_state,
        times=checked_times,
        pulses=_rotations(model, pulses, last=float(checked_times[-1])),
        seed=checks.integer("seed", seed, minimum=0, maximum=MAX_SEED),
        memory_budget=checks.real("memory_budget", memory_budget, above=0.0),
        progress=progress or (lambda fraction: None),
    )


def make_steady_task(
    model: SpinModel,
    *,
    initial_state: InitialState | None = None,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
) -> Task:
    """Check what a steady state needs and lower it to canonical form.

    Raises:
        InvalidInput: an argument breaks its rule, no jumps, or a time-dependent model.
    """
    if not isinstance(model, SpinModel):
        raise InvalidInput(f"model must be a SpinModel, got {checks.shown(model)}")
    if initial_state is not None:
        _check_state(model, initial_state)
    if not model.dissipative:
        raise InvalidInput("a steady state needs at least one jump; this model is closed")
    if model.canonical.time_dependent:
        raise InvalidInput(
            "a steady state needs constant strengths and rates; this model has an envelope"
        )
    return Task(
        model=model.canonical,
        initial_state=initial_state,
        times=np.array([np.inf]),
        memory_budget=checks.real("memory_budget", memory_budget, above=0.0),
        progress=progress or (lambda fraction: None),
    )


def _check_state(model: SpinModel, state: object) -> None:
    if not isinstance(state, InitialState):
        raise InvalidInput(
            f"initial_state must be a state such as CoherentState('+x'), got {checks.shown(state)}"
        )
    state.fit(model.n_spins)


def _rotations(model: SpinModel, pulses: Any, *, last: float) -> tuple[Rotation, ...]:
    items = (pulses,) if isinstance(pulses, Pulse) else tuple(pulses)
    rotations = []
    for k, pulse in enumerate(items):
        if not isinstance(pulse, Pulse):
            raise InvalidInput(f"pulses[{k}] must be a Pulse, got {checks.shown(pulse)}")
        if pulse.time > last:
            raise InvalidInput(
                f"pulses[{k}] comes at time {pulse.time:g}, after the last output time {last:g}: "
                "it would change nothing"
            )
        mask = None
        if pulse.spin_class is not None:
            mask = model.ensemble.class_mask(pulse.spin_class)
        elif pulse.sites is not None:
            if max(pulse.sites) >= model.n_spins:
                raise InvalidInput(
                    f"pulses[{k}].sites must be below N = {model.n_spins}, got {max(pulse.sites)}"
                )
            mask = np.zeros(model.n_spins, bool)
            mask[list(pulse.sites)] = True
        rotations.append(Rotation(pulse.time, pulse.axis, pulse.angle, mask))
    return tuple(sorted(rotations, key=lambda r: r.time))


def make_method(method: Any) -> Method:
    """A method from an instance, its class, or its name (with default options).

    Raises:
        InvalidInput: no such method.
    """
    if isinstance(method, Method):
        return method
    if isinstance(method, str):
        if method not in METHODS:
            raise InvalidInput(
                f"method {method!r} does not exist; {checks.did_you_mean(method, METHODS)}"
            )
        return METHODS[method]()
    if isinstance(method, type) and issubclass(method, Method):
        return method()
    raise InvalidInput(
        f"method must be a method such as DTWA(n_trajectories=500) or a name, got "
        f"{checks.shown(method)}"
    )


def default_method(task: Task) -> Method:
    """The method to take when the user names none.

    The least time among the supported methods of the smallest error kind that finishes within a
    minute; else the fastest of all.

    Raises:
        InvalidInput: no method supports the task; with the reasons of each.
    """
    best: tuple[tuple[int, float], Method] | None = None
    reasons = []
    steady = bool(np.isinf(task.times[-1]))
    for kind in METHODS.values():
        method = kind()
        support = method.steady_support(task) if steady else method.support(task)
        if not support:
            reasons.append(f"{kind.__name__}: {'; '.join(support.reasons)}")
            continue
        cost = method.steady_cost(task) if steady else method.cost(task)
        if cost.memory > task.memory_budget:
            reasons.append(f"{kind.__name__}: needs {cost.detail}")
            continue
        rank = _ORDER.index(method.error_kind)
        key = (rank, cost.seconds) if cost.seconds < 60 else (math.inf, cost.seconds)
        if best is None or key < best[0]:
            best = (key, method)  # type: ignore[assignment]
    if best is None:
        raise InvalidInput("no method fits this model. " + ". ".join(reasons))
    return best[1]


_ORDER = ("exact", "truncation", "sampling", "uncontrolled")
