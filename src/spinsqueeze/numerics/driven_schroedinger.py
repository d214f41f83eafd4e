"""Pure-state evolution under a sparse Hamiltonian whose strengths vary in time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.checks import ascending
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import Progress, no_progress
from spinsqueeze.numerics import magnus
from spinsqueeze.numerics.krylov.orthogonal import unitary_evolution
from spinsqueeze.numerics.weighted_sum import WeightedSum

if TYPE_CHECKING:
    from scipy.sparse import csr_array


DENSE = 48
"""Up to this size a driven Hamiltonian is diagonalised at every step."""


class DrivenHamiltonian:
    """H(t) = sum_k w_k(t) H_k, as `numerics.magnus` wants it; small ones are diagonalised."""

    def __init__(self, matrices: Sequence["csr_array"]) -> None:
        self.hamiltonian = WeightedSum(matrices)
        self.dense = self.hamiltonian.dense() if self.hamiltonian.size <= DENSE else None

    def exponential(
        self, weights: Floats, state: Complexes, *, allowed: float
    ) -> tuple[Complexes, float]:
        """exp(-i sum_k weights_k H_k) psi, and its error in norm."""
        return self.constant(weights, state, 1.0, allowed=allowed, outputs=(), emit=None)

    def constant(
        self,
        weights: Floats,
        state: Complexes,
        duration: float,
        *,
        allowed: float,
        outputs: Sequence[float],
        emit: magnus.Emit | None,
    ) -> tuple[Complexes, float]:
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
            waves = unitary_evolution(
                self.hamiltonian.at(weights), state=state, times=times, tolerance=allowed
            )
        if emit is not None:
            for wave in waves[:-1]:
                emit(wave, allowed)
        return waves[-1], allowed

    def speed(self, weights: Floats, state: Complexes) -> float:
        """The energy spread of the state."""
        turned = self.hamiltonian.at(weights) @ state
        norm = float(np.vdot(state, state).real)
        turned -= np.vdot(state, turned).real / norm * state
        return float(np.linalg.norm(turned)) / float(np.sqrt(norm))


def evolve_pure_driven(
    matrices: Sequence["csr_array"],
    *,
    drive: magnus.Weights,
    state: Complexes,
    times: Floats,
    start: float = 0.0,
    tolerance: float = 1e-10,
    progress: Progress = no_progress,
) -> tuple[Complexes, float]:
    """Evolution from `start` under H(t) = sum_k w_k(t) H_k by Magnus steps (`numerics.magnus`).

    Returns the states (T, n) at `times`, which ascend from `start`, and the estimated error of the
    last in norm, about `tolerance` at most.

    Raises:
        InvalidInput: no matrices, or times that do not ascend from start.
        NumericalFailure: the steps shrink to nothing.
    """
    if not matrices:
        raise InvalidInput("matrices must hold at least one")
    grid = ascending("times", times, start=start)
    psi = np.asarray(state, dtype=complex)
    stop = float(grid[-1])
    if stop == start:
        return np.broadcast_to(psi, (grid.size, psi.size)).copy(), 0.0
    out: list[Complexes] = []

    def emit(wave: Complexes, _: float) -> None:
        out.append(wave)
        progress(len(out) / grid.size)

    _, error = magnus.propagate(
        DrivenHamiltonian(matrices),
        drive,
        psi,
        start=start,
        stop=stop,
        tolerance=tolerance,
        outputs=grid.tolist(),
        emit=emit,
    )
    return np.array(out), error
