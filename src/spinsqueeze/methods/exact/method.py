"""Exact: the full state, or what the symmetries of the model leave of it, in Krylov spaces."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Integers
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.kept_mode import size
from spinsqueeze.methods.base.method import EXACT, Cost, Trust
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.states import PureState, state_vector
from spinsqueeze.methods.base.target import DEFAULT_LIMIT, SampledMethod
from spinsqueeze.methods.exact import sampled
from spinsqueeze.methods.exact.couplings import required_frames
from spinsqueeze.methods.exact.parts import hamiltonian_parts
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import largest_size
from spinsqueeze.models.states import StateVector
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.dephasing import dephasing_axis
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import pure_information
from spinsqueeze.observables.readings import Reading, readings_of

MAX_SPINS = 30
STATE_ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Rounding of the initial state and of its moments."""
STRINGS_FROM = (5, 15)
"""Spins of open models whose density matrix is kept as Pauli strings."""
WITH_PURITY = 7
"""Spins up to which only permutations that leave the initial state unchanged are used."""
BLOCKS_UP_TO = 6
"""Spins up to which a steady state that strings refuse is looked for among density matrices."""


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Exact(SampledMethod):
    """Any model and any pulses on all 2^N states of the spins; a cavity on Fock states beside them.

    Closed systems keep amplitudes: memory and time grow as 2^N, N = 16 in seconds, 20 in minutes.
    Open ones keep a density matrix of 4^N numbers, N = 7 in a second, and have steady states. Both
    shrink by the permutations that leave the model unchanged: 5 x 5 periodic closed in half a
    minute, 3 x 3 open in a second, 3 x 4 in minutes. With a cavity of L levels both grow as L, or
    L^2; the levels are found by the method. With n_trajectories or target_error open models are
    averages over Monte-Carlo wave functions of 2^N amplitudes instead (molmer1993), up to N = 14
    whatever differs from site to site, with sampling errors. Sources: park1986, hochbruck1997 and
    NOTES.md.

    Args:
        tolerance: error of the final state in norm, 1e-13 to 1e-2; an observable A errs by at
            most 2 |A| tolerance. What the cut-off of a cavity may add to the claimed error is 1e4
            times that, 1e-3 at most.
        n_trajectories: number of trajectories, at least 4; None: none, a density matrix. Trajectory
            k follows from the seed, k and the last time alone: more of them extend a run.
        target_error: instead of n_trajectories: trajectories are added until the error bar of
            `target` is at most this, or there are max_trajectories. Ctrl-C keeps what is finished.
        target: "optimum": the standard error of the least xi2 over time, in decibels; "xi2": the
            relative standard error of xi2 at every time.
        max_trajectories: the limit with target_error, reached with a warning.
    """

    tolerance: float = 1e-10
    n_trajectories: int | None = field(default=None, kw_only=True)
    target_error: float | None = field(default=None, kw_only=True)
    target: str = field(default="optimum", kw_only=True)
    max_trajectories: int = field(default=DEFAULT_LIMIT, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("park1986", "hochbruck1997", "molmer1993")
    summary: ClassVar[str] = "any model of few spins, closed or open, with a cavity or without"
    handles: ClassVar[frozenset[str]] = frozenset(
        (
            "fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "modes",
            "mode_couplings", "unlike_spins", "pulses", "correlated_jumps",
        )
    )  # fmt: skip
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        value = checks.real("tolerance", self.tolerance, minimum=1e-13, maximum=1e-2)
        object.__setattr__(self, "tolerance", value)
        self._check_number(default=None)

    @property
    def _sampled(self) -> bool:
        return self.n_trajectories is not None or self.target_error is not None

    def obstacles(self, question: Question) -> list[str]:
        """Pure states, up to 30 spins; steady states where nothing is conserved."""
        reasons = []
        question = _with_collective_jumps(question)
        n = question.model.n_spins
        if isinstance(question, Evolve) and not isinstance(question.state, PureState):
            reasons.append(f"{type(question.state).__name__} is not a pure state it knows")
        if self._sampled:
            return reasons + sampled.obstacles(question)
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
        """Exact, but for the tolerance; with trajectories, but for sampling."""
        return Trust("none", sampled=True) if self._sampled else EXACT

    def cost(self, question: Question) -> Cost:
        """Bytes for the smallest Krylov space; seconds from the spectral width times the time."""
        from spinsqueeze.methods.exact.closed_sector import sector_cost, useful_symmetries
        from spinsqueeze.methods.exact.propagate import required_bytes

        question = _with_collective_jumps(question)
        n = question.model.n_spins
        if self._sampled:
            assert isinstance(question, Evolve)
            rows = question.per_spin()
            return sampled.sampled_cost(rows, self._most, width=_spectral_width(rows.model))
        if _on_strings(question):
            return _cost_on_strings(question)
        if _on_density_matrices(question):
            pure = isinstance(question, Evolve) and size.closed(question.model)
            rate = _spectral_width(question.model.per_spin())
            return size.cost(question, (2**n,), pure=pure, spin_rate=rate)
        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        parts, drive = hamiltonian_parts(model)
        applications = 30 + 0.7 * question.duration * _spectral_width(model) * (4 if drive else 1)
        if generators := useful_symmetries(question, parts):
            return sector_cost(question, parts, generators, products=applications)
        frames = required_frames(parts)
        needed = required_bytes(n, frames=frames, parts=len(parts), driven=drive is not None)
        per_application = 2e-5 + 1.5e-9 * n * max(frames, 1) * 2.0**n
        seconds = (applications + 3 * len(question.times)) * per_application
        return Cost(needed, seconds, f"2^{n} = {2**n} amplitudes, a few vectors of them")

    @override
    def keeps_state(self, question: Question) -> bool:
        """Of closed models without a cavity, as amplitudes."""
        return (
            not self._sampled and not _on_strings(question) and not _on_density_matrices(question)
        )

    @on_one_thread
    def answer(self, question: Question) -> Answer:
        """Propagate the state and record the collective moments; or find where it rests."""
        from spinsqueeze.methods.exact import propagate
        from spinsqueeze.methods.exact.closed_sector import prepared, useful_symmetries

        question = _with_collective_jumps(question)
        if self._sampled:
            assert isinstance(question, Evolve)
            return sampled.sampled_answer(
                question.per_spin(),
                tolerance=self.tolerance,
                count=self._most,
                target=self._target,
            )
        if _on_strings(question):
            return _in_open_sector(question, self.tolerance)
        if _on_density_matrices(question):
            return _with_mode(question, self.tolerance)
        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        n = model.n_spins
        parts, drive = hamiltonian_parts(model)
        generators = useful_symmetries(question, parts)
        dimension = propagate.LARGEST_KRYLOV_DIMENSION
        distance = 0.0
        space: Any
        if generators:
            from spinsqueeze.methods.exact.sectors import SectorHamiltonian

            sector, initial, distance = prepared(question, parts, generators)
            space = SectorHamiltonian(parts, sector=sector)
        else:
            from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian

            initial = state_vector(question.state, n)
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
        error = run.error + STATE_ROUNDING + distance

        def last() -> StateVector:
            state = space.sector.expand(run.state) if generators else run.state
            return StateVector(state / np.linalg.norm(state))

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
            state_at=lambda k: last() if k == len(question.times) - 1 else None,
        )


def _with_collective_jumps(question: Question) -> Question:
    """The question with correlated jumps as collective ones."""
    if not question.model.correlated_jumps:
        return question
    return replace(question, model=question.model.with_collective_jumps())


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


def _on_strings(question: Question) -> bool:
    """Whether the density matrix is kept as Pauli strings: spins alone, from a few on."""
    few, many = STRINGS_FROM
    alone = not question.model.modes and few <= question.model.n_spins <= many
    return alone and _on_density_matrices(question)


def _cost_on_strings(question: Question) -> Cost:
    from spinsqueeze.methods.exact.open_cost import open_cost

    rows = _a_row_a_spin(question)
    cost = open_cost(rows, _open_symmetries(rows), rate=_spectral_width(rows.model))
    if isinstance(question, Steady) or question.model.n_spins > sampled.MAX_SPINS:
        return cost
    return replace(cost, detail=f"{cost.detail}; with n_trajectories 2^N amplitudes")


def _a_row_a_spin(question: Question) -> Question:
    if isinstance(question, Evolve):
        return question.per_spin()
    return replace(question, model=question.model.per_spin())


def _open_symmetries(question: Question) -> list[Integers]:
    """Of model and pulses; few spins keep those of their state alone, which have a purity."""
    from spinsqueeze.methods.exact.symmetries import symmetries_of_model, symmetries_with_state

    if isinstance(question, Evolve) and question.model.n_spins <= WITH_PURITY:
        return symmetries_with_state(question)
    return symmetries_of_model(question)


def _in_open_sector(question: Question, tolerance: float) -> Answer:
    from spinsqueeze.methods.exact.open_sector import evolve_in_sector, steady_in_sector

    rows = _a_row_a_spin(question)
    if isinstance(rows, Evolve):
        return evolve_in_sector(rows, _open_symmetries(rows), tolerance=tolerance)
    try:
        return steady_in_sector(rows, _open_symmetries(rows))
    except NumericalFailure:
        # Blocks of density matrices tell apart populations that strings mix.
        if question.model.n_spins > BLOCKS_UP_TO:
            raise
        return _with_mode(question, tolerance)


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
