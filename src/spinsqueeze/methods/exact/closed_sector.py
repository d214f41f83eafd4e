"""Closed models: whether their symmetric sector pays, what it costs, and the state in it."""

from collections.abc import Sequence

import numpy as np

from spinsqueeze.core.arrays import Complexes, Integers
from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.states import ProductOfSpins, bloch_vectors, state_vector
from spinsqueeze.methods.exact.couplings import HamiltonianPart, required_frames
from spinsqueeze.methods.exact.sectors import Sector
from spinsqueeze.methods.exact.symmetries import orbit_count, symmetries_with_state
from spinsqueeze.models.states import CoherentState, StateVector

FEWEST_SPINS = 10
"""From here on the search for orbits is shorter than what it saves."""
PER_ENTRY = 2.5e-9
"""Seconds of a product for each entry of a sparse matrix."""
PER_BIT = 1.5e-9
"""The same for each amplitude, spin and frame of the full space."""


def useful_symmetries(question: Evolve, parts: Sequence[HamiltonianPart]) -> list[Integers]:
    """Generators of the sector where that is faster than the full space, else none.

    A question with one row a spin.
    """
    n = question.model.n_spins
    if n < FEWEST_SPINS:
        return []
    generators = symmetries_with_state(question)
    in_sector = orbit_count(n, generators, bits=1) * entries_a_row(parts) * PER_ENTRY
    in_full_space = 2.0**n * n * required_frames(parts) * PER_BIT
    return generators if generators and in_sector < in_full_space else []


def entries_a_row(parts: Sequence[HamiltonianPart]) -> float:
    """Mean number of entries in a row of the sparse matrices, all parts together."""
    total = 0.0
    for part in parts:
        C = np.einsum("kij,kab->abij", part.kernels, part.tensors)
        lower = np.tril_indices(part.n_spins, -1)
        xx, yy, xy = C[0, 0][lower], C[1, 1][lower], C[0, 1][lower]
        both, parallel, opposite = xy != 0, xx != yy, xx != -yy
        total += 1.0 + 0.5 * np.sum(parallel | both) + 0.5 * np.sum(opposite)
        single = np.any(part.field[:, :2], axis=1) | np.any(C[:2, 2], axis=(0, 2))
        total += float(np.sum(single))
    return total


def sector_cost(
    question: Evolve,
    parts: Sequence[HamiltonianPart],
    generators: list[Integers],
    *,
    products: float,
) -> Cost:
    """Of a question with one row a spin that takes so many products with H."""
    n = question.model.n_spins
    count = orbit_count(n, generators, bits=1)
    spin = 3.0 * n * count
    count *= 0.5 if _along_x(question) and _inversion(parts) else 1.0
    listed = count * entries_a_row(parts)
    memory = 14 * 2.0**n + 24 * listed + 20 * spin + 16 * 45 * count
    if not isinstance(question.state, ProductOfSpins):
        memory += 40 * 2.0**n
    seconds = 0.02 + 1.5e-7 * 2.0**n + 2e-7 * (listed + spin)
    seconds += products * (2e-5 + PER_ENTRY * listed + 5e-8 * count)
    seconds += len(question.times) * (1e-4 + 3 * PER_ENTRY * spin)
    detail = f"one symmetric sector, {count:.3g} of the 2^{n} = {2**n} amplitudes"
    return Cost(memory, seconds, detail)


def prepared(
    question: Evolve, parts: Sequence[HamiltonianPart], generators: list[Integers]
) -> tuple[Sector, Complexes, float]:
    """The sector, the initial state in it, and how far that is from the one given, in norm."""
    n = question.model.n_spins
    sector = Sector.of(n, generators)
    state, distance = question.state, 0.0
    if isinstance(state, ProductOfSpins):
        rows = np.broadcast_to(bloch_vectors(state), (n, 3))
        amplitudes = sector.product_amplitudes(rows)
    else:
        psi = state_vector(state, n)
        amplitudes = sector.amplitudes(psi)
        if isinstance(state, StateVector):
            distance = float(np.linalg.norm(sector.expand(amplitudes) - psi))
    if not question.pulses and _inversion(parts) and sector.unmoved(amplitudes):
        sector = sector.inverted()
        amplitudes = sector.lowered(amplitudes)
    return sector, amplitudes, distance


def _along_x(question: Evolve) -> bool:
    """Whether all spins point along +x for good, or along -x for an even number of them."""
    state = question.state
    if question.pulses or not isinstance(state, CoherentState):
        return False
    along = float(state.direction[0])
    return bool(
        abs(along - 1) < 1e-12 or (abs(along + 1) < 1e-12 and not len(question.model.counts) % 2)
    )


def _inversion(parts: Sequence[HamiltonianPart]) -> bool:
    """Whether a rotation of all spins by pi about x leaves the Hamiltonian unchanged."""
    return all(
        not np.any(part.field[:, 1:])
        and not np.any(np.einsum("kij,ka->aij", part.kernels, part.tensors[:, 0, 1:]))
        for part in parts
    )
