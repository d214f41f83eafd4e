"""The boundary between collective and Ising-limited squeezing along a line of J_z / J_perp."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats

JUMP = 1.5
"""A step of J_z by at most 0.1 over which |J_z - J_perp| t_opt changes by more than this factor is
a jump: next to it t_opt changes by at most some per cent."""
RESOLVED = 0.1 + 1e-9
"""Steps of J_z / J_perp up to here tell a jump from a crossover; the paper's own step."""


@final
@dataclass(frozen=True)
class Boundary:
    """Where S-collective ends below J_z = J_perp.

    Args:
        j_z: the J_z with the least <S^2>_min, the paper's dotted line; NaN where that is at the
            end of the range: all J_z shown are collective.
        jump: largest factor between the |J_z - J_perp| t_opt of neighbours.
        j_z_jump: the collective side of that step.
        step: its width in J_z.
        squared_jump: <S^2>_min on its Ising side over that on its collective side.
    """

    j_z: float
    jump: float
    j_z_jump: float
    step: float
    squared_jump: float

    @property
    def resolved(self) -> bool:
        """Whether the steps of J_z can tell a jump from a smooth crossover."""
        return self.step <= RESOLVED

    @property
    def sharp(self) -> bool:
        """Whether t_opt and <S^2>_min both jump; means nothing unless resolved."""
        return self.jump > JUMP and self.squared_jump > 1.0


_NOWHERE = Boundary(math.nan, math.nan, math.nan, math.nan, math.nan)


def lower_boundary(j_z: Floats, *, optimal_time: Floats, least_squared: Floats) -> Boundary:
    """The boundary on the side J_z < J_perp = 1.

    Args:
        j_z: (n,) J_z / J_perp, increasing.
        optimal_time: (n,) t_opt.
        least_squared: (n,) <S^2>_min / <S^2>_0.
    """
    below = (j_z < 1.0 - 1e-9) & (optimal_time > 0)  # never squeezed: no optimum to compare
    z, squared = j_z[below], least_squared[below]
    scaled = (1.0 - z) * optimal_time[below]
    if len(z) < 2:
        return _NOWHERE
    steps = scaled[1:] / scaled[:-1]
    k = int(np.argmax(steps))
    least = int(np.argmin(squared))
    return Boundary(
        j_z=float(z[least]) if 0 < least < len(z) - 1 else math.nan,
        jump=float(steps[k]),
        j_z_jump=float(z[k + 1]),
        step=float(z[k + 1] - z[k]),
        squared_jump=float(squared[k] / squared[k + 1]),
    )


def steep_steps(j_z: Floats, *, optimal_time: Floats, factor: float) -> list[tuple[float, float]]:
    """Neighbouring J_z < J_perp between which |J_z - J_perp| t_opt grows by more than factor."""
    below = (j_z < 1.0 - 1e-9) & (optimal_time > 0)
    z, scaled = j_z[below], ((1.0 - j_z) * optimal_time)[below]
    steep = np.flatnonzero(scaled[1:] > factor * scaled[:-1])
    return [(float(z[k]), float(z[k + 1])) for k in steep]


def boundary_of(one: xr.Dataset) -> Boundary:
    """The boundary along the dimension j_z of a scan, everything else selected.

    Points of the dimension `fine`, where the scan has them, lie between those of j_z.
    """
    names = ("optimal_time", "least_total_spin_squared")
    j_z, (time, squared) = one["j_z"].values, (one[name].values for name in names)
    if "fine_j_z" in one:
        j_z = np.concatenate([j_z, one["fine_j_z"].values])
        time, squared = (
            np.concatenate([coarse, one[f"fine_{name}"].values])
            for coarse, name in zip((time, squared), names, strict=True)
        )
        j_z, order = np.unique(np.where(np.isfinite(j_z), j_z, np.inf), return_index=True)
        time, squared = time[order], squared[order]
    return lower_boundary(j_z, optimal_time=time, least_squared=squared)
