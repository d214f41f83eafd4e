"""PermutationInvariant: the Lindblad equation of alike spins on its irreducible blocks."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
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
from spinsqueeze.methods.base.states import PermutationInvariantState, block_values
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.interchangeable import CollectiveArrays
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.states import BlockState, InitialState
from spinsqueeze.numerics import block_states
from spinsqueeze.numerics.block_layout import block_sizes, shell_labels, state_size
from spinsqueeze.numerics.null_vectors import STATE_ROUNDING
from spinsqueeze.observables.block_states import purity
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import block_fisher_matrix, fisher_information
from spinsqueeze.observables.readings import Reading, readings_of

if TYPE_CHECKING:
    from spinsqueeze.methods.permutation_invariant.generator import Generator


_SECONDS_AT_LEAST = 0.15
_SLOWDOWN_OF_DRIVES, _SLOWDOWN_WITHOUT_JUMPS = 25.0, 3.0
"""Of evolutions beside that of a constant model: measured 19 to 50 at N = 20 to 80, and 2.5 where
nothing but one twisting acts."""
_BYTES_OF_A_HISTORY = 1100.0
"""At each time: its moments and, most of it, the jackknife replica without it (measured)."""


@final
@clear_init
@dataclass(frozen=True, eq=False)
class PermutationInvariant(Method):
    """Exact open dynamics of N alike spins: (N+1)(N+2)(N+3)/6 numbers instead of 4^N.

    H = S.Q.S + b.S, any collective jumps c.S and any local jumps c.s_i alike for every spin.
    Evolution over any span of time, steady states, pulses of all spins, losses of single spins of a
    model constant in time; a cavity on Fock states beside the spins, their number found by the run.
    Sources: chase2008, shammah2018 and NOTES.md.

    Args:
        tolerance: error of one step, relative to the state, 1e-13 to 1e-3. What the cut-off of a
            cavity may add to the claimed error is 1e4 times that, 1e-3 at most.
        algorithm: "polynomial" (Krylov, for moderate times), "rational" (shift-invert, for many
            decades of time) or "auto".
        solver: sparse solver for the implicit parts, "auto", "superlu", "multifrontal" or
            "pardiso" (needs the package pypardiso).
        qfi: also compute the quantum Fisher information, maximal over directions.
        steady_tolerance: largest estimated relative error of a steady state; beyond it the state
            is refused as near-singular, 1e-12 to 1e-2.
    """

    tolerance: float = 1e-10
    algorithm: str = field(default="auto", kw_only=True)
    solver: str = field(default="auto", kw_only=True)
    qfi: bool = field(default=False, kw_only=True)
    steady_tolerance: float = field(default=1e-6, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("chase2008", "shammah2018", "groszkowski2022")
    summary: ClassVar[str] = "open models of alike spins, evolution and steady states"
    handles: ClassVar[frozenset[str]] = frozenset(
        (
            "fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "modes",
            "mode_couplings", "pulses", "losses",
        )
    )  # fmt: skip
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        from spinsqueeze.methods.permutation_invariant.evolution import ALGORITHMS
        from spinsqueeze.methods.permutation_invariant.solvers import SOLVERS

        value = checks.real("tolerance", self.tolerance, minimum=1e-13, maximum=1e-3)
        object.__setattr__(self, "tolerance", value)
        value = checks.real("steady_tolerance", self.steady_tolerance, minimum=1e-12, maximum=1e-2)
        object.__setattr__(self, "steady_tolerance", value)
        checks.choice("algorithm", self.algorithm, ALGORITHMS)
        checks.choice("solver", self.solver, SOLVERS)
        if not isinstance(self.qfi, bool):
            raise InvalidInput.of("qfi", f"must be true or false, got {checks.shown(self.qfi)}")

    def obstacles(self, question: Question) -> list[str]:
        """Models unchanged by exchanging spins, from a state of the symmetric subspace."""
        if isinstance(question, Steady):
            foreign = [] if question.state is None else _foreign(question.state)
            return foreign + size.unbounded(question)
        reasons = []
        if question.losses is not None and self.qfi:
            reasons.append("qfi is not known of a run with losses; leave it out")
        if question.losses is not None and question.model.modes:
            reasons.append("losses of spins beside a cavity are not treated")
        return reasons + _foreign(question.state)

    @override
    def trust(self, question: Question) -> Trust:
        """Exact, but for the tolerance; with losses at random times an average over histories."""
        return Trust("none", sampled=True) if _histories(question) > 1 else EXACT

    def cost(self, question: Question) -> Cost:
        """From the unknowns of the largest symmetry sector, or the fill of the factorisation."""
        from spinsqueeze.methods.permutation_invariant.estimate import estimate

        if question.model.modes:
            return _cost_with_mode(question)
        n, generator = question.model.n_spins, liouvillian(question.model)
        if isinstance(question, Steady):
            needed = estimate(generator, task="steady_state")
            detail = f"{needed.unknowns} unknowns for N = {n}"
        else:
            needed = estimate(
                generator,
                task="evolve",
                n_times=len(question.times),
                n_stretches=1 + len(question.pulses),
                duration=question.duration,
            )
            detail = (
                f"(N+1)(N+2)(N+3)/6 = {needed.complex_numbers} complex numbers a state for N = {n}"
            )
        histories = _histories(question)
        memory = float(needed.bytes)
        if isinstance(question, Evolve) and histories > 1:
            memory += _BYTES_OF_A_HISTORY * histories * len(question.times)
            detail += f" and {histories} histories of {len(question.times)} times"
        seconds = needed.seconds * histories
        if isinstance(question, Evolve):
            open_system = bool(np.any(generator.local) or np.any(generator.collective))
            slower = _SLOWDOWN_OF_DRIVES if open_system else _SLOWDOWN_WITHOUT_JUMPS
            driven = slower if question.model.time_dependent else 1.0
            seconds = _SECONDS_AT_LEAST + driven * seconds
        return Cost(memory, seconds, detail)

    @override
    def keeps_state(self, question: Question) -> bool:
        """Without a cavity, and not as an average over histories of losses."""
        losses = question.losses if isinstance(question, Evolve) else None
        return not question.model.modes and (losses is None or losses.rate is None)

    def answer(self, question: Question) -> Answer:
        """Evolve the block state between pulses and losses, or solve for the null vector."""
        if question.model.modes:
            return self._with_mode(question)
        if isinstance(question, Steady):
            return self._steady_state(question)
        if question.losses is not None:
            return self._with_losses(question, question.losses)
        return self._evolve(question)

    def _with_mode(self, question: Question) -> Answer:
        from spinsqueeze.methods.base.kept_mode import evolution, steady
        from spinsqueeze.methods.permutation_invariant.with_mode import spin_space

        n = question.model.n_spins
        # Without a state: something of trace 1 in every shell.
        anywhere = np.full(state_size(n), 1.0 / int(np.sum(block_sizes(n))), dtype=complex)
        state = anywhere if question.state is None else block_values(question.state, n)
        space = spin_space(question.model, state, extras=partial(self._extras, n=n))
        if isinstance(question, Steady):
            return steady.steady_state(
                question, space, tolerance=self.tolerance, steady_tolerance=self.steady_tolerance
            )
        return evolution.evolve(question, space, tolerance=self.tolerance, algorithm=self.algorithm)

    def _extras(self, state: Complexes, *, n: int) -> dict[str, float | Floats]:
        """What is read of a block state beyond its moments."""
        values: dict[str, float | Floats] = {
            "shell_population": block_states.shell_populations(state, n_spins=n),
            "purity": purity(state, n_spins=n),
        }
        if self.qfi:
            values["qfi"] = fisher_information(block_fisher_matrix(state, n_spins=n))
        return values

    def _with_losses(self, question: Evolve, losses: Losses) -> Answer:
        from spinsqueeze.methods.permutation_invariant.loss import answer_with_losses

        arrays = interchangeable.at_peak(question.model)
        return answer_with_losses(
            question,
            losses,
            model_of=lambda left: generator_of(left, arrays),
            tolerance=self.tolerance,
            algorithm=self.algorithm,
            solver=self.solver,
        )

    def _evolve(self, question: Evolve) -> Answer:
        n, times = question.model.n_spins, question.times
        state = block_values(question.state, n)
        count = len(times)
        spin, covariance = np.empty((count, 3)), np.empty((count, 3, 3))
        extras: list[dict[str, float | Floats]] = [{} for _ in times]
        drift, error, algorithms, now = 0.0, 0.0, set(), 0.0
        for stop, rotations, wanted in stretches(question):
            marks = np.append(times[wanted], stop) - now
            run = self._run(question, state, marks, now)
            trace, first, second = run.moments()
            drift = max(drift, float(np.abs(trace - 1).max()))
            error += run.error
            algorithms |= set(run.algorithms)
            spin[wanted], covariance[wanted] = first[:-1], second[:-1]
            for k, output in enumerate(wanted):
                extras[output] = self._extras(run.state(k), n=n)
            state = run.state(len(marks) - 1)
            for rotation in rotations:
                state = block_states.rotated(
                    state, n_spins=n, axis=rotation.axis, angle=rotation.angle
                )
            now = stop
        question.progress(1.0)
        last = BlockState(state / trace[-1])
        moments = Moments(n_spins=n, spin=spin, covariance=covariance)
        return Answer(
            {**readings_of(moments), **_labelled(extras, n)},
            error={"spin": 2 * (drift + error) * np.sqrt(n)},
            diagnostics={
                "trace_drift": drift,
                "algorithm": ", ".join(sorted(algorithms)),
                "dtype": "complex128",
                "device": "cpu",
            },
            state_at=lambda k: last if k == count - 1 else None,
        )

    def _steady_state(self, question: Steady) -> Answer:
        from spinsqueeze.methods.permutation_invariant import steady

        n = question.model.n_spins
        initial = None if question.state is None else block_values(question.state, n)
        solution = steady.steady_state(
            liouvillian(question.model),
            initial=initial,
            solver=self.solver,
            tolerance=self.steady_tolerance,
        )
        spin, covariance = block_states.moments(solution.state, n_spins=n)
        extras = [self._extras(solution.state, n=n)]
        question.progress(1.0)
        diagnostics: dict[str, float | int | str] = {
            "residual": solution.residual,
            "error_estimate": solution.error_estimate,
            "zero_modes": solution.zero_modes,
            "unique": int(solution.unique),
            "notes": "; ".join(solution.notes),
            "dtype": "complex128",
            "device": "cpu",
        }
        if solution.slowest_rate is not None:
            diagnostics["slowest_rate"] = solution.slowest_rate
        end = BlockState(solution.state)
        moments_there = Moments(n_spins=n, spin=spin[None], covariance=covariance[None])
        return Answer(
            {**readings_of(moments_there), **_labelled(extras, n)},
            error={"spin": max(solution.error_estimate, STATE_ROUNDING) * np.sqrt(n)},
            diagnostics=diagnostics,
            state_at=lambda _index: end,
        )

    def _run(self, question: Evolve, state: Complexes, marks: Floats, now: float) -> Any:
        from spinsqueeze.methods.permutation_invariant.evolution import evolve, evolve_driven

        model, progress = question.model, progress_until(question, now, now + float(marks[-1]))
        if not model.time_dependent:
            return evolve(
                liouvillian(model),
                state=state,
                times=marks,
                tolerance=self.tolerance,
                algorithm=self.algorithm,
                solver=self.solver,
                progress=progress,
            )
        arrays, drive = interchangeable.in_time(model)
        return evolve_driven(
            [generator_of(model.n_spins, part) for part in arrays],
            drive=drive,
            state=state,
            times=now + marks,
            start=now,
            tolerance=self.tolerance,
            solver=self.solver,
            progress=progress,
        )


def _labelled(extras: list[dict[str, float | Floats]], n_spins: int) -> dict[str, Reading]:
    """Extras of every time as readings."""
    labels = shell_labels(n_spins)
    return {
        name: Reading(np.array([row[name] for row in extras]), coords=labels.get(name, {}))
        for name in extras[0]
    }


def _cost_with_mode(question: Question) -> Cost:
    model = question.model
    n = model.n_spins
    arrays = interchangeable.at_peak(model)
    rate = interchangeable.turning(arrays.quadratic, arrays.field, n_spins=n)
    rate += sum(r * float(np.linalg.norm(c)) ** 2 for r, c in arrays.collective_jumps) * n**2 / 4
    rate += sum(r * float(np.linalg.norm(c)) ** 2 for r, c in arrays.local_jumps) * n / 2
    alone = not model.local_jumps and not isinstance(question.state, BlockState | None)
    sizes = (n + 1,) if alone else tuple(block_sizes(n).tolist())
    return size.cost(question, sizes, pure=False, spin_rate=rate)


def _histories(question: Question) -> int:
    """How many runs a question takes: one, or as many as its random losses ask for."""
    losses = None if isinstance(question, Steady) else question.losses
    return 1 if losses is None or losses.rate is None else losses.runs


def _foreign(state: InitialState | None) -> list[str]:
    if isinstance(state, PermutationInvariantState):
        return []
    return [f"{type(state).__name__} is not permutation invariant, or not known to be"]


def liouvillian(model: Canonical) -> "Generator":
    """The generator of a model, with every envelope at its largest value."""
    return generator_of(model.n_spins, interchangeable.at_peak(model))


def generator_of(n_spins: int, arrays: CollectiveArrays) -> "Generator":
    """The generator of n_spins spins with these collective arrays."""
    from spinsqueeze.methods.permutation_invariant.generator import generator

    return generator(
        n_spins,
        quadratic=arrays.quadratic,
        field=arrays.field,
        collective_jumps=arrays.collective_jumps,
        local_jumps=arrays.local_jumps,
    )
