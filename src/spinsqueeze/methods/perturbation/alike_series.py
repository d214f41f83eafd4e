"""Alike spins order by order, many models at once; what they share is kept between calls.

L0 and [H1, .] are linear in the fields, the couplings and the rates: matrices of unit ones are made
once for N, the flips that are reached and the kinds of jumps. L0 leaves an element alone but for
its phase, and jumps take it two flips down: equations are solved from the most flips to the fewest,
for all models in one go. Models are the last axis, and sums run in one order, so that a model has
the same bits in any company.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.methods.perturbation import alike
from spinsqueeze.methods.perturbation.flip_space import FlipSpace
from spinsqueeze.methods.perturbation.orders import SINGULAR, Series
from spinsqueeze.models.interchangeable import CollectiveArrays
from spinsqueeze.numerics.lindblad import Unknowns, lindblad_drift, master_equation

if TYPE_CHECKING:
    from scipy.sparse import csr_array

KEPT = 16
"""Sets of unit matrices that are kept."""
_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_LOWERING = np.array([1.0, -1j, 0.0])


def mixed_series(
    n_spins: int,
    models: Sequence[CollectiveArrays],
    *,
    order: int,
    reach: int,
    perturbed: tuple[str, ...],
) -> tuple[Series, Booleans]:
    """Moments of orders 0 ... order of the exact series, see `orders.mixed_orders`.

    Args:
        n_spins: N.
        models: (P,) all of them with local jumps, or none.
        order: the highest.
        reach: spins that H1 flips at most, in any of them.
        perturbed: see `Perturbation`.

    Returns:
        The series (order + 1, P); and which (P,) models have none, as something does not decay.
    """
    units = _units(n_spins, reach * order, bool(models[0].local_jumps), perturbed)
    strengths = np.array([_strengths(arrays) for arrays in models]).T
    (own, other), stuck = units.inverse(strengths)
    states = np.zeros((order + 1, len(units.total), len(models)))
    states[0, 0] = 1.0
    for k in range(1, order + 1):
        right = units.perturbed(states[k - 1], strengths)
        state = states[k]
        for level in units.levels:
            if level.total > reach * k:
                continue
            r = right[level.rows] + level.falling(state, strengths)
            state[level.rows] = own[level.rows] * r + other[level.rows] * r[level.partner]
        state[0] = -(units.trace @ state)[0]
    return units.read(n_spins, states), stuck


def _strengths(arrays: CollectiveArrays) -> list[float]:
    """Fields x, y, z, couplings by `_PAIRS`, and the rates of both sorts of jumps."""
    rates = [
        sum(rate * abs(alike.amplitude(c)) ** 2 for rate, c in jumps)
        for jumps in (arrays.collective_jumps, arrays.local_jumps)
    ]
    return [*arrays.field, *(arrays.quadratic[a, b] for a, b in _PAIRS), *rates]


@final
@dataclass(frozen=True, eq=False)
class _Sum:
    """sum_k strength_k A_k of constant matrices of `size` rows, by k; zero ones are left out."""

    size: int
    parts: "tuple[tuple[int, csr_array], ...]"

    def __call__(self, vectors: Floats, strengths: Floats) -> Floats:
        """The product with vectors (n, P), strengths (K, P)."""
        out = np.zeros((self.size, vectors.shape[1]))
        for k, matrix in self.parts:
            if np.any(strengths[k]):
                out += strengths[k] * (matrix @ vectors)
        return out


@final
@dataclass(frozen=True, eq=False)
class _Level:
    """Unknowns of one total number of flips: their rows, the partner of each among them.

    falling: what jumps bring from above.
    """

    total: int
    rows: Integers
    partner: Integers
    falling: _Sum


@final
@dataclass(frozen=True, eq=False)
class _Units:
    """What models add up; n unknowns, the population of all-down first.

    Attributes:
        decay, turning: (K, n) of unit strengths: L0 of an unknown by itself, and by its partner,
            the imaginary part that belongs to its real one.
        partner: (n,) itself where it has none.
        perturbed: -i [H1, .].
        levels: from the most flips to the fewest.
        total: (n,) flips of the row and of the column.
        trace, squares: (1, n) with trace y = Tr rho and squares y^2 = Tr rho^2.
        moments: (12, n): <S_minus>, <e>, <S_minus^2>, <S_plus S_minus>, <e^2>, <{e, S_minus}>/2,
            real parts, then imaginary ones.
    """

    decay: Floats
    turning: Floats
    partner: Integers
    perturbed: _Sum
    levels: tuple[_Level, ...]
    total: Integers
    trace: "csr_array"
    squares: "csr_array"
    moments: "csr_array"

    def inverse(self, strengths: Floats) -> tuple[tuple[Floats, Floats], Booleans]:
        """The inverse of -L0 without jumps (n, P), own and partner's; who does not decay (P,)."""
        d, e = (_weighted(strengths, units) for units in (self.decay, self.turning))
        square = d * d[self.partner] - e * e[self.partner]
        size = np.sqrt(np.abs(square[1:]))
        stuck = size.min(axis=0, initial=np.inf) <= SINGULAR * size.max(axis=0, initial=0.0)
        square[:, stuck] = 1.0
        square[0] = 1.0
        return (-d[self.partner] / square, e / square), stuck

    def read(self, n_spins: int, states: Floats) -> Series:
        """The moments of states (K, n, P) of orders 0 ... K - 1."""
        table = np.array([self.moments @ state for state in states]).swapaxes(0, 1)
        table = table[:6] + 1j * table[6:]
        purity = np.zeros((len(states), states.shape[-1]))
        for a, first in enumerate(states):
            for b in range(a, len(states) - a):
                part = (self.squares @ (first * states[b]))[0]
                purity[a + b] += part if a == b else 2 * part
        return Series(
            n_spins, table[0], table[1].real, table[2], table[3].real, table[4].real, table[5],
            purity,
        )  # fmt: skip


def _weighted(strengths: Floats, units: Floats) -> Floats:
    """sum_k strength_k unit_k, (n, P)."""
    out = np.zeros((units.shape[1], strengths.shape[1]))
    for strength, unit in zip(strengths, units, strict=True):
        if np.any(unit):
            out += unit[:, None] * strength
    return out


@lru_cache(maxsize=KEPT)
def _units(n_spins: int, limit: int, local: bool, perturbed: tuple[str, ...]) -> _Units:
    from scipy.sparse import csr_array

    alone = ((1.0, _LOWERING),) if local else ()
    every = CollectiveArrays(np.zeros((3, 3)), np.zeros(3), (), alone)
    space = alike.flip_space(n_spins, every, limit, perturbed)
    unknowns = Unknowns(space.sizes)
    total = space.flips[unknowns.rows] + space.flips[unknowns.columns]
    inside = np.flatnonzero((total <= limit) & (total > 0))
    ground = np.flatnonzero((unknowns.rows == 0) & (unknowns.columns == 0))
    kept = np.concatenate([ground, inside])

    def part(drift: Any, parts: Sequence[Any] = ()) -> Any:
        return master_equation(unknowns, drift=drift, jumps=parts).matrix[kept][:, kept].tocsr()

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
    moments = _moments(space)[:, kept]
    partner = _partners(unknowns)[kept]
    place = np.full(unknowns.count, -1)
    place[kept] = np.arange(len(kept))
    partner = place[partner]
    each = np.arange(len(kept))
    turning = np.array([np.asarray(matrix[each, partner]).ravel() for matrix in still])
    turning[:, partner == each] = 0.0
    return _Units(
        np.array([matrix.diagonal() for matrix in still]),
        turning,
        partner,
        _Sum(len(kept), tuple((k, matrix) for k, matrix in enumerate(moved) if matrix.nnz)),
        _levels(still, total[kept], partner),
        total[kept],
        csr_array(unknowns.trace_vector()[kept][None]),
        csr_array(squares[kept][None]),
        csr_array(np.concatenate([moments.real, moments.imag])),
    )


def _partners(unknowns: Unknowns) -> Integers:
    """The imaginary part of every real one, and the other way round; itself on the diagonal."""
    start = unknowns.starts[unknowns.block]
    row, column = unknowns.rows - start, unknowns.columns - start
    above = row < column
    found = np.arange(unknowns.count)
    found[above] = unknowns.place(
        unknowns.block[above], row[above], column[above], ~unknowns.imaginary[above]
    )
    return found


def _levels(still: Sequence[Any], total: Integers, partner: Integers) -> tuple[_Level, ...]:
    """From L0 of unit strengths: rows by their flips, what falls onto them from above."""
    out = []
    for t in range(int(total.max(initial=0)), 0, -1):
        rows = np.flatnonzero(total == t)
        above = (total > t).astype(float)
        falling = [
            (k, matrix[rows].multiply(above[None]).tocsr()) for k, matrix in enumerate(still)
        ]
        for _, matrix in falling:
            matrix.eliminate_zeros()
        inside = np.searchsorted(rows, partner[rows])
        parts = _Sum(len(rows), tuple((k, matrix) for k, matrix in falling if matrix.nnz))
        out.append(_Level(t, rows, inside, parts))
    return tuple(out)


def _hamiltonians() -> list[tuple[Floats, Floats]]:
    out = [(np.zeros((3, 3)), row) for row in np.eye(3)]
    for a, b in _PAIRS:
        quadratic = np.zeros((3, 3))
        quadratic[a, b] = quadratic[b, a] = 1.0
        out.append((quadratic, np.zeros(3)))
    return out


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
