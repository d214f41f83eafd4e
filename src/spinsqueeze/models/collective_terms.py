"""Hamiltonian terms of collective operators; S is the class-weighted sum of spins."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.canonical import Field, Piece, Quadratic
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Strength, times_number
from spinsqueeze.models.term import HamiltonianTerm, distinct_axes, envelope_factor

_INDEX = {"x": 0, "y": 1, "z": 2}


def _unit(*axes: str) -> Floats:
    matrix = np.zeros((3, 3))
    for axis in axes:
        matrix[_INDEX[axis], _INDEX[axis]] = 1.0
    return matrix


@final
@clear_init
@dataclass(frozen=True, eq=False)
class OneAxisTwisting(HamiltonianTerm):
    """H = chi S_axis^2.

    Args:
        chi: twisting strength, a number or an `Envelope`.
        axis: "x", "y" or "z".
    """

    chi: Strength
    axis: str = field(default="z", kw_only=True)

    def __post_init__(self) -> None:
        self._strength("chi")
        checks.axis_name("axis", self.axis)

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One quadratic piece."""
        return [Quadratic(self.chi, _unit(self.axis), ensemble.weights)]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class TwoAxisTwisting(HamiltonianTerm):
    """H = chi (S_a^2 - S_b^2) with axes = (a, b).

    Args:
        chi: twisting strength, a number or an `Envelope`.
        axes: two different axes.
    """

    chi: Strength
    axes: tuple[str, str] = field(default=("x", "y"), kw_only=True)

    def __post_init__(self) -> None:
        self._strength("chi")
        self._put("axes", distinct_axes(self.axes))

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One quadratic piece."""
        matrix = _unit(self.axes[0]) - _unit(self.axes[1])
        return [Quadratic(self.chi, matrix, ensemble.weights)]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CollectiveQuadratic(HamiltonianTerm):
    """H = sum_ab matrix_ab S_a S_b, matrix real symmetric (3, 3).

    Args:
        matrix: real symmetric 3 x 3 matrix.
        envelope: optional factor in time, an `Envelope`.
    """

    matrix: Any
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._put("matrix", symmetric_tensor("matrix", self.matrix))
        if self.envelope is not None:
            self._strength("envelope")

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One quadratic piece."""
        return [Quadratic(envelope_factor(self.envelope), self.matrix, ensemble.weights)]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CollectiveExchange(HamiltonianTerm):
    """H = chi S_plus S_minus = chi (S_x^2 + S_y^2 + S_z) for alike spins.

    With class weights, S_plus S_minus = S_x^2 + S_y^2 + sum_i w_i^2 s^z_i.
    """

    chi: Strength

    def __post_init__(self) -> None:
        self._strength("chi")

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """A quadratic piece and the field that the commutator leaves."""
        along_z = ensemble.weighted(ensemble.weighted(np.array([0.0, 0.0, 1.0])))
        exchange = Quadratic(self.chi, _unit("x", "y"), ensemble.weights)
        return [exchange, Field(self.chi, along_z)]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CollectiveXYZ(HamiltonianTerm):
    """H = (1/N) sum_a j_a S_a^2, N the number of spins."""

    j_x: Strength = field(kw_only=True)
    j_y: Strength = field(kw_only=True)
    j_z: Strength = field(kw_only=True)

    def __post_init__(self) -> None:
        self._strength("j_x", "j_y", "j_z")

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One quadratic piece an axis."""
        return [
            Quadratic(times_number(value, 1.0 / ensemble.n_spins), _unit(axis), ensemble.weights)
            for axis, value in zip("xyz", (self.j_x, self.j_y, self.j_z), strict=True)
        ]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class UniformField(HamiltonianTerm):
    """H = vector . S.

    Args:
        vector: three real numbers (x, y, z).
        envelope: optional factor in time, an `Envelope`.
    """

    vector: Any
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._put("vector", checks.real_array("vector", self.vector, shape=(3,)))
        if self.envelope is not None:
            self._strength("envelope")

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One field piece."""
        return [Field(envelope_factor(self.envelope), ensemble.weighted(self.vector))]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Drive(HamiltonianTerm):
    """H = rabi (cos(phase) S_x + sin(phase) S_y).

    Args:
        rabi: Rabi frequency, a number or an `Envelope`.
        phase: phase in radians.
    """

    rabi: Strength
    phase: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        self._strength("rabi")
        self._put("phase", checks.real("phase", self.phase))

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One field piece."""
        vector = np.array([np.cos(self.phase), np.sin(self.phase), 0.0])
        return [Field(self.rabi, ensemble.weighted(vector))]


def symmetric_tensor(name: str, value: Any) -> Any:
    """A real symmetric 3 x 3 tensor.

    Raises:
        InvalidInput: another shape, not finite, or not symmetric.
    """
    tensor = checks.real_array(name, value, shape=(3, 3))
    if not np.array_equal(tensor, tensor.T):
        a, b = np.argwhere(tensor != tensor.T)[0]
        raise InvalidInput.of(
            name,
            f"must be symmetric, got {tensor[a, b]:g} at [{a}][{b}] and {tensor[b, a]:g} at "
            f"[{b}][{a}]; use ({name} + {name}.T)/2",
        )
    return tensor
