"""What a model does to the operators of one spin and of a pair, as numbers.

Operators of a spin are expanded in tau = (1, s_x, s_y, s_z). The adjoint Lindbladian of a model
whose spins differ by kind only is a sum over spins and over pairs of spins,

    L+(tau_a) = sum_b one[A, a, b] tau_b                              (a spin of kind A),
    L+(tau_a tau_a') = sum_bb' two[A, B, a, a', b, b'] tau_b tau_b'   (a pair of kinds A, B),

the second without what `one` says of each. For collective jumps L = sum_i l_i a pair adds
l_i+ O l_j + l_j+ O l_i - {l_i+ l_j + l_j+ l_i, O}/2.
"""

from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Strength

TAU: Complexes = np.array(
    [[[1, 0], [0, 1]], [[0, 0.5], [0.5, 0]], [[0, -0.5j], [0.5j, 0]], [[0.5, 0], [0, -0.5]]]
)
NORMS = np.array([2.0, 0.5, 0.5, 0.5])
"""Tr tau_a tau_a."""
NONE = -1
ROUNDING = 8 * float(np.finfo(np.float64).eps)


ModeTerm = tuple[int, int, int, int, int, float]
"""(u, u', v, w, kind, value): value x_u x_u' d_v d_w M, or value x_u (N_kind - E_kind) d_v M; -1 is
none. Variables are those of the spins, then (Re a, Im a) of each mode."""


@final
@dataclass(frozen=True, eq=False)
class Table:
    """A term of the model: one (C, 4, 4) and two (C, C, 4, 4, 4, 4), times a strength in time.

    modes: what it adds for modes, see mode_tables.py.
    """

    strength: Strength
    one: Floats
    two: Floats
    modes: tuple[ModeTerm, ...] = ()


def tables_of(model: Canonical) -> list[Table]:
    """The tables of the spins of a model, which differ by kind only; see mode_tables for modes."""
    n_kinds = len(model.counts)
    out = []
    for field in model.fields:
        fields = np.broadcast_to(field.vectors, (n_kinds, 3))
        out.append(_hamiltonian(field.strength, vectors=fields))
    for quadratic in model.quadratics:
        weights = np.ones(n_kinds) if quadratic.weights is None else quadratic.weights
        tensors = 2 * np.einsum("A,B,ab->ABab", weights, weights, quadratic.matrix)
        out.append(_hamiltonian(quadratic.strength, tensors=tensors))
    for pair in model.pairs:
        tensors = np.broadcast_to(pair.tensor, (n_kinds, n_kinds, 3, 3))
        out.append(_hamiltonian(pair.strength, tensors=tensors))
    for jump in model.collective_jumps:
        vectors = np.broadcast_to(jump.vectors, (n_kinds, 3)).astype(complex)
        out.append(Table(jump.rate, _own_jumps(vectors), _shared_jumps(vectors)))
    for local in model.local_jumps:
        factors = np.ones(n_kinds) if local.factors is None else local.factors
        one = factors[:, None, None] * _own_jumps(np.broadcast_to(local.vector, (n_kinds, 3)))
        out.append(Table(local.rate, one, no_tables(n_kinds)[1]))
    return out


def _hamiltonian(
    strength: Strength, *, vectors: Floats | None = None, tensors: Floats | None = None
) -> Table:
    """Of sum_i v_i.s_i, vectors (C, 3), or of sum_{i<j} s_i.T s_j, tensors (C, C, 3, 3)."""
    if vectors is not None:
        return Table(strength, field_tables(vectors), no_tables(len(vectors))[1])
    assert tensors is not None
    two = _clean(np.tensordot(tensors, _of_pairs(), 2))
    return Table(strength, no_tables(len(two))[0], two)


def no_tables(n_kinds: int) -> tuple[Floats, Floats]:
    """(C, 4, 4) and (C, C, 4, 4, 4, 4) of nothing."""
    return np.zeros((n_kinds, 4, 4)), np.zeros((n_kinds, n_kinds, 4, 4, 4, 4))


def field_tables(vectors: Floats) -> Floats:
    """(C, 4, 4) of sum_i v_i.s_i, vectors (C, 3)."""
    return _clean(np.tensordot(vectors, _of_fields(), 1))


def _own_jumps(vectors: Complexes) -> Floats:
    """(C, 4, 4) of D[c_A.s_i] for every spin."""
    return _clean(np.einsum("Aa,Ab,abst->Ast", vectors.conj(), vectors, _of_own_jumps()))


def _shared_jumps(vectors: Complexes) -> Floats:
    """(C, C, 4, 4, 4, 4) of what D[sum_i c_i.s_i] does to a pair beyond each of the two."""
    left, right = _of_shared_jumps()
    products = vectors.conj()[:, None, :, None] * vectors[None, :, None, :]  # [A, B, a, b]
    both = np.tensordot(products, left, 2)
    both += np.tensordot(products.transpose(1, 0, 2, 3), right, 2)
    return _clean(both)


def _clean(table: Floats | Complexes) -> Floats:
    """The real part, without what rounding leaves of entries that cancel."""
    real = np.array(table.real)
    real[np.abs(real) < ROUNDING * np.max(np.abs(real), initial=0.0)] = 0.0
    return real


@cache
def _of_fields() -> Floats:
    """(3, 4, 4): the table of H = s_a."""
    return np.array([expanded(1j * _commutator(s)) for s in TAU[1:]]).real


@cache
def _of_pairs() -> Floats:
    """(3, 3, 4, 4, 4, 4): the table of H = s_a s_b, of a first and a second spin."""
    both = [[_expanded_pair(1j * _commutator(np.kron(s, t))) for t in TAU[1:]] for s in TAU[1:]]
    return np.array(both).real


@cache
def _of_own_jumps() -> Complexes:
    """(3, 3, 4, 4): the form of D in c_a* c_b, of one spin."""
    return np.array([[expanded(_adjoint_dissipator(s, t)) for t in TAU[1:]] for s in TAU[1:]])


@cache
def _of_shared_jumps() -> tuple[Complexes, Complexes]:
    """Twice (3, 3, 4, 4, 4, 4): the forms in c_Aa* c_Bb and c_Ba* c_Ab, of two spins."""
    first = [np.kron(s, TAU[0]) for s in TAU[1:]]
    second = [np.kron(TAU[0], s) for s in TAU[1:]]

    def form(left: list[Complexes], right: list[Complexes]) -> Complexes:
        return np.array([[_expanded_pair(_adjoint_dissipator(a, b)) for b in right] for a in left])

    return form(first, second), form(second, first)


def _commutator(h: Complexes) -> Complexes:
    """O -> [h, O] as a matrix on the flattened O (row by row)."""
    one = np.eye(len(h))
    return np.kron(h, one) - np.kron(one, h.T)


def _adjoint_dissipator(left: Complexes, right: Complexes) -> Complexes:
    """O -> left+ O right - {left+ right, O}/2 as a matrix on the flattened O."""
    one, inner = np.eye(len(left)), left.conj().T @ right
    both = np.kron(inner, one) + np.kron(one, inner.T)
    return np.asarray(np.kron(left.conj().T, right.T) - both / 2, dtype=complex)


def expanded(action: Complexes) -> Complexes:
    """(4, 4): action(tau_a) = sum_b out[a, b] tau_b."""
    turned = np.einsum("xy,ay->ax", action, TAU.reshape(4, 4))
    out = np.einsum("bx,ax,b->ab", TAU.reshape(4, 4).conj(), turned, 1 / NORMS)
    return np.asarray(out)


def _expanded_pair(action: Complexes) -> Complexes:
    """(4, 4, 4, 4): action(tau_a tau_a') = sum_bb' out[a, a', b, b'] tau_b tau_b'."""
    basis = np.einsum("axy,bzw->abxzyw", TAU, TAU).reshape(4, 4, 16)
    turned = np.einsum("xy,aby->abx", action, basis)
    norms = 1 / np.outer(NORMS, NORMS)
    return np.asarray(np.einsum("cdx,abx,cd->abcd", basis.conj(), turned, norms))
