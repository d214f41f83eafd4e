"""One bosonic mode on the Fock states |0> ... |levels - 1>."""

import math
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MARGIN = 60
"""Levels beside those asked for in which states are made, so that they do not feel the end."""


def annihilation(levels: int) -> "csr_array":
    """A as a sparse (levels, levels) matrix."""
    from scipy.sparse import diags_array

    if levels == 1:
        return diags_array([np.zeros(1, dtype=complex)], offsets=[0], shape=(1, 1)).tocsr()
    ladder = np.sqrt(np.arange(1, levels)).astype(complex)
    return diags_array([ladder], offsets=[1], shape=(levels, levels)).tocsr()


def displacement(amplitude: complex, levels: int) -> Complexes:
    """<n|exp(amplitude a^dagger - amplitude* a)|m> for n, m < levels: (levels, levels).

    By the eigenvectors of the generator in a space so much larger that its end is not felt.
    """
    from scipy.linalg import eigh_tridiagonal

    reach = abs(amplitude) ** 2 + 8 * abs(amplitude) * math.sqrt(levels + 1)
    size = levels + MARGIN + math.ceil(reach)
    ladder = np.sqrt(np.arange(1, size))
    # amplitude a^dagger - h.c. = -i h up to phases of the levels, h real symmetric and tridiagonal.
    energies, modes = eigh_tridiagonal(np.zeros(size), abs(amplitude) * ladder)
    turn = amplitude / abs(amplitude) if amplitude else 1.0
    phases = (1j * turn) ** np.arange(levels)
    kept = modes[:levels]
    core = (kept * np.exp(-1j * energies)) @ kept.T
    return np.asarray(phases[:, None] * core * phases.conj())


def gaussian_density(
    amplitude: complex, *, thermal: float, squeezing: float, phase: float, levels: int
) -> tuple[Floats, Complexes]:
    """A squeezed thermal state, displaced: weights (K,) and state vectors (K, levels).

    Fluctuations around <a> = amplitude are thermal, with `thermal` quanta, in the mode
    b = cosh(r) (a - amplitude) + exp(i phase) sinh(r) (a - amplitude)^dagger, r = squeezing. The
    vectors are those of the number of b, cut off at `levels`: what they lack of norm 1 is beyond.
    """
    if thermal == 0:
        return np.ones(1), _vacuum_of(amplitude, squeezing, phase, levels)[None]
    ratio = thermal / (1.0 + thermal)
    count = 1 + math.ceil(math.log(1e-18) / math.log(ratio))
    if amplitude == 0 and squeezing == 0:
        kept = min(count, levels)
        weights = np.asarray((1 - ratio) * ratio ** np.arange(kept))
        return weights, np.asarray(np.eye(kept, levels, dtype=complex))
    # What does not fit in several times the levels does not fit in them either.
    spread = min((2 * count + 1) * math.exp(2 * abs(squeezing)), 3.0 * levels)
    size = levels + MARGIN + math.ceil(abs(amplitude) ** 2 + 4 * abs(amplitude) + spread)
    ladder = np.sqrt(np.arange(1, size))
    a = np.diag(ladder, 1).astype(complex) - amplitude * np.eye(size)
    b = math.cosh(squeezing) * a + np.exp(1j * phase) * math.sinh(squeezing) * a.conj().T
    # The last row of b† b is cut wrong: leave it out of reach, high in energy.
    number = b.conj().T @ b
    number[-1, -1] += 10 * size
    _, vectors = np.linalg.eigh(number)
    kept = min(count, size // 2)
    weights = (1 - ratio) * ratio ** np.arange(kept)
    return np.asarray(weights), np.asarray(vectors[:levels, :kept].T)


def _vacuum_of(amplitude: complex, squeezing: float, phase: float, levels: int) -> Complexes:
    """The state (levels,) that b of `gaussian_density` takes to zero, level by level."""
    turn = complex(np.exp(1j * phase))
    t = turn * math.tanh(squeezing)
    step = amplitude + t * amplitude.conjugate()
    c = np.zeros(levels, dtype=complex)
    exponent = abs(amplitude) ** 2 + (t * amplitude.conjugate() ** 2).real
    c[0] = math.exp(-exponent / 2) / math.sqrt(math.cosh(squeezing))
    for n in range(levels - 1):
        before = math.sqrt(n) * t * c[n - 1] if n else 0.0
        c[n + 1] = (step * c[n] - before) / math.sqrt(n + 1)
    return c
