"""Every state of this package as its parts of total spin j, which is all that collective spins see.

| state | parts |
|---|---|
| coherent, Dicke, `SymmetricState`, amplitudes in the Dicke basis | one ket of j = N/2 |
| density matrix in the Dicke basis | one block of j = N/2 |
| `BlockState` | its blocks |
| `StateVector`, `ProductState` | the blocks of the state averaged over permutations, N <= 20 |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.models.states import (
    BlockState,
    CoherentState,
    DickeState,
    InitialState,
    ProductState,
    StateVector,
    SymmetricState,
)
from spinsqueeze.numerics import state_vectors
from spinsqueeze.numerics.angular_momentum import axis_basis, coherent_amplitudes
from spinsqueeze.numerics.block_layout import blocks
from spinsqueeze.numerics.total_spin_blocks import total_spin_blocks

MOST_SPINS = 20
"""Of a state of 2^N amplitudes: 2^20 take seconds."""
NORMALISATION_TOLERANCE = 1e-6
_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


@final
@dataclass(frozen=True, eq=False)
class StateShells:
    """Parts of a state: number of spins, and (2j+1,) amplitudes or (2j+1, 2j+1) for some j."""

    n_spins: int
    parts: dict[int, Complexes]
    """Shell k of j = N/2 - k -> ket or block; the traces add up to one."""

    def __iter__(self) -> Iterator[tuple[int, Complexes]]:
        return iter(self.parts.items())


def state_shells(state: Any, *, n_spins: int | None = None) -> StateShells:
    """The parts of a state.

    Args:
        state: a state, or an array in the Dicke basis of j = N/2, m = +j first: (N+1,) amplitudes
            or an (N+1, N+1) density matrix.
        n_spins: number of spins of a coherent or a Dicke state, which do not hold it.

    Raises:
        InvalidInput: no state, n_spins is missing or another, or a wrong array.
        TooLarge: a state of 2^N amplitudes with N above 20.
    """
    if not isinstance(state, InitialState):
        psi = checked_array(state)
        return StateShells(psi.shape[0] - 1, {0: psi})
    n = number_of_spins(state, n_spins)
    if isinstance(state, BlockState):
        return StateShells(n, dict(enumerate(blocks(np.asarray(state.values), n))))
    if isinstance(state, StateVector | ProductState):
        return StateShells(n, dict(enumerate(total_spin_blocks(amplitudes_of(state, n)))))
    return StateShells(n, {0: symmetric_ket(state, n)})


def number_of_spins(state: InitialState, n_spins: int | None) -> int:
    """The number of spins of a state; that of a coherent or a Dicke state is given.

    Raises:
        InvalidInput: it is not given, or another than the state's.
    """
    given = None if n_spins is None else checks.integer("n_spins", n_spins, minimum=1)
    n = given
    if isinstance(state, BlockState):
        n = state.n_spins
    elif isinstance(state, SymmetricState):
        n = len(state.amplitudes) - 1
    elif isinstance(state, StateVector):
        n = len(state.amplitudes).bit_length() - 1
    elif isinstance(state, ProductState):
        n = len(state.directions)
    if n is None:
        raise InvalidInput.of(
            "n_spins", f"must be given with a {type(state).__name__}, which does not hold it"
        )
    if given not in (None, n):
        raise InvalidInput.of("n_spins", f"must be that of the state, {n}, got {given}")
    state.fit(n)
    return n


def symmetric_ket(state: InitialState, n_spins: int) -> Complexes:
    """(N+1,) amplitudes of a coherent, a Dicke or a symmetric state, m = N/2 first."""
    if isinstance(state, CoherentState):
        return np.asarray(coherent_amplitudes(n_spins / 2, state.direction))
    if isinstance(state, DickeState):
        k = round(n_spins / 2 - state.m)
        if state.axis == "z":
            return np.asarray(np.arange(n_spins + 1) == k, dtype=np.complex128)
        return np.asarray(axis_basis(n_spins / 2, _AXES[state.axis])[:, k])
    assert isinstance(state, SymmetricState)
    return np.asarray(state.amplitudes)


def amplitudes_of(state: InitialState, n_spins: int) -> Complexes:
    """(2^N,) amplitudes of any pure state, bit i of the index 1 where spin i is up.

    Raises:
        TooLarge: N above 20.
    """
    if n_spins > MOST_SPINS:
        raise TooLarge(
            f"a {type(state).__name__} of {n_spins} spins has 2^{n_spins} amplitudes to couple; "
            f"{MOST_SPINS} spins are the limit. A symmetric or a block state has none"
        )
    if isinstance(state, StateVector):
        return np.asarray(state.amplitudes)
    if isinstance(state, ProductState):
        return state_vectors.product_state(state.directions)
    return state_vectors.symmetric_state(symmetric_ket(state, n_spins)[::-1])  # M = -J first there


def checked_array(state: Any) -> Complexes:
    """Amplitudes (2j+1,) or a density matrix (2j+1, 2j+1) in the Dicke basis.

    Raises:
        InvalidInput: something else, not finite, not normalised or not Hermitian.
    """
    try:
        psi = np.asarray(state, dtype=np.complex128)
    except (TypeError, ValueError):
        raise InvalidInput(
            "state must be a state such as final_state(data) of a run with keep_state=True, or a "
            "vector of 2j+1 amplitudes or a square density matrix in the Dicke basis, got a "
            f"{type(state).__name__}"
        ) from None
    if psi.ndim not in (1, 2) or psi.size == 0 or psi.shape[0] != psi.shape[-1]:
        raise InvalidInput(
            "state must be a vector of 2j+1 amplitudes or a square density matrix in the Dicke "
            f"basis; got shape {psi.shape}."
        )
    if not np.all(np.isfinite(psi)):
        raise InvalidInput("state must be finite; it holds NaN or infinity.")
    norm = float(np.vdot(psi, psi).real) if psi.ndim == 1 else float(np.trace(psi).real)
    if abs(norm - 1.0) > NORMALISATION_TOLERANCE:
        raise InvalidInput(f"state must be normalised to 1; got {norm:.9g}. Divide by it.")
    if psi.ndim == 2 and not np.allclose(psi, psi.conj().T, rtol=0.0, atol=1e-8):
        raise InvalidInput("a density matrix must be Hermitian; symmetrise it: (rho + rho†)/2.")
    return psi
