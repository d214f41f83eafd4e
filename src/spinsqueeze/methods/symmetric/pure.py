"""Pure-state evolution in the symmetric subspace by Lanczos steps with an a-posteriori error."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]
Envelope = Callable[[float], float]

DIMENSION = 30


def _lanczos(matrix: "csr_array", start: Complex, dimension: int) -> tuple[Complex, Float, Float]:
    """Orthonormal basis (k, n), diagonal (k,) and couplings (k,) (the last one leads out)."""
    dimension = min(dimension, start.size)
    V = np.empty((dimension + 1, start.size), dtype=complex)
    V[0] = start / np.linalg.norm(start)
    alpha, beta = np.zeros(dimension), np.zeros(dimension)
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
    return V[:dimension], alpha, beta


def evolve_pure(
    hamiltonian: "csr_array",
    *,
    state: Complex,
    times: Float,
    tolerance: float = 1e-11,
    dimension: int = DIMENSION,
) -> Complex:
    """exp(-i H t) psi at ascending times from 0: (T, n).

    The integrated residual beta_k |u_k(s)| of the projected equation bounds the error of a step. A
    step ends where it reaches its share of the tolerance: steps err by at most `tolerance` in all,
    however many there are, beside the rounding of the phases. The cost follows the spread of
    energies that the state holds, not the norm of H.

    Raises:
        InvalidInput: times that do not ascend from 0, or a state of the wrong size.
    """
    from scipy.linalg import eigh_tridiagonal

    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or grid[0] < 0 or np.any(np.diff(grid) < 0):
        raise InvalidInput(f"times must be ascending from at least 0, got {grid[:4]} ...")
    psi = np.asarray(state, dtype=complex)
    if psi.shape != (hamiltonian.shape[0],):
        raise InvalidInput(
            f"state must hold N + 1 = {hamiltonian.shape[0]} amplitudes, got shape {psi.shape}"
        )
    norm = float(np.linalg.norm(psi))
    out = np.empty((grid.size, psi.size), dtype=complex)
    rate = tolerance / float(grid[-1]) if grid[-1] > 0 else np.inf
    rounding = float(np.finfo(np.float64).eps)
    now, done, guess = 0.0, 0, np.inf
    while done < grid.size:
        if grid[done] <= now:
            out[done] = psi
            done += 1
            continue
        V, alpha, beta = _lanczos(hamiltonian, psi, dimension)
        k = alpha.size
        energies, modes = (
            eigh_tridiagonal(alpha, beta[: k - 1]) if k > 1 else (alpha, np.ones((1, 1)))
        )
        remaining = grid[-1] - now
        reach = remaining
        if beta[k - 1] > 0:
            spread = max(float(np.ptp(energies)), beta[k - 1])
            horizon = min(remaining, guess, 4.0 * k / spread)
            allowed = rate + k * rounding * max(float(np.abs(energies).max()), beta[k - 1])
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
    return out


def evolve_pure_driven(
    pieces: Sequence[tuple["csr_array", Envelope | None]],
    *,
    state: Complex,
    times: Float,
    kinks: Sequence[float] = (),
    tolerance: float = 1e-10,
) -> Complex:
    """Evolution under H(t) = sum_k f_k(t) H_k (envelope None: constant): (T, n).

    Fourth-order commutator-free Magnus steps (blanes2006), their length from step doubling; steps
    end at output times and at kinks of the envelopes.

    Raises:
        InvalidInput: no pieces, or times that do not ascend from 0.
    """
    if not pieces:
        raise InvalidInput("pieces must hold at least one (matrix, envelope)")
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or grid[0] < 0 or np.any(np.diff(grid) < 0):
        raise InvalidInput(f"times must be ascending from at least 0, got {grid[:4]} ...")
    root = np.sqrt(3.0) / 6
    nodes, weights = (0.5 - root, 0.5 + root), (0.25 + root, 0.25 - root)

    def step(psi: Complex, t: float, h: float) -> Complex:
        strengths = np.array(
            [[1.0 if f is None else f(t + c * h) for _, f in pieces] for c in nodes]
        )
        for first, second in (weights, weights[::-1]):
            mixed = first * strengths[0] + second * strengths[1]
            total = sum(w * matrix for w, (matrix, _) in zip(mixed, pieces, strict=True))
            psi = evolve_pure(total, state=psi, times=np.array([h]), tolerance=tolerance / 10)[0]
        return psi

    psi = np.asarray(state, dtype=complex)
    out = np.empty((grid.size, psi.size), dtype=complex)
    marks = np.unique(np.concatenate([[0.0], grid, [k for k in kinks if 0 < k < grid[-1]]]))
    now, done, h = 0.0, 0, float(grid[-1]) / 50
    for mark in marks:
        while now < mark * (1 - 1e-14):
            length = min(h, mark - now)
            whole = step(psi, now, length)
            half = step(step(psi, now, length / 2), now + length / 2, length / 2)
            error = float(np.linalg.norm(half - whole)) / 15
            if error <= tolerance:
                psi, now = half, now + length
            if error > tolerance or length == h:
                h = length * min(3.0, max(0.2, 0.9 * (tolerance / max(error, 1e-300)) ** 0.2))
        now = max(now, float(mark))
        while done < grid.size and grid[done] <= mark:
            out[done] = psi
            done += 1
    return out
