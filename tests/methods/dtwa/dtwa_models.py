"""Small models and brute-force answers shared by the DTWA tests."""

import itertools
from functools import reduce

import numpy as np

from spinsqueeze.lattice.kernels import CirculantKernel, DenseKernel, Kernel, StencilKernel
from spinsqueeze.methods.dtwa.stepper import StepPlan
from spinsqueeze.models.canonical import Canonical

AXES = {"x": np.array([1.0, 0, 0]), "y": np.array([0, 1.0, 0]), "z": np.array([0, 0, 1.0])}


def power_law_table(grid, exponent, periodic):
    """r^-exponent by displacement, by minimum image or on an embedding grid."""
    size = tuple(n if p else 2 * n for n, p in zip(grid, periodic, strict=True))
    square = np.zeros(size)
    for axis, m in enumerate(size):
        d = np.minimum(np.arange(m), m - np.arange(m)).astype(float)
        square = square + (d**2).reshape([-1 if a == axis else 1 for a in range(len(size))])
    table = np.zeros(size)
    table[square > 0] = square[square > 0] ** (-exponent / 2)
    return table


def circulant(grid, exponent, periodic=None, occupied=None):
    periodic = periodic or (True,) * len(grid)
    return CirculantKernel(grid, occupied, power_law_table(grid, exponent, periodic))


def nearest(grid, periodic, occupied=None):
    unit = np.eye(len(grid), dtype=int)
    offsets = np.concatenate([unit, -unit])
    return StencilKernel(grid, occupied, tuple(periodic), offsets, np.ones(len(offsets)))


def dense(kernel: Kernel) -> DenseKernel:
    return DenseKernel(kernel.matrix())


def random_dense(n, seed):
    m = np.random.default_rng(seed).normal(size=(n, n))
    m = m + m.T
    np.fill_diagonal(m, 0.0)
    return DenseKernel(m)


def pair_tensors(canonical: Canonical, time=0.0):
    """All couplings as one array (N, N, 3, 3): H = sum_{i<j} s_i . J_ij s_j, and fields (N, 3)."""
    from spinsqueeze.models.envelope import at

    n = canonical.n_spins
    J = np.zeros((n, n, 3, 3))
    for p in canonical.pairs:
        J += at(p.strength, time) * p.kernel.matrix()[:, :, None, None] * p.tensor
    for q in canonical.quadratics:
        w = np.ones(n) if q.weights is None else q.weights
        J += at(q.strength, time) * 2 * np.multiply.outer(np.outer(w, w), q.matrix)
    J[np.arange(n), np.arange(n)] = 0.0
    b = np.zeros((n, 3))
    for f in canonical.fields:
        b = b + at(f.strength, time) * f.vectors
    return J, b


def brute_field(canonical, sigma, time=0.0):
    """B (S, 3, N) for sigma (S, 3, N)."""
    J, b = pair_tensors(canonical, time)
    return 0.5 * np.einsum("ijab,sbj->sai", J, sigma) + b.T


def operators(n):
    s = [np.array(m) / 2 for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    eye = np.eye(2)
    return np.array(
        [[reduce(np.kron, [s[a] if k == i else eye for k in range(n)]) for a in range(3)]
         for i in range(n)]
    )  # fmt: skip


def exact_correlators(canonical, time, direction_state):
    """<s_i> (N, 3) and <{s_i, s_j}>/2 (N, N, 3, 3) by full diagonalisation; constant strengths."""
    n = canonical.n_spins
    s = operators(n)
    J, b = pair_tensors(canonical)
    H = np.einsum("ia,iaxy->xy", b, s)
    for i, j in itertools.combinations(range(n), 2):
        H = H + np.einsum("ab,axy,byz->xz", J[i, j], s[i], s[j])
    e, v = np.linalg.eigh(H)
    psi = reduce(np.kron, [direction_state] * n).astype(complex)
    psi = v @ (np.exp(-1j * e * time) * (v.conj().T @ psi))
    sp = np.einsum("iaxy,y->iax", s, psi)
    mean = np.einsum("x,iax->ia", psi.conj(), sp).real
    return mean, np.einsum("iax,jbx->ijab", sp.conj(), sp).real


def all_samples(n):
    """Every sample of a coherent state along +x: (4^n, 3, n)."""
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=2 * n))).reshape(-1, 2, n)
    return np.concatenate([np.ones((len(signs), 1, n)), signs], axis=1)


def equal_steps(run, n_steps):
    """A plan of equal steps in every window of a run, their error not estimated."""
    edges = [
        np.linspace(w.start, w.stop, n_steps + 1) if w.stop > w.start else None for w in run.windows
    ]
    return StepPlan(run.stepper.lay(edges), float("inf"), 0)
