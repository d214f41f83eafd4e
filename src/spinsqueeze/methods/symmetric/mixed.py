"""Density matrices of the symmetric subspace under collective jumps."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.progress import Progress, no_progress
from spinsqueeze.numerics.angular_momentum import jump_matrix
from spinsqueeze.numerics.collective_operators import Jumps, drift, spin_operators
from spinsqueeze.numerics.lindblad import MasterEquation, Unknowns, master_equation
from spinsqueeze.numerics.lindblad_evolution import evolve


@dataclass(frozen=True)
class Liouvillian:
    """The master equation of N spins in J = N/2.

    Attributes:
        n_spins: N.
        quadratic, field: Q (3, 3) and b (3,) of H = S.Q.S + b.S.
        jumps: sum of rate c c^dagger over the jumps, (3, 3) Hermitian.
        equation: on (N+1)^2 real unknowns.
    """

    n_spins: int
    quadratic: Floats
    field: Floats
    jumps: Complexes
    equation: MasterEquation = dataclasses.field(repr=False)

    def restrict(self, rho: Complexes) -> Floats:
        """Unknowns (..., n) of Hermitian matrices (..., N+1, N+1)."""
        return self.equation.unknowns.restrict([rho])

    def expand(self, unknowns: Floats) -> Complexes:
        """Hermitian matrices (..., N+1, N+1) of unknowns (..., n)."""
        return self.equation.unknowns.expand(unknowns)[0]


def liouvillian(
    n_spins: int,
    *,
    quadratic: Floats | None = None,
    field: Floats | None = None,
    jumps: Jumps = (),
) -> Liouvillian:
    """The master equation of H = S.Q.S + b.S and collective jumps rate D[c.S]."""
    S = spin_operators(n_spins)
    operators = [
        np.sqrt(rate) * sum(part * s for part, s in zip(np.asarray(vector), S, strict=True))
        for rate, vector in jumps
    ]
    X = drift(n_spins, quadratic=quadratic, field=field, jumps=jumps)
    return Liouvillian(
        n_spins,
        np.zeros((3, 3)) if quadratic is None else np.asarray(quadratic, dtype=float),
        np.zeros(3) if field is None else np.asarray(field, dtype=float),
        jump_matrix(jumps),
        master_equation(Unknowns((n_spins + 1,)), drift=X, jumps=operators),
    )


def evolve_mixed(
    model: Liouvillian,
    *,
    state: Complexes,
    times: Floats,
    tolerance: float = 1e-10,
    algorithm: str = "auto",
    progress: Progress = no_progress,
) -> tuple[Complexes, float]:
    """Density matrices at ascending times from 0: (T, N+1, N+1), and their error; see `evolve`.

    Raises:
        InvalidInput: times that do not ascend from 0, or an unknown algorithm.
        NumericalFailure: the rational method makes no progress.
    """
    start = model.restrict(np.asarray(state, dtype=complex))
    states, error = evolve(
        model.equation,
        start=start,
        times=times,
        tolerance=tolerance,
        algorithm=algorithm,
        progress=progress,
    )
    return model.expand(states), error
