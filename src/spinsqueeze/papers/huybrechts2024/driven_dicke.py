"""Figure 9: the driven Dicke model in closed form, N = 50 to 300 and beyond."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.closed_form.driven_dicke import (
    DrivenDickeState,
    driven_dicke_density_matrix,
    driven_dicke_steady_state,
)
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import fisher_information, mixed_fisher_matrix
from spinsqueeze.observables.squeezing import squeezing
from spinsqueeze.papers.base import Claim, Figure, curve, finding, power_law_fit
from spinsqueeze.papers.huybrechts2024.setting import CONVENTIONS, agreement
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import DASHES, GREY, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

STEPS = (0.02, 0.04)
"""2 Omega/Gamma of the onset."""
AGREES = 0.02
BEYOND = (PALETTE[0], PALETTE[5], PALETTE[2])
"""Colours of the larger N."""


@final
@dataclass(frozen=True)
class Sizes:
    """Fig. 9.

    Args:
        printed: N of the figure.
        beyond: larger N, ours.
        n_values: of 2 Omega/Gamma, 0 to 1.2, closer near 1.
    """

    printed: tuple[int, ...]
    beyond: tuple[int, ...]
    n_values: int


def steady(n_spins: int, drive: float) -> DrivenDickeState:
    """The exact state at drive = 2 Omega/Gamma: H = -Omega J^x, (Gamma/N) D[J^-]."""
    return driven_dicke_steady_state(
        n_spins / 2.0, rabi=drive / 2.0, decay_rate=1.0 / n_spins, phase=np.pi
    )


def across(state: DrivenDickeState) -> tuple[float, float]:
    """Variances of J^x and of J^phi', across the mean spin (0, y, z)."""
    _, y, z = state.spin
    axis = np.array([0.0, -z, y]) / np.hypot(y, z)
    return float(state.covariance[0, 0]), float(axis @ state.covariance @ axis)


def compute(setting: Sizes, _points: Points) -> xr.Dataset:
    """Closed form over the drive for every N; onset, transition and uncertainty."""
    drives = _drives(setting.n_values)
    sizes = setting.printed + setting.beyond
    states = [[steady(n, u) for u in drives] for n in sizes]
    near = [[steady(n, u) for u in STEPS] for n in sizes]
    xi2, xi2_near = (_squeezing(sizes, grid) for grid in (states, near))
    u = np.array(STEPS)
    coefficients = (1.0 - xi2_near) / u**2  # of (2 Omega/Gamma)^2: 1/2 in Eq. (70)
    both, both_near = (
        np.array([[across(s) for s in row] for row in grid]) for grid in (states, near)
    )
    lengths = np.array([[float(np.sum(s.spin**2)) for s in row] for row in near])
    excess = 4.0 * both_near[..., 0] * both_near[..., 1] / lengths - 1.0
    dims = ("n_spins", "drive")
    return xr.Dataset(
        {
            "xi2": curve(dims, xi2, "xi_R^2, exact"),
            "variance_x": curve(dims, both[..., 0], "Var(J^x)"),
            "variance_phi": curve(dims, both[..., 1], "Var(J^phi')"),
            "height": curve(
                dims,
                [[s.spin[2] / (n / 2) for s in row] for n, row in zip(sizes, states, strict=True)],
                "<J^z>/(N/2)",
            ),
            "qfi": curve(
                dims,
                [
                    [fisher(n, v) if n <= setting.printed[0] else np.nan for v in drives]
                    for n in sizes
                ],
                "quantum Fisher information over N (smallest N)",
            ),
            "second_order": curve("drive", 1.0 - drives**2 / 2.0, "xi_R^2, Eq. (70)"),
            "many_spins": curve(
                "drive", np.sqrt(np.maximum(1.0 - drives**2, 0.0)), "xi_R^2 for N -> infinity"
            ),
            # Two steps remove the next power, drive^4
            "coefficient": curve(
                "n_spins",
                (4.0 * coefficients[:, 0] - coefficients[:, 1]) / 3.0,
                "(1 - xi_R^2)/(2 Omega/Gamma)^2 at 0",
            ),
            "onset_excess": curve(("n_spins", "step"), excess, "4 Var(J^x) Var(J^phi')/<J>^2 - 1"),
            "least": curve(
                ("n_spins", "of"), [_least(n) for n in sizes], "drive and value of the least xi_R^2"
            ),
            "transition": curve(
                "n_spins", [_steepest(n) for n in sizes], "2 Omega/Gamma where <J^z> rises fastest"
            ),
        },
        coords={
            "n_spins": curve("n_spins", sizes, "number of spins"),
            "drive": curve("drive", drives, "2 Omega/Gamma"),
            "of": ["drive", "xi2"],
            "step": curve("step", STEPS, "2 Omega/Gamma of the onset"),
        },
    ).assign_attrs(n_printed=len(setting.printed), convention=CONVENTIONS)


def _drives(n_values: int) -> Floats:
    """2 Omega/Gamma up to 1.2, closer and closer below 1, where large N have their minimum."""
    third = n_values // 3
    parts = (
        np.linspace(0.0, 0.8, third, endpoint=False),
        1.0 - np.geomspace(0.2, 5e-4, third),
        np.linspace(1.0, 1.2, n_values - 2 * third),
    )
    return np.concatenate(parts)


def _least(n_spins: int) -> tuple[float, float]:
    """The drive of the least xi2 below the transition, and its value."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda u: float(_squeezing((n_spins,), [[steady(n_spins, u)]])[0, 0]),
        bounds=(0.6, 1.0),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(found.x), float(found.fun)


def _squeezing(sizes: tuple[int, ...], states: list[list[DrivenDickeState]]) -> Floats:
    rows = []
    for n, row in zip(sizes, states, strict=True):
        spin = np.array([s.spin for s in row])
        covariance = np.array([s.covariance for s in row])
        rows.append(squeezing(Moments(n_spins=n, spin=spin, covariance=covariance)).xi2)
    return np.array(rows)


def fisher(n_spins: int, drive: float) -> float:
    """Largest quantum Fisher information over N at drive = 2 Omega/Gamma; (N + 1)^3."""
    rho = driven_dicke_density_matrix(
        n_spins / 2.0, rabi=drive / 2.0, decay_rate=1.0 / n_spins, phase=np.pi
    )
    # spin_matrices count from the highest m
    matrix = mixed_fisher_matrix(rho[::-1, ::-1], generators=spin_matrices(n_spins / 2.0))
    return fisher_information(matrix) / n_spins


def _steepest(n_spins: int) -> float:
    """Where <J^z> rises fastest, by the parabola through three of 400 drives."""
    u = np.linspace(0.8, 1.2, 401)
    z = np.array([steady(n_spins, v).spin[2] for v in u])
    slope = np.diff(z)
    k = int(np.clip(np.argmax(slope), 1, len(slope) - 2))
    a, b, c = slope[k - 1 : k + 2]
    return float((u[k] + u[k + 1]) / 2.0 + (u[1] - u[0]) * (a - c) / (2.0 * (a - 2.0 * b + c)))


def draw(data: xr.Dataset) -> "Picture":
    """Fig. 9, and Var(J^x) and Var(J^phi') of the smallest N beside it."""
    black, orange, blue, pink = PALETTE[6], PALETTE[4], PALETTE[0], PALETTE[3]
    with style():
        figure = new_figure(11.0, 4.6)
        left, right = figure.subplots(1, 2)
        u, printed = data["drive"].values, data.attrs["n_printed"]
        for k, n in enumerate(data["n_spins"].values):
            look, colour, width = (
                (DASHES[k], black, 1.8) if k < printed else ("-", BEYOND[k - printed], 1.0)
            )
            left.plot(u, data["xi2"].values[k], look, color=colour, lw=width, label=f"N = {n}")
        left.plot(u, data["second_order"], "--", color=orange, label="second order, Eq. (70)")
        left.plot(u[u <= 1.0], data["many_spins"].values[u <= 1.0], ":", color=pink,
                  label=r"$\sqrt{1 - (2\Omega/\Gamma)^2}$")  # fmt: skip
        left.axvline(1.0, color=GREY, lw=0.9, ls="-.", label="mean-field transition")
        left.set(xlabel=r"$2\Omega/\Gamma$", ylabel=r"$\xi_R^2$", title="driven Dicke model")
        left.set_xlim(0.0, 1.2)
        left.set_ylim(0.0, 1.25)
        left.legend(fontsize=8.5, loc="lower left")
        n = int(data["n_spins"][0])
        right.plot(u, data["variance_x"][0] / (n / 4.0), color=blue,
                   label=r"$4\,\mathrm{Var}(J^x)/N$")  # fmt: skip
        right.plot(u, data["variance_phi"][0] / (n / 4.0), "--", color=orange,
                   label=r"$4\,\mathrm{Var}(J^{\phi\prime})/N$")  # fmt: skip
        right.plot(u, data["qfi"][0], color=black, label="QFI/N")
        right.plot(u, 1.0 / data["xi2"][0], ":", color=pink, label=r"$1/\xi_R^2$")
        right.axvline(1.0, color=GREY, lw=0.9, ls="-.")
        right.set(
            xlabel=r"$2\Omega/\Gamma$", title=f"N = {n}", ylabel="in units of a coherent state"
        )
        right.set_xlim(0.0, 1.2)
        right.set_ylim(0.0, 4.0)
        right.legend(fontsize=9, loc="upper left")
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """Quadratic onset, the squeezed component, reach, transition, minimal uncertainty."""
    sizes, u = data["n_spins"].values, data["drive"].values
    printed = data.attrs["n_printed"]
    off = np.abs(data["coefficient"].values - 0.5)
    below = (u > 0) & (u < 0.95)
    x, phi = (data[name].values[:, below] for name in ("variance_x", "variance_phi"))
    n = sizes[:, None]
    most_x, least_phi = float((x / (n / 4.0)).max()), float((phi / (n / 4.0)).min())
    half = [
        float(np.interp(0.5, u, np.abs(data["xi2"][k] - data["second_order"])))
        for k in range(len(sizes))
    ]
    reach = [
        agreement(u, data["xi2"].values[k], data["second_order"].values, allowed=AGREES)
        for k in range(len(sizes))
    ]
    least = data["least"].sel(of="xi2").values
    power, error, _ = power_law_fit(sizes.astype(float), least)
    away = np.abs(data["transition"].values - 1.0)
    excess = data["onset_excess"].values
    growth = np.log2(np.abs(excess[:, 1] / excess[:, 0]))
    chain = (data["qfi"].values[0] - 1.0 / data["xi2"].values[0])[1:]
    listed = ", ".join(f"{k}" for k in sizes)
    return [
        finding(
            "quadratic-onset",
            statement="xi_R^2 = 1 - 2 Omega^2/Gamma^2 for every N",
            place="Eq. (70), Fig. 9",
            ours=f"exact coefficient of Omega^2/Gamma^2 within {4 * off.max():.1e} of 2 for N = "
            f"{listed}",
            holds=4.0 * off.max() < 1e-4,
            otherwise="another coefficient",
            value=4.0 * float(data["coefficient"][0]),
            error=4.0 * float(off[0]),
            expected=2.0,
        ),
        finding(
            "squeezed-x",
            statement="J^x is squeezed, J^phi' anti-squeezed",
            place="Eqs. (68) to (70)",
            ours=f"below 2 Omega/Gamma = 0.95, all N: Var(J^x) <= {most_x:.4f} N/4, Var(J^phi') "
            f">= {least_phi:.4f} N/4",
            holds=most_x < 1.0 < least_phi,
            otherwise="not everywhere",
            value=most_x,
        ),
        finding(
            "half-of-the-paramagnet",
            statement="second order follows xi_R^2 over about half of the paramagnet",
            place="Sec. 7.1",
            ours=f"difference at 2 Omega/Gamma = 0.5: {min(half):.4f} to {max(half):.4f}; below "
            f"{AGREES:g} up to {min(reach):.2f} to {max(reach):.2f}",
            holds=min(reach) >= 0.5,
            otherwise=f"the difference passes {AGREES:g} before half of the paramagnet",
            value=min(reach),
            expected=0.5,
        ),
        finding(
            "decreasing-minimum",
            statement="the least xi_R^2 decreases as N increases",
            place="Fig. 9",
            ours=", ".join(f"{v:.4f} (N = {k})" for k, v in zip(sizes, least, strict=True))
            + f"; as N^({power:.3f} ± {error:.3f})",
            holds=bool(np.all(np.diff(least) < 0)),
            otherwise="not monotonic",
            value=power,
            error=error,
        ),
        finding(
            "superradiant-transition",
            statement="superradiant transition at Omega/Gamma = 1/2",
            place="Sec. 7.1",
            ours="<J^z> rises fastest at 2 Omega/Gamma = "
            + ", ".join(
                f"{v:.4f} (N = {k})" for k, v in zip(sizes, data["transition"].values, strict=True)
            ),
            holds=bool(np.all(np.diff(away) < 0) and away[-1] < 0.01),
            otherwise="not within one per cent at the largest N, or not closer for larger N",
            value=float(data["transition"][-1] / 2.0),
            error=float(away[-1] / 2.0),
            expected=0.5,
        ),
        finding(
            "minimal-uncertainty-dicke",
            statement="4 Var(J^x) Var(J^phi') = <J>^2 up to Omega^2",
            place="Eq. (71)",
            ours=f"the excess at 2 Omega/Gamma = {STEPS[0]:g} is {excess[0, 0]:.1e} at N = "
            f"{sizes[0]}, {excess[printed - 1, 0]:.1e} at N = {sizes[printed - 1]}, and grows as "
            f"Omega^{growth[0]:.3f}; QFI/N - 1/xi_R^2 from {chain.min():.1e}, at most "
            f"{chain[u[1:] < 0.5].max():.1e} below 2 Omega/Gamma = 0.5 (N = {sizes[0]})",
            holds=growth[0] > 3.9 and chain.min() > -1e-9,
            otherwise="it grows with a lower power",
            value=float(growth[0]),
        ),
    ]


_DRIVEN = (50, 100, 200, 300)

FIGURE_9 = Figure(
    name="9",
    title="driven Dicke model: xi_R^2 against 2 Omega/Gamma, exact and to second order",
    methods=("closed_form", "perturbation"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Sizes((20, 40), (300,), 25),
        "small": Sizes(_DRIVEN, (1000, 10_000), 121),
        "paper": Sizes(_DRIVEN, (1000, 10_000, 100_000), 241),
    },
)
