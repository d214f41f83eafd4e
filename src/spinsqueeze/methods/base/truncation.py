"""What the next order of an approximation changes: its measured error."""

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import squeezing


def first(moments: Moments, count: int) -> Moments:
    """The moments at the first times."""
    return Moments(
        n_spins=moments.n_spins, spin=moments.spin[:count], covariance=moments.covariance[:count]
    )


def differences(moments: Moments, beyond: Moments) -> dict[str, Floats]:
    """What the next order changes; infinite where it has no solution any more."""
    count = min(len(moments.spin), len(beyond.spin))
    here, there = first(moments, count), first(beyond, count)
    ours, theirs = squeezing(here).values, squeezing(there).values
    gaps = {"spin": there.spin - here.spin, "covariance": there.covariance - here.covariance}
    gaps |= {name: theirs[name] - ours[name] for name in ours}
    angle = gaps["squeezing_angle"]
    gaps["squeezing_angle"] = angle - np.pi * np.round(angle / np.pi)
    for name, gap in gaps.items():
        if name in ours:  # what only one of the orders defines is not known at all
            gaps[name] = np.where(np.isnan(ours[name]) != np.isnan(theirs[name]), np.inf, gap)
    missing = len(moments.spin) - count
    return {
        name: np.concatenate([np.abs(gap), np.full((missing, *gap.shape[1:]), np.inf)])
        for name, gap in gaps.items()
    }


def raise_to_square(truncation: dict[str, Floats], n_spins: int) -> None:
    """Claims of relative error e^2 at least, e the largest relative change of <S> and covariance.

    What the next orders change of one quantity may vanish, by parity, or nearly so by chance, and
    not what those beyond do, as with <S^2> and the purity: that begins with products of two changes
    that do not vanish.
    """
    if not truncation:
        return
    scales = {"spin": n_spins / 2, "covariance": n_spins / 4, "total_spin_squared": n_spins / 2}
    spin = np.max(np.abs(truncation["spin"]), axis=1) / scales["spin"]
    covariance = np.max(np.abs(truncation["covariance"]), axis=(1, 2)) / scales["covariance"]
    square = np.maximum(spin, covariance) ** 2
    for name, gap in truncation.items():
        least = scales.get(name, 1.0) * square
        truncation[name] = np.maximum(gap, least.reshape(-1, *[1] * (gap.ndim - 1)))
