"""Slowest modes and the Liouvillian gap by shift-and-invert Arnoldi, in every symmetry sector."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.layout import Sector, sectors, symmetry
from spinsqueeze.methods.permutation_invariant.solvers import SectorSolver, check_solver, rate_bound
from spinsqueeze.methods.permutation_invariant.threads import on_one_thread

Complex = NDArray[np.complex128]

ZERO = 1e-12
"""Eigenvalues below this fraction of the fastest rate count as zero modes."""


@dataclass(frozen=True)
class Mode:
    """One eigenvalue of the Liouvillian with its eigenvector.

    Attributes:
        eigenvalue: lambda, Re <= 0 [rate].
        sector: where it lives.
        vector: (size,) unknowns of the sector; sector.expand makes the block operator (for a
            complex pair expand the real and imaginary parts).
        residual: |A v - lambda v| / (|v| fastest rate).
    """

    eigenvalue: complex
    sector: Sector = field(repr=False)
    vector: Complex = field(repr=False)
    residual: float


@dataclass(frozen=True)
class SlowModes:
    """Slowest decaying modes.

    Attributes:
        gap: smallest -Re lambda over all nonzero modes found [rate].
        zero_modes: number of eigenvalues that vanish to working precision (1: unique steady state).
        modes: nonzero modes, slowest first.
    """

    gap: float
    zero_modes: int
    modes: tuple[Mode, ...] = field(repr=False)


@on_one_thread
def slow_modes(
    model: Generator,
    *,
    n_modes: int = 4,
    shells: tuple[int, int] | None = None,
    shift: complex = 0.0,
    solver: str = "auto",
) -> SlowModes:
    """Modes nearest `shift` in every sector, and the gap.

    `shells=(0, 1)` keeps to the maximal total spin (a closed problem without local jumps only).
    Without local jumps and without `shells`, every shell is solved alone and the smallest gap
    counts. For a weak U(1) symmetry a field along z only turns the sectors (-i b_z k) and is left
    out of the search. Modes that decay slowly but oscillate fast are far from shift 0: repeat with
    `shift` near their frequency (imaginary); the gap is the minimum over the modes found.

    Raises:
        InvalidInput: shells given for a model with local jumps; n_modes below 1; an unknown solver.
        NumericalFailure: the Arnoldi iteration does not converge, or no decaying mode exists.
    """
    check_solver(solver)
    N = model.n_spins
    if n_modes < 1:
        raise InvalidInput(f"n_modes must be at least 1, got {n_modes}")
    if model.has_local and shells is not None:
        raise InvalidInput("shells are coupled by local jumps; leave out `shells` for this model")
    found = symmetry(model)
    if found.modulus == 0 and model.field[2] != 0:
        model = Generator(N, model.quadratic, np.zeros(3), model.collective, model.local)
    first, last = shells if shells is not None else (0, N // 2 + 1)
    ranges: list[tuple[int, int] | None] = (
        [None] if model.has_local else [(s, s + 1) for s in range(first, last)]
    )
    modes: list[Mode] = []
    zeros = 0
    for part in ranges:
        for sector in sectors(N, found, shells=part):
            values, vectors, residuals, scale = _nearest(model, sector, n_modes, shift, solver)
            zero = np.abs(values) <= ZERO * scale
            zeros += int(zero.sum())
            for index in np.flatnonzero(~zero):
                modes.append(
                    Mode(complex(values[index]), sector, vectors[:, index], residuals[index])
                )
    modes.sort(key=lambda mode: (-mode.eigenvalue.real, abs(mode.eigenvalue.imag)))
    if not modes:
        raise NumericalFailure("no decaying mode found: every eigenvalue found vanishes")
    return SlowModes(-modes[0].eigenvalue.real, zeros, tuple(modes))


def _nearest(model, sector, n_modes, shift, solver):  # type: ignore[no-untyped-def]
    matrix = assemble(model, sector)
    n = sector.size
    scale = max(rate_bound(matrix), 1e-300)
    if n <= 120:
        found = np.linalg.eig(matrix.toarray())
        order = np.argsort(np.abs(found.eigenvalues - shift))[: n_modes + 2]
        values, vectors = found.eigenvalues[order], found.eigenvectors[:, order]
    else:
        from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

        sigma = shift + 1e-7 * scale
        if np.imag(sigma) == 0:
            sigma = float(np.real(sigma))
        factors = SectorSolver(matrix, sector=sector, solver=solver).factorise(sigma, 1.0)
        dtype = float if isinstance(sigma, float) else complex

        def inverse(v):  # type: ignore[no-untyped-def]
            return factors.solve(v.astype(dtype))

        operator = LinearOperator((n, n), matvec=inverse, dtype=dtype)
        start = np.random.default_rng(5).normal(size=n).astype(dtype)
        try:
            inverted, vectors = eigs(
                operator,
                k=n_modes + 1,
                which="LM",
                v0=start,
                ncv=max(24, 2 * n_modes + 8),
                maxiter=60,
            )
        except ArpackNoConvergence as error:
            raise NumericalFailure(
                f"the Arnoldi iteration did not converge to {n_modes + 1} modes near {shift:g}; "
                "ask for fewer modes or another shift"
            ) from error
        values = sigma - 1 / inverted
    residuals = [
        float(np.linalg.norm(matrix @ vectors[:, i] - value * vectors[:, i]) / scale)
        for i, value in enumerate(values)
    ]
    return values, vectors, residuals, scale
