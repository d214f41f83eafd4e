"""Steady states: where an open model ends, from any state or from the one given.

How many steady states there are follows from the model's constants (`numerics.dephasing`), not from
small numbers. If every jump lies along one axis the limit is a sum over groups of levels. Otherwise
each shell (without local jumps) or the whole state (with them) has exactly one, the null vector of
the Liouvillian in the symmetry sector of the populations, found by inverse iteration.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.conserved import (
    common_axis,
    dephased_state,
    steady_state_counts,
)
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.sectors import Sector, sectors, symmetry
from spinsqueeze.methods.permutation_invariant.solvers import SectorSolver, check_solver
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.block_layout import state_size
from spinsqueeze.numerics.block_states import shell_populations
from spinsqueeze.numerics.factorisation import rate_bound
from spinsqueeze.numerics.null_vectors import null_vector

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class SteadyState:
    """A steady state and how far to trust it.

    Attributes:
        state: flat block state, trace 1.
        residual: |L rho| / (|rho| fastest rate), in the 2-norm of the unknowns.
        zero_modes: independent permutation-invariant steady states of the model.
        slowest_rate: estimate of the smallest nonzero rate beside them [rate]; None where no
            matrix was solved.
        error_estimate: rounding error of the state, relative to |rho|.
        unique: whether every initial state ends here.
        notes: what is conserved, in words.
    """

    state: Complexes = field(repr=False)
    residual: float
    zero_modes: int
    slowest_rate: float | None
    error_estimate: float
    unique: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SectorSteadyState:
    """The only steady state of a sector, scaled to trace 1.

    Attributes:
        vector: (n,).
        residual: |A y| / (|y| fastest rate).
        slowest: estimate of the smallest other |eigenvalue|.
        error: rounding error of the vector relative to its norm.
    """

    vector: Floats = field(repr=False)
    residual: float
    slowest: float
    error: float


@on_one_thread
def steady_state(
    model: Generator,
    *,
    initial: Complexes | None = None,
    solver: str = "auto",
    tolerance: float = 1e-6,
) -> SteadyState:
    """Steady state of a model, or the one that `initial` reaches where there are several.

    Raises:
        InvalidInput: the model has no jumps, or several steady states and no `initial`; an
            unknown solver.
        NumericalFailure: the error estimate exceeds `tolerance`.
    """
    check_solver(solver)
    N = model.n_spins
    if not np.any(model.collective) and not model.has_local:
        raise InvalidInput(
            "a steady state needs at least one jump with a positive rate; this model is closed"
        )
    axis = common_axis(model)
    counts = steady_state_counts(model)
    count = sum(counts)
    if count > 1 and initial is None:
        raise InvalidInput(_several(counts, along_axis=axis is not None))
    notes = _notes(counts, along_axis=axis is not None)
    if axis is not None:
        state = dephased_state(model, axis, initial=initial)
        residual = _residual(model, state)
        rounding = max(residual, (N + 1) * float(np.finfo(float).eps))
        return SteadyState(state, residual, count, None, rounding, count == 1, notes)
    if model.has_local:
        weights: dict[tuple[int, int] | None, float] = {None: 1.0}
    elif initial is None:
        weights = {(0, 1): 1.0}
    else:
        populations = shell_populations(initial, n_spins=N)
        occupied = np.flatnonzero(np.abs(populations) > 1e-15)
        weights = {(int(s), int(s) + 1): float(populations[s]) for s in occupied}
    state = np.zeros(state_size(N), dtype=complex)
    residual, slowest, error = 0.0, np.inf, 0.0
    symmetries = symmetry(model)
    for shells, weight in weights.items():
        (sector,) = (s for s in sectors(N, symmetries, shells=shells) if s.has_trace)
        solution = sector_steady_state(assemble(model, sector), sector=sector, solver=solver)
        if not solution.error <= tolerance:
            raise NumericalFailure(
                f"the steady state is near-singular: the slowest rate is about "
                f"{solution.slowest:.1e} and rounding may change the state by {solution.error:.1e} "
                f"(tolerance {tolerance:g}). Strengthen the slow process, raise steady_tolerance, "
                "or evolve from an initial state"
            )
        state += weight * sector.expand(solution.vector)
        residual = max(residual, solution.residual)
        slowest = min(slowest, solution.slowest)
        error = max(error, solution.error)
    return SteadyState(state, residual, count, slowest, error, count == 1, notes)


def _several(counts: list[int], *, along_axis: bool) -> str:
    total = sum(counts)
    reason = "all jumps lie along one axis and keep what the Hamiltonian keeps"
    if len(counts) > 1:
        each = "at least one" if along_axis else "one"
        reason = (
            f"without local jumps each of the {len(counts)} total spins keeps its weight and has "
            f"{each}"
        )
    return (
        f"the model has {total} independent steady states ({reason}): give initial_state to choose "
        "the one that it reaches"
    )


def _notes(counts: list[int], *, along_axis: bool) -> tuple[str, ...]:
    notes = []
    if len(counts) > 1:
        notes.append("no local jumps: total spin is conserved, one steady state or more per shell")
    if along_axis:
        notes.append(
            "all jumps along one axis: levels along it that the Hamiltonian connects share evenly"
        )
    return tuple(notes)


def _residual(model: Generator, state: Complexes) -> float:
    """|L rho| / (|rho| fastest rate) over the sectors that a state occupies.

    A sector whose rates cancel holds nothing but their rounding: the model itself says how fast its
    processes are.
    """
    half = model.n_spins / 2
    fastest = float(np.trace(model.collective).real * half**2 + np.trace(model.local).real * half)
    change, size = 0.0, 0.0
    shells: list[tuple[int, int] | None] = (
        [None] if model.has_local else [(s, s + 1) for s in range(model.n_spins // 2 + 1)]
    )
    symmetries = symmetry(model)
    for part in shells:
        for sector in sectors(model.n_spins, symmetries, shells=part):
            y = sector.restrict(state)
            if not np.any(y):
                continue
            matrix = assemble(model, sector)
            change += float(np.sum((matrix @ y) ** 2))
            size += float(np.sum(y**2))
            fastest = max(fastest, rate_bound(matrix))
    return float(np.sqrt(change / size) / fastest) if fastest else 0.0


def sector_steady_state(matrix: "csr_array", *, sector: Sector, solver: str) -> SectorSteadyState:
    """Steady state of a sector that has exactly one, the trace its left partner.

    The rounding error is eps |A| |A^+|: |A^+|, the norm of the pseudoinverse, by singular values or
    by power iteration.
    """
    if sector.size == 1:
        return SectorSteadyState(np.ones(1), 0.0, np.inf, 0.0)
    trace = sector.trace_vector()
    solver_of_sector = SectorSolver(matrix, sector=sector, solver=solver)
    null = null_vector(matrix, left=trace, factorise=solver_of_sector.factorise)
    y, scale = null.vector, rate_bound(matrix)
    residual = float(np.linalg.norm(matrix @ y) / (np.linalg.norm(y) * scale))
    eps = float(np.finfo(float).eps)
    error = (eps * null.fastest + residual * scale) * null.resolvent
    return SectorSteadyState(y / (trace @ y), residual, null.slowest, error)
