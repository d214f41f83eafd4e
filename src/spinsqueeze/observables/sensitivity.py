"""How well a small rotation is measured by the collective spin along the best direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.observables.jackknife import jackknife, leave_one_out
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.squeezing import MINIMUM_CONTRAST, perpendicular_basis

Nearby = dict[float, Moments | BlockMoments]
"""Offset of the phase, in steps -> the moments there; -2, -1, 0, 1 and 2."""

OFFSETS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_AMPLIFIED = 1.5  # error of the slope times step, over that of a mean spin: (8 + 8 + 1 + 1)/12


@final
@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Error propagation at T times.

    Attributes:
        gain: (T,) metrological gain 1/(N Delta phi^2), NaN where the mean spin has no direction.
        stderr: (T,) its standard error; None where the moments are exact.
        numerical_error: (T,) its error from the step of the phase.
        slope: (T, 3) d<S>/d phi.
        readout: (T, 3) unit vector of the best direction, perpendicular to the mean spin.
        best_axis: (T, 3) unit vector of the axis of the signal whose gain is the greatest, NaN
            where there is none; None where the axis was given.
        replicas: (T, B) the gain with each block of samples left out; None without samples.
        weights: (B,) sizes of the blocks.
    """

    gain: Floats
    stderr: Floats | None
    numerical_error: Floats
    slope: Floats
    readout: Floats
    best_axis: Floats | None = None
    replicas: Floats | None = None
    weights: Floats | None = None


def sensitivity_of(nearby: Nearby, *, step: float, error: float) -> Sensitivity:
    """Gain over uncorrelated spins, from moments at five neighbouring phases.

    Delta phi^2 = min over n perpendicular to <S> of n.C.n/(n.d<S>/d phi)^2, which is
    1/(s.C^-1.s) with slope and covariance in that plane. The slope is the central difference
    (8 (m_1 - m_-1) - (m_2 - m_-2))/(12 step); its error is taken as the difference to that of the
    nearer two alone.

    Args:
        nearby: moments at the offsets.
        step: of the phase, radians.
        error: of the mean spins beyond what all offsets share, in units of sqrt(N)/2; what it does
            to the slope is part of the numerical error.
    """
    return _sensitivity((nearby,), step=step, error=error)


def best_sensitivity_of(axes: Sequence[Nearby], *, step: float, error: float) -> Sensitivity:
    """The same about the axis k of the signal with the greatest gain, at phase 0.

    The response to a small rotation exp(-i phi k.S) is linear in k, d<S>/d phi = M k with M from
    small rotations about x, y and z. With the plane P across the mean spin and the noise C in it
    the gain k.G.k, G = M^T P^T C^-1 P M/N, is greatest along the eigenvector of the largest
    eigenvalue of G (3, 3). Its sign is that of the largest component, made positive.

    Args:
        axes: moments at the offsets about x, y and z; those at 0 are shared.
        step: of the phase, radians.
        error: see `sensitivity_of`.
    """
    # an axis k sums the errors of three slopes, |k_x| + |k_y| + |k_z| <= sqrt(3)
    return _sensitivity(axes, step=step, error=np.sqrt(3.0) * error)


def _sensitivity(axes: Sequence[Nearby], *, step: float, error: float) -> Sensitivity:
    plain = [
        {k: v.combined() if isinstance(v, BlockMoments) else v for k, v in nearby.items()}
        for nearby in axes
    ]
    gain, slope, readout, axis = _gain(plain, step)
    coarse = _gain(plain, step, refined=False)[0]
    middle = axes[0][0.0]
    signal = np.abs(np.einsum("...a,...a->...", readout, slope))
    wrong = _AMPLIFIED * error * np.sqrt(middle.n_spins) / 2 / step
    amplified = 2 * gain * wrong / np.where(signal > 0.0, signal, np.inf)
    stderr, replicas, weights = None, None, None
    if isinstance(middle, BlockMoments):
        parts = [
            {k: leave_one_out(v) for k, v in nearby.items() if isinstance(v, BlockMoments)}
            for nearby in axes
        ]
        replicas = _gain(parts, step)[0]
        weights = middle.weights
        estimate = jackknife(gain, replicas=replicas, weights=weights)
        stderr = np.hypot(estimate.stderr, estimate.bias)
    numerical = np.abs(gain - coarse) + amplified
    return Sensitivity(gain, stderr, numerical, slope, readout, axis, replicas, weights)


def _gain(
    axes: Sequence[dict[float, Moments]], step: float, *, refined: bool = True
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Gain (...), slope (..., 3), readout (..., 3), and the best of three axes (..., 3)."""
    response = np.stack([_slope(nearby, step, refined=refined) for nearby in axes], axis=-1)
    middle = axes[0][0.0]
    length = np.linalg.norm(middle.spin, axis=-1)
    directed = length > MINIMUM_CONTRAST * np.asarray(middle.n_spins) / 2
    unit = middle.spin / np.where(directed, length, 1.0)[..., None]
    unit = np.where(directed[..., None], unit, [1.0, 0.0, 0.0])
    at_pole = np.hypot(unit[..., 0], unit[..., 1]) < 1e-9
    basis = perpendicular_basis(unit, at_pole=at_pole)
    noise = np.einsum("...ia,...ab,...jb->...ij", basis, middle.covariance, basis)
    determinant = noise[..., 0, 0] * noise[..., 1, 1] - noise[..., 0, 1] ** 2
    # The adjugate of the noise, so that the readout exists where the noise vanishes too.
    adjugate = noise[..., ::-1, ::-1] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    seen = np.einsum("...ia,...ak->...ik", basis, response)
    axis = None
    slope, signal = response[..., 0], seen[..., 0]
    if len(axes) > 1:
        axis = _best_axis(np.einsum("...ik,...ij,...jl->...kl", seen, adjugate, seen))
        chosen = np.where(np.isfinite(axis), axis, 0.0)[..., None]
        slope, signal = (response @ chosen)[..., 0], (seen @ chosen)[..., 0]
    weights = np.einsum("...ij,...j->...i", adjugate, signal)
    readout = np.einsum("...i,...ia->...a", weights, basis)
    size = np.linalg.norm(readout, axis=-1, keepdims=True)
    readout = readout / np.where(size > 0.0, size, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.sum(weights * signal, axis=-1) / determinant / middle.n_spins
    return np.where(directed & (determinant > 0.0), gain, np.nan), slope, readout, axis


def _slope(nearby: dict[float, Moments], step: float, *, refined: bool) -> Floats:
    """(..., 3) d<S>/d phi by central differences."""
    near = nearby[1.0].spin - nearby[-1.0].spin
    if not refined:
        return np.asarray(near / (2 * step))
    far = nearby[2.0].spin - nearby[-2.0].spin
    return np.asarray((8 * near - far) / (12 * step))


def _best_axis(gains: Floats) -> Floats:
    """(..., 3) eigenvector of the largest eigenvalue of (..., 3, 3), NaN where it is zero."""
    values, vectors = np.linalg.eigh(gains)
    axis = vectors[..., -1]
    largest = np.take_along_axis(axis, np.argmax(np.abs(axis), axis=-1)[..., None], axis=-1)
    axis = axis * np.where(largest < 0.0, -1.0, 1.0)
    return np.where(values[..., -1:] > 0.0, axis, np.nan)
