"""Spins that differ: all configurations of few flipped spins, in one block."""

from collections.abc import Collection
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.perturbation.flip_space import FlipSpace, split
from spinsqueeze.models.canonical import Canonical

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def count(n_spins: int, most: int) -> int:
    """Configurations of up to `most` flipped spins."""
    return sum(comb(n_spins, e) for e in range(min(most, n_spins) + 1))


def flip_space(model: Canonical, most: int, perturbed: Collection[str] = ()) -> FlipSpace:
    """States of up to `most` flipped spins; `model` with one row a spin."""
    from scipy.sparse import diags_array

    n = model.n_spins
    most = min(most, n)
    states = [c for e in range(most + 1) for c in combinations(range(n), e)]
    index = {state: k for k, state in enumerate(states)}
    flips = np.array([len(state) for state in states])
    lower = [_lowering(i, states, index) for i in range(n)]
    raising = [operator.conj().T.tocsr() for operator in lower]
    up = np.array([[i in state for i in range(n)] for state in states], dtype=float)
    detuning, energy = np.zeros((2, len(states)))
    size = (len(states), len(states))
    H0, H1, hops = (_zero(size) for _ in range(3))
    for f in model.fields:
        v = float(f.strength) * np.broadcast_to(f.vectors, (n, 3))  # type: ignore[arg-type]
        detuning += up @ v[:, 2]
        part = sum(((v[i, 0] - 1j * v[i, 1]) / 2) * raising[i] for i in range(n))
        H1 = H1 + part + part.conj().T
    for tensor, kernel in _couplings(model):
        kept, rest = split(tensor)
        # s^z s^z above its value in |all down>
        energy += kept[2, 2] * (
            np.einsum("ki,ij,kj->k", up, kernel, up) / 2 - up @ kernel.sum(axis=1) / 2
        )
        half = (rest[0, 0] - rest[1, 1]) / 4 + rest[0, 1] / 2j
        side = (rest[0, 2] - 1j * rest[1, 2]) / 2
        for i in range(n):
            for j in np.flatnonzero(kernel[i]):
                K = kernel[i, j]
                if kept[0, 0] and j > i:
                    hop = (K * kept[0, 0] / 2) * (raising[i] @ lower[j])
                    hops = hops + hop + hop.conj().T
                if half and j > i:
                    pair = (K * half) * (raising[i] @ raising[j])
                    H1 = H1 + pair + pair.conj().T
                if side:  # s^+_i s^z_j and its partner, over ordered pairs
                    z = diags_array((up[:, j] - 0.5).astype(complex))
                    one = (K * side) * (raising[i] @ z)
                    H1 = H1 + one + one.conj().T
    conserving = {
        "detunings": diags_array(detuning.astype(complex)),
        "couplings": hops + diags_array(energy.astype(complex)),
    }
    for name, part in conserving.items():
        H0, H1 = (H0, H1 + part) if name in perturbed else (H0 + part, H1)
    total = sum(lower).tocsr()
    return FlipSpace(
        n, (len(states),), flips, H0.tocsr(), H1.tocsr(), tuple(_jumps(model, lower)), total
    )


def _couplings(model: Canonical) -> "list[tuple[Floats, Floats]]":
    """Tensors and symmetric kernels of sum_{i<j} K_ij s_i.T s_j; S.Q.S counts pairs twice."""
    n = model.n_spins
    out = []
    for q in model.quadratics:
        weights = np.ones(n) if q.weights is None else q.weights
        kernel = np.outer(weights, weights)
        np.fill_diagonal(kernel, 0.0)
        out.append((2 * float(q.strength) * q.matrix, kernel))  # type: ignore[arg-type]
    for p in model.pairs:
        out.append((float(p.strength) * p.tensor, p.kernel.matrix()))  # type: ignore[arg-type]
    return out


def _jumps(model: Canonical, lower: "list[csr_array]") -> "list[csr_array]":
    n = model.n_spins
    out = []
    for c in model.collective_jumps:
        rows = np.broadcast_to(c.vectors, (n, 3))
        amplitudes = (rows[:, 0] + 1j * rows[:, 1]) / 2
        total = sum(a * s for a, s in zip(amplitudes, lower, strict=True))
        out.append(np.sqrt(float(c.rate)) * total)  # type: ignore[arg-type]
    for j in model.local_jumps:
        factors = np.ones(n) if j.factors is None else j.factors
        amplitude = complex(j.vector[0] + 1j * j.vector[1]) / 2
        out += [
            np.sqrt(float(j.rate) * factor) * amplitude * s  # type: ignore[arg-type]
            for factor, s in zip(factors, lower, strict=True)
            if factor
        ]
    return out


def _lowering(i: int, states: list[Any], index: dict[Any, int]) -> "csr_array":
    from scipy.sparse import coo_array

    columns = [k for k, state in enumerate(states) if i in state]
    rows = [index[tuple(x for x in states[k] if x != i)] for k in columns]
    ones: Complexes = np.ones(len(rows), dtype=complex)
    return coo_array((ones, (rows, columns)), shape=(len(states), len(states))).tocsr()


def _zero(shape: tuple[int, int]) -> "csr_array":
    from scipy.sparse import csr_array

    return csr_array(shape, dtype=complex)
