"""The axes of a sweep: where values stand, in which unit, on which scale."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.quantities import written_quantity
from spinsqueeze.core.written_units import axis_scale, is_laboratory
from spinsqueeze.plot.style import with_superscripts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = 14
_SYMBOL = re.compile(r"t[12]|c[36]")
"""Names of [lab] that are written as capitals."""
DECADES = 30.0
STRENGTHS = ("chi", "rate", "rabi", "j_perp", "j_x", "j_y", "j_z", "plateau")
"""Fields of terms that are rates or strengths, in the unit of the model."""


@final
@dataclass(frozen=True)
class SweptAxis:
    """Where values stand on an axis: (n,) positions, words under them or none, its scale."""

    label: str
    positions: Floats
    words: tuple[str, ...]
    logarithmic: bool

    def edges(self) -> Floats:
        """(n + 1,) borders of the cells around the positions."""
        at = np.log(self.positions) if self.logarithmic else self.positions
        if len(at) == 1:
            inner = np.array([at[0] - 0.5, at[0] + 0.5])
        else:
            middle = (at[1:] + at[:-1]) / 2
            inner = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
        return np.exp(inner) if self.logarithmic else inner


def axis_of(data: Any, dim: Any) -> SweptAxis:
    """The axis of a swept dimension."""
    values = data[dim].values if dim in data.coords else np.arange(data.sizes[dim])
    others = [str(n) for n, c in data.coords.items() if c.dims == (dim,) and n != dim]
    name, units = _of_term(data, dim)
    own = str(data[dim].attrs.get("units", "")) if dim in data.coords else ""
    units = units or (own if is_laboratory(own) else "")  # J, the default, is said by the name
    label = with_superscripts(name) + (f" (with {', '.join(others)})" if others else "")
    texts = _of_texts(values, label)
    if texts is not None:
        return texts
    if values.dtype.kind not in "fi" or not np.isfinite(values).all():
        words = tuple(
            f"{v:g}" if isinstance(v, float) else with_superscripts(str(v)) for v in values.tolist()
        )
        return SweptAxis(label, np.arange(len(words), dtype=float), words, False)
    at = np.asarray(values, dtype=float)
    logarithmic = _log_spaced(at)
    factor, unit = axis_scale(1.0 if logarithmic else float(np.abs(at).max(initial=0.0)), units)
    return SweptAxis(f"{label} ({unit})" if unit else label, factor * at, (), logarithmic)


def _of_texts(values: Any, label: str) -> SweptAxis | None:
    """The axis of texts with units of one kind, all in that of the first; None of others."""
    read = [written_quantity(value) for value in values.tolist()]
    known = [text for text in read if text is not None]
    if not known or len(known) < len(read) or len({text.dimension for text in known}) > 1:
        return None
    unit = known[0].of_one
    at = np.array([text.number * (text.of_one / unit) for text in known])
    name = label.upper() if _SYMBOL.fullmatch(label) else label
    shown = ("2π " if known[0].two_pi else "") + re.sub(r"\bu(?=[a-z])", "µ", known[0].unit)
    return SweptAxis(f"{name} ({with_superscripts(shown)})", at, (), _log_spaced(at))


def _of_term(data: Any, dim: Any) -> tuple[str, str]:
    """'rate of local_decay' of the swept dimension "rate", and its unit where it is a strength."""
    path = str(data[dim].attrs.get("path", "")) if dim in data.coords else ""
    part, number, field = [*path.split(".", 2), "", ""][:3]
    tables = json.loads(data.attrs.get("study", "{}")).get(part)
    if part not in ("hamiltonian", "jumps") or not tables or field == "term":
        return str(dim), ""
    term = tables[int(number)]["term"]
    which = f" ({part}.{number})" if sum(table["term"] == term for table in tables) > 1 else ""
    units = str(data.attrs.get("unit", "")) if field in STRENGTHS else ""
    return f"{field} of {term}{which}", units


def _log_spaced(values: Floats) -> bool:
    """Whether steps are clearly more even in the logarithm: 10, 32, 100, 316 or 1, 2, 5, 10."""
    values = np.unique(values)
    if len(values) < 3 or values[0] <= 0 or values[-1] / values[0] < 4:
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(steps.max() / steps.min() > 1.5 * ratios.max() / ratios.min())


def spans_decades(values: Floats) -> bool:
    """Whether finite values are all positive and the largest is DECADES times the least."""
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() > 0 and known.max() >= DECADES * known.min())


def in_order(axis: SweptAxis, order: Integers) -> SweptAxis:
    """The axis with its values in another order."""
    words = tuple(axis.words[k] for k in order) if axis.words else ()
    return SweptAxis(axis.label, axis.positions[order], words, axis.logarithmic)


def set_scale(panel: Axes, which: str, axis: SweptAxis) -> None:
    """Give "x" or "y" of a panel its scale, words and label."""
    if axis.logarithmic:
        panel.set(**{f"{which}scale": "log"})
    if axis.words:
        step = -(-len(axis.words) // _TICKS)
        panel.set(
            **{
                f"{which}ticks": axis.positions[::step],
                f"{which}ticklabels": axis.words[::step],
            }
        )
    panel.set(**{f"{which}label": axis.label})
