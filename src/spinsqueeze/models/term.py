"""What every Hamiltonian and jump term shares: its name, its fields as data, its lowering."""

import abc
import dataclasses
import math
import re
from typing import Any, ClassVar

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import compact, key, numbers, same
from spinsqueeze.lattice.arrangements import Arrangement
from spinsqueeze.models.canonical import Piece
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Envelope, strength


def snake_case(name: str) -> str:
    """'PowerLawXXZ' -> 'power_law_xxz', the name of a class in study files."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def plain(value: Any) -> Any:
    """A field as plain data, as a study file holds it; many numbers are an array (`core.plain`)."""
    if isinstance(value, Envelope):
        return value.as_dict()
    if isinstance(value, np.ndarray):
        return numbers(value)
    if isinstance(value, Plain | Arrangement):
        return value.as_dict()
    if isinstance(value, tuple):
        return compact([plain(v) for v in value])
    if isinstance(value, complex):
        return [value.real, value.imag] if value.imag else value.real
    if isinstance(value, np.generic):
        return value.item()
    return value


class Plain:
    """A frozen dataclass that can be written as a table, compared by it, and rebuilt from it."""

    def as_dict(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as plain data."""
        table = {}
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = plain(getattr(self, item.name))
            if item.default is dataclasses.MISSING or not same(value, plain(item.default)):
                table[item.name] = value
        return table

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Plain)
            and type(self) is type(other)
            and same(self.as_dict(), other.as_dict())
        )

    def __hash__(self) -> int:
        return hash((type(self), key(self.as_dict())))


class Term(Plain, abc.ABC):
    """A term of a Hamiltonian or a jump term; frozen, checked when made."""

    kind: ClassVar[str]

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return snake_case(cls.__name__)

    def fit(self, ensemble: Ensemble) -> None:
        """Check the term against the spins; cheap, also where `lower` is not.

        Raises:
            InvalidInput: the term does not fit the ensemble (no lattice, another size).
        """

    @abc.abstractmethod
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """The term in canonical form on this ensemble.

        Raises:
            InvalidInput: the term does not fit the ensemble (no lattice, another size).
        """

    def _strength(self, *names: str, minimum: float | None = None) -> None:
        for name in names:
            value = strength(name, getattr(self, name), minimum=minimum)
            object.__setattr__(self, name, value)

    def _put(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


class HamiltonianTerm(Term):
    """A term of the Hamiltonian."""

    kind = "hamiltonian"


class JumpTerm(Term):
    """A jump term."""

    kind = "jump"


def envelope_factor(value: Any) -> float | Envelope:
    """The optional `envelope` of an array-valued term: 1 when absent."""
    return 1.0 if value is None else strength("envelope", value)


def exponent(value: Any) -> float:
    """A power-law exponent: a number >= 0, or inf (also the word 'inf').

    Raises:
        InvalidInput: negative, NaN or not a number.
    """
    if isinstance(value, str) and value.strip().lower() in ("inf", "+inf"):
        return math.inf
    return checks.real("exponent", value, minimum=0.0, infinite=True)


def distinct_axes(value: Any) -> tuple[str, str]:
    """Two different axes.

    Raises:
        InvalidInput: not two different letters of x, y, z.
    """
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        raise InvalidInput.of(
            "axes", f"must be two axes such as ('x', 'y'), got {checks.shown(value)}"
        )
    pair = (checks.axis_name("axes[0]", value[0]), checks.axis_name("axes[1]", value[1]))
    if pair[0] == pair[1]:
        raise InvalidInput.of("axes", f"must differ, got {pair[0]!r} twice")
    return pair
