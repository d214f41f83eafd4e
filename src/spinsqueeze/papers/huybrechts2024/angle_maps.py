"""Figures 4 and 7: the squeezed direction over the plane of couplings, first order and exact."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.cumulants.method import MeanField
from spinsqueeze.papers.base import Claim, Figure, curve, finding
from spinsqueeze.papers.huybrechts2024.setting import (
    CONVENTIONS,
    J_Z,
    angle_distance,
    critical_coupling,
    exact_ising,
    exact_xyz,
    first_order_angle,
    ising_alpha_beta,
    ising_model,
    ising_paramagnetic,
    xyz_alpha_beta,
    xyz_model,
    xyz_paramagnetic,
)
from spinsqueeze.papers.points import FAILED, Points
from spinsqueeze.plot.style import MISSING, PALETTE, new_figure, style
from spinsqueeze.run.branches import branches

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

MANY = 10**6
"""N of the mean-field branches."""
TICKS = ["0 (x)", r"$\pi/4$", r"$\pi/2$ (y)", r"$3\pi/4$", r"$\pi$ (x)"]


@final
@dataclass(frozen=True)
class Plane:
    """One map.

    Args:
        n_spins: N.
        n_values: along either axis, odd: the middle lies on the U(1) lines.
        checked: values of the first axis at which mean-field branches are followed.
    """

    n_spins: int
    n_values: int
    checked: tuple[float, ...] = ()


@final
@dataclass(frozen=True)
class Kind:
    """What tells the XYZ map from the Ising map.

    Args:
        axes: names and labels of the horizontal and the vertical axis.
        centre: of both axes.
        half_width: of both axes, in gamma.
        predicted: (N, horizontal, vertical) -> alpha, beta.
        exchange: (N, horizontal) -> what beta gains where exchange in H_1 is taken into H_0.
        paramagnetic: (horizontal, vertical) -> whether mean field has a stable paramagnet.
        exact: (points, N, horizontal (P,), vertical (P,)) -> exact steady states.
        mirrored: (angle at the mirror image) -> angle here; the mirror is `image`.
        image: (horizontal, vertical) -> the point of the same angle up to `mirrored`.
    """

    axes: tuple[tuple[str, str], tuple[str, str]]
    centre: tuple[float, float]
    half_width: float
    predicted: Callable[..., tuple[Any, Any]]
    exchange: Callable[..., Any]
    paramagnetic: Callable[..., Any]
    exact: Callable[..., xr.Dataset]
    mirrored: Callable[[Any], Any]
    image: Callable[..., tuple[Any, Any]]


XYZ = Kind(
    axes=(("j_x", r"$\mathcal{J}_x/\gamma$"), ("j_y", r"$\mathcal{J}_y/\gamma$")),
    centre=(J_Z, J_Z),
    half_width=5.0,
    predicted=lambda n, x, y: xyz_alpha_beta(n, mean=(x + y) / 2.0, difference=(x - y) / 2.0),
    exchange=lambda _n, x: np.zeros_like(x),
    paramagnetic=xyz_paramagnetic,
    exact=lambda points, n, x, y: exact_xyz(points, n, j_x=x, j_y=y),
    mirrored=lambda angle: np.mod(angle + np.pi / 2.0, np.pi),  # a quarter turn about z
    image=lambda x, y: (y, x),
)
ISING = Kind(
    axes=(("j_x", r"$\mathcal{J}_x/\gamma$"), ("field", r"$\Delta/\gamma$")),
    centre=(0.0, 0.0),
    half_width=8.0,
    predicted=lambda n, x, y: ising_alpha_beta(n, j_x=x, field=y),
    exchange=lambda n, x: xyz_alpha_beta(n, mean=x / 2.0, difference=0.0, j_z=0.0)[1],
    paramagnetic=ising_paramagnetic,
    exact=lambda points, n, x, y: exact_ising(points, n, j_x=x, field=y),
    mirrored=lambda angle: np.mod(-angle, np.pi),  # H -> -H: the complex conjugate state
    image=lambda x, y: (-x, -y),
)


def plane(kind: Kind, n_values: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Both axes (n,), and the horizontal and vertical values (n, n), vertical first."""
    offsets = np.linspace(-kind.half_width, kind.half_width, n_values)
    x, y = kind.centre[0] + offsets, kind.centre[1] + offsets
    across, up = np.meshgrid(x, y)
    return x, y, across, up


def exact_angles(
    kind: Kind, points: Points, n_spins: int, n_values: int
) -> tuple[Floats, dict[str, Any]]:
    """Exact angle (n, n), half of it by the mirror, and the attributes of the runs.

    NaN where the state is round: on the lines of U(1) symmetry.
    """
    _, _, across, up = plane(kind, n_values)
    alpha, _ = kind.predicted(n_spins, across, up)
    x, y = across[alpha > 1e-9], up[alpha > 1e-9]
    found = kind.exact(points, n_spins, x, y)
    # Rounded, so that both of a pair have one key
    keys = zip(np.round(x, 9).tolist(), np.round(y, 9).tolist(), strict=True)
    angles = dict(zip(keys, found["angle"].values.tolist(), strict=True))
    angle = np.full(across.shape, np.nan)
    for index in np.ndindex(angle.shape):
        here = (across[index], up[index])
        if abs(alpha[index]) <= 1e-9:
            continue
        a, b = here if alpha[index] > 0 else kind.image(*here)
        value = angles[round(float(a), 9), round(float(b), 9)]
        angle[index] = value if alpha[index] > 0 else kind.mirrored(value)
    return angle, {k: v for k, v in found.attrs.items() if k == FAILED}


def _dataset(kind: Kind, setting: Plane, angle: Floats, name: str) -> xr.Dataset:
    x, y, across, up = plane(kind, setting.n_values)
    alpha, beta = kind.predicted(setting.n_spins, across, up)
    (first, _), (second, _) = kind.axes
    dims = (second, first)
    return xr.Dataset(
        {
            "angle": curve(dims, angle, name, units="rad"),
            "predicted": curve(dims, first_order_angle(alpha, beta), "first order", units="rad"),
            "exchange_kept": curve(
                dims,
                first_order_angle(alpha, beta + kind.exchange(setting.n_spins, across)),
                "first order, exchange in H_0",
                units="rad",
            ),
            "alpha": curve(dims, alpha, "alpha", units="gamma"),
            "beta": curve(dims, beta, "beta", units="gamma"),
            "paramagnetic": curve(
                dims, kind.paramagnetic(across, up), "whether mean field has a stable paramagnet"
            ),
        },
        coords={
            first: curve(first, x, first, units="gamma"),
            second: curve(second, y, second, units="gamma"),
        },
    ).assign_attrs(n_spins=setting.n_spins, convention=CONVENTIONS)


def _first_order(kind: Kind) -> Callable[[Plane, Points], xr.Dataset]:
    def compute(setting: Plane, _points: Points) -> xr.Dataset:
        _, _, across, up = plane(kind, setting.n_values)
        angle = first_order_angle(*kind.predicted(setting.n_spins, across, up))
        return _dataset(kind, setting, angle, "angle of least variance, first order")

    return compute


def _exact(kind: Kind) -> Callable[[Plane, Points], xr.Dataset]:
    def compute(setting: Plane, points: Points) -> xr.Dataset:
        angle, attributes = exact_angles(kind, points, setting.n_spins, setting.n_values)
        data = _dataset(kind, setting, angle, "angle of least variance, exact")
        ends = [_end_of_paramagnet(kind, value) for value in setting.checked]
        data["branch_point"] = curve(
            "checked", [e[0] for e in ends], "mean-field branch point", units="gamma"
        )
        data["expected_branch_point"] = curve(
            "checked", [e[1] for e in ends], "where the paramagnet loses stability", units="gamma"
        )
        return data.assign_coords(
            checked=curve("checked", setting.checked, "where it was followed", units="gamma")
        ).assign_attrs(attributes)

    return compute


def _end_of_paramagnet(kind: Kind, value: float) -> tuple[float, float]:
    """Where mean-field branches part at J_x (XYZ) or Delta (Ising), and the formula."""
    if kind is XYZ:
        model = xyz_model(MANY, j_x=value, j_y=0.0)
        expected, path = J_Z - 0.25 / (value - J_Z), "hamiltonian.0.j_y"
    else:
        model = ising_model(MANY, j_x=0.0, field=value)
        expected, path = float(critical_coupling(value)), "hamiltonian.0.j_x"
    over = {path: {"start": expected - 1.5, "stop": expected + 1.5, "num": 21}}
    found = branches(model, over=over, method=MeanField(), n_places=3)
    marks = found["special_parameter"].values[found["special_kind"].values == "branch point"]
    nearest = marks[np.argmin(np.abs(marks - expected))] if len(marks) else np.nan
    return float(nearest), expected


def draw(kind: Kind) -> Callable[[xr.Dataset], "Picture"]:
    """The map, with the mean-field boundary dashed."""

    def drawn(data: xr.Dataset) -> "Picture":
        with style():
            figure = new_figure(6.4, 5.2)
            panel = figure.subplots()
            (first, across), (second, up) = kind.axes
            image = panel.pcolormesh(
                data[first], data[second], np.ma.masked_invalid(data["angle"].values),
                cmap="twilight", vmin=0.0, vmax=np.pi, shading="nearest", rasterized=True,
            )  # fmt: skip
            panel.set_facecolor(MISSING)
            boundary(panel, kind)
            bar = figure.colorbar(image, ax=panel, label=r"angle $\theta$ of least variance")
            bar.set_ticks(np.linspace(0.0, np.pi, 5).tolist(), labels=TICKS)
            panel.set(xlabel=across, ylabel=up, aspect="equal",
                      title=f"{data['angle'].attrs['long_name'].rpartition(', ')[2]}, "
                      f"N = {data.attrs['n_spins']}")  # fmt: skip
            panel.grid(visible=False)
        return figure

    return drawn


def boundary(panel: Any, kind: Kind) -> None:
    """The mean-field transition, black on white dashes."""
    x, y, across, up = plane(kind, 401)
    level = (across - J_Z) * (up - J_Z) if kind is XYZ else up * (up + across)
    panel.contour(x, y, level, levels=[-0.25], colors="white", linewidths=3.2)
    panel.contour(x, y, level, levels=[-0.25], colors=PALETTE[6], linewidths=1.5, linestyles="--")


def predicted_claims(data: xr.Dataset) -> list[Claim]:
    """The quadrants of the limit of weak dissipation."""
    alpha, beta = data["alpha"].values, data["beta"].values
    strong = (np.abs(beta) > 4.0) & (alpha != 0)
    quadrant = np.where(alpha * beta > 0, 0.0, np.pi / 2.0)
    off = angle_distance(data["angle"].values, quadrant)[strong]
    return [
        finding(
            "weak-dissipation-quadrants",
            statement="theta = 0 where alpha/beta > 0, pi/2 where alpha/beta < 0, up to gamma/beta",
            place="Secs. 6.1.2, 6.2",
            ours=f"first order lies within {off.max():.4f} rad of it for |beta| > 4 gamma "
            f"(arctan(1/4)/2 = {np.arctan(0.25) / 2:.4f}), within {np.median(off):.4f} for half of "
            "these points",
            holds=off.max() <= np.arctan(0.25) / 2 + 1e-12,
            otherwise="farther away",
            value=float(off.max()),
            expected=0.0,
        ),
    ]


def exact_claims(kind: Kind) -> Callable[[xr.Dataset], list[Claim]]:
    """First order against the exact angle on both sides of the transition; the transition."""

    def claims(data: xr.Dataset) -> list[Claim]:
        para = data["paramagnetic"].values
        gap, kept = (
            np.degrees(angle_distance(data["angle"].values, data[name].values))
            for name in ("predicted", "exchange_kept")
        )
        inside, outside = gap[para & np.isfinite(gap)], gap[~para & np.isfinite(gap)]
        better = np.percentile(kept[para & np.isfinite(kept)], 95)
        checked = data["checked"].values
        ends = data["branch_point"].values - data["expected_branch_point"].values
        formula = (
            "(J_x - J_z)(J_y - J_z) = -gamma^2/4" if kind is XYZ
            else "Delta (Delta + J_x) = -gamma^2/4"
        )  # fmt: skip
        worst = np.abs(ends).max() if len(ends) else np.nan
        return [
            finding(
                "angle-in-the-paramagnet",
                statement="first order captures the angle within the paramagnet",
                place="Sec. 6.1.2, Fig. 4" if kind is XYZ else "Sec. 6.2, Fig. 7",
                ours=f"of {inside.size} points, median {np.median(inside):.2f}, 95 % within "
                f"{np.percentile(inside, 95):.2f}, all within {inside.max():.2f} degrees; beyond "
                f"the transition median {np.median(outside):.2f}, largest {outside.max():.1f} "
                "degrees",
                holds=np.percentile(inside, 95) < 10.0,
                otherwise="more than one in twenty points differs by 10 degrees and more"
                + (
                    ""
                    if kind is XYZ
                    else ": near Delta = 0, where the exchange in J_x S^x S^x outweighs the field; "
                    f"with it in H_0 95 % are within {better:.2f} degrees"
                ),
                value=float(np.median(inside)),
            ),
            finding(
                "mean-field-transition",
                statement="the paramagnet ends at the mean-field transition",
                place="Fig. 4" if kind is XYZ else "Fig. 7",
                ours=f"{formula}; branches part within {worst:.0e} gamma of it at "
                f"{'J_x' if kind is XYZ else 'Delta'}/gamma = "
                f"{', '.join(f'{c:g}' for c in checked)}",
                holds=bool(worst < 1e-4) if len(ends) else None,
                otherwise="branches part elsewhere" if len(ends) else "no branch was followed",
            ),
        ]

    return claims


def _settings(checked: tuple[float, ...]) -> dict[str, Plane]:
    return {
        "tiny": Plane(6, 5, checked[:1]),
        "small": Plane(20, 21, checked[:2]),
        "paper": Plane(20, 41, checked),
    }


FIGURE_4A = Figure(
    name="4a",
    title="XYZ model: angle of the least variance over (J_x, J_y), first order",
    methods=("perturbation",),
    compute=_first_order(XYZ),
    draw=draw(XYZ),
    claims=predicted_claims,
    settings={"tiny": Plane(6, 9), "small": Plane(20, 81), "paper": Plane(20, 201)},
)
FIGURE_4B = Figure(
    name="4b",
    title="XYZ model: angle of the least variance over (J_x, J_y), exact",
    methods=("permutation_invariant", "mean_field"),
    compute=_exact(XYZ),
    draw=draw(XYZ),
    claims=exact_claims(XYZ),
    settings=_settings((3.0, -2.0, 5.0, 0.0)),
)
FIGURE_7A = Figure(
    name="7a",
    title="transverse-field Ising model: angle over (J_x, Delta), first order",
    methods=("perturbation",),
    compute=_first_order(ISING),
    draw=draw(ISING),
    claims=predicted_claims,
    settings={"tiny": Plane(6, 9), "small": Plane(20, 81), "paper": Plane(20, 201)},
)
FIGURE_7B = Figure(
    name="7b",
    title="transverse-field Ising model: angle over (J_x, Delta), exact",
    methods=("permutation_invariant", "mean_field"),
    compute=_exact(ISING),
    draw=draw(ISING),
    claims=exact_claims(ISING),
    settings=_settings((-6.0, 2.0, 4.0, -1.0)),
)
