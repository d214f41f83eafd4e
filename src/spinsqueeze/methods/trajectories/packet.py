"""The window of levels and the frame of a packet, chosen anew now and then; compiled."""

import math
from typing import Any

from numba import njit

from spinsqueeze.methods.trajectories.frame import (
    copied,
    mean_turning,
    orthonormal,
    size_of_bands,
    to_generator,
    turned,
)
from spinsqueeze.methods.trajectories.ladder import (
    PAD,
    apply,
    clear,
    covariance,
    fill_roots,
    mean_spin,
    weight_above,
)
from spinsqueeze.methods.trajectories.step import bands_at


@njit(cache=True, nogil=True)
def tail_of(x: Any, size: int) -> float:
    """The weight in the last levels of a window, two or an eighth of it."""
    return weight_above(x, size, size - max(2, size // 8))


@njit(cache=True, nogil=True)
def fitting_size(x: Any, two_j: int, size: int, limits: Any, norm: float) -> int:
    """How many levels a window should have: more where its tail is heavy, fewer where it is not."""
    allowed = limits.tail_tolerance * norm
    if size < two_j + 1 and tail_of(x, size) > allowed:
        return min(two_j + 1, size + size // 4 + 8)
    above, needed = 0.0, size
    while needed > 1:
        k = needed - 1 + PAD
        above += x[0, k] ** 2 + x[1, k] ** 2
        if above > 0.3 * allowed:
            break
        needed -= 1
    fewer = max(min(limits.smallest, two_j + 1), needed + needed // 6 + 4)
    return fewer if fewer < size - size // 8 else size


@njit(cache=True, nogil=True)
def refitted(space: Any, two_j: int, size: int, limits: Any, norm: float) -> Any:
    """Change the window where it should; returns its size and the weight dropped."""
    new, dropped = fitting_size(space.x, two_j, size, limits, norm), 0.0
    if new < size:
        dropped = weight_above(space.x, size, new) / norm
        clear(space.x, new, size)
    elif new > size:
        clear(space.x, size, new + PAD)
        fill_roots(space.root, two_j, new)
    clear(space.y, new, new + PAD)
    return new, dropped


@njit(cache=True, nogil=True)
def anchored(space: Any, time: float) -> None:
    """Take the frame as it is `time` after its anchor for the new anchor."""
    turned(space.turned, space.R, space.w, time)
    copied(space.R, space.turned)
    orthonormal(space.R)


@njit(cache=True, nogil=True)
def aimed(space: Any, terms: Any, window: Any, time: float, two_j: int, size: int,
          norm: float) -> float:  # fmt: skip
    """Choose the shifts and the turning of the frame at its anchor; k[0]. Returns a bound of |G|.

    The frame follows the mean spin, and draws a tilt of the packet back: by how much is free, and
    so slowly that it hardly adds to |G|.
    """
    w, mean = space.w, space.mean
    mean_spin(mean, space.x, space.root, two_j, size, norm)
    bands_at(space, terms, window, time, time, two_j)
    mean_turning(w, space.bands, space.field, mean[3])
    bound = size_of_bands(space.bands, two_j, size)
    tilt = math.hypot(mean[0], mean[1])
    if tilt > 0.0:
        top = min(size - 1.0, two_j / 2.0)
        reach = math.sqrt(max(top * (two_j - top + 1.0), 1.0))
        pull = min(bound / 50.0 / two_j, 0.1 * bound / (reach * tilt))
        w[0] -= pull * mean[1]
        w[1] += pull * mean[0]
    to_generator(space.bands, w)
    apply(space.bands, space.root, space.x[0], space.x[1], space.k[0, 0], space.k[0, 1], size)
    return size_of_bands(space.bands, two_j, size)


@njit(cache=True, nogil=True)
def measured(spin: Any, matrix: Any, space: Any, time: float, two_j: int, size: int,
             norm: float) -> None:  # fmt: skip
    """Mean spin (3,) and covariance (3, 3) in the lab, `time` after the anchor."""
    body, here, R = space.body, space.here, space.turned
    mean_spin(here, space.x, space.root, two_j, size, norm)
    covariance(body, here, space.x, space.root, two_j, size, norm)
    turned(R, space.R, space.w, time)
    for a in range(3):
        spin[a] = R[a, 0] * here[0] + R[a, 1] * here[1] + R[a, 2] * here[2]
        for b in range(3):
            value = 0.0
            for c in range(3):
                for d in range(3):
                    value += R[a, c] * body[c, d] * R[b, d]
            matrix[a, b] = value
