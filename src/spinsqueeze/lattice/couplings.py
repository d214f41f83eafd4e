"""Couplings by distance or displacement, in the cheapest kernel that fits the geometry."""

import math
from collections.abc import Callable

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import (
    AllToAllKernel,
    CirculantKernel,
    DenseKernel,
    Kernel,
    StencilKernel,
)


def power_law_kernel(lattice: Lattice, *, exponent: float) -> Kernel:
    """K_ij = r_ij^-exponent for i != j.

    exponent = 0 couples all to all; exponent = inf couples the pairs at the smallest lattice
    distance with strength 1. r_ij follows the minimum image on a periodic lattice.

    Raises:
        InvalidInput: exponent = inf away from a lattice, where nearest neighbours are undefined.
    """
    if exponent == 0:
        return AllToAllKernel(lattice.n_spins)
    if math.isinf(exponent):
        return _nearest_neighbours(lattice)
    return distance_kernel(lattice, lambda distance: distance**-exponent)


def distance_kernel(lattice: Lattice, function: Callable[[Floats], Floats]) -> Kernel:
    """K_ij = function(r_ij) for i != j; r_ij follows the minimum image on a periodic lattice.

    Args:
        lattice: the sites.
        function: distances of any shape -> values of the same shape. On a grid it is also asked
            for distances up to twice the size of an open lattice, whose values no pair takes.
    """
    if lattice.on_grid:
        distance = lattice.grid_distances()
        distance.flat[0] = lattice.spacings[0]
        table = function(distance)
        table.flat[0] = 0.0
        return CirculantKernel(lattice.grid_shape, lattice.occupied, table)
    distance = lattice.distances()
    np.fill_diagonal(distance, lattice.spacings[0])
    matrix = function(distance)
    np.fill_diagonal(matrix, 0.0)
    return DenseKernel(matrix)


def displacement_kernel(lattice: Lattice, function: Callable[[Floats], Floats]) -> Kernel:
    """K_ij = function(r_i - r_j) for i != j, by the minimum image along periodic axes.

    Where several images are equally near, as half way around a periodic axis, their mean counts.

    Args:
        lattice: the sites.
        function: even; vectors (..., D), none of them zero, -> values (...).
    """
    if lattice.on_grid:
        table = np.zeros(lattice.embedding)
        for weights, vectors in lattice.grid_displacements():
            vectors.reshape(-1, lattice.dimension)[0] = lattice.spacings
            table += weights * function(vectors)
        table.flat[0] = 0.0
        axes = tuple(range(table.ndim))
        table = (table + np.roll(np.flip(table), 1, axis=axes)) / 2  # even to the last bit
        return CirculantKernel(lattice.grid_shape, lattice.occupied, table)
    vectors = lattice.displacements()
    own = np.arange(lattice.n_spins)
    vectors[own, own] = 1.0
    matrix = function(vectors)
    np.fill_diagonal(matrix, 0.0)
    return DenseKernel((matrix + matrix.T) / 2)


def row_sums(kernel: Kernel) -> Floats:
    """sum_j K_ij (n_spins,) of every spin; all exactly the same where translations say so."""
    if kernel.uniform:
        return np.full(kernel.n_spins, kernel.n_spins - 1.0)
    grid, table = kernel.grid, kernel.table
    if grid is None or table is None or (not kernel.translation_invariant and kernel.n_spins < 512):
        return np.asarray(kernel.matrix().sum(axis=1))
    if kernel.translation_invariant:
        return np.full(kernel.n_spins, table.sum())
    mask = np.ones(grid.shape) if grid.occupied is None else grid.occupied.astype(float)
    axes = tuple(range(table.ndim))
    product = np.fft.rfftn(table) * np.fft.rfftn(mask, s=table.shape, axes=axes)
    sums = np.fft.irfftn(product, s=table.shape, axes=axes)[tuple(map(slice, grid.shape))]
    return np.asarray(sums[mask > 0])


def require_sites(lattice: Lattice) -> None:
    """Refuse nearest neighbours away from lattice sites.

    Raises:
        InvalidInput: the spins have positions of their own.
    """
    if not lattice.on_grid:
        raise InvalidInput(
            "exponent = inf (nearest neighbours) needs spins on lattice sites: leave out positions "
            "and position_disorder, or give the pairs with PairCoupling"
        )


def _nearest_neighbours(lattice: Lattice) -> StencilKernel:
    require_sites(lattice)
    oblique = lattice.oblique
    offsets = _along_axes(lattice) if oblique is None else oblique.neighbours()
    return StencilKernel(
        lattice.grid_shape,
        lattice.occupied,
        lattice.grid_periodic,
        offsets,
        np.ones(len(offsets)),
    )


def _along_axes(lattice: Lattice) -> Integers:
    """(K, D) offsets to the nearest sites of a rectangular lattice."""
    assert lattice.shape is not None
    lengths = [
        spacing if size > 1 else math.inf
        for size, spacing in zip(lattice.shape, lattice.spacings, strict=True)
    ]
    nearest = min(lengths)
    offsets = []
    for axis, (size, length) in enumerate(zip(lattice.shape, lengths, strict=True)):
        if not math.isfinite(length) or length > nearest * (1 + 1e-9):
            continue
        # Around a ring of two, both steps lead to the one neighbour, which counts once.
        steps = (1,) if size == 2 and lattice.periodic[axis] else (1, -1)
        for step in steps:
            offset = np.zeros(lattice.dimension, dtype=np.int64)
            offset[axis] = step
            offsets.append(offset)
    return np.array(offsets, dtype=np.int64).reshape(-1, lattice.dimension)
