"""Pieces of several terms put together: on one set of kinds, constants that are alike summed."""

from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.canonical import (
    Field,
    Pair,
    Quadratic,
    SpreadJumps,
    rows_of,
    simplified,
    with_rows,
)
from spinsqueeze.models.envelope import Envelope, is_zero
from spinsqueeze.models.kinds import one_each


def on_one_set_of_kinds(counts: Integers, pieces: list[Any]) -> tuple[Integers, list[Any]]:
    """The kinds that all pieces share, and the pieces on them.

    Args:
        counts: (n_classes,) spins of each class.
        pieces: with one row a class, one a spin, or none.

    Returns:
        counts (C,) of the kinds: the classes; single spins where a piece tells them apart.
    """
    pieces = [simplified(piece) for piece in pieces]
    rows = [rows_of(piece) for piece in pieces]
    by_spin = any(isinstance(p, Pair) and not p.kernel.uniform for p in pieces)
    by_spin |= any(isinstance(p, SpreadJumps) for p in pieces)
    by_spin |= any(r is not None and len(r) != len(counts) for r in rows)
    if not by_spin:
        return counts, pieces
    n_spins = int(np.sum(counts))

    def spread(rows: Any) -> Any:
        return rows if len(rows) == n_spins else np.repeat(rows, counts, axis=0)

    return one_each(n_spins), [with_rows(piece, spread) for piece in pieces]


def merged_fields(fields: list[Field]) -> tuple[Field, ...]:
    """The constant fields as one, those in time as they are; what vanishes is left out."""
    changing = [f for f in fields if isinstance(f.strength, Envelope) and not is_zero(f.strength)]
    vectors = _sum([f.strength * f.vectors for f in fields if not isinstance(f.strength, Envelope)])
    constant = simplified(Field(1.0, vectors))
    return (*([constant] if np.any(vectors) else []), *changing)


def merged_quadratics(quadratics: list[Quadratic]) -> tuple[Quadratic, ...]:
    """The constant quadratics of the same weights as one; what vanishes is left out."""
    groups: list[tuple[Floats | None, list[Floats]]] = []
    changing = []
    for piece in quadratics:
        if isinstance(piece.strength, Envelope):
            changing += [] if is_zero(piece.strength) else [piece]
            continue
        group = next((g for w, g in groups if _same_weights(w, piece.weights)), None)
        if group is None:
            groups.append((piece.weights, group := []))
        group.append(piece.strength * piece.matrix)
    sums = [Quadratic(1.0, _sum(matrices), weights) for weights, matrices in groups]
    return (*(q for q in sums if np.any(q.matrix)), *changing)


def merged_pairs(pairs: list[Pair]) -> tuple[Pair, ...]:
    """The constant pairs of the same kernel as one; what vanishes is left out."""
    merged: list[Pair] = []
    for piece in pairs:
        if is_zero(piece.strength):
            continue
        if not isinstance(piece.strength, Envelope):
            piece = Pair(1.0, piece.strength * piece.tensor, piece.kernel)
            twin = next(
                (
                    k
                    for k, known in enumerate(merged)
                    if known.strength == 1.0 and known.kernel.same_as(piece.kernel)
                ),
                None,
            )
            if twin is not None:
                total = _sum([merged[twin].tensor, piece.tensor])
                merged[twin] = Pair(1.0, total, piece.kernel)
                continue
        merged.append(piece)
    return tuple(p for p in merged if np.any(p.tensor))


def _same_weights(one: Floats | None, two: Floats | None) -> bool:
    if one is None or two is None:
        return one is two
    return np.array_equal(one, two)


def _sum(parts: list[Floats]) -> Floats:
    """The sum; what rounding leaves of parts that cancel is zero, lest it break a symmetry.

    Raises:
        InvalidInput: the sum is beyond the largest number.
    """
    if len(parts) == 1 and np.all(np.isfinite(parts[0])):
        return np.asarray(0.0 + parts[0])
    total, sizes = np.zeros(1), np.zeros(1)
    with np.errstate(over="ignore"):
        for part in parts:
            total, sizes = total + part, sizes + np.abs(part)
    if not np.all(np.isfinite(sizes)):
        raise InvalidInput(
            "the strengths of alike terms must have a finite sum, got infinity; choose a unit in "
            "which they are smaller"
        )
    rounding = len(parts) * np.finfo(np.float64).eps * sizes
    return np.where(np.abs(total) <= rounding, 0.0, total)
