"""SpinModel: spins, Hamiltonian terms, jump terms and perhaps a cavity."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.canonical import (
    Canonical,
    CollectiveJumps,
    Field,
    LocalJumps,
    Pair,
    Quadratic,
    SpreadJumps,
)
from spinsqueeze.models.cavity import Cavity
from spinsqueeze.models.ensemble import Ensemble, ensemble
from spinsqueeze.models.envelope import is_zero
from spinsqueeze.models.merging import (
    merged_fields,
    merged_pairs,
    merged_quadratics,
    on_one_set_of_kinds,
)
from spinsqueeze.models.modes import ModeCoupling
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm, Term

if TYPE_CHECKING:
    from spinsqueeze.models.lab_cavity import LabCavity
    from spinsqueeze.models.lab_spins import LabSpins


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SpinModel:
    """N spins-1/2 with a Hamiltonian (hbar = 1) and jumps; frozen.

    Args:
        spins: the number of spins, a `Lattice`, or a list of `SpinClass`.
        hamiltonian: Hamiltonian terms, summed.
        jumps: jump terms, summed.
        cavity: a `Cavity`, or None.
        unit: name of the unit of every rate and strength; times are in its inverse. Numbers are
            angular (hbar = 1): 1 of "MHz" is 1e6 rad/s; for frequencies name it "2 pi MHz".

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
            raise InvalidInput.of(
                "cavity", f"must be a Cavity or None, got {checks.shown(self.cavity)}"
            )
        if not isinstance(self.unit, str) or not self.unit.strip():
            raise InvalidInput.of(
                "unit", f"must be a word such as 'J' or '1/us', got {self.unit!r}"
            )
        put(self, "ensemble", ensemble(self.spins))
        if self.ensemble.lattice is None and self.ensemble.classes is None:
            put(self, "spins", self.ensemble.n_spins)
        for part, terms in (("hamiltonian", self.hamiltonian), ("jumps", self.jumps)):
            for k, term in enumerate(terms):
                _fit(term, self.ensemble, f"{part}.{k}")
        if self.cavity is not None:
            _fit(self.cavity, self.ensemble, "cavity")

    ensemble: Ensemble = field(init=False)
    lab: "LabCavity | LabSpins | None" = field(init=False, default=None, repr=False)
    """What `cavity_from_lab` or `spins_from_lab` made the model from; None for others and for any
    changed copy."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpinModel) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    @property
    def _parts(self) -> tuple[Any, ...]:
        """What makes two models equal; where their numbers came from does not."""
        return self.ensemble, self.hamiltonian, self.jumps, self.cavity, self.unit

    def __repr__(self) -> str:
        """One line: the number of spins, the terms and the unit; arrays and long lists cut."""
        parts = [f"{self.n_spins} spins"]
        if self.ensemble.lattice is not None:
            parts = [checks.shown(self.ensemble.lattice)]
        for name in ("hamiltonian", "jumps"):
            terms = getattr(self, name)
            if terms:
                parts.append(f"{name}=[{', '.join(checks.shown(term) for term in terms)}]")
        if self.cavity is not None:
            parts.append(f"cavity={checks.shown(self.cavity)}")
        return f"SpinModel({', '.join(parts)}, unit={self.unit!r})"

    @property
    def n_spins(self) -> int:
        """Number of spins N."""
        return self.ensemble.n_spins

    @cached_property
    def canonical(self) -> Canonical:
        """The canonical form that every method consumes; constant pieces alike are merged.

        Its kinds are the spin classes, or single spins where a term tells them apart; all spins
        are of one kind where nothing does.
        """
        spins = self.ensemble
        pieces: list[Any] = []
        for term in (*self.hamiltonian, *self.jumps):
            pieces += term.lower(spins)
        if spins.detunings is not None:
            pieces.append(Field(1.0, spins.detunings[:, None] * np.array([0.0, 0.0, 1.0])))
        modes, mode_couplings = ((), ()) if self.cavity is None else self.cavity.lower(spins)
        counts, pieces = on_one_set_of_kinds(spins.counts, [*pieces, *mode_couplings])
        jumps = (CollectiveJumps, LocalJumps, SpreadJumps)
        known = (Field, Quadratic, Pair, *jumps, ModeCoupling)
        form = Canonical(
            counts=counts,
            fields=merged_fields([p for p in pieces if isinstance(p, Field)]),
            quadratics=merged_quadratics([p for p in pieces if isinstance(p, Quadratic)]),
            pairs=merged_pairs([p for p in pieces if isinstance(p, Pair)]),
            collective_jumps=tuple(
                p
                for p in pieces
                if isinstance(p, CollectiveJumps) and not is_zero(p.rate) and np.any(p.vectors)
            ),
            local_jumps=tuple(
                p for p in pieces if isinstance(p, LocalJumps) and not is_zero(p.rate)
            ),
            correlated_jumps=tuple(
                p for p in pieces if isinstance(p, SpreadJumps) and not is_zero(p.rate)
            ),
            modes=modes,
            mode_couplings=tuple(p for p in pieces if isinstance(p, ModeCoupling)),
            lattice=spins.lattice,
            other_pieces=tuple(p for p in pieces if not isinstance(p, known)),
        )
        return form if form.differences else replace(form, counts=np.array([spins.n_spins]))

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


def _fit(part: Term | Cavity, spins: Ensemble, path: str) -> None:
    try:
        part.fit(spins)
    except InvalidInput as error:
        raise error.at(path) from None


def _terms(name: str, value: Any, kind: Any) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, Term) else value
    if isinstance(items, str | Mapping) or not hasattr(items, "__iter__"):
        raise InvalidInput.of(
            name, f"must be a list of terms{_such(kind)}, got {checks.shown(value)}"
        )
    terms = tuple(items)
    for term in terms:
        if not isinstance(term, kind):
            other = " (a jump term: put it in jumps)" if isinstance(term, JumpTerm) else ""
            if isinstance(term, HamiltonianTerm):
                other = " (a Hamiltonian term: put it in hamiltonian)"
            shown = type(term).__name__ if isinstance(term, Term) else checks.shown(term)
            such = "" if other else _such(kind)
            raise InvalidInput.of(
                name, f"must hold {kind.kind} terms only{such}, got {shown}{other}"
            )
    return terms


def _such(kind: Any) -> str:
    return f" such as {'LocalDecay(0.1)' if kind is JumpTerm else 'OneAxisTwisting(1.0)'}"


def checked_model(value: Any) -> SpinModel:
    """A model.

    Raises:
        InvalidInput: something else, with its remedy.
    """
    if isinstance(value, SpinModel):
        return value
    remedy = ""
    if isinstance(value, str | os.PathLike):
        name = os.fspath(value)
        remedy = f"; read the file: read_study({name!r}).model, or run_study(read_study({name!r}))"
    elif hasattr(value, "eliminated"):
        remedy = "; give its .model or its .eliminated.model"
    elif isinstance(getattr(value, "model", None), SpinModel):
        remedy = "; give its .model"
    elif isinstance(value, int | Lattice):
        remedy = "; give SpinModel(...) with the terms that act on them"
    raise InvalidInput.of("model", f"must be a SpinModel, got {checks.shown(value)}{remedy}")
