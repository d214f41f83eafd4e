"""Cumulants and MeanField: moments of spins that differ by kind only, closed at any order."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, SpinSqueezeError
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Progress, Question, Steady
from spinsqueeze.methods.base.states import (
    InSymmetricSubspace,
    PermutationInvariantState,
    ProductOfSpins,
    ProductStateOfClasses,
    bloch_vectors,
    block_values,
    symmetric_amplitudes,
)
from spinsqueeze.methods.cumulants import collective_states, states
from spinsqueeze.methods.cumulants.domain import Run, concerns, differences, first, why_early
from spinsqueeze.methods.cumulants.series import Series, n_coefficients, n_products
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import readings_of

if TYPE_CHECKING:
    from spinsqueeze.methods.cumulants.integrate import FlowArrays
    from spinsqueeze.methods.cumulants.steady import FixedPoint

MAX_ORDER = 12
RESOLVED = 1e-4
"""The largest share of the highest cumulants of an initial state that rounding may take."""
HANDLES = frozenset(
    (
        "fields",
        "quadratics",
        "pairs",
        "collective_jumps",
        "local_jumps",
        "unlike_spins",
        "pulses",
    )
)
ROUNDING = 8 * float(np.finfo(np.float64).eps)
EVALUATIONS = 3e3
"""A guess: how often the equations are evaluated in a run of all orders and tolerances."""
STEPS = 3.0
"""What a step may err by, in units of the tolerance that its own estimate has met."""
COARSER = 30.0
"""The run that measures the error of the steps takes a tolerance that much larger."""


class _Closed(Method):
    """What both methods share: equations from tables, an evolution in time, its errors."""

    tolerance: float
    next_order: bool
    together = True

    @property
    def _order(self) -> int:
        raise NotImplementedError

    def _check(self) -> None:
        value = checks.real("tolerance", self.tolerance, minimum=1e-13, maximum=1e-3)
        object.__setattr__(self, "tolerance", value)
        if not isinstance(self.next_order, bool):
            raise InvalidInput.of(
                "next_order", f"must be true or false, got {checks.shown(self.next_order)}"
            )

    def obstacles(self, question: Question) -> list[str]:
        """Spins that differ by kind only, from a product state that is the same for each kind."""
        reasons = []
        if "couplings" in question.model.differences:
            reasons.append(
                "couplings depend on the pair of spins; it needs spins alike within classes"
            )
        if question.state is None:
            reasons.append(
                "its equations may have several fixed points: give an initial state, in whose "
                "basin the steady state lies"
            )
        return reasons or self._foreign(question)

    def _foreign(self, question: Question) -> list[str]:
        """Why the initial state is none whose cumulants are known."""
        state, model = question.state, question.model
        if isinstance(state, ProductOfSpins):
            if _directions(question) is None:
                return [
                    "the directions of the initial state differ within a class of alike spins; "
                    "give one direction a class"
                ]
            return []
        name = type(state).__name__
        if not isinstance(state, PermutationInvariantState):
            return [f"{name} is neither a product of spins nor known to be permutation invariant"]
        if question.differences:
            return [f"{name} is a state of alike spins; for classes give a product of spins"]
        order = self._highest(model)
        lost = collective_states.rounding(model.n_spins, order)
        if lost > RESOLVED:
            return [
                f"cumulants of degree {order} of {name} with N = {model.n_spins} are lost to "
                f"rounding ({lost:.1g} of their usual size); lower the order"
            ]
        return []

    def trust(self, question: Question) -> Trust:
        """Exact from order N on; with the next order, an approximation that measures its error."""
        if self._order >= question.model.n_spins:
            return EXACT
        return Trust("truncation" if self.next_order else "uncontrolled")

    def cost(self, question: Question) -> Cost:
        """From the number of coefficients and of their products; steps from the fastest rate."""
        n_variables = 3 * len(question.model.counts)
        order = self._highest(question.model)
        coefficients = n_coefficients(question.model.counts, order)
        products = n_products(question.model.counts, max(order - 1, 0))
        pairs = n_variables * (n_variables + 1) / 2 + n_variables**2 / 3
        work = 1e-9 * (pairs * products + 50 * coefficients)
        n_times = len(question.times) if isinstance(question, Evolve) else 1
        memory = 8.0 * (coefficients * (40 + 3 * n_times) + 6 * products + pairs * coefficients)
        return Cost(
            1e6 + memory,
            0.01 + EVALUATIONS * work,
            f"{coefficients} cumulants up to order {order} of {n_variables} variables",
        )

    def _highest(self, model: Canonical) -> int:
        """The highest order that is followed; beyond order N there is nothing."""
        order = min(self._order, model.n_spins)
        return order + 1 if self.next_order and order < model.n_spins else order

    def answer(self, question: Question) -> Answer:
        """Follow the cumulants, or find where they end; the next order beside it."""
        if isinstance(question, Steady):
            return self._steady_state(question)
        return self._evolve(question)

    @override
    def answer_many(self, questions: Sequence[Question]) -> list[Answer | SpinSqueezeError]:
        """The same, on as many threads as numba may use: steps are machine code without a lock."""
        from numba import config

        with ThreadPoolExecutor(config.NUMBA_NUM_THREADS) as threads:
            return list(threads.map(self._answer_or_error, questions))

    def _evolve(self, question: Evolve) -> Answer:
        """With a coarser run for the error of the steps."""
        model, n = question.model, question.model.n_spins
        order, highest = min(self._order, n), self._highest(question.model)
        equations = _equations(question, order)
        fine = self._moments(question, equations, self.tolerance, _part(question, 0.0, 0.5))
        coarse = self._moments(
            question, equations, self.tolerance * COARSER, _part(question, 0.5, 0.75)
        )
        truncation: dict[str, Any] = {}
        answered = min(len(fine.moments.spin), len(coarse.moments.spin))
        if highest > order:
            beyond = self._moments(
                question,
                _equations(question, highest),
                self.tolerance * COARSER,
                _part(question, 0.75, 1.0),
            )
            truncation = differences(first(fine.moments, answered), beyond.moments)
        question.progress(1.0)
        if answered == 0:
            raise NumericalFailure(why_early(fine, coarse, question.times, 0))
        moments = first(fine.moments, answered)
        error = np.linalg.norm(moments.spin - coarse.moments.spin[:answered], axis=1)
        # Both runs may take the same steps and then agree; each step errs by about the tolerance.
        rounding = n * (ROUNDING * np.sqrt(1 + fine.steps) + STEPS * self.tolerance * fine.steps)
        complete = answered == len(question.times)
        return Answer(
            readings_of(moments),
            error={"spin": (error + rounding) / (np.sqrt(n) / 2)},
            truncation=truncation,
            diagnostics={
                "order": order,
                "cumulants": n_coefficients(model.counts, order) - 1,
                "n_steps": fine.steps,
                "implicit": int(fine.implicit),
                "dtype": "float64",
                "device": "cpu",
            },
            warnings=concerns(moments, truncation, question.times[:answered], order),
            times=question.times[:answered],
            status=COMPLETE if complete else why_early(fine, coarse, question.times, answered),
        )

    def _moments(
        self, question: Evolve, equations: "FlowArrays", tolerance: float, progress: Progress
    ) -> Run:
        from spinsqueeze.methods.cumulants.evolve import carry
        from spinsqueeze.methods.cumulants.integrate import LONG

        model = question.model
        initial = _initial(question, equations.series)
        curve = carry(question, equations, initial, tolerance=tolerance, progress=progress)
        moments = states.collective_moments(curve.p, counts=model.counts, series=equations.series)
        return Run(moments, curve.steps, curve.implicit, curve.ended == LONG)

    def _steady_state(self, question: Steady) -> Answer:
        order, highest = min(self._order, question.model.n_spins), self._highest(question.model)
        moments, point = _end(question, order)
        truncation: dict[str, Any] = {}
        if highest > order:
            truncation = differences(moments, _beyond(question, highest, moments))
        question.progress(1.0)
        n = question.model.n_spins
        warnings = concerns(moments, truncation, None, order)
        if point.growth > 0:
            warnings = (
                *warnings,
                f"stability: small deviations grow at the rate {point.growth:.3g}; it is a fixed "
                "point, but no state ends there",
            )
        return Answer(
            readings_of(moments),
            error={"spin": 2 * (point.step + point.drift + ROUNDING) * np.sqrt(n)},
            truncation=truncation,
            diagnostics={
                "order": order,
                "cumulants": len(point.p) - 1,
                "slowest_rate": -point.growth,
                "conserved": point.conserved,
                "approach": point.duration,
                "dtype": "float64",
                "device": "cpu",
            },
            warnings=warnings,
        )


def _equations(question: Question, order: int) -> "FlowArrays":
    from spinsqueeze.methods.cumulants.integrate import equations_of
    from spinsqueeze.methods.cumulants.tables import tables_of

    model = question.model
    return equations_of(tables_of(model), counts=model.counts, order=order)


def _initial(question: Question, series: Series) -> Floats:
    """P (K,) of the initial state."""
    state, n = question.state, question.model.n_spins
    if isinstance(state, ProductOfSpins):
        directions = _directions(question)
        assert directions is not None
        return states.of_product(directions, series)
    if isinstance(state, InSymmetricSubspace):
        amplitudes = symmetric_amplitudes(state, n)
        return collective_states.of_amplitudes(amplitudes, n_spins=n, series=series)
    return collective_states.of_blocks(block_values(state, n), n_spins=n, series=series)


def _beyond(question: Steady, order: int, moments: Moments) -> Moments:
    """The moments of the next order; none where it comes to no rest."""
    try:
        return _end(question, order)[0]
    except NumericalFailure:
        return first(moments, 0)


def _end(question: Steady, order: int) -> "tuple[Moments, FixedPoint]":
    """The fixed point of one order, with its moments."""
    from spinsqueeze.methods.cumulants.steady import fixed_point

    equations = _equations(question, order)
    point = fixed_point(equations, _initial(question, equations.series))
    counts = question.model.counts
    return (
        states.collective_moments(point.p[None], counts=counts, series=equations.series),
        point,
    )


@final
@dataclass(frozen=True, eq=False)
class Cumulants(_Closed):
    """Moments of distinct spins up to a given order; joint cumulants beyond it are left out.

    Any permutation-invariant model, and classes of spins alike (C of them), at any number of spins:
    C(k + 3C, k) - 1 equations for order k. Order N is exact. Good while fluctuations are small
    against the mean spin; past the crossing into strongly non-Gaussian states and from unstable
    points it fails, high orders first by blowing up. Sources: kubo1962, tucker2020; NOTES.md.

    Args:
        order: highest degree of the cumulants that are kept, 1 to 12; beyond N it is N.
        next_order: also follow order + 1: the difference is the `<name>_truncation` of spin,
            covariance and all that follows from them.
        tolerance: error of one step, relative to what moves a moment by its own size, 1e-13 to
            1e-3.
    """

    order: int = 4
    next_order: bool = field(default=True, kw_only=True)
    tolerance: float = field(default=1e-10, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("kubo1962", "tucker2020")
    summary: ClassVar[str] = "open models of alike spins or classes, any N, up to any order"
    handles: ClassVar[frozenset[str]] = HANDLES
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        order = checks.integer("order", self.order, minimum=1, maximum=MAX_ORDER)
        object.__setattr__(self, "order", order)
        self._check()

    @property
    def _order(self) -> int:
        return self.order


@final
@dataclass(frozen=True, eq=False)
class MeanField(_Closed):
    """Every spin in the mean field of all others: `Cumulants` of order 1.

    Covariances are those of independent spins; the mean spin is right to order 1/N where
    correlations stay small. Sources: tucker2020; NOTES.md.

    Args:
        next_order: also follow order 2: the difference is the `<name>_truncation`.
        tolerance: error of one step, relative to the mean spin, 1e-13 to 1e-3.
    """

    next_order: bool = field(default=True, kw_only=True)
    tolerance: float = field(default=1e-10, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("tucker2020",)
    summary: ClassVar[str] = "mean spin of open models of alike spins or classes, any N"
    handles: ClassVar[frozenset[str]] = HANDLES
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        self._check()

    @property
    def _order(self) -> int:
        return 1

    @override
    def trust(self, question: Question) -> Trust:
        """Of unknown accuracy but for one spin: it knows no correlations, so no squeezing."""
        return EXACT if question.model.n_spins == 1 else Trust("uncontrolled")


def _directions(question: Question) -> Floats | None:
    """(C, 3) directions of the spins of each kind; None where they differ within one."""
    state, counts = question.state, question.model.counts
    if isinstance(state, ProductStateOfClasses):
        return state.directions
    directions = bloch_vectors(state)
    if directions.ndim == 1:
        return np.tile(directions, (len(counts), 1))
    ends = np.cumsum(counts)
    heads = directions[ends - counts]
    return heads if np.array_equal(directions, np.repeat(heads, counts, axis=0)) else None


def _part(question: Question, start: float, stop: float) -> Progress:
    """Progress of a part of the work."""
    return lambda share: question.progress(start + (stop - start) * share)
