"""Figure S2: the distribution of S_y in the steady state of 200 and 201 spins."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsqueeze.methods.closed_form.dark_states import spin_y_distribution
from spinsqueeze.papers.base import Claim, Figure, curve, finding, power_law_fit
from spinsqueeze.papers.groszkowski2022.setting import exact_claim
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

ROUNDING = 1e-12
SHOWN = 30.0


def _distributions(setting: dict[str, Any], _points: Points) -> xr.Dataset:
    """P(S_y = m) for several r; the last r is the limit of infinite squeezing."""
    strengths = [*setting["r"], np.inf]
    even = [spin_y_distribution(100.0, r=r) for r in strengths]
    odd = [spin_y_distribution(100.5, r=r) for r in strengths]
    return xr.Dataset(
        {
            "probability_even": curve(("r", "m_even"), [p for _, p in even], "P(S_y = m), N = 200"),
            "probability_odd": curve(("r", "m_odd"), [p for _, p in odd], "P(S_y = m), N = 201"),
        },
        coords={
            "r": curve("r", strengths, "squeezing parameter of the reservoir"),
            "m_even": curve("m_even", even[0][0], "m"),
            "m_odd": curve("m_odd", odd[0][0], "m"),
        },
    )


def _draw(data: xr.Dataset) -> "Picture":
    with style():
        figure = new_figure(7.2, 5.0)
        ax = figure.subplots()
        for r, colour in zip(data["r"].values[:-1], PALETTE, strict=False):
            for name, m, line in (("even", "m_even", "-"), ("odd", "m_odd", "--")):
                inside = np.abs(data[m].values) <= SHOWN
                ax.semilogy(
                    data[m].values[inside],
                    data[f"probability_{name}"].sel(r=r).values[inside],
                    line,
                    color=colour,
                    label=f"r = {r:g}" if name == "even" else None,
                )
        ax.plot([], [], "-", color="grey", label="N = 200")
        ax.plot([], [], "--", color="grey", label="N = 201")
        ax.set(xlabel=r"eigenvalue m of $S_y$", ylabel=r"P($S_y$ = m)")
        ax.set(xlim=(-SHOWN, SHOWN), ylim=(1e-8, 2.0))
        ax.legend(loc="upper right", ncols=1, fontsize=9.0)
    return figure


def _claims(data: xr.Dataset) -> list[Claim]:
    m, m_even = data["m_odd"].values, data["m_even"].values
    strongest = data["r"].values[-2]
    odd, even = data["probability_odd"].values, data["probability_even"].values
    weights = m**-2.0
    weights /= weights.sum()
    tail = (m > 5.0) & (m < 60.0)
    slope, error, _ = power_law_fit(m[tail], odd[-2][tail])
    outside = [float(p[np.abs(m) > 5.0].sum()) for p in odd]
    outside_even = [float(p[np.abs(m_even) > 5.0].sum()) for p in even]
    variance = float(odd[-1] @ m**2)
    n = 201
    listed = ", ".join(
        f"{b:.2g} against {a:.1g} (r = {r:g})"
        for r, a, b in zip(data["r"].values, outside_even, outside, strict=True)
    )
    return [
        exact_claim(
            "mixture-of-m",
            statement="r -> infinity: a mixture of |N/2, m>_y with weights 1/m^2; difference 0",
            place="Eq. (17)",
            expected=0.0,
            value=float(np.abs(odd[-1] - weights).max()),
            allowed=ROUNDING,
            error=0.0,
            extra="largest difference of P(m), N = 201",
        ),
        exact_claim(
            "fat-tail",
            statement="the odd-N distribution develops a fat tail: by Eq. (17), P ~ m^-2",
            place="Fig. S2",
            expected=-2.0,
            value=slope,
            allowed=0.02,
            error=max(error, 1e-6),
            extra=f"fit over 5 < m < 60, r = {strongest:g}",
        ),
        finding(
            "parity-shows",
            statement="even and odd distributions differ if exp(2r) >~ N",
            place="Fig. S2",
            ours=f"P(|m| > 5), odd against even: {listed}",
            holds=outside[-2] > 30.0 * outside_even[-2] and outside[0] < 1e-3,
            otherwise="the tails do not tell the parities apart",
        ),
        exact_claim(
            "no-mean",
            statement="spin losses do not change <S_y> = 0",
            place="App. D 2",
            expected=0.0,
            value=float(np.abs(odd @ m).max()),
            allowed=1e-10,
            error=0.0,
        ),
        exact_claim(
            "odd-variance-limit",
            statement="odd N: <S_y^2> -> N/pi^2 for r -> infinity if N >> 1 (N = 201; finite-size "
            "terms of order 1/N allowed)",
            place="Sec. III D",
            expected=n / np.pi**2,
            value=variance,
            allowed=2.0 * n / np.pi**2 / n,
            error=1e-9,
            extra=f"exactly (N + 1)/sum_m m^-2 = {(n + 1) / np.sum(m**-2.0):.4f}",
        ),
    ]


FIGURE_S2 = Figure(
    name="S2",
    title="distribution of S_y in the steady state, N = 200 and 201",
    methods=("closed_form",),
    compute=_distributions,
    draw=_draw,
    claims=_claims,
    settings={size: {"r": (2.0, 2.65, 3.5, 5.0)} for size in ("small", "paper")},
)
