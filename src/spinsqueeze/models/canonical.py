"""The canonical form: the one thing that every method consumes.

H(t) = sum_fields f(t) sum_i v_i.s_i
     + sum_quadratics f(t) sum_ab Q_ab S_a S_b, S = sum_i w_i s_i
     + sum_pairs f(t) sum_{i<j} K_ij s_i.T s_j,
jumps: collective rate D[sum_i c_i.s_i], local sum_i rate_i D[c.s_i], and correlated
rate sum_i D[c.s_i + sum_j K_ij c.s_j].
Bosonic modes and their couplings to the spins: see `models/modes.py`.

Arrays hold one row a kind of spins (see `models/kinds.py`), or one value for all of them; rows
that are all the same are written as that one value, so that an array with rows tells spins apart.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import AllToAllKernel, Kernel
from spinsqueeze.models import modes as bosons
from spinsqueeze.models.envelope import Envelope, Strength, times_number
from spinsqueeze.models.kinds import Rows, alike, one_each, owners
from spinsqueeze.models.modes import Mode, ModeCoupling

_AXES = "xyz"


@final
@dataclass(frozen=True, eq=False)
class Field:
    """strength * sum_i vectors_i . s_i; vectors (3,) for all spins alike, else (C, 3)."""

    strength: Strength
    vectors: Floats


@final
@dataclass(frozen=True, eq=False)
class Quadratic:
    """strength * sum_ab matrix_ab S_a S_b with S = sum_i weights_i s_i.

    matrix real symmetric (3, 3); weights (C,), None: all 1.
    """

    strength: Strength
    matrix: Floats
    weights: Floats | None = None


@final
@dataclass(frozen=True, eq=False)
class Pair:
    """strength * sum_{i<j} K_ij s_i . tensor s_j, tensor real symmetric (3, 3)."""

    strength: Strength
    tensor: Floats
    kernel: Kernel


@final
@dataclass(frozen=True, eq=False)
class CollectiveJumps:
    """rate * D[sum_i vectors_i . s_i]; vectors complex (3,) for all spins alike, else (C, 3)."""

    rate: Strength
    vectors: Complexes


@final
@dataclass(frozen=True, eq=False)
class LocalJumps:
    """rate * sum_i factors_i D[vector . s_i]; vector complex (3,); factors (C,), None: all 1."""

    rate: Strength
    vector: Complexes
    factors: Floats | None = None


@final
@dataclass(frozen=True, eq=False)
class SpreadJumps:
    """rate * sum_i D[vector . (s_i + sum_j K_ij s_j)]; vector complex (3,), K from the kernel."""

    rate: Strength
    vector: Complexes
    kernel: Kernel

    def collective(self) -> list[CollectiveJumps]:
        """The same as one collective jump a site, with vectors (N, 3)."""
        weights = np.eye(self.kernel.n_spins) + self.kernel.matrix()
        return [CollectiveJumps(self.rate, row[:, None] * self.vector) for row in weights]


Piece = Field | Quadratic | Pair | CollectiveJumps | LocalJumps | SpreadJumps
P = TypeVar("P")


@final
@dataclass(frozen=True, eq=False)
class Canonical:
    """A model in canonical form; counts (C,) the number of spins of each kind."""

    counts: Integers
    fields: tuple[Field, ...] = ()
    quadratics: tuple[Quadratic, ...] = ()
    pairs: tuple[Pair, ...] = ()
    collective_jumps: tuple[CollectiveJumps, ...] = ()
    local_jumps: tuple[LocalJumps, ...] = ()
    correlated_jumps: tuple[SpreadJumps, ...] = ()
    modes: tuple[Mode, ...] = ()
    mode_couplings: tuple[ModeCoupling, ...] = ()
    lattice: Lattice | None = None
    other_pieces: tuple[object, ...] = ()

    @cached_property
    def n_spins(self) -> int:
        """Number of spins N."""
        return int(np.sum(self.counts))

    @cached_property
    def features(self) -> frozenset[str]:
        """What the model holds: the names of the fields above that are not empty.

        Pieces of a sort that has no field of its own appear under the name of their class, so that
        a method refuses what it has never heard of; `unlike_spins`: something tells spins apart.
        """
        names = {f.name for f in dataclasses.fields(self)} - {"counts", "lattice", "other_pieces"}
        present = {name for name in names if getattr(self, name)}
        unlike = {"unlike_spins"} if self.differences else set()
        return frozenset(present | unlike | {type(p).__name__ for p in self.other_pieces})

    @cached_property
    def differences(self) -> tuple[str, ...]:
        """In what the spins differ, in words; empty where all of them are alike."""
        words = {
            "fields": any(f.vectors.ndim == 2 for f in self.fields),
            "couplings": any(not p.kernel.uniform for p in self.pairs),
            "weights": any(q.weights is not None for q in self.quadratics)
            or any(j.vectors.ndim == 2 for j in self.collective_jumps),
            "correlated jumps": bool(self.correlated_jumps),
            "local rates": any(j.factors is not None for j in self.local_jumps),
            "couplings to the cavity": any(c.vectors.ndim == 2 for c in self.mode_couplings),
        }
        return tuple(name for name, holds in words.items() if holds)

    def split(self, counts: Integers) -> Self:
        """The same model with finer kinds: each of today's is a run of the new ones."""
        if np.array_equal(counts, self.counts):
            return self
        chosen = owners(counts, self.counts)
        pieces: dict[str, Any] = {
            name: tuple(
                with_rows(piece, lambda rows: rows[chosen]) for piece in getattr(self, name)
            )
            for name in _WITH_ROWS
        }
        return dataclasses.replace(self, counts=counts, **pieces)

    def per_spin(self) -> Self:
        """The same model with every spin a kind of its own: arrays have N rows."""
        return self.split(one_each(self.n_spins))

    def with_collective_jumps(self) -> Self:
        """The same model with every correlated jump as N collective ones of their own weights."""
        if not self.correlated_jumps:
            return self
        each = [jump for piece in self.correlated_jumps for jump in piece.collective()]
        return dataclasses.replace(
            self, collective_jumps=(*self.collective_jumps, *each), correlated_jumps=()
        )

    @property
    def dissipative(self) -> bool:
        """Whether any jump acts, the reservoirs of the modes included."""
        lossy = any(mode.reservoirs for mode in self.modes)
        return bool(self.collective_jumps or self.local_jumps or self.correlated_jumps) or lossy

    @cached_property
    def time_dependent(self) -> bool:
        """Whether any strength or rate is an envelope."""
        return bool(self.envelopes)

    @cached_property
    def envelopes(self) -> tuple[Envelope, ...]:
        """Every envelope in the model."""
        strengths: list[object] = [p.strength for p in self.fields]
        strengths += [p.strength for p in self.quadratics]
        strengths += [p.strength for p in self.pairs]
        strengths += [j.rate for j in self.collective_jumps]
        strengths += [j.rate for j in self.local_jumps]
        strengths += [j.rate for j in self.correlated_jumps]
        of_spins = [s for s in strengths if isinstance(s, Envelope)]
        return (*of_spins, *bosons.envelopes(self.modes, self.mode_couplings))

    @property
    def permutation_invariant(self) -> bool:
        """Whether exchanging any two spins leaves the model unchanged."""
        return not self.differences

    @property
    def conserves_total_spin(self) -> bool:
        """Whether S^2 commutes with the Hamiltonian and every jump."""
        return self.permutation_invariant and not self.local_jumps

    @property
    def translation_invariant(self) -> bool:
        """Whether lattice translations leave the model unchanged."""
        kernels = [p.kernel for p in self.pairs] + [j.kernel for j in self.correlated_jumps]
        alike = all(kernel.translation_invariant for kernel in kernels)
        return alike and set(self.differences) <= {"couplings", "correlated jumps"}

    @cached_property
    def u1_axis(self) -> str | None:
        """The axis about which every rotation is a symmetry ('z' before 'x', 'y'), or None.

        Modes may take a phase with it: S_z + a^dagger a instead of S_z.
        """
        return next((_AXES[a] for a in (2, 0, 1) if self._rotation_symmetric(a)), None)

    @cached_property
    def parity(self) -> tuple[str, ...]:
        """The axes about which a rotation by pi is a symmetry, with a sign of each mode."""
        return tuple(_AXES[a] for a in range(3) if self._parity_symmetric(a))

    def _vectors(self) -> list[Floats]:
        return [f.vectors for f in self.fields]

    def _tensors(self) -> list[Floats]:
        return [q.matrix for q in self.quadratics] + [p.tensor for p in self.pairs]

    def _jump_vectors(self) -> list[Complexes]:
        """The vectors of every jump, one row a kind (C, 3), or one row."""
        collective = [np.atleast_2d(j.vectors) for j in self.collective_jumps]
        local = [np.atleast_2d(j.vector) for j in self.local_jumps]
        return collective + local + [np.atleast_2d(j.vector) for j in self.correlated_jumps]

    def _parity_symmetric(self, axis: int) -> bool:
        b, c = (axis + 1) % 3, (axis + 2) % 3
        return (
            bosons.allow_half_turn(self.modes, self.mode_couplings, axis)
            and all(not np.any(v[..., [b, c]]) for v in self._vectors())
            and all(not np.any(t[axis, [b, c]]) for t in self._tensors())
            and all(
                not np.any(v[:, [b, c]]) or not np.any(v[:, axis]) for v in self._jump_vectors()
            )
        )

    def _rotation_symmetric(self, axis: int) -> bool:
        b, c = (axis + 1) % 3, (axis + 2) % 3
        return self._parity_symmetric(axis) and (
            bosons.allow_rotation(self.modes, self.mode_couplings, axis)
            and all(t[b, b] == t[c, c] and t[b, c] == 0 for t in self._tensors())
            and all(bosons.common_charge(v, axis) is not None for v in self._jump_vectors())
        )


_WITH_ROWS = ("fields", "quadratics", "collective_jumps", "local_jumps", "mode_couplings")
"""The fields of a canonical form whose pieces may hold rows."""


def rows_of(piece: object) -> Rows | None:
    """The rows of a piece, one a kind; None where it has one value for all spins."""
    name, dimensions = _ROWS.get(type(piece), ("", 0))
    value = getattr(piece, name, None)
    return value if value is not None and value.ndim == dimensions else None


def with_rows(piece: P, change: Callable[[Rows], Rows]) -> P:
    """The piece with its rows changed; without rows, as it is."""
    rows = rows_of(piece)
    return piece if rows is None else _replaced(piece, **{_ROWS[type(piece)][0]: change(rows)})


def simplified(piece: P) -> P:
    """The piece without rows, where all of them are the same; equal pairs are all to all."""
    if isinstance(piece, Pair):
        strength = None if piece.kernel.uniform else piece.kernel.common_strength
        if strength is None:
            return piece
        everywhere = AllToAllKernel(piece.kernel.n_spins)
        return _replaced(piece, tensor=strength * piece.tensor, kernel=everywhere)
    rows = rows_of(piece)
    if rows is None or not alike(rows):
        return piece
    row = rows[0]
    if isinstance(piece, Quadratic):
        return _replaced(piece, matrix=row**2 * piece.matrix, weights=None)
    if isinstance(piece, LocalJumps):
        return _replaced(piece, rate=times_number(piece.rate, float(row)), factors=None)
    return _replaced(piece, **{_ROWS[type(piece)][0]: np.array(row)})


def _replaced(piece: P, **changes: Any) -> P:
    return dataclasses.replace(piece, **changes)  # type: ignore[type-var]


_ROWS: dict[type, tuple[str, int]] = {
    Field: ("vectors", 2),
    Quadratic: ("weights", 1),
    CollectiveJumps: ("vectors", 2),
    LocalJumps: ("factors", 1),
    ModeCoupling: ("vectors", 2),
}
"""Where a piece keeps its rows, and how many dimensions that array then has."""
