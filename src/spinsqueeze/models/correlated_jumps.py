"""Jumps of a finite range: one around every site, between local and collective ones."""

import math
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.couplings import distance_kernel, power_law_kernel, require_sites
from spinsqueeze.lattice.kernels import AllToAllKernel, DenseKernel, Kernel
from spinsqueeze.models.canonical import CollectiveJumps, LocalJumps, Piece, SpreadJumps
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Strength, times_number
from spinsqueeze.models.term import JumpTerm, exponent

ROUNDING = 1e-12
"""What a matrix may miss of its symmetry, in units of its largest entry, and of its ones."""


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CorrelatedJumps(JumpTerm):
    """Adds rate * sum_i D[L_i], L_i = sum_j f_ij vector . s_j: a reservoir of finite range.

    Give one of the three: f_ij = exp(-r_ij/range), f_ij = r_ij^-exponent, or the matrix itself;
    f_ii = 1. range = 0 is rate * sum_i D[vector . s_i]; range = inf and exponent = 0 are
    N rate * D[vector . S]; exponent = inf reaches the nearest neighbours. r_ij is in the unit of
    the lattice, by the nearest image where it is periodic.

    Args:
        rate: >= 0.
        vector: three complex numbers (x, y, z).
        range: >= 0, or inf.
        exponent: >= 0, or inf.
        matrix: real symmetric (N, N), with ones on the diagonal.

    Raises:
        InvalidInput: an argument breaks its rule; a model of spin classes, or one without a lattice
            where distances count.
    """

    rate: Strength
    vector: Any = field(kw_only=True)
    range: Any = field(default=None, kw_only=True)
    exponent: Any = field(default=None, kw_only=True)
    matrix: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._strength("rate", minimum=0.0)
        self._put("vector", checks.complex_vector("vector", self.vector))
        given = [n for n in ("range", "exponent", "matrix") if getattr(self, n) is not None]
        if len(given) != 1:
            raise InvalidInput(
                "CorrelatedJumps needs one of range, exponent and matrix, got "
                f"{' and '.join(given) or 'none of them'}"
            )
        if self.range is not None:
            infinite = isinstance(self.range, str) and self.range.strip() in ("inf", "+inf")
            value = math.inf if infinite else self.range
            self._put("range", checks.real("range", value, minimum=0.0, infinite=True))
        elif self.exponent is not None:
            self._put("exponent", exponent(self.exponent))
        else:
            self._put("matrix", _matrix(self.matrix))

    @override
    def fit(self, ensemble: Ensemble) -> None:
        """Check that the spins have distances where they count, or a row of the matrix each."""
        if ensemble.classes is not None:
            raise InvalidInput(
                "CorrelatedJumps needs a lattice or a number of spins, got spin classes; give "
                "CollectiveJump a vector for each class"
            )
        if self.matrix is not None:
            if len(self.matrix) != ensemble.n_spins:
                raise InvalidInput.of(
                    "matrix",
                    f"must have one row a spin, got {len(self.matrix)} for {ensemble.n_spins} "
                    "spins",
                )
            return
        if self.range in (0.0, math.inf) or self.exponent == 0.0:
            return
        if ensemble.lattice is None:
            raise InvalidInput(
                "CorrelatedJumps needs distances: give the model a Lattice, or range=0 (local), "
                "range='inf' (collective), or a matrix"
            )
        if self.exponent is not None and math.isinf(self.exponent):
            require_sites(ensemble.lattice)

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """Jumps with a kernel; local and collective ones where all pairs have one f."""
        self.fit(ensemble)
        n = ensemble.n_spins
        if self.range == 0.0 or n == 1:
            return [LocalJumps(self.rate, self.vector)]
        kernel = self._kernel(ensemble)
        common = 1.0 if kernel.uniform else kernel.common_strength
        # f = (1 - c) + c (all ones): f^T f is a sum of the two likewise.
        together = None if common is None else 2 * common * (1 - common) + n * common**2
        if common is None or together is None or together < 0:
            return [SpreadJumps(self.rate, self.vector, kernel)]
        pieces: list[Piece] = []
        if together:
            pieces.append(CollectiveJumps(times_number(self.rate, together), self.vector))
        if common != 1.0:
            pieces.append(LocalJumps(times_number(self.rate, (1 - common) ** 2), self.vector))
        return pieces

    def _kernel(self, ensemble: Ensemble) -> Kernel:
        n, lattice = ensemble.n_spins, ensemble.lattice
        if self.matrix is not None:
            return DenseKernel(self.matrix - np.eye(n))
        if self.range == math.inf or self.exponent == 0.0 or lattice is None:
            return AllToAllKernel(n)
        if self.exponent is not None:
            return power_law_kernel(lattice, exponent=self.exponent)
        return distance_kernel(lattice, lambda distance: np.exp(-distance / self.range))


def _matrix(value: Any) -> Floats:
    matrix = checks.real_array("matrix", value, shape=(None, None))
    if matrix.shape[0] != matrix.shape[1]:
        raise InvalidInput.of(
            "matrix",
            f"must have one row and one column a spin, got {matrix.shape[0]} x {matrix.shape[1]}",
        )
    scale = float(np.abs(matrix).max(initial=0.0))
    uneven = np.abs(matrix - matrix.T) > ROUNDING * scale
    if np.any(uneven):
        i, j = (int(k) for k in np.argwhere(uneven)[0])
        raise InvalidInput.of(
            "matrix",
            f"must be symmetric, got {matrix[i, j]:g} at [{i}][{j}] and {matrix[j, i]:g} at "
            f"[{j}][{i}]; give (matrix + matrix.T)/2",
        )
    wrong = np.diag(matrix)[np.abs(np.diag(matrix) - 1.0) > ROUNDING]
    if len(wrong):
        raise InvalidInput.of(
            "matrix", f"must have ones on its diagonal, got {wrong[0]:g}; put the size into rate"
        )
    even: Floats = (matrix + matrix.T) / 2
    np.fill_diagonal(even, 1.0)
    return even
