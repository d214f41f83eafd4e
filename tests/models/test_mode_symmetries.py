"""Symmetries of models with modes against the dense flow on spins x Fock."""

import dataclasses
import math
from functools import reduce
from itertools import product

import numpy as np
import pytest
from scipy.linalg import expm
from tests.problems import fock
from tests.problems.brute_force import flow, site_operators

import spinsqueeze as sq
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.kinds import one_each
from spinsqueeze.models.modes import Mode, ModeCoupling, Reservoir, allow_rotation, common_charge

N = 2
LEVELS = 3
AXES = "xyz"
SEEDS = range(400)


def vector_along(rng, axis):
    """A vector of any kind: along an axis, raising or lowering about it, across it, or any."""
    e = np.roll(np.eye(3), -axis, axis=0)  # the axis, then the two that follow
    phase = rng.normal() + 1j * rng.normal()
    kind = rng.integers(5)
    if kind == 0:
        return phase * e[0]
    if kind < 3:
        return phase * (e[1] - 1j * e[2] if kind == 1 else e[1] + 1j * e[2])
    if kind == 3:
        return phase * e[1] + rng.normal() * e[2]
    return rng.normal(size=3) + 1j * rng.normal(size=3)


def vectors(rng, axis):
    """One vector for all, or one for each of the two spins, perhaps none for one of them."""
    chance = rng.random()
    first = vector_along(rng, axis)
    if chance < 0.5:
        return first
    second = [0 * first, 0.7j * first, vector_along(rng, axis)][rng.integers(3)]
    return np.array([first, second])[:: rng.choice([-1, 1])]


def random_reservoir(rng):
    u, v = [(1.0, 0.0), (0.0, 1.0), (1.2, 0.6j)][rng.integers(3)]
    return Reservoir(float(rng.uniform(0.2, 1.0)), u, v)


def random_mode(rng):
    return Mode(
        float(rng.normal()),
        float(rng.normal()) if rng.random() < 0.25 else 0.0,
        tuple(random_reservoir(rng) for _ in range(rng.integers(0, 2))),
    )


def random_model(rng):
    axis = int(rng.integers(3))
    e = np.eye(3)[axis]
    quadratics = [
        [],
        [sq.CollectiveQuadratic(0.8 * np.outer(e, e))],
        [sq.CollectiveExchange(0.6)],
        [sq.TwoAxisTwisting(0.5)],
        [sq.UniformField(0.9 * e)],
    ]
    jumps = [[], [], [sq.LocalDephasing(0.3)], [sq.CollectiveJump(0.4, vector=e)]]
    model = sq.SpinModel(
        N,
        hamiltonian=quadratics[rng.integers(len(quadratics))],
        jumps=jumps[rng.integers(len(jumps))],
    )
    modes = tuple(random_mode(rng) for _ in range(rng.integers(1, 3)))
    couplings = [ModeCoupling(m, 0.8, vectors(rng, axis)) for m in range(len(modes))]
    if rng.random() < 0.2:
        couplings.append(ModeCoupling(0, -0.5, vectors(rng, axis)))
    if rng.random() < 0.2:
        couplings = couplings[1:]
    form = model.canonical.per_spin()
    return dataclasses.replace(form, modes=modes, mode_couplings=tuple(couplings))


def operators(model):
    levels = (LEVELS,) * len(model.modes)
    return fock.lifted(site_operators(N), levels), fock.mode_operators(2**N, levels), levels


def unchanged(model, spins_turned, phases):
    """Whether the flow commutes with U = spins_turned x exp(-i phases a†a), on a random matrix."""
    s, a, _ = operators(model)
    turns = [np.diag(np.exp(-1j * p * np.arange(LEVELS))) for p in phases]
    U = reduce(np.kron, turns, spins_turned)
    rng = np.random.default_rng(1)
    rho = rng.normal(size=U.shape) + 1j * rng.normal(size=U.shape)
    before = flow(model, s, 0.0, U @ rho @ U.conj().T, a)
    after = U @ flow(model, s, 0.0, rho, a) @ U.conj().T
    return bool(np.abs(before - after).max() < 1e-9)


def rotation(axis, angle):
    return expm(-1j * angle * site_operators(N).sum(axis=0)[axis])


def turned_by(model, axis, angle, charges):
    choices = product(charges, repeat=len(model.modes))
    return any(unchanged(model, rotation(axis, angle), np.array(q) * angle) for q in choices)


SWAP = np.eye(4)[[0, 2, 1, 3]]


@pytest.mark.parametrize(
    "seed", [s if s < 120 else pytest.param(s, marks=pytest.mark.slow) for s in SEEDS]
)
def test_symmetries_are_those_of_the_dense_flow(seed):
    model = random_model(np.random.default_rng(seed))
    halves = tuple(x for k, x in enumerate(AXES) if turned_by(model, k, math.pi, (0, 1)))
    assert model.parity == halves
    axes = [x for k, x in enumerate(AXES) if turned_by(model, k, 1.234, (0, 1, -1))]
    assert model.u1_axis == next((x for x in "zxy" if x in axes), None)
    if model.permutation_invariant:
        assert unchanged(model, SWAP, [0.0] * len(model.modes))
    uniform = [np.ndim(c.vectors) == 1 for c in model.mode_couplings]
    assert model.permutation_invariant == all(uniform)


def test_the_random_models_have_every_symmetry_and_none():
    models = [random_model(np.random.default_rng(seed)) for seed in SEEDS]
    kinds = {(m.u1_axis, bool(m.parity)) for m in models}
    assert kinds == {("x", True), ("y", True), ("z", True), (None, True), (None, False)}


def cavity_model(spins=3, **changes):
    return sq.SpinModel(spins, cavity=sq.Cavity(**{"coupling": 0.8, "decay_rate": 0.5, **changes}))


RAMP = sq.Envelope([0.0, 1.0], values=[0.2, 1.0])
CLASSES = [sq.SpinClass(2), sq.SpinClass(1, weight=0.5)]
ROWS = [[1, -1j, 0], [1j, 1, 0]]


@pytest.mark.parametrize(
    ("model", "u1", "parity"),
    [
        (cavity_model(), "z", "z"),
        (cavity_model(decay_rate=0.0), "z", "z"),
        (cavity_model(coupling=RAMP, detuning=RAMP), "z", "z"),
        (cavity_model(drive=0.1), None, ""),
        (cavity_model(drive=RAMP), None, ""),
        (cavity_model(drive=sq.Envelope([0, 1], values=[0, 0])), "z", "z"),
        (cavity_model(squeezing=0.3), None, "z"),
        (cavity_model(squeezing=0.3, internal_decay_rate=0.1), None, "z"),
        (cavity_model(coupling=[1, 1j, 0]), "z", "z"),
        (cavity_model(coupling=[1, 0, 0]), "x", "xyz"),
        (cavity_model(coupling=[1, 0, 0], drive=0.3), "x", "x"),
        (cavity_model(coupling=[0, 0, 1], drive=0.3, squeezing=0.2), "z", "z"),
        (cavity_model(coupling=[1, 0, 1]), None, "y"),
        (cavity_model(CLASSES), "z", "z"),
        (cavity_model(CLASSES, coupling=ROWS), "z", "z"),
        (cavity_model(CLASSES, coupling=[ROWS[0], [1, 1j, 0]]), None, "z"),
    ],
)
def test_named_cavities(model, u1, parity):
    assert (model.u1_axis, "".join(model.parity)) == (u1, parity)


def test_alike_spins_and_conserved_total_spin():
    alike = cavity_model(drive=0.3, squeezing=0.2)
    assert alike.permutation_invariant
    assert alike.conserves_total_spin
    assert alike.translation_invariant
    assert cavity_model([sq.SpinClass(2), sq.SpinClass(1)]).permutation_invariant
    for model in (cavity_model(CLASSES), cavity_model(3, coupling=[[1, 0, 0]] * 2 + [[2, 0, 0]])):
        assert not model.permutation_invariant
        assert not model.conserves_total_spin
        assert not model.translation_invariant


def test_losses_and_envelopes_of_a_cavity_count():
    assert cavity_model().dissipative
    assert not cavity_model(decay_rate=0.0).dissipative
    assert cavity_model(decay_rate=0.0, internal_decay_rate=0.1).dissipative
    assert not cavity_model().canonical.time_dependent
    for name in ("coupling", "decay_rate", "detuning", "drive", "internal_decay_rate", "envelope"):
        assert cavity_model(**{name: RAMP}).canonical.envelopes == (RAMP,)


@pytest.mark.parametrize(
    ("mode", "along", "across"),
    [
        (Mode(0.3), True, True),
        (Mode(drive=0.3), True, False),
        (Mode(reservoirs=(Reservoir(1.0), Reservoir(1.0, 0.0, 1.0))), True, True),
        (Mode(reservoirs=(Reservoir(1.0, 1.2, 0.6),)), True, False),
    ],
)
def test_what_a_mode_that_turns_may_hold(mode, along, across):
    for vector, expected in (([0, 0, 1j], along), ([1, -1j, 0], across)):
        coupling = ModeCoupling(0, 1.0, np.array(vector, dtype=complex))
        assert allow_rotation([mode], [coupling], 2) == expected


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_charges_know_no_unit(scale):
    minus = np.array([1, -1j, 0]) * scale

    def charge(*rows, axis):
        return common_charge(np.array(rows), axis)

    assert [charge(np.roll(minus, k), axis=(2 + k) % 3) for k in range(3)] == [1, 1, 1]
    assert charge(minus.conj(), axis=2) == -1
    assert charge(np.array([0, 0, scale]), axis=2) == 0
    assert charge(minus + np.array([1e-9 * scale, 0, 0]), axis=2) is None
    assert charge(minus + np.array([0, 0, 1e-9 * scale]), axis=2) is None
    assert charge(minus, 0 * minus, 2j * minus, axis=2) == 1
    assert charge(minus, minus.conj(), axis=2) is None
    assert charge(0 * minus, axis=2) == charge(axis=2) == 0


def test_modes_of_a_canonical_form_without_spins_to_couple_to():
    model = Canonical(one_each(3), modes=(Mode(0.1, 0.2, (Reservoir(1.0, 1.1, 0.4),)),))
    assert (model.u1_axis, model.parity) == ("z", ("x", "y", "z"))
    assert model.features == {"modes"}


def test_a_further_reservoir_alone_makes_a_steady_state_question():
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.run.questions import steady_question

    only = sq.CavityReservoir(0.3)
    model = sq.SpinModel(3, cavity=sq.Cavity(1.0, decay_rate=0.0, reservoirs=[only]))
    assert len(steady_question(model).model.modes[0].reservoirs) == 1
    ramped = sq.Cavity(1.0, decay_rate=0.0, reservoirs=[sq.CavityReservoir(RAMP)])
    with pytest.raises(InvalidInput, match="constant strengths and rates"):
        steady_question(sq.SpinModel(3, cavity=ramped))
