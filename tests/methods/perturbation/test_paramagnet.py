"""Where the paramagnet breaks in mean field: closed forms, the definition, the MeanField method."""

from functools import reduce

import numpy as np
import pytest
from tests.problems.dense_model import HALF_PAULI, generators, spins

import spinsqueeze as sq
from spinsqueeze.methods.base import paramagnet
from spinsqueeze.methods.base.paramagnet import mean_field_instability
from spinsqueeze.methods.cumulants.initial import initial_cumulants
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.numerics import mean_field
from spinsqueeze.papers.huybrechts2024 import setting
from spinsqueeze.results.dataset import diagnostics_of, warnings_of
from spinsqueeze.run.questions import steady_question

DOWN = sq.CoherentState("-z")
MANY = 10**7


def instability(model):
    return mean_field_instability(steady_question(model).model)


@pytest.mark.parametrize("perturbed", [("couplings",), ("couplings", "detunings")])
def test_one_spin_that_nothing_perturbs_stays_where_it_is(perturbed):
    model = sq.SpinModel(1, hamiltonian=[sq.TwoAxisTwisting(0.1)], jumps=[sq.LocalDecay(1.0)])
    form = steady_question(model).model
    assert mean_field_instability(form, perturbed=perturbed).strength == np.inf


@pytest.mark.parametrize("mean", [-1.8, -0.2, 1.0, 1.7])
@pytest.mark.parametrize("emission", [sq.LocalDecay(1.0), sq.CollectiveDecay(1.0 / MANY)])
def test_the_xyz_model(mean, emission):
    """(J_x - J_z)(J_y - J_z) = -gamma^2/4, with individual and with collective emission."""
    size = 0.3
    coupling = sq.CollectiveXYZ(j_x=mean + size, j_y=mean - size, j_z=setting.J_Z)
    found = instability(sq.SpinModel(MANY, hamiltonian=[coupling], jumps=[emission]))
    expected = setting.critical_difference(mean) / size
    assert found.strength == pytest.approx(expected, rel=1e-6)
    assert (found.outcome, found.frequency) == (mean_field.UNSTABLE, 0.0)


@pytest.mark.parametrize("across", [0.0, 0.1])
def test_spins_of_a_kind_against_each_other(across):
    """Alike spins break where those break that differ by next to nothing."""

    def of(rates, exponent=0.0):
        return instability(
            sq.SpinModel(
                sq.Lattice((len(rates),)),
                hamiltonian=[
                    sq.PowerLawXYZ(j_x=0.2, j_y=1.8, j_z=0.1, exponent=exponent),
                    sq.UniformField([across, 0.0, 0.5]),
                ],
                jumps=[sq.LocalDecay(rates), sq.CollectiveDecay(0.05)],
            )
        )

    alike = of([0.2] * 4)
    assert alike.wave == mean_field.RELATIVE
    assert alike.strength < 0.9
    apart = of([0.2, 0.2 + 1e-8, 0.2 - 1e-8, 0.2 + 2e-8])
    assert alike.strength == pytest.approx(apart.strength, rel=1e-4)
    assert of([0.2] * 4, 1e-9).strength == pytest.approx(alike.strength, rel=1e-4)
    kinds = of([0.2, 0.2, 0.35, 0.35])
    apart = of([0.2, 0.2 + 1e-8, 0.35, 0.35 + 1e-8])
    assert kinds.strength == pytest.approx(apart.strength, rel=1e-4)


def test_alike_spins_against_each_other_have_the_general_answer():
    """The formula of alike spins beside that of a class of them and one that weighs the same."""
    couplings = [[0.3, 0.2, 0.0], [0.2, 1.9, 0.0], [0.0, 0.0, -0.4]]

    def of(spins):
        return instability(
            sq.SpinModel(
                spins,
                hamiltonian=[sq.CollectiveQuadratic(couplings), sq.UniformField([0.0, 0.0, 0.7])],
                jumps=[sq.LocalDecay(0.3), sq.CollectiveDecay(0.05)],
            )
        )

    alike = of(6)
    classes = of([sq.SpinClass(3), sq.SpinClass(3, detuning=1e-9)])
    assert (alike.wave, classes.wave) == (mean_field.RELATIVE, mean_field.RELATIVE)
    assert alike.strength == pytest.approx(classes.strength, rel=1e-6)
    rigid = instability(
        sq.SpinModel(
            6, hamiltonian=[sq.CollectiveQuadratic(couplings)], jumps=[sq.CollectiveDecay(1)]
        )
    )
    assert rigid.wave == 0


def test_few_alike_spins_together():
    """|M|/|P|: each of 6 has 5 partners, but emits with all 6."""
    couplings = [[0.3, 0.2, 0.0], [0.2, -1.1, 0.0], [0.0, 0.0, -0.4]]

    def of(spins):
        return instability(
            sq.SpinModel(
                spins,
                hamiltonian=[sq.CollectiveQuadratic(couplings), sq.UniformField([0.0, 0.0, 0.7])],
                jumps=[sq.LocalDecay(0.3), sq.CollectiveDecay(0.4)],
            )
        )

    alike = of(6)
    assert alike.wave == 0
    classes = of([sq.SpinClass(3), sq.SpinClass(3, detuning=1e-9)])
    assert alike.strength == pytest.approx(classes.strength, rel=1e-6)


@pytest.mark.parametrize("field", [-6.0, -0.7, 2.0])
def test_the_transverse_ising_model(field):
    """At the phase boundary lambda is 1: the exchange part of J_x belongs to H0."""
    j_x = float(setting.critical_coupling(field))
    found = instability(setting.ising_model(MANY, j_x=j_x, field=field))
    assert found.strength == pytest.approx(1.0, rel=1e-6)
    for factor in (0.9, 1.1):
        inside = bool(setting.ising_paramagnetic(factor * j_x, field))
        found = instability(setting.ising_model(MANY, j_x=factor * j_x, field=field))
        assert (found.strength > 1) == inside


@pytest.mark.parametrize("n", [2, 20, 10**9])
def test_the_driven_dicke_model_ends_at_half_the_rate(n):
    """m_y = Omega/Gamma cannot exceed 1/2, at every N: spins that decay together keep |m| = 1/2."""
    found = instability(setting.dicke_model(n, drive=0.3))
    assert found.strength == pytest.approx(0.5 / 0.3, rel=1e-9)
    assert found.outcome == mean_field.ENDS


@pytest.mark.parametrize("lattice", [False, True])
def test_parts_that_conserve_s_z_may_grow_with_the_perturbation(lattice):
    """e and p grow alike: lambda^2 (p^2 - e^2) = gamma^2/4, where p > e at all."""
    for mean, breaks in ((0.9, True), (0.5, False)):
        strengths = {"j_x": mean + 0.3, "j_y": mean - 0.3, "j_z": 1.0}
        if lattice:  # a ring of nearest neighbours, k = 0: twice the coupling
            term, spins = (
                sq.PowerLawXYZ(**strengths, exponent=np.inf),
                sq.Lattice((6,), boundary="periodic"),
            )
            e, p = (
                np.cos(np.pi * np.arange(6) / 3) * mean - 1.0,
                np.cos(np.pi * np.arange(6) / 3) * 0.3,
            )
            inside = p**2 > e**2
            expected = np.min(0.5 / np.sqrt((p**2 - e**2)[inside]), initial=np.inf)
        else:
            term, spins = sq.CollectiveXYZ(**strengths), MANY
            expected = 0.5 / np.sqrt(0.3**2 - (mean - 1) ** 2) if breaks else np.inf
        model = sq.SpinModel(spins, hamiltonian=[term], jumps=[sq.LocalDecay(1.0)])
        form = steady_question(model).model
        found = mean_field_instability(form, perturbed=("couplings",))
        assert found.strength == pytest.approx(expected, rel=1e-6)
        assert np.isfinite(found.strength) == breaks


def test_bistability_with_decay_of_single_spins():
    """x (1 + C/(1 + x^2)) = drive: the lower branch folds where the right side has its maximum."""
    cooperativity, n = 40.0, 400
    together = cooperativity / (n - 1)
    rate = 1.0 + together  # a spin decays alone, also by what it emits with the others
    model = sq.SpinModel(
        n, hamiltonian=[sq.Drive(1.0)], jumps=[sq.LocalDecay(1.0), sq.CollectiveDecay(together)]
    )
    x = np.linspace(0.5, 2.0, 200001)
    drive = x * (1 + cooperativity / rate / (1 + x**2)) * rate / np.sqrt(2)
    upper = drive[: np.argmin(drive[len(drive) // 4 :]) + len(drive) // 4].max()
    found = instability(model)
    assert found.outcome == mean_field.ENDS
    assert found.strength == pytest.approx(upper, rel=1e-8)


def test_growth_at_a_frequency():
    """Two kinds driven in pairs: the mean of M_1 and M_2 counts, half their difference turns."""
    M = np.diag([2.0 - 0.3j, -1.2 - 0.3j])
    found = mean_field.of_pairs(M, np.array([[0, 0.5], [0.5, 0]], dtype=complex))
    assert found.strength == pytest.approx(2 * np.hypot(0.4, 0.3), rel=1e-9)
    assert found.frequency == pytest.approx(1.6, rel=1e-6)


# -- the definition: d<s_i>/dt of a product state, from 2^N


def sites(scale):
    """Three spins of which nothing is alike."""
    across = np.array([[0.5, 0.3, 0.0], [0.3, -0.4, 0.0], [0.0, 0.0, 0.0]])
    kernel = np.array([[0, 0.9, -0.5], [0.9, 0, 0.7], [-0.5, 0.7, 0]])
    terms = [
        sq.PairCoupling(kernel, tensor=np.diag([0.3, 0.3, -0.6]) + np.diag([0.05, 0.05, 0])),
        sq.PairCoupling(kernel, tensor=scale * (across - np.diag([0.05, 0.05, 0]))),
        sq.SiteField([[0, 0, 0.6], [0, 0, -0.2], [0, 0, 0.1]]),
    ]
    jumps = [sq.LocalDecay([0.4, 0.7, 0.5]), sq.CollectiveDecay(0.2)]
    return sq.SpinModel(3, hamiltonian=terms, jumps=jumps)


def ring(scale):
    """Alike spins on a ring, of which a wave vector other than 0 grows first."""
    terms = [
        sq.PowerLawXYZ(j_x=0.4, j_y=0.4, j_z=-0.5, exponent=1.5),
        sq.PowerLawXYZ(j_x=0.6 * scale, j_y=-0.6 * scale, j_z=0.0, exponent=1.5),
        sq.UniformField([0, 0, -0.5]),
    ]
    lattice = sq.Lattice((4,), boundary="periodic")
    return sq.SpinModel(lattice, hamiltonian=terms, jumps=[sq.LocalDecay(0.4)])


def driven_sites(scale):
    """As `sites`, in fields across."""
    model = sites(scale)
    fields = scale * np.array([[0.3, 0.1, 0], [0.1, -0.2, 0], [0.05, 0.2, 0]])
    return sq.SpinModel(
        3, hamiltonian=[*model.hamiltonian, sq.SiteField(fields)], jumps=model.jumps
    )


def driven_ring(scale):
    """A staggered order grows on the branch that a uniform field moves."""
    terms = [
        sq.PowerLawXYZ(j_x=0.4, j_y=0.4, j_z=-0.5, exponent=1.5),
        sq.PowerLawXYZ(j_x=0.6 * scale, j_y=-0.6 * scale, j_z=0.0, exponent=1.5),
        sq.UniformField([0.2 * scale, 0.1 * scale, -0.5]),
    ]
    lattice = sq.Lattice((4,), boundary="periodic")
    return sq.SpinModel(lattice, hamiltonian=terms, jumps=[sq.LocalDecay(0.4)])


def mean_field_rates(make):
    """(lambda, m (3 N,)) -> d<s_i>/dt of the product of (1/2 + 2 m_i.s_i), by 2^N states."""
    n = make(0.0).n_spins
    spin = spins(n).reshape(3 * n, -1)
    at_0, at_1 = (
        spin.conj() @ sum(strength * matrix for strength, matrix in generators(make(scale)))
        for scale in (0.0, 1.0)
    )

    def rate(scale, m):
        one = [
            np.eye(2) / 2 + 2 * np.einsum("a,abc->bc", row, HALF_PAULI) for row in m.reshape(n, 3)
        ]
        return ((at_0 + scale * (at_1 - at_0)) @ reduce(np.kron, one).ravel()).real

    return rate


def derivative(rate, scale, m):
    """Exact: every rate is linear in each m."""
    return np.array([rate(scale, m + d) - rate(scale, m - d) for d in 0.5 * np.eye(len(m))]).T


def growth_on_branch(rate, n, strength):
    """The largest real part there, all-down followed by Newton's method in steps of lambda."""
    m = np.tile([0.0, 0.0, -0.5], n)
    for scale in np.linspace(0.0, strength, 10):
        for _ in range(6):
            m = m - np.linalg.solve(derivative(rate, scale, m), rate(scale, m))
    assert np.abs(rate(strength, m)).max() < 1e-11
    return np.linalg.eigvals(derivative(rate, strength, m)).real.max()


@pytest.mark.parametrize("make", [sites, ring, driven_ring])
def test_the_definition_of_mean_field(make):
    model = make(1.0)
    found, rate = instability(model), mean_field_rates(make)
    assert found.outcome == mean_field.UNSTABLE
    assert growth_on_branch(rate, model.n_spins, 0.999 * found.strength) < 0
    assert growth_on_branch(rate, model.n_spins, 1.001 * found.strength) > 0
    if make is not sites:
        assert found.wave != 0


def test_the_flow_of_product_states():
    """Rates and their derivatives off the branch, of spins that differ and emit with phases."""

    def make(scale):
        model = driven_sites(scale)
        phases = np.exp([[0.4j], [-0.7j], [1.1j]]) * np.array([1, -1j, 0])
        jumps = [*model.jumps, sq.CollectiveJump(0.3, vector=phases)]
        return sq.SpinModel(3, hamiltonian=model.hamiltonian, jumps=jumps)

    flow = paramagnet._of_kinds(steady_question(make(1.0)).model, ())
    rate = mean_field_rates(make)
    for strength, seed in ((0.0, 1), (0.7, 2)):
        m = np.random.default_rng(seed).uniform(-0.5, 0.5, (3, 3))
        np.testing.assert_allclose(
            flow.rate(m, strength).ravel(), rate(strength, m.ravel()), atol=1e-12
        )
        np.testing.assert_allclose(
            flow.jacobian(m, strength), derivative(rate, strength, m.ravel()), atol=1e-12
        )
        slope = (rate(1.0, m.ravel()) - rate(0.0, m.ravel())).reshape(3, 3)
        np.testing.assert_allclose(flow.slope(m), slope, atol=1e-12)


def test_nothing_breaks_a_branch_that_the_definition_finds_stable():
    found, rate = instability(driven_sites(1.0)), mean_field_rates(driven_sites)
    for strength in np.linspace(0.1, min(found.strength * 0.99, 5.0), 4):
        assert growth_on_branch(rate, 3, strength) < 0


# -- the MeanField method, whose equations come from other tables


def classes(scale):
    """Two classes with weights, detunings, and both kinds of emission."""
    matrix = np.array([[0.2, 0.1, 0.0], [0.1, -0.3, 0.0], [0.0, 0.0, 0.0]])
    kept = np.diag([-0.05, -0.05, 0.3])
    return sq.SpinModel(
        [sq.SpinClass(3, weight=0.8, detuning=0.4), sq.SpinClass(5, weight=1.2, detuning=-0.3)],
        hamiltonian=[
            sq.CollectiveQuadratic(kept + scale * (matrix - np.diag([-0.05, -0.05, 0.0])))
        ],
        jumps=[sq.LocalDecay([0.5, 0.9]), sq.CollectiveDecay(0.1)],
    )


def growth_by_cumulants(model):
    """The largest real part of the Jacobian of MeanField's equations at all-down."""
    question = steady_question(model, initial_state=DOWN)
    equations = sq.MeanField(products="pauli")._equations(question, 1)
    p = initial_cumulants(question, equations.series)
    slopes = jacobian(p, equations.strengths[0][0], equations)[1:, 1:]
    return np.linalg.eigvals(slopes).real.max()


def test_the_jacobian_of_the_mean_field_method():
    found = instability(classes(1.0))
    assert growth_by_cumulants(classes(0.999 * found.strength)) < 0
    assert abs(growth_by_cumulants(classes(found.strength))) < 1e-9
    assert growth_by_cumulants(classes(1.001 * found.strength)) > 0


@pytest.mark.parametrize("side", [0.999, 1.001])
def test_mean_field_steady_states_at_the_fold(side):
    """Below, the state that all-down runs into is the branch; beyond, it is a far one."""

    def model(drive):
        jumps = [sq.LocalDecay(0.02), sq.CollectiveDecay(1.0 / 100)]
        return sq.SpinModel(100, hamiltonian=[sq.Drive(drive)], jumps=jumps)

    fold = instability(model(0.1)).strength * 0.1
    end = sq.steady_state(
        model(side * fold), initial_state=DOWN, method=sq.MeanField(next_order=False)
    )
    assert (float(end.spin[2]) < -20) == (side < 1)


# -- what a user sees


def test_a_result_warns_beyond_the_instability():
    inside, outside = (setting.xyz_model(20, j_x=-0.8 + d, j_y=-0.8 - d) for d in (0.5, 2.5))
    for model, beyond in ((inside, False), (outside, True)):
        data = sq.steady_state(model, method=sq.Perturbation(2))
        strength = diagnostics_of(data)["mean_field_instability"]
        assert (strength < 1) == beyond
        assert any("is unstable in mean field" in w for w in warnings_of(data)) == beyond
    data = sq.steady_state(
        setting.dicke_model(20, drive=0.6), initial_state=DOWN, method=sq.Perturbation(2)
    )
    assert any("ends in mean field at lambda = 0.8333" in w for w in warnings_of(data))
