"""The subspace of states that permutations of the spins leave unchanged, by orbits of basis states.

An initial state that some permutations leave unchanged stays in their trivial representation, where
the Hamiltonian has the same symmetry. Its basis is one state for each orbit O of basis indices,
|O> = |O|^(-1/2) sum_{n in O} |n>, and with r in O

    <O|A|O'> = (|O|/|O'|)^(1/2) sum_{n in O'} <r|A|n>

for every invariant operator A, collective spin operators among them. Translations and the point
group of a square lattice leave 2^16 -> 805 amplitudes on 4x4 and 2^25 -> 172 112 on 5x5. Where the
state and H are also unchanged by turning all spins over, n -> not n (a rotation by pi about x),
pairs of orbits become one: 86 056 on 5x5. S_y and S_z lead out of that; moments are taken in the
larger sector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.exact.couplings import HamiltonianPart
from spinsqueeze.numerics.krylov.matrix_free import Work, propagate
from spinsqueeze.numerics.orbits import Orbits, orbits_of_words
from spinsqueeze.numerics.state_vectors import collective_moments, product_state

ROWS_AT_ONCE = 1 << 15
KEPT_SPINS = 25
"""Spins up to which the last sector stays in memory, 0.3 GB, for the next run on its lattice."""
INVERTED = 1e-12
"""Change of a state by inversion, in norm, that is taken for rounding."""


@dataclass(frozen=True, eq=False)
class Sector:
    """Orbits of all 2^N basis indices, and those of them that inversion joins.

    Attributes:
        n_spins: N.
        orbits: under the permutations.
        joined: (orbits,) the basis state of the sector that each orbit belongs to.
        sizes: (dimension,) indices in each basis state.
        first: (dimension,) the first orbit of each.
        whole: the sector without inversion; None: this one.
    """

    n_spins: int
    orbits: Orbits
    joined: NDArray[np.int32]
    sizes: Floats
    first: Integers
    whole: Sector | None = None

    @classmethod
    def of(cls, n_spins: int, generators: Sequence[Integers]) -> Sector:
        """Without inversion. The last one is kept, see KEPT_SPINS."""
        key = tuple(tuple(int(i) for i in g) for g in generators)
        return _last_sector(n_spins, key) if n_spins <= KEPT_SPINS else _new_sector(n_spins, key)

    def inverted(self) -> Sector:
        """The even states under n -> not n."""
        partner = self.partner()
        lowest = np.minimum(np.arange(partner.size), partner)
        first, joined = np.unique(lowest, return_inverse=True)
        sizes: Floats = np.bincount(joined, self.orbits.sizes).astype(float)
        return Sector(self.n_spins, self.orbits, joined.astype(np.int32), sizes, first, self)

    def partner(self) -> NDArray[np.int32]:
        """The orbit of the inverted states of each orbit."""
        everything = np.int32((1 << self.n_spins) - 1)
        partner: NDArray[np.int32] = self.orbits.number[everything ^ self.orbits.representatives]
        return partner

    @property
    def dimension(self) -> int:
        """Number of basis states."""
        return int(self.sizes.size)

    @cached_property
    def collective_spin(self) -> tuple[Any, Any, Any]:
        """S_x, S_y/i and S_z, all real, as CSR over orbits."""
        unit = np.eye(3)[:, None] * np.ones((self.n_spins, 1))
        x, y, z = (self.matrix(_field(vectors)) for vectors in unit)
        return x, y.imag.tocsr(), z

    @property
    def representatives(self) -> NDArray[np.int32]:
        """The smallest index in each basis state."""
        return self.orbits.representatives[self.first]

    def lifted(self, amplitudes: Complexes) -> Complexes:
        """Amplitudes of orbits from those of the sector."""
        scale = np.sqrt(self.orbits.sizes / self.sizes[self.joined])
        return np.asarray(amplitudes[self.joined] * scale)

    def lowered(self, amplitudes: Complexes) -> Complexes:
        """The part in the sector of amplitudes of orbits."""
        weighted = amplitudes * np.sqrt(self.orbits.sizes / self.sizes[self.joined])
        out = np.empty(self.dimension, dtype=np.complex128)
        out.real = np.bincount(self.joined, weighted.real)
        out.imag = np.bincount(self.joined, weighted.imag)
        return out

    def amplitudes(self, psi: Complexes) -> Complexes:
        """Those of orbits, the invariant part of a state (2^N,)."""
        number, sizes = self.orbits.number, self.orbits.sizes
        out = np.empty(sizes.size, dtype=np.complex128)
        out.real = np.bincount(number, psi.real) / np.sqrt(sizes)
        out.imag = np.bincount(number, psi.imag) / np.sqrt(sizes)
        return out

    def product_amplitudes(self, directions: Floats) -> Complexes:
        """Those of orbits, of an invariant state with spin i along directions[i] (N, 3)."""
        half = self.n_spins // 2
        low = product_state(directions[:half]) if half else np.ones(1)
        high = product_state(directions[half:])
        words = self.orbits.representatives
        at_words = low[words & np.int32(low.size - 1)] * high[words >> np.int32(half)]
        return np.asarray(at_words * np.sqrt(self.orbits.sizes))

    def unmoved(self, amplitudes: Complexes) -> bool:
        """Whether inversion leaves the state with these amplitudes of orbits unchanged."""
        return float(np.linalg.norm(amplitudes[self.partner()] - amplitudes)) <= INVERTED

    def expand(self, amplitudes: Complexes) -> Complexes:
        """Return the state (2^N,) with these amplitudes of the sector."""
        whole: Complexes = (self.lifted(amplitudes) / np.sqrt(self.orbits.sizes))[
            self.orbits.number
        ]
        return whole

    def matrix(self, part: HamiltonianPart) -> Any:
        """The operator of a part that every symmetry leaves unchanged, as CSR."""
        from scipy.sparse import csr_array, vstack

        edges = range(0, self.dimension, ROWS_AT_ONCE)
        blocks = [self._rows(part, a, min(a + ROWS_AT_ONCE, self.dimension)) for a in edges]
        return csr_array(vstack(blocks, format="csr")) if len(blocks) > 1 else blocks[0]

    def _rows(self, part: HamiltonianPart, start: int, stop: int) -> Any:
        from scipy.sparse import coo_array

        n = self.n_spins
        words = self.representatives[start:stop]
        C = np.einsum("kij,kab->abij", part.kernels, part.tensors)
        z = [((words >> np.int32(i)) & 1) - 0.5 for i in range(n)]
        rows, columns = [np.arange(words.size, dtype=np.int32)], []
        columns.append(np.arange(start, stop, dtype=np.int32))
        values: list[NDArray[Any]] = [_diagonal(part.field[:, 2], C[2, 2], z)]

        def add(flip: int, amplitude: NDArray[Any]) -> None:
            present = np.flatnonzero(amplitude)
            if present.size:
                rows.append(present.astype(np.int32))
                columns.append(self.joined[self.orbits.number[words[present] ^ np.int32(flip)]])
                values.append(amplitude[present])

        # <r|A|n>, n with spins flipped: s_x gives 1/2, s_y gives -i z with z = +-1/2 that of r.
        for i in range(n):
            x_field = part.field[i, 0] + sum(
                C[0, 2, i, j] * z[j] for j in range(n) if C[0, 2, i, j]
            )
            y_field = part.field[i, 1] + sum(
                C[1, 2, i, j] * z[j] for j in range(n) if C[1, 2, i, j]
            )
            if np.any(x_field) or np.any(y_field):
                along_y = -1j * y_field * z[i] if np.any(y_field) else 0.0
                add(1 << i, np.broadcast_to(x_field / 2 + along_y, words.shape))
            for j in range(i):
                if not np.any(C[:2, :2, i, j]):
                    continue
                pair: Any = C[0, 0, i, j] / 4 - C[1, 1, i, j] * z[i] * z[j]
                if C[0, 1, i, j]:
                    pair = pair - 0.5j * C[0, 1, i, j] * (z[i] + z[j])
                add((1 << i) | (1 << j), pair)
        row, column = np.concatenate(rows), np.concatenate(columns)
        entries = np.concatenate(values)
        entries = entries * np.sqrt(self.sizes[start + row] / self.sizes[column])
        return coo_array((entries, (row, column)), shape=(words.size, self.dimension)).tocsr()


def _diagonal(fields: Floats, couplings: Floats, z: list[Any]) -> Floats:
    """sum_i b_i z_i + sum_{i<j} C_ij z_i z_j."""
    total = np.zeros(z[0].size)
    for i, z_i in enumerate(z):
        local = np.full(z_i.size, fields[i])
        for j in range(i):
            if couplings[i, j]:
                local += couplings[i, j] * z[j]
        total += local * z_i
    return total


class SectorHamiltonian:
    """H(t) = sum_p w_p(t) H_p in a sector.

    Args:
        parts: as for `SpinHamiltonian`; every symmetry of the sector must leave each unchanged.
        sector: its basis.

    Attributes:
        n_spins: N.
        dimension: basis states of the sector.
    """

    def __init__(self, parts: Sequence[HamiltonianPart], *, sector: Sector) -> None:
        self.n_spins, self.sector = sector.n_spins, sector
        self.dimension = sector.dimension
        self._parts = [sector.matrix(part) for part in parts]
        self._spin = (sector.whole or sector).collective_spin

    def frozen(self, weights: Floats | None = None) -> SectorOperator:
        """Return sum_p weights_p H_p; None means all ones."""
        w = np.ones(len(self._parts)) if weights is None else np.asarray(weights)
        if len(w) == 1 and w[0] == 1.0:
            return SectorOperator(self._parts[0])
        return SectorOperator(sum(x * matrix for x, matrix in zip(w, self._parts, strict=True)))

    def moments(self, psi: Complexes) -> tuple[Floats, Floats]:
        """<S_a> (3,) and the symmetrised covariance (3, 3)."""
        lifted = self.sector.lifted(psi)
        turned = np.empty((3, lifted.size), dtype=np.complex128)
        for S, row in zip(self._spin, turned, strict=True):
            _real_times(S, lifted, row)
        turned[1] *= 1j
        return collective_moments(lifted, turned)

    def rotate(
        self,
        psi: Complexes,
        *,
        axis: Floats,
        angle: float,
        mask: Booleans | None = None,
    ) -> None:
        """Apply exp(-i angle axis.s_i) on the spins of the mask (None: all) in place, to 1e-13.

        Every symmetry of the sector must leave the mask unchanged.

        Raises:
            InvalidInput: a sector with inversion.
        """
        if self.dimension < self.sector.orbits.count:
            raise InvalidInput("a rotation leaves the sector of inversion; use one without it")
        x, y, z = self._spin
        generator = axis[0] * x + axis[1] * (1j * y) + axis[2] * z
        if mask is not None and not np.all(mask):
            generator = self.sector.matrix(_field(np.outer(mask, axis)))
        work = Work.allocate(self.dimension, krylov_dimension=40)
        propagate(SectorOperator(np.sign(angle) * generator), psi, abs(angle), rate=0.0, work=work)


@lru_cache(maxsize=1)
def _last_sector(n_spins: int, generators: tuple[tuple[int, ...], ...]) -> Sector:
    return _new_sector(n_spins, generators)


def _new_sector(n_spins: int, generators: tuple[tuple[int, ...], ...]) -> Sector:
    orbits = orbits_of_words(n_spins, [np.array(g) for g in generators], bits=1)
    each = np.arange(orbits.count, dtype=np.int32)
    return Sector(n_spins, orbits, each, orbits.sizes, each.astype(np.int64))


def _real_times(matrix: Any, psi: Complexes, out: Complexes) -> None:
    """Out = matrix psi of a real matrix, on real and imaginary parts without a complex copy."""
    out.view(np.float64).reshape(-1, 2)[:] = matrix @ psi.view(np.float64).reshape(-1, 2)


def _field(vectors: Floats) -> HamiltonianPart:
    """sum_i vectors_i . s_i."""
    n = len(vectors)
    return HamiltonianPart(field=vectors, tensors=np.zeros((0, 3, 3)), kernels=np.zeros((0, n, n)))


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
            _real_times(self._matrix, psi, out)
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
