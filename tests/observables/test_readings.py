"""Readings: exact and sampled, there and back, with error bars, side by side."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.readings import Reading, merged, moments_of, readings_of

RNG = np.random.default_rng(5)
SPINS = RNG.normal([3.0, 0.0, 1.0], 1.0, (60, 2, 3))


def test_moments_there_and_back():
    blocks = BlockMoments.from_samples(SPINS, n_spins=8, n_blocks=12)
    again = moments_of(readings_of(blocks), n_spins=8)
    for name in ("reference", "weights", "first", "second"):
        assert np.array_equal(getattr(again, name), getattr(blocks, name)), name
    exact = blocks.combined()
    again = moments_of(readings_of(exact), n_spins=8)
    assert isinstance(again, Moments)
    assert np.array_equal(again.spin, exact.spin)
    assert np.array_equal(again.covariance, exact.covariance)


def test_spins_left_count_the_spins():
    readings = readings_of(Moments(n_spins=8, spin=np.ones((2, 3)), covariance=np.ones((2, 3, 3))))
    readings["spins_left"] = Reading(np.array([8, 7]))
    assert moments_of(readings, n_spins=8).n_spins.tolist() == [8, 7]


def test_the_error_of_a_sampled_reading_is_that_of_the_mean():
    values, reference = RNG.normal(size=(3, 40)), np.array([5.0, -1.0, 0.0])
    estimate = Reading(values, weights=np.ones(40), reference=reference).estimate()
    assert estimate.value == pytest.approx(values.mean(axis=1) + reference, rel=1e-12)
    assert estimate.stderr == pytest.approx(values.std(axis=1, ddof=1) / np.sqrt(40), rel=1e-10)


def test_merged_readings_are_those_of_all_samples_about_any_reference():
    values, weights = RNG.normal(size=(2, 24, 3)), RNG.integers(1, 9, 24).astype(float)
    whole = Reading(values, weights=weights).estimate()
    shift = np.full((2, 3), 7.0)
    parts = (
        Reading(values[:, :10], weights=weights[:10]),
        Reading(values[:, 10:] - 7.0, weights=weights[10:], reference=shift),
    )
    for order in (parts, parts[::-1]):
        estimate = merged(order).estimate()
        assert estimate.value == pytest.approx(whole.value, abs=1e-13)
        assert estimate.stderr == pytest.approx(whole.stderr, rel=1e-10)


def test_what_does_not_fit_is_refused():
    exact, sampled = Reading(np.ones((2, 3))), Reading(np.ones((2, 9, 3)), weights=np.ones(9))
    with pytest.raises(InvalidInput, match="an exact reading has no standard error"):
        exact.estimate()
    with pytest.raises(InvalidInput, match="only sampled readings can be merged"):
        merged([sampled, exact])
    with pytest.raises(InvalidInput, match="must hold spin and second, second is missing"):
        moments_of({"spin": exact}, n_spins=2)
    with pytest.raises(InvalidInput, match="must both be sampled, or both be exact"):
        moments_of({"spin": sampled, "second": exact}, n_spins=2)


def test_spins_left_are_sampled_where_the_spin_is():
    exact = {"spin": Reading(np.ones((2, 3))), "second": Reading(np.tile(np.eye(3), (2, 1, 1)))}
    left = Reading(np.full((2, 4), 5.0), weights=np.ones(4))
    with pytest.raises(InvalidInput, match="spins_left must be sampled where spin is"):
        moments_of({**exact, "spins_left": left}, n_spins=6)
