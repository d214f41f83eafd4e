"""The null vector of a real sparse matrix that has exactly one and a known left partner.

For Liouvillians restricted to a closed part that holds the trace: the left partner is the trace.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats
from spinsqueeze.numerics.factorisation import CheckedFactors, rate_bound

Solve = Callable[[NDArray[Any]], NDArray[Any]]

DENSE = 60
"""Unknowns up to which dense matrices serve."""

SHIFT = 1e-13
"""Distance of the factorised matrix from the singular one, of its rate bound."""

STATE_ROUNDING = 1e-11
"""Least error claimed of a steady state, relative to its size.

`NullVector` bounds what rounding does to the state; the sums that read the moments of it round too,
each by at most eps times the number of its terms: (N + 1)^2 / 4 populations of a block state, 4e4
at N = 400. Measured against closed forms (squeezed decay, driven Dicke; N = 2 ... 160) moments err
by 2e-14 at most, so the floor is an allowance for models that nobody has measured.
"""


@dataclass(frozen=True)
class NullVector:
    """A null vector and what says how well it is known.

    Attributes:
        vector: (n,), of any length.
        slowest: estimate of the smallest other |eigenvalue|.
        resolvent: norm of the pseudoinverse: a relative change e of the matrix changes the vector
            by up to e * fastest * resolvent of its length.
        fastest: norm of the matrix, or a bound of its eigenvalues where it was factorised.
    """

    vector: Floats = field(repr=False)
    slowest: float
    resolvent: float
    fastest: float


def null_vector(
    matrix: Any, *, left: Floats, factorise: Callable[[float, float], CheckedFactors]
) -> NullVector:
    """The null vector of a real sparse matrix (n, n), n >= 2, with one and the left partner given.

    Args:
        matrix: sparse A.
        left: (n,), left @ A = 0.
        factorise: factors of alpha - beta A; only called from DENSE unknowns on.
    """
    if matrix.shape[0] <= DENSE:
        return dense_null_vector(matrix.toarray())
    scale = rate_bound(matrix)
    factors = factorise(-SHIFT * scale, -1.0)
    y, slowest = null_vector_by_iteration(matrix, solve=factors.solve, left=left)
    transposed = partial(factors.solve, transposed=True) if factors.transposable else None
    resolvent = pseudoinverse_norm(factors.solve, transposed=transposed, right=y, left=left)
    return NullVector(y, slowest, resolvent, scale)


def null_vector_by_iteration(
    matrix: Any, *, solve: Solve, left: Floats, seed: int = 7
) -> tuple[Floats, float]:
    """Null vector (n,) of a matrix with one, and an estimate of its smallest other |eigenvalue|.

    Args:
        matrix: sparse (n, n), real.
        solve: x with (matrix - shift) x = right for blocks (n, k), at a shift near zero.
        left: left null vector (n,), a good start.
        seed: of the second start.
    """
    block = np.random.default_rng(seed).normal(size=(left.size, 2))
    block[:, 0] = left
    for _ in range(4):
        block = solve(np.linalg.qr(block)[0])
    block = np.linalg.qr(block)[0]
    values, vectors = np.linalg.eig(block.T @ (matrix @ block))
    order = np.argsort(np.abs(values))
    y = block @ vectors[:, order[0]].real
    return y - solve(matrix @ y), float(np.abs(values[order[1]]))


def pseudoinverse_norm(
    solve: Solve,
    *,
    transposed: Solve | None,
    right: Floats,
    left: Floats,
    columns: int = 3,
    seed: int = 7,
) -> float:
    """Norm of the inverse across its null vectors, by power iteration on (A^+)^T A^+.

    Zeros for both where there is none.

    Without transposed solves the iteration is on A^+ itself, and the norm found may be smaller.
    `columns` vectors are iterated together.
    """
    right, left = (v / (np.linalg.norm(v) or 1.0) for v in (right, left))

    def across(vectors: Floats, null: Floats) -> Floats:
        return vectors - np.outer(null, null @ vectors)

    norm = 0.0
    block = np.random.default_rng(seed).normal(size=(left.size, columns))
    for _ in range(3):
        block = np.linalg.qr(across(block, left))[0]
        image = across(solve(block), right)
        norm = max(norm, float(np.linalg.norm(image, 2)))
        block = image if transposed is None else transposed(image)
    return norm


def dense_null_vector(matrix: Floats) -> NullVector:
    """The null vector of a dense matrix by singular values."""
    _, singular, rows = np.linalg.svd(matrix)
    slowest = float(np.sort(np.abs(np.linalg.eigvals(matrix)))[1])
    return NullVector(rows[-1], slowest, 1.0 / max(float(singular[-2]), 1e-300), float(singular[0]))
