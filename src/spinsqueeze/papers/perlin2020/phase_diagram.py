"""Figures 2 and 5: optimal squeezing, least <S^2> and optimal time against J_z and alpha."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.papers.base import Figure
from spinsqueeze.papers.perlin2020.boundary import JUMP, RESOLVED, boundary_of, steep_steps
from spinsqueeze.papers.perlin2020.phase_diagram_claims import (
    claims,
    nearest_below,
    one_dimension_claims,
)
from spinsqueeze.papers.perlin2020.setting import (
    CONVENTIONS,
    PAPER,
    SMALL,
    Sampling,
    base_study,
    decibel_error,
    decibels_gained,
    ising_optimum,
    oat_optimum,
    steps,
    xxz_point,
)
from spinsqueeze.papers.points import FAILED, Points, scan
from spinsqueeze.plot.style import PALETTE, new_figure, style
from spinsqueeze.run.study import Study


@final
@dataclass(frozen=True)
class PhaseDiagram:
    """Lattice shapes by dimension, exponents, J_z / J_perp and sampling."""

    shapes: Mapping[int, tuple[int, ...]]
    exponents: tuple[float, ...]
    j_z: tuple[float, ...]
    sampling: Sampling


EXPONENTS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, math.inf)
_SMALL_SHAPES = {1: (256,), 2: (16, 16), 3: (6, 6, 6)}
_PAPER_SHAPES = {1: (4096,), 2: (64, 64), 3: (16, 16, 16)}


def _settings(dimensions: tuple[int, ...], exponents: tuple[float, ...]) -> dict[str, PhaseDiagram]:
    return {
        "small": PhaseDiagram(
            {d: _SMALL_SHAPES[d] for d in dimensions}, exponents, steps(-3, 3, 0.5), SMALL
        ),
        "paper": PhaseDiagram(
            {d: _PAPER_SHAPES[d] for d in dimensions}, exponents, steps(-3, 3, 0.1), PAPER
        ),
    }


def compute(setting: PhaseDiagram, points: Points) -> xr.Dataset:
    """Optima at every (dimension, alpha, J_z / J_perp)."""
    study = base_study((4, 4), sampling=setting.sampling, title="perlin2020, phase diagram")
    data = scan(
        points,
        study,
        axes={
            "dimension": tuple(setting.shapes),
            "alpha": setting.exponents,
            "j_z": setting.j_z,
        },
        point=lambda dimension, alpha, j_z: xxz_point(
            setting.shapes[dimension], exponent=alpha, j_z=j_z, sampling=setting.sampling
        ),
    )
    for scanned in (
        _near_boundaries(data, setting, points, study),
        _near_isotropy(data, setting, points, study),
    ):
        data = data.assign(scanned.data_vars)
        data.attrs.update({k: v for k, v in scanned.attrs.items() if k == FAILED})
    data["ising_xi2"] = (
        ("dimension", "alpha"),
        [
            [ising_optimum(shape, exponent=a).xi2 for a in setting.exponents]
            for shape in setting.shapes.values()
        ],
        {"units": "1", "long_name": "least xi2 of the Ising limit J_perp = 0, exact"},
    )
    data["oat_xi2"] = (
        "dimension",
        [oat_optimum(math.prod(shape)).xi2 for shape in setting.shapes.values()],
        {"units": "1", "long_name": "least xi2 of OAT, exact"},
    )
    data.attrs["convention"] = CONVENTIONS
    return data


FINE = 0.1
"""Step of J_z / J_perp next to boundaries: that of the paper."""
NEAR_ISOTROPY = 25
"""Times the trajectories where OAT-limited squeezing is told from OAT."""


def _near_boundaries(
    data: xr.Dataset, setting: PhaseDiagram, points: Points, study: Study
) -> xr.Dataset:
    """Points at steps of 0.1 within coarse steps over which t_opt may jump, alpha > D."""
    between: dict[tuple[int, float], tuple[float, ...]] = {}
    for dimension in setting.shapes:
        for alpha in setting.exponents:
            if alpha <= dimension:
                continue
            one = data.sel(dimension=dimension, alpha=alpha)
            steep = steep_steps(
                one["j_z"].values, optimal_time=one["optimal_time"].values, factor=JUMP
            )
            finer = {z for a, b in steep if b - a > RESOLVED for z in steps(a, b, FINE)}
            if finer:
                between[dimension, alpha] = tuple(sorted(finer))
    if not between:
        return xr.Dataset()
    count = max(map(len, between.values()))

    def point(dimension: int, alpha: float, fine: int) -> Mapping[str, Any] | None:
        chosen = between.get((dimension, alpha), ())
        if fine >= len(chosen):
            return None
        return xxz_point(
            setting.shapes[dimension], exponent=alpha, j_z=chosen[fine], sampling=setting.sampling
        )

    axes = {"dimension": tuple(setting.shapes), "alpha": setting.exponents, "fine": range(count)}
    swept = scan(points, study, axes=axes, point=point)
    values = np.full((len(setting.shapes), len(setting.exponents), count), np.nan)
    for (dimension, alpha), chosen in between.items():
        where = list(setting.shapes).index(dimension), setting.exponents.index(alpha)
        values[where][: len(chosen)] = chosen
    out = xr.Dataset(attrs=swept.attrs)
    for name in ("optimal_time", "least_total_spin_squared"):
        out[f"fine_{name}"] = swept[name].drop_vars("fine")
    out["fine_j_z"] = (("dimension", "alpha", "fine"), values)
    return out


def _near_isotropy(
    data: xr.Dataset, setting: PhaseDiagram, points: Points, study: Study
) -> xr.Dataset:
    """Optima with more trajectories at the J_z next below J_perp, alpha <= D."""
    sampling = dataclasses.replace(
        setting.sampling,
        spins_times_trajectories=NEAR_ISOTROPY * setting.sampling.spins_times_trajectories,
    )
    near = nearest_below(data)

    def point(dimension: int, alpha: float) -> Mapping[str, Any] | None:
        if alpha > dimension:
            return None
        shape = setting.shapes[dimension]
        return xxz_point(shape, exponent=alpha, j_z=near, sampling=sampling)

    axes = {"dimension": tuple(setting.shapes), "alpha": setting.exponents}
    if not any(alpha <= d for d in setting.shapes for alpha in setting.exponents):
        return xr.Dataset()
    swept = scan(points, study, axes=axes, point=point)
    names = ("optimal_xi2", "optimal_xi2_stderr")
    return xr.Dataset({f"near_isotropy_{n}": swept[n] for n in names}, attrs=swept.attrs)


_ROWS = (
    ("optimal_xi2", r"$-10\log_{10}\,\xi^2_{\mathrm{opt}}$"),
    ("least_total_spin_squared", r"$\langle S^2\rangle_{\min}/\langle S^2\rangle_0$"),
    ("optimal_time", r"$t_{\mathrm{opt}}\times J_\perp$"),
)


def draw(data: xr.Dataset) -> Any:
    """Rows: squeezing in dB, least <S^2>, optimal time; columns: dimensions; a strip for inf."""
    from matplotlib.colors import LogNorm, Normalize

    dimensions = [int(d) for d in data["dimension"].values]
    alphas, j_z = data["alpha"].values, data["j_z"].values
    finite, n_finite = np.isfinite(alphas), int(np.isfinite(alphas).sum())
    has_strip = bool((~finite).any())
    with style():
        picture = new_figure(1.5 + 2.4 * len(dimensions), 7.4)
        cells: Any = picture.subfigures(3, 1)
        for cell, (name, label) in zip(cells, _ROWS, strict=True):
            values = data[name].values
            shown = decibels_gained(values) if name == "optimal_xi2" else values
            if name == "optimal_time":
                shown = np.where(shown > 0, shown, np.nan)  # 0 where nothing is squeezed
            low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
            norm = LogNorm(low, high) if name == "optimal_time" else Normalize(low, high)
            ratios = [1.0, n_finite + 1.0] if has_strip and n_finite else [1.0]
            panels = cell.subplots(
                len(ratios),
                len(dimensions),
                squeeze=False,
                sharex="all",
                gridspec_kw={"height_ratios": ratios, "hspace": 0.02},
            )
            colours: dict[str, Any] = {"norm": norm, "cmap": "inferno", "rasterized": True}
            for column, dimension in enumerate(dimensions):
                block = shown[column]
                top, main = panels[0, column], panels[-1, column]
                if has_strip:
                    image = top.pcolormesh(_edges(j_z), [0, 1], block[~finite], **colours)
                    top.set_yticks([0.5], [r"$\infty$"] if column == 0 else [""])
                if n_finite:
                    image = main.pcolormesh(
                        _edges(j_z), _edges(alphas[finite]), block[finite], **colours
                    )
                    main.set_yticks(
                        alphas[finite], [f"{a:g}" if column == 0 else "" for a in alphas[finite]]
                    )
                    if column == 0:
                        main.set_ylabel(r"$\alpha$")
                for panel in {top, main}:
                    panel.grid(visible=False)
                    panel.set_facecolor("0.75")
                    panel.set_xticks([-2, 0, 2])
                if name == "optimal_xi2":
                    top.set_title(f"$D={dimension}$")
                if name == "optimal_time":
                    main.set_xlabel(r"$J_z/J_\perp$")
                _mark(data, panels, column, dimension, name)
            cell.colorbar(image, ax=panels, label=label, pad=0.02)
    return picture


def draw_column(data: xr.Dataset) -> Any:
    """One alpha and dimension as curves over J_z / J_perp, with the exact limits."""
    one = data.isel(dimension=0, alpha=0)
    j_z = one["j_z"].values
    known = np.isfinite(one["optimal_xi2"].values)
    with style():
        picture = new_figure(5.2, 6.4)
        panels = picture.subplots(3, 1, sharex=True)
        for panel, (name, label) in zip(panels, _ROWS, strict=True):
            values, errors = one[name].values, one[f"{name}_stderr"].values
            if name == "optimal_xi2":
                values, errors = decibels_gained(values), decibel_error(values, errors)
            for side in (j_z < 1, j_z > 1):
                keep = side & known
                panel.errorbar(
                    j_z[keep], values[keep], errors[keep],
                    fmt=".-", color=PALETTE[0], linewidth=1.2, elinewidth=1.0,
                )  # fmt: skip
            panel.set_ylabel(label)
            panel.axvline(1.0, color="0.75", linewidth=5)
            edge = boundary_of(one).j_z
            if math.isfinite(edge):
                panel.axvline(edge, color="0.45", linestyle=":", linewidth=1.6)
        for name, colour, dash, label in (
            ("oat_xi2", "black", ":", "OAT, exact"),
            ("ising_xi2", "0.5", "--", "Ising limit, exact"),
        ):
            level = decibels_gained(float(one[name]))
            panels[0].axhline(level, color=colour, linestyle=dash, linewidth=1.4, label=label)
        panels[0].legend(loc="best", fontsize=9)
        panels[0].set_title(rf"$D={int(one['dimension'])}$, $\alpha={float(one['alpha']):g}$")
        panels[2].set_yscale("log")
        panels[2].set_xlabel(r"$J_z/J_\perp$")
        picture.align_ylabels(panels)
    return picture


def _mark(data: xr.Dataset, panels: Any, column: int, dimension: int, name: str) -> None:
    """The dashed line alpha = D and the dotted boundary."""
    alphas, j_z = data["alpha"].values, data["j_z"].values
    finite = np.isfinite(alphas)
    main, top = panels[-1, column], panels[0, column]
    line: dict[str, Any] = {"color": "0.6", "linewidth": 1.4}
    if finite.any():
        main.axhline(dimension, linestyle="--", **line)
    boundaries = []
    for k in range(len(alphas)):
        edge = boundary_of(data.isel(dimension=column, alpha=k))
        if math.isfinite(edge.j_z):
            boundaries.append((edge.j_z, alphas[k]))
    if any(math.isfinite(a) for _, a in boundaries):
        main.plot(
            *zip(*[p for p in boundaries if math.isfinite(p[1])], strict=True),
            linestyle=":",
            marker=".",
            **line,
        )
    for at, alpha in boundaries:
        if math.isinf(alpha):
            top.axvline(at, linestyle=":", **line)
    main.set_xlim(_edges(j_z)[[0, -1]])
    if name == "optimal_xi2" and finite.sum() > 4:
        text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9}
        if dimension > 1:
            main.text(-1, 1.2, "S-collective", color="black", **text)
        main.text(2.1, 5.5, "S-Ising", color="white", **text)
        if dimension < 3:
            main.text(-2, 5.5, "S-Ising", color="white", **text)


def _edges(values: Floats) -> Floats:
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    middle = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])


FIGURE_2 = Figure(
    name="2",
    title="xi2_opt, least <S^2> and t_opt over (J_z/J_perp, alpha), D = 2 and 3",
    methods=("dtwa", "closed_form"),
    compute=compute,
    draw=draw,
    claims=functools.partial(claims, dimensions=(2, 3), place="Fig. 2 and p. 3"),
    settings=_settings((2, 3), EXPONENTS),
)
COLUMN = Figure(
    name="2-column",
    title="the column of Fig. 2 at D = 2, alpha = 3",
    methods=("dtwa", "closed_form"),
    compute=compute,
    draw=draw_column,
    claims=functools.partial(claims, dimensions=(2, 3), place="Fig. 2, D = 2, alpha = 3"),
    settings=_settings((2,), (3.0,)),
)
FIGURE_5 = Figure(
    name="5",
    title="Fig. 2 with D = 1 beside it",
    methods=("dtwa", "closed_form"),
    compute=compute,
    draw=draw,
    claims=one_dimension_claims,
    settings=_settings((1, 2, 3), EXPONENTS),
)
