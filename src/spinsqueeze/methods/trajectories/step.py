"""One step of a trajectory between jumps, fifth order with an embedded error: compiled."""

import math
from typing import Any

import numpy as np
from numba import njit

from spinsqueeze.methods.trajectories.frame import (
    hamiltonian_bands,
    to_generator,
    turned,
    weights_at,
)
from spinsqueeze.methods.trajectories.ladder import PAD, SUMS, apply, squared_norm

_NODES = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
_STAGES = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)  # dormand1980


@njit(cache=True, nogil=True, fastmath=SUMS)
def combined(y: Any, x: Any, k: Any, factors: Any, count: int, step: float, size: int) -> None:
    """Y = x + step sum_i factors_i k_i over the first `count` stages; factors are 0 beyond."""
    a, b, c = step * factors[0], step * factors[1], step * factors[2]
    d, e, f = step * factors[3], step * factors[4], step * factors[5]
    for part in range(2):
        out, start = y[part], x[part]
        k_0, k_1, k_2 = k[0, part], k[1, part], k[2, part]
        if count <= 3:
            for n in range(size):
                i = n + PAD
                out[i] = start[i] + a * k_0[i] + b * k_1[i] + c * k_2[i]
        else:
            k_3, k_4, k_5 = k[3, part], k[4, part], k[5, part]
            for n in range(size):
                i = n + PAD
                out[i] = start[i] + (
                    a * k_0[i] + b * k_1[i] + c * k_2[i] + d * k_3[i] + e * k_4[i] + f * k_5[i]
                )


@njit(cache=True, nogil=True, fastmath=SUMS)
def error_norm(k: Any, step: float, size: int) -> float:
    """|step sum_i e_i k_i|, the fifth order less the embedded fourth."""
    total = 0.0
    for part in range(2):
        k_0, k_2, k_3, k_4 = k[0, part], k[2, part], k[3, part], k[4, part]
        k_5, k_6 = k[5, part], k[6, part]
        for n in range(size):
            i = n + PAD
            value = (
                71 / 57600 * k_0[i]
                - 71 / 16695 * k_2[i]
                + 71 / 1920 * k_3[i]
                - 17253 / 339200 * k_4[i]
                + 22 / 525 * k_5[i]
                - 1 / 40 * k_6[i]
            )
            total += value * value
    return abs(step) * math.sqrt(total)


@njit(cache=True, nogil=True)
def root_of_cubic(before: float, slope_0: float, after: float, slope_1: float, level: float,
                  step: float) -> float:  # fmt: skip
    """Where the cubic with these values and slopes at 0 and 1 step passes `level`, in steps."""
    low, high = 0.0, 1.0
    a, b = slope_0 * step, slope_1 * step
    for _ in range(60):
        s = 0.5 * (low + high)
        value = (
            before * (1 + 2 * s) * (1 - s) ** 2
            + a * s * (1 - s) ** 2
            + after * s * s * (3 - 2 * s)
            + b * s * s * (s - 1)
        )
        if value > level:
            low = s
        else:
            high = s
    return 0.5 * (low + high)


@njit(cache=True, nogil=True)
def bands_at(space: Any, terms: Any, window: Any, time: float, anchor: float, two_j: int) -> None:
    """The frame, the weights and the bands of H at a time."""
    turned(space.turned, space.R, space.w, time - anchor)
    weights_at(space.weights, window.polynomials, (time - window.start) / window.half - 1.0)
    hamiltonian_bands(
        space.bands, space.turned, terms, space.weights, two_j, space.mean, space.field
    )


@njit(cache=True, nogil=True)
def attempt(space: Any, terms: Any, window: Any, step: float, time: float, anchor: float,
            two_j: int, size: int) -> Any:  # fmt: skip
    """Y = x after a step, k[1:] the slopes; k[0] is given. Returns |y|^2 and |error of y|."""
    x, y, k = space.x, space.y, space.k
    for stage in range(1, 7):
        combined(y, x, k, _STAGES[stage], stage, step, size)
        if stage < 6:  # the last two stages stand at the end of the step
            bands_at(space, terms, window, time + _NODES[stage] * step, anchor, two_j)
            to_generator(space.bands, space.w)
        apply(space.bands, space.root, y[0], y[1], k[stage, 0], k[stage, 1], size)
    return squared_norm(y, size), error_norm(k, step, size)
