"""Factorisations of a sector's shifted Liouvillian: nested dissection here, SuperLU or PARDISO."""

from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.permutation_invariant.multifrontal import (
    Dissection,
    MultifrontalLU,
    dissect,
)
from spinsqueeze.methods.permutation_invariant.sectors import Sector
from spinsqueeze.numerics.factorisation import (
    CheckedFactors,
    Factorisation,
    Pardiso,
    SuperLU,
    shifted,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SOLVERS = ("auto", "multifrontal", "superlu", "pardiso")

SMALL = 8000
"""Unknowns up to which SuperLU beats the dense fronts (measured; more for one shell or one k)."""


def check_solver(solver: str) -> None:
    """Refuse an unknown solver, also where a small matrix needs none.

    Raises:
        InvalidInput: it is not one of SOLVERS.
    """
    if solver not in SOLVERS:
        raise InvalidInput(f"solver must be one of {', '.join(SOLVERS)}, got {solver!r}")


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
        matrix = shifted(self.matrix, alpha, beta)
        factors: Factorisation
        if self.solver == "superlu":
            factors = SuperLU(matrix)
        elif self.solver == "pardiso":
            factors = Pardiso(matrix)
        else:
            if self._order is None:
                self._order = dissect(self._sector.coordinates()[:, :3])
            factors = MultifrontalLU(matrix, dissection=self._order)
        remedy = (
            "strengthen the slowest process of the model"
            if self.solver == "superlu"
            else "use solver='superlu'"
        )
        return CheckedFactors(matrix, factors, remedy=remedy)
