"""Strengths in time through every method: nothing in a table may be missed."""

import numpy as np
import pytest

import spinsqueeze as sq

N = 4
LAST = 100.0
TABLE = np.linspace(0.0, LAST, 2001)
INTEGRATORS = ["exact", "symmetric", "permutation_invariant", "closed_form", sq.DTWA(64)]


def bump(centre, area, kind):
    """A Gaussian of width 0.3 in a run of 100, six points of the table a width."""
    values = area * np.exp(-((TABLE - centre) ** 2) / 0.18) / (0.3 * np.sqrt(2 * np.pi))
    return sq.Envelope(TABLE, values=values, interpolation=kind)


@pytest.mark.parametrize(
    ("n_times", "centre"),
    [(1, 37.0), (1, 50.0), *(pytest.param(201, c, marks=pytest.mark.slow) for c in (37.0, 50.0))],
)
@pytest.mark.parametrize("kind", ["linear", "cubic"])
@pytest.mark.parametrize("method", INTEGRATORS[:3] + INTEGRATORS[4:], ids=str)
def test_a_short_pi_pulse_turns_the_spin_over(method, kind, centre, n_times):
    model = sq.SpinModel(N, hamiltonian=[sq.Drive(bump(centre, np.pi, kind))])
    times = np.linspace(0, LAST, n_times + 1)[1:]
    data = sq.simulate(model, sq.CoherentState("-z"), times, method=method)
    assert float(data.spin[-1, 2]) == pytest.approx(N / 2, abs=1e-5)
    claimed = float(data.attrs["numerical_error"]) * np.sqrt(N) / 2
    assert abs(float(data.spin[-1, 2]) - N / 2) <= claimed + 1e-7  # float32 in DTWA


def test_a_pulse_of_decay_and_one_of_twisting():
    decay = sq.SpinModel(N, jumps=[sq.LocalDecay(bump(50.0, 1.0, "cubic"))])
    data = sq.simulate(decay, sq.CoherentState("+z"), [LAST], method="permutation_invariant")
    assert float(data.spin[-1, 2]) == pytest.approx(N / 2 * (2 * np.exp(-1.0) - 1), abs=1e-9)
    twist = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(bump(37.0, 0.4, "cubic"))])
    for method in INTEGRATORS:
        data = sq.simulate(twist, sq.CoherentState("+x"), [LAST], method=method, seed=1)
        tolerance = 0.3 if isinstance(method, sq.DTWA) else 1e-9
        assert float(data.spin[-1, 0]) == pytest.approx(N / 2 * np.cos(0.4) ** 3, abs=tolerance)


@pytest.mark.parametrize("n_points", [5, 8, 40])
@pytest.mark.parametrize("method", ["exact", "symmetric", "permutation_invariant", "closed_form"])
def test_a_field_along_z_turns_by_the_integral_of_the_spline(method, n_points):
    from scipy.interpolate import CubicSpline

    rng = np.random.default_rng(n_points)
    times, values = np.linspace(0, 3, n_points), 2 * rng.normal(size=n_points)
    angle = float(CubicSpline(times, values).integrate(0, 3))
    field = sq.Envelope(times, values=values, interpolation="cubic")
    model = sq.SpinModel(3, hamiltonian=[sq.UniformField([0, 0, 1.0], envelope=field)])
    data = sq.simulate(model, sq.CoherentState("+x"), [3.0], method=method)
    right = 1.5 * np.array([np.cos(angle), np.sin(angle), 0.0])
    np.testing.assert_allclose(data.spin.values[-1], right, atol=1e-12)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "kind", ["linear", pytest.param("cubic", marks=SLOW), pytest.param("step", marks=SLOW)]
)
def test_all_integrators_agree_on_a_general_table(kind):
    rng = np.random.default_rng(11)
    turn = sq.Envelope(
        np.sort(rng.uniform(0, 2, 7)), values=3 * rng.normal(size=7), interpolation=kind
    )
    twist = sq.Envelope([0.0, 0.7, 1.1, 1.9], values=[1.0, 0.2, 1.5, 0.3], interpolation="cubic")
    model = sq.SpinModel(
        5, hamiltonian=[sq.OneAxisTwisting(twist, axis="x"), sq.Drive(turn, phase=0.7)]
    )
    times = np.linspace(0, 2.5, 6)
    state = sq.CoherentState([0.6, 0.0, -0.8])
    runs = [
        sq.simulate(model, state, times, method=m)
        for m in ("exact", "symmetric", "permutation_invariant")
    ]
    for run in runs[1:]:
        np.testing.assert_allclose(run.spin, runs[0].spin, atol=2e-9)
        np.testing.assert_allclose(run.covariance, runs[0].covariance, atol=1e-8)


@pytest.mark.parametrize("method", ["exact", "symmetric", "permutation_invariant", sq.DTWA(64)])
def test_ramps_of_any_steepness(method):
    found = []
    for width in (1e-5, 1e-9, 1e-12):
        ramp = sq.Envelope([0.5, 0.5 + width, 1.0, 1.0 + width], values=[0.0, 1.0, 1.0, 0.0])
        model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(ramp), sq.Drive(0.3)])
        found.append(sq.simulate(model, sq.CoherentState("+x"), [1.5], method=method, seed=2))
    step = sq.Envelope([0.0, 0.5, 1.0], values=[0.0, 1.0, 0.0], interpolation="step")
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(step), sq.Drive(0.3)])
    jump = sq.simulate(model, sq.CoherentState("+x"), [1.5], method=method, seed=2)
    for run in found:
        np.testing.assert_allclose(run.spin, jump.spin, atol=3e-5)
    np.testing.assert_allclose(
        found[-1].spin, jump.spin, atol=1e-5 if isinstance(method, sq.DTWA) else 1e-9
    )


@pytest.mark.parametrize("method", INTEGRATORS[:3] + INTEGRATORS[4:], ids=str)
def test_breakpoints_and_outputs_one_rounding_apart(method):
    # 0.1 + 0.2 is not 0.3: three times that mean one, in two tables and an output.
    late, early = 0.1 + 0.2, 0.3
    twist = sq.Envelope([0.0, late, 1.0], values=[0.0, 1.0, 0.0])
    drive = sq.Envelope([0.0, early, 1.0], values=[0.0, 2.0, 0.0])
    same = sq.Envelope([0.0, early, 1.0], values=[0.0, 1.0, 0.0])
    state = sq.CoherentState("+z")
    runs = []
    for strength in (twist, same):
        model = sq.SpinModel(3, hamiltonian=[sq.OneAxisTwisting(strength), sq.Drive(drive)])
        pulses = [sq.Pulse(np.nextafter(late, 1.0), axis="x", angle=0.4)]
        times = [early, late, 1.0]
        runs.append(sq.simulate(model, state, times, method=method, pulses=pulses, seed=3))
    np.testing.assert_allclose(
        runs[0].spin, runs[1].spin, atol=1e-5 if isinstance(method, sq.DTWA) else 1e-9
    )
