"""Alike spins: states |j, m> of the highest total spins, for any N.

With s = N/2 - j and e = N/2 + m flipped spins, block s holds e = s ... E. All matrix elements are
products of small integers and 2j + 1 - ..., so nothing cancels at N = 1e6.
"""

from collections.abc import Collection
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.perturbation.flip_space import FlipSpace, split
from spinsqueeze.models.interchangeable import CollectiveArrays

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def flip_space(
    n_spins: int, arrays: CollectiveArrays, most: int, perturbed: Collection[str] = ()
) -> FlipSpace:
    """States of up to `most` flipped spins; only j = N/2 where no spin jumps by itself."""
    from scipy.sparse import diags_array

    most = min(most, n_spins)
    depth = min(most, n_spins // 2) if arrays.local_jumps else 0
    s = np.concatenate([np.full(_size(n_spins, k, most), k) for k in range(depth + 1)])
    e = np.concatenate([k + np.arange(_size(n_spins, k, most)) for k in range(depth + 1)])
    lower = _shift(s, e, to=0, values=_within(n_spins, s, e))
    kept, rest = split(arrays.quadratic)
    # S_z^2, and S^2 - S_z^2, above their values in |all down>
    square = e * (e - float(n_spins))
    couplings = kept[2, 2] * square - kept[0, 0] * (s * (n_spins + 1.0 - s) + square)
    energies = np.zeros((2, len(e)), dtype=complex)  # of H0, and of what is moved to H1
    energies[int("detunings" in perturbed)] += arrays.field[2] * e
    energies[int("couplings" in perturbed)] += couplings
    H0, moved = (diags_array(row).tocsr() for row in energies)
    S_z = diags_array((e - n_spins / 2).astype(complex)).tocsr()
    jumps = [np.sqrt(rate) * amplitude(c) * lower for rate, c in arrays.collective_jumps]
    for rate, c in arrays.local_jumps:
        size = np.sqrt(rate) * amplitude(c)
        jumps += [size * L for L in _local(n_spins, s, e)]
    return FlipSpace(
        n_spins,
        tuple(_size(n_spins, k, most) for k in range(depth + 1)),
        e,
        H0,
        (moved + _perturbation(arrays.field, rest, lower, S_z)).tocsr(),
        tuple(jumps),
        lower,
        tuple(
            float(comb(n_spins, k) - (comb(n_spins, k - 1) if k else 0)) for k in range(depth + 1)
        ),
    )


def _size(n_spins: int, s: int, most: int) -> int:
    return min(most, n_spins - s) - s + 1


def amplitude(vector: Complexes) -> complex:
    """A of c.s = A s_minus."""
    return complex(vector[0] + 1j * vector[1]) / 2


def _perturbation(
    field: Floats, quadratic: Floats, lower: "csr_array", S_z: "csr_array"
) -> "csr_array":
    """b_x S_x + b_y S_y and S.Q.S of what does not conserve S_z."""
    raising = lower.conj().T
    x, y = (raising + lower) / 2, (raising - lower) / 2j
    half = (quadratic[0, 0] - quadratic[1, 1]) / 4 + quadratic[0, 1] / 2j
    pairs = half * (raising @ raising)
    H = field[0] * x + field[1] * y + pairs + pairs.conj().T
    for weight, S in ((quadratic[0, 2], x), (quadratic[1, 2], y)):
        H = H + weight * (S @ S_z + S_z @ S)
    return H.tocsr()


def _within(n_spins: int, s: Integers, e: Integers) -> Floats:
    """<j, m - 1| S_minus |j, m>."""
    a = (e - s).astype(float)
    return np.asarray(np.sqrt(a * (n_spins - 2.0 * s - a + 1)))


def _local(n_spins: int, s: Integers, e: Integers) -> "list[csr_array]":
    """sum_i D[s_minus_i] as jumps within j, to j - 1 and to j + 1; see angular_momentum."""
    twice, a = n_spins - 2.0 * s, (e - s).astype(float)
    half = n_spins / 2.0
    safe = np.where(twice > 0, twice, 1.0)
    same = np.where(twice > 0, (half + 1) / (safe * (safe / 2 + 1)), 0.0)
    down = np.where(twice > 0, (half + twice / 2 + 1) / (safe * (safe + 1)), 0.0)
    up = s / ((twice + 2) * (twice + 1))
    values = (
        np.sqrt(same) * _within(n_spins, s, e),
        -np.sqrt(down * np.maximum(a * (a - 1), 0.0)),
        np.sqrt(up * (twice - a + 1) * (twice - a + 2)),
    )
    found = [_shift(s, e, to=to, values=v) for to, v in zip((0, 1, -1), values, strict=True)]
    return [operator for operator in found if operator.nnz]


def _shift(s: Integers, e: Integers, *, to: int, values: Floats) -> "csr_array":
    """The operator from (s, e) to (s + to, e - 1) with these values."""
    from scipy.sparse import coo_array

    index = {(int(a), int(b)): k for k, (a, b) in enumerate(zip(s, e, strict=True))}
    targets = [index.get((int(a) + to, int(b) - 1), -1) for a, b in zip(s, e, strict=True)]
    rows = np.array(targets)
    held = (rows >= 0) & (values != 0)
    entries = (values[held].astype(complex), (rows[held], np.flatnonzero(held)))
    return coo_array(entries, shape=(len(s), len(s))).tocsr()
