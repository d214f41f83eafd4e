"""The best squeezing along a curve: value, time and angle, each with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.checks import increasing
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.jackknife import jackknife, squeezing_replicas
from spinsqueeze.observables.moments import BlockMoments, FloatArray, Moments
from spinsqueeze.observables.squeezing import decibels, decibels_stderr, squeezing

STENCIL = 5
"""Points of the interpolating polynomial around the lowest point (a quartic in log xi2)."""


@dataclass(frozen=True)
class Optimum:
    """The lowest Wineland parameter along a curve.

    Attributes:
        xi2: [1] minimum of xi2 over time, interpolated between the points.
        decibels: [dB] 10 log10(xi2).
        time: [inverse rate unit] where it lies.
        angle: [rad] squeezing angle there, in (-pi/2, pi/2]; None if not given or undefined.
        xi2_stderr: standard error of xi2; None without statistics.
        decibels_stderr: [dB] the same in decibels.
        time_stderr: standard error of the time; None without replicas or at an edge.
        angle_stderr: [rad] standard error of the angle; None without replicas.
        at_edge: the lowest point is the first or the last one, so the true optimum may lie
            outside the times given; nothing is interpolated then.
    """

    xi2: float
    decibels: float
    time: float
    angle: float | None = None
    xi2_stderr: float | None = None
    decibels_stderr: float | None = None
    time_stderr: float | None = None
    angle_stderr: float | None = None
    at_edge: bool = False

    def __str__(self) -> str:
        """One line for people: value ± error."""
        text = (
            f"xi2 = {value_with_error(self.xi2, stderr=self.xi2_stderr)} "
            f"({value_with_error(self.decibels, stderr=self.decibels_stderr)} dB) "
            f"at time {value_with_error(self.time, stderr=self.time_stderr)}"
        )
        if self.angle is not None:
            text += f", angle {value_with_error(self.angle, stderr=self.angle_stderr)} rad"
        if self.at_edge:
            text += " [at the edge of the times: extend them]"
        return text


def value_with_error(value: float, *, stderr: float | None = None) -> str:
    """'value ± error', the error with two digits; six significant digits without error.

    Example: value_with_error(-7.5312, stderr=0.0234) is '-7.531 ± 0.023'.
    """
    if stderr is None or not math.isfinite(stderr) or not math.isfinite(value):
        return f"{value:.6g}" + ("" if stderr is None else f" ± {stderr:.2g}")
    if stderr <= 0.0:
        return f"{value:.6g} ± 0"
    exponent = math.floor(math.log10(float(f"{stderr:.1e}")))
    places = 1 - exponent
    largest = math.floor(math.log10(max(abs(value), stderr)))
    if places > 7 or largest > 6:
        digits, unit = max(places + largest, 0), 10.0**largest
        return f"({value / unit:.{digits}f} ± {stderr / unit:.{digits}f})e{largest:+d}"
    if places < 0:
        return f"{round(value, places):.0f} ± {round(stderr, places):.0f}"
    return f"{value:.{places}f} ± {stderr:.{places}f}"


def find_optimum(
    times: ArrayLike,
    *,
    xi2: ArrayLike,
    angle: ArrayLike | None = None,
    stderr: ArrayLike | None = None,
    xi2_replicas: ArrayLike | None = None,
    angle_replicas: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> Optimum:
    """Global minimum of xi2 over time, between the points by a quartic in log xi2.

    The polynomial runs through the five points around the lowest one (fewer when fewer exist) and
    is minimised between its two neighbours. With jackknife replicas the whole search, including
    the choice of the lowest point, is repeated in each, which gives the errors of value, time and
    angle. Points that are NaN are left out. A minimum over noisy points is biased low when
    neighbouring points are independent; along trajectories they are not.

    Args:
        times: (T,) strictly increasing.
        xi2: (T,) positive or NaN.
        angle: (T,) [rad], NaN where undefined.
        stderr: (T,) standard error of xi2; used when there are no replicas, and then only the
            value gets an error.
        xi2_replicas: (T, B) curves with one block left out.
        angle_replicas: (T, B) [rad].
        weights: (B,) block sizes; equal if None.

    Raises:
        InvalidInput: shapes disagree, times do not increase, or some xi2 is zero or negative.
        UndefinedDirection: xi2 is undefined (NaN) at all times.
    """
    t = increasing("times", times)
    curve = _curve("xi2", xi2, t.size)
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
    errors = None if stderr is None else _curve("stderr", stderr, t.size)[usable]
    angles = None if angle is None else _curve("angle", angle, t.size)[usable]
    at, lowest, index, edge, local = _minimum(t[usable], np.log(curve[usable])[:, None])
    at_edge = bool(np.all(edge))
    value, time = float(np.exp(lowest[0])), float(at[0])
    turned = None if angles is None else _angle_at(angles[:, None], index, local)
    best_angle = None if turned is None or not np.isfinite(turned[0]) else float(turned[0])

    value_error = time_error = angle_error = None
    if xi2_replicas is not None:
        curves = _replica_curves("xi2_replicas", xi2_replicas, t.size)[usable]
        n_blocks = curves.shape[1]
        w = np.ones(n_blocks) if weights is None else np.asarray(weights, dtype=np.float64)
        if not np.all(curves > 0.0):
            raise InvalidInput(
                "xi2_replicas must be positive wherever xi2 is defined; use more samples a block."
            )
        r_at, r_lowest, r_index, _, r_local = _minimum(t[usable], np.log(curves))
        value_error = float(jackknife(value, replicas=np.exp(r_lowest), weights=w).stderr)
        if not at_edge:
            time_error = float(jackknife(time, replicas=r_at, weights=w).stderr)
        if angle_replicas is not None and best_angle is not None:
            turns = _replica_curves("angle_replicas", angle_replicas, t.size)[usable]
            if turns.shape[1] != n_blocks:
                raise InvalidInput(
                    f"angle_replicas must have {n_blocks} columns as xi2_replicas; "
                    f"got {turns.shape[1]}."
                )
            r_angle = _angle_at(turns, r_index, r_local)
            angle_error = float(
                jackknife(best_angle, replicas=r_angle, weights=w, period=np.pi).stderr
            )
    elif errors is not None:
        value_error = float(np.interp(time, t[usable], errors))
    return Optimum(
        xi2=value,
        decibels=float(decibels(value)),
        time=time,
        angle=best_angle,
        xi2_stderr=value_error,
        decibels_stderr=(
            None if value_error is None else float(decibels_stderr(value, stderr=value_error))
        ),
        time_stderr=time_error,
        angle_stderr=angle_error,
        at_edge=at_edge,
    )


def optimum_of_moments(times: ArrayLike, *, moments: Moments | BlockMoments) -> Optimum:
    """The optimum from moments over time: with errors when they come in blocks of samples.

    Args:
        times: (T,) strictly increasing.
        moments: leading shape (T,).

    Raises:
        InvalidInput: the moments have another leading shape, or too few blocks.
        UndefinedDirection: xi2 is undefined at all times.
    """
    if isinstance(moments, Moments):
        exact = squeezing(moments)
        return find_optimum(times, xi2=exact.xi2, angle=exact.squeezing_angle)
    r = squeezing_replicas(moments)
    return find_optimum(
        times,
        xi2=r.values["xi2"],
        angle=r.values["squeezing_angle"],
        xi2_replicas=r.replicas["xi2"],
        angle_replicas=r.replicas["squeezing_angle"],
        weights=r.weights,
    )


def _minimum(
    t: FloatArray, logs: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.intp], NDArray[np.bool_], FloatArray]:
    """Minimum of each column of logs (T, B) over t.

    Returns:
        time (B,), log minimum (B,), stencil start (B,), at an edge (B,), and the Lagrange
        weights (B, points) of the stencil at that time.
    """
    n_times, n_curves = logs.shape
    columns = np.arange(n_curves)
    lowest = np.argmin(logs, axis=0)
    edge = np.asarray(np.isin(lowest, (0, n_times - 1)), dtype=np.bool_)
    points = min(STENCIL, n_times)
    start = np.clip(lowest - points // 2, 0, n_times - points)
    stencil = start[:, None] + np.arange(points)
    t_local = t[stencil]
    origin = t[lowest]
    left = t[np.maximum(lowest - 1, 0)]
    right = t[np.minimum(lowest + 1, n_times - 1)]
    width = np.where(edge, 1.0, right - left)
    nodes = (t_local - origin[:, None]) / width[:, None]
    values = np.take_along_axis(logs.T, stencil, axis=1)
    powers = np.arange(points)
    vandermonde = nodes[:, :, None] ** powers
    coefficients = np.linalg.solve(vandermonde, values[..., None])[..., 0]

    low, high = (left - origin) / width, (right - origin) / width
    low, high = np.where(edge, 0.0, low), np.where(edge, 0.0, high)
    grid = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, 65)
    sampled = _polynomial(coefficients, grid)
    best = np.argmin(sampled, axis=1)
    a = grid[columns, np.maximum(best - 1, 0)]
    b = grid[columns, np.minimum(best + 1, 64)]
    slope = coefficients[:, 1:] * powers[1:] if points > 1 else np.zeros((n_curves, 1))
    for _ in range(60):
        middle = 0.5 * (a + b)
        rising = _polynomial(slope, middle[:, None])[:, 0] > 0.0
        a, b = np.where(rising, a, middle), np.where(rising, middle, b)
    u = np.where(edge, 0.0, 0.5 * (a + b))
    log_minimum = _polynomial(coefficients, u[:, None])[:, 0]
    # At the lowest point itself the polynomial is the point: take it exactly.
    log_minimum = np.where(edge, logs[lowest, columns], log_minimum)
    lagrange = np.linalg.solve(np.swapaxes(vandermonde, 1, 2), (u[:, None] ** powers)[..., None])
    time = np.where(edge, origin, origin + u * width)
    return time, log_minimum, start, edge, lagrange[..., 0]


def _polynomial(coefficients: FloatArray, x: FloatArray) -> FloatArray:
    total = np.zeros_like(x)
    for k in range(coefficients.shape[1] - 1, -1, -1):
        total = total * x + coefficients[:, k : k + 1]
    return total


def _angle_at(angles: FloatArray, start: NDArray[np.intp], lagrange: FloatArray) -> FloatArray:
    """Angles (T, B) interpolated at the minima; unwrapped with period pi over each stencil.

    Undefined points of the stencil: the defined point of the largest weight stands for all.
    """
    stencil = start[:, None] + np.arange(lagrange.shape[1])
    local = np.take_along_axis(angles.T, stencil, axis=1)
    defined: NDArray[np.bool_] = np.asarray(np.isfinite(local), dtype=np.bool_)
    strength = np.where(defined, np.abs(lagrange), -1.0)
    nearest = np.take_along_axis(local, np.argmax(strength, axis=1)[:, None], axis=1)[:, 0]
    whole: NDArray[np.bool_] = np.asarray(np.all(defined, axis=1), dtype=np.bool_)
    filled = np.where(whole[:, None], local, 0.0)
    smooth = np.sum(np.unwrap(filled, axis=1, period=np.pi) * lagrange, axis=1)
    angle = np.where(whole, smooth, nearest)
    wrapped = angle - np.pi * np.ceil(angle / np.pi - 0.5)
    return wrapped


def _curve(name: str, values: ArrayLike, n_times: int) -> FloatArray:
    curve = np.asarray(values, dtype=np.float64)
    if curve.shape != (n_times,):
        raise InvalidInput(f"{name} must have shape ({n_times},) like times; got {curve.shape}.")
    return curve


def _replica_curves(name: str, values: ArrayLike, n_times: int) -> FloatArray:
    curves = np.asarray(values, dtype=np.float64)
    if curves.ndim != 2 or curves.shape[0] != n_times:
        raise InvalidInput(
            f"{name} must have shape ({n_times}, B), times by blocks; got {curves.shape}."
        )
    return curves
