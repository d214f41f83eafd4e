"""Branches of steady states against their parameter: stable ones solid, unstable ones dashed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.written_units import is_laboratory, written
from spinsqueeze.plot import fit
from spinsqueeze.plot.style import (
    GREY,
    PALETTE,
    decibels_with_error,
    figure_of,
    inches,
    single_panel,
    style,
    wrapped,
)
from spinsqueeze.results.dataset import refuse_file_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = {
    "fold": ("s", "fold"),
    "branch point": ("o", "branch point"),
    "hopf": ("^", "Hopf bifurcation"),
}


@clear_call
def branches(
    data: Any,
    *,
    quantity: str = "z",
    ax: Any = None,
    width: Any = None,
    title: bool = True,
) -> Figure:
    """Draw branches of steady states: stable ones solid, unstable ones dashed.

    A colour each; folds are squares, branch points circles, Hopf bifurcations triangles; dotted
    where the moments could not be those of a state.

    Args:
        data: what `spinsqueeze.branches` returns.
        quantity: "x", "y" or "z" for that component of <S>/(N/2), or a variable over branch and
            point, such as "contrast", "growth" or "xi2" (in decibels).
        ax: one axes to draw into, None for a new figure.
        width: of a new figure, inches or "column" (3.4).
        title: whether there is a title.

    Returns:
        The figure; `figure.savefig("branches.png")` writes it. It needs no display.

    Raises:
        InvalidInput: data holds no branches, the quantity is not there, or width is no width.
    """
    refuse_file_name(data, call="plot.branches")
    if not hasattr(data, "data_vars") or "special_kind" not in data:
        raise InvalidInput(
            f"data must be what spinsqueeze.branches returns, got {type(data).__name__} without "
            "special_kind"
        )
    values, label = _quantity(data, quantity)
    parameter = str(data.attrs["parameter"])
    where = np.asarray(data[parameter].values, dtype=float)
    asked = inches(width, ax)
    with style(asked):
        panel = single_panel(ax, 6.0, 4.2, asked=asked)
        for b, n in enumerate(np.asarray(data["n_points"].values)):
            _draw_branch(panel, data, b, where[b, :n], values[b, :n])
        kinds = _draw_specials(panel, data, where, values)
        _legend(panel, data, kinds)
        units = str(data[parameter].attrs.get("units", ""))
        panel.set_xlabel(_with_unit(parameter, units if is_laboratory(units) else ""))
        panel.set_ylabel(label)
        if title and not panel.get_title() and data.attrs.get("title"):
            panel.set_title(wrapped(str(data.attrs["title"])))
    figure = figure_of(panel)
    fit.fit(figure, [panel])
    return figure


def _quantity(data: Any, quantity: str) -> tuple[Floats, str]:
    if quantity in ("x", "y", "z"):
        spin = np.asarray(data["spin"].sel(axis=quantity).values, dtype=float)
        half = float(data.attrs["n_spins"]) / 2
        return spin / half, rf"mean spin $\langle S_{quantity}\rangle/(N/2)$"
    known = [
        str(name)
        for name, array in data.data_vars.items()
        if array.dims == ("branch", "point") and array.dtype.kind == "f"
    ]
    if quantity not in known:
        raise InvalidInput(f"quantity must be one of x, y, z, {', '.join(known)}, got {quantity!r}")
    values = np.asarray(data[quantity].values, dtype=float)
    if quantity.startswith("xi2"):
        return decibels_with_error(values, None)[0], r"squeezing $\xi^2$ (dB)"
    attributes = data[quantity].attrs
    return values, _with_unit(str(attributes["long_name"]), str(attributes.get("units", "")))


def _with_unit(label: str, units: str) -> str:
    return label if units in ("", "1") else f"{label} ({written(units)})"


def _draw_branch(panel: Axes, data: Any, b: int, x: Floats, y: Floats) -> None:
    """In pieces of one style; a special point belongs to both of its neighbours."""
    n = len(x)
    stable: Booleans = np.asarray(data["stable"].values[b, :n], dtype=bool)
    physical: Booleans = np.asarray(data["physical"].values[b, :n], dtype=bool)
    special = np.zeros(n, dtype=bool)
    special[data["special_point"].values[data["special_branch"].values == b]] = True
    solid = (stable[:-1] | special[:-1]) & (stable[1:] | special[1:])
    solid &= stable[:-1] | stable[1:]
    styles = np.where(physical[:-1] & physical[1:], np.where(solid, "-", "--"), ":")
    edges = [0, *(np.flatnonzero(styles[1:] != styles[:-1]) + 1).tolist(), n - 1]
    colour = PALETTE[b % len(PALETTE)]
    for first, last in pairwise(edges):
        piece = slice(first, last + 1)
        panel.plot(x[piece], y[piece], linestyle=str(styles[first]), color=colour)


def _draw_specials(panel: Axes, data: Any, where: Floats, values: Floats) -> list[str]:
    """Mark them; which kinds there are."""
    kinds = np.asarray(data["special_kind"].values)
    rows = data["special_branch"].values, data["special_point"].values
    for kind, (marker, _) in MARKS.items():
        chosen = kinds == kind
        at = rows[0][chosen], rows[1][chosen]
        panel.plot(where[at], values[at], marker, **_mark())
    return [kind for kind in MARKS if np.any(kinds == kind)]


def _mark() -> dict[str, Any]:
    return {
        "color": "black", "markerfacecolor": "white", "markersize": 6, "markeredgewidth": 1.2,
        "zorder": 4, "linestyle": "none",
    }  # fmt: skip


def _legend(panel: Axes, data: Any, kinds: list[str]) -> None:
    from matplotlib.lines import Line2D

    inside = np.arange(data.sizes["point"]) < data["n_points"].values[:, None]
    stable, physical = data["stable"].values, data["physical"].values
    lines = {
        "stable": ("-", np.any(inside & physical & stable)),
        "unstable": ("--", np.any(inside & physical & ~stable)),
        "not a state": (":", np.any(inside & ~physical)),
    }
    handles = [
        Line2D([], [], color=GREY, linestyle=dashes, label=label)
        for label, (dashes, there) in lines.items()
        if there
    ]
    handles += [Line2D([], [], marker=MARKS[k][0], label=MARKS[k][1], **_mark()) for k in kinds]
    panel.legend(handles=handles, loc="best")
