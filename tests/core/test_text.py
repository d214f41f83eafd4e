"""Numbers for people."""

import pytest

from spinsqueeze.core.text import value_to_digits, value_with_error


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (-7.5312, 0.0234, "-7.531 ± 0.023"),
        (-7.5312, None, "-7.5312"),
        (0.1234567, 0.00999, "0.123 ± 0.010"),
        (12345.0, 130.0, "12340 ± 130"),
        (1.0, 0.0, "1 ± 0"),
        (3.2e-10, 1.2e-12, "(3.200 ± 0.012)e-10"),
        (2.5e9, 3.1e7, "(2.500 ± 0.031)e+9"),
        (0.40929555, 3.7e-7, "0.40929555 ± 0.00000037"),
        (1.0, float("nan"), "1 ± nan"),
    ],
)
def test_value_with_error(value, stderr, text):
    assert value_with_error(value, stderr=stderr) == text


@pytest.mark.parametrize(
    ("value", "error", "limits", "text"),
    [
        (2.044464, 0.000084, {"digits": 4}, "2.044"),
        (2.044464, 0.0084, {"digits": 4}, "2.044 ± 0.008"),
        (0.1974, 0.0026, {"digits": 4}, "0.1974 ± 0.0026"),
        (2.0, 0.000084, {"digits": 4}, "2"),
        (0.40929555, 3.7e-7, {"digits": 6}, "0.409296"),
        (0.40929555, 3.7e-6, {"digits": 6}, "0.409296 ± 0.000004"),
        (0.40929555, None, {"digits": 6}, "0.409296"),
        (0.0, 0.01, {"digits": 4}, "0.000 ± 0.010"),
        (123456.0, 7.0, {"digits": 4}, "1.235e+05"),
        (3.2e-10, 1.2e-12, {"digits": 6}, "(3.200 ± 0.012)e-10"),
        (-3.77364, None, {"places": 2}, "-3.77"),
        (-7.5465886, 0.0000019, {"places": 2}, "-7.55"),
        (-7.5465886, 0.083, {"places": 2}, "-7.55 ± 0.08"),
        (-7.5465886, 1.3, {"places": 2}, "-7.5 ± 1.3"),
        (float("nan"), 0.1, {"places": 2}, "nan"),
    ],
)
def test_digits_that_nobody_needs_are_not_shown(value, error, limits, text):
    assert value_to_digits(value, error=error, **limits) == text
