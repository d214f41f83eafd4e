"""A function on the sphere (Husimi, Wigner): seen from one side, or as an equal-area map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.checks import AXES, choice, direction, real_array
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.plot import fit
from spinsqueeze.plot.style import GREY, figure_of, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PIXELS = 501
MINUS = "\N{MINUS SIGN}"


@clear_call
def sphere(
    values: Any,
    theta: Any,
    phi: Any,
    *,
    ax: Any = None,
    projection: str = "orthographic",
    view: Any = None,
    label: str = "",
) -> Figure:
    """Draw a function of (theta, phi) on the sphere.

    A function that is nowhere negative (Husimi) is drawn with a colour scale from 0; one with
    both signs (Wigner) with a scale symmetric about 0, white at 0. Between the grid's points the
    orthographic view interpolates bilinearly.

    Args:
        values: (n_theta, n_phi) values.
        theta: (n_theta,) polar angles in [0, pi], increasing.
        phi: (n_phi,) azimuths, increasing, within one turn (a repeated end point is allowed).
        ax: axes to draw into, None for a new figure.
        projection: "orthographic" (one hemisphere, as seen from far away) or "map" (phi against
            cos(theta): areas on the map are areas on the sphere).
        view: where the eye is in the orthographic view, +x ... -z or a unit vector; None: above
            the largest |value|. z points up (y, for an eye on the z axis).
        label: text at the colour bar.

    Returns:
        The figure; `figure.savefig("sphere.png")` writes it. It needs no display.

    Raises:
        InvalidInput: shapes disagree, angles out of range or not increasing, values not finite.
    """
    polar, azimuth, field = _checked(values, theta, phi)
    choice("projection", projection, ("orthographic", "map"))
    if projection == "map" and view is not None:
        raise InvalidInput("view is for projection='orthographic'; a map shows all directions")
    largest = float(np.abs(field).max()) or 1.0
    signed = float(field.min()) < -1e-9 * largest
    colours: dict[str, Any] = (
        {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
        if signed
        else {"cmap": "viridis", "vmin": 0.0, "vmax": largest}
    )
    with style():
        panel = _panel(ax, projection)
        if projection == "map":
            image = _map(panel, polar, azimuth, field, colours)
        else:
            eye = _eye(view, polar, azimuth, field)
            image = _orthographic(panel, polar, azimuth, field, eye, colours)
        figure = figure_of(panel)
        figure.colorbar(image, ax=panel, label=label, shrink=0.8, pad=0.04)
    fit.fit(figure, [panel])
    return figure


def _checked(values: Any, theta: Any, phi: Any) -> tuple[Floats, Floats, Floats]:
    polar = real_array("theta", theta, shape=(None,))
    azimuth = real_array("phi", phi, shape=(None,))
    if len(polar) < 2 or len(azimuth) < 2:
        raise InvalidInput("theta and phi must hold at least two angles each")
    field = real_array("values", values, shape=(len(polar), len(azimuth)))
    if polar[0] < -1e-9 or polar[-1] > np.pi + 1e-9 or np.any(np.diff(polar) <= 0):
        raise InvalidInput(
            f"theta must increase within [0, pi], got {polar[0]:.4g} ... {polar[-1]:.4g}"
        )
    turn = azimuth[-1] - azimuth[0]
    if turn > 2 * np.pi + 1e-9 or np.any(np.diff(azimuth) <= 0):
        raise InvalidInput(
            f"phi must increase within one turn, got {azimuth[0]:.4g} ... {azimuth[-1]:.4g}"
        )
    if abs(turn - 2 * np.pi) < 1e-9:
        azimuth, field = azimuth[:-1], field[:, :-1]
    return polar, azimuth, field


def _panel(ax: Any, projection: str) -> Axes:
    from matplotlib.axes import Axes

    if ax is None:
        size = (5.4, 4.4) if projection == "orthographic" else (7.2, 3.9)
        panel: Axes = new_figure(*size).subplots()
        return panel
    if not isinstance(ax, Axes):
        raise InvalidInput(f"ax must be one matplotlib Axes, got {type(ax).__name__}")
    return ax


def _eye(view: Any, polar: Floats, azimuth: Floats, field: Floats) -> Floats:
    if view is not None:
        return direction("view", view)
    k, m = np.unravel_index(int(np.abs(field).argmax()), field.shape)
    sine = np.sin(polar[k])
    return np.array([sine * np.cos(azimuth[m]), sine * np.sin(azimuth[m]), np.cos(polar[k])])


def _screen(eye: Floats) -> tuple[Floats, Floats]:
    """Unit vectors to the right and up on the picture, for an eye above the direction `eye`."""
    pole = np.array([0.0, 0.0, 1.0])
    if np.hypot(eye[0], eye[1]) < 1e-6:
        pole = np.array([0.0, 1.0, 0.0])
    right = np.cross(pole, eye)
    right /= np.linalg.norm(right)
    return right, np.cross(eye, right)


def _orthographic(
    panel: Axes,
    polar: Floats,
    azimuth: Floats,
    field: Floats,
    eye: Floats,
    colours: dict[str, Any],
) -> Any:
    from matplotlib.patches import Circle

    right, up = _screen(eye)
    side = np.linspace(-1.0, 1.0, PIXELS)
    u, v = np.meshgrid(side, side)
    depth = np.sqrt(np.clip(1.0 - u**2 - v**2, 0.0, None))
    points = u[..., None] * right + v[..., None] * up + depth[..., None] * eye
    shown = _interpolated(points, polar, azimuth, field)
    image = panel.imshow(
        shown, origin="lower", extent=(-1, 1, -1, 1), interpolation="bilinear", **colours
    )
    rim = Circle((0, 0), 1.0, facecolor="none", edgecolor=GREY, linewidth=1.2, zorder=3)
    panel.add_patch(rim)
    image.set_clip_path(rim)
    _graticule(panel, right, up, eye)
    _axis_names(panel, right, up, eye)
    panel.set(xlim=(-1.22, 1.22), ylim=(-1.22, 1.22), aspect="equal")
    panel.set_axis_off()
    return image


def _interpolated(points: Floats, polar: Floats, azimuth: Floats, field: Floats) -> Floats:
    """Bilinear interpolation of the field at unit vectors (..., 3), periodic in azimuth."""
    theta = np.arccos(np.clip(points[..., 2], -1.0, 1.0))
    phi = np.mod(np.arctan2(points[..., 1], points[..., 0]) - azimuth[0], 2 * np.pi)
    closed = np.append(azimuth - azimuth[0], 2 * np.pi)
    wide = np.concatenate([field, field[:, :1]], axis=1)
    row = np.clip(np.searchsorted(polar, theta) - 1, 0, len(polar) - 2)
    column = np.clip(np.searchsorted(closed, phi) - 1, 0, len(closed) - 2)
    a = np.clip((theta - polar[row]) / (polar[row + 1] - polar[row]), 0.0, 1.0)
    b = np.clip((phi - closed[column]) / (closed[column + 1] - closed[column]), 0.0, 1.0)
    upper = (1 - b) * wide[row, column] + b * wide[row, column + 1]
    lower = (1 - b) * wide[row + 1, column] + b * wide[row + 1, column + 1]
    blended: Floats = (1 - a) * upper + a * lower
    return blended


def _graticule(panel: Axes, right: Floats, up: Floats, eye: Floats) -> None:
    """Parallels and meridians every 30 degrees, on the side that is seen."""
    turn = np.linspace(0.0, 2 * np.pi, 241)
    half = np.linspace(0.0, np.pi, 121)
    lines = [(np.full_like(turn, np.deg2rad(t)), turn) for t in range(30, 180, 30)]
    lines += [(half, np.full_like(half, np.deg2rad(p))) for p in range(0, 360, 30)]
    for theta, phi in lines:
        sine = np.sin(theta)
        points = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)
        hidden = points @ eye < 0
        u, v = points @ right, points @ up
        u[hidden] = np.nan
        panel.plot(u, v, color=GREY, linewidth=0.5, alpha=0.55, label="_graticule", zorder=2)


def _axis_names(panel: Axes, right: Floats, up: Floats, eye: Floats) -> None:
    from matplotlib.patheffects import withStroke

    for name, unit in AXES.items():
        for sign in (1.0, -1.0):
            point = sign * np.array(unit)
            if point @ eye < -1e-9:
                continue
            u, v = float(point @ right), float(point @ up)
            inside = np.hypot(u, v) < 0.95
            if inside:
                panel.plot([u], [v], "+", color=GREY, markersize=7, label="_axis", zorder=4)
            outwards = (11.0 * u / max(np.hypot(u, v), 0.1), 10.0 * v / max(np.hypot(u, v), 0.1))
            panel.annotate(
                f"{'+' if sign > 0 else MINUS}{name}",
                (u, v),
                xytext=(12, 10) if inside else outwards,
                textcoords="offset points",
                ha="center",
                va="center",
                color="#222222",
                zorder=6,
                path_effects=[withStroke(linewidth=2.5, foreground="white", alpha=0.8)],
            )


def _map(
    panel: Axes, polar: Floats, azimuth: Floats, field: Floats, colours: dict[str, Any]
) -> Any:
    image = panel.pcolormesh(
        np.append(azimuth, azimuth[0] + 2 * np.pi),
        np.cos(polar),
        np.concatenate([field, field[:, :1]], axis=1),
        shading="gouraud",
        rasterized=True,
        **colours,
    )
    start = azimuth[0]
    panel.set(
        xlim=(start, start + 2 * np.pi),
        ylim=(-1, 1),
        xlabel=r"azimuth $\varphi$ ($\pi$)",
        ylabel=r"$\cos\theta$",
    )
    ticks = start + np.pi * np.arange(0, 2.01, 0.5)
    panel.set_xticks(ticks, [f"{tick / np.pi:.3g}" for tick in ticks])
    return image
