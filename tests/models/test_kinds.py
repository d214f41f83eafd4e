"""Kinds of spins: what tells spins apart, what does not, and that arrays of kinds cost nothing."""

import tracemalloc

import mpmath
import numpy as np
import pytest
from tests.problems.brute_force import hamiltonian, jump_operators, open_moments, site_operators

import spinsqueeze as sq
from spinsqueeze.models.kinds import owners
from spinsqueeze.run.questions import evolve_question

N = 4
XXZ = sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)
ALL_TO_ALL = sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=0)
OFF = sq.PowerLawXXZ(j_perp=0.0, j_z=0.0, exponent=3)
TWIST = sq.OneAxisTwisting(0.7)
LIGHT, HEAVY = sq.SpinClass(3), sq.SpinClass(1, weight=0.5)
DETUNED = [sq.SpinClass(3), sq.SpinClass(1, detuning=0.3)]
UP = np.array([0.0, 0.0, 1.0])
RAMP = sq.Envelope([0.0, 1.0], values=[0.5, 2.5])


def model(spins, *terms, jumps=()):
    return sq.SpinModel(spins, hamiltonian=terms, jumps=jumps)


COUNTS = {
    "a number": (model(N, TWIST), [4]),
    "classes, nothing differs": (model([sq.SpinClass(3), sq.SpinClass(1)], TWIST), [4]),
    "weights without a collective term": (model([LIGHT, HEAVY], ALL_TO_ALL), [4]),
    "weights": (model([LIGHT, HEAVY], TWIST), [3, 1]),
    "detunings": (model(DETUNED, TWIST), [3, 1]),
    "detunings that a field takes away": (
        model(DETUNED, TWIST, sq.SiteField([0 * UP, -0.3 * UP])),
        [4],
    ),
    "rates by class": (model([LIGHT, HEAVY], jumps=[sq.LocalDecay([1.0, 2.0])]), [3, 1]),
    "equal rates by class": (model([LIGHT, HEAVY], jumps=[sq.LocalDecay([1.0, 1.0])]), [4]),
    "rates by site of classes": (model(DETUNED, jumps=[sq.LocalDecay([1, 1, 2, 1])]), [1] * 4),
    "a field by site": (model(N, sq.SiteField(np.outer(range(4), UP))), [1] * 4),
    "a field by site, all the same": (model(N, sq.SiteField([UP] * 4)), [4]),
    "a lattice": (model(sq.Lattice(4), XXZ), [1] * 4),
    "a lattice without couplings": (model(sq.Lattice(4), OFF, TWIST), [4]),
    "a lattice, all to all": (model(sq.Lattice(4), ALL_TO_ALL), [4]),
    "a matrix": (model(DETUNED, sq.PairCoupling(np.eye(4)[::-1])), [1] * 4),
}


@pytest.mark.parametrize("case", COUNTS)
def test_kinds_are_the_coarsest_that_the_model_allows(case):
    one, counts = COUNTS[case]
    form = one.canonical
    assert form.counts.tolist() == counts
    assert form.n_spins == N
    assert bool(form.differences) == (counts != [4])


def test_the_lattice_is_part_of_the_canonical_form():
    lattice = sq.Lattice((2, 2))
    assert model(lattice, XXZ).canonical.lattice is lattice
    assert model(N, TWIST).canonical.lattice is None


MIXED = [
    model(
        [sq.SpinClass(2, detuning=0.4), sq.SpinClass(1, weight=-0.5)],
        sq.OneAxisTwisting(0.7, axis="x"), sq.SiteField([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
        jumps=[sq.CollectiveJump(0.4, vector=[[1, 0.5j, 0], [0.2, 1j, 0.1]]),
               sq.LocalDecay([0.2, 0.9], envelope=RAMP)],
    ),
    model(
        [sq.SpinClass(1), sq.SpinClass(2, weight=0.7)],
        sq.CollectiveExchange(0.7), sq.PairCoupling(np.ones((3, 3)) - np.eye(3)),
        sq.SiteField(np.arange(9.0).reshape(3, 3) / 9),
        jumps=[sq.CollectiveDecay(0.4), sq.LocalDephasing([0.1, 0.2, 0.3])],
    ),
]  # fmt: skip


@pytest.mark.parametrize("mixed", MIXED)
def test_finer_kinds_describe_the_same_model(mixed):
    s = site_operators(3)
    form, fine = mixed.canonical, mixed.canonical.per_spin()
    assert len(fine.counts) == 3
    np.testing.assert_array_equal(hamiltonian(fine, s, 0.3), hamiltonian(form, s, 0.3))
    ours, theirs = jump_operators(form, s, 0.3), jump_operators(fine, s, 0.3)
    for (rate, jump), (other_rate, other) in zip(ours, theirs, strict=True):
        assert rate == other_rate
        np.testing.assert_array_equal(jump, other)
    assert fine.per_spin() is fine


def test_which_kind_owns_a_finer_one():
    fine, coarse = np.array([1, 2, 1, 1, 3]), np.array([3, 2, 3])
    assert owners(fine, coarse).tolist() == [0, 0, 1, 1, 2]
    assert owners(coarse, coarse).tolist() == [0, 1, 2]


def test_equal_weights_are_a_factor_of_the_strengths():
    heavy = [sq.SpinClass(2, weight=2.0), sq.SpinClass(2, weight=2.0)]
    jumps = [sq.CollectiveDecay(0.1)]
    weighted = sq.SpinModel(heavy, hamiltonian=[TWIST, sq.Drive(0.4)], jumps=jumps)
    assert weighted.permutation_invariant
    plain = sq.SpinModel(
        N, hamiltonian=[sq.OneAxisTwisting(2.8), sq.Drive(0.8)], jumps=[sq.CollectiveDecay(0.4)]
    )
    state, times = sq.CoherentState("-z"), [0.3, 0.8]
    ours = sq.simulate(weighted, state, times, method=sq.PermutationInvariant())
    theirs = sq.simulate(plain, state, times, method=sq.PermutationInvariant())
    np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=0, atol=1e-12)


def test_pair_couplings_of_one_matrix_are_one():
    matrix = np.eye(4)[::-1]
    xx, zz = np.diag([1.0, 0, 0]), np.diag([0, 0, 1.0])
    terms = [sq.PairCoupling(matrix, tensor=t) for t in (xx, zz, xx)]
    (pair,) = model(N, *terms).canonical.pairs
    np.testing.assert_array_equal(pair.tensor, np.diag([2.0, 0, 1.0]))
    two = model(N, terms[0], sq.PairCoupling(2 * matrix, tensor=zz)).canonical.pairs
    assert len(two) == 2
    (lattice,) = model(sq.Lattice(4), XXZ, XXZ).canonical.pairs
    np.testing.assert_array_equal(lattice.tensor, np.diag([2.0, 2.0, 1.0]))


def twisted_classes(count, jumps):
    """Two classes of `count` spins with weights, detunings, fields and rates of their own."""
    spins = [sq.SpinClass(count, detuning=0.4), sq.SpinClass(count, weight=0.5)]
    terms = [sq.OneAxisTwisting(1.0 / count), sq.SiteField([0.3 * UP, -0.2 * UP])]
    return sq.SpinModel(spins, hamiltonian=terms, jumps=[sq.LocalDephasing([0.1, 0.3]), *jumps])


def test_closed_forms_of_classes_with_rates_and_fields_of_their_own():
    classes = twisted_classes(2, [sq.LocalDecay([0.05, 0.2])])
    data = sq.simulate(classes, sq.CoherentState("+x"), [0.5, 1.0], method=sq.ClosedForm())
    spin, covariance = open_moments(classes.canonical, np.array([1.0, 0, 0]), [0.5, 1.0])
    np.testing.assert_allclose(data.spin, spin, rtol=0, atol=1e-12)
    np.testing.assert_allclose(data.covariance, covariance, rtol=0, atol=1e-12)


def test_classes_of_many_spins_cost_nothing():
    count, time = 10**11, 0.8
    tracemalloc.start()
    classes = twisted_classes(count, [])
    data = sq.simulate(classes, sq.CoherentState("+x"), [time], method=sq.ClosedForm())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e8
    with mpmath.workdps(40):
        w, mean = [mpmath.mpf(1), mpmath.mpf(1) / 2], mpmath.mpc(0)
        for a, (field, rate) in enumerate([(0.7, 0.1), (-0.2, 0.3)]):
            free = mpmath.exp((1j * mpmath.mpf(field) - mpmath.mpf(rate)) * time) * count / 2
            others = [mpmath.cos(w[a] * w[b] * time / count) ** (count - (a == b)) for b in (0, 1)]
            mean += free * others[0] * others[1]
    measured = complex(*data.spin.values[0, :2])
    assert abs(measured / complex(mean) - 1) < 1e-10


def test_pulses_address_classes_and_sites():
    spins = [sq.SpinClass(2), sq.SpinClass(1)]
    alike = sq.SpinModel(spins, hamiltonian=[TWIST])

    def asked(**which):
        pulse = sq.Pulse(0.1, axis="+x", angle=0.3, **which)
        question = evolve_question(alike, sq.CoherentState("+x"), [1.0], pulses=[pulse])
        return question.model.counts.tolist(), question.pulses[0].mask

    counts, mask = asked(spin_class=1)
    assert (counts, mask.tolist()) == ([2, 1], [False, True])
    counts, mask = asked(sites=[0, 2])
    assert (counts, mask.tolist()) == ([1, 1, 1], [True, False, True])
    assert asked(sites=[2, 0, 1])[1] is None
    assert asked() == ([3], None)


def test_single_spins_of_a_large_ensemble_cannot_be_addressed():
    pulse = sq.Pulse(0.1, axis="+x", angle=0.3, sites=[0])
    with pytest.raises(sq.InvalidInput, match=r"^pulses\[0\]\.sites must address single spins of"):
        evolve_question(model(10**12, TWIST), sq.CoherentState("+x"), [1.0], pulses=[pulse])
