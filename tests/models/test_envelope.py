import itertools
import math

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope, at, integrated, is_zero, strength, times_number

TABLE = Envelope([0.5, 1.0, 3.0], values=[1.0, -2.0, 4.0])


def test_linear_between_and_constant_outside():
    np.testing.assert_allclose(
        TABLE(np.array([-1.0, 0.0, 0.5, 0.75, 1.0, 2.0, 3.0, 9.0])),
        [1.0, 1.0, 1.0, -0.5, -2.0, 1.0, 4.0, 4.0],
    )


@pytest.mark.parametrize("kind", ["linear", "cubic", "step"])
@pytest.mark.parametrize("stop", [-0.7, 0.2, 0.5, 0.8, 2.2, 3.0, 5.0])
def test_integral_from_zero(kind, stop):
    envelope = Envelope([0.5, 1.0, 2.0, 3.0], values=[1.0, -2.0, 4.0, 0.5], interpolation=kind)
    edges = sorted({0.0, stop, *(t for t in (0.5, 1.0, 2.0, 3.0) if 0.0 < t < stop)})
    nodes, weights = np.polynomial.legendre.leggauss(4)  # exact for each cubic piece
    total = 0.0
    for a, b in itertools.pairwise(edges):
        total += (b - a) / 2 * weights @ envelope((a + b) / 2 + (b - a) / 2 * nodes)
    total *= math.copysign(1.0, stop)
    assert float(envelope.integral(stop)) == pytest.approx(total, abs=1e-13)


def test_integral_takes_arrays():
    times = np.array([[0.1, 0.6], [1.4, 8.0]])
    np.testing.assert_allclose(
        TABLE.integral(times), [[TABLE.integral(t) for t in row] for row in times]
    )


def test_a_step_table_holds_each_value_until_the_next_time():
    step = Envelope([0.5, 1.0, 3.0], values=[1.0, -2.0, 4.0], interpolation="step")
    times = [-1.0, 0.5, 0.9999, 1.0, 2.9999, 3.0, 9.0]
    assert step(np.array(times)).tolist() == [1.0, 1.0, 1.0, -2.0, -2.0, 4.0, 4.0]
    assert float(step.integral(4.0)) == pytest.approx(1.0 - 4.0 + 4.0)
    assert step.breakpoints.tolist() == [1.0, 3.0]
    assert step.lowest() == -2.0


@pytest.mark.parametrize("n_points", [5, 40, 1000])
def test_a_cubic_table_is_the_spline_of_scipy(n_points):
    rng = np.random.default_rng(n_points)
    times = np.sort(rng.uniform(-1, 3, n_points))
    values = rng.normal(size=n_points)
    envelope = Envelope(times, values=values, interpolation="cubic")
    inside = np.linspace(times[0], times[-1], 999)
    spline = CubicSpline(times, values)
    np.testing.assert_allclose(
        envelope(inside), spline(inside), rtol=1e-12, atol=1e-12 * np.abs(spline(inside)).max()
    )
    assert envelope(np.array([-9.0, 9.0])).tolist() == values[[0, -1]].tolist()


@pytest.mark.parametrize("kind", ["linear", "cubic", "step"])
def test_moments_are_exact_over_any_interval(kind):
    rng = np.random.default_rng(3)
    envelope = Envelope(np.arange(7) / 2, values=rng.normal(size=7), interpolation=kind)
    nodes, weights = np.polynomial.legendre.leggauss(4)
    for start, stop in [(-1.0, 4.0), (0.3, 0.4), (0.5, 1.0), (0.26, 2.9), (3.5, 8.0)]:
        area = tilt = 0.0
        edges = [start, *(t for t in envelope.times if start < t < stop), stop]
        for a, b in itertools.pairwise(edges):
            t = (a + b) / 2 + (b - a) / 2 * nodes
            area += (b - a) / 2 * weights @ envelope(t)
            tilt += (b - a) / 2 * weights @ (envelope(t) * (t - (start + stop) / 2))
        assert envelope.moments(start, stop) == pytest.approx(
            (area, tilt / (stop - start)), abs=1e-13
        )


def test_breakpoints_are_where_the_polynomial_changes():
    assert TABLE.breakpoints.tolist() == [0.5, 1.0, 3.0]
    ramp = np.linspace(0.0, 1.0, 1001)
    assert Envelope(ramp, values=3 * ramp).breakpoints.tolist() == [0.0, 1.0]
    assert Envelope(ramp, values=np.ones(1001)).breakpoints.tolist() == []
    stairs = Envelope(ramp, values=np.floor(4 * ramp), interpolation="step")
    assert stairs.breakpoints.tolist() == [0.25, 0.5, 0.75, 1.0]
    cube = Envelope([0.0, 1.0, 2.0, 3.0], values=[0.0, 1.0, 8.0, 27.0], interpolation="cubic")
    assert cube.breakpoints.tolist() == [0.0, 3.0]
    assert float(cube(1.5)) == pytest.approx(1.5**3, abs=1e-13)


def test_between_breakpoints_a_spline_is_smooth():
    # The promise: one polynomial of degree 6 within 1e-9 of the largest value.
    times = np.linspace(0.0, 100.0, 2001)
    bumps = np.exp(-((times - 37) ** 2) / 0.18) + 1e-6 * np.exp(-((times - 80) ** 2) / 0.5)
    envelope = Envelope(times, values=bumps, interpolation="cubic")
    edges = envelope.breakpoints
    assert len(edges) < 100
    assert np.any((edges > 79) & (edges < 81)), "a bump of a millionth is no silence"
    for a, b in itertools.pairwise(edges):
        t = np.linspace(a, b, 40)
        fit = np.polynomial.Chebyshev.fit(t, envelope(t), 6)
        assert np.abs(fit(t) - envelope(t)).max() < 3e-9


def test_whether_an_envelope_is_constant_is_seen_anywhere_inside():
    times = np.linspace(0.0, 100.0, 2001)
    values = np.ones(2001)
    values[1234] += 1e-13
    for kind in ("linear", "cubic", "step"):
        envelope = Envelope(times, values=values, interpolation=kind)
        assert envelope.constant_between(0.0, 50.0)
        assert not envelope.constant_between(0.0, 100.0)


def test_a_step_is_constant_up_to_its_jumps():
    envelope = Envelope([0.0, 1.0, 2.0, 3.0], values=[5.0, 5.0, 7.0, 7.0], interpolation="step")
    assert envelope.constant_between(0.0, 2.0)
    assert envelope.constant_between(2.0, 9.0)
    assert not envelope.constant_between(0.0, 2.5)


def test_breakpoints_of_hardly_bent_tables():
    # A kink of 1e-13 of the values is no rounding; a cubic through many points is one curve.
    bent = Envelope([0, 1, 2, 3], values=[0.0, 1.0, 2.0 + 1e-13, 3.0])
    assert bent.breakpoints.tolist() == [0.0, 1.0, 2.0, 3.0]
    for n_points in range(4, 14):
        t = np.linspace(1.0, 3.0, n_points)
        cubic = Envelope(t, values=1 + t - t**3, interpolation="cubic")
        assert cubic.breakpoints.tolist() == [1.0, 3.0]


def test_a_cubic_that_vanishes_at_gauss_nodes_is_not_constant():
    # The Legendre polynomial P_3(t - 1): zero at three Gauss nodes of [0, 2] and without an area
    # there; its integral from 0 to 1 is 1/8.
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    envelope = Envelope(x + 1, values=(5 * x**3 - 3 * x) / 2, interpolation="cubic")
    assert not envelope.constant_between(0.0, 2.0)
    drive = DriveWeights((envelope,))
    assert drive.constant_weights(0.0, 2.0) is None
    assert drive.moments(0.0, 1.0)[0][0] == pytest.approx(1 / 8, abs=1e-14)


def test_from_function_follows_the_function():
    envelope = Envelope.from_function(lambda t: math.sin(3 * t), start=0.0, stop=2.0)
    t = np.linspace(0.0, 2.0, 997)
    assert np.abs(envelope(t) - np.sin(3 * t)).max() < 3e-9
    assert float(envelope.integral(2.0)) == pytest.approx((1 - math.cos(6)) / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda t: float(t > 1.1), r"^the envelope function jumps or has a spike near t = 1\.1,"),
        (lambda t: float(0.7 < t < 0.71), r"jumps .* near t = 0\.7.*interpolation='step'"),
        (lambda t: math.sin(1e6 * t * t), r"varies too fast for 65536 points on \[0, 2\]"),
        (lambda _t: math.nan, r"^envelope value must be a number, got NaN"),
        (
            lambda _t: "1",
            r"^envelope value must be a real number, got '1' \(str\); write 1 without quotes$",
        ),
    ],
)
def test_from_function_refuses(function, message):
    with pytest.raises(InvalidInput, match=message):
        Envelope.from_function(function, start=0.0, stop=2.0)


@pytest.mark.parametrize("periods", [1, 8, 16, 32, 48, 64, 96])
@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_from_function_sees_through_aliases(periods, offset):
    # Equidistant points see a constant where the period divides their distance.
    envelope = Envelope.from_function(
        lambda t: offset + math.cos(2 * math.pi * periods * t), start=0.0, stop=1.0, tolerance=1e-6
    )
    t = np.linspace(0.0, 1.0, 30_011)
    wrong = np.abs(envelope(t) - offset - np.cos(2 * np.pi * periods * t)).max()
    assert wrong < 3e-6 * (1 + offset)


@pytest.mark.parametrize(("width", "features"), [(1e-3, []), (1e-6, [0.3])])
def test_from_function_follows_narrow_pulses(width, features):
    envelope = Envelope.from_function(
        lambda t: 1 + math.exp(-(((t - 0.3) / width) ** 2) / 2),
        start=0.0, stop=1.0, features=features,
    )  # fmt: skip
    area = width * math.sqrt(2 * math.pi)
    assert float(envelope.integral(1.0)) == pytest.approx(1 + area, abs=1e-4 * area)
    assert len(envelope.times) < 2000


def test_a_feature_that_vanishes_at_its_centre_is_seen():
    width = 1e-6
    envelope = Envelope.from_function(
        lambda t: (t - 0.3) / width * math.exp(-(((t - 0.3) / width) ** 2) / 2),
        start=0.0, stop=1.0, features=[0.3],
    )  # fmt: skip
    assert float(envelope(0.3 + width)) == pytest.approx(math.exp(-0.5), abs=1e-8)
    assert float(envelope(0.3 - width)) == pytest.approx(-math.exp(-0.5), abs=1e-8)


def test_from_function_puts_points_only_where_they_are_needed():
    kink = Envelope.from_function(lambda t: abs(t - 1 / 3), start=0.0, stop=1.0)
    assert len(kink.times) < 500
    assert len(Envelope.from_function(lambda _t: 2.0, start=0.0, stop=1.0).times) == 17
    assert kink(1 / 3) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 1e-16}, r"^tolerance must be at least 1e-13, got 1e-16$"),
        ({"features": [2.5]}, r"^features must be at most 2, got 2\.5$"),
    ],
)
def test_from_function_refuses_impossible_options(options, message):
    with pytest.raises(InvalidInput, match=message):
        Envelope.from_function(math.sin, start=0.0, stop=2.0, **options)


def test_from_function_refuses_an_empty_interval():
    with pytest.raises(InvalidInput, match=r"^stop must be above 1, got 1$"):
        Envelope.from_function(math.sin, start=1.0, stop=1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"times": [0, 1], "values": [1]},
            r"^envelope times and values must have one length, got 2 and 1$",
        ),
        ({"times": [0], "values": [1]}, r"^a linear envelope needs at least 2 points, got 1$"),
        (
            {"times": [0, 1, 2], "values": [1, 2, 3], "interpolation": "cubic"},
            r"^a cubic envelope needs at least 4 points, got 3$",
        ),
        (
            {"times": [0, 0], "values": [1, 2]},
            r"^envelope times must increase strictly, got 0 .* written with interpolation='step'$",
        ),
        ({"times": [0, 1], "values": [1, math.inf]}, r"^envelope values must be finite, got inf"),
        (
            {"times": [0, 1], "values": [1, 2], "interpolation": "qubic"},
            r"^interpolation must be one of linear, cubic, step, got 'qubic'; did you mean 'cubic'",
        ),
    ],
)
def test_envelopes_refuse(arguments, message):
    times = arguments.pop("times")
    with pytest.raises(InvalidInput, match=message):
        Envelope(times, **arguments)


def test_a_table_and_back():
    table = TABLE.as_dict()
    assert table == {"times": [0.5, 1.0, 3.0], "values": [1.0, -2.0, 4.0]}
    assert strength("chi", table).as_dict() == table
    for kind in ("cubic", "step"):
        other = {"times": [0, 1, 2, 3], "values": [0, 1, 0, 1], "interpolation": kind}
        assert strength("chi", other).as_dict() == other


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"times": [0, 1]}, r"^chi must be a number or a table with times and values$"),
        (
            {"times": [0, 1], "values": [0, 1], "kind": "cubic"},
            r"^chi must be a number or a table with times and values; unknown key 'kind'$",
        ),
        (
            {"times": [0, 1], "values": [0]},
            r"^chi: envelope times and values must have one length, got 2 and 1$",
        ),
        (
            Envelope([0, 1], values=[1, -1]),
            r"^chi must be at least 0 at all times, got -1$",
        ),
        (
            Envelope([0, 1, 2, 3], values=[0, 0, 1, 0], interpolation="cubic"),
            r"^chi must be at least 0 at all times, got -0.315",
        ),
        (math.sin, r"^chi is a function: tabulate it first with Envelope.from_function"),
        ("1", r"^chi must be a real number, got '1' \(str\); write 1 without quotes$"),
    ],
)
def test_strengths_refuse(value, message):
    with pytest.raises(InvalidInput, match=message):
        strength("chi", value, minimum=0.0)


def test_a_smooth_rate_that_touches_zero_is_no_negative_rate():
    envelope = Envelope.from_function(lambda t: math.sin(t) ** 2, start=0.0, stop=7.0)
    assert strength("rate", envelope, minimum=0.0) is envelope
    assert strength("rate", Envelope([0, 1, 2, 3], values=[2, 2, 2, 2], interpolation="cubic"))
    t = np.arange(5.0)
    below = Envelope(t, values=(t - 2) ** 2 - 1e-7, interpolation="cubic")
    with pytest.raises(InvalidInput, match=r"^rate must be at least 0 at all times, got -"):
        strength("rate", below, minimum=0.0)


def test_the_lowest_value_lies_between_the_points_of_a_spline():
    envelope = Envelope([0, 1, 2, 3], values=[0, 0, 1, 0], interpolation="cubic")
    t = np.linspace(0, 3, 30_001)
    assert envelope.lowest() == pytest.approx(envelope(t).min(), abs=1e-7)
    assert TABLE.lowest() == -2.0


def test_helpers_treat_numbers_and_envelopes_alike():
    times = np.array([0.0, 0.75])
    assert at(2.0, times).tolist() == [2.0, 2.0]
    assert at(TABLE, times).tolist() == [1.0, -0.5]
    assert integrated(2.0, times).tolist() == [0.0, 1.5]
    assert integrated(TABLE, 0.5).tolist() == 0.5
    assert times_number(2.0, 3.0) == 6.0
    assert times_number(TABLE, 3.0).values.tolist() == [3.0, -6.0, 12.0]
    assert is_zero(0.0)
    assert is_zero(Envelope([0, 1], values=[0, 0]))
    assert not is_zero(TABLE)
    assert not is_zero(Envelope([0, 1], values=[0, 1]))
    for kind in ("linear", "cubic", "step"):
        table = Envelope([0, 1, 2, 3], values=[1, -2, 4, 0.5], interpolation=kind)
        assert times_number(table, 3.0)(0.75) == pytest.approx(3 * table(0.75), rel=1e-14)
