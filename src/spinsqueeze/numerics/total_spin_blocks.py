"""A state vector of N spins, spin by spin in the basis of total spins."""

import numpy as np

from spinsqueeze.core.arrays import Complexes


def total_spin_blocks(psi: Complexes) -> list[Complexes]:
    """R_j = sum over the ways to couple N spins to total spin j of |part><part|, j = N/2 first.

    Spins are added one by one with the Clebsch-Gordan coefficients of j and 1/2:
    |j+1/2, M> = u |M-1/2>|up> + v |M+1/2>|down>, |j-1/2, M> = -v |M-1/2>|up> + u |M+1/2>|down>,
    u^2 = (j+M+1/2)/(2j+1) of the first and (j+M+1/2)/(2j+1) of the second, v^2 = 1 - u^2.
    Time O(N 2^N) and the blocks.

    Args:
        psi: (2^N,), bit i of the index (least significant first) is 1 where spin i is up.

    Returns:
        one (2j+1, 2j+1) for each j, m = +j first; their traces add up to the norm of psi.
    """
    parts: dict[int, Complexes] = {0: np.asarray(psi, dtype=np.complex128).reshape(1, 1, -1)}
    n_spins = psi.size.bit_length() - 1
    for _ in range(n_spins):
        coupled: dict[int, list[Complexes]] = {}
        for two_j, part in parts.items():
            split = part.reshape(*part.shape[:2], -1, 2)
            down, up = split[..., 0], split[..., 1]
            for two_k in (two_j + 1, two_j - 1):
                if two_k >= 0:
                    coupled.setdefault(two_k, []).append(_coupled(two_j, two_k, up, down))
        parts = {two_j: np.concatenate(list_of) for two_j, list_of in coupled.items()}
    blocks = []
    for two_j in range(n_spins, -1, -2):
        ways = parts[two_j][..., 0]
        blocks.append(np.einsum("pm,pn->mn", ways, ways.conj(), optimize=True))
    return blocks


def _coupled(two_j: int, two_k: int, up: Complexes, down: Complexes) -> Complexes:
    """Amplitudes of total spin k = two_k/2 from those of j and one spin more."""
    shape = (up.shape[0], two_k + 1, up.shape[2])
    result = np.zeros(shape, dtype=np.complex128)
    m = two_k / 2 - np.arange(two_k + 1)  # M of the result
    with_up = (two_j / 2 + m + 0.5) / (two_j + 1)
    if two_k > two_j:
        # |M-1/2>|up> lies at index k of j, |M+1/2>|down> at k - 1
        result[:, :-1] += np.sqrt(with_up[:-1])[:, None] * up
        result[:, 1:] += np.sqrt(1 - with_up[1:])[:, None] * down
    else:
        result -= np.sqrt(1 - with_up)[:, None] * up[:, 1:]
        result += np.sqrt(with_up)[:, None] * down[:, :-1]
    return result
