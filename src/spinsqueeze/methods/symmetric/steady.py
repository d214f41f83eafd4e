"""Steady states within the symmetric subspace J = N/2.

Jumps that do not all lie along one axis have exactly one (`numerics.dephasing`), the null vector of
the closed part of the Liouvillian that holds the populations, by inverse iteration. Jumps along one
axis only dephase: the limit is a sum over groups of levels that the Hamiltonian connects.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.symmetric.mixed import Liouvillian
from spinsqueeze.numerics.angular_momentum import axis_basis
from spinsqueeze.numerics.dephasing import dephased, dephasing_axis, level_groups
from spinsqueeze.numerics.factorisation import rate_bound, superlu_factors
from spinsqueeze.numerics.null_vectors import null_vector

if TYPE_CHECKING:
    from scipy.sparse import csr_array


REMEDY = "evolve in time from an initial state instead"


@dataclass(frozen=True)
class SteadyDensity:
    """A steady state of the symmetric subspace.

    Attributes:
        rho: (N+1, N+1), trace 1.
        residual: |L rho| / (|rho| fastest rate).
        zero_modes: independent steady states of J = N/2.
        slowest_rate: estimate of the smallest nonzero rate beside them [rate]; None where no
            matrix was solved.
        error_estimate: rounding error of rho relative to its norm.
    """

    rho: Complexes = field(repr=False)
    residual: float
    zero_modes: int
    slowest_rate: float | None
    error_estimate: float


def steady_mixed(
    model: Liouvillian, *, initial: Complexes | None = None, tolerance: float = 1e-6
) -> SteadyDensity:
    """The steady state, or the one that `initial` reaches where there are several.

    Raises:
        InvalidInput: a model without jumps, or several steady states and no `initial`.
        NumericalFailure: rounding may change the state by more than `tolerance`.
    """
    n = model.n_spins
    if not np.any(model.jumps):
        raise InvalidInput("a steady state needs at least one jump with a positive rate")
    axis = dephasing_axis(model.jumps)
    if axis is not None:
        groups = level_groups(n / 2, quadratic=model.quadratic, field=model.field, axis=axis)
        count = int(groups.max()) + 1
        if initial is None and count > 1:
            raise InvalidInput(
                f"the model has {count} independent steady states (all jumps lie along one axis "
                "and keep what the Hamiltonian keeps): give initial_state to choose the one that "
                "it reaches"
            )
        mixed = np.eye(n + 1) / (n + 1)
        start = np.asarray(mixed if initial is None else initial, dtype=complex)
        rho = dephased(start, basis=axis_basis(n / 2, axis), groups=groups)
        rounding = (n + 1) * float(np.finfo(float).eps)
        residual = _residual(model.equation.matrix, model.restrict(rho))
        return SteadyDensity(rho, residual, count, None, max(rounding, residual))
    equation = model.equation
    trace = equation.unknowns.trace_vector()
    parts = np.unique(equation.component[trace != 0])
    if parts.size > 1:
        raise NumericalFailure(
            "the steady state is near-singular: processes that connect the populations are below "
            "rounding beside the fastest rates; strengthen the slow process"
        )
    chosen = np.flatnonzero(equation.component == parts[0])
    part = equation.matrix[chosen][:, chosen].tocsr()
    null = null_vector(
        part, left=trace[chosen], factorise=partial(superlu_factors, part, remedy=REMEDY)
    )
    slowest = null.slowest
    y = np.zeros(trace.size)
    y[chosen] = null.vector / (trace[chosen] @ null.vector)
    residual = _residual(equation.matrix, y)
    error = (float(np.finfo(float).eps) + residual) * rate_bound(equation.matrix) * null.resolvent
    if not error <= tolerance:
        raise NumericalFailure(
            f"the steady state is near-singular: the slowest rate is about {slowest:.1e} and "
            f"rounding may change the state by {error:.1e} (at most {tolerance:g} is allowed); "
            f"{REMEDY}"
        )
    return SteadyDensity(model.expand(y), residual, 1, slowest, error)


def _residual(matrix: "csr_array", y: Floats) -> float:
    fastest = max(rate_bound(matrix), 1e-300)
    return float(np.linalg.norm(matrix @ y) / (np.linalg.norm(y) * fastest))
