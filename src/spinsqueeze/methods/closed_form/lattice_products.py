"""Connected products on a periodic lattice: by numpy while there is little work, else compiled.

Both add and multiply the same numbers in the same order, and agree in every bit.
"""

import sys
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.closed_form.spin_factors import product_seconds
from spinsqueeze.numerics.forks import require_own_threads


@final
@dataclass(frozen=True, eq=False)
class Products:
    """What the products at one time are made of.

    Attributes:
        history: (A, L, S) couplings by displacement, integrated over each of S stretches.
        f: (A, L) F - 1.
        z: initial <2 s^z>.
        down, up: (S,) integrated decay and pumping rates.
        rows: (R, A) row of k - d for every wanted displacement d and row of k.
        columns: (R,) column of d.
    """

    history: Floats
    f: Complexes
    z: float
    down: Floats
    up: Floats
    rows: Integers
    columns: Integers

    @property
    def noisy(self) -> bool:
        """Whether spins decay or are pumped."""
        return bool(np.any(self.down) or np.any(self.up))

    @property
    def transverse(self) -> bool:
        """No polarisation along the axis and no jumps: real products."""
        return self.z == 0 and not self.noisy


class _SmallWork:
    """Until it adds up to what loading the compiler takes (half a second), numpy does it."""

    left = 3e7
    """Third spins of pairs: 10 ns each."""

    @classmethod
    def covers(cls, work: float) -> bool:
        """Whether numpy does this work, too; it counts."""
        if "numba" in sys.modules or work > cls.left:
            return False
        cls.left -= work
        return True


def lattice_products(
    products: Products,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """(R,) prod a - prod b of <s^+_0 s^+_d> and of <s^+_0 s^-_d>: real where transverse."""
    K = products.history.sum(axis=-1)
    work = float(K.size * len(products.columns))
    s = np.sin(0.5 * K)
    if products.transverse and _SmallWork.covers(work):
        return by_numpy(np.cos(0.5 * K), s, products.rows, products.columns)
    return _compiled(products, K, s, work)


def _compiled(
    products: Products, K: Floats, s: Floats, work: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    from spinsqueeze.methods.closed_form.lattice_kernels import (
        complex_lattice_products,
        real_lattice_products,
    )
    from spinsqueeze.numerics.numba_threads import threads_for

    require_own_threads("numba")
    transverse, rows, columns = products.transverse, products.rows, products.columns
    dtype = np.float64 if transverse else np.complex128
    plus, minus = np.zeros(len(columns), dtype), np.zeros(len(columns), dtype)
    n_stretches = products.history.shape[-1] if products.noisy else 0
    with threads_for(product_seconds(transverse=transverse, n_stretches=n_stretches) * work):
        if transverse:
            c = np.cos(0.5 * K)
            real_lattice_products(_twice(c), _twice(s), rows, columns, plus, minus)
        else:
            complex_lattice_products(
                _twice(products.history),
                _twice(s),
                _twice(products.f),
                products.z,
                products.down,
                products.up,
                rows,
                columns,
                plus,
                minus,
            )
    return plus, minus


def by_numpy(c: Floats, s: Floats, rows: Integers, columns: Integers) -> tuple[Floats, Floats]:
    """`real_lattice_products`, from (A, L) cosines and sines."""
    n, L = len(columns), c.shape[1]
    shifts = (np.arange(L) - columns[:, None]) % L
    D_plus, D_minus, B = np.zeros((n, L)), np.zeros((n, L)), np.ones((n, L))
    own = s[rows.argmin(axis=1), columns]
    own = own * own
    for r in range(len(c)):
        # spin 0 is at row 0, column 0 and spin d where k - d = 0: they belong to the pair
        there = np.flatnonzero(rows[:, r] == 0)
        pair = there, columns[there]
        if r == 0:
            pair = np.append(pair[0], np.arange(n)), np.append(pair[1], np.zeros(n, dtype=int))
        before = D_plus[pair], D_minus[pair], B[pair]
        partner = rows[:, r, None] * L + shifts
        b, d = c[r] * c.take(partner), s[r] * s.take(partner)
        changed = d * B
        D_plus *= b - d
        D_plus -= changed
        D_minus *= b + d
        D_minus += changed
        B *= b
        D_plus[pair], D_minus[pair], B[pair] = before
    plus, minus, product = np.zeros(n), np.zeros(n), np.ones(n)
    for j in range(L):
        plus = plus * (B[:, j] + D_plus[:, j]) + product * D_plus[:, j]
        minus = minus * (B[:, j] + D_minus[:, j]) + product * D_minus[:, j]
        product = product * B[:, j]
    return plus + product * own, minus + product * own


def _twice(rows: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((rows, rows), axis=1)
