"""spins_from_lab: lattices and collective models from laboratory numbers, converted once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.quantities import quantity
from spinsqueeze.core.text import html_lines
from spinsqueeze.core.units import angular, hertz_of, seconds_of, with_prefix
from spinsqueeze.models.collective_terms import Drive, OneAxisTwisting, UniformField
from spinsqueeze.models.distance_terms import FORMS, DipolarXXZ, RydbergDressing, VanDerWaals
from spinsqueeze.models.jumps import LocalDecay, LocalDephasing
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm, Plain

TIME_UNITS = ("ns", "us", "ms", "s")
C3_FORMS = {"exchange": (2.0, 0.0), "ising": (0.0, 1.0), "secular": (-0.5, 1.0)}
"""j_perp and j_z of `DipolarXXZ` over C3."""
_KINDS = {
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
    t1: str | None = field(default=None, kw_only=True)
    t2: str | None = field(default=None, kw_only=True)
    time_unit: str = field(default="us", kw_only=True)

    def __post_init__(self) -> None:
        checks.choice("time_unit", self.time_unit, TIME_UNITS)
        checks.choice("c6_form", self.c6_form, FORMS)
        checks.choice("c3_form", self.c3_form, C3_FORMS)
        for name in _KINDS:
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
                raise InvalidInput.of(name, f"needs {' or '.join(others)}; leave it out")
        if self.spacing is None:
            for name in _ONLY_WITH["spacing"]:
                if getattr(self, name) is not None:
                    raise InvalidInput.of(
                        "spacing",
                        f"must be given with {name}: the length of 1 in the lattice, e.g. '5 um'",
                    )

    def si(self, name: str) -> float | None:
        """A number in m, s, rad/s, rad m^3/s or rad m^6/s; None where it is not given."""
        value = getattr(self, name)
        return None if value is None else quantity(name, value, kind=_KINDS[name])

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

    def _over_spacing(self, name: str, power: int) -> float:
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
        sizes = [self._over_spacing("c3", 3)]
        if self.core is None:
            sizes.append(self._over_spacing("c6", 6))
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
            terms.append(VanDerWaals(self._over_spacing("c6", 6), form=self.c6_form))
        if self.c3 is not None:
            c3 = self._over_spacing("c3", 3)
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


def _alike(term: HamiltonianTerm | JumpTerm, own: HamiltonianTerm | JumpTerm) -> bool:
    """Whether two terms are one operator twice, which is a slip more often than meant."""
    if type(term) is not type(own) or isinstance(term, UniformField):
        return False
    return all(getattr(term, n, None) == getattr(own, n, None) for n in ("axis", "phase"))


NAMES = tuple(item.name for item in fields(LabSpinNumbers))
"""The keys of [lab] beside [ensemble]."""


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LabSpins:
    """Spins as a model, from laboratory numbers; `print` it for a summary.

    Args:
        spins: a number, a `Lattice` or a list of `SpinClass`.
        numbers: of the laboratory.
        hamiltonian: further terms, in the unit of the model.
        jumps: further jump terms, in the unit of the model.

    Raises:
        InvalidInput: a coupling by distance without a lattice, or a further term that does not fit.
    """

    spins: Any
    numbers: LabSpinNumbers
    hamiltonian: Sequence[HamiltonianTerm] = field(default=(), kw_only=True)
    jumps: Sequence[JumpTerm] = field(default=(), kw_only=True)
    model: SpinModel = field(init=False, repr=False)
    """Rates in 1/time_unit (angular, hbar = 1), times in time_unit, distances in `spacing`."""

    def __post_init__(self) -> None:
        put = object.__setattr__
        further = SpinModel(self.spins, hamiltonian=self.hamiltonian, jumps=self.jumps)
        put(self, "hamiltonian", further.hamiltonian)
        put(self, "jumps", further.jumps)
        if further.ensemble.lattice is None and self.numbers.spacing is not None:
            raise InvalidInput.of(
                "spacing", "needs a lattice: give [ensemble] a shape or positions, or chi alone"
            )
        model = SpinModel(
            self.spins,
            hamiltonian=(*self.numbers.hamiltonian, *further.hamiltonian),
            jumps=(*self.numbers.jumps, *further.jumps),
            unit=self.numbers.unit,
        )
        put(model, "lab", self)
        put(self, "model", model)

    @property
    def concerns(self) -> tuple[str, ...]:
        """Which terms come from both the lab numbers and the further terms, in words."""
        return tuple(
            f"lab: {term.name()} comes from [lab] and once more from {part}: both are added; "
            "leave one of them out if they are the same"
            for part, term in self._twice()
        )

    def _twice(self) -> list[tuple[str, HamiltonianTerm | JumpTerm]]:
        """The further terms that lab numbers give too, with the part of the model; fields add."""
        both = [
            ("hamiltonian", term)
            for term in self.hamiltonian
            if any(_alike(term, own) for own in self.numbers.hamiltonian)
        ]
        jumps = [
            ("jumps", term)
            for term in self.jumps
            if any(_alike(term, own) for own in self.numbers.jumps)
        ]
        return [*both, *jumps]

    def figures(self) -> dict[str, float]:
        """What the results carry as attributes, see `core.registry`.

        None where further terms add to the same coupling: they would be a part of it alone.
        """
        table: dict[str, float] = {}
        if any(part == "hamiltonian" for part, _ in self._twice()):
            return table
        if self.numbers.spacing is not None:
            table["lab_coupling_hz"] = self.numbers.coupling / angular(self.numbers.seconds)
        if self.numbers.chi is not None:
            table["lab_chi_hz"] = hertz_of(self.numbers.si("chi") or 0.0)
        return table

    def __str__(self) -> str:
        return "\n".join(f"{label:<12} {text}" for label, text in self.lines())

    def _repr_html_(self) -> str:
        return html_lines(str(self))

    def lines(self) -> Iterator[tuple[str, str]]:
        """The summary: label and text of each line."""
        n = self.numbers
        given = {item.name: getattr(n, item.name) for item in fields(n)}
        shown = {k: v for k, v in given.items() if v is not None and k in _KINDS}
        yield "lab", ", ".join(f"{name} = {value}" for name, value in shown.items())
        for name, hertz in self.figures().items():
            label = "at spacing" if name == "lab_coupling_hz" else "twisting"
            rate = angular(hertz) * n.seconds
            yield label, f"2 pi x {with_prefix(hertz, 'Hz')} = {rate:.6g} {n.unit}"
        yield "units", f"rates in {n.unit} (angular), times in {n.time_unit}"


@clear_call
def spins_from_lab(
    spins: Any,
    *,
    spacing: str | None = None,
    c6: str | None = None,
    plateau: str | None = None,
    core_radius: str | None = None,
    c6_form: str = "density",
    c3: str | None = None,
    c3_form: str = "exchange",
    quantisation_axis: Any = "+z",
    chi: str | None = None,
    rabi: str | None = None,
    drive_detuning: str | None = None,
    t1: str | None = None,
    t2: str | None = None,
    time_unit: str = "us",
    hamiltonian: Sequence[HamiltonianTerm] = (),
    jumps: Sequence[JumpTerm] = (),
) -> LabSpins:
    """Spins of a lattice or all alike, from laboratory numbers written as texts with their unit.

    H = sum_{i<j} C6/r^6 n_i n_j + dipoles + chi S_z^2 + Omega S_x - detuning S_z, jumps
    1/T1 D[s_minus_i] and dephasing. Hz is an ordinary frequency omega/(2 pi), whether or not
    "2 pi x" stands before it; 1/s and rad/s are angular. Nothing else has factors of 2 pi.

    Args:
        spins: a number, a `Lattice` or a list of `SpinClass`.
        spacing: the length of 1 in the lattice, "5 um".
        c6: van der Waals coefficient, "863 GHz um^6" or "2 pi x 863 GHz um^6", of either sign.
        plateau: or of a soft core its height C6/core_radius^6, "20 kHz".
        core_radius: of a soft core C6/(r^6 + core_radius^6) (Rydberg dressing), "3 um".
        c6_form: "density": n_i n_j, n = 1/2 + s^z, with its site field; "ising": s^z_i s^z_j.
        c3: dipolar coefficient, "2.4 GHz um^3", with the factor 1 - 3 cos^2 theta.
        c3_form: "exchange": C3 (s^+_i s^-_j + h.c.); "ising": C3 s^z_i s^z_j; "secular":
            C3 [s^z s^z - (s^x s^x + s^y s^y)/2].
        quantisation_axis: of the dipoles, +x ... -z or three numbers; +z stands upright on a plane.
        chi: of one-axis twisting chi S_z^2, "1 Hz".
        rabi: Omega of a drive Omega S_x, "1.2 MHz".
        drive_detuning: of the drive from the atoms, omega_drive - omega_atom.
        t1: lifetime of up, "100 us".
        t2: coherence time of one spin, 1/T2 = 1/(2 T1) + rate of dephasing; at most 2 T1.
        time_unit: of times in results, "ns", "us", "ms" or "s".
        hamiltonian: further terms, in 1/time_unit: 2 pi times what is known in Hz.
        jumps: further jump terms, in 1/time_unit.

    Raises:
        InvalidInput: an argument breaks its rule, or two of them contradict each other.
    """
    numbers = LabSpinNumbers(
        spacing=spacing,
        c6=c6,
        plateau=plateau,
        core_radius=core_radius,
        c6_form=c6_form,
        c3=c3,
        c3_form=c3_form,
        quantisation_axis=quantisation_axis,
        chi=chi,
        rabi=rabi,
        drive_detuning=drive_detuning,
        t1=t1,
        t2=t2,
        time_unit=time_unit,
    )
    return LabSpins(spins, numbers, hamiltonian=hamiltonian, jumps=jumps)
