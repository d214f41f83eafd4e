"""PermutationInvariant: the Lindblad equation of alike spins on its irreducible blocks."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base import (
    Cost,
    Evolution,
    Method,
    Task,
    stretches,
)
from spinsqueeze.methods.state_forms import PermutationInvariantState, block_values
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.interchangeable import CollectiveArrays
from spinsqueeze.models.states import BlockState, InitialState
from spinsqueeze.numerics import block_states
from spinsqueeze.numerics.null_vectors import STATE_ROUNDING
from spinsqueeze.observables.block_states import purity
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import block_fisher_matrix, fisher_information

if TYPE_CHECKING:
    from spinsqueeze.methods.permutation_invariant.generator import Generator

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@final
@dataclass(frozen=True, eq=False)
class PermutationInvariant(Method):
    """Exact open dynamics of N alike spins: (N+1)(N+2)(N+3)/6 numbers instead of 4^N.

    H = S.Q.S + b.S, any collective jumps c.S and any local jumps c.s_i alike for every spin.
    Evolution over any span of time, steady states, pulses of all spins. Sources: chase2008,
    shammah2018 and NOTES.md.

    Args:
        tolerance: error of one step, relative to the state, 1e-13 to 1e-3.
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
    error_kind: ClassVar[str] = "exact"
    summary: ClassVar[str] = "open models of alike spins, evolution and steady states"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "collective_jumps", "local_jumps")
    )

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
            raise InvalidInput(f"qfi must be true or false, got {checks.shown(self.qfi)}")

    def obstacles(self, task: Task) -> list[str]:
        """Models unchanged by exchanging spins, from a state of the symmetric subspace."""
        reasons = interchangeable.obstacles(task.model)
        if any(r.mask is not None for r in task.pulses):
            reasons.append("a pulse acts on some of the spins only")
        reasons += _foreign(task.initial_state)
        return reasons

    def cost(self, task: Task) -> Cost:
        """From the number of unknowns of the largest symmetry sector."""
        from spinsqueeze.methods.permutation_invariant.estimate import estimate

        found = estimate(liouvillian(task.model), task="evolve", n_times=len(task.times))
        return Cost(
            float(found.bytes),
            found.seconds,
            f"(N+1)(N+2)(N+3)/6 = {found.complex_numbers} complex numbers a state for "
            f"N = {task.model.n_spins}",
        )

    def evolve(self, task: Task) -> Evolution:
        """Evolve the block state between pulses."""
        n = task.model.n_spins
        state = block_values(task.initial_state, n)
        count = len(task.times)
        spin, covariance = np.empty((count, 3)), np.empty((count, 3, 3))
        extras: dict[str, Any] = {"shell_population": np.empty((count, n // 2 + 1))}
        extras["purity"] = np.empty(count)
        if self.qfi:
            extras["qfi"] = np.empty(count)
        drift, error, algorithms, now = 0.0, 0.0, set(), 0.0
        for stop, rotations, wanted in stretches(task):
            marks = np.append(task.times[wanted], stop) - now
            run = self._run(task.model, state, marks, now)
            trace, first, second = run.moments()
            drift = max(drift, float(np.abs(trace - 1).max()))
            error += run.error
            algorithms |= set(run.algorithms)
            spin[wanted], covariance[wanted] = first[:-1], second[:-1]
            extras["shell_population"][wanted] = run.shell_populations()[:-1]
            for k, output in enumerate(wanted):
                self._measure(run.state(k), n, extras, output)
            state = run.state(len(marks) - 1)
            for rotation in rotations:
                state = block_states.rotated(
                    state, n_spins=n, axis=rotation.axis, angle=rotation.angle
                )
            now = stop
            task.progress(0.99 * min(now / task.times[-1], 1.0) if task.times[-1] else 0.99)
        task.progress(1.0)
        return Evolution(
            moments=Moments(n_spins=n, spin=spin, covariance=covariance),
            numerical_error=2 * (drift + error) * np.sqrt(n),
            diagnostics={
                "trace_drift": drift,
                "algorithm": ", ".join(sorted(algorithms)),
                "dtype": "complex128",
                "device": "cpu",
            },
            extras=extras,
            final_state=BlockState(state / trace[-1]),
        )

    def steady_obstacles(self, task: Task) -> list[str]:
        """Models unchanged by exchanging spins."""
        reasons = interchangeable.obstacles(task.model)
        if task.initial_state is not None:
            reasons += _foreign(task.initial_state)
        return reasons

    def steady_cost(self, task: Task) -> Cost:
        """From the fill of the sparse factorisation."""
        from spinsqueeze.methods.permutation_invariant.estimate import estimate

        found = estimate(liouvillian(task.model), task="steady_state")
        return Cost(
            float(found.bytes),
            found.seconds,
            f"{found.unknowns} unknowns for N = {task.model.n_spins}",
        )

    def steady_state(self, task: Task) -> Evolution:
        """Solve for the null vector of the Liouvillian."""
        from spinsqueeze.methods.permutation_invariant import steady

        n = task.model.n_spins
        initial = None if task.initial_state is None else block_values(task.initial_state, n)
        found = steady.steady_state(
            liouvillian(task.model),
            initial=initial,
            solver=self.solver,
            tolerance=self.steady_tolerance,
        )
        spin, covariance = block_states.moments(found.state, n_spins=n)
        extras: dict[str, Any] = {
            "shell_population": block_states.shell_populations(found.state, n_spins=n)[None],
            "purity": np.empty(1),
        }
        if self.qfi:
            extras["qfi"] = np.empty(1)
        self._measure(found.state, n, extras, 0)
        task.progress(1.0)
        diagnostics: dict[str, float | int | str] = {
            "residual": found.residual,
            "error_estimate": found.error_estimate,
            "zero_modes": found.zero_modes,
            "unique": int(found.unique),
            "notes": "; ".join(found.notes),
            "dtype": "complex128",
            "device": "cpu",
        }
        if found.slowest_rate is not None:
            diagnostics["slowest_rate"] = found.slowest_rate
        return Evolution(
            moments=Moments(n_spins=n, spin=spin[None], covariance=covariance[None]),
            numerical_error=max(found.error_estimate, STATE_ROUNDING) * np.sqrt(n),
            diagnostics=diagnostics,
            extras=extras,
            final_state=BlockState(found.state),
        )

    def _measure(self, state: Complexes, n: int, extras: dict[str, Any], index: int) -> None:
        extras["purity"][index] = purity(state, n_spins=n)
        if self.qfi:
            extras["qfi"][index] = fisher_information(block_fisher_matrix(state, n_spins=n))

    def _run(self, model: Canonical, state: Complexes, marks: Floats, now: float) -> Any:
        from spinsqueeze.methods.permutation_invariant.evolution import evolve, evolve_driven

        if not model.time_dependent:
            return evolve(
                liouvillian(model),
                state=state,
                times=marks,
                tolerance=self.tolerance,
                algorithm=self.algorithm,
                solver=self.solver,
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
        )


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
