"""Initial states in the forms that methods compute with, each conversion once.

| form | of which states | shape |
|---|---|---|
| symmetric amplitudes | `InSymmetricSubspace` | (N + 1,), m = N/2 first |
| block values | `PermutationInvariantState` | flat block state, see `numerics.block_layout` |
| state vector | `PureState` | (2^N,), see `numerics.state_vectors` |
| Bloch vectors | `ProductOfSpins` | (3,) for all spins alike, or (N, 3) |
| those of kinds | `ProductStateOfClasses` | (C, 3), for models of few kinds of many spins |

The unions serve `isinstance`: a method refuses the states outside the one of its form.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.models.states import (
    BlockState,
    CoherentState,
    DickeState,
    InitialState,
    ProductState,
    StateVector,
    SymmetricState,
)
from spinsqueeze.numerics import block_states, collective_operators, state_vectors
from spinsqueeze.numerics.angular_momentum import TURN_FROM_Z, coherent_amplitudes


@final
@dataclass(frozen=True, eq=False)
class ProductStateOfClasses(InitialState):
    """Every spin of kind A of a canonical model points along directions[A], (C, 3); counts (C,)."""

    directions: Floats
    counts: Integers

    def per_spin(self) -> ProductState:
        """The same with one row a spin."""
        return ProductState(np.repeat(self.directions, self.counts, axis=0))


InSymmetricSubspace = CoherentState | DickeState | SymmetricState
PermutationInvariantState = CoherentState | DickeState | SymmetricState | BlockState
PureState = (
    CoherentState | DickeState | ProductState | ProductStateOfClasses | StateVector | SymmetricState
)
ProductOfSpins = CoherentState | ProductState | ProductStateOfClasses


def symmetric_amplitudes(state: InitialState | None, n_spins: int) -> Complexes:
    """A state `InSymmetricSubspace` as N + 1 amplitudes of m = N/2 ... -N/2."""
    if isinstance(state, CoherentState):
        return coherent_amplitudes(n_spins / 2, state.direction)
    if isinstance(state, SymmetricState):
        return np.array(state.amplitudes)
    assert isinstance(state, DickeState)
    psi = np.zeros(n_spins + 1, dtype=complex)
    psi[round(n_spins / 2 - state.m)] = 1.0
    if state.axis == "z":
        return psi
    axis, angle = TURN_FROM_Z[state.axis]
    return collective_operators.rotated(psi, axis=axis, angle=angle)


def block_values(state: InitialState | None, n_spins: int) -> Complexes:
    """A `PermutationInvariantState` as a flat block state of (N+1)(N+2)(N+3)/6 numbers."""
    if isinstance(state, BlockState):
        return np.array(state.values)
    if isinstance(state, CoherentState):
        return block_states.coherent_state(n_spins, direction=state.direction)
    if isinstance(state, SymmetricState):
        return block_states.shell_state(n_spins, block=state.amplitudes)
    assert isinstance(state, DickeState)
    return block_states.dicke_state(n_spins, m=state.m, axis=state.axis)


def state_vector(state: InitialState | None, n_spins: int) -> Complexes:
    """A `PureState` as 2^N amplitudes."""
    if isinstance(state, StateVector):
        return np.array(state.amplitudes)
    if isinstance(state, CoherentState):
        return state_vectors.product_state(np.tile(state.direction, (n_spins, 1)))
    if isinstance(state, ProductState | ProductStateOfClasses):
        return state_vectors.product_state(bloch_vectors(state))
    if isinstance(state, SymmetricState):
        return state_vectors.symmetric_state(state.amplitudes[::-1])  # M = -J first there
    assert isinstance(state, DickeState)
    spins_up = round(state.m + n_spins / 2)
    return state_vectors.dicke_state(n_spins, spins_up=spins_up, axis=state.axis)


def bloch_vectors(state: InitialState | None) -> Floats:
    """Directions of the spins of a `ProductOfSpins`: (3,) where all are alike, else (N, 3)."""
    directions: Floats
    if isinstance(state, ProductStateOfClasses):
        directions = state.per_spin().directions
    elif isinstance(state, ProductState):
        directions = state.directions
    else:
        assert isinstance(state, CoherentState)
        directions = state.direction
    return directions
