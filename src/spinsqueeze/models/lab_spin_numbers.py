"""Numbers of a laboratory on spins, as texts with their unit, and the terms they make."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.quantities import quantity
from spinsqueeze.core.units import seconds_of, with_prefix
from spinsqueeze.models.collective_terms import Drive, OneAxisTwisting, UniformField
from spinsqueeze.models.distance_terms import FORMS, DipolarXXZ, RydbergDressing, VanDerWaals
from spinsqueeze.models.jumps import LocalDecay, LocalDephasing
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm, Plain

TIME_UNITS = ("ns", "us", "ms", "s")
C3_FORMS = {"exchange": (2.0, 0.0), "ising": (0.0, 1.0), "secular": (-0.5, 1.0)}
"""j_perp and j_z of `DipolarXXZ` over C3."""
KINDS = {
    "spacing": "length",
    "c6": "c6",
    "plateau": "rate",
    "core_radius": "length",
    "c3": "c3",
    "chi": "rate",
    "rabi": "rate",
    "drive_detuning": "rate",
    "t1": "time",
    "t2": "time",
}
"""Field -> kind of quantity."""
_ABOVE_ZERO = ("spacing", "core_radius", "t1", "t2")
_ONLY_WITH = {
    "spacing": ("c6", "c3", "plateau"),
    "core_radius": ("c6", "plateau"),
    "c6_form": ("c6", "plateau"),
    "c3_form": ("c3",),
    "quantisation_axis": ("c3",),
}


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LabSpinNumbers(Plain):
    """What an experimenter knows of spins; each field is told in `spins_from_lab`.

    The same are the keys of the table [lab] of a study file, beside its [ensemble].

    Raises:
        InvalidInput: a field breaks its rule, or two of them contradict each other.
    """

    spacing: str | None = field(default=None, kw_only=True)
    c6: str | None = field(default=None, kw_only=True)
    plateau: str | None = field(default=None, kw_only=True)
    core_radius: str | None = field(default=None, kw_only=True)
    c6_form: str = field(default="density", kw_only=True)
    c3: str | None = field(default=None, kw_only=True)
    c3_form: str = field(default="exchange", kw_only=True)
    quantisation_axis: Any = field(default="+z", kw_only=True)
    chi: str | None = field(default=None, kw_only=True)
    rabi: str | None = field(default=None, kw_only=True)
    drive_detuning: str | None = field(default=None, kw_only=True)
    t1: str | float | None = field(default=None, kw_only=True)
    t2: str | float | None = field(default=None, kw_only=True)
    time_unit: str = field(default="us", kw_only=True)

    def __post_init__(self) -> None:
        checks.choice("time_unit", self.time_unit, TIME_UNITS)
        checks.choice("c6_form", self.c6_form, FORMS)
        checks.choice("c3_form", self.c3_form, C3_FORMS)
        for name in KINDS:
            number = self.si(name)
            if name in _ABOVE_ZERO and number is not None and number <= 0:
                raise InvalidInput.of(name, f"must be above 0, got {getattr(self, name)!r}")
        self._check_company()
        # Of length 0 and the like: the term itself says.
        term = DipolarXXZ(j_perp=0.0, j_z=0.0, quantisation_axis=self.quantisation_axis)
        if not isinstance(self.quantisation_axis, str):
            object.__setattr__(self, "quantisation_axis", term.quantisation_axis)
        t1, t2 = self.si("t1"), self.si("t2")
        if t1 is not None and t2 is not None and t2 > 2 * t1 * (1 + 1e-9):
            raise InvalidInput.of(
                "t2",
                f"must be at most 2 T1 = {with_prefix(2 * t1, 's')}, since decay alone ends "
                f"coherence, got {self.t2!r}; leave t1 out, or lower t2",
            )

    def _check_company(self) -> None:
        """What needs other numbers, or must not stand beside them."""
        if self.c6 is not None and self.plateau is not None:
            raise InvalidInput.of(
                "plateau", "must not stand next to c6: C6 = plateau core_radius^6"
            )
        if self.plateau is not None and self.core_radius is None:
            raise InvalidInput.of("core_radius", "must be given with plateau, e.g. '3 um'")
        defaults = {item.name: item.default for item in fields(self)}
        for name, others in _ONLY_WITH.items():
            given = getattr(self, name)
            there = not isinstance(given, str | None) or given != defaults[name]
            if there and all(getattr(self, other) is None for other in others):
                raise InvalidInput.of(name, _alone(name, others))
        if self.spacing is None:
            for name in _ONLY_WITH["spacing"]:
                if getattr(self, name) is not None:
                    raise InvalidInput.of(
                        "spacing",
                        f"must be given with {name}: the length of 1 in the lattice, e.g. '5 um'",
                    )

    def si(self, name: str) -> float | None:
        """A number in m, s, rad/s, rad m^3/s or rad m^6/s; None if not given, and of endless T."""
        value = getattr(self, name)
        if value is None or (name in ("t1", "t2") and _endless(name, value)):
            return None
        return quantity(name, value, kind=KINDS[name])

    def _rate(self, name: str) -> float:
        """A rate in the unit of the model; 0 where it is not given."""
        return (self.si(name) or 0.0) * self.seconds

    @cached_property
    def seconds(self) -> float:
        """One unit of time in seconds."""
        return seconds_of(self.unit)

    @property
    def unit(self) -> str:
        """Of the rates of the model, '1/us'."""
        return f"1/{self.time_unit}"

    def over_spacing(self, name: str, power: int) -> float:
        """C3 or C6 over a power of the spacing, a rate."""
        return self._rate(name) / (self.si("spacing") or 1.0) ** power

    @property
    def core(self) -> tuple[float, float] | None:
        """Plateau of a soft core as a rate, and its radius over the spacing; None without one."""
        radius = self.si("core_radius")
        if radius is None:
            return None
        height = self._rate("plateau") if self.c6 is None else self._rate("c6") / radius**6
        return height, radius / (self.si("spacing") or 1.0)

    @property
    def coupling(self) -> float:
        """C3/spacing^3, C6/spacing^6 or that of the soft core, as a rate; the largest of them."""
        sizes = [self.over_spacing("c3", 3)]
        if self.core is None:
            sizes.append(self.over_spacing("c6", 6))
        else:
            height, radius = self.core
            sizes.append(height / (1.0 + radius**-6.0))
        return max(sizes, key=abs)

    @property
    def hamiltonian(self) -> tuple[HamiltonianTerm, ...]:
        """The couplings at the distance `spacing`, and the fields, in rates."""
        terms: list[HamiltonianTerm] = []
        if self.core is not None:
            height, radius = self.core
            terms.append(RydbergDressing(height, radius=radius, form=self.c6_form))
        elif self.c6 is not None:
            terms.append(VanDerWaals(self.over_spacing("c6", 6), form=self.c6_form))
        if self.c3 is not None:
            c3 = self.over_spacing("c3", 3)
            perp, along = C3_FORMS[self.c3_form]
            axis = self.quantisation_axis
            terms.append(DipolarXXZ(j_perp=perp * c3, j_z=along * c3, quantisation_axis=axis))
        if self.chi is not None:
            terms.append(OneAxisTwisting(self._rate("chi")))
        if self.rabi is not None:
            terms.append(Drive(self._rate("rabi")))
        if self.drive_detuning is not None:
            terms.append(UniformField([0.0, 0.0, -self._rate("drive_detuning")]))
        return tuple(terms)

    @property
    def jumps(self) -> tuple[JumpTerm, ...]:
        """Decay at 1/T1, and dephasing at 1/T2 - 1/(2 T1)."""
        t1, t2 = self.si("t1"), self.si("t2")
        decay = 0.0 if t1 is None else self.seconds / t1
        dephasing = 0.0 if t2 is None else self.seconds / t2 - decay / 2
        rates = ((LocalDecay, decay), (LocalDephasing, dephasing))
        return tuple(kind(rate) for kind, rate in rates if rate > 1e-9 * decay)


def _alone(name: str, others: Sequence[str]) -> str:
    """The rule of a number that stands without those that it goes with."""
    if name != "spacing":
        return f"needs {' or '.join(others)}; leave it out"
    return (
        "needs c6, c3 or plateau, which say how the spins act on each other at that distance; give "
        "one of them (without any, and without chi, nothing squeezes)"
    )


def _endless(name: str, value: Any) -> bool:
    """Whether a time is infinite: inf, "inf", "inf us"."""
    number, _, unit = str(value).strip().partition(" ")
    if number.lower() not in ("inf", "infinity"):
        return False
    if unit:
        quantity(name, f"1 {unit}", kind="time")
    return True


NAMES = tuple(item.name for item in fields(LabSpinNumbers))
"""The keys of [lab] beside [ensemble]."""
