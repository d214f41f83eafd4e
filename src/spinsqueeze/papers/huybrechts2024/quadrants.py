"""Figures 5 and 8: squeezed components in the quadrants of both phase diagrams."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.huybrechts2024.angle_maps import (
    ISING,
    XYZ,
    Kind,
    Plane,
    boundary,
    exact_angles,
    plane,
)
from spinsqueeze.papers.huybrechts2024.setting import (
    CONVENTIONS,
    angle_distance,
    ising_order_angle,
    xyz_order_angle,
)
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

ALONG_X, ALONG_Y = "#CFE4F2", "#F9DEC9"
LABELS = {
    XYZ: (
        ("I", 0.95, 0.72),
        ("II", 0.72, 0.07),
        ("III", 0.05, 0.28),
        ("IV", 0.28, 0.93),
    ),
    ISING: (("I", 0.95, 0.95), ("II", 0.44, 0.95), ("III", 0.05, 0.05), ("IV", 0.56, 0.05)),
}
"""Quadrant, and where its number stands in parts of the axes."""


def _exact(kind: Kind) -> Callable[[Plane, Points], xr.Dataset]:
    def compute(setting: Plane, points: Points) -> xr.Dataset:
        x, y, across, up = plane(kind, setting.n_values)
        alpha, beta = kind.predicted(setting.n_spins, across, up)
        angle, attributes = exact_angles(kind, points, setting.n_spins, setting.n_values)
        order = xyz_order_angle(across, up) if kind is XYZ else _ising_order(up)
        (first, _), (second, _) = kind.axes
        dims = (second, first)
        # Rounding of the grid would put points of the lines between quadrants into one of them
        product = np.where(np.minimum(np.abs(alpha), np.abs(beta)) < 1e-9, 0.0, alpha * beta)
        return xr.Dataset(
            {
                "angle": curve(dims, angle, "angle of least variance, exact", units="rad"),
                "predicted": curve(dims, np.sign(product), "1: x squeezed, -1: y, first order"),
                "beta": curve(dims, beta, "beta", units="gamma"),
                "paramagnetic": curve(
                    dims, kind.paramagnetic(across, up), "whether mean field has a paramagnet"
                ),
                "order_angle": curve(
                    dims, order, "direction of the mean-field magnetisation", units="rad"
                ),
            },
            coords={
                first: curve(first, x, first, units="gamma"),
                second: curve(second, y, second, units="gamma"),
            },
            attrs={"n_spins": setting.n_spins, "convention": CONVENTIONS, **attributes},
        )

    return compute


def _ising_order(field: Floats) -> Floats:
    angle = np.full(field.shape, np.nan)
    off_zero = np.abs(field) > 1e-9
    angle[off_zero] = ising_order_angle(field[off_zero])
    return angle


def _draw(kind: Kind) -> Callable[[xr.Dataset], "Picture"]:
    def drawn(data: xr.Dataset) -> "Picture":
        with style():
            figure = new_figure(6.6, 6.0)
            panel = figure.subplots()
            x, y, across, up = plane(kind, 401)
            alpha, beta = kind.predicted(data.attrs["n_spins"], across, up)
            panel.contourf(x, y, alpha * beta, levels=[-1e9, 0.0, 1e9], colors=[ALONG_Y, ALONG_X])
            panel.contour(x, y, alpha, levels=[0.0], colors=GREY, linewidths=1.0, linestyles=":")
            panel.contour(x, y, beta, levels=[0.0], colors=GREY, linewidths=1.0, linestyles=":")
            boundary(panel, kind)
            inner = data.isel({name: slice(1, -1) for name, _ in kind.axes})
            (first, across_label), (second, up_label) = kind.axes
            for turn, colour in ((0.0, PALETTE[0]), (np.pi / 2.0, PALETTE[1])):
                angle = inner["angle"].values + turn
                # Long strokes: the correlated, anti-squeezed component
                length = (0.8 if turn else 0.4) * float(data[first][1] - data[first][0])
                panel.quiver(
                    inner[first], inner[second], length * np.cos(angle), length * np.sin(angle),
                    color=colour, pivot="mid", headlength=0, headaxislength=0, headwidth=1,
                    units="dots", width=2.5, angles="xy", scale=1.0, scale_units="xy",
                    zorder=3,
                )  # fmt: skip
            for name, right, top in LABELS[kind]:
                panel.text(right, top, name, transform=panel.transAxes, ha="center", va="center",
                           fontsize=13, fontweight="bold", zorder=4,
                           bbox={"facecolor": "white", "lw": 0, "pad": 2})  # fmt: skip
            panel.plot([], [], color=PALETTE[0], label="squeezed, exact")
            panel.plot([], [], color=PALETTE[1], label="anti-squeezed, exact")
            panel.plot([], [], "--", color=PALETTE[6], lw=1.5, label="mean-field transition")
            panel.plot([], [], "s", color=ALONG_X, ms=9, label="x squeezed, first order")
            panel.plot([], [], "s", color=ALONG_Y, ms=9, label="y squeezed, first order")
            panel.legend(fontsize=8.5, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
            panel.set(xlabel=across_label, ylabel=up_label, aspect="equal")
            panel.grid(visible=False)
        return figure

    return drawn


def _share(agree: Booleans, where: Booleans) -> tuple[int, int]:
    return int(np.count_nonzero(agree & where)), int(np.count_nonzero(where))


def _claims(kind: Kind) -> Callable[[xr.Dataset], list[Claim]]:
    place = "Fig. 5, Sec. 6.1.2" if kind is XYZ else "Fig. 8, Sec. 6.2"

    def claims(data: xr.Dataset) -> list[Claim]:
        angle, predicted = data["angle"].values, data["predicted"].values
        para = data["paramagnetic"].values
        known = np.isfinite(angle) & (predicted != 0)
        agree = known & (np.sign(np.cos(2.0 * angle)) == predicted)
        in_para, all_para = _share(agree, known & para)
        in_ferro, all_ferro = _share(agree, known & ~para)
        strong = np.abs(data["beta"].values) > 1.0
        in_strong, all_strong = _share(agree, known & strong)
        ordered = ~para & known & np.isfinite(data["order_angle"].values)
        off = np.degrees(angle_distance(angle + np.pi / 2.0, data["order_angle"].values))[ordered]
        missed = known & para & ~agree
        weakest = float(np.abs(data["beta"].values[missed]).max()) if missed.any() else 0.0
        out = [
            finding(
                "quadrants-paramagnet",
                statement="x is squeezed where alpha/beta > 0 (I, III), y where alpha/beta < 0 "
                "(II, IV)",
                place=place,
                ours=f"the exact least variance is nearer to that axis at {in_para} of {all_para} "
                f"points of the paramagnet, and at {in_strong} of {all_strong} of the plane where "
                "|beta| > gamma",
                holds=in_para == all_para and in_strong == all_strong,
                otherwise=f"the paramagnetic points that differ have |beta| <= {weakest:.2g} gamma",
                value=in_para / all_para,
                expected=1.0,
            ),
            finding(
                "quadrants-ferromagnet",
                statement="the nature of the ferromagnetic correlations follows from the quadrants",
                place=place,
                ours="the anti-squeezed component is nearer to the predicted axis at "
                f"{in_ferro} of {all_ferro} points beyond the transition, N = "
                f"{data.attrs['n_spins']}; it lies within {off.max():.1f} degrees (median "
                f"{np.median(off):.1f}) of the mean-field magnetisation",
                holds=in_ferro > 0.9 * all_ferro,
                otherwise="more than one point in ten differs",
                value=in_ferro / all_ferro,
                expected=1.0,
            ),
        ]
        if kind is XYZ:
            correlated_x = known & para & (np.cos(2.0 * angle) < 0)
            as_printed, all_printed = _share(correlated_x, known & para & (predicted > 0))
            out.append(
                finding(
                    "correlated-component-in-the-text",
                    statement="x is the most strongly correlated component in quadrants I and III, "
                    "y in II and IV",
                    place="Sec. 6.1.2, fourth paragraph",
                    ours=f"x is anti-squeezed at {as_printed} of {all_printed} paramagnetic points "
                    "of I and III",
                    holds=as_printed > all_printed / 2,
                    otherwise="the other way round, as Eqs. (50) to (52) and the figure have it: "
                    "x is squeezed in I and III, so y correlates there",
                    value=as_printed / all_printed,
                    expected=1.0,
                )
            )
        return out

    return claims


_SETTINGS = {"tiny": Plane(6, 5), "small": Plane(20, 11), "paper": Plane(20, 21)}

FIGURE_5 = Figure(
    name="5",
    title="XYZ model: squeezed and anti-squeezed components over (J_x, J_y)",
    methods=("permutation_invariant", "perturbation", "mean_field"),
    compute=_exact(XYZ),
    draw=_draw(XYZ),
    claims=_claims(XYZ),
    settings=_SETTINGS,
)
FIGURE_8 = Figure(
    name="8",
    title="transverse-field Ising model: squeezed and anti-squeezed components over (J_x, Delta)",
    methods=("permutation_invariant", "perturbation", "mean_field"),
    compute=_exact(ISING),
    draw=_draw(ISING),
    claims=_claims(ISING),
    settings=_SETTINGS,
)
