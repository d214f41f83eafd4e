"""The picture of `vacancies`: squeezing, what vacancies cost, and whether it grows with size."""

from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.plot.style import PALETTE, new_figure, style

MARKERS = "os^Dv"


def draw(data: xr.Dataset) -> Any:
    """Columns: J_z / J_perp. Rows: gain, loss, growth; a colour and marker for each alpha."""
    fillings = data["filling"].values
    small, large = data["edge"].values
    times = "\N{MULTIPLICATION SIGN}"
    rows = (
        ("gain", f"gain on {large} {times} {large} (dB)"),
        ("loss", "lost to as many spins,\nall sites full (dB)"),
        ("growth", f"{large} {times} {large} over\n{small} {times} {small} (dB)"),
    )
    with style():
        picture = new_figure(9.6, 8.4)
        panels = picture.subplots(3, data.sizes["j_z"], sharex=True, sharey="row", squeeze=False)
        for column, j_z in enumerate(data["j_z"].values):
            for axes, (name, label) in zip(panels[:, column], rows, strict=True):
                chosen = data[[name, f"{name}_stderr"]].sel(j_z=j_z)
                if name == "gain":
                    chosen = chosen.isel(edge=-1)
                for k, alpha in enumerate(data["alpha"].values):
                    one = chosen.sel(alpha=alpha)
                    axes.errorbar(
                        fillings, one[name].values, one[f"{name}_stderr"].values, capsize=2,
                        color=PALETTE[k], marker=MARKERS[k % len(MARKERS)], markersize=5,
                        label=rf"$\alpha$ = {alpha:g}",
                    )  # fmt: skip
                    if name == "gain":
                        level = data["ising"].sel(alpha=alpha).values
                        axes.plot(fillings, level, ":", color=PALETTE[k], linewidth=1.2)
                if name != "gain":
                    axes.axhline(0.0, color="0.5", linewidth=0.8)
                if column == 0:
                    axes.set_ylabel(label)
            panels[0, column].set_title(rf"$J_z/J_\perp$ = {j_z:g}".replace("-", "\N{MINUS SIGN}"))
            panels[-1, column].set_xlabel("filling fraction $f$")
            panels[-1, column].set_xlim(0, 1.05)
            panels[-1, column].set_xticks(np.linspace(0, 1, 5))
        panels[0, 0].legend(title="dotted: Ising, exact", fontsize=9)
    return picture
