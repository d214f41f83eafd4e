"""A function of time as a cubic table: points where the function needs them, none elsewhere."""

from collections.abc import Callable, Sequence

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput

MAX_POINTS = 2**16
FIRST_INTERVALS = 16
N_SAMPLES = 4096
GOLDEN = (np.sqrt(5.0) - 1) / 2
STEEPEST_GRADING = 2.5
"""Largest ratio of neighbouring intervals: a spline rings where its points change abruptly."""


def tabulate(
    function: Callable[[float], float],
    *,
    start: float,
    stop: float,
    tolerance: float,
    features: Sequence[float] = (),
) -> tuple[Floats, Floats]:
    """Times and values whose not-a-knot spline follows the function on [start, stop].

    The samples that judge the spline lie at multiples of the golden ratio, which no periodic
    function keeps pace with, near the middle of every interval, and at 2^-k of the whole interval
    around each of `features`. Intervals with a sample off by more than
    tolerance * max |function| are halved until none is left.

    Raises:
        InvalidInput: a value that is not a finite number, a jump, or more than 65 536 points.
    """
    low = checks.real("start", start)
    high = checks.real("stop", stop, above=low)
    relative = checks.real("tolerance", tolerance, minimum=1e-13, maximum=0.1)
    special = np.array([checks.real("features", t, minimum=low, maximum=high) for t in features])
    span = high - low

    def values(times: Floats) -> Floats:
        return np.array([checks.real("envelope value", function(t)) for t in times.tolist()])

    offsets = span * np.ldexp(1.0, -np.arange(1, 41))
    around = (special[:, None] + np.concatenate([-offsets, offsets])).ravel()
    spread = low + span * np.modf(GOLDEN * np.arange(1, N_SAMPLES + 1))[0]
    samples = np.concatenate([spread, around[(around > low) & (around < high)]])
    samples_known = values(samples)
    knots = np.unique(np.concatenate([np.linspace(low, high, FIRST_INTERVALS + 1), special]))
    knots = _graded(knots)
    knots_known = values(knots)
    while True:
        extra = _second_looks(knots, samples)
        samples, samples_known = (
            np.concatenate([samples, extra]),
            np.concatenate([samples_known, values(extra)]),
        )
        wrong = _wrong_intervals(knots, knots_known, samples, samples_known, relative)
        if not wrong.size:
            return knots, knots_known
        middles = _halved(knots, wrong)
        if len(knots) + len(middles) > MAX_POINTS:
            raise InvalidInput(
                f"the envelope function varies too fast for {MAX_POINTS} points on "
                f"[{low:g}, {high:g}] to follow it within {relative:g}; shorten the interval, "
                "raise tolerance, or work in a frame in which it varies more slowly"
            )
        order = np.argsort(np.concatenate([knots, middles]), kind="stable")
        knots, knots_known = (
            np.concatenate([knots, middles])[order],
            np.concatenate([knots_known, values(middles)])[order],
        )


def _wrong_intervals(
    knots: Floats, values: Floats, samples: Floats, truth: Floats, relative: float
) -> Integers:
    """Numbers of the intervals that hold a sample which the spline misses."""
    from scipy.interpolate import CubicSpline

    scale = max(float(np.abs(values).max()), float(np.abs(truth).max()))
    missed = samples[np.abs(CubicSpline(knots, values)(samples) - truth) > relative * scale]
    wrong = np.unique(np.searchsorted(knots, missed, side="right") - 1)
    wrong = wrong[wrong < len(knots) - 1]
    narrow = np.diff(knots)[wrong] < 1e-12 * max(knots[-1] - knots[0], abs(knots[0]))
    if np.any(narrow):
        raise InvalidInput(
            f"the envelope function jumps or has a spike near t = {knots[wrong[narrow][0]]:.9g}, "
            "which a spline cannot follow; give a table: Envelope(times, values=..., "
            "interpolation='step'), or a short ramp"
        )
    return wrong


def _second_looks(knots: Floats, samples: Floats) -> Floats:
    """Two irregular times in every interval without a sample near its middle.

    The error of a spline is largest near the middle of an interval and vanishes at its ends.
    """
    index = np.clip(np.searchsorted(knots, samples, side="right") - 1, 0, len(knots) - 2)
    width = np.diff(knots)
    place = (samples - knots[index]) / width[index]
    central = index[(place > 0.35) & (place < 0.65)]
    bare = np.setdiff1d(np.arange(len(width)), central)
    shift = np.modf(GOLDEN * (bare + len(knots)))[0]
    left = knots[bare]
    return np.concatenate(
        [left + (0.42 + 0.16 * shift) * width[bare], left + (0.15 + 0.15 * shift) * width[bare]]
    )


def _halved(knots: Floats, wrong: Integers) -> Floats:
    """Middles of the wrong intervals, and of others that would be too wide beside them."""
    middles = (knots[wrong] + knots[wrong + 1]) / 2
    fine = _graded(np.sort(np.concatenate([knots, middles])))
    return np.setdiff1d(fine, knots)


def _graded(knots: Floats) -> Floats:
    """The knots with halved intervals until neighbours differ by no more than the ratio."""
    while True:
        width = np.diff(knots)
        beside = np.minimum(np.append(width[1:], np.inf), np.insert(width[:-1], 0, np.inf))
        wide = np.flatnonzero(width > STEEPEST_GRADING * beside)
        if not wide.size:
            return knots
        knots = np.sort(np.concatenate([knots, (knots[wide] + knots[wide + 1]) / 2]))
