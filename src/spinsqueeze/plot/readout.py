"""Which curves of xi2 are drawn: at the atoms, and as measured where a run has a readout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.results.best import optimum_of_run

MEASURED = {"optimal_xi2": "optimal_measured_xi2", "xi2": "measured_xi2"}
"""The same quantity as a readout finds it."""
AT_ATOMS, AS_MEASURED = "at the atoms", "as measured"


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """A curve of xi2.

    label: its name, empty for the only one. source: the variable. optimum: to be marked, or None.
    """

    label: str
    data: Any
    source: str
    optimum: Any

    @property
    def measured(self) -> bool:
        """Whether it is that of a readout."""
        return self.source == "measured_xi2"


def curves_of(datasets: Mapping[str, Any], optima: Mapping[str, Any]) -> list[Curve]:
    """The curves of labelled Datasets; the optimum as measured is found where one is marked."""
    # Who lays the measured result over that of the atoms has named both already.
    alone = not any("measured_with_resolution" in data.attrs for data in datasets.values())
    curves = []
    for name, data in datasets.items():
        own = f"{name}: " if name else ""
        doubled = alone and found(data, "xi2")
        label = f"{own}{AT_ATOMS}" if doubled else name
        curves.append(Curve(label, data, "xi2", optima.get(name)))
        if doubled:
            best = _measured_optimum(data) if name in optima else None
            curves.append(Curve(f"{own}{AS_MEASURED}", data, "measured_xi2", best))
    return curves


def found(data: Any, name: str) -> bool:
    """Whether a readout that misses something makes another curve of a quantity of the atoms."""
    measured = MEASURED.get(name, "")
    if measured not in data:
        return False
    return not np.allclose(data[measured], data[name], rtol=1e-9, atol=0.0, equal_nan=True)


def quantities(data: Any, name: str, *, chosen: bool) -> tuple[str, str | None]:
    """What a sweep draws first, and beside it.

    Curves get the quantity as measured beside that of the atoms, a map over the readout is that as
    measured; what is chosen by name stays.
    """
    if chosen or not found(data, name):
        return name, None
    if len(data[name].dims) == 1:
        return name, MEASURED[name]
    paths = (str(label.attrs.get("path", "")) for label in data.coords.values())
    return (MEASURED[name] if any(p.startswith("readout.") for p in paths) else name), None


def _measured_optimum(data: Any) -> Any:
    try:
        return optimum_of_run(data, measured=True)
    except SpinSqueezeError:
        return None  # a curve without an optimum is drawn all the same
