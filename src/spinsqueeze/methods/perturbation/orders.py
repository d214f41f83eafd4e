"""The steady state order by order: density matrices among few flipped spins, and their moments.

L0 rho_(k+1) = i [H1, rho_k] (mixed), or rho_k from a pure state (Eqs. 9 and 10 of huybrechts2024).
H1 flips `reach` spins at most, jumps and H0 lead to no more, so that rho_k holds |a><b| with
flips(a) + flips(b) <= reach k: a closed set, of which nothing is left out.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.perturbation.flip_space import FlipSpace
from spinsqueeze.methods.perturbation.power_series import times, total
from spinsqueeze.numerics.lindblad import Unknowns, lindblad_drift, master_equation

if TYPE_CHECKING:
    from scipy.sparse import csr_array

GROWING = 1e-6
"""Changes below this, relative to N/2 and N/4, may be rounding and do not grow."""
MOST_REPEATED = 0.8
"""Ratio of orders beyond to those computed that is still believed: claims grow fivefold at most."""
SINGULAR = 1e-13
"""Ratio of the slowest to the fastest rate below which a decay counts as none."""


@final
@dataclass(frozen=True, eq=False)
class Series:
    """Moments of orders 0 ... K of P models, each (K + 1, P).

    Attributes:
        n_spins: N.
        lower, flips, square: <S_minus>, <flips>, <S_minus^2>.
        number: <S_plus S_minus>.
        flips_squared: <flips^2>.
        mixed: <flips S_minus + S_minus flips>/2.
        purity: Tr rho^2.
    """

    n_spins: int
    lower: Complexes
    flips: Floats
    square: Complexes
    number: Floats
    flips_squared: Floats
    mixed: Complexes
    purity: Floats

    def moments(self, order: int) -> tuple[Floats, Floats]:
        """<S> (P, 3) and the covariance (P, 3, 3) of the sum of orders 0 ... order."""
        n = self.n_spins
        lower, square, mixed = (
            total(part[: order + 1]) for part in (self.lower, self.square, self.mixed)
        )
        e, number, squared = (
            total(part[: order + 1]) for part in (self.flips, self.number, self.flips_squared)
        )
        x, y = lower.real, -lower.imag
        across = number - e + n / 2  # <S_x^2 + S_y^2>
        xx, yy = (across + square.real) / 2 - x**2, (across - square.real) / 2 - y**2
        xy, zx, zy = -square.imag / 2 - x * y, mixed.real - e * x, -mixed.imag - e * y
        rows = [[xx, xy, zx], [xy, yy, zy], [zx, zy, squared - e**2]]
        return np.array([x, y, e - n / 2]).T, np.moveaxis(np.array(rows), -1, 0)

    def all_orders(self, order: int, *, computed: int) -> Floats:
        """(P,) what the `computed` orders beyond change, times this, is what all of them do.

        1/(1 - q): as many orders again are q times those before; q^4 is how much less the last of
        them changes <S> and the covariance than `order` does, q at most
        MOST_REPEATED; infinite where it changes them by no less. The fourth root because later
        orders fall far more slowly than the first ones where a slow decay limits the series.
        """
        n, steps = self.n_spins, []
        for k in (order, order + computed):
            (spin, covariance), (before, spread) = self.moments(k), self.moments(k - 1)
            turned = np.abs(spin - before).max(axis=1) / (n / 2)
            steps.append(np.maximum(turned, np.abs(covariance - spread).max(axis=(1, 2)) / (n / 4)))
        here, last = steps
        small = last < MOST_REPEATED**4 * here
        q = np.where(small, last / np.where(small, here, 1.0), MOST_REPEATED**4) ** 0.25
        q[last == 0] = 0.0
        grows = (last >= here) & (last > GROWING)
        return np.where(grows, np.inf, 1.0 / (1.0 - q))

    def collective(self, order: int) -> tuple[Floats, Floats]:
        """The series of <S> (K, 3, P) and of the covariance (K, 3, 3, P), K = order + 1."""
        shown = slice(order + 1)
        x, y, e = self.lower.real[shown], -self.lower.imag[shown], self.flips[shown]
        square, mixed = self.square[shown], self.mixed[shown]
        one = np.zeros((order + 1, 1))
        one[0] = self.n_spins / 2
        across = self.number[shown] - e + one
        xx = (across + square.real) / 2 - times(x, x)
        yy = (across - square.real) / 2 - times(y, y)
        xy = -square.imag / 2 - times(x, y)
        zx, zy = mixed.real - times(e, x), -mixed.imag - times(e, y)
        zz = self.flips_squared[shown] - times(e, e)
        rows = [[xx, xy, zx], [xy, yy, zy], [zx, zy, zz]]
        return np.stack([x, y, e - one], axis=1), np.moveaxis(np.array(rows), 2, 0)


def mixed_orders(space: FlipSpace, order: int, reach: int) -> list[list[Complexes]]:
    """rho_0 ... rho_order by blocks, exact order by order.

    Raises:
        NumericalFailure: some state of few flipped spins does not decay.
    """
    unknowns = Unknowns(space.sizes)
    L0 = master_equation(
        unknowns,
        drift=lindblad_drift(space.unperturbed, space.jumps),
        jumps=space.jumps,
    ).matrix
    V = master_equation(unknowns, drift=-1j * space.perturbation).matrix
    flipped = space.flips[unknowns.rows] + space.flips[unknowns.columns]
    ground = np.flatnonzero((unknowns.rows == 0) & (unknowns.columns == 0))[0]
    y = np.zeros(unknowns.count)
    y[ground] = 1.0
    kept = np.flatnonzero((flipped <= reach * order) & (flipped > 0))
    factors = Decay(L0[kept][:, kept])
    trace = unknowns.trace_vector()
    states = [y]
    for k in range(1, order + 1):
        right = (V @ states[-1])[kept]
        right[flipped[kept] > reach * k] = 0.0  # cannot be there but by rounding
        y = np.zeros(unknowns.count)
        y[kept] = -factors.solve(right)
        y[ground] = -float(trace[kept] @ y[kept])
        states.append(y)
    return [unknowns.expand(state) for state in states]


def pure_orders(space: FlipSpace, order: int) -> list[list[Complexes]]:
    """rho_0 ... rho_order, order <= 2, of a pure state: Eqs. (5), (9) and (10) of the paper.

    D = i (H0 - E0) + (1/2) sum L†L has an inverse beside |0>, and D psi_1 = -i H1|0>,
    D psi_2 = -i (H1 - <0|H1|0>) psi_1 + sum L psi_1 <psi_1|L†|0>.
    """
    size = len(space.flips)
    H1 = space.perturbation
    decay = -lindblad_drift(space.unperturbed, space.jumps)
    inside = np.arange(1, size)
    factors = Decay(decay[inside][:, inside])
    ground = np.eye(size, 1, dtype=complex)[:, 0]
    first = np.zeros(size, dtype=complex)
    first[1:] = factors.solve((-1j * (H1 @ ground))[1:])
    rhos = [np.outer(ground, ground), np.outer(first, ground) + np.outer(ground, first.conj())]
    if order == 2:
        right = -1j * (H1 @ first - (H1 @ ground)[0] * first)
        for L in space.jumps:
            fallen = L @ first
            right += fallen * np.conj(fallen[0])
        second = np.zeros(size, dtype=complex)
        second[1:] = factors.solve(right[1:])
        second[0] = -float(np.vdot(first, first).real) / 2
        rhos.append(
            np.outer(second, ground)
            + np.outer(ground, second.conj())
            + np.outer(first, first.conj())
        )
    starts = np.concatenate([[0], np.cumsum(space.sizes)])
    return [[rho[a:b, a:b] for a, b in pairwise(starts)] for rho in rhos[: order + 1]]


def read(space: FlipSpace, orders: list[list[Complexes]]) -> Series:
    """The moments of every order."""
    starts = np.concatenate([[0], np.cumsum(space.sizes)])
    rows: list[list[complex]] = []
    for blocks in orders:
        row = np.zeros(6, dtype=complex)
        for a, b, rho in zip(starts[:-1], starts[1:], blocks, strict=True):
            lower, e = space.lower[a:b, a:b], space.flips[a:b].astype(float)
            lowered = lower @ rho
            row += [
                np.trace(lowered),
                e @ np.diagonal(rho),
                np.trace(lower @ lowered),
                np.trace(lowered @ lower.conj().T),
                e**2 @ np.diagonal(rho),
                np.trace(e[:, None] * lowered + lower @ (e[:, None] * rho)) / 2,
            ]
        rows.append(list(row))
    table = np.array(rows).T[..., None]
    purity = [
        sum(
            np.vdot(orders[j][b], orders[k - j][b]).real / space.copies[b]
            for j in range(k + 1)
            for b in range(len(space.sizes))
        )
        for k in range(len(orders))
    ]
    return Series(
        space.n_spins, table[0], table[1].real, table[2], table[3].real, table[4].real, table[5],
        np.array(purity)[:, None],
    )  # fmt: skip


@final
class Decay:
    """Sparse factors of a matrix of decays.

    Raises:
        NumericalFailure: it is singular: something does not decay.
    """

    def __init__(self, matrix: "csr_array") -> None:
        from scipy.sparse.linalg import splu

        try:
            self._factors: Any = splu(matrix.tocsc())
        except RuntimeError:
            raise NumericalFailure(STUCK) from None
        diagonal = np.abs(self._factors.U.diagonal())
        if diagonal.min(initial=np.inf) <= SINGULAR * diagonal.max(initial=0.0):
            raise NumericalFailure(STUCK)

    def solve(self, right: Any) -> Any:
        """X with matrix x = right."""
        return self._factors.solve(right)


STUCK = (
    "the unperturbed model has another state of few flipped spins that does not decay, so that all "
    "spins down is not its only steady state: give every spin a decay of its own, or use another "
    "method"
)
