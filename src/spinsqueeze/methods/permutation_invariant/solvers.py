"""Factorisations of a sector's shifted Liouvillian: nested dissection here, or PARDISO."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput, NumericalFailure, Unsupported
from spinsqueeze.methods.permutation_invariant.layout import Sector
from spinsqueeze.methods.permutation_invariant.multifrontal import (
    Dissection,
    MultifrontalLU,
    dissect,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SOLVERS = ("auto", "multifrontal", "superlu", "pardiso")

SMALL = 8000
"""Unknowns up to which SuperLU beats the dense fronts (measured; more for one shell or one k)."""


MOST_REFINEMENTS = 4
ROUNDING = 1e-14
"""Backward error below which no refinement is spent."""


class Factorisation(Protocol):
    """What every solver offers."""

    def solve(self, right: NDArray, *, refinements: int = 1, transposed: bool = False) -> NDArray:
        """X with matrix @ x = right."""
        ...


class _SuperLU:
    """scipy's SuperLU with the minimum-degree ordering of A + A^T and symmetric mode."""

    def __init__(self, matrix: "csr_array") -> None:
        from scipy.sparse.linalg import splu

        self.matrix = matrix
        self._lu = splu(
            matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.001,
            options={"SymmetricMode": True},
        )

    def solve(self, right: NDArray, *, refinements: int = 1, transposed: bool = False) -> NDArray:
        mode = "T" if transposed else "N"
        matrix = self.matrix.T if transposed else self.matrix
        x = self._lu.solve(right, trans=mode)
        for _ in range(refinements):
            x += self._lu.solve(right - matrix @ x, trans=mode)
        return x


class _Pardiso:
    """MKL PARDISO through pypardiso (optional)."""

    def __init__(self, matrix: "csr_array") -> None:
        try:
            from pypardiso import PyPardisoSolver
        except ImportError as error:
            raise Unsupported(
                "solver='pardiso' needs the package pypardiso; install it or use "
                "solver='multifrontal'"
            ) from error
        from scipy.sparse import csr_matrix

        self.matrix = csr_matrix(matrix)
        self._solver = PyPardisoSolver()
        self._solver.factorize(self.matrix)

    def solve(self, right: NDArray, *, refinements: int = 1, transposed: bool = False) -> NDArray:
        if transposed:
            raise Unsupported("solver='pardiso' offers no transposed solves; use 'multifrontal'")
        x = self._solver.solve(self.matrix, np.asfortranarray(right))
        for _ in range(refinements):
            x += self._solver.solve(self.matrix, np.asfortranarray(right - self.matrix @ x))
        return x

    def __del__(self) -> None:
        if hasattr(self, "_solver"):
            self._solver.free_memory()


def check_solver(solver: str) -> None:
    """Refuse an unknown solver, also where a small matrix needs none.

    Raises:
        InvalidInput: it is not one of SOLVERS.
    """
    if solver not in SOLVERS:
        raise InvalidInput(f"solver must be one of {', '.join(SOLVERS)}, got {solver!r}")


class CheckedFactors:
    """Factors with as many steps of iterative refinement as a probe shows they need.

    Pivoting stays inside fronts, so a nearly singular front (weak damping, tiny shift) costs
    digits; each step of refinement wins back those that the factors hold.

    Attributes:
        refinements: steps used by every solve.
        backward_error: |A x - b| / (|A| |x| + |b|) of the probe after them.
        transposable: whether it offers transposed solves (PARDISO does not).
    """

    def __init__(self, matrix: "csr_array", factors: Factorisation) -> None:
        self._factors = factors
        self.transposable = not isinstance(factors, _Pardiso)
        scale = rate_bound(matrix)
        right = np.random.default_rng(3).normal(size=matrix.shape[0])
        x = factors.solve(right, refinements=0)
        self.refinements, self.backward_error = 0, np.inf
        for step in range(MOST_REFINEMENTS + 1):
            rest = right - matrix @ x
            size = scale * np.linalg.norm(x) + np.linalg.norm(right)
            self.refinements = step
            self.backward_error = float(np.linalg.norm(rest) / size)
            if self.backward_error <= ROUNDING:
                break
            x = x + factors.solve(rest, refinements=0)
        if not self.backward_error <= 1e-10:
            raise NumericalFailure(
                f"the sparse factors have a backward error of {self.backward_error:.1e} after "
                f"{MOST_REFINEMENTS} refinements; use solver='superlu'"
            )

    def solve(self, right: NDArray, *, transposed: bool = False) -> NDArray:
        """Solution x of matrix @ x = right (or matrix.T @ x = right)."""
        return self._factors.solve(right, refinements=self.refinements, transposed=transposed)


class SectorSolver:
    """Factorises (alpha - beta A) for one sector again and again with one ordering."""

    def __init__(self, matrix: "csr_array", *, sector: Sector, solver: str) -> None:
        check_solver(solver)
        if solver == "auto":
            flat = min(np.unique(sector.shell).size, np.unique(sector.column - sector.row).size) < 3
            small = matrix.shape[0] <= (50 * SMALL if flat else SMALL)
            solver = "superlu" if small else "multifrontal"
        self.matrix = matrix
        self.solver = solver
        self._sector = sector
        self._order: Dissection | None = None

    def factorise(self, alpha: complex, beta: float) -> CheckedFactors:
        """Factors of alpha - beta A.

        Raises:
            NumericalFailure: their backward error stays above 1e-10 in spite of refinement.
        """
        from scipy.sparse import eye_array

        shifted = (alpha * eye_array(self.matrix.shape[0]) - beta * self.matrix).tocsr()
        factors: Factorisation
        if self.solver == "superlu":
            factors = _SuperLU(shifted)
        elif self.solver == "pardiso":
            factors = _Pardiso(shifted)
        else:
            if self._order is None:
                self._order = dissect(self._sector.coordinates()[:, :3])
            factors = MultifrontalLU(shifted, dissection=self._order)
        return CheckedFactors(shifted, factors)


def rate_bound(matrix: "csr_array") -> float:
    """Largest absolute row sum: bounds every eigenvalue [rate]."""
    sums: Any = abs(matrix).sum(axis=1)
    return float(np.max(sums, initial=0.0))
