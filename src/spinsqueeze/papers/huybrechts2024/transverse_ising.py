"""Figure 6 with its inset: onset, slope, angle in the transverse-field Ising model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.huybrechts2024.setting import (
    CONVENTIONS,
    agreement,
    angle_distance,
    critical_coupling,
    exact_ising,
    first_order_angle,
    first_order_xi2,
    ising_alpha_beta,
    onset_slope,
    xyz_alpha_beta,
)
from spinsqueeze.papers.points import FAILED, Points
from spinsqueeze.plot.style import GREY, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

FIELD = -6.0
"""Delta/gamma of Fig. 6."""
STEP = 1e-3
AGREES = 0.02
"""|exact - first order| of xi2 up to which the curve counts as predicted."""


@final
@dataclass(frozen=True)
class Line:
    """Fig. 6.

    Args:
        n_spins: N.
        n_values: of J_x/gamma on either side of 0.
        largest: |J_x|/gamma.
    """

    n_spins: int
    n_values: int
    largest: float


def compute(setting: Line, points: Points) -> xr.Dataset:
    """Exact xi2 and angle over J_x, of both signs, the paper's first order and ours."""
    n = setting.n_spins
    half = np.linspace(0.0, setting.largest, setting.n_values + 1)[1:]
    swept = np.concatenate([-half[::-1], half])
    steps = np.array([STEP, 2 * STEP, -STEP, -2 * STEP])
    every = np.concatenate([steps, swept])
    exact = exact_ising(points, n, j_x=every, field=np.full(len(every), FIELD))
    xi2, angle, qfi = (exact[name].values for name in ("xi2", "angle", "qfi"))
    alpha, beta = ising_alpha_beta(n, j_x=swept, field=FIELD)
    # With all that conserves J^z in H_0: J_x/2 of exchange beside the field
    kept = beta + xyz_alpha_beta(n, mean=swept / 2.0, difference=0.0, j_z=0.0)[1]
    return xr.Dataset(
        {
            "xi2": curve("coupling", xi2[4:], "xi_R^2, exact"),
            "first_order": curve("coupling", first_order_xi2(n, alpha, beta), "Eqs. (58) to (60)"),
            "exchange_kept": curve(
                "coupling", first_order_xi2(n, alpha, kept), "the same, exchange in H_0"
            ),
            "angle": curve("coupling", angle[4:], "angle of least variance", units="rad"),
            "first_order_angle": curve(
                "coupling", first_order_angle(alpha, beta), "the same, first order", units="rad"
            ),
            "exchange_kept_angle": curve(
                "coupling", first_order_angle(alpha, kept), "the same, exchange in H_0", units="rad"
            ),
            "qfi": curve("coupling", qfi[4:], "quantum Fisher information over N"),
            "slope": curve(
                "sign",
                [onset_slope(STEP, xi2[0], xi2[1]), onset_slope(STEP, xi2[2], xi2[3])],
                "-d xi2/d|J_x| at 0, exact",
                units="1/gamma",
            ),
            "onset_angle": curve("sign", angle[[0, 2]], "angle at J_x -> 0", units="rad"),
            "predicted_angle": curve(
                "sign", first_order_angle([1.0, -1.0], beta), "the same, first order", units="rad"
            ),
        },
        coords={
            "coupling": curve("coupling", swept, "J_x", units="gamma"),
            "sign": [1, -1],
        },
        attrs={k: v for k, v in exact.attrs.items() if k == FAILED},
    ).assign_attrs(
        n_spins=n,
        field=FIELD,
        critical=float(critical_coupling(FIELD)),
        predicted_slope=float(1.0 - first_order_xi2(n, *ising_alpha_beta(n, j_x=1.0, field=FIELD))),
        convention=CONVENTIONS,
    )


def draw(data: xr.Dataset) -> "Picture":
    """Fig. 6; the inset stands beside it."""
    black, orange, blue = PALETTE[6], PALETTE[4], PALETTE[0]
    with style():
        figure = new_figure(11.0, 4.6)
        panels = figure.subplots(1, 2)
        x = data["coupling"].values
        middle = len(x) // 2
        lines = (("xi2", "first_order", "exchange_kept"),
                 ("angle", "first_order_angle", "exchange_kept_angle"))  # fmt: skip
        for panel, (exact, first, kept) in zip(panels, lines, strict=True):
            for name, look, colour in (
                (exact, "-", black),
                (first, "--", orange),
                (kept, ":", blue),
            ):
                start = 1.0 if panel is panels[0] else np.nan  # at J_x = 0 all angles are alike
                y = np.insert(data[name].values, middle, start)
                panel.plot(np.insert(x, middle, 0.0), y, look, color=colour)
            panel.axvline(data.attrs["critical"], color=GREY, lw=0.9, ls="-.")
            panel.set(xlabel=r"$\mathcal{J}_x/\gamma$")
            panel.set_xlim(x[0], x[-1])
        left, right = panels
        left.plot([], [], color=black, label="exact")
        left.plot([], [], "--", color=orange, label="first order, Eq. (58)")
        left.plot([], [], ":", color=blue, label=r"first order, exchange in $H_0$")
        left.plot([], [], "-.", color=GREY, lw=0.9, label="mean-field transition")
        left.set(ylabel=r"$\xi_R^2$",
                 title=rf"N = {data.attrs['n_spins']}, $\Delta = {FIELD:g}\,\gamma$")  # fmt: skip
        left.set_ylim(0.3, 1.3)
        left.legend(fontsize=9, loc="upper left", ncols=2)
        right.set(ylabel=r"$\phi_{\min}$ (rad)", title="angle (inset)")
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """Slope, angle, and how far the first order reaches."""
    x = data["coupling"].values
    up = x > 0
    slope, predicted = data["slope"].values, data.attrs["predicted_slope"]
    off = float(np.abs(slope / predicted - 1.0).max())
    turned = float(angle_distance(data["onset_angle"], data["predicted_angle"]).max())
    reach = {}
    for name in ("first_order", "exchange_kept"):
        exact, first = data["xi2"].values[up], data[name].values[up]
        reach[name] = agreement(x[up], exact, first, allowed=AGREES)
    critical = data.attrs["critical"]
    least = int(np.argmin(np.where(up, data["xi2"].values, np.inf)))
    start, sides = data["onset_angle"].values, data["angle"].values
    return [
        finding(
            "ising-slope",
            statement="xi_R^2 falls linearly from 1, by (8/N) alpha/sqrt(beta^2 + gamma^2)",
            place="Eqs. (49), (58) to (60), Fig. 6",
            ours=f"{slope[0]:.6f} and {slope[1]:.6f} per gamma for J_x > 0 and < 0, within "
            f"{off:.1e} of it",
            holds=off < 1e-4,
            otherwise="the slopes differ",
            value=float(slope[0]),
            error=1e-7,
            expected=predicted,
        ),
        finding(
            "ising-angle",
            statement="the angle follows Eq. (48) with alpha, beta of Eqs. (59), (60)",
            place="Eqs. (48), (58) to (60), inset of Fig. 6",
            ours=f"exact at J_x -> 0: {start[0]:.4f} (J_x > 0) and {start[1]:.4f} rad (J_x < 0), "
            f"within {turned:.1e} of it",
            holds=turned < 2e-3,
            otherwise="the angles differ",
            value=float(start[0]),
            error=turned,
            expected=float(data["predicted_angle"][0]),
        ),
        finding(
            "ising-agreement-ends-at-transition",
            statement="agreement degrades towards the ferromagnetic transition",
            place="Sec. 6.2, Fig. 6",
            ours=f"|difference of xi_R^2| passes {AGREES:g} at J_x = {reach['first_order']:.2f} "
            f"gamma; least xi_R^2 = {data['xi2'].values[least]:.4f} at {x[least]:.2f} gamma; "
            f"mean-field transition at {critical:.3f} gamma",
            holds=reach["first_order"] < x[least] < critical,
            otherwise="not in this order",
            value=reach["first_order"],
        ),
        finding(
            "exchange-belongs-to-the-perturbation",
            statement="all of J_x S^x S^x is the perturbation, its exchange part too",
            place="Eqs. (54), (55)",
            ours=f"with the exchange part in H_0 first order agrees up to J_x = "
            f"{reach['exchange_kept']:.2f} gamma instead of {reach['first_order']:.2f} (J_x > 0), "
            f"and bends the angle: at J_x = {x[-1]:g} gamma it is "
            f"{data['exchange_kept_angle'].values[-1]:.4f} (exact {sides[-1]:.4f}, Eq. (58) "
            f"{data['first_order_angle'].values[-1]:.4f}) rad",
            holds=reach["exchange_kept"] <= reach["first_order"],
            otherwise="equal to first order in J_x, but the other split reaches farther",
            value=reach["exchange_kept"],
            expected=reach["first_order"],
        ),
    ]


FIGURE_6 = Figure(
    name="6",
    title="transverse-field Ising model: xi_R^2 and angle against J_x at Delta = -6 gamma",
    methods=("permutation_invariant", "perturbation"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Line(6, 5, 8.0),
        "small": Line(20, 32, 8.0),
        "paper": Line(20, 80, 8.0),
    },
)
