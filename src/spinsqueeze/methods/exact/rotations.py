"""Instantaneous rotations exp(-i angle n.S) of all spins or of some, exact to rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput


def rotate(
    psi: NDArray[np.complex128],
    *,
    axis: NDArray[np.float64],
    angle: float,
    mask: NDArray[np.bool_] | None = None,
) -> None:
    """Apply prod_i exp(-i angle n.s_i) in place over the spins i with mask[i].

    A positive angle turns every <s_i> right-handed about n.

    Args:
        psi: (2^N,) state, changed in place.
        axis: (3,) n, of unit length.
        angle: in radians.
        mask: (N,) which spins turn; None means all.

    Raises:
        InvalidInput: an axis that is not a unit vector, an angle that is not finite, or a mask of
            another length than N.
    """
    n = np.asarray(axis, dtype=np.float64)
    if n.shape != (3,) or not abs(np.sqrt(n @ n) - 1) < 1e-6:
        raise InvalidInput(f"axis must be a unit vector of three numbers, got {axis}")
    if not np.isfinite(angle):
        raise InvalidInput(f"angle must be finite, got {angle}")
    n = n / np.sqrt(n @ n)
    n_spins = psi.size.bit_length() - 1
    turned = np.ones(n_spins, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if turned.shape != (n_spins,):
        raise InvalidInput(f"mask must have length n_spins={n_spins}, got shape {turned.shape}")
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    up_up, up_down = c - 1j * s * n[2], -1j * s * (n[0] - 1j * n[1])
    down_up, down_down = -1j * s * (n[0] + 1j * n[1]), c + 1j * s * n[2]
    for spin in np.flatnonzero(turned):
        pairs = psi.reshape(-1, 2, 1 << int(spin))
        down, up = pairs[:, 0], pairs[:, 1]
        new_up = up_up * up + up_down * down
        pairs[:, 0] = down_up * up + down_down * down
        pairs[:, 1] = new_up
