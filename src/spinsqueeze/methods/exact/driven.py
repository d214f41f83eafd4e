"""A Hamiltonian H(t) = sum_k w_k(t) H_k for Magnus steps: exponentials by Lanczos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.numerics.krylov.matrix_free import Operator, Work, propagate


class WeightedHamiltonian(Protocol):
    """H = sum_k w_k H_k."""

    def frozen(self, weights: Floats | None = None) -> Operator:
        """Return the operator at given weights (None: all 1)."""
        ...


@dataclass(frozen=True)
class DrivenHamiltonian:
    """The operators -i H_k for `numerics.magnus.propagate_piece`."""

    hamiltonian: WeightedHamiltonian
    work: Work

    def exponential(
        self, weights: Floats, state: Complexes, *, allowed: float
    ) -> tuple[Complexes, float]:
        """exp(-i sum_k weights_k H_k) psi as a new array, and its error in norm."""
        psi = state.copy()
        error = propagate(self.hamiltonian.frozen(weights), psi, 1.0, rate=allowed, work=self.work)
        return psi, error

    def speed(self, weights: Floats, state: Complexes) -> float:
        """The energy spread of the state."""
        h_psi = np.empty_like(state)
        self.hamiltonian.frozen(weights).apply(state, h_psi)
        norm = float(np.vdot(state, state).real)
        h_psi -= float(np.vdot(state, h_psi).real) / norm * state
        return float(np.linalg.norm(h_psi)) / float(np.sqrt(norm))
