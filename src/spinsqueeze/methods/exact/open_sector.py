"""Open models in the sector of density matrices that their permutations leave unchanged.

The evolution commutes with the average over the permutations, and collective moments do not feel
it: every initial state may be averaged first. Of a state that this changes there is no purity.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.question import Evolve, Question, Steady, stretches
from spinsqueeze.methods.base.states import ProductOfSpins, bloch_vectors, state_vector
from spinsqueeze.methods.exact.open_cost import RESTART
from spinsqueeze.methods.exact.pauli_generator import generator_parts
from spinsqueeze.methods.exact.string_sector import StringSector
from spinsqueeze.methods.exact.symmetries import is_symmetric
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.states import InitialState
from spinsqueeze.numerics import magnus
from spinsqueeze.numerics.factorisation import dense_factors, superlu_factors
from spinsqueeze.numerics.lindblad import Equation
from spinsqueeze.numerics.lindblad_evolution import DrivenEquation, evolve, evolve_matrix
from spinsqueeze.numerics.lindblad_steady import Preconditioner
from spinsqueeze.numerics.null_vectors import STATE_ROUNDING
from spinsqueeze.numerics.steady_states import ClosedParts, Rest, at_rest
from spinsqueeze.numerics.weighted_sum import WeightedSum
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading, readings_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EPSILON = float(np.finfo(np.float64).eps)
LEAST_TOLERANCE = 1e-14
AT_ONCE = 3e8
"""Bytes of states held between two looks."""
STEADY_TOLERANCE = 1e-6
DENSE_FROM = 400
"""Unknowns from which on sparse factors fill up so much that dense ones are faster."""


@final
@dataclass(frozen=True, eq=False)
class OpenSector:
    """The master equation of a model in a sector, one matrix a strength."""

    strings: StringSector
    strengths: DriveWeights
    matrices: "list[csr_array]"

    @classmethod
    def of(cls, question: Question, generators: list[Integers]) -> "OpenSector":
        """For a question with one row a spin."""
        strings = StringSector(question.model.n_spins, generators)
        parts = generator_parts(question.model)
        matrices = [strings.matrix(part) for part in parts]
        return cls(strings, DriveWeights(tuple(part.strength for part in parts)), matrices)

    @cached_property
    def equation(self) -> Equation:
        """Where nothing depends on time."""
        return Equation(self.matrices[0])

    @cached_property
    def _driven(self) -> DrivenEquation:
        return DrivenEquation(WeightedSum(self.matrices), evolve=_evolved)

    def state(self, state: InitialState | None) -> Floats:
        """Unknowns of a pure state, averaged over the permutations."""
        n = self.strings.n_spins
        if isinstance(state, ProductOfSpins):
            rows = np.broadcast_to(bloch_vectors(state), (n, 3))
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
            return self.strings.product_state(rows / lengths)
        return self.strings.pure_state(state_vector(state, n))

    def states(
        self, y: Floats, times: Floats, *, start: float, tolerance: float
    ) -> tuple[Floats, float]:
        """Unknowns (T, n) at times from `start` on, and the error of the last in the 2-norm."""
        size = float(np.linalg.norm(y))
        if not self.strengths.varies:
            states, relative = evolve(
                self.equation, start=y, times=times - start, tolerance=tolerance
            )
            return states, relative * size
        out: list[Floats] = []
        stop = float(times[-1])
        if stop <= start:
            return np.array([y] * len(times)), 0.0
        _, error = magnus.propagate(
            self._driven,
            self.strengths,
            y,
            start=start,
            stop=stop,
            tolerance=tolerance * size,
            outputs=times.tolist(),
            emit=lambda value, _: out.append(np.array(value)),
        )
        return np.array(out), error


def _evolved(
    _weights: Floats, matrix: Any, state: Floats, times: Floats, tolerance: float
) -> tuple[Floats, float]:
    return evolve_matrix(matrix, start=state, times=times, tolerance=tolerance)


def evolve_in_sector(question: Evolve, generators: list[Integers], *, tolerance: float) -> Answer:
    """Moments at all times, of a question with one row a spin.

    The steps err by what is asked for in the 2-norm; in the trace norm, which no step lets grow,
    that is up to 2^(N/2) times as much, and so much less is asked for.
    """
    sector = OpenSector.of(question, generators)
    n, duration = question.model.n_spins, question.duration or 1.0
    amplified = 2.0 ** (n / 2)
    asked = max(tolerance / amplified, LEAST_TOLERANCE)
    y, now, error = sector.state(question.state), 0.0, 0.0
    spin, covariance = np.empty((len(question.times), 3)), np.empty((len(question.times), 3, 3))
    purity, errors = np.empty(len(question.times)), np.empty(len(question.times))
    drift = 0.0
    chunk = max(1, int(AT_ONCE / (8 * sector.strings.count)))

    def look(k: int, state: Floats, at: float) -> None:
        nonlocal drift
        spin[k], covariance[k] = sector.strings.moments(state)
        purity[k], errors[k] = float(state @ state), at
        drift = max(drift, abs(float(sector.strings.trace_vector @ state) - 1))

    for stop, rotations, wanted in stretches(question):
        waiting = list(wanted)
        while now < stop or waiting:
            taken, waiting = waiting[:chunk], waiting[chunk:]
            marks = [float(question.times[k]) for k in taken]
            end = marks[-1] if waiting else stop
            times = np.unique([*marks, end])
            share = max(asked * (end - now) / duration, LEAST_TOLERANCE)
            states, added = sector.states(y, times, start=now, tolerance=share)
            for k, mark in zip(taken, marks, strict=True):
                look(k, states[int(np.searchsorted(times, mark))], error + added)
            y, error, now = states[-1], error + added, end
            question.progress(0.99 * min(now / duration, 1.0))
        for turn in rotations:
            y = sector.strings.turned(y, axis=turn.axis, angle=turn.angle, mask=turn.mask)
    question.progress(1.0)
    extras = {}
    if is_symmetric(question.state, generators, n):
        extras = {"purity": Reading(purity)}
    state_error = amplified * (errors + 16 * EPSILON)
    return Answer(
        {**readings_of(Moments(n_spins=n, spin=spin, covariance=covariance)), **extras},
        # |S_a| <= N/2 errs by half N times the trace norm; in units of sqrt(N)/2.
        error={"spin": state_error * np.sqrt(n)},
        diagnostics={"norm_drift": drift, **_diagnostics(sector)},
    )


def steady_in_sector(question: Steady, generators: list[Integers]) -> Answer:
    """The steady state of a question with one row a spin.

    Raises:
        NumericalFailure: there are several in the sector, or the iteration does not converge.
    """
    sector = OpenSector.of(question, generators)
    n = question.model.n_spins
    equation = sector.equation
    matrix = equation.matrix
    start = None if question.state is None else sector.state(question.state)
    diagonal = matrix.diagonal()
    diagonal = diagonal - 1e-3 * float(np.abs(diagonal).mean()) - 1e-300

    def precondition(chosen: Integers) -> Preconditioner:
        """By the rates at which strings decay: local jumps are most of the equation."""
        inverse = 1 / diagonal[chosen]
        return Preconditioner(lambda v: inverse * v, lambda v: inverse * v)

    trace = sector.strings.trace_vector
    parts = ClosedParts(
        matrix, equation.component, trace, precondition, factorise=_factors, restart=RESTART
    )
    rest: Rest = at_rest(parts, start=start, near=None, tolerance=STEADY_TOLERANCE)
    spin, covariance = sector.strings.moments(rest.y)
    question.progress(1.0)
    size = float(np.linalg.norm(rest.y))
    # From the 2-norm to the trace norm.
    error = 2.0 ** (n / 2) * size * max(rest.rounding, STATE_ROUNDING)
    moments = Moments(n_spins=n, spin=spin[None], covariance=covariance[None])
    return Answer(
        {**readings_of(moments), "purity": Reading(np.array([size**2]))},
        error={"spin": error * np.sqrt(n)},
        diagnostics={
            "residual": rest.residual,
            "error_estimate": rest.rounding,
            "zero_modes": rest.zero_modes,
            "slowest_rate": rest.slowest_rate,
            **_diagnostics(sector),
        },
    )


def _factors(matrix: Any, alpha: float, beta: float, *, remedy: str) -> Any:
    if matrix.shape[0] >= DENSE_FROM:
        return dense_factors(matrix, alpha, beta, remedy=remedy)
    return superlu_factors(matrix, alpha, beta, remedy=remedy)


def _diagnostics(sector: OpenSector) -> dict[str, float | int | str]:
    return {"dimension": sector.strings.count, "dtype": "float64", "device": "cpu"}
