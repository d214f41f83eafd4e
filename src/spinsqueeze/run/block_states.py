"""What the whole state of a permutation-invariant run tells, beyond its moments."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.states import BlockState

Floats = NDArray[np.float64]


def von_neumann_entropy(state: BlockState) -> float:
    """-Tr rho ln rho of the N-spin state, multiplicities of the total spins included [nats].

    Raises:
        InvalidInput: not a `BlockState`.
    """
    from spinsqueeze.methods.permutation_invariant import information

    return information.entropy(_values(state), n_spins=state.n_spins)


def quantum_fisher_information(state: BlockState, *, direction: Any = None) -> float:
    """Quantum Fisher information of rotations about `direction`, or the maximum over directions.

    Separable states have at most N, any state at most N^2.

    Raises:
        InvalidInput: not a `BlockState`, or not a direction.
    """
    from spinsqueeze.methods.permutation_invariant import information

    unit = None if direction is None else checks.direction("direction", direction)
    return information.fisher_information(_values(state), n_spins=state.n_spins, direction=unit)


def spin_distribution(state: BlockState, *, axis: Any) -> tuple[Floats, Floats]:
    """Outcomes m = N/2 ... -N/2 of axis . S (N+1,) and their probabilities (N+1,).

    Raises:
        InvalidInput: not a `BlockState`, or not a direction.
    """
    from spinsqueeze.methods.permutation_invariant import information

    return information.axis_distribution(
        _values(state), n_spins=state.n_spins, direction=checks.direction("axis", axis)
    )


def block_husimi(state: BlockState, *, directions: Any) -> Floats:
    """sum_j (2j+1)/(4 pi) <j, n|R_j|j, n> at unit vectors (K, 3): (K,); integrates to 1.

    Raises:
        InvalidInput: not a `BlockState`, or not unit vectors.
    """
    from spinsqueeze.methods.permutation_invariant import information

    points = checks.real_array("directions", directions, shape=(None, 3))
    units = np.array([checks.direction("directions", point) for point in points])
    return information.husimi(_values(state), n_spins=state.n_spins, directions=units)


def without_one_spin(state: BlockState) -> BlockState:
    """The state of the other N - 1 spins when one random spin is lost (partial trace).

    Raises:
        InvalidInput: not a `BlockState`, or a state of one spin.
    """
    from spinsqueeze.methods.permutation_invariant import information

    return BlockState(information.without_one_spin(_values(state), n_spins=state.n_spins))


def _values(state: BlockState) -> NDArray[np.complex128]:
    if not isinstance(state, BlockState):
        raise InvalidInput(
            "state must be a BlockState, such as final_state(data) of a PermutationInvariant run "
            f"with keep_state=True, got {checks.shown(state)}"
        )
    return np.asarray(state.values)
