"""A model that keeps the magnetisation along one axis, turned so that this axis is z."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.states import symmetric_amplitudes
from spinsqueeze.methods.truncated_shells.blocks import Couplings
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics import collective_operators

_TURNS = {"z": ([0, 1, 2], 0.0), "x": ([1, 2, 0], -2 * np.pi / 3), "y": ([2, 0, 1], 2 * np.pi / 3)}
"""Old components in the order of the new ones, and the angle about (1, 1, 1) of that turn."""
_DIAGONAL = np.ones(3) / np.sqrt(3)


@final
@dataclass(frozen=True, eq=False)
class Parts:
    """H in parts of rank 0 and 2, up to a constant.

    H = sum_q [isotropic_q sum_{i<j} K^q_ij s_i.s_j
               + rank_two_q sum_{i<j} K^q_ij (3 s^z_i s^z_j - s_i.s_j)]
        + total S^2 + square S_z^2 + field S_z + sum_i h_i s^z_i, sum_i h_i = 0.

    order: old components of vectors in the order of the new ones; angle: of that turn about
    (1, 1, 1).
    """

    couplings: Couplings
    isotropic: tuple[float, ...]
    rank_two: tuple[float, ...]
    total: float
    square: float
    field: float
    order: Integers
    angle: float

    def turned(self, vector: Floats) -> Floats:
        """A vector (..., 3) of the model, in the axes of the parts."""
        return vector[..., self.order]

    def turned_back(self, spin: Floats, covariance: Floats) -> tuple[Floats, Floats]:
        """Moments (T, 3), (T, 3, 3) in the axes of the model."""
        back = np.argsort(self.order)
        return spin[:, back], covariance[:, back][:, :, back]

    def amplitudes(self, question: Evolve) -> Complexes:
        """The initial state (N + 1,), m = N/2 first, in the axes of the parts."""
        psi = symmetric_amplitudes(question.state, question.model.n_spins)
        if self.angle == 0.0:
            return psi
        return collective_operators.rotated(psi, axis=_DIAGONAL, angle=self.angle)


def parts_of(model: Canonical) -> Parts:
    """The parts of a closed model, constant in time, that has an axis."""
    assert model.u1_axis is not None
    model = model.per_spin()
    n = model.n_spins
    order, angle = _TURNS[model.u1_axis or "z"]
    kernels: list[Floats] = []
    strengths: list[list[float]] = []
    total = square = 0.0

    def add(kernel: Floats, tensor: Floats) -> None:
        """A pair term."""
        known = next((q for q, k in enumerate(kernels) if np.array_equal(k, kernel)), None)
        if known is None:
            known = len(kernels)
            kernels.append(kernel)
            strengths.append([0.0, 0.0])
        across, along = _two(tensor, order)
        strengths[known][0] += across + (along - across) / 3
        strengths[known][1] += (along - across) / 3

    for pair in model.pairs:
        tensor = _number(pair.strength) * pair.tensor
        if pair.kernel.uniform:
            across, along = _two(tensor, order)
            total, square = total + across / 2, square + (along - across) / 2
        else:
            add(pair.kernel.matrix(), tensor)
    for quadratic in model.quadratics:
        tensor = _number(quadratic.strength) * quadratic.matrix
        if quadratic.weights is None:
            across, along = _two(tensor, order)
            total, square = total + across, square + along - across
        else:
            kernel = np.outer(quadratic.weights, quadratic.weights)
            np.fill_diagonal(kernel, 0.0)
            add(kernel, 2 * tensor)
    field = np.zeros(n)
    for piece in model.fields:
        vectors = np.broadcast_to(piece.vectors, (n, 3))
        field = field + _number(piece.strength) * vectors[:, order[2]]
    mean = float(field.mean())
    grids = (pair.kernel.grid for pair in model.pairs)
    return Parts(
        couplings=Couplings.of(kernels, field - mean, next((g for g in grids if g), None)),
        isotropic=tuple(s[0] for s in strengths),
        rank_two=tuple(s[1] for s in strengths),
        total=total,
        square=square,
        field=mean,
        order=np.array(order),
        angle=angle,
    )


def _two(tensor: Floats, order: list[int]) -> tuple[float, float]:
    """The strengths across the axis and along it."""
    return float(tensor[order[0], order[0]]), float(tensor[order[2], order[2]])


def _number(strength: object) -> float:
    assert isinstance(strength, float | int)
    return float(strength)
