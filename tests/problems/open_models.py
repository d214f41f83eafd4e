"""Random open models of alike spins, and what becomes of them after any time, by dense algebra.

The draws favour what is easily got wrong: shared axes, so that much is conserved, jumps that lower
about any axis, zero rates, exchange, and rates over nine decades.
"""

from functools import cache
from itertools import product

import mpmath
import numpy as np
from scipy.linalg import schur

import spinsqueeze as sq
from tests.problems.brute_force import PAULI, liouvillian, site_operators

AXES = np.eye(3)


def unit(rng):
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


class Draw:
    """Draws of one model: `shared` is an axis that its parts have in common more often than not."""

    def __init__(self, rng, *, wide):
        self.rng = rng
        self.wide = wide
        self.shared = AXES[rng.integers(3)] if rng.random() < 0.6 else unit(rng)

    def rate(self):
        return 10 ** self.rng.uniform(-6, 3) if self.wide else self.rng.uniform(0.2, 2)

    def axis(self):
        chance = self.rng.random()
        if chance < 0.6:
            return self.shared
        return AXES[self.rng.integers(3)] if chance < 0.85 else unit(self.rng)

    def term(self):
        rng = self.rng
        kind = rng.integers(4)
        if kind == 0:
            a = self.axis()
            strength = self.rate() * rng.choice([-1, 1])
            return sq.CollectiveQuadratic((strength * np.outer(a, a)).tolist())
        if kind == 1:
            return sq.UniformField((self.rate() * self.axis()).tolist())
        if kind == 2:
            return sq.CollectiveExchange(self.rate())
        matrix = rng.normal(size=(3, 3))
        return sq.CollectiveQuadratic((self.rate() * (matrix + matrix.T)).tolist())

    def vector(self):
        rng = self.rng
        chance = rng.random()
        if chance < 0.5:
            return self.axis().astype(complex)
        if chance < 0.7:  # lowers or raises about an axis
            a = self.axis()
            across = np.cross(a, unit(rng))
            across /= np.linalg.norm(across)
            return across + 1j * rng.choice([-1, 1]) * np.cross(a, across)
        if chance < 0.8:  # a squeezed reservoir
            r = rng.normal()
            return np.array([np.exp(-r), -1j * np.exp(r), 0])
        return rng.normal(size=3) + 1j * rng.normal(size=3)


def random_model(rng, *, n_spins, wide=False):
    """A model with at least one jump; `wide`: rates from 1e-6 to 1e3, else 0.2 to 2."""
    draw = Draw(rng, wide=wide)
    kinds = [[sq.LocalJump], [sq.CollectiveJump], [sq.CollectiveJump, sq.LocalJump]]
    kinds += [[sq.LocalJump] * 2, [sq.CollectiveJump] * 2]
    chosen = kinds[rng.integers(len(kinds))]
    jumps = [kind(draw.rate(), vector=list(draw.vector())) for kind in chosen]
    if len(jumps) == 2 and rng.random() < 0.1:
        jumps[1] = chosen[1](0.0, vector=list(draw.vector()))
    hamiltonian = [draw.term() for _ in range(rng.integers(3))]
    return sq.SpinModel(n_spins, hamiltonian=hamiltonian, jumps=jumps)


def random_direction(rng):
    return AXES[rng.integers(3)] * rng.choice([-1, 1]) if rng.random() < 0.5 else unit(rng)


@cache
def symmetric_operators(n_spins):
    """(4^n, K) sums of all orderings of each string of Pauli matrices: integers, orthogonal.

    Read-only.
    """
    matrices = np.concatenate([np.eye(2)[None], PAULI])
    sums = {}
    for string in product(range(4), repeat=n_spins):
        total = np.ones((1, 1))
        for k in string:
            total = np.kron(total, matrices[k])
        key = tuple(sorted(string))
        sums[key] = sums.get(key, 0) + total.ravel()
    operators = np.array(list(sums.values())).T
    operators.setflags(write=False)
    return operators


def symmetric_liouvillian(model):
    """The dense generator among permutation-invariant operators (K, K), orthonormal basis."""
    basis = symmetric_operators(model.n_spins)
    basis = basis / np.linalg.norm(basis, axis=0)
    whole = liouvillian(model.canonical, site_operators(model.n_spins), 0.0)
    return basis.conj().T @ (whole @ basis)


def coherent_density(n_spins, direction):
    """Density matrix with every spin along a unit vector."""
    spin = (np.eye(2) + np.einsum("a,aij->ij", direction, PAULI)) / 2
    rho = np.ones((1, 1))
    for _ in range(n_spins):
        rho = np.kron(rho, spin)
    return rho


def limit_of_long_times(model, rho):
    """exp(t L) rho for t to infinity: the spectral projection at zero, by an ordered Schur form."""
    L = liouvillian(model.canonical, site_operators(model.n_spins), 0.0)
    size = np.linalg.norm(L, 2)
    T, Z, k = schur(L, output="complex", sort=lambda value: abs(value) < 1e-10 * size)
    left = -np.linalg.solve(T[k:, k:].T, T[:k, k:].T).T
    turned = Z.conj().T @ rho.ravel()
    return (Z[:, :k] @ (turned[:k] + left @ turned[k:])).reshape(rho.shape)


def collective_moments(rho, n_spins):
    """<S> (3,) and the symmetrised covariance (3, 3)."""
    S = site_operators(n_spins).sum(axis=0)
    mean = np.array([np.trace(s @ rho).real for s in S])
    second = np.array([[np.trace(a @ b @ rho).real for b in S] for a in S])
    return mean, (second + second.T) / 2 - np.outer(mean, mean)


def exact_liouvillian(model):
    """As symmetric_liouvillian, with 50 digits, in the basis of symmetric_operators."""
    form, n = model.canonical, model.n_spins

    def exact(array):
        return np.vectorize(mpmath.mpmathify, otypes=[object])(array)

    s = exact(site_operators(n))
    S = s.sum(axis=0)
    H = exact(np.zeros(S.shape[1:]))
    for piece in form.fields:
        H = H + mpmath.mpf(piece.strength) * np.tensordot(exact(piece.vectors), S, 1)
    for piece in form.quadratics:
        for a, b in product(range(3), repeat=2):
            H = H + mpmath.mpf(piece.strength) * mpmath.mpf(piece.matrix[a, b]) * (S[a] @ S[b])
    jumps = [(j.rate, np.tensordot(exact(j.vectors), S, 1)) for j in form.collective_jumps]
    for j in form.local_jumps:
        jumps += [(j.rate, np.tensordot(exact(j.vector), s[i], 1)) for i in range(n)]
    basis = np.round(symmetric_operators(n))
    rows = [exact(b.conj()) / int(np.vdot(b, b).real) for b in basis.T]
    columns = []
    for column in basis.T:
        rho = exact(column.reshape(S.shape[1:]))
        flow = -1j * (H @ rho - rho @ H)
        for rate, jump in jumps:
            dagger = np.conj(jump).T
            square = dagger @ jump
            flow = flow + mpmath.mpf(rate) * (
                jump @ rho @ dagger - (square @ rho + rho @ square) / 2
            )
        columns.append([np.dot(row, flow.ravel()) for row in rows])
    return mpmath.matrix(columns).T
