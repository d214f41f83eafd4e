"""The average over random losses against the whole master equation of spins with a third level."""

import dataclasses
import json
import tomllib
from functools import reduce

import numpy as np
import pytest
import xarray as xr
from scipy import sparse
from scipy.sparse.linalg import expm_multiply

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.results.dataset import read_moments
from spinsqueeze.run.study_file import study_from_tables

CHI, RABI, DECAY = 0.9, 0.6, 0.3
TIMES = np.linspace(0.0, 1.2, 5)
RATE = 0.5
UP, DOWN, LOST = np.eye(3)
SPIN = (
    0.5 * (np.outer(UP, DOWN) + np.outer(DOWN, UP)),
    -0.5j * (np.outer(UP, DOWN) - np.outer(DOWN, UP)),
    0.5 * (np.outer(UP, UP) - np.outer(DOWN, DOWN)),
)


def on(n_spins, site, matrix):
    parts = [matrix if i == site else np.eye(3) for i in range(n_spins)]
    return sparse.csr_array(reduce(sparse.kron, parts))


def with_third_level(n_spins, rate):
    """N, <S_a> and <{S_a, S_b}>/2 at TIMES: 3^N levels, rate D[|lost><s|] of every spin."""
    sites = range(n_spins)
    s = [[on(n_spins, i, matrix) for i in sites] for matrix in SPIN]
    S = [sum(of_one) for of_one in s]
    there = sum(on(n_spins, i, np.diag(UP + DOWN)) for i in sites)
    jumps = [np.sqrt(DECAY) * (s[0][i] - 1j * s[1][i]) for i in sites]
    for level in (UP, DOWN):
        jumps += [np.sqrt(rate) * on(n_spins, i, np.outer(LOST, level)) for i in sites]
    H = CHI * S[2] @ S[2] + RABI * S[1]
    one = sparse.eye_array(3**n_spins)
    leak = -1j * H - 0.5 * sum(L.conj().T @ L for L in jumps)
    L = sparse.kron(leak, one) + sparse.kron(one, leak.conj())
    L = sparse.csr_array(L + sum(sparse.kron(jump, jump.conj()) for jump in jumps))
    plus = (UP + DOWN) / np.sqrt(2)
    psi = reduce(np.kron, [plus] * n_spins)
    rho = np.outer(psi, psi).ravel().astype(complex)
    states = expm_multiply(L, rho, start=0.0, stop=TIMES[-1], num=len(TIMES), endpoint=True)
    states = states.reshape(-1, 3**n_spins, 3**n_spins)

    def mean(operator):
        return np.einsum("ij,tji->t", operator.toarray(), states).real

    first = np.stack([mean(a) for a in S], axis=-1)
    second = np.array([[mean((a @ b + b @ a) / 2) for a in S] for b in S]).transpose(2, 0, 1)
    return mean(there), first, second


def exact(n_spins, rate):
    """What an observer who does not know the losses finds."""
    left, spin, second = with_third_level(n_spins, rate)
    covariance = second - spin[:, :, None] * spin[:, None, :]
    length = np.linalg.norm(spin, axis=-1)
    least = []
    for mean, matrix in zip(spin, covariance, strict=True):
        plane = np.linalg.svd(mean[None])[2][1:]
        least.append(np.linalg.eigvalsh(plane @ matrix @ plane.T)[0])
    return {
        "spins_left": left,
        "spin": spin,
        "covariance": covariance,
        "total_spin_squared": np.trace(second, axis1=1, axis2=2),
        "contrast": 2 * length / left,
        "xi2_kitagawa_ueda": 4 * np.array(least) / left,
        "xi2": left * np.array(least) / length**2,
    }


def model(n_spins):
    hamiltonian = [sq.OneAxisTwisting(CHI), sq.UniformField([0, RABI, 0])]
    return sq.SpinModel(n_spins, hamiltonian=hamiltonian, jumps=[sq.LocalDecay(DECAY)])


@pytest.fixture(scope="module")
def three_spins():
    return averaged(3, runs=240)


def averaged(n_spins, *, runs):
    return sq.simulate_losses(
        model(n_spins), sq.CoherentState("+x"), TIMES, loss_rate=RATE, runs=runs, seed=3
    )


@pytest.mark.parametrize(
    ("n_spins", "runs"),
    [
        (2, 150),
        pytest.param(3, 240, marks=pytest.mark.slow),
        pytest.param(4, 100, marks=pytest.mark.slow),
    ],
)
def test_the_average_over_histories_is_the_whole_master_equation(n_spins, runs, request):
    shared = {3: "three_spins"}
    known = n_spins in shared
    data = request.getfixturevalue(shared[n_spins]) if known else averaged(n_spins, runs=runs)
    expected = exact(n_spins, RATE)
    for name, value in expected.items():
        error = data[f"{name}_stderr"].values
        assert error[1:].max() < 0.1 * np.abs(value).max(), name
        assert np.all(np.abs(data[name].values - value) < 5 * error + 1e-9), name


@pytest.mark.slow
def test_error_bars_of_the_default_number_of_histories_cover_the_truth(three_spins):
    blocks, expected = read_moments(three_spins), exact(3, RATE)
    z = []
    for k in range(0, 240, 20):
        part = dataclasses.replace(
            blocks,
            n_spins=blocks.n_spins[:, k : k + 20],
            weights=blocks.weights[k : k + 20],
            first=blocks.first[:, k : k + 20],
            second=blocks.second[:, k : k + 20],
        )
        estimates = squeezing_estimates(part)
        for name in ("xi2", "contrast", "total_spin_squared"):
            estimate = estimates.values[name]
            z.append((estimate.value - expected[name])[2:] / estimate.stderr[2:])
    # 12 groups, a few independent numbers in each: errors half or twice as large would show.
    assert np.sqrt(np.mean(np.square(z))) == pytest.approx(1.0, abs=0.35)


def test_unentangled_spins_have_no_squeezing_however_many_are_left():
    data = sq.simulate_losses(
        sq.SpinModel(9), sq.CoherentState("+x"), TIMES, loss_rate=RATE, runs=6
    )
    assert data["spins_left"].values[-1] < 7
    for name in ("xi2", "xi2_kitagawa_ueda", "contrast"):
        assert data[name].values == pytest.approx(np.ones(5), abs=1e-8)
        assert data[f"{name}_stderr"].values == pytest.approx(np.zeros(5), abs=1e-7)
    assert set(data["squeezing_status"].values) == {1}  # round, and no angle


def test_where_no_spin_is_left_nothing_is_defined():
    data = sq.simulate_losses(sq.SpinModel(2), sq.CoherentState("+x"), [0.0, 99.0], loss_rate=9.0)
    assert data["spins_left"].values.tolist() == [2.0, 0.0]
    assert not data["spin"][1].any()
    assert data["contrast"][1] == 0
    assert np.isnan(data["xi2"][1])
    assert data["squeezing_status"].values.tolist() == [1, 3]


SMALL = sq.SpinModel(
    4, hamiltonian=[sq.OneAxisTwisting(0.5)], jumps=[sq.SqueezedCollectiveDecay(0.3, r=0.4)]
)
START = sq.CoherentState("+x")


def small(seed, runs=4):
    return sq.simulate_losses(SMALL, START, TIMES, loss_rate=RATE, runs=runs, seed=seed)


def test_merged_runs_are_one_run_with_all_blocks():
    parts = [small(1), small(2, runs=5)]
    data = sq.merge(parts)
    assert data.attrs["seeds"] == "[1, 2]"
    assert (
        data["block_spins_left"].values.tolist()
        == np.concatenate([part["block_spins_left"].values for part in parts], axis=1).tolist()
    )
    histories = [h for part in parts for h in json.loads(part.attrs["loss_times"])]
    runs = [sq.simulate_losses(SMALL, START, TIMES, loss_times=h) for h in histories]
    left = np.stack([run["spins_left"].values for run in runs])
    spin = np.stack([run["spin"].values for run in runs])
    inside = np.stack([run["covariance"].values for run in runs])
    assert data["spins_left"].values == pytest.approx(left.mean(axis=0))
    assert data["spin"].values == pytest.approx(spin.mean(axis=0), abs=1e-12)
    scatter = spin - spin.mean(axis=0)
    between = np.einsum("hta,htb->tab", scatter, scatter) / (len(runs) - 1)
    covariance = inside.mean(axis=0) + between
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-12)
    estimates = squeezing_estimates(read_moments(data))
    whole = squeezing_estimates(
        BlockMoments(
            n_spins=left.T.astype(float),
            reference=np.zeros((5, 3)),
            weights=np.ones(9),
            first=spin.swapaxes(0, 1),
            second=(inside + spin[..., :, None] * spin[..., None, :]).swapaxes(0, 1),
        )
    )
    for name in ("xi2", "contrast", "xi2_kitagawa_ueda", "total_spin_squared"):
        expected = whole.values[name]
        assert data[name].values == pytest.approx(expected.value, rel=1e-9)
        assert data[f"{name}_stderr"].values[1:] == pytest.approx(expected.stderr[1:], rel=1e-6)
        assert estimates.values[name].value == pytest.approx(expected.value, rel=1e-9)
    again = sq.merge([data, small(3)])
    assert again["block_weight"].size == 13


def test_parts_of_a_rate_without_other_samples_are_not_merged():
    other = sq.simulate_losses(SMALL, START, TIMES, loss_rate=2 * RATE, runs=4, seed=9)
    with pytest.raises(sq.InvalidInput, match=r"losses.rate is 0.5 in result 1 and 1.0 in"):
        sq.merge([small(1), other])
    with pytest.raises(sq.InvalidInput, match="seed 1 once more"):
        sq.merge([small(1), small(1)])


def test_histories_that_are_alike_by_chance_are_merged():
    parts = [
        sq.simulate(sq.SpinModel(1), START, [0.5], losses=sq.Losses(rate=0.8, runs=4), seed=seed)
        for seed in range(24)
    ]
    counts = [part["block_spins_left"].values.tobytes() for part in parts]
    assert len(set(counts)) < 20
    merged = sq.merge(parts)
    assert merged["spins_left"].values[0] == pytest.approx(np.exp(-0.4), abs=0.2)


def test_error_bars_of_histories_without_a_loss_are_doubted():
    data = sq.simulate(SMALL, START, TIMES, losses=sq.Losses(rate=1e-6, runs=4))
    assert data["spins_left_stderr"].values.tolist() == [0.0] * 5
    assert "no spin left in any of 4 histories" in json.loads(data.attrs["warnings"])[0]
    for losses, times in ((sq.Losses(rate=0.0), TIMES), (sq.Losses(rate=1.0), [0.0])):
        assert sq.simulate(SMALL, START, times, losses=losses).attrs["warnings"] == "[]"
    assert small(1).attrs["warnings"] == "[]"


def test_more_histories_than_fit_are_refused_at_once():
    losses = sq.Losses(rate=0.1, runs=10**9)
    with pytest.raises(sq.TooLarge, match=r"needs 5.5 TB .* 1000000000 histories of 5 times"):
        sq.simulate(SMALL, START, TIMES, losses=losses, method=sq.PermutationInvariant())


def test_more_histories_keep_those_there_were():
    few, many = small(1, runs=4), small(1, runs=6)
    assert few["block_spins_left"].equals(many["block_spins_left"][:, :4])
    assert json.loads(few.attrs["loss_times"]) == json.loads(many.attrs["loss_times"])[:4]


def test_the_least_squeezing_of_an_average_has_error_bars(tmp_path, capsys):
    model = sq.SpinModel(8, hamiltonian=[sq.OneAxisTwisting(0.15)])
    times = np.linspace(0.2, 2.4, 12)
    data = sq.simulate_losses(model, START, times, loss_rate=0.1, runs=8)
    best = sq.optimum(data)
    assert best.status.name == "INSIDE"
    assert 0 < best.xi2_stderr < 0.05 * best.xi2
    assert best.time_stderr > 0
    sq.save(data, tmp_path / "average.nc")
    kept = sq.load(tmp_path / "average.nc")
    assert sq.optimum(kept) == best
    capsys.readouterr()
    assert main(["info", str(tmp_path / "average.nc")]) == 0
    out = capsys.readouterr().out
    assert f"spins        8, {float(data['spins_left'][-1]):.4g} left at the end" in out
    assert "losses       rate = 0.1" in out
    sq.plot.squeezing(kept)


STUDY = """
[ensemble]
spins = 4
[[hamiltonian]]
term = "one_axis_twisting"
chi = 0.5
[initial_state]
coherent = "+x"
[losses]
rate = 0.5
runs = 4
[run]
times = { start = 0.2, stop = 1.2, num = 6 }
seed = 5
"""


def test_a_study_file_with_losses(tmp_path, capsys):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    study = sq.read_study(path)
    assert study.losses == sq.Losses(rate=0.5, runs=4)
    data = sq.run_study(study)
    assert data.attrs["method"] == "permutation_invariant"
    assert data.attrs["error_kind"] == "sampling"
    assert json.loads(data.attrs["study"])["losses"] == {"rate": 0.5, "runs": 4}
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(0.5)])
    direct = sq.simulate_losses(model, START, study.times, loss_rate=0.5, runs=4, seed=5)
    xr.testing.assert_equal(direct, data)
    losses = sq.Losses(rate=0.5, runs=4)
    xr.testing.assert_equal(sq.simulate(model, START, study.times, losses=losses, seed=5), data)
    capsys.readouterr()
    assert main(["methods", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.count("the model has losses, which it does not treat") == len(METHODS) - 1


@pytest.mark.slow
def test_a_sweep_over_the_rate_of_losses(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY + '[sweep]\n"losses.rate" = [0.0, 0.5]\n')
    data = sq.sweep(sq.read_study(path), workers=1, blocks=True)
    assert data["rate"].values.tolist() == [0.0, 0.5]
    assert list(data["status"].values) == ["done", "done"]
    point = data.isel(rate=1)
    single = sq.run_study(dataclasses.replace(sq.read_study(path), sweep=None))
    assert point["xi2"].values.tolist() == single["xi2"].values.tolist()
    assert sq.optimum(point).xi2 == pytest.approx(sq.optimum(single).xi2)
    both = sq.merge([data, sq.sweep(sq.read_study(path), seed=6, workers=1, blocks=True)])
    other = sq.run_study(dataclasses.replace(sq.read_study(path), sweep=None, seed=6))
    merged = sq.merge([single, other])
    for name in ("xi2", "xi2_stderr", "spins_left"):
        assert both[name].values[1] == pytest.approx(merged[name].values, rel=1e-9, abs=1e-12)


def test_a_run_with_pulses_and_losses_goes_on_from_its_parts():
    pulse = sq.Pulse(0.3, axis="+x", angle=1.0)
    times = [0.0, 0.25, 0.5, 0.75]
    losses = sq.Losses(times=[0.5])
    data = sq.simulate(SMALL, START, times, pulses=[pulse], losses=losses, keep_state=True)
    method = sq.PermutationInvariant()
    first = sq.simulate(SMALL, START, times[:3], method=method, pulses=[pulse], keep_state=True)
    fewer = dataclasses.replace(SMALL, spins=3)
    middle = sq.without_one_spin(sq.final_state(first))
    rest = sq.simulate(fewer, middle, times[:2], method=method, keep_state=True)
    for name in ("spin", "covariance"):
        assert data[name].values[:2] == pytest.approx(first[name].values[:2], abs=1e-9)
        assert data[name].values[2:] == pytest.approx(rest[name].values, abs=1e-9)
    end = sq.final_state(data)
    assert end.n_spins == 3
    assert end.values == pytest.approx(sq.final_state(rest).values, abs=1e-9)


def test_progress_rises_over_all_histories():
    seen = []
    sq.simulate_losses(SMALL, START, TIMES, loss_rate=RATE, runs=4, progress=seen.append)
    assert len(seen) > 8
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_an_interrupt_ends_a_run():
    def stop(fraction):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sq.simulate_losses(SMALL, START, TIMES, loss_rate=RATE, runs=4, progress=stop)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"loss_rate": -1}, "loss_rate must be at least 0, got -1"),
        ({"loss_rate": 1, "loss_times": [0.1]}, "give either loss_rate or loss_times, got both"),
        ({"loss_rate": 1, "runs": 3}, "runs must be at least 4, got 3: error bars .* times of"),
        ({"loss_rate": 1, "runs": 4.5}, "runs must be an integer, got 4.5"),
        ({"loss_times": [0.1], "runs": 4}, "runs belongs to a rate, got 4 with times; leave it"),
        ({"loss_times": [0.1], "runs": np.arange(2)}, r"runs belongs to a rate, got \[0, 1\] with"),
        ({"loss_times": [0.2, 0.1]}, "loss_times must increase strictly, got 0.2 then 0.1"),
        ({"loss_times": [-0.2, 0.1]}, "loss_times must be at least 0, got -0.2"),
        (
            {"loss_times": np.arange(4) / 10},
            "loss_times must be fewer than N = 4, so that a spin is left, got 4",
        ),
        ({"loss_rate": 1, "seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_losses_are_named(losses, message):
    with pytest.raises(sq.InvalidInput, match=message) as caught:
        sq.simulate_losses(SMALL, START, TIMES, **losses)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"rate": -1.0}, "losses.rate: must be at least 0, got -1"),
        ({}, "losses: give either the rate of the losses or their times, got neither"),
        ({"rate": 1.0, "runs": 2}, "losses.runs: must be at least 4, got 2"),
        ({"times": [0.2, 0.1]}, "losses.times: must increase strictly"),
        ({"times": [0.1 * k for k in range(1, 8)]}, "losses.times: must be fewer than N = 4"),
        ({"rates": 1.0}, "losses.rates: unknown key of losses; did you mean 'rate'"),
        (0.5, r"losses: must be a table such as \[losses\] with rate = 0.1, got 0.5"),
    ],
)
def test_bad_losses_of_a_study_are_placed(losses, message):
    tables = tomllib.loads(STUDY) | {"losses": losses}
    with pytest.raises(sq.InvalidInput, match="^" + message):
        study_from_tables(tables)


def test_losses_have_their_place():
    with pytest.raises(sq.InvalidInput, match=r"losses must be losses such as Losses\(rate=0.1\)"):
        sq.simulate(SMALL, START, TIMES, losses=0.1)
    with pytest.raises(sq.InvalidInput, match="losses have no place in a steady state"):
        sq.Study(SMALL, steady_state=True, losses=sq.Losses(rate=1.0))
    with pytest.raises(sq.Unsupported, match="qfi is not known of a run with losses"):
        sq.simulate(
            SMALL,
            START,
            TIMES,
            losses=sq.Losses(rate=1.0),
            method=sq.PermutationInvariant(qfi=True),
        )
    with pytest.raises(sq.InvalidInput, match="has no state to keep"):
        sq.simulate(SMALL, START, TIMES, losses=sq.Losses(rate=1.0), keep_state=True)
