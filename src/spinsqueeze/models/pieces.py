"""Where a piecewise polynomial stops being one smooth function."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Floats

DEGREE = 6
SMOOTH = 1e-9
ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Values that differ by less, relative to the largest one, are one."""
PROBES = np.array([0.0, 1 / 3, 2 / 3, 1.0])
"""Two cubics that agree at four times of a piece are one."""


def smooth_pieces(polynomial: Any, *, scale: float, smooth: bool) -> Floats:
    """Inner edges of a scipy PPoly (of degree 3) at which a new smooth stretch begins.

    A stretch holds the pieces that one polynomial describes: with `smooth` one of degree 6 within
    1e-9 of `scale`, else the first piece's own within rounding. Stretches are as long as possible,
    from the left.
    """
    edges, coefficients = polynomial.x, polynomial.c
    probes = edges[:-1, None] + np.diff(edges)[:, None] * PROBES
    # The last probe of a piece is read from that piece, whatever begins there.
    values = _cubic(coefficients[:, :, None], probes - edges[:-1, None])
    n = len(edges) - 1

    def goes_on(first: int, piece: int) -> bool:
        continued = _cubic(coefficients[:, first], probes[piece] - edges[first])
        return bool(np.abs(continued - values[piece]).max() <= ROUNDING * scale)

    def fits(first: int, stop: int) -> bool:
        return _fits(probes[first:stop], values[first:stop], scale)

    starts, first = [], 0
    while first < n:
        last = first + 1
        if smooth and 0 < first < n - 1:  # neither of the constants outside
            last = _longest(partial(fits, first), last, n - 1)
        while not smooth and last < n and goes_on(first, last):
            last += 1
        first = last
        starts.append(first)
    return np.asarray(edges[starts[:-1]])


def _cubic(coefficients: Floats, time: Floats) -> Floats:
    a, b, c, d = coefficients
    return np.asarray(((a * time + b) * time + c) * time + d)


def _fits(times: Floats, values: Floats, scale: float) -> bool:
    """Whether one polynomial of degree 6 passes within 1e-9 of the scale of all values."""
    if len(times) == 1:
        return True
    low, high = times[0, 0], times[-1, -1]
    place = (2 * times.ravel() - low - high) / (high - low)
    # Two pieces have 7 probes: a lower degree, lest it pass through all of them whatever they are.
    basis = np.polynomial.chebyshev.chebvander(place, min(DEGREE, 3 * len(times) - 2))
    fit = np.linalg.lstsq(basis, values.ravel(), rcond=None)[0]
    return bool(np.abs(basis @ fit - values.ravel()).max() <= SMOOTH * scale)


def _longest(fits: Callable[[int], bool], least: int, most: int) -> int:
    """The largest stop that fits, found by doubling and bisection; `least` always fits."""
    reach, step = least, 1
    while reach < most and fits(min(reach + step, most)):
        reach, step = min(reach + step, most), 2 * step
    while step > 1:
        step //= 2
        if reach + step <= most and fits(reach + step):
            reach += step
    return reach
