"""Collective moments and shell populations of psi (T, N + 1, D)."""

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.truncated_shells.sectors import ShellSpace


def read(psi: Complexes, space: ShellSpace) -> tuple[Floats, Floats, Floats]:
    """<S> (T, 3), covariance (T, 3, 3), and populations of the shells (T, n + 1)."""
    count = len(psi)
    second = np.zeros((count, 3, 3))
    spin = np.zeros((count, 3))
    populations = np.zeros((count, len(space.spins)))
    for k, s in enumerate(space.spins):
        part = psi[:, k : space.n_spins + 1 - k, space.shell(k)]
        if not part.size:
            continue
        m = s - np.arange(part.shape[1])
        # S_plus takes m to m + 1, a row up.
        raise_ = np.sqrt(s * (s + 1) - m[1:] * (m[1:] + 1))
        here = np.sum(part.real**2 + part.imag**2, axis=2)
        one = np.einsum("tma,tma->tm", part[:, :-1].conj(), part[:, 1:]) * raise_
        two = np.einsum("tma,tma->tm", part[:, :-2].conj(), part[:, 2:])
        twice = (two * (raise_[:-1] * raise_[1:])).sum(axis=1)
        plus = one.sum(axis=1)
        tilted = (one * (m[:-1] + m[1:]) / 2).sum(axis=1)
        flat = here @ (s * (s + 1) - m**2) / 2
        populations[:, k] = here.sum(axis=1)
        spin += np.column_stack([plus.real, plus.imag, here @ m])
        second[:, 0, 0] += flat + twice.real / 2
        second[:, 1, 1] += flat - twice.real / 2
        second[:, 0, 1] += twice.imag / 2
        second[:, 0, 2] += tilted.real
        second[:, 1, 2] += tilted.imag
        second[:, 2, 2] += here @ m**2
    for a, b in ((1, 0), (2, 0), (2, 1)):
        second[:, a, b] = second[:, b, a]
    return spin, second - spin[:, :, None] * spin[:, None, :], populations
