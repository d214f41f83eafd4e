"""Where polynomials stop falling, also where Newton's method leads away from it."""

import numpy as np

from spinsqueeze.observables.lowest import _lowest_between, _polynomial
from tests.rounding import rounding


def test_polynomials_stop_falling_where_their_slope_is_zero():
    rng = np.random.default_rng(0)
    slope = rng.normal(size=(20_000, 4))
    slope[:, 1] *= 10.0 ** -rng.uniform(0, 3, len(slope))  # nearly straight in the middle
    falls = slope @ np.array([1.0, -1.0, 1.0, -1.0]) < 0
    slope = slope[falls & (slope.sum(axis=1) > 0)]
    assert len(slope) > 1000
    ones = np.ones(len(slope))
    u = _lowest_between(-ones, ones, slope)
    assert np.abs(u).max() < 1
    left = np.abs(_polynomial(slope, u[:, None])[:, 0])
    assert np.all(left <= rounding(4, scale=np.abs(slope).sum(axis=1), condition=1))
