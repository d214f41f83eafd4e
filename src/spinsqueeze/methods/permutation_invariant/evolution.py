"""Time evolution of block states, sector by sector."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.checks import ascending
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import Progress, no_progress, part_of
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.readout import moment_readout, shell_readout
from spinsqueeze.methods.permutation_invariant.sectors import Sector, sectors, symmetry
from spinsqueeze.methods.permutation_invariant.solvers import SectorSolver, check_solver
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.interchangeable import turning
from spinsqueeze.numerics import magnus
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.block_layout import block_offsets, state_size
from spinsqueeze.numerics.block_states import split_readout
from spinsqueeze.numerics.factorisation import CheckedFactors, rate_bound
from spinsqueeze.numerics.krylov.polynomial import polynomial_evolution, polynomial_rounding
from spinsqueeze.numerics.krylov.rational import rational_evolution
from spinsqueeze.numerics.lindblad_evolution import DrivenEquation, LongEvolution
from spinsqueeze.numerics.weighted_sum import WeightedSum

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
        error: estimated error of the last state in the 2-norm of all unknowns, relative to the
            first state.
    """

    n_spins: int
    times: Floats
    sectors: tuple[Sector, ...]
    unknowns: tuple[Floats, ...] = field(repr=False)
    algorithms: tuple[str, ...]
    error: float

    def moments(self) -> tuple[Floats, Floats, Floats]:
        """Trace (T,), <S_a> (T, 3), symmetrised centred covariance (T, 3, 3)."""
        total = sum(
            (moment_readout(sector) @ y.T).T
            for sector, y in zip(self.sectors, self.unknowns, strict=True)
        )
        return split_readout(np.asarray(total))

    def shell_populations(self) -> Floats:
        """Probability of every total spin, j = N/2 first: (T, n_shells)."""
        total = sum(
            (shell_readout(sector) @ y.T).T
            for sector, y in zip(self.sectors, self.unknowns, strict=True)
        )
        return np.asarray(total)

    def state(self, index: int) -> Complexes:
        """Flat block state at times[index]."""
        total = np.zeros(state_size(self.n_spins), dtype=complex)
        for sector, y in zip(self.sectors, self.unknowns, strict=True):
            sector.add_to(total, y[index])
        return total


def _occupied(models: Sequence[Generator], state: Complexes) -> list[tuple[Sector, Floats]]:
    N = models[0].n_spins
    symmetries = symmetry(*models)
    if state.shape != (state_size(N),):
        raise InvalidInput(
            f"state must be a flat block state of {state_size(N)} numbers for {N} spins, "
            f"got shape {state.shape}"
        )
    local = any(model.has_local for model in models)
    offsets = block_offsets(N)
    shells: list[tuple[int, int] | None] = (
        [None]
        if local
        else [(s, s + 1) for s in range(N // 2 + 1) if np.any(state[offsets[s] : offsets[s + 1]])]
    )
    out = []
    for part in shells:
        for sector in sectors(N, symmetries, shells=part):
            start = sector.restrict(state)
            if np.any(start):
                out.append((sector, start))
    return out


@on_one_thread
def evolve(
    model: Generator,
    *,
    state: Complexes,
    times: Floats,
    tolerance: float = 1e-10,
    algorithm: str = "auto",
    solver: str = "auto",
    progress: Progress = no_progress,
) -> BlockEvolution:
    """Evolve a flat block state to ascending times (measured from the state's own time 0).

    `tolerance` is the error of a step in the 2-norm of the unknowns, relative to the state.

    Raises:
        InvalidInput: a wrong state, times that do not ascend from 0, an unknown algorithm or
            solver.
        NumericalFailure: the rational method makes no progress.
    """
    check_solver(solver)
    grid = ascending("times", times)
    if algorithm not in ALGORITHMS:
        raise InvalidInput(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
    unknowns, used, kept, error = [], [], [], 0.0
    occupied = _occupied([model], state)
    done, total = 0, sum(sector.size for sector, _ in occupied)
    for sector, start in occupied:
        matrix = assemble(model, sector)
        choice = (
            algorithm if algorithm != "auto" else _choose(_turning(model), matrix, sector, grid)
        )
        share = part_of(progress, done / total, (done + sector.size) / total)
        y, added = _under_constant(matrix, sector, start, grid, tolerance, choice, solver, share)
        done += sector.size
        error = max(error, added)  # of parts of the state, each relative to its own size
        unknowns.append(y)
        used.append(choice)
        kept.append(sector)
    return BlockEvolution(model.n_spins, grid, tuple(kept), tuple(unknowns), tuple(used), error)


def _under_constant(
    matrix: Any,
    sector: Sector,
    start: Floats,
    times: Floats,
    tolerance: float,
    algorithm: str,
    solver: str,
    progress: Progress = no_progress,
) -> tuple[Floats, float]:
    """The unknowns at all times, and their error relative to the start."""
    if algorithm == "polynomial":
        y = polynomial_evolution(
            matrix, start=start, times=times, tolerance=tolerance, progress=progress
        )
        return y, tolerance + polynomial_rounding(matrix, duration=float(times[-1]))
    tools = SectorSolver(matrix, sector=sector, solver=solver)

    def factorise(gamma: float) -> CheckedFactors:
        return tools.factorise(1.0, gamma)

    return rational_evolution(
        start=start, times=times, factorise=factorise, tolerance=tolerance, progress=progress
    )


def _turning(model: Generator) -> float:
    return turning(model.quadratic, model.field, n_spins=model.n_spins)


def _choose(turning: float, matrix: Any, sector: Sector, times: Floats) -> str:
    """The cheaper algorithm by a cost model: measured flops of products, factors and solves."""
    n = sector.size
    end = float(times[-1])
    products = rate_bound(matrix) * end / 6 + 40
    polynomial = products * (35e-6 + 5e-10 * matrix.nnz + 1.4e-8 * n)
    positive = times[times > 0]
    decades = np.log2(end / positive[0] + 1) / 3 + 2 if positive.size else 1.0
    factor = 1e-3 + 6.5e-2 * (n / 6200) ** 1.7
    solve = 2e-4 + 2e-3 * (n / 6200) ** 1.33
    rational = 1.5 * decades * factor + (1.5 * decades + turning * end / 10) * 30 * solve
    return "polynomial" if polynomial <= rational else "rational"


def _long_evolution(sector: Sector, turning: Floats, solver: str) -> LongEvolution:
    """Evolution in one sector by the cheaper algorithm; turning: frequencies of every L_k."""

    def evolved(
        weights: Floats, matrix: Any, state: Floats, times: Floats, tolerance: float
    ) -> tuple[Floats, float]:
        algorithm = _choose(float(np.abs(weights) @ turning), matrix, sector, times)
        return _under_constant(matrix, sector, state, times, tolerance, algorithm, solver)

    return evolved


@on_one_thread
def evolve_driven(
    models: Sequence[Generator],
    *,
    drive: DriveWeights,
    state: Complexes,
    times: Floats,
    start: float = 0.0,
    tolerance: float = 1e-9,
    solver: str = "auto",
    progress: Progress = no_progress,
) -> BlockEvolution:
    """Evolve from `start` under L(t) = sum_k w_k(t) L_k by Magnus steps (`numerics.magnus`).

    `drive` holds one weight for each of `models`; `times` ascend from `start`. `tolerance` is the
    error of the last state, in the 2-norm of the unknowns relative to the first.

    Raises:
        InvalidInput: no models, models of different n_spins, a wrong state or wrong times.
        NumericalFailure: the steps shrink to nothing.
    """
    check_solver(solver)
    elapsed = ascending("times", np.asarray(times) - start)
    if len({model.n_spins for model in models}) != 1 or len(models) != len(drive.strengths):
        raise InvalidInput("models must be at least one, all of one n_spins, each with a strength")
    stop = start + float(elapsed[-1])
    scale = float(np.linalg.norm(state))
    frequencies = np.array([_turning(model) for model in models])
    unknowns, kept, error = [], [], 0.0
    occupied = _occupied(models, state)
    before, total = 0, sum(y.size for _, y in occupied)
    for sector, y in occupied:
        out = np.empty((elapsed.size, y.size))
        done = 0
        share = part_of(progress, before / total, (before + y.size) / total)

        def emit(value: Floats, _: float, out: Floats = out, share: Progress = share) -> None:
            nonlocal done
            out[done] = value
            done += 1
            share(done / len(out))

        generator = WeightedSum([assemble(model, sector) for model in models])
        if stop > start:
            size = float(np.linalg.norm(y))
            _, added = magnus.propagate(
                DrivenEquation(generator, evolve=_long_evolution(sector, frequencies, solver)),
                drive,
                y.astype(float),
                start=start,
                stop=stop,
                tolerance=tolerance * size,
                outputs=[start + float(t) for t in elapsed],
                emit=emit,
            )
            error += added / scale
        else:
            out[:] = y
        before += y.size
        unknowns.append(out)
        kept.append(sector)
    return BlockEvolution(
        models[0].n_spins, elapsed, tuple(kept), tuple(unknowns), ("magnus",) * len(kept), error
    )
