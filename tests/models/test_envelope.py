import itertools
import math

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.envelope import Envelope, at, integrated, is_zero, strength, times_number

TABLE = Envelope([0.5, 1.0, 3.0], values=[1.0, -2.0, 4.0])


def test_linear_between_and_constant_outside():
    np.testing.assert_allclose(
        TABLE(np.array([-1.0, 0.0, 0.5, 0.75, 1.0, 2.0, 3.0, 9.0])),
        [1.0, 1.0, 1.0, -0.5, -2.0, 1.0, 4.0, 4.0],
    )


@pytest.mark.parametrize("kind", ["linear", "cubic"])
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


def test_knots_are_where_the_slope_jumps():
    assert TABLE.knots().tolist() == [0.5, 1.0, 3.0]
    cubic = Envelope([0.0, 1.0, 2.0, 3.0], values=[0.0, 1.0, 8.0, 27.0], interpolation="cubic")
    assert cubic.knots().tolist() == [0.0, 3.0]
    assert float(cubic(1.5)) == pytest.approx(1.5**3, abs=1e-13)


def test_from_function_follows_the_function():
    envelope = Envelope.from_function(lambda t: math.sin(3 * t), start=0.0, stop=2.0)
    t = np.linspace(0.0, 2.0, 997)
    assert np.abs(envelope(t) - np.sin(3 * t)).max() < 3e-9
    assert float(envelope.integral(2.0)) == pytest.approx((1 - math.cos(6)) / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda t: float(t > 1.1), r"^the envelope function is too rough for a spline of 65536"),
        (lambda t: math.nan, r"^envelope value must be a number, got NaN"),
        (lambda t: "1", r"^envelope value must be a real number, got '1' \(str\)$"),
    ],
)
def test_from_function_refuses(function, message):
    with pytest.raises(InvalidInput, match=message):
        Envelope.from_function(function, start=0.0, stop=2.0)


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
        ({"times": [0, 0], "values": [1, 2]}, r"^envelope times must increase strictly, got 0"),
        ({"times": [0, 1], "values": [1, math.inf]}, r"^envelope values must be finite, got inf"),
        (
            {"times": [0, 1], "values": [1, 2], "interpolation": "qubic"},
            r"^interpolation must be one of linear, cubic, got 'qubic'; did you mean 'cubic'\?$",
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
    cubic = {"times": [0, 1, 2, 3], "values": [0, 1, 0, 1], "interpolation": "cubic"}
    assert strength("chi", cubic).as_dict() == cubic


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
        ("1", r"^chi must be a real number, got '1' \(str\)$"),
    ],
)
def test_strengths_refuse(value, message):
    with pytest.raises(InvalidInput, match=message):
        strength("chi", value, minimum=0.0)


def test_a_smooth_rate_that_touches_zero_is_no_negative_rate():
    envelope = Envelope.from_function(lambda t: math.sin(t) ** 2, start=0.0, stop=7.0)
    assert strength("rate", envelope, minimum=0.0) is envelope
    assert strength("rate", Envelope([0, 1, 2, 3], values=[2, 2, 2, 2], interpolation="cubic"))


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
