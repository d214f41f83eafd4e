"""Rare jumps: the branch without them has its known weight, and what is not known is claimed."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.base.first_jumps import ENOUGH, Branch, Kind, rare_jumps
from spinsqueeze.methods.exact.wave_functions import Samples as exact_samples
from spinsqueeze.methods.trajectories.initial import mixture
from spinsqueeze.methods.trajectories.lowering import lower
from spinsqueeze.methods.trajectories.run import Options, walks
from spinsqueeze.methods.trajectories.walk import SECOND
from spinsqueeze.results.dataset import diagnostics_of, warnings_of
from spinsqueeze.run.questions import evolve_question

X = sq.CoherentState("+x")
METHODS = (sq.QuantumTrajectories, sq.Exact)


def rare_model(rate, n_spins=6):
    return sq.SpinModel(
        sq.Lattice((n_spins,)),
        hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=0)],
        jumps=[sq.LocalDecay(rate)],
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rate", [1e-4, 0.02])
def test_rare_jumps_are_neither_missed_nor_without_error_bar(method, rate):
    """What 1 % of the trajectories would have is found to a tenth of it, with a calibrated bar."""
    times = np.linspace(0.0, 0.6, 7)
    exact = sq.simulate(rare_model(rate), X, times, method="exact")
    without = sq.simulate(rare_model(0.0), X, times, method="exact")
    misses = []
    for seed in range(6):
        data = sq.simulate(rare_model(rate), X, times, method=method(n_trajectories=100), seed=seed)
        assert diagnostics_of(data)["jumps"] == pytest.approx(
            1 - diagnostics_of(data)["no_jump_probability"], rel=0.1
        )
        error = np.hypot(data.xi2_stderr, data.spin_numerical_error).values
        misses.append(((data.xi2 - exact.xi2).values / np.maximum(error, 1e-12))[1:])
        changed = np.abs(exact.xi2 - without.xi2).values[-1]
        assert float(data.xi2_stderr[-1]) < 0.2 * changed
    assert np.sqrt(np.mean(np.square(misses))) < 1.5
    assert np.abs(misses).max() < 5


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_the_branch_are_those_of_the_wave_function(method):
    """Spins that decay from the top: p(t) = exp(-n rate t); a mixture has the moments of both."""
    rate, times, n = 0.05, np.array([0.0, 1.0, 2.0]), 3
    model = sq.SpinModel(sq.Lattice((n,)), jumps=[sq.LocalDecay(rate)])
    options = {"unraveling": "direct"} if method is sq.QuantumTrajectories else {}
    data = sq.simulate(
        model, sq.CoherentState("+z"), times, method=method(n_trajectories=400, **options)
    )
    assert diagnostics_of(data)["no_jump_probability"] == pytest.approx(
        np.exp(-n * rate * 2), rel=1e-3
    )
    gone = 1 - np.exp(-rate * times)
    exact = n / 2 - n * gone
    assert np.abs(data.spin.values[:, 2] - exact).max() < 5 * data.spin_stderr.values.max()
    variance = n * gone * (1 - gone)
    assert data.covariance.values[:, 2, 2] == pytest.approx(variance, abs=0.15 * variance[-1])


def test_single_trajectories_come_as_they_are():
    """Records of jumps are not drawn among those that jump."""
    data = sq.simulate(
        rare_model(1e-3), X, [0.0, 0.5], method=sq.QuantumTrajectories(100, keep_trajectories=100)
    )
    assert "no_jump_probability" not in diagnostics_of(data)
    assert np.isfinite(data.jump_time.values).sum() < 10


def test_what_too_few_had_is_claimed_by_the_weight_that_is_missing():
    """Three of a hundred jumped where five should have: by what a jump changes."""
    count, n_spins = 100, 16
    times = np.array([0.0, 1.0, 2.0])
    spin = np.tile([0.0, 0.0, 8.0], (3, 1))
    covariance = np.tile(np.diag([2.0, 6.0, 0.5]), (3, 1, 1))
    weight = np.array([1.0, 0.95, 0.5])
    branch = Branch(n_spins, spin, covariance, weight, 0.0)
    first = np.full(count, 1.5)
    first[:3], first[60:] = 0.5, np.inf
    spins, covariances = np.tile(spin, (count, 1, 1)), np.tile(covariance, (count, 1, 1, 1))
    spins[:3, 1:, 1] += 1.0
    found = branch.error(spins, covariances, first, times)
    assert found == pytest.approx([0.0, (0.05 - 0.03) * 1.0 / 2.0, 0.0])
    covariances[:3, 1:, 0, 0] += 3.0
    found = branch.error(spins, covariances, first, times)
    assert found[1] == pytest.approx(0.02 * 16 * 3.0 / 64)
    first[3:ENOUGH] = 0.6
    assert np.all(branch.error(spins, covariances, first, times) == 0.0)
    none = branch.error(spins, covariances, np.full(count, np.inf), times)
    assert none == pytest.approx([0.0, 0.05 * 8.0, 0.5 * 8.0])


def test_mixtures_have_the_moments_of_both_parts():
    rng = np.random.default_rng(1)
    parts = rng.normal(size=(2, 3, 3))
    spin, covariance = rng.normal(size=(2, 3)), parts @ np.swapaxes(parts, 1, 2)
    branch = Branch(4, spin[:1], covariance[:1], np.array([0.3]), 0.3)
    mean, spread = branch.beside(spin[None, 1:], covariance[None, 1:])
    second = [c + np.outer(s, s) for s, c in zip(spin, covariance, strict=True)]
    assert mean[0, 0] == pytest.approx(0.3 * spin[0] + 0.7 * spin[1])
    expected = 0.3 * second[0] + 0.7 * second[1] - np.outer(mean[0, 0], mean[0, 0])
    assert spread[0, 0] == pytest.approx(expected)


def test_kinds_are_rare_among_the_trajectories_that_were_drawn():
    """Where all but a thousandth is taken apart, 100 trajectories stand for 100 000."""
    times = np.array([0.0, 1.0])
    kind = Kind(made=0.0, first=np.inf, rate=1e-3)
    few, said = rare_jumps([kind], times=times, count=100, never=0.0, n_spins=4)
    many, _ = rare_jumps([kind], times=times, count=100, never=0.999, n_spins=4)
    assert few == pytest.approx([0.0, 4 * 1e-3])
    assert "100 trajectories hardly have them" in said[0]
    assert many == pytest.approx([0.0, 0.0])


def test_few_jumps_of_one_kind_beside_many_of_another_are_told():
    jumps = [sq.LocalDecay(1.0), sq.LocalDephasing(0.002)]
    up, times = sq.CoherentState("+z"), [0.5, 2.0]
    data = sq.simulate(sq.SpinModel(4, jumps=jumps), up, times, method=sq.QuantumTrajectories(100))
    assert any("so slow that 100 trajectories" in text for text in warnings_of(data))
    assert np.all(data.spin_numerical_error > 0.005)
    alone = sq.SpinModel(4, jumps=jumps[:1])
    assert not warnings_of(sq.simulate(alone, up, times, method=sq.QuantumTrajectories(100)))


def test_largest_rates_are_norms_of_the_jumps():
    vector = np.array([0.7, -1.2j, 0.1])
    half = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
    norm = np.linalg.norm(np.tensordot(vector, half, 1), 2) ** 2
    table = sq.Envelope([0.0, 1.0], values=[0.2, 0.6])
    jumps = [sq.CollectiveJump(0.5, vector=vector), sq.LocalJump(table, vector=vector)]
    times = np.array([0.0, 1.0])
    model = evolve_question(sq.SpinModel(3, jumps=jumps), X, times).model
    lowered = lower(model, times=times)
    wanted = [0.6 * 3 * norm if local else 0.5 * 9 * norm for local in lowered.local]
    assert lowered.largest_rates() == pytest.approx(wanted, rel=1e-9)


def test_where_all_but_a_few_have_jumped_their_mean_change_is_claimed():
    """All twelve have jumped where one in five has not in truth: there is no scatter to say so."""
    count, n_spins = 12, 16
    times = np.array([0.0, 1.0, 2.0, 3.0])
    spin = np.tile([0.0, 0.0, 8.0], (4, 1))
    covariance = np.tile(np.diag([2.0, 6.0, 0.5]), (4, 1, 1))
    branch = Branch(n_spins, spin, covariance, np.array([1.0, 0.7, 0.6, 0.5]), 0.5)
    first = np.full(count, 0.5)
    first[-1] = 2.5
    spins, covariances = np.tile(spin, (count, 1, 1)), np.tile(covariance, (count, 1, 1, 1))
    spins[:11, 1:, 1] += np.arange(11)[:, None] / 5.0
    missing = np.array([0.0, 0.3 - 0.5 * 11 / 12, 0.4 - 0.5 * 11 / 12, 0.0])
    found = branch.error(spins, covariances, first, times)
    assert found == pytest.approx(np.abs(missing) * 1.0 / 2.0)
    covariances[:11, 1:, 0, 0] += np.tile([4.0, 6.0, 2.0, 4.0], 3)[:11, None]
    found = branch.error(spins, covariances, first, times)
    assert found == pytest.approx(np.abs(missing) * 16 * 4.0 / 64)
    many = np.repeat(first, 10), np.repeat(spins, 10, axis=0), np.repeat(covariances, 10, axis=0)
    assert np.all(branch.error(*many[1:], many[0], times) == 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_time_before_the_last_jump_has_an_error_where_none_is_left_to_jump(method):
    """Sixteen that all jump early: the sampled share is 1, the true one less."""
    times = np.linspace(0.0, 20.0, 6)
    model = sq.SpinModel(5, jumps=[sq.CollectiveDecay(1e-4)])
    state = sq.DickeState(0.5)
    exact = sq.simulate(model, state, times, method="exact").spin.values[:, 2]
    options = {"unraveling": "direct"} if method is sq.QuantumTrajectories else {}
    for seed in range(10):
        chosen = method(n_trajectories=16, **options)
        data = sq.simulate(model, state, times, method=chosen, seed=seed)
        error = np.hypot(
            data.spin_stderr.values[:, 2], data.spin_numerical_error.values * np.sqrt(5) / 2
        )
        assert np.all(np.abs(data.spin.values[:, 2] - exact) < 5 * error + 3e-4)


@pytest.mark.parametrize("method", METHODS)
def test_second_jumps_that_none_had_are_in_the_error(method):
    """A jump makes the next one more likely: of 100 that jump, some should do so again."""
    times = np.array([0.5, 1.0])
    rate = sq.Envelope([0.0, 1.0], values=[0.0, 0.11])
    model = sq.SpinModel(3, jumps=[sq.LocalPumping(rate)])
    state = sq.DickeState(-0.5)
    exact = sq.simulate(model, state, times, method="exact")
    options = {"unraveling": "direct"} if method is sq.QuantumTrajectories else {}
    for seed in range(12):
        chosen = method(n_trajectories=100, **options)
        data = sq.simulate(model, state, times, method=chosen, seed=seed)
        claimed = data.spin_numerical_error.values
        error = np.hypot(data.spin_stderr.values[:, 2], claimed * np.sqrt(3) / 2)
        assert np.all(np.abs(data.spin.values - exact.spin.values)[:, 2] < 4 * error + 3e-4)
        assert np.all(claimed < 0.02)


def test_what_a_second_jump_would_add_is_claimed_by_the_weight_that_is_missing():
    """Two of a hundred jumped again where one in ten should have; from ten on they scatter."""
    count, times = 100, np.array([0.0, 1.0, 2.0])
    spin, covariance = (
        np.tile([0.0, 0.0, 2.0], (3, 1)),
        np.tile(np.diag([1.0, 1.0, 0.0]), (3, 1, 1)),
    )
    branch = Branch(4, spin, covariance, np.array([1.0, 0.9, 0.8]), 0.8)
    spins, covariances = np.tile(spin, (count, 1, 1)), np.tile(covariance, (count, 1, 1, 1))
    spins[:, 1:, 2] -= 1.0
    first, second = np.full(count, 0.5), np.full(count, np.inf)
    second[:2] = 1.5
    norms = np.tile([1.0, 0.96, 0.9], (count, 1))
    norms[:2, 2] = 0.5
    found = branch.error_of_second(spins, covariances, first, second, norms, times)
    assert found == pytest.approx([0.0, 0.2 * 0.04, 0.2 * (0.1 - 0.02)])
    second[:ENOUGH] = 1.5
    norms[:, 2] = 0.8
    found = branch.error_of_second(spins, covariances, first, second, norms, times)
    assert found == pytest.approx([0.0, 0.2 * 0.04, 0.0])
    kept = Branch(4, spin, covariance, np.array([1.0, 0.9, 0.8]), 0.0)
    assert not kept.error_of_second(spins, covariances, first, second, norms, times).any()
    second[:] = 0.7
    assert not branch.error_of_second(spins, covariances, first, second, norms, times).any()
    alone = branch.error_of_second(
        spins[:9], covariances[:9], first[:9], second[:9], norms[:9], times
    )
    assert not alone.any()


def test_what_is_rounding_or_not_known_is_not_taken_apart():
    times, nothing = np.array([0.0, 1.0, 2.0]), np.nan
    spin, covariance = np.full((3, 3), nothing), np.full((3, 3, 3), nothing)
    spin[:2], covariance[:2] = [0.0, 0.0, 2.0], np.diag([1.0, 1.0, 0.0])
    for last, never in [(1 - 1e-12, 0.0), (1 - 1e-8, 1 - 1e-8), (0.3, 0.3), (0.0, 0.0)]:
        weight = np.array([1.0, 1.0, last])
        branch = Branch.reached(4, spin, covariance, weight, apart=True)
        assert branch.never == never
        assert Branch.reached(4, spin, covariance, weight, apart=False).never == 0.0
    first = np.array([1.5] * 5 + [np.inf] * 4)
    spins, covariances = np.ones((9, 3, 3)), np.ones((9, 3, 3, 3))
    assert branch.error(spins, covariances, first, times) == pytest.approx([0.0, 0.0, 0.0])
    branch = Branch.reached(4, spin, covariance, np.array([1.0, 0.9, 0.0]), apart=True)
    assert not branch.spin[2].any()
    assert not branch.covariance[2].any()
    assert branch.error(spins, covariances, first, times) == pytest.approx([0.0, 0.1 * 4, 0.0])


@pytest.mark.parametrize("method", METHODS)
def test_times_of_first_and_second_jumps_are_in_order(method):
    """Of jumps at the rate 1: 1 and 2 on average."""
    model = evolve_question(
        sq.SpinModel(1, jumps=[sq.LocalDephasing(2.0)]), X, np.array([0.0, 16.0])
    )
    if method is sq.Exact:
        exact = exact_samples(model, tolerance=1e-6)
        exact.extend(100)
        first, second = exact.followed.first[:, 0], exact.followed.second
    else:
        lowered = lower(model.model, times=model.times)
        done = walks(
            lowered, mixture(X, 1), times=model.times, seed=0, count=100,
            options=Options(shifted=False),
        )  # fmt: skip
        first, second = done.channels[:, 1, 0], done.figures[:, SECOND]
    assert first.mean() == pytest.approx(1.0, abs=4 / np.sqrt(100))
    assert second.mean() == pytest.approx(2.0, abs=4 * np.sqrt(2) / np.sqrt(100))
