"""Squeezing parameters, angle, contrast and total spin from collective moments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.moments import Moments

MINIMUM_CONTRAST = 1e-10
"""Without error bars: a mean spin below this times N/2 has no direction."""

RESOLVED_DIRECTION = 5.0
"""With error bars: a mean spin shorter than this many standard errors has no direction."""

RESOLVED_ANGLE = 3.0
"""With error bars: a variance ellipse rounder than this many standard errors has no angle."""

ROUND_OFF = 1e-10
"""Relative level below which an exact ellipse counts as round, or a variance as not negative."""

POLE = 1e-9
"""Without error bars: sin(theta) below which the mean spin counts as lying along z."""

SMALLEST_CONTRAST = 1e-140
"""A mean spin below this times N has no direction, not even in a jackknife replica."""

SMALLEST_SINE = 1e-150
"""Below this the horizontal axis e_phi cannot be formed at all."""


class SqueezingStatus(IntEnum):
    """What holds at a point of the curve; the largest that applies is reported.

    OK: everything is defined.
    ISOTROPIC: the variance perpendicular to the mean spin is the same in all directions (within
        3 standard errors, where there are any): `squeezing_angle` is undefined and NaN. With
        error bars the minimal variance is then biased low by about one standard error.
    NEGATIVE_VARIANCE: the least variance is negative: the method has left its range of validity.
        Values are reported as they are.
    UNDEFINED_DIRECTION: the mean spin is zero within 5 standard errors, so no direction is
        perpendicular to it: both squeezing parameters and the angle are NaN.
    """

    OK = 0
    ISOTROPIC = 1
    NEGATIVE_VARIANCE = 2
    UNDEFINED_DIRECTION = 3


@dataclass(frozen=True, eq=False)
class Squeezing:
    """Everything that follows from the moments; all arrays have the leading shape (...).

    Attributes:
        values: observable by its registered name, see :func:`squeezing_with_resolution`; each is
            an attribute too.
        status: int8, values of :class:`SqueezingStatus`; says why a value is NaN.
    """

    values: dict[str, Floats]
    status: NDArray[np.int8]

    def __getattr__(self, name: str) -> Floats:
        """The observable of this name."""
        if name == "values" or name not in self.values:
            raise AttributeError(name)
        return self.values[name]

    def each(self) -> list[Squeezing]:
        """Parts with one leading index each, which keep their dimension."""
        return [
            Squeezing(
                {name: v[k : k + 1] for name, v in self.values.items()}, self.status[k : k + 1]
            )
            for k in range(len(self.status))
        ]

    def require_direction(self) -> None:
        """Raises UndefinedDirection when the mean spin has no direction at some point."""
        require_direction(self.status, contrast=self.contrast)


def squeezing(moments: Moments) -> Squeezing:
    """Squeezing of exact moments (no sampling error).

    For samples use :func:`spinsqueeze.observables.jackknife.squeezing_estimates`, which also
    knows how well the direction of the mean spin is resolved.

    Args:
        moments: mean spin and covariance, leading shape (...).

    Returns:
        All parameters with their status. Nothing is raised and nothing clipped: an undefined
        value is NaN and its status names the reason.
    """
    values, status = squeezing_with_resolution(
        moments,
        direction_floor=MINIMUM_CONTRAST * moments.n_spins / 2,
        pole=POLE,
        split_floor=None,
    )
    return Squeezing(values, status)


def perpendicular_basis(direction: ArrayLike, *, at_pole: ArrayLike | None = None) -> Floats:
    """Right-handed basis (e1, e2) of the plane perpendicular to n; angles run from e1 to e2.

    With n = (sin th cos ph, sin th sin ph, cos th): e1 = e_phi = (-sin ph, cos ph, 0) is
    horizontal and e2 = n x e1 = -e_theta. For n = +x: e1 = +y, e2 = +z. Close to n = ±z, where ph
    has no meaning, e1 is the +y axis projected into the plane (ph = 0).

    Args:
        direction: (..., 3) unit vectors n.
        at_pole: (...) bool: where n counts as ±z; by default where sin th < 1e-9.

    Returns:
        (..., 2, 3): e1 and e2.
    """
    n = np.asarray(direction, dtype=np.float64)
    sine = np.hypot(n[..., 0], n[..., 1])
    exactly = sine < SMALLEST_SINE
    pole = sine < POLE if at_pole is None else np.asarray(at_pole, dtype=bool) | exactly
    safe = np.where(exactly, 1.0, sine)
    first = np.stack([-n[..., 1] / safe, n[..., 0] / safe, np.zeros_like(sine)], axis=-1)
    if np.any(pole):
        y = np.array([0.0, 1.0, 0.0])
        projected = y - n[..., 1:2] * n
        size = _length(projected)[..., None]
        first = np.where(pole[..., None], projected / np.where(size > 0.0, size, 1.0), first)
    return np.stack([first, np.cross(n, first)], axis=-2)


def ellipse(covariance: ArrayLike, *, basis: ArrayLike) -> tuple[Floats, Floats]:
    """Covariance in the perpendicular plane as mean and split.

    Var(cos a e1 + sin a e2) = mean + split_0 cos 2a + split_1 sin 2a.

    Args:
        covariance: (..., 3, 3) [1].
        basis: (..., 2, 3): e1, e2.

    Returns:
        mean (...) and split (..., 2).
    """
    c11, c22, c12 = _projected(np.asarray(covariance), np.asarray(basis))
    return 0.5 * (c11 + c22), np.stack([0.5 * (c11 - c22), c12], axis=-1)


def extreme_variances(
    c11: ArrayLike, *, c22: ArrayLike, c12: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues of [[c11, c12], [c12, c22]] and the angle of the smaller, vectorised.

    The smaller one is determinant / larger one, the determinant formed without rounding the two
    products: the relative error is a few units of round-off at any anisotropy, where mean - split
    loses everything beyond an anisotropy of 1e16.

    Returns:
        minimal and maximal variance, and the angle of the minimal one in (-pi/2, pi/2].
    """
    a, b, c = (np.asarray(x, dtype=np.float64) for x in (c11, c22, c12))
    mean = 0.5 * (a + b)
    split = np.hypot(0.5 * (a - b), c)
    largest = mean + split
    positive = largest > 0.0
    determinant = _difference_of_products(a, b, c, c)
    smallest = np.where(
        positive & (mean > 0.0), determinant / np.where(positive, largest, 1.0), mean - split
    )
    # 0.0 - x turns -0.0 into +0.0, so that the angle -pi/2 becomes +pi/2.
    angle = 0.5 * np.arctan2(0.0 - c, 0.5 * (b - a))
    return smallest, largest, angle


def contrast(moments: Moments) -> Floats:
    """|<S>| / (N/2), shape (...)."""
    return _length(moments.spin) / (0.5 * some_spins(moments))


def some_spins(moments: Moments) -> Floats:
    """The number of spins as a divisor: 1 where none are left, where every moment is 0."""
    return np.asarray(np.where(np.asarray(moments.n_spins) > 0, moments.n_spins, 1))


def total_spin_squared(moments: Moments) -> Floats:
    """<S^2> = tr C + |<S>|^2, shape (...)."""
    trace: Floats = np.trace(moments.covariance, axis1=-2, axis2=-1)
    return np.asarray(trace + np.sum(moments.spin**2, axis=-1))


def effective_spins(moments: Moments) -> Floats:
    """2 sqrt(1/4 + <S^2>) - 1, shape (...): N in the symmetric subspace, where S = N/2.

    NaN where <S^2> < -1/4, which also carries the status NEGATIVE_VARIANCE.
    """
    return effective_number(total_spin_squared(moments))


def effective_number(squared: ArrayLike) -> Floats:
    """2 sqrt(1/4 + <S^2>) - 1 for given <S^2>; NaN where <S^2> < -1/4."""
    shifted = 0.25 + np.asarray(squared, dtype=np.float64)
    return 2.0 * np.sqrt(np.where(shifted < 0.0, np.nan, shifted)) - 1.0


def decibels(ratio: ArrayLike) -> Floats:
    """10 log10(ratio): negative means squeezed. NaN stays NaN.

    Raises:
        InvalidInput: a ratio that is zero or negative.
    """
    values = np.asarray(ratio, dtype=np.float64)
    if np.any(values <= 0.0):
        raise InvalidInput(
            f"decibels need positive ratios; got {float(np.nanmin(values)):.6g}. "
            "A negative variance means that the method has left its range of validity."
        )
    return 10.0 * np.log10(values)


def decibels_stderr(ratio: ArrayLike, *, stderr: ArrayLike) -> Floats:
    """Standard error in decibels of a ratio with a small standard error: 10/ln(10) stderr/ratio."""
    values = np.asarray(ratio, dtype=np.float64)
    return np.asarray(10.0 / np.log(10.0) * np.asarray(stderr, dtype=np.float64) / values)


def require_direction(status: NDArray[np.int8], *, contrast: Floats) -> None:
    """Raises when the mean spin has no direction at some point of a curve.

    Raises:
        UndefinedDirection: with the number of such points, the first and its contrast.
    """
    undefined = np.argwhere(np.asarray(status) == SqueezingStatus.UNDEFINED_DIRECTION)
    if len(undefined):
        where = tuple(int(i) for i in undefined[0])
        raise UndefinedDirection(
            f"the mean spin is zero within its error at {len(undefined)} of {np.size(status)} "
            f"points, first at index {where} (contrast {np.asarray(contrast)[where]:.3g}): xi2 and "
            "its angle are undefined there. Leave these times out or take more samples."
        )


def squeezing_with_resolution(
    moments: Moments,
    *,
    direction_floor: ArrayLike,
    pole: ArrayLike,
    split_floor: ArrayLike | None,
) -> tuple[dict[str, Floats], NDArray[np.int8]]:
    """Squeezing with given limits of resolution; each limit broadcasts to the leading shape.

    Args:
        moments: mean spin and covariance.
        direction_floor: |<S>| up to which the direction is undefined.
        pole: sin(theta) of the mean spin up to which it counts as lying along z.
        split_floor: half difference of the extreme variances up to which the angle is undefined;
            None takes 1e-10 of their mean.

    Returns:
        The observables by their registered names (`core/registry.py` has their formulas), and the
        status. squeezing_angle lies in (-pi/2, pi/2], see :func:`perpendicular_basis`. One more
        belongs here, and into the registry: its error bar comes by itself.
    """
    n, divisor = moments.n_spins, some_spins(moments)
    length = _length(moments.spin)
    # Far below any floor the square of the length leaves the range of floats.
    undefined = ~(length > np.maximum(direction_floor, SMALLEST_CONTRAST * n))
    unit = moments.spin / np.where(length > 0.0, length, 1.0)[..., None]
    sine = np.hypot(unit[..., 0], unit[..., 1])
    basis = perpendicular_basis(unit, at_pole=sine <= np.asarray(pole))
    c11, c22, c12 = _projected(moments.covariance, basis)
    smallest, largest, angle = extreme_variances(c11, c22=c22, c12=c12)

    floor = ROUND_OFF * 0.5 * np.abs(smallest + largest) if split_floor is None else split_floor
    isotropic = 0.5 * (largest - smallest) <= np.asarray(floor)
    squared = total_spin_squared(moments)
    negative = (smallest < -ROUND_OFF * np.maximum(largest, n / 4)) | (squared < -0.25)
    status = np.zeros(length.shape, dtype=np.int8)
    status[isotropic] = SqueezingStatus.ISOTROPIC
    status[negative] = SqueezingStatus.NEGATIVE_VARIANCE
    status[undefined] = SqueezingStatus.UNDEFINED_DIRECTION

    values = {
        "xi2": n * smallest / np.where(undefined, 1.0, length) ** 2,
        "xi2_kitagawa_ueda": 4.0 * smallest / divisor,
        "uncertainty_product": 4.0 * smallest * largest / np.where(undefined, 1.0, length) ** 2,
        "squeezing_angle": np.where(isotropic, np.nan, angle),
        "contrast": length / (0.5 * divisor),
        "total_spin_squared": squared,
        "effective_spins": effective_number(squared),
    }
    for name in ("xi2", "xi2_kitagawa_ueda", "uncertainty_product", "squeezing_angle"):
        values[name] = np.where(undefined, np.nan, values[name])
    return values, status


def _length(vectors: Floats) -> Floats:
    return np.hypot(np.hypot(vectors[..., 0], vectors[..., 1]), vectors[..., 2])


def _projected(covariance: Floats, basis: Floats) -> tuple[Floats, Floats, Floats]:
    image = np.einsum("...ij,...kj->...ki", covariance, basis)
    c = np.einsum("...ki,...li->...kl", basis, image)
    return c[..., 0, 0], c[..., 1, 1], 0.5 * (c[..., 0, 1] + c[..., 1, 0])


def _difference_of_products(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """The difference a b - c d, with the rounding of both products put back (Dekker)."""
    left, left_error = _exact_product(a, b)
    right, right_error = _exact_product(c, d)
    return (left - right) + (left_error - right_error)


def _exact_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _halves(a: Floats) -> tuple[Floats, Floats]:
    scaled = 134217729.0 * a  # 2^27 + 1 splits a float64 into two halves of 26 bits
    high = scaled - (scaled - a)
    return high, a - high
