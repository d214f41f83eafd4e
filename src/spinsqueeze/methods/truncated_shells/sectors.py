"""The Hamiltonian on shells 0 ... n, one sector of magnetisation a row."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.truncated_shells.blocks import Reduced, ShellBlocks
from spinsqueeze.methods.truncated_shells.coefficients import magnetic_factor
from spinsqueeze.methods.truncated_shells.parts import Parts
from spinsqueeze.numerics.angular_momentum import rotation_matrix

Rows = NDArray[Any]


@final
class ShellSpace:
    """States psi (N + 1, D): sectors m = N/2 ... -N/2, multiplets of shell 0 first.

    Attributes:
        offsets: (n + 2,) where each shell begins; the last is D.
        spins: (n + 1,) total spin of each shell.
    """

    def __init__(self, parts: Parts, blocks: ShellBlocks) -> None:
        self.n_spins = blocks.n_spins
        self.offsets = np.concatenate([[0], np.cumsum(blocks.sizes)]).astype(int)
        self.spins: Floats = self.n_spins / 2 - np.arange(len(blocks.sizes), dtype=np.float64)
        self.dimension = int(self.offsets[-1])
        self.mirrored = not blocks.field
        self.m: Floats = self.n_spins / 2 - np.arange(self.n_spins + 1, dtype=np.float64)
        self.energies: Floats = parts.field * self.m + parts.square * self.m**2
        self._ranks: list[tuple[int, Reduced]] = []
        if blocks.rank_two:
            self._ranks.append((2, _combined(parts.rank_two, blocks.rank_two)))
        if blocks.field:
            self._ranks.append((1, blocks.field))
        self._isotropic = []
        rest = 0.0
        for k, (spin, size) in enumerate(zip(self.spins, blocks.sizes, strict=True)):
            block = parts.total * spin * (spin + 1) * np.eye(size)
            for strength, of_kernel in zip(parts.isotropic, blocks.isotropic, strict=True):
                block += strength * of_kernel[k]
            rest = rest if k else float(block[0, 0])
            # Energies from that of shell 0, so that phases are small.
            self._isotropic.append(block - rest * np.eye(size))

    def shell(self, k: int) -> slice:
        """The multiplets of shell k."""
        return slice(int(self.offsets[k]), int(self.offsets[k + 1]))

    def hamiltonian(self, m: Floats) -> "SectorHamiltonians":
        """The Hamiltonians of sectors m (C,), less `energies` and that of shell 0 without them."""
        terms: list[tuple[slice, slice, Floats | None, Floats]] = []
        for k, block in enumerate(self._isotropic):
            terms.append((self.shell(k), self.shell(k), None, block))
        for rank, reduced in self._ranks:
            for (above, below), block in reduced.items():
                factor = magnetic_factor(rank, self.spins[above], below - above, m)
                a, b = self.shell(above), self.shell(below)
                terms.append((b, a, factor, block))
                if above != below:
                    terms.append((a, b, factor, np.ascontiguousarray(block.T)))
        return SectorHamiltonians([t for t in terms if t[3].size])

    def rotated(self, psi: Complexes, *, axis: Floats, angle: float) -> Complexes:
        """exp(-i angle axis.S) psi; total spin stays."""
        out = np.zeros_like(psi)
        for k, spin in enumerate(self.spins):
            held = slice(k, self.n_spins + 1 - k)
            if self.shell(k).start < self.shell(k).stop:
                turn = rotation_matrix(float(spin), axis=axis, angle=angle)
                out[held, self.shell(k)] = turn @ psi[held, self.shell(k)]
        return out

    def mirror_signs(self) -> Floats:
        """(D,) the signs by which psi of -m follows from psi of m without a field."""
        return np.repeat((-1.0) ** np.arange(len(self.spins)), np.diff(self.offsets))


@final
class SectorHamiltonians:
    """Products of every row with the Hamiltonian of its sector."""

    def __init__(self, terms: list[tuple[slice, slice, Floats | None, Floats]]) -> None:
        self._terms = terms

    def __call__(self, rows: Rows) -> Rows:
        """(C, D) -> (C, D), real or complex."""
        out = np.zeros_like(rows)
        for source, target, factor, block in self._terms:
            product = _times(rows[:, source], block.T)
            out[:, target] += product if factor is None else factor[:, None] * product
        return out


def _times(rows: Rows, block: Floats) -> Rows:
    if not np.iscomplexobj(rows):
        return rows @ block
    both = np.concatenate([rows.real, rows.imag]) @ block
    return np.asarray(both[: len(rows)] + 1j * both[len(rows) :])


def _combined(strengths: tuple[float, ...], reduced: tuple[Reduced, ...]) -> Reduced:
    return {
        pair: np.asarray(sum(s * r[pair] for s, r in zip(strengths, reduced, strict=True)))
        for pair in reduced[0]
    }
