"""The picture of dtwa_error.md: `python docs/dtwa_error_picture.py` writes it to docs/_static."""

from pathlib import Path

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from spinsqueeze.methods.dtwa.atlas import atlas
from spinsqueeze.plot.style import style

LARGEST = 1.0
"""Where the colours end, in dB."""


EVEN = 0.18
"""The luminance on which black and white are read equally well."""


def luminance(colour: tuple[float, ...]) -> float:
    """Of sRGB, from 0 to 1."""
    return float(np.dot(np.asarray(colour[:3]) ** 2.2, (0.2126, 0.7152, 0.0722)))


def number(value: float) -> str:
    """'1.5', and what infinity stands for."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def main() -> None:
    """One panel a lattice: a cell for each exact point, its error in colour and in figures."""
    sheets = atlas()
    with style():
        figure = Figure(figsize=(8.2, 5.4), layout="constrained")
        rows = figure.subplots(len(sheets), 1, height_ratios=[len(s.exponents) for s in sheets])
        for axes, sheet in zip(np.atleast_1d(rows), sheets, strict=True):
            norm = TwoSlopeNorm(0.0, vmin=-LARGEST, vmax=LARGEST)
            image = axes.imshow(
                sheet.error, cmap="PuOr_r", norm=norm, origin="lower", aspect="auto"
            )
            for (row, column), error in np.ndenumerate(sheet.error):
                shown = f"{error:+.1f}".replace("-", "\N{MINUS SIGN}")
                white = luminance(image.to_rgba(error)) < EVEN
                axes.text(
                    column, row, "0.0" if shown[1:] == "0.0" else shown, ha="center", va="center",
                    fontsize=8, color="white" if white else "black",
                )  # fmt: skip
            ratios = [number(r) if np.isfinite(r) else "Ising" for r in sheet.ratios]
            exponents = [number(a) if np.isfinite(a) else "\N{INFINITY}" for a in sheet.exponents]
            axes.set_xticks(range(len(ratios)), ratios, fontsize=8.5)
            axes.set_yticks(range(len(exponents)), exponents)
            axes.grid(visible=False)
            axes.set_ylabel(r"exponent $\alpha$")
            axes.set_title(f"{sheet.side} \N{MULTIPLICATION SIGN} {sheet.side}")
        axes.set_xlabel(r"$J_z / J_\perp$")
        bar = figure.colorbar(image, ax=rows, extend="both")
        bar.set_label(r"DTWA less exact, best $\xi^2$ (dB)" + "\nbelow 0: too much squeezing")
    figure.savefig(Path(__file__).parent / "_static" / "dtwa_error.png", dpi=150)


if __name__ == "__main__":
    main()
