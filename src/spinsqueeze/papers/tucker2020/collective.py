"""Figures 1(c), 1(d): squeezing without local decay around Upsilon_c, and on the sphere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.closed_form.driven_dicke import driven_dicke_steady_state
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.observables.sphere import husimi
from spinsqueeze.papers.base import Claim, Figure, curve, decibels, finding
from spinsqueeze.papers.points import POINT, Points
from spinsqueeze.papers.tucker2020.beside import DECIBELS_PER_E, Case, by_trajectories, draw_levels
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    passing,
    point,
    rabi,
    trajectory_study,
)
from spinsqueeze.papers.tucker2020.transients import collective_xi2
from spinsqueeze.plot.sphere import sphere
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

POINTS = ("i", "ii", "iii")
SETTLED = 60.0
"""N Gamma t at which a run without local decay has settled."""


@final
@dataclass(frozen=True)
class Collective:
    """N, chi/Gamma, Upsilon/Upsilon_c of the points (i) to (iii), trajectories, times."""

    n_spins: int
    chi: float
    drives: tuple[float, float, float]
    n_trajectories: int
    n_times: int


def compute(setting: Collective, points: Points) -> xr.Dataset:
    """xi2 against time from -x at the three points, and in the exact steady state."""
    n = setting.n_spins
    data = by_trajectories(
        points,
        n,
        [Case(setting.chi, drive, 0.0, SETTLED / n) for drive in setting.drives],
        title="tucker2020, Fig. 1(c)",
        n_trajectories=setting.n_trajectories,
        n_times=setting.n_times,
    )
    steady = [collective_xi2(n, chi=setting.chi, drive=drive) for drive in setting.drives]
    data["steady_xi2"] = curve("case", steady, "xi2 of the exact steady state")
    return data


def draw(data: xr.Dataset) -> "Picture":
    """Three graphs, one above the other, with the exact steady state."""
    with style():
        figure = new_figure(5.4, 6.4)
        panels = figure.subplots(3, 1, sharex=True)
        for k, panel in enumerate(panels):
            row, colour = data.isel(case=k), PALETTE[k]
            draw_levels(panel, row, color=colour)
            steady = float(decibels(row["steady_xi2"]))
            if steady < 6.0:
                panel.axhline(steady, color="black", ls=":", lw=1.4, label="exact steady state")
                panel.legend(loc="upper right")
            panel.axhline(0.0, color="black", lw=0.7)
            panel.set_ylim(-5.0, 6.0 if steady >= 6.0 else 2.0)
            panel.set_ylabel(r"$\xi^2$ (dB)")
            panel.text(
                0.02,
                0.9,
                rf"({POINTS[k]}) $\Upsilon/\Upsilon_c$ = {float(row['drive']):g}",
                transform=panel.transAxes,
                va="top",
            )
        panels[-1].set_xlabel(r"$\Gamma t$")
        panels[0].set_title(
            rf"$N$ = {data.attrs['n_spins']}, $\chi/\Gamma$ = {float(data['chi'][0]):g}, "
            r"$\gamma_s$ = 0"
        )
    return figure


def claims(data: xr.Dataset) -> list[Claim]:
    """What the text says of Fig. 1(c)."""
    levels = decibels(data["xi2"].values)
    errors = DECIBELS_PER_E * data["xi2_stderr"].values / data["xi2"].values
    steady, drives = decibels(data["steady_xi2"].values), data["drive"].values
    last, last_error = levels[:2, -1], errors[:2, -1]
    times, above = data["times"].values[2], data["xi2"].values[2]
    low = int(np.nanargmin(above))
    n = data.attrs["n_spins"]
    lost = passing(times, above, level=1.0, start=low)
    later = float(np.nanmin(levels[2, times > 1.2 * lost], initial=np.inf))
    return [
        finding(
            "squeezed-below",
            statement="approaching Upsilon_c from below the system relaxes into an increasingly "
            "squeezed state",
            place="Fig. 1(c), p. 2",
            ours="; ".join(
                f"{v:.4f} ± {e:.0e} dB at N Gamma t = {SETTLED:g}, "
                f"{s:.4f} dB in the exact steady state ({u:g} Upsilon_c)"
                for v, e, s, u in zip(last, last_error, steady, drives, strict=False)
            ),
            holds=bool(
                last[1] < last[0] < 0.0
                and np.all(np.abs(last - steady[:2]) < 0.05 + 3.0 * last_error)
            ),
            otherwise="the runs do not end in the exact steady state, or it is not squeezed more",
            value=last[1],
            error=last_error[1],
            expected=steady[1],
        ),
        finding(
            "lost-above",
            statement="for Upsilon > Upsilon_c squeezing is lost beyond an early transient",
            place="Fig. 1(c), p. 2",
            ours=f"{levels[2, low]:.2f} ± {errors[2, low]:.2f} dB at N Gamma t = "
            f"{n * times[low]:.1f}, lost from {n * lost:.1f} on, at least "
            f"{later:+.1f} dB later; exact steady state {steady[2]:+.1f} dB ({drives[2]:g} "
            "Upsilon_c)",
            holds=bool(above[low] < 1.0 < data["steady_xi2"].values[2] and later > 0.0),
            otherwise="squeezing is not lost, or there is none",
            value=levels[2, low],
            error=errors[2, low],
        ),
    ]


@final
@dataclass(frozen=True)
class Ball:
    """Fig. 1(d).

    Args:
        n_spins: N of paths and deviations.
        n_illustrated: N of the distribution, small enough to be seen.
        chi: chi/Gamma.
        drives: Upsilon/Upsilon_c of the deviations; the last one is that of the sphere.
        grid: numbers of polar angles and of azimuths.
        chis: chi/Gamma at which the direction of squeezing is asked for.
        n_trajectories: of the path.
        n_times: of the path.
    """

    n_spins: int
    n_illustrated: int
    chi: float
    drives: tuple[float, ...]
    grid: tuple[int, int]
    chis: tuple[float, ...]
    n_trajectories: int
    n_times: int


def steady_matrix(n_spins: int, *, chi: float, drive: float) -> Complexes:
    """Density matrix (N + 1, N + 1) of the collective steady state, (L^dag L)^{-1}/Z; m = j first.

    L = S_minus + b of `driven_dicke` has one diagonal and the one below, so that its inverse has
    small relative errors in every element although L is nearly singular below Upsilon_c.
    """
    from scipy.linalg import solve_triangular

    j = n_spins / 2.0
    state = driven_dicke_steady_state(
        j, rabi=rabi(n_spins, chi=chi, drive=drive), decay_rate=1.0, chi=chi
    )
    x, y, _ = spin_matrices(j)
    jump = x - 1j * y + state.amplitude * np.eye(n_spins + 1)
    inverse = solve_triangular(jump, np.eye(n_spins + 1, dtype=complex), lower=True)
    inverse /= np.abs(inverse).max()
    rho = inverse @ inverse.conj().T
    normalised: Complexes = rho / np.trace(rho).real
    return normalised


def squeezed_axis(n_spins: int, *, chi: float, drive: float) -> tuple[float, float]:
    """Angle in degrees of the least variance from the azimuthal direction, and xi2, at rest."""
    state = driven_dicke_steady_state(
        n_spins / 2.0, rabi=rabi(n_spins, chi=chi, drive=drive), decay_rate=1.0, chi=chi
    )
    azimuthal, polar = _tangents(state.spin)
    plane = np.stack([azimuthal, polar])
    values, vectors = np.linalg.eigh(plane @ state.covariance @ plane.T)
    angle = np.degrees(np.arctan2(abs(vectors[1, 0]), abs(vectors[0, 0])))
    return float(angle), float(n_spins * values[0] / (state.spin @ state.spin))


def _tangents(spin: Floats) -> tuple[Floats, Floats]:
    """Unit vectors of growing azimuth and of growing polar angle at the direction of a spin."""
    unit = spin / np.linalg.norm(spin)
    azimuthal = np.array([-unit[1], unit[0], 0.0]) / np.hypot(unit[0], unit[1])
    return azimuthal, np.cross(azimuthal, unit)


def compute_ball(setting: Ball, points: Points) -> xr.Dataset:
    """Husimi function of the steady state, paths of the mean spin, and deviations at rest."""
    n, drive = setting.n_spins, setting.drives[-1]
    study = trajectory_study(
        n, title="tucker2020, Fig. 1(d)", n_trajectories=setting.n_trajectories, kept=1
    )
    case = Case(setting.chi, drive, 0.0, SETTLED / n)
    paths = point(
        n, chi=setting.chi, drive=drive, local_decay=0.0, times=case.times(setting.n_times)
    )
    swept = points(study, over={key: [value] for key, value in paths.items()}).isel({POINT: 0})
    theta = np.linspace(0.0, np.pi, setting.grid[0])
    phi = np.linspace(-np.pi, np.pi, setting.grid[1])
    rho = steady_matrix(setting.n_illustrated, chi=setting.chi, drive=drive)
    plane = []
    for u in setting.drives:
        state = driven_dicke_steady_state(
            n / 2.0, rabi=rabi(n, chi=setting.chi, drive=u), decay_rate=1.0, chi=setting.chi
        )
        basis = np.stack(_tangents(state.spin))
        plane.append(basis @ state.covariance @ basis.T * n / (state.spin @ state.spin))
    axes = [[squeezed_axis(n, chi=chi, drive=u) for chi in setting.chis] for u in setting.drives]
    single = swept["trajectory_spin"].isel(trajectory=0).transpose("time", "axis").values
    return xr.Dataset(
        {
            "husimi": curve(("theta", "phi"), husimi(rho, theta=theta, phi=phi), "Husimi density"),
            "path": curve(
                ("step", "axis"),
                swept["spin"].transpose("time", "axis").values / (n / 2.0),
                "mean spin over N/2 from -x, average of trajectories",
            ),
            "single_path": curve(
                ("step", "axis"), single / (n / 2.0), "mean spin over N/2 of one trajectory"
            ),
            "deviations": curve(
                ("drive", "tangent", "tangent_2"),
                plane,
                "covariance across the mean spin over |<S>|^2/N: xi2 in each direction",
            ),
            "angle": curve(
                ("drive", "chi"),
                [[angle for angle, _ in row] for row in axes],
                "least variance from the azimuthal direction",
                units="degrees",
            ),
            "least_xi2": curve(("drive", "chi"), [[x for _, x in row] for row in axes], "its xi2"),
        },
        coords={
            "theta": curve("theta", theta, "polar angle", units="rad"),
            "phi": curve("phi", phi, "azimuth", units="rad"),
            "axis": ["x", "y", "z"],
            "tangent": ["azimuthal", "polar"],
            "tangent_2": ["azimuthal", "polar"],
            "drive": curve("drive", setting.drives, "Upsilon/Upsilon_c"),
            "chi": curve("chi", setting.chis, "chi", units="Gamma"),
        },
        attrs={k: v for k, v in swept.attrs.items() if k not in ("study", "title")},
    ).assign_attrs(
        n_spins=n,
        n_illustrated=setting.n_illustrated,
        shown_chi=setting.chi,
        convention=CONVENTIONS,
    )


def draw_ball(data: xr.Dataset) -> "Picture":
    """The distribution on the sphere with the path to it; deviations across the mean spin."""
    end = data["path"].values[-1]
    eye = end / np.linalg.norm(end) + np.array([-0.9, 0.0, 0.35])
    eye /= np.linalg.norm(eye)
    right = np.cross([0.0, 0.0, 1.0], eye)
    right /= np.linalg.norm(right)
    up = np.cross(eye, right)
    with style():
        figure = new_figure(10.4, 4.6)
        ball, plane = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
        sphere(data["husimi"].values, data["theta"].values, data["phi"].values, ax=ball, view=eye,
               label=f"Husimi density, N = {data.attrs['n_illustrated']}")  # fmt: skip
        for name, colour, width, label in (
            ("path", "#FFFFFF", 2.2, f"mean spin, N = {data.attrs['n_spins']}"),
            ("single_path", PALETTE[4], 1.2, "one trajectory"),
        ):
            path = data[name].values
            ball.plot(path @ right, path @ up, color=colour, lw=width, label=label, zorder=5)
        ball.legend(loc="lower center", fontsize=9, ncols=2, frameon=True, facecolor="#777777",
                    labelcolor="white", bbox_to_anchor=(0.5, -0.08))  # fmt: skip
        drive = float(data["drive"][-1])
        ball.set_title(
            rf"$\chi/\Gamma$ = {data.attrs['shown_chi']:g}, $\Upsilon/\Upsilon_c$ = {drive:g}"
        )
        _draw_plane(plane, data)
    return figure


def _draw_plane(panel: Any, data: xr.Dataset) -> None:
    turn = np.linspace(0.0, 2.0 * np.pi, 241)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    panel.plot(*circle, color="black", lw=1.0, label="coherent state")
    for k, drive in enumerate(data["drive"].values):
        root = np.linalg.cholesky(data["deviations"].values[k])
        panel.plot(*(root @ circle), DASHES[k % 4], color=PALETTE[k],
                   label=rf"$\Upsilon/\Upsilon_c$ = {drive:g}")  # fmt: skip
    panel.set(aspect="equal", xlabel=r"azimuthal deviation ($|\langle J\rangle|/\sqrt{N}$)",
              ylabel=r"polar deviation ($|\langle J\rangle|/\sqrt{N}$)",
              title=f"steady states, N = {data.attrs['n_spins']}")  # fmt: skip
    panel.set_xlim(-2.0, 2.0)
    panel.set_ylim(-1.8, 2.4)
    panel.legend(loc="upper center", fontsize=8.5, ncols=2)


def claims_ball(data: xr.Dataset) -> list[Claim]:
    """Where the squeezing points."""
    angles, chis = data["angle"].values, data["chi"].values
    small = chis < 1.0
    spins = data["path"].values[-1]
    return [
        finding(
            "squeezed-along-x",
            statement="drive and collective emission squeeze along x (chi = 0)",
            place="Fig. 1, caption",
            ours=f"the mean spin turns from -x to ({spins[0]:.3f}, {spins[1]:.3f}, {spins[2]:.3f}) "
            f"N/2; the least variance of the exact steady state is {angles[-1, 0]:.1e} degrees "
            "from the azimuthal direction, here x",
            holds=bool(abs(angles[-1, 0]) < 1.0 and abs(spins[0]) < 0.05),
            otherwise="the least variance lies elsewhere",
            value=angles[-1, 0],
            expected=0.0,
        ),
        finding(
            "squeezed-azimuthally",
            statement="the squeezing is predominantly azimuthal for small chi/Gamma < 1",
            place="p. 2, Fig. 1(d)",
            ours=f"exact steady states at chi/Gamma = {', '.join(f'{c:g}' for c in chis)}: within "
            f"{np.max(angles):.1e} degrees at every chi, since exchange only turns the drive",
            holds=bool(np.all(angles[:, small] < 10.0)),
            otherwise="it turns away from the azimuthal direction",
            value=float(np.max(angles)),
            expected=0.0,
        ),
    ]


DRIVES = (0.5, 0.9, 1.1)
FIGURE_1C = Figure(
    name="1c",
    title="xi2 against time without local decay, below and above Upsilon_c",
    methods=("trajectories", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Collective(60, 0.0, DRIVES, 12, 31),
        "small": Collective(2000, 0.0, DRIVES, 100, 101),
        "paper": Collective(2000, 0.0, DRIVES, 500, 201),
    },
)
FIGURE_1D = Figure(
    name="1d",
    title="the squeezed steady state on the Bloch sphere, and the way there from -x",
    methods=("trajectories", "closed_form"),
    compute=compute_ball,
    draw=draw_ball,
    claims=claims_ball,
    settings={
        "tiny": Ball(60, 20, 0.0, (0.5, 0.9), (41, 81), (0.0, 0.5), 4, 21),
        "small": Ball(2000, 60, 0.0, (0.5, 0.9), (181, 361), (0.0, 0.25, 0.5, 1.0, 2.0), 20, 201),
        "paper": Ball(2000, 60, 0.0, (0.5, 0.9), (361, 721), (0.0, 0.25, 0.5, 1.0, 2.0), 100, 201),
    },
)
