"""Steps inside a window, and the outputs inside steps."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.methods.dtwa.couplings import Couplings
from spinsqueeze.methods.dtwa.windows import Window, strengths_at
from spinsqueeze.numerics import dormand_prince as tableau

STEPS_PER_CALL = 16
"""Steps of one compiled call; a longer run is several calls of the same program."""


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


def stage_strengths(couplings: Couplings, window: Window, edges: Floats) -> dict[str, Any]:
    """Strengths at every stage of the steps between `edges`: arrays (n, 16, ...)."""
    left, h = edges[:-1, None], np.diff(edges)[:, None]
    times = left + h * np.array(tableau.NODES)
    return strengths_at(couplings, window, times)


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
