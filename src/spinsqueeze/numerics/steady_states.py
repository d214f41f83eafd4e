"""Where a master equation ends: the null vector of each of its closed parts, if they are unique.

Closed parts of the equation that hold a population have one steady state each; what the start
weighs in them is what remains. Nothing else may last.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.numerics.factorisation import CheckedFactors, rate_bound, superlu_factors
from spinsqueeze.numerics.lindblad_steady import (
    RESTART,
    Preconditioner,
    inverse_norm_iteratively,
    null_vector_iteratively,
)
from spinsqueeze.numerics.null_vectors import (
    SHIFT,
    NullVector,
    null_vector,
    pseudoinverse_norm,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EPSILON = float(np.finfo(np.float64).eps)
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
class ClosedParts:
    """A master equation on real unknowns y, in closed parts.

    Attributes:
        matrix: (n, n), d y / dt = matrix @ y.
        component: (n,) the closed part of each unknown.
        trace: (n,) t with t.y = Tr rho.
        precondition: inverse of some of the equation on the unknowns of these indices, for parts
            that are solved iteratively.
        factorise: factors of alpha - beta A, as `superlu_factors`.
        restart: vectors of one iteration.
    """

    matrix: "csr_array"
    component: Any
    trace: Floats
    precondition: Callable[[Integers], Preconditioner]
    factorise: Callable[..., CheckedFactors] = superlu_factors
    restart: int = RESTART


@final
@dataclass(frozen=True, eq=False)
class Rest:
    """A steady state: unknowns y, the error of rounding, and what else is known of it."""

    y: Floats
    rounding: float
    resolvent: float
    residual: float
    zero_modes: int
    slowest_rate: float


def at_rest(
    parts: ClosedParts, *, start: Floats | None, near: Floats | None, tolerance: float
) -> Rest:
    """The null vector of every closed part, with the weight of the start in it.

    near: something near the state, from where iterations begin.

    Raises:
        InvalidInput: several closed parts hold populations, and there is no start.
        NumericalFailure: more is conserved, rounding may change the state by more than
            `tolerance`, or an iteration does not converge.
    """
    trace = parts.trace
    populated = np.unique(parts.component[trace != 0])
    if start is None and populated.size > 1:
        raise InvalidInput(
            f"the model has {populated.size} independent steady states at least: give "
            "initial_state to choose the one that it reaches"
        )
    _check_that_the_rest_decays(parts, populated, start, tolerance)
    y = np.zeros(trace.size)
    rounding, resolvent, slowest = 0.0, 0.0, np.inf
    for part in populated:
        chosen = np.flatnonzero(parts.component == part)
        weight = 1.0 if start is None else float(trace[chosen] @ start[chosen])
        if weight == 0.0:
            continue
        if chosen.size == 1:
            y[chosen] = weight / trace[chosen]
            continue
        matrix = parts.matrix[chosen][:, chosen].tocsr()
        null = _null_vector(parts, matrix, chosen, near)
        y[chosen] = weight * null.vector
        error = (EPSILON + _residual(matrix, null.vector)) * null.fastest * null.resolvent
        if not error <= tolerance:
            raise NumericalFailure(
                f"the steady state is near-singular: the slowest rate is about {null.slowest:.1e} "
                f"and rounding may change the state by {error:.1e} (at most {tolerance:g} is "
                f"allowed); {REMEDY}"
            )
        rounding, resolvent = max(rounding, error), max(resolvent, null.resolvent)
        slowest = min(slowest, null.slowest)
    residual = _residual(parts.matrix, y)
    return Rest(y, rounding, resolvent, residual, populated.size, slowest)


def _check_that_the_rest_decays(
    parts: ClosedParts, populated: Integers, start: Floats | None, tolerance: float
) -> None:
    """Closed parts that hold no population must vanish at long times, where the start has any.

    With one steady state nothing else is left at long times but by a conserved coherence, which is
    in a part of its own; with several, coherences between them may turn for ever.

    Raises:
        NumericalFailure: one of them does not vanish, or is too large to tell.
    """
    there = parts.component if start is None else parts.component[start != 0]
    others = np.setdiff1d(there, populated)
    if populated.size == 1 and others.size:
        chosen = np.flatnonzero(np.isin(parts.component, others))
        size, norm = rate_bound(parts.matrix), _inverse_norm(parts, chosen)
        if not EPSILON * size * norm <= tolerance:
            raise NumericalFailure(CONSERVED)
        return
    for part in others:
        chosen = np.flatnonzero(parts.component == part)
        matrix = parts.matrix[chosen][:, chosen]
        if chosen.size > DENSE_SPECTRUM:
            raise NumericalFailure(
                "there are several steady states, and coherences between them are too large to "
                f"follow to the end ({chosen.size} numbers); {REMEDY}"
            )
        rates = np.linalg.eigvals(matrix.toarray())
        if rates.real.max() > -SLOWEST * max(rate_bound(matrix), 1e-300):
            raise NumericalFailure(CONSERVED)


def _inverse_norm(parts: ClosedParts, chosen: Integers) -> float:
    """Norm of the inverse of closed parts without a trace, all together."""
    matrix = parts.matrix[chosen][:, chosen].tocsr()
    if np.min(np.diff(matrix.indptr)) == 0:
        return np.inf
    if chosen.size > FACTORISED:
        return inverse_norm_iteratively(
            matrix, precondition=parts.precondition(chosen), restart=parts.restart
        )
    factors = parts.factorise(matrix, -SHIFT * rate_bound(matrix), -1.0, remedy=REMEDY)
    nothing = np.zeros(chosen.size)
    return pseudoinverse_norm(
        factors.solve, transposed=partial(factors.solve, transposed=True), right=nothing,
        left=nothing,
    )  # fmt: skip


def _null_vector(
    parts: ClosedParts, matrix: "csr_array", chosen: Integers, near: Floats | None
) -> NullVector:
    """Of one closed part, with trace 1."""
    trace = parts.trace[chosen]
    if chosen.size > FACTORISED:
        start = None
        if near is not None and (weight := float(trace @ near[chosen])):
            start = near[chosen] / weight
        return null_vector_iteratively(
            matrix,
            left=trace,
            precondition=parts.precondition(chosen),
            fastest=rate_bound(matrix),
            start=start,
            restart=parts.restart,
        )
    factorise = partial(parts.factorise, matrix, remedy=REMEDY)
    null = null_vector(matrix, left=trace, factorise=factorise)
    return replace(null, vector=null.vector / (trace @ null.vector))


def _residual(matrix: Any, y: Floats) -> float:
    fastest = max(rate_bound(matrix), 1e-300)
    return float(np.linalg.norm(matrix @ y) / (np.linalg.norm(y) * fastest))
