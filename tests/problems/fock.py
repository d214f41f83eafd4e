"""Bosonic modes on a few Fock levels: operators, states and what is read from a density matrix.

Spins are the left factors, then the modes in their order; level 0 is the vacuum.
"""

from functools import reduce

import numpy as np
from scipy.special import gammaln


def annihilation(levels):
    """a (levels, levels): a|n> = sqrt(n)|n - 1>."""
    return np.diag(np.sqrt(np.arange(1.0, levels)), 1)


def lifted(operators, levels):
    """Operators of the spins (..., d, d) on spins x modes."""
    return np.kron(operators, np.eye(int(np.prod(levels))))


def mode_operators(spin_levels, levels):
    """[a_m] on spins x modes; spin_levels = 2^N, one number of levels a mode."""
    factors = [np.eye(spin_levels), *(np.eye(k) for k in levels)]
    return [
        reduce(np.kron, [*factors[: m + 1], annihilation(k), *factors[m + 2 :]])
        for m, k in enumerate(levels)
    ]


def vacuum(levels):
    return pure(np.eye(levels)[0])


def coherent(levels, alpha):
    """|alpha>: amplitudes alpha^n/sqrt(n!), cut and normalised."""
    n = np.arange(levels)
    return pure(np.power(complex(alpha), n) * np.exp(-gammaln(n + 1) / 2))


def squeezed(levels, r):
    """The vacuum of cosh(r) a + sinh(r) a†: amplitudes (-tanh r)^k sqrt((2k)!)/(2^k k!) at 2k."""
    k = np.arange((levels + 1) // 2)
    psi = np.zeros(levels)
    sizes = np.exp(gammaln(2 * k + 1) / 2 - gammaln(k + 1) - k * np.log(2.0))
    psi[::2] = (-np.tanh(r)) ** k * sizes
    return pure(psi)


def thermal(levels, photons):
    """Populations proportional to (n/(n + 1))^k for a mean photon number n."""
    populations = (photons / (photons + 1.0)) ** np.arange(levels)
    return np.diag(populations / populations.sum()).astype(complex)


def pure(psi):
    psi = np.asarray(psi, dtype=complex) / np.linalg.norm(psi)
    return np.outer(psi, psi.conj())


def spin_part(rho, n):
    """The density matrix of n spins, modes traced out."""
    rest = len(rho) // 2**n
    return np.einsum("aibi->ab", rho.reshape(2**n, rest, 2**n, rest))


def mode_part(rho, n):
    """The density matrix of what is not spins: of all modes together."""
    rest = len(rho) // 2**n
    return np.einsum("iaib->ab", rho.reshape(2**n, rest, 2**n, rest))


def top_population(rho, n, levels):
    """The largest population of the last level of any mode: 0 where the cut cannot be felt."""
    populations = np.diag(mode_part(rho, n)).real.reshape(levels)
    return max(float(np.take(populations, -1, axis=m).sum()) for m in range(len(levels)))
