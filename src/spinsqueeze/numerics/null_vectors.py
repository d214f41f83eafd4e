"""Null vectors of sparse matrices whose left and right partners are known, by inverse iteration."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Solve = Callable[[NDArray[Any]], NDArray[Any]]


def null_vector_by_iteration(
    matrix: Any, *, solve: Solve, left: Float, seed: int = 7
) -> tuple[Float, float]:
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
    solve: Solve, *, transposed: Solve | None, right: Float, left: Float, seed: int = 7
) -> float:
    """Norm of the inverse across its null vectors, by power iteration on (A^+)^T A^+.

    Without transposed solves the iteration is on A^+ itself, and the norm found may be smaller.
    """
    right, left = right / np.linalg.norm(right), left / np.linalg.norm(left)

    def across(vectors: Float, null: Float) -> Float:
        return vectors - np.outer(null, null @ vectors)

    norm = 0.0
    block = np.random.default_rng(seed).normal(size=(left.size, 3))
    for _ in range(3):
        block = np.linalg.qr(across(block, left))[0]
        image = across(solve(block), right)
        norm = max(norm, float(np.linalg.norm(image, 2)))
        block = image if transposed is None else transposed(image)
    return norm


def dense_null_vector(matrix: Float) -> tuple[Float, float, float, float]:
    """(null vector, smallest other |eigenvalue|, norm of the pseudoinverse, norm of the matrix)."""
    _, singular, rows = np.linalg.svd(matrix)
    slowest = float(np.sort(np.abs(np.linalg.eigvals(matrix)))[1])
    return rows[-1], slowest, 1.0 / max(float(singular[-2]), 1e-300), float(singular[0])
