import math

import jax
import numpy as np
import pytest
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.registry import REGISTRY, variable


@pytest.mark.parametrize("value", [2, 2.0, np.float64(2), np.int32(2), np.array(2.0)])
def test_real_takes_every_kind_of_real_number(value):
    assert checks.real("chi", value) == 2.0
    assert type(checks.real("chi", value)) is float


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "uint8"])
def test_a_number_out_of_a_result_is_a_number(kind):
    result = xr.DataArray(np.array([1, 2, 3], dtype=kind), dims="time")[1]
    for value in (result, result.values, jax.numpy.asarray(result.values)):
        assert checks.real("chi", value) == 2.0
        assert type(checks.real("chi", value)) is float
        assert checks.integer("seed", value, minimum=0) == 2
        assert type(checks.integer("seed", value, minimum=0)) is int
        with pytest.raises(InvalidInput, match="seed must be an integer"):
            checks.integer("seed", value + 0.5, minimum=0)


@pytest.mark.parametrize("value", [True, 2j, "2", None, np.datetime64("2026-01-01"), [2.0]])
def test_a_scalar_array_of_anything_else_is_refused(value):
    for array in (np.array(value), xr.DataArray(value)):
        with pytest.raises(InvalidInput, match="chi must be a real number, got "):
            checks.real("chi", array)
        with pytest.raises(InvalidInput, match="seed must be an integer, got "):
            checks.integer("seed", array, minimum=0)


@pytest.mark.parametrize(
    ("value", "rules", "message"),
    [
        ("2", {}, r"^chi must be a real number, got '2' \(str\); write 2 without quotes$"),
        (True, {}, r"^chi must be a real number, got True \(bool\)$"),
        (1j, {}, r"^chi must be a real number, got 1j \(complex\)$"),
        (None, {}, r"^chi must be a real number, got None \(NoneType\)$"),
        ([1.0], {}, r"^chi must be a real number, got \[1.0\] \(list\)$"),
        (math.nan, {}, r"^chi must be a number, got NaN; give a finite value$"),
        (math.inf, {}, r"^chi must be finite, got inf$"),
        (-math.inf, {"infinite": True}, r"^chi must be finite, got -inf$"),
        (-0.1, {"minimum": 0.0}, r"^chi must be at least 0, got -0.1$"),
        (0, {"above": 0.0}, r"^chi must be above 0, got 0$"),
        (1.5, {"maximum": 1.0}, r"^chi must be at most 1, got 1.5$"),
    ],
)
def test_real_refuses(value, rules, message):
    with pytest.raises(InvalidInput, match=message):
        checks.real("chi", value, **rules)


def test_real_admits_infinity_on_request():
    assert checks.real("exponent", math.inf, infinite=True) == math.inf


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2.5, r"^seed must be an integer, got 2.5 \(float\)$"),
        (True, r"^seed must be an integer, got True \(bool\)$"),
        ("7", r"^seed must be an integer, got '7' \(str\); write 7 without quotes$"),
        (-1, r"^seed must be at least 0, got -1$"),
        (11, r"^seed must be at most 10, got 11$"),
    ],
)
def test_integer_refuses(value, message):
    with pytest.raises(InvalidInput, match=message):
        checks.integer("seed", value, minimum=0, maximum=10)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1.0, 2.0], [3.0]], r"^matrix must be a regular array, got \[\[1.0, 2.0\], \[3.0\]\]$"),
        (["a", "b"], r"^matrix must hold numbers only, got \['a', 'b'\]$"),
        ([1.0, 2.0], r"^matrix must have shape any x 2, got 2$"),
        (3.0, r"^matrix must have shape any x 2, got a single number$"),
        ([[1.0, 2.0, 3.0]], r"^matrix must have shape any x 2, got 1 x 3$"),
        ([[1.0, math.nan]], r"^matrix must be finite, got nan at index \[0, 1\]$"),
        ([[1.0, 2.0j]], r"^matrix must be real, got complex entries"),
        ([[1.0, -2.0]], r"^matrix must be at least 0, got -2$"),
    ],
)
def test_real_array_refuses(value, message):
    with pytest.raises(InvalidInput, match=message):
        checks.real_array("matrix", value, shape=(None, 2), minimum=0.0)


def test_real_array_is_a_copy_that_cannot_be_written():
    given = np.ones((2, 2))
    taken = checks.real_array("matrix", given, shape=(2, 2))
    given[0, 0] = 5.0
    assert taken[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        taken[0, 0] = 2.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("+x", [1, 0, 0]),
        ("x", [1, 0, 0]),
        ("-Y", [0, -1, 0]),
        (" z ", [0, 0, 1]),
        ([0.6, 0.0, -0.8], [0.6, 0.0, -0.8]),
    ],
)
def test_direction(value, expected):
    np.testing.assert_allclose(checks.direction("direction", value), expected, atol=1e-15)


def test_a_direction_read_back_stays_the_same_to_the_last_bit():
    rng = np.random.default_rng(1)
    for raw in rng.normal(size=(300, 3)):
        once = checks.direction("direction", raw / np.linalg.norm(raw))
        assert np.array_equal(once, checks.direction("direction", once.tolist()))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("w", r"^direction must be one of \+x, -x, \+y, -y, \+z, -z or a unit vector, got 'w'$"),
        ("++x", r"or a unit vector, got '\+\+x'$"),
        ("", r"or a unit vector, got ''$"),
        ([0, 0, 0], r"^direction must be a unit vector, got the zero vector$"),
        ([3, 4, 0], r"got length 5; divide by it: \[0.6, 0.8, 0\]$"),
        ([1, 0], r"^direction must be three numbers, got 2 numbers$"),
        ([1, 0, math.nan], r"^direction must be finite, got nan at index \[2\]$"),
    ],
)
def test_direction_refuses(value, message):
    with pytest.raises(InvalidInput, match=message):
        checks.direction("direction", value)


@pytest.mark.parametrize(
    "value", [[1, -1j, 0], [[1, 0], [0, -1], [0, 0]], np.array([1, -1j, 0], dtype=complex)]
)
def test_complex_vector_reads_numbers_and_pairs(value):
    assert np.array_equal(checks.complex_vector("vector", value), [1, -1j, 0])


def test_vectors_written_as_pairs_come_back_bit_for_bit():
    vectors = np.array([[complex(-0.0, 1), complex(0.3, -0.0), complex(-0.0, -0.0)], [1, 2j, 0]])
    pairs = np.stack([vectors.real, vectors.imag], axis=-1).tolist()
    assert checks.complex_vectors("vector", pairs).tobytes() == vectors.tobytes()
    assert checks.complex_vector("vector", pairs[0]).tobytes() == vectors[0].tobytes()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], r"^vector must be three numbers \(x, y, z\), each real, complex or \[re, im\]"),
        ([0, 0, 0], r"^vector must not be the zero vector; leave the term out instead$"),
        ([1, math.inf, 0], r"^vector must be finite, got \[1, inf, 0\]$"),
        ("xyz", r"^vector must hold numbers only, got 'xyz'$"),
    ],
)
def test_complex_vector_refuses(value, message):
    with pytest.raises(InvalidInput, match=message):
        checks.complex_vector("vector", value)


def test_axis_name_refuses():
    with pytest.raises(InvalidInput, match=r"^axis must be 'x', 'y' or 'z', got '\+x'$"):
        checks.axis_name("axis", "+x")


def test_choice_proposes_the_closest_word():
    with pytest.raises(
        InvalidInput,
        match=r"^boundary must be one of periodic, open, got .preiodic.; did you mean",
    ):
        checks.choice("boundary", "preiodic", ("periodic", "open"))
    with pytest.raises(InvalidInput, match=r"^boundary must be one of periodic, open, got 3$"):
        checks.choice("boundary", 3, ("periodic", "open"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"^times must hold at least one number, got none$"),
        (
            [0.0, 1.0, 1.0],
            r"^times must increase strictly, got 1 then 1 at index 1; leave one out$",
        ),
        ([0.5, 0.25], r"^times must increase strictly, got 0.5 then 0.25 at index 0; sort them$"),
        ([-1.0, 0.0], r"^times must be at least 0, got -1$"),
        ([[0.0]], r"^times must be a list of numbers, got an array of 1 x 1$"),
    ],
)
def test_increasing_refuses(value, message):
    with pytest.raises(InvalidInput, match=message):
        checks.increasing("times", value, minimum=0.0)


def test_did_you_mean_lists_all_words_when_none_is_close():
    assert checks.did_you_mean("j_zz", ["j_z", "j_perp"]) == "did you mean 'j_z'?"
    assert checks.did_you_mean("seven", ["j_z", "j_perp"]) == "known: j_perp, j_z"


def test_shown_is_one_short_line():
    text = checks.shown(np.arange(400.0).reshape(20, 20))
    assert "\n" not in text
    assert len(text) <= 80


def test_the_registry_refuses_unknown_variables():
    assert variable("xi2").dims == ("time",)
    assert all(name == entry.name for name, entry in REGISTRY.items())
    with pytest.raises(InvalidInput, match=r"^variable 'xi' is not registered; known: spin, "):
        variable("xi")


def test_ascending_numbers_may_repeat():
    assert checks.ascending("times", [0, 1, 1, 2]).tolist() == [0.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 0.5], "times must be ascending from at least 0"),
        ([-0.1, 0.5], "times must be ascending from at least 0"),
        ([], r"times must be a list of finite numbers, got shape \(0,\)"),
        ([0.0, math.nan], "finite numbers"),
    ],
)
def test_what_does_not_ascend_is_refused(values, message):
    with pytest.raises(InvalidInput, match=message):
        checks.ascending("times", values)
