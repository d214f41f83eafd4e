"""The equations of motion of the cumulants: a function of arrays, for every model and order.

log M(x) = C(x), M the generating function of the moments of distinct spins, see NOTES.md:

dC/dt = sum_u x_u [one_u0 + sum_v one_uv C_v + sum_B ((N_B - [u in B]) - E_B - (E_B C)) W_uB]
      + sum_(u,u') x_u x_u' [two_00 + two_v0 C_v + two_0w C_w + two_vw P_vw]

with variables u = (kind, axis), and those of modes after them (mode_tables.py), C_v = dC/dx_v,
P_vw = C_vw + C_v C_w, W_uB = sum_vw two P_vw (one spin inside the product, one of kind B outside)
and E_B the Euler operator sum_(b in B) x_b d/dx_b; (u, u') runs over unordered pairs of factors.
Degrees above the order are dropped.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
from numba import njit

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.cumulants.series import Series
from spinsqueeze.methods.cumulants.tables import Table

CONSTANT = -1


@final
@dataclass(frozen=True, eq=False)
class Terms:
    """The nonzero entries of tables, as lists of equal lengths with a coefficient in each table.

    A source is a series: C_v for v < V, then P of the q-th of `pairs`; -1 is the constant 1.

    Attributes:
        pairs: (Q, 2) variables v <= w whose P is needed.
        places: (4, n) of each term: its variable u, its second variable u' or -1, its source, and
            the kind B of the spin outside or -1.
        values: (M, n) coefficients in each of M tables.
    """

    pairs: Integers
    places: Integers
    values: Floats


def terms_of(tables: list[Table], *, n_kinds: int, n_modes: int = 0) -> Terms:
    """The terms of all tables, in one list."""
    ones = np.array([table.one[:, 1:] for table in tables])
    twos = np.array([table.two[:, :, 1:] for table in tables])
    places = tuple(dict.fromkeys(term[:5] for table in tables for term in table.modes))
    patterns = np.any(ones, axis=0).tobytes(), np.any(twos, axis=0).tobytes()
    layout = _layout(*patterns, places, n_kinds=n_kinds, n_modes=n_modes)
    of_modes = np.zeros((len(tables), len(places)))
    for k, table in enumerate(tables):
        for term in table.modes:
            of_modes[k, places.index(term[:5])] += term[5]
    parts = [ones.reshape(len(tables), -1), twos.reshape(len(tables), -1), of_modes]
    entries = np.concatenate(parts, axis=1)
    values = np.zeros((len(tables), layout.places.shape[1]))
    for k, row in enumerate(entries):
        np.add.at(values[k], layout.term, layout.factor * row[layout.entry])
    return Terms(layout.pairs, layout.places, values)


@final
@dataclass(frozen=True, eq=False)
class _Layout:
    """The terms of a pattern of nonzero entries: each has its term and a factor."""

    pairs: Integers
    places: Integers
    entry: Integers
    term: Integers
    factor: Floats


@lru_cache(maxsize=64)
def _layout(
    one: bytes, two: bytes, modes: tuple[tuple[int, ...], ...], *, n_kinds: int, n_modes: int
) -> _Layout:
    """The terms of the entries that are true, [A, a - 1, b] and [A, B, a - 1, a', b, b'].

    modes: (u, u', v, w, kind) of the terms of modes.
    """
    n_variables = 3 * n_kinds + 2 * n_modes
    ones = np.frombuffer(one, dtype=bool).reshape(n_kinds, 3, 4)
    twos = np.frombuffer(two, dtype=bool).reshape(n_kinds, n_kinds, 3, 4, 4, 4)
    pairs: dict[tuple[int, int], int] = {}
    places: dict[tuple[int, int, int, int], int] = {}
    index: list[int] = []
    term: list[int] = []
    factors: list[float] = []

    def source(v: int, w: int) -> int:
        if v == CONSTANT or w == CONSTANT:
            return max(v, w)
        return n_variables + pairs.setdefault((min(v, w), max(v, w)), len(pairs))

    def add(place: tuple[int, int, int, int], entry: int, factor: float) -> None:
        index.append(entry)
        term.append(places.setdefault(place, len(places)))
        factors.append(factor)

    for entry in np.flatnonzero(ones):
        A, a, b = (int(i) for i in np.unravel_index(entry, ones.shape))
        v = CONSTANT if b == 0 else 3 * A + b - 1
        add((3 * A + a, -1, v, -1), int(entry), 1.0)
    for entry in np.flatnonzero(twos):
        A, B, a, c, b, d = (int(i) for i in np.unravel_index(entry, twos.shape))
        u, v = 3 * A + a, CONSTANT if b == 0 else 3 * A + b - 1
        w = CONSTANT if d == 0 else 3 * B + d - 1
        other = 3 * B + c - 1
        if c == 0:
            add((u, -1, source(v, w), B), ones.size + int(entry), 1.0)
        elif u <= other:  # each unordered pair of factors once
            factor = 0.5 if u == other else 1.0
            add((u, other, source(v, w), -1), ones.size + int(entry), factor)
    for number, (u, other, v, w, kind) in enumerate(modes, ones.size + twos.size):
        add((u, other, source(v, w), kind), number, 1.0)
    return _Layout(
        np.array(list(pairs), dtype=np.int64).reshape(-1, 2),
        np.ascontiguousarray(np.array(list(places), dtype=np.int64).reshape(-1, 4).T),
        np.array(index, dtype=np.int64),
        np.array(term, dtype=np.int64),
        np.array(factors),
    )


def arguments(terms: Terms, series: Series, counts: Integers) -> tuple[Any, ...]:
    """The constant arguments of `flow`, in its order."""
    return (
        terms.pairs,
        terms.places,
        np.asarray(counts, dtype=np.float64),
        series.exponents,
        series.sizes,
        series.above,
        series.products,
    )


@njit(cache=True, error_model="numpy")
def _series_of(sources, euler, p, pairs, exponents, above, products, inmost):  # type: ignore[no-untyped-def]
    """Write C_v and P_vw into sources, and E_B C into euler (C, inner)."""
    n_variables, inner = above.shape[0], sources.shape[1]
    for v in range(n_variables):
        for i in range(inner):
            if above[v, i] >= 0:
                sources[v, i] = (exponents[i, v] + 1) * p[above[v, i]]
            if v < 3 * euler.shape[0]:  # not a mode
                euler[v // 3, i] += exponents[i, v] * p[i]
    for q in range(pairs.shape[0]):
        v, w, row = pairs[q, 0], pairs[q, 1], n_variables + q
        for m in range(products.shape[1]):
            i, j = products[0, m], products[1, m]
            sources[row, products[2, m]] += sources[v, i] * sources[w, j]
        for i in range(inmost):
            if above[v, i] >= 0:
                sources[row, i] += (exponents[i, v] + 1) * sources[w, above[v, i]]


@njit(cache=True, error_model="numpy")
def _inside(c, u, other, source, sources, above, inmost, out):  # type: ignore[no-untyped-def]
    """Add c x_u source, or c x_u x_other source, to out."""
    inner = sources.shape[1]
    if other < 0 and source < 0:
        out[above[u, 0]] += c
    elif other < 0:
        for i in range(inner):
            if above[u, i] >= 0:
                out[above[u, i]] += c * sources[source, i]
    elif source >= 0:
        for i in range(inmost):
            if above[other, i] >= 0 and above[u, above[other, i]] >= 0:
                out[above[u, above[other, i]]] += c * sources[source, i]
    elif inmost > 0 and above[u, above[other, 0]] >= 0:
        out[above[u, above[other, 0]]] += c


@njit(cache=True, error_model="numpy")
def _outside(u, kind, row, euler, counts, exponents, above, products, out):  # type: ignore[no-untyped-def]
    """Add x_u ((N_B - [u in B]) - E_B - (E_B C)) W to out, with W = row (inner,)."""
    others = counts[kind] - (1.0 if u // 3 == kind else 0.0)
    for i in range(row.shape[0]):
        if above[u, i] < 0:
            continue
        degree = 0
        for axis in range(3):
            degree += exponents[i, 3 * kind + axis]
        out[above[u, i]] += (others - degree) * row[i]
    for m in range(products.shape[1]):
        if above[u, products[2, m]] >= 0:
            out[above[u, products[2, m]]] -= euler[kind, products[0, m]] * row[products[1, m]]


@njit(cache=True, error_model="numpy")
def flow(p, coefficients, structure, out):  # type: ignore[no-untyped-def]
    """Write dp/dt into out (K,); p and out are coefficients of C without factorials.

    Args:
        p: (K,).
        coefficients: (n,) of the terms, at the time in question.
        structure: what `arguments` returns.
        out: (K,).
    """
    pairs, places, counts, exponents, sizes, above, products = structure
    n_kinds, n_variables = counts.shape[0], above.shape[0]
    order = sizes.shape[0] - 2
    inner = sizes[order]  # degrees up to order - 1
    inmost = sizes[order - 1] if order > 1 else 0  # up to order - 2
    sources = np.zeros((n_variables + pairs.shape[0], inner))
    outside = np.zeros((n_variables * n_kinds, inner))
    euler = np.zeros((n_kinds, inner))
    for i in range(p.shape[0]):
        out[i] = 0.0
    _series_of(sources, euler, p, pairs, exponents, above, products, inmost)
    for t in range(places.shape[1]):
        u, other, source, kind = places[0, t], places[1, t], places[2, t], places[3, t]
        if kind < 0:
            _inside(coefficients[t], u, other, source, sources, above, inmost, out)
        else:
            for i in range(inner):
                outside[u * n_kinds + kind, i] += coefficients[t] * sources[source, i]
    for u in range(n_variables):
        for kind in range(n_kinds):
            row = outside[u * n_kinds + kind]
            _outside(u, kind, row, euler, counts, exponents, above, products, out)
