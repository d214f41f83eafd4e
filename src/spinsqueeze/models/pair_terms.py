"""Hamiltonian terms of single sites and of pairs of spins; pair sums run over i < j."""

import math
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.couplings import power_law_kernel, require_sites
from spinsqueeze.lattice.kernels import AllToAllKernel, DenseKernel, Kernel
from spinsqueeze.models.canonical import Field, Pair, Piece
from spinsqueeze.models.collective_terms import symmetric_tensor
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Strength
from spinsqueeze.models.term import HamiltonianTerm, envelope_factor, exponent


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SiteField(HamiltonianTerm):
    """H = sum_i vectors_i . s_i, one vector a spin, or a class of spins.

    Args:
        vectors: real array (N, 3), or (n_classes, 3) in a model made of spin classes. The weights
            of the classes do not act here.
        envelope: optional factor in time, an `Envelope`.
    """

    vectors: Any
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._put("vectors", checks.real_array("vectors", self.vectors, shape=(None, 3)))
        if self.envelope is not None:
            self._strength("envelope")

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there is one vector a spin or class."""
        ensemble.check_rows("SiteField needs one vector", len(self.vectors))

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One field piece."""
        self.fit(ensemble)
        return [Field(envelope_factor(self.envelope), self.vectors)]


def _fit_power_law(ensemble: Ensemble, term: str, power: float) -> None:
    if power == 0:
        return
    if ensemble.lattice is None:
        raise InvalidInput(
            f"{term} with exponent={power:g} needs distances: give the model a Lattice, "
            "or use exponent=0 (all to all)"
        )
    if math.isinf(power):
        require_sites(ensemble.lattice)


def _power_law(ensemble: Ensemble, power: float) -> Kernel:
    if power == 0 or ensemble.lattice is None:
        return AllToAllKernel(ensemble.n_spins)
    return power_law_kernel(ensemble.lattice, exponent=power)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class PowerLawXXZ(HamiltonianTerm):
    """H = sum_{i<j} r_ij^-exponent [j_perp (s^x_i s^x_j + s^y_i s^y_j) + j_z s^z_i s^z_j].

    r_ij by minimum image on a periodic lattice, in the unit of the lattice's spacing.
    perlin2020 sums over i != j: its J_perp, J_z are half of these.

    Args:
        j_perp: strength of the exchange, a number or an `Envelope`.
        j_z: strength of the Ising coupling, a number or an `Envelope`.
        exponent: >= 0; 0 couples all to all, inf the pairs at the smallest distance only.
    """

    j_perp: Strength = field(kw_only=True)
    j_z: Strength = field(kw_only=True)
    exponent: float = field(kw_only=True)

    def __post_init__(self) -> None:
        self._strength("j_perp", "j_z")
        self._put("exponent", exponent(self.exponent))

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there are distances where the exponent needs them."""
        _fit_power_law(ensemble, "PowerLawXXZ", self.exponent)

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """Two pair pieces with one kernel."""
        self.fit(ensemble)
        kernel = _power_law(ensemble, self.exponent)
        return [
            Pair(self.j_perp, np.diag([1.0, 1.0, 0.0]), kernel),
            Pair(self.j_z, np.diag([0.0, 0.0, 1.0]), kernel),
        ]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class PowerLawXYZ(HamiltonianTerm):
    """H = sum_{i<j} r_ij^-exponent sum_a j_a s^a_i s^a_j, a = x, y, z.

    Args:
        j_x: strength along x, a number or an `Envelope`.
        j_y: strength along y.
        j_z: strength along z.
        exponent: >= 0; 0 couples all to all, inf the pairs at the smallest distance only.
    """

    j_x: Strength = field(kw_only=True)
    j_y: Strength = field(kw_only=True)
    j_z: Strength = field(kw_only=True)
    exponent: float = field(kw_only=True)

    def __post_init__(self) -> None:
        self._strength("j_x", "j_y", "j_z")
        self._put("exponent", exponent(self.exponent))

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there are distances where the exponent needs them."""
        _fit_power_law(ensemble, "PowerLawXYZ", self.exponent)

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """Three pair pieces with one kernel."""
        self.fit(ensemble)
        kernel = _power_law(ensemble, self.exponent)
        return [
            Pair(value, np.diag(unit), kernel)
            for value, unit in zip((self.j_x, self.j_y, self.j_z), np.eye(3), strict=True)
        ]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class PairCoupling(HamiltonianTerm):
    """H = sum_{i<j} matrix_ij s_i . tensor s_j.

    Args:
        matrix: real symmetric (N, N) with zero diagonal.
        tensor: real symmetric (3, 3); z z by default.
        envelope: optional factor in time, an `Envelope`.
    """

    matrix: Any
    tensor: Any = field(default=((0, 0, 0), (0, 0, 0), (0, 0, 1)), kw_only=True)
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        matrix = checks.real_array("matrix", self.matrix, shape=(None, None))
        if matrix.shape[0] != matrix.shape[1]:
            raise InvalidInput.of(
                "matrix", f"must be square, got {matrix.shape[0]} x {matrix.shape[1]}"
            )
        if np.any(np.diag(matrix)):
            k = int(np.flatnonzero(np.diag(matrix))[0])
            raise InvalidInput.of(
                "matrix",
                f"must have a zero diagonal, got {matrix[k, k]:g} at [{k}][{k}]: "
                "a spin does not couple to itself",
            )
        scale = float(np.abs(matrix).max(initial=0.0))
        if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-12 * scale):
            i, j = np.argwhere(np.abs(matrix - matrix.T) > 1e-12 * scale)[0]
            raise InvalidInput.of(
                "matrix",
                f"must be symmetric, got {matrix[i, j]:g} at [{i}][{j}] and "
                f"{matrix[j, i]:g} at [{j}][{i}]",
            )
        self._put("matrix", matrix)
        self._put("tensor", symmetric_tensor("tensor", self.tensor))
        if self.envelope is not None:
            self._strength("envelope")

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there is one row a spin."""
        if len(self.matrix) != ensemble.n_spins:
            raise InvalidInput(
                f"PairCoupling needs a matrix of {ensemble.n_spins} x {ensemble.n_spins} for this "
                f"ensemble, got {len(self.matrix)} x {len(self.matrix)}"
            )

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One dense pair piece."""
        self.fit(ensemble)
        kernel = DenseKernel((self.matrix + self.matrix.T) / 2)
        return [Pair(envelope_factor(self.envelope), self.tensor, kernel)]
