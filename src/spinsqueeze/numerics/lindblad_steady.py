"""The steady state of a master equation without factors of its matrix: GMRES on rho itself.

L rho = X rho + rho X^dagger + J rho (`numerics.lindblad`). What the jumps J feed back is left to
the iteration; X rho + rho X^dagger = R is solved exactly, block by block, with the eigenvectors of
X: D^3 operations, where a factorisation of L fills up. With the trace t and a state s,
L + r |s><t| has an inverse: it takes r s to the steady state, and right sides of trace zero to
their solutions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.numerics.krylov.arnoldi import Basis
from spinsqueeze.numerics.lindblad import Unknowns
from spinsqueeze.numerics.null_vectors import NullVector, pseudoinverse_norm

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RESTART = 80
MOST_RESTARTS = 6
CHECK_EVERY = 10
TOLERANCE = 1e-12
"""Residual of a solution relative to its right side."""
Solve = Callable[[Floats], Floats]
ROUGHLY = 0.05
"""That of the solutions from which the norm of the inverse is taken."""
WITHOUT_TRACE = 1e-4
"""The same where it decides whether there is an inverse."""


@final
class WithoutFeeding:
    """The inverse of rho -> X rho + rho X^dagger - shift rho on the real unknowns."""

    def __init__(self, unknowns: Unknowns, drift: "csr_array") -> None:
        self._unknowns = unknowns
        self._parts = []
        starts = unknowns.starts
        for a, b in pairwise(starts):
            rates, vectors = np.linalg.eig(drift[a:b, a:b].toarray())
            damping = rates[:, None] + rates.conj()
            # States that nothing leaves: a shift keeps the inverse finite.
            damping -= 1e-3 * float(np.abs(damping.real).mean()) + 1e-300
            self._parts.append((vectors, np.linalg.inv(vectors), damping))
        self._weights = unknowns.norm_weights()

    def solve(self, right: Floats) -> Floats:
        """See the class."""
        out = []
        blocks = self._unknowns.expand(right)
        for (vectors, inverse, damping), R in zip(self._parts, blocks, strict=True):
            inner = inverse @ R @ inverse.conj().T / damping
            out.append(vectors @ inner @ vectors.conj().T)
        return self._unknowns.restrict(out)

    def transposed(self, right: Floats) -> Floats:
        """The transposed inverse: the adjoint one between the weights of the unknowns."""
        out = []
        blocks = self._unknowns.expand(right / self._weights)
        for (vectors, inverse, damping), R in zip(self._parts, blocks, strict=True):
            inner = vectors.conj().T @ R @ vectors / damping.conj()
            out.append(inverse.conj().T @ inner @ inverse)
        return self._weights * self._unknowns.restrict(out)

    def within(self, part: Integers) -> "Preconditioner":
        """The same on the unknowns of closed parts, given by their indices."""

        def inside(solve: Solve) -> Solve:
            def solved(right: Floats) -> Floats:
                whole = np.zeros(self._unknowns.count)
                whole[part] = right
                return solve(whole)[part]

            return solved

        return Preconditioner(inside(self.solve), inside(self.transposed))


@final
@dataclass(frozen=True)
class Preconditioner:
    """The inverse of some of L, and its transpose."""

    solve: Solve
    transposed: Solve


@final
@dataclass
class Bordered:
    """L + r |s><t| on the unknowns of one closed part, and its inverse by GMRES.

    Args:
        matrix: L on these unknowns.
        left: (n,) the trace; zeros in a part that has none, where L has an inverse of its own.
        precondition: the inverse of some of L.
        restart: vectors among which one step of GMRES finds its best.
    """

    matrix: "csr_array"
    left: Floats
    precondition: Preconditioner = field(repr=False)
    restart: int = RESTART

    def __post_init__(self) -> None:
        self._state = self.left / max(float(self.left @ self.left), 1.0)
        self._rate = float(np.abs(self.matrix.diagonal()).mean())
        self._turned = self.matrix.T.tocsr()

    def apply(self, y: Floats, *, transposed: bool = False) -> Floats:
        """(L + r |s><t|) y, or its transpose times y."""
        if transposed:
            return np.asarray(self._turned @ y + self._rate * (self._state @ y) * self.left)
        return np.asarray(self.matrix @ y + self._rate * (self.left @ y) * self._state)

    def steady(self, start: Floats | None = None) -> Floats:
        """The null vector of trace 1; `start`: something near it."""
        return self.solve(self._rate * self._state, start=start)

    def solve(
        self,
        right: Floats,
        *,
        tolerance: float = TOLERANCE,
        start: Floats | None = None,
        transposed: bool = False,
    ) -> Floats:
        """The solution x, its residual below `tolerance` of the right side.

        Raises:
            NumericalFailure: the iteration does not get there.
        """
        x = np.zeros(right.size) if start is None else start
        allowed = tolerance * float(np.linalg.norm(right))
        for _ in range(MOST_RESTARTS):
            rest = right - self.apply(x, transposed=transposed)
            if float(np.linalg.norm(rest)) <= allowed:
                return x
            x = x + self._step(rest, allowed, transposed)
        raise NumericalFailure(
            "the iteration for the steady state does not converge: slow and fast rates are too far "
            "apart; evolve in time from an initial state instead"
        )

    def _step(self, rest: Floats, allowed: float, transposed: bool) -> Floats:
        """What brings the residual down most among some vectors, preconditioned on the right."""
        inverse = self.precondition.transposed if transposed else self.precondition.solve
        basis = Basis(lambda v: self.apply(inverse(v), transposed=transposed), rest, self.restart)
        while True:
            basis.extend()
            k = basis.dimension
            if not basis.full and k % CHECK_EVERY:
                continue
            H, one = basis.H[: k + 1, :k], np.eye(k + 1, 1)[:, 0]
            y: Floats = np.linalg.lstsq(H, one, rcond=None)[0].astype(float)
            left = basis.norm * float(np.linalg.norm(one - H @ y))
            if basis.full or left <= 0.5 * allowed:
                return inverse(basis.lift(y))


def null_vector_iteratively(
    matrix: "csr_array",
    *,
    left: Floats,
    precondition: Preconditioner,
    fastest: float,
    start: Floats | None = None,
    restart: int = RESTART,
) -> NullVector:
    """The null vector of a closed part of a master equation that has one; see `Bordered`.

    start: something near it.

    Raises:
        NumericalFailure: the iteration does not converge.
    """
    bordered = Bordered(matrix, left, precondition, restart)
    y = bordered.steady(start)

    resolvent = _inverse_norm(bordered, y, left, ROUGHLY)
    return NullVector(y, 1.0 / resolvent, resolvent, fastest)


def inverse_norm_iteratively(
    matrix: "csr_array", *, precondition: Preconditioner, restart: int = RESTART
) -> float:
    """Norm of the inverse of closed parts without a trace.

    Raises:
        NumericalFailure: the iteration does not converge, as where there is no inverse.
    """
    nothing = np.zeros(matrix.shape[0])
    bordered = Bordered(matrix, nothing, precondition, restart)
    # Random right sides hold little of one null vector: rough solutions would not feel it.
    return _inverse_norm(bordered, nothing, nothing, WITHOUT_TRACE)


def _inverse_norm(bordered: Bordered, right: Floats, left: Floats, tolerance: float) -> float:
    def solve(block: Any, *, transposed: bool = False) -> Any:
        columns = np.atleast_2d(block.T)
        solved = [bordered.solve(c, tolerance=tolerance, transposed=transposed) for c in columns]
        return np.array(solved).T

    turned = partial(solve, transposed=True)
    return pseudoinverse_norm(solve, transposed=turned, right=right, left=left, columns=1)
