"""Figure 1(a): both phases in the plane (Upsilon, chi), from mean field and from cumulants."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.closed_form.driven_dicke import driven_dicke_steady_state
from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.points import POINT, Points
from spinsqueeze.papers.tucker2020.crossing import crossing
from spinsqueeze.papers.tucker2020.mean_field import direction, drive_of, folds
from spinsqueeze.papers.tucker2020.setting import (
    CONVENTIONS,
    base_study,
    critical_drive,
    model,
    point,
    rabi,
)
from spinsqueeze.plot.style import GREY, PALETTE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

BOUNDARY = 1.0 / np.sqrt(2.0)
COLLECTIVE_TIME = 300.0
"""N Gamma t at which a run without local decay is judged."""
LONG_LIFETIMES, SETTLED = 100.0, 15.0
"""gamma_s t at which a run with local decay is judged, and at which it has settled."""
EXACT_DRIVES = tuple(round(0.02 * k, 2) for k in range(1, 63))
ROUNDS = 10
"""Each halves the bracket of a boundary."""


@final
@dataclass(frozen=True)
class Diagram:
    """Fig. 1(a).

    Args:
        n_spins: N of the cumulants: large, so that the transition is sharp.
        ratio: gamma_s/(N Gamma) with local decay: small, its limit is the paper's.
        chi: chi/Gamma of the boundaries.
        drives: Upsilon/Upsilon_c of the inversion.
        ratios: gamma_s/(N Gamma) at which the boundary is followed.
    """

    n_spins: int
    ratio: float
    chi: tuple[float, ...]
    drives: tuple[float, ...]
    ratios: tuple[float, ...]
    rounds: int = ROUNDS


def _left(n_spins: int, *, chi: float, local_decay: float, drive: float) -> float:
    """When order 2 leaves the superradiant phase; inf where it is there after a long time.

    Runs start along the collective mean-field steady state.
    """
    longest = LONG_LIFETIMES / local_decay if local_decay else COLLECTIVE_TIME / n_spins
    time = crossing(
        model(n_spins, chi=chi, drive=drive, local_decay=local_decay),
        vector=direction(chi=chi, drive=drive),
        longest=longest,
    )
    return time if time < longest else np.inf


def _inversion(
    points: Points, n_spins: int, *, local_decay: float, drives: Sequence[float]
) -> Floats:
    """<S_z>/(N/2) by order 2 where the run stays in the superradiant phase, else NaN; chi = 0."""
    out = np.full(len(drives), np.nan)
    stays = [
        k
        for k, u in enumerate(drives)
        if np.isinf(_left(n_spins, chi=0.0, local_decay=local_decay, drive=u))
    ]
    end = SETTLED / local_decay if local_decay else COLLECTIVE_TIME / n_spins
    overs = [
        point(
            n_spins,
            chi=0.0,
            drive=drives[k],
            local_decay=local_decay,
            order=2,
            times=(end / 2.0, end),
            along_steady=True,
        )
        for k in stays
    ]
    if overs:
        study = base_study(n_spins, title="tucker2020, Fig. 1(a)")
        swept = points(study, over={path: [over[path] for over in overs] for path in overs[0]})
        height = swept["spin"].sel(axis="z").transpose(POINT, ...).values
        out[stays] = height[:, -1] / (n_spins / 2.0)
    return out


def _boundaries(
    n_spins: int, *, rates: Sequence[tuple[float, float]], bracket: tuple[float, float], rounds: int
) -> tuple[Floats, Floats]:
    """Largest Upsilon/Upsilon_c of the superradiant phase at each (chi, local_decay), by bisection.

    Returns:
        The middle of each last bracket, and half its width.
    """
    middle, width = [], []
    for chi, local_decay in rates:
        low, high = bracket
        for _ in range(rounds):
            half = (low + high) / 2.0
            if np.isinf(_left(n_spins, chi=chi, local_decay=local_decay, drive=half)):
                low = half
            else:
                high = half
        middle.append((low + high) / 2.0)
        width.append((high - low) / 2.0)
    return np.array(middle), np.array(width)


def compute(setting: Diagram, points: Points) -> xr.Dataset:
    """Boundaries over chi with and without local decay, over gamma_s, and inversions."""
    n = setting.n_spins
    weak = setting.ratio * n
    find = functools.partial(_boundaries, n, rounds=setting.rounds)
    without = find(rates=[(c, 0.0) for c in setting.chi], bracket=(0.9, 1.1))
    with_decay = find(rates=[(c, weak) for c in setting.chi], bracket=(0.6, 0.8))
    against = find(rates=[(0.0, g * n) for g in setting.ratios], bracket=(0.6, 0.95))
    inversion = [_inversion(points, n, local_decay=g, drives=setting.drives) for g in (0.0, weak)]
    exact = [
        driven_dicke_steady_state(500.0, rabi=rabi(1000, chi=0.0, drive=u), decay_rate=1.0)
        for u in EXACT_DRIVES
    ]
    dims = ("regime", "chi")
    return xr.Dataset(
        {
            "boundary": curve(dims, [without[0], with_decay[0]], "Upsilon/Upsilon_c, order 2"),
            "boundary_error": curve(dims, [without[1], with_decay[1]], "half its bracket"),
            "mean_field": curve(
                dims,
                [
                    [1.0 for _ in setting.chi],
                    [folds(ratio=setting.ratio, chi=c)[1] for c in setting.chi],
                ],
                "Upsilon/Upsilon_c where the superradiant branch ends, mean field",
            ),
            "boundary_of_ratio": curve("ratio", against[0], "Upsilon/Upsilon_c, order 2, chi = 0"),
            "boundary_of_ratio_error": curve("ratio", against[1], "half its bracket"),
            "inversion": curve(("regime", "drive"), inversion, "<S_z>/(N/2) by order 2, chi = 0"),
            "exact_inversion": curve(
                "exact_drive",
                [state.spin[2] / 500.0 for state in exact],
                "<S_z>/(N/2), closed form, N = 1000, gamma_s = 0",
            ),
        },
        coords={
            "regime": ["collective", "local decay"],
            "chi": curve("chi", setting.chi, "chi", units="Gamma"),
            "drive": curve("drive", setting.drives, "Upsilon/Upsilon_c"),
            "exact_drive": curve("exact_drive", EXACT_DRIVES, "Upsilon/Upsilon_c"),
            "ratio": curve("ratio", setting.ratios, "gamma_s/(N Gamma)"),
        },
    ).assign_attrs(n_spins=n, weak_ratio=setting.ratio, convention=CONVENTIONS)


def draw(data: xr.Dataset) -> "Picture":
    """The plane of drive and exchange, the inversion, and the boundary against gamma_s."""
    blue, orange, green = PALETTE[0], PALETTE[1], PALETTE[2]
    with style():
        figure = new_figure(13.5, 4.4)
        plane, inversion, against = figure.subplots(1, 3)
        chi = np.linspace(0.0, max(1.0, float(data["chi"].max())), 101)
        outer = np.sqrt(1.0 + 4.0 * chi**2)
        plane.fill_betweenx(chi, 0.0, BOUNDARY * outer, color="#CFE4F2", lw=0)
        plane.fill_betweenx(chi, BOUNDARY * outer, outer, facecolor="#CFE4F2", hatch="//",
                            edgecolor=GREY, lw=0)  # fmt: skip
        plane.plot(outer, chi, color=blue, label=r"$\Upsilon_c$")
        plane.plot(BOUNDARY * outer, chi, "--", color=orange, label=r"$\Upsilon_c/\sqrt{2}$")
        scale = np.array([critical_drive(c) for c in data["chi"].values])
        for regime, colour, marker in (("collective", blue, "o"), ("local decay", orange, "s")):
            plane.plot(
                data["boundary"].sel(regime=regime).values * scale,
                data["chi"],
                marker,
                color=colour,
                mec="black",
                ms=6,
                label=f"cumulants, {regime}",
            )
        plane.set(xlabel=r"$\Upsilon/\Gamma$", ylabel=r"$\chi/\Gamma$", title="phases")
        plane.set_xlim(0.0, 1.25 * outer[-1])
        plane.text(0.25 * outer[-1], 0.8 * chi[-1], "superradiant", fontsize=10)
        plane.text(0.86 * outer[-1], 0.25 * chi[-1], "normal", fontsize=10)
        plane.legend(loc="lower right", fontsize=8.5, frameon=True)
        _draw_inversion(inversion, data)
        g = np.geomspace(1e-4, 0.1249, 200)
        edges = np.array([folds(ratio=x, chi=0.0) for x in g])
        against.semilogx(g, edges[:, 1], color=orange, label="superradiant ends, mean field")
        against.semilogx(g, edges[:, 0], "--", color=green, label="normal begins, mean field")
        against.plot(data["ratio"], data["boundary_of_ratio"], "s", color=orange, mec="black",
                     label="cumulants, order 2")  # fmt: skip
        against.axhline(BOUNDARY, color=GREY, ls=":", lw=1.2)
        against.set(xlabel=r"$\gamma_s/(N\Gamma)$", ylabel=r"$\Upsilon/\Upsilon_c$",
                    title=r"boundaries, $\chi = 0$")  # fmt: skip
        against.legend(fontsize=8.5)
    return figure


def _draw_inversion(panel: Any, data: xr.Dataset) -> None:
    blue, orange, black = PALETTE[0], PALETTE[1], PALETTE[6]
    u = np.linspace(0.0, 1.0, 201)
    panel.plot(u, -np.sqrt(1.0 - u**2), color=blue, label=r"$\gamma_s = 0$, mean field")
    panel.plot(data["exact_drive"], data["exact_inversion"], ":", color=black,
               label=r"$\gamma_s = 0$, exact, N = 1000")  # fmt: skip
    ratio = data.attrs["weak_ratio"]
    zeta = np.concatenate([np.geomspace(1e-7, 1e-3, 400), np.linspace(1e-3, 1.0, 4001)[1:]])
    drive = drive_of(zeta, ratio=ratio, chi=0.0)
    stable = zeta > zeta[np.argmax(np.where(zeta > 0.2, drive, 0.0))]
    panel.plot(drive[stable], -zeta[stable], "--", color=orange,
               label=r"$\gamma_s > 0$, mean field")  # fmt: skip
    panel.plot(drive[~stable], -zeta[~stable], "-.", color=orange, lw=1.0,
               label=r"$\gamma_s > 0$, unstable or normal")  # fmt: skip
    for regime, colour, marker in (("collective", blue, "o"), ("local decay", orange, "s")):
        panel.plot(data["drive"], data["inversion"].sel(regime=regime), marker, ms=5,
                   color=colour, mec="black")  # fmt: skip
    panel.set_xlim(0.0, 1.25)
    panel.set_ylim(-1.05, 0.6)
    panel.set(xlabel=r"$\Upsilon/\Upsilon_c$", ylabel=r"$\langle J_z\rangle/(N/2)$",
              title="order parameter; symbols: order 2")  # fmt: skip
    panel.legend(fontsize=8.5, loc="upper left")


def claims(data: xr.Dataset) -> list[Claim]:
    """Both boundaries, by mean field and by cumulants."""
    out = []
    shown = ", ".join(f"{c:g}" for c in data["chi"].values)
    for regime, expected, name, place in (
        ("collective", 1.0, "Upsilon_c = sqrt(Gamma^2 + 4 chi^2)", "Eq. (3)"),
        ("local decay", BOUNDARY, "Upsilon'_c = Upsilon_c/sqrt(2)", "p. 3; preprint (S10)"),
    ):
        part = data.sel(regime=regime)
        found, error = part["boundary"].values, part["boundary_error"].values
        worst = int(np.argmax(np.abs(found - expected)))
        mean_field = part["mean_field"].values
        out.append(
            finding(
                regime.replace(" ", "-") + "-boundary",
                statement=f"{name} bounds the superradiant phase",
                place=place,
                ours=f"order 2, N = {data.attrs['n_spins']:.0e}: {found.min():.4f} to "
                f"{found.max():.4f} ± {error.max():.4f} of Upsilon_c for chi/Gamma = {shown}; mean "
                f"field {mean_field.min():.5f} to {mean_field.max():.5f}",
                holds=bool(
                    np.all(np.abs(found - expected) < 0.004 + error)
                    and np.all(np.abs(mean_field - expected) < 2.0 * data.attrs["weak_ratio"])
                ),
                otherwise=f"at chi/Gamma = {data['chi'].values[worst]:g} it is {found[worst]:.4f} "
                f"instead of {expected:.4f}",
                value=float(found[worst]),
                error=float(error[worst]),
                expected=float(expected),
            )
        )
    ratios, found = data["ratio"].values, data["boundary_of_ratio"].values
    error = data["boundary_of_ratio_error"].values
    theory = np.array([folds(ratio=g, chi=0.0)[1] for g in ratios])
    off = np.abs(found - theory)
    out.append(
        finding(
            "boundary-independent-of-gamma-s",
            statement="the boundary is Upsilon_c/sqrt(2) for gamma_s != 0",
            place="p. 3",
            ours=", ".join(
                f"{u:.4f} ± {e:.4f} (mean field {t:.4f}) at gamma_s/(N Gamma) = {g:g}"
                for u, e, t, g in zip(found, error, theory, ratios, strict=True)
            ),
            holds=bool(np.all(np.abs(found - BOUNDARY) < 0.01)),
            otherwise="true for gamma_s << N Gamma only: the boundary moves up as "
            "(1 + 2 gamma_s/(N Gamma)) Upsilon_c/sqrt(2), and ends at gamma_s = N Gamma/8 (chi = "
            "0), where the transition becomes a crossover; cumulants agree with mean field within "
            f"{off.max():.4f}",
            value=float(found[-1]),
            error=float(error[-1]),
            expected=float(BOUNDARY),
        )
    )
    low, high = folds(ratio=float(ratios[-1]), chi=0.0)
    out.append(
        finding(
            "one-steady-state",
            statement="below Upsilon'_c the steady state is the superradiant one: a single phase",
            place="p. 3, preprint (S5), (S10)",
            ours=f"mean field at gamma_s/(N Gamma) = {ratios[-1]:g}: superradiant up to "
            f"{high:.4f}, normal from {low:.4f} of Upsilon_c",
            holds=bool(low > high),
            otherwise="(S10) is a fold: with terms of order gamma_s/(N Gamma) the normal phase "
            "is stable from about sqrt(8 gamma_s/(N Gamma)) Upsilon_c on, so both phases are "
            "stable in between, and the result depends on where a run starts",
            value=low,
        )
    )
    return out


FIGURE_1A = Figure(
    name="1a",
    title="phase diagram: boundaries by mean field and cumulants, order parameter",
    methods=("cumulants", "closed_form"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "tiny": Diagram(10**4, 1e-2, (0.0,), (0.4, 0.9), (0.05,), 2),
        "small": Diagram(
            10**5, 1e-3, (0.0, 0.5, 1.0), (0.2, 0.5, 0.65, 0.8, 0.95, 1.1), (0.003, 0.01, 0.03)
        ),
        "paper": Diagram(
            10**5,
            1e-4,
            (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
            tuple(round(0.05 * k, 2) for k in range(1, 25)),
            (0.001, 0.003, 0.01, 0.03, 0.05),
        ),
    },
)
