"""Whole states, losses and shell walks of permutation-invariant runs, through the front doors."""

import json

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.core.errors import InvalidInput, Unsupported
from spinsqueeze.run.study_file import study_from_tables

MODEL = sq.SpinModel(
    6,
    hamiltonian=[sq.OneAxisTwisting(0.5)],
    jumps=[sq.SqueezedCollectiveDecay(0.3, r=0.4), sq.LocalDephasing(0.2)],
)
STATE = sq.CoherentState("+x")
TIMES = np.linspace(0.0, 1.0, 5)
METHOD = sq.PermutationInvariant(qfi=True)


def test_run_continues_from_its_own_end():
    whole = sq.simulate(MODEL, STATE, TIMES, method=METHOD)
    first = sq.simulate(MODEL, STATE, TIMES[:3], method=METHOD, keep_state=True)
    middle = sq.final_state(first)
    assert isinstance(middle, sq.BlockState)
    assert middle.n_spins == 6
    rest = sq.simulate(MODEL, middle, TIMES[:3], method=METHOD)
    for name in ("spin", "covariance", "purity", "qfi", "shell_population"):
        assert rest[name].values == pytest.approx(whole[name].values[2:], abs=1e-8)


@pytest.fixture(scope="module")
def last():
    return sq.simulate(MODEL, STATE, TIMES, method=METHOD, keep_state=True)


def test_state_functions_agree_with_the_moments(last):
    state = sq.final_state(last)
    end = last.isel(time=-1)
    assert sq.quantum_fisher_information(state) == pytest.approx(float(end["qfi"]))
    m, p = sq.spin_distribution(state, axis="+y")
    assert p.sum() == pytest.approx(1.0)
    assert p @ m == pytest.approx(float(end["spin"][1]), abs=1e-10)
    assert p @ m**2 - (p @ m) ** 2 == pytest.approx(float(end["covariance"][1, 1]))
    assert 0 < sq.von_neumann_entropy(state) < 6 * np.log(2)
    start = sq.simulate(MODEL, STATE, [0.0], method=METHOD, keep_state=True)
    assert sq.von_neumann_entropy(sq.final_state(start)) == pytest.approx(0.0, abs=1e-10)


def test_husimi_of_a_coherent_state_peaks_along_it():
    start = sq.simulate(MODEL, STATE, [0.0], method=METHOD, keep_state=True)
    values = sq.block_husimi(sq.final_state(start), directions=np.eye(3))
    assert values == pytest.approx(7 / (4 * np.pi) * np.array([1.0, 2.0**-6, 2.0**-6]))


def test_losing_a_spin_scales_the_mean_spin(last):
    fewer = sq.without_one_spin(sq.final_state(last))
    assert fewer.n_spins == 5
    m, p = sq.spin_distribution(fewer, axis="+x")
    assert p @ m == pytest.approx(5 / 6 * float(last["spin"][-1, 0]), abs=1e-10)


def test_losses_at_given_times():
    data = sq.simulate_losses(MODEL, STATE, TIMES, loss_times=[0.25, 0.6])
    assert data["spins_left"].values.tolist() == [6, 5, 5, 4, 4]
    plain = sq.simulate(MODEL, STATE, TIMES, method=METHOD)
    assert float(data["xi2"][0]) == pytest.approx(float(plain["xi2"][0]))
    assert data["spin"].values[1] == pytest.approx(5 / 6 * plain["spin"].values[1], abs=1e-9)


def test_losses_drawn_by_seed_repeat():
    one, two, other = (
        sq.simulate_losses(MODEL, STATE, TIMES, loss_rate=0.5, runs=4, seed=seed)
        for seed in (4, 4, 5)
    )
    assert np.array_equal(one.attrs["loss_times"], two.attrs["loss_times"])
    assert not np.array_equal(one.attrs["loss_times"], other.attrs["loss_times"])


def lossy():
    """20 spins of which 8 leave, as a small run."""
    model = sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(0.05)])
    times = np.linspace(0, 3, 13)
    return sq.simulate_losses(model, STATE, times, loss_times=np.arange(1, 9) / 10)


def test_squeezing_with_losses_is_that_of_the_spins_left(capsys, tmp_path):
    data = lossy()
    assert int(data["spins_left"][-1]) == 12
    mean, covariance = data["spin"].values[-1], data["covariance"].values[-1]
    plane = np.linalg.svd(mean[None])[2][1:]
    least = np.linalg.eigvalsh(plane @ covariance @ plane.T)[0]
    expected = 12 * least / (mean @ mean)
    assert float(data["xi2"][-1]) == pytest.approx(expected, rel=1e-9)
    best = sq.optimum(data)
    assert best.time == 3.0
    assert best.xi2 == pytest.approx(expected, rel=1e-9)
    assert float(data["contrast"][-1]) == pytest.approx(np.linalg.norm(mean) / 6)
    assert float(data["xi2_kitagawa_ueda"][-1]) == pytest.approx(4 * least / 12)
    sq.save(data, tmp_path / "losses.nc")
    capsys.readouterr()
    assert main(["info", str(tmp_path / "losses.nc")]) == 0
    out = capsys.readouterr().out
    assert f"xi2 = {expected:.6g}" in out
    assert "spins        20, 12 left at the end" in out
    assert "losses       times = [0.1, 0.2" in out


def test_a_run_with_losses_jumps_and_is_not_interpolated():
    data = lossy().isel(time=slice(0, 10))
    turned = data.copy(deep=True)
    turned["covariance"][6:] *= 2.0  # a low point inside the times
    turned["covariance"][:4] *= 2.0
    best = sq.optimum(turned)
    assert best.status.name == "JUMPS"
    assert best.time in turned["time"].values


@pytest.mark.parametrize("losses", [{"loss_rate": 0.5, "runs": 5}, {"loss_times": [0.25, 0.6]}])
def test_a_run_with_losses_can_be_run_again_from_its_attributes(losses):
    data = sq.simulate_losses(MODEL, STATE, TIMES, **losses, seed=4)
    again = sq.run_study(study_from_tables(json.loads(data.attrs["study"])))
    assert np.array_equal(again.attrs["loss_times"], data.attrs["loss_times"])
    xr.testing.assert_equal(again, data)


def test_single_histories_of_losses_are_not_merged():
    runs = [sq.simulate_losses(MODEL, STATE, TIMES, loss_times=[t]) for t in (0.3, 0.4)]
    with pytest.raises(InvalidInput, match=r"result 1 is a single history .* give the rate"):
        sq.merge(runs)


def test_shell_walk_equals_the_whole_liouvillian_for_weak_jumps():
    jumps = [sq.SqueezedCollectiveDecay(1.0, r=0.5), sq.LocalDephasing(1e-5)]
    model = sq.SpinModel(7, jumps=jumps)
    walk = sq.liouvillian_perturbation(model)
    steady = sq.steady_state(model)
    assert walk.populations[::-1] == pytest.approx(steady["shell_population"].values, rel=1e-3)
    assert walk.gap == pytest.approx(sq.liouvillian_gap(model).gap, rel=1e-3)


def test_shell_walk_of_any_collective_model():
    # The same squeezed decay written with a field too weak to matter takes the numerical path.
    jumps = [sq.SqueezedCollectiveDecay(1.0, r=0.5), sq.LocalDecay(1e-4)]
    closed = sq.liouvillian_perturbation(sq.SpinModel(6, jumps=jumps))
    weak = sq.UniformField([0, 0, 1e-9])
    solved = sq.liouvillian_perturbation(sq.SpinModel(6, hamiltonian=[weak], jumps=jumps))
    assert solved.populations == pytest.approx(closed.populations, rel=1e-6)
    assert solved.decay_rates == pytest.approx(closed.decay_rates, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sq.BlockState([1.0, 2.0]), InvalidInput, r"\(N\+1\)\(N\+2\)\(N\+3\)/6"),
        (lambda: sq.BlockState([0.5, 0, 0, 0.1]), InvalidInput, "trace 1, got 0.6"),
        (lambda: sq.BlockState([0.5, 0.2, 0, 0.5]), InvalidInput, "Hermitian"),
        (lambda: sq.von_neumann_entropy(STATE), InvalidInput, "n_spins must be given"),
        (
            lambda: sq.simulate_losses(MODEL, STATE, TIMES),
            InvalidInput,
            "either loss_rate or loss_times",
        ),
        (
            lambda: sq.simulate_losses(MODEL, STATE, TIMES, loss_times=[0.1] * 3),
            InvalidInput,
            "loss_times must increase strictly",
        ),
        (
            lambda: sq.simulate_losses(
                sq.SpinModel(2, hamiltonian=[sq.SiteField([[0, 0, 1], [0, 0, 2]])]),
                STATE,
                TIMES,
                loss_rate=1.0,
            ),
            Unsupported,
            "spins that differ in their fields",
        ),
        (
            lambda: sq.liouvillian_perturbation(sq.SpinModel(4, jumps=[sq.CollectiveDecay(1.0)])),
            InvalidInput,
            "needs collective jumps and weak local jumps",
        ),
        (
            lambda: sq.liouvillian_perturbation(
                sq.SpinModel(
                    4, jumps=[sq.CollectiveJump(1.0, vector=[0, 0, 1]), sq.LocalDecay(1e-4)]
                )
            ),
            InvalidInput,
            "needs one steady state in each total spin",
        ),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
