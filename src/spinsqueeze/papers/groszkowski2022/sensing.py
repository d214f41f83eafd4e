"""Figure 4(b): single spins leave, and the parity of those left swings <S_y^2>."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsqueeze.methods.closed_form.dark_states import steady_moments
from spinsqueeze.methods.permutation_invariant.loss import evolve_with_losses
from spinsqueeze.numerics.block_states import coherent_state
from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.groszkowski2022.setting import (
    BLACK,
    BLUE,
    SQUEEZING_OF_FIG_4,
    exact_claim,
    reservoir_generator,
)
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

SEED = 2022


def _losses(setting: dict[str, Any], points: Points) -> xr.Dataset:
    """<S_y^2> against time, with one random spin removed at every loss time."""
    n = setting["n_spins"]
    rng = np.random.default_rng(SEED)
    gaps = setting["mean_gap"] * (0.5 + rng.exponential(0.5, size=setting["n_losses"] + 1))
    events = np.cumsum(gaps)
    loss_times, end = events[:-1], float(events[-1])
    early = np.geomspace(1e-3, 0.1, 25) * setting["mean_gap"]
    parts = [np.linspace(0.0, end, 201)]
    for start in (0.0, *loss_times):
        parts += [start + early]
    parts.append(loss_times - 1e-9)
    times = np.unique(np.concatenate(parts))
    times = times[times <= end]
    run = evolve_with_losses(
        lambda left: reservoir_generator(left, r=SQUEEZING_OF_FIG_4),
        n_spins=n,
        state=coherent_state(n, direction=(0.0, 0.0, -1.0)),
        times=times,
        loss_times=loss_times,
    )
    before = np.searchsorted(times, events - 1e-9)
    plateau = run.covariance[np.minimum(before, times.size - 1), 1, 1]
    left = n - np.arange(setting["n_losses"] + 1)
    laws = _laws(setting["law_n_spins"])
    data = xr.Dataset(
        {
            "variance_y": curve("time", run.covariance[:, 1, 1], "<S_y^2>"),
            "spins_left": curve("time", run.n_spins, "number of spins left"),
            "plateau": curve("stretch", plateau, "<S_y^2> at the end of each stretch"),
            "steady": curve(
                "stretch",
                [steady_moments(k / 2, r=SQUEEZING_OF_FIG_4).variance_y for k in left],
                "steady <S_y^2> of j = N/2 with the spins left",
            ),
            **laws,
        },
        coords={
            "time": curve("time", times, "time", units="1/Gamma"),
            "loss_time": curve("loss_time", loss_times, "times of the losses", units="1/Gamma"),
            "stretch": curve("stretch", left, "number of spins left in each stretch"),
        },
        attrs={"law_n_spins": setting["law_n_spins"], "seed": SEED},
    )
    if points.progress is not None:
        points.progress(1.0)
    return data


def _laws(n_even: int) -> dict[str, Any]:
    """Plateaus of a larger ensemble against r, over the laws of the limit of strong squeezing."""
    strengths = np.array([2.5, 3.0, 4.0, 5.0, 6.0, 8.0])
    even = np.array([steady_moments(n_even / 2, r=r).variance_y for r in strengths])
    odd = np.array([steady_moments((n_even + 1) / 2, r=r).variance_y for r in strengths])
    return {
        "law_r": curve("strength", strengths, "squeezing parameter of the reservoir"),
        "law_even": curve(
            "strength", even / (n_even**2 * np.exp(-4 * strengths) / 8), "<S_y^2> 8 exp(4r)/N^2"
        ),
        "law_odd": curve("strength", odd / ((n_even + 1) / np.pi**2), "<S_y^2> pi^2/N"),
    }


def _draw(data: xr.Dataset) -> "Picture":
    with style():
        figure = new_figure(7.4, 4.6)
        ax = figure.subplots()
        ax.semilogy(data["time"], data["variance_y"], color=BLUE, label=r"$\langle S_y^2\rangle$")
        edges = [0.0, *data["loss_time"].values, float(data["time"][-1])]
        for k, (first, last) in enumerate(itertools.pairwise(edges)):
            level = float(data["steady"][k])
            ax.plot(
                [first, last],
                [level, level],
                ":",
                color=GREY,
                label="steady state of the spins left, maximal j" if k == 0 else None,
            )
        top = float(data["variance_y"].max())
        ax.plot(
            data["loss_time"],
            np.full(data["loss_time"].size, top * 2.2),
            "v",
            color=BLACK,
            label="a random spin leaves",
            clip_on=False,
        )
        n = int(data["stretch"][0])
        ax.set(xlabel=r"$\Gamma t$", ylabel=r"$\langle S_y^2\rangle$", xlim=(0, edges[-1]))
        ax.set_ylim(float(data["variance_y"].min()) / 12.0, top * 3.0)
        ax.set_title(f"r = 2.5, {n} spins at the start")
        ax.legend(loc="lower left", fontsize=9.0, ncols=3)
    return figure


def _claims(data: xr.Dataset) -> list[Claim]:
    plateau = data["plateau"].values
    left = data["stretch"].values
    even = left % 2 == 0
    swing = float(plateau[~even].min() / plateau[even].max())
    ideal = data["steady"].values
    swing_ideal = float(ideal[~even].min() / ideal[even].max())
    n = data.attrs["law_n_spins"]
    law_even, law_odd = data["law_even"].values, data["law_odd"].values
    return [
        finding(
            "swing-after-each-loss",
            statement="each loss of a single spin swings <S_y^2> dramatically",
            place="Fig. 4(b)",
            ours=f"least odd plateau over largest even one: {swing:.3g} ({left[0]} to "
            f"{left[-1]} spins; {swing_ideal:.3g} if every stretch ended in the maximal j)",
            holds=swing > 10.0,
            otherwise="the plateaus of the two parities do not part by a factor of 10",
            value=swing,
        ),
        exact_claim(
            "even-law",
            statement="even N, large r: <S_y^2> vanishes like N^2 exp(-4r)/8 (up to terms of "
            "order 1/N): ratio at exp(2r) >> N",
            place="Sec. III D",
            expected=1.0,
            value=float(law_even[-1]),
            allowed=2.5 / n,
            error=1e-10,
            extra=f"N = {n}, r = 8: exactly (N + 2)/N = {(n + 2) / n:.4f}; at r = 2.5 of the "
            f"figure it is {law_even[0]:.3f}",
        ),
        exact_claim(
            "odd-law",
            statement="odd N, large r: <S_y^2> converges to N/pi^2 (up to terms of order 1/N): "
            "ratio at exp(2r) >> N",
            place="Sec. III D",
            expected=1.0,
            value=float(law_odd[-1]),
            allowed=2.0 / n,
            error=1e-10,
            extra=f"N = {n + 1}, r = 8; at r = 2.5 of the figure it is {law_odd[0]:.3f}, since "
            f"exp(2r) = 148 is below N",
        ),
    ]


FIGURE_4B = Figure(
    name="4b",
    title="<S_y^2> while single spins leave at random times, r = 2.5",
    methods=("permutation_invariant",),
    compute=_losses,
    draw=_draw,
    claims=_claims,
    settings={
        "small": {"n_spins": 100, "mean_gap": 2.0, "n_losses": 6, "law_n_spins": 200},
        "paper": {"n_spins": 200, "mean_gap": 1.0, "n_losses": 6, "law_n_spins": 200},
    },
)
