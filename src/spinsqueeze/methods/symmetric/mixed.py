"""Density matrices of the symmetric subspace under collective jumps: evolution in time.

The Liouvillian acts on the real and imaginary parts of R[m, m'], m >= m'. Its graph falls apart
into closed parts (parity of m - m', real and imaginary, each m - m'), found as the connected
components of the matrix; every part is solved alone.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.core.checks import ascending
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.numerics.angular_momentum import jump_matrix
from spinsqueeze.numerics.collective_operators import Jumps, drift, spin_operators
from spinsqueeze.numerics.factorisation import rate_bound, superlu_factors
from spinsqueeze.numerics.krylov.polynomial import polynomial_evolution, polynomial_rounding
from spinsqueeze.numerics.krylov.rational import rational_evolution

if TYPE_CHECKING:
    from scipy.sparse import csr_array


NEGLIGIBLE = 1e-15
REMEDY = "use algorithm='polynomial' or end the run earlier"


@dataclass(frozen=True)
class Liouvillian:
    """Real matrix of the master equation on the unknowns of a Hermitian matrix.

    Attributes:
        n_spins: N.
        quadratic, field: Q (3, 3) and b (3,) of H = S.Q.S + b.S.
        jumps: sum of rate c c^dagger over the jumps, (3, 3) Hermitian.
        matrix: (n, n) CSR, n = (N+1)^2: real parts of R[r, c], c >= r, then imaginary parts, c > r.
        rows, columns: entry of every unknown.
        imaginary: which unknowns are imaginary parts.
        component: closed part of every unknown.
    """

    n_spins: int
    quadratic: Floats
    field: Floats
    jumps: Complexes
    matrix: "csr_array" = dataclasses.field(repr=False)
    rows: Integers = dataclasses.field(repr=False)
    columns: Integers = dataclasses.field(repr=False)
    imaginary: Booleans = dataclasses.field(repr=False)
    component: NDArray[np.int32] = dataclasses.field(repr=False)

    def restrict(self, rho: Complexes) -> Floats:
        """Unknowns (..., n) of Hermitian matrices (..., N+1, N+1)."""
        taken = rho[..., self.rows, self.columns]
        return np.where(self.imaginary, taken.imag, taken.real)

    def expand(self, unknowns: Floats) -> Complexes:
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

    def trace_vector(self) -> Floats:
        """T with t.y = Tr R."""
        return np.asarray((self.rows == self.columns).astype(float))


def liouvillian(
    n_spins: int,
    *,
    quadratic: Floats | None = None,
    field: Floats | None = None,
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
        np.zeros((3, 3)) if quadratic is None else np.asarray(quadratic, dtype=float),
        np.zeros(3) if field is None else np.asarray(field, dtype=float),
        jump_matrix(jumps),
        matrix,
        np.concatenate([r, r1]),
        np.concatenate([c, c1]),
        np.arange(size**2) >= n_real,
        component,
    )


def _stack(top: Any, bottom: Any) -> Any:
    from scipy.sparse import vstack

    return vstack([top, bottom]).tocsr()


def evolve_mixed(
    model: Liouvillian,
    *,
    state: Complexes,
    times: Floats,
    tolerance: float = 1e-10,
    algorithm: str = "auto",
) -> tuple[Complexes, float]:
    """Density matrices at ascending times from 0: (T, N+1, N+1), and their error.

    `algorithm`: "polynomial" Krylov (cost grows with the fastest rate times the time), "rational"
    Krylov (cost grows with the decades of time), or "auto", the cheaper one. `tolerance` is the
    error of a step in the 2-norm of the unknowns, relative to the state; the error that comes back
    is that of the run.

    Raises:
        InvalidInput: times that do not ascend from 0, or an unknown algorithm.
        NumericalFailure: the rational method makes no progress.
    """
    grid = ascending("times", times)
    if algorithm not in ("auto", "polynomial", "rational"):
        raise InvalidInput(
            f"algorithm must be one of auto, polynomial, rational, got {algorithm!r}"
        )
    start = model.restrict(np.asarray(state, dtype=complex))
    out = np.zeros((grid.size, start.size))
    error, end = 0.0, float(grid[-1])
    for part in np.unique(model.component[start != 0]):
        chosen = np.flatnonzero(model.component == part)
        matrix = model.matrix[chosen][:, chosen].tocsr()
        products = rate_bound(matrix) * float(grid[-1]) / 6
        use = algorithm
        if use == "auto":
            use = "polynomial" if products < 6000 else "rational"
        if use == "polynomial":
            y = polynomial_evolution(matrix, start=start[chosen], times=grid, tolerance=tolerance)
            added = tolerance + polynomial_rounding(matrix, duration=end)
        else:
            y, added = rational_evolution(
                start=start[chosen],
                times=grid,
                factorise=partial(superlu_factors, matrix, 1.0, remedy=REMEDY),
                tolerance=tolerance,
            )
        error = max(error, added)  # of parts of the state, each relative to its own size
        out[:, chosen] = y
    return model.expand(out), error
