"""The optimum over time: interpolation, edges, errors, and how it prints."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.observables.optimum_search import find_optimum, optimum_of_moments

from .helpers import twisted_samples, twisted_squeezing, twisted_truth


def oat_curve(n_spins, times):
    variance, contrast, angle = twisted_squeezing(n_spins, 2 * times)
    return variance / contrast**2, angle


def test_quartic_in_the_logarithm_is_found_exactly():
    times = np.array([0.0, 0.4, 0.7, 1.0, 1.6, 2.0, 2.5])
    x = times - 1.13
    result = find_optimum(times, xi2=np.exp(-1 + 2 * x**2 - 0.3 * x**3 + 0.2 * x**4))
    assert result.time == pytest.approx(1.13, abs=1e-12)
    assert result.xi2 == pytest.approx(np.exp(-1), rel=1e-12)
    assert result.decibels == pytest.approx(-10 / np.log(10), rel=1e-12)
    assert not result.at_edge


def test_error_falls_with_the_fifth_order_or_faster():
    fine = np.linspace(0.02, 0.12, 200_001)
    curve, angle = oat_curve(100, fine)
    best = np.argmin(curve)
    steps, errors = [], []
    for points in (9, 13, 19, 27):
        worst = 0.0
        for shift in np.linspace(0, 1, 12, endpoint=False):
            step = 0.1 / points
            times = np.arange(points) * step + 0.02 + shift * step
            xi2, turned = oat_curve(100, times)
            found = find_optimum(times, xi2=xi2, angle=turned)
            worst = max(worst, abs(np.log(found.xi2 / curve[best])))
        steps.append(step)
        errors.append(worst)
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope > 4.5
    assert errors[-1] < 1e-4
    assert found.time == pytest.approx(fine[best], rel=1e-3)
    assert found.angle == pytest.approx(angle[best], abs=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_minimum_at_an_edge_is_flagged_and_not_extrapolated(sign):
    times = np.linspace(0, 1, 11)
    result = find_optimum(times, xi2=np.exp(-sign * times))
    assert result.at_edge
    assert result.time == (1.0 if sign > 0 else 0.0)
    assert result.xi2 == np.exp(-1.0 if sign > 0 else 0.0)
    assert ("add later ones" if sign > 0 else "no squeezing at these times") in str(result)
    replicas = np.exp(-sign * times)[:, None] * np.linspace(0.9, 1.1, 5)
    result = find_optimum(times, xi2=np.exp(-sign * times), xi2_replicas=replicas)
    assert result.xi2_stderr > 0.0
    assert result.time_stderr is None  # no error of 0 for a time that is not known


def test_no_squeezing_comes_first_and_without_an_angle():
    times = np.linspace(0, 1, 11)
    best = find_optimum(times, xi2=np.exp(times), angle=np.full(11, 0.3))
    assert str(best) == (
        "no squeezing at these times: least in the initial state, xi2 = 1 (0 dB) at time 0 "
        "[add times between 0 and 0.1]"
    )
    squeezed = find_optimum(times, xi2=0.5 * np.exp(times), angle=np.full(11, 0.3))
    assert str(squeezed).startswith("no further squeezing at these times: least in the initial")


def test_rounding_of_a_constant_is_no_minimum():
    times = np.linspace(0, 1, 21)
    best = find_optimum(times, xi2=1 + 1e-13 * np.cos(7 * times))
    assert best.status is OptimumStatus.INITIAL_STATE
    assert best.time == 0.0
    assert best.constant
    assert best.advice() in str(best)
    assert str(find_optimum(times, xi2=np.ones(21))) == (
        "no squeezing at these times: xi2 = 1 (0 dB) at time 0, and the same at all others "
        "[xi2 does not change in time: is the initial state an eigenstate of the couplings?]"
    )
    assert not find_optimum(times, xi2=1 + 1e-6 * times).constant
    assert not find_optimum([0.0], xi2=[1.0]).constant
    real = find_optimum(times, xi2=1 - 1e-6 * np.sin(np.pi * times))
    assert real.status is OptimumStatus.INSIDE


def test_global_not_first_minimum():
    times = np.linspace(0, 10, 201)
    result = find_optimum(times, xi2=np.exp(np.cos(2 * np.pi * times / 4) - 0.1 * times))
    # minima of cos(pi t / 2) near t = 2, 6, 10; the slope -0.1 moves them by +0.1 / (pi/2)^2 but
    # the last would leave the window, where its edge is lowest
    assert result.time == 10.0
    assert result.at_edge
    inner = find_optimum(times[:181], xi2=np.exp(np.cos(np.pi * times / 2) - 0.1 * times)[:181])
    exact = 6 + np.arcsin(0.1 / (np.pi / 2)) / (np.pi / 2)
    assert inner.time == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("n_times", [1, 2, 3, 4, 5])
def test_few_points(n_times):
    """With fewer than five times no second opinion exists: the lowest of them is the result."""
    times = np.arange(n_times, dtype=float)
    result = find_optimum(times, xi2=np.exp((times - 1.2) ** 2))
    assert result.at_edge == (n_times < 3)
    if n_times < 5:
        assert result.xi2 == np.exp((result.time - 1.2) ** 2)
        assert result.xi2_interpolation is None
    if n_times > 2:
        assert result.status is OptimumStatus.TOO_COARSE
        assert result.time_bounds == (0.0, 2.0)


def test_undefined_points_are_left_out():
    times = np.linspace(0, 2, 41)
    xi2 = np.exp((times - 0.77) ** 2)
    xi2[30:] = np.nan
    angle = np.full(41, np.nan)
    result = find_optimum(times, xi2=xi2, angle=angle)
    assert result.time == pytest.approx(0.77, abs=1e-9)
    assert result.angle is None
    with pytest.raises(UndefinedDirection, match="undefined at all times"):
        find_optimum(times, xi2=np.full(41, np.nan))


def test_angles_across_the_cut_interpolate_on_the_circle():
    times = np.linspace(0, 2, 21)
    true = np.pi / 2 + 0.3 * (times - 1.02)
    wrapped = true - np.pi * (true > np.pi / 2)
    result = find_optimum(times, xi2=np.exp((times - 1.05) ** 2), angle=wrapped)
    assert result.angle == pytest.approx(np.pi / 2 + 0.009 - np.pi, abs=1e-9)


def test_stderr_alone_gives_the_value_its_error():
    times = np.linspace(0, 2, 21)
    xi2 = 0.2 * np.exp((times - 1.05) ** 2)
    result = find_optimum(times, xi2=xi2, stderr=0.1 * xi2)
    assert result.xi2_stderr == pytest.approx(0.02, rel=0.01)
    assert result.decibels_stderr == pytest.approx(1 / np.log(10), rel=0.01)
    assert result.time_stderr is None
    assert result.angle_stderr is None


def test_an_angle_next_to_an_undefined_one_is_interpolated_and_has_an_error():
    # Time 0 of a coherent state has no angle, and the minimum may be at the next time.
    for spacing in (0.4, 0.6, 0.75, 0.9):
        times = spacing * np.arange(7)
        angle = 0.3 + 0.2 * np.sin(times)
        angle[0] = np.nan
        found = find_optimum(times, xi2=np.exp(0.1 * (times - 0.65) ** 2), angle=angle)
        assert found.status is OptimumStatus.INSIDE
        off = abs(found.angle - (0.3 + 0.2 * np.sin(0.65)))
        assert off <= found.angle_interpolation < 0.2
        turned = angle + 1.15  # through the cut at pi/2
        wrapped = turned - np.pi * (turned > np.pi / 2)
        there = find_optimum(times, xi2=np.exp(0.1 * (times - 0.65) ** 2), angle=wrapped).angle
        assert abs(np.sin(there - found.angle - 1.15)) < 1e-12
    alone = np.where(times == times[1], 0.5, np.nan)  # nothing to interpolate with
    found = find_optimum(times, xi2=np.exp(0.1 * (times - 0.65) ** 2), angle=alone)
    assert found.angle == 0.5
    assert found.angle_interpolation is None


def test_replicas_shift_value_time_and_angle():
    """Curves shifted in time and height by known replicas: the errors are those of the shifts."""
    rng = np.random.default_rng(0)
    times = np.linspace(0, 2, 21)
    w = np.ones(30)
    height, shift, turn = rng.normal(0, 0.01, (3, 30))
    height, shift, turn = (x - x.mean() for x in (height, shift, turn))
    curves = 0.2 * np.exp(height + (times[:, None] - 1.05 - shift) ** 2)
    turns = np.broadcast_to(1.57 + turn, curves.shape)
    turns = turns - np.pi * np.round(turns / np.pi)
    result = find_optimum(
        times,
        xi2=0.2 * np.exp((times - 1.05) ** 2),
        angle=np.full(21, 1.57),
        xi2_replicas=curves,
        angle_replicas=turns,
        weights=w,
    )
    factor = np.sqrt(29 / 30)

    def spread(x):
        return factor * np.sqrt(np.sum((x - x.mean()) ** 2))

    assert result.time_stderr == pytest.approx(spread(shift), rel=1e-6)
    assert result.xi2_stderr == pytest.approx(spread(0.2 * np.exp(height)), rel=1e-6)
    assert result.angle_stderr == pytest.approx(spread(turn), rel=1e-6)


TIMES = np.linspace(5e-3, 0.05, 19)


def test_optimum_of_block_moments_and_of_exact_moments():
    truth = optimum_of_moments(TIMES, moments=twisted_truth(n_spins=400, twists=2 * TIMES))
    assert isinstance(truth, Optimum)
    assert truth.xi2_stderr is None
    data = twisted_samples(np.random.default_rng(1), n_spins=400, twists=2 * TIMES, n_samples=2000)
    found = optimum_of_moments(
        TIMES, moments=BlockMoments.from_samples(data, n_spins=400, n_blocks=50)
    )
    assert found.xi2_stderr < 0.06 * truth.xi2
    assert abs(found.xi2 - truth.xi2) < 4 * found.xi2_stderr
    assert abs(found.angle - truth.angle) < 4 * found.angle_stderr
    assert abs(found.time - truth.time) < 4 * found.time_stderr


@pytest.mark.slow
def test_error_of_the_optimum_covers_the_truth():
    truth = optimum_of_moments(TIMES, moments=twisted_truth(n_spins=400, twists=2 * TIMES))
    hits = np.zeros(3)
    for seed in range(300):
        data = twisted_samples(
            np.random.default_rng(seed), n_spins=400, twists=2 * TIMES, n_samples=1000
        )
        blocks = BlockMoments.from_samples(data, n_spins=400, n_blocks=50)
        found = optimum_of_moments(TIMES, moments=blocks)
        hits += [
            abs(found.xi2 - truth.xi2) < found.xi2_stderr,
            abs(found.time - truth.time) < found.time_stderr,
            abs(found.angle - truth.angle) < found.angle_stderr,
        ]
    share = hits / 300
    assert np.all((share >= 0.58) & (share <= 0.78)), share


def test_optimum_prints_in_one_line():
    text = str(Optimum(0.1, -10.0, 0.5, 0.2, 0.01, 0.43, 0.02, 0.003))
    assert text == (
        "xi2 = 0.100 ± 0.010 (-10.00 ± 0.43 dB) at time 0.500 ± 0.020, angle 0.2000 ± 0.0030 rad"
    )


def test_errors_of_the_times_alone_are_said_once_and_only_where_they_show():
    found = Optimum(
        0.40929555, -3.8796298, 2.0444641, -1.00775821, xi2_interpolation=3.7e-7,
        decibels_interpolation=3.9e-6, time_interpolation=8.4e-5, angle_interpolation=4.9e-6,
    )  # fmt: skip
    assert str(found) == (
        "xi2 = 0.409296 (-3.87963 dB) at time 2.04446 ± 0.00008, "
        "angle -1.00776 rad (± from the times)"
    )
    assert "times" not in str(Optimum(0.40929555, -3.8796298, 2.0444641, xi2_interpolation=1e-9))
    assert "times" not in str(Optimum(0.1, -10.0, 0.5, xi2_stderr=0.01, time_interpolation=0.01))


REPLICAS = {"angle": [0.0] * 3, "xi2_replicas": np.ones((3, 5))}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": [0.0, 1.0, 1.0]}, "times must increase strictly"),
        ({"xi2": [1.0, 2.0]}, r"xi2 must have shape \(3,\)"),
        ({"xi2": [1.0, -0.5, 1.0]}, "xi2 must be positive; got -0.5"),
        ({"angle": [0.0]}, r"angle must have shape \(3,\)"),
        ({"stderr": [0.0]}, r"stderr must have shape \(3,\)"),
        ({"xi2_replicas": np.ones(3)}, r"xi2_replicas must have shape \(3, B\)"),
        ({"xi2_replicas": -np.ones((3, 5))}, "xi2_replicas must be positive"),
        (
            {
                "angle": [0.0] * 3,
                "xi2_replicas": np.ones((3, 5)),
                "angle_replicas": np.ones((3, 4)),
            },
            "angle_replicas must have 5 columns",
        ),
    ],
)
def test_bad_input(change, message):
    arguments = {"times": [0.0, 1.0, 2.0], "xi2": [1.0, 0.5, 1.0], **change}
    with pytest.raises(InvalidInput, match=message):
        find_optimum(arguments.pop("times"), **arguments)


def test_moments_must_run_over_the_times():
    moments = Moments(n_spins=4, spin=np.ones((2, 3)), covariance=np.zeros((2, 3, 3)))
    with pytest.raises(InvalidInput, match=r"xi2 must have shape \(3,\)"):
        optimum_of_moments([0.0, 1.0, 2.0], moments=moments)


def test_of_two_dips_not_resolved_beside_one_that_is_the_deeper_names_the_times():
    times = np.linspace(0.0, 4.0, 41)
    smooth = 1.0 - 0.5 * np.exp(-((times - 1.0) ** 2) / 0.3)
    smooth[[22, 32]] = 0.3, 0.2  # single points
    best = find_optimum(times, xi2=smooth)
    assert best.status is OptimumStatus.TOO_COARSE
    assert best.xi2 == 0.2
    assert best.add_times_near == times[32]


@pytest.mark.parametrize("step", [0.4, 0.5])
def test_a_dip_between_few_times_may_be_the_deeper(step):
    def curve(t):
        return np.exp(0.5 - 1.5 * np.exp(-((t - 1) ** 2) / 0.3) - 1.501 * np.exp(-((t - 4) ** 2)))

    times = np.append(np.linspace(0.2, 1.8, 33), 4 + step * (np.arange(-4, 5) + 0.25))
    best = find_optimum(times, xi2=curve(times))
    if step == 0.5:
        assert best.status is OptimumStatus.TOO_COARSE
        assert abs(best.add_times_near - 4) < step
    else:
        assert best.time == pytest.approx(1.0, abs=1e-3)
        truth = curve(np.linspace(3.9, 4.1, 2001)).min()
        assert 1e-4 < best.xi2 - truth < best.xi2_interpolation < 0.03


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_a_numerical_error_is_relative_to_xi2_or_to_1(size):
    t = np.linspace(0.0, 2.0, 21)
    for depth, status in ((0.99, OptimumStatus.INITIAL_STATE), (1.01, OptimumStatus.INSIDE)):
        fall = depth * 2e-6 * max(1.0, 1 / size)
        xi2 = size * (1 - fall * (t * np.exp(1 - t)))
        assert find_optimum(t, xi2=xi2, numerical_error=1e-6).status is status


@pytest.mark.parametrize("errors", [{"stderr": np.full(21, 3e-6)}, {"numerical_error": 4e-6}])
def test_a_fall_that_the_errors_explain_is_no_squeezing(errors):
    t = np.linspace(0.0, 2.0, 21)
    dip = t * np.exp(-t) * np.e
    assert find_optimum(t, xi2=1.0 - 5e-6 * dip).status is OptimumStatus.INSIDE
    unseen = find_optimum(t, xi2=1.0 - 5e-6 * dip, angle=np.ones(21), **errors)
    assert unseen.status is OptimumStatus.INITIAL_STATE
    assert unseen.angle is None
    assert "no squeezing at these times" in str(unseen)
    assert find_optimum(t, xi2=1.0 - 5e-5 * dip, **errors).status is OptimumStatus.INSIDE


@pytest.mark.parametrize(("stderr", "further"), [(4e-6, ""), (3e-6, "further ")])
def test_a_sampled_initial_state_is_squeezed_by_more_than_three_errors(stderr, further):
    t = np.linspace(0.0, 2.0, 21)
    best = find_optimum(
        t, xi2=(1 - 1e-5) * np.exp(t), angle=np.ones(21), stderr=np.full(21, stderr)
    )
    assert best.status is OptimumStatus.INITIAL_STATE
    assert best.angle == (1.0 if further else None)
    assert str(best).startswith(f"no {further}squeezing at these times")
