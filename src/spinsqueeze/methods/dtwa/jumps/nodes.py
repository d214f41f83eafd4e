"""The nodes of a window, and the outputs between them.

Node k gathers the noise of the interval from the middle of the step before it to the middle of the
step behind it; so noise acts at most half a step from its time, as often late as early.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.dtwa.couplings import Couplings
from spinsqueeze.methods.dtwa.jumps.loop import NODES_PER_CALL
from spinsqueeze.methods.dtwa.jumps.reservoirs import Reservoirs
from spinsqueeze.methods.dtwa.windows import Window, strengths_at


@final
@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes at edges (n + 1,) of one window; the last one has no step behind it.

    first: number of the first node in the run. each: what the compiled loop wants of every node.
    noise (n + 1, 3, 3): covariance of the noise of sum_i sigma_i from single spins.
    kicks (n + 1, K): standard deviations of the angles of the kicks. outputs (m,): times.
    """

    edges: Floats
    first: int
    each: dict[str, Any]
    noise: Floats
    kicks: Floats
    outputs: Floats
    output_numbers: Integers

    def segments(self, *, length: int = NODES_PER_CALL) -> list[dict[str, Any]]:
        """The nodes as arguments of the compiled loop, up to `length` of them in each."""
        out = []
        for start in range(0, len(self.edges), length):
            rows = slice(start, min(start + length, len(self.edges)))
            out.append(
                {"count": np.int32(rows.stop - rows.start), "each": _padded(self.each, rows)}
            )
        return out

    def collective_spins(self, sums: Floats, pulls: Floats, drawn: Floats) -> Floats:
        """sum_i sigma_i (S, m, 3) at the outputs.

        sums (n + 1, 6, 3, S) and pulls (n + 1, K, 3, S) come from the loop; drawn (S, m, 3 + K)
        are standard normal. Between nodes: the step's own interpolation of order 3, less the
        noise of the node that is later than the output, or plus that of the next node which is
        earlier: a Brownian bridge to the noise of the whole interval.
        """
        n = len(self.edges) - 1
        index = np.clip(np.searchsorted(self.edges, self.outputs, side="right") - 1, 0, n - 1)
        out = np.empty((sums.shape[-1], len(self.outputs), 3))
        for m, (k, time) in enumerate(zip(index, self.outputs, strict=True)):
            h = self.edges[k + 1] - self.edges[k]
            x = float(np.clip((time - self.edges[k]) / h, 0.0, 1.0))
            flow = h * np.tensordot(_interpolation(x), sums[k, 2:], axes=(0, 0))
            near = k + (x >= 0.5)
            starts = self.edges[near] - (
                0.5 * (self.edges[near] - self.edges[near - 1]) if near else 0
            )
            stops = self.edges[near] + (
                0.5 * (self.edges[near + 1] - self.edges[near]) if near < n else 0
            )
            part = float(np.clip((time - starts) / (stops - starts), 0.0, 1.0))
            noise = sums[near, 1] - sums[near, 0]
            bridge = np.einsum("ab,sb->as", _root(self.noise[near]), drawn[:, m, :3])
            bridge += np.einsum("k,sk,kas->as", self.kicks[near], drawn[:, m, 3:], pulls[near])
            early = part * noise + np.sqrt(part * (1 - part)) * bridge
            change = early - noise if near == k else early
            out[:, m] = (sums[k, 1] + flow + change).T
        return out


def lay_nodes(
    couplings: Couplings,
    reservoirs: Reservoirs,
    window: Window,
    edges: Floats,
    times: Floats,
    *,
    first: int,
    bloch: Floats | None,
    dtype: Any,
) -> Nodes:
    """Nodes at `edges`; bloch (n + 1, 3, c): mean Bloch vectors there, None for no noise at all."""
    widths = np.diff(edges)
    middles = (edges[:-1] + edges[1:]) / 2
    totals = reservoirs.totals(np.concatenate([edges[:1], middles, edges[-1:]]))
    stages = edges[:-1, None] + widths[:, None] * np.array([0.0, 0.5, 1.0])
    strengths = strengths_at(couplings, window, stages)
    inset = 1e-10 * (window.stop - window.start)
    rates = reservoirs.strengths(np.clip(stages, window.start + inset, window.stop - inset))
    count = len(edges)
    if bloch is None:
        factors = np.zeros((count, 3, 3, 1))
        kicks = np.zeros((count, len(reservoirs.kicks)))
    else:
        factors = reservoirs.factors(totals, bloch)
        kicks = np.sqrt(totals[:, list(reservoirs.kick_of)])
    square = np.einsum("nabc,ndbc->nad", factors, factors)
    spins = couplings.n_spins if factors.shape[-1] == 1 else 1
    each = {
        "number": np.arange(first, first + count, dtype=np.uint32),
        "width": _lengthened(widths),
        "factors": factors.astype(dtype),
        "kicks": kicks,
        "rates": _lengthened(rates),
        "strengths": {
            "kernels": tuple(_lengthened(k) for k in strengths["kernels"]),
            "uniform": _lengthened(strengths["uniform"]),
            "site": _lengthened(strengths["site"]),
        },
    }
    wanted = times[window.outputs]
    return Nodes(edges, first, each, spins * square, kicks, wanted, window.outputs)


def _interpolation(x: float) -> Floats:
    """Weights (4,) of the slopes of the classical Runge-Kutta step at its fraction x, order 3."""
    middle = x**2 - 2 * x**3 / 3
    return np.array([x - 1.5 * x**2 + 2 * x**3 / 3, middle, middle, 2 * x**3 / 3 - x**2 / 2])


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _lengthened(values: Floats) -> Floats:
    """One row of zeros more: the last node has no step."""
    return np.concatenate([values, np.zeros((1, *values.shape[1:]))])


def _padded(values: Any, rows: slice) -> Any:
    """Rows of every array, followed by zeros up to the length of a call."""
    if isinstance(values, dict):
        return {name: _padded(v, rows) for name, v in values.items()}
    if isinstance(values, tuple):
        return tuple(_padded(v, rows) for v in values)
    out = np.zeros((NODES_PER_CALL, *values.shape[1:]), dtype=values.dtype)
    out[: rows.stop - rows.start] = values[rows]
    return out
