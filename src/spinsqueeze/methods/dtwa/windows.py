"""Windows: the intervals between events in which every strength is smooth.

They end at pulses, at breakpoints of the envelopes and at the last time. No step crosses the edge
of a window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base import windows as cut
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.dtwa.couplings import Coefficients, Couplings
from spinsqueeze.numerics.rotations import rotation_matrix

_EDGE = 1e-10
"""Strengths at a window's edges are read this fraction of the window inside: jumps are safe."""


@final
@dataclass(frozen=True, eq=False)
class Window:
    """[start, stop], entered through `rotations`; outputs are numbers of output times in it."""

    start: float
    stop: float
    rotations: tuple[Rotation, ...]
    outputs: Integers
    constant: bool

    def turns(self) -> Iterator[tuple[Floats, Booleans | None]]:
        """Sigma -> matrix sigma (3, 3) of the spins of the mask, for each of the rotations."""
        for r in self.rotations:
            yield rotation_matrix(r.axis, angle=r.angle), r.mask


def windows(
    couplings: Couplings, times: Floats, rotations: Sequence[Rotation], start: float
) -> list[Window]:
    """The windows of a run from `start` to times[-1]; one of length 0 closes it.

    An output at the time of a rotation shows the spins after it.
    """
    stop = float(times[-1])
    for r in rotations:
        if not start <= r.time <= stop:
            raise InvalidInput(
                f"pulse times must lie in the run, {start:g} to {stop:g}, got {r.time:g}"
            )
    breakpoints = couplings.breakpoints(start, stop)
    return [
        Window(
            w.start,
            w.stop,
            w.rotations,
            w.outputs,
            w.stop > w.start and couplings.constant_between(w.start, w.stop),
        )
        for w in cut.windows(times, rotations=rotations, start=start, breakpoints=breakpoints)
    ]


def strengths_at(couplings: Couplings, window: Window, times: Floats) -> dict[str, Any]:
    """Strengths at times of one window (any shape), read just inside its edges."""
    inset = _EDGE * (window.stop - window.start)
    inside = np.clip(times, window.start + inset, window.stop - inset)
    values: Coefficients = couplings.coefficients(inside.ravel())
    return {
        "kernels": tuple(k.reshape(*times.shape, 3, 3) for k in values.kernels),
        "uniform": values.uniform.reshape(*times.shape, 3),
        "site": values.site.reshape(*times.shape, -1),
    }
