"""Jumps of one trajectory: their weights, and the state after one of them; compiled."""

import math
from typing import Any

from numba import njit

from spinsqueeze.methods.trajectories.frame import in_frame, same_spin_weight, spread_offset
from spinsqueeze.methods.trajectories.ladder import (
    PAD,
    added,
    clear,
    fill_roots,
    resized,
    same_spin,
    squared_norm,
    to_higher_spin,
    to_lower_spin,
)

SAME, LOWER, HIGHER = 0, 1, 2
"""What a jump does to the total spin: jump number = 3 channel + change."""


@njit(cache=True, nogil=True)
def one_jump(
    y: Any, x: Any, root: Any, a: complex, b: complex, c: complex, offset: complex, two_j: int,
    size: int, change: int,
) -> float:  # fmt: skip
    """Y = the state after a jump of the vector (a, b, c) in the frame; returns |y|^2."""
    if change == LOWER:
        return to_lower_spin(y, x, a, b, c, two_j, size)
    if change == HIGHER:
        return to_higher_spin(y, x, a, b, c, two_j, size)
    return same_spin(y, x, root, a, b, c, offset, size)


@njit(cache=True, nogil=True)
def factor_of(two_j: int, n_spins: int, local: bool, change: int) -> float:
    """1 of a collective jump, a_j, b_j or c_j of a local one."""
    if not local:
        return 1.0 if change == SAME else 0.0
    if change == SAME:
        return same_spin_weight(two_j, n_spins)
    j = two_j / 2.0
    if change == HIGHER:
        return (n_spins / 2.0 - j) / (2.0 * (j + 1.0) * (2.0 * j + 1.0))
    return 0.0 if two_j < 2 else (n_spins / 2.0 + j + 1.0) / (2.0 * j * (2.0 * j + 1.0))


@njit(cache=True, nogil=True)
def jump_weights(space: Any, terms: Any, two_j: int, size: int) -> float:
    """space.rates (3 K,): the rate of every jump times |x|^2; returns their sum. y is scratch."""
    total = 0.0
    for k in range(terms.owners.size):
        rate = space.weights[terms.owners[k]]
        a, b, c = in_frame(terms.vectors[k], space.turned)
        offset = spread_offset(a, b, c, space.mean, terms.shifted, two_j)
        for change in range(3):
            factor = rate * factor_of(two_j, terms.n_spins, terms.local[k], change)
            value = 0.0
            if factor > 0.0:
                value = factor * one_jump(
                    space.y, space.x, space.root, a, b, c, offset, two_j, size, change
                )
            space.rates[3 * k + change] = value
            total += value
    return total


@njit(cache=True, nogil=True)
def chosen(weights: Any, total: float, number: float) -> int:
    """The index at which the running sum of weights passes number * total, number in (0, 1]."""
    passed, last = 0.0, 0
    for index in range(weights.size):
        if weights[index] > 0.0:
            passed += weights[index]
            last = index
            if passed >= number * total:
                break
    return last


@njit(cache=True, nogil=True)
def jumped(space: Any, terms: Any, jump: int, two_j: int, size: int) -> Any:
    """X after jump number `jump`, normalised; returns its 2j and its size."""
    clear(space.y, 0, size + 2 + PAD)
    a, b, c = in_frame(terms.vectors[jump // 3], space.turned)
    offset = spread_offset(a, b, c, space.mean, terms.shifted, two_j)
    change = jump % 3
    one_jump(space.y, space.x, space.root, a, b, c, offset, two_j, size, change)
    if change == LOWER:
        two_j -= 2
    if change == HIGHER:
        two_j += 2
        size += 2
    size = min(size, two_j + 1)
    clear(space.x, 0, size + 2 + PAD)
    added(space.x, 1.0, space.y, size)
    clear(space.y, 0, size + 2 + PAD)
    fill_roots(space.root, two_j, size)
    resized(space.x, 1.0 / math.sqrt(squared_norm(space.x, size)), size)
    return two_j, size
