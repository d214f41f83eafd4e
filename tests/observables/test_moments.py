"""Block moments: sums, shifts, merging, and what they refuse."""

import dataclasses

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.jackknife import leave_one_out
from spinsqueeze.observables.moments import BlockMoments, Moments


def samples(n=23, times=3, seed=0, centre=0.0):
    return np.random.default_rng(seed).normal(centre, 2.0, (n, times, 3)) @ np.diag([1, 2, 3])


@pytest.mark.parametrize("n_blocks", [1, 4, 5, 23])
def test_blocks_are_contiguous_and_equal_within_one(n_blocks):
    data = samples()
    blocks = BlockMoments.from_samples(data, n_spins=10, n_blocks=n_blocks)
    assert blocks.weights.sum() == 23
    assert np.ptp(blocks.weights) <= 1
    start = 0
    for b, size in enumerate(blocks.weights.astype(int)):
        part = data[start : start + size]
        start += size
        np.testing.assert_allclose(blocks.reference + blocks.first[:, b], part.mean(axis=0))
        centred = part - blocks.reference
        expected = np.einsum("nta,ntb->tab", centred, centred) / size
        np.testing.assert_allclose(blocks.second[:, b], expected)


def test_single_sample_blocks_give_the_unbiased_sample_covariance():
    data = samples()
    combined = BlockMoments.from_samples(data, n_spins=10, n_blocks=23).combined()
    np.testing.assert_allclose(combined.spin, data.mean(axis=0), atol=1e-14)
    for t in range(3):
        np.testing.assert_allclose(combined.covariance[t], np.cov(data[:, t].T), rtol=1e-12)


def test_one_block_gives_the_population_covariance():
    data = samples()
    combined = BlockMoments.from_samples(data, n_spins=10, n_blocks=1).combined()
    np.testing.assert_allclose(combined.covariance[1], np.cov(data[:, 1].T, ddof=0), rtol=1e-12)


def test_covariance_is_unbiased_for_larger_blocks():
    """Mean over 4000 runs of 12 samples: a missing n/(n-1) would lie 8 percent low, 15 sigma."""
    rng = np.random.default_rng(5)
    runs = rng.normal(size=(12, 4000, 3))
    combined = BlockMoments.from_samples(runs, n_spins=4, n_blocks=4).combined()
    mean = combined.covariance.mean(axis=0)
    np.testing.assert_allclose(mean, np.eye(3), atol=5 * np.sqrt(2 / 12 / 4000) * 1.1)


def test_large_offset_does_not_cancel():
    data = samples(400, centre=0.0)
    near = BlockMoments.from_samples(data, n_spins=10**6, n_blocks=20).combined()
    far = BlockMoments.from_samples(data + 5e5, n_spins=10**6, n_blocks=20).combined()
    np.testing.assert_allclose(far.covariance, near.covariance, rtol=1e-8, atol=1e-9)


def test_another_reference_changes_nothing_else():
    blocks = BlockMoments.from_samples(samples(), n_spins=10, n_blocks=5)
    moved = blocks.referred_to(blocks.reference + np.array([1.0, -2.0, 0.5]))
    for a, b in [(blocks, moved), (blocks, moved.centred())]:
        np.testing.assert_allclose(a.combined().spin, b.combined().spin, atol=1e-13)
        np.testing.assert_allclose(a.combined().covariance, b.combined().covariance, atol=1e-12)
    np.testing.assert_allclose(moved.centred().reference, blocks.reference, atol=1e-13)


def test_merging_runs_equals_one_long_run():
    data = samples(24)
    parts = [
        BlockMoments.from_samples(part, n_spins=10, n_blocks=4) for part in np.split(data, [8])
    ]
    merged = BlockMoments.merge(parts)
    assert merged.n_blocks == 8
    assert merged.n_samples == 24
    whole = np.mean(data, axis=0)
    np.testing.assert_allclose(merged.combined().spin, whole, atol=1e-13)
    second = np.einsum("b,tbij->tij", merged.weights, merged.second) / 24
    centred = data - whole
    np.testing.assert_allclose(second, np.einsum("nti,ntj->tij", centred, centred) / 24)


def test_arrays_are_read_only_copies_in_float64():
    spin = np.ones((2, 3), dtype=np.float32)
    moments = Moments(n_spins=4, spin=spin, covariance=np.zeros((2, 3, 3)))
    spin[0, 0] = 7
    assert moments.spin.dtype == np.float64
    assert moments.spin[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        moments.spin[0, 0] = 2


ZERO = np.zeros((2, 3, 3))


@pytest.mark.parametrize(
    ("n_spins", "spin", "covariance", "message"),
    [
        (0, np.zeros((2, 3)), ZERO, "n_spins must be at least 1"),
        (2.5, np.zeros((2, 3)), ZERO, "n_spins must be an integer"),
        (4, np.zeros((2, 2)), ZERO, r"spin must have shape \(..., 3\)"),
        (4, np.zeros((3, 3)), ZERO, r"covariance must have shape \(3, 3, 3\)"),
        (4, np.full((2, 3), np.nan), ZERO, "spin must be finite"),
        (4, np.zeros((2, 3)), ZERO + np.inf, "covariance must be finite"),
        (4, np.zeros((2, 3)), ZERO + 1j, "covariance must hold real numbers"),
        (4, np.zeros((2, 3)), ZERO + np.triu(np.ones((3, 3))), "covariance must be symmetric"),
    ],
)
def test_bad_moments(n_spins, spin, covariance, message):
    with pytest.raises(InvalidInput, match=message):
        Moments(n_spins=n_spins, spin=spin, covariance=covariance)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": np.zeros((2, 2))}, r"reference must have shape \(..., 3\)"),
        ({"weights": np.array([1.0, 0.0])}, "weights must be a non-empty vector"),
        ({"weights": np.ones(3)}, r"first must have shape \(2, 3, 3\)"),
        ({"second": np.zeros((2, 2, 3))}, r"second must have shape \(2, 2, 3, 3\)"),
        ({"second": np.zeros((2, 2, 3, 3)) + np.triu(np.ones((3, 3)))}, "second must be symm"),
        ({"first": np.full((2, 2, 3), np.inf)}, "first must be finite"),
    ],
)
def test_bad_block_moments(change, message):
    good = {
        "n_spins": 4,
        "reference": np.zeros((2, 3)),
        "weights": np.ones(2),
        "first": np.zeros((2, 2, 3)),
        "second": np.zeros((2, 2, 3, 3)),
    }
    BlockMoments(**good)
    with pytest.raises(InvalidInput, match=message):
        BlockMoments(**{**good, **change})


def test_bad_samples_references_and_merges():
    with pytest.raises(InvalidInput, match="samples must have shape"):
        BlockMoments.from_samples(np.zeros((5, 2)), n_spins=4, n_blocks=1)
    with pytest.raises(InvalidInput, match="n_blocks must be at most 5"):
        BlockMoments.from_samples(np.zeros((5, 1, 3)), n_spins=4, n_blocks=6)
    blocks = BlockMoments.from_samples(samples(), n_spins=10, n_blocks=5)
    with pytest.raises(InvalidInput, match=r"reference must have shape \(3, 3\)"):
        blocks.referred_to(np.zeros(3))
    with pytest.raises(InvalidInput, match="at least one"):
        BlockMoments.merge([])
    other = BlockMoments.from_samples(samples(), n_spins=11, n_blocks=5)
    with pytest.raises(InvalidInput, match="equal n_spins; got 10 and 11"):
        BlockMoments.merge([blocks, other])
    shorter = BlockMoments.from_samples(samples(times=2), n_spins=10, n_blocks=5)
    with pytest.raises(InvalidInput, match="equal times"):
        BlockMoments.merge([blocks, shorter])


def leaving(n_blocks, seed):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(2, n_blocks, 3))
    return BlockMoments(
        n_spins=rng.uniform(5, 9, size=(2, n_blocks)),
        reference=rng.normal(size=(2, 3)),
        weights=rng.uniform(1, 2, size=n_blocks),
        first=first,
        second=first[..., :, None] * first[..., None, :] + np.eye(3),
    )


def test_numbers_of_spins_go_with_their_blocks():
    parts = [leaving(4, seed=1), leaving(5, seed=2)]
    whole = BlockMoments.merge(parts)
    weights = np.concatenate([part.weights for part in parts])
    numbers = np.concatenate([part.n_spins for part in parts], axis=1)
    mean = np.average(numbers, weights=weights, axis=1)
    assert np.array_equal(whole.n_spins, numbers)
    assert whole.combined().n_spins == pytest.approx(mean)
    left_out = leave_one_out(whole).n_spins
    for b in range(9):
        rest = np.delete(np.arange(9), b)
        expected = np.average(numbers[:, rest], weights=weights[rest], axis=1)
        assert left_out[:, b] == pytest.approx(expected)
    fixed = dataclasses.replace(parts[0], n_spins=7)
    for mixed in ([fixed, parts[1]], [parts[1], fixed]):
        with pytest.raises(InvalidInput, match="merge needs equal n_spins"):
            BlockMoments.merge(mixed)


def test_a_number_of_spins_of_other_blocks_is_refused():
    with pytest.raises(InvalidInput, match=r"one for each leading index \(2, 4\)"):
        dataclasses.replace(leaving(4, seed=1), n_spins=np.full((2, 3), 5.0))
