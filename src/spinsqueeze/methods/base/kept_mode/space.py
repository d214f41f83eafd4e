"""The spins of a method, as operators on the space that it keeps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.models.envelope import Strength
from spinsqueeze.observables.qfi import AFFORDABLE, mixed_information

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@final
@dataclass(frozen=True, eq=False)
class Part:
    """strength * an operator (D, D)."""

    strength: Strength
    operator: "csr_array"


@final
@dataclass(frozen=True, eq=False)
class SpinSpace:
    """D states of the spins; density matrices are zero outside blocks on the diagonal.

    Attributes:
        n_spins: N.
        sizes: of the blocks, D in all.
        hamiltonian: parts of H that act on the spins.
        jumps: parts strength * D[operator]; an operator takes each block into a single one.
        couplings: parts strength * [a^dagger operator + h.c.].
        spin: S_x, S_y, S_z.
        state: at time 0, amplitudes (D,) where it is pure and there is one block, else the blocks.
        turn: exp(-i angle axis.S) of a pulse times the rows of an array (size, K) for each block.
        extras: name -> value at one time, of the blocks of the reduced density matrix.
        coords: name -> labels of its dimensions, for extras that have any.
    """

    n_spins: int
    sizes: tuple[int, ...]
    hamiltonian: tuple[Part, ...]
    jumps: tuple[Part, ...]
    couplings: tuple[Part, ...]
    spin: "tuple[csr_array, csr_array, csr_array]"
    state: Complexes | Sequence[Complexes]
    turn: Callable[[Rotation, Sequence[Complexes]], list[Complexes]]
    extras: Callable[[Sequence[Complexes]], dict[str, float | Floats]]
    coords: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        """D."""
        return int(np.sum(self.sizes))

    @property
    def blocks(self) -> list[Complexes]:
        """The density matrix at time 0, by blocks."""
        if isinstance(self.state, np.ndarray):
            return [np.outer(self.state, self.state.conj())]
        return list(self.state)

    def moments(self, blocks: Sequence[Complexes]) -> tuple[Floats, Floats]:
        """<S_a> (3,) and the symmetrised covariance (3, 3) of a density matrix (trace 1)."""
        spin, covariance = np.zeros(3), np.zeros((3, 3))
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        parts = [
            ([S[a:b, a:b].toarray() for S in self.spin], block)
            for a, b, block in zip(starts[:-1], starts[1:], blocks, strict=True)
        ]
        for S, block in parts:
            spin += [np.vdot(s, block).real for s in S]
        for S, block in parts:
            # About the mean: nothing cancels near a pole.
            centred = [s - mean * np.eye(len(s)) for s, mean in zip(S, spin, strict=True)]
            for b in range(3):
                moved = centred[b] @ block
                covariance[:, b] += [np.vdot(s, moved).real for s in centred]
        return spin, (covariance + covariance.T) / 2


def of_one_block(
    spin: "tuple[csr_array, csr_array, csr_array]",
) -> Callable[[Sequence[Complexes]], dict[str, float | Floats]]:
    """The extras of a space of one block: Tr rho^2 and, of a small one, the Fisher information."""
    affordable = spin[0].shape[0] <= AFFORDABLE
    generators = np.array([S.toarray() for S in spin]) if affordable else None

    def extras(blocks: Sequence[Complexes]) -> dict[str, float | Floats]:
        (rho,) = blocks
        values: dict[str, float | Floats] = {"purity": float(np.vdot(rho, rho).real)}
        if generators is not None:
            values["qfi"] = mixed_information(rho, generators=generators)
        return values

    return extras
