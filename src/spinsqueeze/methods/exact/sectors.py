"""The subspace of states that lattice symmetries leave unchanged, by orbits of basis states.

A coherent state is unchanged by every permutation of the spins, so under a Hamiltonian that some
permutations of sites leave invariant it stays in their trivial representation. Its basis is one
state for each orbit O of basis indices, |O> = |O|^(-1/2) sum_{n in O} |n>, and with r in O

    <O'|A|O> = (|O|/|O'|)^(1/2) sum_{n in O'} <n|A|r>

for every invariant operator A, collective spin operators among them. Translations and the point
group of a square lattice leave 2^16 -> 805 amplitudes on 4x4 and 2^25 -> 172 112 on 5x5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.exact.hamiltonian import HamiltonianPart, diagonal_energies
from spinsqueeze.numerics.krylov.matrix_free import Work, propagate


def is_invariant(part: HamiltonianPart, permutation: Integers) -> bool:
    """Whether moving site i to permutation[i] leaves fields and kernels unchanged (to 1e-12)."""
    p = np.asarray(permutation)
    for array, moved in (
        (part.field, part.field[p]),
        (part.kernels, part.kernels[:, p][:, :, p]),
    ):
        if np.abs(array - moved).max(initial=0.0) > 1e-12 * np.abs(array).max(initial=0.0):
            return False
    return True


def lattice_symmetries(shape: Sequence[int], parts: Sequence[HamiltonianPart]) -> list[Integers]:
    """Return those generators of the symmetry of a rectangular lattice that the parts respect.

    Candidates are a translation and a reflection along each axis and exchanges of axes of one
    length; sites are numbered in C order of shape.
    """
    sites = np.arange(int(np.prod(shape))).reshape(tuple(shape))
    candidates = [np.roll(sites, 1, axis=a) for a in range(sites.ndim)]
    candidates += [np.flip(sites, axis=a) for a in range(sites.ndim)]
    candidates += [
        np.swapaxes(sites, a, b)
        for a in range(sites.ndim)
        for b in range(a)
        if sites.shape[a] == sites.shape[b]
    ]
    moves = [candidate.ravel() for candidate in candidates]
    identity = sites.ravel()
    return [
        move
        for move in moves
        if not np.array_equal(move, identity) and all(is_invariant(part, move) for part in parts)
    ]


def orbit_labels(n_spins: int, generators: Sequence[Integers]) -> NDArray[np.int32]:
    """Smallest index (2^N,) in the orbit of each index under the group of the generators."""
    index = np.arange(1 << n_spins, dtype=np.int32)
    images = []
    for generator in generators:
        image = np.zeros_like(index)
        for site, target in enumerate(generator):
            image |= ((index >> site) & 1) << np.int32(target)
        images.append(image)
    labels = index
    while True:
        before = labels
        for image in images:
            step = image
            # Powers of the generator by doubling, until all of a cycle has been seen.
            for _ in range(max(1, int(np.ceil(np.log2(n_spins))))):
                labels = np.minimum(labels, labels[step])
                step = step[step]
        if np.array_equal(before, labels):
            return labels


class SectorHamiltonian:
    """H(t) = sum_p w_p(t) H_p in the subspace that permutations of sites leave unchanged.

    Args:
        parts: as for `SpinHamiltonian`.
        generators: permutations (N,), site i to generator[i], that every part respects.

    Attributes:
        n_spins: N.
        dimension: number of orbits.

    Raises:
        InvalidInput: no generators, or one that is no permutation or no symmetry.

    Memory: 4 * 2^N bytes for a few arrays while orbits are found, then sparse matrices of up to
    16 * dimension * N(N+1)/2 bytes for each part.
    """

    def __init__(self, parts: Sequence[HamiltonianPart], *, generators: Sequence[Integers]) -> None:
        self.n_spins = parts[0].n_spins
        for generator in generators:
            if not np.array_equal(np.sort(generator), np.arange(self.n_spins)):
                raise InvalidInput(
                    f"generators must be permutations of {self.n_spins} sites, got {generator}"
                )
            if not all(is_invariant(part, generator) for part in parts):
                raise InvalidInput(
                    f"generators must leave the Hamiltonian unchanged, but {generator} does not; "
                    "use lattice_symmetries, or the full space"
                )
        if not generators:
            raise InvalidInput("generators must hold at least one permutation; use the full space")
        self._labels = orbit_labels(self.n_spins, generators)
        self._representatives, sizes = np.unique(self._labels, return_counts=True)
        self._sizes = sizes.astype(np.float64)
        self.dimension = self._representatives.size
        self._parts = [self._matrix(part) for part in parts]
        n = self.n_spins
        self._spin = [
            self._matrix(
                HamiltonianPart(
                    field=np.tile(np.eye(3)[a], (n, 1)),
                    tensors=np.zeros((0, 3, 3)),
                    kernels=np.zeros((0, n, n)),
                )
            )
            for a in range(3)
        ]

    def frozen(self, weights: Floats | None = None) -> SectorOperator:
        """Return sum_p weights_p H_p; None means all ones."""
        w = np.ones(len(self._parts)) if weights is None else np.asarray(weights)
        return SectorOperator(sum(x * matrix for x, matrix in zip(w, self._parts, strict=True)))

    def spin_action(self, psi: Complexes) -> Complexes:
        """Return (3, dimension): S_x psi, S_y psi, S_z psi."""
        out = np.empty((3, self.dimension), dtype=np.complex128)
        for row, matrix in zip(out, self._spin, strict=True):
            row[:] = matrix @ psi
        return out

    def rotate(
        self,
        psi: Complexes,
        *,
        axis: Floats,
        angle: float,
        mask: Booleans | None = None,
    ) -> None:
        """Apply exp(-i angle axis.S) in place, to 1e-13; all spins turn together.

        Raises:
            InvalidInput: a mask that leaves some spin out.
        """
        if mask is not None and not np.all(mask):
            raise InvalidInput("mask must turn all spins in a symmetric sector; use the full space")
        generator = sum(n * matrix for n, matrix in zip(axis, self._spin, strict=True))
        work = Work.allocate(self.dimension, krylov_dimension=40)
        propagate(SectorOperator(np.sign(angle) * generator), psi, abs(angle), rate=0.0, work=work)

    def project(self, psi: Complexes) -> Complexes:
        """Amplitudes (dimension,) of an invariant state of 2^N amplitudes.

        Raises:
            InvalidInput: the state is not invariant (to 1e-10 of its norm).
        """
        at = np.searchsorted(self._representatives, self._labels)
        projected = np.empty(self.dimension, dtype=np.complex128)
        projected.real = np.bincount(at, psi.real) / np.sqrt(self._sizes)
        projected.imag = np.bincount(at, psi.imag) / np.sqrt(self._sizes)
        outside = 1 - np.linalg.norm(projected) ** 2 / np.linalg.norm(psi) ** 2
        if not outside < 1e-10:
            raise InvalidInput(
                f"initial_state must be invariant under the symmetries, but {outside:.3g} of it is "
                "not; use the full space"
            )
        return projected

    def expand(self, amplitudes: Complexes) -> Complexes:
        """Return the state (2^N,) with these amplitudes of orbits."""
        at = np.searchsorted(self._representatives, self._labels)
        expanded: Complexes = (amplitudes / np.sqrt(self._sizes))[at]
        return expanded

    def _matrix(self, part: HamiltonianPart) -> Any:
        r = self._representatives
        n = self.n_spins
        up = [((r >> i) & 1).astype(bool) for i in range(n)]
        # s_x flips with 1/2; s_y with +i/2 from up, -i/2 from down.
        y = [np.where(u, 0.5j, -0.5j) for u in up]
        z = [np.where(u, 0.5, -0.5) for u in up]
        C = np.einsum("kij,kab->abij", part.kernels, part.tensors)
        rows, columns = [np.arange(r.size)], [np.arange(r.size)]
        diagonal = diagonal_energies(part.field[:, 2], C[2, 2])[r]
        values: list[Complexes] = [diagonal.astype(np.complex128)]

        def add(flip: int, amplitude: Complexes) -> None:
            present = np.flatnonzero(amplitude)
            target = np.searchsorted(r, self._labels[r[present] ^ flip])
            rows.append(target)
            columns.append(present)
            scale = np.sqrt(self._sizes[present] / self._sizes[target])
            values.append(amplitude[present] * scale)

        for i in range(n):
            x_field = part.field[i, 0] + sum(C[0, 2, i, j] * z[j] for j in range(n))
            y_field = part.field[i, 1] + sum(C[1, 2, i, j] * z[j] for j in range(n))
            add(1 << i, x_field / 2 + y_field * y[i])
            for j in range(i):
                cross = C[0, 1, i, j] * (y[i] + y[j]) / 2
                pair = C[0, 0, i, j] / 4 + C[1, 1, i, j] * y[i] * y[j] + cross
                add((1 << i) | (1 << j), pair)
        entries: NDArray[Any] = np.concatenate(values)
        if not np.any(entries.imag):
            entries = entries.real
        where = (np.concatenate(rows), np.concatenate(columns))
        return coo_matrix((entries, where), shape=(r.size, r.size)).tocsr()


class SectorOperator:
    """A sparse Hermitian matrix as an operator for `krylov.matrix_free`."""

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix

    @property
    def dimension(self) -> int:
        """Number of amplitudes."""
        return int(self._matrix.shape[0])

    def apply(self, psi: Complexes, out: Complexes) -> None:
        """Out = H psi; a real matrix acts on real and imaginary parts without being copied."""
        if self._matrix.dtype == np.float64:
            pairs = psi.view(np.float64).reshape(-1, 2)
            out.view(np.float64).reshape(-1, 2)[:] = self._matrix @ pairs
        else:
            out[:] = self._matrix @ psi

    def subtract(
        self,
        w: Complexes,
        v: Complexes,
        u: Complexes,
        alpha: float,
        beta: float,
    ) -> None:
        """In place: w -= alpha v + beta u."""
        w -= alpha * v
        w -= beta * u
