"""Coupling kernels K_ij as plain data, in the cheapest form that their symmetry allows.

Every kernel is real, symmetric and has a zero diagonal. `n_spins` counts occupied sites, in
row-major order of the grid. What a kernel is good for it says itself: methods ask for its `grid`,
`table`, `stencil` or `matrix`, never for its class.
"""

import abc
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.errors import InvalidInput


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """Sites of a regular grid in row-major order; occupied None: every site holds a spin."""

    shape: tuple[int, ...]
    occupied: Booleans | None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid) or self.shape != other.shape:
            return False
        if self.occupied is None or other.occupied is None:
            return self.occupied is other.occupied
        return np.array_equal(self.occupied, other.occupied)

    def __hash__(self) -> int:
        return hash(self.shape)


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
    @abc.abstractmethod
    def row_sum(self) -> float:
        """The largest sum_j |K_ij| of any spin; on a grid with empty sites a bound of it."""

    @abc.abstractmethod
    def same_as(self, other: "Kernel") -> bool:
        """Whether the other kernel, of the same form, couples every pair alike."""

    @property
    def uniform(self) -> bool:
        """Whether K_ij = 1 for every pair."""
        return False

    @property
    def translation_invariant(self) -> bool:
        """Whether K_ij depends on the displacement alone, everywhere alike."""
        return False

    @property
    def grid(self) -> Grid | None:
        """The grid on whose sites the spins sit, or None."""
        return None

    @property
    def table(self) -> Floats | None:
        """K by displacement, K_ij = table[(x_i - x_j) mod M], on a grid; else None.

        M is the shape of the embedding grid: that of the grid on periodic axes, at least 2L - 1 on
        open ones.
        """
        return None

    @property
    def stencil(self) -> "StencilKernel | None":
        """The few displacements that couple, where there are few; else None."""
        return None


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

    @property
    def row_sum(self) -> float:
        """All others."""
        return self.count - 1.0

    @property
    def uniform(self) -> bool:
        """True."""
        return True

    def same_as(self, other: Kernel) -> bool:
        """Whether the other couples all to all, too."""
        return other.uniform and other.n_spins == self.count

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

    @property
    def grid(self) -> Grid:
        """The grid and its occupied sites."""
        return Grid(tuple(self.grid_shape), self.occupied)

    def sites(self) -> Integers:
        """Grid coordinates (n_spins, D) of the spins."""
        mask = np.ones(self.grid_shape, bool) if self.occupied is None else self.occupied
        return np.argwhere(mask)


@final
@dataclass(frozen=True, eq=False)
class CirculantKernel(_GridKernel):
    """K_ij = values[(x_i - x_j) mod M], translation invariant on a grid.

    `values` has the shape M of the embedding grid: M = L on a periodic axis, M >= 2L - 1 on an open
    one. It is even under d -> -d and values[0] = 0, so products with K are FFT convolutions.
    """

    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != len(self.grid_shape):
            raise InvalidInput("values must have one dimension per grid axis")
        if self.values.flat[0] != 0.0:
            raise InvalidInput("values[0] must be 0: a spin does not couple to itself")

    @property
    def table(self) -> Floats:
        """The values."""
        return self.values

    @property
    def row_sum(self) -> float:
        """Every displacement."""
        return float(np.abs(self.values).sum())

    @property
    def translation_invariant(self) -> bool:
        """Whether the grid is full and periodic on every axis."""
        return self.occupied is None and self.values.shape == self.grid_shape

    def same_as(self, other: Kernel) -> bool:
        """Whether grid and table are the same."""
        if other is self:
            return True
        return (
            isinstance(other, CirculantKernel)
            and self.grid == other.grid
            and np.array_equal(self.values, other.values)
        )

    def matrix(self) -> Floats:
        """The dense matrix (n_spins, n_spins)."""
        sites = self.sites()
        difference = (sites[:, None, :] - sites[None, :, :]) % np.array(self.values.shape)
        return np.asarray(self.values[tuple(np.moveaxis(difference, -1, 0))])


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

    @property
    def row_sum(self) -> float:
        """Every offset."""
        return float(np.abs(self.strengths).sum())

    @property
    def stencil(self) -> "StencilKernel":
        """Itself."""
        return self

    @property
    def table(self) -> Floats:
        """K by displacement on the embedding grid."""
        shape = [
            size if around else 2 * size - 1
            for size, around in zip(self.grid_shape, self.periodic, strict=True)
        ]
        table = np.zeros(shape)
        for offset, strength in zip(self.offsets, self.strengths, strict=True):
            table[tuple(offset % shape)] += strength
        return table

    def same_as(self, other: Kernel) -> bool:
        """Whether grid, offsets and strengths are the same."""
        if other is self:
            return True
        stencil = other.stencil
        return (
            stencil is not None
            and self.grid == stencil.grid
            and self.periodic == stencil.periodic
            and np.array_equal(self.offsets, stencil.offsets)
            and np.array_equal(self.strengths, stencil.strengths)
        )

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

    @property
    def row_sum(self) -> float:
        """The largest row."""
        return float(np.abs(self.values).sum(axis=1).max())

    def same_as(self, other: Kernel) -> bool:
        """Whether every entry is the same."""
        if other is self:
            return True
        return isinstance(other, DenseKernel) and np.array_equal(self.values, other.values)

    def matrix(self) -> Floats:
        """The dense matrix (n_spins, n_spins)."""
        return self.values
