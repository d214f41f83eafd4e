"""Sparse LU factors whose backward error is measured and refined away, and a bound of the rates.

SuperLU runs with the minimum-degree ordering of A + A^T and pivots that stay near the diagonal:
little fill for matrices of symmetric pattern (Liouvillians), at the price of digits where a pivot
is small. `CheckedFactors` measures that loss once and refines every solve as often as it takes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import NumericalFailure, Unsupported

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_REFINEMENTS = 4
ROUNDING = 1e-14
"""Backward error below which no refinement is spent."""


class Factorisation(Protocol):
    """What every solver offers."""

    transposable: ClassVar[bool]

    def solve(
        self, right: NDArray[Any], *, refinements: int = 1, transposed: bool = False
    ) -> NDArray[Any]:
        """X with matrix @ x = right."""
        ...


class SuperLU:
    """scipy's SuperLU with the minimum-degree ordering of A + A^T and symmetric mode."""

    transposable: ClassVar[bool] = True

    def __init__(self, matrix: "csr_array") -> None:
        from scipy.sparse.linalg import splu

        self.matrix = matrix
        self._lu = splu(
            matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.001,
            options={"SymmetricMode": True},
        )

    def solve(
        self, right: NDArray[Any], *, refinements: int = 1, transposed: bool = False
    ) -> NDArray[Any]:
        """X with matrix @ x = right (or matrix.T @ x), (n,) or (n, k), refined iteratively."""
        mode = "T" if transposed else "N"
        matrix = self.matrix.T if transposed else self.matrix
        x = self._lu.solve(right, trans=mode)
        for _ in range(refinements):
            x += self._lu.solve(right - matrix @ x, trans=mode)
        return np.asarray(x)


class Pardiso:
    """MKL PARDISO through pypardiso (optional); it offers no transposed solves."""

    transposable: ClassVar[bool] = False

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

    def solve(
        self, right: NDArray[Any], *, refinements: int = 1, transposed: bool = False
    ) -> NDArray[Any]:
        """X with matrix @ x = right, (n,) or (n, k), refined iteratively.

        Raises:
            Unsupported: transposed.
        """
        if transposed:
            raise Unsupported("solver='pardiso' offers no transposed solves; use 'multifrontal'")
        x = self._solver.solve(self.matrix, np.asfortranarray(right))
        for _ in range(refinements):
            x += self._solver.solve(self.matrix, np.asfortranarray(right - self.matrix @ x))
        return np.asarray(x)

    def __del__(self) -> None:
        if hasattr(self, "_solver"):
            self._solver.free_memory()


class Dense:
    """LAPACK's factors of a dense copy: where sparse ones would fill up."""

    transposable: ClassVar[bool] = True

    def __init__(self, matrix: "csr_array") -> None:
        from scipy.linalg.lapack import dgetrf

        self.matrix = matrix
        self._lu, self._pivots, info = dgetrf(matrix.toarray(order="F"), overwrite_a=True)
        if info:
            raise RuntimeError("a pivot is zero")

    def solve(
        self, right: NDArray[Any], *, refinements: int = 1, transposed: bool = False
    ) -> NDArray[Any]:
        """X with matrix @ x = right (or matrix.T @ x), (n,) or (n, k), refined iteratively."""
        matrix = self.matrix.T if transposed else self.matrix
        x = self._solved(right, transposed)
        for _ in range(refinements):
            x += self._solved(right - matrix @ x, transposed)
        return x

    def _solved(self, right: NDArray[Any], transposed: bool) -> NDArray[Any]:
        from scipy.linalg.lapack import dgetrs

        return np.asarray(dgetrs(self._lu, self._pivots, right, trans=int(transposed))[0])


class CheckedFactors:
    """Factors with as many steps of iterative refinement as a probe shows they need.

    Pivoting stays near the diagonal, so a nearly singular matrix (weak damping, tiny shift) costs
    digits; each step of refinement wins back those that the factors hold.

    Args:
        matrix: what was factorised.
        factors: its factors.
        remedy: what to do where refinement is not enough, for the message.

    Attributes:
        refinements: steps used by every solve.
        backward_error: |A x - b| / (|A| |x| + |b|) of the probe after them.
        transposable: whether it offers transposed solves (PARDISO does not).

    Raises:
        NumericalFailure: the backward error stays above 1e-10.
    """

    def __init__(self, matrix: "csr_array", factors: Factorisation, *, remedy: str) -> None:
        self._factors = factors
        self.transposable = factors.transposable
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
                f"{MOST_REFINEMENTS} refinements; {remedy}"
            )

    def solve(self, right: NDArray[Any], *, transposed: bool = False) -> NDArray[Any]:
        """Solution x of matrix @ x = right (or matrix.T @ x = right)."""
        return self._factors.solve(right, refinements=self.refinements, transposed=transposed)


def shifted(matrix: "csr_array", alpha: complex, beta: float) -> "csr_array":
    """Alpha - beta A."""
    from scipy.sparse import eye_array

    return (alpha * eye_array(matrix.shape[0], format="csr") - beta * matrix).tocsr()


def superlu_factors(
    matrix: "csr_array", alpha: complex, beta: float, *, remedy: str
) -> CheckedFactors:
    """Checked factors of alpha - beta A by SuperLU.

    Raises:
        NumericalFailure: a pivot is zero, or their backward error stays above 1e-10 in spite of
            refinement; the message ends in `remedy`.
    """
    return _checked(SuperLU, shifted(matrix, alpha, beta), remedy)


def _checked(
    kind: Callable[["csr_array"], Factorisation], moved: "csr_array", remedy: str
) -> CheckedFactors:
    try:
        factors = kind(moved)
    except RuntimeError as error:
        raise NumericalFailure(f"the sparse factors do not exist ({error}); {remedy}") from None
    return CheckedFactors(moved, factors, remedy=remedy)


def dense_factors(
    matrix: "csr_array", alpha: complex, beta: float, *, remedy: str
) -> CheckedFactors:
    """Checked factors of alpha - beta A as a dense matrix.

    Raises:
        NumericalFailure: as `superlu_factors`.
    """
    return _checked(Dense, shifted(matrix, alpha, beta), remedy)


def rate_bound(matrix: "csr_array") -> float:
    """Largest absolute row sum: bounds every eigenvalue [rate]."""
    sums: Any = abs(matrix).sum(axis=1)
    return float(np.max(sums, initial=0.0))
