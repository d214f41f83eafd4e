"""Steady states order by order: powers of the error, the paper's pure theory, large N, refusals."""

import json
import math

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, TooLarge, Unsupported
from spinsqueeze.methods.base.truncation import raise_to_square
from spinsqueeze.methods.perturbation import alike as low_spins
from spinsqueeze.methods.perturbation import alike_series, orders, power_series
from spinsqueeze.models import interchangeable
from spinsqueeze.run.questions import steady_question

DOWN = sq.CoherentState("-z")
LAMBDAS = np.array([0.02, 0.04, 0.08])


def xyz(n, size):
    """Eq. (43) ff. of the paper: J = (0.8 ± lambda, 0.3), spins decay one by one."""
    coupling = sq.CollectiveXYZ(j_x=0.8 + size, j_y=0.8 - size, j_z=0.3)
    return sq.SpinModel(n, hamiltonian=[coupling], jumps=[sq.LocalDecay(1.0)])


def transverse_ising(n, size):
    """sum of all pairs along x in a field along z."""
    terms = [sq.UniformField([0, 0, 1.0]), sq.CollectiveXYZ(j_x=size, j_y=0.0, j_z=0.0)]
    return sq.SpinModel(n, hamiltonian=terms, jumps=[sq.LocalDecay(1.0)])


def driven_dicke(n, size):
    """Rabi drive and collective emission."""
    return sq.SpinModel(n, hamiltonian=[sq.Drive(size)], jumps=[sq.CollectiveDecay(1.0 / n)])


def alike(n, size):
    """Every piece that alike spins may have, with both kinds of emission."""
    tensor = size * np.array([[0.3, 0.1, 0.2], [0.1, -0.2, 0.1], [0.2, 0.1, 0.0]])
    terms = [
        sq.CollectiveQuadratic(tensor + np.diag([0.1, 0.1, -0.3])),
        sq.UniformField([0.3 * size, -0.2 * size, 0.5]),
        sq.PowerLawXYZ(j_x=0.2, j_y=0.2 + 0.1 * size, j_z=0.4, exponent=0),
    ]
    return sq.SpinModel(
        sq.Lattice((n,)), hamiltonian=terms, jumps=[sq.LocalDecay(1.0), sq.CollectiveDecay(0.2)]
    )


def unlike(_n, size):
    """Three classes of one spin: weights, detunings, rates and couplings of their own."""
    tensor = np.array([[1.0, 0.3, 0.2], [0.3, 1.5, 0.4], [0.2, 0.4, 0.6]])
    kept = np.diag([1.0, 1.0, 0.6])
    terms = [
        sq.PairCoupling(
            [[0, 0.4, 0.2], [0.4, 0, 0.7], [0.2, 0.7, 0]], tensor=kept + size * (tensor - kept)
        ),
        sq.OneAxisTwisting(0.2),
        sq.UniformField([0.3 * size, -0.2 * size, 0.5]),
        sq.CollectiveQuadratic(size * np.array([[0.3, 0.1, 0.2], [0.1, -0.2, 0.1], [0.2, 0.1, 0]])),
    ]
    classes = [
        sq.SpinClass(1, weight=0.7, detuning=0.3),
        sq.SpinClass(1, weight=1.3),
        sq.SpinClass(1, detuning=-0.4),
    ]
    jumps = [sq.LocalDecay([1.0, 0.5, 0.8]), sq.CollectiveDecay(0.3)]
    return sq.SpinModel(classes, hamiltonian=terms, jumps=jumps)


CASES = {
    "xyz": (xyz, 8, sq.PermutationInvariant(), None),
    "transverse_ising": (transverse_ising, 7, sq.PermutationInvariant(), None),
    "driven_dicke": (driven_dicke, 8, sq.SymmetricSubspace(), DOWN),
    "alike": (alike, 5, sq.PermutationInvariant(), None),
    "unlike": (unlike, 3, sq.Exact(), None),
}


def solved(model, method, state=None):
    return sq.steady_state(model, initial_state=state, method=method)


def gap(found, exact):
    return max(float(abs(found[v] - exact[v]).max()) for v in ("spin", "covariance"))


@pytest.mark.parametrize("name", CASES)
def test_order_k_errs_by_the_power_k_plus_one(name):
    make, n, method, state = CASES[name]
    exact = [solved(make(n, size), method, state) for size in LAMBDAS]
    for order in (1, 2, 3, 4):
        models = [make(n, size) for size in LAMBDAS]
        found = [solved(model, sq.Perturbation(order), state) for model in models]
        errors = [gap(f, e) for f, e in zip(found, exact, strict=True)]
        # Parity may make it one power better; rounding of the exact solution ends the fit.
        if errors[0] > 1e-10:
            power = np.polyfit(np.log(LAMBDAS), np.log(errors), 1)[0]
            assert order + 0.8 < power < order + 2.3
        for f, e in zip(found, exact, strict=True):
            for variable in ("spin", "covariance", "xi2", "purity"):
                allowed = 1.5 * f[f"{variable}_truncation"] + 1e-10
                assert np.all(np.abs(f[variable] - e[variable]) <= allowed)
            if order > 1:
                assert abs(float(f.purity - e.purity)) < 20 * errors[-1] + 1e-10


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_powers_hold_over_a_decade(name):
    make, n, method, state = CASES[name]
    sizes = np.geomspace(0.012, 0.12, 6)
    models = [make(n, size) for size in sizes]
    exact = [solved(model, method, state) for model in models]
    for order in (1, 2, 3, 4):
        errors = np.array(
            [
                gap(solved(model, sq.Perturbation(order), state), e)
                for model, e in zip(models, exact, strict=True)
            ]
        )
        seen = errors > 1e-10  # below lies the rounding of the exact solution
        assert seen.sum() >= 3
        power = np.polyfit(np.log(sizes[seen]), np.log(errors[seen]), 1)[0]
        assert order + 0.8 < power < order + 2.3


def test_the_pure_theory_is_off_by_two_where_spins_decay_one_by_one():
    """Excited pairs: <S_z> + N/2 is twice what a pure state would have; linear terms agree."""
    size = 0.01
    pure = solved(xyz(8, size), sq.Perturbation(2, state="pure"))
    mixed = solved(xyz(8, size), sq.Perturbation(2))
    exact = solved(xyz(8, size), sq.PermutationInvariant())
    excited = [float(run.spin[2]) + 4 for run in (pure, mixed, exact)]
    assert excited[2] / excited[0] == pytest.approx(2.0, abs=0.01)
    assert excited[1] == pytest.approx(excited[2], rel=1e-3)
    first = [solved(xyz(8, size), sq.Perturbation(1, state=s)) for s in ("pure", "mixed")]
    np.testing.assert_allclose(first[0].covariance, first[1].covariance, atol=1e-15)


def test_the_pure_theory_is_exact_in_second_order_with_collective_emission():
    """The driven Dicke state stays pure to fourth order."""
    for size in (0.01, 0.02):
        pure = solved(driven_dicke(6, size), sq.Perturbation(2, state="pure"), DOWN)
        mixed = solved(driven_dicke(6, size), sq.Perturbation(2), DOWN)
        np.testing.assert_allclose(pure.spin, mixed.spin, atol=1e-13)
        np.testing.assert_allclose(pure.covariance, mixed.covariance, atol=1e-13)
        assert float(pure.purity) == pytest.approx(1.0, abs=1e-13)
    # Pairs that decay leave single flips, mixed; coherences with all-down stay exact.
    terms = [sq.UniformField([0.02, 0.01, 0.0]), sq.TwoAxisTwisting(0.01)]
    model = sq.SpinModel(6, hamiltonian=terms, jumps=[sq.CollectiveDecay(1 / 6)])
    pure, mixed = (solved(model, sq.Perturbation(2, state=s), DOWN) for s in ("pure", "mixed"))
    np.testing.assert_allclose(pure.spin[:2], mixed.spin[:2], atol=1e-13)
    assert float(pure.covariance[0, 1]) == pytest.approx(float(mixed.covariance[0, 1]), abs=1e-13)


@pytest.mark.parametrize("n", [2, 20, 10**6])
def test_the_slope_of_the_xyz_model(n):
    """Two flips: xi2 = 1 - 2 |b| sqrt(...) with psi_1 = -<2|H1|0>/(E_2 - E_0 - i gamma) |2>."""
    found = solved(xyz(n, 0.1), sq.Perturbation(3))
    series = [float(c) for c in json.loads(found.attrs["diagnostics"])["xi2_series"].split(",")]
    # H1 = (lambda/N)(S_x^2 - S_y^2); E_2 - E_0 = (0.8 - 0.3) * (-(4 - 2 N))/N, decay 2 gamma/2.
    energy = (0.3 - 0.8) * (4.0 - 2.0 * n) / n
    element = 0.1 / n / 2 * math.sqrt(2 * n * (n - 1))
    amplitude = element / abs(energy - 1j)
    slope = 4 * amplitude * math.sqrt(2 * n * (n - 1)) / 2 / n
    assert series[1] == pytest.approx(-slope, rel=1e-9)


def test_moments_at_a_million_spins_are_those_of_the_limit():
    """Relative to N/4 nothing depends on N any more but by 1/N."""
    few, many = (solved(xyz(n, 0.1), sq.Perturbation(4)) for n in (10**5, 10**6))
    np.testing.assert_allclose(few.xi2, many.xi2, rtol=2e-5)
    assert float(many.covariance[0, 0] + many.covariance[1, 1]) > 2 * 10**6 / 4


def test_the_series_and_its_pade_form():
    """Eq. (58) ff.: transverse Ising at lambda = 0.3, where the bare sum is worse."""
    model = transverse_ising(7, 0.3)
    exact = float(solved(model, sq.PermutationInvariant()).xi2)
    found = solved(model, sq.Perturbation(6))
    notes = json.loads(found.attrs["diagnostics"])
    assert abs(notes["xi2_pade"] - exact) < 1e-4
    assert notes["xi2_radius"] > 1
    radii = [
        json.loads(solved(xyz(7, size), sq.Perturbation(5)).attrs["diagnostics"])["xi2_radius"]
        for size in (0.1, 0.2)
    ]
    assert radii[0] / radii[1] == pytest.approx(2.0, rel=1e-6)


def test_power_series():
    x = np.array([[0.0], [1.0], [0], [0], [0], [0]])
    a = 1 / (1 - 0.3) ** np.arange(6.0)[:, None]  # 1/(1 - x/0.7)
    np.testing.assert_allclose(power_series.inverse(a)[:2, 0], [1, -1 / 0.7], atol=1e-12)
    np.testing.assert_allclose(power_series.inverse(a)[2:], 0, atol=1e-12)
    begins = power_series.times(x, power_series.times(x, a))
    assert power_series.leading(begins, noise=np.zeros(1)) == 1
    root = power_series.root(begins, order=1)
    squared = power_series.times(root, root)[:5, 0]
    np.testing.assert_allclose(squared, [0, 0, 1, a[1, 0], a[2, 0]])
    others = np.array([[0.0, 1.0, 0.5], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).T
    first = power_series.leading(others, noise=np.zeros(3))
    assert first.tolist() == [power_series.NOT_WHOLE, power_series.NOT_WHOLE, 3]
    assert not power_series.root(others[:, 2:], order=3).any()
    halves = 0.5 ** np.arange(5)
    columns = np.array([halves, [3.0, 1, 0, 0, 0]]).T  # 1/(1 - x/2) at 1; a polynomial is its own
    assert power_series.pade(columns) == pytest.approx([2.0, 4.0])
    assert power_series.radius(halves) == pytest.approx(2.0)
    assert power_series.radius(np.array([1.0, 5.0, 0.25, 0.001])) == pytest.approx(2.0)


def test_a_perturbation_that_is_too_large_warns():
    for strength, order, message in (
        (2.5, 1, "order 1 has a negative variance; the perturbation is too large"),
        (2.5, 2, "the orders beyond 2 have no bound; the perturbation is too large"),
        (0.6, 2, "the orders beyond change xi2 by 1.9 (204%)"),
    ):
        data = solved(xyz(8, strength), sq.Perturbation(order))
        assert message in data.attrs["warnings"]
    assert f"{float(data['xi2_truncation']):.2g}" == "1.9"  # one number for one error
    assert json.loads(solved(xyz(8, 0.1), sq.Perturbation(2)).attrs["warnings"]) == []
    # A first order has a negative variance along the spin however weak the drive: no concern.
    weak = sq.SpinModel(5, hamiltonian=[sq.Drive(0.01)], jumps=[sq.LocalDecay(1.0)])
    for order in (1, 2, 3):
        assert json.loads(solved(weak, sq.Perturbation(order)).attrs["warnings"]) == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (xyz(4, 0.1), None),
        (
            sq.SpinModel(4, hamiltonian=[sq.Drive(0.1)], jumps=[sq.LocalDephasing(1.0)]),
            "only lower",
        ),
        (sq.SpinModel(4, hamiltonian=[sq.Drive(0.1)], jumps=[sq.LocalPumping(1.0)]), "only lower"),
        (
            sq.SpinModel(
                4, hamiltonian=[sq.Drive(0.1)], jumps=[sq.SqueezedCollectiveDecay(1.0, r=1)]
            ),
            "only lower",
        ),
        (sq.SpinModel(4, cavity=sq.Cavity(0.1, decay_rate=1.0)), "a cavity"),
    ],
)
def test_models_outside_the_assumptions(model, message):
    if message is None:
        solved(model, "perturbation")
        return
    with pytest.raises(Unsupported, match=message):
        solved(model, sq.Perturbation())


@pytest.mark.parametrize("options", [{}, {"state": "pure"}, {"order": 1, "next_order": False}])
@pytest.mark.parametrize("hamiltonian", [[], [sq.OneAxisTwisting(1.0)], [sq.Drive(0.0)]])
def test_all_spins_down_without_a_perturbation(hamiltonian, options):
    model = sq.SpinModel(6, hamiltonian=hamiltonian, jumps=[sq.LocalDecay(1.0)])
    data = solved(model, sq.Perturbation(**options))
    assert float(data["xi2"]) == 1.0
    assert np.array_equal(data["spin"], [0.0, 0.0, -3.0])
    assert data.attrs["warnings"] == "[]"


def test_outside_of_its_domain_no_error_is_claimed_and_nothing_compared():
    jumps = [sq.CollectiveDecay(1.0), sq.LocalDecay(0.1)]
    model = sq.SpinModel(20, hamiltonian=[sq.Drive(8.0)], jumps=jumps)
    compared = sq.compare(model, methods=["permutation_invariant", sq.Perturbation()])
    assert np.all(np.isinf(compared.datasets["perturbation"]["spin_truncation"]))
    assert {d.grade for d in compared.differences} == {"no bound"}
    assert str(compared).count("nothing to compare, outside the domain of perturbation") == 5


def test_emission_together_alone_stays_within_the_largest_spin():
    """From a state outside of it, there is another steady state."""
    model = driven_dicke(4, 0.1)
    with pytest.raises(Unsupported, match="finds the steady state within total spin N/2"):
        solved(model, sq.Perturbation(), sq.ProductState([[0, 0, 1.0], *[[0, 0, -1.0]] * 3]))


def test_what_does_not_decay_is_named():
    """Two classes that the collective jump sees alike: singlets of both are dark."""
    model = sq.SpinModel(
        [sq.SpinClass(2), sq.SpinClass(2, weight=1.0, detuning=1e-12)],
        hamiltonian=[sq.SiteField([[0.1, 0, 0], [0.2, 0, 0], [0, 0, 0], [0, 0, 0]])],
        jumps=[sq.CollectiveDecay(1.0)],
    )
    with pytest.raises(NumericalFailure, match="does not decay"):
        solved(model, sq.Perturbation(1))
    idle = [sq.SpinClass(1), sq.SpinClass(1), sq.SpinClass(1, detuning=1.0)]
    pair = sq.PairCoupling([[0, 1, 0], [1, 0, 0], [0, 0, 0]], tensor=np.diag([0.1, -0.1, 0]))
    model = sq.SpinModel(idle, hamiltonian=[pair], jumps=[sq.LocalDecay([1.0, 1.0, 0.0])])
    for method in (
        sq.Perturbation(1),
        sq.Perturbation(1, next_order=False),
        sq.Perturbation(2, state="pure"),
    ):
        with pytest.raises(NumericalFailure, match="does not decay"):
            solved(model, method)
    with pytest.raises(InvalidInput, match="must be 1 or 2 with state='pure'"):
        sq.Perturbation(3, state="pure")


def test_first_order_of_many_spins_that_differ():
    """Amplitudes of two flips give what density matrices of few flips do; a lattice of 12 x 12."""
    alone = solved(unlike(3, 0.05), sq.Perturbation(1, next_order=False))
    whole = solved(unlike(3, 0.05), sq.Perturbation(1))
    for name in ("spin", "covariance", "purity"):
        np.testing.assert_allclose(alone[name], whole[name], atol=1e-13)
    lattice = sq.SpinModel(
        sq.Lattice((12, 12), boundary="open"),
        hamiltonian=[sq.PowerLawXYZ(j_x=0.6, j_y=0.4, j_z=0.3, exponent=3)],
        jumps=[sq.LocalDecay(list(np.linspace(0.8, 1.2, 144)))],
    )
    found = solved(lattice, sq.Perturbation(1, next_order=False))
    slope = sq.squeezing_theorem(lattice).uniform.slope
    series = json.loads(found.attrs["diagnostics"])["xi2_series"].split(", ")
    assert float(series[1]) == pytest.approx(slope, rel=1e-7)
    with pytest.raises(TooLarge, match="next_order=False takes two flips only"):
        solved(lattice, sq.Perturbation(1))


@pytest.mark.parametrize("perturbed", [(), ("couplings",), ("couplings", "detunings")])
@pytest.mark.parametrize(("n", "order"), [(2, 2), (5, 4), (10**6, 3)])
def test_unit_matrices_add_up_to_those_of_the_model(n, order, perturbed):
    """Against the equations of the model itself: every moment of every order."""
    for make in (alike, xyz, driven_dicke):
        arrays = interchangeable.at_peak(steady_question(make(n, 0.1), initial_state=DOWN).model)
        space = low_spins.flip_space(n, arrays, 2 * order, perturbed)
        expected = orders.read(space, orders.mixed_orders(space, order, 2))
        found, stuck = alike_series.mixed_series(
            n, [arrays], order=order, reach=2, perturbed=perturbed
        )
        assert not stuck.any()
        for name in ("lower", "flips", "square", "number", "flips_squared", "mixed", "purity"):
            want = getattr(expected, name)
            scale = np.abs(want).max()
            np.testing.assert_allclose(getattr(found, name), want, atol=1e-11 * scale + 1e-16)


@pytest.mark.parametrize("order", [1, 4])
def test_a_point_has_the_same_bits_in_any_company(order):
    """Single steady states, a sweep of one number after another, and points that do not decay."""
    over = {"hamiltonian.0.j_x": [0.9, 1.1, 2.0], "hamiltonian.0.j_y": [0.8, 0.4]}
    method = sq.Perturbation(order)
    swept = sq.sweep(xyz(8, 0.1), over=over, method=method, workers=0)
    for i, j_x in enumerate(over["hamiltonian.0.j_x"]):
        for k, j_y in enumerate(over["hamiltonian.0.j_y"]):
            coupling = sq.CollectiveXYZ(j_x=j_x, j_y=j_y, j_z=0.3)
            model = sq.SpinModel(8, hamiltonian=[coupling], jumps=[sq.LocalDecay(1.0)])
            alone, point = solved(model, method), swept.isel(j_x=i, j_y=k)
            for name in ("xi2", "spin", "covariance", "purity", "xi2_truncation"):
                assert alone[name].values.tobytes() == point[name].values.tobytes()
            for name in ("diagnostics", "warnings"):
                assert alone.attrs[name] == point[name].item()


def test_company_of_other_sorts_changes_nothing():
    models = [xyz(8, 0.1), driven_dicke(8, 0.1), xyz(9, 0.1), alike(8, 0.1), unlike(3, 0.1)]
    stuck = sq.SpinModel(
        8, hamiltonian=[sq.CollectiveXYZ(j_x=0.9, j_y=0.7, j_z=0.3)], jumps=[sq.LocalDecay(1e-30)]
    )
    method = sq.Perturbation(2)
    questions = [
        steady_question(model, initial_state=DOWN) for model in (models[0], stuck, *models[1:])
    ]
    first, failure, *others = method.answer_many(questions)
    assert isinstance(failure, NumericalFailure)
    assert "does not decay" in str(failure)
    for answer, question in zip([first, *others], [questions[0], *questions[2:]], strict=True):
        expected = method.answer(question)
        assert answer.diagnostics == expected.diagnostics
        for name, reading in expected.readings.items():
            assert answer.readings[name].values.tobytes() == reading.values.tobytes()


@pytest.mark.parametrize(
    ("drive", "other"), [(0.02, 0.02), (0.04, 0.04), (0.08, 0.08), (0.08, 0.081)]
)
def test_what_parity_empties_is_claimed_all_the_same(drive, other):
    """<S^2> of driven spins has no second and third order; what is left out is of the fourth.

    In fields that hardly differ, those orders are next to nothing.
    """
    fields = sq.SiteField([[drive, 0, 0], [other, 0, 0]])
    model = sq.SpinModel(2, hamiltonian=[fields], jumps=[sq.LocalDecay(1.0)])
    data = sq.steady_state(model, method=sq.Perturbation(order=1))
    exact = sq.steady_state(model, method=sq.Exact())
    for name in ("total_spin_squared", "purity", "xi2", "contrast"):
        error = abs(float(data[name] - exact[name]))
        assert 0.0 < error <= float(data[f"{name}_truncation"]) < 0.2, name


def test_what_no_state_has_is_said_and_claimed():
    """A drive as strong as the collective decay, of five spins: order 2 is no state."""
    model = sq.SpinModel(
        5, hamiltonian=[sq.Drive(1.0)], jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.1)]
    )
    exact = solved(model, "exact")
    for order in (2, 3, 4, 6):
        data = solved(model, sq.Perturbation(order))
        for name in ("xi2", "contrast"):
            assert abs(float(data[name] - exact[name])) <= float(data[f"{name}_truncation"]), name
        missing = 1.0 - float(data["uncertainty_product"])
        assert missing <= float(data["uncertainty_product_truncation"])
        said = "an uncertainty product of" in data.attrs["warnings"]
        assert said == (missing > 2.5e-3)
        both = "order 2 has a contrast of 1.003 and an uncertainty product of 0.8948"
        assert (both in data.attrs["warnings"]) == (order == 2)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(0.25, 2.0), (-0.25, 2.0), (0.95, 5.0), (1.0, np.inf), (2.0, np.inf), (0.0, 1.0)],
)
def test_orders_beyond_those_computed_repeat_them(ratio, expected):
    """1/(1 - q), q^4 = ratio^2 after two orders, at most 5; no bound where orders grow."""
    flips = np.zeros((4, 1))
    flips[1:, 0] = 0.01 * ratio ** np.arange(3.0)
    empty = np.zeros((4, 1))
    series = orders.Series(2, empty, flips, empty, flips, empty, empty, empty)
    np.testing.assert_allclose(series.all_orders(1, computed=2), [expected])
    flips[1] = 0.0
    unknown = np.inf if ratio else 1.0
    np.testing.assert_allclose(series.all_orders(1, computed=2), [unknown])


@pytest.mark.parametrize(("spin", "covariance"), [(0.1, 0.2), (0.2, 0.1)])
def test_claims_are_at_least_the_square_of_the_largest_change(spin, covariance):
    """Relative to N/2 and N/4; the purity has the scale 1, <S^2> that of N/2."""
    n = 10
    claims = {
        "spin": np.array([[0.0, spin, 0.0]]) * n / 2,
        "covariance": np.diag([0.0, covariance, 0.0])[None] * n / 4,
        "purity": np.array([1e-6]),
        "total_spin_squared": np.array([1e-6]),
        "contrast": np.array([0.3]),
    }
    raise_to_square(claims, n)
    assert claims["purity"] == pytest.approx(0.04)
    assert claims["total_spin_squared"] == pytest.approx(0.04 * n / 2)
    assert claims["contrast"] == 0.3
    np.testing.assert_allclose(claims["spin"], [np.array([0.04, spin, 0.04]) * n / 2])
