"""What an open model of alike spins conserves, read off its constants: no small number decides.

H = S.Q.S + b.S with collective jumps c.S and local jumps c.s_i, their rates above zero.

* The jumps do not all lie along one real axis. Then they span one that is not normal. Within one
  irreducible representation (one total spin for collective jumps, the whole 2^N for local ones) it
  has a single eigenvector, or eigenvectors that all overlap, so two subspaces that the dynamics
  cannot leave are never orthogonal: exactly one steady state in each. Local jumps along an axis n
  with a collective jump across it: such a subspace is spanned by spin strings along n and, raised
  or lowered by the collective jump, holds a polarised one: again exactly one.
* All jumps are multiples of n.S or n.s_i. They are Hermitian up to a phase, the identity stays, and
  what is conserved commutes with all jumps and H: it is diagonal along n and constant over levels m
  of n.S that H connects. H moves m by one with the amplitude b_perp + (2m + 1) Q_perp and by two
  with Q_xx - Q_yy - 2i Q_xy (axes across n).

In neither case does a coherence oscillate for ever: joint eigenvectors of the jumps would have to
be degenerate, and none are. So the limit of long times exists from every initial state.
"""

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers

ROUNDING = 32 * float(np.finfo(float).eps)
"""Constants below this fraction of the largest of their kind are rounding: axes that differ by more
than about 1e-7 are two axes."""


def turned_axes(axis: Floats) -> Floats:
    """Rows: two axes across a unit vector and the vector itself, a right-handed frame (3, 3).

    Cartesian axes give a frame of exact zeros and ones.
    """
    n = np.asarray(axis, dtype=float)
    x = np.zeros(3)
    x[int(np.argmin(np.abs(n)))] = 1.0
    x = x - (x @ n) * n
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(n, x), n])


def dephasing_axis(*jumps: Complexes) -> Floats | None:
    """The real unit vector along which every jump lies, or None (also without any jump).

    Args:
        jumps: sums of rate c c^dagger over the jumps of each kind, (3, 3) Hermitian.
    """
    total = np.zeros((3, 3), dtype=complex)
    for matrix in jumps:
        size = float(np.abs(matrix).max())
        if size:
            total += matrix / size
    if not np.any(total):
        return None
    if np.abs(total.imag).max() > ROUNDING * np.abs(total).max():
        return None
    k = int(np.argmax(np.diag(total.real)))
    axis: Floats = total.real[:, k] / np.linalg.norm(total.real[:, k])
    axis[np.abs(axis) <= ROUNDING] = 0.0
    axis /= np.linalg.norm(axis)
    across = total.real - np.outer(axis, axis) * np.trace(total.real)
    if np.abs(across).max() > ROUNDING * np.abs(total).max():
        return None
    return axis


def level_groups(total_spin: float, *, quadratic: Floats, field: Floats, axis: Floats) -> Integers:
    """Which levels m = j ... -j of axis.S the Hamiltonian connects: a group number each (2j+1,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    frame = turned_axes(axis)
    Q, b = frame @ quadratic @ frame.T, frame @ field
    linear, quadrupole = float(np.abs(field).max()), float(np.abs(quadratic).max())
    single = _clean(b[0] - 1j * b[1], linear)
    skew = _clean(2 * (Q[0, 2] - 1j * Q[1, 2]), quadrupole)
    double = _clean(Q[0, 0] - Q[1, 1] - 2j * Q[0, 1], quadrupole)
    size = round(2 * total_spin) + 1
    across = total_spin - np.arange(size - 1) - 0.5  # halfway between neighbouring m
    moved = np.abs(single + skew * across)
    lower = np.flatnonzero(moved > ROUNDING * (abs(single) + np.abs(skew * across)))
    starts, ends = [lower], [lower + 1]
    if double:
        starts.append(np.arange(size - 2))
        ends.append(np.arange(2, size))
    rows, columns = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(rows.size), (rows, columns)), shape=(size, size))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups.astype(np.int64))


def _clean(value: complex, scale: float) -> complex:
    return value if abs(value) > ROUNDING * scale else 0.0


def dephased(block: Complexes, *, basis: Complexes, groups: Integers) -> Complexes:
    """The block (2j+1, 2j+1) of one total spin that the levels of each group share evenly.

    Args:
        block: the initial block; only its populations along the axis enter.
        basis: columns are the levels along the axis, m = j first.
        groups: (2j+1,) group of every level.
    """
    populations = np.einsum("im,ij,jm->m", basis.conj(), block, basis).real
    shared = np.bincount(groups, weights=populations) / np.bincount(groups)
    return (basis * shared[groups]) @ basis.conj().T
