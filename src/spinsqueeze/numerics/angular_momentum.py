"""Angular momentum of N spins 1/2: shells, multiplicities, ladder and single-spin coefficients.

Shell s holds total spin j = N/2 - s, s = 0 ... floor(N/2); within a shell the basis runs from
m = +j (row 0) down to m = -j. Spherical components of a vector are ordered (+, -, z):
c.S = c_+ S_+ + c_- S_- + c_z S_z with c_+- = (c_x -+ i c_y)/2.
"""

import math
from collections.abc import Sequence

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats

SPHERICAL = np.array([[0.5, -0.5j, 0.0], [0.5, 0.5j, 0.0], [0.0, 0.0, 1.0]])
"""(3, 3): spherical components (+, -, z) of a Cartesian vector, c_sph = SPHERICAL @ c."""

TURN_FROM_Z = {
    "x": (np.array([0.0, 1.0, 0.0]), np.pi / 2),
    "y": (np.array([-1.0, 0.0, 0.0]), np.pi / 2),
}
"""Axis and angle of the rotation that takes z to x or to y."""

SHIFT = (-1, 1, 0)
"""Source minus target magnetic number of the components (+, -, z)."""


def total_spins(n_spins: int) -> Floats:
    """Total spins j of N spins 1/2, largest first: (floor(N/2) + 1,)."""
    return n_spins / 2.0 - np.arange(n_spins // 2 + 1, dtype=np.float64)


def log_multiplicity(n_spins: int) -> Floats:
    """Ln d_j of every shell, d_j = (2j+1)/(N/2+j+1) binom(N, N/2-j); largest j first.

    d_j counts the equivalent irreducible representations of total spin j in 2^N.
    """
    j = total_spins(n_spins)
    s = np.arange(j.size)
    k = np.arange(1, j.size)
    log_binomial = np.concatenate([[0.0], np.cumsum(np.log((n_spins - k + 1.0) / k))])
    return log_binomial + np.log((2 * j + 1) / (n_spins - s + 1.0))


def recycling(n_spins: int) -> tuple[Floats, Floats, Floats]:
    """Weights a_j, b_j, c_j with which one-spin jumps feed j, j - 1 and j + 1 from shell j.

    sum_i (c.s_i) R (c.s_i)^dagger = a_j A R A^dagger + b_j B R B^dagger + c_j D R D^dagger for a
    block R of shell j normalised by its trace (chase2008, shammah2018). With
    sum_{j' >= j} d_j' = binom(N, N/2 - j) the multiplicity ratios are rational:
    a_j = (N/2 + 1)/(2j(j+1)), b_j = (N/2 + j + 1)/(2j(2j+1)), c_j = (N/2 - j)/(2(j+1)(2j+1)).
    Shell j = 0 has a = b = 0 (A and B vanish there).
    """
    j = total_spins(n_spins)
    half = n_spins / 2.0
    safe = np.where(j > 0, j, 1.0)
    a = np.where(j > 0, (half + 1) / (2 * safe * (j + 1)), 0.0)
    b = np.where(j > 0, (half + j + 1) / (2 * safe * (2 * j + 1)), 0.0)
    c = (half - j) / (2 * (j + 1) * (2 * j + 1))
    return a, b, c


def same_shell(j: Floats, m: Floats) -> Floats:
    """<j, m| S_alpha |j, m_source> for alpha = +, -, z, with m the target: (3, ...)."""
    plus = np.sqrt(np.maximum((j - m + 1) * (j + m), 0.0))
    minus = np.sqrt(np.maximum((j + m + 1) * (j - m), 0.0))
    return np.stack(np.broadcast_arrays(plus, minus, m + 0 * j))


def from_shell_above(j: Floats, m: Floats) -> Floats:
    """Amplitudes B_alpha from shell j + 1 into the target (j, m): (3, ...)."""
    up, source = j + 1, m - 1
    plus = np.sqrt(np.maximum((up - source) * (up - source - 1), 0.0))
    source = m + 1
    minus = -np.sqrt(np.maximum((up + source) * (up + source - 1), 0.0))
    z = np.sqrt(np.maximum((up + m) * (up - m), 0.0))
    return np.stack(np.broadcast_arrays(plus, minus, z))


def from_shell_below(j: Floats, m: Floats) -> Floats:
    """Amplitudes D_alpha from shell j - 1 into the target (j, m): (3, ...).

    Zero where the source |m_source| > j - 1 does not exist.
    """
    low, source = j - 1, m - 1
    plus = -np.sqrt(np.maximum((low + source + 1) * (low + source + 2), 0.0))
    plus = np.where(np.abs(source) <= low, plus, 0.0)
    source = m + 1
    minus = np.sqrt(np.maximum((low - source + 1) * (low - source + 2), 0.0))
    minus = np.where(np.abs(source) <= low, minus, 0.0)
    z = np.sqrt(np.maximum((low + m + 1) * (low - m + 1), 0.0))
    z = np.where(np.abs(m) <= low, z, 0.0)
    return np.stack(np.broadcast_arrays(plus, minus, z))


def spin_matrices(j: float) -> Complexes:
    """Dense (S_x, S_y, S_z) of one spin j in the basis m = j ... -j: (3, 2j+1, 2j+1)."""
    size = round(2 * j) + 1
    m = j - np.arange(size)
    ladder = np.diag(np.sqrt((j - m[1:]) * (j + m[1:] + 1)), 1).astype(complex)
    lower = ladder.conj().T
    return np.stack([(ladder + lower) / 2, (ladder - lower) / 2j, np.diag(m).astype(complex)])


def coherent_amplitudes(j: float, direction: Sequence[float] | Floats) -> Complexes:
    """Coherent state of spin j along a unit vector: amplitudes of m = j ... -j, norm 1.

    <j, m|n> = sqrt(binom(2j, j+m)) cos^{j+m}(th/2) sin^{j-m}(th/2) e^{i (j-m) ph}. The weights come
    from ratios summed away from their maximum, so nothing overflows or cancels at 2j = 1e6.
    """
    x, y, z = (float(component) for component in direction)
    norm = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / norm, y / norm, z / norm
    across = math.hypot(x, y)
    n = round(2 * j)
    k = np.arange(n + 1)
    if across == 0.0:
        amplitudes = np.zeros(n + 1, dtype=complex)
        amplitudes[0 if z > 0 else n] = 1.0
        return amplitudes
    tangent = across / (1 + z) if z > -0.5 else (1 - z) / across
    log_ratio = np.log((n - k[:-1]) / (k[:-1] + 1.0)) + 2 * math.log(tangent)
    peak = int(np.searchsorted(-log_ratio, 0.0))
    log_weight = np.zeros(n + 1)
    log_weight[peak + 1 :] = np.cumsum(log_ratio[peak:])
    log_weight[:peak] = -np.cumsum(log_ratio[:peak][::-1])[::-1]
    magnitude = np.exp(log_weight / 2)
    magnitude /= np.linalg.norm(magnitude)
    return np.asarray(magnitude * np.exp(1j * math.atan2(y, x) * k))


def jump_matrix(jumps: Sequence[tuple[float, Complexes]]) -> Complexes:
    """Sum of rate c c^dagger over jumps (rate, c in C^3): Hermitian, positive, (3, 3)."""
    total = np.zeros((3, 3), dtype=complex)
    for rate, vector in jumps:
        c = np.asarray(vector, dtype=complex)
        total += rate * np.outer(c, c.conj())
    return total


def damping_vector(matrix: Complexes) -> Floats:
    """Vector w with sum rate L^dagger L = S.Re(matrix).S + w.S for jumps L = c.S: (3,)."""
    skew = matrix.imag
    return np.array([skew[1, 2], skew[2, 0], skew[0, 1]])


def axis_basis(j: float, direction: Sequence[float] | Floats) -> Complexes:
    """Columns: eigenvectors of direction.S of spin j, eigenvalue j first: (2j+1, 2j+1)."""
    from scipy.linalg import eigh

    unit = np.asarray(direction, dtype=float)
    unit = unit / np.linalg.norm(unit)
    size = round(2 * j) + 1
    m = j - np.arange(size)
    across = np.hypot(unit[0], unit[1])
    if across == 0.0:
        basis = np.eye(size, dtype=complex)
        return basis if unit[2] > 0 else basis[:, ::-1]
    # rotate by the azimuth about z: the rest is a real tridiagonal matrix
    ladder = np.sqrt((j - m[1:]) * (j + m[1:] + 1)) * across / 2
    matrix = np.diag(unit[2] * m) + np.diag(ladder, 1) + np.diag(ladder, -1)
    _, vectors = eigh(matrix)
    phase = np.exp(-1j * np.arctan2(unit[1], unit[0]) * m)
    return np.asarray(phase[:, None] * vectors[:, ::-1])


def rotation_matrix(j: float, *, axis: Sequence[float] | Floats, angle: float) -> Complexes:
    """exp(-i angle axis . S) of one spin j in the basis m = j ... -j: (2j+1, 2j+1)."""
    basis = axis_basis(j, axis)
    phases = np.exp(-1j * angle * (j - np.arange(basis.shape[0])))
    return np.asarray((basis * phases) @ basis.conj().T)
