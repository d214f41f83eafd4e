"""Which formula answers a question about an Ising model, and its cost."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.states import ProductStateOfClasses, bloch_vectors
from spinsqueeze.methods.closed_form.ising_axis import frame, ising_axis, jump_kind
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Strength, integrated
from spinsqueeze.models.states import CoherentState

Result = tuple[Floats, Floats]
MULTIPLY_ADDS_PER_SECOND = 1e9


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """Which formula, its cost, and the moments (with the Ising axis as z) at given times."""

    formula: str
    axis: int
    cost: Cost
    n_batches: int
    moments: Callable[[Floats], Result]


def plan(question: Evolve) -> Plan:
    """Choose the cheapest formula."""
    axis = ising_axis(question)
    assert axis is not None
    model, state = question.model, question.state
    jump_kinds = {jump_kind(j.vector, axis) for j in model.local_jumps}
    few_kinds = len(model.counts) == 1 or len(model.counts) < model.n_spins
    by_kind = few_kinds and all(p.kernel.uniform for p in model.pairs)
    if isinstance(state, ProductStateOfClasses) and by_kind:
        return _kinds_plan(question, axis)
    if not isinstance(state, CoherentState):
        return _matrix_plan(question, axis)
    if model.permutation_invariant and jump_kinds <= {"dephasing"}:
        return _twisting_plan(model, axis, _clean(state.direction[frame(axis)]))
    if by_kind:
        return _kinds_plan(question, axis)
    return _coupling_plan(question, axis)


def _twisting_plan(model: Canonical, axis: int, direction: Floats) -> Plan:
    from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments

    def twisting(times: Floats) -> Result:
        chi = sum((integrated(s, times) * q for s, q in _twists(model, axis)), 0 * times)
        return one_axis_twisting_moments(
            model.n_spins,
            direction=direction,
            twisting=chi,
            rotation=_rotation(model, axis, times)[:, 0],
            dephasing=_rates(model, axis, times)["dephasing"][:, 0],
        )

    return Plan("one-axis twisting", axis, Cost(1e6, 0.0, "a few arrays"), 1, twisting)


def _twists(model: Canonical, axis: int) -> list[tuple[Strength, float]]:
    """(strength, chi) of chi S_a^2 from quadratics and all-to-all pairs."""
    b, _, a = frame(axis)
    twists = [(q.strength, float(q.matrix[a, a] - q.matrix[b, b])) for q in model.quadratics]
    return twists + [
        (p.strength, float(p.tensor[a, a] - p.tensor[b, b]) / 2)
        for p in model.pairs
        if p.kernel.uniform
    ]


def _clean(bloch: Floats) -> Floats:
    """Round-off in a component made an exact zero: the transverse formulas are faster."""
    return np.where(np.abs(bloch) < 1e-15, 0.0, bloch)


def _rotation(model: Canonical, axis: int, times: Floats) -> Floats:
    """Integrated field (T, C) or (T, 1) along the axis."""
    angle = np.zeros((len(times), 1))
    for piece in model.fields:
        component = np.atleast_1d(piece.vectors[..., axis])
        angle = angle + integrated(piece.strength, times)[:, None] * component
    return angle


def _rates(model: Canonical, axis: int, times: Floats) -> dict[str, Floats]:
    """Integrated rates (T, C) or (T, 1) of dephasing, decay and pumping along the axis."""
    rates = {kind: np.zeros((len(times), 1)) for kind in ("dephasing", "decay", "pumping")}
    for jump in model.local_jumps:
        kind = jump_kind(jump.vector, axis)
        assert kind is not None
        b, _, a = jump.vector[frame(axis)]
        # rate D[c s^z]: coherences decay at rate |c|^2 / 2.
        factor = abs(a) ** 2 / 2 if kind == "dephasing" else abs(b) ** 2
        by_kind = 1.0 if jump.factors is None else jump.factors
        rates[kind] = rates[kind] + factor * integrated(jump.rate, times)[:, None] * by_kind
    return rates


def _kinds_plan(question: Evolve, axis: int) -> Plan:
    from spinsqueeze.methods.closed_form.ising_classes import class_moments, twisting_couplings

    model, state = question.model, question.state
    assert isinstance(state, CoherentState | ProductStateOfClasses)
    vectors = state.direction if isinstance(state, CoherentState) else state.directions
    bloch = _clean(vectors[..., frame(axis)])
    n_kinds = len(model.counts)
    b, _, a = frame(axis)
    terms: list[tuple[Strength, Floats]] = []
    for q in model.quadratics:
        weights = np.ones(n_kinds) if q.weights is None else q.weights
        terms.append((q.strength, (q.matrix[a, a] - q.matrix[b, b]) * twisting_couplings(weights)))
    terms += [
        (p.strength, np.full((n_kinds, n_kinds), p.tensor[a, a] - p.tensor[b, b]))
        for p in model.pairs
    ]
    couplings = np.array([matrix for _, matrix in terms] or [np.zeros((n_kinds, n_kinds))])

    def moments(times: Floats) -> Result:
        return class_moments(
            model.counts,
            couplings=couplings,
            integrals=_integrals(terms, times),
            bloch=bloch,
            rotation=np.broadcast_to(_rotation(model, axis, times), (len(times), n_kinds)),
            **_rates(model, axis, times),
        )

    seconds = 1e-4 * len(question.times) * n_kinds**2
    memory = 1e6 + 8e2 * n_kinds**2
    return Plan("spin classes", axis, Cost(memory, seconds, "classes squared"), 1, moments)


def _integrals(terms: list[tuple[Strength, Floats]], times: Floats) -> Floats:
    if not terms:
        return np.zeros((len(times), 1))
    return np.stack([integrated(strength, times) for strength, _ in terms], axis=1)


def _coupling_plan(question: Evolve, axis: int) -> Plan:
    """By displacement on a full periodic lattice, else from all pairs."""
    model = question.model
    tables = [p.kernel.table for p in model.pairs if not p.kernel.uniform]
    shapes = {None if table is None else table.shape for table in tables}
    if model.translation_invariant and len(shapes) == 1:
        (shape,) = shapes
        if shape is not None:
            return _lattice_plan(question, axis, shape)
    return _matrix_plan(question, axis)


def _lattice_plan(question: Evolve, axis: int, shape: tuple[int, ...]) -> Plan:
    from spinsqueeze.methods.closed_form.ising_lattice import lattice_cost, lattice_moments

    model, state = question.model, question.state
    assert isinstance(state, CoherentState)
    everywhere = np.ones(shape)
    everywhere.flat[0] = 0.0
    terms: list[tuple[Strength, Floats]] = [
        (q.strength, 2 * q.matrix[axis, axis] * everywhere) for q in model.quadratics
    ]
    for pair in model.pairs:
        table = pair.kernel.table
        terms.append(
            (pair.strength, pair.tensor[axis, axis] * (everywhere if table is None else table))
        )
    tables = np.array([table for _, table in terms])

    def moments(times: Floats) -> Result:
        return lattice_moments(
            tables,
            integrals=_integrals(terms, times),
            bloch=_clean(state.direction[frame(axis)]),
            rotation=_rotation(model, axis, times)[:, 0],
            **{kind: rate[:, 0] for kind, rate in _rates(model, axis, times).items()},
        )

    work, memory = lattice_cost(tables, n_times=len(question.times))
    seconds = _slowdown(model, axis) * work / MULTIPLY_ADDS_PER_SECOND
    cost = Cost(memory, seconds, f"N^2 products a time for N = {model.n_spins}")
    return Plan("Ising lattice", axis, cost, len(question.times), moments)


def _matrix_plan(question: Evolve, axis: int) -> Plan:
    from spinsqueeze.methods.closed_form.ising import ising_cost

    model = question.model.per_spin()
    bloch = _clean(bloch_vectors(question.state)[..., frame(axis)])
    n_terms = max(len(model.quadratics) + len(model.pairs), 1)
    work, memory = ising_cost(model.n_spins, n_times=len(question.times), n_terms=n_terms)
    seconds = _slowdown(model, axis) * work / MULTIPLY_ADDS_PER_SECOND
    cost = Cost(memory, seconds, f"{n_terms + 24} N x N matrices for N = {model.n_spins}")
    return Plan(
        "Ising matrix",
        axis,
        cost,
        len(question.times),
        partial(_matrix_moments, model, axis, bloch),
    )


def _matrix_moments(model: Canonical, axis: int, bloch: Floats, times: Floats) -> Result:
    from spinsqueeze.methods.closed_form.ising import ising_moments

    n = model.n_spins
    terms: list[tuple[Strength, Floats]] = []
    for q in model.quadratics:
        weights = np.ones(n) if q.weights is None else q.weights
        outer = np.outer(weights, weights)
        np.fill_diagonal(outer, 0.0)
        terms.append((q.strength, 2 * q.matrix[axis, axis] * outer))
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
    kinds = {jump_kind(j.vector, axis) for j in model.local_jumps}
    return 100.0 if kinds & {"decay", "pumping"} else 1.0
