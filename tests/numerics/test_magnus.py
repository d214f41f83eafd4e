"""Magnus steps against dense integration: order, error, and what no step may miss."""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm

from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics import magnus

X = np.array([[0, 1], [1, 0]]) / 2
Y = np.array([[0, -1j], [1j, 0]]) / 2
Z = np.diag([1, -1]) / 2
UP = np.array([1.0, 0.0], complex)


class Dense:
    """A_k = -i H_k as matrices."""

    def __init__(self, *matrices):
        self.matrices = -1j * np.array(matrices)
        self.steps = 0

    def exponential(self, weights, state, **_):
        self.steps += 1
        return expm(np.tensordot(weights, self.matrices, 1)) @ state, 0.0

    def constant(self, weights, state, duration, *, outputs, emit, **_):
        for t in outputs:
            emit(self.exponential(weights * t, state, allowed=0)[0], 0.0)
        return self.exponential(weights * duration, state, allowed=0)

    def speed(self, weights, state):
        return float(np.linalg.norm(np.tensordot(weights, self.matrices, 1) @ state))


def fine_steps(matrices, drive, state, times):
    """Exponentials at the middle of short steps, extrapolated twice in their number."""

    def run(count):
        psi, out = state, []
        strengths = [s for s in drive.strengths if isinstance(s, Envelope)]
        knots = {float(t) for s in strengths for t in s.times if 0 < t < times[-1]}
        edges = sorted({0.0, *times, *knots})
        for a, b in itertools.pairwise(edges):
            h = (b - a) / count
            for k in range(count):
                w = [
                    s(a + (k + 0.5) * h) if isinstance(s, Envelope) else s for s in drive.strengths
                ]
                psi = expm(-1j * h * np.tensordot(np.array(w), np.array(matrices), 1)) @ psi
            if b in times:
                out.append(psi)
        return np.array(out)

    coarse, middle, fine = run(50), run(100), run(200)
    once = [(4 * middle - coarse) / 3, (4 * fine - middle) / 3]
    return (16 * once[1] - once[0]) / 15


@pytest.mark.parametrize("kind", ["linear", "cubic", "step"])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_claimed_holds_at_every_output(kind, seed):
    rng = np.random.default_rng([seed, 7])
    table = Envelope(
        np.sort(rng.uniform(0, 2, 6)), values=4 * rng.normal(size=6), interpolation=kind
    )
    other = Envelope(np.linspace(0.1, 1.9, 5), values=rng.normal(size=5), interpolation="cubic")
    drive, matrices = DriveWeights((1.0, table, other)), (Z, X, Y)
    times = [0.31, 0.9, 1.4, 2.2]
    truth = fine_steps(matrices, drive, UP, times)
    for tolerance in (1e-3, 1e-6, 1e-9):
        found = []
        last, error = magnus.propagate(
            Dense(*matrices), drive, UP, start=0.0, stop=2.2, tolerance=tolerance,
            outputs=times, emit=lambda y, e, found=found: found.append((y, e)),
        )  # fmt: skip
        assert len(found) == 4
        for (state, claimed), right in zip(found, truth, strict=True):
            assert np.linalg.norm(state - right) <= claimed + 1e-11
        assert np.linalg.norm(last - truth[-1]) <= error + 1e-11
        assert error <= 1.01 * tolerance


@pytest.mark.parametrize("centre", [37.0, 50.0, 50.0123])
@pytest.mark.parametrize("kind", ["linear", "cubic"])
def test_no_pulse_is_stepped_over(centre, kind):
    # A field along z does nothing to |up>, whose rest is exact: nothing hints at the pulse.
    t = np.linspace(0.0, 100.0, 2001)
    pulse = Envelope(
        t, values=np.pi * np.exp(-((t - centre) ** 2) / 0.18) / (0.3 * np.sqrt(2 * np.pi)),
        interpolation=kind,
    )  # fmt: skip
    state, error = magnus.propagate(
        Dense(X), DriveWeights((pulse,)), UP, start=0.0, stop=100.0, tolerance=1e-10
    )
    area = float(pulse.integral(100.0))
    right = np.array([np.cos(area / 2), -1j * np.sin(area / 2)])
    assert np.linalg.norm(state - right) < 1e-11
    assert error < 1e-9


def test_a_ramp_of_any_steepness_is_followed():
    results = []
    for width in (1e-5, 1e-7, 1e-9, 1e-12):
        ramp = Envelope([0.5, 0.5 + width, 1.0, 1.0 + width], values=[0.0, 1.0, 1.0, 0.0])
        state, error = magnus.propagate(
            Dense(Z, X), DriveWeights((0.3, ramp)), UP, start=0.0, stop=1.5, tolerance=1e-10
        )
        assert error < 2e-10
        results.append(state)
    step = Envelope([0.0, 0.5, 1.0], values=[0.0, 1.0, 0.0], interpolation="step")
    jump, _ = magnus.propagate(
        Dense(Z, X), DriveWeights((0.3, step)), UP, start=0.0, stop=1.5, tolerance=1e-10
    )
    for state, width in zip(results, (1e-5, 1e-7, 1e-9, 1e-12), strict=True):
        assert np.linalg.norm(state - jump) < width + 1e-12


def test_a_strength_that_commutes_with_itself_takes_one_step():
    rng = np.random.default_rng(0)
    bumps = Envelope(np.linspace(0, 3, 8), values=rng.normal(size=8), interpolation="cubic")
    dense = Dense(Z)
    plus = np.ones(2, complex) / np.sqrt(2)
    state, _ = magnus.propagate(
        dense, DriveWeights((bumps,)), plus, start=0.0, stop=3.0, tolerance=1e-10
    )
    angle = float(bumps.integral(3.0))
    np.testing.assert_allclose(state, plus * np.exp([-0.5j * angle, 0.5j * angle]), atol=1e-14)
    pieces = DriveWeights((bumps,)).pieces(0.0, 3.0)
    assert dense.steps <= 40 * len(pieces)


def test_steps_that_shrink_to_nothing_are_named():
    ramp = Envelope([0.0, 1.0], values=[1e13, 2e13])
    with pytest.raises(NumericalFailure, match=r"step shrank to .* strengths there are too large"):
        magnus.propagate(
            Dense(Z, X), DriveWeights((1e13, ramp)), UP, start=0.0, stop=1.0, tolerance=1e-10
        )


def test_errors_of_exponentials_are_shared_and_summed():
    class Claiming(Dense):
        """Errs by all that it may."""

        def exponential(self, weights, state, *, allowed):
            self.claimed += allowed
            return super().exponential(weights, state, allowed=allowed)[0], allowed

        def constant(self, weights, state, duration, *, allowed, **_):
            self.claimed += allowed
            return Dense.exponential(self, weights * duration, state, allowed=0)[0], allowed

    generator = Claiming(Z)
    generator.claimed = 0.0
    # One weight on commuting matrices: no error but that of the exponentials.
    ramp = Envelope([1.0, 2.0], values=[0.5, 1.5])
    _, error = magnus.propagate(
        generator, DriveWeights((ramp,)), UP, start=0.0, stop=5.0, tolerance=1e-6
    )
    # Constant for 4 of 5: a tenth of the tolerance. The ramp: two half steps with 2 % of the rest.
    assert error == pytest.approx(1e-7 + 0.02 * 9e-7, rel=1e-6)
    # The whole step is claimed by its exponentials too, and thrown away.
    assert generator.claimed == pytest.approx(1e-7 + 2 * 0.02 * 9e-7, rel=1e-6)
