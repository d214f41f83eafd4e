"""The interpolated optimum against the true minimum of smooth curves on grids of every kind."""

import numpy as np
import pytest

from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.optimum import OptimumStatus
from spinsqueeze.observables.optimum_search import find_optimum
from spinsqueeze.observables.squeezing import squeezing


def twisting(n_spins, dephasing=0.0):
    """log xi2 of one-axis twisting over time, exact."""

    def curve(t):
        spin, covariance = one_axis_twisting_moments(
            n_spins, direction=(1, 0, 0), twisting=t, dephasing=dephasing * t
        )
        return np.log(squeezing(Moments(n_spins=n_spins, spin=spin, covariance=covariance)).xi2)

    return curve


def random_twisting(rng):
    n_spins = int(10 ** rng.uniform(np.log10(3), 6))
    dephasing = n_spins ** (2 / 3) * 10 ** rng.uniform(-3, 0) * rng.integers(2)
    end = 1.2 * n_spins ** (-2 / 3) * 10 ** rng.uniform(-0.3, 1.2)
    return twisting(n_spins, dephasing), min(end, 1.5)


def random_dips(rng):
    """Up to three dips of Gaussian gain on a slope, none narrower than a tenth of the window."""
    n_dips = int(rng.integers(1, 4))
    height, place = 10 ** rng.uniform(0, 2.5, n_dips), rng.uniform(0.05, 0.95, n_dips)
    width, slope = rng.uniform(0.1, 0.5, n_dips), 2 * rng.normal()

    def curve(t):
        gains = height * np.exp(-((t[:, None] - place) ** 2) / (2 * width**2))
        return slope * t - np.log1p(gains.sum(axis=1))

    return curve, 1.0


def random_grid(rng, end, *, least=4):
    n_times = round(10 ** rng.uniform(np.log10(least), np.log10(200)))
    kind = rng.integers(5)
    start = end * 10 ** -rng.uniform(0.5, 5)
    if kind == 0:
        return np.linspace(0, end, n_times)
    if kind == 1:
        return np.linspace(rng.uniform(0, 0.3) * end, end, n_times)
    if kind == 2:
        return np.geomspace(start, end, n_times)
    if kind == 3:
        return np.concatenate([[0.0], np.geomspace(start, end, n_times - 1)])
    return end * np.cumsum(rng.uniform(0.3, 1, n_times)) / n_times


def true_minimum(curve, t):
    """(time, log) of the least value between the first and last time, by refining a fine grid."""
    low = max(t[0], t[-1] * 1e-7)
    fine = np.union1d(np.linspace(t[0], t[-1], 1201), np.geomspace(low, t[-1], 1201))
    for _ in range(4):
        values = curve(fine)
        k = int(np.nanargmin(values))
        fine, at = np.linspace(fine[max(k - 1, 0)], fine[min(k + 1, len(fine) - 1)], 201), fine[k]
    return at, values[k]


def campaign(seed, n_curves, make, *, least=4):
    """How many curves are interpolated, and which have a true error above the one claimed."""
    rng = np.random.default_rng(seed)
    inside, wrong = 0, []
    for number in range(n_curves):
        curve, end = make(rng)
        t = random_grid(rng, end, least=least)
        best = find_optimum(t, xi2=np.exp(curve(t)))
        lowest = np.nanmin(curve(t))
        if best.status is not OptimumStatus.INSIDE:
            assert best.xi2 == pytest.approx(np.exp(lowest), rel=1e-15)
            continue
        inside += 1
        at, least_log = true_minimum(curve, t)
        error, bound = abs(best.xi2 - np.exp(least_log)), best.xi2_interpolation
        decibels = abs(best.decibels - 10 * np.log10(np.e) * least_log)
        apart = abs(best.time - at)
        other_dip = apart > 0.1 * at and error < bound  # another one, as deep within the error
        if (
            error > bound + 1e-10 * best.xi2
            or decibels > best.decibels_interpolation + 1e-9
            or (apart > best.time_interpolation + 1e-5 * at and not other_dip)
        ):
            wrong.append((number, len(t), error, bound, apart, best.time_interpolation))
    return inside, wrong


@pytest.mark.parametrize(("make", "least"), [(random_twisting, 4), (random_dips, 12)])
def test_the_true_minimum_lies_within_the_claimed_error(make, least):
    inside, wrong = campaign(1, 150, make, least=least)
    assert inside > 70
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize(("make", "least"), [(random_twisting, 4), (random_dips, 12)])
def test_the_true_minimum_lies_within_the_claimed_error_of_many(make, least):
    inside, wrong = campaign(2, 1500, make, least=least)
    assert inside > 700
    assert not wrong


@pytest.mark.parametrize("n_spins", [100, 10_000])
@pytest.mark.parametrize(
    "times",
    [
        *(np.geomspace(1e-4, 1, n) for n in (5, 7, 9, 13, 25)),
        *(np.linspace(0, 0.5, n) for n in (6, 11, 51, 101)),
    ],
    ids=lambda t: f"{len(t)} from {t[0]:g}",
)
def test_coarse_grids_invent_nothing(n_spins, times):
    curve = twisting(n_spins)
    values = curve(times)
    best = find_optimum(times, xi2=np.exp(values))
    if best.status is OptimumStatus.INSIDE:
        _, truth = true_minimum(curve, times[np.isfinite(values)])
        assert abs(best.xi2 - np.exp(truth)) <= best.xi2_interpolation
    elif best.status is OptimumStatus.INITIAL_STATE:
        assert best.xi2 == 1.0
        assert f"add times between 0 and {times[1]:.6g}" in str(best)
    else:
        assert best.status is OptimumStatus.TOO_COARSE
        assert best.xi2 == np.exp(np.nanmin(values))
        assert f"add times near {best.add_times_near:.6g}" in str(best)
        k = int(np.nanargmin(values))
        assert best.time_bounds == (times[k - 1], times[k + 1])


def test_fine_grids_are_not_called_coarse_and_claim_little():
    for n_spins in (10, 1000, 100_000):
        best_time = 1.2 * n_spins ** (-2 / 3)
        for times in (
            np.linspace(0, 3 * best_time, 81),
            np.geomspace(0.03 * best_time, 5 * best_time, 61),
        ):
            best = find_optimum(times, xi2=np.exp(twisting(n_spins)(times)))
            assert best.status is OptimumStatus.INSIDE
            assert best.decibels_interpolation < 0.01


def test_noise_is_no_coarse_grid_and_the_truth_lies_within_all_errors():
    """Independent noise of 1 % at each time: 5 sigma of the points and the interpolation."""
    curve = twisting(1000)
    rng = np.random.default_rng(5)
    for n_times in (21, 41, 61):
        times = np.linspace(0.002, 0.04, n_times)
        _, truth = true_minimum(curve, times)
        for _ in range(40):
            exact = np.exp(curve(times))
            xi2 = exact * (1 + 0.01 * rng.normal(size=n_times))
            best = find_optimum(times, xi2=xi2, stderr=0.01 * exact)
            assert best.status is OptimumStatus.INSIDE
            assert abs(best.xi2 - np.exp(truth)) < 5 * best.xi2_stderr + best.xi2_interpolation


@pytest.mark.parametrize(
    ("times", "log_xi2", "status", "advice"),
    [
        (np.linspace(1, 2, 9), lambda t: t, "FIRST_TIME", "add earlier ones, and some up to 1.125"),
        (np.linspace(0, 1, 9), lambda t: -t, "LAST_TIME", "add later ones, and some from 0.875"),
        (
            np.linspace(0, 1, 9),
            lambda t: 3 * t,
            "INITIAL_STATE",
            "[add times between 0 and 0.125]",
        ),
        (
            np.linspace(0, 1, 9),
            lambda t: np.where(t < 0.7, -t, np.nan),
            "LAST_TIME",
            "last defined time: add times between 0.625 and 0.75",
        ),
        (
            np.linspace(0, 1, 9),
            lambda t: np.where(t > 0.3, t, np.nan),
            "FIRST_TIME",
            "first defined time: add times between 0.25 and 0.375",
        ),
        ([0.0], lambda t: t, "INITIAL_STATE", "add later ones"),
    ],
)
def test_an_edge_asks_for_the_times_that_are_missing(times, log_xi2, status, advice):
    best = find_optimum(times, xi2=np.exp(log_xi2(np.asarray(times))))
    assert best.status is OptimumStatus[status]
    assert best.at_edge
    assert advice in str(best)
    assert best.xi2_interpolation is None


def test_an_unresolved_dip_beside_a_resolved_one_is_not_passed_over():
    """A wide dip of log 0.2 and a narrow one, less deep at the times given but not between."""
    times = np.linspace(0, 10, 41)
    narrow = 4.0 * np.exp(-((times - 7.6) ** 2) / (2 * 0.1**2))
    log_xi2 = np.log(0.2) + 0.2 * (times - 3.1) ** 2
    log_xi2 = np.minimum(log_xi2, 1.0) - narrow
    best = find_optimum(times, xi2=np.exp(log_xi2))
    assert best.status is OptimumStatus.TOO_COARSE
    assert best.add_times_near == 7.5
    assert best.xi2 == np.exp(log_xi2.min())


def test_of_several_unresolved_dips_the_deepest_needs_times_first():
    """Two narrow dips of which each shows at one time only, beside a wide one."""
    times = np.linspace(0, 10, 41)
    log_xi2 = 0.05 * (times - 3.1) ** 2
    log_xi2[28] = -0.5
    log_xi2[36] = -1.0
    best = find_optimum(times, xi2=np.exp(log_xi2))
    assert best.status is OptimumStatus.TOO_COARSE
    assert best.add_times_near == times[36]
    assert best.xi2 == np.exp(-1.0)


def test_a_resolved_dip_that_may_be_deeper_counts_in_the_error():
    """Interpolation finds the wide dip lowest; the narrow one is deeper by 0.0025."""
    times = np.linspace(0, 10, 41)

    def curve(t):
        wide = -2 * np.exp(-((t - 3.1) ** 2) / (2 * 1.4**2))
        return wide - 1.99 * np.exp(-((t - 7.56) ** 2) / (2 * 0.36**2))

    best = find_optimum(times, xi2=np.exp(curve(times)))
    true = curve(np.linspace(0, 10, 200_001)).min()
    assert best.status is OptimumStatus.INSIDE
    assert best.time == pytest.approx(3.1, abs=0.1)
    assert np.exp(true) < 0.998 * best.xi2
    assert best.xi2 - np.exp(true) < best.xi2_interpolation


def test_the_true_angle_lies_within_its_claimed_error():
    def exact(times):
        spin, covariance = one_axis_twisting_moments(100, direction=(1, 0, 0), twisting=times)
        return squeezing(Moments(n_spins=100, spin=spin, covariance=covariance))

    times, fine = np.linspace(0, 0.12, 13), np.linspace(0.03, 0.08, 100_001)
    coarse, true = exact(times), exact(fine)
    best = find_optimum(times, xi2=coarse.xi2, angle=coarse.squeezing_angle)
    wrong = abs(best.angle - true.squeezing_angle[np.argmin(true.xi2)])
    assert 1e-5 < wrong < best.angle_interpolation < 0.02


def test_noise_that_is_known_does_not_make_a_grid_coarse():
    times = np.linspace(0, 2, 21)
    noise = 0.05 * np.random.default_rng(0).normal(size=21)
    curve = np.exp((times - 1.02) ** 2 + noise)
    assert find_optimum(times, xi2=curve).status is OptimumStatus.TOO_COARSE
    assert find_optimum(times, xi2=curve, stderr=0.05 * curve).status is OptimumStatus.INSIDE


def test_replicas_of_an_unresolved_dip_are_compared_at_its_time():
    times = np.linspace(0, 2, 9)
    curve = np.exp(3 * np.abs(times - 1.1))
    factors = 1 + 1e-4 * np.random.default_rng(1).normal(size=20)
    best = find_optimum(times, xi2=curve, xi2_replicas=curve[:, None] * factors)
    assert best.status is OptimumStatus.TOO_COARSE
    # The delete-one jackknife of 20 equal blocks at the lowest time.
    spread = np.sqrt(19 / 20 * np.sum((factors - factors.mean()) ** 2))
    assert best.xi2_stderr == pytest.approx(curve.min() * spread, rel=1e-9)


def test_a_curve_with_jumps_is_not_interpolated():
    times = np.linspace(0, 2, 21)
    xi2 = np.exp((times - 1.05) ** 2)
    best = find_optimum(times, xi2=xi2, smooth=False)
    assert best.status is OptimumStatus.JUMPS
    assert best.xi2 == xi2.min()
    assert "not interpolated" in str(best)
    assert find_optimum(times, xi2=np.exp(-times), smooth=False).status is OptimumStatus.LAST_TIME


def test_errors_are_printed_where_they_can_be_seen():
    times = np.linspace(0, 2, 9)
    curve = np.exp(np.cos(2.2 * times))
    best = find_optimum(times, xi2=curve, stderr=0.001 * curve)
    assert best.error("xi2") == pytest.approx(np.hypot(best.xi2_stderr, best.xi2_interpolation))
    assert best.error("angle") is None
    assert "±" in str(best)
    times = np.linspace(0, 2, 501)
    fine = str(find_optimum(times, xi2=0.5 * np.exp((times - 1.03) ** 2)))
    assert fine == "xi2 = 0.5 (-3.0103 dB) at time 1.03"
