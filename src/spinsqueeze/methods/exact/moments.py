"""First and second collective moments of a state vector."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class SpinAction(Protocol):
    """A space in which the collective spin operators act."""

    def spin_action(self, psi: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return (3, dimension): S_x psi, S_y psi, S_z psi."""
        ...


def collective_moments(
    space: SpinAction, psi: NDArray[np.complex128]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and symmetrised covariance of the collective spin.

    <S_a> = <psi|S_a|psi>; C_ab = Re <w_a|w_b> with w_a = (S_a - <S_a>) psi. As a Gram matrix of
    centred vectors C has no cancellation and no negative eigenvalue beyond rounding, however
    strong the squeezing. psi is taken as normalised: a drift of its norm shows as it is.

    Returns:
        spin (3,) [hbar] and covariance (3, 3) [hbar^2].
    """
    w = space.spin_action(psi)
    spin = np.array([np.vdot(psi, row).real for row in w])
    for row, mean in zip(w, spin, strict=True):
        row -= mean * psi
    covariance = np.empty((3, 3))
    for a in range(3):
        for b in range(a, 3):
            covariance[a, b] = covariance[b, a] = np.vdot(w[a], w[b]).real
    return spin, covariance
