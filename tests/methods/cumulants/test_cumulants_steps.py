"""The error of one step, and how a stretch goes on after it."""

import numpy as np
import pytest

from spinsqueeze.methods.cumulants.integrate import (
    DONE,
    LONG,
    LOST,
    STIFF,
    STIFF_STEPS,
    TABLEAU,
    _error,
    _state,
)


def test_the_error_of_a_step_is_relative_to_scales_and_to_what_has_outgrown_them():
    e, h = TABLEAU[1], 0.3
    scale, p = np.array([1.0, 0.01, 0.1]), np.array([0.5, 0.0, -40.0])
    k = np.random.default_rng(0).normal(size=(16, 3))
    for shares in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.3, 0.02, 5.0]):
        slopes = k * np.array(shares)
        five, three = np.abs(e[:, :12] @ slopes[:12]) / np.array([1.0, 0.01, 40.0])
        fifth, third = five.max(), three.max()
        expected = h * fifth**2 / np.sqrt(fifth**2 + 0.01 * third**2)
        assert _error(slopes, h, e, p, scale) == pytest.approx(expected, rel=1e-12)
    assert _error(0 * k, h, e, p, scale) == 0.0
    k[11, 1] = np.nan
    assert _error(k, h, e, p, scale) == np.inf


def test_how_a_stretch_goes_on():
    limits = np.array([np.inf, 2.0])

    def state(*p, stiff=0, left=1, width=1.0, least=1.0):
        return _state(np.array(p), limits, stiff, left, width, least)

    assert state(1e9, -1.9) == DONE
    assert state(0.0, -2.0) == state(0.0, 2.0) == state(0.0, np.nan) == LOST
    assert state(0.0, 0.0, stiff=STIFF_STEPS - 1) == DONE
    assert state(0.0, 0.0, stiff=STIFF_STEPS) == STIFF
    assert state(0.0, 0.0, left=0) == LONG
    assert state(0.0, 0.0, width=0.99) == LOST
