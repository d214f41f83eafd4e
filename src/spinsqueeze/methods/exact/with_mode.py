"""All 2^N states of the spins: their operators for `methods.base.kept_mode`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes
from spinsqueeze.methods.base.kept_mode.space import Part, SpinSpace, of_one_block
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.exact.couplings import HamiltonianPart
from spinsqueeze.methods.exact.parts import hamiltonian_parts
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import times_number
from spinsqueeze.numerics import state_vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_array

HALF = np.array(
    [[[0, 0.5], [0.5, 0]], [[0, 0.5j], [-0.5j, 0]], [[-0.5, 0], [0, 0.5]]], dtype=complex
)
"""s_x, s_y, s_z of one spin, |down> first."""


def spin_space(model: Canonical, state: Complexes) -> SpinSpace:
    """2^N states in one block; `model` with one row a spin."""
    n = model.n_spins
    s = [[_of_spin(i, a, n) for a in range(3)] for i in range(n)]
    parts, drive = hamiltonian_parts(model)
    strengths = (1.0,) if drive is None else drive.strengths
    hamiltonian = [
        Part(strength, H)
        for strength, part in zip(strengths, parts, strict=True)
        if (H := _hamiltonian(part, s)).nnz
    ]
    jumps = [Part(j.rate, _weighted(j.vectors, s)) for j in model.collective_jumps]
    for j in model.local_jumps:
        factors = np.ones(n) if j.factors is None else j.factors
        jumps += [
            Part(times_number(j.rate, float(factor)), _weighted(j.vector, s[i : i + 1]))
            for i, factor in enumerate(factors)
            if factor
        ]
    couplings = tuple(Part(c.strength, _weighted(c.vectors, s)) for c in model.mode_couplings)
    S = tuple(sum(row[a] for row in s).tocsr() for a in range(3))
    return SpinSpace(
        n, (2**n,), tuple(hamiltonian), tuple(jumps), couplings, S, state, _turn,
        of_one_block(S),
    )  # fmt: skip


def _of_spin(i: int, a: int, n: int) -> "csr_array":
    from scipy.sparse import csr_array, eye_array, kron

    right = kron(csr_array(HALF[a]), eye_array(2**i), format="csr")
    return kron(eye_array(2 ** (n - 1 - i)), right, format="csr")


def _weighted(vectors: Complexes, s: "Sequence[Sequence[csr_array]]") -> "csr_array":
    """sum_i c_i.s_i, vectors (3,) for all or (n, 3)."""
    rows = np.broadcast_to(vectors, (len(s), 3))
    return sum(
        complex(rows[i, a]) * s[i][a] for i in range(len(s)) for a in range(3) if rows[i, a]
    ).tocsr()


def _hamiltonian(part: HamiltonianPart, s: "Sequence[Sequence[csr_array]]") -> "csr_array":
    from scipy.sparse import csr_array

    n = len(s)
    total = csr_array((2**n, 2**n), dtype=complex)
    for i in range(n):
        for a in range(3):
            if part.field[i, a]:
                total = total + part.field[i, a] * s[i][a]
    for tensor, kernel in zip(part.tensors, part.kernels, strict=True):
        for i in range(n):
            for j in range(i + 1, n):
                for a, b in np.argwhere(kernel[i, j] * tensor):
                    total = total + kernel[i, j] * tensor[a, b] * (s[i][a] @ s[j][b])
    return total.tocsr()


def _turn(rotation: Rotation, rows: Sequence[Complexes]) -> list[Complexes]:
    size, count = rows[0].shape
    if count > size:  # the matrix of the rotation is the smaller work
        return [_columns_turned(rotation, np.eye(size, dtype=complex)) @ rows[0]]
    return [_columns_turned(rotation, rows[0])]


def _columns_turned(rotation: Rotation, columns: Complexes) -> Complexes:
    turned = np.array(columns.T, dtype=complex, order="C")
    for psi in turned:
        state_vectors.rotate(psi, axis=rotation.axis, angle=rotation.angle, mask=rotation.mask)
    return np.asarray(turned.T)
