"""Density matrices that permutations of the spins leave unchanged, by orbits of Pauli strings.

rho = 2^-N sum_P r_P P with r_P = <P> real, one number for each orbit O of strings. The unknowns are
y_O = sqrt(|O| / 2^N) r_P, so that |y| is the Frobenius norm of rho, and |y|^2 its purity. A word has
two bits a site: 0, 1, 2, 3 for 1, x, y, z.
"""

from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.methods.exact.pauli_generator import GeneratorPart
from spinsqueeze.numerics.orbits import Orbits, Words, orbits_of_words
from spinsqueeze.numerics.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

ROWS_AT_ONCE = 1 << 15
MASKS_AT_ONCE = 64


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
        digits = [(words >> np.int32(2 * i)) & np.int32(3) for i in range(n)]
        rows, columns, values = [], [], []

        def add(G: Floats, index: Words, sites: tuple[int, ...]) -> None:
            mask = sum(3 << (2 * i) for i in sites)
            cleared = words & np.int32(~mask)
            for q in np.flatnonzero(np.any(G, axis=0)):
                entries = G[index, q]
                present = np.flatnonzero(entries)
                placed = q << (2 * sites[0])
                if len(sites) == 2:
                    placed = ((q >> 2) << (2 * sites[0])) | ((q & 3) << (2 * sites[1]))
                rows.append(present.astype(np.int32))
                columns.append(number[cleared[present] | np.int32(placed)])
                values.append(entries[present])

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
        """Unknowns of spins along directions (N, 3)."""
        words = self._orbits.representatives
        components = np.concatenate([np.ones((self.n_spins, 1)), directions], axis=1)
        r = np.ones(self.count)
        for i in range(self.n_spins):
            r *= components[i][(words >> np.int32(2 * i)) & np.int32(3)]
        return r * self._scale

    def pure_state(self, psi: Complexes) -> Floats:
        """Unknowns of amplitudes (2^N,), bit i of the index 1 for spin i up.

        P = i^(number of y) X^f Z^g with f the sites of x and y, g those of y and z: for each f the
        <P> of all g are one Walsh-Hadamard transform.
        """
        f, g, phase = self._masks()
        index = np.arange(psi.size)
        r = np.empty(self.count)
        order = np.argsort(f, kind="stable")
        flips, starts = np.unique(f[order], return_index=True)
        starts = np.append(starts, self.count)
        for k in range(0, flips.size, MASKS_AT_ONCE):
            chosen = flips[k : k + MASKS_AT_ONCE]
            overlaps = psi[index ^ chosen[:, None]].conj() * psi
            transformed = _walsh_hadamard(overlaps)
            for at, row in enumerate(transformed):
                places = order[starts[k + at] : starts[k + at + 1]]
                r[places] = (phase[places] * row[g[places]]).real
        return r * self._scale

    def _masks(self) -> tuple[Integers, Integers, Complexes]:
        """F, g and the phase i^(number of y) (-1)^|g| of each representative."""
        words = self._orbits.representatives
        f, g = np.zeros(self.count, dtype=np.int64), np.zeros(self.count, dtype=np.int64)
        power = np.zeros(self.count, dtype=np.int64)
        for i in range(self.n_spins):
            low = (words >> np.int32(2 * i)) & 1
            high = (words >> np.int32(2 * i + 1)) & 1
            f |= (low ^ high).astype(np.int64) << i
            g |= high.astype(np.int64) << i
            power += (high & (1 - low)) + 2 * high
        return f, g, np.array([1, 1j, -1, -1j])[power % 4]

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
        """Sums over sites of sigma_a (3, count), over ordered pairs of sigma_a sigma_b (9, count)."""
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


def _walsh_hadamard(rows: Complexes) -> Complexes:
    """sum_n (-1)^|g & n| rows[k, n] for every g."""
    size, half = rows.shape[1], 1
    while half < size:
        pairs = rows.reshape(len(rows), -1, 2, half)
        rows = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2)
        half *= 2
    return rows.reshape(-1, size)
