"""Pure-state evolution in the symmetric subspace by Lanczos steps with an a-posteriori error."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.numerics import magnus
from spinsqueeze.numerics.weighted_sum import WeightedSum

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float = NDArray[np.float64]
Complex = NDArray[np.complex128]

DIMENSION = 30
DENSE = 48
"""Up to this size a driven Hamiltonian is diagonalised at every step."""


def _lanczos(
    matrix: "csr_array", start: Complex, dimension: int, *, time: float, allowed: float
) -> tuple[Complex, Float, Float]:
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
            allowed=max(rate * remaining, magnus.EPSILON),
        )
        k = alpha.size
        energies, modes = (
            eigh_tridiagonal(alpha, beta[: k - 1]) if k > 1 else (alpha, np.ones((1, 1)))
        )
        reach = remaining
        if beta[k - 1] > 0:
            spread = max(float(np.ptp(energies)), beta[k - 1])
            horizon = min(remaining, guess, 4.0 * k / spread)
            allowed = rate + k * magnus.EPSILON * max(float(np.abs(energies).max()), beta[k - 1])
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


def rounding(hamiltonian: "csr_array", *, duration: float) -> float:
    """What `evolve_pure` may err by, in norm, beside its tolerance."""
    radius = float(abs(hamiltonian).sum(axis=0).max(initial=0.0))
    return DIMENSION * magnus.EPSILON * (1 + radius * duration)


class DrivenHamiltonian:
    """H(t) = sum_k w_k(t) H_k, as `numerics.magnus` wants it; small ones are diagonalised."""

    def __init__(self, matrices: Sequence["csr_array"]) -> None:
        self.hamiltonian = WeightedSum(matrices)
        self.dense = self.hamiltonian.dense() if self.hamiltonian.size <= DENSE else None

    def exponential(
        self, weights: Float, state: Complex, *, allowed: float
    ) -> tuple[Complex, float]:
        """exp(-i sum_k weights_k H_k) psi, and its error in norm."""
        return self.constant(weights, state, 1.0, allowed=allowed, outputs=(), emit=None)

    def constant(
        self,
        weights: Float,
        state: Complex,
        duration: float,
        *,
        allowed: float,
        outputs: Sequence[float],
        emit: magnus.Emit | None,
    ) -> tuple[Complex, float]:
        """exp(-i duration sum_k weights_k H_k) psi, and its error in norm."""
        # Rounding of the phases cannot be undercut.
        radius = float(np.abs(weights) @ self.hamiltonian.norms)
        allowed = max(allowed, magnus.EPSILON * (4 + radius * duration))
        times = np.append(outputs, duration)
        if self.dense is not None:
            energies, modes = np.linalg.eigh(np.tensordot(weights, self.dense, axes=1))
            phases = np.exp(-1j * np.outer(times, energies))
            waves = (phases * (modes.conj().T @ state)) @ modes.T
        else:
            waves = evolve_pure(
                self.hamiltonian.at(weights), state=state, times=times, tolerance=allowed
            )
        if emit is not None:
            for wave in waves[:-1]:
                emit(wave, allowed)
        return waves[-1], allowed

    def speed(self, weights: Float, state: Complex) -> float:
        """The energy spread of the state."""
        turned = self.hamiltonian.at(weights) @ state
        norm = float(np.vdot(state, state).real)
        turned -= np.vdot(state, turned).real / norm * state
        return float(np.linalg.norm(turned)) / float(np.sqrt(norm))


def evolve_pure_driven(
    matrices: Sequence["csr_array"],
    *,
    drive: DriveWeights,
    state: Complex,
    times: Float,
    start: float = 0.0,
    tolerance: float = 1e-10,
) -> tuple[Complex, float]:
    """Evolution from `start` under H(t) = sum_k w_k(t) H_k by Magnus steps (`numerics.magnus`).

    Returns the states (T, n) at `times`, which ascend from `start`, and the estimated error of the
    last in norm, about `tolerance` at most.

    Raises:
        InvalidInput: no matrices, not as many strengths, or times that do not ascend from start.
        NumericalFailure: the steps shrink to nothing.
    """
    if not matrices or len(matrices) != len(drive.strengths):
        raise InvalidInput("matrices must hold at least one, each with a strength of the drive")
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or grid.size == 0 or grid[0] < start or np.any(np.diff(grid) < 0):
        raise InvalidInput(f"times must be ascending from at least {start:g}, got {grid[:4]} ...")
    psi = np.asarray(state, dtype=complex)
    stop = float(grid[-1])
    if stop == start:
        return np.broadcast_to(psi, (grid.size, psi.size)).copy(), 0.0
    out: list[Complex] = []
    _, error = magnus.propagate(
        DrivenHamiltonian(matrices),
        drive,
        psi,
        start=start,
        stop=stop,
        tolerance=tolerance,
        outputs=grid.tolist(),
        emit=lambda wave, _: out.append(wave),
    )
    return np.array(out), error
