"""Figures 4, 9, 10 and Table I: how the optimum and the boundary move with N, D = 2."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import xarray as xr

from spinsqueeze.papers.base import Figure
from spinsqueeze.papers.perlin2020.setting import (
    CONVENTIONS,
    PAPER,
    SMALL,
    Sampling,
    base_study,
    oat_optimum,
    steps,
    xxz_point,
)
from spinsqueeze.papers.perlin2020.size_claims import (
    boundary_claims,
    limit_claims,
    size_claims,
    table_claims,
)
from spinsqueeze.papers.perlin2020.size_fits import TABLE_I
from spinsqueeze.papers.perlin2020.size_pictures import (
    draw_boundary,
    draw_scaling,
    draw_sizes,
    draw_table,
)
from spinsqueeze.papers.points import Points, scan


@final
@dataclass(frozen=True)
class SizeScan:
    """Edges of the square lattices, exponents, J_z / J_perp and sampling.

    Args:
        edges: L; N = L^2.
        exponents: alpha.
        j_z: J_z / J_perp at every alpha.
        sampling: trajectories and times.
        finer: alpha -> further J_z / J_perp, where its boundary lies.
    """

    edges: tuple[int, ...]
    exponents: tuple[float, ...]
    j_z: tuple[float, ...]
    sampling: Sampling
    finer: Mapping[float, tuple[float, ...]] = field(default_factory=dict)


def compute(setting: SizeScan, points: Points) -> xr.Dataset:
    """Optima at every (alpha, N = L^2, J_z / J_perp); NaN where J_z is not of this alpha."""
    j_z_of = {a: {*setting.j_z, *setting.finer.get(a, ())} for a in setting.exponents}

    def point(alpha: float, edge: int, j_z: float) -> Mapping[str, Any] | None:
        if j_z not in j_z_of[alpha]:
            return None
        return xxz_point((edge, edge), exponent=alpha, j_z=j_z, sampling=setting.sampling)

    data = scan(
        points,
        base_study((4, 4), sampling=setting.sampling, title="perlin2020, system size"),
        axes={
            "alpha": setting.exponents,
            "edge": setting.edges,
            "j_z": tuple(sorted(set().union(*j_z_of.values()))),
        },
        point=point,
    )
    data["oat_xi2"] = ("edge", [oat_optimum(n * n).xi2 for n in setting.edges], {"units": "1"})
    counts = [setting.sampling.trajectories(n * n) for n in setting.edges]
    data["expected_noise"] = (
        "edge",
        [HEAVY_TAILS * math.sqrt(2 / count) for count in counts],
        {"units": "1", "long_name": "expected relative standard error of optimal_xi2"},
    )
    data.attrs["convention"] = CONVENTIONS
    return data


HEAVY_TAILS = 1.9
"""Scatter of optimal xi2 over that of a Gaussian variance, sqrt(2/n_trajectories), from 50 seeds
at N = 216: a lucky draw has a small error bar as well, so errors alone do not tell."""


SMALL_EDGES, PAPER_EDGES = (8, 12, 16, 24), (16, 24, 32, 48, 64)
_ALL = tuple(TABLE_I)
_SMALL_SAMPLING = Sampling(3.0e5, 500, SMALL.tolerance, SMALL.n_times)
METHODS = ("dtwa", "closed_form")
_COARSE, _FINE = steps(-3, 0.5, 0.5), steps(-4, 0.9, 0.1)


_AT_BOUNDARY = {3.0: steps(-3, -0.5, 0.1), **dict.fromkeys(_ALL[1:], steps(-1.5, 0.25, 0.25))}
"""J_z / J_perp near the boundaries of small lattices; those of short range lie alike."""


def _settings(
    exponents: tuple[float, ...],
    *,
    paper_j_z: tuple[float, ...] = _FINE,
    finer: Mapping[float, tuple[float, ...]] | None = None,
) -> dict[str, SizeScan]:
    return {
        "small": SizeScan(SMALL_EDGES, exponents, _COARSE, _SMALL_SAMPLING, finer or {}),
        "paper": SizeScan(PAPER_EDGES, exponents, paper_j_z, PAPER),
    }


FIGURE_4 = Figure(
    name="4", title="xi2_opt against J_z/J_perp and N, D = 2, alpha = 3", methods=METHODS,
    compute=compute, draw=draw_sizes, claims=size_claims,
    settings=_settings((3.0,), finer=_AT_BOUNDARY),
)  # fmt: skip
FIGURE_9 = Figure(
    name="9", title="xi2_opt against N in the collective phase, D = 2, with fits", methods=METHODS,
    compute=compute, draw=draw_scaling, claims=limit_claims,
    settings=_settings(_ALL, paper_j_z=_COARSE),
)  # fmt: skip
FIGURE_10 = Figure(
    name="10", title="critical coupling against N, D = 2, with fits", methods=METHODS,
    compute=compute, draw=draw_boundary,
    claims=functools.partial(boundary_claims, place="Fig. 10, Appendix D"),
    settings=_settings(_ALL, finer=_AT_BOUNDARY),
)  # fmt: skip
TABLE_1 = Figure(
    name="table-1", title="scaling exponents nu of xi2_opt ~ 1/N^nu, D = 2", methods=METHODS,
    compute=compute, draw=draw_table, claims=table_claims,
    settings=_settings(_ALL, paper_j_z=_COARSE),
)  # fmt: skip
