"""The picture of lattice_shapes.md: `python docs/lattice_shapes_picture.py` writes it."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import spinsqueeze as sq
from spinsqueeze.plot.style import style

LINK, SITE = "#9aa7b4", "#1f4e79"
MIXED = ("periodic", "open")
PANELS = {
    "rectangular": (sq.Lattice((5, 4), boundary="open"), 1.0),
    "triangular": (sq.Lattice((5, 4), geometry="triangular", boundary="open"), 1.0),
    "honeycomb": (sq.Lattice((3, 3), geometry="honeycomb", boundary="open"), 1.0),
    "kagome": (sq.Lattice((3, 3), geometry="kagome", boundary="open"), 1.0),
    "ladder": (sq.Lattice((6, 2), boundary=MIXED), 1.0),
    "zigzag ladder": (sq.Lattice((6, 2), geometry="triangular", boundary=MIXED), 1.0),
    "rings of 1, 6, 12": (sq.Lattice(positions=sq.Rings((1, 6, 12))), 0.0),
    "random in a disc": (
        sq.Lattice(positions=sq.RandomPositions(40, disc=5.0, blockade_radius=1.0, seed=1)),
        0.0,
    ),
    "trapped ions": (
        sq.Lattice(positions=sq.IonChain(12, 0.5, 5.0).positions[:, None]),
        0.0,
    ),
}
"""Lattices, and the length of the links that are drawn; 0: none."""


def draw(axes, lattice, link):
    """Sites as dots, pairs one link apart joined; around a periodic axis, stubs."""
    points = lattice.coordinates
    if points.shape[1] == 1:
        points = np.concatenate([points, np.zeros_like(points)], axis=1)
    if link:
        gaps = lattice.displacements()
        near = np.abs(np.linalg.norm(gaps, axis=-1) - link) < 1e-9
        for i, j in np.argwhere(near):
            whole = np.linalg.norm(points[i] - points[j]) < link + 1e-9
            end = points[j] if whole else points[i] - 0.4 * gaps[i, j]
            axes.plot(
                *zip(points[i], end, strict=True),
                color=LINK,
                linewidth=1.2,
                zorder=1,
                clip_on=False,
            )
    axes.plot(*points.T, "o", color=SITE, markersize=5, zorder=2, clip_on=False)
    axes.set_aspect("equal")
    axes.margins(0.12)
    axes.set_axis_off()


def main() -> None:
    """One panel a lattice."""
    with style():
        figure = Figure(figsize=(8.2, 7.2), layout="constrained")
        for axes, (name, (lattice, link)) in zip(
            figure.subplots(3, 3).flat, PANELS.items(), strict=True
        ):
            draw(axes, lattice, link)
            if name == "random in a disc":
                angle = np.linspace(0, 2 * np.pi, 200)
                axes.plot(5 * np.cos(angle), 5 * np.sin(angle), color=LINK, linewidth=0.8)
            axes.set_title(name)
    figure.savefig(Path(__file__).parent / "_static" / "lattice_shapes.png", dpi=130)


if __name__ == "__main__":
    main()
