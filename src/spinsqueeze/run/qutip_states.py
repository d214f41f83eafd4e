"""States of this package as qutip's, and back."""

from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import InvalidInput, Unsupported
from spinsqueeze.models.states import (
    BlockState,
    InitialState,
    ProductState,
    StateVector,
    SymmetricState,
)
from spinsqueeze.numerics.block_layout import block_sizes, blocks, flatten
from spinsqueeze.numerics.total_spin_blocks import total_spin_blocks
from spinsqueeze.observables.state_shells import amplitudes_of, number_of_spins, symmetric_ket

DICKE, SPINS = "dicke", "spins"
MOST_SPINS = 10
"""Of a density matrix on 2^N, which is read by its eigenvectors."""


def qutip() -> Any:
    """The package qutip.

    Raises:
        Unsupported: it is not installed.
    """
    try:
        import qutip as package
    except ImportError:
        raise Unsupported(
            "qutip is not installed; install it with pip install 'spinsqueeze[qutip]'"
        ) from None
    return package


def state_to_qutip(state: InitialState, n_spins: int | None, basis: str | None) -> Any:
    """The Qobj of a state, see `to_qutip`."""
    n = number_of_spins(state, n_spins)
    if basis is not None:
        checks.choice("basis", basis, (DICKE, SPINS))
    make = qutip().Qobj
    if isinstance(state, BlockState):
        if basis is not None:
            raise InvalidInput.of(
                "basis", "must be left out with a BlockState, which is in that of qutip.piqs"
            )
        size = int(block_sizes(n).sum())
        dense = np.zeros((size, size), dtype=complex)
        start = 0
        for block in blocks(np.asarray(state.values), n):
            end = start + len(block)
            dense[start:end, start:end] = block
            start = end
        return make(dense)
    by_spin = isinstance(state, StateVector | ProductState)
    if by_spin and basis == DICKE:
        raise InvalidInput.of(
            "basis",
            f"must be 'spins' or left out with a {type(state).__name__}, which may leave the Dicke "
            "levels",
        )
    if by_spin or basis == SPINS:
        psi = _first_spin_first(amplitudes_of(state, n), n)
        return make(psi[:, None], dims=[[2] * n, [1] * n])
    return make(symmetric_ket(state, n)[:, None])


def state_from_qutip(state: Any, n_spins: int | None) -> InitialState:
    """The state of a Qobj, see `from_qutip`.

    Raises:
        InvalidInput: neither a ket nor a density matrix that a state here can hold.
    """
    dims = state.dims[0]
    qubits = len(dims) > 1 and set(dims) == {2}
    dense = np.asarray(state.full())
    if state.isket:
        if qubits:
            return StateVector(_first_spin_first(dense[:, 0], len(dims)))
        if len(dims) > 1:
            raise InvalidInput.of("state", f"must be of spins 1/2, got dimensions {dims}")
        return SymmetricState(dense[:, 0])
    if not state.isoper:
        raise InvalidInput.of("state", f"must be a ket or a density matrix, got {state.type}")
    if qubits:
        return _averaged(dense, len(dims))
    if n_spins is None:
        raise InvalidInput.of(
            "n_spins", f"must be given with a density matrix of {len(dense)} levels"
        )
    n = checks.integer("n_spins", n_spins, minimum=1)
    sizes = block_sizes(n)
    if len(dense) == n + 1:
        rest = [np.zeros((size, size)) for size in sizes[1:]]
        return BlockState(flatten([dense.astype(complex), *rest]))
    if len(dense) != sizes.sum():
        raise InvalidInput.of(
            "state",
            f"must have N + 1 = {n + 1} or {sizes.sum()} levels (qutip.piqs), got {len(dense)}",
        )
    ends = np.cumsum(sizes)
    places = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    parts = [dense[place, place] for place in places]
    if abs(np.linalg.norm(dense) ** 2 - sum(np.linalg.norm(p) ** 2 for p in parts)) > 1e-12:
        raise InvalidInput.of("state", "must hold no coherence between total spins")
    return BlockState(flatten(parts))


def _first_spin_first(psi: Complexes, n: int) -> Complexes:
    """Amplitudes in qutip's order from ours, or the other way: it is its own inverse.

    Ours: bit i of the index is 1 where spin i is up; qutip: spin 0 leftmost, up first.
    """
    return np.ascontiguousarray(np.flip(psi.reshape((2,) * n)).transpose(range(n)[::-1])).ravel()


def _averaged(rho: Complexes, n: int) -> BlockState:
    """A permutation-invariant density matrix on 2^N as its blocks.

    Raises:
        InvalidInput: too many spins, or not permutation invariant.
    """
    if n > MOST_SPINS:
        raise InvalidInput.of("state", f"must be of at most {MOST_SPINS} spins, got {n}")
    tensor = rho.reshape((2,) * 2 * n)
    for i in range(n - 1):
        swapped = tensor.swapaxes(i, i + 1).swapaxes(n + i, n + i + 1)
        if not np.allclose(swapped, tensor, rtol=0.0, atol=1e-10):
            raise InvalidInput.of(
                "state",
                f"must be permutation invariant, but exchanging spins {i} and {i + 1} changes it: "
                "no state here holds other density matrices",
            )
    weights, vectors = np.linalg.eigh(rho)
    total = [np.zeros((size, size), dtype=complex) for size in block_sizes(n)]
    for weight, vector in zip(weights, vectors.T, strict=True):
        for block, part in zip(total, total_spin_blocks(_first_spin_first(vector, n)), strict=True):
            block += weight * part
    return BlockState(flatten(total))
