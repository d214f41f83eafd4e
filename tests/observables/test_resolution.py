"""What samples resolve, at the edge; and blocks of unequal size."""

import numpy as np
import pytest

from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.squeezing import SqueezingStatus


def standardised(rng, shape):
    """Normal numbers with sample mean 0 and sample covariance 1 along the first axis."""
    draws = rng.normal(size=shape)
    draws -= draws.mean(axis=0)
    return draws @ np.linalg.inv(np.linalg.cholesky(np.cov(draws.T, bias=True))).T


@pytest.mark.parametrize(
    ("errors", "status"), [(4.0, "UNDEFINED_DIRECTION"), (4.8, "UNDEFINED_DIRECTION"), (5.2, "OK")]
)
def test_a_direction_needs_five_standard_errors(errors, status):
    n = 400
    samples = standardised(np.random.default_rng(1), (n, 3)) * [3.0, 2.0, 6.0]
    # The error of the length: all three components of the mean, one sample a block.
    samples += errors * np.sqrt(49 / (n - 1)) * np.array([1.0, 0.0, 0.0])
    blocks = BlockMoments.from_samples(samples, n_spins=100, n_blocks=n)
    found = squeezing_estimates(blocks)
    assert SqueezingStatus(int(found.status)).name == status
    assert np.isnan(found.xi2.value) == (status != "OK")
