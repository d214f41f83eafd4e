"""spins_from_lab: lattices and collective models from laboratory numbers, converted once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, final

from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.registry import same_coupling
from spinsqueeze.core.text import html_lines
from spinsqueeze.core.units import angular, hertz_of, with_prefix
from spinsqueeze.models.collective_terms import UniformField
from spinsqueeze.models.distance_terms import DipolarXXZ, RydbergDressing, VanDerWaals
from spinsqueeze.models.lab_lengths import check_spacing, largest_coupling, stretched
from spinsqueeze.models.lab_spin_numbers import KINDS, LabSpinNumbers
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm

_LABELS = {
    "lab_coupling_hz": "at spacing",
    "lab_largest_coupling_hz": "largest",
    "lab_chi_hz": "twisting",
}
NO_INTERACTION = "interaction: there is none"
"""How the concern of a model without interaction begins."""


def _alike(term: HamiltonianTerm | JumpTerm, own: HamiltonianTerm | JumpTerm) -> bool:
    """Whether two terms are one operator twice, which is a slip more often than meant."""
    if type(term) is not type(own) or isinstance(term, UniformField):
        return False
    return all(getattr(term, n, None) == getattr(own, n, None) for n in ("axis", "phase"))


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
        n = self.numbers
        check_spacing(n.spacing, metres=n.si("spacing"), lattice=further.ensemble.lattice)
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
        """Terms that come twice, and spacings of the axes of which none is that of the lab."""
        n = self.numbers
        twice = tuple(
            f"lab: {term.name()} comes from [lab] and once more from {part}: both are added; "
            "leave one of them out if they are the same"
            for part, term in self._twice()
        )
        return (
            *twice,
            *self._uncoupled(),
            *stretched(n.spacing, metres=n.si("spacing"), lattice=self.model.ensemble.lattice),
        )

    def _uncoupled(self) -> tuple[str, ...]:
        """That nothing squeezes where no spin acts on another."""
        form = self.model.canonical
        if any((form.quadratics, form.pairs, form.collective_jumps, form.correlated_jumps)):
            return ()
        return (
            f"{NO_INTERACTION} in this model, so that nothing squeezes; give c6, c3 or plateau "
            "with a spacing, or chi, or a term of the hamiltonian",
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
            table["lab_largest_coupling_hz"] = self._largest / angular(self.numbers.seconds)
        if self.numbers.chi is not None:
            table["lab_chi_hz"] = hertz_of(self.numbers.si("chi") or 0.0)
        return table

    @cached_property
    def _largest(self) -> float:
        """The coupling of the two spins that have the largest, in the unit of the model."""
        n = self.numbers
        c6 = n.over_spacing("c6", 6) if n.core is None else n.core[0]
        rates = {DipolarXXZ: n.over_spacing("c3", 3), VanDerWaals: c6, RydbergDressing: c6}
        terms = [(rates[type(term)], term) for term in n.hamiltonian if type(term) in rates]
        return largest_coupling(terms, self.model.ensemble)

    def __str__(self) -> str:
        return "\n".join(f"{label:<12} {text}" for label, text in self.lines())

    def _repr_html_(self) -> str:
        return html_lines(str(self))

    def lines(self) -> Iterator[tuple[str, str]]:
        """The summary: label and text of each line."""
        n = self.numbers
        given = {item.name: getattr(n, item.name) for item in fields(n)}
        shown = {k: v for k, v in given.items() if v is not None and k in KINDS}
        yield "lab", ", ".join(f"{name} = {value}" for name, value in shown.items())
        figures = self.figures()
        other = "lab_largest_coupling_hz" if same_coupling(figures) else "lab_coupling_hz"
        figures.pop(other, None)
        for name, hertz in figures.items():
            label = _LABELS[name]
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
    t1: str | float | None = None,
    t2: str | float | None = None,
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
        t1: lifetime of up, "100 us"; "inf": none.
        t2: coherence time of one spin, 1/T2 = 1/(2 T1) + rate of dephasing; at most 2 T1. "inf":
            no dephasing.
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
