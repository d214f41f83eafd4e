"""Jackknife errors: against brute force, and their coverage of the truth."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.jackknife import (
    jackknife,
    leave_one_out,
    squeezing_estimates,
    squeezing_replicas,
)
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.squeezing import SqueezingStatus, squeezing

from .helpers import rotation, twisted_samples, twisted_truth

N = 1000
TWISTS = np.array([0.0, 1e-4, 3e-4, 1e-3, 3e-3, 6e-3, 0.01, 0.015])


def blocks_of(seed, *, n_samples=500, n_blocks=50, twists=TWISTS):
    rng = np.random.default_rng(seed)
    data = twisted_samples(rng, n_spins=N, twists=twists, n_samples=n_samples)
    return BlockMoments.from_samples(data, n_spins=N, n_blocks=n_blocks)


def test_error_of_a_mean_is_the_textbook_one():
    x = np.random.default_rng(1).normal(size=40)
    replicas = (x.sum() - x) / 39
    result = jackknife(x.mean(), replicas=replicas, weights=np.ones(40))
    assert result.stderr == pytest.approx(x.std(ddof=1) / np.sqrt(40), rel=1e-12)
    assert result.bias == pytest.approx(0.0, abs=1e-14)


def test_bias_of_the_population_variance():
    x = np.random.default_rng(2).normal(size=30)
    replicas = np.array([np.delete(x, b).var() for b in range(30)])
    result = jackknife(x.var(), replicas=replicas, weights=np.ones(30))
    assert result.value - result.bias == pytest.approx(x.var(ddof=1), rel=1e-10)


def test_unequal_blocks_give_an_unbiased_error_of_the_mean():
    """Blocks of 1 to 12 samples of unit variance: var(mean) = 1/W; the plain rule would not do."""
    rng = np.random.default_rng(3)
    w = np.tile([1.0, 2.0, 5.0, 12.0], 10)
    means = rng.normal(size=(4000, 40)) / np.sqrt(w)
    total = means @ w
    replicas = (total[:, None] - w * means) / (w.sum() - w)
    result = jackknife(total / w.sum(), replicas=replicas, weights=w)
    # each variance has a relative spread of at most sqrt(2/10): 5 sigma of the mean of 4000
    assert np.mean(result.stderr**2) * w.sum() == pytest.approx(1.0, abs=5 * 0.45 / np.sqrt(4000))


def test_circular_differences():
    replicas = np.array([1.56, -1.57, 1.55, -1.56])
    straight = np.array([1.56, np.pi - 1.57, 1.55, np.pi - 1.56])
    circular = jackknife(1.57, replicas=replicas, weights=np.ones(4), period=np.pi)
    plain = jackknife(1.57, replicas=straight, weights=np.ones(4))
    assert circular.stderr == pytest.approx(plain.stderr, rel=1e-12)


@pytest.mark.parametrize("n_samples", [60, 67])
def test_replicas_equal_analysing_the_other_samples(n_samples):
    rng = np.random.default_rng(4)
    data = twisted_samples(rng, n_spins=N, twists=TWISTS, n_samples=n_samples)
    data = data @ rotation([0.3, -1.0, 0.4]).T
    blocks = BlockMoments.from_samples(data, n_spins=N, n_blocks=n_samples)
    found = squeezing_replicas(blocks)
    parts = leave_one_out(blocks)
    for b in (0, 7, n_samples - 1):
        rest = BlockMoments.from_samples(
            np.delete(data, b, axis=0), n_spins=N, n_blocks=n_samples - 1
        ).combined()
        np.testing.assert_allclose(parts.spin[:, b], rest.spin, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(parts.covariance[:, b], rest.covariance, rtol=1e-8, atol=1e-7)
        alone = squeezing(rest)
        for name in ("xi2", "xi2_kitagawa_ueda", "uncertainty_product", "contrast"):
            plain = found.replicas[name][:, b] - found.corrections.get(name, 0.0)
            np.testing.assert_allclose(plain, getattr(alone, name), rtol=1e-8)
        np.testing.assert_allclose(
            found.replicas["squeezing_angle"][:, b], alone.squeezing_angle, atol=1e-8
        )


def test_values_follow_from_the_reported_moments_and_their_corrections():
    blocks = blocks_of(5)
    result = squeezing_estimates(blocks)
    plain = squeezing(blocks.combined())
    corrections = squeezing_replicas(blocks).corrections
    for name in ("xi2", "xi2_kitagawa_ueda", "contrast"):
        expected = getattr(plain, name) + corrections[name]
        np.testing.assert_allclose(result.values[name].value, expected, rtol=1e-9)
    np.testing.assert_allclose(
        result.uncertainty_product.value, plain.uncertainty_product, rtol=1e-9
    )
    np.testing.assert_allclose(result.spin.value, blocks.combined().spin, rtol=1e-12, atol=1e-9)
    assert result.n_blocks == 50
    assert result.covariance.stderr.shape == (8, 3, 3)
    assert result.spin.stderr.shape == (8, 3)
    again = squeezing_estimates(blocks, replicas=squeezing_replicas(blocks))
    np.testing.assert_array_equal(again.xi2.stderr, result.xi2.stderr)


def test_conserved_total_spin_has_its_own_value_and_no_error():
    """Samples of one length: <S^2> is that square, whatever the scatter of the directions."""
    rng = np.random.default_rng(9)
    data = rng.normal([2.0, 0.0, 1.0], 1.0, (80, 2, 3))
    data *= 20.0 / np.linalg.norm(data, axis=-1, keepdims=True)
    result = squeezing_estimates(BlockMoments.from_samples(data, n_spins=40, n_blocks=20))
    np.testing.assert_allclose(result.total_spin_squared.value, 400.0, rtol=1e-13)
    np.testing.assert_allclose(result.total_spin_squared.stderr, 0.0, atol=1e-11)
    np.testing.assert_allclose(result.effective_spins.value, 2 * np.sqrt(400.25) - 1, rtol=1e-13)
    replicas = squeezing_replicas(BlockMoments.from_samples(data, n_spins=40, n_blocks=20))
    assert replicas.replicas["total_spin_squared"].shape == (2, 20)


def test_errors_do_not_depend_on_the_frame_or_the_order_of_merging():
    rng = np.random.default_rng(6)
    data = twisted_samples(rng, n_spins=N, twists=TWISTS[3:], n_samples=200)
    straight = BlockMoments.from_samples(data, n_spins=N, n_blocks=20)
    turned = BlockMoments.from_samples(data @ rotation([0.2, 1.0, -0.7]).T, n_spins=N, n_blocks=20)
    a, b = squeezing_estimates(straight), squeezing_estimates(turned)
    for name in ("xi2", "xi2_kitagawa_ueda", "uncertainty_product", "contrast", "effective_spins"):
        np.testing.assert_allclose(getattr(a, name).stderr, getattr(b, name).stderr, rtol=1e-6)
    halves = [BlockMoments.from_samples(part, n_spins=N, n_blocks=10) for part in np.split(data, 2)]
    c = squeezing_estimates(BlockMoments.merge(halves[::-1]))
    np.testing.assert_allclose(c.xi2.stderr, a.xi2.stderr, rtol=1e-6)


def test_statuses_of_samples():
    rng = np.random.default_rng(7)
    data = twisted_samples(rng, n_spins=N, twists=[0.0, 5e-3, 0.1], n_samples=400)
    data[:, 2] -= data[:, 2].mean(axis=0)  # no mean spin left
    result = squeezing_estimates(BlockMoments.from_samples(data, n_spins=N, n_blocks=40))
    names = [SqueezingStatus(s).name for s in result.status]
    assert names == ["ISOTROPIC", "OK", "UNDEFINED_DIRECTION"]
    np.testing.assert_array_equal(np.isnan(result.xi2.value), [False, False, True])
    np.testing.assert_array_equal(np.isnan(result.xi2.stderr), [False, False, True])
    np.testing.assert_array_equal(np.isnan(result.squeezing_angle.value), [True, False, True])
    assert np.all(np.isfinite(result.total_spin_squared.stderr))
    with pytest.raises(UndefinedDirection, match="at 1 of 3 points"):
        result.require_direction()


def test_along_the_pole_the_angle_stays_readable():
    """Mean spin along z: the frame of every replica is y, -x, not a random azimuth."""
    rng = np.random.default_rng(8)
    data = twisted_samples(rng, n_spins=N, twists=[5e-3], n_samples=800)
    to_z = np.array([[0, 0, -1.0], [0, 1.0, 0], [1.0, 0, 0]])  # x to z, z to -x, y stays
    flat = squeezing_estimates(BlockMoments.from_samples(data, n_spins=N, n_blocks=40))
    up = squeezing_estimates(BlockMoments.from_samples(data @ to_z.T, n_spins=N, n_blocks=40))
    np.testing.assert_allclose(up.squeezing_angle.value, flat.squeezing_angle.value, atol=1e-2)
    np.testing.assert_allclose(up.squeezing_angle.stderr, flat.squeezing_angle.stderr, rtol=0.1)
    assert up.squeezing_angle.stderr[0] < 0.02


def test_bad_jackknives():
    with pytest.raises(InvalidInput, match="at least 4 blocks of samples; got 3"):
        leave_one_out(blocks_of(0, n_blocks=3))
    with pytest.raises(InvalidInput, match="at least 4 blocks"):
        jackknife(1.0, replicas=np.ones(2), weights=np.ones(2))
    with pytest.raises(InvalidInput, match="replicas must add one axis of length 5"):
        jackknife(1.0, replicas=np.ones(6), weights=np.ones(5))


SCALARS = (
    "xi2", "xi2_kitagawa_ueda", "uncertainty_product", "contrast", "total_spin_squared",
    "effective_spins", "antisqueezing", "ellipse_area",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("n_samples", "n_blocks"), [(200, 20), (500, 50), (2000, 50), (500, 250)])
def test_one_sigma_covers_the_truth(n_samples, n_blocks):
    """60 to 76 percent of 300 seeds wherever the ellipse is resolved.

    68.3 percent of 300 has a standard deviation of 2.7 percent. At the first three times the
    ellipse is round within its error, and the correction of the smaller variance counts in its
    error: 66 to 73 percent are expected there. Uncorrected, 48 percent are covered.
    """
    truth = squeezing(twisted_truth(n_spins=N, twists=TWISTS))
    hits = {name: np.zeros(TWISTS.size) for name in (*SCALARS, "squeezing_angle")}
    for seed in range(300):
        result = squeezing_estimates(blocks_of(1000 + seed, n_samples=n_samples, n_blocks=n_blocks))
        for name, hit in hits.items():
            estimate = getattr(result, name)
            off = estimate.value - getattr(truth, name)
            if name == "squeezing_angle":
                off -= np.pi * np.round(off / np.pi)
            with np.errstate(invalid="ignore"):
                hit += np.abs(off) <= estimate.stderr
    for name in ("xi2", "xi2_kitagawa_ueda"):
        share = hits[name] / 300
        assert np.all((share[3:] >= 0.60) & (share[3:] <= 0.76)), (name, share)
        assert np.all((share[:3] >= 0.55) & (share[:3] <= 0.81)), (name, share)
    resolved = (
        "squeezing_angle", "effective_spins", "contrast", "uncertainty_product", "antisqueezing",
        "ellipse_area",
    )  # fmt: skip
    for name, first in [(name, 3) for name in resolved]:
        share = hits[name][first:] / 300
        assert np.all((share >= 0.58) & (share <= 0.76)), (name, share)
