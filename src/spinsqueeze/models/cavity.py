"""A single cavity mode coupled to the collective spin."""

import cmath
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import (
    Envelope,
    Strength,
    at,
    is_zero,
    strength,
    times_number,
)
from spinsqueeze.models.modes import (
    GaussianState,
    Mode,
    ModeCoupling,
    Reservoir,
    steady_state,
)
from spinsqueeze.models.term import Plain, envelope_factor

MINUS = np.array([1.0, -1.0j, 0.0])


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CavityReservoir(Plain):
    """Adds rate * D[loss a + gain a^dagger] to a cavity.

    Args:
        rate: >= 0.
        loss: a complex number (also as [re, im]).
        gain: a complex number; with both, a squeezed reservoir.
    """

    rate: Strength
    loss: Any = field(default=1.0, kw_only=True)
    gain: Any = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", strength("rate", self.rate, minimum=0.0))
        for name in ("loss", "gain"):
            object.__setattr__(self, name, _complex(name, getattr(self, name)))
        if self.loss == 0 and self.gain == 0:
            raise InvalidInput.of("loss", "and gain must not both be zero: it would do nothing")


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CavityState(Plain):
    """A cavity mode at time 0: a squeezed thermal state, displaced.

    <a> = coherent; without it the mode is what cosh(r) a + exp(i phase) sinh(r) a^dagger
    sees as a thermal state of that many photons, r = squeezing.

    Args:
        coherent: a complex number (also as [re, im]).
        thermal: photons >= 0.
        squeezing: r, up to |r| = 20.
        phase: of the squeezing.
    """

    coherent: Any = field(default=0.0, kw_only=True)
    thermal: float = field(default=0.0, kw_only=True)
    squeezing: float = field(default=0.0, kw_only=True)
    phase: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "coherent", _complex("coherent", self.coherent))
        put(self, "thermal", checks.real("thermal", self.thermal, minimum=0.0))
        put(self, "squeezing", checks.real("squeezing", self.squeezing, minimum=-20, maximum=20))
        put(self, "phase", checks.real("phase", self.phase))

    @property
    def gaussian(self) -> GaussianState:
        """Its first and second moments."""
        size = 2 * self.thermal + 1
        photons = size * math.sinh(self.squeezing) ** 2 + self.thermal
        pairs = -size * math.sinh(2 * self.squeezing) / 2 * cmath.exp(1j * self.phase)
        return GaussianState(self.coherent, photons, pairs)


def _initial(value: Any) -> Any:
    if isinstance(value, CavityState):
        return value
    if isinstance(value, Mapping):
        known = [item.name for item in fields(CavityState)]
        unknown = [str(key) for key in value if key not in known]
        if unknown:
            rule = f"has no key {unknown[0]!r}; {checks.did_you_mean(unknown[0], known)}"
            raise InvalidInput.of("initial", rule)
        try:
            return CavityState(**value)
        except InvalidInput as error:
            raise error.at("initial") from None
    if not isinstance(value, str) or value not in ("vacuum", "steady"):
        raise InvalidInput.of(
            "initial", f"must be 'vacuum', 'steady' or a CavityState, got {checks.shown(value)}"
        )
    return value


def _complex(name: str, value: Any) -> complex:
    number = checks.complex_numbers(name, [value])
    if number.shape != (1,) or not np.isfinite(number[0]):
        raise InvalidInput.of(name, f"must be one finite complex number, got {checks.shown(value)}")
    return complex(number[0])


def _reservoirs(value: Any) -> tuple[CavityReservoir, ...]:
    items = [value] if isinstance(value, CavityReservoir | Mapping) else value
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise InvalidInput.of(
            "reservoirs", f"must be a list of CavityReservoir, got {checks.shown(value)}"
        )
    return tuple(_reservoir(item, f"reservoirs.{k}") for k, item in enumerate(items))


def _reservoir(item: Any, path: str) -> CavityReservoir:
    if isinstance(item, CavityReservoir):
        return item
    known = ("rate", "loss", "gain")
    if not isinstance(item, Mapping) or "rate" not in item or set(item) - set(known):
        raise InvalidInput.of(
            path, f"must be a table of rate, loss and gain, got {checks.shown(item)}"
        )
    try:
        return CavityReservoir(**item)
    except InvalidInput as error:
        raise error.at(path) from None


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Cavity(Plain):
    """One cavity mode a, kept as a degree of freedom.

    H = detuning a^dagger a + [a^dagger (coupling . S) + h.c.] + drive (a + a^dagger);
    jumps: decay_rate (n + 1) D[b] + decay_rate n D[b^dagger] with n = thermal_occupation and
    b = cosh(r) a + exp(i phase) sinh(r) a^dagger, r = squeezing; the same with internal_decay_rate
    and b = a; and any further `reservoirs`. S = sum_i w_i s_i with the weights w of spin classes. A
    number or envelope g as coupling stands for g S_minus (rotating wave). Every rate, the detuning,
    the drive and g may be an envelope.

    The sign in the squeezed reservoir is that of groszkowski2022, Eq. (9): where the cavity decays
    fast, g S_minus hands the spins Gamma D[cosh(r) S_minus - sinh(r) S_plus], which is
    `SqueezedCollectiveDecay` with the same r, with Gamma = 4 g^2 / decay_rate.

    Args:
        coupling: a real number or an envelope; or three complex numbers (x, y, z), also one such
            row for each spin (N, 3) or spin class (n_classes, 3).
        decay_rate: energy decay rate kappa >= 0 into the reservoir.
        detuning: cavity frequency minus drive frequency.
        drive: amplitude of a coherent drive.
        squeezing: parameter r of the reservoir, up to |r| = 20; 0: the vacuum.
        squeezing_phase: its phase.
        thermal_occupation: photons n >= 0 in the reservoirs of both decays, before squeezing.
        internal_decay_rate: further energy decay, without squeezing, >= 0.
        reservoirs: further ones, a list of `CavityReservoir`.
        initial: the mode at time 0: "vacuum", "steady" (where it rests without spins), or a
            `CavityState`.
        envelope: optional factor of the coupling in time.

    Raises:
        InvalidInput: a negative rate, a zero coupling, squeezing without a decay_rate, two
            envelopes of the coupling, or a value that is not finite.
    """

    coupling: Any
    decay_rate: Strength = field(kw_only=True)
    detuning: Strength = field(default=0.0, kw_only=True)
    drive: Strength = field(default=0.0, kw_only=True)
    squeezing: float = field(default=0.0, kw_only=True)
    squeezing_phase: float = field(default=0.0, kw_only=True)
    thermal_occupation: float = field(default=0.0, kw_only=True)
    internal_decay_rate: Strength = field(default=0.0, kw_only=True)
    reservoirs: Any = field(default=(), kw_only=True)
    initial: Any = field(default="vacuum", kw_only=True)
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        if self.envelope is not None:
            put(self, "envelope", strength("envelope", self.envelope))
        put(self, "coupling", self._checked_coupling())
        put(self, "decay_rate", strength("decay_rate", self.decay_rate, minimum=0.0))
        put(self, "detuning", strength("detuning", self.detuning))
        put(self, "drive", strength("drive", self.drive))
        put(self, "squeezing", checks.real("squeezing", self.squeezing, minimum=-20, maximum=20))
        internal = strength("internal_decay_rate", self.internal_decay_rate, minimum=0.0)
        put(self, "internal_decay_rate", internal)
        put(self, "squeezing_phase", checks.real("squeezing_phase", self.squeezing_phase))
        photons = checks.real("thermal_occupation", self.thermal_occupation, minimum=0.0)
        put(self, "thermal_occupation", photons)
        put(self, "reservoirs", _reservoirs(self.reservoirs))
        put(self, "initial", _initial(self.initial))
        if self.squeezing != 0.0 and is_zero(self.decay_rate):
            raise InvalidInput.of(
                "squeezing",
                f"needs a decay_rate into the squeezed reservoir, got "
                f"squeezing={self.squeezing:g} and decay_rate=0",
            )

    def _checked_coupling(self) -> Complexes:
        """The vectors (3,) or (n, 3); a coupling that is an envelope moves to `envelope`."""
        value = self.coupling
        if isinstance(value, Envelope | dict) or callable(value):
            if self.envelope is not None:
                raise InvalidInput.of("coupling", "is an envelope itself: leave out envelope")
            value = strength("coupling", value)
            object.__setattr__(self, "envelope", value)
            vectors = MINUS.copy()
        elif type(value) in (int, float) or getattr(value, "ndim", None) == 0:
            vectors = checks.real("coupling", value) * MINUS
        else:
            return checks.complex_vectors(
                "coupling", value, others="a number, ", remedy="leave the cavity out instead"
            )
        if not np.any(vectors) or is_zero(envelope_factor(self.envelope)):
            raise InvalidInput.of("coupling", "must not be zero; leave the cavity out instead")
        vectors.setflags(write=False)
        return vectors

    def fit(self, ensemble: Ensemble) -> None:
        """Check the rows of the coupling against the spins.

        Raises:
            InvalidInput: rows that are neither one a spin nor one a class of this ensemble.
        """
        if self.coupling.ndim == 2:
            try:
                ensemble.check_rows("must be one vector, or one", len(self.coupling))
            except InvalidInput as error:
                raise InvalidInput.of("coupling", error.rule) from None

    def lower(self, ensemble: Ensemble) -> tuple[tuple[Mode, ...], tuple[ModeCoupling, ...]]:
        """The mode and its coupling in canonical form.

        Raises:
            InvalidInput: rows that are neither one a spin nor one a class of this ensemble.
        """
        u = math.cosh(self.squeezing)
        v = math.sinh(self.squeezing) * cmath.exp(1j * self.squeezing_phase)
        warmth = self.thermal_occupation
        reservoirs = (
            Reservoir(times_number(self.decay_rate, warmth + 1.0), u, v),
            Reservoir(times_number(self.decay_rate, warmth), v.conjugate(), u),
            Reservoir(times_number(self.internal_decay_rate, warmth + 1.0)),
            Reservoir(times_number(self.internal_decay_rate, warmth), 0.0, 1.0),
            *(Reservoir(r.rate, r.loss, r.gain) for r in self.reservoirs),
        )
        acting = tuple(r for r in reservoirs if not is_zero(r.rate))
        factor = envelope_factor(self.envelope)
        self.fit(ensemble)
        coupling = ModeCoupling(0, factor, ensemble.weighted(self.coupling))
        mode = Mode(self.detuning, self.drive, acting)
        return (replace(mode, initial=self._initial_state(mode)),), (coupling,)

    def _initial_state(self, mode: Mode) -> GaussianState:
        if isinstance(self.initial, CavityState):
            return self.initial.gaussian
        if self.initial == "vacuum":
            return GaussianState()
        return steady_state(mode, drive=float(at(self.drive, 0.0)))
