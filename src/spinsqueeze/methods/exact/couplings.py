"""What a Hamiltonian is made of: fields, tensors and kernels that share one strength in time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput

_EIGHTH_TURN = np.pi / 4
DIRECTIONS: dict[str, tuple[float, float]] = {
    "z": (0.0, 0.0),
    "x": (np.pi / 2, 0.0),
    "y": (np.pi / 2, np.pi / 2),
    "xy": (np.pi / 2, _EIGHTH_TURN),
    "xz": (_EIGHTH_TURN, 0.0),
    "yz": (_EIGHTH_TURN, np.pi / 2),
}
"""Polar and azimuthal angle of the quantisation axis of each frame."""


@dataclass(frozen=True)
class HamiltonianPart:
    """Terms that share one time envelope.

    H = sum_i b_i . s_i + sum_k sum_{i<j} K_k,ij s_i . T_k s_j.

    Attributes:
        field: (N, 3) b.
        tensors: (K, 3, 3) T, each symmetric.
        kernels: (K, N, N) coupling matrices, each symmetric with zero diagonal.

    Raises:
        InvalidInput: shapes that do not agree, entries that are not finite, a matrix that is not
            symmetric, or a kernel with a diagonal.
    """

    field: Floats
    tensors: Floats
    kernels: Floats

    def __post_init__(self) -> None:
        n = self.field.shape[0]
        if self.field.shape != (n, 3) or n < 1:
            raise InvalidInput(f"field must have shape (N, 3), got {self.field.shape}")
        k = self.tensors.shape[0]
        if self.tensors.shape != (k, 3, 3) or self.kernels.shape != (k, n, n):
            raise InvalidInput(
                f"tensors must have shape (K, 3, 3) and kernels (K, {n}, {n}), "
                f"got {self.tensors.shape} and {self.kernels.shape}"
            )
        for name, array in (
            ("field", self.field),
            ("tensors", self.tensors),
            ("kernels", self.kernels),
        ):
            if not np.all(np.isfinite(array)):
                raise InvalidInput(f"{name} must be finite, got NaN or infinity")
        for name, array in (("tensors", self.tensors), ("kernels", self.kernels)):
            excess = np.abs(array - array.swapaxes(1, 2)).max(initial=0.0)
            if excess > 1e-12 * np.abs(array).max(initial=0.0):
                raise InvalidInput(
                    f"{name} must be symmetric, got an asymmetry of {excess:.3g}; "
                    "symmetrise it first"
                )
        diagonal = np.abs(np.einsum("kii->ki", self.kernels)).max(initial=0.0)
        if diagonal > 0.0:
            raise InvalidInput(
                f"kernels must have a zero diagonal, got {diagonal:.3g}: "
                "s_i . T s_i is a constant and belongs to no pair"
            )

    @property
    def n_spins(self) -> int:
        """Number of spins N."""
        return int(self.field.shape[0])

    def along(self, direction: str) -> tuple[Floats, Floats]:
        """Return (N,) fields and (N, N) couplings that are diagonal in one frame."""
        n = self.n_spins
        tensors, kernels, axes = self.tensors, self.kernels, "xyz"
        if len(direction) == 1:
            a = axes.index(direction)
            weights = tensors[:, a, a] - sum(tensors[:, a, b] for b in range(3) if b != a)
            fields = self.field[:, a]
        else:
            a, b = (axes.index(letter) for letter in direction)
            weights = 2.0 * tensors[:, a, b]
            fields = np.zeros(n)
        return fields, np.einsum("k,kij->ij", weights, kernels)


def diagonal_energies(fields: Floats, couplings: Floats) -> Floats:
    """Energies (2^N,) of sum_i b_i m_i + sum_{i<j} C_ij m_i m_j, m_i = bit i - 1/2.

    Built by doubling: spin k adds m_k (b_k + sum_{j<k} C_kj m_j), 2^N operations in all.
    """
    energies = np.zeros(1)
    for k in range(fields.size):
        local = np.array([fields[k]])
        for j in range(k):
            local = np.concatenate([local - couplings[k, j] / 2, local + couplings[k, j] / 2])
        energies = np.concatenate([energies - local / 2, energies + local / 2])
    return energies


def required_frames(parts: Sequence[HamiltonianPart]) -> int:
    """Return how many frames the parts need together: the work of H psi is in proportion."""
    needed = set()
    for part in parts:
        for direction in DIRECTIONS:
            fields, couplings = part.along(direction)
            if np.any(fields) or np.any(couplings):
                needed.add(direction)
    return len(needed)
