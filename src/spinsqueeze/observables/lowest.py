"""The lowest value of curves between their points, and how far interpolation may be off.

Around every low point of a curve several polynomials of its logarithm are minimised: a quartic
through the five nearest points in the coordinate in which these are spaced evenly (the time or its
logarithm), and as second opinions cubics, shifted quartics, a quartic in the other coordinate and
one of the inverse. Where the grid resolves the dip they agree, and their largest difference bounds
the error of the first; where it does not, they disagree, and nothing between the points is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers

STENCIL = 5
"""Points of the interpolating quartic; shorter curves are never interpolated."""

SAFETY = 5.0
"""The error claimed, in largest differences between two opinions."""

COARSE = 0.125
"""Claimed error of the logarithm (0.54 dB) above which a dip counts as not resolved."""

REACH = 3.0
"""Dips of the grid this much higher (in the logarithm) than the lowest point are looked at."""


HALVINGS = 45
"""From 1/32 of a stencil to rounding, where Newton's method is of no use."""

SETTLED = 4e-16
"""A change that is rounding, in units of a stencil."""

_FRACTIONS: Floats = np.linspace(0.0, 1.0, 65, dtype=np.float64)


@final
@dataclass(frozen=True, eq=False)
class Opinion:
    """Minima of one kind of polynomial, one for each dip (D,).

    Attributes:
        time, log: where and how low; NaN where this polynomial does not exist (time 0 has no
            logarithm).
        start: (D,) first point of the stencil.
        weights: (D, points) Lagrange weights of the stencil at `time`.
    """

    time: Floats
    log: Floats
    start: Integers
    weights: Floats


@final
@dataclass(frozen=True, eq=False)
class Dips:
    """The low points inside the grid of B curves, D in all.

    Attributes:
        curve, point: (D,) which curve, and which of its points.
        opinions: the trusted polynomial first; none for fewer than five points.
        log, time: (D,) the minimum by the first opinion; the point itself without opinions.
        error, time_error: (D,) bounds of the errors of log and time; infinite without opinions.
        coarse: (D,) whether the opinions disagree too much to believe any.
    """

    curve: Integers
    point: Integers
    opinions: tuple[Opinion, ...]
    log: Floats
    time: Floats
    error: Floats
    time_error: Floats
    coarse: Booleans


def dips(t: Floats, logs: Floats, *, noise: Floats | None = None) -> Dips:
    """The low points inside the grid of each curve, with the minima between the points.

    Args:
        t: (T,) strictly increasing.
        logs: (T, B) logarithms of the curves.
        noise: (T, B) standard errors of logs: differences that they explain do not make a dip
            coarse (they stay in its error).
    """
    n_times = t.size
    inner = logs[1:-1]
    low = (inner <= logs[:-2]) & (inner <= logs[2:]) & (inner <= logs.min(axis=0) + REACH)
    point, curve = np.nonzero(low)
    point = point + 1
    values = logs[point, curve]
    if n_times < STENCIL:
        unknown = np.full(point.size, np.inf)
        whole: Booleans = np.ones(point.size, dtype=np.bool_)
        return Dips(curve, point, (), values, t[point], unknown, unknown, whole)
    opinions = _opinions(t, logs, point, curve)
    first = opinions[0]
    gaps = np.stack([np.abs(o.log - first.log) for o in opinions])
    shifts = np.stack([np.abs(o.time - first.time) for o in opinions])
    gap = np.nanmax(gaps, axis=0)
    # Rounding of the values, magnified by the polynomial, moves every opinion in the same way.
    rounding = 1e-14 * (1.0 + np.abs(values))
    width = t[point + 1] - t[point - 1]
    blurred = 1e-13 * width + 1e-15 * np.abs(first.time)
    explained = 0.0 if noise is None else 3.0 * SAFETY * noise[point, curve]
    return Dips(
        curve,
        point,
        opinions,
        first.log,
        first.time,
        SAFETY * gap + rounding,
        SAFETY * np.nanmax(shifts, axis=0) + blurred,
        np.asarray(SAFETY * gap > COARSE + explained, dtype=np.bool_),
    )


def _opinions(t: Floats, logs: Floats, point: Integers, curve: Integers) -> tuple[Opinion, ...]:
    n_times = t.size
    nearest = np.clip(point - 2, 0, n_times - STENCIL)[:, None] + np.arange(STENCIL)
    even = _evenness(t[nearest])
    log_t = np.log(np.where(t > 0.0, t, np.nan))
    own = np.asarray(_evenness(log_t[nearest]) < even)  # False where a time is 0

    def ask(points: int, *questions: tuple[int, Booleans, bool]) -> list[Opinion]:
        """Polynomials through as many points, by offset, logarithmic time and inverse."""
        n_dips, kinds = point.size, len(questions)
        start = np.clip(
            np.concatenate([point + offset for offset, _, _ in questions]), 0, n_times - points
        )
        log = np.concatenate([log for _, log, _ in questions])
        stencil = start[:, None] + np.arange(points)
        point_of, curve_of = np.tile(point, kinds), np.tile(curve, kinds)
        base = logs[point_of, curve_of]
        x, lowest, weights = _minimum(
            np.where(log[:, None], log_t[stencil], t[stencil]),
            logs[stencil, curve_of[:, None]] - base[:, None],
            centre=point_of - start,
            inverse=np.repeat([inverse for _, _, inverse in questions], n_dips),
        )
        time = np.where(log, np.exp(np.where(log, x, 0.0)), x)
        parts = [slice(k * n_dips, (k + 1) * n_dips) for k in range(kinds)]
        return [Opinion(time[p], (base + lowest)[p], start[p], weights[p]) for p in parts]

    quartics = ask(
        5,
        (-2, own, False),
        (-3, own, False),
        (-1, own, False),
        (-2, own, True),
        (-2, ~own, False),
    )
    cubics = ask(4, (-2, own, False), (-1, own, False), (-1, ~own, False))
    (parabola,) = ask(3, (-1, own, False))
    # Next to the ends the stencils above coincide: a parabola is the opinion of lower order.
    beside = np.where((point == 1) | (point == n_times - 2), 0.0, np.nan)
    parabola = replace(parabola, time=parabola.time + beside, log=parabola.log + beside)
    return (*quartics, *cubics, parabola)


def _evenness(x: Floats) -> Floats:
    """Largest over smallest step of each stencil (D, points): 1 for an even grid."""
    steps = np.diff(x, axis=1)
    return np.asarray(steps.max(axis=1) / steps.min(axis=1))


def _minimum(
    nodes: Floats, local: Floats, *, centre: Integers, inverse: Booleans
) -> tuple[Floats, Floats, Floats]:
    """Minimum of the polynomial through each stencil, between the neighbours of its low point.

    Args:
        nodes: (D, points) coordinates; a stencil with a NaN has none.
        local: (D, points) logs above that of the low point.
        centre: (D,) where in the stencil the low point is.
        inverse: (D,) whether the polynomial is that of 1/value instead of the logarithm.

    Returns:
        coordinate (D,) and log (D,) of the minimum, NaN where the stencil has no coordinates;
        Lagrange weights (D, points).
    """
    n_dips, points = nodes.shape
    row = np.arange(n_dips)
    defined: Booleans = np.asarray(np.all(np.isfinite(nodes), axis=1), dtype=np.bool_)
    nodes = np.where(defined[:, None], nodes, np.arange(float(points)))
    values = np.where(inverse[:, None], -np.exp(-local), local)
    origin = nodes[row, centre]
    left = nodes[row, np.maximum(centre - 1, 0)]
    right = nodes[row, np.minimum(centre + 1, points - 1)]
    width = right - left
    nodes = (nodes - origin[:, None]) / width[:, None]
    powers = np.arange(float(points))
    vandermonde = nodes[:, :, None] ** powers
    coefficients = np.linalg.solve(vandermonde, values[..., None])[..., 0]

    low, high = (left - origin) / width, (right - origin) / width
    grid = low[:, None] + (high - low)[:, None] * _FRACTIONS
    best = np.argmin(_polynomial(coefficients, grid), axis=1)
    a = grid[row, np.maximum(best - 1, 0)]
    b = grid[row, np.minimum(best + 1, 64)]
    u = _lowest_between(a, b, coefficients[:, 1:] * powers[1:])
    lowest = _polynomial(coefficients, u[:, None])[:, 0]
    # The inverse is at most -1, its value at the low point.
    lowest = np.where(inverse, -np.log(np.where(inverse, -lowest, 1.0)), lowest)
    weights = np.linalg.solve(np.swapaxes(vandermonde, 1, 2), (u[:, None] ** powers)[..., None])
    nothing = np.where(defined, 0.0, np.nan)
    return (
        nothing + origin + u * width,
        nothing + lowest,
        weights[..., 0],
    )


def _lowest_between(a: Floats, b: Floats, slope: Floats) -> Floats:
    """Where polynomials stop falling in a ... b (D,): by Newton's method, kept inside by halving.

    Args:
        a: (D,) below one minimum each.
        b: (D,) above it.
        slope: (D, n) coefficients of the derivatives.
    """
    curvature = slope[:, 1:] * np.arange(1.0, slope.shape[1])
    u = 0.5 * (a + b)
    for _ in range(HALVINGS):
        rise = _polynomial(slope, u[:, None])[:, 0]
        a, b = np.where(rise > 0.0, a, u), np.where(rise > 0.0, u, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = u - rise / _polynomial(curvature, u[:, None])[:, 0]
        inside = (newton >= a) & (newton <= b)
        following = np.where(inside, newton, 0.5 * (a + b))
        still = np.abs(following - u) <= SETTLED
        u = following
        if np.all(still):
            break
    return u


def _polynomial(coefficients: Floats, x: Floats) -> Floats:
    total = np.zeros_like(x)
    for k in range(coefficients.shape[1] - 1, -1, -1):
        total = total * x + coefficients[:, k : k + 1]
    return total
