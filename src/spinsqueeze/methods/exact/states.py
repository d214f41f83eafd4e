"""Initial states as vectors of 2^N amplitudes: index n = sum_i b_i 2^i, b_i = 1 for spin i up."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput


def product_state(directions: NDArray[np.float64]) -> NDArray[np.complex128]:
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


def symmetric_state(amplitudes: NDArray[np.complex128]) -> NDArray[np.complex128]:
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
    embedded: NDArray[np.complex128] = (c / norm * weight)[count]
    return embedded


def dicke_state(n_spins: int, *, spins_up: int) -> NDArray[np.complex128]:
    """Return |J = N/2, M = spins_up - N/2>, (2^N,).

    Raises:
        InvalidInput: spins_up outside 0..N.
    """
    if n_spins < 1 or not 0 <= spins_up <= n_spins:
        raise InvalidInput(
            f"spins_up must be between 0 and n_spins, got {spins_up} with n_spins={n_spins}"
        )
    amplitudes = np.zeros(n_spins + 1, dtype=np.complex128)
    amplitudes[spins_up] = 1.0
    return symmetric_state(amplitudes)
