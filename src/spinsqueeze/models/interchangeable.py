"""Models whose spins are interchangeable, as collective arrays: for methods on total-spin blocks.

H = S.Q.S + b.S up to a constant, collective jumps (rate, c), local jumps (rate, c).
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope, Strength

Jumps = tuple[tuple[float, Complexes], ...]


@final
@dataclass(frozen=True, eq=False)
class CollectiveArrays:
    """Q (3, 3), b (3,), and jumps as (rate, c in C^3)."""

    quadratic: Floats
    field: Floats
    collective_jumps: Jumps
    local_jumps: Jumps


def turning(quadratic: Floats, field: Floats, *, n_spins: int) -> float:
    """A bound of the frequencies of H = S.Q.S + b.S: the spread of its energies."""
    spread = float(np.ptp(np.linalg.eigvalsh(quadratic))) * (n_spins / 2) ** 2
    return spread + n_spins * float(np.linalg.norm(field))


def at_peak(model: Canonical) -> CollectiveArrays:
    """The arrays with every envelope at the value of largest size."""
    return _sum([(_peak(strength), piece) for strength, piece in _pieces(model)])


def in_time(model: Canonical) -> tuple[list[CollectiveArrays], DriveWeights]:
    """The constant arrays and those of each piece with an envelope, and their weights in time."""
    constant: list[tuple[float, CollectiveArrays]] = []
    changing: list[CollectiveArrays] = []
    strengths: list[Strength] = [1.0]
    for strength, piece in _pieces(model):
        if isinstance(strength, Envelope):
            changing.append(_sum([(1.0, piece)]))
            strengths.append(strength)
        else:
            constant.append((strength, piece))
    return [_sum(constant), *changing], DriveWeights(tuple(strengths))


def _peak(strength: Strength) -> float:
    if isinstance(strength, Envelope):
        return float(strength.values[np.argmax(np.abs(strength.values))])
    return strength


def _pieces(model: Canonical) -> list[tuple[Strength, CollectiveArrays]]:
    assert model.permutation_invariant
    none, flat = np.zeros(3), np.zeros((3, 3))
    pieces: list[tuple[Strength, CollectiveArrays]] = []
    for f in model.fields:
        pieces.append((f.strength, CollectiveArrays(flat, f.vectors, (), ())))
    for q in model.quadratics:
        pieces.append((q.strength, CollectiveArrays(q.matrix, none, (), ())))
    for p in model.pairs:
        # sum_{i<j} s_i.T s_j = S.T S / 2 up to a constant.
        pieces.append((p.strength, CollectiveArrays(p.tensor / 2, none, (), ())))
    for c in model.collective_jumps:
        pieces.append((c.rate, CollectiveArrays(flat, none, ((1.0, c.vectors),), ())))
    for j in model.local_jumps:
        pieces.append((j.rate, CollectiveArrays(flat, none, (), ((1.0, j.vector),))))
    return pieces


def _sum(parts: list[tuple[float, CollectiveArrays]]) -> CollectiveArrays:
    quadratic, field = np.zeros((3, 3)), np.zeros(3)
    collective: list[tuple[float, Complexes]] = []
    local: list[tuple[float, Complexes]] = []
    for factor, piece in parts:
        quadratic = quadratic + factor * piece.quadratic
        field = field + factor * piece.field
        collective += [(factor * rate, c) for rate, c in piece.collective_jumps]
        local += [(factor * rate, c) for rate, c in piece.local_jumps]
    return CollectiveArrays(quadratic, field, tuple(collective), tuple(local))
