"""Conserving parts that count as perturbation: powers of the error against dense steady states."""

import json

import numpy as np
import pytest
from tests.problems import brute_force

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.perturbation import method as perturbation_method
from spinsqueeze.run.study_file import study_from_tables

LAMBDAS = np.array([0.02, 0.04, 0.08])
PARTS = (("couplings",), ("detunings",), ("couplings", "detunings"))


def alike(size, *, perturbed):
    """Drives of one and two flips, exchange, z z and a detuning; both kinds of emission."""
    couplings = size if "couplings" in perturbed else 1.0
    detuning = size if "detunings" in perturbed else 1.0
    drive = size * np.array([[0.3, 0.1, 0.2], [0.1, -0.3, 0.1], [0.2, 0.1, 0.0]])
    terms = [
        sq.CollectiveQuadratic(drive + couplings * np.diag([0.2, 0.2, -0.4])),
        sq.UniformField([0.4 * size, -0.2 * size, 0.7 * detuning]),
        sq.PowerLawXXZ(j_perp=0.3 * couplings, j_z=-0.5 * couplings, exponent=0),
    ]
    jumps = [sq.LocalDecay(1.0), sq.CollectiveDecay(0.2)]
    return sq.SpinModel(sq.Lattice((4,)), hamiltonian=terms, jumps=jumps)


def unlike(size, *, perturbed):
    """Couplings, detunings, weights, rates and phases of emission that differ."""
    couplings = size if "couplings" in perturbed else 1.0
    detuning = size if "detunings" in perturbed else 1.0
    field = np.array([[0.3, 0.1, 0.5], [0.2, -0.2, -0.6], [-0.1, 0.4, 0.3]])
    matrix = np.array([[0, 0.4, 0.2], [0.4, 0, 0.7], [0.2, 0.7, 0]])
    drive = np.array([[0.5, 0.3, 0.2], [0.3, -0.5, 0.4], [0.2, 0.4, 0.0]])
    terms = [
        sq.PairCoupling(matrix, tensor=size * drive + couplings * np.diag([0.9, 0.9, -0.7])),
        sq.SiteField(field * [size, size, detuning]),
        sq.CollectiveQuadratic(couplings * np.diag([0.3, 0.3, 0.1])),
    ]
    together = np.exp([[0.4j], [-0.7j], [1.1j]]) * np.array([1, -1j, 0])
    jumps = [sq.LocalDecay([1.0, 0.6, 0.8]), sq.CollectiveJump(0.3, vector=together)]
    return sq.SpinModel(3, hamiltonian=terms, jumps=jumps)


def dense_state(model):
    """(spin operators, the steady state) on 4^N numbers."""
    n = model.n_spins
    s = brute_force.site_operators(n)
    generator = brute_force.liouvillian(model.canonical, s, 0.0)
    size = 2**n
    trace = np.eye(size).ravel()
    generator[0] = trace  # in place of one equation, which follows from the others
    rho = np.linalg.solve(generator, np.eye(1, size**2)[0]).reshape(size, size)
    return s.sum(axis=0), rho


def dense_moments(model):
    """<S> and the covariance of the steady state."""
    S, rho = dense_state(model)
    spin = np.array([np.trace(rho @ a).real for a in S])
    second = np.array([[np.trace(rho @ (a @ b + b @ a)).real / 2 for b in S] for a in S])
    return spin, second - np.outer(spin, spin)


def solved(model, method):
    return sq.steady_state(model, method=method)


def series(data):
    return [float(c) for c in json.loads(data.attrs["diagnostics"])["xi2_series"].split(", ")]


@pytest.mark.parametrize("perturbed", PARTS, ids="+".join)
@pytest.mark.parametrize("make", [alike, unlike])
def test_order_k_errs_by_the_power_k_plus_one(make, perturbed):
    models = [make(size, perturbed=perturbed) for size in LAMBDAS]
    exact = [dense_moments(model) for model in models]
    for order in (1, 2, 3, 4):
        found = [solved(m, sq.Perturbation(order, perturbed=perturbed)) for m in models]
        errors = np.array(
            [
                [
                    np.abs(f[name] - e).max()
                    for name, e in zip(("spin", "covariance"), pair, strict=True)
                ]
                for f, pair in zip(found, exact, strict=True)
            ]
        )
        power = np.polyfit(np.log(LAMBDAS), np.log(errors.max(axis=1)), 1)[0]
        assert order + 0.8 < power < order + 1.5
        claims = [[np.max(f[f"{v}_truncation"]) for v in ("spin", "covariance")] for f in found]
        assert np.all(errors <= 1.5 * np.array(claims) + 1e-12)


@pytest.mark.slow
def test_claims_hold_for_random_models_short_of_a_warning(monkeypatch):
    """In all cases, and in half of them by less than two and a half times the error."""
    monkeypatch.setattr(
        perturbation_method, "mean_field_instability", lambda *_, **__: None
    )  # not looked at
    rng = np.random.default_rng(4)
    ratios = {name: [] for name in ("spin", "covariance", "total_spin_squared", "purity")}
    for _ in range(20):
        size = 10 ** rng.uniform(-1.5, -0.2)
        matrix = rng.normal(size=(3, 3))
        field = rng.normal(size=3) * [1, 1, rng.choice([0, 1, 3])]
        terms = [
            sq.CollectiveQuadratic(size / 2 * (matrix + matrix.T)),
            sq.UniformField(size * field),
        ]
        jumps = [sq.LocalDecay(1.0), sq.CollectiveDecay(rng.uniform(0, 0.5))]
        model = sq.SpinModel(3, hamiltonian=terms, jumps=jumps)
        spin, covariance = dense_moments(model)
        _, rho = dense_state(model)
        exact = {
            "spin": spin,
            "covariance": covariance,
            "total_spin_squared": spin @ spin + np.trace(covariance),
            "purity": np.trace(rho @ rho).real,
        }
        for perturbed in ((), ("couplings",), ("couplings", "detunings")):
            for order in (1, 2, 3):
                found = solved(model, sq.Perturbation(order, perturbed=perturbed))
                if "too large" in found.attrs["warnings"]:
                    continue
                for name, value in exact.items():
                    error = np.abs(found[name].values - value).max() - 1e-12
                    ratios[name].append(error / float(np.max(found[f"{name}_truncation"])))
    for name, of_name in ratios.items():
        assert len(of_name) > 50, name
        assert np.max(of_name) < 0.8, name
        assert np.median(of_name) > 0.4, name


def test_the_name_moves_a_part_and_nothing_else():
    """Without couplings or detunings there is nothing to move."""
    terms = [sq.CollectiveQuadratic([[0.05, 0, 0], [0, -0.05, 0], [0, 0, 0]])]
    plain = sq.SpinModel(5, hamiltonian=terms, jumps=[sq.LocalDecay(1.0)])
    detuned = sq.SpinModel(
        5, hamiltonian=[*terms, sq.UniformField([0, 0, 0.2])], jumps=[sq.LocalDecay(1.0)]
    )
    for perturbed in PARTS:
        method = sq.Perturbation(3, perturbed=perturbed)
        for model, same in ((plain, True), (detuned, "detunings" not in perturbed)):
            moved, natural = solved(model, method), solved(model, sq.Perturbation(3))
            assert np.array_equal(moved.covariance, natural.covariance) == same


def test_nothing_is_left_of_h0():
    """Two flips without energy: their first order is the drive over the decay alone."""
    model = sq.SpinModel(
        6, hamiltonian=[sq.CollectiveXYZ(j_x=0.5, j_y=0.3, j_z=0.9)], jumps=[sq.LocalDecay(1.0)]
    )
    found = solved(model, sq.Perturbation(1, perturbed=("couplings",)))
    # H = sum_{i<j} (2/N) J_a s^a_i s^a_j: <ij|H1|0> = (0.5 - 0.3)/(2 N), b = -i <ij|H1|0>/gamma.
    square = 6 * 5 * 0.2 / (2 * 6)
    assert abs(float(found.covariance[0, 1])) == pytest.approx(square / 2, rel=1e-12)
    assert float(found.covariance[0, 0]) == pytest.approx(1.5, rel=1e-12)


@pytest.mark.parametrize("perturbed", PARTS, ids="+".join)
@pytest.mark.parametrize("state", ["mixed", "pure"])
def test_first_order_alone_and_the_pure_theory_split_likewise(perturbed, state):
    """Amplitudes of two flips, by kinds and by displacement, against density matrices."""
    chain = sq.SpinModel(
        sq.Lattice((2, 2)),
        hamiltonian=[
            sq.PowerLawXYZ(j_x=0.05, j_y=-0.03, j_z=0.4, exponent=3),
            sq.PowerLawXXZ(j_perp=0.6, j_z=0.1, exponent=np.inf),
            sq.UniformField([0.02, 0.01, 0.5]),
        ],
        jumps=[sq.LocalDecay(1.0), sq.CollectiveDecay(0.1)],
    )
    for model in (chain, unlike(0.05, perturbed=())):
        whole = solved(model, sq.Perturbation(1, perturbed=perturbed))
        options = {"next_order": False} if state == "mixed" else {"state": "pure"}
        alone = solved(model, sq.Perturbation(1, perturbed=perturbed, **options))
        for name in ("spin", "covariance", "purity"):
            np.testing.assert_allclose(alone[name], whole[name], atol=1e-13)
    # Collective emission: the pure theory is exact to second order, whatever the split.
    terms = [sq.Drive(0.02), sq.OneAxisTwisting(0.03), sq.UniformField([0, 0, 0.04])]
    dicke = sq.SpinModel(6, hamiltonian=terms, jumps=[sq.CollectiveDecay(1 / 6)])
    down = sq.CoherentState("-z")
    both = [
        sq.steady_state(
            dicke, initial_state=down, method=sq.Perturbation(2, state=s, perturbed=perturbed)
        )
        for s in ("pure", "mixed")
    ]
    np.testing.assert_allclose(both[0].covariance, both[1].covariance, atol=1e-13)


def test_the_series_of_xi2_begins_where_twisting_and_drive_first_meet():
    """Lambda^3 with both perturbed; no order is lost and none made of rounding."""
    for size in (1e-3, 1e-2):
        terms = [sq.Drive(size), sq.OneAxisTwisting(size)]
        model = sq.SpinModel(4, hamiltonian=terms, jumps=[sq.LocalDecay(1.0)])
        method = sq.Perturbation(4, perturbed=("couplings",), next_order=False)
        found = series(solved(model, method))
        assert len(found) == 5
        assert np.abs(found[1:3]).max() < 1e-15
        spin, covariance = dense_moments(model)
        along = spin / np.linalg.norm(spin)
        across = np.linalg.svd(along[None])[2][1:]
        least = 4 * np.linalg.eigvalsh(across @ covariance @ across.T)[0] / (spin @ spin)
        assert found[3] == pytest.approx(least - 1, rel=30 * size)
        assert found[3] < -1e-3 * size**3


@pytest.mark.parametrize("n", [5, 100, 1000, 10**6])
def test_driven_spins_that_decay_alone_have_a_series_without_orders_of_rounding(n):
    """A product of mixed spins: xi2 = 1/(1 - ...) is even in the drive and has no linear term."""
    model = sq.SpinModel(n, hamiltonian=[sq.Drive(0.1)], jumps=[sq.LocalDecay(1.0)])
    found = series(solved(model, sq.Perturbation(4)))
    # <s_-> = -i a, <s_z> = -1/2 + p: a = 0.1/(1 + 2 0.1^2), p = 0.1^2/(1 + 2 0.1^2).
    excited, minus = 0.01 / 1.02, 0.1 / 1.02
    xi2 = (1 / 4) / ((0.5 - excited) ** 2 + minus**2)
    assert sum(found) == pytest.approx(xi2, abs=2e-5)
    assert found[1] == found[3] == 0
    assert abs(found[2]) < 1e-15 * n


def test_the_option_in_words_and_files():
    method = sq.Perturbation(perturbed=["detunings", "couplings"])
    assert method.perturbed == ("couplings", "detunings")
    tables = {
        "ensemble": {"spins": 4},
        "hamiltonian": [{"term": "drive", "rabi": 0.01}, {"term": "one_axis_twisting", "chi": 0.1}],
        "jumps": [{"term": "local_decay", "rate": 1.0}],
        "method": {"name": "perturbation", "order": 3, "perturbed": ["couplings"]},
        "run": {"steady_state": True},
    }
    for wrong, match in (
        ("couplings", "must be a list of couplings and detunings, got 'couplings'"),
        (["coupling"], "did you mean 'couplings'"),
        (3, "must be a list"),
    ):
        with pytest.raises(InvalidInput, match=match):
            sq.Perturbation(perturbed=wrong)
    study = study_from_tables(tables)
    assert study.method.perturbed == ("couplings",)
    assert study.method.option_table()["perturbed"] in (["couplings"], ("couplings",))


def test_a_flip_that_only_leaves_by_a_perturbed_coupling_does_not_decay():
    pair = sq.PairCoupling([[0, 1, 0], [1, 0, 0.5], [0, 0.5, 0]], tensor=np.diag([0.4, 0.2, 0]))
    detuned = sq.SiteField([[0, 0, 0], [0, 0, 0], [0, 0, 0.3]])
    model = sq.SpinModel(3, hamiltonian=[pair, detuned], jumps=[sq.LocalDecay([1.0, 1.0, 0.0])])
    solved(model, sq.Perturbation(1))
    for options in ({}, {"next_order": False}, {"state": "pure"}, {"state": "pure", "order": 2}):
        method = sq.Perturbation(**({"order": 1, "perturbed": ("couplings",)} | options))
        with pytest.raises(NumericalFailure, match="does not decay"):
            solved(model, method)
