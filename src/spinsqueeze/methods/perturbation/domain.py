"""Where perturbation theory says itself that it does not hold."""

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.numerics.mean_field import ENDS, Instability
from spinsqueeze.observables.moments import Moments

LARGE = 0.1
"""Change of xi2 by the orders beyond, relative to it, from which on a result warns."""


def concerns(moments: Moments, truncation: dict[str, Floats], order: int) -> list[tuple[str, ...]]:
    """Where the series of each model says itself that it does not hold."""
    from spinsqueeze.observables.squeezing import squeezing

    below_zero = negative(moments)
    values = squeezing(moments).xi2
    gaps = truncation.get("xi2", np.zeros(len(values)))
    out: list[tuple[str, ...]] = []
    for is_negative, value, gap in zip(below_zero, values, gaps, strict=True):
        if is_negative:
            out.append(
                (f"domain: order {order} has a negative variance; the perturbation is too large",)
            )
        elif np.isinf(gap):
            out.append(
                (f"domain: the orders beyond {order} have no bound; the perturbation is too large",)
            )
        elif "xi2" in truncation and not gap <= LARGE * abs(value):
            out.append(
                (
                    f"domain: the orders beyond change xi2 by {gap:.2g} ({gap / abs(value):.0%}); "
                    "the perturbation is too large for this order",
                )
            )
        else:
            out.append(())
    return out


def negative(moments: Moments) -> Booleans:
    """(P,) whether a variance across the mean spin is negative, beyond rounding."""
    least = _least_across(moments)
    return np.asarray(least < -1e-9 * float(np.max(moments.n_spins)), dtype=np.bool_)


def _least_across(moments: Moments) -> Floats:
    """(P,) least variance across the mean spin; along it, a pure state has none to lose."""
    across = np.linalg.svd(moments.spin[:, None])[2][:, 1:]
    plane = across @ moments.covariance @ across.swapaxes(1, 2)
    return np.asarray(np.linalg.eigvalsh(plane)[:, 0])


def beyond(instability: Instability) -> tuple[str, ...]:
    """Whether lambda = 1 lies beyond the mean-field paramagnet."""
    if instability.strength > 1.0:
        return ()
    fate = "ends" if instability.outcome == ENDS else "is unstable"
    return (
        f"domain: the paramagnet {fate} in mean field at lambda = {instability.strength:.4g}, "
        "short of the model as it is; perturbation theory about it does not hold",
    )
