"""Where perturbation theory says itself that it does not hold."""

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.numerics.mean_field import ENDS, Instability
from spinsqueeze.observables.moments import Moments

ROUNDED = 1e-6
"""What exceeds a physical bound by less is rounding of a state that saturates it."""

SAID = 2.5e-3
"""What exceeds a physical bound by more is warned of."""

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


def beyond_physical(moments: Moments) -> dict[str, Floats]:
    """By how much (P,) the contrast exceeds 1 and the uncertainty product falls short of it."""
    from spinsqueeze.observables.squeezing import squeezing

    values = squeezing(moments).values
    excess = {
        "contrast": values["contrast"] - 1.0,
        "uncertainty_product": 1.0 - values["uncertainty_product"],
    }
    return {name: np.where(size > ROUNDED, size, 0.0) for name, size in excess.items()}


def widened(truncation: dict[str, Floats], moments: Moments) -> dict[str, Floats]:
    """Claims that reach what is physical: all of a model grow with those that do not.

    That of xi2 is at least what the least variance misses where both of the ellipse miss the same
    share, and what a contrast above 1 makes xi2 too small by.
    """
    from spinsqueeze.observables.squeezing import squeezing

    excess = beyond_physical(moments)
    factor = np.ones(len(moments.spin))
    for name, size in excess.items():
        claim = truncation[name]
        short: Booleans = np.asarray(size > claim, dtype=np.bool_)
        factor[short] = np.maximum(factor, size / np.where(claim > 0.0, claim, 1e-300))[short]
    wide = {name: (claim.T * factor).T for name, claim in truncation.items()}
    missing = 1.0 / np.sqrt(np.maximum(1.0 - excess["uncertainty_product"], 1e-12)) - 1.0
    share = np.maximum(missing, (1.0 + excess["contrast"]) ** 2 - 1.0)
    wide["xi2"] = np.maximum(wide["xi2"], np.abs(squeezing(moments).xi2) * share)
    return wide


def unphysical(moments: Moments, order: int) -> list[tuple[str, ...]]:
    """What the sum of the orders has and no state, in words, model by model."""
    signs = {"contrast": 1.0, "uncertainty_product": -1.0}
    words = {"contrast": "a contrast", "uncertainty_product": "an uncertainty product"}
    excess = beyond_physical(moments)
    out: list[tuple[str, ...]] = []
    for k in range(len(moments.spin)):
        said = [
            f"{words[name]} of {1.0 + signs[name] * size[k]:.4g}"
            for name, size in excess.items()
            if size[k] > SAID
        ]
        text = f"domain: order {order} has {' and '.join(said)}, which no state has"
        out.append((f"{text}; it errs by that at least",) if said else ())
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
