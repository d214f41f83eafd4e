"""Which steps a run takes: windows between events, steps inside windows, outputs inside steps.

A window is an interval in which every strength is smooth: windows end at pulses, at
breakpoints of the envelopes and at the last time. Steps never cross a window's edge.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base import windows as cut
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.dtwa import tableau
from spinsqueeze.methods.dtwa.couplings import Coefficients, Couplings

STEPS_PER_CALL = 16
"""Steps of one compiled call; a longer run is several calls of the same program."""

_EDGE = 1e-10
"""Strengths at a window's edges are read this fraction of the window inside: jumps are safe."""


def rotation_matrix(axis: Floats, *, angle: float) -> Floats:
    """The right-handed rotation (3, 3) by `angle` about `axis`: exp(-i angle axis.S) on states.

    Raises:
        InvalidInput: axis of length 0.
    """
    axis = np.asarray(axis, dtype=float)
    length = float(np.linalg.norm(axis))
    if length == 0.0:
        raise InvalidInput("axis must have a length above 0, got [0, 0, 0]")
    x, y, z = axis / length
    generator = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # 1 - cos(angle) = 2 sin(angle/2)^2 keeps small angles exact.
    turn = np.sin(angle) * generator + 2 * np.sin(angle / 2) ** 2 * (generator @ generator)
    return np.asarray(np.eye(3) + turn)


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


@final
@dataclass(frozen=True, eq=False)
class Steps:
    """Steps from edges[i] to edges[i + 1] of one window, with strengths at all their stages.

    interior (n,): whether an output lies inside the step. strengths: arrays (n, 16, ...).
    outputs: for each step the numbers of its output times and their weights (m, 16).
    """

    edges: Floats
    interior: Booleans
    strengths: dict[str, Any]
    outputs: tuple[tuple[Integers, Floats], ...]

    @property
    def widths(self) -> Floats:
        """Step lengths (n,)."""
        return np.diff(self.edges)

    def segments(self, *, estimate: bool) -> list[dict[str, Any]]:
        """The steps as arguments of the compiled loop, padded to its fixed length.

        `estimate`: whether the loop estimates the error of each step.
        """
        n = len(self.edges) - 1
        out = []
        for first in range(0, n, STEPS_PER_CALL):
            rows = slice(first, min(first + STEPS_PER_CALL, n))
            flags = np.stack([self.interior, np.full(n, estimate)], axis=1)
            out.append(
                {
                    "widths": _padded(self.widths[rows]),
                    "flags": _padded(flags[rows]),
                    "count": np.int32(rows.stop - rows.start),
                    "strengths": {
                        "kernels": tuple(_padded(k[rows]) for k in self.strengths["kernels"]),
                        "uniform": _padded(self.strengths["uniform"][rows]),
                        "site": _padded(self.strengths["site"][rows]),
                    },
                }
            )
        return out


def _padded(values: NDArray[Any]) -> NDArray[Any]:
    out = np.zeros((STEPS_PER_CALL, *values.shape[1:]), dtype=values.dtype)
    out[: len(values)] = values
    return out


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


def stage_strengths(couplings: Couplings, window: Window, edges: Floats) -> dict[str, Any]:
    """Strengths at every stage of the steps between `edges`: arrays (n, 16, ...)."""
    left, h = edges[:-1, None], np.diff(edges)[:, None]
    times = left + h * np.array(tableau.NODES)
    return strengths_at(couplings, window, times)


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


def lay_steps(couplings: Couplings, window: Window, edges: Floats, times: Floats) -> Steps:
    """The steps between `edges`, with the strengths and the outputs that each needs."""
    n = len(edges) - 1
    wanted = times[window.outputs]
    index = np.clip(np.searchsorted(edges, wanted, side="right") - 1, 0, n - 1)
    widths = np.diff(edges)
    interior = np.zeros(n, bool)
    outputs = []
    for i in range(n):
        mine = np.flatnonzero(index == i)
        x = np.clip((wanted[mine] - edges[i]) / widths[i], 0.0, 1.0)
        x = np.where(x < 1e-12, 0.0, np.where(x > 1 - 1e-12, 1.0, x))
        interior[i] = bool(np.any((x > 0) & (x < 1)))
        outputs.append((window.outputs[mine], widths[i] * tableau.dense_weights(x)))
    return Steps(edges, interior, stage_strengths(couplings, window, edges), tuple(outputs))


def trial_step(couplings: Couplings, window: Window, start: float, stop: float) -> dict[str, Any]:
    """One step with an error estimate and no outputs, as an argument of the compiled loop."""
    edges = np.array([start, stop])
    strengths = stage_strengths(couplings, window, edges)
    return Steps(edges, np.zeros(1, bool), strengths, ()).segments(estimate=True)[0]


def subdivided(edges: Floats, n_steps: int) -> Floats:
    """Edges of `n_steps` steps that follow the density of the given ones."""
    index = np.linspace(0, len(edges) - 1, n_steps + 1)
    return np.interp(index, np.arange(len(edges)), edges)
