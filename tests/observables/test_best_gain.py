"""Errors of a gain by error propagation, and of the greatest gain over time."""

import numpy as np
import pytest

from spinsqueeze.observables.best_gain import BestGain, best_gain
from spinsqueeze.observables.jackknife import jackknife
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.observables.optimum_search import find_optimum
from spinsqueeze.observables.sensitivity import (
    OFFSETS,
    Sensitivity,
    best_sensitivity_of,
    sensitivity_of,
)

TIMES = np.linspace(0.0, 2.0, 21)
GREATEST, BEST_TIME = 5.0, 1.05


def curve(height=0.0, shift=0.0, times=TIMES):
    return GREATEST * np.exp(height - (times[:, None] - BEST_TIME - shift) ** 2)


def found(gain, *, stderr=None, replicas=None):
    vectors = np.zeros((len(gain), 3))
    weights = None if replicas is None else np.ones(replicas.shape[1])
    numerical = 0.01 * TIMES[: len(gain)]
    return Sensitivity(gain, stderr, numerical, vectors, vectors, None, replicas, weights)


def test_the_greatest_gain_has_the_errors_of_its_replicas():
    rng = np.random.default_rng(0)
    height, shift = rng.normal(0, 1e-3, (2, 30))
    height, shift = height - height.mean(), shift - shift.mean()
    best = best_gain(
        TIMES, found(curve()[:, 0], stderr=np.full(21, 1e-9), replicas=curve(height, shift))
    )
    spread = [np.sqrt(29 / 30 * np.sum(x**2)) for x in (height, shift)]
    assert best.gain == pytest.approx(GREATEST, rel=1e-6)
    # 0.01: exp(height) is linear up to its square
    assert best.gain_stderr == pytest.approx(GREATEST * spread[0], rel=0.01)
    assert best.time_stderr == pytest.approx(spread[1], rel=1e-6)
    assert best.gain_numerical_error == pytest.approx(0.01 * BEST_TIME, rel=1e-6)


@pytest.mark.parametrize("replicas", [None, np.tile(curve(), 10)])
def test_the_greatest_gain_has_at_least_the_error_of_the_curve(replicas):
    gain = curve()[:, 0]
    best = best_gain(TIMES, found(gain, stderr=0.1 * gain, replicas=replicas))
    assert best.gain_stderr == pytest.approx(0.1 * GREATEST, rel=0.01)


def test_the_greatest_gain_is_interpolated_like_the_least_xi2():
    times = TIMES[::2]
    gain = GREATEST / (1 + (times - BEST_TIME) ** 2 + 0.5 * (times - BEST_TIME) ** 5)
    best = best_gain(times, found(gain))
    least = find_optimum(times, xi2=1 / gain)
    assert best.status is OptimumStatus.INSIDE
    relative = least.xi2_interpolation / least.xi2
    assert best.gain_interpolation == pytest.approx(best.gain * relative, rel=1e-9)
    assert abs(best.gain - GREATEST) <= best.gain_interpolation < 0.1
    assert abs(best.time - BEST_TIME) <= best.time_interpolation == best.time_error


@pytest.mark.parametrize(("error", "shown"), [(2e-5, 2e-5), (1e-8, None)])
def test_errors_of_the_times_are_shown_unless_they_are_tiny(error, shown):
    best = BestGain(8.0, 0.5, np.nan, np.nan, error, error, 0.0, OptimumStatus.INSIDE, np.nan)
    assert best.error == shown
    assert best.time_error == shown


N, STEP, SLOPE, ERROR = 100, 0.01, 40.0, 1e-6


def nearby(pull):
    """Spins that turn along y with the phase, each off by so many errors as would hurt most."""
    length = N / 2
    off = {2.0: -1, 1.0: 1, 0.0: 0, -1.0: -1, -2.0: 1}
    return {
        k: Moments(
            n_spins=N,
            spin=np.array([[length, SLOPE * k * STEP + pull * off[k] * np.sqrt(N) / 2, 0.0]]),
            covariance=N / 4 * np.eye(3)[None],
        )
        for k in OFFSETS
    }


def test_a_numerical_error_is_what_errors_of_the_spins_do_to_the_gain():
    gain = [sensitivity_of(nearby(k), step=STEP, error=ERROR) for k in (0.0, ERROR)]
    assert gain[0].gain == pytest.approx(SLOPE**2 / (N / 4) / N, rel=1e-9)
    assert gain[0].numerical_error == pytest.approx(gain[1].gain - gain[0].gain, rel=1e-3)


def test_a_response_that_bends_has_the_error_of_the_coarser_slope():
    bend = 1e4
    bent = {
        k: Moments(
            n_spins=N,
            spin=m.spin + np.array([0.0, bend * (k * STEP) ** 3, 0.0]),
            covariance=m.covariance,
        )
        for k, m in nearby(0.0).items()
    }
    exact = sensitivity_of(bent, step=STEP, error=0.0)
    assert exact.gain == pytest.approx(SLOPE**2 / (N / 4) / N, rel=1e-9)
    coarse = (SLOPE + bend * STEP**2) ** 2 / (N / 4) / N
    assert exact.numerical_error == pytest.approx(coarse - exact.gain, rel=1e-9)


def test_about_the_best_axis_the_errors_of_three_slopes_add_up():
    gain = [best_sensitivity_of([nearby(k)] * 3, step=STEP, error=ERROR) for k in (0.0, ERROR)]
    np.testing.assert_allclose(gain[0].best_axis, np.full((1, 3), 3**-0.5), rtol=1e-6)
    # Alike slopes: those of one axis times 3^1/2, with 3^1/2 of the error.
    assert gain[0].gain == pytest.approx(3 * SLOPE**2 / (N / 4) / N, rel=1e-9)
    assert gain[0].numerical_error == pytest.approx(gain[1].gain - gain[0].gain, rel=1e-3)


def test_the_bias_of_few_samples_is_part_of_the_error():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, np.sqrt(N) / 2, (60, 1, 3))
    blocks = {
        k: BlockMoments.from_samples(
            noise + np.array([N / 2, SLOPE * k * STEP, 0.0]), n_spins=N, n_blocks=12
        )
        for k in OFFSETS
    }
    sampled = sensitivity_of(blocks, step=STEP, error=ERROR)
    alone = jackknife(sampled.gain, replicas=sampled.replicas, weights=sampled.weights)
    assert abs(alone.bias) > 0.1 * alone.stderr
    np.testing.assert_allclose(sampled.stderr, np.hypot(alone.stderr, alone.bias), rtol=1e-12)
