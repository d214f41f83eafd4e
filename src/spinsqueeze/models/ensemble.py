"""The spins of a model: a plain number, classes of alike spins, or a lattice."""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.kinds import Rows

MAX_SPINS = 10**12
"""Beyond, rounded moments no longer resolve the squeezing."""


@final
@clear_init
@dataclass(frozen=True)
class SpinClass:
    """`count` spins alike: weight w in every collective operator S = sum_i w_i s_i, and detuning.

    The detuning adds detuning * s^z for each spin of the class. Observables (spin, covariance,
    xi2) are of the unweighted S = sum_i s_i.

    Raises:
        InvalidInput: count below 1, weight or detuning not finite.
    """

    count: int
    weight: float = field(default=1.0, kw_only=True)
    detuning: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        count = checks.integer("count", self.count, minimum=1, maximum=MAX_SPINS)
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "weight", checks.real("weight", self.weight))
        object.__setattr__(self, "detuning", checks.real("detuning", self.detuning))


@final
@dataclass(frozen=True)
class Ensemble:
    """Number of spins, with their lattice or their classes."""

    n_spins: int
    lattice: Lattice | None = None
    classes: tuple[SpinClass, ...] | None = None

    @property
    def counts(self) -> Integers:
        """(n_classes,) spins of each class; without classes (1,)."""
        if self.classes is None:
            return np.array([self.n_spins])
        return np.array([c.count for c in self.classes])

    @property
    def weights(self) -> Floats | None:
        """Collective weights (n_classes,), or None when all are 1."""
        if self.classes is None or all(c.weight == 1.0 for c in self.classes):
            return None
        return np.array([c.weight for c in self.classes])

    @property
    def detunings(self) -> Floats | None:
        """Detunings (n_classes,), or None when all vanish."""
        if self.classes is None or all(c.detuning == 0.0 for c in self.classes):
            return None
        return np.array([c.detuning for c in self.classes])

    def check_rows(self, what: str, n_rows: int) -> None:
        """Refuse an array that has neither one row a spin nor one a class.

        Args:
            what: e.g. "SiteField needs one vector".
            n_rows: rows of the array.

        Raises:
            InvalidInput: another number of rows.
        """
        n_classes = len(self.classes or ())
        if n_rows == self.n_spins or (n_classes and n_rows == n_classes):
            return
        or_class, in_classes = (" or class", f" in {n_classes} classes") if n_classes else ("", "")
        raise InvalidInput(
            f"{what} a spin{or_class}: got {n_rows} for {self.n_spins} spins{in_classes}"
        )

    def weighted(self, vectors: Rows) -> Rows:
        """Vectors (3,) or (rows, 3) of collective operators, with the class weights in them."""
        if self.weights is None:
            return np.array(vectors)
        weights = self.weights
        if len(vectors) == self.n_spins and vectors.ndim == 2:
            weights = np.repeat(weights, self.counts)
        return np.asarray(weights[:, None] * vectors)

    def class_mask(self, index: int) -> Booleans:
        """Mask (n_classes,) of class `index`.

        Raises:
            InvalidInput: the ensemble has no such class.
        """
        if self.classes is None:
            raise InvalidInput.of("spin_class", f"needs a model made of spin classes, got {index}")
        n_classes = len(self.classes)
        if not 0 <= index < n_classes:
            raise InvalidInput.of(
                "spin_class", f"must name one of the {n_classes} spin classes (from 0), got {index}"
            )
        return np.asarray(np.arange(n_classes) == index)


def ensemble(spins: "int | Lattice | Sequence[SpinClass]") -> Ensemble:
    """Read the first argument of a model.

    Raises:
        InvalidInput: not a number of spins, a lattice or a list of spin classes.
    """
    if isinstance(spins, Lattice):
        return Ensemble(spins.n_spins, lattice=spins)
    if isinstance(spins, Sequence) and not isinstance(spins, str):
        classes = tuple(spins)
        if not classes or not all(isinstance(c, SpinClass) for c in classes):
            raise InvalidInput.of(
                "spins",
                f"must be a number, a Lattice or SpinClass objects, got {checks.shown(spins)}"
                + _as_lattice(classes),
            )
        total = sum(c.count for c in classes)
        checks.integer("spins", total, minimum=1, maximum=MAX_SPINS)
        return Ensemble(total, classes=classes)
    if not isinstance(spins, str | numbers.Number) and not hasattr(spins, "__array__"):
        raise InvalidInput.of(
            "spins", f"must be a number, a Lattice or SpinClass objects, got {checks.shown(spins)}"
        )
    return Ensemble(number_of_spins(spins))


def _as_lattice(sizes: tuple[Any, ...]) -> str:
    """The remedy where the shape of a lattice stands for the lattice."""
    if sizes and all(type(size) is int for size in sizes):
        return f"; write Lattice({sizes!r})"
    return ""


def number_of_spins(value: Any) -> int:
    """A plain number of spins, 1 to 1e12.

    Raises:
        InvalidInput: not an integer, or out of bounds.
    """
    count = checks.integer("spins", value, minimum=1)
    if count > MAX_SPINS:
        raise InvalidInput.of(
            "spins",
            f"must be at most {MAX_SPINS}, got {count}: beyond, 64-bit moments no longer "
            "resolve the squeezing; take a smaller number and extrapolate by its powers",
        )
    return count
