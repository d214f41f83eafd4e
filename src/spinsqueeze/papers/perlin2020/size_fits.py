"""Powers of N and the critical coupling from a scan over sizes; Table I as printed."""

import math

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.papers.base import power_law_fit
from spinsqueeze.papers.perlin2020.boundary import Boundary, boundary_of

TABLE_I: dict[float, dict[float, float]] = {
    3.0: {-1.5: 1.0, -1.0: 0.9, -0.5: 0.8, 0.0: 0.8, 0.5: 0.7},
    4.0: {-0.5: 0.3, 0.0: 0.3, 0.5: 0.4},
    5.0: {0.0: 0.2, 0.5: 0.2},
    6.0: {0.0: 0.2, 0.5: 0.1},
    math.inf: {0.0: 0.1, 0.5: 0.1},
}
"""nu by alpha and J_z / J_perp, as printed."""


def boundary_at(data: xr.Dataset, *, alpha: float, edge: int) -> Boundary:
    """The boundary below J_z = J_perp at one exponent and size."""
    return boundary_of(data.sel(alpha=alpha, edge=edge))


def collective_sizes(data: xr.Dataset, *, alpha: float, j_z: float) -> Booleans:
    """At which sizes this J_z is collective: on the near side of the largest step of t_opt.

    Also where that step is too small to count as a jump: the crossover of a small lattice.
    """
    boundaries = [boundary_at(data, alpha=alpha, edge=int(n)) for n in data["edge"].values]
    return np.array([bool(j_z >= boundary.j_z_jump - 1e-9) for boundary in boundaries])


def exponent_fit(data: xr.Dataset, *, alpha: float, j_z: float) -> tuple[float, float, float, int]:
    """The exponent nu of xi2_opt = a/N^nu over the sizes at which this J_z is collective.

    Returns:
        nu, its standard error, log a, number of sizes.
    """
    if not np.any(np.isclose(data["j_z"].values, j_z)):
        return math.nan, math.nan, math.nan, 0
    edges = data["edge"].values
    inside = collective_sizes(data, alpha=alpha, j_z=j_z)
    one = data.sel(alpha=alpha, j_z=j_z)
    y = np.where(inside, one["optimal_xi2"].values, np.nan)
    slope, error, log_a = power_law_fit(
        edges.astype(float) ** 2, y, stderr=one["optimal_xi2_stderr"].values
    )
    return -slope, error, log_a, int(inside.sum())


def critical_couplings(data: xr.Dataset, *, alpha: float) -> tuple[Floats, float]:
    """J_crit at each size (NaN where all J_z are collective), and half a step of J_z.

    The step is the largest next to a J_crit: steps of J_z may be finer near the boundary.
    """
    positions = np.array(
        [boundary_at(data, alpha=alpha, edge=int(n)).j_z for n in data["edge"].values]
    )
    one = data["optimal_xi2"].sel(alpha=alpha)
    j_z = data["j_z"].values[np.isfinite(one.values).any(axis=one.dims.index("edge"))]
    step = np.diff(j_z)
    here = np.flatnonzero(np.isin(j_z, positions))
    near = {k for at in here for k in (at - 1, at) if 0 <= k < len(step)}
    return positions, float(step[sorted(near)].max() if near else step.min()) / 2


def log_fit(sizes: Floats, critical: Floats) -> tuple[float, float, float]:
    """gamma, its error and b of J_crit = -gamma ln N + b; NaN with fewer than three sizes."""
    good = np.isfinite(critical)
    if good.sum() < 3:
        return math.nan, math.nan, math.nan
    x, y = np.log(sizes[good]), critical[good]
    slope, b = np.polyfit(x, y, 1)
    rest = y - slope * x - b
    spread = float(np.sum((x - x.mean()) ** 2))
    return -float(slope), math.sqrt(float(np.sum(rest**2)) / (len(x) - 2) / spread), float(b)
