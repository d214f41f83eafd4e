"""The permutations of spins that a question leaves unchanged, found from its numbers."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import ProductOfSpins, PureState, bloch_vectors, state_vector
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.states import InitialState, StateVector
from spinsqueeze.numerics.orbits import MOST_ELEMENTS, all_moved, count_orbits, group_elements
from spinsqueeze.numerics.site_symmetries import site_symmetries

ASYMMETRY = 1e-12
"""Change of a state vector by a permutation, in norm, that is taken for rounding."""


def symmetries_of_model(question: Question) -> list[Integers]:
    """Generators, spin i to p[i], of what leaves model and pulses unchanged; one row a spin."""
    rows: list[Floats] = []
    if isinstance(question, Evolve):
        rows = [r.mask.astype(float) for r in question.pulses if r.mask is not None]
    return _generators(question.model, rows)


def symmetries_with_state(question: Evolve) -> list[Integers]:
    """The same for what leaves the initial state unchanged too."""
    state = question.state
    rows = [r.mask.astype(float) for r in question.pulses if r.mask is not None]
    if isinstance(state, ProductOfSpins) and (directions := bloch_vectors(state)).ndim == 2:
        rows.append(directions)
    generators = _generators(question.model, rows)
    if isinstance(state, StateVector):
        psi = np.asarray(state.amplitudes)
        generators = [g for g in generators if moved_by(psi, g) <= ASYMMETRY]
    return generators


def is_symmetric(state: InitialState | None, generators: list[Integers], n_spins: int) -> bool:
    """Whether the permutations change a pure state by a phase at most."""
    if isinstance(state, ProductOfSpins):
        directions = bloch_vectors(state)
        return directions.ndim == 1 or all(
            np.abs(directions[g] - directions).max() <= ASYMMETRY for g in generators
        )
    if not isinstance(state, StateVector):
        return True
    assert isinstance(state, PureState)
    psi = state_vector(state, n_spins)
    return all(moved_by(psi, g, phase=True) <= ASYMMETRY for g in generators)


def moved_by(psi: Complexes, generator: Integers, *, phase: bool = False) -> float:
    """|P psi - psi|, or the least of it over a phase of P psi."""
    turned = psi[all_moved(generator, 1)]
    if phase and abs(overlap := complex(np.vdot(turned, psi))) > 0:
        turned = turned * (overlap / abs(overlap))
    return float(np.linalg.norm(turned - psi))


def orbit_count(n_spins: int, generators: list[Integers], *, bits: int) -> float:
    """About how many orbits the 2^(bits N) words have; what very large groups leave is little."""
    return _orbit_count(n_spins, tuple(tuple(int(i) for i in g) for g in generators), bits)


@lru_cache(maxsize=64)
def _orbit_count(n_spins: int, generators: tuple[tuple[int, ...], ...], bits: int) -> float:
    total = 2.0 ** (bits * n_spins)
    if not generators:
        return total
    elements = group_elements([np.array(g) for g in generators])
    if elements is None:
        return total / MOST_ELEMENTS + n_spins**3
    return count_orbits(elements, digits=1 << bits)


def _generators(model: Canonical, rows: list[Floats]) -> list[Integers]:
    kernels, own = [], list(rows)
    for pair in model.pairs:
        kernels.append(pair.kernel.matrix())
    for field in model.fields:
        if field.vectors.ndim == 2:
            own.append(field.vectors)
    own += [q.weights for q in model.quadratics if q.weights is not None]
    own += [j.factors for j in model.local_jumps if j.factors is not None]
    for jump in model.collective_jumps:
        if jump.vectors.ndim == 2:
            kernels += list(_products(jump.vectors))
    grids = (pair.kernel.grid for pair in model.pairs)
    grid = next((g for g in grids if g is not None), None)
    if model.n_spins < 2:
        return []
    none: list[Any] = [np.zeros((model.n_spins, model.n_spins))]
    return site_symmetries(kernels or none, rows=own, grid=grid)


def _products(vectors: Complexes) -> Iterator[Floats]:
    """What D[sum_i c_i.s_i] depends on: c_i,a conj(c_j,b), of which phases drop out."""
    products = np.einsum("ia,jb->abij", vectors, vectors.conj())
    size = float(np.abs(products).max(initial=0.0))
    for matrix in products.reshape(9, *products.shape[2:]):
        for part in (matrix.real, matrix.imag):
            # Phases are sines and cosines: what they round to is no difference.
            rounded = np.round(part / (size or 1.0), 13)
            if np.any(rounded):
                yield rounded
