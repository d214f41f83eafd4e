"""Cumulants and MeanField: moments of spins that differ by kind only, closed at any order."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, SpinSqueezeError
from spinsqueeze.core.progress import Progress, part_of
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.states import (
    PermutationInvariantState,
    ProductOfSpins,
)
from spinsqueeze.methods.base.truncation import differences, first
from spinsqueeze.methods.cumulants import collective_states, own_products
from spinsqueeze.methods.cumulants.domain import (
    FieldMoments,
    Run,
    concerns,
    why_early,
)
from spinsqueeze.methods.cumulants.final_moments import field_readings, moments_of
from spinsqueeze.methods.cumulants.initial import directions_of, initial_cumulants
from spinsqueeze.methods.cumulants.series import n_coefficients, n_products
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import readings_of

if TYPE_CHECKING:
    from spinsqueeze.methods.cumulants.integrate import FlowArrays
    from spinsqueeze.methods.cumulants.steady import FixedPoint

MAX_ORDER = 12
RESOLVED = 1e-4
"""The largest share of the highest cumulants of an initial state that rounding may take."""
HANDLES = frozenset((
    "fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "unlike_spins", "pulses",
    "modes", "mode_couplings",
))  # fmt: skip
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

    def _equations(self, question: Question, order: int) -> "FlowArrays":
        from spinsqueeze.methods.cumulants.integrate import equations_of
        from spinsqueeze.methods.cumulants.mode_tables import mode_tables
        from spinsqueeze.methods.cumulants.tables import tables_of

        model = question.model
        tables = [*tables_of(model), *mode_tables(model)]
        return equations_of(tables, counts=model.counts, order=order, n_modes=len(model.modes))

    def _foreign(self, question: Question) -> list[str]:
        """Why the initial state is none whose cumulants are known."""
        state, model = question.state, question.model
        if isinstance(state, ProductOfSpins):
            if directions_of(question) is None:
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
        if self._order >= question.model.n_spins and not question.model.modes:
            return EXACT
        return Trust("truncation" if self.next_order else "uncontrolled")

    def cost(self, question: Question) -> Cost:
        """From the number of coefficients and of their products; steps from the fastest rate."""
        model, n_modes = question.model, len(question.model.modes)
        n_variables = 3 * len(model.counts) + 2 * n_modes
        order = self._highest(model)
        coefficients = n_coefficients(model.counts, order, n_modes=n_modes)
        products = n_products(model.counts, max(order - 1, 0), n_modes=n_modes)
        pairs = n_variables * (n_variables + 1) / 2 + n_variables**2 / 3
        work = 1e-9 * (pairs * products + 50 * coefficients)
        n_times = len(question.times) if isinstance(question, Evolve) else 1
        memory = 8.0 * (coefficients * (40 + 3 * n_times) + 6 * products + pairs * coefficients)
        return Cost(
            1e6 + memory,
            0.01 + EVALUATIONS * work,
            f"{coefficients} cumulants up to order {order} of {n_variables} variables",
        )

    def _own_order(self, model: Canonical) -> int:
        """The order that is answered: beyond order N there is nothing, unless there is a mode."""
        return self._order if model.modes else min(self._order, model.n_spins)

    def _highest(self, model: Canonical) -> int:
        """The highest order that is followed."""
        order = self._own_order(model)
        complete = order == model.n_spins and not model.modes
        return order + 1 if self.next_order and not complete else order

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
        order, highest = self._own_order(model), self._highest(model)
        equations = self._equations(question, order)
        fine = self._moments(
            question, equations, self.tolerance, part_of(question.progress, 0.0, 0.5)
        )
        coarse = self._moments(
            question, equations, self.tolerance * COARSER, part_of(question.progress, 0.5, 0.75)
        )
        truncation: dict[str, Any] = {}
        answered = min(len(fine.moments.spin), len(coarse.moments.spin))
        if highest > order:
            beyond = self._moments(
                question,
                self._equations(question, highest),
                self.tolerance * COARSER,
                part_of(question.progress, 0.75, 1.0),
            )
            truncation = differences(first(fine.moments, answered), beyond.moments)
            if fine.field is not None and beyond.field is not None:
                truncation |= fine.field.gaps(beyond.field, answered)
        question.progress(1.0)
        if answered == 0:
            raise NumericalFailure(why_early(fine, coarse, question.times, 0))
        moments = first(fine.moments, answered)
        error = np.linalg.norm(moments.spin - coarse.moments.spin[:answered], axis=1)
        # Both runs may take the same steps and then agree; each step errs by about the tolerance.
        rounding = n * (ROUNDING * np.sqrt(1 + fine.steps) + STEPS * self.tolerance * fine.steps)
        complete = answered == len(question.times)
        return Answer(
            {**readings_of(moments), **field_readings(fine.field, answered)},
            error={"spin": (error + rounding) / (np.sqrt(n) / 2)},
            truncation=truncation,
            diagnostics={
                "order": order,
                "cumulants": len(equations.series.exponents) - 1,
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
        initial = initial_cumulants(question, equations.series)
        curve = carry(question, equations, initial, tolerance=tolerance, progress=progress)
        moments, field = moments_of(curve.p, model, equations.series)
        return Run(moments, field, curve.steps, curve.implicit, curve.ended == LONG)

    def _steady_state(self, question: Steady) -> Answer:
        order, highest = self._own_order(question.model), self._highest(question.model)
        moments, field, point = self._end(question, order)
        truncation: dict[str, Any] = {}
        if highest > order:
            beyond, field_beyond = self._beyond(question, highest, moments)
            truncation = differences(moments, beyond)
            if field is not None:
                truncation |= field.gaps(field_beyond, 1)
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
            {**readings_of(moments), **field_readings(field, 1)},
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

    def _beyond(
        self, question: Steady, order: int, moments: Moments
    ) -> tuple[Moments, FieldMoments | None]:
        """The moments of the next order; none where it comes to no rest."""
        try:
            return self._end(question, order)[:2]
        except NumericalFailure:
            return first(moments, 0), None

    def _end(
        self, question: Steady, order: int
    ) -> "tuple[Moments, FieldMoments | None, FixedPoint]":
        """The fixed point of one order, with its moments."""
        from spinsqueeze.methods.cumulants.steady import fixed_point

        equations = self._equations(question, order)
        point = fixed_point(equations, initial_cumulants(question, equations.series))
        return *moments_of(point.p[None], question.model, equations.series), point


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Cumulants(_Closed):
    """Moments of distinct spins up to a given order; joint cumulants beyond it are left out.

    Any permutation-invariant model, and classes of spins alike (C of them), at any number of spins:
    C(k + 3C, k) - 1 equations for order k. A cavity is kept as two more variables. Order N is exact
    without one. Good while fluctuations are small
    against the mean spin; past the crossing into strongly non-Gaussian states and from unstable
    points it fails, high orders first by blowing up. Sources: kubo1962, tucker2020; NOTES.md.

    Args:
        order: highest degree of the cumulants that are kept, 1 to 12; beyond N it is N.
        next_order: also follow order + 1: the difference is the `<name>_truncation` of spin,
            covariance and all that follows from them. An indication, no bound: where the odd
            cumulants are small, order 3 changes little of what order 4 changes.
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
@clear_init
@dataclass(frozen=True, eq=False)
class MeanField(_Closed):
    """Every spin in the mean field of all others: `Cumulants` of order 1.

    Covariances are those of independent spins; the mean spin is right to order 1/N where
    correlations stay small. Sources: tucker2020; NOTES.md.

    Args:
        products: of components of one spin in collective jumps. "pauli": by Pauli's relations,
            `Cumulants(1)`; "factorised": the product of the means, which keeps |<S>| = N/2, for
            models that conserve the total spin. "auto": factorised from a coherent state where one
            collective jump, along no axis, is all that decays, else pauli.
        next_order: also follow order 2: the difference is the `<name>_truncation`.
        tolerance: error of one step, relative to the mean spin, 1e-13 to 1e-3.
    """

    products: str = field(default=own_products.AUTO, kw_only=True)
    next_order: bool = field(default=True, kw_only=True)
    tolerance: float = field(default=1e-10, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("tucker2020",)
    summary: ClassVar[str] = "mean spin of open models of alike spins or classes, any N"
    handles: ClassVar[frozenset[str]] = HANDLES
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        checks.choice("products", self.products, options=own_products.CHOICES)
        self._check()

    @property
    def _order(self) -> int:
        return 1

    @override
    def obstacles(self, question: Question) -> list[str]:
        """Also where factorised products make no sense."""
        reasons = super().obstacles(question)
        if self.products == own_products.FACTORISED and not reasons:
            reasons = own_products.reasons_against(question)
        return reasons

    @override
    def answer(self, question: Question) -> Answer:
        """Also names the products it took."""
        factorised = self._factorised(question)
        try:
            answer = super().answer(question)
        except NumericalFailure as error:
            if not factorised:
                raise
            raise NumericalFailure(
                f"{error}; factorised products let nothing shorten the mean spin: where the state "
                "ends mixed, take PermutationInvariant, or products='pauli'"
            ) from None
        taken = own_products.FACTORISED if factorised else own_products.PAULI
        return replace(answer, diagnostics={**answer.diagnostics, "products": taken})

    def _factorised(self, question: Question) -> bool:
        return own_products.chosen(self.products, question) == own_products.FACTORISED

    @override
    def _equations(self, question: Question, order: int) -> "FlowArrays":
        if order > 1 or not self._factorised(question):
            return super()._equations(question, order)
        from spinsqueeze.methods.cumulants.integrate import equations_of

        tables = own_products.factorised_tables(question.model)
        return equations_of(tables, counts=question.model.counts, order=1)

    @override
    def trust(self, question: Question) -> Trust:
        """Of unknown accuracy but for one spin: it knows no correlations, so no squeezing."""
        return EXACT if question.model.n_spins == 1 else Trust("uncontrolled")
