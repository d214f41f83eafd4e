"""Steady states: inverse iteration at a vanishing shift, and what a given initial state becomes.

The kernel of the Liouvillian is found sector by sector. Without local jumps total spin is conserved
and every shell is solved alone, weighted by its initial population. The trace of the limit follows
from left null vectors, so several steady states are told apart instead of mixed up.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.layout import (
    Sector,
    sectors,
    state_size,
    symmetry,
)
from spinsqueeze.methods.permutation_invariant.moments import shell_populations
from spinsqueeze.methods.permutation_invariant.solvers import SectorSolver, check_solver, rate_bound
from spinsqueeze.methods.permutation_invariant.threads import on_one_thread

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

ZERO = 2e-13
"""Eigenvalues below this fraction of the fastest rate are zero to working precision."""


@dataclass(frozen=True)
class SteadyState:
    """A steady state and how far to trust it.

    Attributes:
        state: flat block state, trace 1.
        residual: |L rho| / (|rho| fastest rate), in the 2-norm of the unknowns.
        zero_modes: independent steady states found (in the sectors examined, see steady_state).
        slowest_rate: estimate of the smallest nonzero rate found beside them [rate].
        error_estimate: residual (at least rounding) times fastest over slowest rate, relative to
            |rho|.
        unique: whether the result does not depend on the initial state.
        notes: what was conserved and examined, in words.
    """

    state: Complex = field(repr=False)
    residual: float
    zero_modes: int
    slowest_rate: float
    error_estimate: float
    unique: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Kernel:
    """Right and left null vectors of one sector, (n, d) each, with the slowest nonzero rate."""

    right: Float
    left: Float
    slowest: float
    residual: float
    scale: float


def _kernel(model: Generator, sector: Sector, solver: str, seed: int = 7) -> _Kernel:
    matrix = assemble(model, sector)
    n = sector.size
    scale = rate_bound(matrix)
    if scale == 0:
        return _Kernel(np.eye(n), np.eye(n), np.inf, 0.0, 0.0)
    if n <= 60:
        return _dense_kernel(matrix.toarray(), scale)
    factors = SectorSolver(matrix, sector=sector, solver=solver).factorise(-1e-13 * scale, -1.0)
    width = 2
    rng = np.random.default_rng(seed)
    while True:
        block = rng.normal(size=(n, width))
        if sector.has_trace:
            block[:, 0] = sector.trace_vector()
        block, values = _inverse_iteration(matrix, factors, block)
        zero = np.abs(values) <= ZERO * scale
        if not zero.all():
            break
        if width >= 16:
            raise NumericalFailure(
                f"at least {width} steady states in one symmetry sector: the model has further "
                "conserved quantities; add a jump that breaks them, or evolve in time instead"
            )
        width *= 2
    order = np.argsort(np.abs(values))
    d = int(zero.sum())
    slowest = float(np.abs(values[order[d]]))
    right = _real_span(block, values, order[:d])
    if d == 0:
        return _Kernel(right, right, slowest, 0.0, scale)
    if d == 1 and sector.has_trace:
        left = sector.trace_vector()[:, None]
    else:
        start = rng.normal(size=(n, width))
        transposed, left_values = _inverse_iteration(matrix.T.tocsr(), factors, start, True)
        left = _real_span(transposed, left_values, np.argsort(np.abs(left_values))[:d])
    residual = float(np.linalg.norm(matrix @ right) / (np.linalg.norm(right) * scale))
    return _Kernel(right, left, slowest, residual, scale)


def _inverse_iteration(matrix, factors, block, transposed=False):  # type: ignore[no-untyped-def]
    for _ in range(4):
        block, _ = np.linalg.qr(block)
        block = factors.solve(block, transposed=transposed)
    block, _ = np.linalg.qr(block)
    values = np.linalg.eig(block.T @ (matrix @ block))
    return block @ values.eigenvectors, values.eigenvalues


def _real_span(vectors: NDArray, values: NDArray, chosen: NDArray) -> Float:
    """Real orthonormal basis of the span of chosen (numerically real) eigenvectors."""
    if chosen.size == 0:
        return np.zeros((vectors.shape[0], 0))
    picked = vectors[:, chosen]
    both = np.concatenate([picked.real, picked.imag], axis=1)
    u, s, _ = np.linalg.svd(both, full_matrices=False)
    return u[:, : chosen.size] if s[chosen.size - 1] > 0 else u


def _dense_kernel(matrix: Float, scale: float) -> _Kernel:
    u, s, vh = np.linalg.svd(matrix)
    zero = s <= 1e-12 * scale
    right, left = vh[zero].T, u[:, zero]
    others = np.linalg.eigvals(matrix)
    others = others[np.abs(others) > 1e-11 * scale]
    slowest = float(np.abs(others).min()) if others.size else np.inf
    residual = float(np.linalg.norm(matrix @ right) / scale)
    return _Kernel(right, left, slowest, residual, scale)


@on_one_thread
def steady_state(
    model: Generator,
    *,
    initial: Complex | None = None,
    solver: str = "auto",
    tolerance: float = 1e-6,
    all_sectors: bool = False,
) -> SteadyState:
    """Steady state of a model, or the one that `initial` reaches where there are several.

    With local jumps only the symmetry sector of the populations is solved, which is all of the
    state unless a symmetry is broken; `all_sectors` looks for zero modes in the others too (and
    in every sector the initial state occupies). Without local jumps every occupied shell is solved
    in all sectors that `initial` occupies.

    Raises:
        InvalidInput: the model has no jumps, or several steady states and no `initial`; an
            unknown solver.
        NumericalFailure: the error estimate exceeds `tolerance`, or too many zero modes.
    """
    check_solver(solver)
    N = model.n_spins
    if not np.any(model.collective) and not model.has_local:
        raise InvalidInput(
            "a steady state needs at least one jump with a positive rate; this model is closed"
        )
    found = symmetry(model)
    notes: list[str] = []
    if model.has_local:
        ranges: list[tuple[int, int] | None] = [None]
    else:
        n_shells = N // 2 + 1
        notes.append("no local jumps: total spin is conserved, one steady state or more per shell")
        if initial is None:
            if n_shells > 1:
                raise InvalidInput(
                    f"without local jumps each of the {n_shells} total spins has its own steady "
                    "state; give initial_state to choose"
                )
            initial_shells = [0]
        else:
            weights = shell_populations(initial, n_spins=N)
            initial_shells = [int(s) for s in np.flatnonzero(np.abs(weights) > 1e-15)]
        ranges = [(s, s + 1) for s in initial_shells]
    state = np.zeros(state_size(N), dtype=complex)
    worst_residual, slowest, scale = 0.0, np.inf, 0.0
    zero_modes, reached, unique = 0, 0, model.has_local
    for shells in ranges:
        for sector in sectors(N, found, shells=shells):
            start = sector.restrict(initial) if initial is not None else None
            occupied = start is not None and bool(np.any(np.abs(start) > 1e-15))
            examine = all_sectors or (not model.has_local and occupied)
            if not sector.has_trace and not examine:
                continue
            kernel = _kernel(model, sector, solver)
            d = kernel.right.shape[1]
            zero_modes += d
            scale = max(scale, kernel.scale)
            slowest = min(slowest, kernel.slowest)
            worst_residual = max(worst_residual, kernel.residual)
            if sector.has_trace and d == 0:
                raise NumericalFailure(
                    "no zero mode found in the sector of the populations; the smallest rate is "
                    f"{kernel.slowest:g}. The matrix is badly scaled: try solver='superlu'"
                )
            if d == 0:
                continue
            if d == 1 and sector.has_trace:
                vector = kernel.right[:, 0]
                weight = 1.0 if start is None else float(sector.trace_vector() @ start)
                part = vector * (weight / (sector.trace_vector() @ vector))
            else:
                unique = False
                notes.append(f"{d} zero modes in one symmetry sector of {sector.size} unknowns")
                if start is None:
                    raise InvalidInput(
                        f"{d} independent steady states in one symmetry sector: give "
                        "initial_state to choose the one that it reaches"
                    )
                overlap = kernel.left.T @ kernel.right
                part = kernel.right @ np.linalg.solve(overlap, kernel.left.T @ start)
            state += sector.expand(part)
            reached += 1
    rounding = max(float(np.finfo(float).eps), worst_residual)
    error = rounding * scale / slowest if np.isfinite(slowest) else 0.0
    if not error <= tolerance:
        raise NumericalFailure(
            f"the steady state is near-singular: the slowest rate {slowest:g} is only "
            f"{slowest / scale:.1e} of the fastest, and rounding may change the state by "
            f"{error:.1e} "
            f"(tolerance {tolerance:g}). Strengthen the slow process, raise `tolerance`, or evolve "
            "from an initial state"
        )
    return SteadyState(state, worst_residual, zero_modes, slowest, error, unique, tuple(notes))
