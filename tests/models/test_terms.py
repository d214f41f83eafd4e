"""Every term's docstring operator, built here from scratch on 2^N, against its canonical form."""

import json
import math

import numpy as np
import pytest
import xarray as xr
from tests.problems.brute_force import hamiltonian, jump_operators, site_operators

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.catalogue import HAMILTONIAN_TERMS, JUMP_TERMS
from spinsqueeze.models.cavity import Cavity
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
from spinsqueeze.models.distance_terms import (
    DipolarXXZ,
    RydbergDressing,
    TabulatedCoupling,
    VanDerWaals,
)
from spinsqueeze.models.ensemble import SpinClass
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.ion_terms import IonChainCoupling
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
from spinsqueeze.models.tables import model_as_tables, model_from_tables

N = 3
TIME = 0.37
RAMP = Envelope([0.0, 1.0], values=[0.5, 2.5])  # 0.5 + 2 t
NOTHING = Envelope([0.0, 1.0], values=[0.0, 0.0])
NOW = 0.5 + 2 * TIME
WEIGHTS = np.array([1.0, 1.0, 0.6])
s = site_operators(N)
sx, sy, sz = (s[:, a] for a in range(3))
Sx, Sy, Sz = s.sum(axis=0)
Wx, Wy, Wz = np.einsum("i,iaxy->axy", WEIGHTS, s)
ALIKE = N
CLASSES = [SpinClass(2), SpinClass(1, weight=0.6, detuning=0.7)]
DETUNED = 0.7 * sz[2]
TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
R = {(0, 1): 1.0, (0, 2): 2.0, (1, 2): math.sqrt(5.0)}
Q = np.array([[0.3, -0.2, 0.5], [-0.2, 1.1, 0.4], [0.5, 0.4, -0.6]])
FIELDS = np.array([[0.1, 0.2, 0.3], [-0.4, 0.5, 0.6], [0.7, -0.8, 0.9]])
COUPLINGS = np.array([[0.0, 1.2, -0.7], [1.2, 0.0, 0.4], [-0.7, 0.4, 0.0]])

# Three ions rest at -u, 0, u with u^3 = 5/4; their transverse modes are known by symmetry: all
# together, outer ones against each other, and the middle one against both.
TRAP = {
    "rabi": 0.4, "recoil": 0.03, "beatnote": 5.2, "axial_frequency": 1.0,
    "transverse_frequency": 5.0,
}  # fmt: skip
ION_MODES = [
    (25.0, np.array([1, 1, 1]) / math.sqrt(3)),
    (25.0 - 1.0, np.array([1, 0, -1]) / math.sqrt(2)),
    (25.0 - 2.4, np.array([1, -2, 1]) / math.sqrt(6)),
]
ION_COUPLINGS = 0.4**2 * 0.03 * sum(np.outer(b, b) / (5.2**2 - w) for w, b in ION_MODES)


def pairs(strength, *axes):
    """sum_{i<j} strength(i, j) sum_a s^a_i s^a_j."""
    return sum(strength(i, j) * s[i, a] @ s[j, a] for i, j in R for a in axes)


def quadratic(matrix, vectors):
    return sum(matrix[a, b] * vectors[a] @ vectors[b] for a in range(3) for b in range(3))


S, W = (Sx, Sy, Sz), (Wx, Wy, Wz)
HAMILTONIANS = {
    "one_axis_twisting": (ALIKE, OneAxisTwisting(0.8), 0.8 * Sz @ Sz),
    "one_axis_twisting x, ramp": (ALIKE, OneAxisTwisting(RAMP, axis="x"), NOW * Sx @ Sx),
    "one_axis_twisting, classes": (CLASSES, OneAxisTwisting(0.8), 0.8 * Wz @ Wz + DETUNED),
    "two_axis_twisting": (ALIKE, TwoAxisTwisting(0.8), 0.8 * (Sx @ Sx - Sy @ Sy)),
    "two_axis_twisting z y": (
        ALIKE,
        TwoAxisTwisting(RAMP, axes=("z", "y")),
        NOW * (Sz @ Sz - Sy @ Sy),
    ),
    "collective_quadratic": (ALIKE, CollectiveQuadratic(Q), quadratic(Q, S)),
    "collective_quadratic, ramp, classes": (
        CLASSES,
        CollectiveQuadratic(Q, envelope=RAMP),
        NOW * quadratic(Q, W) + DETUNED,
    ),
    "collective_exchange": (
        ALIKE,
        CollectiveExchange(0.8),
        0.8 * (Sx + 1j * Sy) @ (Sx - 1j * Sy),
    ),
    "collective_exchange, ramp, classes": (
        CLASSES,
        CollectiveExchange(RAMP),
        NOW * (Wx + 1j * Wy) @ (Wx - 1j * Wy) + DETUNED,
    ),
    "collective_xyz": (
        ALIKE,
        CollectiveXYZ(j_x=0.5, j_y=-1.5, j_z=RAMP),
        (0.5 * Sx @ Sx - 1.5 * Sy @ Sy + NOW * Sz @ Sz) / N,
    ),
    "uniform_field": (
        ALIKE,
        UniformField([0.1, -0.2, 0.3], envelope=RAMP),
        NOW * (0.1 * Sx - 0.2 * Sy + 0.3 * Sz),
    ),
    "uniform_field, classes": (
        CLASSES,
        UniformField([0.1, -0.2, 0.3]),
        0.1 * Wx - 0.2 * Wy + 0.3 * Wz + DETUNED,
    ),
    "drive": (
        ALIKE,
        Drive(1.3, phase=0.4),
        1.3 * (math.cos(0.4) * Sx + math.sin(0.4) * Sy),
    ),
    "drive, ramp, classes": (CLASSES, Drive(RAMP), NOW * Wx + DETUNED),
    "site_field": (
        ALIKE,
        SiteField(FIELDS, envelope=RAMP),
        NOW * np.einsum("ia,iaxy->xy", FIELDS, s),
    ),
    "site_field, by class": (
        CLASSES,
        SiteField(FIELDS[:2]),
        np.einsum("ia,iaxy->xy", FIELDS[[0, 0, 1]], s) + DETUNED,
    ),
    "power_law_xxz": (
        Lattice(positions=TRIANGLE),
        PowerLawXXZ(j_perp=0.9, j_z=-1.7, exponent=3),
        pairs(lambda i, j: 0.9 * R[i, j] ** -3, 0, 1) + pairs(lambda i, j: -1.7 * R[i, j] ** -3, 2),
    ),
    "power_law_xxz, all to all, ramp": (
        ALIKE,
        PowerLawXXZ(j_perp=RAMP, j_z=-1.7, exponent=0),
        pairs(lambda _i, _j: NOW, 0, 1) + pairs(lambda _i, _j: -1.7, 2),
    ),
    "power_law_xxz, nearest neighbours": (
        Lattice(3, boundary="open"),
        PowerLawXXZ(j_perp=0.9, j_z=-1.7, exponent=math.inf),
        pairs(lambda i, j: 0.9 * (j - i == 1), 0, 1) + pairs(lambda i, j: -1.7 * (j - i == 1), 2),
    ),
    "power_law_xyz": (
        Lattice(3, boundary="open", spacing=2.0),
        PowerLawXYZ(j_x=0.9, j_y=RAMP, j_z=-1.7, exponent=1.5),
        sum(
            pairs(lambda i, j, c=c: c * (2.0 * (j - i)) ** -1.5, a)
            for a, c in enumerate((0.9, NOW, -1.7))
        ),
    ),
    "pair_coupling": (ALIKE, PairCoupling(COUPLINGS), pairs(lambda i, j: COUPLINGS[i, j], 2)),
    "pair_coupling, tensor, ramp": (
        ALIKE,
        PairCoupling(COUPLINGS, tensor=Q, envelope=RAMP),
        NOW
        * sum(
            COUPLINGS[i, j] * Q[a, b] * s[i, a] @ s[j, b]
            for i, j in R
            for a in range(3)
            for b in range(3)
        ),
    ),
}

AXIS = np.array([2.0, -1.0, 2.0]) / 3.0
ANGLES = {(i, j): 1.0 - 3.0 * ((TRIANGLE[i] - TRIANGLE[j]) @ AXIS[:2] / R[i, j]) ** 2 for i, j in R}
number = sz + np.eye(8) / 2  # n = 1/2 + s^z


def excited(strength):
    """sum_{i<j} strength(i, j) n_i n_j without the part that is a multiple of 1."""
    total = sum(strength(i, j) * number[i] @ number[j] for i, j in R)
    return total - np.trace(total) / 8 * np.eye(8)


HAMILTONIANS |= {
    "van_der_waals": (
        Lattice(positions=TRIANGLE),
        VanDerWaals(-0.9),
        excited(lambda i, j: -0.9 * R[i, j] ** -6),
    ),
    "van_der_waals, ramp, ising": (
        Lattice(3, boundary="open", spacing=0.5),
        VanDerWaals(RAMP, form="ising"),
        pairs(lambda i, j: NOW * (0.5 * (j - i)) ** -6, 2),
    ),
    "van_der_waals, ring with a hole, ramp": (
        Lattice(4, vacancies=[1]),  # at 0, 2, 3 of a ring of four
        VanDerWaals(RAMP),
        excited(lambda i, j: NOW * {(0, 1): 2.0, (0, 2): 1.0, (1, 2): 1.0}[i, j] ** -6),
    ),
    "rydberg_dressing": (
        Lattice(positions=TRIANGLE),
        RydbergDressing(RAMP, radius=1.7),
        excited(lambda i, j: NOW * 1.7**6 / (R[i, j] ** 6 + 1.7**6)),
    ),
    "rydberg_dressing, ising": (
        Lattice(positions=TRIANGLE),
        RydbergDressing(-0.4, radius=1.7, form="ising"),
        pairs(lambda i, j: -0.4 * 1.7**6 / (R[i, j] ** 6 + 1.7**6), 2),
    ),
    "dipolar_xxz": (
        Lattice(positions=TRIANGLE),
        DipolarXXZ(j_perp=0.9, j_z=RAMP, quantisation_axis=3 * AXIS),
        pairs(lambda i, j: 0.9 * ANGLES[i, j] * R[i, j] ** -3, 0, 1)
        + pairs(lambda i, j: NOW * ANGLES[i, j] * R[i, j] ** -3, 2),
    ),
    "dipolar_xxz, along the chain": (
        Lattice(3, boundary="open", spacing=2.0),
        DipolarXXZ(j_perp=0.9, j_z=0.0, quantisation_axis="-x"),
        pairs(lambda i, j: -2 * 0.9 * (2.0 * (j - i)) ** -3, 0, 1),
    ),
    "tabulated_coupling": (
        Lattice(positions=TRIANGLE),
        TabulatedCoupling(distances=[1.0, 2.0, 3.0], values=[5.0, -1.0, 2.0]),
        pairs(lambda i, j: {1.0: 5.0, 2.0: -1.0}.get(R[i, j], 3 * R[i, j] - 7.0), 2),
    ),
    "tabulated_coupling, cubic, zero beyond, tensor, ramp": (
        Lattice(3, boundary="open"),
        TabulatedCoupling(
            distances=[0.5, 0.75, 1.25, 1.5], values=[0.125, 0.421875, 1.953125, 3.375],
            tensor=np.diag([1.0, 1.0, 0.0]), interpolation="cubic", beyond="zero", envelope=RAMP,
        ),
        pairs(lambda i, j: NOW * (j - i == 1), 0, 1),
    ),
    "ion_chain_coupling": (
        ALIKE,
        IonChainCoupling(**TRAP),
        pairs(lambda i, j: 4 * ION_COUPLINGS[i, j], 2),
    ),
    "ion_chain_coupling, along x, ramp": (
        ALIKE,
        IonChainCoupling(**TRAP, tensor=np.diag([1.0, 0.0, 0.0]), envelope=RAMP),
        pairs(lambda i, j: 4 * NOW * ION_COUPLINGS[i, j], 0),
    ),
}  # fmt: skip


def name_of(key):
    return key.split(",")[0].split(" ")[0]


def test_every_term_of_the_catalogue_is_tried():
    for tried, terms in ((HAMILTONIANS, HAMILTONIAN_TERMS), (JUMPS, JUMP_TERMS)):
        missing = set(terms) - {name_of(key) for key in tried}
        assert not missing, (
            f"add to HAMILTONIANS or JUMPS: (spins, term, its operator) of {missing}"
        )


@pytest.mark.parametrize("key", HAMILTONIANS)
def test_hamiltonian_terms_are_their_docstring_operator(key):
    spins, term, operator = HAMILTONIANS[key]
    assert term.name() == name_of(key)
    ours = hamiltonian(SpinModel(spins, hamiltonian=[term]).canonical, s, TIME)
    np.testing.assert_allclose(ours, operator, atol=1e-13)


def test_terms_of_one_model_add_up_and_merge():
    terms = [
        PowerLawXXZ(j_perp=0.9, j_z=-1.7, exponent=0),
        PowerLawXYZ(j_x=0.1, j_y=0.2, j_z=RAMP, exponent=0),
        OneAxisTwisting(0.8),
        TwoAxisTwisting(-0.3),
        UniformField([0.1, -0.2, 0.3]),
        Drive(0.4),
        SiteField(FIELDS),
    ]
    model = SpinModel(ALIKE, hamiltonian=terms).canonical
    assert (len(model.fields), len(model.quadratics), len(model.pairs)) == (1, 1, 2)
    alone = [hamiltonian(SpinModel(N, hamiltonian=[t]).canonical, s, TIME) for t in terms]
    np.testing.assert_allclose(hamiltonian(model, s, TIME), sum(alone), atol=1e-13)


def test_terms_that_cancel_leave_nothing():
    model = SpinModel(N, hamiltonian=[OneAxisTwisting(0.3), OneAxisTwisting(-0.3), Drive(0.0)])
    assert model.canonical.quadratics == ()
    assert model.canonical.fields == ()
    assert not SpinModel(N, jumps=[LocalDecay(0.0), CollectiveDecay(0.0)]).dissipative


def test_two_spins_up_at_unit_distance_have_a_quarter_of_j_z():
    model = SpinModel(
        Lattice(2), hamiltonian=[PowerLawXXZ(j_perp=5.0, j_z=-1.7, exponent=3)]
    ).canonical
    assert hamiltonian(model, site_operators(2), 0.0)[0, 0] == pytest.approx(-1.7 / 4, abs=1e-15)


# --- jumps: rate * D[L], as matrices on the space of density matrices (row-major) ---


def dissipator(rate, operator):
    ldl = operator.conj().T @ operator
    one = np.eye(len(operator))
    return rate * (
        np.kron(operator, operator.conj()) - (np.kron(ldl, one) + np.kron(one, ldl.T)) / 2
    )


def spread_dissipator(rate, reach):
    """sum_i rate D[sum_j reach(i, j) VECTOR . s_j]."""
    single = np.einsum("a,iaxy->ixy", VECTOR, s)
    return sum(dissipator(rate, sum(reach(i, j) * single[j] for j in range(N))) for i in range(N))


def apart(i, j):
    return R[min(i, j), max(i, j)] if i != j else 0.0


def lowered_dissipator(model, time):
    return sum(dissipator(rate, jump) for rate, jump in jump_operators(model, s, time))


VECTOR = np.array([0.3, -0.5j, 0.2 + 0.1j])
VECTORS = np.array([[0.3, -0.5j, 0.2], [1.0, 0.4j, 0.0], [0.1j, 0.6, -0.2 + 0.1j]])
RATES = np.array([0.2, 0.0, 0.5])
CLASS_RATES = np.array([0.2, 0.2, 0.9])
minus, plus = sx - 1j * sy, sx + 1j * sy
Minus, Plus = Sx - 1j * Sy, Sx + 1j * Sy
JUMPS = {
    "collective_decay": (ALIKE, CollectiveDecay(0.4), dissipator(0.4, Minus)),
    "collective_decay, classes": (CLASSES, CollectiveDecay(0.4), dissipator(0.4, Wx - 1j * Wy)),
    "squeezed_collective_decay": (
        ALIKE,
        SqueezedCollectiveDecay(RAMP, r=0.6),
        dissipator(NOW, math.cosh(0.6) * Minus - math.sinh(0.6) * Plus),
    ),
    "collective_jump": (
        ALIKE,
        CollectiveJump(0.4, vector=VECTOR),
        dissipator(0.4, np.einsum("a,axy->xy", VECTOR, s.sum(axis=0))),
    ),
    "collective_jump, by site": (
        ALIKE,
        CollectiveJump(RAMP, vector=VECTORS),
        dissipator(NOW, np.einsum("ia,iaxy->xy", VECTORS, s)),
    ),
    "collective_jump, by class": (
        CLASSES,
        CollectiveJump(0.4, vector=VECTORS[[0, 2]]),
        dissipator(0.4, np.einsum("i,ia,iaxy->xy", WEIGHTS, VECTORS[[0, 0, 2]], s)),
    ),
    "collective_jump, by site of classes": (
        CLASSES,
        CollectiveJump(0.4, vector=VECTORS),
        dissipator(0.4, np.einsum("i,ia,iaxy->xy", WEIGHTS, VECTORS, s)),
    ),
    "local_decay, by class": (
        CLASSES,
        LocalDecay([0.2, 0.9], envelope=RAMP),
        sum(dissipator(NOW * g, x) for g, x in zip(CLASS_RATES, minus, strict=True)),
    ),
    "local_dephasing, by class": (
        CLASSES,
        LocalDephasing([0.2, 0.9]),
        sum(dissipator(g / 2, 2 * x) for g, x in zip(CLASS_RATES, sz, strict=True)),
    ),
    "local_pumping, envelope": (
        ALIKE,
        LocalPumping(0.5, envelope=RAMP),
        sum(dissipator(0.5 * NOW, x) for x in plus),
    ),
    "local_decay": (ALIKE, LocalDecay(0.4), sum(dissipator(0.4, x) for x in minus)),
    "local_decay, by site": (
        ALIKE,
        LocalDecay(RATES),
        sum(dissipator(g, x) for g, x in zip(RATES, minus, strict=True)),
    ),
    "local_pumping": (ALIKE, LocalPumping(RAMP), sum(dissipator(NOW, x) for x in plus)),
    "local_dephasing": (
        ALIKE,
        LocalDephasing(0.4),
        sum(dissipator(0.2, 2 * x) for x in sz),  # (rate/2) D[sigma_z]
    ),
    "local_dephasing, by site": (
        ALIKE,
        LocalDephasing(RATES),
        sum(dissipator(g / 2, 2 * x) for g, x in zip(RATES, sz, strict=True)),
    ),
    "local_jump": (
        ALIKE,
        LocalJump([0.4, 0.4, 0.4], vector=VECTOR),
        sum(dissipator(0.4, np.einsum("a,axy->xy", VECTOR, x)) for x in s),
    ),
    "correlated_jumps": (
        Lattice(positions=TRIANGLE),
        CorrelatedJumps(0.4, vector=VECTOR, range=1.3),
        spread_dissipator(0.4, lambda i, j: math.exp(-apart(i, j) / 1.3)),
    ),
    "correlated_jumps, power law, ramp": (
        Lattice(positions=TRIANGLE),
        CorrelatedJumps(RAMP, vector=VECTOR, exponent=1.5),
        spread_dissipator(NOW, lambda i, j: 1.0 if i == j else apart(i, j) ** -1.5),
    ),
    "correlated_jumps, nearest neighbours on an open chain": (
        Lattice(N, boundary="open"),
        CorrelatedJumps(0.4, vector=VECTOR, exponent=math.inf),
        spread_dissipator(0.4, lambda i, j: float(abs(i - j) <= 1)),
    ),
    "correlated_jumps, of a matrix": (
        ALIKE,
        CorrelatedJumps(0.4, vector=VECTOR, matrix=np.eye(N) + COUPLINGS),
        spread_dissipator(0.4, lambda i, j: COUPLINGS[i, j] + (i == j)),
    ),
    "correlated_jumps, all pairs alike": (
        ALIKE,
        CorrelatedJumps(0.4, vector=VECTOR, matrix=0.7 * np.eye(N) + 0.3),
        spread_dissipator(0.4, lambda i, j: 1.0 if i == j else 0.3),
    ),
    "correlated_jumps, without range": (
        ALIKE,
        CorrelatedJumps(RAMP, vector=VECTOR, range=0),
        spread_dissipator(NOW, lambda i, j: float(i == j)),
    ),
    "correlated_jumps, of infinite range": (
        ALIKE,
        CorrelatedJumps(0.4, vector=VECTOR, range="inf"),
        spread_dissipator(0.4, lambda *_: 1.0),
    ),
    "correlated_jumps, everywhere": (
        ALIKE,
        CorrelatedJumps(0.4, vector=VECTOR, exponent=0),
        N * dissipator(0.4, np.einsum("a,axy->xy", VECTOR, s.sum(axis=0))),
    ),
}


@pytest.mark.parametrize(("kind", "key"), [
    *(("hamiltonian", key) for key in HAMILTONIANS), *(("jumps", key) for key in JUMPS),
])  # fmt: skip
def test_terms_survive_the_way_through_a_file(kind, key):
    spins, term, operator = (HAMILTONIANS if kind == "hamiltonian" else JUMPS)[key]
    tables = json.loads(json.dumps(model_as_tables(SpinModel(spins, **{kind: [term]}))))
    assert tables[kind][0]["term"] == name_of(key)
    again = model_from_tables(tables)
    assert getattr(again, kind) == (term,)
    # Terms are compared by their tables: a field that these lose shows in the operator only.
    lowered = (
        hamiltonian(again.canonical, s, TIME)
        if kind == "hamiltonian"
        else (lowered_dissipator(again.canonical, TIME))
    )
    np.testing.assert_allclose(lowered, operator, atol=1e-13)


@pytest.mark.parametrize("key", JUMPS)
def test_jump_terms_are_their_docstring_dissipator(key):
    spins, term, operator = JUMPS[key]
    assert term.name() == name_of(key)
    model = SpinModel(spins, jumps=[term])
    assert model.dissipative
    np.testing.assert_allclose(lowered_dissipator(model.canonical, TIME), operator, atol=1e-13)


def test_a_matrix_of_jumps_may_miss_its_symmetry_by_rounding():
    """As that of PairCoupling; a reservoir then has exactly symmetric couplings."""
    above, ones = np.nextafter(0.3, 1.0), np.nextafter(1.0, 0.0)
    jump = CorrelatedJumps(1.0, vector=[1, 0, 0], matrix=[[ones, 0.3], [above, 1.0]])
    assert np.array_equal(jump.matrix, jump.matrix.T)
    assert np.array_equal(np.diag(jump.matrix), [1.0, 1.0])


def test_correlated_jumps_of_one_strength_are_local_and_collective_ones():
    def features(**reach):
        term = CorrelatedJumps(0.4, vector=VECTOR, **reach)
        return set(SpinModel(Lattice(6), jumps=[term]).canonical.features)

    assert features(range=0) == {"local_jumps"}
    assert features(range=math.inf) == features(exponent=0) == {"collective_jumps"}
    matrix = 0.5 * (np.eye(6) + 1)
    assert features(matrix=matrix) == {"local_jumps", "collective_jumps"}
    # Negative ones of few spins would need a collective jump of a negative rate.
    assert features(matrix=1.2 * np.eye(6) - 0.2) >= {"correlated_jumps"}
    assert features(range=1e-3) >= {"correlated_jumps"}
    one = SpinModel(Lattice(1), jumps=[CorrelatedJumps(0.4, vector=VECTOR, range=2.0)])
    assert one.canonical.features == {"local_jumps"}


def test_local_dephasing_decays_coherences_at_exactly_its_rate():
    coherence = np.zeros((8, 8))
    coherence[0, 1] = 1.0  # spin 2 between up and down, the others up
    model = SpinModel(N, jumps=[LocalDephasing(0.4)]).canonical
    rate_of_change = lowered_dissipator(model, 0.0) @ coherence.ravel()
    np.testing.assert_allclose(rate_of_change, -0.4 * coherence.ravel(), atol=1e-15)


def test_local_decay_empties_the_excited_state_at_its_rate():
    up = np.zeros((8, 8))
    up[0, 0] = 1.0
    model = SpinModel(N, jumps=[LocalDecay(0.4)]).canonical
    change = (lowered_dissipator(model, 0.0) @ up.ravel()).reshape(8, 8)
    total = Sz.real.diagonal() @ change.diagonal().real
    assert total == pytest.approx(-3 * 0.4, abs=1e-14)


def test_a_cavity_with_a_number_couples_to_s_minus():
    cavity = Cavity(0.7, decay_rate=0.0)
    np.testing.assert_array_equal(cavity.coupling, [0.7, -0.7j, 0.0])
    assert not SpinModel(N, cavity=cavity).dissipative
    assert SpinModel(N, cavity=Cavity(0.7, decay_rate=0.1)).dissipative


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cavity(0.0, decay_rate=1.0), r"^coupling must not be zero; leave the cavity out"),
        (lambda: Cavity(1.0, decay_rate=-1.0), r"^decay_rate must be at least 0, got -1$"),
        (lambda: Cavity([0, 0, 0], decay_rate=1.0), r"^coupling must not be the zero vector"),
        (lambda: Cavity([[0, 0, 0]] * 2, decay_rate=1.0), r"^coupling must not be zero; leave"),
        (
            lambda: CorrelatedJumps(1.0, vector=VECTOR),
            r"^CorrelatedJumps needs one of range, exponent and matrix, got none of them$",
        ),
        (
            lambda: CorrelatedJumps(1.0, vector=VECTOR, range=1.0, exponent=3),
            r"^CorrelatedJumps needs one of range, exponent and matrix, got range and exponent$",
        ),
        (
            lambda: CorrelatedJumps(1.0, vector=VECTOR, range=-1.0),
            r"^range must be at least 0, got -1$",
        ),
        (
            lambda: CorrelatedJumps(-1.0, vector=VECTOR, range=1.0),
            r"^rate must be at least 0, got -1$",
        ),
        (
            lambda: CorrelatedJumps(1.0, vector=VECTOR, matrix=[[1, 0.5], [0.4, 1]]),
            r"^matrix must be symmetric, got 0\.5 at \[0\]\[1\] and 0\.4 at \[1\]\[0\]; give "
            r"\(matrix \+ matrix\.T\)/2$",
        ),
        (
            lambda: CorrelatedJumps(1.0, vector=VECTOR, matrix=[[1, 0.5]]),
            r"^matrix must have one row and one column a spin, got 1 x 2$",
        ),
        (
            lambda: CorrelatedJumps(1.0, vector=VECTOR, matrix=[[2, 0.5], [0.5, 2]]),
            r"^matrix must have ones on its diagonal, got 2; put the size into rate$",
        ),
        (
            lambda: SpinModel(
                3, jumps=[CorrelatedJumps(1.0, vector=VECTOR, matrix=[[1, 0.5], [0.5, 1]])]
            ),
            r"^jumps\.0\.matrix: must have one row a spin, got 2 for 3 spins$",
        ),
        (
            lambda: SpinModel(3, jumps=[CorrelatedJumps(1.0, vector=VECTOR, exponent=3)]),
            r"^jumps\.0: CorrelatedJumps needs distances: give the model a Lattice, or range=0",
        ),
        (
            lambda: SpinModel(CLASSES, jumps=[CorrelatedJumps(1.0, vector=VECTOR, range=1.0)]),
            r"^jumps\.0: CorrelatedJumps needs a lattice or a number of spins, got spin classes",
        ),
        (lambda: Cavity(NOTHING, decay_rate=1.0), r"^coupling must not be zero; leave the cavity"),
        (
            lambda: Cavity(1.0, decay_rate=1.0, envelope=NOTHING),
            r"^coupling must not be zero; leave the cavity out instead$",
        ),
        (
            lambda: Cavity([[1, 0], [0, 1]], decay_rate=1.0),
            r"^coupling must be a number, three numbers \(x, y, z\) or rows of three, each real,",
        ),
        (lambda: Cavity([1, 0], decay_rate=1.0), r"^coupling must be three numbers \(x, y, z\)"),
        (
            lambda: Cavity([[1, 0, 0], [0, 0, np.inf]], decay_rate=1.0),
            r"^coupling must be finite, got ",
        ),
        (
            lambda: Cavity(RAMP, decay_rate=1.0, envelope=RAMP),
            r"^coupling is an envelope itself: leave out envelope$",
        ),
        (lambda: Cavity(abs, decay_rate=1.0), r"^coupling is a function: tabulate it first with "),
        (
            lambda: Cavity(1.0, decay_rate=1.0, internal_decay_rate=-1.0),
            r"^internal_decay_rate must be at least 0, got -1$",
        ),
        (
            lambda: Cavity(1.0, decay_rate=1.0, squeezing=21.0),
            r"^squeezing must be at most 20, got 21$",
        ),
        (
            lambda: Cavity(1.0, decay_rate=0.0, squeezing=0.1, internal_decay_rate=1.0),
            r"^squeezing needs a decay_rate into the squeezed reservoir, got squeezing=0.1 and",
        ),
        (
            lambda: SpinModel([SpinClass(2)], cavity=Cavity([[1, 0, 0]] * 3, decay_rate=1.0)),
            r"^cavity\.coupling: must be one vector, or one a spin or class: got 3 for 2",
        ),
        (lambda: Cavity(True, decay_rate=1.0), r"^coupling must hold numbers only, got True$"),
        (lambda: SpinModel(3, cavity=3), r"^cavity must be a Cavity or None, got 3$"),
        (
            lambda: SpinModel(3, hamiltonian=[LocalDecay(1.0)]),
            r"^hamiltonian must hold hamiltonian terms only, got LocalDecay \(a jump term",
        ),
        (
            lambda: SpinModel(3, jumps=[Drive(1.0)]),
            r"^jumps must hold jump terms only, got Drive \(a Hamiltonian term",
        ),
        (
            lambda: SpinModel(3, jumps="decay"),
            r"^jumps must be a list of terms such as LocalDecay\(0.1\), got 'decay'$",
        ),
        (
            lambda: SpinModel(3, hamiltonian=3),
            r"^hamiltonian must be a list of terms such as OneAxisTwisting\(1.0\), got 3$",
        ),
        (lambda: SpinModel(3, unit=""), r"^unit must be a word such as 'J' or '1/us', got ''$"),
        (
            lambda: SpinModel("3"),
            r"^spins must be an integer, got '3' \(str\); write 3 without quotes$",
        ),
        (lambda: SpinModel([]), r"^spins must be a number, a Lattice or SpinClass objects"),
        (lambda: SpinModel([3]), r"^spins must be a number, a Lattice or SpinClass objects"),
        (
            lambda: SpinModel([SpinClass(10**12), SpinClass(1)]),
            r"^spins must be at most 1000000000000, got 1000000000001$",
        ),
        (lambda: SpinClass(0), r"^count must be at least 1, got 0$"),
        (lambda: TwoAxisTwisting(1.0, axes=("x", "x")), r"^axes must differ, got 'x' twice$"),
        (lambda: TwoAxisTwisting(1.0, axes="xy"), r"^axes must be two axes such as \('x', 'y'\)"),
        (lambda: TwoAxisTwisting(1.0, axes=("x", "w")), r"^axes\[1\] must be 'x', 'y' or 'z'"),
        (lambda: SqueezedCollectiveDecay(1.0, r=30.0), r"^r must be at most 20, got 30$"),
        (
            lambda: SpinModel(3, hamiltonian=[SiteField(FIELDS[:2])]),
            r"^hamiltonian\.0: SiteField needs one vector a spin: got 2 for 3 spins$",
        ),
        (
            lambda: SpinModel(3, hamiltonian=[SiteField(np.zeros((0, 3)))]),
            r"^hamiltonian\.0: SiteField needs one vector a spin: got 0 for 3 spins$",
        ),
        (
            lambda: SpinModel(3, jumps=[LocalDecay([])]),
            r"^jumps\.0: LocalDecay needs one rate, or one a spin: got 0 for 3 spins$",
        ),
        (
            lambda: SpinModel(3, hamiltonian=[UniformField([1e308, 0, 0])] * 2).canonical,
            r"^the strengths of alike terms must have a finite sum, got infinity; choose a unit",
        ),
        (
            lambda: SpinModel(4, hamiltonian=[PairCoupling(COUPLINGS)]),
            r"^hamiltonian\.0: PairCoupling needs a matrix of 4 x 4 for this ensemble, got 3 x 3$",
        ),
        (
            lambda: SpinModel(3, jumps=[LocalDecay([1.0, 2.0])]),
            r"^jumps\.0: LocalDecay needs one rate, or one a spin: got 2 for 3 spins$",
        ),
        (
            lambda: SpinModel(CLASSES, jumps=[LocalDecay([1.0])]),
            r"^jumps\.0: LocalDecay needs one rate, or one a spin or class: got 1 for 3 spins in 2",
        ),
        (
            lambda: SpinModel(3, jumps=[CollectiveJump(1.0, vector=VECTORS[:2])]),
            r"^jumps\.0: CollectiveJump needs one vector, or one a spin: got 2 for 3 spins$",
        ),
        (
            lambda: LocalDecay(RAMP, envelope=RAMP),
            r"^rate is an envelope itself: leave out envelope$",
        ),
        (
            lambda: LocalDecay(1.0, envelope=Envelope([0, 1], values=[1, -1])),
            r"^envelope must be at least 0",
        ),
        (
            lambda: SpinModel(3, hamiltonian=[PowerLawXXZ(j_perp=1.0, j_z=1.0, exponent=3)]),
            r"^hamiltonian\.0: PowerLawXXZ with exponent=3 needs distances: give",
        ),
        (
            lambda: SpinModel(3, hamiltonian=[VanDerWaals(1.0)]),
            r"^hamiltonian\.0: VanDerWaals needs distances: give the model a Lattice, or use One",
        ),
        (lambda: VanDerWaals(1j), r"^c6 must be a real number, got 1j"),
        (
            lambda: VanDerWaals(1.0, form="nn"),
            r"^form must be one of density, ising, got 'nn'",
        ),
        (
            lambda: RydbergDressing(1.0, radius=0),
            r"^radius must be above 0, got 0; without a soft core the coupling is VanDerWaals$",
        ),
        (lambda: RydbergDressing(1.0, radius=np.nan), r"^radius must be a number, got NaN"),
        (
            lambda: DipolarXXZ(j_perp=1.0, j_z=0.0, quantisation_axis=[0, 0, 0]),
            r"^quantisation_axis must have a length above 0, got 0; give \[0, 0, 1\] for z, say$",
        ),
        (
            lambda: DipolarXXZ(j_perp=1.0, j_z=0.0, quantisation_axis="up"),
            r"^quantisation_axis must be one of \+x, -x",
        ),
        (
            lambda: VanDerWaals(1.0).lower(SpinModel(Lattice(positions=[[0, 0], [0, 0]])).ensemble),
            r"^positions must differ: spins 0 and 1 both sit at \[0, 0\]$",
        ),
        (
            lambda: TabulatedCoupling(distances=[0.0, 1.0], values=[1, 2]),
            r"^distances must be above 0, got 0 first$",
        ),
        (
            lambda: TabulatedCoupling(distances=[1.0, 2.0], values=[1, 2j]),
            r"^values must be real, got complex entries",
        ),
        (
            lambda: TabulatedCoupling(distances=[1.0, 2.0], values=[1]),
            r"^values must be as many as the 2 distances, got 1$",
        ),
        (
            lambda: TabulatedCoupling(distances=[1, 2, 3], values=[1, 2, 3], interpolation="cubic"),
            r"^distances must be at least 4 for interpolation='cubic', got 3$",
        ),
        (
            lambda: SpinModel(
                Lattice((4, 4), boundary="open"),
                hamiltonian=[TabulatedCoupling(distances=[1.0, 4.0], values=[1, 2])],
            ),
            r"^hamiltonian\.0\.distances: must reach the farthest pair, 4.24264 apart, got 4 last; "
            r"add distances, or beyond='zero' for no coupling there$",
        ),
        (
            lambda: SpinModel(
                Lattice(positions=TRIANGLE),
                hamiltonian=[TabulatedCoupling(distances=[1.5, 4.0], values=[1, 2])],
            ),
            r"^hamiltonian\.0\.distances: must begin at or below the nearest pair, 1 apart",
        ),
        (
            lambda: IonChainCoupling(**{**TRAP, "beatnote": 5.0}),
            r"^beatnote must not be the frequency of a mode, got 5 at the mode 5; move it off",
        ),
        (
            lambda: SpinModel(
                3, hamiltonian=[IonChainCoupling(**{**TRAP, "beatnote": math.sqrt(24.0)})]
            ),
            r"^hamiltonian\.0\.beatnote: must not be the frequency of a mode",
        ),
        (
            lambda: SpinModel(20, hamiltonian=[IonChainCoupling(**TRAP)]),
            r"^hamiltonian\.0\.transverse_frequency: must be above 8.40465 for 20 ions, got 5: the",
        ),
        (
            lambda: SpinModel(1001, hamiltonian=[IonChainCoupling(**TRAP)]),
            r"^hamiltonian\.0\.n_ions: must be at most 1000, got 1001$",
        ),
        (
            lambda: SpinModel(Lattice((3, 3)), hamiltonian=[IonChainCoupling(**TRAP)]),
            r"^hamiltonian\.0: IonChainCoupling is of a chain: give the model a number of spins",
        ),
        (lambda: IonChainCoupling(**{**TRAP, "recoil": 0.0}), r"^recoil must be above 0, got 0$"),
    ],
)
def test_terms_and_models_refuse(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_strengths_spins_and_positions_come_from_results():
    result = xr.Dataset({"rate": ("time", [0.25, 0.5]), "n": ("time", [3, 4])})
    rate, n = result["rate"][1], result["n"][1]
    model = SpinModel(
        n, hamiltonian=[OneAxisTwisting(rate)], jumps=[LocalDephasing(rate)],
        cavity=Cavity(rate, decay_rate=rate),
    )  # fmt: skip
    plain = SpinModel(
        4, hamiltonian=[OneAxisTwisting(0.5)], jumps=[LocalDephasing(0.5)],
        cavity=Cavity(0.5, decay_rate=0.5),
    )  # fmt: skip
    assert json.dumps(model_as_tables(model)) == json.dumps(model_as_tables(plain))
    chain = Lattice(n, spacing=rate, filling=rate)
    assert (chain.shape, chain.spacing, chain.n_spins) == ((4,), 0.5, 2)
