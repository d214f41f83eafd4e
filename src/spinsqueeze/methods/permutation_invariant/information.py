"""What the whole state tells: purity, entropy, quantum Fisher information, distributions.

A block R_j stands for d_j equal blocks R_j/d_j of the physical state (layout.py), with d_j the
multiplicity of total spin j. Multiplicities enter through their logarithms.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.permutation_invariant.layout import block_offsets, blocks
from spinsqueeze.numerics.angular_momentum import (
    axis_basis,
    coherent_amplitudes,
    log_multiplicity,
    spin_matrices,
    total_spins,
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]


def purity(state: Complex, *, n_spins: int) -> float:
    """Tr rho^2 = sum_j Tr(R_j^2)/d_j of the physical N-spin state."""
    log_d = log_multiplicity(n_spins)
    squares = [float(np.vdot(block, block).real) for block in blocks(state, n_spins)]
    return float(np.sum(np.array(squares) * np.exp(-log_d)))


def block_spectra(state: Complex, *, n_spins: int) -> list[Float]:
    """Eigenvalues of every R_j, ascending, j = N/2 first; negative ones measure the error."""
    return [
        np.asarray(np.linalg.eigvalsh(block), dtype=np.float64) for block in blocks(state, n_spins)
    ]


def smallest_eigenvalue(state: Complex, *, n_spins: int) -> float:
    """Smallest eigenvalue over all blocks: at least -rounding for a valid state."""
    return min(float(values[0]) for values in block_spectra(state, n_spins=n_spins))


def entropy(state: Complex, *, n_spins: int) -> float:
    """Von Neumann entropy -Tr rho ln rho = sum_j [p_j ln d_j - sum lambda ln lambda] in nats.

    Eigenvalues that are negative by rounding count as zero.
    """
    total = 0.0
    spectra = block_spectra(state, n_spins=n_spins)
    for log_d, values in zip(log_multiplicity(n_spins), spectra, strict=True):
        kept = values[values > 0]
        total += float(np.sum(kept) * log_d - np.sum(kept * np.log(kept)))
    return total


def fisher_matrix(state: Complex, *, n_spins: int) -> Float:
    """Quantum Fisher information matrix F_ab of rotations exp(-i theta n.S): (3, 3).

    F_ab = 2 sum_kl (l_k - l_l)^2/(l_k + l_l) Re <k|S_a|l><l|S_b|k>, block by block: the
    multiplicities cancel. F(n) = n.F n; separable states have F(n) <= N (braunstein1994).
    """
    total = np.zeros((3, 3))
    for j, block in zip(total_spins(n_spins), blocks(state, n_spins), strict=True):
        if j == 0:
            continue
        values, vectors = np.linalg.eigh(block)
        values = np.maximum(values, 0.0)
        added = values[:, None] + values[None, :]
        weight = np.zeros_like(added)
        np.divide((values[:, None] - values[None, :]) ** 2, added, out=weight, where=added > 0)
        S = vectors.conj().T @ spin_matrices(float(j)) @ vectors
        total += 2 * np.einsum("kl,akl,bkl->ab", weight, S, S.conj(), optimize=True).real
    return total


def fisher_information(
    state: Complex, *, n_spins: int, direction: Sequence[float] | Float | None = None
) -> float:
    """Quantum Fisher information of rotations about `direction`, or the maximum over directions."""
    matrix = fisher_matrix(state, n_spins=n_spins)
    if direction is None:
        return float(np.linalg.eigvalsh(matrix)[-1])
    unit = np.asarray(direction, dtype=float)
    unit = unit / np.linalg.norm(unit)
    return float(unit @ matrix @ unit)


def axis_distribution(
    state: Complex, *, n_spins: int, direction: Sequence[float] | Float
) -> tuple[Float, Float]:
    """Outcomes m = N/2 ... -N/2 of direction.S and their probabilities: (N+1,), (N+1,)."""
    probability = np.zeros(n_spins + 1)
    for shell, block in enumerate(blocks(state, n_spins)):
        basis = axis_basis(n_spins / 2 - shell, direction)
        inside = np.einsum("ma,mn,na->a", basis.conj(), block, basis, optimize=True).real
        probability[shell : n_spins + 1 - shell] += inside
    return n_spins / 2 - np.arange(n_spins + 1, dtype=np.float64), probability


def husimi(state: Complex, *, n_spins: int, directions: Float) -> Float:
    """sum_j (2j+1)/(4 pi) <j, n|R_j|j, n> at unit vectors (K, 3): (K,); integrates to 1."""
    points = np.asarray(directions, dtype=float)
    total = np.zeros(points.shape[0])
    for j, block in zip(total_spins(n_spins), blocks(state, n_spins), strict=True):
        waves = np.stack([coherent_amplitudes(float(j), point) for point in points])
        total += (
            (2 * j + 1)
            / (4 * np.pi)
            * np.einsum("km,mn,kn->k", waves.conj(), block, waves, optimize=True).real
        )
    return total


def without_one_spin(state: Complex, *, n_spins: int) -> Complex:
    """Flat state of N - 1 spins after the loss of one random spin (partial trace over one spin).

    |j, m> splits into |j - 1/2> and |j + 1/2> of the others with weights
    2j(N/2+j+1)/(N(2j+1)) and (2j+2)(N/2-j)/(N(2j+1)) (ratios of multiplicities), and
    Clebsch-Gordan amplitudes sqrt((j +- m)/(2j)), -+sqrt((j+1 -+ m)/(2j+2)) for the lost spin
    up or down.

    Raises:
        InvalidInput: fewer than two spins.
    """
    if n_spins < 2:
        raise InvalidInput(f"n_spins must be at least 2 to lose one spin, got {n_spins}")
    N = n_spins
    after = np.zeros(int(block_offsets(N - 1)[-1]), dtype=complex)
    targets = blocks(after, N - 1)
    for shell, (j, block) in enumerate(zip(total_spins(N), blocks(state, N), strict=True)):
        m = j - np.arange(block.shape[0])
        if j > 0:  # to j - 1/2, shell `shell` of N - 1: drop the bottom (up lost) or top row
            weight = 2 * j * (N / 2 + j + 1) / (N * (2 * j + 1))
            up, down = np.sqrt((j + m) / (2 * j)), np.sqrt((j - m) / (2 * j))
            moved = (np.outer(up, up) * block)[:-1, :-1] + (np.outer(down, down) * block)[1:, 1:]
            targets[shell][...] += weight * moved
        weight = (2 * j + 2) * (N / 2 - j) / (N * (2 * j + 1))
        if weight > 0:  # to j + 1/2, shell - 1 of N - 1
            up = -np.sqrt((j + 1 - m) / (2 * j + 2))
            down = np.sqrt((j + 1 + m) / (2 * j + 2))
            targets[shell - 1][1:, 1:] += weight * np.outer(up, up) * block
            targets[shell - 1][:-1, :-1] += weight * np.outer(down, down) * block
    return after
