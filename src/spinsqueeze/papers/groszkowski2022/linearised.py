"""Equations (18), (C2), (C3) and (H3) beside exact steady states and cumulants. Ours."""

import contextlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding, power_law_fit
from spinsqueeze.papers.groszkowski2022.linear_theory import (
    best_kappa,
    cavity_rates,
    equation_18,
    linearised,
    squeezed_light,
)
from spinsqueeze.papers.groszkowski2022.setting import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    Platform,
    cavity_model,
    platform,
    reservoir_model,
    steady_xi2,
    with_progress,
)
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

KAPPA = 500.0
CASES = ("eta 0.2", "eta 2", "many spins")
RATIOS = (0.1, 1.0)
"""Gamma/gamma_rel of Eq. (H3), which assumes at most 1."""
ORDERS = (2, 3)


def _cases(setting: dict[str, Any]) -> list[tuple[int, float, int | None]]:
    """(N, eta_rel, order) of CASES; order None: exact."""
    few, many = setting["n_spins"], setting["many"]
    return [(few, 0.2, None), (few, 2.0, None), (many, 0.2, 3)]


def _compute(setting: dict[str, Any], points: Points) -> xr.Dataset:
    """xi2 against r at the kappa_sqz of Eq. (C6); least xi2 of Eq. (H1) over r; with dephasing."""
    r = np.linspace(0.05, setting["last_r"], setting["n_r"])
    tasks: list[tuple[str, int, int]] = [
        *(("r", a, k) for a in range(len(CASES)) for k in range(r.size)),
        *(("h", a, k) for a in range(len(RATIOS)) for k in range(len(setting["sizes"]))),
        *(("d", k, 0) for k in range(len(setting["dephasing"]))),
    ]
    ours, printed = np.full((2, len(CASES), r.size), np.nan)
    infinite = np.array([_printed(n, eta, math.inf) for n, eta, _ in _cases(setting)])
    light = np.full((1 + len(ORDERS), len(RATIOS), len(setting["sizes"])), np.nan)
    noisy = np.full((2, len(setting["dephasing"])), np.nan)
    for kind, a, k in with_progress(points, tasks):
        if kind == "r":
            n, eta, order = _cases(setting)[a]
            printed[a, k] = _printed(n, eta, float(r[k]))
            if order is None or r[k] <= setting["last_r_of_many"]:
                of = platform(KAPPA, cooperativity=eta)
                with contextlib.suppress(NumericalFailure):  # cumulants, far beyond the best r
                    ours[a, k] = _ours(n, float(r[k]), of, order)
        elif kind == "h":
            n = setting["sizes"][k]
            if n <= setting["exact_up_to"]:
                light[0, a, k] = least_over_r(n, ratio=RATIOS[a], order=None)
            for c, order in enumerate(ORDERS):
                light[1 + c, a, k] = least_over_r(n, ratio=RATIOS[a], order=order)
        else:
            noisy[:, a] = _dephased(setting["n_spins"], setting["dephasing"][a])
    return xr.Dataset(
        {
            "xi2": curve(("case", "r"), ours, "steady xi2, exact or of order 3"),
            "xi2_printed": curve(("case", "r"), printed, "steady xi2 of Eq. (C2)"),
            "xi2_infinite": curve("case", infinite, "steady xi2 of Eq. (C3)"),
            "xi2_light": curve(("way", "ratio", "size"), light, "least xi2 over r without loss"),
            "xi2_dephased": curve(
                ("noise", "dephasing"), noisy, "steady xi2, with dephasing and with more relaxation"
            ),
        },
        coords={
            "case": list(CASES),
            "r": curve("r", r, "squeezing parameter of the reservoir"),
            "way": ["exact", *(f"order {k}" for k in ORDERS)],
            "ratio": curve("ratio", list(RATIOS), "Gamma/gamma_rel"),
            "size": curve("size", list(setting["sizes"]), "number of spins"),
            "noise": ["dephasing", "substitute"],
            "dephasing": curve("dephasing", list(setting["dephasing"]), "gamma_phi/gamma_rel"),
        },
        attrs={"n_spins": setting["n_spins"], "many": setting["many"]},
    )


def _printed(n: int, eta: float, r: float) -> float:
    of = platform(KAPPA, cooperativity=eta)
    squeezed, collective = cavity_rates(best_kappa(eta * n) * KAPPA, kappa_int=KAPPA)
    return linearised(n, r=r, squeezed=squeezed, collective=collective, local=of.relaxation)


def _ours(n: int, r: float, of: Platform, order: int | None) -> float:
    """At the kappa_sqz of Eq. (C6), with gamma_rel + 2 gamma_phi."""
    cooperativity = 4.0 * n / (of.kappa_int * (of.relaxation + 2.0 * of.dephasing))
    kappa_sqz = best_kappa(cooperativity) * of.kappa_int
    return steady_xi2(cavity_model(n, r=r, kappa_sqz=kappa_sqz, of=of), order=order)


def _dephased(n: int, share: float) -> tuple[float, float]:
    """Exact xi2 with gamma_phi = share * gamma_rel, and with gamma_rel + 2 gamma_phi instead."""
    relaxation = platform(KAPPA, cooperativity=0.2).relaxation
    r = 0.5 * math.log(1.3 * (1.0 + 0.2 * n) ** 0.75)
    noisy = Platform(KAPPA, relaxation, dephasing=share * relaxation)
    substitute = Platform(KAPPA, relaxation * (1.0 + 2.0 * share))
    return _ours(n, r, noisy, None), _ours(n, r, substitute, None)


def least_over_r(n_spins: int, *, ratio: float, order: int | None) -> float:
    """Least steady xi2 of Eq. (H1) over r, where it can be found; ratio = Gamma/gamma_rel."""
    from scipy.optimize import minimize_scalar

    def log_xi2(r: float) -> float:
        model = reservoir_model(n_spins, r=r, relaxation=1.0 / ratio)
        try:
            return math.log(steady_xi2(model, order=order))
        except NumericalFailure:
            return math.inf

    top = 0.5 * math.log(0.7 * n_spins)
    least = minimize_scalar(
        log_xi2, bounds=(0.3 * top, top), method="bounded", options={"xatol": 3e-3}
    )
    return math.exp(float(least.fun))


def _draw(data: xr.Dataset) -> "Picture":
    few, many = data.attrs["n_spins"], data.attrs["many"]
    sizes = data["size"].values.astype(float)
    with style():
        figure = new_figure(11.0, 4.6)
        ax, light = figure.subplots(1, 2)
        labels = (
            rf"N = {few}, $\eta_{{rel}}$ = 0.2, exact",
            rf"N = {few}, $\eta_{{rel}}$ = 2, exact",
            rf"N = {many}, $\eta_{{rel}}$ = 0.2, order 3",
        )
        for case, colour, label in zip(CASES, (BLUE, ORANGE, GREEN), labels, strict=True):
            here = data.sel(case=case)
            ax.plot(data["r"], decibels(here["xi2"]), "-", color=colour, label=label)
            ax.plot(data["r"], decibels(here["xi2_printed"]), "--", color=colour)
        ax.plot([], [], "--", color=GREY, label="Eq. (C2)")
        ax.set(xlabel="r", ylabel=r"steady $\xi_R^2$ (dB)", ylim=(-18.0, 6.0))
        ax.set_title(r"$\kappa_{sqz} = \kappa_{int}\sqrt{1+C}$")
        ax.legend(loc="lower left", fontsize=8.5)
        for ratio, colour in zip(RATIOS, (BLUE, ORANGE), strict=True):
            for way, mark in (("exact", "o"), ("order 3", "^:"), ("order 2", "v:")):
                here = data["xi2_light"].sel(way=way, ratio=ratio).values * sizes
                label = rf"{way}, $\Gamma/\gamma_{{rel}}$ = {ratio:g}"
                light.loglog(sizes, here, mark, ms=5, lw=1.0, color=colour, label=label)
            law = [n * squeezed_light(int(n), ratio=ratio) for n in sizes]
            light.loglog(sizes, law, "--", color=colour)
        light.plot([], [], "--", color=BLACK, label="Eq. (H3)")
        light.set(xlabel="N", ylabel=r"N $\xi_R^2$, best r", ylim=(1.0, 200.0))
        light.set_title(r"no cavity loss, $\kappa_{int}$ = 0")
        light.legend(loc="upper left", fontsize=8.5, ncols=2)
    return figure


def _claims(data: xr.Dataset) -> list[Claim]:
    few, many = data.attrs["n_spins"], data.attrs["many"]
    ours, printed = data["xi2"], data["xi2_printed"]
    excess = (ours / printed - 1.0).values
    best = np.nanargmin(ours.values, axis=1)
    at_best = [float(excess[a, k]) for a, k in enumerate(best)]
    r = data["r"].values
    last = [int(np.flatnonzero(np.isfinite(row))[-1]) for row in ours.values]
    rise = [float(ours.values[a, last[a]] / ours.values[a, best[a]]) for a in range(len(CASES))]
    size = data["size"].values.astype(float)
    light = data["xi2_light"]
    powers = {
        (way, ratio): power_law_fit(size[-3:], light.sel(way=way, ratio=ratio).values[-3:])[0]
        for way in ("order 2", "order 3")
        for ratio in RATIOS
    }
    n_last = int(size[-1])
    factor = {
        ratio: light.sel(ratio=ratio).values[1:, -1] / squeezed_light(n_last, ratio=ratio)
        for ratio in RATIOS
    }
    known = np.isfinite(light.sel(way="exact", ratio=RATIOS[0]).values)
    top = int(size[known][-1])
    exact = light.sel(way="exact").values[:, known][:, -1]
    ratios = [x / squeezed_light(top, ratio=r) for x, r in zip(exact, RATIOS, strict=True)]
    off = (data["xi2_dephased"].sel(noise="dephasing") / data["xi2_dephased"][1] - 1.0).values
    share = data["dephasing"].values
    listed = ", ".join(f"{e:+.1%} at {s:.3g}" for e, s in zip(off, share, strict=True))
    eq18 = _eq_18(few)
    return [
        finding(
            "fixed-polarisation",
            statement="with <S_z> = -N/2 kept, Eq. (C2) gives the squeezing at large N and eta_rel "
            "not much above 1",
            place="Eq. (C2)",
            ours="steady xi_R^2 over Eq. (C2) at our best r: "
            + ", ".join(
                f"{1.0 + e:.3f} ({c}, r = {r[k]:.2f})"
                for e, c, k in zip(at_best, CASES, best, strict=True)
            )
            + f"; N = {few}, {few} and {many}",
            holds=bool(at_best[2] < 0.05 and at_best[2] < at_best[0]),
            otherwise="off by more than 5 % at the largest N, at its best r",
            value=at_best[2],
        ),
        finding(
            "large-r",
            statement="xi_R^2 gets smaller as r increases; so r -> infinity is taken in (18), "
            "(C3), (C5), (H3)",
            place="App. C 1",
            ours=f"xi_R^2 has a minimum in r, at {', '.join(f'{r[k]:.2f}' for k in best)}, and at "
            f"r = {', '.join(f'{r[k]:.2f}' for k in last)} is "
            f"{', '.join(f'{x:.3g}' for x in rise)} times as large ({', '.join(CASES)})",
            holds=bool(max(rise) < 1.001),
            otherwise="the mean spin, held fixed there, vanishes at large r; the printed limits "
            "are bounds that the best finite r comes near only at large C",
        ),
        finding(
            "eq-18",
            statement="Eq. (18) is (C3) for large N",
            place="Eqs. (18), (C3)",
            ours=f"Eq. (18) over (C3): {eq18[0]:.4f} at N = {few}, eta_rel = 0.2, "
            f"{eq18[1]:.6f} at N = {100 * few}",
            holds=abs(eq18[1] - 1.0) < abs(eq18[0] - 1.0) < 0.02,
            otherwise="not equal for large N",
        ),
        finding(
            "dephasing-substituted",
            statement="weak dephasing: gamma_rel -> gamma_rel + 2 gamma_phi",
            place="Sec. V, App. C 1",
            ours=f"exact xi_R^2 over that with the substitute, by gamma_phi/gamma_rel: {listed} "
            f"(N = {few}, eta_rel = 0.2)",
            holds=bool(np.all(np.abs(off[share <= 1.0 / few]) < 0.01)),
            otherwise="off by more than 1 % even for gamma_phi < gamma_rel/N",
        ),
        finding(
            "dephasing-condition",
            statement="that holds for gamma_phi up to N gamma_rel (App. C; Sec. V has "
            "gamma_phi < gamma_rel/N)",
            place="App. C 1, Sec. V",
            ours=f"the same: {listed}",
            holds=bool(np.all(np.abs(off[share <= few]) < 0.05)),
            otherwise="the substitute is off by more than 5 % well before N gamma_rel",
            value=float(np.abs(off).max()),
        ),
        finding(
            "heisenberg-power",
            statement="without cavity loss xi_R^2 ~ 1/N at fixed Gamma/gamma_rel",
            place="Eqs. (H3), (H5)",
            ours="power of N over the last three N: "
            + ", ".join(f"{p:.3f} ({w}, {x:g})" for (w, x), p in powers.items())
            + f"; N up to {n_last}",
            holds=bool(all(abs(p + 1.0) < 0.05 for p in powers.values())),
            otherwise="not yet -1 at these N, or the orders disagree",
            value=powers["order 3", RATIOS[0]],
            expected=-1.0,
        ),
        finding(
            "heisenberg-factor",
            statement="xi_R^2 = (eta + 1)/(N eta + 1), eta = Gamma/gamma_rel <= 1",
            place="Eq. (H3)",
            ours=f"least xi_R^2 over r: {ratios[0]:.2f} and {ratios[1]:.2f} times that (exact, N = "
            f"{top}, eta = {RATIOS[0]:g} and {RATIOS[1]:g}); at N = {n_last} "
            + "; ".join(
                f"{f[0]:.2f} (order 2), {f[1]:.2f} (order 3) at eta = {x:g}"
                for x, f in factor.items()
            ),
            holds=bool(max(ratios) < 1.1),
            otherwise="r -> infinity cannot be taken at <S_z> = -N/2: exp(2r) ~ N is needed for "
            "1/N, and then the mean spin is short",
            value=float(ratios[1]),
            expected=1.0,
        ),
    ]


def _eq_18(few: int) -> list[float]:
    found = []
    for n in (few, 100 * few):
        of = platform(KAPPA, cooperativity=0.2)
        squeezed, collective = cavity_rates(best_kappa(0.2 * n) * KAPPA, kappa_int=KAPPA)
        rates = {"squeezed": squeezed, "collective": collective, "local": of.relaxation}
        found.append(equation_18(n, **rates) / linearised(n, r=math.inf, **rates))
    return found


FIGURE_LINEARISED = Figure(
    name="linearised",
    title="Eqs. (18), (C2), (C3) and (H3) of the linearised theory beside exact steady states",
    methods=("permutation_invariant", "cumulants"),
    compute=_compute,
    draw=_draw,
    claims=_claims,
    settings={
        "small": {
            "n_spins": 30,
            "many": 10_000,
            "last_r": 3.0,
            "last_r_of_many": 3.0,
            "n_r": 13,
            "sizes": (10, 20, 40, 100, 300, 1_000, 3_000),
            "exact_up_to": 40,
            "dephasing": (0.0, 0.01, 0.033, 0.1, 0.3, 1.0, 3.0, 30.0),
        },
        "paper": {
            "n_spins": 60,
            "many": 10_000,
            "last_r": 3.6,
            "last_r_of_many": 3.4,
            "n_r": 36,
            "sizes": (10, 20, 40, 60, 100, 200, 500, 1_000, 2_000, 5_000, 10_000),
            "exact_up_to": 60,
            "dephasing": (0.0, 0.01, 0.0167, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0),
        },
    },
)
