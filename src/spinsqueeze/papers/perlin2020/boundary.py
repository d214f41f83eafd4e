"""The boundary between collective and Ising-limited squeezing along a line of J_z / J_perp."""

import math
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Floats = NDArray[np.float64]
JUMP = 1.5
"""A step of t_opt |J_z - J_perp| by more than this factor marks the boundary."""


@final
@dataclass(frozen=True)
class Boundary:
    """Where S-collective ends below J_z = J_perp.

    Args:
        j_z: the J_z with the least <S^2>_min, the paper's dotted line; NaN where t_opt jumps
            nowhere: all J_z shown are collective.
        jump: largest factor between the |J_z - J_perp| t_opt of neighbours.
        j_z_jump: the collective side of that jump.
    """

    j_z: float
    jump: float
    j_z_jump: float


def lower_boundary(j_z: Floats, *, optimal_time: Floats, least_squared: Floats) -> Boundary:
    """The boundary on the side J_z < J_perp = 1.

    Args:
        j_z: (n,) J_z / J_perp, increasing.
        optimal_time: (n,) t_opt.
        least_squared: (n,) <S^2>_min / <S^2>_0.
    """
    below = (j_z < 1.0 - 1e-9) & np.isfinite(optimal_time)
    z, squared = j_z[below], least_squared[below]
    scaled = (1.0 - z) * optimal_time[below]
    if len(z) < 2:
        return Boundary(math.nan, math.nan, math.nan)
    steps = scaled[1:] / scaled[:-1]
    k = int(np.argmax(steps))
    jump, at = float(steps[k]), float(z[k + 1])
    if jump < JUMP:
        return Boundary(math.nan, jump, at)
    return Boundary(float(z[np.argmin(squared)]), jump, at)


def boundary_of(one: xr.Dataset) -> Boundary:
    """The boundary along the dimension j_z of a scan, everything else selected."""
    return lower_boundary(
        one["j_z"].values,
        optimal_time=one["optimal_time"].values,
        least_squared=one["least_total_spin_squared"].values,
    )


def collective(j_z: Floats, *, boundary: Boundary) -> NDArray[np.bool_]:
    """Which J_z < J_perp lie on the collective side."""
    first = boundary.j_z_jump if math.isfinite(boundary.j_z) else -math.inf
    return (j_z >= first - 1e-9) & (j_z < 1.0 - 1e-9)
