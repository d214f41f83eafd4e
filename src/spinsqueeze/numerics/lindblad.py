"""Master equations of any operators, on the real unknowns of Hermitian matrices.

d rho/dt = X rho + rho X^dagger + sum L rho L^dagger, X = -i H - (1/2) sum L^dagger L, for density
matrices rho that are zero outside blocks on the diagonal. The unknowns are the real and imaginary
parts of rho[r, c], r <= c, of every block. Their graph falls apart into closed parts (parities,
each difference of a conserved number), found as the connected components of the matrix.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEGLIGIBLE = 1e-15
"""Entries below this fraction of the largest one are rounding of the assembly."""


@dataclass(frozen=True, eq=False)
class Unknowns:
    """Real unknowns of Hermitian matrices with blocks of these sizes on the diagonal."""

    sizes: tuple[int, ...]

    @cached_property
    def _triangles(self) -> list[tuple[Any, Any]]:
        """Entries on and above the diagonal of every block, and those above it."""
        known = {size: (np.triu_indices(size), np.triu_indices(size, 1)) for size in self.sizes}
        return [known[size] for size in self.sizes]

    @cached_property
    def starts(self) -> Integers:
        """First row of every block, and the size of the whole."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    @cached_property
    def _places(self) -> tuple[Integers, Integers, Booleans, Integers]:
        rows, columns, imaginary, block = [], [], [], []
        for k, (size, start) in enumerate(zip(self.sizes, self.starts, strict=False)):
            for first in (0, 1):
                r, c = np.triu_indices(size, first)
                rows.append(start + r)
                columns.append(start + c)
                imaginary.append(np.full(r.size, first == 1))
                block.append(np.full(r.size, k))
        return (
            np.concatenate(rows), np.concatenate(columns),
            np.concatenate(imaginary), np.concatenate(block),
        )  # fmt: skip

    @property
    def rows(self) -> Integers:
        """Row of every unknown in the whole matrix."""
        return self._places[0]

    @property
    def columns(self) -> Integers:
        """Its column."""
        return self._places[1]

    @property
    def imaginary(self) -> Booleans:
        """Whether it is an imaginary part."""
        return self._places[2]

    @property
    def block(self) -> Integers:
        """The block that it belongs to."""
        return self._places[3]

    @property
    def count(self) -> int:
        """Number of unknowns."""
        return int(np.sum(np.square(self.sizes)))

    def place(self, block: Integers, row: Integers, column: Integers, imaginary: Booleans) -> Any:
        """Where the unknown of (row <= column), counted within its block, stands."""
        sizes = np.asarray(self.sizes, dtype=np.int64)
        before = np.concatenate([[0], np.cumsum(sizes**2)])[block]
        size = sizes[block]
        skipped = row * (row - 1) // 2
        real = row * size - skipped + column - row
        other = size * (size + 1) // 2 + row * (size - 1) - skipped + column - row - 1
        return before + np.where(imaginary, other, real)

    def trace_vector(self) -> Floats:
        """T with t.y = Tr rho."""
        return np.asarray((self.rows == self.columns).astype(float))

    def norm_weights(self) -> Floats:
        """W with |rho|_F^2 = sum w y^2: 1 on the diagonal, 2 beside it."""
        return np.where(self.rows == self.columns, 1.0, 2.0)

    def restrict(self, blocks: Sequence[Complexes]) -> Floats:
        """Unknowns (..., n) of blocks (..., size, size)."""
        parts = []
        for (upper, above), block in zip(self._triangles, blocks, strict=True):
            parts += [block[(..., *upper)].real, block[(..., *above)].imag]
        return np.concatenate(parts, axis=-1)

    def expand(self, unknowns: Floats) -> list[Complexes]:
        """Blocks (..., size, size) of unknowns (..., n)."""
        out, done = [], 0
        for size, (upper, above) in zip(self.sizes, self._triangles, strict=True):
            block = np.zeros((*unknowns.shape[:-1], size, size), dtype=complex)
            middle, end = done + upper[0].size, done + size * size
            block[(..., *upper)] = unknowns[..., done:middle]
            block[(..., *above)] += 1j * unknowns[..., middle:end]
            block[(..., above[1], above[0])] = block[(..., *above)].conj()
            out.append(block)
            done = end
        return out


@dataclass(frozen=True, eq=False)
class Equation:
    """d y / dt = matrix @ y on real unknowns, (n, n) CSR, and the closed part of every unknown."""

    matrix: "csr_array" = dataclasses.field(repr=False)

    @cached_property
    def component(self) -> NDArray[np.int32]:
        """The closed part that every unknown belongs to."""
        from scipy.sparse.csgraph import connected_components

        _, component = connected_components(self.matrix, directed=False)
        return np.asarray(component)


@dataclass(frozen=True, eq=False)
class MasterEquation(Equation):
    """That of density matrices on `unknowns`."""

    unknowns: Unknowns


def master_equation(
    unknowns: Unknowns, *, drift: "csr_array", jumps: Sequence["csr_array"] = ()
) -> MasterEquation:
    """The equation of X (D, D) and jumps L (D, D), rates included: blocks go to blocks.

    Every L must map each block into a single one, for rho keeps its blocks only then.
    """
    total = _pairs_matrix(unknowns, drift, jumps)
    # rho = T y: 1 for real parts, i above and -i below the diagonal for imaginary ones.
    T, upper = _hermitian(unknowns)
    moved = (total @ T).tocsr()[upper]
    # The imaginary part of a row is the real part of -i times it.
    phase = np.where(unknowns.imaginary, -1j, 1.0)
    moved.data *= np.repeat(phase, np.diff(moved.indptr))
    matrix: Any = moved.real.tocsr()
    matrix.data[np.abs(matrix.data) <= NEGLIGIBLE * np.abs(matrix.data).max(initial=0.0)] = 0.0
    matrix.eliminate_zeros()
    return MasterEquation(matrix, unknowns)


def lindblad_drift(
    hamiltonian: "csr_array", jumps: Sequence["csr_array"] = (), *, damping: float = 1.0
) -> "csr_array":
    """X = -i H - (damping/2) sum L^dagger L."""
    total = -1j * hamiltonian
    for jump in jumps:
        total = total - (damping / 2) * (jump.conj().T @ jump)
    return total.tocsr()


def _pairs_matrix(unknowns: Unknowns, drift: Any, jumps: Sequence[Any]) -> Any:
    """The complex matrix on all entries of the blocks, row by row."""
    from scipy.sparse import coo_array, csr_array, eye_array, kron

    sizes, starts = unknowns.sizes, unknowns.starts
    offsets = np.concatenate([[0], np.cumsum(np.square(sizes))])
    rows, columns, values = [], [], []

    def place(part: Any, to: int, source: int) -> None:
        listed = part.tocoo()
        rows.append(offsets[to] + listed.row.astype(np.int64))
        columns.append(offsets[source] + listed.col.astype(np.int64))
        values.append(listed.data)

    def inner(matrix: Any, to: int, source: int) -> Any:
        rows_of, columns_of = (slice(starts[k], starts[k + 1]) for k in (to, source))
        return matrix[rows_of][:, columns_of]

    drift = csr_array(drift)
    for k, size in enumerate(sizes):
        X, one = inner(drift, k, k), eye_array(size, format="csr")
        place(kron(X, one), k, k)
        place(kron(one, X.conj()), k, k)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    for jump in jumps:
        listed = jump.tocoo()
        for to, source in np.unique(np.stack([owner[listed.row], owner[listed.col]]), axis=1).T:
            L = inner(csr_array(jump), int(to), int(source))
            place(kron(L, L.conj()), int(to), int(source))
    total = int(offsets[-1])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return coo_array(entries, shape=(total, total)).tocsr()


def _hermitian(unknowns: Unknowns) -> tuple[Any, Integers]:
    """T from unknowns to entries, and the entry above the diagonal of every unknown."""
    from scipy.sparse import csr_array

    offsets = np.concatenate([[0], np.cumsum(np.square(unknowns.sizes))])
    sizes = np.asarray(unknowns.sizes)[unknowns.block]
    r = unknowns.rows - unknowns.starts[unknowns.block]
    c = unknowns.columns - unknowns.starts[unknowns.block]
    upper = offsets[unknowns.block] + r * sizes + c
    lower = offsets[unknowns.block] + c * sizes + r
    index = np.arange(unknowns.count)
    off = np.flatnonzero(r != c)
    here = np.where(unknowns.imaginary, 1j, 1.0)
    entries = np.concatenate([here, here[off].conj()])
    places = (np.concatenate([upper, lower[off]]), np.concatenate([index, index[off]]))
    T = csr_array((entries, places), shape=(int(offsets[-1]), unknowns.count))
    return T, upper
