"""Error bars of every collective observable by the delete-one-block jackknife."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.registry import variable
from spinsqueeze.observables.moments import (
    BlockMoments,
    BlockSums,
    Moments,
    block_sums,
    moments_from_sums,
)
from spinsqueeze.observables.squeezing import (
    MINIMUM_CONTRAST,
    POLE,
    RESOLVED_ANGLE,
    RESOLVED_DIRECTION,
    ROUND_OFF,
    effective_number,
    ellipse,
    perpendicular_basis,
    require_direction,
    some_spins,
    squeezing_with_resolution,
)

MINIMUM_BLOCKS = 4
"""Fewer blocks give no usable error bar; 20 or more are advised."""

MOST_LIFTED = 1.5
"""In errors of the split of the ellipse: the largest bias of the least variance believed."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A value with its standard error and its estimated bias, arrays of one shape.

    `jackknife` leaves the value as it is: subtract `bias` for its first-order correction. The
    estimates of `squeezing_estimates` that are corrected name the bias that they had before.
    """

    value: Floats
    stderr: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class SqueezingEstimates:
    """Every observable with its error bar; shapes as in the moments, leading shape (...).

    Attributes:
        values: observable by its registered name: spin (..., 3), covariance (..., 3, 3) and all
            of :func:`~spinsqueeze.observables.squeezing.squeezing_with_resolution`; each is an
            attribute too. The error of a quantity with a period is circular.
        status: int8, values of :class:`~spinsqueeze.observables.squeezing.SqueezingStatus`.
        n_blocks: number of blocks behind the errors.
    """

    values: dict[str, Estimate]
    status: NDArray[np.int8]
    n_blocks: int

    def __getattr__(self, name: str) -> Estimate:
        """The observable of this name."""
        if name == "values" or name not in self.values:
            raise AttributeError(name)
        return self.values[name]

    def require_direction(self) -> None:
        """Raises UndefinedDirection when the mean spin has no direction at some point."""
        require_direction(self.status, contrast=self.contrast.value)


@dataclass(frozen=True, eq=False)
class SqueezingReplicas:
    """Values from all blocks and from all but one, by the name of the observable.

    Attributes:
        values: name -> (...) value from all blocks, with its correction.
        replicas: name -> (..., B) values with block b left out, directions found again, with the
            same correction.
        weights: (B,) number of samples in the block left out.
        corrections: name -> (...) what was added because noise splits the variances too much and
            makes the length of the mean spin too large; as uncertain as it is large, it is to
            be added to the error in quadrature.
        status: (...) of the values.
        spin: mean spin, value (..., 3) and replicas (..., B, 3).
        covariance: covariance, value (..., 3, 3) and replicas (..., B, 3, 3).
    """

    values: dict[str, Floats]
    replicas: dict[str, Floats]
    weights: Floats
    corrections: dict[str, Floats]
    status: NDArray[np.int8]
    spin: tuple[Floats, Floats]
    covariance: tuple[Floats, Floats]


def jackknife(
    value: ArrayLike,
    *,
    replicas: ArrayLike,
    weights: ArrayLike,
    axis: int = -1,
    period: float | None = None,
) -> Estimate:
    """Delete-one-block jackknife for blocks of unequal size (busing1999).

    With v_(b) the estimate without block b, h_b = W/w_b and p_b = h_b v - (h_b - 1) v_(b):
    bias = sum_b (1 - 1/h_b) (v_(b) - v) and
    stderr^2 = (1/B) sum_b (p_b - v + bias)^2 / (h_b - 1). For equal blocks this is the textbook
    jackknife.

    Args:
        value: estimate from all blocks.
        replicas: value's shape with one more axis, of length B: estimates without block b.
        weights: (B,) block sizes.
        axis: position of the block axis in replicas.
        period: for a circular quantity: differences are taken modulo this period.

    Returns:
        value (unchanged), stderr and bias.

    Raises:
        InvalidInput: shapes disagree, or fewer than 4 blocks.
    """
    full = np.asarray(value, dtype=np.float64)
    left_out = np.moveaxis(np.asarray(replicas, dtype=np.float64), axis, -1)
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 1 or left_out.shape != (*full.shape, w.size):
        raise InvalidInput(
            f"replicas must add one axis of length {w.size} (one a block) to the value's shape "
            f"{full.shape}; got {np.shape(replicas)}."
        )
    _require_blocks(w.size)
    change = left_out - full[..., None]
    if period is not None:
        change -= period * np.round(change / period)
    h = w.sum() / w
    bias = change @ (1.0 - 1.0 / h)
    deviation = -(h - 1.0) * change + bias[..., None]
    variance = (deviation**2) @ (1.0 / (h - 1.0)) / w.size
    return Estimate(value=full, stderr=np.sqrt(variance), bias=bias)


def leave_one_out(blocks: BlockMoments) -> Moments:
    """Moments of all blocks but one, shape (..., B, 3) and (..., B, 3, 3).

    Each replica uses the unbiased covariance of its B - 1 blocks, as
    :meth:`~spinsqueeze.observables.moments.BlockMoments.combined` does for all.

    Raises:
        InvalidInput: fewer than 4 blocks.
    """
    _require_blocks(blocks.n_blocks)
    total = block_sums(blocks)
    w = blocks.weights
    weighted = w[:, None] * blocks.first
    spread = weighted[..., :, None] * blocks.first[..., None, :]
    sums = BlockSums(
        weight=total.weight - w,
        first=total.first[..., None, :] - weighted,
        second=total.second[..., None, :, :] - w[:, None, None] * blocks.second,
        spread=total.spread[..., None, :, :] - spread,
    )
    n_spins = blocks.n_spins
    if isinstance(n_spins, np.ndarray):
        n_spins = ((n_spins @ w)[..., None] - w * n_spins) / (w.sum() - w)
    return moments_from_sums(
        n_spins=n_spins,
        reference=blocks.reference[..., None, :],
        n_blocks=blocks.n_blocks - 1,
        sums=sums,
    )


def squeezing_replicas(blocks: BlockMoments) -> SqueezingReplicas:
    """All observables from all blocks and from all but one.

    The direction of the mean spin and the angle are found again in every replica. How well they
    are resolved is judged once, from the spread over the blocks.

    Raises:
        InvalidInput: fewer than 4 blocks.
    """
    centred = blocks.centred()
    full = centred.combined()
    parts = leave_one_out(centred)
    w = blocks.weights

    spin = jackknife(full.spin, replicas=parts.spin, weights=w, axis=-2)
    length = np.linalg.norm(full.spin, axis=-1)
    # Blocks that agree, as before the first loss, leave only round-off as in exact moments.
    direction_floor = np.maximum(
        RESOLVED_DIRECTION * np.linalg.norm(spin.stderr, axis=-1),
        MINIMUM_CONTRAST * full.n_spins / 2,
    )
    transverse = np.hypot(spin.stderr[..., 0], spin.stderr[..., 1])
    safe = np.where(length > 0.0, length, 1.0)
    pole = np.maximum(POLE, RESOLVED_DIRECTION * transverse / safe)

    split, error = _split_and_error(full, parts, w, pole)
    round_off = 0.5 * ROUND_OFF * np.trace(full.covariance, axis1=-2, axis2=-1)
    split_floor = np.maximum(RESOLVED_ANGLE * error, round_off)
    values, status = squeezing_with_resolution(
        full, direction_floor=direction_floor, pole=pole, split_floor=split_floor
    )
    at_pole = np.hypot(full.spin[..., 0], full.spin[..., 1]) <= pole * safe
    replicas, _ = squeezing_with_resolution(
        parts,
        direction_floor=0.0,
        pole=np.where(at_pole, np.inf, -1.0)[..., None],
        split_floor=-np.inf,
    )
    squared, squared_parts = _total_spin_squared(centred)
    values |= {"total_spin_squared": squared, "effective_spins": effective_number(squared)}
    replicas |= {
        "total_spin_squared": squared_parts,
        "effective_spins": effective_number(squared_parts),
    }
    per_spin = 4.0 / some_spins(full)
    scales = {
        "xi2": full.n_spins / safe**2,
        "xi2_kitagawa_ueda": per_spin,
        "antisqueezing": -per_spin,  # the noise pulls the greatest variance up
    }
    corrections = {}
    for name in (*scales, "contrast"):
        bias = jackknife(values[name], replicas=replicas[name], weights=w).bias
        if name == "contrast":
            corrections[name] = -np.clip(bias, 0.0, 0.5 * values[name])
        else:
            sign, size = np.sign(scales[name]), np.abs(scales[name])
            lift = _lift(sign * bias, split=size * split, error=size * error)
            corrections[name] = sign * lift
        values[name] = values[name] + corrections[name]
        replicas[name] = replicas[name] + corrections[name][..., None]
    return SqueezingReplicas(
        values=values,
        replicas=replicas,
        weights=w,
        corrections=corrections,
        status=status,
        spin=(full.spin, parts.spin),
        covariance=(full.covariance, parts.covariance),
    )


def squeezing_estimates(
    blocks: BlockMoments, *, replicas: SqueezingReplicas | None = None
) -> SqueezingEstimates:
    """Every observable with its jackknife error bar.

    Args:
        blocks: block moments; at least 4 blocks, 20 or more advised.
        replicas: the result of :func:`squeezing_replicas` for these blocks, if at hand.

    Returns:
        Values from the unbiased covariance (<S^2> alone is the plain mean over samples, which
        differs from tr C + |<S>|^2 by the error of the mean spin), xi2, xi2_kitagawa_ueda and
        contrast corrected for their bias, so that they differ from those of the reported spin and
        covariance by a part of their error; standard errors, estimated bias, status.

    Raises:
        InvalidInput: fewer than 4 blocks.
    """
    r = squeezing_replicas(blocks) if replicas is None else replicas

    def scalar(name: str) -> Estimate:
        estimate = jackknife(
            r.values[name],
            replicas=r.replicas[name],
            weights=r.weights,
            period=variable(name).period,
        )
        if name not in r.corrections:
            return estimate
        return Estimate(
            value=estimate.value,
            stderr=np.hypot(estimate.stderr, r.corrections[name]),
            bias=estimate.bias,
        )

    vectors = {
        "spin": jackknife(r.spin[0], replicas=r.spin[1], weights=r.weights, axis=-2),
        "covariance": jackknife(
            r.covariance[0], replicas=r.covariance[1], weights=r.weights, axis=-3
        ),
    }
    return SqueezingEstimates(
        vectors | {name: scalar(name) for name in r.values}, r.status, int(r.weights.size)
    )


def _total_spin_squared(blocks: BlockMoments) -> tuple[Floats, Floats]:
    """Mean of S^2 over the samples, of all blocks and of all but one.

    A plain mean: unbiased, and exact where every sample conserves S^2. From the unbiased
    covariance and the square of the mean spin it would come out too large by tr V.
    """
    w = blocks.weights
    excess = np.trace(blocks.second, axis1=-2, axis2=-1)
    excess = excess + 2.0 * np.einsum("...a,...ba->...b", blocks.reference, blocks.first)
    start = np.sum(blocks.reference**2, axis=-1)
    total = excess @ w
    parts = (total[..., None] - w * excess) / (w.sum() - w)
    return start + total / w.sum(), start[..., None] + parts


def _split_and_error(
    full: Moments, parts: Moments, weights: Floats, pole: Floats
) -> tuple[Floats, Floats]:
    """Split of the variance ellipse and the standard error of its component across itself.

    The component of the noise across the split turns the ellipse and enlarges the split (Rice);
    the one along it does neither.
    """
    length = np.linalg.norm(full.spin, axis=-1, keepdims=True)
    unit = full.spin / np.where(length > 0.0, length, 1.0)
    at_pole = np.hypot(unit[..., 0], unit[..., 1]) <= pole
    basis = perpendicular_basis(unit, at_pole=at_pole)
    _, split = ellipse(full.covariance, basis=basis)
    _, splits = ellipse(parts.covariance, basis=basis[..., None, :, :])
    size = np.hypot(split[..., 0], split[..., 1])
    across = np.stack([-split[..., 1], split[..., 0]], axis=-1)
    across = across / np.where(size > 0.0, size, 1.0)[..., None]
    moved = np.einsum("...bi,...i->...b", splits, across)
    return size, jackknife(np.zeros_like(size), replicas=moved, weights=weights).stderr


def _lift(bias: Floats, *, split: Floats, error: Floats) -> Floats:
    """What to add to a least variance that noise has pulled down, all in its units.

    With the split s of the ellipse and the error e of its component across itself, noise makes s
    too large by e^2/2s, which the jackknife finds, but by up to sqrt(pi/2) e where the true split
    is not above e. Twice the jackknife's bias is what the variance of each block along the
    direction found without it gives: right on average where the true split is 0, and too much by
    e^2/2s where it is large. So the factor falls from 2 to 1 as 1 + exp(-s^2/4e^2).
    """
    ratio = split / np.where(error > 0.0, error, 1.0)
    return np.asarray(np.clip(-bias, 0.0, MOST_LIFTED * error) * (1.0 + np.exp(-0.25 * ratio**2)))


def _require_blocks(n_blocks: int) -> None:
    if n_blocks < MINIMUM_BLOCKS:
        raise InvalidInput(
            f"error bars need at least {MINIMUM_BLOCKS} blocks of samples; got {n_blocks}. "
            "Divide the samples into more blocks (20 or more are advised)."
        )
