"""Perturbation: steady states next to a model that conserves the magnetisation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, SpinSqueezeError
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.flip_operators import (
    CONSERVING,
    anisotropy,
    flip_bytes,
    not_emission,
    torus,
)
from spinsqueeze.methods.base.method import Cost, Method, Trust
from spinsqueeze.methods.base.paramagnet import mean_field_instability
from spinsqueeze.methods.base.question import Question, Steady
from spinsqueeze.methods.base.states import InSymmetricSubspace
from spinsqueeze.methods.base.truncation import differences, raise_to_square
from spinsqueeze.methods.perturbation.domain import (
    beyond,
    concerns,
    negative,
    unphysical,
    widened,
)
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import pure_information
from spinsqueeze.observables.readings import Reading

if TYPE_CHECKING:
    from spinsqueeze.methods.perturbation.orders import Series

MOST_ORDERS = 12
BEYOND = 2
"""Orders beyond the own one that are computed: every other may be zero by parity."""
ROUNDING = 1e-12
LARGEST_BATCH = 4e6


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Perturbation(Method):
    """Steady states as a power series about all spins down, at any N for alike spins.

    H = H0 + lambda H1 at lambda = 1: H0 is what conserves S_z, H1 the rest (drives across z, and
    couplings that flip two spins), both found from the model, but for what `perturbed` moves to H1;
    jumps lower single spins or all together. All spins down is the steady state of H0;
    L0 rho_(k+1) = i [H1, rho_k] then stays among few flipped spins. What the next two orders
    change, and those beyond as a geometric series, is the error (`xi2_truncation` and so on; two,
    as parity empties every other order of many), and at least what is missing to a physical state
    (a contrast above 1, an uncertainty product below it); infinite where the series does not
    converge, has a negative variance, or lambda = 1 lies beyond the paramagnet of mean field.
    Diagnostics: the series of xi2 in lambda, its Pade form at lambda = 1, an estimate of its radius
    of convergence, and `mean_field_instability`, the lambda at which the paramagnet breaks in mean
    field (beyond it a result warns). Without any H1 the state is all spins down, xi2 = 1. With
    state="pure" also `qfi`, as a series to the same order, which is the information of no state.
    Sources: huybrechts2024 and NOTES.md.

    Args:
        order: of the density matrix in lambda, 1 to 12.
        state: "mixed", exact order by order; or "pure", the theory of the paper, which is exact in
            first order only: spins that decay one by one leave a mixed state (orders 1 and 2).
        next_order: also compute the next two orders, as the error. Without it order 1 takes spins
            that differ by the hundred (a lattice of 22 x 22), and periodic lattices that are alike
            everywhere by the thousand (64 x 64).
        perturbed: conserving parts that count as perturbation too, by name: "couplings" (exchange
            and z z interactions of spins), "detunings" (fields along z). With both, nothing is left
            of H0: the series is one in all couplings and fields over the decay.
    """

    order: int = 2
    state: str = field(default="mixed", kw_only=True)
    next_order: bool = field(default=True, kw_only=True)
    perturbed: tuple[str, ...] = field(default=(), kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("huybrechts2024",)
    summary: ClassVar[str] = "steady states next to a model that conserves the magnetisation"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "unlike_spins")
    )
    answers: ClassVar[frozenset[type]] = frozenset((Steady,))
    together = True

    def __post_init__(self) -> None:
        order = checks.integer("order", self.order, minimum=1, maximum=MOST_ORDERS)
        object.__setattr__(self, "order", order)
        checks.choice("state", self.state, ("mixed", "pure"))
        if not isinstance(self.next_order, bool):
            raise InvalidInput.of("next_order", f"must be true or false, got {self.next_order!r}")
        object.__setattr__(self, "perturbed", _checked_parts(self.perturbed))
        if self.state == "pure" and self.order > 2:
            raise InvalidInput.of("order", f"must be 1 or 2 with state='pure', got {self.order}")

    def obstacles(self, question: Question) -> list[str]:
        """Emission only, about all spins down."""
        model = question.model
        reasons = []
        vectors = [("collective", c.vectors) for c in model.collective_jumps]
        vectors += [("local", j.vector) for j in model.local_jumps]
        for kind, vector in vectors:
            if not_emission(vector):
                reasons.append(
                    f"a {kind} jump does not only lower spins (dephasing, pumping, squeezing): all "
                    "spins down is then no steady state of what conserves S_z"
                )
                break
        outside = not isinstance(question.state, InSymmetricSubspace | None)
        if outside and not model.local_jumps:
            reasons.append("it finds the steady state within total spin N/2")
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """The next two orders measure the truncation; the pure theory may be wrong from 2 on."""
        if self.state == "pure" or not self.next_order:
            return Trust("uncontrolled")
        return Trust("truncation")

    def cost(self, question: Question) -> Cost:
        """From the pairs of states of few flipped spins."""
        from spinsqueeze.methods.perturbation import sites

        model = question.model
        if self._first_order_only:
            kinds = len(model.counts)
            if torus(model) is not None:
                seconds = 0.02 + 2e-5 * kinds
                return Cost(flip_bytes(model), seconds, f"pairs at {kinds} displacements")
            seconds = 0.02 + 2e-8 * kinds**3 + 1e-6 * kinds**2.5
            return Cost(flip_bytes(model), seconds, f"pairs of {kinds} kinds of spins")
        most = min(_flips(model) * self._highest, model.n_spins)
        if model.permutation_invariant:
            pairs = float(sum((most + 1 - s) ** 2 for s in range(most + 1)))
        else:
            pairs = float(sites.count(model.n_spins, most)) ** 2
        return Cost(
            pairs * 2500 + pairs**1.5 * 4,
            0.02 + 1e-5 * pairs + 2e-9 * pairs**1.8,
            f"{pairs:.3g} pairs of states of up to {most} flipped spins; order=1 with "
            "next_order=False takes two flips only",
        )

    @property
    def _first_order_only(self) -> bool:
        """Whether the amplitudes of two flips are all that is asked for."""
        return self.order == 1 and self._highest == 1

    @property
    def _highest(self) -> int:
        return self.order + (BEYOND if self.next_order and self.state == "mixed" else 0)

    def answer(self, question: Question) -> Answer:
        """The moments of all orders, summed."""
        (answer,) = self.answer_many([question])
        if isinstance(answer, SpinSqueezeError):
            raise answer
        return answer

    @override
    def answer_many(self, questions: Sequence[Question]) -> list[Answer | SpinSqueezeError]:
        """The same; alike spins of one number, with drives of one sort, share all steps."""
        out: list[Answer | SpinSqueezeError | None] = [None] * len(questions)
        groups: dict[tuple[int, int, bool], list[int]] = {}
        for k, question in enumerate(questions):
            model = question.model
            shares = model.permutation_invariant and self.state == "mixed"
            if shares and not self._first_order_only:
                sort = (model.n_spins, _flips(model), bool(model.local_jumps))
                groups.setdefault(sort, []).append(k)
            else:
                out[k] = self._alone(question)
        for (_, reach, _), members in groups.items():
            for part in batches(members, reach * self._highest):
                answers = self._alike([questions[k] for k in part], reach)
                for k, answer in zip(part, answers, strict=True):
                    out[k] = answer
        assert all(answer is not None for answer in out)
        return [answer for answer in out if answer is not None]

    def _alike(
        self, questions: Sequence[Question], reach: int
    ) -> Sequence[Answer | SpinSqueezeError]:
        from spinsqueeze.methods.perturbation.alike_series import mixed_series
        from spinsqueeze.methods.perturbation.orders import STUCK

        series, stuck = mixed_series(
            questions[0].model.n_spins,
            [interchangeable.at_peak(question.model) for question in questions],
            order=self._highest,
            reach=reach,
            perturbed=self.perturbed,
        )
        answers = self._answered(questions, series, self._highest)
        return [
            NumericalFailure(STUCK) if is_stuck else answer
            for answer, is_stuck in zip(answers, stuck, strict=True)
        ]

    def _alone(self, question: Question) -> Answer | SpinSqueezeError:
        """The pure state, and spins that differ."""
        from spinsqueeze.methods.perturbation import alike, orders, sites
        from spinsqueeze.methods.perturbation.first_order import decaying, first_order

        model = question.model
        reach = _flips(model)
        highest = self._highest if self.state == "mixed" else self.order
        try:
            if self._first_order_only:
                series, error = first_order(model, perturbed=self.perturbed)
                return self._answered([question], series, 1, pair_error=error)[0]
            if model.permutation_invariant:
                arrays = interchangeable.at_peak(model)
                space = alike.flip_space(model.n_spins, arrays, reach * highest, self.perturbed)
            else:
                space = sites.flip_space(model.per_spin(), reach * highest, self.perturbed)
            if self.state == "pure":
                decaying(model, perturbed=self.perturbed)
                found = orders.pure_orders(space, self.order)
            else:
                found = orders.mixed_orders(space, highest, reach)
            return self._answered([question], orders.read(space, found), highest)[0]
        except SpinSqueezeError as error:
            return error

    def _answered(
        self,
        questions: Sequence[Question],
        series: "Series",
        highest: int,
        *,
        pair_error: float | None = None,
    ) -> list[Answer]:
        """What the series of many models of one N say, each on its own."""
        from spinsqueeze.methods.perturbation import power_series

        n = series.n_spins
        moments = _moments(series, self.order)
        gaps = [
            differences(moments, _moments(series, later))
            for later in range(self.order + 1, highest + 1)
        ]
        names = gaps[0] if gaps else {}
        truncation = {name: np.max([gap[name] for gap in gaps], axis=0) for name in names}
        purities = np.cumsum(series.purity[: highest + 1], axis=0)
        if gaps:
            changes = np.abs(purities[self.order + 1 :] - purities[self.order])
            truncation["purity"] = changes.max(axis=0)
        raise_to_square(truncation, n)
        of_xi2 = [
            coefficients[: self.order + 1]
            for coefficients in power_series.least_xi2(n, *series.collective(highest))
        ]
        pade = _by_length(power_series.pade, of_xi2)
        purity = power_series.total(series.purity[: self.order + 1])
        instabilities = [
            mean_field_instability(question.model, perturbed=self.perturbed)
            for question in questions
        ]
        if gaps:
            every = series.all_orders(self.order, computed=BEYOND)
            every[negative(moments)] = np.inf
            every[[i is not None and i.strength <= 1.0 for i in instabilities]] = np.inf
            for name, gap in truncation.items():
                known = np.isfinite(every)
                claim = (gap.T * np.where(known, every, 1.0)).T
                claim[~known] = np.inf
                truncation[name] = claim
            truncation = widened(truncation, moments)
        warned = concerns(moments, truncation, self.order)
        strange = unphysical(moments, self.order)
        information = pure_information(moments.covariance) if self.state == "pure" else None
        answers = []
        for k, question in enumerate(questions):
            question.progress(1.0)
            own = slice(k, k + 1)
            readings = {
                "spin": Reading(moments.spin[own]),
                "second": Reading(moments.covariance[own]),
                "purity": Reading(purity[own]),
            }
            if information is not None:
                readings["qfi"] = Reading(information[own])
            diagnostics: dict[str, float | int | str] = {
                "order": self.order,
                "xi2_series": ", ".join(f"{c:.10g}" for c in of_xi2[k]),
                "dtype": "complex128",
                "device": "cpu",
            }
            if pair_error is not None:
                diagnostics["xi2_series_error"] = 2.0 / n * pair_error
            if len(of_xi2[k]) > 1:
                diagnostics["xi2_pade"] = pade[k]
                diagnostics["xi2_radius"] = power_series.radius(of_xi2[k])
            warnings = warned[k] + strange[k]
            instability = instabilities[k]
            if instability is not None:
                diagnostics["mean_field_instability"] = instability.strength
                diagnostics["mean_field_outcome"] = instability.outcome
                warnings += beyond(instability)
            answers.append(
                Answer(
                    readings,
                    error={"spin": ROUNDING * np.sqrt(n)},
                    truncation={name: gap[own] for name, gap in truncation.items()},
                    diagnostics=diagnostics,
                    warnings=warnings,
                )
            )
        return answers


def batches(members: Sequence[int], limit: int) -> Iterator[Sequence[int]]:
    """Parts whose states of up to `limit` flips take some 20 MB together."""
    size = max(1, int(LARGEST_BATCH / (1 + limit) ** 4))
    for start in range(0, len(members), size):
        yield members[start : start + size]


def _by_length(work: Callable[[Floats], Floats], series: Sequence[Floats]) -> list[float]:
    """Work on series of one length, all at once, as columns; NaN of those with no coefficients."""
    lengths = np.array([len(coefficients) for coefficients in series])
    out = np.full(len(series), np.nan)
    for length in np.unique(lengths[lengths > 0]):
        members = np.flatnonzero(lengths == length)
        out[members] = work(np.array([series[int(k)] for k in members]).T)
    return [float(value) for value in out]


def _checked_parts(value: Any) -> tuple[str, ...]:
    """Names of conserving parts, in their order.

    Raises:
        InvalidInput: not a list of them.
    """
    if isinstance(value, str) or not isinstance(value, tuple | list | set | frozenset):
        raise InvalidInput.of(
            "perturbed", f"must be a list of {' and '.join(CONSERVING)}, got {checks.shown(value)}"
        )
    for part in value:
        checks.choice("perturbed", part, CONSERVING)
    return tuple(part for part in CONSERVING if part in value)


def _moments(series: Any, order: int) -> Moments:
    spin, covariance = series.moments(order)
    return Moments(n_spins=series.n_spins, spin=spin, covariance=covariance)


def _flips(model: Canonical) -> int:
    """How many spins the part of H that breaks U(1) flips at most: 1 or 2; 1 of no such part.

    Without one all orders beyond 0 vanish, and a flip says whether all spins down is reached.
    """
    tensors = [q.matrix for q in model.quadratics] + [p.tensor for p in model.pairs]
    if any(anisotropy(t) or t[0, 1] for t in tensors):
        return 2
    return 1
