"""The pictures of Figures 4, 9 and 10 and of Table I."""

import math
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.papers.perlin2020.setting import decibel_error, decibels_gained, steps
from spinsqueeze.papers.perlin2020.size_fits import (
    TABLE_I,
    boundary_at,
    collective_sizes,
    critical_couplings,
    exponent_fit,
    log_fit,
)
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style


def draw_sizes(data: xr.Dataset) -> Any:
    """Figure 4: xi2_opt against J_z / J_perp, one curve a size, alpha = 3."""
    one = data.sel(alpha=3.0)
    j_z, edges = data["j_z"].values, data["edge"].values
    with style():
        import matplotlib

        colours = matplotlib.colormaps["viridis"]
        picture = new_figure(5.6, 4.0)
        panel = picture.subplots()
        line = []
        for k, n in enumerate(edges):
            row = one.sel(edge=n)
            xi2 = row["optimal_xi2"].values
            look = colours(0.92 * (1 - k / max(1, len(edges) - 1)))
            panel.errorbar(
                j_z, decibels_gained(xi2), decibel_error(xi2, row["optimal_xi2_stderr"].values),
                color=look, marker=".", linestyle=DASHES[k % 4], linewidth=1.2,
                label=rf"$N={n}^2$",
            )  # fmt: skip
            panel.plot(
                [1.0], [decibels_gained(float(row["oat_xi2"]))], marker="<", color=look,
                markeredgecolor="black", markersize=7, clip_on=False,
            )  # fmt: skip
            boundary = boundary_at(data, alpha=3.0, edge=int(n))
            if math.isfinite(boundary.j_z):
                line.append((boundary.j_z, np.interp(boundary.j_z, j_z, decibels_gained(xi2))))
        if line:
            panel.plot(*zip(*line, strict=True), color="0.45", linestyle=":", linewidth=2.2)
        panel.set_xlim(j_z.min() - 0.05, 1.05)
        panel.set_xlabel(r"$J_z/J_\perp$")
        panel.set_ylabel(r"$-10\log_{10}\,\xi^2_{\mathrm{opt}}$")
        panel.legend(title=r"$D=2$, $\alpha=3$; triangles: OAT", fontsize=8, title_fontsize=8)
    return picture


def draw_scaling(data: xr.Dataset) -> Any:
    """Figure 9: xi2_opt against N, one panel an alpha, with the fits a/N^nu and the OAT limit."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap

    alphas = data["alpha"].values
    shown = steps(-1.5, 0.5, 0.5)
    sizes = data["edge"].values.astype(float) ** 2
    with style():
        import matplotlib

        base = matplotlib.colormaps["viridis_r"]
        colours = {z: base(k / (len(shown) - 1)) for k, z in enumerate(shown)}
        picture = new_figure(1.4 + 2.0 * len(alphas), 3.2)
        panels = picture.subplots(1, len(alphas), sharey=True, squeeze=False)[0]
        for panel, alpha in zip(panels, alphas, strict=True):
            for z in [z for z in shown if z in data["j_z"].values]:
                nu, _, log_a, count = exponent_fit(data, alpha=float(alpha), j_z=z)
                if count < 3:
                    continue
                keep = collective_sizes(data, alpha=float(alpha), j_z=z)
                one = data.sel(alpha=alpha, j_z=z)
                panel.errorbar(
                    sizes[keep], one["optimal_xi2"].values[keep],
                    one["optimal_xi2_stderr"].values[keep],
                    fmt="o", markersize=4, color=colours[z],
                )  # fmt: skip
                panel.plot(sizes, np.exp(log_a) * sizes**-nu, "--", color=colours[z], linewidth=1)
            panel.plot(sizes, data["oat_xi2"].values, ":", color="#D7191C", linewidth=2)
            _size_axis(panel, data)
            panel.set_yscale("log")
            panel.set_title(r"$\alpha=\infty$" if math.isinf(alpha) else rf"$\alpha={alpha:g}$")
        panels[0].set_ylabel(r"$\xi^2_{\mathrm{opt}}$")
        edges = [z - 0.25 for z in shown] + [shown[-1] + 0.25]
        table = ListedColormap([colours[z] for z in shown])
        picture.colorbar(
            ScalarMappable(BoundaryNorm(edges, len(shown)), table), ax=panels, ticks=shown,
            label=r"$J_z/J_\perp$", pad=0.01,
        )  # fmt: skip
    return picture


def draw_boundary(data: xr.Dataset) -> Any:
    """Figure 10: the critical coupling against N with the fits -gamma ln N + b."""
    alphas = data["alpha"].values
    sizes = data["edge"].values.astype(float) ** 2
    with style():
        picture = new_figure(1.0 + 2.0 * len(alphas), 2.9)
        panels = picture.subplots(1, len(alphas), sharey=True, squeeze=False)[0]
        for panel, alpha in zip(panels, alphas, strict=True):
            critical, half = critical_couplings(data, alpha=float(alpha))
            panel.errorbar(sizes, critical, half, fmt="o", color=PALETTE[0], markersize=5)
            gamma, _, b = log_fit(sizes, critical)
            if math.isfinite(gamma):
                panel.plot(sizes, b - gamma * np.log(sizes), "--", color=PALETTE[1])
                panel.text(0.05, 0.06, rf"$\gamma={gamma:.2f}$", transform=panel.transAxes)
            else:
                panel.text(
                    0.05, 0.06, "no boundary in range", transform=panel.transAxes, fontsize=8
                )
            _size_axis(panel, data)
            panel.set_ylim(data["j_z"].values.min() - 0.2, 1.0)
            panel.set_title(r"$\alpha=\infty$" if math.isinf(alpha) else rf"$\alpha={alpha:g}$")
        panels[0].set_ylabel(r"$J_z^{\mathrm{crit}}/J_\perp$")
    return picture


def draw_table(data: xr.Dataset) -> Any:
    """Table I as printed, ours beneath each entry."""
    shown = steps(-1.5, 0.5, 0.5)
    alphas = [float(a) for a in data["alpha"].values]
    with style():
        picture = new_figure(7.2, 0.7 + 0.62 * len(alphas))
        panel = picture.subplots()
        panel.set_axis_off()
        cells = []
        for alpha in alphas:
            row = []
            for z in shown:
                printed = TABLE_I.get(alpha, {}).get(z)
                nu, error, _, count = exponent_fit(data, alpha=alpha, j_z=z)
                ours = f"{nu:.2f} ± {error:.2f}" if math.isfinite(nu) else f"({count} sizes)"
                if printed is None and not math.isfinite(nu):
                    row.append("")
                    continue
                row.append(f"{'–' if printed is None else f'{printed:.1f}'}\n{ours}")  # noqa: RUF001
            cells.append(row)
        table = panel.table(
            cells, rowLabels=[r"  $\infty$  " if math.isinf(a) else f"  {a:g}  " for a in alphas],
            colLabels=[f"{z:.1f}" for z in shown], loc="center", cellLoc="center",
        )  # fmt: skip
        table.scale(1.0, 2.6)
        table.auto_set_font_size(False)
        table.set_fontsize(9)
        for (r, _), cell in table.get_celld().items():
            cell.set_linewidth(0.5)
            if r == 0:
                cell.set_height(cell.get_height() / 1.6)
        panel.set_title(r"$\nu$ by $\alpha$ (rows) and $J_z/J_\perp$; paper above, ours below")
    return picture


def _size_axis(panel: Any, data: xr.Dataset) -> None:
    """N on a logarithmic axis, a tick at every size."""
    edges = data["edge"].values
    panel.set_xscale("log")
    panel.set_xticks([int(n) ** 2 for n in edges], [f"${int(n)}^2$" for n in edges])
    panel.set_xticks([], minor=True)
    panel.set_xlim(edges[0] ** 2 / 1.4, edges[-1] ** 2 * 1.4)
    panel.set_xlabel("$N$")
