"""One- and two-spin correlators of an Ising model at one time."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.methods.closed_form.collective import means_from


@final
@dataclass(frozen=True, eq=False)
class Turns:
    """By what pulses have turned each spin (or kind) at each time, about the Ising axis z.

    s^+ became phases s^-, and s^z its negative, where flipped; else s^+ became phases s^+.

    Attributes:
        flipped: (T, C) or (T, 1).
        phases: complex of modulus 1, the same shape.
    """

    flipped: Booleans
    phases: Complexes


@dataclass(frozen=True)
class IsingCorrelators:
    """Exact one- and two-spin correlators at one time; diagonals of the pair tables are 0.

    Of classes of spins: of one spin of each class; the tables are summed over the pairs of two
    classes, and their diagonals hold pairs within a class.

    Attributes:
        plus: (N,) <s^+_i>.
        z: (N,) <s^z_i>.
        plus_plus: (N, N) <s^+_i s^+_j> - <s^+_i><s^+_j>.
        plus_minus: (N, N) <s^+_i s^-_j> - <s^+_i><s^-_j>.
        z_plus: (N, N) <s^z_i s^+_j> - <s^z_i><s^+_j>.
    """

    plus: Complexes
    z: Floats
    plus_plus: Complexes
    plus_minus: Complexes
    z_plus: Complexes

    def spin(self) -> Floats:
        """(N, 3) <s_i>."""
        return means_from(self.plus, 2 * self.z)

    def turned(self, flipped: Booleans, phases: Complexes) -> "IsingCorrelators":
        """The correlators once spin i is turned: see `Turns`; arguments (N,)."""
        i, j = flipped[:, None], flipped[None, :]
        pp, pm = self.plus_plus, self.plus_minus
        # s^+_i s^±_j: first as if spin i were not flipped, then conjugated where it is
        same, other = np.where(i == j, pp, pm), np.where(i == j, pm, pp)
        zp = np.where(j, self.z_plus.conj(), self.z_plus)
        sign = np.where(flipped, -1.0, 1.0)
        return IsingCorrelators(
            plus=phases * np.where(flipped, self.plus.conj(), self.plus),
            z=sign * self.z,
            plus_plus=np.where(i, same.conj(), same) * np.outer(phases, phases),
            plus_minus=np.where(i, other.conj(), other) * np.outer(phases, phases.conj()),
            z_plus=zp * np.outer(sign, phases),
        )

    def pairs(self, *, connected: bool = False) -> Floats:
        """(N, N, 3, 3) <s^a_i s^b_j> for i != j, minus the product of means if connected."""
        C = np.zeros((*self.plus_plus.shape, 3, 3))
        pp, pm, zp = self.plus_plus, self.plus_minus, self.z_plus
        C[..., 0, 0] = 0.5 * (pm + pp).real
        C[..., 1, 1] = 0.5 * (pm - pp).real
        C[..., 0, 1] = 0.5 * (pp - pm).imag
        C[..., 1, 0] = 0.5 * (pp + pm).imag
        C[..., 2, 0], C[..., 2, 1] = zp.real, zp.imag
        C[..., 0, 2], C[..., 1, 2] = zp.T.real, zp.T.imag
        if not connected:
            m = self.spin()
            C += np.einsum("ia,jb->ijab", m, m)
            C[np.diag_indices(len(m))] = 0.0
        return C
