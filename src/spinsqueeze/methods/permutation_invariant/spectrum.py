"""Slowest modes and the Liouvillian gap among permutation-invariant operators, sector by sector.

Small sectors are diagonalised whole. Large ones: shift-and-invert Arnoldi at zero with the zero
modes projected out (they are known beforehand, `conserved`), and, where it is affordable, Arnoldi
on exp(t L), which finds slow modes however fast they oscillate. Where the model is symmetric about
an axis that axis is made z, and a field along it is left out of the search and put back by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.conserved import (
    common_axis,
    steady_state_counts,
    turned,
    zero_modes,
)
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.sectors import Sector, Symmetry, sectors, symmetry
from spinsqueeze.methods.permutation_invariant.solvers import SectorSolver, check_solver
from spinsqueeze.methods.permutation_invariant.steady import sector_steady_state
from spinsqueeze.numerics.angular_momentum import damping_vector
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.dephasing import turned_axes
from spinsqueeze.numerics.factorisation import rate_bound
from spinsqueeze.numerics.krylov.polynomial import polynomial_evolution

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Z_AXIS = np.array([0.0, 0.0, 1.0])

DENSE = 300
"""Unknowns up to which all eigenvalues of a sector are computed."""

AFFORDABLE = 300.0
"""Fastest rate times two lifetimes of the slowest mode up to which exp(t L) is searched."""


@dataclass(frozen=True)
class Mode:
    """One eigenvalue of the Liouvillian with its eigenvector.

    Attributes:
        eigenvalue: lambda, Re <= 0 [rate].
        sector: where it lives.
        vector: (size,) unknowns of the sector; sector.expand makes the block operator (for a
            complex pair expand the real and imaginary parts), in the axes of SlowModes.
        residual: |A v - lambda v| / (|v| fastest rate).
        error: rounding error of the eigenvalue [rate], to first order from its condition, measured
            where that is large; from the residual alone in sectors of more than DENSE unknowns.
    """

    eigenvalue: complex
    sector: Sector = field(repr=False)
    vector: Complexes = field(repr=False)
    residual: float
    error: float


@dataclass(frozen=True)
class SlowModes:
    """Slowest decaying modes.

    Attributes:
        gap: smallest -Re lambda over all nonzero modes found [rate].
        zero_modes: independent permutation-invariant steady states (1: unique).
        modes: nonzero modes, slowest first.
        complete: no slower mode is left out. False where a sector is too large and too stiff to
            search for modes that oscillate fast: those nearest zero were found.
        axes: (3, 3) rows are the axes x, y, z in which the sectors and vectors are written.
    """

    gap: float
    zero_modes: int
    modes: tuple[Mode, ...] = field(repr=False)
    complete: bool
    axes: Floats = field(repr=False)


@dataclass(frozen=True)
class _Spectrum:
    """Eigenvalues (m,), vectors (n, m), residuals and errors (m,) [rate] of one matrix."""

    values: Complexes
    vectors: Complexes
    residuals: Floats
    errors: Floats
    complete: bool = True


@on_one_thread
def slow_modes(
    model: Generator,
    *,
    n_modes: int = 4,
    shells: tuple[int, int] | None = None,
    solver: str = "auto",
) -> SlowModes:
    """The `n_modes` slowest modes of every sector, and the gap.

    `shells=(0, 1)` keeps to the maximal total spin (a closed problem without local jumps only).
    Without local jumps and without `shells`, every shell is solved alone and the smallest gap
    counts.

    Raises:
        InvalidInput: shells given for a model with local jumps; n_modes below 1; an unknown solver.
        NumericalFailure: no decaying mode exists, the Arnoldi iteration does not converge, or the
            gap is below the rounding error of the fastest rates.
    """
    check_solver(solver)
    _check_modes(model, n_modes, shells)
    N = model.n_spins
    axis = _quantisation_axis(model)
    if not np.array_equal(axis, Z_AXIS):
        model = turned(model, axis)
    symmetries = symmetry(model)
    first, last = shells if shells is not None else (0, N // 2 + 1)
    ranges: list[tuple[int, int] | None] = (
        [None] if model.has_local else [(s, s + 1) for s in range(first, last)]
    )
    modes: list[Mode] = []
    complete = True
    for part in ranges:
        for sector in sectors(N, symmetries, shells=part):
            spectrum, copies = _sector_spectrum(model, sector, symmetries, n_modes, solver)
            complete = complete and spectrum.complete
            for k in np.argsort(-spectrum.values.real, kind="stable")[:n_modes]:
                for value, vector in copies(spectrum.values[k], spectrum.vectors[:, k]):
                    modes.append(
                        Mode(
                            complex(value),
                            sector,
                            vector,
                            float(spectrum.residuals[k]),
                            float(spectrum.errors[k]),
                        )
                    )
    modes.sort(key=lambda mode: (-mode.eigenvalue.real, abs(mode.eigenvalue.imag)))
    gap = _gap(modes)
    counts = steady_state_counts(model)
    zeros = sum(counts if model.has_local else counts[first:last])
    return SlowModes(gap, zeros, tuple(modes), complete, turned_axes(axis))


def _check_modes(model: Generator, n_modes: int, shells: tuple[int, int] | None) -> None:
    if n_modes < 1:
        raise InvalidInput(f"n_modes must be at least 1, got {n_modes}")
    if model.has_local and shells is not None:
        raise InvalidInput("shells are coupled by local jumps; leave out `shells` for this model")
    if not np.any(model.collective) and not model.has_local:
        raise NumericalFailure(
            "no decaying mode found: the model has no jumps, so every mode oscillates"
        )


def _gap(modes: list[Mode]) -> float:
    """The rate of the slowest of the sorted modes.

    Raises:
        NumericalFailure: there is none, or its rate is below its error.
    """
    if not modes:
        raise NumericalFailure("no decaying mode found: nothing but steady states exists")
    gap = -modes[0].eigenvalue.real
    if not gap > modes[0].error:
        raise NumericalFailure(
            f"the gap is below rounding: the slowest rate found is {gap:.1e} with an error of "
            f"{modes[0].error:.1e}, because other rates of the model are far larger. Strengthen "
            "the slow process"
        )
    return gap


def _quantisation_axis(model: Generator) -> Floats:
    """An axis about which the model is symmetric, else that along which its jumps lie, else z."""
    if symmetry(model).modulus == 0:
        return Z_AXIS
    own = common_axis(model)
    for axis in [*([] if own is None else [own]), *_candidate_axes(model)]:
        if symmetry(turned(model, axis)).modulus == 0:
            return axis
    return Z_AXIS if own is None else own


def _candidate_axes(model: Generator) -> Iterator[Floats]:
    vectors = [model.field]
    for matrix in (model.collective, model.local):
        vectors.append(damping_vector(matrix))
    for symmetric in (model.quadratic, model.collective.real, model.local.real):
        vectors += list(np.linalg.eigh(symmetric)[1].T)
    for vector in vectors:
        length = float(np.linalg.norm(vector))
        if length > 0:
            axis = vector / length
            axis[np.abs(axis) < 1e-14] = 0.0
            yield axis / np.linalg.norm(axis)


def _sector_spectrum(model, sector, symmetries: Symmetry, n_modes, solver):  # type: ignore[no-untyped-def]
    """The slowest modes of a sector, and how each becomes (eigenvalue, unknowns) of the model.

    With a conserved k = m - m' > 0 real and imaginary parts make one complex vector z of half the
    size, dz/dt = C z - i k b_z z, whose conjugate has the conjugate eigenvalues.
    """
    k = int(sector.column[0] - sector.row[0])
    both = symmetries.modulus == 0 and k > 0 and np.any(sector.part == 1) and sector.part[0] == 0
    if not both:
        spectrum = _slowest(assemble(model, sector), sector, model, n_modes, solver)
        return spectrum, lambda value, vector: [(value, vector)]
    bare = Generator(
        model.n_spins,
        model.quadratic,
        np.array([*model.field[:2], 0.0]),
        model.collective,
        model.local,
    )
    matrix = assemble(bare, sector)
    half = sector.size // 2
    shift = -1j * k * model.field[2]

    def copies(value, vector):  # type: ignore[no-untyped-def]
        whole = np.concatenate([vector, -1j * vector]) / np.sqrt(2)
        return [(value + shift, whole), (np.conj(value + shift), whole.conj())]

    compact = (matrix[:half][:, :half] + 1j * matrix[half:][:, :half]).tocsr()
    return _slowest(compact, sector, model, n_modes, "superlu"), copies


def _slowest(matrix, sector, model, n_modes, solver) -> _Spectrum:  # type: ignore[no-untyped-def]
    n = matrix.shape[0]
    axis = common_axis(model)
    if n <= DENSE:
        n_zero = 0
        if sector.has_trace:
            n_zero = 1 if axis is None else zero_modes(model, sector)[0].shape[1]
        return _dense_spectrum(matrix.toarray(), n_zero, fastest=model.rate_scale)
    right = left = np.zeros((n, 0))
    if sector.has_trace and axis is not None:
        right, left = zero_modes(model, sector)
    elif sector.has_trace:
        solution = sector_steady_state(matrix, sector=sector, solver=solver)
        right, left = solution.vector[:, None], sector.trace_vector()[:, None]

    def decaying(vectors):  # type: ignore[no-untyped-def]
        """Without the zero modes."""
        return vectors - right @ np.linalg.solve(left.T @ right, left.T @ vectors)

    fastest = max(rate_bound(matrix), model.rate_scale)
    near = _nearest_zero(matrix, sector, decaying, n_modes + 1, fastest, solver)
    time = 2.0 / max(float((-near.values.real).min()), 1e-300)
    if fastest * time > AFFORDABLE:
        return near
    try:
        lived = _longest_lived(matrix, decaying, n_modes, fastest, time)
    except NumericalFailure:  # no convergence: what was found stays, as not complete
        return near
    return _merged(near, lived)


def _dense_spectrum(matrix: NDArray[Any], n_zero: int, *, fastest: float) -> _Spectrum:
    """All but the zero modes, errors to first order from the condition of each eigenvalue.

    `fastest`: fastest rate of the model; entries of this sector may be small differences of such.
    """
    from scipy.linalg import eig

    values, left, right = eig(matrix, left=True, right=True)
    order = np.argsort(np.abs(values))[n_zero:]
    values, left, right = values[order], left[:, order], right[:, order]
    size = max(float(np.linalg.norm(matrix, 2)), fastest)
    residuals = np.linalg.norm(matrix @ right - right * values, axis=0)
    overlaps = np.abs(np.sum(left.conj() * right, axis=0))
    eps = float(np.finfo(float).eps)
    errors = (residuals + eps * size) / np.maximum(overlaps, eps)
    if np.any(errors > 1e-6 * np.abs(values)):
        errors = np.minimum(errors, _measured_errors(matrix, values, 4 * eps * size))
    return _Spectrum(values, right, residuals / size, errors)


def _measured_errors(matrix: NDArray[Any], values: Complexes, change: float) -> Floats:
    """Ten times how far eigenvalues move if the matrix changes by `change`, of two random tries.

    For eigenvalues without a basis of eigenvectors, which move as a root of the change, so that the
    first order knows no bound.
    """
    rng = np.random.default_rng(1)
    moved = np.zeros(values.size)
    for _ in range(2):
        noise = rng.normal(size=matrix.shape)
        noise *= change / np.linalg.norm(noise, 2)
        others = np.linalg.eigvals(matrix + noise)
        moved = np.maximum(moved, np.abs(values[:, None] - others).min(axis=1))
    return 10 * moved


def _nearest_zero(matrix, sector, decaying, count, fastest, solver) -> _Spectrum:  # type: ignore[no-untyped-def]
    """Shift-and-invert Arnoldi just above zero."""
    sigma = 1e-7 * rate_bound(matrix)
    factors = SectorSolver(matrix, sector=sector, solver=solver).factorise(sigma, 1.0)
    dtype = matrix.dtype

    def inverse(vector):  # type: ignore[no-untyped-def]
        return decaying(factors.solve(decaying(vector.astype(dtype))))

    inverted, vectors = _arnoldi(inverse, decaying, matrix, count, f"{count} modes nearest zero")
    return _checked(matrix, sigma - 1 / inverted, vectors, fastest)


def _longest_lived(matrix, decaying, count, fastest, time) -> _Spectrum:  # type: ignore[no-untyped-def]
    """Arnoldi on exp(time L): the modes of largest Re lambda, whatever their frequency."""
    from scipy.sparse import block_array

    real = matrix
    if np.iscomplexobj(matrix.data):
        real = block_array([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]]).tocsr()

    def propagate(vector: NDArray[Any]) -> NDArray[Any]:
        start = decaying(vector)
        if np.iscomplexobj(start):
            start = np.concatenate([start.real, start.imag])
        end = polynomial_evolution(real, start=start, times=np.array([time]), tolerance=1e-12)[0]
        n = matrix.shape[0]
        return np.asarray(decaying(end if end.size == n else end[:n] + 1j * end[n:]))

    _, vectors = _arnoldi(propagate, decaying, matrix, count, f"{count} longest-lived modes")
    values = np.sum(vectors.conj() * (matrix @ vectors), axis=0)
    return _checked(matrix, values, vectors, fastest)


def _arnoldi(operator: Any, decaying: Any, matrix: Any, count: int, what: str) -> Any:
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    n = matrix.shape[0]
    start = decaying(np.random.default_rng(5).normal(size=n)).astype(matrix.dtype)
    try:
        return eigs(
            LinearOperator((n, n), matvec=operator, dtype=matrix.dtype),
            k=count,
            which="LM",
            v0=start,
            ncv=max(24, 2 * count + 8),
            maxiter=60,
        )
    except ArpackNoConvergence as error:
        raise NumericalFailure(
            f"the Arnoldi iteration did not converge to the {what}; ask for fewer modes"
        ) from error


def _checked(
    matrix: "csr_array", values: Complexes, vectors: Complexes, fastest: float
) -> _Spectrum:
    misses: Any = np.linalg.norm(matrix @ vectors - vectors * values, axis=0)
    errors = misses + float(np.finfo(float).eps) * fastest
    return _Spectrum(values, vectors, misses / fastest, errors, complete=False)


def _merged(near: _Spectrum, lived: _Spectrum) -> _Spectrum:
    """Both searches, each mode once; the second makes the list of slow modes complete."""
    new = [
        k
        for k, value in enumerate(lived.values)
        if np.abs(near.values - value).min()
        > near.errors.max() + lived.errors[k] + 1e-9 * abs(value)
    ]
    return _Spectrum(
        np.concatenate([near.values, lived.values[new]]),
        np.concatenate([near.vectors, lived.vectors[:, new]], axis=1),
        np.concatenate([near.residuals, lived.residuals[new]]),
        np.concatenate([near.errors, lived.errors[new]]),
    )
