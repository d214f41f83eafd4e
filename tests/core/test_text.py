"""Numbers for people."""

import pytest

from spinsqueeze.core.text import value_with_error


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
        (1.0, float("nan"), "1 ± nan"),
    ],
)
def test_value_with_error(value, stderr, text):
    assert value_with_error(value, stderr=stderr) == text
