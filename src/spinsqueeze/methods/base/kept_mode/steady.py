"""Steady states of spins and mode: null vectors of the master equation, the cut-off followed.

(L - L_cut) rho_cut says how fast the state without a cut-off would leave the one that is found;
times the norm of the pseudoinverse of L_cut it estimates how far it would get.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
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
from spinsqueeze.numerics.factorisation import rate_bound, superlu_factors
from spinsqueeze.numerics.lindblad import MasterEquation
from spinsqueeze.numerics.lindblad_steady import (
    WithoutFeeding,
    inverse_norm_iteratively,
    null_vector_iteratively,
)
from spinsqueeze.numerics.null_vectors import (
    SHIFT,
    STATE_ROUNDING,
    NullVector,
    null_vector,
    pseudoinverse_norm,
)
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import readings_of

MOST_MOVES = 12
ROUGH = 1e-7
ROUGH_TIME = 6.0
"""Tolerance of the run that finds a field, and its length in decay times of the amplitude."""
DENSE_SPECTRUM = 1200
"""Unknowns up to which all rates of a closed part are computed."""
SLOWEST = 1e-12
"""Decay over the fastest rate below which it is none."""
FACTORISED = 2500
"""Unknowns up to which the equation is factorised."""
REMEDY = "evolve in time from an initial state instead"
CONSERVED = (
    "the model conserves more than its populations show (a coherence that never decays), so that "
    f"its steady state is not unique; {REMEDY}"
)


@final
@dataclass(frozen=True, eq=False)
class _Rest:
    """A steady state: unknowns y, the error of rounding, and what else is known of it."""

    y: Floats
    rounding: float
    resolvent: float
    residual: float
    zero_modes: int
    slowest_rate: float


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
        rest = _at_rest(motion, alpha, start, near, steady_tolerance)
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


def _at_rest(
    motion: MixedMotion,
    alpha: complex,
    start: Floats | None,
    near: Floats | None,
    tolerance: float,
) -> _Rest:
    """The null vector of every closed part, with the weight of the start in it."""
    equation = motion.equation(alpha)
    trace = equation.unknowns.trace_vector()
    parts = np.unique(equation.component[trace != 0])
    if start is None and parts.size > 1:
        raise InvalidInput(
            f"the model has {parts.size} independent steady states at least: give initial_state to "
            "choose the one that it reaches"
        )
    _check_that_the_rest_decays(motion, alpha, equation, parts, start, tolerance)
    y = np.zeros(trace.size)
    rounding, resolvent, slowest = 0.0, 0.0, np.inf
    for part in parts:
        chosen = np.flatnonzero(equation.component == part)
        weight = 1.0 if start is None else float(trace[chosen] @ start[chosen])
        if weight == 0.0:
            continue
        if chosen.size == 1:
            y[chosen] = weight
            continue
        null = _null_vector(motion, alpha, equation, chosen, near)
        y[chosen] = weight * null.vector
        residual = _residual(equation.matrix[chosen][:, chosen], null.vector)
        error = (EPSILON + residual) * null.fastest * null.resolvent
        if not error <= tolerance:
            raise NumericalFailure(
                f"the steady state is near-singular: the slowest rate is about {null.slowest:.1e} "
                f"and rounding may change the state by {error:.1e} (at most {tolerance:g} is "
                f"allowed); {REMEDY}"
            )
        rounding, resolvent = max(rounding, error), max(resolvent, null.resolvent)
        slowest = min(slowest, null.slowest)
    return _Rest(y, rounding, resolvent, _residual(equation.matrix, y), parts.size, slowest)


def _check_that_the_rest_decays(
    motion: MixedMotion, alpha: complex, equation: MasterEquation, parts: Integers,
    start: Floats | None, tolerance: float,
) -> None:  # fmt: skip
    """Closed parts that hold no population must vanish at long times, where the start has any.

    With one steady state nothing else is left at long times but by a conserved coherence, which is
    in a part of its own; with several, coherences between them may turn for ever.

    Raises:
        NumericalFailure: one of them does not vanish, or is too large to tell.
    """
    there = equation.component if start is None else equation.component[start != 0]
    others = np.setdiff1d(there, parts)
    if parts.size == 1 and others.size:
        chosen = np.flatnonzero(np.isin(equation.component, others))
        size, norm = rate_bound(equation.matrix), _inverse_norm(motion, alpha, equation, chosen)
        if not EPSILON * size * norm <= tolerance:
            raise NumericalFailure(CONSERVED)
        return
    for part in others:
        chosen = np.flatnonzero(equation.component == part)
        matrix = equation.matrix[chosen][:, chosen]
        if chosen.size > DENSE_SPECTRUM:
            raise NumericalFailure(
                "there are several steady states, and coherences between them are too large to "
                f"follow to the end ({chosen.size} numbers); {REMEDY}"
            )
        rates = np.linalg.eigvals(matrix.toarray())
        if rates.real.max() > -SLOWEST * max(rate_bound(matrix), 1e-300):
            raise NumericalFailure(CONSERVED)


def _inverse_norm(
    motion: MixedMotion, alpha: complex, equation: MasterEquation, chosen: Integers
) -> float:
    """Norm of the inverse of closed parts without a trace, all together."""
    matrix = equation.matrix[chosen][:, chosen].tocsr()
    if np.min(np.diff(matrix.indptr)) == 0:
        return np.inf
    if chosen.size > FACTORISED:
        precondition = WithoutFeeding(motion.unknowns, motion.drift(alpha)).within(chosen)
        return inverse_norm_iteratively(matrix, precondition=precondition)
    factors = superlu_factors(matrix, -SHIFT * rate_bound(matrix), -1.0, remedy=REMEDY)
    nothing = np.zeros(chosen.size)
    return pseudoinverse_norm(
        factors.solve, transposed=partial(factors.solve, transposed=True), right=nothing,
        left=nothing,
    )  # fmt: skip


def _null_vector(
    motion: MixedMotion,
    alpha: complex,
    equation: MasterEquation,
    chosen: Any,
    near: Floats | None,
) -> NullVector:
    """Of one closed part, with trace 1."""
    trace = equation.unknowns.trace_vector()
    matrix = equation.matrix[chosen][:, chosen].tocsr()
    if chosen.size > FACTORISED:
        inverse = WithoutFeeding(equation.unknowns, motion.drift(alpha))
        start = None
        if near is not None and (weight := float(trace[chosen] @ near[chosen])):
            start = near[chosen] / weight
        return null_vector_iteratively(
            matrix,
            left=trace[chosen],
            precondition=inverse.within(chosen),
            fastest=rate_bound(matrix),
            start=start,
        )
    factorise = partial(superlu_factors, matrix, remedy=REMEDY)
    null = null_vector(matrix, left=trace[chosen], factorise=factorise)
    return replace(null, vector=null.vector / (trace[chosen] @ null.vector))


def _residual(matrix: Any, y: Floats) -> float:
    fastest = max(rate_bound(matrix), 1e-300)
    return float(np.linalg.norm(matrix @ y) / (np.linalg.norm(y) * fastest))
