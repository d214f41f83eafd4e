"""Steady states of spins and mode: null vectors of the master equation, the cut-off followed.

(L - L_cut) rho_cut says how fast the state without a cut-off would leave the one that is found;
times the norm of the pseudoinverse of L_cut it estimates how far it would get.
"""

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.kept_mode import size
from spinsqueeze.methods.base.kept_mode.evolution import (
    EPSILON,
    FAR,
    MOST_LEVELS,
    allowance,
    beside,
    evolve,
)
from spinsqueeze.methods.base.kept_mode.motion import MixedMotion
from spinsqueeze.methods.base.kept_mode.portrait import MixedPortrait, Mixture
from spinsqueeze.methods.base.kept_mode.space import SpinSpace
from spinsqueeze.methods.base.question import Evolve, Steady
from spinsqueeze.models.modes import Mode, damping
from spinsqueeze.models.states import CoherentState
from spinsqueeze.numerics.lindblad_steady import Preconditioner, WithoutFeeding
from spinsqueeze.numerics.null_vectors import STATE_ROUNDING
from spinsqueeze.numerics.steady_states import ClosedParts, at_rest
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import readings_of

MOST_MOVES = 12
ROUGH = 1e-7
ROUGH_TIME = 6.0
"""Tolerance of the run that finds a field, and its length in decay times of the amplitude."""


def steady_state(
    question: Steady, space: SpinSpace, *, tolerance: float, steady_tolerance: float = 1e-6
) -> Answer:
    """The steady state of spins in `space` together with the mode of the model.

    Raises:
        TooLarge: more levels than the memory budget holds.
        InvalidInput: several steady states, and no initial state chooses.
        NumericalFailure: rounding may change the state by more than `steady_tolerance`, or the
            photons have no end.
    """
    mode, portrait = size.mode_of(question.model), MixedPortrait(space)
    levels, moves = size.first_levels(question.model), 0
    alpha = _mean_field(question, space)
    near: Floats | None = None  # the state on fewer levels, or about another origin
    while True:
        size.check(question, space, levels, pure=False)
        motion = MixedMotion(space, mode, levels, displaced=alpha != 0, algorithm="auto")
        start = None
        if question.state is not None:
            start = portrait.start(_any_mode(mode, alpha, levels))
        rest = at_rest(_parts(motion, alpha), start=start, near=near, tolerance=steady_tolerance)
        leak = float(motion.leak(rest.y[None], np.zeros(1), alpha=alpha)[0])
        lost = leak * rest.resolvent
        floor = 8 * EPSILON * motion.speed(alpha) * rest.resolvent
        if lost <= allowance(tolerance) + floor:
            break
        sight = portrait.seen(rest.y)
        far = abs(sight.shift) >= FAR and abs(sight.shift) ** 2 >= 0.5 * sight.photons
        if far and moves < MOST_MOVES:
            alpha, moves = alpha + sight.shift, moves + 1
            near, _ = portrait.displaced(rest.y, sight.shift)
            continue
        levels = size.more(levels, float(sight.levels[-1]))
        near = portrait.resized(rest.y, levels)
        if levels > MOST_LEVELS:
            raise NumericalFailure(
                f"the cavity needs more than {MOST_LEVELS} levels; use cumulants, or eliminate it"
            )
    sight = portrait.seen(rest.y)
    moments = Moments(
        n_spins=space.n_spins, spin=sight.spin[None], covariance=sight.covariance[None]
    )
    question.progress(1.0)
    error = max(rest.rounding, STATE_ROUNDING) + 2 * lost
    diagnostics: dict[str, float | int | str] = {
        "residual": rest.residual,
        "error_estimate": rest.rounding,
        "zero_modes": rest.zero_modes,
        "slowest_rate": rest.slowest_rate,
        "dtype": "complex128",
        "device": "cpu",
    }
    with_mode = bool(question.model.modes)
    if with_mode:
        diagnostics |= {"photon_levels": levels, "discarded": lost, "displacements": moves}
    return Answer(
        {**readings_of(moments), **beside([(alpha, sight)], space, with_mode=with_mode)},
        error={"spin": error * np.sqrt(space.n_spins)},
        diagnostics=diagnostics,
    )


def _any_mode(mode: Mode, alpha: complex, levels: int) -> Mixture:
    """A mode with the coherences that its initial state may have: losses forget the rest of it.

    Only the weights of the spins choose among steady states.
    """
    vectors = np.eye(levels, dtype=complex)
    if alpha != 0 or mode.initial.amplitude != 0:
        vectors = np.ones((1, levels), dtype=complex) / np.sqrt(levels)
    elif mode.initial.pairs != 0:
        level = np.arange(levels)
        vectors = np.array([level % 2 == 0, level % 2 == 1]).astype(complex)
        vectors = vectors[: min(levels, 2)] / np.sqrt(levels / 2)
    return Mixture(np.full(len(vectors), 1.0 / len(vectors)), vectors)


def _mean_field(question: Steady, space: SpinSpace) -> complex:
    """About where a driven field comes to: 0, or from a rough run where the empty mode is far."""
    mode = size.mode_of(question.model)
    rate = damping(mode)
    if rate.real <= 0 or abs(float(mode.drive) / rate) < 2 * FAR:  # type: ignore[arg-type]
        return 0j
    state = question.state or CoherentState("-z")
    run = Evolve(
        question.model, state, np.linspace(0.0, ROUGH_TIME / rate.real, 3),
        memory_budget=question.memory_budget,
    )  # fmt: skip
    re, im = evolve(run, space, tolerance=ROUGH).readings["field"].values[-1]
    return complex(re, im)


def _parts(motion: MixedMotion, alpha: complex) -> ClosedParts:
    equation = motion.equation(alpha)

    def precondition(chosen: Integers) -> Preconditioner:
        return WithoutFeeding(motion.unknowns, motion.drift(alpha)).within(chosen)

    trace = equation.unknowns.trace_vector()
    return ClosedParts(equation.matrix, equation.component, trace, precondition)
