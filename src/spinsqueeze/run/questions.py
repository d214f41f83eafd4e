"""From what users write to the question that methods take."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Booleans
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import no_progress
from spinsqueeze.lattice.arguments import MAX_SITES
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET, Evolve, Rotation, Steady
from spinsqueeze.methods.base.states import ProductStateOfClasses
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Envelope, is_zero
from spinsqueeze.models.kinds import owners
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.model import SpinModel, checked_model
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState, ProductState

S = TypeVar("S")
AUTO = "auto"
"""Times that the run chooses itself."""
EXAMPLE = "e.g. np.linspace(0, 1, 101), in a study file { start = 0, stop = 1, num = 101 }"
"""How times are given, for messages."""

LIKE_A_RANGE = 4.0
"""A whole number this many times beyond two others is more likely a number of times."""

MAX_SEED = 2**63 - 1
_CLOSED = (
    "a steady state needs at least one jump; this model is closed: evolve it instead, with times, "
    'or with times="auto"'
)
_IN_TIME = "a steady state needs constant strengths and rates; this model has an envelope"


def evolve_question(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    pulses: Sequence[Pulse] = (),
    losses: Losses | None = None,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
) -> Evolve:
    """Check everything a run needs and lower it to canonical form.

    Raises:
        InvalidInput: an argument breaks its rule.
    """
    grid, seed, memory_budget = check_evolution(
        model,
        initial_state,
        times,
        pulses=pulses,
        losses=losses,
        seed=seed,
        memory_budget=memory_budget,
    )
    form, rotations = _addressed(model, pulses, last=float(grid[-1]))
    form, state = _on_kinds(model, form, initial_state)
    if losses is not None and form.time_dependent:
        raise InvalidInput.of(
            "losses", "need constant strengths and rates; this model has an envelope: leave one out"
        )
    return Evolve(
        model=form,
        state=state,
        times=grid,
        pulses=rotations,
        losses=losses,
        seed=seed,
        memory_budget=memory_budget,
        progress=_progress(progress),
    )


def check_evolution(
    model: SpinModel,
    initial_state: InitialState | None,
    times: Any,
    *,
    pulses: Sequence[Pulse],
    losses: Losses | None,
    seed: int,
    memory_budget: float,
) -> tuple[Any, int, float]:
    """Check everything a run in time needs, without lowering the model.

    Returns:
        times (T,), or "auto" for None and "auto", seed and memory_budget.

    Raises:
        InvalidInput: an argument breaks its rule.
    """
    checked_model(model)
    _check_state(model, initial_state)
    grid: Any = AUTO
    if times is None or isinstance(times, str):
        _check_choice(times, pulses=pulses, losses=losses)
    else:
        _ask_about_range(times)
        grid = checks.increasing("times", np.atleast_1d(times), minimum=0.0)
    _check_pulses(model, pulses, last=np.inf if grid is AUTO else float(grid[-1]))
    _check_losses(model, losses)
    if losses is not None and any(pulse.fraction is not None for pulse in listed(pulses)):
        raise InvalidInput.of(
            "losses", "must not stand next to pulses at a fraction of each time; give their times"
        )
    return (
        grid,
        checks.integer("seed", seed, minimum=0, maximum=MAX_SEED),
        checks.memory("memory_budget", memory_budget),
    )


def is_auto(times: Any) -> bool:
    """Whether times are the word for those that the run chooses."""
    return isinstance(times, str) and times == AUTO


def _check_choice(times: str | None, *, pulses: Sequence[Pulse], losses: Losses | None) -> None:
    """Whether a run may choose its times."""
    if times not in (None, AUTO):
        raise InvalidInput.of(
            "times",
            f'must be output times or "auto" (the run chooses), got {checks.shown(times)}; write '
            f"numbers in the inverse unit of the model, {EXAMPLE}",
        )
    fixed = any(getattr(pulse, "fraction", None) is None for pulse in listed(pulses))
    for name, given, without in (
        ("pulses", fixed, "for runs without, or with pulses at a fraction of each time"),
        ("losses", losses is not None, "for runs without"),
    ):
        if given:
            raise InvalidInput.of(
                "times",
                f"must be given with {name}, {EXAMPLE}: they are chosen only {without}",
            )


def _ask_about_range(times: Any) -> None:
    """Ask about (start, stop, number), which as three times would be a wrong result."""
    if not isinstance(times, tuple) or len(times) != 3 or type(times[2]) is not int:
        return
    start, stop, number = times
    if not all(isinstance(x, int | float) for x in times) or number < 5:
        return
    if 0 <= start < stop and number > LIKE_A_RANGE * stop:
        rule = f"are {times}: three times, or np.linspace({start}, {stop}, {number})?"
        remedy = f"Write [{start}, {stop}, {number}] or np.linspace({start}, {stop}, {number})"
        raise InvalidInput.of("times", f"{rule} {remedy}")


def steady_question(
    model: SpinModel,
    *,
    initial_state: InitialState | None = None,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | None = None,
) -> Steady:
    """Check what a steady state needs and lower it to canonical form.

    Raises:
        InvalidInput: an argument breaks its rule, no jumps, or a time-dependent model.
    """
    seed, memory_budget = check_steady(model, initial_state, seed=seed, memory_budget=memory_budget)
    if not model.dissipative:
        raise InvalidInput(_CLOSED)
    if model.canonical.time_dependent:
        raise InvalidInput(_IN_TIME)
    form, state = _on_kinds(model, model.canonical, initial_state)
    return Steady(
        model=form,
        state=state,
        seed=seed,
        memory_budget=memory_budget,
        progress=_progress(progress),
    )


def check_steady(
    model: SpinModel, initial_state: InitialState | None, *, seed: int, memory_budget: float
) -> tuple[int, float]:
    """Check what a steady state needs, without lowering the model.

    Returns:
        seed and memory_budget.

    Raises:
        InvalidInput: an argument breaks its rule, no jumps, or a strength that changes in time.
    """
    checked_model(model)
    if initial_state is not None:
        _check_state(model, initial_state)
    mode = [] if model.cavity is None else [model.cavity, *model.cavity.reservoirs]
    rates = [getattr(term, "rate", 1.0) for term in (*model.jumps, *mode[1:])]
    rates += [
        rate for cavity in mode[:1] for rate in (cavity.decay_rate, cavity.internal_decay_rate)
    ]
    if not any(isinstance(rate, Envelope) or np.any(rate) for rate in rates):
        raise InvalidInput(_CLOSED)
    parts: list[Any] = [*model.hamiltonian, *model.jumps, *mode]
    strengths = [getattr(part, f.name) for part in parts for f in fields(part)]
    if any(isinstance(value, Envelope) and not is_zero(value) for value in strengths):
        raise InvalidInput(_IN_TIME)
    return (
        checks.integer("seed", seed, minimum=0, maximum=MAX_SEED),
        checks.memory("memory_budget", memory_budget),
    )


def _progress(progress: Callable[[float], None] | None) -> Callable[[float], None]:
    if progress is None:
        return no_progress
    if not callable(progress):
        raise InvalidInput.of(
            "progress", f"must be a function of the fraction done, got {progress!r}"
        )
    return progress


def _check_state(model: SpinModel, state: object) -> None:
    if not isinstance(state, InitialState):
        raise InvalidInput.of(
            "initial_state",
            f"must be a state such as CoherentState('+x'), got {checks.shown(state)}",
        )
    state.fit(model.n_spins, n_classes=len(model.ensemble.classes or ()))


def _on_kinds(
    model: SpinModel, form: Canonical, state: S
) -> tuple[Canonical, S | ProductStateOfClasses]:
    """A product of one direction a class on kinds that are parts of one class each."""
    counts = model.ensemble.counts
    rows = len(state.directions) if isinstance(state, ProductState) else model.n_spins
    if not isinstance(state, ProductState) or rows == model.n_spins:
        return form, state
    if len(form.counts) < len(counts):
        form = form.split(counts)
    directions = state.directions[owners(form.counts, counts)]
    return form, ProductStateOfClasses(directions, form.counts)


def _check_losses(model: SpinModel, losses: object) -> None:
    if losses is None:
        return
    if not isinstance(losses, Losses):
        raise InvalidInput.of(
            "losses", f"must be losses such as Losses(rate=0.1), got {checks.shown(losses)}"
        )
    if losses.rate is None and len(losses.times) >= model.n_spins:
        raise InvalidInput.of(
            "losses.times",
            f"must be fewer than N = {model.n_spins}, so that a spin is left, got "
            f"{len(losses.times)}",
        )


def _check_pulses(model: SpinModel, pulses: Any, *, last: float) -> None:
    for k, pulse in enumerate(listed(pulses)):
        if not isinstance(pulse, Pulse):
            raise InvalidInput.of(f"pulses[{k}]", f"must be a Pulse, got {checks.shown(pulse)}")
        if pulse.time is not None and pulse.time > last:
            raise InvalidInput.of(
                f"pulses[{k}]",
                f"comes at time {pulse.time:g}, after the last output time {last:g}: "
                "it would change nothing",
            )
        if pulse.spin_class is not None:
            try:
                model.ensemble.class_mask(pulse.spin_class)
            except InvalidInput as error:
                raise InvalidInput.of(f"pulses[{k}].{error.argument}", error.rule) from None
        if pulse.sites is None:
            continue
        if model.n_spins > MAX_SITES:
            raise InvalidInput.of(
                f"pulses[{k}].sites",
                f"must address single spins of at most {MAX_SITES}, got N = "
                f"{model.n_spins}; make classes of spins and give spin_class",
            )
        if max(pulse.sites) >= model.n_spins:
            raise InvalidInput.of(
                f"pulses[{k}].sites", f"must be below N = {model.n_spins}, got {max(pulse.sites)}"
            )


def listed(pulses: Any) -> tuple[Any, ...]:
    """Pulses as a tuple; one alone is a list of one."""
    if isinstance(pulses, Pulse):
        return (pulses,)
    if isinstance(pulses, str | Mapping) or not isinstance(pulses, Iterable):
        raise InvalidInput.of(
            "pulses",
            "must be a list of pulses such as Pulse(fraction=0.5, axis='+x', angle=np.pi), got "
            f"{checks.shown(pulses)}",
        )
    return tuple(pulses)


def _addressed(
    model: SpinModel, pulses: Any, *, last: float
) -> tuple[Canonical, tuple[Rotation, ...]]:
    """The canonical form and the pulses in order of time, on kinds that no pulse cuts through."""
    items = listed(pulses)
    form = model.canonical
    if any(pulse.sites is not None for pulse in items):
        form = form.per_spin()
    elif any(pulse.spin_class is not None for pulse in items) and not form.differences:
        form = form.split(model.ensemble.counts)
    rotations = [
        Rotation(
            pulse.fraction * last if pulse.time is None else pulse.time,
            pulse.axis,
            pulse.angle,
            _mask(model, form, pulse),
            pulse.fraction,
        )
        for pulse in items
    ]
    return form, tuple(sorted(rotations, key=lambda r: r.time))


def _mask(model: SpinModel, form: Canonical, pulse: Pulse) -> Booleans | None:
    """The kinds that a pulse turns; None: all."""
    if pulse.spin_class is not None:
        classes = model.ensemble.class_mask(pulse.spin_class)
        mask = classes[owners(form.counts, model.ensemble.counts)]
    elif pulse.sites is not None:
        mask = np.zeros(model.n_spins, bool)
        mask[list(pulse.sites)] = True
    else:
        return None
    return None if np.all(mask) else mask
