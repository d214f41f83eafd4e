"""Brute force on 2^N, the oracle of these tests."""

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm, null_space

HALF = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2


class BruteForce:
    """The master equation with dense matrices; jumps as (rate, c in C^3)."""

    def __init__(self, n_spins, quadratic=None, field=None, collective=(), local=()):
        self.n_spins = n_spins
        site = [
            [reduce(np.kron, [np.eye(2)] * i + [s] + [np.eye(2)] * (n_spins - i - 1)) for s in HALF]
            for i in range(n_spins)
        ]
        self.site = np.array(site)
        self.S = self.site.sum(axis=0)
        Q = np.zeros((3, 3)) if quadratic is None else quadratic
        b = np.zeros(3) if field is None else field
        self.H = np.einsum("ab,aij,bjk->ik", Q, self.S, self.S) + np.einsum("a,aij->ij", b, self.S)
        self.jumps = [
            np.sqrt(r) * np.einsum("a,aij->ij", np.asarray(c), self.S) for r, c in collective
        ]
        self.jumps += [
            np.sqrt(r) * np.einsum("a,aij->ij", np.asarray(c), self.site[i])
            for r, c in local
            for i in range(n_spins)
        ]

    def superoperator(self):
        D = 2**self.n_spins
        X = -1j * self.H - sum((L.conj().T @ L for L in self.jumps), np.zeros((D, D))) / 2
        total = np.kron(X, np.eye(D)) + np.kron(np.eye(D), X.conj())
        for L in self.jumps:
            total = total + np.kron(L, L.conj())
        return total

    def coherent(self, direction):
        n = np.asarray(direction) / np.linalg.norm(direction)
        return self.product(n)

    def product(self, bloch):
        one = np.eye(2) / 2 + np.einsum("a,aij->ij", np.asarray(bloch), HALF)
        return reduce(np.kron, [one] * self.n_spins)

    def flow(self, rho):
        """d rho/dt without a superoperator, for five and six spins."""
        L = np.array(self.jumps)
        dagger = L.conj().transpose(0, 2, 1)
        X = -1j * self.H - np.sum(dagger @ L, axis=0) / 2
        half = X @ rho
        return half + half.conj().T + np.sum(L @ rho @ dagger, axis=0)

    def taylor(self, rho, time, steps):
        """Evolution by Taylor series of the flow, to rounding."""
        for _ in range(steps):
            term = rho
            for order in range(1, 60):
                term = self.flow(term) * (time / steps / order)
                rho = rho + term
                if np.abs(term).max() < 1e-17:
                    break
        return rho

    def evolve(self, rho, time):
        return (expm(self.superoperator() * time) @ rho.ravel()).reshape(rho.shape)

    def steady(self):
        D = 2**self.n_spins
        kernel = null_space(self.superoperator(), rcond=1e-11)
        assert kernel.shape[1] == 1
        rho = kernel[:, 0].reshape(D, D)
        return rho / np.trace(rho)

    def moments(self, rho):
        first = np.array([np.trace(s @ rho).real for s in self.S])
        second = np.array(
            [[np.trace((a @ b + b @ a) @ rho).real / 2 for b in self.S] for a in self.S]
        )
        return first, second - np.outer(first, first)


@pytest.fixture(scope="session")
def brute_force():
    """The class itself."""
    return BruteForce
