"""Figure 4(a): how fast even and odd ensembles relax under Eq. (2), and the gaps of its inset."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsqueeze.methods.closed_form.dark_states import steady_moments
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant
from spinsqueeze.methods.permutation_invariant.spectrum import slow_modes
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.groszkowski2022.setting import (
    BLACK,
    BLUE,
    ORANGE,
    SQUEEZING_OF_FIG_4,
    exact_claim,
    reservoir_generator,
    reservoir_model,
    with_progress,
)
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, new_figure, style
from spinsqueeze.run.simulate import simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

WEAK = 0.5
"""A second r for the gaps, where exp(2r) << N holds already for small N."""


def _relaxation(setting: dict[str, Any], points: Points) -> xr.Dataset:
    """xi_R^2 and <S_y^2> against time from |N/2, -N/2>; gaps of the Liouvillian against N."""
    times = np.geomspace(1e-3, 10.0, setting["n_times"])
    pair = (setting["n_spins"], setting["n_spins"] + 1)
    sizes = [*setting["sizes"], *(n + 1 for n in setting["sizes"])]
    sizes.sort()
    work: list[Any] = [*pair, *((r, n) for r in (SQUEEZING_OF_FIG_4, WEAK) for n in sizes)]
    runs, gaps = [], []
    for item in with_progress(points, work):
        if isinstance(item, tuple):
            gaps.append(_gaps(item[1], r=item[0]))
            continue
        model = reservoir_model(item, r=SQUEEZING_OF_FIG_4)
        runs.append(simulate(model, CoherentState("-z"), times, method=PermutationInvariant(1e-10)))
    table = np.array(gaps).reshape(2, len(sizes), 3)
    end = [steady_moments(n / 2, r=SQUEEZING_OF_FIG_4) for n in pair]
    return xr.Dataset(
        {
            "xi2": curve(("n_spins", "time"), [d["xi2"] for d in runs], "Wineland parameter"),
            "variance_y": curve(
                ("n_spins", "time"),
                [d["covariance"].sel(axis="y", axis_2="y") for d in runs],
                "<S_y^2>",
            ),
            "steady_xi2": curve(
                "n_spins", [s.xi2(n) for s, n in zip(end, pair, strict=True)], "steady xi2"
            ),
            "gap": curve(
                ("r", "size", "kind"), table, "smallest decay rate of Eq. (2)", units="Gamma"
            ),
        },
        coords={
            "n_spins": curve("n_spins", pair, "number of spins"),
            "time": curve("time", times, "time", units="1/Gamma"),
            "size": curve("size", sizes, "number of spins of the gaps"),
            "r": curve("r", [SQUEEZING_OF_FIG_4, WEAK], "squeezing parameter of the reservoir"),
            "kind": ["maximal j", "maximal j, even m - m'", "all j"],
        },
    )


def _gaps(n_spins: int, *, r: float) -> tuple[float, float, float]:
    """Least decay rates: in j = N/2, there among even m - m' alone, and over all j."""
    model = reservoir_generator(n_spins, r=r)
    top = slow_modes(model, shells=(0, 1))
    even = min(
        -mode.eigenvalue.real
        for mode in top.modes
        if (int(mode.sector.column[0]) - int(mode.sector.row[0])) % 2 == 0
    )
    return top.gap, even, slow_modes(model).gap


def _draw(data: xr.Dataset) -> "Picture":
    with style():
        figure = new_figure(10.6, 4.6)
        ax, gaps = figure.subplots(1, 2, width_ratios=(1.4, 1.0))
        times = data["time"]
        for n, line in zip(data["n_spins"].values, ("-", "--"), strict=True):
            chosen = data.sel(n_spins=n)
            ax.loglog(times, chosen["xi2"], line, color=BLUE, label=rf"$\xi_R^2$, N = {n}")
            ax.loglog(
                times,
                chosen["variance_y"],
                line,
                color=ORANGE,
                label=rf"$\langle S_y^2\rangle$, N = {n}",
            )
        ax.set(
            xlabel=r"$\Gamma t$", ylabel=r"$\xi_R^2$ and $\langle S_y^2\rangle$", title="r = 2.5"
        )
        ax.set_xlim(1e-3, 10.0)
        bottom = float(min(data["xi2"].min(), data["variance_y"].min()))
        ax.set_ylim(bottom / 4.0, float(data["variance_y"].max()) * 3.0)
        ax.legend(loc="lower left", ncols=1, fontsize=9.0)
        sizes = data["size"]
        strong, weak = data["gap"][0], data["gap"][1]
        gaps.loglog(sizes, strong.sel(kind="maximal j"), "o", color=BLUE, ms=6, label="j = N/2")
        gaps.loglog(sizes, strong.sel(kind="all j"), "x", color=BLACK, ms=6, label="all j")
        gaps.loglog(
            sizes,
            weak.sel(kind="maximal j"),
            "o",
            mfc="none",
            color=GREY,
            ms=5,
            label=f"j = N/2, r = {WEAK}",
        )
        gaps.loglog(sizes, sizes / 2.0, "-", color=GREY, lw=1.0, label="N/2")
        gaps.set(xlabel="N", ylabel=r"$\Delta_{\min}/\Gamma$", title="gaps (inset), r = 2.5")
        gaps.set_xticks([4, 10, 20, 40, 100], ["4", "10", "20", "40", "100"])
        gaps.minorticks_off()
        gaps.set_xlim(0.85 * float(sizes[0]), 1.2 * float(sizes[-1]))
        gaps.set_ylim(1e-3, 20.0 * float(sizes[-1]))
        gaps.legend(loc="upper left", fontsize=9.0, ncols=2)
    return figure


def _claims(data: xr.Dataset) -> list[Claim]:
    sizes = data["size"].values
    even, odd = sizes % 2 == 0, sizes % 2 == 1
    r = SQUEEZING_OF_FIG_4
    every = data["gap"].sel(r=r, kind="all j").values
    top, top_weak = (data["gap"].sel(r=x, kind="maximal j").values for x in (r, WEAK))
    spread = max(float(np.ptp(every[chosen]) / every[chosen].max()) for chosen in (even, odd))
    finish = data["xi2"].values[:, -1] / data["steady_xi2"].values - 1.0
    start, end = int(np.flatnonzero(even)[0]), int(np.flatnonzero(even)[-1])
    growth = np.log(top[end] / top[end - 2]) / np.log(sizes[end] / sizes[end - 2])
    n = sizes[end]
    values = data["steady_xi2"].values
    return [
        finding(
            "macroscopic-parity",
            statement="N and N + 1 spins, all down at the start, end macroscopically different",
            place="Fig. 4(a)",
            ours=f"xi_R^2 = {values[0]:.5g} and {values[1]:.5g} for N = "
            f"{data['n_spins'].values[0]}, {data['n_spins'].values[1]}; "
            f"at Gamma t = 10 within {np.abs(finish).max():.0e}",
            holds=values[1] > 10.0 * values[0] and np.abs(finish).max() < 1e-3,
            otherwise="the curves have not parted",
        ),
        exact_claim(
            "no-slowing",
            statement="the slowest relaxation over all j does not slow with N: spread of the gap "
            "over N of one parity",
            place="Sec. III D, inset of Fig. 4(a)",
            expected=0.0,
            value=spread,
            allowed=1e-6,
            error=1e-9,
            extra=f"N = {sizes[0]} to {sizes[-1]}",
        ),
        finding(
            "at-worst-one-over-gamma",
            statement="the relaxation time to the other parity's steady state is at worst 1/Gamma",
            place="Sec. III D",
            ours=f"at r = {r}: 1/gap = {1 / every[start]:.4g}/Gamma for even N (gap = 2 exp(-2r) = "
            f"{2 * np.exp(-2 * r):.6f}, found {every[start]:.6f}, in j = 1), "
            f"{1 / every[odd][0]:.4g}/Gamma for odd N (exp(-2r)/2 = {np.exp(-2 * r) / 2:.6f}, "
            f"found {every[odd][0]:.6f}, in j = 1/2)",
            holds=every.min() >= 1.0,
            otherwise="independent of N as they say, but longer than 1/Gamma, by exp(2r)/2 for "
            "even and 2 exp(2r) for odd N",
            value=1.0 / every.min(),
            expected=1.0,
        ),
        exact_claim(
            "collective-rate",
            statement="for j = N/2 the relaxation rate is enhanced by N: N Gamma/2 where "
            f"exp(2r) << N (r = {WEAK}), up to terms of order exp(2r)/N",
            place="Sec. III D",
            expected=1.0,
            value=float(top_weak[end] / (n / 2.0)),
            allowed=float(np.exp(2 * WEAK) / n),
            error=1e-8,
            extra=f"gap/(N Gamma/2), N = {n}",
        ),
        finding(
            "collective-rate-at-r-2.5",
            statement="for j = N/2 the relaxation rate is enhanced by a factor N",
            place="Sec. III D, inset of Fig. 4(a)",
            ours=f"at r = {r}: gap/(N Gamma) = {top[start] / sizes[start]:.4f} (N = "
            f"{sizes[start]}), {top[end] / n:.4f} (N = {n}); local power of N {growth:.2f}",
            holds=abs(growth - 1.0) < 0.1,
            otherwise=f"below N ~ exp(2r) = {np.exp(2 * r):.0f} the gap is far smaller than "
            "N Gamma/2 and grows faster than N; the law is reached only beyond",
            value=growth,
            expected=1.0,
        ),
    ]


FIGURE_4A = Figure(
    name="4a",
    title="relaxation of even and odd ensembles at r = 2.5, and the gaps",
    methods=("permutation_invariant", "closed_form"),
    compute=_relaxation,
    draw=_draw,
    claims=_claims,
    settings={
        "small": {"n_spins": 200, "n_times": 81, "sizes": (4, 6, 8, 12, 16, 20, 28, 40)},
        "paper": {"n_spins": 200, "n_times": 121, "sizes": (4, 6, 8, 12, 16, 20, 28, 40, 60, 100)},
    },
)
