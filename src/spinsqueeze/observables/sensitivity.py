"""How well a small rotation is measured by the collective spin along the best direction."""

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
    """

    gain: Floats
    stderr: Floats | None
    numerical_error: Floats
    slope: Floats
    readout: Floats


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
    plain = {k: v.combined() if isinstance(v, BlockMoments) else v for k, v in nearby.items()}
    gain, slope, readout = _gain(plain, step)
    coarse, _, _ = _gain(plain, step, refined=False)
    middle = nearby[0.0]
    signal = np.abs(np.einsum("...a,...a->...", readout, slope))
    wrong = _AMPLIFIED * error * np.sqrt(middle.n_spins) / 2 / step
    amplified = 2 * gain * wrong / np.where(signal > 0.0, signal, np.inf)
    stderr = None
    if isinstance(middle, BlockMoments):
        parts = {k: leave_one_out(v) for k, v in nearby.items() if isinstance(v, BlockMoments)}
        replicas, _, _ = _gain(parts, step)
        estimate = jackknife(gain, replicas=replicas, weights=middle.weights)
        stderr = np.hypot(estimate.stderr, estimate.bias)
    return Sensitivity(gain, stderr, np.abs(gain - coarse) + amplified, slope, readout)


def _gain(
    nearby: dict[float, Moments], step: float, *, refined: bool = True
) -> tuple[Floats, Floats, Floats]:
    """Gain (...), slope (..., 3) and readout (..., 3)."""
    near = nearby[1.0].spin - nearby[-1.0].spin
    far = nearby[2.0].spin - nearby[-2.0].spin
    slope = (8 * near - far) / (12 * step) if refined else near / (2 * step)
    middle = nearby[0.0]
    length = np.linalg.norm(middle.spin, axis=-1)
    directed = length > MINIMUM_CONTRAST * np.asarray(middle.n_spins) / 2
    unit = middle.spin / np.where(directed, length, 1.0)[..., None]
    unit = np.where(directed[..., None], unit, [1.0, 0.0, 0.0])
    at_pole = np.hypot(unit[..., 0], unit[..., 1]) < 1e-9
    basis = perpendicular_basis(unit, at_pole=at_pole)
    noise = np.einsum("...ia,...ab,...jb->...ij", basis, middle.covariance, basis)
    signal = np.einsum("...ia,...a->...i", basis, slope)
    determinant = noise[..., 0, 0] * noise[..., 1, 1] - noise[..., 0, 1] ** 2
    # The adjugate of the noise, so that the readout exists where the noise vanishes too.
    weights = np.stack(
        [
            noise[..., 1, 1] * signal[..., 0] - noise[..., 0, 1] * signal[..., 1],
            noise[..., 0, 0] * signal[..., 1] - noise[..., 0, 1] * signal[..., 0],
        ],
        axis=-1,
    )
    readout = np.einsum("...i,...ia->...a", weights, basis)
    size = np.linalg.norm(readout, axis=-1, keepdims=True)
    readout = readout / np.where(size > 0.0, size, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.sum(weights * signal, axis=-1) / determinant / middle.n_spins
    return np.where(directed & (determinant > 0.0), gain, np.nan), slope, readout
