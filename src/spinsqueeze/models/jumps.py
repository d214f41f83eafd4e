"""Jump terms: each adds rate * D[L], D[L]rho = L rho L^dagger - {L^dagger L, rho}/2."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.canonical import CollectiveJumps, LocalJumps, Piece
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Envelope, Strength, times_number
from spinsqueeze.models.term import JumpTerm, envelope_factor

MINUS = np.array([1.0, -1.0j, 0.0])
PLUS = np.array([1.0, 1.0j, 0.0])
ALONG_Z = np.array([0.0, 0.0, 1.0 + 0.0j])


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CollectiveDecay(JumpTerm):
    """Adds rate * D[S_minus]."""

    rate: Strength

    def __post_init__(self) -> None:
        self._strength("rate", minimum=0.0)

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One collective jump."""
        return [CollectiveJumps(self.rate, ensemble.weighted(MINUS))]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SqueezedCollectiveDecay(JumpTerm):
    """Adds rate * D[cosh(r) S_minus - sinh(r) S_plus] (groszkowski2022).

    Args:
        rate: >= 0.
        r: squeezing parameter of the reservoir, any real number up to |r| = 20.
    """

    rate: Strength
    r: float = field(kw_only=True)

    def __post_init__(self) -> None:
        self._strength("rate", minimum=0.0)
        self._put("r", checks.real("r", self.r, minimum=-20.0, maximum=20.0))

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One collective jump."""
        vector = np.cosh(self.r) * MINUS - np.sinh(self.r) * PLUS
        return [CollectiveJumps(self.rate, ensemble.weighted(vector))]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CollectiveJump(JumpTerm):
    """Adds rate * D[vector . S], or rate * D[sum_i w_i vector_i . s_i].

    Args:
        rate: >= 0.
        vector: three complex numbers (x, y, z); or rows of three, one a spin or a class of spins,
            with the weights w of the classes (phases of the coupling may stand in the rows).
    """

    rate: Strength
    vector: Any = field(kw_only=True)

    def __post_init__(self) -> None:
        self._strength("rate", minimum=0.0)
        self._put("vector", checks.complex_vectors("vector", self.vector))

    @override
    def fit(self, ensemble: Ensemble) -> None:
        """Check that there is one vector, or one a spin or class."""
        if self.vector.ndim == 2:
            ensemble.check_rows("CollectiveJump needs one vector, or one", len(self.vector))

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One collective jump."""
        self.fit(ensemble)
        return [CollectiveJumps(self.rate, ensemble.weighted(self.vector))]


class _LocalTerm(JumpTerm):
    rate: Any
    envelope: Any

    def _check_rate(self) -> None:
        if isinstance(self.rate, list | tuple | np.ndarray):
            self._put("rate", checks.real_array("rate", self.rate, shape=(None,), minimum=0.0))
        else:
            self._strength("rate", minimum=0.0)
        if self.envelope is not None:
            if isinstance(self.rate, Envelope):
                raise InvalidInput.of("rate", "is an envelope itself: leave out envelope")
            self._strength("envelope", minimum=0.0)

    @override
    def fit(self, ensemble: Ensemble) -> None:
        """Check that there is one rate, or one a spin or class."""
        if isinstance(self.rate, np.ndarray):
            ensemble.check_rows(f"{type(self).__name__} needs one rate, or one", len(self.rate))

    def _lower(self, ensemble: Ensemble, vector: Any, factor: float = 1.0) -> list[Piece]:
        self.fit(ensemble)
        if isinstance(self.rate, np.ndarray):
            return [LocalJumps(envelope_factor(self.envelope), vector, factor * self.rate)]
        if self.envelope is None:
            return [LocalJumps(times_number(self.rate, factor), vector)]
        return [LocalJumps(times_number(self.envelope, factor * self.rate), vector)]


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LocalDecay(_LocalTerm):
    """Adds sum_i rate_i D[s_minus_i]; rate = 1/T1.

    Args:
        rate: >= 0; one number or envelope, or an array of one number a spin or a class of spins.
        envelope: optional factor in time, an `Envelope`.
    """

    rate: Any
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check_rate()

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One local jump."""
        return self._lower(ensemble, MINUS)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LocalPumping(_LocalTerm):
    """Adds sum_i rate_i D[s_plus_i].

    Args:
        rate: >= 0; one number or envelope, or an array of one number a spin or a class of spins.
        envelope: optional factor in time, an `Envelope`.
    """

    rate: Any
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check_rate()

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One local jump."""
        return self._lower(ensemble, PLUS)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LocalDephasing(_LocalTerm):
    """Adds sum_i 2 rate_i D[s^z_i]: single-spin coherences decay at exactly rate_i.

    Args:
        rate: >= 0; one number or envelope, or an array of one number a spin or a class of spins.
        envelope: optional factor in time, an `Envelope`.
    """

    rate: Any
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check_rate()

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One local jump, at twice the rate."""
        return self._lower(ensemble, ALONG_Z, 2.0)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LocalJump(_LocalTerm):
    """Adds sum_i rate_i D[vector . s_i].

    Args:
        rate: >= 0; one number or envelope, or an array of one number a spin or a class of spins.
        vector: three complex numbers (x, y, z).
        envelope: optional factor in time, an `Envelope`.
    """

    rate: Any
    vector: Any = field(kw_only=True)
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self._check_rate()
        self._put("vector", checks.complex_vector("vector", self.vector))

    @override
    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One local jump."""
        return self._lower(ensemble, self.vector)
