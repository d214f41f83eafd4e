"""Figures 4, 9, 10 and Table I: how the optimum and the boundary move with N, D = 2."""

import functools
from dataclasses import dataclass
from typing import final

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
    """Edges of the square lattices, exponents, J_z / J_perp and sampling."""

    edges: tuple[int, ...]
    exponents: tuple[float, ...]
    j_z: tuple[float, ...]
    sampling: Sampling


def compute(setting: SizeScan, points: Points) -> xr.Dataset:
    """Optima at every (alpha, N = L^2, J_z / J_perp)."""
    data = scan(
        points,
        base_study((4, 4), sampling=setting.sampling, title="perlin2020, system size"),
        axes={"alpha": setting.exponents, "edge": setting.edges, "j_z": setting.j_z},
        point=lambda alpha, edge, j_z: xxz_point(
            (edge, edge), exponent=alpha, j_z=j_z, sampling=setting.sampling
        ),
    )
    data["oat_xi2"] = ("edge", [oat_optimum(n * n).xi2 for n in setting.edges], {"units": "1"})
    data.attrs["convention"] = CONVENTIONS
    return data


SMALL_EDGES, PAPER_EDGES = (8, 12, 16, 24), (16, 24, 32, 48, 64)
_ALL = tuple(TABLE_I)
_SMALL_SAMPLING = Sampling(3.0e5, 500, SMALL.tolerance, SMALL.n_times)
METHODS = ("dtwa", "closed_form")
_COARSE, _FINE = steps(-3, 0.5, 0.5), steps(-4, 0.9, 0.1)


def _settings(exponents: tuple[float, ...]) -> dict[str, SizeScan]:
    return {
        "small": SizeScan(SMALL_EDGES, exponents, _COARSE, _SMALL_SAMPLING),
        "paper": SizeScan(PAPER_EDGES, exponents, _FINE, PAPER),
    }


FIGURE_4 = Figure(
    name="4", title="xi2_opt against J_z/J_perp and N, D = 2, alpha = 3", methods=METHODS,
    compute=compute, draw=draw_sizes, claims=size_claims, settings=_settings((3.0,)),
)  # fmt: skip
FIGURE_9 = Figure(
    name="9", title="xi2_opt against N in the collective phase, D = 2, with fits", methods=METHODS,
    compute=compute, draw=draw_scaling, claims=limit_claims, settings=_settings(_ALL),
)  # fmt: skip
FIGURE_10 = Figure(
    name="10", title="critical coupling against N, D = 2, with fits", methods=METHODS,
    compute=compute, draw=draw_boundary,
    claims=functools.partial(boundary_claims, place="Fig. 10, Appendix D"),
    settings=_settings(_ALL),
)  # fmt: skip
TABLE_1 = Figure(
    name="table-1", title="scaling exponents nu of xi2_opt ~ 1/N^nu, D = 2", methods=METHODS,
    compute=compute, draw=draw_table, claims=table_claims, settings=_settings(_ALL),
)  # fmt: skip
