"""How far the moments of cumulants can be trusted, and why a run ended early."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import squeezing


@final
@dataclass(frozen=True, eq=False)
class FieldMoments:
    """Re and Im of <a> (T, 2), and their covariance (T, 2, 2)."""

    mean: Floats
    covariance: Floats

    @property
    def values(self) -> dict[str, Floats]:
        """As registered variables."""
        photons = np.sum(self.mean**2, axis=1) + np.trace(self.covariance, axis1=1, axis2=2) - 0.5
        return {"photon_number": photons, "field": self.mean, "field_covariance": self.covariance}

    def gaps(self, beyond: "FieldMoments | None", n_times: int) -> dict[str, Floats]:
        """What the next order changes at each of n_times; infinite where it has ended."""
        out = {}
        for name, value in self.values.items():
            other = value[:0] if beyond is None else beyond.values[name][:n_times]
            gap = np.full((n_times, *value.shape[1:]), np.inf)
            gap[: len(other)] = np.abs(other - value[: len(other)])
            out[name] = gap
        return out


@final
@dataclass(frozen=True, eq=False)
class Run:
    """Moments at the times that were reached, of the spins and of a mode, and how."""

    moments: Moments
    field: FieldMoments | None
    steps: int
    implicit: bool
    too_long: bool


def why_early(fine: Run, coarse: Run, times: Floats, answered: int) -> str:
    """The status of a run that ended early."""
    if fine.too_long or coarse.too_long:
        cause = "the cumulants take too many steps"
    else:
        cause = "the cumulants have no bounded solution"
    place = f"beyond time {times[answered - 1]:g}" if answered else f"up to time {times[0]:g}"
    return f"{cause} {place}: end earlier, take another order, or use another method"


def concerns(
    moments: Moments, truncation: dict[str, Any], times: Floats | None, order: int
) -> tuple[str, ...]:
    """Where the cumulants have left their domain, in words; numbers stay as they are."""
    n = float(np.max(moments.n_spins))
    squeezed = squeezing(moments)
    total = np.trace(moments.covariance, axis1=1, axis2=2) + np.sum(moments.spin**2, axis=1)
    slack = 1e-9 * n**2
    outside = {
        "a mean spin longer than N/2": np.linalg.norm(moments.spin, axis=1) > n / 2 * (1 + 1e-9),
        "a negative variance": np.linalg.eigvalsh(moments.covariance)[:, 0] < -1e-9 * n,
        "<S^2> beyond its bounds": (total > n / 2 * (n / 2 + 1) + slack) | (total < -slack),
    }
    if "xi2" in truncation:
        unbounded = np.isinf(truncation["xi2"])
        outside["no bounded solution of the next order"] = unbounded
        large = truncation["xi2"] > 0.1 * np.abs(squeezed.xi2)
        outside["a change of xi2 by more than a tenth from the next order"] = large & ~unbounded
    return tuple(
        f"domain: order {order} has {what}"
        + ("" if times is None else f", first at time {times[np.argmax(where)]:g}")
        for what, where in outside.items()
        if np.any(where)
    )
