"""Noise of correlated jumps L_i = sum_j f_ij c.s_j: what falls on single spins, and a filter.

f is symmetric, and noise has the correlations C = f^T f = f^2. Its part least(C) is noise of every
spin by itself; the rest, C - least(C) = g^2, is white noise through the filter g.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.lattice.kernels import Kernel
from spinsqueeze.lattice.squares import squared, torus_spectrum
from spinsqueeze.methods.dtwa.couplings import KernelPlan

ROUNDING = 1e-12
"""Of the largest eigenvalue of C: what is smaller is rounding."""


@final
@dataclass(frozen=True, eq=False)
class Filter:
    """g on the cells, so that noise through it has at most the variance 1.

    plan: what a program knows of it. array: its spectrum on a periodic grid, else the matrix.
    """

    plan: KernelPlan
    array: Floats


@final
@dataclass(frozen=True, eq=False)
class Correlations:
    """C of one piece.

    least: its least eigenvalue. own (n_spins,), or (1,) where all are alike: its diagonal.
    spread: the largest variance of noise with C - least, and `filter`; None where there is none.
    """

    least: float
    own: Floats
    spread: float
    filter: Filter | None


def correlations(kernel: Kernel, *, cells: Integers | None, n_cells: int) -> Correlations:
    """Of the jumps around every site; by Fourier transform where the sites are alike."""
    both = ((0, 0), (1, 1))
    own, _ = squared(kernel)
    spectrum = torus_spectrum(kernel)
    if spectrum is not None:
        least = _least(spectrum**2)
        array = np.sqrt(np.maximum(spectrum**2 - least, 0.0))
        plan = KernelPlan("circulant", both, spectrum.shape, spectrum.shape)
    else:
        roots, vectors = np.linalg.eigh(np.eye(kernel.n_spins) + kernel.matrix())
        least = _least(roots**2)
        sites = slice(None) if cells is None else cells
        array = np.zeros((n_cells, n_cells))
        filled = np.arange(n_cells)[sites]
        sizes = np.sqrt(np.maximum(roots**2 - least, 0.0))
        array[np.ix_(filled, filled)] = (vectors * sizes) @ vectors.T
        plan = KernelPlan("dense", both)
    spread = float(own.max()) - least
    if spread <= ROUNDING * float(own.max()):
        return Correlations(least, own, 0.0, None)
    return Correlations(least, own, spread, Filter(plan, array / np.sqrt(spread)))


def _least(eigenvalues: Floats) -> float:
    least = float(eigenvalues.min())
    return least if least > ROUNDING * float(eigenvalues.max()) else 0.0
