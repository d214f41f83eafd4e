"""Ranges and texts of times in study files, as numbers."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.run.lab_times import times_as_numbers
from spinsqueeze.run.ranges import expand, is_rounded, whole_numbers


@pytest.mark.parametrize(("start", "kind"), [(0, int), (0.0, float)])
def test_a_linear_range_is_of_integers_where_its_start_is(start, kind):
    values = expand("x", {"start": start, "stop": 4, "num": 5})
    assert values == [0, 1, 2, 3, 4]
    assert {type(value) for value in values} == {kind}


@pytest.mark.parametrize(("start", "stop", "num"), [(1, 10, 12), (10, 1000, 7), (1, 4, 9)])
def test_a_logarithmic_range_of_counts_is_known_again_without_its_repeats(start, stop, num):
    spec = {"start": start, "stop": stop, "num": num, "spacing": "log"}
    counts = whole_numbers(spec, expand("x", spec))
    assert is_rounded(counts) == (np.ptp(np.diff(counts)) > 0)
    assert not is_rounded([1, 10, 100])
    assert not is_rounded([4, 6, 8])


def test_texts_of_times_keep_their_digits():
    model = sq.spins_from_lab(4, chi="1 kHz", time_unit="us").model
    times = times_as_numbers(["123456.7891234 ns", "2 ms", 3.0], model)
    assert times == [123.4567891234, 2000.0, 3.0]
    spec = {"start": "0.1 us", "stop": "300 ns", "num": 3}
    assert times_as_numbers(spec, model) == {"start": 0.1, "stop": 0.3, "num": 3}
