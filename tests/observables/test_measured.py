"""A detector that misreads spins: against all outcomes of a small state, one by one."""

import itertools

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.measured import as_measured
from spinsqueeze.observables.moments import Moments
from spinsqueeze.results.best import optimum_of_run
from spinsqueeze.results.dataset import read_moments
from spinsqueeze.run.lines import best
from spinsqueeze.run.study_file import study_from_tables

N, P = 5, 0.07
TWISTED = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.3)])


def counted(amplitudes, basis):
    """Mean and variance of the spin along a direction, from every outcome and every misreading."""
    n = len(amplitudes).bit_length() - 1
    turned = amplitudes.reshape((2,) * n)
    for k in range(n):
        turned = np.moveaxis(np.tensordot(basis, turned, axes=(1, k)), 0, k)
    chances = np.abs(turned) ** 2
    mean = square = 0.0
    for outcome in itertools.product((0, 1), repeat=n):
        for misread in itertools.product((0, 1), repeat=n):
            chance = chances[outcome] * np.prod([P if wrong else 1 - P for wrong in misread])
            m = sum(0.5 - (bit ^ wrong) for bit, wrong in zip(outcome, misread, strict=True))
            mean, square = mean + chance * m, square + chance * m * m
    return mean, square - mean**2


def test_misread_outcomes_have_these_moments():
    rng = np.random.default_rng(1)
    amplitudes = rng.standard_normal(2**N) + 1j * rng.standard_normal(2**N)
    state = sq.StateVector(amplitudes / np.linalg.norm(amplitudes))
    data = sq.simulate(sq.SpinModel(N), state, [0.0], method="exact")
    found = as_measured(read_moments(data), readout=sq.Readout(detection_error=P))
    bases = {
        "x": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
        "y": np.array([[1, -1j], [1, 1j]]) / np.sqrt(2),
        "z": np.eye(2),
    }
    bits = np.array(list(itertools.product((0, 1), repeat=N)))
    own = state.amplitudes[(1 - bits) @ (1 << np.arange(N))]  # bit i is 1 where spin i is up
    for a, basis in enumerate(bases.values()):
        mean, variance = counted(own, basis)
        assert found.spin[0, a] == pytest.approx(mean, abs=1e-12)
        assert found.covariance[0, a, a] == pytest.approx(variance, abs=1e-12)


def test_measured_xi2_adds_the_noise_of_the_detector():
    readout = sq.Readout(detection_error=0.01, resolution=2.0)
    model = sq.SpinModel(100, hamiltonian=[sq.OneAxisTwisting(1.0)])
    times = np.linspace(0, 0.1, 21)
    data = sq.simulate(model, sq.CoherentState("+x"), times, method="closed_form", readout=readout)
    q = 0.98
    noise = 4 * 0.01 * 0.99 + 4 * 2.0**2 / 100
    expected = data["xi2"] + noise / (q * data["contrast"]) ** 2
    np.testing.assert_allclose(data["measured_xi2"], expected, rtol=1e-10)
    np.testing.assert_allclose(data["measured_contrast"], q * data["contrast"], rtol=1e-12)
    shown = sq.as_measured(data)
    for other in (shown, sq.as_measured(data, readout=readout)):
        np.testing.assert_allclose(other["xi2"], data["measured_xi2"], rtol=1e-12)
    seen, true = sq.optimum(shown), sq.optimum(data)
    assert true.xi2 < seen.xi2 < true.xi2 + 0.3
    assert sq.plot.squeezing({"spins": data, "as measured": shown})
    assert sq.study_of(data).readout == readout
    plain = sq.simulate(model, sq.CoherentState("+x"), times, method="closed_form")
    assert "measured_xi2" not in plain
    np.testing.assert_array_equal(plain["xi2"], data["xi2"])


@pytest.mark.slow
def test_sampled_moments_have_the_error_of_their_samples():
    readout = sq.Readout(detection_error=0.02)
    model = sq.SpinModel(sq.Lattice((4, 4)), hamiltonian=[sq.VanDerWaals(1.0)])
    method = sq.DTWA(n_trajectories=400)
    data = sq.simulate(model, sq.CoherentState("+x"), [0.0, 0.5], method=method, readout=readout)
    added = 4 * 0.02 * 0.98 / (0.96 * data["contrast"]) ** 2
    np.testing.assert_allclose(data["measured_xi2"], data["xi2"] + added, rtol=1e-6)
    assert np.all(data["measured_xi2_stderr"] >= 0.9 * data["xi2_stderr"] - 1e-12)
    shown = sq.as_measured(data)
    np.testing.assert_allclose(shown["xi2_stderr"], data["measured_xi2_stderr"], rtol=1e-10)


def test_lost_spins_are_not_misread():
    left = np.array([4.0, 2.0])
    moments = Moments(left, np.zeros((2, 3)), np.zeros((2, 3, 3)))
    found = as_measured(moments, readout=sq.Readout(detection_error=0.1, resolution=0.5))
    np.testing.assert_allclose(found.covariance[:, 0, 0], left * 0.09 + 0.25)


STUDY = {
    "ensemble": {"spins": 20},
    "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}],
    "initial_state": {"coherent": "+x"},
    "readout": {"detection_error": 0.01},
    "method": {"name": "closed_form"},
    "run": {"times": [0.1, 0.15, 0.2, 0.25, 0.3]},
}


def test_a_study_and_a_sweep_hold_the_readout():
    study = study_from_tables(STUDY)
    assert study.readout == sq.Readout(detection_error=0.01)
    assert study_from_tables(study.as_tables()).readout == study.readout
    swept = study_from_tables(STUDY | {"sweep": {"readout.detection_error": [0.0, 0.01, 0.1]}})
    data = sq.sweep(swept, workers=0)
    assert data["xi2"].isel(time=0).std() == 0.0
    least = data["optimal_measured_xi2"].values
    assert least[0] == data["optimal_xi2"].values[0] < least[1] < least[2]
    one = data.isel(detection_error=2)
    assert sq.optimum(sq.as_measured(one)).xi2 == pytest.approx(least[2], rel=1e-12)
    spins = "ensemble.spins"
    drawn = sq.sweep(study, over={spins: [8, 9, 10, 11]}, average_over=spins, workers=0)
    assert "spins_left" in drawn
    assert any(line.startswith("as measured (1 % misread): xi2 = ") for line in best(drawn))


def test_the_measured_optimum_of_a_sampled_point_has_its_stored_errors():
    study = sq.Study(
        sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(1.0)]),
        initial_state=sq.CoherentState("+x"),
        times=np.linspace(0.0, 0.3, 13),
        readout=sq.Readout(detection_error=0.05),
        method=sq.DTWA(200, sampling="independent"),
    )
    point = sq.sweep(study, over={"run.seed": [1, 2]}, workers=0).isel(seed=1)
    for measured, prefix in ((False, "optimal_"), (True, "optimal_measured_")):
        best = optimum_of_run(point, measured=measured)
        for name in ("xi2", "time", "angle"):
            assert getattr(best, f"{name}_stderr") == float(point[f"{prefix}{name}_stderr"]) > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sq.Readout(detection_error=0.5), r"^detection_error must be a fraction below 0.5"),
        (
            lambda: sq.Readout(detection_error=-0.1),
            r"^detection_error must be at least 0, got -0.1",
        ),
        (lambda: sq.Readout(resolution=-1), r"^resolution must be at least 0, got -1$"),
        (
            lambda: sq.simulate(TWISTED, sq.CoherentState("+x"), [0.1], readout=0.01),
            r"^readout must be a readout such as Readout\(detection_error=0.01\), got 0.01$",
        ),
        (
            lambda: study_from_tables(STUDY | {"readout": {"error": 1}}),
            r"^readout\.error: unknown key of the readout; ",
        ),
        (
            lambda: study_from_tables(STUDY | {"readout": {"detection_error": 1}}),
            r"^readout\.detection_error: must be a fraction below 0.5, got 1; 1 % is 0.01$",
        ),
        (
            lambda: study_from_tables(STUDY | {"readout": 0.01}),
            r"^readout: must be a table such as \[readout\] with detection_error = 0.01, got 0.01$",
        ),
        (
            lambda: sq.as_measured(
                sq.simulate(sq.SpinModel(3), sq.CoherentState("+x"), [0.1], method="exact")
            ),
            r"^readout must be given, e\.g\. Readout\(detection_error=0.01\), as the result has no",
        ),
        (
            lambda: sq.as_measured(
                sq.steady_state(TWISTED, readout=sq.Readout(detection_error=0.1))
            ),
            r"^data has no times: of a steady state read data\['measured_xi2'\]$",
        ),
    ],
)
def test_what_is_no_readout_is_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
