"""What perturbation theory needs of a model: its operators among states of few flipped spins.

H = H0 + H1: H0 commutes with S_z and has the energy 0 in |all down>, H1 does not. Jumps lower.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@final
@dataclass(frozen=True, eq=False)
class FlipSpace:
    """Operators on D states with up to E flipped spins, the first of them |all down>.

    Attributes:
        n_spins: N.
        sizes: of the blocks outside of which rho is zero, D in all.
        flips: (D,) flipped spins.
        unperturbed: H0.
        perturbation: H1, but for what leads beyond E.
        jumps: with their rates; each takes a block into a single one.
        lower: S_minus.
        copies: of every block, equal ones of the physical state that it stands for.
    """

    n_spins: int
    sizes: tuple[int, ...]
    flips: Integers
    unperturbed: "csr_array"
    perturbation: "csr_array"
    jumps: "tuple[csr_array, ...]"
    lower: "csr_array"
    copies: tuple[float, ...] = (1.0,)


def split(tensor: Floats) -> tuple[Floats, Floats]:
    """A symmetric 3 x 3 coupling as what commutes with rotations about z, and the rest."""
    across = (tensor[0, 0] + tensor[1, 1]) / 2
    kept = np.diag([across, across, tensor[2, 2]])
    return kept, tensor - kept
