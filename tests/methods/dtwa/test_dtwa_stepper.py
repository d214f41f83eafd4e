"""Another stepper under the same engine: plain steps, and noise on every spin."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from tests.methods.dtwa.dtwa_models import circulant

from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.stepper import Crossing, StepPlan
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory
from spinsqueeze.models.canonical import Canonical, Field, Pair
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.kinds import one_each

X = np.array([1.0, 0.0, 0.0])
N, OMEGA, RATE = 4, 3.0, 0.8


class DephasingSteps:
    """d sigma = B x sigma dt + sqrt(rate) z x sigma o dW_i: RK4 between two turns by dW/2 each.

    The noise of sample k in window w comes from the key (seed, k, w) alone.
    """

    conservative = False

    def __init__(self, setup, *, rate, step):
        self.setup, self.rate, self.step = setup, rate, step

    def choose(self, _pilot):
        steps = [
            np.linspace(w.start, w.stop, 1 + int(np.ceil((w.stop - w.start) / self.step)))
            if w.stop > w.start
            else None
            for w in self.setup.windows
        ]
        return StepPlan(tuple(steps), 0.25, 0)

    def cross(self, batch, window, laid):
        engine = self.setup.engine
        sigma = engine.unload(batch.spins)
        noise = self._noise(batch.first_sample, sigma.shape, window, laid)
        wanted = self.setup.times[window.outputs]
        sums = np.empty((len(sigma), len(wanted), 3))
        for i, (start, stop) in enumerate(pairwise(laid)):
            before = sigma.sum(axis=2)
            sigma = _turned(self._drifted(_turned(sigma, noise[:, i]), start, stop), noise[:, i])
            for m in np.flatnonzero((wanted >= start) & (wanted < stop)):
                part = (wanted[m] - start) / (stop - start)
                sums[:, m] = (1 - part) * before + part * sigma.sum(axis=2)
        return Crossing(engine.load(sigma), sums)

    def work(self, laid):
        return len(laid) - 1, 4 * (len(laid) - 1)

    def _noise(self, first, shape, window, laid):
        number = self.setup.windows.index(window)
        keys = [np.random.SeedSequence(self.setup.seed, spawn_key=(first + k, number))
                for k in range(shape[0])]  # fmt: skip
        size = (len(laid) - 1, shape[2])
        normal = np.array([np.random.default_rng(key).normal(size=size) for key in keys])
        return normal * np.sqrt(self.rate * np.diff(laid))[:, None] / 2

    def _drifted(self, sigma, start, stop):
        h, slope = stop - start, self.setup.engine.slope
        k1 = slope(sigma, time=start)
        k2 = slope(sigma + h / 2 * k1, time=(start + stop) / 2)
        k3 = slope(sigma + h / 2 * k2, time=(start + stop) / 2)
        k4 = slope(sigma + h * k3, time=stop)
        return sigma + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _turned(sigma, angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * sigma[:, 0] - s * sigma[:, 1], s * sigma[:, 0] + c * sigma[:, 1],
                     sigma[:, 2]], axis=1)  # fmt: skip


def trajectory(model, times, *, stepper=None, rotations=(), batch=64):
    more = {} if stepper is None else {"stepper": stepper}
    return Trajectory(
        lower(model), directions=X, times=np.asarray(times, float), seed=3, rotations=rotations,
        options=Options(dtype="float64", tolerance=1e-9, batch=batch), **more,
    )  # fmt: skip


FREE = Canonical(one_each(N), fields=(Field(OMEGA, np.array([0.0, 0.0, 1.0])),))
NOISY = partial(DephasingSteps, rate=RATE, step=0.05)


@pytest.mark.parametrize("rate", [0.0, RATE])
def test_white_noise_dephases_each_spin_by_itself(rate):
    """<S_x> = (N/2) e^(-rate t/2) cos(omega t); <S_x^2 + S_y^2> = (2N + N(N-1) e^(-rate t))/4."""
    times = np.array([0.0, 0.4, 1.0])
    stepper = partial(DephasingSteps, rate=rate, step=0.05)
    run = trajectory(FREE, times, stepper=stepper, batch=500)
    n_samples = 4000
    spins = run.run(run.plan(), n_samples=n_samples).spins
    decay = np.exp(-rate * times / 2)
    expected = N / 2 * np.stack([decay * np.cos(OMEGA * times), decay * np.sin(OMEGA * times)])
    error = spins.std(axis=0) / np.sqrt(n_samples)
    assert error.max() < 0.03
    for a in range(2):
        assert np.all(np.abs(spins[:, :, a].mean(axis=0) - expected[a]) < 5 * error[:, a] + 1e-3)
    square = (spins[:, :, :2] ** 2).sum(axis=2)
    expected = (2 * N + N * (N - 1) * decay**2) / 4
    error = square.std(axis=0) / np.sqrt(n_samples)
    assert np.all(np.abs(square.mean(axis=0) - expected) < 5 * error + 1e-3)


def test_a_pulse_takes_back_the_field_and_not_the_noise():
    """An echo: the phase omega t vanishes, white noise dephases by e^(-rate t/2) all the same."""
    echo = (Rotation(0.5, X, np.pi, None),)
    run = trajectory(FREE, [0.5, 1.0], stepper=NOISY, rotations=echo, batch=500)
    spins = run.run(run.plan(), n_samples=4000).spins[:, -1]
    error = spins.std(axis=0) / np.sqrt(4000)
    expected = np.array([N / 2 * np.exp(-RATE / 2), 0.0, 0.0])
    assert np.all(np.abs(spins.mean(axis=0) - expected) < 5 * error + 1e-3)


def test_noise_belongs_to_a_sample_not_to_its_batch():
    run = trajectory(FREE, [0.0, 0.33, 1.0], stepper=NOISY, batch=16)
    whole = run.run(run.plan(), n_samples=50, keep_final=True)
    part = run.run(run.plan(), n_samples=20, first_sample=13, keep_final=True)
    assert np.array_equal(whole.spins[13:33], part.spins)
    assert np.array_equal(whole.final_spins[13:33], part.final_spins)
    other = trajectory(FREE, [0.0, 0.33, 1.0], stepper=NOISY, batch=8)
    assert np.array_equal(whole.spins, other.run(other.plan(), n_samples=50).spins)


def test_without_noise_it_is_the_same_motion():
    """Couplings on a grid, an envelope, pulses: the two differ by the fourth power of the step."""
    shape = Envelope([0.0, 0.3, 1.0], values=[0.5, 2.0, -1.0])
    model = Canonical(
        one_each(24),
        pairs=(Pair(shape, np.diag([2.0, 2.0, -2.0]), circulant((4, 6), 3.0)),),
        fields=(Field(1.0, np.array([0.0, 0.2, 1.0])),),
    )
    pulses = (
        Rotation(0.3, np.array([0.0, 0.0, 1.0]), 0.7, np.arange(24) % 3 == 0),
        Rotation(0.5, np.array([0.0, 1.0, 0.0]), 1.1, None),
    )
    times = [0.0, 0.2, 0.3, 0.5, 0.8]
    steppers = [None, *(partial(DephasingSteps, rate=0.0, step=h) for h in (0.02, 0.01))]
    runs = [trajectory(model, times, stepper=s, rotations=pulses, batch=16) for s in steppers]
    true, coarse, fine = (r.run(r.plan(), n_samples=20, keep_final=True) for r in runs)
    for name in ("spins", "final_spins"):
        errors = [np.abs(getattr(r, name) - getattr(true, name)).max() for r in (coarse, fine)]
        assert errors[0] < 5e-3
        assert errors[0] / errors[1] == pytest.approx(16, rel=0.25)
    assert np.ptp(true.spins[:, :, 0]) > 1


def test_the_report_is_of_the_stepper():
    run = trajectory(FREE, [0.0, 0.2, 1.0], stepper=NOISY)
    report = run.run(run.plan(), n_samples=5).report
    assert np.isnan(report.spin_length_drift)
    assert np.isnan(report.energy_drift)
    assert report.integration_error == 0.25
    assert report.n_steps == 20
    assert report.rhs_evaluations == 80 + 2 + 1
