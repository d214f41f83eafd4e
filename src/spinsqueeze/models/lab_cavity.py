"""cavity_from_lab: laboratory numbers in, the models with and without the cavity out."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.text import html_lines
from spinsqueeze.core.units import PER_SECOND, angular, hertz_of, with_prefix
from spinsqueeze.models.elimination import Elimination, eliminated
from spinsqueeze.models.envelope import Envelope, Strength, largest_size
from spinsqueeze.models.lab import LabNumbers
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LabCavity:
    """Atoms in a cavity as models, from laboratory numbers; `print` it for a summary.

    Args:
        numbers: of the laboratory; cooperativities, chi and Gamma are theirs.
        hamiltonian: further terms, in 1/s.
        jumps: further jump terms, in 1/s.

    Raises:
        InvalidInput: a further term is none, or does not fit.
    """

    numbers: LabNumbers
    hamiltonian: Sequence[HamiltonianTerm] = field(default=(), kw_only=True)
    jumps: Sequence[JumpTerm] = field(default=(), kw_only=True)
    model: SpinModel = field(init=False, repr=False)
    """The spins with the cavity kept; rates in 1/s, times in seconds."""

    def __post_init__(self) -> None:
        put = object.__setattr__
        further = SpinModel(self.numbers.spins, hamiltonian=self.hamiltonian, jumps=self.jumps)
        put(self, "hamiltonian", further.hamiltonian)
        put(self, "jumps", further.jumps)
        kept = SpinModel(
            self.numbers.spins,
            hamiltonian=(*self.numbers.hamiltonian, *further.hamiltonian),
            jumps=(*self.numbers.jumps, *further.jumps),
            cavity=self.numbers.cavity,
            unit=PER_SECOND,
        )
        put(kept, "lab", self)
        put(self, "model", kept)

    @cached_property
    def eliminated(self) -> Elimination:
        """What `eliminate_cavity` makes of the model, without its warning: see `concerns`."""
        result = eliminated(self.model)
        object.__setattr__(result.model, "lab", self)
        return result

    @property
    def concerns(self) -> tuple[str, ...]:
        """Why the models without the cavity may be wrong."""
        return self.eliminated.concerns

    @property
    def cooperativity(self) -> float:
        """C = 4 g^2/(kappa gamma) of one atom where it couples most, eta for some authors."""
        return self.numbers.cooperativity

    @property
    def collective_cooperativity(self) -> float:
        """N C, with the mean square of the couplings."""
        return self.numbers.collective_cooperativity

    @property
    def chi_hz(self) -> float:
        """chi/2pi of the exchange chi S_plus S_minus, for atoms that couple with g."""
        return hertz_of(self.numbers.chi)

    @property
    def collective_decay_hz(self) -> float:
        """Gamma/2pi of the collective decay Gamma D[S_minus], for atoms that couple with g."""
        return hertz_of(self.numbers.collective_decay_rate)

    @property
    def superradiant_hz(self) -> float:
        """N Gamma/2pi, with the mean square of the couplings."""
        return self.numbers.coupled_atoms * self.collective_decay_hz

    def figures(self) -> dict[str, float]:
        """What the results of both models carry as attributes, see `core.registry`."""
        return {
            "lab_cooperativity": self.cooperativity,
            "lab_collective_cooperativity": self.collective_cooperativity,
            "lab_chi_hz": self.chi_hz,
            "lab_collective_decay_hz": self.collective_decay_hz,
            "lab_superradiant_hz": self.superradiant_hz,
            "lab_coupling_ratio": self.eliminated.coupling_ratio,
            "lab_speed_ratio": self.eliminated.speed_ratio,
            "lab_photon_number": self.eliminated.photon_number,
        }

    def __str__(self) -> str:
        return "\n".join(f"{label:<12} {text}" for label, text in self.lines())

    def _repr_html_(self) -> str:
        return html_lines(str(self))

    def lines(self) -> Iterator[tuple[str, str]]:
        """The summary: label and text of each line."""
        n = self.numbers
        yield "atoms", ", ".join(self._atoms())
        yield "cavity", ", ".join(self._cavity())
        drive = self._drive()
        if drive:
            yield "drive", drive
        single = f"cooperativity C = 4 g^2/(kappa gamma) = {n.cooperativity:.4g} of one atom"
        yield "coupling", f"{single}, N C = {n.collective_cooperativity:.4g}"
        yield "exchange", _both("chi", n.chi)
        together = angular(self.superradiant_hz)
        own = _both("Gamma", n.collective_decay_rate)
        yield "decay", f"{own}, N Gamma = {together:.4g} 1/s"
        yield "elimination", self._validity()

    def _atoms(self) -> Iterator[str]:
        n = self.numbers
        yield f"N = {n.n_atoms}"
        yield f"g/2pi = {with_prefix(n.g_hz, 'Hz')}"
        if not n.uniform:
            profile = n.coupling_profile if isinstance(n.coupling_profile, str) else "of its own"
            yield f"profile {profile} in {len(n.factors)} classes"
        line = f"gamma/2pi = {with_prefix(n.gamma_hz, 'Hz')}"
        yield line + (f" (1/gamma = {with_prefix(1 / n.gamma, 's')})" if n.gamma else "")
        if n.t2_s is not None:
            yield f"T2 = {with_prefix(n.t2_s, 's')}"

    def _cavity(self) -> Iterator[str]:
        n = self.numbers
        yield f"kappa/2pi = {with_prefix(n.kappa_hz, 'Hz')} (full width)"
        if n.internal_kappa_hz:
            yield f"of it {with_prefix(n.internal_kappa_hz, 'Hz')} inside"
        yield f"detuning from the atoms {with_prefix(n.detuning_hz, 'Hz')}"
        if n.photons_in_reservoir:
            yield f"{n.photons_in_reservoir:.4g} thermal photons"
        if n.squeezing_db:
            yield f"light squeezed by {n.squeezing_db:g} dB"

    def _drive(self) -> str:
        n = self.numbers
        parts = []
        if largest_size(n.rabi_hz):
            parts.append(f"Omega/2pi = {_size(n.rabi_hz)}")
        if n.drive_photons:
            rabi = with_prefix(2 * n.g_hz * math.sqrt(n.drive_photons), "Hz")
            parts.append(
                f"{n.drive_photons:.4g} photons in the empty cavity, 2g sqrt(n)/2pi = {rabi}"
            )
        if n.drive_detuning_hz:
            parts.append(f"detuned from the atoms by {with_prefix(n.drive_detuning_hz, 'Hz')}")
        return ", ".join(parts)

    def _validity(self) -> str:
        out = self.eliminated
        verdict = "doubtful, keep the cavity" if out.concerns else "holds"
        return (
            f"{verdict}: sqrt(N) g/|kappa/2 + i detuning| = {out.coupling_ratio:.2g}, fastest rate "
            f"of the spins over it = {out.speed_ratio:.2g}, photons without atoms = "
            f"{out.photon_number:.2g}"
        )


def _both(name: str, rate: float) -> str:
    text = f"{name}/2pi = {with_prefix(hertz_of(rate), 'Hz')}, {name} = {rate:.4g} 1/s"
    return text + (f" = 1/({with_prefix(1 / abs(rate), 's')})" if rate else "")


def _size(value: Strength) -> str:
    size = with_prefix(largest_size(value), "Hz")
    return f"up to {size}, in time" if isinstance(value, Envelope) else size


@clear_call
def cavity_from_lab(
    n_atoms: int,
    *,
    g_hz: float,
    kappa_hz: float,
    gamma_hz: float,
    detuning_hz: float = 0.0,
    drive_detuning_hz: float = 0.0,
    rabi_hz: Strength = 0.0,
    drive_photons: float = 0.0,
    t2_s: float | None = None,
    thermal_photons: float = 0.0,
    temperature_k: float | None = None,
    frequency_hz: float | None = None,
    squeezing_db: float = 0.0,
    squeezing_phase: float = 0.0,
    internal_kappa_hz: float = 0.0,
    coupling_profile: Any = "uniform",
    n_classes: int | None = None,
    initial_field: str = "steady",
    hamiltonian: Sequence[HamiltonianTerm] = (),
    jumps: Sequence[JumpTerm] = (),
) -> LabCavity:
    """Two-level atoms on a transition that a cavity mode couples, from laboratory numbers.

    H = detuning a^dagger a + g (a^dagger S_minus + h.c.) + drive, jumps kappa D[a],
    gamma sum_i D[s_minus_i] and dephasing, in the frame of the drive (of the atoms without one).
    Everything in `_hz` is an ordinary frequency omega/(2 pi); the models have rates in 1/s and
    times in seconds. Of the result, `.model` keeps the cavity and `.eliminated.model` are the spins
    alone, with chi S_plus S_minus and Gamma D[S_minus]; results of both also count time in 1/chi
    and 1/Gamma.

    Args:
        n_atoms: N.
        g_hz: g/2pi, half the vacuum Rabi frequency 2g/2pi of one atom, where it couples most.
        kappa_hz: kappa/2pi, the full width at half maximum of the cavity: energy decays at kappa.
        gamma_hz: gamma/2pi, the full width of the atomic line (natural, or what limits the clock):
            excited atoms decay into free space at gamma = 1/T1; 0: they do not.
        detuning_hz: of the cavity from the atoms, (omega_cavity - omega_atom)/2pi.
        drive_detuning_hz: of the drive from the atoms, (omega_drive - omega_atom)/2pi.
        rabi_hz: Omega/2pi of a drive that reaches all atoms alike, Omega S_x; a number, or an
            `Envelope` with times in s and values in Hz.
        drive_photons: or of a drive through the cavity: the photons it would keep there without
            atoms. The phase is that of H = drive (a + a^dagger).
        t2_s: coherence time of one atom without the cavity, 1/T2 = gamma/2 + rate of dephasing, so
            at most 2/gamma. None: no dephasing.
        thermal_photons: of the cavity's reservoir, at the frequency of the cavity.
        temperature_k: or its temperature, for 1/(exp(h f/k T) - 1) photons, with
        frequency_hz: the frequency f of the transition.
        squeezing_db: by how many dB the light that enters is squeezed below the vacuum, >= 0.
        squeezing_phase: its phase, in radians.
        internal_kappa_hz: the part of kappa_hz that is lost inside, not into the squeezed light.
        coupling_profile: "uniform"; "standing_wave": g_hz |cos(phase)|, phases spread evenly; or
            a list of factors of g_hz from 0 to 1, each for an equal part of the atoms.
        n_classes: of atoms for a standing wave, 8 by default.
        initial_field: of the mode at time 0, where it is kept: "steady", as the drive and the
            reservoirs leave it without atoms, or "vacuum".
        hamiltonian: further terms, in 1/s: 2 pi times what is known in Hz.
        jumps: further jump terms, in 1/s.

    Raises:
        InvalidInput: an argument breaks its rule, or two of them contradict each other.
    """
    numbers = LabNumbers(
        n_atoms,
        g_hz=g_hz,
        kappa_hz=kappa_hz,
        gamma_hz=gamma_hz,
        detuning_hz=detuning_hz,
        drive_detuning_hz=drive_detuning_hz,
        rabi_hz=rabi_hz,
        drive_photons=drive_photons,
        t2_s=t2_s,
        thermal_photons=thermal_photons,
        temperature_k=temperature_k,
        frequency_hz=frequency_hz,
        squeezing_db=squeezing_db,
        squeezing_phase=squeezing_phase,
        internal_kappa_hz=internal_kappa_hz,
        coupling_profile=coupling_profile,
        n_classes=n_classes,
        initial_field=initial_field,
    )
    return LabCavity(numbers, hamiltonian=hamiltonian, jumps=jumps)
