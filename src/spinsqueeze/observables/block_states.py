"""What a permutation-invariant state tells beyond its moments: purity, entropy, distributions.

A block R_j stands for d_j equal blocks R_j/d_j of the physical state, d_j the multiplicity of total
spin j (`numerics.block_layout`). Multiplicities enter through their logarithms. Functions with
`n_spins` take flat arrays, the others a `BlockState`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.states import BlockState, InitialState
from spinsqueeze.numerics import block_states
from spinsqueeze.numerics.angular_momentum import (
    axis_basis,
    coherent_amplitudes,
    log_multiplicity,
    total_spins,
)
from spinsqueeze.numerics.block_layout import blocks
from spinsqueeze.observables.state_shells import checked_array, number_of_spins, state_shells


def purity(state: Complexes, *, n_spins: int) -> float:
    """Tr rho^2 = sum_j Tr(R_j^2)/d_j of the physical N-spin state."""
    log_d = log_multiplicity(n_spins)
    squares = [float(np.vdot(block, block).real) for block in blocks(state, n_spins)]
    return float(np.sum(np.array(squares) * np.exp(-log_d)))


def block_spectra(state: Complexes, *, n_spins: int) -> list[Floats]:
    """Eigenvalues of every R_j, ascending, j = N/2 first; negative ones measure the error."""
    return [
        np.asarray(np.linalg.eigvalsh(block), dtype=np.float64) for block in blocks(state, n_spins)
    ]


def entropy(state: Complexes, *, n_spins: int) -> float:
    """Von Neumann entropy -Tr rho ln rho = sum_j [p_j ln d_j - sum lambda ln lambda] in nats.

    Eigenvalues that are negative by rounding count as zero.
    """
    total = 0.0
    spectra = block_spectra(state, n_spins=n_spins)
    for log_d, values in zip(log_multiplicity(n_spins), spectra, strict=True):
        kept = values[values > 0]
        total += float(np.sum(kept) * log_d - np.sum(kept * np.log(kept)))
    return total


def axis_distribution(
    state: Complexes, *, n_spins: int, direction: Sequence[float] | Floats
) -> tuple[Floats, Floats]:
    """Outcomes m = N/2 ... -N/2 of direction.S and their probabilities: (N+1,), (N+1,)."""
    probability = np.zeros(n_spins + 1)
    for shell, block in enumerate(blocks(state, n_spins)):
        basis = axis_basis(n_spins / 2 - shell, direction)
        inside = np.einsum("ma,mn,na->a", basis.conj(), block, basis, optimize=True).real
        probability[shell : n_spins + 1 - shell] += inside
    return n_spins / 2 - np.arange(n_spins + 1, dtype=np.float64), probability


def husimi(state: Complexes, *, n_spins: int, directions: Floats) -> Floats:
    """sum_j (2j+1)/(4 pi) <j, n|R_j|j, n> at unit vectors (K, 3): (K,); integrates to 1."""
    points = np.asarray(directions, dtype=float)
    total = np.zeros(points.shape[0])
    for j, block in zip(total_spins(n_spins), blocks(state, n_spins), strict=True):
        waves = np.stack([coherent_amplitudes(float(j), point) for point in points])
        total += (
            (2 * j + 1)
            / (4 * np.pi)
            * np.einsum("km,mn,kn->k", waves.conj(), block, waves, optimize=True).real
        )
    return total


@clear_call
def von_neumann_entropy(state: Any, *, n_spins: int | None = None) -> float:
    """-Tr rho ln rho of the N-spin state, multiplicities of the total spins included [nats].

    Args:
        state: as of `husimi`; zero of every pure one.
        n_spins: of a coherent or a Dicke state, which do not hold it.

    Raises:
        InvalidInput: no state, or n_spins is missing or another.
    """
    if isinstance(state, BlockState):
        return entropy(np.asarray(state.values), n_spins=number_of_spins(state, n_spins))
    if isinstance(state, InitialState):
        number_of_spins(state, n_spins)
        return 0.0
    rho = checked_array(state)
    if rho.ndim == 1:
        return 0.0
    values = np.linalg.eigvalsh(rho)
    kept = values[values > 0]
    return float(-np.sum(kept * np.log(kept)))


@clear_call
def spin_distribution(
    state: Any, *, axis: Any, n_spins: int | None = None
) -> tuple[Floats, Floats]:
    """Outcomes m = N/2 ... -N/2 of axis . S (N+1,) and their probabilities (N+1,).

    Args:
        state: as of `husimi`.
        axis: one of +x ... -z or a unit vector (3,).
        n_spins: of a coherent or a Dicke state, which do not hold it.

    Raises:
        InvalidInput: no state, not a direction, or n_spins is missing or another.
        TooLarge: 2^N amplitudes of more than 20 spins.
    """
    direction = checks.direction("axis", axis)
    shells = state_shells(state, n_spins=n_spins)
    n = shells.n_spins
    probability = np.zeros(n + 1)
    for shell, part in shells:
        probability[shell : n + 1 - shell] += _along(part, n / 2 - shell, direction)
    return n / 2 - np.arange(n + 1, dtype=np.float64), probability


def _along(part: Complexes, j: float, direction: Floats) -> Floats:
    """Probabilities (2j+1,) of the outcomes of direction . S for a ket or a block of spin j."""
    if direction[2] == 1.0:
        return np.asarray(np.abs(part) ** 2 if part.ndim == 1 else np.diagonal(part).real)
    basis = axis_basis(j, direction)
    if part.ndim == 1:
        return np.asarray(np.abs(basis.conj().T @ part) ** 2)
    return np.asarray(np.einsum("ma,mn,na->a", basis.conj(), part, basis, optimize=True).real)


@clear_call
def block_husimi(state: BlockState, *, directions: Any) -> Floats:
    """sum_j (2j+1)/(4 pi) <j, n|R_j|j, n> at unit vectors (K, 3): (K,); integrates to 1.

    Raises:
        InvalidInput: not a `BlockState`, or not unit vectors.
    """
    points = checks.real_array("directions", directions, shape=(None, 3))
    units = np.array([checks.direction("directions", point) for point in points])
    return husimi(_values(state), n_spins=state.n_spins, directions=units)


@clear_call
def without_one_spin(state: BlockState) -> BlockState:
    """The state of the other N - 1 spins when one random spin is lost (partial trace).

    Raises:
        InvalidInput: not a `BlockState`, or a state of one spin.
    """
    return BlockState(block_states.without_one_spin(_values(state), n_spins=state.n_spins))


def _values(state: BlockState) -> Complexes:
    if not isinstance(state, BlockState):
        raise InvalidInput(
            "state must be a BlockState, such as final_state(data) of a PermutationInvariant run "
            f"with keep_state=True, got {checks.shown(state)}"
        )
    return np.asarray(state.values)
