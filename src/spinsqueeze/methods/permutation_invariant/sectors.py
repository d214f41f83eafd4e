"""The symmetry sectors of a block state (`numerics.block_layout`), and their index maps.

Hermiticity leaves the entries with k = m - m' >= 0. A sector is a set of labels (k class, part),
part 0 = real and 1 = imaginary, closed under the Liouvillian: the classes are k itself for a weak
U(1) symmetry about z, k mod 2 for a weak parity, or a single class.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.permutation_invariant.generator import Generator, ladder_constants
from spinsqueeze.numerics.block_layout import block_offsets, block_sizes, state_size

Label = tuple[int, int]


@dataclass(frozen=True)
class Symmetry:
    """Which labels the Liouvillian mixes.

    Attributes:
        modulus: 0: k = m - m' is conserved (weak U(1) about z); 2: k mod 2 is; 1: nothing is.
        groups: closed sets of labels (class, part); for modulus 0 the class 1 stands for every
            k > 0 and each k is a sector of its own.
    """

    modulus: int
    groups: tuple[frozenset[Label], ...]


def symmetry(*models: Generator) -> Symmetry:
    """Common symmetry of one or several generators (pieces of a time-dependent one)."""
    entries = [entry for model in models for entry in ladder_constants(model).entries()]
    active = [(shift, value) for shift, value in entries if value != 0]
    shifts = {abs(shift) for shift, _ in active}
    modulus = 0 if shifts <= {0} else 2 if shifts <= {0, 2} else 1
    # Parity labels are kept even where parity itself is broken: R may be real for even and
    # imaginary for odd k.
    labels = [(k, part) for k in range(2) for part in range(2)]
    group = {label: {label} for label in labels}

    def join(first: Label, second: Label) -> None:
        if group[first] is not group[second]:
            union = group[first] | group[second]
            for label in union:
                group[label] = union

    for shift, value in active:
        for k, part in labels:
            target = (k + shift) % 2
            if value.real != 0:
                join((k, part), (target, part))
            if value.imag != 0:
                join((k, part), (target, 1 - part))
    distinct = {frozenset(members) for members in group.values()}
    return Symmetry(modulus, tuple(sorted(distinct, key=sorted)))


@dataclass(frozen=True)
class Sector:
    """Real unknowns of one closed set of labels; order: part, shell, k, row.

    Attributes:
        n_spins: N.
        shells: first and last + 1 of the shells held.
        base: (2, n_shells, N + 1) first index of (part, shell, k), or -1 where absent.
        part, shell, row, column: label of every unknown, column - row = k >= 0.
    """

    n_spins: int
    shells: tuple[int, int]
    base: Integers
    part: NDArray[np.int32] = field(repr=False)
    shell: NDArray[np.int32] = field(repr=False)
    row: NDArray[np.int32] = field(repr=False)
    column: NDArray[np.int32] = field(repr=False)

    @property
    def size(self) -> int:
        """Number of real unknowns."""
        return int(self.part.size)

    @property
    def has_trace(self) -> bool:
        """Whether the sector holds the populations."""
        return bool(self.base[0, self.shells[0], 0] >= 0)

    def coordinates(self) -> Integers:
        """(size, 4) lattice coordinates (shell, m + m', m - m', part) for orderings."""
        return np.stack(
            [
                2 * self.shell,
                self.row + self.column + 2 * self.shell,
                self.column - self.row,
                self.part,
            ],
            axis=1,
        ).astype(np.int64)

    def flat_index(self) -> Integers:
        """Flat index of the unknowns' entries R[m, m'] in the block state."""
        sizes = block_sizes(self.n_spins)
        offsets = block_offsets(self.n_spins)
        shell = self.shell.astype(np.int64)
        index: Integers = (offsets[shell] + self.row * sizes[shell] + self.column).astype(np.int64)
        return index

    def restrict(self, state: Complexes) -> Floats:
        """Real unknowns of a flat state (..., n) -> (..., size)."""
        taken = state[..., self.flat_index()]
        return np.where(self.part == 0, taken.real, taken.imag)

    def expand(self, unknowns: Floats) -> Complexes:
        """Flat state, zero outside the sector, from its unknowns."""
        state = np.zeros(state_size(self.n_spins), dtype=complex)
        self.add_to(state, unknowns)
        return state

    def add_to(self, state: Complexes, unknowns: Floats) -> None:
        """Add the part of a flat state that these unknowns hold."""
        sizes = block_sizes(self.n_spins)
        offsets = block_offsets(self.n_spins)
        entries = np.where(self.part == 0, unknowns, 1j * unknowns)
        lower = offsets[self.shell] + self.column.astype(np.int64) * sizes[self.shell] + self.row
        off = self.row != self.column
        # the real and the imaginary part of one entry are two unknowns
        np.add.at(state, self.flat_index(), entries)
        np.add.at(state, lower[off], entries[off].conj())

    def weights(self) -> Floats:
        """Multiplicity of every unknown in the Frobenius norm: 1 on the diagonal, 2 off it."""
        return np.where(self.row == self.column, 1.0, 2.0)

    def trace_vector(self) -> Floats:
        """T with t.y = sum_j Tr R_j."""
        return np.asarray(((self.row == self.column) & (self.part == 0)).astype(float))


def make_sector(
    n_spins: int,
    *,
    modulus: int,
    labels: Iterable[Label],
    k: int | None = None,
    shells: tuple[int, int] | None = None,
) -> Sector:
    """Sector of the given labels; for modulus 0 of one `k`; optionally of a range of shells."""
    wanted = set(labels)
    sizes = block_sizes(n_spins)
    first, last = shells if shells is not None else (0, sizes.size)
    diagonals = np.arange(n_spins + 1)
    present = np.zeros((2, sizes.size, n_spins + 1), dtype=bool)
    for part in range(2):
        chosen = np.array([(parity, part) in wanted for parity in range(2)])[diagonals % 2]
        chosen[:part] = False  # diagonal entries have no imaginary part
        if modulus == 0:
            chosen &= diagonals == k
        present[part, first:last] = chosen
    counts = np.maximum(sizes[:, None] - np.arange(n_spins + 1)[None, :], 0)
    lengths = (counts[None] * present).ravel()
    start = np.concatenate([[0], np.cumsum(lengths)])
    base = np.where(lengths > 0, start[:-1], -1).reshape(present.shape)
    cell = np.repeat(np.arange(lengths.size), lengths)
    part_of, shell_of, k_of = np.unravel_index(cell, present.shape)
    row = np.arange(cell.size) - start[:-1][cell]
    return Sector(
        n_spins,
        (first, last),
        base,
        part_of.astype(np.int32),
        shell_of.astype(np.int32),
        row.astype(np.int32),
        (row + k_of).astype(np.int32),
    )


def sectors(
    n_spins: int, symmetries: Symmetry, *, shells: tuple[int, int] | None = None
) -> list[Sector]:
    """All sectors of a symmetry, the one with the populations first; empty ones left out."""
    out: list[Sector] = []
    for labels in symmetries.groups:
        if symmetries.modulus == 0:
            ks = [k for k in range(n_spins + 1) if any(label[0] == k % 2 for label in labels)]
            made = [make_sector(n_spins, modulus=0, labels=labels, k=k, shells=shells) for k in ks]
        else:
            made = [make_sector(n_spins, modulus=symmetries.modulus, labels=labels, shells=shells)]
        out += [sector for sector in made if sector.size]
    return sorted(out, key=lambda sector: not sector.has_trace)
