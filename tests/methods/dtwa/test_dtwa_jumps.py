"""Pieces of the stepper of open systems: rates and noise at the nodes, their order, the means."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.methods.dtwa.dtwa_models import AXES

import spinsqueeze as sq
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.jumps import loop
from spinsqueeze.methods.dtwa.jumps.reservoirs import lower_jumps
from spinsqueeze.methods.dtwa.method import stepper_of
from spinsqueeze.methods.dtwa.precision import double_precision
from spinsqueeze.methods.dtwa.stepper import Pilot
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory


def run_of(model, times, *, batch=64):
    canonical = model.canonical.per_spin()
    couplings = lower(canonical)
    run = Trajectory(
        couplings,
        directions=AXES["x"],
        times=np.asarray(times, float),
        seed=3,
        options=Options(dtype="float64", batch=batch),
        **stepper_of(canonical, couplings),
    )
    pilot = Pilot(
        begin=lambda: run._begin(0),
        enter=lambda spins, window: run._enter(spins, window, 0),
        collective_spins=lambda steps: run._run_batch(0, steps).spins,
    )
    return run, pilot


def reservoirs_of(*jumps):
    canonical = sq.SpinModel(2, jumps=jumps).canonical.per_spin()
    return lower_jumps(canonical, lower(canonical))


def test_a_rate_that_jumps_is_that_of_its_window_to_the_last_stage():
    step = sq.Envelope([0.0, 0.5], values=[1.0, 4.0], interpolation="step")
    run, _ = run_of(sq.SpinModel(2, jumps=[sq.LocalDecay(step)]), [1.0])
    counts = [2] * len(run.windows)
    for window, laid in zip(
        run.windows, run.stepper._lay(counts, [None] * len(counts)), strict=True
    ):
        if window.stop > window.start:
            assert np.all(laid.each["rates"][:-1] == (1.0 if window.stop <= 0.5 else 4.0))


@pytest.mark.parametrize(
    ("jump", "rate"),
    [
        (sq.LocalDecay(1.5), 1.5),
        (sq.LocalDephasing(1.5), 1.5),
        (sq.CollectiveJump(1.5, vector=[0, 0, 2]), 6.0),
        (sq.CollectiveDecay(1.5), 3.0),
    ],
)
def test_steps_follow_the_fastest_damping(jump, rate):
    """Of a single spin; common noise damps, too."""
    assert reservoirs_of(jump).fastest(np.array([0.0])) == pytest.approx(rate, rel=1e-12)


def test_a_hermitian_collective_jump_is_one_kick_whatever_its_phase():
    phase = np.exp(2.2j)
    found = reservoirs_of(sq.CollectiveJump(1.0, vector=[0.6 * phase, 0, 0.8 * phase]))
    assert len(found.kicks) == 1
    np.testing.assert_allclose(np.abs(found.kicks[0, :, 0]), [0.6, 0, 0.8], atol=1e-14)


def test_noise_goes_to_every_pair_that_its_factor_fills():
    """Jumps along x + y and x + z: nothing between y and z, but in the factor."""
    found = reservoirs_of(sq.LocalJump(1.0, vector=[1, 1, 0]), sq.LocalJump(1.0, vector=[1, 0, 1]))
    factor = found.factors(np.ones((1, 2)), np.zeros((1, 3, 1)))[0, :, :, 0]
    used = np.zeros((3, 3))
    for a, b in found.plan.noise:
        used[a, b] = factor[a, b]
    np.testing.assert_allclose(used @ used.T, -2 * found.damping.sum(axis=0)[..., 0], atol=1e-14)
    assert abs(factor[2, 1]) > 0.1


def test_kicks_change_their_order_from_node_to_node():
    """Which makes the noise of weak order 2."""
    axes = np.array([[0.0, 0.0, 1.0], [0.0, 0.8, 0.6]])
    model = sq.SpinModel(1, jumps=[sq.CollectiveJump(2.0, vector=a) for a in axes])
    run, pilot = run_of(model, [0.4], batch=16)
    batch = pilot.enter(pilot.begin(), run.windows[0])
    counts = [1] + [0] * (len(run.windows) - 1)
    laid = run.stepper._lay(counts, [np.zeros((2, 3, 1))] + [None] * (len(counts) - 1))[0]
    _, sums, _ = run.stepper._walk(batch, laid)
    spins = run.engine.unload(batch.spins)[:, :, 0]
    keys = run.stepper._keys(0, 16)
    for node, order in enumerate([(0, 1), (1, 0)]):
        with double_precision():
            drawn = np.array(loop._shared(run.stepper._reservoirs.plan, keys, np.uint32(node)))
        for k in order:
            vector = np.outer(drawn[k] * laid.kicks[node, k], axes[k])
            spins = Rotation.from_rotvec(vector).apply(spins)
        np.testing.assert_allclose(sums[node, 1].T, spins, atol=1e-12)


def test_means_that_shape_the_noise_are_as_long_as_those_of_the_samples():
    """Twisting shortens the mean spin to a third; the mean field alone does not know."""
    model = sq.SpinModel(10, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.2)])
    run, pilot = run_of(model, [0.5])
    counts = [20] + [0] * (len(run.windows) - 1)
    means = run.stepper._mean_spins(pilot, counts)[0]
    assert means[0, 0, 0] == pytest.approx(1.0)
    exact = np.cos(0.5) ** 9 * np.exp(-0.05)
    # 64 samples; <S_z> grows, too.
    assert means[-1, 0, 0] == pytest.approx(exact, abs=0.12)


def test_the_claim_of_noise_off_its_time_is_the_documented_one():
    """(omega h)^2/12 of the noise, (rate h)^2/2 inside a step; half of a variance's error."""
    run, _ = run_of(sq.SpinModel(1, jumps=[sq.LocalDecay(1.5)]), [1.0])
    speed, rate, n = 6.0, 1.5, 10
    noise = 1 - np.exp(-2 * rate)  # of the whole run, in units of 1
    expected = (noise * (speed / n) ** 2 / 12 + (rate / n) ** 2 / 2) / 2
    empty = [0.0] * (len(run.windows) - 1)
    found = run.stepper._noise_error([n, *map(int, empty)], [speed, *empty], [rate, *empty])
    assert found == pytest.approx(expected, rel=1e-12)
