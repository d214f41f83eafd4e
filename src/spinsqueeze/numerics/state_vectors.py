"""Vectors of 2^N amplitudes: made, rotated, and their moments.

The index is n = sum_i b_i 2^i with b_i = 1 for spin i up.
"""

from __future__ import annotations

from math import comb

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.numerics.angular_momentum import TURN_FROM_Z


def product_state(directions: Floats) -> Complexes:
    """Return the state with spin i along directions[i].

    Spin i is cos(theta/2)|up> + exp(i phi) sin(theta/2)|down>, so <s_i> = directions[i]/2.

    Args:
        directions: (N, 3) unit vectors; N equal rows make a coherent spin state.

    Returns:
        (2^N,) normalised amplitudes.

    Raises:
        InvalidInput: a wrong shape or a vector that is not of unit length.
    """
    n = np.asarray(directions, dtype=np.float64)
    if n.ndim != 2 or n.shape[1] != 3 or n.shape[0] < 1:
        raise InvalidInput(f"directions must have shape (N, 3), got {n.shape}")
    length = np.sqrt((n**2).sum(axis=1))
    if not np.all(np.abs(length - 1) < 1e-6):
        raise InvalidInput(f"directions must be unit vectors, got lengths {length}")
    n = n / length[:, None]
    azimuth = np.arctan2(n[:, 1], n[:, 0])
    # arctan2 of the half angles keeps full precision next to both poles.
    half = np.arctan2(np.hypot(n[:, 0], n[:, 1]), n[:, 2]) / 2
    psi = np.ones(1, dtype=np.complex128)
    for angle, phase in zip(half, azimuth, strict=True):
        psi = np.concatenate([np.exp(1j * phase) * np.sin(angle) * psi, np.cos(angle) * psi])
    return psi


def symmetric_state(amplitudes: Complexes) -> Complexes:
    """Embed a state of the symmetric subspace J = N/2.

    sum_M amplitudes[J + M] |J, M> with |J, M> the equal superposition, all coefficients positive,
    of the comb(N, J + M) product states with J + M spins up.

    Args:
        amplitudes: (N + 1,) from M = -J to +J, normalised to 1e-6; N is their number less one.

    Returns:
        (2^N,) normalised amplitudes.

    Raises:
        InvalidInput: fewer than two amplitudes, or a norm that is not 1.
    """
    c = np.asarray(amplitudes, dtype=np.complex128)
    if c.ndim != 1 or c.size < 2:
        raise InvalidInput(f"amplitudes must be a vector of N + 1 >= 2 numbers, got {c.shape}")
    norm = float(np.linalg.norm(c))
    if not abs(norm - 1) < 1e-6:
        raise InvalidInput(f"amplitudes must be normalised, got norm {norm:.6g}; divide by it")
    n_spins = c.size - 1
    weight = np.array([1 / np.sqrt(comb(n_spins, k)) for k in range(n_spins + 1)])
    count = np.zeros(1, dtype=np.int64)
    for _ in range(n_spins):
        count = np.concatenate([count, count + 1])
    embedded: Complexes = (c / norm * weight)[count]
    return embedded


def dicke_state(n_spins: int, *, spins_up: int, axis: str = "z") -> Complexes:
    """Return |J = N/2, M = spins_up - N/2> along `axis`, (2^N,).

    Raises:
        InvalidInput: spins_up outside 0..N.
    """
    if n_spins < 1 or not 0 <= spins_up <= n_spins:
        raise InvalidInput(
            f"spins_up must be between 0 and n_spins, got {spins_up} with n_spins={n_spins}"
        )
    amplitudes = np.zeros(n_spins + 1, dtype=np.complex128)
    amplitudes[spins_up] = 1.0
    psi = symmetric_state(amplitudes)
    if axis != "z":
        turn, angle = TURN_FROM_Z[axis]
        rotate(psi, axis=turn, angle=angle)
    return psi


def rotate(
    psi: Complexes,
    *,
    axis: Floats,
    angle: float,
    mask: Booleans | None = None,
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


def spin_action(psi: Complexes) -> Complexes:
    """Return (3, 2^N): S_x psi, S_y psi, S_z psi."""
    out = np.zeros((3, psi.size), dtype=np.complex128)
    for spin in range(psi.size.bit_length() - 1):
        pairs = psi.reshape(-1, 2, 1 << spin)
        down, up = pairs[:, 0], pairs[:, 1]
        x, y, z = out.reshape(3, -1, 2, 1 << spin)
        x[:, 0] += up / 2
        x[:, 1] += down / 2
        y[:, 0] += 0.5j * up
        y[:, 1] -= 0.5j * down
        z[:, 0] -= down / 2
        z[:, 1] += up / 2
    return out


def collective_moments(psi: Complexes, turned: Complexes) -> tuple[Floats, Floats]:
    """Mean and symmetrised covariance of the collective spin.

    <S_a> = <psi|S_a|psi>; C_ab = Re <w_a|w_b> with w_a = (S_a - <S_a>) psi. As a Gram matrix of
    centred vectors C has no cancellation and no negative eigenvalue beyond rounding, however
    strong the squeezing. psi is taken as normalised: a drift of its norm shows as it is.

    Args:
        psi: (dimension,).
        turned: (3, dimension) S_x psi, S_y psi, S_z psi; spent.

    Returns:
        spin (3,) [hbar] and covariance (3, 3) [hbar^2].
    """
    w = turned
    spin = np.array([np.vdot(psi, row).real for row in w])
    for row, mean in zip(w, spin, strict=True):
        row -= mean * psi
    covariance = np.empty((3, 3))
    for a in range(3):
        for b in range(a, 3):
            covariance[a, b] = covariance[b, a] = np.vdot(w[a], w[b]).real
    return spin, covariance
