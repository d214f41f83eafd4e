"""D = 1 at J_z = 0 between alpha = 1 and 3: exact rings, DTWA at growing N, and the Ising limit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.exact.method import Exact
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.base import Claim, Figure, finding
from spinsqueeze.papers.perlin2020.setting import (
    CONVENTIONS,
    PAPER,
    POLARISED,
    REPHASED,
    SMALL,
    Sampling,
    base_study,
    decibel_error,
    decibels_gained,
    ising_optimum,
    ising_revival,
    oat_optimum,
    xxz_model,
    xxz_point,
)
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style
from spinsqueeze.run.study import Study

J_Z = 0.0
PLACE = "Appendix B, p. 11"
EXPONENTS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
DTWA_ERROR = 0.5
"""dB by which DTWA may differ from exact optima."""


@final
@dataclass(frozen=True)
class Chains:
    """Numbers of spins by method, exponents, and how DTWA is sampled.

    Args:
        rings: N that `Exact` and DTWA solve.
        lengths: further N, DTWA alone.
        exponents: alpha.
        sampling: trajectories and times of `lengths`.
        ring_trajectories: of the rings, where DTWA's own error is measured.
    """

    rings: tuple[int, ...]
    lengths: tuple[int, ...]
    exponents: tuple[float, ...]
    sampling: Sampling
    ring_trajectories: int


def compute(setting: Chains, points: Points) -> xr.Dataset:
    """Optima over (alpha, N): DTWA at every N, exact ones on rings, and both Ising optima."""
    lengths = (*setting.rings, *setting.lengths)
    axes = {"alpha": setting.exponents, "n": lengths}

    def chosen(alpha: float, n: int) -> Mapping[str, Any]:
        out = xxz_point((n,), exponent=alpha, j_z=J_Z, sampling=setting.sampling)
        assert out is not None
        trajectories = out["method.n_trajectories"]
        if n in setting.rings:
            trajectories = setting.ring_trajectories
        return {**out, "method.n_trajectories": trajectories}

    def on_ring(alpha: float, ring: int) -> Mapping[str, Any]:
        return {k: v for k, v in chosen(alpha, ring).items() if k != "method.n_trajectories"}

    title = "perlin2020, chains"
    study = base_study((4,), sampling=setting.sampling, title=title)
    data = scan(points, study, axes=axes, point=chosen)
    exact = Study(
        xxz_model((4,), exponent=3.0, j_z=J_Z),
        initial_state=CoherentState(POLARISED),
        times=[0.0, 1.0],
        method=Exact(),
        title=title,
    )
    rings = scan(
        points, exact, axes={"alpha": setting.exponents, "ring": setting.rings}, point=on_ring
    )
    data["exact_xi2"] = rings["optimal_xi2"]
    data["exact_time"] = rings["optimal_time"]
    for name, solve, words in (
        ("ising_xi2", ising_optimum, "first optimum of the Ising chain, exact"),
        ("revival_xi2", ising_revival, f"optimum of the Ising chain to J_z t = {REPHASED:.3g}"),
    ):
        values = [[solve((n,), exponent=a).xi2 for n in lengths] for a in setting.exponents]
        data[name] = (("alpha", "n"), values, {"units": "1", "long_name": words})
    data["oat_xi2"] = ("n", [oat_optimum(n).xi2 for n in lengths], {"units": "1"})
    data.attrs["convention"] = CONVENTIONS
    return data


def draw(data: xr.Dataset) -> Any:
    """Left: squeezing against alpha for each N, with the Ising chain; right: DTWA's error."""
    alpha, rings = data["alpha"].values, data["ring"].values
    longest = data.isel(n=-1)
    with style():
        import matplotlib

        colours = matplotlib.colormaps["viridis_r"]
        picture = new_figure(9.0, 3.9)
        left, right = picture.subplots(1, 2, width_ratios=[1.25, 1.0])
        for k, n in enumerate(data["n"].values):
            one = data.sel(n=n)
            xi2, stderr = one["optimal_xi2"].values, one["optimal_xi2_stderr"].values
            left.errorbar(
                alpha, decibels_gained(xi2), decibel_error(xi2, stderr),
                color=colours(0.1 + 0.9 * k / max(1, data.sizes["n"] - 1)), marker=".",
                linestyle=DASHES[k % len(DASHES)], label=f"DTWA, N = {n}",
            )  # fmt: skip
        for k, n in enumerate(rings):
            left.plot(
                alpha, decibels_gained(data["exact_xi2"].sel(ring=n).values), "o",
                color="black", markerfacecolor="none", markersize=5 + 2 * k, linestyle="none",
                label=f"exact, N = {n}",
            )  # fmt: skip
        for name, dash, words in (
            ("ising_xi2", "--", "Ising, first optimum"),
            ("revival_xi2", ":", f"Ising up to $J_z t={REPHASED:.3g}$"),
        ):
            level = decibels_gained(longest[name].values)
            left.plot(alpha, level, dash, color="0.45", label=f"{words}, N = {int(longest['n'])}")
        left.set_ylabel(r"$-10\log_{10}\,\xi^2_{\mathrm{opt}}$")
        left.set_ylim(bottom=0)
        left.legend(fontsize=7.5)
        for k, n in enumerate(rings):
            error, noise = dtwa_error(data, int(n))
            right.errorbar(
                alpha, error, noise, marker="osD^"[k % 4], color=PALETTE[k % len(PALETTE)],
                label=f"N = {n}",
            )  # fmt: skip
        right.axhline(0.0, color="0.5", linewidth=1.0)
        right.set_ylabel("squeezing by DTWA beyond exact [dB]")
        right.legend(fontsize=8)
        for panel in (left, right):
            panel.set_xlabel(r"$\alpha$")
        picture.suptitle(r"$D=1$, $J_z=0$")
    return picture


def dtwa_error(data: xr.Dataset, ring: int) -> tuple[Floats, Floats]:
    """Decibels gained by DTWA less the exact ones on a ring, by alpha, and their errors."""
    xi2 = data["optimal_xi2"].sel(n=ring).values
    stderr = data["optimal_xi2_stderr"].sel(n=ring).values
    exact = data["exact_xi2"].sel(ring=ring).values
    return decibels_gained(xi2) - decibels_gained(exact), decibel_error(xi2, stderr)


def claims(data: xr.Dataset) -> list[Claim]:
    """Beyond the Ising limit at J_z = 0, alpha > 1: where, at what size, by which method."""
    largest, ring = int(data["n"].max()), int(data["ring"].max())
    short = data.sel(alpha=[a for a in data["alpha"].values if a > 1])
    alphas = short["alpha"].values
    xi2 = short["optimal_xi2"].sel(n=largest).values
    gained = decibels_gained(xi2)
    noise = decibel_error(xi2, short["optimal_xi2_stderr"].sel(n=largest).values)
    on_ring = decibels_gained(short["exact_xi2"].sel(ring=ring).values)
    first = decibels_gained(short["ising_xi2"].values)
    first_on_ring = first[:, list(data["n"].values).index(ring)]
    first = first[:, list(data["n"].values).index(largest)]
    later = decibels_gained(short["revival_xi2"].sel(n=largest).values)
    exactly = on_ring - first_on_ring
    sampled = gained - first
    beyond = bool(np.all(exactly > 0) and np.all(sampled > -2 * noise))
    below = [f"{a:g}" for a, g, e in zip(alphas, gained - later, noise, strict=True) if g < -2 * e]
    errors = [np.max(np.abs(dtwa_error(short, int(n))[0])) for n in data["ring"].values]
    return [
        finding(
            "chain-beyond-ising",
            statement="in D = 1, squeezing beyond the Ising limit with J_z = 0 and alpha > 1",
            place=PLACE,
            ours=f"gain over the first optimum of the Ising chain, exact at N = {ring}: "
            f"{_by_alpha(alphas, exactly)}; DTWA at N = {largest}: {_by_alpha(alphas, sampled)} dB",
            holds=beyond,
            otherwise="not beyond the first Ising optimum at every alpha",
            value=float(exactly.min()),
        ),
        finding(
            "chain-beyond-ising-revival",
            statement="the same against the best the Ising chain does until its nearest neighbours "
            f"have turned back, J_z t = {REPHASED:.3g}",
            place=PLACE,
            ours=f"gain at N = {largest}: {_by_alpha(alphas, gained - later)} dB",
            holds=not below,
            otherwise=f"the later Ising optimum squeezes more at alpha = {', '.join(below)}",
        ),
        finding(
            "chain-dtwa-error",
            statement="DTWA gives the optimum of rings (ours: within 0.5 dB)",
            place=PLACE,
            ours="largest error: "
            + ", ".join(
                f"{e:.2f} dB at N = {n}" for n, e in zip(data["ring"].values, errors, strict=True)
            ),
            holds=max(errors) < DTWA_ERROR,
            otherwise="DTWA errs by more",
            value=float(max(errors)),
        ),
    ]


def _by_alpha(alphas: Floats, values: Floats) -> str:
    return ", ".join(
        f"{v:+.2f} (alpha = {a:g})" for a, v in zip(alphas, values, strict=True) if math.isfinite(v)
    )


CHAIN = Figure(
    name="5-chain",
    title="D = 1, J_z = 0: exact rings beside DTWA and the Ising chain, alpha from 1 to 3 (ours)",
    methods=("dtwa", "exact", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "small": Chains((12, 16), (64, 256), EXPONENTS, SMALL, 4000),
        "paper": Chains((12, 16, 20), (64, 256, 1024, 4096), EXPONENTS, PAPER, 40000),
    },
)
