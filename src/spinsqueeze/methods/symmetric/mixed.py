"""Density matrices of the symmetric subspace under collective jumps: evolution, steady states.

The Liouvillian acts on the real and imaginary parts of R[m, m'], m >= m'. Its graph falls apart
into closed parts (parity of m - m', real and imaginary, each m - m'), found as the connected
components of the matrix; every part is solved alone.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.symmetric.operators import Jumps, drift, spin_operators
from spinsqueeze.numerics.exponential import polynomial_evolution, rational_evolution

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

NEGLIGIBLE = 1e-15


@dataclass(frozen=True)
class Liouvillian:
    """Real matrix of the master equation on the unknowns of a Hermitian matrix.

    Attributes:
        n_spins: N.
        matrix: (n, n) CSR, n = (N+1)^2: real parts of R[r, c], c >= r, then imaginary parts, c > r.
        rows, columns: entry of every unknown.
        imaginary: which unknowns are imaginary parts.
        component: closed part of every unknown.
    """

    n_spins: int
    matrix: "csr_array" = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    columns: NDArray[np.int64] = field(repr=False)
    imaginary: NDArray[np.bool_] = field(repr=False)
    component: NDArray[np.int32] = field(repr=False)

    def restrict(self, rho: Complex) -> Float:
        """Unknowns (..., n) of Hermitian matrices (..., N+1, N+1)."""
        taken = rho[..., self.rows, self.columns]
        return np.where(self.imaginary, taken.imag, taken.real)

    def expand(self, unknowns: Float) -> Complex:
        """Hermitian matrices (..., N+1, N+1) of unknowns (..., n)."""
        size = self.n_spins + 1
        upper = np.zeros((*unknowns.shape[:-1], size, size), dtype=complex)
        real = ~self.imaginary
        upper[..., self.rows[real], self.columns[real]] = unknowns[..., real]
        upper[..., self.rows[~real], self.columns[~real]] += 1j * unknowns[..., ~real]
        diagonal = np.einsum("...ii->...i", upper).copy()
        full = upper + np.swapaxes(upper.conj(), -1, -2)
        np.einsum("...ii->...i", full)[...] = diagonal
        return full

    def trace_vector(self) -> Float:
        """T with t.y = Tr R."""
        return (self.rows == self.columns).astype(float)


def liouvillian(
    n_spins: int,
    *,
    quadratic: Float | None = None,
    field: Float | None = None,
    jumps: Jumps = (),
) -> Liouvillian:
    """The master equation of H = S.Q.S + b.S and collective jumps rate D[c.S]."""
    from scipy.sparse import csr_array, eye_array, kron
    from scipy.sparse.csgraph import connected_components

    size = n_spins + 1
    X = drift(n_spins, quadratic=quadratic, field=field, jumps=jumps)
    one = eye_array(size, format="csr")
    total = kron(X, one) + kron(one, X.conj())
    S = spin_operators(n_spins)
    for rate, vector in jumps:
        L = sum(component * s for component, s in zip(np.asarray(vector), S, strict=True))
        total = total + rate * kron(L, L.conj())
    total = total.tocsr()
    r, c = np.triu_indices(size)
    r1, c1 = np.triu_indices(size, 1)
    n_real = r.size
    # R = T y with T[(r, c), real] = T[(c, r), real] = 1, T[(r, c), imag] = i, T[(c, r), imag] = -i
    upper = np.concatenate([r * size + c, r1 * size + c1, c1 * size + r1, c1 * size + r1])
    below = np.flatnonzero(r != c)
    unknown = np.concatenate(
        [np.arange(n_real), n_real + np.arange(r1.size), below, n_real + np.arange(r1.size)]
    )
    value = np.concatenate(
        [np.ones(n_real), 1j * np.ones(r1.size), np.ones(below.size), -1j * np.ones(r1.size)]
    )
    T = csr_array((value, (upper, unknown)), shape=(size**2, size**2))
    moved = (total @ T).tocsr()
    matrix: Any = _stack(moved[r * size + c].real, moved[r1 * size + c1].imag)
    matrix.data[np.abs(matrix.data) <= NEGLIGIBLE * np.abs(matrix.data).max(initial=0.0)] = 0.0
    matrix.eliminate_zeros()
    _, component = connected_components(matrix, directed=False)
    return Liouvillian(
        n_spins,
        matrix,
        np.concatenate([r, r1]),
        np.concatenate([c, c1]),
        np.arange(size**2) >= n_real,
        component,
    )


def _stack(top: Any, bottom: Any) -> Any:
    from scipy.sparse import vstack

    return vstack([top, bottom]).tocsr()


class _Factors:
    """SuperLU of 1 - gamma A with the minimum-degree ordering in symmetric mode."""

    def __init__(self, matrix: "csr_array", gamma: float) -> None:
        from scipy.sparse import eye_array
        from scipy.sparse.linalg import splu

        shifted = (eye_array(matrix.shape[0]) - gamma * matrix).tocsc()
        self._lu = splu(
            shifted,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.001,
            options={"SymmetricMode": True},
        )

    def solve(self, right: Float) -> Float:
        """X with (1 - gamma A) x = right."""
        return self._lu.solve(right)


def evolve_mixed(
    model: Liouvillian,
    *,
    state: Complex,
    times: Float,
    tolerance: float = 1e-10,
    algorithm: str = "auto",
) -> Complex:
    """Density matrices at ascending times from 0: (T, N+1, N+1).

    `algorithm`: "polynomial" Krylov (cost grows with the fastest rate times the time), "rational"
    Krylov (cost grows with the decades of time), or "auto", the cheaper one. `tolerance` is the
    error of a step in the 2-norm of the unknowns, relative to the state.

    Raises:
        InvalidInput: times that do not ascend from 0, or an unknown algorithm.
        NumericalFailure: the rational method makes no progress.
    """
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or grid[0] < 0 or np.any(np.diff(grid) < 0):
        raise InvalidInput(f"times must be ascending from at least 0, got {grid[:4]} ...")
    if algorithm not in ("auto", "polynomial", "rational"):
        raise InvalidInput(
            f"algorithm must be one of auto, polynomial, rational, got {algorithm!r}"
        )
    start = model.restrict(np.asarray(state, dtype=complex))
    out = np.zeros((grid.size, start.size))
    for part in np.unique(model.component[start != 0]):
        chosen = np.flatnonzero(model.component == part)
        matrix = model.matrix[chosen][:, chosen].tocsr()
        products = float(np.max(abs(matrix).sum(axis=1), initial=0.0)) * float(grid[-1]) / 6
        use = algorithm
        if use == "auto":
            use = "polynomial" if products < 6000 else "rational"
        if use == "polynomial":
            y = polynomial_evolution(matrix, start=start[chosen], times=grid, tolerance=tolerance)
        else:

            def factorise(gamma: float, matrix: "csr_array" = matrix) -> _Factors:
                return _Factors(matrix, gamma)

            y = rational_evolution(
                matrix, start=start[chosen], times=grid, factorise=factorise, tolerance=tolerance
            )
        out[:, chosen] = y
    return model.expand(out)


@dataclass(frozen=True)
class SteadyDensity:
    """A steady state of the symmetric subspace.

    Attributes:
        rho: (N+1, N+1), trace 1.
        residual: |L rho| / (|rho| fastest rate).
        zero_modes: independent steady states in the closed part of the populations.
        slowest_rate: estimate of the smallest nonzero rate there [rate].
        error_estimate: residual (at least rounding) times fastest over slowest rate, relative to
            |rho|.
    """

    rho: Complex = field(repr=False)
    residual: float
    zero_modes: int
    slowest_rate: float
    error_estimate: float


def steady_mixed(
    model: Liouvillian, *, initial: Complex | None = None, tolerance: float = 1e-6
) -> SteadyDensity:
    """Steady state by inverse iteration, over every closed part that holds populations.

    Raises:
        InvalidInput: several steady states and no `initial`.
        NumericalFailure: more than 16 zero modes in one part, or a near-singular matrix.
    """
    trace = model.trace_vector()
    start = None if initial is None else model.restrict(np.asarray(initial, dtype=complex))
    occupied = trace != 0 if start is None else (trace != 0) | (np.abs(start) > 1e-15)
    parts = np.unique(model.component[occupied])
    y = np.zeros(trace.size)
    zero_modes, slowest, scale = 0, np.inf, 0.0
    kernels = []
    for part in parts:
        chosen = np.flatnonzero(model.component == part)
        right, left, slow, fast = _null_space(model.matrix[chosen][:, chosen].tocsr())
        zero_modes += right.shape[1]
        slowest, scale = min(slowest, slow), max(scale, fast)
        kernels.append((chosen, right, left))
    if zero_modes == 0:
        raise NumericalFailure("no steady state found; the matrix is badly scaled")
    if zero_modes > 1 and start is None:
        raise InvalidInput(f"{zero_modes} independent steady states: give initial_state to choose")
    for chosen, right, left in kernels:
        if right.shape[1] == 0:
            continue
        if start is None:
            y[chosen] = right[:, 0] / (trace[chosen] @ right[:, 0])
        else:
            y[chosen] = right @ np.linalg.solve(left.T @ right, left.T @ start[chosen])
    residual = float(np.linalg.norm(model.matrix @ y) / (np.linalg.norm(y) * max(scale, 1e-300)))
    rounding = max(float(np.finfo(float).eps), residual)
    error = rounding * scale / slowest if np.isfinite(slowest) else 0.0
    if not error <= tolerance:
        raise NumericalFailure(
            f"near-singular: the slowest rate {slowest:g} is {slowest / scale:.1e} of the fastest; "
            "evolve in time from an initial state instead"
        )
    return SteadyDensity(model.expand(y), residual, zero_modes, slowest, error)


def _null_space(matrix: "csr_array") -> tuple[Float, Float, float, float]:
    """Right and left null vectors (n, d), slowest nonzero rate, bound of the fastest."""
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    n = matrix.shape[0]
    scale = float(np.max(abs(matrix).sum(axis=1), initial=0.0))
    if scale == 0:
        return np.eye(n), np.eye(n), np.inf, 0.0
    if n <= 60:
        u, s, vh = np.linalg.svd(matrix.toarray())
        zero = s <= 1e-12 * scale
        rest = np.sort(np.abs(np.linalg.eigvals(matrix.toarray())))[int(zero.sum()) :]
        return vh[zero].T, u[:, zero], float(rest[0]) if rest.size else np.inf, scale
    factors = splu(
        (matrix - 1e-13 * scale * eye_array(n)).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.001,
        options={"SymmetricMode": True},
    )
    rng = np.random.default_rng(11)
    width = 2
    while True:
        spaces, rates = [], []
        for mode, operator in (("N", matrix), ("T", matrix.T.tocsr())):
            block = rng.normal(size=(n, width))
            for _ in range(4):
                block = factors.solve(np.linalg.qr(block)[0], trans=mode)
            block = np.linalg.qr(block)[0]
            # singular vectors of the small projected matrix: real, and safe for defective ones
            _, s, vh = np.linalg.svd(operator @ block, full_matrices=False)
            zero = s <= 2e-13 * scale * np.sqrt(n)
            spaces.append(block @ vh[zero].T)
            rates.append(np.sort(s[~zero]))
        if spaces[0].shape[1] == spaces[1].shape[1] < width:
            return spaces[0], spaces[1], float(rates[0][0]), scale
        width *= 2
        if width > 16:
            raise NumericalFailure(
                "16 or more steady states in one closed part: the model conserves more than a "
                "steady-state solver can resolve; evolve in time instead"
            )
