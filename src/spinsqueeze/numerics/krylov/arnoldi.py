"""The Arnoldi basis of an operator from one real vector; states kept from underflow."""

from collections.abc import Callable
from math import lgamma

import numpy as np

from spinsqueeze.core.arrays import Floats

Operator = Callable[[Floats], Floats]

EPSILON = float(np.finfo(np.float64).eps)
VANISHED = 1e-140
"""A state of this size relative to the start is zero: the squares in its norm would underflow."""


class Basis:
    """Arnoldi basis V of an operator A, extended on demand: A V_k = V_(k+1) H, orthogonal twice.

    Attributes:
        norm: of the start; V[0] is the start divided by it.
        V: (largest + 1, n) basis vectors as rows.
        H: (largest + 1, largest) projected operator; its last row leads out of the space.
        dimension: k.
        exact: whether nothing leads out.
    """

    def __init__(self, operator: Operator, start: Floats, largest: int) -> None:
        self.operator = operator
        largest = min(largest, start.size)
        self.norm = float(np.linalg.norm(start))
        self.V = np.empty((largest + 1, start.size))
        self.V[0] = start / self.norm
        self.H = np.zeros((largest + 1, largest))
        self.dimension = 0
        self.exact = False

    def extend(self) -> None:
        """One more vector."""
        k = self.dimension
        w = self.operator(self.V[k])
        size = float(np.linalg.norm(w))
        basis = self.V[: k + 1]
        h = basis @ w
        w -= h @ basis
        correction = basis @ w
        w -= correction @ basis
        self.H[: k + 1, k] = h + correction
        rest = float(np.linalg.norm(w))
        self.dimension += 1
        if rest <= 1e-14 * max(size, 1e-300) or self.dimension == self.V.shape[1]:
            self.exact = True
            self.V[k + 1 : k + 2] = 0.0
            return
        self.H[k + 1, k] = rest
        self.V[k + 1] = w / rest

    @property
    def full(self) -> bool:
        """Whether the space is exact or as large as it may get."""
        return self.exact or self.dimension == self.H.shape[1]

    def plausible(self, time: float, allowed: float) -> bool:
        """Whether the leading term |y| prod(beta) t^k/k! of the error is small enough to try."""
        k = self.dimension
        if k < 2 or k % 3:
            return False
        couplings = np.diagonal(self.H, -1)[:k]
        leading = float(np.sum(np.log(couplings))) + k * np.log(time) - lgamma(k + 1)
        return bool(
            self.norm * np.exp(min(leading, 0.0)) <= max(0.1 * allowed, EPSILON * self.norm)
        )

    def lift(self, coordinates: Floats) -> Floats:
        """(..., dimension) -> (..., n)."""
        return self.norm * (coordinates @ self.V[: coordinates.shape[-1]])


def scaled(start: Floats) -> tuple[float, Floats]:
    """The largest entry, and the start divided by it (as it is if that is zero)."""
    size = float(np.max(np.abs(start), initial=0.0)) or 1.0
    return size, start / size


def without_underflow(y: Floats) -> Floats:
    """Zero in place of a state that has decayed to nothing."""
    return y if float(np.max(np.abs(y), initial=0.0)) > VANISHED else np.zeros_like(y)
