"""Master equations on Pauli strings: d r_P/dt = sum_Q G_PQ r_Q, r_P = <P>, P in {1, x, y, z}^N.

Whatever acts on one spin at a time, or on two, is a real matrix on their Pauli matrices (sigma):
G_PQ = 2^-n Tr[P L(Q)] for n = 1 or 2 of them, with L the generator of d rho/dt. So a whole model is
one 4 x 4 matrix a spin and one 16 x 16 matrix a pair for each of its strengths. Collective jumps
D[sum_i c_i.s_i] are local ones and what pairs do: c_i.s_i rho (c_j.s_j)^dagger - half of the
anticommutator, and the same for j and i.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.exact.parts import hamiltonian_parts
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Envelope, Strength

PAULI: Complexes = np.array(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
)


@final
@dataclass(frozen=True, eq=False)
class GeneratorPart:
    """strength * (sum_i ones[i] on site i + sum_{i<j} twos[i, j] on sites i and j).

    ones (N, 4, 4); twos (N, N, 16, 16) for all ordered pairs, zeros on the diagonal: twos[j, i] is
    twos[i, j] with the sites exchanged. A string of two sites i, j has index 4 a_i + a_j.
    """

    strength: Strength
    ones: Floats
    twos: Floats


def generator_parts(model: Canonical) -> list[GeneratorPart]:
    """The master equation of a model without modes, one row a spin: one part a strength."""
    n = model.n_spins
    parts, drive = hamiltonian_parts(model)
    strengths = (1.0,) if drive is None else drive.strengths
    collected = []
    for strength, part in zip(strengths, parts, strict=True):
        ones = np.einsum("ia,apq->ipq", part.field, _turns())
        couplings = np.einsum("kij,kab->ijab", part.kernels, part.tensors)
        twos = np.einsum("ijab,abpq->ijpq", couplings, _couplings(), optimize=True)
        collected.append((strength, ones, twos))
    for local in model.local_jumps:
        factors = np.ones(n) if local.factors is None else local.factors
        ones = factors[:, None, None] * _dissipator(np.outer(local.vector, local.vector.conj()))
        collected.append((local.rate, ones, np.zeros((n, n, 16, 16))))
    for jump in model.collective_jumps:
        rows = np.broadcast_to(jump.vectors, (n, 3))
        products = np.einsum("ia,jb->ijab", rows, rows.conj())
        ones = np.array([_dissipator(products[i, i]) for i in range(n)])
        # The term of j and i is the Hermitian conjugate one: twice the real part.
        twos = 2 * np.einsum("ijab,abpq->ijpq", products, _crossed(), optimize=True).real
        twos[np.arange(n), np.arange(n)] = 0.0
        collected.append((jump.rate, ones, twos))
    return _gathered(collected)


def _gathered(collected: list[tuple[Strength, Floats, Floats]]) -> list[GeneratorPart]:
    """All constant strengths as one part of strength 1, equal envelopes together."""
    sums: dict[int, tuple[Strength, Floats, Floats]] = {}
    for strength, ones, twos in collected:
        varies = isinstance(strength, Envelope)
        factor = 1.0 if isinstance(strength, Envelope) else strength
        key = id(strength) if varies else 0
        known = sums.get(key, (strength if varies else 1.0, 0.0, 0.0))
        sums[key] = (known[0], known[1] + factor * ones, known[2] + factor * twos)
    return [GeneratorPart(*entry) for entry in sums.values()]


@cache
def _strings() -> Complexes:
    """The 16 strings of two sites, (16, 4, 4)."""
    return np.array([np.kron(a, b) for a in PAULI for b in PAULI])


def _matrix(strings: Complexes, images: NDArray[Any]) -> Complexes:
    """G_PQ = Tr[P image_Q] / dimension; images (..., Q, d, d)."""
    return np.asarray(np.einsum("pxy,...qyx->...pq", strings, images) / strings.shape[-1])


@cache
def _turns() -> Floats:
    """Of H = s_a: (3, 4, 4)."""
    half = PAULI[1:, None] / 2
    return _matrix(PAULI, -1j * (half @ PAULI - PAULI @ half)).real


@cache
def _couplings() -> Floats:
    """Of H = s_ia s_jb: (3, 3, 16, 16)."""
    strings = _strings()
    products = (strings.reshape(4, 4, 4, 4)[1:, 1:] / 4)[:, :, None]
    return _matrix(strings, -1j * (products @ strings - strings @ products)).real


@cache
def _feeding() -> Complexes:
    """Of s_a rho s_b - (s_b s_a rho + rho s_b s_a)/2 on one spin: (3, 3, 4, 4)."""
    a, b = PAULI[1:, None, None] / 2, PAULI[None, 1:, None] / 2
    return _matrix(PAULI, a @ PAULI @ b - (b @ a @ PAULI + PAULI @ b @ a) / 2)


@cache
def _crossed() -> Complexes:
    """The same with s_a of the first of two sites and s_b of the second: (3, 3, 16, 16)."""
    strings = _strings()
    pairs = strings.reshape(4, 4, 4, 4)
    a, b = pairs[1:, 0][:, None, None] / 2, pairs[0, 1:][None, :, None] / 2
    return _matrix(strings, a @ strings @ b - (b @ a @ strings + strings @ b @ a) / 2)


def _dissipator(products: Complexes) -> Floats:
    """Of D[c.s], products[a, b] = c_a conj(c_b): (4, 4)."""
    return np.asarray(np.einsum("ab,abpq->pq", products, _feeding()).real)
