"""SymmetricSubspace: collective models on the N + 1 Dicke states of total spin N/2."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.kept_mode import size
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import (
    Evolve,
    Question,
    Steady,
    progress_until,
    stretches,
)
from spinsqueeze.methods.base.states import InSymmetricSubspace, symmetric_amplitudes
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.interchangeable import CollectiveArrays
from spinsqueeze.models.states import SymmetricState
from spinsqueeze.numerics.angular_momentum import rotation_matrix
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.null_vectors import STATE_ROUNDING
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import AFFORDABLE, mixed_information, pure_information
from spinsqueeze.observables.readings import Reading, readings_of

if TYPE_CHECKING:
    from spinsqueeze.methods.symmetric.mixed import Liouvillian


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SymmetricSubspace(Method):
    """Collective models within total spin J = N/2: N + 1 amplitudes, or (N+1)^2 when open.

    H = S.Q.S + b.S and collective jumps c.S, no local jumps. Closed models keep a pure state
    (N = 1e4 and more), open ones a density matrix (N of a few hundred). Constant or in time,
    steady states, pulses of all spins; a cavity on Fock states beside the spins, their number found
    by the run. Sources: kitagawa1993, hochbruck1997.

    Args:
        tolerance: error of one step, relative to the state, 1e-13 to 1e-3. What the cut-off of a
            cavity may add to the claimed error is 1e4 times that, 1e-3 at most.
        algorithm: for open models "polynomial" (Krylov, for moderate times), "rational"
            (shift-invert, for many decades of time) or "auto".
    """

    tolerance: float = 1e-10
    algorithm: str = field(default="auto", kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("kitagawa1993", "hochbruck1997")
    summary: ClassVar[str] = "collective models on the Dicke states J = N/2, a cavity too"
    handles: ClassVar[frozenset[str]] = frozenset(
        (
            "fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "modes",
            "mode_couplings", "pulses",
        )
    )  # fmt: skip
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return "symmetric"

    def __post_init__(self) -> None:
        value = checks.real("tolerance", self.tolerance, minimum=1e-13, maximum=1e-3)
        object.__setattr__(self, "tolerance", value)
        checks.choice("algorithm", self.algorithm, ("auto", "polynomial", "rational"))

    def obstacles(self, question: Question) -> list[str]:
        """Collective models, from a state of the symmetric subspace."""
        model = question.model
        reasons = []
        if model.local_jumps:
            reasons.append("local jumps lead out of total spin N/2")
        inside = isinstance(question.state, InSymmetricSubspace)
        if isinstance(question, Steady):
            if not inside:
                reasons.append(
                    "total spin is conserved, so the steady state depends on the initial one: give "
                    "an initial state in the symmetric subspace"
                )
            return reasons + size.unbounded(question)
        if model.dissipative and model.time_dependent and not model.modes:
            reasons.append(
                "an envelope of some strength or rate next to jumps, which it does not treat; "
                "PermutationInvariant does where spins are alike"
            )
        if not inside:
            reasons.append(f"{type(question.state).__name__} is not in the symmetric subspace")
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """Exact, but for the tolerance."""
        return EXACT

    def cost(self, question: Question) -> Cost:
        """N + 1 amplitudes a time when closed, (N+1)^2 when open; a factorisation of these."""
        if question.model.modes:
            pure = isinstance(question, Evolve) and size.closed(question.model)
            n = question.model.n_spins
            return size.cost(question, (n + 1,), pure=pure, spin_rate=_spin_rate(question.model))
        if isinstance(question, Steady):
            return _steady_cost(question.model.n_spins)
        n, times = question.model.n_spins, len(question.times)
        arrays = interchangeable.at_peak(question.model)
        duration = question.duration
        turning = interchangeable.turning(arrays.quadratic, arrays.field, n_spins=n)
        if not question.model.dissipative:
            steps = 1 + duration * turning / 20
            return Cost(
                16.0 * (n + 1) * (10 * times + 100),
                1.5e-4 * steps * (1 + n / 300) / (1 + n / 1e4) + 1.5e-7 * n * times,
                f"{times} states of N + 1 = {n + 1} amplitudes",
            )
        unknowns = (n + 1) ** 2
        fastest = _spin_rate(question.model)
        steps = 5 + min(
            duration * fastest / 20, 60.0 * np.log10(10 + duration * (fastest - turning))
        )
        return Cost(
            16.0 * unknowns * (3 * times + 60) + 2000.0 * unknowns,
            3e-7 * unknowns * steps,
            f"{times} density matrices of {n + 1} x {n + 1}",
        )

    @override
    def keeps_state(self, question: Question) -> bool:
        """Of closed models without a cavity."""
        return not question.model.modes and not question.model.dissipative

    @on_one_thread
    def answer(self, question: Question) -> Answer:
        """Evolve between pulses, pure when closed and mixed when open; or solve for the end."""
        if question.model.modes:
            return self._with_mode(question)
        if isinstance(question, Steady):
            return _steady_state(question)
        if question.model.dissipative:
            return self._evolve_mixed(question)
        return self._evolve_pure(question)

    def _with_mode(self, question: Question) -> Answer:
        from spinsqueeze.methods.base.kept_mode import evolution, steady
        from spinsqueeze.methods.symmetric.with_mode import spin_space

        psi = symmetric_amplitudes(question.state, question.model.n_spins)
        space = spin_space(question.model, psi)
        if isinstance(question, Steady):
            return steady.steady_state(question, space, tolerance=self.tolerance)
        return evolution.evolve(question, space, tolerance=self.tolerance, algorithm=self.algorithm)

    def _evolve_pure(self, question: Evolve) -> Answer:
        from spinsqueeze.numerics import collective_operators as operators
        from spinsqueeze.numerics.driven_schroedinger import evolve_pure_driven
        from spinsqueeze.numerics.krylov.orthogonal import unitary_evolution, unitary_rounding

        n, times = question.model.n_spins, question.times
        psi = symmetric_amplitudes(question.state, n)
        spin, covariance = np.empty((len(times), 3)), np.empty((len(times), 3, 3))
        arrays, drive = interchangeable.in_time(question.model)
        matrices = [operators.hamiltonian(n, quadratic=a.quadratic, field=a.field) for a in arrays]
        drift, error, now = 0.0, 0.0, 0.0
        for stop, rotations, wanted in stretches(question):
            marks = np.append(times[wanted], stop)
            tolerance = self.tolerance * (stop - now) / (times[-1] or 1.0)
            if drive.varies:
                waves, added = evolve_pure_driven(
                    matrices,
                    drive=drive,
                    state=psi,
                    times=marks,
                    start=now,
                    tolerance=tolerance,
                    progress=progress_until(question, now, stop),
                )
            else:
                waves = unitary_evolution(
                    matrices[0],
                    state=psi,
                    times=marks - now,
                    tolerance=tolerance,
                    progress=progress_until(question, now, stop),
                )
                added = tolerance + unitary_rounding(matrices[0], duration=stop - now)
            error += added
            drift = max(drift, float(np.abs(np.linalg.norm(waves, axis=1) - 1).max()))
            spin[wanted], covariance[wanted] = operators.pure_moments(waves[:-1], n_spins=n)
            psi = waves[-1]
            for rotation in rotations:
                psi = operators.rotated(psi, axis=rotation.axis, angle=rotation.angle)
            now = stop
        question.progress(1.0)
        last = SymmetricState(psi / np.linalg.norm(psi))
        moments = Moments(n_spins=n, spin=spin, covariance=covariance)
        return Answer(
            {
                **readings_of(moments),
                "purity": Reading(np.ones(len(times))),
                "qfi": Reading(pure_information(covariance)),
            },
            error={"spin": 2 * (drift + error) * np.sqrt(n)},
            diagnostics={"norm_drift": drift, "dtype": "complex128", "device": "cpu"},
            state_at=lambda k: last if k == len(times) - 1 else None,
        )

    def _evolve_mixed(self, question: Evolve) -> Answer:
        from spinsqueeze.methods.symmetric import mixed
        from spinsqueeze.numerics import collective_operators as operators

        n, times = question.model.n_spins, question.times
        psi = symmetric_amplitudes(question.state, n)
        rho = np.outer(psi, psi.conj())
        spin, covariance = np.empty((len(times), 3)), np.empty((len(times), 3, 3))
        purity, information = np.empty(len(times)), np.empty(len(times))
        arrays = interchangeable.at_peak(question.model)
        generator = _liouvillian(question.model, arrays)
        drift, error, now = 0.0, 0.0, 0.0
        for stop, rotations, wanted in stretches(question):
            marks = np.append(times[wanted], stop) - now
            states, added = mixed.evolve_mixed(
                generator,
                state=rho,
                times=marks,
                tolerance=self.tolerance,
                algorithm=self.algorithm,
                progress=progress_until(question, now, stop),
            )
            error += added
            traces = np.trace(states, axis1=1, axis2=2).real
            drift = max(drift, float(np.abs(traces - 1).max()))
            spin[wanted], covariance[wanted] = operators.mixed_moments(states[:-1], n_spins=n)
            purity[wanted] = np.sum(np.abs(states[:-1]) ** 2, axis=(1, 2))
            if n < AFFORDABLE:
                information[wanted] = _information(states[:-1], n)
            rho = states[-1]
            for rotation in rotations:
                turn = rotation_matrix(n / 2, axis=rotation.axis, angle=rotation.angle)
                rho = turn @ rho @ turn.conj().T
            now = stop
        question.progress(1.0)
        moments = Moments(n_spins=n, spin=spin, covariance=covariance)
        known = {"qfi": Reading(information)} if n < AFFORDABLE else {}
        return Answer(
            {**readings_of(moments), "purity": Reading(purity), **known},
            error={"spin": 2 * (drift + error) * np.sqrt(n)},
            diagnostics={"trace_drift": drift, "dtype": "complex128", "device": "cpu"},
        )


def _spin_rate(model: Canonical) -> float:
    """A bound of the frequencies and rates of the spins."""
    arrays, n = interchangeable.at_peak(model), model.n_spins
    rate = sum(r * float(np.linalg.norm(c)) ** 2 for r, c in arrays.collective_jumps)
    return interchangeable.turning(arrays.quadratic, arrays.field, n_spins=n) + rate * (n / 2) ** 2


def _steady_cost(n: int) -> Cost:
    """A sparse factorisation of the (N+1)^2 unknowns."""
    unknowns = (n + 1.0) ** 2
    memory = 16 * unknowns * (60 + 20 * np.log2(unknowns))
    seconds = 1e-5 * unknowns * (1 + unknowns / 1e4) ** 0.5
    return Cost(memory, seconds, f"{int(unknowns)} unknowns for N = {n}")


def _steady_state(question: Steady) -> Answer:
    """Solve for the null vector of the Liouvillian that the initial state reaches."""
    from spinsqueeze.methods.symmetric.steady import steady_mixed
    from spinsqueeze.numerics import collective_operators as operators

    n = question.model.n_spins
    assert question.state is not None
    psi = symmetric_amplitudes(question.state, n)
    generator = _liouvillian(question.model, interchangeable.at_peak(question.model))
    solution = steady_mixed(generator, initial=np.outer(psi, psi.conj()))
    spin, covariance = operators.mixed_moments(solution.rho[None], n_spins=n)
    question.progress(1.0)
    diagnostics: dict[str, float | int | str] = {
        "residual": solution.residual,
        "error_estimate": solution.error_estimate,
        "zero_modes": solution.zero_modes,
        "dtype": "complex128",
        "device": "cpu",
    }
    if solution.slowest_rate is not None:
        diagnostics["slowest_rate"] = solution.slowest_rate
    moments = Moments(n_spins=n, spin=spin, covariance=covariance)
    purity = np.array([np.sum(np.abs(solution.rho) ** 2)])
    known = {"qfi": Reading(_information(solution.rho[None], n))} if n < AFFORDABLE else {}
    return Answer(
        {**readings_of(moments), "purity": Reading(purity), **known},
        error={"spin": max(solution.error_estimate, STATE_ROUNDING) * np.sqrt(n)},
        diagnostics=diagnostics,
    )


def _information(states: Complexes, n_spins: int) -> Floats:
    """(T,) the quantum Fisher information of density matrices (T, N + 1, N + 1)."""
    from spinsqueeze.numerics import collective_operators as operators

    generators = np.array([S.toarray() for S in operators.spin_operators(n_spins)])
    return np.array([mixed_information(rho, generators=generators) for rho in states])


def _liouvillian(model: Canonical, arrays: CollectiveArrays) -> "Liouvillian":
    from spinsqueeze.methods.symmetric.mixed import liouvillian

    return liouvillian(
        model.n_spins,
        quadratic=arrays.quadratic,
        field=arrays.field,
        jumps=arrays.collective_jumps,
    )
