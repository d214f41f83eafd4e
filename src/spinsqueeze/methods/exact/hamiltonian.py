"""A spin Hamiltonian as real diagonals in at most six product frames; its action on a state.

Every symmetric 3x3 tensor is a sum of squares along x, y, z and the three diagonals between them:
s_ix s_jy + s_iy s_jx = 2 s_iu s_ju - s_ix s_jx - s_iy s_jy with u = (x + y)/sqrt(2), and likewise
for xz and yz. So any bilinear Hamiltonian is sum_n R_n D_n R_n^dagger with six directions n at
most (three for XYZ models), see `frames`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.exact.couplings import (
    DIRECTIONS,
    HamiltonianPart,
    diagonal_energies,
)
from spinsqueeze.methods.exact.frames import ProductFrames, spin_action
from spinsqueeze.numerics.state_vectors import collective_moments, rotate


class SpinHamiltonian:
    """H(t) = sum_p w_p(t) H_p on the full space of 2^N amplitudes.

    Args:
        parts: one `HamiltonianPart` for each envelope (one in all for a constant Hamiltonian).
        threads: threads that share the work; None takes the processors this process may use.

    Memory: 8 * 2^N bytes for each part and frame it needs (1 for Ising, 3 for XYZ, 6 in general),
    and 24 * 2^N for work space.
    """

    def __init__(self, parts: Sequence[HamiltonianPart], *, threads: int | None = None) -> None:
        if not parts or len({part.n_spins for part in parts}) != 1:
            raise InvalidInput(
                "parts must hold at least one part, all of one n_spins, got "
                f"{[part.n_spins for part in parts]}"
            )
        self.n_spins = parts[0].n_spins
        self.frames = ProductFrames(self.n_spins, threads=threads)
        self.dimension = self.frames.dimension
        self._parts: list[dict[str, Floats]] = []
        for part in parts:
            diagonals = {}
            for direction in DIRECTIONS:
                fields, couplings = part.along(direction)
                if np.any(fields) or np.any(couplings):
                    diagonals[direction] = diagonal_energies(fields, couplings)
            self._parts.append(diagonals)

    @property
    def n_parts(self) -> int:
        """Number of parts, the length of the weights that `frozen` expects."""
        return len(self._parts)

    def frozen(self, weights: Floats | None = None) -> FrozenHamiltonian:
        """Return sum_p weights_p H_p; None means all ones."""
        w = np.ones(self.n_parts) if weights is None else np.asarray(weights, dtype=np.float64)
        if w.shape != (self.n_parts,) or not np.all(np.isfinite(w)):
            raise InvalidInput(f"weights must be {self.n_parts} finite numbers, got {weights}")
        total: dict[str, Floats] = {}
        for weight, diagonals in zip(w, self._parts, strict=True):
            if weight == 0.0:
                continue
            for direction, energies in diagonals.items():
                if direction in total:
                    total[direction] = total[direction] + weight * energies
                else:
                    total[direction] = energies if weight == 1.0 else weight * energies
        return FrozenHamiltonian(self.frames, total)

    def spin_action(self, psi: Complexes) -> Complexes:
        """Return (3, 2^N): S_x psi, S_y psi, S_z psi."""
        return spin_action(self.frames, psi)

    def moments(self, psi: Complexes) -> tuple[Floats, Floats]:
        """<S_a> (3,) and the symmetrised covariance (3, 3)."""
        return collective_moments(psi, self.spin_action(psi))

    def rotate(
        self,
        psi: Complexes,
        *,
        axis: Floats,
        angle: float,
        mask: Booleans | None = None,
    ) -> None:
        """Apply prod_i exp(-i angle axis.s_i) in place over the spins of the mask (None: all)."""
        rotate(psi, axis=axis, angle=angle, mask=mask)


@dataclass(frozen=True)
class FrozenHamiltonian:
    """A constant Hamiltonian: `apply` is all that propagation needs."""

    frames: ProductFrames
    diagonals: dict[str, Floats]

    @property
    def dimension(self) -> int:
        """Number of amplitudes."""
        return self.frames.dimension

    def apply(self, psi: Complexes, out: Complexes) -> None:
        """Out = H psi; psi and out are contiguous (2^N,) and distinct."""
        if "z" in self.diagonals:
            self.frames.multiply(self.diagonals["z"], psi, out)
        else:
            out[:] = 0.0
        for direction, energies in self.diagonals.items():
            if direction != "z":
                self.frames.add_rotated(energies, *DIRECTIONS[direction], psi, out)

    def subtract(
        self,
        w: Complexes,
        v: Complexes,
        u: Complexes,
        alpha: float,
        beta: float,
    ) -> None:
        """In place: w -= alpha v + beta u."""
        self.frames.subtract(w, v, u, alpha, beta)
