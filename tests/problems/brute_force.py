"""An independent answer for small models: dense matrices on 2^N, dense exponentials.

Modes of a model are cut: their operators (`fock.mode_operators`) come as `modes`, and the
spin operators then act on the product space too (`fock.lifted`).
"""

from functools import cache
from itertools import combinations, product

import numpy as np
from scipy.linalg import expm

from spinsqueeze.models.envelope import at

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)


@cache
def site_operators(n):
    """(n, 3, 2^n, 2^n): s_i^a = sigma_i^a / 2, spin 0 is the leftmost factor; read-only."""
    operators = np.empty((n, 3, 2**n, 2**n), dtype=complex)
    for i in range(n):
        for a in range(3):
            matrix = np.ones((1, 1))
            for k in range(n):
                matrix = np.kron(matrix, PAULI[a] / 2 if k == i else np.eye(2))
            operators[i, a] = matrix
    operators.setflags(write=False)
    return operators


def hamiltonian(model, s, time, modes=()):
    n = model.n_spins
    total = np.zeros(s.shape[2:], dtype=complex)
    for piece in model.fields:
        vectors = vectors_per_spin(model, piece.vectors)
        total += float(at(piece.strength, time)) * np.einsum("ia,iaxy->xy", vectors, s)
    for piece in model.quadratics:
        collective = np.einsum("i,iaxy->axy", numbers_per_spin(model, piece.weights), s)
        for a, b in product(range(3), repeat=2):
            total += (
                float(at(piece.strength, time))
                * piece.matrix[a, b]
                * (collective[a] @ collective[b])
            )
    for piece in model.pairs:
        coupling = float(at(piece.strength, time)) * piece.kernel.matrix()
        for (i, j), a, b in product(combinations(range(n), 2), range(3), range(3)):
            if coupling[j, i] * piece.tensor[a, b]:
                total += coupling[j, i] * piece.tensor[a, b] * (s[j, a] @ s[i, b])
    for mode, a in zip(model.modes, modes, strict=True):
        total += float(at(mode.detuning, time)) * (a.conj().T @ a)
        total += float(at(mode.drive, time)) * (a + a.conj().T)
    for piece in model.mode_couplings:
        spin = np.einsum("ia,iaxy->xy", vectors_per_spin(model, piece.vectors), s)
        exchange = float(at(piece.strength, time)) * (modes[piece.mode].conj().T @ spin)
        total += exchange + exchange.conj().T
    return total


def vectors_per_spin(model, vectors):
    """(N, 3) from one vector for all, or one a kind of spins."""
    if vectors.ndim == 2:
        return np.repeat(vectors, model.counts, axis=0)
    return np.broadcast_to(vectors, (model.n_spins, 3))


def numbers_per_spin(model, numbers):
    """(N,) from one number a kind of spins; 1 without any."""
    return np.ones(model.n_spins) if numbers is None else np.repeat(numbers, model.counts)


def jump_operators(model, s, time, modes=()):
    """[(rate, L)]."""
    jumps = [
        (
            float(at(j.rate, time)),
            np.einsum("ia,iaxy->xy", vectors_per_spin(model, j.vectors), s),
        )
        for j in model.collective_jumps
    ]
    for j in model.local_jumps:
        rates = float(at(j.rate, time)) * numbers_per_spin(model, j.factors)
        jumps += [(r, np.einsum("a,axy->xy", j.vector, s[i])) for i, r in enumerate(rates)]
    for j in model.correlated_jumps:
        single = np.einsum("a,iaxy->ixy", j.vector, s)
        weights = np.eye(model.n_spins) + j.kernel.matrix()
        rate = float(at(j.rate, time))
        jumps += [(rate, np.einsum("i,ixy->xy", row, single)) for row in weights]
    for mode, a in zip(model.modes, modes, strict=True):
        for r in mode.reservoirs:
            jumps.append((float(at(r.rate, time)), r.u * a + r.v * a.conj().T))
    return jumps


def flow(model, s, time, rho, modes=()):
    """d rho/dt."""
    h = hamiltonian(model, s, time, modes)
    total = -1j * (h @ rho - rho @ h)
    for rate, jump in jump_operators(model, s, time, modes):
        square = jump.conj().T @ jump
        total += rate * (jump @ rho @ jump.conj().T - (square @ rho + rho @ square) / 2)
    return total


def liouvillian(model, s, time, modes=()):
    """The generator of rho as a matrix on the flattened rho (row by row)."""
    one = np.eye(s.shape[-1])
    h = hamiltonian(model, s, time, modes)
    total = -1j * (np.kron(h, one) - np.kron(one, h.T))
    for rate, jump in jump_operators(model, s, time, modes):
        square = jump.conj().T @ jump
        total += rate * (
            np.kron(jump, jump.conj()) - np.kron(square, one) / 2 - np.kron(one, square.T) / 2
        )
    return total


def open_moments(model, directions, times, rotations=(), n_slices=24):
    """As `moments`, for the density matrix of a model with jumps."""
    n = model.n_spins
    s = site_operators(n)
    total = s.sum(axis=0)
    psi = coherent(np.broadcast_to(directions, (n, 3)))
    rho = np.outer(psi, psi.conj())
    events = sorted({0.0, *map(float, times), *(r.time for r in rotations)})
    known, spin, covariance = {}, [], []
    for k, now in enumerate(events):
        if k:
            before = events[k - 1]
            slices = n_slices if model.time_dependent else 1
            h = (now - before) / slices
            for step in range(slices):
                key = round(h, 12) if slices == 1 else None
                if key is None or key not in known:
                    known[key] = expm(h * liouvillian(model, s, before + (step + 0.5) * h))
                rho = (known[key] @ rho.ravel()).reshape(rho.shape)
        for r in rotations:
            if r.time == now:
                mask = np.ones(n, bool) if r.mask is None else np.repeat(r.mask, model.counts)
                turn = expm(-1j * r.angle * np.einsum("a,iaxy->xy", r.axis, s[mask]))
                rho = turn @ rho @ turn.conj().T
        if now in times:
            mean = np.array([np.trace(a @ rho).real for a in total])
            second = np.array([[np.trace(a @ b @ rho).real for b in total] for a in total])
            spin.append(mean)
            covariance.append((second + second.T) / 2 - np.outer(mean, mean))
    return np.array(spin), np.array(covariance)


def coherent(directions):
    psi = np.ones(1, dtype=complex)
    for x, y, z in directions:
        _, vectors = np.linalg.eigh(x * PAULI[0] + y * PAULI[1] + z * PAULI[2])
        psi = np.kron(psi, vectors[:, 1])
    return psi


def moments(model, directions, times, rotations=(), n_slices=400):
    """<S> (T, 3) and covariance (T, 3, 3); envelopes by a midpoint rule of n_slices a step."""
    n = model.n_spins
    s = site_operators(n)
    total = s.sum(axis=0)
    psi = coherent(np.broadcast_to(directions, (n, 3)))
    events = sorted({0.0, *map(float, times), *(r.time for r in rotations)})
    spin, covariance = [], []
    for k, now in enumerate(events):
        if k:
            before = events[k - 1]
            slices = n_slices if model.time_dependent else 1
            h = (now - before) / slices
            for step in range(slices):
                psi = expm(-1j * h * hamiltonian(model, s, before + (step + 0.5) * h)) @ psi
        for r in rotations:
            if r.time == now:
                mask = np.ones(n, bool) if r.mask is None else np.repeat(r.mask, model.counts)
                generator = np.einsum("a,iaxy->xy", r.axis, s[mask])
                psi = expm(-1j * r.angle * generator) @ psi
        if now in times:
            vectors = total @ psi
            mean = np.array([np.vdot(psi, v).real for v in vectors])
            second = np.array([[np.vdot(u, v).real for v in vectors] for u in vectors])
            spin.append(mean)
            covariance.append(second - np.outer(mean, mean))
    return np.array(spin), np.array(covariance)
