import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from spinsqueeze.numerics.weighted_sum import WeightedSum


@pytest.mark.parametrize("density", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("kind", [float, complex])
def test_sums_are_those_of_the_matrices(kind, density):
    rng = np.random.default_rng(5)
    dense = [
        random_array((9, 9), density=density, rng=rng).toarray() * rng.normal(size=(9, 9))
        for _ in range(3)
    ]
    dense[1] = dense[1] * (1 + (2j if kind is complex else 0))
    explicit = csr_array(dense[2])
    explicit.data[:1] = 0.0  # a zero that is stored
    matrices = [csr_array(dense[0]), csr_array(dense[1]), explicit]
    total = WeightedSum(matrices)
    for weights in (np.array([1.0, -2.0, 0.5]), np.array([0.0, 0.0, 1.0])):
        right = sum(w * m.toarray() for w, m in zip(weights, matrices, strict=True))
        np.testing.assert_allclose(total.at(weights).toarray(), right, atol=1e-15)
    np.testing.assert_array_equal(total.dense(), [m.toarray() for m in matrices])
    norms = [np.abs(m.toarray()).sum(axis=0).max() for m in matrices]
    np.testing.assert_allclose(total.norms, norms)
