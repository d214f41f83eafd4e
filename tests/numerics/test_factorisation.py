"""Sparse factors: their backward error is measured, refined away, or refused with the remedy."""

import numpy as np
import pytest
from scipy.sparse import csr_array, eye_array

from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.numerics.factorisation import CheckedFactors, rate_bound, superlu_factors
from spinsqueeze.numerics.null_vectors import DENSE, null_vector


class Scaled:
    """Factors of the identity whose solutions are too small by a factor."""

    transposable = True

    def __init__(self, share):
        self.share = share

    def solve(self, right, *, refinements=1, **_):
        x = self.share * right
        for _ in range(refinements):
            x = x + self.share * (right - x)
        return x


def test_factors_that_refinement_cannot_save_are_refused_with_the_remedy():
    message = r"backward error of 1\.0e\+00 after 4 refinements; end earlier"
    with pytest.raises(NumericalFailure, match=message):
        CheckedFactors(eye_array(5).tocsr(), Scaled(0.0), remedy="end earlier")


def test_refinement_goes_as_far_as_the_probe_needs():
    # every step multiplies the error by 1e-6: two steps reach 1e-18
    factors = CheckedFactors(eye_array(5).tocsr(), Scaled(1 - 1e-6), remedy="none")
    assert factors.refinements == 2
    assert factors.backward_error < 1e-15
    assert factors.solve(np.ones(5)) == pytest.approx(np.ones(5), abs=1e-15)


def walk(size):
    """Rates of a random walk on a line of `size` places: columns sum to zero."""
    rng = np.random.default_rng(3)
    up, down = rng.uniform(0.5, 2.0, size=(2, size - 1))
    rates = np.diag(up, -1) + np.diag(down, 1)
    rates -= np.diag(rates.sum(axis=0))
    # detailed balance: p_(k+1)/p_k = up_k/down_k
    steady = np.cumprod(np.concatenate([[1.0], up / down]))
    return csr_array(rates), steady / steady.sum()


@pytest.mark.parametrize("size", [DENSE, DENSE + 1, 200])
def test_the_null_vector_of_a_random_walk(size):
    rates, steady = walk(size)
    left = np.ones(size)

    def factorise(alpha, beta):
        return superlu_factors(rates, alpha, beta, remedy="none")

    null = null_vector(rates, left=left, factorise=factorise)
    assert null.vector / null.vector.sum() == pytest.approx(steady, rel=1e-9)
    values = np.sort(np.abs(np.linalg.eigvals(rates.toarray())))
    assert null.slowest == pytest.approx(values[1], rel=0.2)
    # the iteration comes from below
    largest = np.linalg.norm(np.linalg.pinv(rates.toarray()), 2)
    assert 0.8 * largest < null.resolvent < 1.001 * largest
    assert null.fastest <= rate_bound(rates) * 1.001


def test_shifted_solves_and_their_transposes():
    rates, _ = walk(70)
    right = np.random.default_rng(1).normal(size=(70, 2))
    factors = superlu_factors(rates, 1.0, 0.3, remedy="none")
    dense = np.eye(70) - 0.3 * rates.toarray()
    assert factors.solve(right) == pytest.approx(np.linalg.solve(dense, right), abs=1e-12)
    assert factors.solve(right, transposed=True) == pytest.approx(
        np.linalg.solve(dense.T, right), abs=1e-12
    )
