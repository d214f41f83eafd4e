"""Density matrices that permutations of the spins leave unchanged, by orbits of Pauli strings.

rho = 2^-N sum_P r_P P with r_P = <P> real, one number for each orbit O of strings. The unknowns are
y_O = sqrt(|O| / 2^N) r_P, so that |y| is the Frobenius norm of rho, and |y|^2 its purity. A word
has two bits a site: 0, 1, 2, 3 for 1, x, y, z.
"""

from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.methods.exact.pauli_generator import GeneratorPart
from spinsqueeze.numerics.orbits import Orbits, orbits_of_words
from spinsqueeze.numerics.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

ROWS_AT_ONCE = 1 << 15


@final
class StringSector:
    """The orbits of Pauli strings of N spins under permutations.

    Args:
        n_spins: N.
        generators: permutations (N,), spin i to generator[i]; none: all 4^N strings.

    Attributes:
        count: number of orbits.
    """

    def __init__(self, n_spins: int, generators: "Sequence[Integers]") -> None:
        self.n_spins = n_spins
        self._orbits: Orbits = orbits_of_words(n_spins, generators, bits=2)
        self.count = self._orbits.count
        self._scale = np.sqrt(self._orbits.sizes / 2.0**n_spins)
        self._one, self._two = self._read_outs()

    @property
    def trace_vector(self) -> Floats:
        """(count,) t with t.y = Tr rho."""
        out = np.zeros(self.count)
        out[0] = 1 / self._scale[0]
        return out

    def matrix(self, part: GeneratorPart) -> "csr_array":
        """The generator on the unknowns: d y / dt = A y for strength 1."""
        from scipy.sparse import csr_array, vstack

        edges = range(0, self.count, ROWS_AT_ONCE)
        blocks = [self._rows(part, first, min(first + ROWS_AT_ONCE, self.count)) for first in edges]
        return csr_array(vstack(blocks, format="csr") if len(blocks) > 1 else blocks[0])

    def _rows(self, part: GeneratorPart, first: int, stop: int) -> Any:
        from scipy.sparse import coo_array

        n, number = self.n_spins, self._orbits.number
        words = self._orbits.representatives[first:stop]
        digits = [((words >> np.int32(2 * i)) & np.int32(3)).astype(np.uint8) for i in range(n)]
        rows, columns, values = [], [], []

        def add(G: Floats, strings: NDArray[np.uint8], sites: tuple[int, ...]) -> None:
            if not np.any(G):
                return
            cleared = words & np.int32(~sum(3 << (2 * i) for i in sites))
            order = np.argsort(strings, kind="stable").astype(np.int32)
            starts = np.searchsorted(strings[order], np.arange(len(G) + 1))
            for p, q in np.argwhere(G):
                rows_of = order[starts[p] : starts[p + 1]]
                placed = int(q) << (2 * sites[0])
                if len(sites) == 2:
                    placed = ((int(q) >> 2) << (2 * sites[0])) | ((int(q) & 3) << (2 * sites[1]))
                rows.append(rows_of)
                columns.append(number[cleared[rows_of] | np.int32(placed)])
                values.append(np.full(rows_of.size, G[p, q]))

        for i in range(n):
            add(part.ones[i], digits[i], (i,))
            for j in range(i):
                add(part.twos[i, j], 4 * digits[i] + digits[j], (i, j))
        row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        column = np.concatenate(columns) if rows else row
        scaled = np.zeros(0)
        if rows:
            scaled = np.concatenate(values)
            scaled *= self._scale[first + row] / self._scale[column]
        block = coo_array((scaled, (row, column)), shape=(stop - first, self.count)).tocsr()
        size = float(np.abs(block.data).max(initial=0.0))
        block.data[np.abs(block.data) <= 1e-15 * size] = 0.0
        block.eliminate_zeros()
        return block

    def product_state(self, directions: Floats) -> Floats:
        """Unknowns of spins along directions (N, 3), averaged over the permutations."""
        number = self._orbits.number
        r = np.ones(1)
        for row in directions:
            r = np.multiply.outer(np.append(1.0, row), r).ravel()
        return np.bincount(number, r) / self._orbits.sizes * self._scale

    def pure_state(self, psi: Complexes) -> Floats:
        """Unknowns of amplitudes (2^N,), averaged over the permutations.

        Bit i of an index is 1 for spin i up. P = i^(number of y) X^f Z^g with f the sites of x and
        y, g those of y and z: for each f the <P> of all g are one Walsh-Hadamard transform.
        """
        n, number = self.n_spins, self._orbits.number
        index = np.arange(1 << n)
        f_word, g_word = _spread(index, 1), _spread(index, 3)  # x flips; z is 3, y is 3 ^ 1
        ones = np.zeros(1, dtype=np.int64)  # in each index
        for _ in range(n):
            ones = np.concatenate([ones, ones + 1])
        total = np.zeros(self.count)
        for f in range(1 << n):
            overlaps = _walsh_hadamard(psi[index ^ f].conj() * psi)
            power = ones[index & f] + 2 * ones  # of i, with the sign (-1)^|g| of Z^g
            r = (np.array([1, 1j, -1, -1j])[power % 4] * overlaps).real
            total += np.bincount(number[f_word[f] ^ g_word], r, minlength=self.count)
        return total / self._orbits.sizes * self._scale

    def turned(
        self, y: Floats, *, axis: Floats, angle: float, mask: Booleans | None = None
    ) -> Floats:
        """The unknowns after exp(-i angle axis.s_i) on the spins of the mask (None: all)."""
        R = np.eye(4)
        R[1:, 1:] = rotation_matrix(axis, angle=angle)
        r = (y / self._scale)[self._orbits.number]
        for i in range(self.n_spins):
            if mask is None or mask[i]:
                r = np.matmul(R, r.reshape(-1, 4, 4**i)).ravel()
        return r[self._orbits.representatives] * self._scale

    def _read_outs(self) -> tuple[Floats, Any]:
        """Sums over sites of sigma_a (3, count), over ordered pairs of two of them (9, count)."""
        from scipy.sparse import csr_array

        n, number = self.n_spins, self._orbits.number
        one = np.zeros((3, self.count))
        rows, columns = [], []
        for i in range(n):
            for a in range(3):
                one[a, number[(a + 1) << (2 * i)]] += 1
            for j in range(i):
                for a in range(3):
                    for b in range(3):
                        word = ((a + 1) << (2 * i)) | ((b + 1) << (2 * j))
                        rows += [3 * a + b, 3 * b + a]
                        columns += 2 * [number[word]]
        entries = (np.ones(len(rows)), (rows, columns))
        two = csr_array(entries, shape=(9, self.count))
        return one, two

    def moments(self, y: Floats) -> tuple[Floats, Floats]:
        """<S_a> (3,) and the symmetrised covariance (3, 3)."""
        r = y / self._scale
        r = r / r[0]
        spin = self._one @ r / 2
        second = (self._two @ r).reshape(3, 3) / 4 + self.n_spins / 4 * np.eye(3)
        return spin, (second + second.T) / 2 - np.outer(spin, spin)


def _spread(index: Integers, digit: int) -> Integers:
    """Words with this digit where a bit of the index is 1."""
    word = np.zeros_like(index)
    for i in range(int(index.max()).bit_length()):
        word |= ((index >> i) & 1) * (digit << (2 * i))
    return word


def _walsh_hadamard(values: Complexes) -> Complexes:
    """sum_n (-1)^|g & n| values[n] for every g."""
    half, size = 1, values.size
    while half < size:
        pairs = values.reshape(-1, 2, half)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1)
        half *= 2
    return values.ravel()
