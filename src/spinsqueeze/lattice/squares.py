"""The square of 1 + K for a kernel K: what jumps that reach over 1 + K do to pairs of sites."""

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.lattice.kernels import CirculantKernel, DenseKernel, Kernel


def squared(kernel: Kernel) -> tuple[Floats, Kernel]:
    """(1 + K)^2: its diagonal (n_spins,), or (1,) where all sites are alike, and the rest."""
    grid, spectrum = kernel.grid, torus_spectrum(kernel)
    if grid is not None and spectrum is not None:
        values = np.fft.ifftn(spectrum**2).real
        own = np.array([values.flat[0]])
        values.flat[0] = 0.0
        return own, CirculantKernel(grid.shape, grid.occupied, values)
    f = np.eye(kernel.n_spins) + kernel.matrix()
    matrix = f @ f
    own = np.diag(matrix).copy()
    np.fill_diagonal(matrix, 0.0)
    return own, DenseKernel((matrix + matrix.T) / 2)


def torus_spectrum(kernel: Kernel) -> Floats | None:
    """The eigenvalues of 1 + K by wave vector on a full periodic grid; None elsewhere."""
    table = kernel.table
    if table is None or kernel.grid is None or not kernel.translation_invariant:
        return None
    return np.asarray(1.0 + np.fft.fftn(table).real)
