"""Where open models end, how fast, and how well that is known: against dense algebra."""

import contextlib
import json

import mpmath
import numpy as np
import pytest
from tests.problems.open_models import (
    coherent_density,
    collective_moments,
    exact_liouvillian,
    limit_of_long_times,
    random_direction,
    random_model,
    symmetric_liouvillian,
    symmetric_operators,
)

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, NumericalFailure

METHODS = ("permutation_invariant", "symmetric", "closed_form")
X = sq.CoherentState("+x")


def draws(quick, slow):
    """Seeds: `quick` by default, `slow` more of them marked slow."""
    rest = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, quick + slow)]
    return [*range(quick), *rest]


def solved(model, state):
    """Every method's steady state of a model from a state."""
    for name in METHODS:
        if name == "symmetric" and model.canonical.local_jumps:
            continue
        try:
            yield name, sq.steady_state(model, initial_state=state, method=name)
        except sq.core.errors.Unsupported:
            assert name == "closed_form"


@pytest.mark.parametrize("seed", draws(40, 140))
def test_steady_state_is_the_limit_of_long_times(seed):
    rng = np.random.default_rng(seed)
    n_spins = int(rng.integers(1, 4)) if seed % 4 else 4
    model, direction = random_model(rng, n_spins=n_spins), random_direction(rng)
    limit = limit_of_long_times(model, coherent_density(n_spins, direction))
    spin, covariance = collective_moments(limit, n_spins)
    values = np.linalg.eigvals(symmetric_liouvillian(model))
    n_zero = int((np.abs(values) < 1e-10 * np.abs(values).max()).sum())
    for _, data in solved(model, sq.CoherentState(direction.tolist())):
        assert np.abs(data["spin"].values - spin).max() < 1e-10 * n_spins
        assert np.abs(data["covariance"].values - covariance).max() < 1e-10 * n_spins**2
        assert float(data["purity"]) == pytest.approx(np.sum(np.abs(limit) ** 2), abs=1e-9)
        diagnostics = json.loads(data.attrs["diagnostics"])
        if "unique" in diagnostics:
            assert diagnostics["zero_modes"] == n_zero
            assert bool(diagnostics["unique"]) == (n_zero == 1)
    if n_zero > 1:
        with pytest.raises(InvalidInput, match=f"{n_zero} independent steady states"):
            sq.steady_state(model, method="permutation_invariant")
    else:
        alone = sq.steady_state(model, method="permutation_invariant")
        assert np.abs(alone["spin"].values - spin).max() < 1e-10 * n_spins


@pytest.mark.parametrize("seed", draws(60, 240))
def test_gap_is_that_of_the_dense_symmetric_operators(seed):
    rng = np.random.default_rng(seed)
    n_spins = int(rng.integers(1, 5)) if seed % 10 else 5
    model = random_model(rng, n_spins=n_spins)
    values = np.linalg.eigvals(symmetric_liouvillian(model))
    size = np.abs(values).max()
    decaying = values[np.abs(values) > 1e-9 * size]
    result = sq.liouvillian_gap(model, n_modes=6)
    assert result.complete
    assert result.zero_modes == values.size - decaying.size
    # eigenvalues without a basis of eigenvectors move as a root of rounding, here and there
    assert np.abs(result.gap + decaying.real.max()) < 1e-11 * size + 2 * result.errors[0]
    for value, error in zip(result.eigenvalues, result.errors, strict=True):
        assert np.abs(values - value).min() < 1e-11 * size + 2 * error


def eigensystem(matrix, rng):
    """Eigenvalues, left and right eigenvectors; where mpmath's QR goes in circles, of S A S^-1."""
    try:
        return mpmath.eig(matrix, left=True, right=True)
    except RuntimeError:
        S = mpmath.matrix(rng.normal(size=(matrix.rows, matrix.rows)).tolist())
        back = S**-1
        values, left, right = mpmath.eig(S * matrix * back, left=True, right=True)
        return values, left * S, back * right


@pytest.mark.parametrize("seed", draws(12, 100))
def test_claimed_errors_hold_over_nine_decades_of_rates(seed):
    rng = np.random.default_rng(seed)
    n_spins = int(rng.integers(1, 3))
    model, direction = random_model(rng, n_spins=n_spins, wide=True), random_direction(rng)
    with mpmath.workdps(50):
        values, left, right = eigensystem(exact_liouvillian(model), rng)
        size = max(abs(value) for value in values)
        # axes rounded to doubles differ by 1e-16: what that makes decay, at 1e-32, is conserved
        zero = [k for k, value in enumerate(values) if abs(value) < size * mpmath.mpf("1e-28")]
        gap = min(-values[k].real for k in range(len(values)) if k not in zero)
        R = mpmath.matrix([[right[i, k] for k in zero] for i in range(len(values))])
        L = mpmath.matrix([[left[k, i] for i in range(len(values))] for k in zero])
        basis = np.round(symmetric_operators(n_spins))
        start = basis.conj().T @ coherent_density(n_spins, direction).ravel()
        start = mpmath.matrix((start / np.sum(np.abs(basis) ** 2, axis=0)).tolist())
        limit = R * mpmath.lu_solve(L * R, L * start)
    rho = (basis @ np.array([complex(x) for x in limit])).reshape(2**n_spins, -1)
    spin, _ = collective_moments(rho, n_spins)
    with contextlib.suppress(NumericalFailure):  # refused as near-singular: no number, no claim
        for _, data in solved(model, sq.CoherentState(direction.tolist())):
            claimed = float(data.attrs["numerical_error"]) * np.sqrt(n_spins) / 2
            assert np.abs(data["spin"].values - spin).max() <= claimed
    with contextlib.suppress(NumericalFailure):
        result = sq.liouvillian_gap(model)
        assert abs(result.gap - gap) <= result.errors[0]


@pytest.mark.parametrize("n_spins", [1, 2, 3, 20])
@pytest.mark.parametrize("hamiltonian", [[], [sq.OneAxisTwisting(0.4, axis="x")]])
def test_dephasing_about_x_keeps_the_spin_along_x(n_spins, hamiltonian):
    model = sq.SpinModel(
        n_spins, hamiltonian=hamiltonian, jumps=[sq.LocalJump(0.3, vector=[1, 0, 0])]
    )
    data = sq.steady_state(model, initial_state=X)
    assert data["spin"].values == pytest.approx([n_spins / 2, 0, 0], abs=1e-12 * n_spins)
    assert float(data["purity"]) == pytest.approx(1.0, abs=1e-12)
    assert float(data["xi2"]) == pytest.approx(1.0, abs=1e-12)
    diagnostics = json.loads(data.attrs["diagnostics"])
    assert diagnostics["unique"] == 0
    assert diagnostics["zero_modes"] == n_spins + 1
    with pytest.raises(InvalidInput, match="give initial_state to choose"):
        sq.steady_state(model)


def test_however_weak_a_connecting_field_is_the_limit_is_its_own():
    # S_x decays at about 1e-20 / 1e3 here: never seen in an evolution, but the limit is zero
    jumps = [sq.LocalJump(1e3, vector=[1, 0, 0])]
    weak = sq.SpinModel(6, hamiltonian=[sq.UniformField([0.0, 1e-10, 0.0])], jumps=jumps)
    data = sq.steady_state(weak, initial_state=X)
    assert np.abs(data["spin"].values).max() < 1e-12
    assert json.loads(data.attrs["diagnostics"])["unique"] == 1
    with pytest.raises(NumericalFailure, match="gap is below rounding"):
        sq.liouvillian_gap(weak)


def test_several_steady_states_say_how_to_choose():
    collective = sq.SpinModel(4, jumps=[sq.CollectiveJump(1.0, vector=[0, 0, 1])])
    with pytest.raises(InvalidInput, match=r"9 independent steady states .*give initial_state"):
        sq.steady_state(collective)
    decay = sq.SpinModel(4, jumps=[sq.CollectiveDecay(1.0)])
    with pytest.raises(InvalidInput, match=r"3 independent .*each of the 3 total spins"):
        sq.steady_state(decay)
    assert float(sq.steady_state(sq.SpinModel(1, jumps=decay.jumps))["spin"][2]) == -0.5


def test_many_conserved_levels_are_no_obstacle():
    # more steady states than any block iteration holds, with and without total spin conserved
    n = 24
    twisting = [sq.OneAxisTwisting(0.3)]
    for jump in (sq.LocalDephasing(0.2), sq.CollectiveJump(0.2, vector=[0, 0, 1])):
        data = sq.steady_state(sq.SpinModel(n, hamiltonian=twisting, jumps=[jump]), initial_state=X)
        assert np.abs(data["spin"].values).max() < 1e-10
        # populations of S_z stay binomial: variance N/4
        assert float(data["covariance"][2, 2]) == pytest.approx(n / 4, rel=1e-12)


@pytest.mark.parametrize("n_spins", [2, 5, 12])
@pytest.mark.parametrize("axis", ["x", "z"])
def test_gap_of_collective_dephasing_is_half_the_rate(n_spins, axis):
    # coherences between neighbouring levels decay at g/2; every population is conserved
    vector = [1, 0, 0] if axis == "x" else [0, 0, 1]
    model = sq.SpinModel(n_spins, jumps=[sq.CollectiveJump(0.3, vector=vector)])
    result = sq.liouvillian_gap(model)
    assert result.gap == pytest.approx(0.15, rel=1e-12)
    j = n_spins / 2 - np.arange(n_spins // 2 + 1)
    assert result.zero_modes == np.sum(2 * j + 1)


def test_zero_and_oscillating_modes_do_not_crowd_out_the_gap():
    twisting = [sq.OneAxisTwisting(1.0, axis="y")]
    model = sq.SpinModel(6, hamiltonian=twisting, jumps=[sq.LocalJump(1.0, vector=[0, 1, 0])])
    result = sq.liouvillian_gap(model)
    # one string differs from another by one spin: rate g/2, beside N + 1 conserved populations
    assert result.gap == pytest.approx(0.5, rel=1e-12)
    assert result.zero_modes == 7
    model = sq.SpinModel(4, hamiltonian=[sq.CollectiveExchange(0.9)], jumps=[sq.LocalPumping(0.7)])
    dense = np.linalg.eigvals(symmetric_liouvillian(model))
    result = sq.liouvillian_gap(model, n_modes=1)
    assert result.gap == pytest.approx(-np.sort(dense.real)[-2], rel=1e-9)
    assert result.gap == pytest.approx(0.35, rel=1e-9)


def test_a_field_turns_the_modes_it_commutes_with():
    for direction in ([0, 0, 3.0], [3.0, 0, 0]):
        model = sq.SpinModel(
            4,
            hamiltonian=[sq.UniformField(direction)],
            jumps=[sq.LocalJump(1.0, vector=np.sign(direction).tolist())],
        )
        result = sq.liouvillian_gap(model)
        assert result.gap == pytest.approx(0.5, rel=1e-12)
        slowest = result.eigenvalues[:2]
        assert slowest.real == pytest.approx([-0.5, -0.5], rel=1e-12)
        assert sorted(slowest.imag) == pytest.approx([-3.0, 3.0], rel=1e-12)


@pytest.mark.parametrize("seed", draws(4, 40))
def test_iteration_agrees_with_dense_sectors(seed, monkeypatch):
    from spinsqueeze.methods.permutation_invariant import spectrum

    rng = np.random.default_rng(1000 + seed)
    model = random_model(rng, n_spins=int(rng.integers(7, 9)))
    monkeypatch.setattr(spectrum, "DENSE", 5000)
    whole = sq.liouvillian_gap(model)
    monkeypatch.setattr(spectrum, "DENSE", 30)
    iterated = sq.liouvillian_gap(model)
    allowed = whole.errors[0] + iterated.errors[0] + 1e-9 * whole.gap
    assert abs(whole.gap - iterated.gap) <= allowed
    assert whole.zero_modes == iterated.zero_modes


def test_incomplete_search_is_said(monkeypatch):
    from spinsqueeze.methods.permutation_invariant import spectrum

    monkeypatch.setattr(spectrum, "DENSE", 20)
    jumps = [sq.LocalDecay(1e-4), sq.LocalPumping(2.0)]
    model = sq.SpinModel(6, hamiltonian=[sq.Drive(30.0)], jumps=jumps)
    monkeypatch.setattr(spectrum, "AFFORDABLE", 10.0)
    assert not sq.liouvillian_gap(model).complete
    monkeypatch.setattr(spectrum, "AFFORDABLE", 1e5)
    assert sq.liouvillian_gap(model).complete


@pytest.mark.parametrize("seed", draws(12, 100))
def test_parts_that_decay_to_nothing_do_not_end_a_long_run(seed):
    rng = np.random.default_rng(seed)
    n, r, time = (7, -1.462, 52.8) if seed == 0 else (
        int(rng.integers(2, 9)),
        float(rng.normal()),
        float(10 ** rng.uniform(1, 3)),
    )  # fmt: skip
    state = sq.CoherentState(random_direction(rng).tolist())
    model = sq.SpinModel(n, jumps=[sq.SqueezedCollectiveDecay(1.0, r=r)])
    steady = sq.steady_state(model, initial_state=state, method="permutation_invariant")
    gap = sq.liouvillian_gap(model, maximal_spin_only=True).gap
    end = max(100 * time, 41 / gap)
    late = sq.simulate(model, state, [time, end], method="symmetric").isel(time=-1)
    allowed = (float(late.attrs["numerical_error"]) + 1e-11) * n
    assert np.abs(late["spin"].values - steady["spin"].values).max() < allowed


@pytest.mark.parametrize("end", [70.0, 700.0, 7000.0])
@pytest.mark.parametrize(
    "method",
    [
        sq.SymmetricSubspace(),
        sq.SymmetricSubspace(1e-6),
        sq.SymmetricSubspace(algorithm="rational"),
        sq.PermutationInvariant(),
        sq.PermutationInvariant(algorithm="rational"),
        sq.PermutationInvariant(1e-12, algorithm="polynomial"),
    ],
    ids=str,
)
def test_many_turns_are_claimed_as_well_as_they_are_known(method, end):
    """One spin turns 4e5 radians while it hardly dephases: the Bloch equations in 40 digits."""
    field, rate = (26.0, -52.0, 27.0), 1e-3
    model = sq.SpinModel(
        1, hamiltonian=[sq.UniformField(field)], jumps=[sq.CollectiveJump(rate, vector=[0, 0, 1])]
    )
    data = sq.simulate(model, sq.CoherentState("+z"), [1e-3, end], method=method)
    with mpmath.workdps(40):
        x, y, z = field
        # dS/dt = b x S, and D[s_z] damps the plane at half its rate.
        bloch = mpmath.matrix([[-rate / 2, -z, y], [z, -rate / 2, -x], [-y, x, 0]])
        right = mpmath.expm(bloch * end) * mpmath.matrix([0, 0, 0.5])
        true = max(abs(float(data.spin[-1, a]) - right[a]) for a in range(3))
    assert float(true) <= float(data.attrs["numerical_error"]) / 2 + 1e-15
    if method.tolerance < 1e-9:
        assert float(data.attrs["numerical_error"]) < 1e-5


@pytest.mark.parametrize("method", ["symmetric", "permutation_invariant"])
def test_rates_that_cancel_to_rounding_make_no_large_claim(method):
    # c c* - |c|^2 of a complex phase is 1e-17, not 0: no scale to measure a residual by.
    rng = np.random.default_rng(0)
    state = sq.CoherentState([0.6, 0.0, 0.8])
    for k in range(40):
        c, n = rng.normal() + 1j * rng.normal(), int(rng.integers(2, 6))
        jumps = [sq.CollectiveJump(0.1 * rng.random(), vector=[0, 0, c]) for _ in range(1 + k % 3)]
        hamiltonian = [sq.OneAxisTwisting(rng.normal())] * (k % 2)
        model = sq.SpinModel(n, hamiltonian=hamiltonian, jumps=jumps)
        data = sq.steady_state(model, initial_state=state, method=method)
        np.testing.assert_allclose(data.spin, [0.0, 0.0, 0.4 * n], atol=1e-12 * n)
        assert float(data.attrs["numerical_error"]) < 1e-9
