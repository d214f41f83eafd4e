"""Pulses at a fraction of every output time: each output is a run of its own."""

import json

import numpy as np
import pytest
from scipy.linalg import expm
from tests.problems.brute_force import hamiltonian, site_operators

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.run.study_file import study_from_tables

LATTICE = sq.Lattice((3, 2), boundary="open")
ARRAY = sq.SpinModel(LATTICE, hamiltonian=[sq.VanDerWaals(1.3)])
NOISY = sq.SpinModel(
    LATTICE,
    hamiltonian=[sq.VanDerWaals(1.3)],
    jumps=[sq.LocalDephasing(0.1), sq.LocalDecay(0.2)],
)
STATE = sq.CoherentState("+x")
ECHO = sq.Pulse(fraction=0.5, axis="+x", angle=np.pi)
TIMES = np.array([0.0, 0.3, 0.7, 1.2])
SHOWN = ("spin", "covariance", "xi2", "contrast")


def one_by_one(model, fraction, method):
    """The same from runs with a pulse at a time of its own."""
    runs = []
    for t in TIMES:
        pulse = sq.Pulse(fraction * t, axis="+x", angle=np.pi)
        runs.append(sq.simulate(model, STATE, [t], pulses=[pulse], method=method))
    return {name: np.concatenate([run[name].values for run in runs]) for name in SHOWN}


@pytest.mark.parametrize("fraction", [0.5, 0.3, 1.0])
@pytest.mark.parametrize(
    ("model", "method"), [(ARRAY, "exact"), (ARRAY, "closed_form"), (NOISY, "closed_form")]
)
def test_each_output_is_the_end_of_a_run_of_its_own(model, method, fraction):
    pulse = sq.Pulse(fraction=fraction, axis="+x", angle=np.pi)
    data = sq.simulate(model, STATE, TIMES, pulses=[pulse], method=method)
    for name, values in one_by_one(model, fraction, method).items():
        np.testing.assert_array_equal(data[name].values, values, err_msg=name)
    assert data.attrs["n_spins"] == 6
    assert sq.study_of(data).pulses == (pulse,)


def test_an_echo_of_an_open_array_by_dense_matrices():
    s = site_operators(6)
    h = hamiltonian(ARRAY.canonical, s, 0.0)
    total = s.sum(axis=0)
    turn = expm(-1j * np.pi * total[0])
    data = sq.simulate(ARRAY, STATE, TIMES, pulses=[ECHO], method="closed_form")
    for k, t in enumerate(TIMES):
        half = expm(-0.5j * t * h)
        psi = half @ turn @ half @ np.full(64, 1 / 8)
        acted = total @ psi
        spin = (acted @ psi.conj()).real
        np.testing.assert_allclose(data["spin"][k], spin, atol=1e-10)
        covariance = (acted.conj() @ acted.T).real - np.outer(spin, spin)
        np.testing.assert_allclose(data["covariance"][k], covariance, atol=1e-10)


def test_an_echo_chooses_its_times_and_undoes_the_field_of_n_n():
    bare = sq.SpinModel(LATTICE, hamiltonian=[sq.VanDerWaals(1.3, form="ising")])
    echoed = sq.simulate(ARRAY, STATE, pulses=[ECHO], method="closed_form")
    plain = sq.simulate(bare, STATE, method="closed_form")
    detuned = sq.simulate(ARRAY, STATE, method="closed_form")
    best, same, worse = (sq.optimum(data) for data in (echoed, plain, detuned))
    assert best.xi2 == pytest.approx(same.xi2, rel=1e-6)
    assert best.time == pytest.approx(same.time, rel=1e-3)
    assert best.xi2 < worse.xi2 - 0.02


def test_sampled_runs_keep_their_blocks():
    method = sq.DTWA(n_trajectories=40)
    data = sq.simulate(ARRAY, STATE, TIMES, pulses=[ECHO], method=method, seed=3)
    pulse = sq.Pulse(0.35, axis="+x", angle=np.pi)
    alone = sq.simulate(ARRAY, STATE, [0.7], pulses=[pulse], method=method, seed=3)
    np.testing.assert_allclose(data["xi2"][2], alone["xi2"][0], rtol=1e-9)
    np.testing.assert_allclose(data["xi2_stderr"][2], alone["xi2_stderr"][0], rtol=1e-9)


def test_diagnostics_are_those_of_each_time():
    method = sq.DTWA(n_trajectories=40)
    data = sq.simulate(ARRAY, STATE, TIMES[1:], pulses=[ECHO], method=method)
    diagnostics = json.loads(data.attrs["diagnostics"])
    for k, t in enumerate(TIMES[1:]):
        pulse = sq.Pulse(t / 2, axis="+x", angle=np.pi)
        alone = sq.simulate(ARRAY, STATE, [t], pulses=[pulse], method=method)
        own = json.loads(alone.attrs["diagnostics"])
        each = diagnostics["of_each_time"]
        assert each["integration_error"][k] == own["integration_error"]
        assert "dtype" not in each
    assert diagnostics["integration_error"] == each["integration_error"][-1]
    data = sq.simulate(ARRAY, STATE, TIMES, pulses=[ECHO], method="closed_form")
    assert "of_each_time" not in json.loads(data.attrs["diagnostics"])


def test_a_sweep_over_echoes():
    tables = {
        "ensemble": {"spins": 10},
        "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}, {"term": "drive", "rabi": 0.3}],
        "initial_state": {"coherent": "+z"},
        "pulses": [{"fraction": 0.5, "axis": "+z", "angle": 3.141592653589793}],
        "method": {"name": "symmetric"},
        "run": {"times": [0.1, 0.2]},
        "sweep": {"pulses.0.fraction": [0.25, 0.5]},
    }
    swept = sq.sweep(study_from_tables(tables), workers=0)
    one = dict(tables, pulses=[dict(tables["pulses"][0], fraction=0.25)])
    del one["sweep"]
    alone = sq.run_study(study_from_tables(one))
    np.testing.assert_array_equal(swept["spin"].isel(fraction=0), alone["spin"])
    assert not np.allclose(swept["spin"].isel(fraction=1), alone["spin"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sq.Pulse(axis="+x", angle=1.0), r"^pulse time must be given, or fraction, e\.g\."),
        (
            lambda: sq.Pulse(0.1, fraction=0.5, axis="+x", angle=1.0),
            r"^pulse fraction must not stand next to time; give one of them$",
        ),
        (
            lambda: sq.Pulse(fraction=1.5, axis="+x", angle=1.0),
            r"^pulse fraction must be at most 1, got 1.5$",
        ),
        (
            lambda: sq.simulate(
                ARRAY, STATE, pulses=[ECHO, sq.Pulse(0.1, axis="+x", angle=1.0)]
            ),
            r"^times must be given with pulses, .* or with pulses at a fraction of each time$",
        ),
        (
            lambda: sq.simulate(
                sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)]), STATE, TIMES,
                pulses=[ECHO], losses=sq.Losses(rate=0.1),
            ),
            r"^losses must not stand next to pulses at a fraction of each time; give their times$",
        ),
        (
            lambda: sq.simulate(
                ARRAY, STATE, TIMES, pulses=[ECHO], method=sq.DTWA(target_error=0.1)
            ),
            r"a target_error is not for pulses at a fraction: give n_trajectories",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises((InvalidInput, sq.Unsupported), match=message):
        make()
