"""The iteration for steady states against dense linear algebra."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from spinsqueeze.numerics.lindblad import Unknowns, lindblad_drift, master_equation
from spinsqueeze.numerics.lindblad_steady import (
    Bordered,
    WithoutFeeding,
    inverse_norm_iteratively,
    null_vector_iteratively,
)


def random_equation(seed, sizes=(5, 3)):
    """H and jumps that keep two blocks, and one jump between them each way."""
    rng = np.random.default_rng(seed)
    total = sum(sizes)

    def block(rows, columns):
        out = np.zeros((total, total), dtype=complex)
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        out[rows, columns] = rng.normal(size=shape) + 1j * rng.normal(size=shape)
        return out

    a, b = slice(0, sizes[0]), slice(sizes[0], total)
    H = block(a, a) + block(b, b)
    jumps = [csr_array(0.3 * m) for m in (block(a, a) + block(b, b), block(a, b), block(b, a))]
    unknowns = Unknowns(sizes)
    drift = lindblad_drift(csr_array(H + H.conj().T), jumps)
    return unknowns, drift, master_equation(unknowns, drift=drift, jumps=jumps).matrix


@pytest.mark.parametrize("seed", range(4))
def test_the_null_vector_and_the_norm_of_the_pseudoinverse(seed):
    unknowns, drift, L = random_equation(seed)
    inside = WithoutFeeding(unknowns, drift).within(np.arange(unknowns.count))
    trace = unknowns.trace_vector()
    found = null_vector_iteratively(L, left=trace, precondition=inside, fastest=1.0)
    assert trace @ found.vector == pytest.approx(1.0, abs=1e-12)
    assert np.abs(L @ found.vector).max() < 1e-11
    singular = np.linalg.svd(L.toarray(), compute_uv=False)
    assert found.resolvent == pytest.approx(1 / singular[-2], rel=0.25)
    assert found.resolvent < 1.05 / singular[-2]


def test_transposed_solutions():
    unknowns, drift, L = random_equation(7)
    inside = WithoutFeeding(unknowns, drift).within(np.arange(unknowns.count))
    bordered = Bordered(L, unknowns.trace_vector(), inside)
    dense = np.array([bordered.apply(e) for e in np.eye(unknowns.count)]).T
    right = np.random.default_rng(1).normal(size=unknowns.count)
    for transposed in (False, True):
        matrix = dense.T if transposed else dense
        x = bordered.solve(right, transposed=transposed)
        np.testing.assert_allclose(matrix @ x, right, atol=1e-10)
    # The preconditioner and its transpose are those of one matrix.
    P = np.array([inside.solve(e) for e in np.eye(unknowns.count)]).T
    turned = np.array([inside.transposed(e) for e in np.eye(unknowns.count)]).T
    np.testing.assert_allclose(turned, P.T, atol=1e-12)


def test_a_part_without_a_trace():
    unknowns, drift, L = random_equation(3)
    shifted = (L - 0.5 * csr_array(np.eye(unknowns.count))).tocsr()
    inside = WithoutFeeding(unknowns, drift).within(np.arange(unknowns.count))
    norm = inverse_norm_iteratively(shifted, precondition=inside)
    exact = 1 / np.linalg.svd(shifted.toarray(), compute_uv=False)[-1]
    assert norm == pytest.approx(exact, rel=0.25)
