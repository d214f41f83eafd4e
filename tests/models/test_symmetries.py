"""Derived symmetries of random models against commutators of dense matrices."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from tests.problems.brute_force import hamiltonian, site_operators
from tests.problems.brute_force import jump_operators as dense_jumps

from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.collective_terms import (
    CollectiveExchange,
    CollectiveQuadratic,
    CollectiveXYZ,
    Drive,
    OneAxisTwisting,
    TwoAxisTwisting,
    UniformField,
)
from spinsqueeze.models.correlated_jumps import CorrelatedJumps
from spinsqueeze.models.ensemble import SpinClass
from spinsqueeze.models.jumps import (
    CollectiveDecay,
    CollectiveJump,
    LocalDecay,
    LocalDephasing,
    LocalJump,
    LocalPumping,
    SqueezedCollectiveDecay,
)
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PairCoupling, PowerLawXXZ, PowerLawXYZ, SiteField

N = 3
s = site_operators(N)
S = s.sum(axis=0)
SQUARE = sum(a @ a for a in S)
AXES = "xyz"
# Incommensurate, so that terms do not cancel by chance.
VALUES = st.sampled_from([0.731, -1.293, 0.417, 2.138, -0.559, 1.871])
MAYBE = st.one_of(st.just(0.0), VALUES)
MATRIX = np.array([[0.0, 1.2, -0.7], [1.2, 0.0, 0.4], [-0.7, 0.4, 0.0]])


def symmetric(draw, entries):
    a = np.array([[draw(entries) for _ in range(3)] for _ in range(3)])
    return np.triu(a) + np.triu(a, 1).T


@st.composite
def hamiltonian_terms(draw):
    kind = draw(st.integers(0, 9))
    v = lambda: draw(VALUES)  # noqa: E731
    axis = draw(st.sampled_from(AXES))
    if kind == 0:
        return OneAxisTwisting(v(), axis=axis)
    if kind == 1:
        return TwoAxisTwisting(v(), axes=draw(st.permutations(AXES))[:2])
    if kind == 2:
        return CollectiveQuadratic(symmetric(draw, MAYBE))
    if kind == 3:
        return CollectiveExchange(v())
    if kind == 4:
        shared = v()
        return CollectiveXYZ(j_x=shared, j_y=draw(st.sampled_from([shared, 0.3])), j_z=v())
    if kind == 5:
        return UniformField([draw(MAYBE) for _ in range(3)])
    if kind == 6:
        return Drive(v(), phase=draw(st.sampled_from([0.0, 0.4])))
    if kind == 7:
        return PowerLawXXZ(j_perp=v(), j_z=v(), exponent=draw(st.sampled_from([0.0, 3.0])))
    if kind == 8:
        return PowerLawXYZ(j_x=v(), j_y=v(), j_z=v(), exponent=draw(st.sampled_from([0.0, 2.0])))
    alike = [[0.0, 0.0, v()]] * 3
    return draw(
        st.sampled_from(
            [PairCoupling(MATRIX), SiteField(alike), SiteField([[0, 0, 1], [0, 0, 2], [0, 0, 3]])]
        )
    )


@st.composite
def jump_terms(draw):
    rate = abs(draw(VALUES))
    vector = np.array([draw(MAYBE) + 1j * draw(MAYBE) for _ in range(3)])
    vector = vector if np.any(vector) else np.array([1.0, 0.0, 0.0])
    return draw(
        st.sampled_from(
            [
                CollectiveDecay(rate),
                SqueezedCollectiveDecay(rate, r=0.4),
                CollectiveJump(rate, vector=vector),
                LocalDecay(rate),
                LocalPumping(rate),
                LocalDephasing(rate),
                LocalDecay([rate, 0.1, 0.2]),
                LocalJump(rate, vector=vector),
                CorrelatedJumps(rate, vector=vector, matrix=np.eye(N) + MATRIX),
            ]
        )
    )


@st.composite
def models(draw, max_jumps=2):
    spins = draw(
        st.sampled_from(
            [
                Lattice(N),
                Lattice(N, boundary="open"),
                Lattice(positions=[[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]),
                Lattice((2, 2), vacancies=(3,)),
            ]
        )
    )
    terms = draw(st.lists(hamiltonian_terms(), max_size=3))
    jumps = draw(st.lists(jump_terms(), max_size=max_jumps))
    if draw(st.booleans()):
        spins = [SpinClass(2), SpinClass(1, weight=draw(st.sampled_from([1.0, 0.6])))]
        lattice_terms = (PowerLawXXZ, PowerLawXYZ)
        terms = [t for t in terms if not isinstance(t, lattice_terms) or t.exponent == 0]
        jumps = [j for j in jumps if not isinstance(j, CorrelatedJumps)]
    return SpinModel(spins, hamiltonian=terms, jumps=jumps)


def jump_operators(model):
    """Every Lindblad operator, sqrt(rate) included."""
    return [math.sqrt(rate) * jump for rate, jump in dense_jumps(model.canonical, s, 0.0)]


def generator(model):
    h = hamiltonian(model.canonical, s, 0.0)
    one = np.eye(2**N)
    total = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for x in jump_operators(model):
        xx = x.conj().T @ x
        total += np.kron(x, x.conj()) - (np.kron(xx, one) + np.kron(one, xx.T)) / 2
    return total


def invariant(total, unitary):
    """Whether the generator commutes with rho -> U rho U^dagger."""
    u = np.kron(unitary, unitary.conj())
    return bool(np.abs(total @ u - u @ total).max() < 1e-9)


def swap(i, j):
    """The exchange of spins i and j: 1/2 + 2 s_i.s_j."""
    return np.eye(2**N) / 2 + 2 * sum(s[i, a] @ s[j, a] for a in range(3))


ROTATIONS = [[expm(-1j * angle * S[a]) for a in range(3)] for angle in (math.pi, 1.234)]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(models())
def test_every_symmetry_a_model_claims_is_one(model):
    total = generator(model)
    for axis in model.parity:
        assert invariant(total, ROTATIONS[0][AXES.index(axis)])
    if model.u1_axis is not None:
        assert invariant(total, ROTATIONS[1][AXES.index(model.u1_axis)])
    if model.permutation_invariant:
        assert all(invariant(total, swap(i, j)) for i, j in ((0, 1), (0, 2)))
    if model.conserves_total_spin:
        for x in (hamiltonian(model.canonical, s, 0.0), *jump_operators(model)):
            assert np.abs(x @ SQUARE - SQUARE @ x).max() < 1e-9
    if model.translation_invariant and isinstance(model.spins, Lattice):
        assert invariant(total, swap(0, 1) @ swap(1, 2))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(models(max_jumps=1))
def test_no_rotation_symmetry_is_missed(model):
    # With one jump at most: two jumps can be symmetric together and not alone.
    total = generator(model)
    found = tuple(a for k, a in enumerate(AXES) if invariant(total, ROTATIONS[0][k]))
    assert model.parity == found
    axes = [a for k, a in enumerate(AXES) if invariant(total, ROTATIONS[1][k])]
    assert (model.u1_axis is not None) == bool(axes)
    if axes:
        assert model.u1_axis in axes


XXZ = PowerLawXXZ(j_perp=1.0, j_z=0.3, exponent=3)
SPREAD = CorrelatedJumps(0.4, vector=[1, -1j, 0], range=2.0)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        # permutation invariant, conserves S^2, translation invariant
        (SpinModel(5, hamiltonian=[OneAxisTwisting(1.0)]), (True, True, True)),
        (SpinModel(5, jumps=[CollectiveDecay(1.0)]), (True, True, True)),
        (SpinModel(5, jumps=[LocalDecay(1.0)]), (True, False, True)),
        (SpinModel(5, jumps=[LocalDecay([1.0, 1.0, 1.0, 1.0, 1.0])]), (True, False, True)),
        (SpinModel(2, jumps=[LocalDecay([1.0, 2.0])]), (False, False, False)),
        (SpinModel(Lattice(5), hamiltonian=[XXZ]), (False, False, True)),
        (SpinModel(Lattice(5), jumps=[SPREAD]), (False, False, True)),
        (SpinModel(Lattice(5, boundary="open"), jumps=[SPREAD]), (False, False, False)),
        (SpinModel(Lattice(5, boundary="open"), hamiltonian=[XXZ]), (False, False, False)),
        (SpinModel(Lattice((4, 4), filling=0.5), hamiltonian=[XXZ]), (False, False, False)),
        (SpinModel(2, hamiltonian=[SiteField([[0, 0, 1], [0, 0, 2]])]), (False, False, False)),
        (SpinModel(2, hamiltonian=[SiteField([[0, 0, 1], [0, 0, 1]])]), (True, True, True)),
        (
            SpinModel([SpinClass(2), SpinClass(1, weight=0.5)], hamiltonian=[Drive(1.0)]),
            (False, False, False),
        ),
        (
            SpinModel([SpinClass(2), SpinClass(1, weight=0.5)], hamiltonian=[OneAxisTwisting(1.0)]),
            (False, False, False),
        ),
        (SpinModel([SpinClass(2), SpinClass(1, detuning=0.5)]), (False, False, False)),
        (SpinModel([SpinClass(2), SpinClass(1)], hamiltonian=[Drive(1.0)]), (True, True, True)),
    ],
)
def test_named_cases(model, expected):
    flags = (model.permutation_invariant, model.conserves_total_spin, model.translation_invariant)
    assert flags == expected


@pytest.mark.parametrize(
    ("terms", "jumps", "u1", "parity"),
    [
        ([XXZ], [], "z", "xyz"),
        ([XXZ], [LocalDecay(1.0)], "z", "z"),
        ([XXZ, Drive(1.0)], [], None, "x"),
        ([OneAxisTwisting(1.0, axis="y")], [], "y", "xyz"),
        ([TwoAxisTwisting(1.0)], [], None, "xyz"),
        ([], [SqueezedCollectiveDecay(1.0, r=0.5)], None, "z"),
        ([], [LocalDephasing(1.0)], "z", "xyz"),
        ([], [CorrelatedJumps(1.0, vector=[1, -1j, 0], range=2.0)], "z", "z"),
        ([], [CorrelatedJumps(1.0, vector=[1, -2j, 0], range=2.0)], None, "z"),
        ([UniformField([1.0, 0.0, 1.0])], [], None, ""),
        ([], [CollectiveJump(1e10, vector=[1e-5, 0.0, 0.0])], "x", "xyz"),
        ([], [SqueezedCollectiveDecay(1.0, r=1e-9)], None, "z"),
    ],
)
def test_named_rotations(terms, jumps, u1, parity):
    model = SpinModel(Lattice(4), hamiltonian=terms, jumps=jumps)
    assert (model.u1_axis, "".join(model.parity)) == (u1, parity)
