"""The canonical form: the one thing that every method consumes.

H(t) = sum_fields f(t) sum_i v_i.s_i + sum_quadratics f(t) sum_ab Q_ab S_a S_b
     + sum_pairs f(t) sum_{i<j} K_ij s_i.T s_j,
jumps: collective rate D[c.S], local rate_i D[c.s_i]; S = sum_i w_i s_i with the class weights w.
Bosonic modes and their couplings to the spins: see `models/modes.py`.
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.lattice.kernels import AllToAllKernel, Kernel
from spinsqueeze.models import modes as bosons
from spinsqueeze.models.ensemble import SpinClass
from spinsqueeze.models.envelope import Envelope, Strength
from spinsqueeze.models.modes import Mode, ModeCoupling

_AXES = "xyz"


@final
@dataclass(frozen=True, eq=False)
class Field:
    """strength * sum_i vectors_i . s_i; vectors (3,) for all spins alike, else (n_spins, 3)."""

    strength: Strength
    vectors: Floats


@final
@dataclass(frozen=True, eq=False)
class Quadratic:
    """strength * sum_ab matrix_ab S_a S_b, matrix real symmetric (3, 3)."""

    strength: Strength
    matrix: Floats


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
    """rate * D[vector . S], vector complex (3,)."""

    rate: Strength
    vector: Complexes


@final
@dataclass(frozen=True, eq=False)
class LocalJumps:
    """sum_i rate_i D[vector . s_i]; rate one number or envelope, or an array (n_spins,)."""

    rate: Strength | Floats
    vector: Complexes


Piece = Field | Quadratic | Pair | CollectiveJumps | LocalJumps


@final
@dataclass(frozen=True, eq=False)
class Canonical:
    """A model in canonical form; weights None means all 1."""

    n_spins: int
    fields: tuple[Field, ...] = ()
    quadratics: tuple[Quadratic, ...] = ()
    pairs: tuple[Pair, ...] = ()
    collective_jumps: tuple[CollectiveJumps, ...] = ()
    local_jumps: tuple[LocalJumps, ...] = ()
    modes: tuple[Mode, ...] = ()
    mode_couplings: tuple[ModeCoupling, ...] = ()
    weights: Floats | None = None
    classes: tuple[SpinClass, ...] | None = None
    other_pieces: tuple[object, ...] = ()

    @cached_property
    def features(self) -> frozenset[str]:
        """What the model holds: the names of the fields above that are not empty.

        Pieces of a kind that has no field of its own appear under the name of their class, so that
        a method refuses what it has never heard of. Classes are no feature: what tells their spins
        apart is in the fields and weights.
        """
        names = {f.name for f in dataclasses.fields(self)} - {"n_spins", "classes", "other_pieces"}
        present = {name for name in names if not _empty(getattr(self, name))}
        return frozenset(present | {type(p).__name__ for p in self.other_pieces})

    @property
    def dissipative(self) -> bool:
        """Whether any jump acts, the reservoirs of the modes included."""
        lossy = any(mode.reservoirs for mode in self.modes)
        return bool(self.collective_jumps or self.local_jumps) or lossy

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
        of_spins = [s for s in strengths if isinstance(s, Envelope)]
        return (*of_spins, *bosons.envelopes(self.modes, self.mode_couplings))

    @cached_property
    def permutation_invariant(self) -> bool:
        """Whether exchanging any two spins leaves the model unchanged."""
        return (
            self.weights is None
            and bosons.alike(self.mode_couplings)
            and all(f.vectors.ndim == 1 for f in self.fields)
            and all(isinstance(p.kernel, AllToAllKernel) for p in self.pairs)
            and all(not isinstance(j.rate, np.ndarray) for j in self.local_jumps)
        )

    @cached_property
    def conserves_total_spin(self) -> bool:
        """Whether S^2 commutes with the Hamiltonian and every jump."""
        return self.permutation_invariant and not self.local_jumps

    @cached_property
    def translation_invariant(self) -> bool:
        """Whether lattice translations leave the model unchanged."""
        return (
            self.weights is None
            and bosons.alike(self.mode_couplings)
            and all(f.vectors.ndim == 1 for f in self.fields)
            and all(p.kernel.translation_invariant for p in self.pairs)
            and all(not isinstance(j.rate, np.ndarray) for j in self.local_jumps)
        )

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
        return [j.vector for j in self.collective_jumps] + [j.vector for j in self.local_jumps]

    def _parity_symmetric(self, axis: int) -> bool:
        b, c = (axis + 1) % 3, (axis + 2) % 3
        return (
            bosons.allow_half_turn(self.modes, self.mode_couplings, axis)
            and all(not np.any(v[..., [b, c]]) for v in self._vectors())
            and all(not np.any(t[axis, [b, c]]) for t in self._tensors())
            and all(not np.any(v[[b, c]]) or v[axis] == 0 for v in self._jump_vectors())
        )

    def _rotation_symmetric(self, axis: int) -> bool:
        b, c = (axis + 1) % 3, (axis + 2) % 3
        return self._parity_symmetric(axis) and (
            bosons.allow_rotation(self.modes, self.mode_couplings, axis)
            and all(t[b, b] == t[c, c] and t[b, c] == 0 for t in self._tensors())
            and all(bosons.charge(v, axis) is not None for v in self._jump_vectors())
        )


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, tuple) and not value)
