"""Cumulants of distinct spins of a permutation-invariant state, from its blocks of total spin.

With n = (n_x, n_y, n_z), T_n is the sum over tuples of |n| distinct spins of the product of n_x
operators s_x, n_y s_y and n_z s_z, so that <T_n> = N!/(N - |n|)! m_n. With S_a in front, a spin
outside the product joins it, or one inside is met twice, s_a s_b = delta_ab/4 + (i/2) eps_abc s_c:

T_(n + e_a) = S_a T_n - sum_b n_b [delta_ab (N - |n| + 1) T_(n - e_b)/4
                                   + (i/2) eps_abc T_(n - e_b + e_c)].
"""

from collections.abc import Callable

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.cumulants.series import Series
from spinsqueeze.numerics import block_layout
from spinsqueeze.numerics.angular_momentum import total_spins

Action = Callable[[int, Complexes], Complexes]


def of_amplitudes(amplitudes: Complexes, *, n_spins: int, series: Series) -> Floats:
    """P (K,) of a pure state of total spin N/2, m = N/2 first."""
    act = _collective(n_spins / 2)
    products = _products(amplitudes[:, None], act, n_spins, series)
    means = np.array([np.vdot(amplitudes, state[:, 0]).real for state in products])
    return _cumulants(means, n_spins, series)


def of_blocks(values: Complexes, *, n_spins: int, series: Series) -> Floats:
    """P (K,) of a flat block state."""
    means = np.zeros(len(series.exponents))
    for j, block in zip(total_spins(n_spins), block_layout.blocks(values, n_spins), strict=True):
        if np.any(block):
            products = _products(np.array(block), _collective(float(j)), n_spins, series)
            means += [np.trace(state).real for state in products]
    return _cumulants(means, n_spins, series)


def rounding(n_spins: int, order: int) -> float:
    """What rounding leaves unknown of the highest cumulants, relative to their usual size."""
    return float(np.finfo(np.float64).eps) * float(n_spins) ** (order - 1)


def _collective(j: float) -> Action:
    """(a, states) -> S_a applied to the columns of states (2j + 1, n), m = j first."""
    m = j - np.arange(round(2 * j) + 1)
    up = np.sqrt((j - m[1:]) * (j + m[1:] + 1))  # <m + 1| S_+ |m>

    def act(axis: int, states: Complexes) -> Complexes:
        if axis == 2:
            return m[:, None] * states
        raised, lowered = np.zeros_like(states), np.zeros_like(states)
        raised[:-1] = up[:, None] * states[1:]
        lowered[1:] = up[:, None] * states[:-1]
        return (raised + lowered) / 2 if axis == 0 else (raised - lowered) / 2j

    return act


def _products(states: Complexes, act: Action, n_spins: int, series: Series) -> list[Complexes]:
    """T_n applied to the states, for every n of the series."""
    place = {tuple(row): k for k, row in enumerate(series.exponents.tolist())}
    out = [states.astype(complex)]
    for n in series.exponents[1:].tolist():
        a = next(axis for axis in range(3) if n[axis])
        below = _moved(n, a)
        degree = sum(below)
        state = act(a, out[place[tuple(below)]])
        for b in range(3):
            if not below[b]:
                continue
            less = _moved(below, b)
            if a == b:
                state = state - below[b] * (n_spins - degree + 1) / 4 * out[place[tuple(less)]]
            else:
                c = 3 - a - b
                sign = 1 if (b - a) % 3 == 1 else -1
                turned = out[place[tuple(_moved(less, c, 1))]]
                state = state - 0.5j * sign * below[b] * turned
        out.append(state)
    return out


def _moved(n: list[int], axis: int, change: int = -1) -> list[int]:
    return [k + change * (b == axis) for b, k in enumerate(n)]


def _cumulants(means: Floats, n_spins: int, series: Series) -> Floats:
    """The logarithm of sum_n m_n x^n/n!, from <T_n> = N!/(N - |n|)! m_n."""
    degrees = series.exponents.sum(axis=1)
    moments = means.copy()
    for k, row in enumerate(series.exponents):
        for step in range(degrees[k]):
            moments[k] /= n_spins - step
        for power in row:
            moments[k] /= float(np.prod(np.arange(1, power + 1)))
    place = {tuple(row): k for k, row in enumerate(series.exponents.tolist())}
    out = np.zeros_like(moments)
    for k in range(1, len(out)):
        total = degrees[k] * moments[k]
        for other in range(1, k):
            rest = series.exponents[k] - series.exponents[other]
            if rest.min() >= 0:
                total -= degrees[other] * out[other] * moments[place[tuple(rest.tolist())]]
        out[k] = total / degrees[k]
    return out
