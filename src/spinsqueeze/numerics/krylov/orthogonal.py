"""exp(-i H t) psi at many times for a sparse Hermitian H: Lanczos, orthogonal to rounding."""

from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.checks import ascending
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import Progress, no_progress

if TYPE_CHECKING:
    from scipy.sparse import csr_array


EPSILON = float(np.finfo(np.float64).eps)
DIMENSION = 30


def _lanczos(
    matrix: "csr_array", start: Complexes, dimension: int, *, time: float, allowed: float
) -> tuple[Complexes, Floats, Floats]:
    """Orthonormal basis (k, n), diagonal (k,) and couplings (k,) (the last one leads out).

    The basis is as large as `dimension`, or as the leading term prod(beta) time^k/k! of its error
    needs to fall below a tenth of `allowed`.
    """
    dimension = min(dimension, start.size)
    V = np.empty((dimension + 1, start.size), dtype=complex)
    V[0] = start / np.linalg.norm(start)
    alpha, beta = np.zeros(dimension), np.zeros(dimension)
    leading = 1.0
    for k in range(dimension):
        w = matrix @ V[k]
        size = float(np.linalg.norm(w))
        alpha[k] = np.vdot(V[k], w).real
        basis = V[: k + 1]
        for _ in range(2):
            w -= (basis.conj() @ w) @ basis
        rest = float(np.linalg.norm(w))
        if rest <= 1e-14 * max(size, 1e-300) or k + 1 == start.size:
            return V[: k + 1], alpha[: k + 1], np.append(beta[:k], 0.0)
        beta[k] = rest
        V[k + 1] = w / rest
        leading *= rest * time / (k + 1)
        if leading <= 0.1 * allowed:
            dimension = k + 1
            break
    return V[:dimension], alpha[:dimension], beta[:dimension]


def unitary_evolution(
    hamiltonian: "csr_array",
    *,
    state: Complexes,
    times: Floats,
    tolerance: float = 1e-11,
    dimension: int = DIMENSION,
    progress: Progress = no_progress,
) -> Complexes:
    """exp(-i H t) psi at ascending times from 0: (T, n).

    The integrated residual beta_k |u_k(s)| of the projected equation bounds the error of a step. A
    step ends where it reaches its share of the tolerance: steps err by at most `tolerance` in all,
    however many there are, beside the rounding of the phases. The cost follows the spread of
    energies that the state holds, not the norm of H.

    Raises:
        InvalidInput: times that do not ascend from 0, or a state of the wrong size.
    """
    from scipy.linalg import eigh_tridiagonal

    grid = ascending("times", times)
    psi = np.asarray(state, dtype=complex)
    if psi.shape != (hamiltonian.shape[0],):
        raise InvalidInput(
            f"state must hold N + 1 = {hamiltonian.shape[0]} amplitudes, got shape {psi.shape}"
        )
    norm = float(np.linalg.norm(psi))
    out = np.empty((grid.size, psi.size), dtype=complex)
    rate = tolerance / float(grid[-1]) if grid[-1] > 0 else np.inf
    now, done, guess = 0.0, 0, np.inf
    while done < grid.size:
        if grid[done] <= now:
            out[done] = psi
            done += 1
            continue
        remaining = float(grid[-1]) - now
        V, alpha, beta = _lanczos(
            hamiltonian,
            psi,
            dimension,
            time=remaining,
            allowed=max(rate * remaining, EPSILON),
        )
        k = alpha.size
        energies, modes = (
            eigh_tridiagonal(alpha, beta[: k - 1]) if k > 1 else (alpha, np.ones((1, 1)))
        )
        reach = remaining
        if beta[k - 1] > 0:
            spread = max(float(np.ptp(energies)), beta[k - 1])
            horizon = min(remaining, guess, 4.0 * k / spread)
            allowed = rate + k * EPSILON * max(float(np.abs(energies).max()), beta[k - 1])
            while True:
                marks = horizon * np.linspace(0, 1, 129)
                last = np.abs(np.exp(-1j * np.outer(marks, energies)) @ (modes[0] * modes[-1]))
                error = np.cumsum(beta[k - 1] * last) * (marks[1] - marks[0])
                within = error <= allowed * (marks + marks[1])
                passed = int(np.argmin(np.append(within, False))) - 1
                if passed >= 8:
                    break
                horizon /= 8
            reach = marks[passed]
            guess = 4 * reach
        end = now + reach
        stop = done
        while stop < grid.size and grid[stop] <= end * (1 + 1e-15):
            stop += 1
        marks = np.append(grid[done:stop] - now, reach)
        small = (np.exp(-1j * np.outer(marks, energies)) * modes[0]) @ modes.T
        vectors = norm * (small @ V)
        out[done:stop] = vectors[:-1]
        psi, now, done = vectors[-1], end, stop
        progress(min(now / float(grid[-1]), 1.0))
    return out


def unitary_rounding(hamiltonian: "csr_array", *, duration: float) -> float:
    """What `unitary_evolution` may err by, in norm, beside its tolerance."""
    radius = float(abs(hamiltonian).sum(axis=0).max(initial=0.0))
    return DIMENSION * EPSILON * (1 + radius * duration)
