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
from spinsqueeze.methods.trajectories.ladder import PAD, apply, squared_norm

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
)
_ERROR = np.array(
    [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]
)  # dormand1980: fifth order less the embedded fourth


@njit(cache=True, nogil=True)
def combined(y: Any, x: Any, k: Any, factors: Any, count: int, step: float, size: int) -> None:
    """y = x + step sum_i factors_i k_i over the first `count` stages."""
    for part in range(2):
        out, start = y[part], x[part]
        first = step * factors[0]
        stage = k[0, part]
        for n in range(PAD, size + PAD):
            out[n] = start[n] + first * stage[n]
        for i in range(1, count):
            factor = step * factors[i]
            if factor != 0.0:
                stage = k[i, part]
                for n in range(PAD, size + PAD):
                    out[n] += factor * stage[n]


@njit(cache=True, nogil=True)
def error_norm(k: Any, factors: Any, step: float, size: int, scratch: Any) -> float:
    """|step sum_i factors_i k_i|."""
    total = 0.0
    for part in range(2):
        for n in range(PAD, size + PAD):
            scratch[n] = 0.0
        for i in range(7):
            if factors[i] != 0.0:
                stage = k[i, part]
                for n in range(PAD, size + PAD):
                    scratch[n] += factors[i] * stage[n]
        for n in range(PAD, size + PAD):
            total += scratch[n] * scratch[n]
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
def attempt(
    y: Any,
    x: Any,
    k: Any,
    step: float,
    time: float,
    R: Any,
    w: Any,
    anchor: float,
    start: float,
    half: float,
    polynomials: Any,
    quadratics: Any,
    fields: Any,
    vectors: Any,
    owners: Any,
    local: Any,
    two_j: int,
    n_spins: int,
    mean: Any,
    shifted: bool,
    root: Any,
    size: int,
    bands: Any,
    weights: Any,
    turned_R: Any,
    scratch: Any,
) -> Any:
    """y = x after a step, k[1:] the slopes; k[0] is given. Returns |y|^2 and |error of y|."""
    for stage in range(1, 7):
        combined(y, x, k, _STAGES[stage], stage, step, size)
        if stage < 6:  # the last two stages stand at the end of the step
            moment = time + _NODES[stage] * step
            turned(turned_R, R, w, moment - anchor)
            weights_at(weights, polynomials, (moment - start) / half - 1.0)
            hamiltonian_bands(
                bands, turned_R, weights, quadratics, fields, vectors, owners, local, two_j,
                n_spins, mean, shifted, scratch[:3],
            )  # fmt: skip
            to_generator(bands, w)
        apply(bands, root, y[0], y[1], k[stage, 0], k[stage, 1], size)
    return squared_norm(y, size), error_norm(k, _ERROR, step, size, scratch)
