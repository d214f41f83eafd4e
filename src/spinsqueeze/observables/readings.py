"""One quantity of a run in time, exact or by blocks of samples: what methods hand back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.jackknife import Estimate, jackknife
from spinsqueeze.observables.moments import BlockMoments, Moments

REQUIRED = ("spin", "second")


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """A registered quantity at T times.

    Attributes:
        values: exact: (T, ...) with the registered dimensions after time. Sampled: means over
            blocks of samples (T, B, ...), of the quantity minus `reference`.
        weights: (B,) number of samples in each block; None where the values are exact.
        reference: (T, ...) near the mean, which keeps sampled numbers small; None: 0.
        coords: labels of its dimensions, name -> (n,), where they have any.

    "second" holds <{S_a, S_b}>/2 about a point: about the mean spin (the covariance) where it is
    exact, about the reference of "spin" where it is sampled.
    """

    values: NDArray[Any]
    weights: Floats | None = None
    reference: Floats | None = None
    coords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sampled(self) -> bool:
        """Whether the values are means over blocks of samples."""
        return self.weights is not None

    def estimate(self) -> Estimate:
        """The mean over all blocks with its standard error, by the jackknife.

        Raises:
            InvalidInput: an exact reading, or fewer than 4 blocks.
        """
        if self.weights is None:
            raise InvalidInput("an exact reading has no standard error")
        blocks = np.moveaxis(np.asarray(self.values), 1, -1)
        total = blocks @ self.weights
        weight = self.weights.sum()
        replicas = (total[..., None] - self.weights * blocks) / (weight - self.weights)
        mean = total / weight
        if self.reference is not None:
            mean, replicas = mean + self.reference, replicas + self.reference[..., None]
        return jackknife(mean, replicas=replicas, weights=self.weights)


def readings_of(moments: Moments | BlockMoments) -> dict[str, Reading]:
    """The readings "spin" and "second" of collective moments (T, ...)."""
    if isinstance(moments, Moments):
        return {"spin": Reading(moments.spin), "second": Reading(moments.covariance)}
    weights, reference = moments.weights, moments.reference
    return {
        "spin": Reading(moments.first, weights=weights, reference=reference),
        "second": Reading(moments.second, weights=weights),
    }


def moments_of(readings: Mapping[str, Reading], *, n_spins: int) -> Moments | BlockMoments:
    """The collective moments in readings; `spins_left`, where it is there, counts the spins.

    Where "spin" is sampled, spins_left is too, in the same blocks.

    Raises:
        InvalidInput: "spin" or "second" is missing, or one is sampled and another is not.
    """
    missing = [name for name in REQUIRED if name not in readings]
    if missing:
        raise InvalidInput(f"readings must hold spin and second, {missing[0]} is missing")
    spin, second = readings["spin"], readings["second"]
    if spin.sampled != second.sampled:
        raise InvalidInput("spin and second must both be sampled, or both be exact")
    left = readings.get("spins_left")
    if left is not None and left.sampled != spin.sampled:
        raise InvalidInput("spins_left must be sampled where spin is, and exact where it is exact")
    count: Any = n_spins if left is None else np.asarray(left.values)
    if spin.weights is None:
        return Moments(n_spins=count, spin=spin.values, covariance=second.values)
    reference = np.zeros((len(spin.values), 3)) if spin.reference is None else spin.reference
    return BlockMoments(
        n_spins=count,
        reference=reference,
        weights=spin.weights,
        first=spin.values,
        second=second.values,
    )


def merged(readings: Sequence[Reading]) -> Reading:
    """Sampled readings of one quantity from independent runs, their blocks side by side.

    Raises:
        InvalidInput: one is exact.
    """
    head = readings[0]
    zero = np.zeros_like(head.values[:, 0])
    reference = zero if head.reference is None else head.reference
    parts, weights = [], []
    for reading in readings:
        if reading.weights is None:
            raise InvalidInput("only sampled readings can be merged")
        shift = (zero if reading.reference is None else reading.reference) - reference
        parts.append(reading.values + shift[:, None])
        weights.append(reading.weights)
    return Reading(
        np.concatenate(parts, axis=1),
        weights=np.concatenate(weights),
        reference=head.reference,
        coords=head.coords,
    )
