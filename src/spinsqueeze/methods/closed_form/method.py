"""ClosedForm: exact formulas where every coupling and field lies along one axis."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.lattice.kernels import AllToAllKernel, CirculantKernel, Kernel, StencilKernel
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.states import InSymmetricSubspace, ProductOfSpins, bloch_vectors
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Strength, integrated
from spinsqueeze.models.states import CoherentState
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading, readings_of

Result = tuple[Floats, Floats]
RELATIVE_ERROR = 1e-12
STEADY_ERROR = 1e-11
MULTIPLY_ADDS_PER_SECOND = 1e9


@final
@dataclass(frozen=True, eq=False)
class ClosedForm(Method):
    """Exact moments of one-axis twisting and of Ising models with any couplings.

    H = sum_{i<j} J_ij s^a_i s^a_j + sum_i h_i s^a_i along one axis a, from a coherent or a product
    state; one-axis twisting (isotropic exchange may be added) for N up to 1e12; spin classes;
    local dephasing along a with any envelopes, local decay and pumping along a with constant
    strengths. Any couplings cost N^3 a time, translation-invariant lattices N^2.
    Steady states within total spin N/2: squeezed collective decay alone; collective decay with a
    drive and collective exchange. Sources: kitagawa1993, fossfeig2013, groszkowski2022,
    tucker2020.
    """

    references: ClassVar[tuple[str, ...]] = (
        "kitagawa1993",
        "fossfeig2013",
        "groszkowski2022",
        "tucker2020",
    )
    summary: ClassVar[str] = "one-axis twisting and Ising models, exact"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "weights", "collective_jumps", "local_jumps", "pulses")
    )
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def obstacles(self, question: Question) -> list[str]:
        """All couplings and fields along one axis, coherent or product state, no pulses."""
        if isinstance(question, Steady):
            return _steady_obstacles(question)
        model = question.model
        reasons = []
        if question.pulses:
            reasons.append("pulses interrupt the closed form")
        if not isinstance(question.state, ProductOfSpins):
            reasons.append(f"{type(question.state).__name__} is not a product of spins")
        if model.collective_jumps:
            reasons.append("collective jumps have no closed form in time")
        axis = _axis(question)
        if axis is None:
            reasons.append("couplings and fields do not all lie along one axis")
        else:
            reasons += _jump_reasons(model, axis)
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """Exact."""
        return EXACT

    def cost(self, question: Question) -> Cost:
        """N^2 a time on a periodic lattice, N^3 for any matrix, nothing for alike spins."""
        if isinstance(question, Evolve):
            return _plan(question).cost
        n = question.model.n_spins
        return Cost(1e6 + 100.0 * n, 1e-7 * n, f"a few arrays of N + 1 = {n + 1} numbers")

    def answer(self, question: Question) -> Answer:
        """Evaluate the formulas at the question's times, or that of the steady state."""
        if isinstance(question, Steady):
            return self._steady_state(question)
        plan = _plan(question)
        n, times = question.model.n_spins, question.times
        spin, covariance = np.empty((len(times), 3)), np.empty((len(times), 3, 3))
        # One batch of times a step keeps the progress honest; the kernels are the same.
        for batch in np.array_split(np.arange(len(times)), min(len(times), plan.n_batches)):
            spin[batch], covariance[batch] = plan.moments(times[batch])
            question.progress((batch[-1] + 1) / len(times))
        back = np.argsort(_frame(plan.axis))
        moments = Moments(n_spins=n, spin=spin[:, back], covariance=covariance[:, back][:, :, back])
        return Answer(
            readings_of(moments),
            error={"spin": _relative_error(n) * np.sqrt(n)},
            diagnostics={"formula": plan.formula, "dtype": "float64", "device": "cpu"},
        )

    def _steady_state(self, question: Steady) -> Answer:
        from spinsqueeze.methods.closed_form.steady import steady_formula

        n = question.model.n_spins
        formula = steady_formula(question.model)
        assert formula is not None
        solution = formula()
        question.progress(1.0)
        moments = Moments(n_spins=n, spin=solution.spin[None], covariance=solution.covariance[None])
        return Answer(
            {**readings_of(moments), "purity": Reading(np.array([solution.purity]))},
            error={"spin": STEADY_ERROR * np.sqrt(n)},
            diagnostics={"formula": solution.formula, "dtype": "float64", "device": "cpu"},
            state_at=lambda _index: solution.state(),
        )


def _steady_obstacles(question: Steady) -> list[str]:
    """Squeezed collective decay alone, or driven collective decay with exchange."""
    from spinsqueeze.methods.closed_form.steady import steady_formula

    reasons = []
    if steady_formula(question.model) is None:
        reasons.append(
            "only squeezed collective decay alone, or collective decay with a drive and "
            "collective exchange, have a steady state in closed form"
        )
    if not isinstance(question.state, InSymmetricSubspace):
        reasons.append(
            "total spin is conserved: give an initial state in the symmetric subspace, such "
            "as CoherentState('-z')"
        )
    return reasons


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Which formula, its cost, and the moments (with the Ising axis as z) at given times."""

    formula: str
    axis: int
    cost: Cost
    n_batches: int
    moments: Callable[[Floats], Result]


def _relative_error(n_spins: int) -> float:
    """The error of a mean spin over N/2.

    Where any mean spin is left, one spin turns by 1/sqrt(N) at most while the others see the N-th
    power of its phase factor: up to sqrt(N) radians, known to eps of themselves.
    """
    return float(RELATIVE_ERROR + float(np.finfo(np.float64).eps) * np.sqrt(n_spins) / 4)


def _clean(bloch: Floats) -> Floats:
    """Round-off in a component made an exact zero: the transverse formulas are faster."""
    return np.where(np.abs(bloch) < 1e-15, 0.0, bloch)


def _frame(axis: int) -> list[int]:
    """The cyclic order of the axes that puts `axis` last."""
    return [(axis + 1) % 3, (axis + 2) % 3, axis]


def _axis(question: Evolve) -> int | None:
    """The axis along which all couplings and fields lie; isotropic exchange aside.

    Where several axes serve, the one along which the noise has a formula too.
    """
    fitting = [a for a in (2, 0, 1) if _along(question, a)]
    solved = (a for a in fitting if not _jump_reasons(question.model, a))
    return next(solved, fitting[0] if fitting else None)


def _along(question: Evolve, axis: int) -> bool:
    model = question.model
    b, c, a = _frame(axis)
    # S^2 commutes with a permutation-invariant H and only adds a phase to a coherent state.
    exchange_idle = model.conserves_total_spin and isinstance(question.state, CoherentState)

    def fits(tensor: Floats) -> bool:
        mixed = tensor[b, c] or tensor[a, b] or tensor[a, c]
        equal = tensor[b, b] == tensor[c, c]
        return not mixed and equal and (exchange_idle or tensor[b, b] == 0)

    return (
        all(not np.any(f.vectors[..., [b, c]]) for f in model.fields)
        and all(fits(q.matrix) for q in model.quadratics)
        and all(fits(p.tensor) for p in model.pairs)
    )


def _jump_kind(vector: Complexes, axis: int) -> str | None:
    b, c, a = vector[_frame(axis)]
    if b == 0 and c == 0:
        return "dephasing"
    if a == 0 and np.isclose(b, 1j * c):
        return "decay"
    if a == 0 and np.isclose(b, -1j * c):
        return "pumping"
    return None


def _jump_reasons(model: Canonical, axis: int) -> list[str]:
    kinds = [_jump_kind(j.vector, axis) for j in model.local_jumps]
    reasons = []
    if None in kinds:
        reasons.append(
            "a local jump is neither dephasing, decay nor pumping along the Ising axis "
            f"{'xyz'[axis]}"
        )
    if {"decay", "pumping"} & set(kinds) and model.time_dependent:
        reasons.append("decay and pumping need constant strengths and rates; there is an envelope")
    return reasons


def _plan(question: Evolve) -> _Plan:
    """Choose the cheapest formula."""
    axis = _axis(question)
    assert axis is not None
    model, state = question.model, question.state
    frame = _frame(axis)
    alike = isinstance(state, CoherentState)
    uniform_rates = all(not isinstance(j.rate, np.ndarray) for j in model.local_jumps)
    collective = all(isinstance(p.kernel, AllToAllKernel) for p in model.pairs)
    jump_kinds = {_jump_kind(j.vector, axis) for j in model.local_jumps}
    if alike and model.permutation_invariant:
        assert isinstance(state, CoherentState)
        direction = _clean(state.direction[frame])
        if jump_kinds <= {"dephasing"}:
            from spinsqueeze.methods.closed_form.one_axis_twisting import (
                one_axis_twisting_moments,
            )

            def twisting(times: Floats) -> Result:
                chi = sum((integrated(s, times) * q for s, q in _twists(model, axis)), 0 * times)
                return one_axis_twisting_moments(
                    model.n_spins,
                    direction=direction,
                    twisting=chi,
                    rotation=_rotation(model, axis, times)[:, 0],
                    dephasing=_rates(model, axis, times)["dephasing"][:, 0],
                )

            return _Plan("one-axis twisting", axis, Cost(1e6, 0.0, "a few arrays"), 1, twisting)
    if alike and collective and uniform_rates and _alike_within_classes(model):
        return _class_plan(question, axis)
    return _coupling_plan(question, axis)


def _alike_within_classes(model: Canonical) -> bool:
    """Whether the spins of a class see one field; without classes, whether all spins do."""
    if model.classes is None:
        return model.permutation_invariant
    ends = np.cumsum([c.count for c in model.classes])[:-1]
    return all(
        f.vectors.ndim == 1 or all(np.all(p == p[0]) for p in np.split(f.vectors, ends))
        for f in model.fields
    )


def _twists(model: Canonical, axis: int) -> list[tuple[Strength, float]]:
    """(strength, chi) of chi S_a^2 from quadratics and all-to-all pairs."""
    b, _, a = _frame(axis)
    twists = [(q.strength, float(q.matrix[a, a] - q.matrix[b, b])) for q in model.quadratics]
    return twists + [
        (p.strength, float(p.tensor[a, a] - p.tensor[b, b]) / 2)
        for p in model.pairs
        if isinstance(p.kernel, AllToAllKernel)
    ]


def _rotation(model: Canonical, axis: int, times: Floats) -> Floats:
    """Integrated field (T, N) or (T, 1) along the axis."""
    angle = np.zeros((len(times), 1))
    for piece in model.fields:
        component = np.atleast_1d(piece.vectors[..., axis])
        angle = angle + integrated(piece.strength, times)[:, None] * component
    return angle


def _rates(model: Canonical, axis: int, times: Floats) -> dict[str, Floats]:
    """Integrated rates (T, N) or (T, 1) of dephasing, decay and pumping along the axis."""
    rates = {kind: np.zeros((len(times), 1)) for kind in ("dephasing", "decay", "pumping")}
    for jump in model.local_jumps:
        kind = _jump_kind(jump.vector, axis)
        assert kind is not None
        b, _, a = jump.vector[_frame(axis)]
        # rate D[c s^z]: coherences decay at rate |c|^2 / 2.
        factor = abs(a) ** 2 / 2 if kind == "dephasing" else abs(b) ** 2
        if isinstance(jump.rate, np.ndarray):
            rates[kind] = rates[kind] + factor * times[:, None] * jump.rate
        else:
            rates[kind] = rates[kind] + factor * integrated(jump.rate, times)[:, None]
    return rates


def _class_plan(question: Evolve, axis: int) -> _Plan:
    from spinsqueeze.methods.closed_form.ising_classes import class_moments, twisting_couplings

    model, state = question.model, question.state
    assert isinstance(state, CoherentState)
    direction = _clean(state.direction[_frame(axis)])
    if model.classes is None:
        counts, weights = np.array([model.n_spins]), np.ones(1)
    else:
        counts = np.array([c.count for c in model.classes])
        weights = np.array([c.weight for c in model.classes])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    b, _, a = _frame(axis)
    terms: list[tuple[Strength, Floats]] = [
        (q.strength, (q.matrix[a, a] - q.matrix[b, b]) * twisting_couplings(weights))
        for q in model.quadratics
    ]
    terms += [
        (p.strength, np.full((len(counts), len(counts)), p.tensor[a, a] - p.tensor[b, b]))
        for p in model.pairs
    ]
    couplings = np.array([matrix for _, matrix in terms] or [np.zeros((len(counts),) * 2)])

    def moments(times: Floats) -> Result:
        rotation = np.broadcast_to(_rotation(model, axis, times), (len(times), model.n_spins))
        return class_moments(
            counts,
            couplings=couplings,
            integrals=_integrals(terms, times),
            bloch=direction,
            rotation=rotation[:, first],
            **_rates(model, axis, times),
        )

    seconds = 1e-4 * len(question.times) * len(counts) ** 2
    memory = 1e6 + 8e2 * len(counts) ** 2
    return _Plan("spin classes", axis, Cost(memory, seconds, "classes squared"), 1, moments)


def _integrals(terms: list[tuple[Strength, Floats]], times: Floats) -> Floats:
    if not terms:
        return np.zeros((len(times), 1))
    return np.stack([integrated(strength, times) for strength, _ in terms], axis=1)


def _table(kernel: Kernel) -> Floats | None:
    """The couplings of a full periodic grid by displacement, None elsewhere."""
    if not kernel.translation_invariant:
        return None
    if isinstance(kernel, CirculantKernel):
        return kernel.table
    if isinstance(kernel, StencilKernel):
        table = np.zeros(kernel.grid_shape)
        for offset, strength in zip(kernel.offsets, kernel.strengths, strict=True):
            table[tuple(offset % kernel.grid_shape)] += strength
        return table
    return None


def _coupling_plan(question: Evolve, axis: int) -> _Plan:
    model, state = question.model, question.state
    tables = [_table(p.kernel) for p in model.pairs if not isinstance(p.kernel, AllToAllKernel)]
    shapes = {None if t is None else t.shape for t in tables}
    if (
        isinstance(state, CoherentState)
        and model.translation_invariant
        and len(shapes) == 1
        and None not in shapes
    ):
        (shape,) = shapes
        assert shape is not None
        return _lattice_plan(question, axis, shape)
    return _matrix_plan(question, axis)


def _lattice_plan(question: Evolve, axis: int, shape: tuple[int, ...]) -> _Plan:
    from spinsqueeze.methods.closed_form.ising_lattice import lattice_cost, lattice_moments

    model, state = question.model, question.state
    assert isinstance(state, CoherentState)
    everywhere = np.ones(shape)
    everywhere.flat[0] = 0.0
    terms: list[tuple[Strength, Floats]] = [
        (q.strength, 2 * q.matrix[axis, axis] * everywhere) for q in model.quadratics
    ]
    for pair in model.pairs:
        table = _table(pair.kernel)
        terms.append(
            (pair.strength, pair.tensor[axis, axis] * (everywhere if table is None else table))
        )
    tables = np.array([table for _, table in terms])

    def moments(times: Floats) -> Result:
        return lattice_moments(
            tables,
            integrals=_integrals(terms, times),
            bloch=_clean(state.direction[_frame(axis)]),
            rotation=_rotation(model, axis, times)[:, 0],
            **{kind: rate[:, 0] for kind, rate in _rates(model, axis, times).items()},
        )

    work, memory = lattice_cost(tables, n_times=len(question.times))
    seconds = _slowdown(model, axis) * work / MULTIPLY_ADDS_PER_SECOND
    cost = Cost(memory, seconds, f"N^2 products a time for N = {model.n_spins}")
    return _Plan("Ising lattice", axis, cost, len(question.times), moments)


def _matrix_plan(question: Evolve, axis: int) -> _Plan:
    from spinsqueeze.methods.closed_form.ising import ising_cost

    model = question.model
    bloch = _clean(bloch_vectors(question.state)[..., _frame(axis)])
    n_terms = max(len(model.quadratics) + len(model.pairs), 1)
    work, memory = ising_cost(model.n_spins, n_times=len(question.times), n_terms=n_terms)
    seconds = _slowdown(model, axis) * work / MULTIPLY_ADDS_PER_SECOND
    cost = Cost(memory, seconds, f"{n_terms + 24} N x N matrices for N = {model.n_spins}")
    return _Plan(
        "Ising matrix",
        axis,
        cost,
        len(question.times),
        partial(_matrix_moments, model, axis, bloch),
    )


def _matrix_moments(model: Canonical, axis: int, bloch: Floats, times: Floats) -> Result:
    from spinsqueeze.methods.closed_form.ising import ising_moments

    n = model.n_spins
    weights = np.ones(n) if model.weights is None else model.weights
    outer = np.outer(weights, weights)
    np.fill_diagonal(outer, 0.0)
    terms: list[tuple[Strength, Floats]] = [
        (q.strength, 2 * q.matrix[axis, axis] * outer) for q in model.quadratics
    ]
    terms += [(p.strength, p.tensor[axis, axis] * p.kernel.matrix()) for p in model.pairs]
    terms = terms or [(0.0, np.zeros((n, n)))]
    return ising_moments(
        np.array([matrix for _, matrix in terms]),
        integrals=_integrals(terms, times),
        bloch=bloch,
        rotation=np.broadcast_to(_rotation(model, axis, times), (len(times), n)),
        **{
            kind: np.broadcast_to(rate, (len(times), n))
            for kind, rate in _rates(model, axis, times).items()
        },
    )


def _slowdown(model: Canonical, axis: int) -> float:
    """How much longer the formulas take with decay or pumping (complex factors)."""
    kinds = {_jump_kind(j.vector, axis) for j in model.local_jumps}
    return 100.0 if kinds & {"decay", "pumping"} else 1.0
