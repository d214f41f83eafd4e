"""The search for the best squeezing along a curve, with its errors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.checks import increasing
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.jackknife import jackknife, squeezing_estimates, squeezing_replicas
from spinsqueeze.observables.lowest import SAFETY, Dips, Opinion, dips
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.observables.squeezing import decibels, decibels_stderr, squeezing

FLAT = 1e-9
"""By how much the logarithm must fall below that of the initial state for a minimum;
xi2 that changes by no more over all times is constant."""
UNSEEN = 3.0
"""The same in standard errors, beside twice the numerical error."""


def find_optimum(
    times: ArrayLike,
    *,
    xi2: ArrayLike,
    angle: ArrayLike | None = None,
    stderr: ArrayLike | None = None,
    xi2_replicas: ArrayLike | None = None,
    angle_replicas: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    numerical_error: ArrayLike = 0.0,
    smooth: bool = True,
) -> Optimum:
    """Global minimum of xi2 over time, between the points by a quartic in log xi2.

    Every low point inside the times is interpolated, in time or in its logarithm, whichever
    spaces the times more evenly; what polynomials of other orders, points and forms say instead
    bounds the error (see :mod:`~spinsqueeze.observables.lowest`). Where they disagree by more
    than 0.1 dB (and more than the noise explains), the times are too coarse: the result is then
    the lowest point itself. Fewer than five times are always too coarse. No method sees a dip
    that leaves no trace on the times given. A fall below the xi2 of time 0 that three standard
    errors and twice the numerical error explain is none (INITIAL_STATE).

    With jackknife replicas the whole search, including the choice of the lowest point, is
    repeated in each, which gives the errors of value, time and angle. Points that are NaN are
    left out. A minimum over noisy points is biased low when neighbouring points are independent;
    along trajectories they are not.

    Args:
        times: (T,) strictly increasing.
        xi2: (T,) positive or NaN.
        angle: (T,) [rad], NaN where undefined.
        stderr: (T,) standard error of xi2; without replicas only the value gets an error.
        xi2_replicas: (T, B) curves with one block left out.
        angle_replicas: (T, B) [rad].
        weights: (B,) block sizes; equal if None.
        numerical_error: () or (T,) what steps and round-off change of xi2, relative to max(1, xi2).
        smooth: whether xi2 is a smooth function of time; if not, nothing is interpolated.

    Raises:
        InvalidInput: shapes disagree, times do not increase, or some xi2 is zero or negative.
        UndefinedDirection: xi2 is undefined (NaN) at all times.
    """
    t = increasing("times", times)
    curve = _curve("xi2", xi2, t.size)
    usable = _usable(curve)
    errors = None if stderr is None else _curve("stderr", stderr, t.size)[usable]
    angles = None if angle is None else _curve("angle", angle, t.size)[usable]
    inside, values = t[usable], curve[usable]
    samples = None
    if xi2_replicas is not None:
        samples = _samples(t.size, usable, xi2_replicas, angle_replicas, weights)
        if errors is None:
            errors = jackknife(values, replicas=samples.xi2, weights=samples.weights).stderr
    noise = None if errors is None else (errors / values)[:, None]
    low = dips(inside, np.log(values)[:, None], noise=noise)
    steps = np.broadcast_to(np.asarray(numerical_error, dtype=np.float64), t.shape)[usable]
    unseen = np.maximum(FLAT, 2.0 * steps * np.maximum(1.0, 1.0 / values))
    if noise is not None:
        unseen = unseen + UNSEEN * noise[:, 0]
    place = _place(inside, np.log(values), low, unseen=unseen, smooth=smooth)
    if place.status is OptimumStatus.INITIAL_STATE:
        noise_there = 0.0 if errors is None else float(errors[place.point])
        if values[place.point] >= 1.0 - max(1e-9, 3.0 * noise_there):
            angles = None  # nothing is squeezed, in no direction
    best = _interpolated(place, low, inside, values, angles)
    best["time_bounds"] = _bounds(t, place.time, place.status, best["time_interpolation"])

    if samples is not None:
        best |= _sampled_errors(best, samples, inside, place.status)
    elif errors is not None:
        best["xi2_stderr"] = float(np.interp(place.time, inside, errors))
    if best.get("xi2_stderr") is not None:
        best["decibels_stderr"] = float(decibels_stderr(best["xi2"], stderr=best["xi2_stderr"]))
    constant = values.size > 2 and float(np.ptp(values)) <= FLAT * float(values[0])
    return Optimum(status=place.status, add_times_near=place.unresolved, constant=constant, **best)


def replica_minima(
    times: ArrayLike, *, xi2: ArrayLike, stderr: ArrayLike, xi2_replicas: ArrayLike
) -> Floats:
    """The least xi2 over time of each replica (B,), found in the same way as that of xi2.

    Args:
        times: (T,).
        xi2: (T,) the curve of all samples.
        stderr: (T,) its standard error.
        xi2_replicas: (T, B).
    """
    status = find_optimum(times, xi2=xi2, stderr=stderr).status
    usable = np.isfinite(np.asarray(xi2))
    t, curves = np.asarray(times)[usable], np.asarray(xi2_replicas)[usable]
    return _minima(t, curves, status, None)[1]


def optimum_of_moments(
    times: ArrayLike,
    *,
    moments: Moments | BlockMoments,
    numerical_error: ArrayLike = 0.0,
    smooth: bool = True,
) -> Optimum:
    """The optimum from moments over time: with errors when they come in blocks of samples.

    Args:
        times: (T,) strictly increasing.
        moments: leading shape (T,).
        numerical_error: see `find_optimum`.
        smooth: whether they are smooth in time; if not, nothing is interpolated.

    Raises:
        InvalidInput: the moments have another leading shape, or too few blocks.
        UndefinedDirection: xi2 is undefined at all times.
    """
    if isinstance(moments, Moments):
        exact = squeezing(moments)
        return find_optimum(
            times,
            xi2=exact.xi2,
            angle=exact.squeezing_angle,
            numerical_error=numerical_error,
            smooth=smooth,
        )
    r = squeezing_replicas(moments)
    return find_optimum(
        times,
        xi2=r.values["xi2"],
        angle=r.values["squeezing_angle"],
        stderr=squeezing_estimates(moments, replicas=r).xi2.stderr,
        xi2_replicas=r.replicas["xi2"],
        angle_replicas=r.replicas["squeezing_angle"],
        weights=r.weights,
        numerical_error=numerical_error,
        smooth=smooth,
    )


def _usable(curve: Floats) -> Booleans:
    """Where xi2 (T,) is defined.

    Raises:
        UndefinedDirection: nowhere.
        InvalidInput: it is zero or negative somewhere.
    """
    usable = np.isfinite(curve)
    if not usable.any():
        raise UndefinedDirection(
            "xi2 is undefined at all times (the mean spin is zero within its error): there is no "
            "optimum. Take more samples or earlier times."
        )
    if np.any(curve[usable] <= 0.0):
        raise InvalidInput(
            f"xi2 must be positive; got {np.nanmin(curve):.6g}. A negative variance means that "
            "the method has left its range of validity: cut the curve before."
        )
    return usable


@dataclass(frozen=True)
class _Samples:
    """Jackknife replicas (T', B) at the usable times, and the sizes (B,) of their blocks."""

    xi2: Floats
    angle: Floats | None
    weights: Floats


def _samples(
    n_times: int,
    usable: Booleans,
    xi2: ArrayLike,
    angle: ArrayLike | None,
    weights: ArrayLike | None,
) -> _Samples:
    curves = _replica_curves("xi2_replicas", xi2, n_times)[usable]
    if not np.all(curves > 0.0):
        raise InvalidInput(
            "xi2_replicas must be positive wherever xi2 is defined; use more samples a block."
        )
    w = np.ones(curves.shape[1]) if weights is None else np.asarray(weights, np.float64)
    angles = None
    if angle is not None:
        angles = _replica_curves("angle_replicas", angle, n_times)[usable]
        if angles.shape[1] != w.size:
            raise InvalidInput(
                f"angle_replicas must have {w.size} columns as xi2_replicas; got {angles.shape[1]}."
            )
    return _Samples(curves, angles, w)


def _sampled_errors(
    best: dict[str, Any], samples: _Samples, t: Floats, status: OptimumStatus
) -> dict[str, float]:
    """Standard errors of value, time and angle, with the search repeated in each replica."""
    w = samples.weights
    angles = None if best["angle"] is None else samples.angle
    at, lowest, turned = _minima(t, samples.xi2, status, angles)
    errors = {"xi2_stderr": float(jackknife(best["xi2"], replicas=lowest, weights=w).stderr)}
    if status is OptimumStatus.INSIDE:
        errors["time_stderr"] = float(jackknife(best["time"], replicas=at, weights=w).stderr)
    if turned is not None:
        errors["angle_stderr"] = float(
            jackknife(best["angle"], replicas=turned, weights=w, period=np.pi).stderr
        )
    return errors


@dataclass(frozen=True)
class _Place:
    """Where the optimum of one curve is: at its point, or by the dip that is interpolated."""

    status: OptimumStatus
    point: int
    time: float
    dip: int | None = None
    error: float = 0.0
    unresolved: float | None = None


def _place(t: Floats, logs: Floats, low: Dips, *, unseen: Floats, smooth: bool) -> _Place:
    """What the low points of one curve (T,) say of its minimum; falls below `unseen` are none."""
    point = int(np.argmin(logs))
    if t[0] == 0.0 and np.all(logs[0] - logs < unseen):  # what errors make of a constant
        return _Place(OptimumStatus.INITIAL_STATE, 0, 0.0)
    here = _Place(OptimumStatus.JUMPS, point, float(t[point]))
    good = np.flatnonzero(~low.coarse & smooth)
    dip = int(good[np.argmin(low.log[good])]) if good.size else None
    lowest = math.inf if dip is None else float(low.log[dip])
    edge = point in (0, t.size - 1) and logs[point] <= lowest
    if edge:
        lowest = float(logs[point])
        status = OptimumStatus.LAST_TIME if point else OptimumStatus.FIRST_TIME
        if t[point] == 0.0:
            status = OptimumStatus.INITIAL_STATE
        here = replace(here, status=status)
    # A dip that is not resolved may be lower than all that is.
    depth = low.log - low.error
    threats = np.flatnonzero(low.coarse & (depth < lowest) & smooth)
    if threats.size:
        worst = threats[np.argmin(np.where(np.isfinite(depth), depth, low.log)[threats])]
        near = float(t[low.point[worst]])
        return replace(here, status=OptimumStatus.TOO_COARSE, unresolved=near)
    if edge or dip is None:
        return here
    error = max(float(low.error[dip]), lowest - float(depth[good].min()))
    return _Place(OptimumStatus.INSIDE, point, float(low.time[dip]), dip, error)


def _interpolated(
    place: _Place, low: Dips, t: Floats, values: Floats, angles: Floats | None
) -> dict[str, Any]:
    """Value, time and angle at a place, with the errors of their interpolation."""
    xi2, time_error, angle, angle_error = float(values[place.point]), None, None, None
    if place.dip is not None:
        xi2, time_error = float(np.exp(low.log[place.dip])), float(low.time_error[place.dip])
    if angles is not None and place.dip is None:
        angle = float(angles[place.point])
    elif angles is not None:
        turned = [_angles_at(t, angles[:, None], o, low.curve)[place.dip] for o in low.opinions]
        angle = float(turned[0])
        change = np.asarray(turned) - angle
        change = np.abs(change - np.pi * np.round(change / np.pi))
        known = np.isfinite([o.log[place.dip] for o in low.opinions]) & np.isfinite(change)
        angle_error = SAFETY * float(change[known].max(initial=0.0)) + 1e-14
        if not np.isfinite(angle):  # too few angles to interpolate
            angle, angle_error = float(angles[low.point[place.dip]]), None
    if angle is None or not np.isfinite(angle):
        angle = angle_error = None
    inside = place.dip is not None
    return {
        "xi2": xi2,
        "decibels": float(decibels(xi2)),
        "time": place.time,
        "angle": angle,
        "xi2_interpolation": xi2 * math.expm1(place.error) if inside else None,
        "decibels_interpolation": 10.0 / math.log(10.0) * place.error if inside else None,
        "time_interpolation": time_error,
        "angle_interpolation": angle_error,
    }


def _bounds(
    times: Floats, time: float, status: OptimumStatus, error: float | None
) -> tuple[float, float]:
    """Between which times the minimum lies; all times count, undefined points too."""
    if status is OptimumStatus.INSIDE and error is not None:
        return max(time - error, float(times[0])), min(time + error, float(times[-1]))
    k = int(np.searchsorted(times, time))
    before = float(times[k - 1]) if k > 0 else 0.0
    after = float(times[k + 1]) if k + 1 < times.size else math.inf
    return before, after


def _minima(
    t: Floats, curves: Floats, status: OptimumStatus, angles: Floats | None
) -> tuple[Floats, Floats, Floats | None]:
    """Time, value and angle (B,) of the least value of each replica (T, B)."""
    logs = np.log(curves)
    columns = np.arange(logs.shape[1])
    point = np.argmin(logs, axis=0)
    time, lowest = t[point], logs[point, columns]
    turned = None if angles is None else angles[point, columns]
    low = dips(t, logs)
    if status in (OptimumStatus.TOO_COARSE, OptimumStatus.JUMPS) or not low.opinions:
        return time, np.exp(lowest), turned
    deepest_last = np.argsort(-low.log, kind="stable")
    winner = np.full(columns.size, -1)
    winner[low.curve[deepest_last]] = deepest_last
    lower = winner >= 0
    lower[lower] = low.log[winner[lower]] < lowest[lower]
    chosen = winner[lower]
    time, lowest = np.array(time), np.array(lowest)
    time[lower], lowest[lower] = low.time[chosen], low.log[chosen]
    if angles is not None and turned is not None:
        turned = np.array(turned)
        smooth = _angles_at(t, angles, low.opinions[0], low.curve)[chosen]
        turned[lower] = np.where(np.isfinite(smooth), smooth, turned[lower])
    return time, np.exp(lowest), turned


def _angles_at(t: Floats, angles: Floats, opinion: Opinion, curve: Integers) -> Floats:
    """Angles (T, B) interpolated at the minima; unwrapped with period pi over each stencil.

    Where some points of the stencil have none, as time 0 of a coherent state, the others alone are
    interpolated, in time; NaN where fewer than two have one.
    """
    lagrange = opinion.weights
    stencil = opinion.start[:, None] + np.arange(lagrange.shape[1])
    local = angles[stencil, curve[:, None]]
    defined: Booleans = np.asarray(np.isfinite(local), dtype=np.bool_)
    whole: Booleans = np.asarray(np.all(defined, axis=1), dtype=np.bool_)
    filled = np.where(whole[:, None], local, 0.0)
    unwrapped = np.unwrap(filled, axis=1, period=np.pi)
    angle: Floats = np.asarray(np.sum(unwrapped * lagrange, axis=1))
    for k in np.flatnonzero(~whole):
        some = defined[k]
        angle[k] = _through(t[stencil[k][some]], local[k][some], opinion.time[k])
    return np.asarray(angle - np.pi * np.ceil(angle / np.pi - 0.5))


def _through(nodes: Floats, angles: Floats, time: float) -> float:
    """The polynomial through all of two angles or more at a time; else NaN."""
    if nodes.size < 2:
        return math.nan
    other = ~np.eye(nodes.size, dtype=np.bool_)
    ratios = (time - nodes) / (nodes[:, None] - nodes + ~other)
    weights = np.prod(ratios, axis=1, where=other)
    return float(np.unwrap(angles, period=np.pi) @ weights)


def _curve(name: str, values: ArrayLike, n_times: int) -> Floats:
    curve = np.asarray(values, dtype=np.float64)
    if curve.shape != (n_times,):
        raise InvalidInput(f"{name} must have shape ({n_times},) like times; got {curve.shape}.")
    return curve


def _replica_curves(name: str, values: ArrayLike, n_times: int) -> Floats:
    curves = np.asarray(values, dtype=np.float64)
    if curves.ndim != 2 or curves.shape[0] != n_times:
        raise InvalidInput(
            f"{name} must have shape ({n_times}, B), times by blocks; got {curves.shape}."
        )
    return curves
