"""Subsets of k of N sites, up to the symmetries of the couplings.

Subsets are numbered by rank = sum_i C(a_i, i + 1) of their sites a_0 < a_1 < ..., from 0 up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.numerics.site_symmetries import orbits

FEW = 3000
"""Subsets; of more of them the number of orbits is estimated."""
MOST_RANKS = 2**62
"""Subsets that whole numbers of 64 bits can count; more fit in no memory, whatever the symmetry."""
SAMPLES = 24
LARGEST_ORBIT = 20000


@final
@dataclass(frozen=True, eq=False)
class SubsetOrbits:
    """Symmetric states: equal superpositions of the subsets in one orbit.

    Attributes:
        members: (D, k) the sites, ascending, of one subset of each orbit.
        sizes: (D,) subsets in each orbit.
        orbit_of: (C(N, k),) the orbit of each rank; None: every subset is its own.
    """

    n_sites: int
    members: Integers
    sizes: Floats
    orbit_of: Integers | None

    def __len__(self) -> int:
        return len(self.sizes)

    def find(self, subsets: Integers) -> Integers:
        """The orbits (...) of subsets (..., k), their sites ascending."""
        ranks = rank(subsets, self.n_sites)
        return ranks if self.orbit_of is None else self.orbit_of[ranks].astype(np.int64)


def orbits_of_subsets(n_sites: int, size: int, generators: Sequence[Integers]) -> SubsetOrbits:
    """All orbits of the subsets of `size` sites."""
    subsets = all_subsets(n_sites, size)
    if not generators or size == 0:
        return SubsetOrbits(n_sites, subsets.astype(np.int64), np.ones(len(subsets)), None)
    moves = [rank(np.sort(move[subsets], axis=1), n_sites) for move in generators]
    lowest = orbits(len(subsets), moves)
    first, which, sizes = np.unique(lowest, return_inverse=True, return_counts=True)
    return SubsetOrbits(
        n_sites, subsets[first].astype(np.int64), sizes.astype(float), which.astype(np.int32)
    )


def all_subsets(n_sites: int, size: int) -> Integers:
    """(C(N, k), k) sites of every subset, in the order of their ranks."""
    subsets = np.zeros((1, 0), dtype=np.int16)
    for k in range(1, size + 1):
        # Below the largest site m stand the first C(m, k - 1) subsets of k - 1 sites.
        tops = range(k - 1, n_sites - size + k)
        parts = [
            np.column_stack([subsets[: comb(m, k - 1)], np.full(comb(m, k - 1), m, np.int16)])
            for m in tops
        ]
        subsets = np.concatenate(parts)
    return np.asarray(subsets)


def rank(subsets: Integers, n_sites: int) -> Integers:
    """The numbers (...) of subsets (..., k), their sites ascending."""
    size = subsets.shape[-1]
    table = _binomials(n_sites, size)
    total = np.zeros(subsets.shape[:-1], dtype=np.int64)
    for i in range(size):
        total += table[i + 1][subsets[..., i]]
    return total


def estimated_orbits(n_sites: int, size: int, generators: Sequence[Integers]) -> float:
    """How many orbits there are, counted where that is quick, else from some of their sizes."""
    count = comb(n_sites, size)
    if not generators or size == 0 or count >= MOST_RANKS:
        return float(count)
    if count <= FEW:
        return float(len(orbits_of_subsets(n_sites, size, generators)))
    rng = np.random.default_rng(0)
    drawn = (rng.permutation(n_sites)[:size] for _ in range(SAMPLES))
    shares = [1.0 / _orbit_size(subset, generators) for subset in drawn]
    return count * float(np.mean(shares))


def _orbit_size(subset: Integers, generators: Sequence[Integers]) -> int:
    n_sites = len(generators[0])
    reached = np.sort(subset)[None, :]
    known = rank(reached, n_sites)
    while len(reached) and len(known) < LARGEST_ORBIT:
        after = np.sort(np.concatenate([move[reached] for move in generators]), axis=1)
        ranks, first = np.unique(rank(after, n_sites), return_index=True)
        new = ~np.isin(ranks, known)
        reached, known = after[first[new]], np.concatenate([known, ranks[new]])
    return len(known)


@cache
def _binomials(n_sites: int, size: int) -> Integers:
    return np.array([[comb(m, i) for m in range(n_sites)] for i in range(size + 1)], dtype=np.int64)
