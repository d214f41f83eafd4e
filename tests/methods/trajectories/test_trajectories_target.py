"""Trajectories until an error bar is reached."""

import json

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.trajectories import run as running

MODEL = sq.SpinModel(
    12, hamiltonian=[sq.OneAxisTwisting(0.3)], jumps=[sq.LocalDecay(0.5), sq.CollectiveDecay(0.05)]
)
STATE, TIMES = sq.CoherentState("+x"), np.linspace(0.0, 0.8, 5)


def run(method, **options):
    return sq.simulate(MODEL, STATE, TIMES, method=method, **{"seed": 4, **options})


def diagnostics(data):
    return json.loads(data.attrs["diagnostics"])


@pytest.mark.parametrize(("target", "error"), [("optimum", 0.15), ("xi2", 0.04)])
def test_the_outcome_is_that_of_a_run_with_so_many_trajectories(target, error):
    until = run(sq.QuantumTrajectories(target_error=error, target=target, keep_trajectories=2))
    found = diagnostics(until)
    assert found["ended_by"] == "target reached"
    assert found["reached_error"] <= error
    count = found["n_trajectories"]
    assert count % 16 == 0
    assert count > 128
    counted = run(sq.QuantumTrajectories(count, keep_trajectories=2))
    for name in counted.data_vars:
        assert counted[name].values.tobytes() == until[name].values.tobytes(), name
    if target == "optimum":
        assert sq.optimum(until).decibels_stderr == pytest.approx(found["reached_error"])


def test_the_limit_is_said():
    data = run(sq.QuantumTrajectories(target_error=1e-3, max_trajectories=150))
    assert diagnostics(data)["n_trajectories"] == 150
    (message,) = [m for m in json.loads(data.attrs["warnings"]) if "limit" in m]
    assert "150 samples with an error of" in message


def test_a_trajectory_without_chance_has_no_error():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(0.3)])
    method = sq.QuantumTrajectories(target_error=0.01)
    data = sq.simulate(model, STATE, TIMES, method=method)
    assert float(data["xi2_stderr"].max()) < 1e-12
    assert diagnostics(data)["ended_by"] == "target reached"


def test_ctrl_c_keeps_all_finished_parts(monkeypatch):
    """In the second part; the records of the first stay."""
    calls = []
    original = running.in_threads

    def interrupted(work, *, finished, **options):
        calls.append(finished.size)
        if len(calls) == 1:
            return original(work, finished=finished, **options)
        original(work, finished=finished, **options)
        finished[5:] = False
        return True

    monkeypatch.setattr(running, "in_threads", interrupted)
    data = run(sq.QuantumTrajectories(target_error=1e-3, keep_trajectories=3))
    count = calls[0] + 5
    assert diagnostics(data)["n_trajectories"] == count
    assert diagnostics(data)["ended_by"] == "interrupted"
    monkeypatch.setattr(running, "in_threads", original)
    counted = run(sq.QuantumTrajectories(count, keep_trajectories=3))
    for name in ("xi2", "xi2_stderr", "trajectory_xi2", "jump_time"):
        assert counted[name].values.tobytes() == data[name].values.tobytes()


def test_refusals():
    with pytest.raises(sq.InvalidInput, match="target_error is instead of n_trajectories"):
        sq.QuantumTrajectories(100, target_error=0.1)
    with pytest.raises(sq.InvalidInput, match="max_trajectories belongs to target_error"):
        sq.QuantumTrajectories(100, max_trajectories=200)
    with pytest.raises(sq.Unsupported, match="target_error is for evolution in time"):
        sq.steady_state(MODEL, method=sq.QuantumTrajectories(target_error=0.1))
