"""Evolution under master equations (`numerics.lindblad`), constant or in time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.checks import ascending
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import Progress, no_progress, part_of
from spinsqueeze.numerics import magnus
from spinsqueeze.numerics.factorisation import rate_bound, superlu_factors
from spinsqueeze.numerics.krylov.polynomial import polynomial_evolution, polynomial_rounding
from spinsqueeze.numerics.krylov.rational import rational_evolution
from spinsqueeze.numerics.lindblad import Equation
from spinsqueeze.numerics.weighted_sum import WeightedSum

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LongEvolution = Callable[[Floats, Any, Floats, Floats, float], tuple[Floats, float]]
ALGORITHMS = ("auto", "polynomial", "rational")
REMEDY = "use algorithm='polynomial' or end the run earlier"
TOGETHER = 300
"""Unknowns of closed parts that are evolved together: alone they cost more than they are worth."""
MOST_PRODUCTS = 6000
"""Products up to which the polynomial method is chosen."""


def evolve(
    equation: Equation,
    *,
    start: Floats,
    times: Floats,
    tolerance: float = 1e-10,
    algorithm: str = "auto",
    progress: Progress = no_progress,
) -> tuple[Floats, float]:
    """Unknowns at ascending times from 0: (T, n), and their error; each closed part alone.

    `algorithm`: "polynomial" Krylov (cost grows with the fastest rate times the time), "rational"
    Krylov (cost grows with the decades of time), or "auto", the cheaper one. `tolerance` is the
    error of a step in the 2-norm of the unknowns, relative to the state; the error that comes back
    is that of the run.

    Raises:
        InvalidInput: times that do not ascend from 0, or an unknown algorithm.
        NumericalFailure: the rational method makes no progress.
    """
    grid = ascending("times", times)
    if algorithm not in ALGORITHMS:
        raise InvalidInput(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
    out = np.zeros((grid.size, start.size))
    error = 0.0
    parts = _parts(equation.component, start != 0)
    done, total = 0, sum(chosen.size for chosen in parts)
    for chosen in parts:
        matrix = equation.matrix[chosen][:, chosen].tocsr()
        y, added = evolve_matrix(
            matrix,
            start=start[chosen],
            times=grid,
            tolerance=tolerance,
            algorithm=algorithm,
            progress=part_of(progress, done / total, (done + chosen.size) / total),
        )
        error = max(error, added)  # of parts of the state, each relative to its own size
        out[:, chosen] = y
        done += chosen.size
    return out, error


def _parts(component: Any, occupied: Booleans) -> list[Integers]:
    """The unknowns of each closed part that is occupied; small parts together."""
    size = np.bincount(component)
    there = np.unique(component[occupied])
    small = np.isin(component, there[size[there] <= TOGETHER])
    large = [np.flatnonzero(component == k) for k in there[size[there] > TOGETHER]]
    return [*([np.flatnonzero(small)] if np.any(small) else []), *large]


def evolve_matrix(
    matrix: "csr_array",
    *,
    start: Floats,
    times: Floats,
    tolerance: float,
    algorithm: str = "auto",
    progress: Progress = no_progress,
) -> tuple[Floats, float]:
    """exp(t A) y at ascending times from 0, and its error; see `evolve`."""
    end = float(times[-1])
    if algorithm == "auto":
        products = rate_bound(matrix) * end / 6
        algorithm = "polynomial" if products < MOST_PRODUCTS else "rational"
    if algorithm == "polynomial":
        y = polynomial_evolution(
            matrix, start=start, times=times, tolerance=tolerance, progress=progress
        )
        return y, tolerance + polynomial_rounding(matrix, duration=end)
    factorise = partial(superlu_factors, matrix, 1.0, remedy=REMEDY)
    return rational_evolution(
        start=start, times=times, factorise=factorise, tolerance=tolerance, progress=progress
    )


class DrivenEquation:
    """L(t) = sum_k w_k(t) L_k on real unknowns, as `numerics.magnus` wants it.

    Args:
        generator: the L_k.
        evolve: (weights, matrix, state, times, tolerance) -> states (T, n) and the error relative
            to the state, over a time that may be long.
    """

    def __init__(self, generator: WeightedSum, *, evolve: LongEvolution) -> None:
        self.generator = generator
        self._evolve = evolve

    def exponential(
        self, weights: Floats, state: Floats, *, allowed: float
    ) -> tuple[Floats, float]:
        """exp(sum_k weights_k L_k) y, and its error in norm.

        Weights of a long trial step may be negative rates: only the polynomial method is safe.
        """
        states, error = self._evolved(_shortly, weights, state, np.ones(1), allowed)
        return states[0], error

    def constant(
        self,
        weights: Floats,
        state: Floats,
        duration: float,
        *,
        allowed: float,
        outputs: Sequence[float],
        emit: magnus.Emit | None,
    ) -> tuple[Floats, float]:
        """exp(duration sum_k weights_k L_k) y, and its error in norm."""
        times = np.append(outputs, duration)
        states, error = self._evolved(self._evolve, weights, state, times, allowed)
        if emit is not None:
            for value in states[:-1]:
                emit(value, error)
        return states[-1], error

    def _evolved(
        self, evolve: LongEvolution, weights: Floats, state: Floats, times: Floats, allowed: float
    ) -> tuple[Floats, float]:
        size = float(np.linalg.norm(state))
        if size == 0.0:
            return np.zeros((len(times), state.size)), 0.0
        tolerance = max(allowed / size, 4 * magnus.EPSILON)
        states, relative = evolve(weights, self.generator.at(weights), state, times, tolerance)
        return states, relative * size

    def speed(self, weights: Floats, state: Floats) -> float:
        """|L y| / |y|."""
        size = float(np.linalg.norm(state))
        if size == 0.0:
            return 0.0
        return float(np.linalg.norm(self.generator.at(weights) @ state)) / size


def _shortly(
    _weights: Floats, matrix: "csr_array", state: Floats, times: Floats, tolerance: float
) -> tuple[Floats, float]:
    return evolve_matrix(
        matrix, start=state, times=times, tolerance=tolerance, algorithm="polynomial"
    )
