"""Atoms in a cavity in the numbers of a laboratory, and their one conversion to rates.

Every argument that ends in `_hz` is an ordinary frequency, omega/(2 pi), in hertz; rates and
strengths of the model are in 1/s (hbar = 1), times in seconds.
"""

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import angular
from spinsqueeze.models.cavity import Cavity
from spinsqueeze.models.collective_terms import Drive, UniformField
from spinsqueeze.models.ensemble import MAX_SPINS, SpinClass
from spinsqueeze.models.envelope import (
    Envelope,
    Strength,
    is_zero,
    largest_size,
    strength,
    times_number,
)
from spinsqueeze.models.jumps import LocalDecay, LocalDephasing
from spinsqueeze.models.pair_terms import SiteField
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm, Plain

PLANCK_OVER_BOLTZMANN = 6.62607015e-34 / 1.380649e-23
"""h/k in K s, exact in the SI."""
LEAST, LARGEST = 1e-12, 1e18
"""Frequencies in Hz between which squares and quotients neither overflow nor vanish."""
STANDING_WAVE_CLASSES = 8
MAX_CLASSES = 1000


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LabNumbers(Plain):
    """What an experimenter knows of N atoms in a cavity; each field is told in `cavity_from_lab`.

    The same are the keys of the table [lab] of a study file.

    Raises:
        InvalidInput: a field breaks its rule, or two of them contradict each other.
    """

    n_atoms: int
    g_hz: float = field(kw_only=True)
    kappa_hz: float = field(kw_only=True)
    gamma_hz: float = field(kw_only=True)
    detuning_hz: float = field(default=0.0, kw_only=True)
    drive_detuning_hz: float = field(default=0.0, kw_only=True)
    rabi_hz: Strength = field(default=0.0, kw_only=True)
    drive_photons: float = field(default=0.0, kw_only=True)
    t2_s: float | None = field(default=None, kw_only=True)
    thermal_photons: float = field(default=0.0, kw_only=True)
    temperature_k: float | None = field(default=None, kw_only=True)
    frequency_hz: float | None = field(default=None, kw_only=True)
    squeezing_db: float = field(default=0.0, kw_only=True)
    squeezing_phase: float = field(default=0.0, kw_only=True)
    internal_kappa_hz: float = field(default=0.0, kw_only=True)
    coupling_profile: Any = field(default="uniform", kw_only=True)
    n_classes: int | None = field(default=None, kw_only=True)
    initial_field: str = field(default="steady", kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        n_atoms = checks.integer("n_atoms", self.n_atoms, minimum=1, maximum=MAX_SPINS)
        put(self, "n_atoms", n_atoms)
        for name in ("g_hz", "kappa_hz"):
            put(self, name, _frequency(name, getattr(self, name), zero=False))
        for name in ("gamma_hz", "internal_kappa_hz"):
            put(self, name, _frequency(name, getattr(self, name)))
        for name in ("detuning_hz", "drive_detuning_hz"):
            put(self, name, _frequency(name, getattr(self, name), signed=True))
        put(self, "drive_photons", _photons("drive_photons", self.drive_photons))
        put(self, "thermal_photons", _photons("thermal_photons", self.thermal_photons))
        put(self, "squeezing_db", checks.real("squeezing_db", self.squeezing_db, minimum=0.0,
                                              maximum=100.0))  # fmt: skip
        put(self, "squeezing_phase", checks.real("squeezing_phase", self.squeezing_phase))
        put(self, "rabi_hz", strength("rabi_hz", self.rabi_hz))
        if largest_size(self.rabi_hz) > LARGEST:
            rule = f"must be at most {LARGEST:g} Hz in size, got {largest_size(self.rabi_hz):g}"
            raise InvalidInput.of("rabi_hz", rule)
        checks.choice("initial_field", self.initial_field, ("steady", "vacuum"))
        self._check_light()
        self._check_temperature()
        self._check_coherence()
        self._check_profile()

    def _check_light(self) -> None:
        """The drives, and what is lost inside."""
        driven = not is_zero(self.rabi_hz)
        if driven and self.drive_photons:
            raise InvalidInput.of(
                "drive_photons",
                "must not stand next to rabi_hz: their relative phase is not said; give one, and "
                "the other as a term of the hamiltonian",
            )
        if self.drive_detuning_hz and not (driven or self.drive_photons):
            raise InvalidInput.of(
                "drive_detuning_hz", "needs a drive: give rabi_hz or drive_photons, or leave it out"
            )
        if self.internal_kappa_hz > self.kappa_hz:
            raise InvalidInput.of(
                "internal_kappa_hz",
                f"must be at most kappa_hz = {self.kappa_hz:g}, of which it is a part, got "
                f"{self.internal_kappa_hz:g}",
            )
        if self.squeezing_db and self.internal_kappa_hz == self.kappa_hz:
            raise InvalidInput.of(
                "squeezing_db",
                f"needs a mirror through which the light enters, got internal_kappa_hz = kappa_hz "
                f"= {self.kappa_hz:g}; lower internal_kappa_hz",
            )

    def _check_temperature(self) -> None:
        if self.temperature_k is None and self.frequency_hz is None:
            return
        for name, other in (("temperature_k", "frequency_hz"), ("frequency_hz", "temperature_k")):
            if getattr(self, name) is None:
                raise InvalidInput.of(name, f"must be given with {other}, or give thermal_photons")
        kelvin = checks.real("temperature_k", self.temperature_k, minimum=0.0, maximum=LARGEST)
        object.__setattr__(self, "temperature_k", kelvin)
        frequency = _frequency("frequency_hz", self.frequency_hz, zero=False)
        object.__setattr__(self, "frequency_hz", frequency)
        if self.thermal_photons:
            raise InvalidInput.of(
                "thermal_photons", "must not stand next to temperature_k; give one of them"
            )
        _photons("temperature_k", self.photons_in_reservoir)

    def _check_coherence(self) -> None:
        if self.t2_s is None:
            return
        t2 = checks.real("t2_s", self.t2_s, minimum=1 / LARGEST, maximum=1 / LEAST)
        object.__setattr__(self, "t2_s", t2)
        longest = 2 / self.gamma if self.gamma_hz else math.inf
        if t2 > longest * (1 + 1e-9):
            raise InvalidInput.of(
                "t2_s",
                f"must be at most 2/gamma = {longest:.6g} s, since decay alone ends coherence, got "
                f"{t2:g}; leave it out, or lower gamma_hz",
            )

    def _check_profile(self) -> None:
        profile = self.coupling_profile
        standing = isinstance(profile, str) and profile == "standing_wave"
        if self.n_classes is not None:
            if not standing:
                raise InvalidInput.of(
                    "n_classes", 'needs coupling_profile = "standing_wave"; leave it out'
                )
            classes = checks.integer("n_classes", self.n_classes, minimum=2, maximum=MAX_CLASSES)
            object.__setattr__(self, "n_classes", classes)
        if isinstance(profile, str):
            checks.choice("coupling_profile", profile, ("uniform", "standing_wave"))
        else:
            factors = checks.real_array("coupling_profile", profile, shape=(None,), minimum=0.0)
            if not 1 <= len(factors) <= MAX_CLASSES or not 0 < factors.max() <= 1:
                raise InvalidInput.of(
                    "coupling_profile",
                    f'must be "uniform", "standing_wave" or 1 to {MAX_CLASSES} factors of g_hz '
                    f"from 0 to 1, not all 0, got {checks.shown(profile)}",
                )
            object.__setattr__(self, "coupling_profile", tuple(factors.tolist()))
        if len(self.factors) > self.n_atoms:
            raise InvalidInput.of(
                "n_atoms",
                f"must be at least {len(self.factors)}, one for each class of coupling_profile, "
                f"got {self.n_atoms}; give fewer classes",
            )

    # --- rates in 1/s ---

    @property
    def g(self) -> float:
        """Coupling of one atom where it is largest [1/s]."""
        return angular(self.g_hz)

    @property
    def kappa(self) -> float:
        """Decay rate of the energy in the cavity [1/s]."""
        return angular(self.kappa_hz)

    @property
    def gamma(self) -> float:
        """Decay rate of an excited atom into free space [1/s]."""
        return angular(self.gamma_hz)

    @property
    def detuning(self) -> float:
        """Of the cavity in the frame of the drive, or of the atoms without one [1/s]."""
        return angular(self.detuning_hz - self.drive_detuning_hz)

    @property
    def dephasing_rate(self) -> float:
        """1/T2 - gamma/2 [1/s]."""
        if self.t2_s is None:
            return 0.0
        rate = 1 / self.t2_s - self.gamma / 2
        return rate if rate > 1e-9 * self.gamma else 0.0

    @property
    def photons_in_reservoir(self) -> float:
        """Thermal photons n, given or from the temperature."""
        if self.temperature_k is None or self.frequency_hz is None:
            return self.thermal_photons
        if self.temperature_k == 0.0:
            return 0.0
        ratio = PLANCK_OVER_BOLTZMANN * self.frequency_hz / self.temperature_k
        return 1 / math.expm1(ratio) if ratio < 700 else 0.0

    @property
    def chi(self) -> float:
        """Exchange that the detuned cavity leaves, -4 g^2 Delta/(4 Delta^2 + kappa^2) [1/s].

        Delta is that from the atoms, at whose frequency they exchange and emit.

        The strength of `CollectiveExchange` for an atom that couples with g.
        """
        ratio = angular(self.detuning_hz) / self.kappa
        return -ratio * self.collective_decay_rate + 0.0  # 0 without a sign at resonance

    @property
    def collective_decay_rate(self) -> float:
        """Gamma = 4 g^2 kappa/(4 Delta^2 + kappa^2) into a vacuum [1/s]; Delta as for chi."""
        ratio = 2 * angular(self.detuning_hz) / self.kappa
        return 4 * self.g * (self.g / self.kappa) / (1 + ratio * ratio)

    @property
    def cooperativity(self) -> float:
        """C = 4 g^2/(kappa gamma) of one atom where it couples most; infinite without gamma."""
        return (
            4 * self.g_hz * (self.g_hz / self.kappa_hz) / self.gamma_hz
            if self.gamma_hz
            else math.inf
        )

    @property
    def coupled_atoms(self) -> float:
        """N where all couple alike, else sum_i (g_i/g)^2."""
        return float(np.array(self.counts, dtype=float) @ self.factors**2)

    @property
    def collective_cooperativity(self) -> float:
        """N C with the mean square of the couplings, sum_i 4 g_i^2/(kappa gamma)."""
        return self.cooperativity * self.coupled_atoms

    # --- parts of the model ---

    @cached_property
    def factors(self) -> Floats:
        """(n_classes,) couplings of the classes over g; a single 1 where all are alike.

        A standing wave: |cos| at the middles of equal parts of its quarter period. The mean
        square is 1/2 for any number of classes.
        """
        if self.coupling_profile == "uniform":
            return np.ones(1)
        if self.coupling_profile == "standing_wave":
            n = STANDING_WAVE_CLASSES if self.n_classes is None else self.n_classes
            return np.asarray(np.cos((np.arange(n) + 0.5) * (math.pi / (2 * n))))
        return np.array(self.coupling_profile)

    @property
    def counts(self) -> list[int]:
        """Atoms of each class; the first ones have one more where they do not divide."""
        each, more = divmod(self.n_atoms, len(self.factors))
        return [each + (k < more) for k in range(len(self.factors))]

    @property
    def uniform(self) -> bool:
        """Whether all atoms couple alike, with g."""
        return bool(np.array_equal(self.factors, [1.0]))

    @property
    def spins(self) -> int | list[SpinClass]:
        """What a `SpinModel` takes: N, or classes with their weights."""
        if self.uniform:
            return self.n_atoms
        pairs = zip(self.counts, self.factors.tolist(), strict=True)
        return [SpinClass(count, weight=factor) for count, factor in pairs]

    @property
    def cavity(self) -> Cavity:
        """The mode, in the frame of the drive."""
        empty = abs(complex(self.kappa / 2, self.detuning))
        return Cavity(
            self.g,
            decay_rate=angular(self.kappa_hz - self.internal_kappa_hz),
            internal_decay_rate=angular(self.internal_kappa_hz),
            detuning=self.detuning,
            drive=math.sqrt(self.drive_photons) * empty,
            squeezing=self.squeezing_db * math.log(10) / 20,
            squeezing_phase=self.squeezing_phase,
            thermal_occupation=self.photons_in_reservoir,
            initial=self.initial_field,
        )

    @property
    def hamiltonian(self) -> tuple[HamiltonianTerm, ...]:
        """The drive of the atoms, and their frequency in its frame."""
        terms: list[HamiltonianTerm] = []
        if not is_zero(self.rabi_hz):
            rabi = times_number(self.rabi_hz, angular(1.0))
            terms.append(Drive(rabi) if self.uniform else self._alike([1.0, 0.0, 0.0], rabi))
        if self.drive_detuning_hz:
            terms.append(self._alike([0.0, 0.0, -angular(self.drive_detuning_hz)], 1.0))
        return tuple(terms)

    def _alike(self, vector: list[float], factor: Strength) -> HamiltonianTerm:
        """A field on all atoms, whatever their coupling to the mode."""
        envelope = factor if isinstance(factor, Envelope) else None
        row = np.array(vector) * (1.0 if isinstance(factor, Envelope) else factor)
        if self.uniform:
            return UniformField(row, envelope=envelope)
        return SiteField(np.tile(row, (len(self.factors), 1)), envelope=envelope)

    @property
    def jumps(self) -> tuple[JumpTerm, ...]:
        """Decay into free space, and dephasing."""
        rates = ((LocalDecay, self.gamma), (LocalDephasing, self.dephasing_rate))
        return tuple(kind(rate) for kind, rate in rates if rate)


NAMES = tuple(item.name for item in fields(LabNumbers))
"""The keys of [lab] that are numbers of the laboratory."""


def _frequency(name: str, value: Any, *, zero: bool = True, signed: bool = False) -> float:
    """A frequency in Hz within bounds whose squares are numbers."""
    number = checks.real(name, value)
    if number < 0 and not signed:
        bound = "at least" if zero else "above"
        rule = f"must be {bound} 0, got {number:g}; it is a size, without a sign"
        raise InvalidInput.of(name, rule)
    if number == 0 and not zero:
        raise InvalidInput.of(name, "must be above 0, got 0; leave the cavity out instead")
    if number and not LEAST <= abs(number) <= LARGEST:
        raise InvalidInput.of(
            name, f"must lie between {LEAST:g} and {LARGEST:g} Hz in size, got {number:g}"
        )
    return number + 0.0


def _photons(name: str, value: Any) -> float:
    photons = checks.real(name, value, minimum=0.0)
    if photons > LARGEST:
        raise InvalidInput.of(name, f"must stand for at most {LARGEST:g} photons, got {photons:g}")
    return photons
