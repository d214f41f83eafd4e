"""SpinModel: spins, Hamiltonian terms, jump terms and perhaps a cavity."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.canonical import (
    Canonical,
    CollectiveJumps,
    Field,
    LocalJumps,
    Pair,
    Piece,
    Quadratic,
)
from spinsqueeze.models.cavity import Cavity
from spinsqueeze.models.ensemble import Ensemble, ensemble
from spinsqueeze.models.envelope import Envelope, is_zero
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm, Term


@final
@dataclass(frozen=True, eq=False)
class SpinModel:
    """N spins-1/2 with a Hamiltonian (hbar = 1) and jumps; frozen.

    Args:
        spins: the number of spins, a `Lattice`, or a list of `SpinClass`.
        hamiltonian: Hamiltonian terms, summed.
        jumps: jump terms, summed.
        cavity: a `Cavity`, or None.
        unit: name of the unit of every rate and strength; times are in its inverse.

    Raises:
        InvalidInput: an argument breaks its rule, or a term does not fit the spins.
    """

    spins: Any
    hamiltonian: Sequence[HamiltonianTerm] = field(default=(), kw_only=True)
    jumps: Sequence[JumpTerm] = field(default=(), kw_only=True)
    cavity: Cavity | None = field(default=None, kw_only=True)
    unit: str = field(default="J", kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "hamiltonian", _terms("hamiltonian", self.hamiltonian, HamiltonianTerm))
        put(self, "jumps", _terms("jumps", self.jumps, JumpTerm))
        if self.cavity is not None and not isinstance(self.cavity, Cavity):
            raise InvalidInput(f"cavity must be a Cavity or None, got {checks.shown(self.cavity)}")
        if not isinstance(self.unit, str) or not self.unit.strip():
            raise InvalidInput(f"unit must be a word such as 'J' or 'Hz', got {self.unit!r}")
        put(self, "ensemble", ensemble(self.spins))
        _ = self.canonical  # lower now, so that a term that does not fit is reported here

    ensemble: Ensemble = field(init=False)

    @property
    def n_spins(self) -> int:
        """Number of spins N."""
        return self.ensemble.n_spins

    @cached_property
    def canonical(self) -> Canonical:
        """The canonical form that every method consumes; constant pieces alike are merged."""
        spins = self.ensemble
        pieces: list[Piece] = []
        for term in (*self.hamiltonian, *self.jumps):
            pieces += term.lower(spins)
        if spins.detunings is not None:
            pieces.append(Field(1.0, spins.detunings[:, None] * np.array([0.0, 0.0, 1.0])))
        modes, mode_couplings = ((), ()) if self.cavity is None else self.cavity.lower(spins)
        known = (Field, Quadratic, Pair, CollectiveJumps, LocalJumps)
        return Canonical(
            n_spins=spins.n_spins,
            fields=_merged_fields([p for p in pieces if isinstance(p, Field)]),
            quadratics=_merged_quadratics([p for p in pieces if isinstance(p, Quadratic)]),
            pairs=_merged_pairs([p for p in pieces if isinstance(p, Pair)]),
            collective_jumps=tuple(
                p for p in pieces if isinstance(p, CollectiveJumps) and not is_zero(p.rate)
            ),
            local_jumps=tuple(
                p for p in pieces if isinstance(p, LocalJumps) and not _no_rate(p.rate)
            ),
            modes=modes,
            mode_couplings=mode_couplings,
            weights=spins.weights,
            classes=spins.classes,
            other_pieces=tuple(p for p in pieces if not isinstance(p, known)),
        )

    @property
    def dissipative(self) -> bool:
        """Whether any jump acts, the cavity's decay included."""
        return self.canonical.dissipative

    @property
    def permutation_invariant(self) -> bool:
        """Whether exchanging any two spins leaves the model unchanged."""
        return self.canonical.permutation_invariant

    @property
    def conserves_total_spin(self) -> bool:
        """Whether S^2 is conserved."""
        return self.canonical.conserves_total_spin

    @property
    def translation_invariant(self) -> bool:
        """Whether lattice translations leave the model unchanged."""
        return self.canonical.translation_invariant

    @property
    def u1_axis(self) -> str | None:
        """The axis about which every rotation is a symmetry, or None."""
        return self.canonical.u1_axis

    @property
    def parity(self) -> tuple[str, ...]:
        """The axes about which a rotation by pi is a symmetry."""
        return self.canonical.parity


def _terms(name: str, value: Any, kind: Any) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, Term) else value
    if isinstance(items, str) or not hasattr(items, "__iter__"):
        raise InvalidInput(f"{name} must be a list of terms, got {checks.shown(value)}")
    terms = tuple(items)
    for term in terms:
        if not isinstance(term, kind):
            other = " (a jump term: put it in jumps)" if isinstance(term, JumpTerm) else ""
            if isinstance(term, HamiltonianTerm):
                other = " (a Hamiltonian term: put it in hamiltonian)"
            shown = type(term).__name__ if isinstance(term, Term) else checks.shown(term)
            raise InvalidInput(f"{name} must hold {kind.kind} terms only, got {shown}{other}")
    return terms


def _no_rate(rate: Any) -> bool:
    return not np.any(rate) if isinstance(rate, np.ndarray) else is_zero(rate)


def _merged_fields(fields: list[Field]) -> tuple[Field, ...]:
    changing = [f for f in fields if isinstance(f.strength, Envelope) and not is_zero(f.strength)]
    constant = _sum(
        [f.strength * f.vectors for f in fields if not isinstance(f.strength, Envelope)]
    )
    if constant.ndim == 2 and np.all(constant == constant[0]):
        constant = constant[0]
    return (*([Field(1.0, constant)] if np.any(constant) else []), *changing)


def _merged_quadratics(quadratics: list[Quadratic]) -> tuple[Quadratic, ...]:
    changing = [
        q for q in quadratics if isinstance(q.strength, Envelope) and not is_zero(q.strength)
    ]
    constant = _sum(
        [q.strength * q.matrix for q in quadratics if not isinstance(q.strength, Envelope)]
    )
    return (*([Quadratic(1.0, constant)] if np.any(constant) else []), *changing)


def _sum(parts: list[Floats]) -> Floats:
    """The sum; what rounding leaves of parts that cancel is zero, lest it break a symmetry."""
    total, sizes = np.zeros(1), np.zeros(1)
    for part in parts:
        total, sizes = total + part, sizes + np.abs(part)
    rounding = len(parts) * np.finfo(np.float64).eps * sizes
    return np.where(np.abs(total) <= rounding, 0.0, total)


def _merged_pairs(pairs: list[Pair]) -> tuple[Pair, ...]:
    merged: list[Pair] = []
    for piece in pairs:
        if is_zero(piece.strength):
            continue
        if not isinstance(piece.strength, Envelope):
            piece = Pair(1.0, piece.strength * piece.tensor, piece.kernel)
            twin = next(
                (k for k, p in enumerate(merged) if p.kernel == piece.kernel and p.strength == 1.0),
                None,
            )
            if twin is not None:
                total = _sum([merged[twin].tensor, piece.tensor])
                merged[twin] = Pair(1.0, total, piece.kernel)
                continue
        merged.append(piece)
    return tuple(p for p in merged if np.any(p.tensor))
