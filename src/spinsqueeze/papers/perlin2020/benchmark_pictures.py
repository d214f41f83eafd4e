"""Pictures of Figures 6, 7, 8 and of 5 x 5."""

from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.papers.perlin2020.setting import decibel_error, decibels_gained
from spinsqueeze.plot.style import GREY, PALETTE, new_figure, style

TRUSTED = 0.1
"""Population of the last shell up to which the paper trusts truncated shells."""
MARGIN = 0.06

_J_Z = r"$J_z/J_\perp$"
_SQUEEZING = r"$-10\log_{10}\,\xi^2_{\mathrm{opt}}$"
_SQUARED = r"$\langle S^2\rangle_{\mathrm{min}}/\langle S^2\rangle_0$"


def trusted(data: xr.Dataset) -> Booleans:
    """Where the last shell holds at most 0.1, along j_z; True at J_z = J_perp, where nothing moves.

    Args:
        data: of one lattice and exponent.
    """
    return np.asarray(~(data["population"].isel(shell=-1).values > TRUSTED))


def _limits(j_z: Floats) -> tuple[float, float]:
    """Of the axis: room for the markers at both ends."""
    return float(j_z[0]) - MARGIN, float(j_z[-1]) + MARGIN


def _shade(panel: Any, j_z: Floats, inside: Booleans) -> None:
    """Grey where shells are not trusted."""
    first, last = _limits(j_z)
    edges = np.concatenate([[first], (j_z[1:] + j_z[:-1]) / 2, [last]])
    for k in np.flatnonzero(~inside):
        panel.axvspan(edges[k], edges[k + 1], color="0.88", linewidth=0, zorder=0)
    panel.set_xlim(first, last)


def draw_populations(data: xr.Dataset) -> Any:
    """Most that shells 1 to n have held, against J_z; grey where the last holds above 0.1."""
    one = data.isel(lattice=0, alpha=0)
    with style():
        picture = new_figure(5.4, 3.8)
        panel = picture.subplots()
        _shade(panel, one["j_z"].values, trusted(one))
        for k in range(1, one.sizes["shell"]):
            panel.plot(
                one["j_z"].values, one["population"].isel(shell=k).values,
                color=PALETTE[k - 1], marker="osD^v"[k % 5], markersize=3.5, linewidth=1.3,
                label=rf"$\langle P_{k}\rangle_{{\mathrm{{max}}}}$",
            )  # fmt: skip
        panel.axhline(TRUSTED, color=GREY, linewidth=1.0, linestyle=":")
        panel.set_xlabel(_J_Z)
        panel.set_ylabel("population")
        panel.set_ylim(bottom=-0.02)
        panel.set_title(_title(one), fontsize=11)
        panel.legend()
    return picture


def draw_shells(data: xr.Dataset) -> Any:
    """Figure 7: squeezing above, least <S^2> below."""
    with style():
        picture = new_figure(5.6, 6.2)
        panels = picture.subplots(2, 1, sharex=True)
        _column(panels, data.isel(lattice=0, alpha=0))
        panels[0].legend(fontsize=9)
        panels[0].set_title(_title(data.isel(lattice=0, alpha=0)), fontsize=11)
    return picture


def draw_small_lattices(data: xr.Dataset) -> Any:
    """Figure 8: the lattices that are solved exactly side by side."""
    solved = [k for k in range(data.sizes["lattice"]) if _has(data.isel(lattice=k), "exact")]
    with style():
        picture = new_figure(1.5 + 3.6 * len(solved), 6.0)
        panels = picture.subplots(2, len(solved), sharex=True, squeeze=False)
        for column, k in enumerate(solved):
            one = data.isel(lattice=k, alpha=0)
            _column(panels[:, column], one)
            panels[0, column].set_title(_title(one), fontsize=11)
        panels[0, 0].legend(fontsize=9)
        for panel in panels[:, 1:].flat:
            panel.set_ylabel("")
    return picture


def draw_5_by_5(data: xr.Dataset) -> Any:
    """A column for each exponent; the third row is the error in decibels."""
    count = data.sizes["alpha"]
    with style():
        picture = new_figure(1.4 + 3.2 * count, 8.0)
        panels = picture.subplots(3, count, sharex=True, sharey="row", squeeze=False)
        for column in range(count):
            one = data.isel(lattice=0, alpha=column)
            _column(panels[:2, column], one)
            panels[1, column].set_xlabel("")
            _errors(panels[2, column], one)
            panels[0, column].set_title(_title(one), fontsize=11)
        panels[0, 0].legend(fontsize=8)
        panels[2, 0].legend(fontsize=8)
        for panel in panels[:, 1:].flat:
            panel.set_ylabel("")
    return picture


def _title(one: xr.Dataset) -> str:
    alpha = "\\infty" if np.isinf(one["alpha"].item()) else f"{one['alpha'].item():g}"
    return str(one["lattice"].item()).replace("x", r"$\times$") + rf", $\alpha={alpha}$"


def _has(one: xr.Dataset, method: str) -> bool:
    return f"{method}_xi2" in one and bool(np.isfinite(one[f"{method}_xi2"].values).any())


def _column(panels: Any, one: xr.Dataset) -> None:
    """Squeezing and least <S^2> of one lattice and exponent, with both limits."""
    upper, lower = panels
    j_z = one["j_z"].values
    for panel in panels:
        if _has(one, "shells"):
            _shade(panel, j_z, trusted(one))
        panel.set_xlim(*_limits(j_z))
    for method, label, look in (
        ("shells", f"TS{one.sizes.get('shell', 0) - 1}", {"color": PALETTE[0], "marker": "o"}),
        (
            "exact",
            "exact",
            {"color": "black", "marker": "s", "markerfacecolor": "none", "zorder": 5},
        ),
        ("dtwa", "DTWA", {"color": PALETTE[1], "marker": "."}),
    ):
        if _has(one, method):
            _curves(panels, one, method, {"label": label, **look})
    for name, level, squared_level, dash in (
        ("OAT", one["oat_xi2"], 1.0, "--"),
        ("Ising", one["ising_xi2"], one["ising_squared"].item(), ":"),
    ):
        upper.axhline(decibels_gained(level.item()), color="0.35", linestyle=dash, label=name)
        lower.axhline(squared_level, color="0.35", linestyle=dash)
    upper.set_ylabel(_SQUEEZING)
    lower.set_ylabel(_SQUARED)
    lower.set_xlabel(_J_Z)


def _curves(panels: Any, one: xr.Dataset, method: str, look: dict[str, Any]) -> None:
    """Squeezing and least <S^2> by one method: two curves, left and right of J_perp."""
    known = np.isfinite(one[f"{method}_xi2"].values)
    part = one.isel(j_z=known)
    # Few values: no line across what lies between.
    line = "none" if known.sum() < len(known) - 1 else "-"
    for side in (part["j_z"].values < 1, part["j_z"].values > 1):
        x, xi2 = part["j_z"].values[side], part[f"{method}_xi2"].values[side]
        bars: list[Floats | None] = [None, None]
        if f"{method}_xi2_stderr" in part:
            bars[0] = decibel_error(xi2, part[f"{method}_xi2_stderr"].values[side])
            bars[1] = part[f"{method}_squared_stderr"].values[side]
        values = (decibels_gained(xi2), part[f"{method}_squared"].values[side])
        for panel, y, bar in zip(panels, values, bars, strict=True):
            panel.errorbar(x, y, bar, linestyle=line, linewidth=1.2, markersize=4.0, **look)
        look = {**look, "label": None}


def _errors(panel: Any, one: xr.Dataset) -> None:
    """Squeezing by DTWA and by trusted shells less the exact one."""
    j_z, exact = one["j_z"].values, decibels_gained(one["exact_xi2"].values)
    _shade(panel, j_z, trusted(one))
    panel.axhline(0.0, color="0.5", linewidth=1.0)
    xi2 = one["dtwa_xi2"].values
    known = np.isfinite(exact)
    panel.errorbar(
        j_z[known], (decibels_gained(xi2) - exact)[known],
        decibel_error(xi2, one["dtwa_xi2_stderr"].values)[known],
        color=PALETTE[1], marker=".", linestyle="none", label="DTWA",
    )  # fmt: skip
    inside = known & trusted(one)
    panel.plot(
        j_z[inside], (decibels_gained(one["shells_xi2"].values) - exact)[inside], "o",
        color=PALETTE[0], markersize=4, label=f"TS{one.sizes['shell'] - 1}, where trusted",
    )  # fmt: skip
    panel.set_ylabel(r"$-10\log_{10}\,\xi^2_{\mathrm{opt}}$ beyond exact")
    panel.set_xlabel(_J_Z)
