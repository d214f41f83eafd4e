"""Figure 6(b): the prethermal plateau of many spins by mean field, and what it errs by."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.closed_form.dark_states import shell_moments
from spinsqueeze.methods.cumulants.method import Cumulants
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant
from spinsqueeze.methods.permutation_invariant.transition_rates import (
    liouvillian_perturbation,
)
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.groszkowski2022.mean_field import MeanFieldEquations, wineland
from spinsqueeze.papers.groszkowski2022.prethermal import BOUND, DEPHASING, NOISES, RELAXATION
from spinsqueeze.papers.groszkowski2022.setting import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PINK,
    exact_claim,
    reservoir_model,
    with_progress,
)
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, new_figure, style
from spinsqueeze.run.simulate import simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

ORDERS = (2, 3, 4)
WALK = "walk between total spins"
EXACT = "exact"
MEAN_FIELD = "mean field"
RELAXED_FROM = 1.0
"""Gamma t from which the spins rest within their shells: there the walk between shells holds."""


def weak_noise_curve(
    n_spins: int, *, r: float, dephasing: float, relaxation: float, times: Floats
) -> Floats:
    """xi_R^2 (T,) at first order in the local rates: dark states of shells, populations in time.

    Exact for local rates -> 0 at fixed (rate x time), once the spins rest within each shell.

    Raises:
        NumericalFailure: the integrator gave up.
    """
    from scipy.integrate import solve_ivp

    states = shell_moments(n_spins, r=r)
    jumps: list[tuple[float, Any]] = [(2.0 * dephasing, (0.0, 0.0, 1.0))]
    jumps.append((relaxation, (1.0, -1.0j, 0.0)))
    walk = liouvillian_perturbation(
        n_spins,
        spin=[s.spin for s in states],
        deficit=[s.deficit for s in states],
        jumps=[jump for jump in jumps if jump[0] > 0.0],
    )
    matrix = walk.matrix
    start = np.zeros(len(states))
    start[-1] = 1.0
    run = solve_ivp(
        lambda _t, p: matrix @ p,
        (0.0, float(times[-1])),
        start,
        method="BDF",
        jac=matrix,
        t_eval=times,
        rtol=1e-7,
        atol=1e-12,
    )
    if not run.success:
        raise NumericalFailure(f"walk between total spins: {run.message}")
    spin_z = np.array([s.spin_z for s in states]) @ run.y
    variance = np.array([s.variance_y for s in states]) @ run.y
    return np.asarray(n_spins * variance / spin_z**2)


def _ways(setting: dict[str, Any]) -> list[str]:
    return [MEAN_FIELD, *(f"order {k}" for k in setting["orders"]), WALK, EXACT]


def _curves(setting: dict[str, Any], points: Points) -> xr.Dataset:
    """xi_R^2 against time for every noise and way; the exact one where N is small."""
    r, times = setting["r"], np.geomspace(1e-3, 1e5, setting["n_times"])
    sizes, ways = setting["n_spins"], _ways(setting)
    table = np.full((len(sizes), len(NOISES), len(ways), times.size), np.nan)
    tasks = [(a, b, c) for a in range(len(sizes)) for b in range(3) for c in range(len(ways))]
    for a, b, c in with_progress(points, tasks):
        dephasing, relaxation = list(NOISES.values())[b]
        noise = {"dephasing": dephasing, "relaxation": relaxation}
        if ways[c] == MEAN_FIELD:
            equations = MeanFieldEquations(sizes[a], r, squeezed=1.0, **noise)
            table[a, b, c] = wineland(equations.evolve(times))
        elif ways[c] == WALK:
            late = times >= RELAXED_FROM
            if dephasing:
                table[a, b, c, late] = weak_noise_curve(sizes[a], r=r, times=times[late], **noise)
            else:
                table[a, b, c, late] = shell_moments(sizes[a], r=r)[-1].xi2(sizes[a])
        elif ways[c] != EXACT or sizes[a] <= setting["exact_up_to"]:
            exact = ways[c] == EXACT
            method = PermutationInvariant(1e-9) if exact else _cumulants(ways[c])
            model = reservoir_model(sizes[a], r=r, **noise)
            run = simulate(model, CoherentState("-z"), times, method=method)
            table[a, b, c, : run.sizes["time"]] = run["xi2"].values
    return xr.Dataset(
        {"xi2": curve(("n_spins", "noise", "way", "time"), table, "Wineland parameter")},
        coords={
            "n_spins": curve("n_spins", list(sizes), "number of spins"),
            "noise": list(NOISES),
            "way": ways,
            "time": curve("time", times, "time", units="1/Gamma"),
        },
        attrs={"shown_r": r},
    )


def _cumulants(way: str) -> Cumulants:
    return Cumulants(int(way.split()[1]), next_order=False)


LOOKS = {
    "ideal": (BLUE, "no local dissipation"),
    "dephasing": (ORANGE, r"$\gamma_\phi/\Gamma$ = 0.005"),
    "both": (GREEN, r"and $\gamma_{rel}/\Gamma$ = 0.001"),
}


def _draw(data: xr.Dataset) -> "Picture":
    times, r = data["time"], data.attrs["shown_r"]
    small, large = (int(n) for n in data["n_spins"].values[[0, -1]])
    with style():
        figure = new_figure(11.0, 4.6)
        ax, off = figure.subplots(1, 2, width_ratios=(1.4, 1.0))
        for (noise, (colour, label)), line, width in zip(
            LOOKS.items(), ("-", "--", ":"), (1.8, 2.6, 2.4), strict=True
        ):
            here = decibels(data["xi2"].sel(n_spins=large, noise=noise))
            ax.semilogx(
                times, here.sel(way=MEAN_FIELD), line, color=colour, linewidth=width, label=label
            )
            walk = here.sel(way=WALK)
            ax.semilogx(times[::4], walk[::4], "x", ms=5, color=BLACK)
        ax.plot([], [], "x", ms=5, color=BLACK, label="exact, weak noise (ours)")
        steady = float(decibels(data["xi2"].sel(n_spins=large, noise="dephasing"))[0, -1])
        ax.axhline(steady, color=ORANGE, linestyle="-.", linewidth=0.9)
        ax.axhline(decibels(BOUND), color=GREY, linewidth=0.9)
        ax.text(1.3e-3, decibels(BOUND) - 0.45, "-3 dB", color=GREY, fontsize=9.0)
        ax.set(xlabel=r"$\Gamma t$", ylabel=r"$\xi_R^2$ (dB)", xlim=(1e-3, 1e5), ylim=(-9.6, 0.6))
        ax.set_title(f"mean field, N = {large}, r = {r:g} (not stated in the paper)")
        ax.legend(loc="upper center", bbox_to_anchor=(0.52, 0.9), fontsize=9.0)
        for way, colour, line in (
            (EXACT, BLACK, "-"),
            (MEAN_FIELD, BLUE, "-."),
            ("order 2", PINK, "--"),
            ("order 3", GREEN, ":"),
            (WALK, ORANGE, "x"),
        ):
            if way not in data["way"]:
                continue
            here = decibels(data["xi2"].sel(n_spins=small, noise="dephasing", way=way))
            off.semilogx(times, here, line, color=colour, ms=4, label=way)
        off.axhline(decibels(BOUND), color=GREY, linewidth=0.9)
        off.set(xlabel=r"$\Gamma t$", ylabel=r"$\xi_R^2$ (dB)", xlim=(1e-3, 1e5))
        off.set_title(f"N = {small}, " + LOOKS["dephasing"][1] + " (ours)")
        off.legend(loc="upper left", fontsize=9.0)
    return figure


def _claims(data: xr.Dataset) -> list[Claim]:
    times, r = data["time"].values, data.attrs["shown_r"]
    small, large = (int(n) for n in data["n_spins"].values[[0, -1]])
    at_one = int(np.argmin(np.abs(times - 1.0)))
    db = decibels(data["xi2"])
    many = db.sel(n_spins=large)
    field = many.sel(way=MEAN_FIELD)
    apart = float(field.sel(noise="dephasing")[at_one] - field.sel(noise="ideal")[at_one])
    walk = many.sel(way=WALK, noise="dephasing").values
    slow = many.sel(way=MEAN_FIELD, noise="dephasing").values
    start = walk[at_one]
    half = _crossing(times, walk, (start + walk[-1]) / 2.0, at_one)
    half_field = _crossing(times, slow, (slow[at_one] + slow[-1]) / 2.0, at_one)
    end = {noise: float(field.sel(noise=noise)[-1]) for noise in NOISES}
    right = {noise: float(many.sel(way=WALK, noise=noise)[-1]) for noise in NOISES}
    limit = float(decibels((1.0 + np.exp(-4.0 * r)) / 2.0))
    errors = {way: _off(many.sel(way=way), many.sel(way=WALK)) for way in data["way"].values}
    few = db.sel(n_spins=small)
    errors_few = {way: _off(few.sel(way=way), few.sel(way=EXACT)) for way in data["way"].values}
    orders = [str(way) for way in data["way"].values if str(way).startswith("order")]
    listed = ", ".join(f"{errors[way]:.3f} ({way})" for way in orders)
    listed_few = ", ".join(f"{errors_few[way]:.2f} ({way})" for way in orders)
    return [
        exact_claim(
            "transient-as-good",
            statement="the prethermal plateau is squeezed as well as the ideal steady state",
            place="Fig. 6(b), Sec. V",
            expected=0.0,
            value=apart,
            allowed=0.1,
            error=1e-5,
            extra=f"dB above the ideal {float(field.sel(noise='ideal')[at_one]):.3f} dB of mean "
            f"field at Gamma t = {times[at_one]:.2g}; the exact dark state has "
            f"{right['ideal']:.3f} dB",
        ),
        finding(
            "bound-3-db",
            statement="weak dephasing limits the steady squeezing to -3 dB",
            place="Fig. 6(b), Sec. V",
            ours=f"N = {large}, r = {r:g}: mean field {end['dephasing']:.3f} dB, exact for "
            f"dephasing -> 0 {right['dephasing']:.3f} dB ((1 + exp(-4r))/2 is {limit:.3f} dB)",
            holds=min(end["dephasing"], right["dephasing"]) > decibels(BOUND),
            otherwise="squeezed beyond -3 dB",
            value=end["dephasing"],
        ),
        finding(
            "slow-time",
            statement="the steady state is approached on a slow time ~ N/gamma_phi",
            place="Fig. 6, Sec. V",
            ours=f"half of the way in dB is lost at Gamma t = {half:.4g} = "
            f"{half * DEPHASING / large:.4f} N/gamma_phi (mean field: {half_field:.4g}); "
            f"N/(2 gamma_phi cosh^2 2r) is {large / (2 * DEPHASING * np.cosh(2 * r) ** 2):.4g}",
            holds=0.3 < half * DEPHASING / large < 3.0,
            otherwise="far above 1/Gamma, and ~ N, but with the small factor 1/(2 cosh^2 2r)",
            value=half,
            expected=large / DEPHASING,
        ),
        finding(
            "recovery",
            statement=f"gamma_rel = {RELAXATION} Gamma brings the steady state back beyond -3 dB",
            place="Fig. 6(b), Sec. V",
            ours=f"mean field {end['dephasing']:.3f} -> {end['both']:.3f} dB, exact for weak noise "
            f"{right['dephasing']:.3f} -> {right['both']:.3f} dB; without noise "
            f"{right['ideal']:.3f} dB",
            holds=right["both"] < decibels(BOUND) < right["dephasing"],
            otherwise="no recovery beyond -3 dB",
            value=end["both"],
        ),
        finding(
            "mean-field-error",
            statement=f"mean field for N = {large}, as the quantum master equation for N = {small}",
            place="caption of Fig. 6(b)",
            ours=f"largest error from Gamma t = {RELAXED_FROM:g} on at N = {large}: "
            f"{errors[MEAN_FIELD]:.3f} dB (mean field), {listed}; at N = {small}: "
            f"{errors_few[MEAN_FIELD]:.2f} dB (mean field), {listed_few}; of the weak-noise limit "
            f"taken as exact, at N = {small}: {errors_few[WALK]:.3f} dB",
            holds=bool(errors[MEAN_FIELD] < 0.5),
            otherwise="mean field errs by more than 0.5 dB at this N: use order 2 or more",
            value=errors[MEAN_FIELD],
        ),
    ]


def _off(curves: xr.DataArray, right: xr.DataArray) -> float:
    """The largest |difference| in dB over all noises, where the walk holds."""
    late = curves["time"].values >= RELAXED_FROM
    away = np.abs(curves.values - right.values)[:, late]
    return float(np.nanmax(away)) if np.isfinite(away).any() else float("nan")


def _crossing(times: Floats, values: Floats, level: float, first: int) -> float:
    """Where values rise through level, from index `first` on, on a logarithmic time axis."""
    above = np.flatnonzero(values[first:] >= level)
    if len(above) == 0 or above[0] == 0:
        return float("nan")
    k = first + int(above[0])
    share = (level - values[k - 1]) / (values[k] - values[k - 1])
    return float(times[k - 1] * (times[k] / times[k - 1]) ** share)


FIGURE_6B = Figure(
    name="6b",
    title="prethermal squeezing under weak dephasing by mean field, N = 1000",
    methods=("cumulants", "permutation_invariant", "closed_form"),
    compute=_curves,
    draw=_draw,
    claims=_claims,
    settings={
        "small": {
            "n_spins": (50, 1_000),
            "r": 1.0,
            "n_times": 81,
            "orders": (2, 3),
            "exact_up_to": 50,
        },
        "paper": {
            "n_spins": (50, 1_000),
            "r": 1.0,
            "n_times": 161,
            "orders": ORDERS,
            "exact_up_to": 50,
        },
    },
)
