"""Exact: the full state of 2^N amplitudes, propagated in Krylov spaces."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Integers
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.kept_mode import size
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.states import PureState, state_vector
from spinsqueeze.methods.exact.parts import hamiltonian_parts
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import largest_size
from spinsqueeze.models.states import CoherentState, StateVector
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.dephasing import dephasing_axis
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import pure_information
from spinsqueeze.observables.readings import Reading, readings_of

if TYPE_CHECKING:
    from spinsqueeze.methods.exact.hamiltonian import HamiltonianPart

MAX_SPINS = 30
STATE_ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Rounding of the initial state and of its moments."""
SECTOR_SPINS = 17
"""From here on the search for symmetric orbits pays."""


@final
@dataclass(frozen=True, eq=False)
class Exact(Method):
    """Any model and any pulses on all 2^N states of the spins; a cavity on Fock states beside them.

    Closed systems keep amplitudes: memory and time grow as 2^N, N = 16 in seconds, 20 in minutes.
    Open ones keep a density matrix of 4^N numbers, N = 7 in seconds, and have steady states. With a
    cavity of L levels both grow as L, or L^2; the levels are found by the method. Sources:
    park1986, hochbruck1997 and NOTES.md.

    Args:
        tolerance: error of the final state in norm, 1e-13 to 1e-2; an observable A errs by at
            most 2 |A| tolerance. What the cut-off of a cavity may add to the claimed error is 1e4
            times that, 1e-3 at most.
    """

    tolerance: float = 1e-10

    references: ClassVar[tuple[str, ...]] = ("park1986", "hochbruck1997")
    summary: ClassVar[str] = "any model of few spins, closed or open, with a cavity or without"
    handles: ClassVar[frozenset[str]] = frozenset(
        (
            "fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "modes",
            "mode_couplings", "unlike_spins", "pulses",
        )
    )  # fmt: skip
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        value = checks.real("tolerance", self.tolerance, minimum=1e-13, maximum=1e-2)
        object.__setattr__(self, "tolerance", value)

    def obstacles(self, question: Question) -> list[str]:
        """Pure states, up to 30 spins; steady states where nothing is conserved."""
        reasons = []
        n = question.model.n_spins
        if isinstance(question, Evolve) and not isinstance(question.state, PureState):
            reasons.append(f"{type(question.state).__name__} is not a pure state it knows")
        if n > MAX_SPINS:
            reasons.append(f"N = {n} spins have 2^{n} amplitudes; N = {MAX_SPINS} is the limit")
        if isinstance(question, Steady) and n > 1 and question.model.conserves_total_spin:
            reasons.append(
                "total spin is conserved, so that there are many steady states; use "
                "PermutationInvariant or SymmetricSubspace with an initial state"
            )
        if isinstance(question, Steady) and _only_dephases(question.model):
            reasons.append(
                "all jumps lie along one axis and keep what the Hamiltonian keeps along it: there "
                "are many steady states; use PermutationInvariant with an initial state, or evolve"
            )
        return reasons + size.unbounded(question)

    @override
    def trust(self, question: Question) -> Trust:
        """Exact, but for the tolerance."""
        return EXACT

    def cost(self, question: Question) -> Cost:
        """Bytes for the smallest Krylov space; seconds from the spectral width times the time."""
        from spinsqueeze.methods.exact.hamiltonian import required_frames
        from spinsqueeze.methods.exact.propagate import required_bytes

        n = question.model.n_spins
        if _on_density_matrices(question):
            pure = isinstance(question, Evolve) and size.closed(question.model)
            rate = _spectral_width(question.model.per_spin())
            return size.cost(question, (2**n,), pure=pure, spin_rate=rate)
        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        parts, drive = hamiltonian_parts(model)
        duration = question.duration
        if _generators(question, parts):
            # Orbits of all 2^N configurations, then a sparse matrix on about 2^N / (4 N) of them.
            seconds = 6e-6 * 2.0**n
            detail = f"one symmetric sector of the 2^{n} = {2**n} amplitudes"
            return Cost(90.0 * 2**n, seconds, detail)
        frames = required_frames(parts)
        needed = required_bytes(n, frames=frames, parts=len(parts), driven=drive is not None)
        applications = 30 + 0.7 * duration * _spectral_width(model) * (4 if drive else 1)
        per_application = 2e-5 + 1.5e-9 * n * max(frames, 1) * 2.0**n
        seconds = (applications + 3 * len(question.times)) * per_application
        return Cost(needed, seconds, f"2^{n} = {2**n} amplitudes, a few vectors of them")

    @on_one_thread
    def answer(self, question: Question) -> Answer:
        """Propagate the state and record the collective moments; or find where it rests."""
        from spinsqueeze.methods.exact import propagate
        from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian, required_frames

        if _on_density_matrices(question):
            return _with_mode(question, self.tolerance)
        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        n = model.n_spins
        parts, drive = hamiltonian_parts(model)
        initial = state_vector(question.state, n)
        generators = _generators(question, parts)
        dimension = propagate.LARGEST_KRYLOV_DIMENSION
        space: Any
        if generators:
            from spinsqueeze.methods.exact.sectors import SectorHamiltonian

            space = SectorHamiltonian(parts, generators=generators)
            initial = space.project(initial)
        else:
            space = SpinHamiltonian(parts)
            dimension = propagate.choose_krylov_dimension(
                n,
                memory_budget=question.memory_budget,
                frames=required_frames(parts),
                parts=len(parts),
                driven=drive is not None,
            )
        run = propagate.evolve(
            space,
            initial,
            question.times,
            drive=drive,
            rotations=question.pulses,
            tolerance=self.tolerance,
            krylov_dimension=dimension,
            progress=question.progress,
        )
        state = space.expand(run.state) if generators else run.state
        error = run.error + STATE_ROUNDING
        last = StateVector(state / np.linalg.norm(state))
        return Answer(
            {
                **readings_of(Moments(n_spins=n, spin=run.spin, covariance=run.covariance)),
                "qfi": Reading(pure_information(run.covariance)),
            },
            # |S_a| <= N/2 errs by 2 |S_a| error; in units of sqrt(N)/2.
            error={"spin": 2 * error * np.sqrt(n)},
            diagnostics={
                "state_error": float(error.max()),
                "norm_drift": run.norm_drift,
                "energy_drift": run.energy_drift,
                "hamiltonian_products": run.applications,
                "krylov_dimension": run.krylov_dimension,
                "dimension": space.dimension,
                "dtype": "complex128",
                "device": "cpu",
            },
            state_at=lambda k: last if k == len(question.times) - 1 else None,
        )


def _only_dephases(model: Canonical) -> bool:
    """Whether every jump of a model without a cavity lies along one real axis."""
    vectors = [np.atleast_2d(c.vectors) for c in model.collective_jumps]
    vectors += [np.atleast_2d(j.vector) for j in model.local_jumps]
    jumps = [np.einsum("ia,ib->ab", v, v.conj()) for v in vectors]
    return not model.modes and dephasing_axis(*jumps) is not None


def _on_density_matrices(question: Question) -> bool:
    """Whether it takes more than amplitudes of spins alone: a cavity, jumps, or a steady state."""
    model = question.model
    return isinstance(question, Steady) or bool(model.modes) or model.dissipative


def _with_mode(question: Question, tolerance: float) -> Answer:
    from spinsqueeze.methods.base.kept_mode import evolution, steady
    from spinsqueeze.methods.exact.with_mode import spin_space

    n = question.model.n_spins
    if isinstance(question, Steady):
        psi = np.eye(2**n, 1)[:, 0] if question.state is None else state_vector(question.state, n)
        space = spin_space(question.model.per_spin(), psi.astype(complex))
        return steady.steady_state(question, space, tolerance=tolerance)
    question = question.per_spin()
    space = spin_space(question.model, state_vector(question.state, n))
    return evolution.evolve(question, space, tolerance=tolerance)


def _generators(question: Evolve, parts: "list[HamiltonianPart]") -> list[Integers]:
    """Lattice symmetries to use: from N = 17 on, where the state shares them."""
    from spinsqueeze.methods.exact.sectors import lattice_symmetries

    model = question.model
    uniform = isinstance(question.state, CoherentState)
    partial_pulse = any(r.mask is not None for r in question.pulses)
    if model.n_spins < SECTOR_SPINS or not uniform or partial_pulse:
        return []
    shapes = {grid.shape for pair in model.pairs if (grid := pair.kernel.grid) is not None}
    if len(shapes) != 1:
        return []
    (shape,) = shapes
    return lattice_symmetries(shape, parts) if np.prod(shape) == model.n_spins else []


def _spectral_width(model: Canonical) -> float:
    """An upper estimate of the width of the Hamiltonian's spectrum, and of the rates of jumps."""
    n = model.n_spins
    width = 0.0
    for c in model.collective_jumps:
        lengths = np.linalg.norm(np.broadcast_to(c.vectors, (n, 3)), axis=1)
        width += largest_size(c.rate) * float(lengths.sum()) ** 2 / 4
    for j in model.local_jumps:
        factors = n if j.factors is None else float(j.factors.sum())
        width += largest_size(j.rate) * factors * float(np.linalg.norm(j.vector)) ** 2 / 2
    for f in model.fields:
        lengths = np.linalg.norm(np.broadcast_to(f.vectors, (n, 3)), axis=1)
        width += largest_size(f.strength) * float(lengths.sum())
    for q in model.quadratics:
        largest = float(np.abs(np.linalg.eigvalsh(q.matrix)).max())
        total = n if q.weights is None else float(np.abs(q.weights).sum())
        width += largest_size(q.strength) * largest * total**2 / 4
    for p in model.pairs:
        largest = float(np.abs(np.linalg.eigvalsh(p.tensor)).max())
        couplings = float(np.abs(p.kernel.matrix()).sum()) / 2
        width += largest_size(p.strength) * largest * couplings / 2
    return width
