"""The couplings between shells of total spin S = N/2 - k, once for every magnetisation.

The sector with k spins flipped, M = N/2 - k, holds one state of every multiplet with S >= N/2 - k,
and shell k is what S_minus of the sector before does not reach. There, at M = S, none of the
Clebsch-Gordan coefficients vanishes that belong to two spins of which shell k has the smaller one;
elsewhere they may (rank 2: S to S - 1 at M = 0, S to S at M = 2 for S = 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.lattice.kernels import Grid
from spinsqueeze.methods.truncated_shells.coefficients import HIGHEST_STEP, magnetic_factor
from spinsqueeze.methods.truncated_shells.subsets import SubsetOrbits, orbits_of_subsets
from spinsqueeze.numerics.site_symmetries import site_symmetries

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Reduced = dict[tuple[int, int], Floats]
"""(k', k) with k' <= k -> reduced elements (d_k', d_k) between shells k' and k."""


@final
@dataclass(frozen=True, eq=False)
class ShellBlocks:
    """Reduced elements of the parts of the couplings between shells 0 ... n.

    Attributes:
        sizes: multiplets d_k in each shell.
        isotropic: of each kernel, of sum_{i<j} K_ij s_i . s_j, (d_k, d_k) for each k.
        rank_two: of each kernel, of sum_{i<j} K_ij (3 s^z_i s^z_j - s_i . s_j).
        field: of sum_i h_i s^z_i with the mean of h taken off; empty without.
    """

    n_spins: int
    sizes: tuple[int, ...]
    isotropic: tuple[tuple[Floats, ...], ...]
    rank_two: tuple[Reduced, ...]
    field: Reduced

    def first(self, n_shells: int) -> "ShellBlocks":
        """The same without the shells below S = N/2 - n_shells."""
        count = n_shells + 1

        def kept(reduced: Reduced) -> Reduced:
            return {pair: block for pair, block in reduced.items() if pair[1] < count}

        return replace(
            self,
            sizes=self.sizes[:count],
            isotropic=tuple(blocks[:count] for blocks in self.isotropic),
            rank_two=tuple(kept(reduced) for reduced in self.rank_two),
            field=kept(self.field),
        )


@final
@dataclass(frozen=True)
class Couplings:
    """Kernels and fields of sites as bytes, by which blocks are kept for the next question."""

    n_spins: int
    kernels: tuple[bytes, ...]
    field: bytes
    grid: Grid | None

    @classmethod
    def of(cls, kernels: Sequence[Floats], field: Floats, grid: Grid | None) -> "Couplings":
        """From kernels (N, N) and what the field at each site (N,) differs by from its mean."""
        flat = b"" if not np.any(field) else np.ascontiguousarray(field).tobytes()
        return cls(
            len(field), tuple(np.ascontiguousarray(k).tobytes() for k in kernels), flat, grid
        )

    @property
    def matrices(self) -> list[Floats]:
        """The kernels (N, N)."""
        n = self.n_spins
        return [np.frombuffer(k, dtype=np.float64).reshape(n, n) for k in self.kernels]

    @property
    def site_field(self) -> Floats | None:
        """The field (N,), None where there is none."""
        return np.frombuffer(self.field, dtype=np.float64) if self.field else None

    def generators(self) -> list[Integers]:
        """The permutations of sites that leave all of it as it is."""
        return list(_generators(self))


@lru_cache(maxsize=8)
def _generators(couplings: Couplings) -> tuple[Integers, ...]:
    field = couplings.site_field
    rows = [] if field is None else [field]
    n = couplings.n_spins
    matrices = couplings.matrices or [np.zeros((n, n))]
    return tuple(site_symmetries(matrices, rows=rows, grid=couplings.grid))


def of_alike_spins(n_spins: int) -> ShellBlocks:
    """Shell 0 alone, which alike spins never leave."""
    return ShellBlocks(n_spins, (1,), (), (), {})


@lru_cache(maxsize=4)
def shell_blocks(couplings: Couplings, n_shells: int) -> ShellBlocks:
    """The blocks of shells 0 ... n_shells; the last four are kept, two for each method at work."""
    n, generators = couplings.n_spins, couplings.generators()
    matrices, field = couplings.matrices, couplings.site_field
    isotropic: list[list[Floats]] = [[] for _ in matrices]
    rank_two: list[Reduced] = [{} for _ in matrices]
    of_field: Reduced = {}
    sizes: list[int] = []
    shells: list[Floats] = []  # the last three, in the sector at hand
    before: SubsetOrbits | None = None
    for k in range(n_shells + 1):
        here = orbits_of_subsets(n, k, generators)
        if before is None:
            shells = [np.ones((1, 1))]
        else:
            lowering = _lowering(before, here)
            shells = [
                lowering @ shell / np.sqrt((n + 1 - k - older) * (k - older))
                for older, shell in zip(range(k - len(shells), k), shells, strict=True)
            ]
            shells = [*shells[-2:], _unreached(lowering)]
        sizes.append(shells[-1].shape[1])
        spins = [n / 2 - older for older in range(k + 1 - len(shells), k + 1)]
        for q, matrix in enumerate(matrices):
            exchange, energies = _pair_operators(here, matrix)
            new = shells[-1]
            exchanged, at_rest = exchange @ new, energies[:, None] * new
            isotropic[q].append(new.T @ (exchanged + at_rest))
            anisotropic = 2 * at_rest - exchanged
            rank_two[q] |= _reduced(shells, spins, anisotropic, rank=2, k=k)
        if field is not None:
            tilted = (field.sum() / 2 - field[here.members].sum(axis=1))[:, None] * shells[-1]
            of_field |= _reduced(shells, spins, tilted, rank=1, k=k)
        before = here
    return ShellBlocks(
        n, tuple(sizes), tuple(tuple(blocks) for blocks in isotropic), tuple(rank_two), of_field
    )


def _reduced(
    shells: list[Floats], spins: list[float], image: Floats, *, rank: int, k: int
) -> Reduced:
    """Elements between each shell at hand and shell k, whose states an operator took to `image`."""
    m = np.array([spins[-1]])
    found: Reduced = {}
    for shell, spin in zip(shells, spins, strict=True):
        step = round(spin - spins[-1])
        if step > HIGHEST_STEP[rank]:
            continue
        factor = float(magnetic_factor(rank, spin, step, m)[0])
        elements = shell.T @ image
        # Zero for spins that the triangle rule forbids at every M.
        found[k - step, k] = elements / factor if factor else np.zeros_like(elements)
    return found


def _lowering(above: SubsetOrbits, here: SubsetOrbits) -> "csr_array":
    """S_minus (D_k, D_k-1) from the symmetric states of k - 1 flipped spins to those of k."""
    from scipy.sparse import coo_array

    n, count = above.n_sites, len(above)
    site = np.broadcast_to(np.arange(n), (count, n))
    free = np.all(above.members[:, None, :] != site[:, :, None], axis=2)
    column, added = np.nonzero(free)
    subsets = np.sort(np.column_stack([above.members[column], added]), axis=1)
    row = here.find(subsets)
    values = np.sqrt(above.sizes[column] / here.sizes[row])
    return coo_array((values, (row, column)), shape=(len(here), count)).tocsr()


def _unreached(lowering: "csr_array") -> Floats:
    """(D_k, d_k) an orthonormal basis of what S_minus does not reach: shell k."""
    from scipy.linalg import qr

    rows, columns = lowering.shape
    if rows == columns:
        return np.zeros((rows, 0))
    basis: Any = qr(lowering.toarray(), mode="full", overwrite_a=True, check_finite=False)[0]
    return np.ascontiguousarray(basis[:, columns:])


def _pair_operators(here: SubsetOrbits, kernel: Floats) -> "tuple[csr_array, Floats]":
    """sum_{i<j} K_ij (s^x s^x + s^y s^y) without its diagonal, and sum_{i<j} K_ij s^z s^z (D,).

    The first moves a flip from i to j with K_ij/2.
    """
    from scipy.sparse import coo_array

    n, count = here.n_sites, len(here)
    size = here.members.shape[1]
    inside = np.zeros((count, n), dtype=bool)
    np.put_along_axis(inside, here.members, True, axis=1)
    weights = inside.astype(float)
    across = np.einsum("di,di->d", weights @ kernel, 1 - weights)
    energies = kernel.sum() / 8 - across / 2
    shape = (count, count)
    moved = coo_array(shape).tocsr()
    for place in range(size):
        source = here.members[:, place]
        state, target = np.nonzero(~inside & (kernel[source] != 0))
        subsets = here.members[state].copy()
        subsets[:, place] = target
        row = here.find(np.sort(subsets, axis=1))
        values = kernel[source[state], target] / 2 * np.sqrt(here.sizes[state] / here.sizes[row])
        moved = moved + coo_array((values, (row, state)), shape=shape).tocsr()
    return moved, energies
