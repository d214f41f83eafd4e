"""Stratified sampling: each sample by itself is as random as ever, sets of samples are spread."""

import itertools

import numpy as np
import pytest
from tests.rounding import rounding

import spinsqueeze as sq
from spinsqueeze.methods.dtwa.known_sums import set_averages, sum_polynomials
from spinsqueeze.methods.dtwa.sampling import sample_spins
from spinsqueeze.methods.dtwa.stratified import (
    N_SETS,
    binomial_quantile,
    numbers_of_plus,
    scrambled_sobol,
    stratified_signs,
)

X = np.array([1.0, 0.0, 0.0])


def fair_coins(n):
    """P(k heads) of n coins, k = 0 ... n."""
    law = np.ones(1)
    for _ in range(n):
        law = (np.append(law, 0.0) + np.append(0.0, law)) / 2
    return law


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_quantiles_of_uniform_numbers_are_numbers_of_heads(n):
    u = (np.arange(2**16) + 0.5) / 2**16
    share = np.bincount(binomial_quantile(u, n), minlength=n + 1) / len(u)
    assert share == pytest.approx(fair_coins(n), abs=2 / len(u))
    if n <= 10:
        assert binomial_quantile(np.array([0.0, 1 - 2.0**-52]), n).tolist() == [0, n]
    if n == 1:
        assert binomial_quantile(np.array([0.5 - 2.0**-52, 0.5]), n).tolist() == [0, 1]


def test_quantiles_of_a_million_coins_have_their_mean_and_variance():
    k = binomial_quantile((np.arange(2**16) + 0.5) / 2**16, 10**6)
    assert k.mean() == pytest.approx(5e5, abs=0.01)
    assert k.var() == pytest.approx(2.5e5, rel=1e-3)


def test_a_set_has_one_point_in_every_elementary_rectangle():
    for stream, m in itertools.product(range(3), range(1, 8)):
        points = scrambled_sobol(np.arange(2**m), seed=3, stream=stream)
        assert np.all((points >= 0) & (points < 1))
        for a in range(m + 1):
            cells = np.floor(points * [2**a, 2 ** (m - a)]).astype(int)
            assert len(np.unique(cells, axis=0)) == 2**m


def test_one_point_is_uniform_in_the_square():
    for index in (0, 5):
        points = np.array(
            [scrambled_sobol(np.array([index]), seed=s, stream=0)[0] for s in range(640)]
        )
        cells = np.bincount((np.floor(points * 4) @ [4, 1]).astype(int), minlength=16)
        assert ((cells - 40) ** 2 / 40).sum() < 15 + 5 * np.sqrt(30)


def test_digits_beyond_the_first_that_two_points_do_not_share_are_random():
    pairs = np.array([scrambled_sobol(np.arange(2), seed=s, stream=0) for s in range(400)])
    digits = np.floor(pairs[..., None] * 2.0 ** np.arange(1, 9)).astype(int) % 2
    unlike = digits[:, 0] != digits[:, 1]
    assert unlike[:, :, 0].all()
    assert np.abs(unlike[:, :, 1:].mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(400)


@pytest.mark.parametrize("sample", [0, 3 * N_SETS + 1])
def test_the_signs_of_one_sample_are_independent_and_fair(sample):
    n_seeds = 800
    patterns = np.zeros(16)
    for seed in range(n_seeds):
        signs = stratified_signs(2, seed=seed, sample=sample)
        patterns[(signs.ravel() > 0) @ (1 << np.arange(4))] += 1
    expected = n_seeds / 16
    assert ((patterns - expected) ** 2 / expected).sum() < 15 + 5 * np.sqrt(30)


def test_signs_have_the_numbers_of_the_points_at_random_places():
    counts = numbers_of_plus(50, seed=4, samples=np.arange(200))
    signs = np.array([stratified_signs(50, seed=4, sample=k) for k in range(200)])
    assert np.array_equal((signs > 0).sum(axis=2), counts)
    assert abs(signs.mean(axis=0)).max() < 5 / np.sqrt(200)
    assert not np.array_equal(signs[:, 0], signs[:, 1])


def test_samples_depend_on_seed_and_number_alone():
    options = {"n_spins": 9, "seed": 3, "sampling": "stratified"}
    whole = sample_spins(X, first_sample=0, n_samples=150, **options)
    part = sample_spins(X, first_sample=97, n_samples=20, **options)
    assert np.array_equal(whole[97:117], part)
    other = sample_spins(X, first_sample=0, n_samples=150, **(options | {"seed": 4}))
    assert not np.array_equal(whole, other)
    plain = sample_spins(X, first_sample=0, n_samples=150, n_spins=9, seed=3)
    assert not np.array_equal(whole, plain)


def test_sets_are_spread_and_independent():
    def sums(seed):
        counts = numbers_of_plus(100, seed=seed, samples=np.arange(16 * N_SETS))
        return counts.reshape(16, N_SETS, 2).mean(axis=0) - 50

    means = np.array([sums(seed) for seed in range(10)])
    assert means.std() < 0.5 * 5 / 4  # independent samples: a standard deviation of 5/sqrt(16)
    rows = means[..., 0].reshape(10, N_SETS) / means[..., 0].std()
    between = (rows.sum(axis=1) ** 2).mean() / N_SETS
    assert between == pytest.approx(1, abs=5 * np.sqrt(2 / 10))


def test_frames_of_unlike_spins_add_up_to_the_collective_spin():
    directions = np.array([X, -X] * 8)
    spins = sample_spins(
        directions, n_spins=16, seed=1, first_sample=0, n_samples=40, sampling="stratified"
    )
    counts = numbers_of_plus(16, seed=1, samples=np.arange(40))
    assert np.array_equal(spins[:, 1:].sum(axis=2), 2 * counts - 16)
    assert np.array_equal(spins[:, 0], np.tile([1.0, -1.0] * 8, (40, 1)))


# What is known of the sums.


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_polynomials_have_mean_zero_and_are_orthonormal(n):
    k = np.array(list(itertools.product(range(n + 1), repeat=2)))
    law = np.outer(fair_coins(n), fair_coins(n)).ravel()
    p = sum_polynomials(k, n_spins=n, degrees=(1, 2, 3, 4))
    assert p.shape[1] == {1: 3, 2: 8, 3: 12, 7: 14}[n]
    assert law @ p == pytest.approx(np.zeros(p.shape[1]), abs=1e-12)
    assert np.einsum("n,ni,nj->ij", law, p, p) == pytest.approx(np.eye(p.shape[1]), abs=1e-10)


@pytest.mark.parametrize("n", [5, 40, 130, 400, 517])
def test_averages_hold_what_is_known_exactly(n):
    counts = numbers_of_plus(20, seed=2, samples=np.arange(n))
    sets = min(n, N_SETS)
    averages = set_averages(counts, n_spins=20, n_sets=sets)
    assert averages.sum(axis=1) == pytest.approx(np.ones(sets), abs=1e-10)
    degrees = (1, 2, 4) if n >= 400 else (1, 2) if n >= 128 else ()
    known = sum_polynomials(counts, n_spins=20, degrees=degrees)
    assert averages @ known == pytest.approx(np.zeros((sets, known.shape[1])), abs=1e-10)
    if not degrees:
        own = np.arange(n) % sets == np.arange(sets)[:, None]
        assert averages == pytest.approx(own / own.sum(axis=1, keepdims=True), abs=0)


def test_averages_have_no_bias():
    """Of a function that no polynomial is, against the sum over the whole distribution."""

    def f(k):
        return np.exp(np.abs(k[..., 0] - 6) / 3.0) * (k[..., 1] > 5)

    grid = np.array(list(itertools.product(range(13), repeat=2)))
    truth = np.outer(fair_coins(12), fair_coins(12)).ravel() @ f(grid)
    means = []
    for seed in range(60):
        counts = numbers_of_plus(12, seed=seed, samples=np.arange(448))
        averages = set_averages(counts, n_spins=12, n_sets=N_SETS)
        means.append((averages @ f(counts)).mean())
    error = np.std(means) / np.sqrt(len(means))
    assert error < 4e-3 * truth
    assert abs(np.mean(means) - truth) < 5 * error


# Whole runs.

MODEL = sq.SpinModel(
    sq.Lattice((4, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
)


def run(n, seed=1, *, model=MODEL, state="+x", times=(0.0, 0.2), **options):
    start = sq.CoherentState(state) if isinstance(state, str) else state
    return sq.simulate(model, start, list(times), method=sq.DTWA(n, **options), seed=seed)


def test_the_start_and_what_is_conserved_are_exact():
    data = run(400, dtype="float64")
    assert float(data["xi2"][0]) == pytest.approx(1, abs=1e-10)
    assert float(data["xi2_stderr"][0]) < 1e-6
    z = data["covariance"].sel(axis="z", axis_2="z").values
    assert z == pytest.approx([4.0, 4.0], abs=1e-9)
    assert data["covariance"].sel(axis="y", axis_2="y").values[1] > 5


@pytest.mark.parametrize("n_spins", [1, 2, 3])
@pytest.mark.parametrize("n", [4, 33, 130, 401])
def test_few_spins_and_few_samples(n_spins, n):
    model = sq.SpinModel(
        n_spins, hamiltonian=[sq.OneAxisTwisting(0.3), sq.UniformField([0, 0.2, 1.0])]
    )
    data = run(n, model=model, state=sq.CoherentState([0.6, 0.0, 0.8]), dtype="float64")
    assert data.sizes["block"] == min(n, N_SETS)
    assert float(data["block_weight"].sum()) == n
    exact = sq.simulate(model, sq.CoherentState([0.6, 0.0, 0.8]), [0.0, 0.2], method="exact")
    # one twisted spin or a short time: what DTWA leaves out is below its noise here
    error = np.hypot(data["spin_stderr"].values, 2e-3 * n_spins)
    assert np.all(np.abs(data["spin"].values - exact["spin"].values) <= 6 * error)


def test_independent_samples_are_those_of_before():
    data = run(64, seed=7, sampling="independent", dtype="float64")
    assert data.sizes["block"] == 64
    spins = sample_spins(X, n_spins=16, seed=7, first_sample=0, n_samples=64).sum(axis=2) / 2
    at_start = data["block_first"][0] + data["block_reference"][0]
    assert at_start.values == pytest.approx(spins, abs=rounding(16, scale=1.0, condition=1))


def test_a_run_is_the_start_of_a_longer_one_in_any_chunks(monkeypatch):
    from spinsqueeze.methods.dtwa import trajectories

    whole = run(200)
    monkeypatch.setattr(trajectories, "available_processors", lambda: 1)
    assert run(200).equals(whole)


def test_error_bars_shrink_by_more_than_half_at_the_optimum():
    model = sq.SpinModel(
        sq.Lattice((8, 8)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=0.0, exponent=3)]
    )
    errors = [
        float(run(512, model=model, times=[0.5], sampling=sampling)["xi2_stderr"][0])
        for sampling in ("stratified", "independent")
    ]
    assert errors[0] < 0.5 * errors[1]


def means_agree(case, *, n_seeds):
    """Both samplings have the same means over seeds, of the mean spin and the covariance."""
    runs = [
        [case(seed, sampling=kind) for seed in range(n_seeds)]
        for kind in ("stratified", "independent")
    ]
    for name in ("spin", "covariance"):
        kinds = [np.array([data[name].values for data in kind]) for kind in runs]
        gap = kinds[0].mean(axis=0) - kinds[1].mean(axis=0)
        error = np.sqrt(sum(k.var(axis=0) for k in kinds) / n_seeds) + 1e-4
        assert np.all(np.abs(gap) < 5 * error), name
        assert np.all(kinds[0].std(axis=0) < 1.6 * kinds[1].std(axis=0) + 1e-4), name


ODD = sq.SpinModel(sq.Lattice((3, 5)), hamiltonian=MODEL.hamiltonian)
TWO = sq.SpinModel(
    [sq.SpinClass(count=5), sq.SpinClass(count=4, weight=0.5, detuning=1.0)],
    hamiltonian=[sq.OneAxisTwisting(0.3)],
)
DRIVEN = sq.SpinModel(
    sq.Lattice((3, 3)),
    hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=-1.0, exponent=1), sq.Drive(2.0, phase=0.4)],
)
ROTATED = sq.ProductState(
    np.array([[np.cos(a), np.sin(a) * 0.6, np.sin(a) * 0.8] for a in np.arange(9) * 0.7])
)


CASES = [
    (ODD, sq.CoherentState("+x"), ()),
    (ODD, sq.CoherentState([0.48, 0.64, 0.6]), ()),
    (TWO, sq.CoherentState("-y"), ()),
    (DRIVEN, ROTATED, ()),
    (
        DRIVEN,
        sq.CoherentState("+z"),
        (sq.Pulse(0.1, axis="+x", angle=1.0), sq.Pulse(0.2, axis="+y", angle=0.5)),
    ),
    (sq.SpinModel(1, hamiltonian=[sq.Drive(1.0)]), sq.CoherentState("+z"), ()),
    (sq.SpinModel(2, hamiltonian=[sq.TwoAxisTwisting(0.4)]), sq.CoherentState("+z"), ()),
    (sq.SpinModel(3, hamiltonian=[sq.TwoAxisTwisting(0.4)]), sq.CoherentState("+x"), ()),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "state", "pulses", "n", "n_seeds"),
    [(*case, 420, 20) for case in CASES] + [(*CASES[k], 40, 40) for k in (1, 3, 4)],
)
def test_means_are_those_of_independent_samples(model, state, pulses, n, n_seeds):
    def case(seed, **options):
        method = sq.DTWA(n, dtype="float64", **options)
        return sq.simulate(model, state, [0.3, 0.7], method=method, seed=seed, pulses=pulses)

    means_agree(case, n_seeds=n_seeds)
