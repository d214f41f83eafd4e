"""Time evolution of block states, sector by sector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.layout import (
    Sector,
    sectors,
    state_size,
    symmetry,
)
from spinsqueeze.methods.permutation_invariant.moments import (
    moment_readout,
    shell_readout,
    split_readout,
)
from spinsqueeze.methods.permutation_invariant.solvers import (
    CheckedFactors,
    SectorSolver,
    check_solver,
    rate_bound,
)
from spinsqueeze.methods.permutation_invariant.threads import on_one_thread
from spinsqueeze.numerics.exponential import (
    polynomial_evolution,
    rational_evolution,
)

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Envelope = Callable[[float], float]

ALGORITHMS = ("auto", "polynomial", "rational")


@dataclass(frozen=True)
class BlockEvolution:
    """States at all times, as real unknowns of the occupied sectors.

    Attributes:
        n_spins: N.
        times: (T,).
        sectors: the sectors that the initial state occupies.
        unknowns: for each of them (T, size).
        algorithms: for each of them "polynomial", "rational" or "magnus".
    """

    n_spins: int
    times: Float
    sectors: tuple[Sector, ...]
    unknowns: tuple[Float, ...] = field(repr=False)
    algorithms: tuple[str, ...]

    def moments(self) -> tuple[Float, Float, Float]:
        """Trace (T,), <S_a> (T, 3), symmetrised centred covariance (T, 3, 3)."""
        total = sum(
            (moment_readout(sector) @ y.T).T
            for sector, y in zip(self.sectors, self.unknowns, strict=True)
        )
        return split_readout(np.asarray(total))

    def shell_populations(self) -> Float:
        """Probability of every total spin, j = N/2 first: (T, n_shells)."""
        total = sum(
            (shell_readout(sector) @ y.T).T
            for sector, y in zip(self.sectors, self.unknowns, strict=True)
        )
        return np.asarray(total)

    def state(self, index: int) -> Complex:
        """Flat block state at times[index] (without sectors left out by moments_only)."""
        total = np.zeros(state_size(self.n_spins), dtype=complex)
        for sector, y in zip(self.sectors, self.unknowns, strict=True):
            total += sector.expand(y[index])
        return total


def _checked_times(times: Float) -> Float:
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or not np.all(np.isfinite(grid)):
        raise InvalidInput(f"times must be a list of finite numbers, got shape {grid.shape}")
    if grid[0] < 0 or np.any(np.diff(grid) < 0):
        raise InvalidInput(f"times must be ascending from at least 0, got {grid[:4]} ...")
    return grid


def _occupied(
    models: Sequence[Generator], state: Complex, moments_only: bool
) -> list[tuple[Sector, Float]]:
    N = models[0].n_spins
    found = symmetry(*models)
    if state.shape != (state_size(N),):
        raise InvalidInput(
            f"state must be a flat block state of {state_size(N)} numbers for {N} spins, "
            f"got shape {state.shape}"
        )
    local = any(model.has_local for model in models)
    shells: list[tuple[int, int] | None] = (
        [None] if local else [(s, s + 1) for s in range(N // 2 + 1)]
    )
    out = []
    for part in shells:
        for sector in sectors(N, found, shells=part):
            k = int(sector.column[0] - sector.row[0])
            if moments_only and found.modulus == 0 and k > 2:
                continue
            start = sector.restrict(state)
            if np.any(start):
                out.append((sector, start))
    return out


@on_one_thread
def evolve(
    model: Generator,
    *,
    state: Complex,
    times: Float,
    tolerance: float = 1e-10,
    algorithm: str = "auto",
    solver: str = "auto",
    moments_only: bool = False,
) -> BlockEvolution:
    """Evolve a flat block state to ascending times (measured from the state's own time 0).

    `tolerance` is the error of a step in the 2-norm of the unknowns, relative to the state.
    `moments_only` leaves out coherences |m - m'| > 2 where m - m' is conserved.

    Raises:
        InvalidInput: a wrong state, times that do not ascend from 0, an unknown algorithm or
            solver.
        NumericalFailure: the rational method makes no progress.
    """
    check_solver(solver)
    grid = _checked_times(times)
    if algorithm not in ALGORITHMS:
        raise InvalidInput(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
    unknowns, used, kept = [], [], []
    for sector, start in _occupied([model], state, moments_only):
        matrix = assemble(model, sector)
        choice = algorithm if algorithm != "auto" else _choose(model, matrix, sector, grid)
        if choice == "polynomial":
            y = polynomial_evolution(matrix, start=start, times=grid, tolerance=tolerance)
        else:
            tools = SectorSolver(matrix, sector=sector, solver=solver)

            def factorise(gamma: float, tools: SectorSolver = tools) -> CheckedFactors:
                return tools.factorise(1.0, gamma)

            y = rational_evolution(
                matrix, start=start, times=grid, factorise=factorise, tolerance=tolerance
            )
        unknowns.append(y)
        used.append(choice)
        kept.append(sector)
    return BlockEvolution(model.n_spins, grid, tuple(kept), tuple(unknowns), tuple(used))


def _choose(model: Generator, matrix: Any, sector: Sector, times: Float) -> str:
    """The cheaper algorithm by a cost model: measured flops of products, factors and solves."""
    n = sector.size
    end = float(times[-1])
    products = rate_bound(matrix) * end / 6 + 40
    polynomial = products * (35e-6 + 5e-10 * matrix.nnz + 1.4e-8 * n)
    half = model.n_spins / 2
    spread = np.ptp(np.linalg.eigvalsh(model.quadratic)) * half**2
    turning = (spread + 2 * half * float(np.linalg.norm(model.field))) * end
    positive = times[times > 0]
    decades = np.log2(end / positive[0] + 1) / 3 + 2 if positive.size else 1.0
    factor = 1e-3 + 6.5e-2 * (n / 6200) ** 1.7
    solve = 2e-4 + 2e-3 * (n / 6200) ** 1.33
    rational = 1.5 * decades * factor + (1.5 * decades + turning / 10) * 30 * solve
    return "polynomial" if polynomial <= rational else "rational"


@on_one_thread
def evolve_driven(
    pieces: Sequence[tuple[Generator, Envelope | None]],
    *,
    state: Complex,
    times: Float,
    kinks: Sequence[float] = (),
    tolerance: float = 1e-9,
    moments_only: bool = False,
) -> BlockEvolution:
    """Evolve under L(t) = sum_k f_k(t) L_k: fourth-order commutator-free Magnus steps.

    A piece with envelope None is constant. Steps end at every output time and at every kink (where
    an envelope is not smooth); their length follows from step doubling. Each step applies two
    exponentials by polynomial Krylov.

    Raises:
        InvalidInput: no pieces, pieces of different n_spins, a wrong state or wrong times.
    """
    grid = _checked_times(times)
    if not pieces or len({model.n_spins for model, _ in pieces}) != 1:
        raise InvalidInput("pieces must be at least one (generator, envelope), all of one n_spins")
    marks = np.unique(np.concatenate([grid, [k for k in kinks if 0 < k < grid[-1]]]))
    unknowns, kept = [], []
    for sector, start in _occupied([model for model, _ in pieces], state, moments_only):
        matrices = [assemble(model, sector) for model, _ in pieces]
        envelopes = [envelope for _, envelope in pieces]
        unknowns.append(_magnus(matrices, envelopes, start, grid, marks, tolerance))
        kept.append(sector)
    return BlockEvolution(
        pieces[0][0].n_spins, grid, tuple(kept), tuple(unknowns), ("magnus",) * len(kept)
    )


def _magnus(matrices, envelopes, start, grid, marks, tolerance):  # type: ignore[no-untyped-def]
    root = np.sqrt(3.0) / 6
    nodes, weights = (0.5 - root, 0.5 + root), (0.25 + root, 0.25 - root)
    scale = float(np.linalg.norm(start))

    def step(y: Float, t: float, h: float) -> Float:
        strengths = np.array(
            [[1.0 if f is None else f(t + c * h) for f in envelopes] for c in nodes]
        )
        for first, second in (weights, weights[::-1]):
            mixed = 2 * (first * strengths[0] + second * strengths[1])
            total = sum(w * matrix for w, matrix in zip(mixed, matrices, strict=True))
            y = polynomial_evolution(
                total, start=y, times=np.array([h / 2]), tolerance=tolerance / 10
            )[0]
        return y

    out = np.empty((grid.size, start.size))
    y, now, done = start.astype(float), 0.0, 0
    h = float(grid[-1]) / 50
    for mark in np.concatenate([[0.0], marks[marks > 0]]):
        while now < mark * (1 - 1e-14):
            length = min(h, mark - now)
            whole = step(y, now, length)
            half = step(step(y, now, length / 2), now + length / 2, length / 2)
            error = float(np.linalg.norm(half - whole)) / 15
            allowed = tolerance * scale
            if error <= allowed:
                y, now = half + (half - whole) / 15, now + length
            factor = 0.9 * (allowed / max(error, 1e-300)) ** 0.2
            if error > allowed or length == h:
                h = length * min(3.0, max(0.2, factor))
        now = max(now, float(mark))
        while done < grid.size and grid[done] <= mark:
            out[done] = y
            done += 1
    return out
