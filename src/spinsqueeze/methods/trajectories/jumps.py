"""Jumps of one trajectory: their weights, and the state after one of them; compiled."""

from typing import Any

from numba import njit

from spinsqueeze.methods.trajectories.frame import in_frame, same_spin_weight, spread_offset
from spinsqueeze.methods.trajectories.ladder import same_spin, to_higher_spin, to_lower_spin

SAME, LOWER, HIGHER = 0, 1, 2
"""What a jump does to the total spin: jump number = 3 channel + change."""


@njit(cache=True, nogil=True)
def one_jump(
    y: Any, x: Any, root: Any, a: complex, b: complex, c: complex, offset: complex, two_j: int,
    size: int, change: int,
) -> float:  # fmt: skip
    """y = the state after a jump of the vector (a, b, c) in the frame; returns |y|^2."""
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
def jump_weights(
    out: Any, y: Any, x: Any, root: Any, R: Any, weights: Any, vectors: Any, owners: Any,
    local: Any, two_j: int, n_spins: int, size: int, mean: Any, shifted: bool,
) -> float:  # fmt: skip
    """out (3 K,): the rate of every jump times |x|^2; returns their sum. y is scratch."""
    total = 0.0
    for k in range(owners.size):
        rate = weights[owners[k]]
        a, b, c = in_frame(vectors[k], R)
        offset = spread_offset(a, b, c, mean, shifted, two_j)
        for change in range(3):
            factor = factor_of(two_j, n_spins, local[k], change)
            value = 0.0
            if rate > 0.0 and factor > 0.0:
                value = (
                    rate * factor * one_jump(y, x, root, a, b, c, offset, two_j, size, change)
                )
            out[3 * k + change] = value
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
def after_jump(
    y: Any, x: Any, root: Any, R: Any, vectors: Any, jump: int, two_j: int, size: int,
    mean: Any, shifted: bool,
) -> float:  # fmt: skip
    """y = the state after jump number `jump`, not normalised; returns |y|^2."""
    a, b, c = in_frame(vectors[jump // 3], R)
    offset = spread_offset(a, b, c, mean, shifted, two_j)
    return one_jump(y, x, root, a, b, c, offset, two_j, size, jump % 3)


@njit(cache=True, nogil=True)
def two_j_after(two_j: int, jump: int) -> int:
    """2j after a jump."""
    change = jump % 3
    if change == SAME:
        return two_j
    return two_j - 2 if change == LOWER else two_j + 2
