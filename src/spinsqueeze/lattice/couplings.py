"""Power-law couplings of a lattice, in the cheapest kernel that fits its geometry."""

import math

import numpy as np

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
    if lattice.on_grid:
        assert lattice.shape is not None
        distance = lattice.grid_distances()
        distance.flat[0] = 1.0
        table = distance**-exponent
        table.flat[0] = 0.0
        return CirculantKernel(lattice.shape, lattice.occupied, table)
    distance = lattice.distances()
    np.fill_diagonal(distance, 1.0)
    matrix = distance**-exponent
    np.fill_diagonal(matrix, 0.0)
    return DenseKernel(matrix)


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
    assert lattice.shape is not None
    periodic = (lattice.boundary == "periodic",) * lattice.dimension
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
        steps = (1,) if size == 2 and periodic[axis] else (1, -1)
        for step in steps:
            offset = np.zeros(lattice.dimension, dtype=np.int64)
            offset[axis] = step
            offsets.append(offset)
    array = np.array(offsets, dtype=np.int64).reshape(-1, lattice.dimension)
    return StencilKernel(lattice.shape, lattice.occupied, periodic, array, np.ones(len(array)))
