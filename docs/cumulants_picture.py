"""The picture of cumulants.md: `python docs/cumulants_picture.py` writes it to docs/_static."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import spinsqueeze as sq
from spinsqueeze.plot.style import DASHES, PALETTE, style

N = 60
ORDERS = (2, 3, 4, 6)
OPTIMAL_TIME = 6 ** (1 / 6) * N ** (-2 / 3)
CAVITY = sq.SpinModel(
    N, hamiltonian=[sq.CollectiveExchange(1.0)], jumps=[sq.CollectiveDecay(0.05)], unit="chi"
)
DRIVEN = sq.SpinModel(
    N,
    hamiltonian=[sq.Drive(0.9 * N / 2)],
    jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(4.0)],
    unit="Gamma",
)
PANELS = (
    (
        r"Exchange $\chi$ and collective decay $0.05 \chi$",
        CAVITY,
        "+x",
        np.linspace(0, 2.4, 97) * OPTIMAL_TIME,
    ),
    (r"Drive 0.9 of critical, single-spin decay $4 \Gamma$", DRIVEN, "-x", np.linspace(0, 0.8, 97)),
)


def decibels(model, state, times, method):
    """(times, xi2 in dB) as far as the method goes."""
    data = sq.simulate(model, sq.CoherentState(state), times, method=method)
    xi2 = data["xi2"].values
    with np.errstate(invalid="ignore", divide="ignore"):
        return data["time"].values, np.where(xi2 > 0, 10 * np.log10(xi2), np.nan)


def main() -> None:
    """Orders 2 to 6 beside the exact curve, in two models of 60 spins; print what they miss by."""
    with style():
        figure = Figure(figsize=(10.0, 4.2), layout="constrained")
        for axes, (title, model, state, times) in zip(figure.subplots(1, 2), PANELS, strict=True):
            exact = decibels(model, state, times, sq.PermutationInvariant())
            axes.plot(*exact, color="black", linewidth=3.5, alpha=0.35, label="exact")
            for k, order in enumerate(ORDERS):
                curve = decibels(model, state, times, sq.Cumulants(order, next_order=False))
                axes.plot(*curve, color=PALETTE[k], linestyle=DASHES[k], label=f"order {order}")
                least = np.nanmin(
                    np.where(curve[0] <= exact[0][exact[1].argmin()] * 1.5, curve[1], 0)
                )
                print(
                    f"{title}: order {order} misses the least by {least - exact[1].min():+.5f} dB"
                )
            axes.set_title(title)
            axes.set_xlabel(rf"time ($1/\{model.unit}$)")
            axes.set_ylabel(r"squeezing $\xi^2$ (dB)")
            axes.set_ylim(exact[1].min() - 2.5, 6)
        axes.legend()
        figure.savefig(Path(__file__).parent / "_static" / "cumulants.png", dpi=120)


if __name__ == "__main__":
    main()
