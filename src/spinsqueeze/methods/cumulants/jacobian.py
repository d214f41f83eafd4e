"""The exact derivative of the flow of cumulants in their coefficients, as a dense matrix."""

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.cumulants.integrate import FlowArrays


def jacobian(p: Floats, coefficients: Floats, equations: FlowArrays) -> Floats:
    """(K, K): d(dp_i/dt)/dp_j, with the terms' coefficients (n,) at the time in question."""
    series = equations.series
    pairs, places, counts, exponents, sizes, above, products = equations.structure
    n_variables, n_all, order = len(above), len(p), series.order
    inner, inmost = sizes[order], sizes[order - 1] if order > 1 else 0
    rows = np.arange(inner)
    first = np.zeros((n_variables, inner, n_all))
    for v in range(n_variables):
        there = rows[above[v, :inner] >= 0]
        first[v, there, above[v, there]] = exponents[there, v] + 1

    def times(factor: Floats) -> Floats:
        """Multiplication by a series (inner,), as a matrix."""
        out = np.zeros((inner, inner))
        np.add.at(out, (products[2], products[1]), factor[products[0]])
        return out

    series_of = [first[v] @ p for v in range(n_variables)]
    changes = list(first)
    for v, w in pairs:
        change = times(series_of[v]) @ first[w] + times(series_of[w]) @ first[v]
        there = rows[:inmost][above[v, :inmost] >= 0]
        up = above[v, there]
        change[there] += (exponents[there, v] + 1)[:, None] * first[w][up]
        value = times(series_of[v]) @ series_of[w]
        value[there] += (exponents[there, v] + 1) * series_of[w][up]
        series_of.append(value)
        changes.append(change)
    out = np.zeros((n_all, n_all))

    def add(u: int, change: Floats, below: Integers) -> None:
        """Add x_u times a series, or its change, whose rows belong to the monomials below."""
        there = (below >= 0) & (above[u, below] >= 0)
        out[above[u, below[there]]] += change[there]

    outside: dict[tuple[int, int], list[Floats]] = {}
    for (u, other, source, kind), c in zip(places.T, coefficients, strict=True):
        if kind >= 0:
            both = outside.setdefault((u, kind), [np.zeros(inner), np.zeros((inner, n_all))])
            both[0] += c * series_of[source]
            both[1] += c * changes[source]
        elif source >= 0 and other >= 0:
            add(u, c * changes[source][:inmost], above[other, :inmost])
        elif source >= 0:
            add(u, c * changes[source], rows)
    for (u, kind), (value, change) in outside.items():
        degree = exponents[:, 3 * kind : 3 * kind + 3].sum(axis=1)
        euler = np.zeros((inner, n_all))
        euler[rows, rows] = degree[:inner]
        others = counts[kind] - (u // 3 == kind)
        total = (others - degree[:inner])[:, None] * change
        total -= times(degree[:inner] * p[:inner]) @ change + times(value) @ euler
        add(u, total, rows)
    return out
