"""Cutting a run at its pulses and at the breakpoints of its envelopes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.base.question import Rotation


@final
@dataclass(frozen=True, eq=False)
class Window:
    """[start, stop], entered through `rotations`; outputs are indices of output times in it.

    Nothing happens inside: no pulse, and no breakpoint of an envelope.
    """

    start: float
    stop: float
    rotations: tuple[Rotation, ...]
    outputs: Integers


def windows(
    times: Floats,
    *,
    rotations: Iterable[Rotation],
    start: float = 0.0,
    breakpoints: Iterable[float] = (),
) -> list[Window]:
    """The windows from `start` to times[-1]; one of length 0 closes the run.

    An output at the time of a rotation is read after it, so it belongs to the window that begins
    there. Rotations at one time act in the order given; those outside the run do not act.

    Args:
        times: (T,) increasing output times, none before start.
        rotations: instantaneous rotations in any order of time.
        start: time of the initial state, before rotations at that time.
        breakpoints: further edges between start and times[-1].
    """
    stop = float(times[-1])
    acting = [r for r in rotations if start <= r.time <= stop]
    edges = sorted({start, stop, *(float(r.time) for r in acting), *breakpoints})
    out = []
    for left, right in zip(edges, [*edges[1:], stop], strict=True):
        inside = (times >= left) & (times < right) if right > left else times >= left
        entering = tuple(r for r in acting if r.time == left)
        out.append(Window(left, right, entering, np.flatnonzero(inside)))
    return out
