"""Runs from which spins leave: when they leave, and what is left."""

import json

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.models.losses import sample_loss_times

RATE = 0.7


def arrivals(n_spins, duration, n_runs):
    rng = np.random.default_rng(5)
    return [
        sample_loss_times(n_spins, rate=RATE, duration=duration, rng=rng) for _ in range(n_runs)
    ]


@pytest.mark.parametrize("n_spins", [2, 3, 10])
def test_the_first_of_n_spins_leaves_at_n_times_the_rate(n_spins):
    first = np.array([times[0] for times in arrivals(n_spins, np.inf, 4000)])
    mean = 1 / (n_spins * RATE)
    assert first.mean() == pytest.approx(mean, abs=5 * mean / np.sqrt(4000))


def test_every_wait_follows_from_the_spins_left():
    waits = np.diff([[0.0, *times] for times in arrivals(5, np.inf, 4000)], axis=1)
    mean = 1 / (RATE * np.array([5, 4, 3, 2, 1]))
    assert waits.shape == (4000, 5)
    assert np.all(np.abs(waits.mean(axis=0) - mean) < 5 * mean / np.sqrt(4000))


def test_independent_spins_are_left_with_a_binomial_distribution():
    left = np.array([40 - len(times) for times in arrivals(40, 0.5, 2000)])
    p = np.exp(-RATE * 0.5)
    assert left.mean() == pytest.approx(40 * p, abs=5 * np.sqrt(40 * p * (1 - p) / 2000))
    assert left.var() == pytest.approx(40 * p * (1 - p), rel=5 * np.sqrt(2 / 2000))


def test_the_rate_and_the_duration_of_a_run_are_those_of_its_losses():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(0.3)])
    times = np.linspace(0.0, 2.0, 9)
    data = sq.simulate_losses(model, sq.CoherentState("+x"), times, loss_rate=0.4, runs=60)
    p = np.exp(-0.4 * times)
    sigma = np.sqrt(6 * p * (1 - p) / 60)
    assert np.all(np.abs(data["spins_left"].values - 6 * p) <= 5 * sigma + 1e-12)
    assert data["spins_left_stderr"].values == pytest.approx(sigma, rel=0.3)
    assert data["block_spins_left"].values[0].tolist() == [6] * 60


def test_what_needs_more_than_the_memory_budget_is_refused_before_any_work():
    start, times = sq.CoherentState("+x"), [0.0, 0.1]
    with pytest.raises(sq.TooLarge, match=r"needs .* TB .*; the budget is 4 GB: raise memory"):
        sq.simulate_losses(sq.SpinModel(10**9), start, times, loss_rate=1.0)
    with pytest.raises(sq.TooLarge, match=r"the budget is 10 kB: raise memory"):
        sq.simulate_losses(sq.SpinModel(50), start, times, loss_rate=1.0, memory_budget=1e4)


def test_spins_that_are_not_alike_are_refused():
    lattice = sq.SpinModel(
        sq.Lattice((4,)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)]
    )
    with pytest.raises(sq.Unsupported, match="PermutationInvariant cannot do this: "):
        sq.simulate_losses(lattice, sq.CoherentState("+x"), [0.0, 0.1], loss_rate=1.0)


def test_a_rate_and_a_seed_may_be_scalars_of_a_result():
    model, start, times = sq.SpinModel(4), sq.CoherentState("+x"), [0.0, 0.5]
    plain = sq.simulate_losses(model, start, times, loss_rate=0.3, runs=4, seed=2)
    scalar = sq.simulate_losses(
        model, start, times, loss_rate=xr.DataArray(0.3), runs=np.int64(4), seed=np.int64(2)
    )
    assert json.loads(scalar.attrs["study"]) == json.loads(plain.attrs["study"])
    assert scalar["spins_left"].equals(plain["spins_left"])


def test_at_the_time_of_a_loss_the_spin_has_left():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(0.3)])
    times = [0.0, 0.5, 1.0]
    data = sq.simulate_losses(model, sq.CoherentState("+x"), times, loss_times=[0.5])
    assert data["spins_left"].values.tolist() == [6, 5, 5]
    # (n/2) cos(chi t)^(6-1): the partners that left turned their spin before.
    assert float(data["spin"][1, 0]) == pytest.approx(2.5 * np.cos(0.15) ** 5, abs=1e-8)


def test_losses_refuse_strengths_in_time():
    ramp = sq.Envelope([0.0, 1.0], values=[0.2, 0.4])
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(ramp)])
    with pytest.raises(sq.InvalidInput, match="losses need constant strengths and rates"):
        sq.simulate_losses(model, sq.CoherentState("+x"), [0.0, 1.0], loss_rate=0.1)


def test_the_optimum_of_one_history_is_not_interpolated_over_its_losses():
    model = sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(1.0)])
    losses = sq.Losses(times=[0.05, 0.1])
    data = sq.simulate(model, sq.CoherentState("+x"), np.linspace(0.0, 0.3, 31), losses=losses)
    best = sq.optimum(data)
    assert best.status is sq.OptimumStatus.JUMPS
    assert best.xi2 == data["xi2"].min()
