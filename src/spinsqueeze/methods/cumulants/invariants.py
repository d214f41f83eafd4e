"""What the equations of cumulants conserve and leave alone, found on random states.

Conserved: polynomials Q with grad Q . F = 0 everywhere. A moment of degree k is a polynomial in the
cumulants of weighted degree k, so these suffice for moments. Symmetries: rotations G of the kinds
of spins with J(y) G y = G F(y) everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.cumulants.family import Family

NULL = 1e-12
"""Singular values below this times the largest are zero."""
MOST = 600
"""Monomials that are tried; of larger models only those of weighted degree 2."""


@final
@dataclass(frozen=True, eq=False)
class Conserved:
    """Polynomials Q_k(y) = sum_m weights_km prod_(i in monomials_m) y_i, k = 1 ... M."""

    monomials: tuple[tuple[int, ...], ...]
    weights: Floats

    def values(self, y: Floats) -> Floats:
        """Q (M,)."""
        values: Floats = np.array([np.prod(y[list(m)]) for m in self.monomials])
        return self.weights @ values

    def gradients(self, y: Floats) -> Floats:
        """dQ/dy (M, n)."""
        if not len(self.weights):
            return np.zeros((0, len(y)))
        return np.asarray(self.weights @ _gradients(self.monomials, y))


def conserved(family: Family) -> Conserved:
    """All polynomials that the flow conserves at every value of the parameter."""
    monomials = tuple(_monomials(family, max(2, family.equations.series.order)))
    if len(monomials) > MOST:
        monomials = tuple(_monomials(family, 2))
    rows = [
        _gradients(monomials, y) @ family.flow(y, x)
        for y, x in _samples(family, len(monomials) + 10)
    ]
    return Conserved(monomials, _null_space(np.array(rows)))


def symmetries(family: Family) -> Floats:
    """(G, n, n): generators of rotations of kinds of spins that leave the equations alone."""
    candidates = np.array(list(_rotations(family)))
    rows = []
    for y, x in _samples(family, 4):
        J, F = family.jacobian(y, x), family.flow(y, x)
        rows.append((J @ (candidates @ y).T) - (candidates @ F).T)
    return np.asarray(np.tensordot(_null_space(np.concatenate(rows)), candidates, 1))


def _samples(family: Family, count: int) -> Iterator[tuple[Floats, float]]:
    generator = np.random.default_rng(1)
    for _ in range(count):
        yield generator.uniform(-1, 1, family.size), float(generator.uniform())


def _null_space(matrix: Floats) -> Floats:
    _, sizes, right = np.linalg.svd(matrix)
    rank = int(np.sum(sizes > NULL * sizes[0])) if len(sizes) and sizes[0] else 0
    return np.asarray(right[rank:])


def _monomials(family: Family, degree: int) -> Iterator[tuple[int, ...]]:
    degrees = family.equations.series.exponents[1:].sum(axis=1)
    for length in range(1, degree + 1):
        low = np.flatnonzero(degrees <= degree - length + 1)
        for chosen in combinations_with_replacement(low.tolist(), length):
            if degrees[list(chosen)].sum() <= degree:
                yield chosen


def _gradients(monomials: tuple[tuple[int, ...], ...], y: Floats) -> Floats:
    out = np.zeros((len(monomials), len(y)))
    for k, chosen in enumerate(monomials):
        for place, i in enumerate(chosen):
            out[k, i] += np.prod(y[list(chosen[:place] + chosen[place + 1 :])])
    return out


def _rotations(family: Family) -> Iterator[Floats]:
    """Generators of the rotation of each kind about each axis, on y: x_u d/dx_v - x_v d/dx_u."""
    series = family.equations.series
    n, scale = len(series.exponents), np.concatenate([[1.0], family.scale])
    for u0 in range(0, len(series.above), 3):
        for a in range(3):
            u, v = u0 + (a + 1) % 3, u0 + (a + 2) % 3
            G = np.zeros((n, n))
            for row, column, sign in ((v, u, 1.0), (u, v, -1.0)):
                below = np.flatnonzero((series.above[row] >= 0) & (series.above[column] >= 0))
                factors = sign * (series.exponents[below, column] + 1)
                np.add.at(G, (series.above[row, below], series.above[column, below]), factors)
            yield (G * scale / scale[:, None])[1:, 1:]
