"""Carrying cumulants through a stretch of time: an embedded Runge-Kutta loop in machine code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numba import njit

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.cumulants.flow import arguments, flow, terms_of
from spinsqueeze.methods.cumulants.series import Series, series
from spinsqueeze.methods.cumulants.tables import ModeTerm, Table, no_tables
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics import dormand_prince

DONE, STIFF, LOST, LONG = 0, 1, 2, 3
"""How a stretch ended: at its end; where explicit steps are tiny; at numbers that are not finite;
after too many steps."""

MAX_STEPS = 1_000_000
STABLE = 6.1
"""|h lambda| at which the explicit method is at its limit of stability (Hairer)."""
STIFF_STEPS = 15
FAR = 10.0
"""Joint cumulants of spins this much larger than those of any state run away."""
BRIGHT = 1e6
"""Photons beyond this, those of the mean field in units of N, run away."""

_A = dormand_prince.matrix(dormand_prince.STAGES)
_E = dormand_prince.matrix(dormand_prince.ERROR)
_NODES = np.array(dormand_prince.NODES)
_DENSE = dormand_prince.dense_terms()
TABLEAU = (_A, _E, _NODES, _DENSE)


@final
@dataclass(frozen=True, eq=False)
class FlowArrays:
    """Everything that dp/dt depends on, as arrays.

    strengths: values (M, n) of the terms in each table; edges (M, E + 1) and cubics (M, 4, E), the
    strength of each table as a piecewise cubic in time. structure: see `flow`.
    """

    series: Series
    strengths: tuple[Floats, Floats, Floats]
    structure: tuple[Any, ...]

    @property
    def arrays(self) -> tuple[Any, ...]:
        """Strengths and structure, as `slope` and `stretch` take them."""
        return self.strengths, self.structure


def equations_of(
    tables: Sequence[Table], *, counts: Integers, order: int, n_modes: int = 0
) -> FlowArrays:
    """The equations of a model, all constants in one table, and one for each envelope."""
    n_kinds = len(counts)
    constant = Table(1.0, *no_tables(n_kinds))
    of_modes: list[ModeTerm] = []
    driven: list[Table] = []
    polynomials: list[Any] = []
    for table in tables:
        if isinstance(table.strength, Envelope):
            driven.append(table)
            polynomials.append(table.strength.polynomial)
        else:
            constant.one[...] += table.strength * table.one
            constant.two[...] += table.strength * table.two
            of_modes += [(*term[:5], table.strength * term[5]) for term in table.modes]
    n_pieces = max([1, *(len(polynomial.x) - 1 for polynomial in polynomials)])
    edges = np.full((1 + len(driven), n_pieces + 1), np.inf)
    cubics = np.zeros((1 + len(driven), 4, n_pieces))
    edges[0, 0], cubics[0, 3, 0] = -np.inf, 1.0
    for k, polynomial in enumerate(polynomials, 1):
        edges[k, : len(polynomial.x) - 1] = polynomial.x[:-1]  # the last piece goes on for ever
        cubics[k, :, : polynomial.c.shape[1]] = polynomial.c
    constant = replace(constant, modes=tuple(term for term in of_modes if term[5]))
    terms = terms_of([constant, *driven], n_kinds=n_kinds, n_modes=n_modes)
    variables = series(counts, order, n_modes=n_modes)
    return FlowArrays(variables, (terms.values, edges, cubics), arguments(terms, variables, counts))


@njit(cache=True, error_model="numpy")
def slope(time, start, stop, p, strengths, structure, coefficients, out):  # type: ignore[no-untyped-def]
    """Write dp/dt at a time into out; at the edges of a stretch the strengths are those inside."""
    values, edges, cubics = strengths
    if values.shape[0] > 1:
        for t in range(values.shape[1]):
            coefficients[t] = values[0, t]
        margin = 1e-10 * (stop - start)
        inside = min(max(time, start + margin), stop - margin)
        for k in range(1, values.shape[0]):
            piece, last = 0, cubics.shape[2] - 1
            while piece < last and inside >= edges[k, piece + 1]:
                piece += 1
            value, dt = 0.0, time - edges[k, piece]
            for power in range(4):
                value = value * dt + cubics[k, power, piece]
            for t in range(values.shape[1]):
                coefficients[t] += value * values[k, t]
    flow(p, coefficients, structure, out)


@njit(cache=True, error_model="numpy")
def _stage(y, p, h, row, k, n_stages):  # type: ignore[no-untyped-def]
    """Y = p + h sum_s row_s k_s over the first stages."""
    for i in range(p.shape[0]):
        y[i] = p[i]
    for s in range(n_stages):
        weight = h * row[s]
        if weight != 0.0:
            for i in range(p.shape[0]):
                y[i] += weight * k[s, i]


@njit(cache=True, error_model="numpy")
def _error(k, h, e, p, scale):  # type: ignore[no-untyped-def]
    """The largest error of a step, infinite where it is not a number.

    It is relative to the scales, and where a coefficient has outgrown its scale to the coefficient:
    past a crossing high degrees are 1e10 times their scale, which no step can resolve.
    """
    fifth, third = 0.0, 0.0
    for i in range(scale.shape[0]):
        five, three = 0.0, 0.0
        for s in range(12):
            five += e[0, s] * k[s, i]
            three += e[1, s] * k[s, i]
        if not np.isfinite(five):
            return np.inf
        size = max(scale[i], abs(p[i]))
        fifth = max(fifth, abs(five) / size)
        third = max(third, abs(three) / size)
    return h * fifth**2 / np.sqrt(fifth**2 + 0.01 * third**2) if fifth > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def _largest(first, second, scale):  # type: ignore[no-untyped-def]
    """The largest difference relative to the scales."""
    largest = 0.0
    for i in range(scale.shape[0]):
        largest = max(largest, abs(first[i] - second[i]) / scale[i])
    return largest


@njit(cache=True, error_model="numpy")
def _weights(weights, x, dense):  # type: ignore[no-untyped-def]
    """Write the weights of the 16 slopes at the part x of a step."""
    basis = x
    for s in range(16):
        weights[s] = 0.0
    for row in range(dense.shape[0]):
        for s in range(16):
            weights[s] += basis * dense[row, s]
        basis *= (1 - x) if row % 2 == 0 else x


@njit(cache=True, error_model="numpy")
def _stages(  # type: ignore[no-untyped-def]
    fresh, p, now, h, asked, start, stop, strengths, structure, scale, tolerance, a, e, nodes, work
):
    """The stages of one step: its error over the tolerance, and whether it looks stiff.

    fresh: the first stage to compute; 0 alone where h = 0. asked: whether an output lies inside,
    for which an accepted step needs the last three stages too. One loop for all of them: the
    equations are compiled into it once.
    """
    k, y, before, coefficients = work
    error, stiff = np.inf, False
    for r in range(fresh, 16 if h > 0.0 else 1):
        if r == 13:
            error = _error(k, h, e, p, scale) / tolerance
            _copy(before, y)
            if not (error <= 1.0 and asked):
                break
        if r == 12:
            _copy(before, y)
        _stage(y, p, h, a[r], k, r)
        slope(now + nodes[r] * h, start, stop, y, strengths, structure, coefficients, k[r])
        if r == 12:
            stiff = h * _largest(k[12], k[11], scale) > STABLE * _largest(y, before, scale)
    return error, stiff


@njit(cache=True, error_model="numpy")
def _copy(target, source):  # type: ignore[no-untyped-def]
    for i in range(target.shape[0]):
        target[i] = source[i]


@njit(cache=True, error_model="numpy")
def _write(out, done, outputs, p, now, end, k, dense):  # type: ignore[no-untyped-def]
    """Write the outputs inside a step; the number of outputs reached."""
    weights, h = np.empty(16), end - now
    while done < outputs.shape[0] and outputs[done] <= end:
        _weights(weights, (outputs[done] - now) / h, dense)
        _stage(out[done], p, h, weights, k, 16)
        done += 1
    return done


@njit(cache=True, error_model="numpy")
def _state(p, limits, stiff, left, width, least):  # type: ignore[no-untyped-def]
    """How a stretch goes on after a step."""
    if stiff >= STIFF_STEPS:
        return STIFF
    if left <= 0:
        return LONG
    if width < least:
        return LOST
    for i in range(p.shape[0]):
        if not abs(p[i]) < limits[i]:
            return LOST
    return DONE


@njit(cache=True, error_model="numpy", nogil=True)
def stretch(  # type: ignore[no-untyped-def]
    p, start, stop, outputs, out, strengths, structure, sizes, tolerance, width, tableau, max_steps
):
    """Carry p from start to stop in place; out (n_outputs, K) at the times of outputs, ascending.

    sizes: (2, K) the scale of each coefficient, and the limit beyond which it runs away. Steps keep
    the error of each coefficient below tolerance times the larger of its scale and its size.
    Returns how it ended, when, the outputs reached, the number of steps, and the last width of a
    step, with which the next stretch may begin (0: a guess). After max_steps it ends where it is.
    """
    a, e, nodes, dense = tableau
    scale, limits, n = sizes[0], sizes[1], p.shape[0]
    k, y, before = np.zeros((16, n)), np.zeros(n), np.zeros(n)
    work = (k, y, before, strengths[0][0].copy())
    now, done, steps, stiff, fresh, ended = start, 0, 0, 0, 0, DONE
    while now < stop and ended == DONE:
        end = min(now + width, stop)
        if end >= stop - 1e-14 * (stop - start):
            end = stop
        h = end - now if width > 0.0 else 0.0
        asked = done < outputs.shape[0] and outputs[done] <= end
        error, looks_stiff = _stages(
            fresh, p, now, h, asked, start, stop, strengths, structure, scale, tolerance, a, e,
            nodes, work,
        )  # fmt: skip
        fresh = 1
        if h == 0.0:
            fastest = _largest(k[0], np.zeros(n), scale)
            width = min(stop - now, 0.01 / fastest) if fastest > 0.0 else stop - now
            continue
        steps += 1
        stiff = max(stiff + (1 if looks_stiff else -1), 0)
        if error <= 1.0:
            done = _write(out, done, outputs, p, now, end, k, dense)
            now = end
            _copy(p, before)
            _copy(k[0], k[12])
        cut_short = error <= 1.0 and h < width  # by the end of the stretch, not by an error
        width = max(width, _next_width(h, error)) if cut_short else _next_width(h, error)
        least = 1e-14 * max(now, stop - start) if now < stop else 0.0
        ended = _state(p, limits, stiff, max_steps - steps, width, least)
    return ended, now, done, steps, width


@njit(cache=True, error_model="numpy")
def _next_width(h, error):  # type: ignore[no-untyped-def]
    """The width of the next step, or of the next trial where error exceeds 1."""
    if not np.isfinite(error):
        return h / 10
    if error == 0.0:
        return 5.0 * h
    return h * min(5.0, max(0.2, 0.9 * error ** (-1 / 8)))
