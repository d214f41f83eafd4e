"""Truncated power series in several variables: which coefficients there are, and their products.

A series C(x) = sum_n p_n x^n, |n| <= order, is the array p of its coefficients in the order of
`exponents`: by degree, the constant first. All arrays here are indices into it. Variables come in
threes, x, y, z of each kind of spins; N_A spins of a kind A have no products of more than N_A of
them, so that monomials of higher degree in their variables are left out. Two variables of each mode
follow them, of any degree.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Integers


def n_coefficients(counts: Integers, order: int, *, n_modes: int = 0) -> int:
    """Coefficients of a series of kinds of counts (C,) spins, the constant included."""
    return _n_monomials(counts, order, n_axes=3, n_free=2 * n_modes)


def n_products(counts: Integers, order: int, *, n_modes: int = 0) -> int:
    """Products of two coefficients in the square of a series."""
    return _n_monomials(counts, order, n_axes=6, n_free=4 * n_modes)


def _n_monomials(counts: Integers, order: int, *, n_axes: int, n_free: int) -> int:
    """Monomials of n_axes variables a kind, of degree <= N_A in those of kind A; n_free others."""
    by_degree = [comb(d + n_free - 1, d) if n_free else int(d == 0) for d in range(order + 1)]
    for count, kinds in zip(*np.unique(np.minimum(counts, order), return_counts=True), strict=True):
        of_kind = [comb(d + n_axes - 1, d) for d in range(int(count) + 1)]
        for _ in range(int(kinds)):
            by_degree = [
                sum(of_kind[d] * by_degree[k - d] for d in range(min(k, int(count)) + 1))
                for k in range(order + 1)
            ]
    return sum(by_degree)


@final
@dataclass(frozen=True, eq=False)
class Series:
    """The coefficients of series in V variables up to a degree `order`.

    Attributes:
        exponents: (K, V), by degree.
        sizes: (order + 2,) number of coefficients below each degree: degree d is the range
            sizes[d] to sizes[d + 1].
        above: (V, K) place of x_v times the monomial, -1 where there is none.
        products: (3, M) places (i, j, k) with x^i x^j = x^k, up to degree order - 1.
    """

    order: int
    exponents: Integers
    sizes: Integers
    above: Integers
    products: Integers


def series(counts: Integers, order: int, *, n_modes: int = 0) -> Series:
    """The tables of all series of kinds of counts (C,) spins, and of modes; made once."""
    return _series(tuple(np.minimum(counts, order).tolist()), order, n_modes)


@lru_cache(maxsize=32)
def _series(highest: tuple[int, ...], order: int, n_modes: int) -> Series:
    """With the highest degree in the variables of each kind."""
    n_of_spins = 3 * len(highest)
    n_variables = n_of_spins + 2 * n_modes
    exponents, sizes = [], [0]
    for degree in range(order + 1):
        for chosen in combinations_with_replacement(range(n_variables), degree):
            row = np.bincount(chosen, minlength=n_variables)
            if np.all(row[:n_of_spins].reshape(-1, 3).sum(axis=1) <= highest):
                exponents.append(row)
        sizes.append(len(exponents))
    table = np.array(exponents, dtype=np.int64).reshape(-1, n_variables)
    place = {tuple(row): k for k, row in enumerate(table.tolist())}
    above = np.full((n_variables, len(table)), -1)
    for k in range(sizes[order]):
        for v in range(n_variables):
            row = table[k].copy()
            row[v] += 1
            above[v, k] = place.get(tuple(row.tolist()), -1)
    degrees = table.sum(axis=1)
    sums = (
        (i, j, place.get(tuple((table[i] + table[j]).tolist()), -1))
        for i in range(sizes[order])
        for j in range(sizes[order - degrees[i]])
    )
    triples = [triple for triple in sums if triple[2] >= 0]
    products = np.ascontiguousarray(np.array(triples, dtype=np.int64).reshape(-1, 3).T)
    return Series(order, table, np.array(sizes), above, products)
