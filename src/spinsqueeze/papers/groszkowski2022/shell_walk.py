"""Figures S4(a) and S4(b): the walk between total spins under weak dephasing, and its gap."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.closed_form.dark_states import shell_moments
from spinsqueeze.methods.permutation_invariant.transition_rates import (
    LiouvillianPerturbation,
    liouvillian_perturbation,
    shells,
    transition_rates,
)
from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.groszkowski2022.setting import (
    BLACK,
    exact_claim,
    reservoir_model,
    with_progress,
)
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, PALETTE, new_figure, style
from spinsqueeze.run.spectrum import liouvillian_gap

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

STRENGTHS = (0.2, 0.5, 1.0, 1.4, 4.0)
EXPONENTS = (0.99, 0.98, 0.95, 0.9)
DEPHASING = [(1.0, (0.0, 0.0, 1.0))]
"""sum_i D[sigma_z_i/2], the paper's L_1 (Eq. E2); times 2 gamma_phi in units of time."""


def walk(n_spins: int, *, r: float) -> LiouvillianPerturbation:
    """Rates, steady populations and decay rates of the shells, in units of 2 gamma_phi."""
    states = shell_moments(n_spins, r=r)
    return liouvillian_perturbation(
        n_spins,
        spin=[s.spin for s in states],
        deficit=[s.deficit for s in states],
        jumps=DEPHASING,
    )


# Figure S4(a)


def _rates(setting: dict[str, Any], points: Points) -> xr.Dataset:
    """W(j-1 -> j) and W(j -> j-1) against j for several r, N = 128."""
    n = setting["n_spins"]
    walks = [walk(n, r=r) for r in with_progress(points, setting["r"])]
    down, up = _one_excitation_rates(n)
    return xr.Dataset(
        {
            "upward": curve(("r", "j"), [w.upward[:-1] for w in walks], "W(j-1 -> j)"),
            "downward": curve(("r", "j"), [w.downward[1:] for w in walks], "W(j -> j-1)"),
        },
        coords={
            "r": curve("r", list(setting["r"]), "squeezing parameter of the reservoir"),
            "j": curve("j", walks[0].total_spins[1:], "total spin"),
        },
        attrs={
            "n_spins": n,
            "one_excitation_down": down,
            "one_excitation_up": up,
            "crossing_r": _crossing(n),
            "down_at_r_0": float(walk(n, r=0.0).downward.max()),
        },
    )


def _one_excitation_rates(n_spins: int) -> tuple[float, float]:
    """W from |N/2, -N/2+1> down and from |N/2-1, -N/2+1> up (Eqs. E13, E12)."""
    j = shells(n_spins)
    m = -j.copy()
    m[-1] = -n_spins / 2.0 + 1.0
    across = (j * (j + 1.0) - m**2) / 2.0
    deficit = np.zeros((j.size, 3, 3))
    deficit[:, 0, 0] = deficit[:, 1, 1] = j**2 - across
    deficit[:, 2, 2] = j**2 - m**2
    spin = np.stack([np.zeros_like(j), np.zeros_like(j), m], axis=1)
    down, up = transition_rates(n_spins, spin=spin, deficit=deficit, jumps=DEPHASING)
    return float(down[-1]), float(up[-2])


def _crossing(n_spins: int) -> float:
    """The r at which the rate down from j = N/2 reaches the bottleneck 1/N of the rates up."""
    from scipy.optimize import brentq

    def excess(r: float) -> float:
        return float(walk(n_spins, r=r).downward[-1] * n_spins - 1.0)

    return float(brentq(excess, 0.1 / np.sqrt(n_spins), 4.0 / np.sqrt(n_spins), xtol=1e-10))


def _draw_rates(data: xr.Dataset) -> "Picture":
    with style():
        figure = new_figure(6.8, 5.0)
        ax = figure.subplots()
        for k, r in enumerate(data["r"].values):
            chosen = data.sel(r=r)
            ax.semilogy(data["j"], chosen["upward"], "-", color=PALETTE[k], label=f"r = {r:g}")
            down = chosen["downward"].where(chosen["downward"] > 1e-12)  # none from j = 1
            ax.semilogy(data["j"], down, "--", color=PALETTE[k])
        ax.plot([], [], "-", color=GREY, label=r"$j-1\to j$")
        ax.plot([], [], "--", color=GREY, label=r"$j\to j-1$")
        ax.set(xlabel="j", ylabel=r"transition rate / $\varepsilon\Gamma$", xlim=(0, None))
        ax.set_title(f"N = {data.attrs['n_spins']}, even")
        ax.legend(loc="lower left", fontsize=9.0, ncols=2)
    return figure


def _rate_claims(data: xr.Dataset) -> list[Claim]:
    n = data.attrs["n_spins"]
    j = data["j"].values
    balance = [_balance(j, data.sel(r=r)) for r in data["r"].values]
    upper = j >= n / 8.0
    middle = data.sel(r=1.0)
    down, up = (middle[name].values[upper] for name in ("downward", "upward"))
    scaled = data.attrs["crossing_r"] * np.sqrt(n)
    return [
        exact_claim(
            "bottleneck-up",
            statement="rate |N/2-1, -N/2+1> -> |N/2, -N/2+1> is 1/N: times N",
            place="Eq. (E12)",
            expected=1.0,
            value=data.attrs["one_excitation_up"] * n,
            allowed=1e-12,
            error=1e-12,
            extra=f"N = {n}",
        ),
        exact_claim(
            "bottleneck-down",
            statement="rate |N/2, -N/2+1> -> |N/2-1, -N/2+1> is (N-1)/N: times N/(N-1)",
            place="Eq. (E13)",
            expected=1.0,
            value=data.attrs["one_excitation_down"] * n / (n - 1.0),
            allowed=1e-12,
            error=1e-12,
            extra=f"N = {n}",
        ),
        exact_claim(
            "no-way-down-at-r-0",
            statement="r = 0: no transitions towards lower j",
            place="App. E 2",
            expected=0.0,
            value=data.attrs["down_at_r_0"],
            allowed=1e-12,
            error=0.0,
        ),
        exact_claim(
            "crossing",
            statement="downward rates exceed the bottleneck 1/N beyond r = 1/sqrt(N) (up to terms "
            "of order 1/N): r sqrt(N) where they are equal",
            place="App. E 2",
            expected=1.0,
            value=scaled,
            allowed=1.0 / n,
            error=1e-8,
        ),
        finding(
            "rates-against-j",
            statement="downward rates are almost constant in j, upward rates depend strongly on it",
            place="App. E 2, Fig. S4(a)",
            ours=f"r = 1, j = {j[upper][0]:g} to {j[-1]:g}: downward within a factor "
            f"{down.max() / down.min():.2f}, upward within {up.max() / up.min():.0f}",
            holds=down.max() / down.min() < 5.0 < 20.0 < up.max() / up.min(),
            otherwise="the two do not differ so",
        ),
        finding(
            "balance",
            statement="the walk ends at a j_0 where rates up and down balance",
            place="App. E 2",
            ours="j_0 = "
            + ", ".join(
                f"{b:g} (r = {r:g})" for b, r in zip(balance, data["r"].values, strict=True)
            ),
            holds=all(j[0] < b < j[-1] for b in balance if np.isfinite(b)),
            otherwise="for some r no balance lies inside",
        ),
    ]


def _balance(j: Floats, rates: xr.Dataset) -> float:
    """First j from which the way down is faster than the way back; NaN where there is none."""
    faster = np.flatnonzero(rates["downward"].values > rates["upward"].values)
    return float(j[faster[0]]) if faster.size else float("nan")


FIGURE_S4A = Figure(
    name="S4a",
    title="transition rates between total spins under weak dephasing, N = 128",
    methods=("permutation_invariant", "closed_form"),
    compute=_rates,
    draw=_draw_rates,
    claims=_rate_claims,
    settings={size: {"n_spins": 128, "r": STRENGTHS} for size in ("small", "paper")},
)


# Figure S4(b)


def _gaps(setting: dict[str, Any], points: Points) -> xr.Dataset:
    """Gap of the walk against N, and the N at which it nears 1/N for a grid of r."""
    sizes = 2 * np.unique(np.geomspace(4, setting["last"] / 2, setting["n_sizes"]).round())
    grid = np.linspace(setting["least_r"], setting["last_r"], setting["n_r"])
    tasks = [(float(r), int(n)) for r in (*STRENGTHS, *grid) for n in sizes]
    walk_gaps = np.array([walk(n, r=r).gap for r, n in with_progress(points, tasks)])
    table = walk_gaps.reshape(len(STRENGTHS) + grid.size, sizes.size)
    reached = [_reached(sizes, gaps) for gaps in table[len(STRENGTHS) :]]
    return xr.Dataset(
        {
            "gap": curve(("r", "n_spins"), table[: len(STRENGTHS)], "gap over 2 gamma_phi"),
            "reached": curve(("r_inset", "exponent"), reached, "N beyond which gap ~ N^-exponent"),
        },
        coords={
            "r": curve("r", list(STRENGTHS), "squeezing parameter of the reservoir"),
            "n_spins": curve("n_spins", sizes, "number of spins"),
            "r_inset": curve("r_inset", grid, "squeezing parameter, inset"),
            "exponent": curve("exponent", list(EXPONENTS), "local exponent of 1/N^a"),
        },
        attrs={
            "first_order_error": _first_order_error(12, r=0.5),
            "gap_at_r_0": walk(int(sizes[-1]), r=0.0).gap * sizes[-1],
            "gap_at_r_infinity": walk(128, r=15.0).gap,
            "gap_at_r_infinity_odd": walk(129, r=15.0).gap,
        },
    )


def _reached(sizes: Floats, gaps: Floats) -> list[float]:
    """N at which -d ln gap/d ln N reaches each exponent; NaN outside the sizes."""
    logs = np.log(sizes)
    middle = (logs[1:] + logs[:-1]) / 2.0
    local = -np.diff(np.log(gaps)) / np.diff(logs)
    out = []
    for exponent in EXPONENTS:
        below = np.flatnonzero(local < exponent)
        if below.size == 0 or below[-1] == local.size - 1:
            out.append(np.nan)
            continue
        k = int(below[-1])
        share = (exponent - local[k]) / (local[k + 1] - local[k])
        out.append(float(np.exp(middle[k] + share * (middle[k + 1] - middle[k]))))
    return out


def _first_order_error(n_spins: int, *, r: float) -> float:
    """Relative difference of the walk's gap from that of the whole Liouvillian, weak dephasing."""
    rate = 1e-5
    whole = liouvillian_gap(reservoir_model(n_spins, r=r, dephasing=rate)).gap
    return abs(walk(n_spins, r=r).gap * 2.0 * rate / whole - 1.0)


def _draw_gaps(data: xr.Dataset) -> "Picture":
    n = data["n_spins"].values
    with style():
        figure = new_figure(10.6, 4.8)
        ax, small = figure.subplots(1, 2, width_ratios=(1.3, 1.0))
        for k, r in enumerate(data["r"].values):
            ax.loglog(n, data["gap"].sel(r=r), ".-", ms=4, color=PALETTE[k], label=f"r = {r:g}")
        ax.loglog(n, 1.0 / n, "--", color=BLACK, label="1/N (r = 0)")
        ax.set(
            xlabel="N", ylabel=r"asymptotic decay rate / $\varepsilon\Gamma$", xlim=(n[0], n[-1])
        )
        ax.set_ylim(0.5 / n[-1], 1.0)
        ax.legend(loc="lower left", fontsize=9.0)
        for k, a in enumerate(data["exponent"].values):
            small.semilogx(
                data["reached"].sel(exponent=a),
                data["r_inset"],
                "o-",
                ms=4,
                lw=0.8,
                color=PALETTE[k],
                label=f"a = {a:g}",
            )
        strengths = data["r_inset"].values
        middle = float(data["reached"].sel(exponent=0.9).dropna("r_inset").median())
        at = float(strengths[np.nanargmin(np.abs(data["reached"].sel(exponent=0.9) - middle))])
        for power, line in ((5.0, "-."), (4.0, ":")):
            small.semilogx(
                middle * np.exp(power * (strengths - at)) / 3.0,
                strengths,
                line,
                color=BLACK,
                lw=1.2,
                label=rf"slope of $e^{{{power:g}r}}$",
            )
        small.set(xlabel="N", ylabel="r", xlim=(n[0], n[-1]))
        small.set_title(r"where the gap falls as $1/N^a$ (inset)")
        small.legend(fontsize=8.5, loc="upper left")
    return figure


def _gap_claims(data: xr.Dataset) -> list[Claim]:
    n = data["n_spins"].values
    last = float(n[-1])
    scaled = data["gap"].sel(r=[0.2, 0.5]).values[:, -1] * last
    law = np.cosh(2.0 * np.array([0.2, 0.5])) ** 2
    strengths = data["r_inset"].values
    fits = {}
    for a in data["exponent"].values:
        values = data["reached"].sel(exponent=a).values
        good = np.isfinite(values)
        if good.sum() < 3:
            continue
        (slope, _), covariance = np.polyfit(strengths[good], np.log(values[good]), 1, cov=True)
        local = np.diff(np.log(values[good])) / np.diff(strengths[good])
        fits[a] = (slope, float(np.sqrt(covariance[0, 0])), strengths[good], local)
    listed = "; ".join(
        f"a = {a:g}: {slope:.2f} ± {error:.2f} over r = {window[0]:.2f} to {window[-1]:.2f} "
        f"(local {local[0]:.1f} to {local[-1]:.1f})"
        for a, (slope, error, window, local) in fits.items()
    )
    steepest = fits[0.9][3][-1] if 0.9 in fits else np.nan
    return [
        exact_claim(
            "gap-at-strong-squeezing",
            statement="r -> infinity: the asymptotic decay rate converges to 1/2 (in eps Gamma)",
            place="App. E 2",
            expected=0.5,
            value=data.attrs["gap_at_r_infinity"],
            allowed=1e-9,
            error=1e-11,
            extra=f"N = 128, r = 15; N = 129 (odd): {data.attrs['gap_at_r_infinity_odd']:.4f}",
        ),
        exact_claim(
            "gap-at-r-0",
            statement="r = 0: the gap is the bottleneck 1/N: times N",
            place="App. E 2",
            expected=1.0,
            value=data.attrs["gap_at_r_0"],
            allowed=1e-9,
            error=1e-10,
        ),
        exact_claim(
            "one-over-n",
            statement="the gap falls as 1/N for N >> exp(ar): local exponent at r = 0.5, largest N "
            "(terms of order exp(4r)/N allowed)",
            place="Eq. (E6), Fig. S4(b)",
            expected=-1.0,
            value=float(
                np.diff(np.log(data["gap"].sel(r=0.5).values[-2:]))[0] / np.diff(np.log(n[-2:]))[0]
            ),
            allowed=float(np.exp(2.0) / last),
            error=1e-6,
            extra=f"N = {last:.0f}; N gap = {scaled[0]:.4f}, {scaled[1]:.4f} at r = 0.2, 0.5 "
            f"against our law cosh^2(2r) = {law[0]:.4f}, {law[1]:.4f}",
        ),
        exact_claim(
            "first-order",
            statement="the walk gives the slowest rate of the whole Liouvillian at weak dephasing: "
            "relative difference 0 (terms of order gamma_phi/Gamma allowed)",
            place="App. E 2",
            expected=0.0,
            value=data.attrs["first_order_error"],
            allowed=1e-4,
            error=1e-7,
            extra="N = 12, r = 0.5, gamma_phi = 1e-5 Gamma",
        ),
        finding(
            "exponent-5",
            statement="1/N scaling holds for N >> exp(ar) with a ~ 5",
            place="Eq. (E6), inset of Fig. S4(b)",
            ours=f"ln N(exponent) against r: {listed}",
            holds=abs(steepest - 5.0) < 0.5,
            otherwise="5 is an average over small r; towards larger r the slope falls to 4, as "
            "N gap = cosh^2(2r) says: the crossover to 1/2 lies at N = 2 cosh^2(2r) ~ exp(4r)/2",
            value=steepest,
            expected=5.0,
        ),
    ]


FIGURE_S4B = Figure(
    name="S4b",
    title="slowest rate of the walk between total spins against N",
    methods=("permutation_invariant", "closed_form"),
    compute=_gaps,
    draw=_draw_gaps,
    claims=_gap_claims,
    settings={
        "small": {"last": 1024, "n_sizes": 24, "least_r": 0.2, "last_r": 1.5, "n_r": 14},
        "paper": {"last": 4096, "n_sizes": 36, "least_r": 0.1, "last_r": 2.0, "n_r": 20},
    },
)
