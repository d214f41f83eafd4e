"""Units as people write them, what 2 pi does, and scales that fit an axis."""

import math

import pytest

from spinsqueeze.core.units import inverse, seconds_of
from spinsqueeze.core.written_units import (
    axis_scale,
    label_of,
    meaning,
    rate_unit,
    si_value,
    written,
)


@pytest.mark.parametrize(
    ("rates", "shown", "times", "seconds"),
    [
        ("Hz", "rad/s", "s", 1.0),
        ("MHz", "rad/µs", "µs", 1e-6),
        ("1/s", "1/s", "s", 1.0),
        ("1/us", "1/µs", "µs", 1e-6),
        ("1 / µs", "1/µs", "µs", 1e-6),
        ("rad/us", "1/µs", "µs", 1e-6),
        ("us^-1", "1/µs", "µs", 1e-6),
        ("rad ms^{-1}", "1/ms", "ms", 1e-3),
        ("mHz", "rad/ks", "ks", 1e3),
        ("2 pi MHz", "2π MHz", "µs/2π", 1e-6 / (2 * math.pi)),
        ("2*pi*MHz", "2π MHz", "µs/2π", 1e-6 / (2 * math.pi)),
        ("2π kHz", "2π kHz", "ms/2π", 1e-3 / (2 * math.pi)),
        ("GHz * 2 pi", "2π GHz", "ns/2π", 1e-9 / (2 * math.pi)),
        ("2 pi/us", "2π/µs", "µs/2π", 1e-6 / (2 * math.pi)),
        ("2piGHz", "2π GHz", "ns/2π", 1e-9 / (2 * math.pi)),
        (r"2 $\pi$ x kHz", "2π kHz", "ms/2π", 1e-3 / (2 * math.pi)),
        ("2pi(MHz)", "2π MHz", "µs/2π", 1e-6 / (2 * math.pi)),
    ],
)
def test_rates_and_their_times(rates, shown, times, seconds):
    assert written(rates) == shown
    assert label_of(rate_unit(rates).inverse()) == times
    if " / " not in rates:
        assert written(inverse(rates)) == times
        assert si_value(3.0, inverse(rates)) == pytest.approx(3 * seconds, rel=1e-14)
    assert rate_unit(rates).rate_of_numbers == pytest.approx(1 / seconds, rel=1e-14)


@pytest.mark.parametrize(
    "units",
    [
        "J", "Gamma", "1/J", "", "1", "$", "rad", "Hzz", "2 pi J", "1/", "m", "um", "GHz um^6",
        "/s", "fs^2/s", "min", "2 pi", "Hz s",
    ],
)  # fmt: skip
def test_others_stay_as_they_are(units):
    assert written(units) == units
    assert si_value(1.0, units) is None
    assert meaning(units) == ""


def test_where_2_pi_matters_it_is_said():
    assert meaning("MHz") == "1 is 1e6 rad/s, without 2 pi; for frequencies write '2 pi MHz'"
    assert meaning("2 pi MHz") == (
        "2 pi included: 1 is 2 pi * 1e6 rad/s, a time of 1 is 1.592e-07 s"
    )
    assert meaning("rad/us") == meaning("1/s") == ""


@pytest.mark.parametrize(
    ("largest", "units", "factor", "shown"),
    [
        (88e-6, "s", 1e6, "µs"),
        (0.5, "s", 1.0, "s"),
        (4000.0, "s", 1.0, "s"),
        (3e-8, "s", 1e9, "ns"),
        (2e4, "1/MHz", 1e-3, "ms"),
        (0.02, "1/uHz", 1e3, "ks"),
        (1.0, "1/2 pi MHz", 1 / (2 * math.pi), "µs"),
        (0.2, "1/2 pi MHz", 1e3 / (2 * math.pi), "ns"),
        (3e6, "1/s", 1e-6, "1/µs"),
        (3e6, "2 pi Hz", 1e-6, "2π MHz"),
        (3.0, "MHz", 1.0, "rad/µs"),
        (3e6, "Hz", 1e-6, "rad/µs"),
        (0.002, "rad/us", 1e3, "1/ms"),
        (0.4, "1/J", 1.0, "1/J"),
        (0.04, "1/J", 1.0, "1/J"),
        (3e-8, "1/J", 1e9, "10⁻⁹/J"),
        (7e8, "1/J", 1e-6, "10⁶/J"),
        (7e8, "1", 1e-6, "10⁶"),
        (0.0, "1/J", 1.0, "1/J"),
        (math.nan, "1/MHz", 1.0, "µs"),
    ],
)
def test_scales_of_an_axis(largest, units, factor, shown):
    found = axis_scale(largest, units)
    assert found[0] == pytest.approx(factor, rel=1e-12)
    assert found[1] == shown


def test_times_in_seconds_need_a_unit_of_seconds():
    assert [seconds_of(unit) for unit in ("1/s", "1/ms", "1/us", "1/ns")] == [1, 1e-3, 1e-6, 1e-9]
    with pytest.raises(ValueError, match=r"^J$"):
        seconds_of("J")
