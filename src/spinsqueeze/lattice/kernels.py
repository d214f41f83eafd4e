"""Coupling kernels K_ij as plain data, in the cheapest form that their symmetry allows.

Every kernel is real, symmetric and has a zero diagonal. `n_spins` counts occupied sites, in
row-major order of the grid.
"""

import abc
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.errors import InvalidInput


class Kernel(abc.ABC):
    """A real symmetric coupling matrix K_ij with zero diagonal."""

    @property
    @abc.abstractmethod
    def n_spins(self) -> int:
        """Number of spins."""

    @abc.abstractmethod
    def matrix(self) -> Floats:
        """The dense matrix (n_spins, n_spins)."""

    @property
    def translation_invariant(self) -> bool:
        """Whether K_ij depends on the displacement alone, on a full periodic grid."""
        return False


@final
@dataclass(frozen=True)
class AllToAllKernel(Kernel):
    """K_ij = 1 for every pair."""

    count: int

    @property
    def n_spins(self) -> int:
        """Number of spins."""
        return self.count

    @property
    def translation_invariant(self) -> bool:
        """True: every displacement couples alike."""
        return True

    def matrix(self) -> Floats:
        """Ones with a zero diagonal (n_spins, n_spins)."""
        return np.ones((self.count, self.count)) - np.eye(self.count)


@dataclass(frozen=True, eq=False)
class _GridKernel(Kernel):
    grid_shape: tuple[int, ...]
    occupied: Booleans | None

    @property
    def n_spins(self) -> int:
        """Number of occupied sites."""
        n = int(np.prod(self.grid_shape))
        return n if self.occupied is None else int(self.occupied.sum())

    def sites(self) -> Integers:
        """Grid coordinates (n_spins, D) of the spins."""
        mask = np.ones(self.grid_shape, bool) if self.occupied is None else self.occupied
        return np.argwhere(mask)


@final
@dataclass(frozen=True, eq=False)
class CirculantKernel(_GridKernel):
    """K_ij = table[(x_i - x_j) mod M], translation invariant on a grid.

    `table` has the shape M of the embedding grid: M = L on a periodic axis, M >= 2L - 1 on an open
    one. It is even under d -> -d and table[0] = 0, so products with K are FFT convolutions.
    """

    table: Floats

    def __post_init__(self) -> None:
        if self.table.ndim != len(self.grid_shape):
            raise InvalidInput("table must have one dimension per grid axis")
        if self.table.flat[0] != 0.0:
            raise InvalidInput("table[0] must be 0: a spin does not couple to itself")

    @property
    def translation_invariant(self) -> bool:
        """Whether the grid is full and periodic on every axis."""
        return self.occupied is None and self.table.shape == self.grid_shape

    def matrix(self) -> Floats:
        """The dense matrix (n_spins, n_spins)."""
        sites = self.sites()
        difference = (sites[:, None, :] - sites[None, :, :]) % np.array(self.table.shape)
        return np.asarray(self.table[tuple(np.moveaxis(difference, -1, 0))])


@final
@dataclass(frozen=True, eq=False)
class StencilKernel(_GridKernel):
    """K between sites that differ by one of a few offsets.

    offsets (K, D) integers, closed under d -> -d; strengths (K,); periodic (D,) per axis.
    """

    periodic: tuple[bool, ...]
    offsets: Integers
    strengths: Floats

    @property
    def translation_invariant(self) -> bool:
        """Whether the grid is full and periodic on every axis."""
        return self.occupied is None and all(self.periodic)

    def matrix(self) -> Floats:
        """The dense matrix (n_spins, n_spins)."""
        shape = np.array(self.grid_shape)
        index = np.full(self.grid_shape, -1)
        sites = self.sites()
        index[tuple(sites.T)] = np.arange(len(sites))
        matrix = np.zeros((len(sites), len(sites)))
        for offset, strength in zip(self.offsets, self.strengths, strict=True):
            target = sites + offset
            wrapped = np.where(self.periodic, target % shape, target)
            inside = np.all((wrapped >= 0) & (wrapped < shape), axis=1)
            rows = np.flatnonzero(inside)
            columns = index[tuple(wrapped[inside].T)]
            kept = columns >= 0
            matrix[rows[kept], columns[kept]] += strength
        return matrix


@final
@dataclass(frozen=True, eq=False)
class DenseKernel(Kernel):
    """An explicit matrix (N, N): for arbitrary positions only, N^2 numbers."""

    values: Floats

    @property
    def n_spins(self) -> int:
        """Number of spins."""
        return int(self.values.shape[0])

    def matrix(self) -> Floats:
        """The dense matrix (n_spins, n_spins)."""
        return self.values
