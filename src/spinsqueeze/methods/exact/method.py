"""Exact: the full state of 2^N amplitudes, propagated in Krylov spaces."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import PureState, state_vector
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope, Strength, largest_size
from spinsqueeze.models.states import CoherentState, StateVector
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import readings_of

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
    """The Schroedinger equation on all 2^N amplitudes; closed systems, any model and any pulses.

    Args:
        tolerance: error of the final state in norm, 1e-13 to 1e-2; an observable A errs by at
            most 2 |A| tolerance.

    Memory and time grow as 2^N: N = 16 in seconds, 20 in minutes. Sources: park1986,
    hochbruck1997.
    """

    tolerance: float = 1e-10

    references: ClassVar[tuple[str, ...]] = ("park1986", "hochbruck1997")
    summary: ClassVar[str] = "any closed model on 2^N amplitudes"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "unlike_spins", "pulses")
    )

    def __post_init__(self) -> None:
        value = checks.real("tolerance", self.tolerance, minimum=1e-13, maximum=1e-2)
        object.__setattr__(self, "tolerance", value)

    def obstacles(self, question: Question) -> list[str]:
        """Closed models without a cavity, up to 30 spins."""
        reasons = []
        n = question.model.n_spins
        if not isinstance(question.state, PureState):
            reasons.append(f"{type(question.state).__name__} is not a pure state it knows")
        if n > MAX_SPINS:
            reasons.append(f"N = {n} spins have 2^{n} amplitudes; N = {MAX_SPINS} is the limit")
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """Exact, but for the tolerance."""
        return EXACT

    def cost(self, question: Question) -> Cost:
        """Bytes for the smallest Krylov space; seconds from the spectral width times the time."""
        from spinsqueeze.methods.exact.hamiltonian import required_frames
        from spinsqueeze.methods.exact.propagate import required_bytes

        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        n = model.n_spins
        parts, drive = _parts(model)
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
        """Propagate the state and record the collective moments."""
        from spinsqueeze.methods.exact import propagate
        from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian, required_frames

        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        n = model.n_spins
        parts, drive = _parts(model)
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
            readings_of(Moments(n_spins=n, spin=run.spin, covariance=run.covariance)),
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


def _parts(model: Canonical) -> "tuple[list[HamiltonianPart], DriveWeights | None]":
    """The Hamiltonian as one part a strength (all constants in one), and the strengths in time."""
    from spinsqueeze.methods.exact.hamiltonian import HamiltonianPart

    n = model.n_spins
    strengths: list[Strength] = [1.0]
    collected: list[tuple[Floats, list[Floats], list[Floats]]] = [(np.zeros((n, 3)), [], [])]

    def part_of(strength: Strength) -> tuple[int, float]:
        """The index of the part, and the constant factor of the piece in it."""
        if not isinstance(strength, Envelope):
            return 0, strength
        known = next((k for k, s in enumerate(strengths) if s is strength), None)
        if known is None:
            strengths.append(strength)
            collected.append((np.zeros((n, 3)), [], []))
            known = len(strengths) - 1
        return known, 1.0

    for field in model.fields:
        k, factor = part_of(field.strength)
        collected[k][0][...] += factor * field.vectors
    for quadratic in model.quadratics:
        k, factor = part_of(quadratic.strength)
        collected[k][1].append(2 * factor * quadratic.matrix)
        weights = np.ones(n) if quadratic.weights is None else quadratic.weights
        outer = np.outer(weights, weights)
        np.fill_diagonal(outer, 0.0)
        collected[k][2].append(outer)
    for pair in model.pairs:
        k, factor = part_of(pair.strength)
        collected[k][1].append(factor * pair.tensor)
        collected[k][2].append(pair.kernel.matrix())
    parts = [
        HamiltonianPart(
            field=vectors,
            tensors=np.array(tensors).reshape(-1, 3, 3),
            kernels=np.array(kernels).reshape(-1, n, n),
        )
        for vectors, tensors, kernels in collected
    ]
    if len(strengths) == 1:
        return parts, None
    return parts, DriveWeights(tuple(strengths))


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
    """An upper estimate of the width of the Hamiltonian's spectrum."""
    n = model.n_spins
    width = 0.0
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
