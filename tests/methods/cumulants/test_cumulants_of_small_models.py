"""Order N is exact: every term, jump, class, envelope, pulse and state against brute force."""

import numpy as np
import pytest
from tests.methods.cumulants.small_problems import small_problem
from tests.problems import dense_evolution as truth

import spinsqueeze as sq
from spinsqueeze.run.questions import evolve_question

QUICK = range(16)
MORE = range(len(QUICK), 160)
SEEDS = [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)]


@pytest.mark.parametrize("seed", SEEDS)
def test_order_n_is_exact(seed):
    case = small_problem(seed)
    n = case.model.n_spins
    method = sq.Cumulants(n, tolerance=1e-12)
    question = evolve_question(case.model, case.state, case.times, pulses=case.pulses)
    assert method.support(question) == []
    assert method.trust(question).rank == 0
    data = sq.simulate(case.model, case.state, case.times, method=method, pulses=case.pulses)
    assert "spin_truncation" not in data
    assert data.sizes["time"] == len(case.times)
    right = truth.answers(case)
    for name in ("spin", "covariance"):
        expected = np.array([reading[name] for reading in right])
        assert data[name].values == pytest.approx(expected, abs=1e-9), name


def test_breakpoints_next_to_each_other_do_not_end_a_run():
    """0.12 of one table and 0.12000000000000001 of another: a window of one rounding."""
    steps = [
        sq.Envelope([0.0, edge, 1.0], values=[1.0, 2.0, 2.0], interpolation="step")
        for edge in (0.12, np.nextafter(0.12, 1.0))
    ]
    model = sq.SpinModel(3, hamiltonian=[sq.Drive(steps[0]), sq.OneAxisTwisting(steps[1])])
    state, times = sq.CoherentState("+z"), [0.5, 1.0]
    data = sq.simulate(model, state, times, method=sq.Cumulants(3))
    right = sq.simulate(model, state, times, method="exact")
    assert data.sizes["time"] == 2
    assert data["spin"].values == pytest.approx(right["spin"].values, abs=1e-8)


def test_an_order_beyond_n_is_order_n():
    case = small_problem(3)
    n = case.model.n_spins
    runs = [
        sq.simulate(case.model, case.state, case.times, method=sq.Cumulants(k), pulses=case.pulses)
        for k in (n, n + 1, 12)
    ]
    for data in runs[1:]:
        np.testing.assert_array_equal(data["covariance"], runs[0]["covariance"])
    question = evolve_question(case.model, case.state, case.times, pulses=case.pulses)
    assert sq.Cumulants(12).trust(question).rank == 0
    assert sq.Cumulants(n - 1).trust(question).approximation == "truncation"
    assert sq.Cumulants(n - 1, next_order=False).trust(question).approximation == "uncontrolled"


@pytest.mark.parametrize("next_order", [True, False])
def test_order_one_is_mean_field(next_order):
    model = sq.SpinModel(
        40, hamiltonian=[sq.OneAxisTwisting(0.1), sq.Drive(1.0)], jumps=[sq.CollectiveDecay(0.05)]
    )
    runs = [
        sq.simulate(model, sq.CoherentState("+x"), [0.5, 1.0], method=method)
        for method in (
            sq.Cumulants(1, next_order=next_order),
            sq.MeanField(products="pauli", next_order=next_order),
        )
    ]
    for name in ("spin", "covariance", "xi2", *(("xi2_truncation",) if next_order else ())):
        np.testing.assert_array_equal(runs[0][name], runs[1][name])


def test_a_first_window_of_one_rounding():
    """Its tiny width says nothing of the width of the next window's steps."""
    edge = float(np.spacing(0.5))
    jumps = sq.Envelope([-0.9, edge, 0.9], values=[-1.4, 0.7, -0.7], interpolation="step")
    model = sq.SpinModel(2, hamiltonian=[sq.OneAxisTwisting(jumps), sq.Drive(0.8)])
    state = sq.CoherentState([0.6, 0.0, 0.8])
    ours = sq.simulate(model, state, [0.5, 3.0], method=sq.Cumulants(2))
    exact = sq.simulate(model, state, [0.5, 3.0], method=sq.Exact())
    np.testing.assert_allclose(ours["covariance"], exact["covariance"], rtol=0, atol=1e-8)
