"""First order on a torus that is alike everywhere: b_ij depends on the displacement of i and j.

One number b(r) a displacement r, even, with b(0) = 0 as one spin flips once: N unknowns. Hopping is
a convolution, the energy of a pair a product; see `flip_amplitudes`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from typing_extensions import override

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.numerics.flip_amplitudes import (
    FlipOperators,
    PairAmplitudes,
    bound,
    check,
    solved,
)
from spinsqueeze.numerics.pair_arrays import PairTable

DIRECT_SITES = 200
"""Up to so many sites the system is solved directly, beyond by iteration."""

KRYLOV_VECTORS = 100
MAX_RESTARTS = 20
SMALLEST = 1e-13
"""Residual that the iteration tries to reach; `flip_amplitudes.RESIDUAL` is what it must."""


@final
@dataclass(frozen=True, eq=False)
class FlipsByDistance(FlipOperators):
    """Tables by displacement; all arrays have the shape of the torus and are even, zero at 0.

    site: energy of one flip, - (i/2) its decay. hop: to a site at r. pair: energy of two flips at
    r beyond their own. drive = <i|H1|0>, pair_drive = <ij|H1|0>. local_decay: part of `site`.
    """

    site: complex
    hop: Complexes
    pair: Floats
    drive: complex
    pair_drive: Complexes
    local_decay: float

    @property
    @override
    def counts(self) -> Floats:
        return np.ones(self.hop.size)

    @property
    @override
    def drives_singles(self) -> bool:
        return self.drive != 0

    @property
    @override
    def largest_drive(self) -> float:
        return float(max(abs(self.drive), np.abs(self.pair_drive).max()))

    @property
    @override
    def largest_entry(self) -> float:
        return float(max(abs(self.site), np.abs(self.hop).max()))

    @cached_property
    def spin_waves(self) -> Complexes:
        """Energies of one flip by wave vector, - (i/2) their decay."""
        return np.asarray(self.site + np.fft.fftn(self.hop))

    @override
    def single_amplitudes(self) -> Complexes:
        if self.drive == 0:
            return np.zeros(self.hop.size, dtype=complex)
        matrix = np.array([[self.site + self.hop.sum()]])
        return np.full(self.hop.size, solved(matrix, np.array([-self.drive]))[0])

    @override
    def slowest_decay(self) -> float:
        # Two flips decay where single ones do by themselves, and only there does every wave.
        if self.largest_entry == 0.0:
            return 0.0
        return max(0.0, float(np.min(-2.0 * self.spin_waves.imag)) / self.largest_entry)

    def on_pairs(self, amplitudes: Complexes) -> Complexes:
        """The operator of two flips on b(r), zero at 0."""
        from scipy import fft

        moved = fft.ifftn(fft.fftn(amplitudes) * (self.spin_waves - self.site))
        total = 2.0 * moved + (2.0 * self.site + self.pair) * amplitudes
        total.flat[0] = 0.0
        return np.asarray(total)

    @override
    def pair_amplitudes(self) -> PairAmplitudes:
        target = -self.pair_drive
        if not np.any(target):
            return PairAmplitudes(PairTable(np.zeros_like(self.hop)), 0.0)
        solve = self._direct if self.hop.size <= DIRECT_SITES else self._iterated
        amplitudes = solve(target)
        residual = self.on_pairs(amplitudes) - target
        check(amplitudes, residual, target)
        norm = np.sqrt(PairTable(residual).squares)
        return PairAmplitudes(PairTable(amplitudes), bound(norm, self.local_decay))

    def _direct(self, target: Complexes) -> Complexes:
        # One unknown for r and -r, which are one where 2 r = 0.
        shape = self.hop.shape
        steps = np.indices(shape).reshape(len(shape), -1).T
        index = np.ravel_multi_index(tuple(steps.T), shape)
        back = np.ravel_multi_index(tuple(((-steps) % np.array(shape)).T), shape)
        chosen = np.flatnonzero((index <= back) & (index > 0))
        matrix = 2.0 * PairTable(self.hop).matrix()
        matrix[index, index] += 2.0 * self.site + self.pair.ravel()
        folded = matrix[np.ix_(chosen, chosen)] + np.where(
            chosen == back[chosen], 0.0, matrix[np.ix_(chosen, back[chosen])]
        )
        out = np.zeros(self.hop.size, dtype=complex)
        out[chosen] = solved(folded, target.ravel()[chosen])
        out[back[chosen]] = out[chosen]
        return out.reshape(shape)

    def _iterated(self, target: Complexes) -> Complexes:
        """GMRES, preconditioned by pairs of one energy with the hard core: exact for those."""
        from scipy import fft
        from scipy.sparse.linalg import LinearOperator, gmres

        shape, size = self.hop.shape, self.hop.size
        mean = float(self.pair.sum()) / (size - 1)
        response = 1.0 / (2.0 * self.spin_waves + mean)
        green = fft.ifftn(response)

        def apply(flat: Complexes) -> Complexes:
            return self.on_pairs(flat.reshape(shape)).ravel()

        def free(flat: Complexes) -> Complexes:
            out = fft.ifftn(fft.fftn(flat.reshape(shape)) * response)
            out -= green * (out.flat[0] / green.flat[0])
            out.flat[0] = 0.0
            return np.asarray(out.ravel())

        solution, _ = gmres(
            LinearOperator((size, size), matvec=apply, dtype=complex),
            target.ravel(),
            M=LinearOperator((size, size), matvec=free, dtype=complex),
            rtol=SMALLEST,
            atol=0.0,
            restart=KRYLOV_VECTORS,
            maxiter=MAX_RESTARTS,
        )
        return np.asarray(solution).reshape(shape)


def bytes_by_distance(sites: int) -> float:
    """Memory of the amplitudes: Krylov vectors and tables, or the matrix of the direct solution."""
    if sites > DIRECT_SITES:
        return 16.0 * sites * (KRYLOV_VECTORS + 20)
    return 16.0 * sites**2 * 4.0
