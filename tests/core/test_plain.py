import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import (
    MANY,
    compact,
    digest,
    key,
    numbers,
    require_whole,
    same,
    with_arrays,
    with_value,
    without_arrays,
)

rng = np.random.default_rng(5)
LONG = rng.normal(size=(9, 9))


def test_few_numbers_are_a_list_and_many_an_array():
    assert numbers(np.arange(MANY)) == list(range(MANY))
    assert numbers(LONG) is LONG
    assert numbers(np.array([1 + 2j, 3.0])) == [[1.0, 2.0], [3.0, 0.0]]
    many = rng.normal(size=40) + 1j * rng.normal(size=40)
    assert np.array_equal(numbers(many), np.stack([many.real, many.imag], axis=-1))
    assert compact([0.5] * MANY) == [0.5] * MANY
    assert isinstance(compact([0.5] * (MANY + 1)), np.ndarray)
    for other in ([[1.0], [2.0, 3.0]] * MANY, ["a"] * 99, [{"a": 1}] * 99, [True] * 99, "a" * 99):
        assert compact(other) is other


def test_equal_data_are_the_same_and_share_key_and_digest():
    nudged = LONG.copy()
    nudged[8, 8] = np.nextafter(nudged[8, 8], 1.0)
    pairs = [
        ({"a": [1, 2.0], "b": LONG}, {"b": LONG.tolist(), "a": [1.0, 2]}, True),
        ({"b": LONG}, {"b": nudged}, False),
        ({"b": LONG}, {"b": LONG.reshape(3, 27)}, False),
        ({"b": LONG}, {"b": None}, False),
        ({"b": LONG}, {"a": LONG}, False),
        ([LONG, 1], [LONG, 2], False),
        ([1, 2], [1, 2, 3], False),
        ("a", "b", False),
    ]
    for one, other, equal in pairs:
        assert same(one, other) is equal
        assert same(other, one) is equal
        assert (key(one) == key(other)) is equal
        assert (digest(one) == digest(other)) is equal


def test_a_key_knows_true_from_one_and_zero_from_no_sign():
    assert key(True) != key(1)
    assert key([0.0]) == key([-0.0])
    assert key(np.zeros(99)) == key(-np.zeros(99))
    assert digest(np.zeros(99)) != digest(-np.zeros(99))  # bits of a result may differ


def test_arrays_leave_plain_data_and_come_back():
    tables = {"hamiltonian": [{"matrix": LONG, "j": 1.0}], "run": {"times": {"values": LONG[0]}}}
    text, arrays = without_arrays(tables, lambda number: f"a{number}")
    assert text == {
        "hamiltonian": [{"matrix": {"array": "a0"}, "j": 1.0}],
        "run": {"times": {"values": {"array": "a1"}}},
    }
    assert {n: path for n, (path, _) in arrays.items()} == {
        "a0": "hamiltonian.0.matrix",
        "a1": "run.times.values",
    }
    assert same(with_arrays(text, lambda name: arrays[name][1]), tables)
    require_whole(tables)
    with pytest.raises(InvalidInput, match=r"^hamiltonian\.0\.matrix: is a0 of the .*study_of"):
        require_whole(text)


def test_a_reference_among_numbers_is_found():
    # A strength that is swept from a constant to a long table.
    text = {"sweep": {"jumps.0.rate": [1.0, {"times": {"array": "a0"}, "values": [0.0]}]}}
    assert with_arrays(text, lambda name: name)["sweep"]["jumps.0.rate"][1]["times"] == "a0"
    with pytest.raises(InvalidInput, match=r"^sweep\.jumps\.0\.rate\.1\.times: is a0"):
        require_whole(text)


def test_a_path_into_an_array_changes_a_copy():
    tables = {"hamiltonian": [{"vectors": LONG}]}
    changed = with_value(tables, "hamiltonian.0.vectors.3.2", 7.0)
    expected = LONG.copy()
    expected[3, 2] = 7.0
    assert same(changed["hamiltonian"][0]["vectors"], expected)
    assert tables["hamiltonian"][0]["vectors"] is LONG
    with pytest.raises(InvalidInput, match=r"has entries 0 to 8, there is no '9'"):
        with_value(tables, "hamiltonian.0.vectors.9", [0, 0, 1])
