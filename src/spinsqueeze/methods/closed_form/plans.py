"""Which formula answers a question about an Ising model, and its cost.

Pulses at time 0 are in the state already (`echoes.started`). Arrays of integrated numbers run over
times (T) and, where spins that decay or are pumped have been flipped, over stretches (S).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.states import ProductStateOfClasses, bloch_vectors
from spinsqueeze.methods.closed_form.correlators import Turns
from spinsqueeze.methods.closed_form.echoes import Echoes, echoes
from spinsqueeze.methods.closed_form.ising_axis import frame, ising_axis, jump_kind
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Strength, integrated
from spinsqueeze.models.states import CoherentState

Result = tuple[Floats, Floats]
MULTIPLY_ADDS_PER_SECOND = 2e9


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """Which formula, its cost, and the moments (with the Ising axis as z) at given times.

    last: (3, 3) rotation of the moments at the last time, in the laboratory.
    """

    formula: str
    axis: int
    cost: Cost
    n_batches: int
    moments: Callable[[Floats], Result]
    last: Floats | None = None


@final
@dataclass(frozen=True, eq=False)
class _Setting:
    """A question with its Ising axis and what pulses do."""

    question: Evolve
    axis: int
    echo: Echoes

    @property
    def model(self) -> Canonical:
        return self.question.model

    @cached_property
    def jump_kinds(self) -> set[str | None]:
        return {jump_kind(j.vector, self.axis) for j in self.model.local_jumps}

    @property
    def noisy(self) -> bool:
        """Whether spins decay or are pumped."""
        return bool(self.jump_kinds & {"decay", "pumping"})

    def seconds(self, work: float, bloch: Floats) -> float:
        """Of so many multiply-adds; longer with a polarisation along the axis, decay, pumping."""
        tilted = bool(np.any(bloch[..., 2]))
        slower = 60.0 * len(self.echo.starts) if self.noisy else 5.0 if tilted else 1.0
        return slower * work / MULTIPLY_ADDS_PER_SECOND

    def per_spin(self) -> "_Setting":
        """The same with arrays of one entry a spin."""
        question = self.question.per_spin()
        return _Setting(question, self.axis, echoes(question, self.axis))


def plan(question: Evolve) -> Plan:
    """Choose the cheapest formula."""
    axis = ising_axis(question)
    assert axis is not None
    setting = _Setting(question, axis, echoes(question, axis))
    return replace(_formula(setting), last=setting.echo.last)


def _formula(setting: _Setting) -> Plan:
    model, state, uniform = setting.model, setting.question.state, setting.echo.uniform
    few_kinds = len(model.counts) == 1 or len(model.counts) < model.n_spins
    by_kind = few_kinds and all(p.kernel.uniform for p in model.pairs)
    if isinstance(state, ProductStateOfClasses) and by_kind:
        return _kinds_plan(setting)
    if not isinstance(state, CoherentState):
        return _matrix_plan(setting)
    if uniform and model.permutation_invariant and setting.jump_kinds <= {"dephasing"}:
        return _twisting_plan(setting, _clean(state.direction[frame(setting.axis)]))
    if by_kind:
        return _kinds_plan(setting)
    shape = _lattice_shape(model)
    return _lattice_plan(setting, shape) if uniform and shape else _matrix_plan(setting)


def _lattice_shape(model: Canonical) -> tuple[int, ...] | None:
    """The shape of a full periodic lattice whose couplings depend on the displacement alone."""
    tables = [p.kernel.table for p in model.pairs if not p.kernel.uniform]
    shapes = {None if table is None else table.shape for table in tables}
    return shapes.pop() if model.translation_invariant and len(shapes) == 1 else None


def _twisting_plan(setting: _Setting, direction: Floats) -> Plan:
    from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments

    model, axis = setting.model, setting.axis

    def twisting(times: Floats) -> Result:
        chi = sum((integrated(s, times) * q for s, q in _twists(model, axis)), 0 * times)
        moments = one_axis_twisting_moments(
            model.n_spins,
            direction=direction,
            twisting=chi,
            rotation=_rotation(setting, times)[:, 0],
            dephasing=_rates(setting, times)["dephasing"][:, 0],
        )
        return _turned(moments, setting.echo.turns(times))

    return Plan("one-axis twisting", axis, Cost(1e6, 0.0, "a few arrays"), 1, twisting)


def _turned(moments: Result, turns: Turns) -> Result:
    """Moments of spins that have all been turned alike."""
    if np.all(turns.phases == 1) and not np.any(turns.flipped):
        return moments
    phase, sign = turns.phases[:, 0], np.where(turns.flipped[:, 0], -1.0, 1.0)
    matrix = np.zeros((len(sign), 3, 3))
    matrix[:, 0, 0], matrix[:, 0, 1] = phase.real, -sign * phase.imag
    matrix[:, 1, 0], matrix[:, 1, 1] = phase.imag, sign * phase.real
    matrix[:, 2, 2] = sign
    spin, covariance = moments
    return (matrix @ spin[:, :, None])[:, :, 0], matrix @ covariance @ np.swapaxes(matrix, 1, 2)


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


def _rotation(setting: _Setting, times: Floats) -> Floats:
    """Integrated field (T, C) or (T, 1) along the axis, in the frame of the pulses."""
    angle = np.zeros((len(times), 1))
    for piece in setting.model.fields:
        component = np.atleast_1d(piece.vectors[..., setting.axis])
        angle = angle + setting.echo.toggled(piece.strength, times) * component
    return angle


def _rates(setting: _Setting, times: Floats) -> dict[str, Floats]:
    """Integrated rates along the axis, in the frame of the pulses.

    Dephasing (T, C) or (T, 1); decay and pumping (T, S, C) or (T, S, 1).
    """
    echo = setting.echo
    starts = echo.starts if setting.noisy else echo.starts[:1]
    rates = {"dephasing": np.zeros((len(times), 1))}
    rates |= {kind: np.zeros((len(times), len(starts), 1)) for kind in ("decay", "pumping")}
    for jump in setting.model.local_jumps:
        kind = jump_kind(jump.vector, setting.axis)
        assert kind is not None
        b, _, a = jump.vector[frame(setting.axis)]
        # rate D[c s^z]: coherences decay at rate |c|^2 / 2.
        factor = abs(a) ** 2 / 2 if kind == "dephasing" else abs(b) ** 2
        by_kind = 1.0 if jump.factors is None else jump.factors
        if kind == "dephasing":
            total = integrated(jump.rate, times)[:, None]
        else:
            total = echo.by_stretch(jump.rate, times)[:, :, None]
        rates[kind] = rates[kind] + factor * total * by_kind
    if setting.noisy:
        upright = echo.signs > 0
        down, up = rates["decay"], rates["pumping"]
        rates["decay"], rates["pumping"] = (
            np.where(upright, down, up),
            np.where(upright, up, down),
        )
    return rates


def _couplings(
    setting: _Setting, terms: list[tuple[Strength, Floats]], times: Floats
) -> tuple[Floats, Floats]:
    """Coupling tables (M, ...) and integrals (T, M), or (T, S, M) where spins decay.

    Spins of which some are flipped couple with the other sign: such tables are terms of their own.
    """
    echo = setting.echo
    tables = [table for _, table in terms]
    by_stretch = setting.noisy and len(echo.starts) > 1
    if echo.uniform and not by_stretch:
        return np.array(tables), np.stack([integrated(s, times) for s, _ in terms], axis=1)
    pieces = np.stack([echo.by_stretch(s, times) for s, _ in terms], axis=2)
    if not echo.uniform:
        patterns, pattern = np.unique(
            echo.signs * echo.signs[:, :1], axis=0, return_inverse=True
        )  # couplings are the same when all spins are flipped
        belongs = pattern.reshape(-1)[:, None] == np.arange(len(patterns))
        tables = [table * np.outer(row, row) for table in tables for row in patterns]
        pieces = (pieces[..., None] * belongs[:, None, :]).reshape(*pieces.shape[:2], -1)
    return np.array(tables), pieces if by_stretch else pieces.sum(axis=1)


def _kinds_plan(setting: _Setting) -> Plan:
    from spinsqueeze.methods.closed_form.ising_classes import class_moments, twisting_couplings

    model, axis, state = setting.model, setting.axis, setting.question.state
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
    terms = terms or [(0.0, np.zeros((n_kinds, n_kinds)))]

    def moments(times: Floats) -> Result:
        couplings, integrals = _couplings(setting, terms, times)
        return class_moments(
            model.counts,
            couplings=couplings,
            integrals=integrals,
            bloch=bloch,
            rotation=np.broadcast_to(_rotation(setting, times), (len(times), n_kinds)),
            **_rates(setting, times),
            turns=_turns(setting, times),
        )

    seconds = 1.2e-5 * len(setting.question.times) * n_kinds**2
    memory = 1e6 + 8e2 * n_kinds**2
    return Plan("spin classes", axis, Cost(memory, seconds, "classes squared"), 1, moments)


def _turns(setting: _Setting, times: Floats) -> Turns | None:
    """The turns of every kind (T, C); None without pulses."""
    if not len(setting.echo.times):
        return None
    turns, shape = setting.echo.turns(times), (len(times), len(setting.model.counts))
    return Turns(np.broadcast_to(turns.flipped, shape), np.broadcast_to(turns.phases, shape))


def _lattice_plan(setting: _Setting, shape: tuple[int, ...]) -> Plan:
    from spinsqueeze.methods.closed_form.ising_lattice import lattice_cost, lattice_moments

    model, axis, question = setting.model, setting.axis, setting.question
    state = question.state
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

    bloch = _clean(state.direction[frame(axis)])

    def moments(times: Floats) -> Result:
        tables, integrals = _couplings(setting, terms, times)
        rates = _rates(setting, times)
        found = lattice_moments(
            tables,
            integrals=integrals,
            bloch=bloch,
            rotation=_rotation(setting, times)[:, 0],
            dephasing=rates.pop("dephasing")[:, 0],
            **rates,
        )
        return _turned(found, setting.echo.turns(times))

    work, memory = lattice_cost(
        np.array([table for _, table in terms]), n_times=len(question.times)
    )
    cost = Cost(
        memory, setting.seconds(work, bloch), f"N^2 products a time for N = {model.n_spins}"
    )
    return Plan("Ising lattice", axis, cost, _batches(cost, len(question.times)), moments)


def _matrix_plan(setting: _Setting) -> Plan:
    from spinsqueeze.methods.closed_form.ising import ising_cost

    setting = setting.per_spin()
    model, axis, question = setting.model, setting.axis, setting.question
    bloch = _clean(bloch_vectors(question.state)[..., frame(axis)])
    n_terms = max(len(model.quadratics) + len(model.pairs), 1)
    n_tables = n_terms * (1 if setting.echo.uniform else len(setting.echo.starts))
    if setting.noisy:
        n_tables += len(setting.echo.starts) - 1
    n_times = len(question.times)
    work, memory = ising_cost(model.n_spins, n_times=n_times, n_terms=n_tables)
    seconds = setting.seconds(work, bloch)
    cost = Cost(memory, seconds, f"{n_tables + 24} N x N matrices for N = {model.n_spins}")
    moments = partial(_matrix_moments, setting, bloch)
    return Plan("Ising matrix", axis, cost, _batches(cost, n_times), moments)


def _batches(cost: Cost, n_times: int) -> int:
    """Batches of times that take some 50 ms, so that what they share is done once."""
    return min(n_times, 1 + int(40 * cost.seconds))


def _matrix_moments(setting: _Setting, bloch: Floats, times: Floats) -> Result:
    from spinsqueeze.methods.closed_form.ising import ising_moments

    model, axis = setting.model, setting.axis
    n = model.n_spins
    terms: list[tuple[Strength, Floats]] = []
    for q in model.quadratics:
        weights = np.ones(n) if q.weights is None else q.weights
        outer = np.outer(weights, weights)
        np.fill_diagonal(outer, 0.0)
        terms.append((q.strength, 2 * q.matrix[axis, axis] * outer))
    terms += [(p.strength, p.tensor[axis, axis] * p.kernel.matrix()) for p in model.pairs]
    terms = terms or [(0.0, np.zeros((n, n)))]
    couplings, integrals = _couplings(setting, terms, times)
    rates = _rates(setting, times)
    return ising_moments(
        couplings,
        integrals=integrals,
        bloch=bloch,
        rotation=np.broadcast_to(_rotation(setting, times), (len(times), n)),
        dephasing=np.broadcast_to(rates.pop("dephasing"), (len(times), n)),
        **rates,
        turns=_turns(setting, times),
    )
