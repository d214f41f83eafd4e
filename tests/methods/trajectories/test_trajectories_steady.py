"""Steady states by averages over late times against null vectors."""

import json

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, Unsupported
from spinsqueeze.methods.base.question import Steady
from spinsqueeze.methods.trajectories import steady

MODEL = sq.SpinModel(
    6, hamiltonian=[sq.Drive(2.0)], jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.5)]
)


def test_a_steady_state_is_that_of_the_null_vector():
    exact = sq.steady_state(MODEL, method="permutation_invariant")
    data = sq.steady_state(MODEL, method=sq.QuantumTrajectories(100), seed=3)
    for name in ("spin", "covariance", "total_spin_squared"):
        error = np.abs(data[name] - exact[name]).values
        assert np.all(error <= 5 * data[f"{name}_stderr"].values + 1e-3), name
        assert data[f"{name}_stderr"].values.max() < 0.2
    figures = json.loads(data.attrs["diagnostics"])
    assert figures["averaged_to"] == 2 * figures["averaged_from"] >= 20.0
    assert figures["drift_in_errors"] < steady.SIGMAS


@pytest.mark.slow
def test_error_bars_of_steady_states_cover_the_truth():
    exact = sq.steady_state(MODEL, method="permutation_invariant")
    method, hits = sq.QuantumTrajectories(20), []
    for seed in range(300):
        data = sq.steady_state(MODEL, method=method, seed=seed)
        away = np.abs(data.total_spin_squared - exact.total_spin_squared)
        hits.append(float(away) < float(data.total_spin_squared_stderr))
    assert 0.60 < np.mean(hits) < 0.76


def test_a_state_chooses_among_several():
    model = sq.SpinModel(4, hamiltonian=[sq.Drive(1.0)], jumps=[sq.CollectiveDecay(1.0)])
    with pytest.raises(InvalidInput, match=r"each total spin keeps its weight.*give initial_state"):
        sq.steady_state(model, method="trajectories")
    dephased = sq.SpinModel(4, jumps=[sq.LocalDephasing(1.0)])
    with pytest.raises(InvalidInput, match=r"all jumps lie along one axis.*give initial_state"):
        sq.steady_state(dephased, method="trajectories")
    method, state = sq.QuantumTrajectories(100), sq.CoherentState([0.6, 0.0, 0.8])
    for each in (model, dephased):
        data = sq.steady_state(each, initial_state=state, method=method)
        exact = sq.steady_state(each, initial_state=state, method="permutation_invariant")
        error = np.abs(data.spin - exact.spin).values
        assert np.all(error <= 5 * data.spin_stderr.values + 2e-3)


def test_a_closed_model_has_none():
    closed = sq.SpinModel(4, hamiltonian=[sq.Drive(1.0)], jumps=[sq.LocalDecay(0.0)])
    question = Steady(closed.canonical)
    with pytest.raises(InvalidInput, match="needs at least one jump with a positive rate"):
        sq.QuantumTrajectories(4).answer(question)


def test_kept_trajectories_are_of_evolutions():
    with pytest.raises(Unsupported, match="keep_trajectories is for evolution in time"):
        sq.steady_state(MODEL, method=sq.QuantumTrajectories(4, keep_trajectories=1))


def test_averages_that_drift_are_refused(monkeypatch):
    monkeypatch.setattr(steady, "MOST_DOUBLINGS", 1)
    monkeypatch.setattr(steady, "_drift", lambda *_, **__: 9.0)
    with pytest.raises(NumericalFailure, match=r"averages still drift at time 40 by 9\.0 standard"):
        sq.steady_state(MODEL, method=sq.QuantumTrajectories(4))
