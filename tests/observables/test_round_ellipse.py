"""The bias of the least variance: how far noise pulls it down, and what is put back."""

import numpy as np
import pytest

from spinsqueeze.observables.jackknife import (
    MOST_LIFTED,
    jackknife,
    squeezing_estimates,
    squeezing_replicas,
)
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.squeezing import squeezing

N = 400
PARAMETERS = ("xi2", "xi2_kitagawa_ueda")


def squeezed_blocks(seed, least, *, n_runs, n_samples=200, n_blocks=20):
    """Gaussian spins along x with the variances least N/4 and N/4 least, turned: R runs."""
    noise = np.random.default_rng(seed).normal(size=(n_samples, n_runs, 2)) * np.sqrt(N / 4)
    noise *= np.sqrt([least, 1.0 / least])
    cosine, sine = np.cos(0.6), np.sin(0.6)
    y, z = (noise @ np.array([[cosine, sine], [-sine, cosine]])).T
    samples = np.stack([np.full(y.T.shape, N / 2), y.T, z.T], axis=-1)
    return BlockMoments.from_samples(samples, n_spins=N, n_blocks=n_blocks)


@pytest.mark.parametrize("least", [1.0, 0.95, 0.8, 0.1])
def test_least_variances_are_right_on_average_round_or_squeezed(least):
    """1000 runs know the mean to 0.03 of their scatter; what is left is at most 0.2 of it.

    Uncorrected, the mean is 1.1, 0.9, 0.4 and 0.1 of the scatter too low.
    """
    blocks = squeezed_blocks(1, least, n_runs=1000)
    found = squeezing_estimates(blocks)
    for name in PARAMETERS:
        estimate = getattr(found, name)
        off = estimate.value - least
        assert abs(np.mean(off)) < 0.26 * np.std(off)
        assert 0.62 < np.mean(np.abs(off) < estimate.stderr) < 0.75
        assert 0.89 < np.mean(np.abs(off) < 2 * estimate.stderr) < 0.98
    plain = squeezing(blocks.combined()).xi2
    assert np.all(found.xi2.value >= plain)
    if least > 0.9:
        assert np.mean(plain - least) < -0.6 * np.std(plain)


def test_contrasts_are_right_on_average():
    """Noise lengthens a mean spin of full length by tr V/N, which is 4 times its error here."""
    found = squeezing_estimates(squeezed_blocks(2, 1.0, n_runs=1000)).contrast
    off = found.value - 1.0
    assert abs(np.mean(off)) < 5 * np.std(off) / np.sqrt(1000)
    assert np.mean(np.abs(off) < 2 * found.stderr) > 0.9


def test_a_resolved_ellipse_gets_the_correction_of_the_jackknife():
    blocks = squeezed_blocks(3, 0.1, n_runs=50)
    found = squeezing_replicas(blocks)
    plain = squeezing(blocks.combined())
    for name in (*PARAMETERS, "contrast"):
        before = getattr(plain, name)
        replicas = found.replicas[name] - found.corrections[name][:, None]
        bias = jackknife(before, replicas=replicas, weights=found.weights).bias
        assert found.values[name] == pytest.approx(before - bias, rel=1e-9)


def test_a_round_ellipse_gets_up_to_twice_that_but_no_more_than_noise_explains():
    """Where the split is small, the jackknife's bias grows without bound as 1/split."""
    blocks = squeezed_blocks(4, 1.0, n_runs=2000, n_blocks=100)
    found = squeezing_replicas(blocks)
    plain = squeezing(blocks.combined()).xi2
    replicas = found.replicas["xi2"] - found.corrections["xi2"][:, None]
    bias = -jackknife(plain, replicas=replicas, weights=found.weights).bias
    lift = found.corrections["xi2"]
    assert np.all(lift <= 2 * bias + 1e-12)
    assert np.median(lift / bias) > 1.5
    # The error of either component of the split is 1/sqrt(n), known to 10 % in 100 blocks.
    assert lift.max() < 2 * MOST_LIFTED * 1.5 / np.sqrt(200) < bias.max()


def test_both_parameters_carry_the_same_correction():
    """Both hold the least variance: their corrections differ by the contrast squared."""
    found = squeezing_replicas(squeezed_blocks(5, 1.0, n_runs=20))
    length = squeezing(squeezed_blocks(5, 1.0, n_runs=20).combined()).contrast
    wineland, kitagawa_ueda = (found.corrections[name] for name in PARAMETERS)
    assert kitagawa_ueda == pytest.approx(wineland * length**2, rel=1e-2)


def test_what_is_put_back_counts_in_the_error():
    blocks = squeezed_blocks(6, 1.0, n_runs=20)
    replicas = squeezing_replicas(blocks)
    found = squeezing_estimates(blocks, replicas=replicas)
    for name in (*PARAMETERS, "contrast"):
        spread = jackknife(
            replicas.values[name], replicas=replicas.replicas[name], weights=replicas.weights
        ).stderr
        lift = replicas.corrections[name]
        assert getattr(found, name).stderr == pytest.approx(np.hypot(spread, lift))


def test_exact_agreement_of_all_blocks_is_left_alone():
    """Without noise nothing is corrected beyond round-off."""
    square = np.broadcast_to(np.diag([0.0, 25.0, 25.0]), (1, 8, 3, 3))
    blocks = BlockMoments(
        n_spins=100,
        reference=np.array([[50.0, 0.0, 0.0]]),
        weights=np.ones(8),
        first=np.zeros((1, 8, 3)),
        second=square,
    )
    found = squeezing_estimates(blocks)
    for name in (*PARAMETERS, "contrast"):
        assert getattr(found, name).value == pytest.approx(1.0, abs=1e-14)
        assert getattr(found, name).stderr == pytest.approx(0.0, abs=1e-13)
