"""Alike spins order by order, with everything but the parameters of the model kept between calls.

L0 and [H1, .] are linear in the fields, the couplings and the rates: matrices of unit ones are made
once for N, the flips that are reached and the kinds of jumps, and added up for each model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.perturbation import alike
from spinsqueeze.methods.perturbation.flip_space import FlipSpace
from spinsqueeze.methods.perturbation.orders import Decay, Series
from spinsqueeze.models.interchangeable import CollectiveArrays
from spinsqueeze.numerics.lindblad import Unknowns, lindblad_drift, master_equation

if TYPE_CHECKING:
    from scipy.sparse import csc_array

KEPT = 16
"""Sets of unit matrices that are kept."""
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_LOWERING = np.array([1.0, -1j, 0.0])


def mixed_series(
    n_spins: int, arrays: CollectiveArrays, *, order: int, reach: int, perturbed: tuple[str, ...]
) -> Series:
    """Moments of orders 0 ... order of the exact series, see `orders.mixed_orders`.

    Raises:
        NumericalFailure: some state of few flipped spins does not decay.
    """
    units = _units(n_spins, reach * order, bool(arrays.local_jumps), perturbed)
    strengths = [*arrays.field, *(arrays.quadratic[a, b] for a, b in _PAIRS)]
    together, alone = (
        sum(rate * abs(alike.amplitude(c)) ** 2 for rate, c in jumps)
        for jumps in (arrays.collective_jumps, arrays.local_jumps)
    )
    factors = Decay(units.unperturbed.total([*strengths, together, alone])[1:, 1:])
    V = units.perturbation.total(strengths)
    states = np.zeros((order + 1, len(units.total)))
    states[0, 0] = 1.0
    for k in range(1, order + 1):
        right = (V @ states[k - 1])[1:]
        right[units.total[1:] > reach * k] = 0.0  # cannot be there but by rounding
        states[k, 1:] = -factors.solve(right)
        states[k, 0] = -float(units.trace[1:] @ states[k, 1:])
    return units.read(n_spins, states)


@final
@dataclass(frozen=True, eq=False)
class _Sum:
    """Matrices with one pattern of entries, to be added up; values (K, entries), by columns."""

    values: Floats
    rows: Integers
    starts: Integers

    def total(self, weights: Sequence[float]) -> "csc_array":
        from scipy.sparse import csc_array

        size = len(self.starts) - 1
        data = np.asarray(weights, dtype=float) @ self.values
        return csc_array((data, self.rows, self.starts), shape=(size, size))


@final
@dataclass(frozen=True, eq=False)
class _Units:
    """What a model adds up; n unknowns, the population of all-down first.

    Attributes:
        unperturbed: L0 of unit fields x, y, z, couplings by `_PAIRS`, and both sorts of jumps.
        perturbation: -i [H1, .] of unit fields and couplings.
        total: (n,) flips of the row and of the column.
        trace, squares: (n,) with trace . y = Tr rho and sum squares y^2 = Tr rho^2.
        moments: (6, n): <S_minus>, <e>, <S_minus^2>, <S_plus S_minus>, <e^2>, <{e, S_minus}>/2.
    """

    unperturbed: _Sum
    perturbation: _Sum
    total: Integers
    trace: Floats
    squares: Floats
    moments: Complexes

    def read(self, n_spins: int, states: Floats) -> Series:
        """The moments of states (K, n) of orders 0 ... K - 1."""
        table = self.moments @ states.T
        products = (states * self.squares) @ states.T
        purity = np.array([np.trace(products[: k + 1, k::-1]) for k in range(len(states))])
        return Series(
            n_spins, table[0], table[1].real, table[2], table[3].real, table[4].real, table[5],
            purity,
        )  # fmt: skip


@lru_cache(maxsize=KEPT)
def _units(n_spins: int, limit: int, local: bool, perturbed: tuple[str, ...]) -> _Units:
    alone = ((1.0, _LOWERING),) if local else ()
    every = CollectiveArrays(np.zeros((3, 3)), np.zeros(3), (), alone)
    space = alike.flip_space(n_spins, every, limit, perturbed)
    unknowns = Unknowns(space.sizes)
    total = space.flips[unknowns.rows] + space.flips[unknowns.columns]
    inside = np.flatnonzero((total <= limit) & (total > 0))
    ground = np.flatnonzero((unknowns.rows == 0) & (unknowns.columns == 0))
    kept = np.concatenate([ground, inside])

    def part(drift: Any, parts: Sequence[Any] = ()) -> Any:
        return master_equation(unknowns, drift=drift, jumps=parts).matrix[kept][:, kept].tocoo()

    still, moved = [], []
    for quadratic, field in _hamiltonians():
        whole = CollectiveArrays(quadratic, field, (), alone)
        of_unit = alike.flip_space(n_spins, whole, limit, perturbed)
        still.append(part(-1j * of_unit.unperturbed))
        moved.append(part(-1j * of_unit.perturbation))
    zero = 0.0 * space.unperturbed
    for jump in ((space.lower,), space.jumps):
        still.append(part(lindblad_drift(zero, jump), jump))
    copies = np.asarray(space.copies)[unknowns.block] if len(space.copies) > 1 else 1.0
    squares = unknowns.norm_weights() / copies
    return _Units(
        _stacked(still, len(kept)), _stacked(moved, len(kept)), total[kept],
        unknowns.trace_vector()[kept], squares[kept], _moments(space)[:, kept],
    )  # fmt: skip


def _hamiltonians() -> list[tuple[Floats, Floats]]:
    out = [(np.zeros((3, 3)), row) for row in np.eye(3)]
    for a, b in _PAIRS:
        quadratic = np.zeros((3, 3))
        quadratic[a, b] = quadratic[b, a] = 1.0
        out.append((quadratic, np.zeros(3)))
    return out


def _stacked(parts: Sequence[Any], size: int) -> _Sum:
    keys = [part.col.astype(np.int64) * size + part.row for part in parts]
    places = np.unique(np.concatenate(keys))
    values = np.zeros((len(parts), len(places)))
    for row, part, key in zip(values, parts, keys, strict=True):
        np.add.at(row, np.searchsorted(places, key), part.data)
    starts = np.searchsorted(places, np.arange(size + 1, dtype=np.int64) * size)
    return _Sum(values, places % size, starts)


def _moments(space: FlipSpace) -> Complexes:
    """(6, n): the moments of every unknown."""
    parts = []
    starts = np.concatenate([[0], np.cumsum(space.sizes)])
    for a, b in pairwise(starts):
        lower, e = space.lower[a:b, a:b].toarray(), space.flips[a:b].astype(float)
        (rho,) = Unknowns((int(b - a),)).expand(np.eye((b - a) ** 2))
        operators = [
            lower, np.diag(e), lower @ lower, lower.conj().T @ lower, np.diag(e**2),
            (lower * e + e[:, None] * lower) / 2,
        ]  # fmt: skip
        parts.append(np.array([np.einsum("ij,nji->n", X, rho) for X in operators]))
    return np.asarray(np.concatenate(parts, axis=1), dtype=complex)
