"""Texts with units: what they say, with their factors of 2 pi, and what is refused."""

import math

import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.quantities import quantity, written_quantity
from spinsqueeze.core.units import radians_of

TWO_PI = 2 * math.pi


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5 um", "length", 5e-6),
        ("5um", "length", 5e-6),
        ("5 µm", "length", 5e-6),
        ("532e-3 um", "length", 532e-9),
        ("0.05 mm", "length", 5e-5),
        ("5 us", "time", 5e-6),
        ("1.5 s", "time", 1.5),
        ("2 ms", "time", 2e-3),
        ("1 Hz", "rate", TWO_PI),
        ("1.2 MHz", "rate", TWO_PI * 1.2e6),
        ("2 pi x 1.2 MHz", "rate", TWO_PI * 1.2e6),
        ("2pi*1.2 MHz", "rate", TWO_PI * 1.2e6),
        ("2 π \N{MULTIPLICATION SIGN} 1.2 MHz", "rate", TWO_PI * 1.2e6),
        ("(2 pi) 1.2 MHz", "rate", TWO_PI * 1.2e6),
        ("-1.2 MHz", "rate", -TWO_PI * 1.2e6),
        ("\N{MINUS SIGN}1.2 MHz", "rate", -TWO_PI * 1.2e6),
        ("2 pi x -1.2 MHz", "rate", -TWO_PI * 1.2e6),
        ("3 rad/us", "rate", 3e6),
        ("3 rad us^-1", "rate", 3e6),
        ("3 1/us", "rate", 3e6),
        ("3/us", "rate", 3e6),
        ("2 pi x 3/us", "rate", TWO_PI * 3e6),
        ("863 GHz um^6", "c6", TWO_PI * 863e9 * 1e-36),
        ("863 GHz*um^6", "c6", TWO_PI * 863e9 * 1e-36),
        ("863 GHz um**6", "c6", TWO_PI * 863e9 * 1e-36),
        ("863 GHz·µm⁶", "c6", TWO_PI * 863e9 * 1e-36),
        ("2 pi x 863 GHz um6", "c6", TWO_PI * 863e9 * 1e-36),
        ("5.42e6 rad um^6 / us", "c6", 5.42e12 * 1e-36),
        ("2400 MHz um^3", "c3", TWO_PI * 2.4e9 * 1e-18),
        ("-2.4 GHz um^3", "c3", -TWO_PI * 2.4e9 * 1e-18),
        ("25 m", "length", 25.0),
        ("2.5 um", "length", 2.5e-6),
        ("2 Hz", "rate", 2 * TWO_PI),
        ("3 Mrad/us", "rate", 3e12),
        ("3 krad/us", "rate", 3e9),
        ("3 Grad/s", "rate", 3e9),
        ("3 rad MHz", "rate", 3e6),
        ("5422 rad GHz um^6", "c6", 5422e9 * 1e-36),
    ],
)
def test_a_text_is_read(text, kind, value):
    assert quantity("x", text, kind=kind) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("863 ghz um^6", "c6", r"got '863 ghz um\^6'; write 'GHz' for 'ghz'$"),
        ("1 mhz", "rate", r"; write 'MHz' for 'mhz'$"),
        ("5 a.u.", "length", r"as in '5 um', got 'a\.u\.'$"),
        ("863,0 GHz um^6", "c6", r"^x must have a number with a point for decimals and nothing "),
        ("862_690 MHz um^6", "c6", r"nothing between thousands, as in '863 GHz um\^6', got '862_6"),
        (5, "length", r"^x must be a text with its unit such as '5 um', got 5$"),
        ("five um", "length", r"^x must begin with a number, as in '5 um', got 'five um'$"),
        ("5", "length", r"^x must carry its unit, as in '5 um', got '5'$"),
        (
            "5 furlong",
            "length",
            r"^x must have a unit made of m, s, Hz, rad with a prefix such as n, u, m, k, M or G, "
            r"as in '5 um', got 'furlong'$",
        ),
        ("5 MhZ", "rate", r"got '5 MhZ'; write 'MHz' for 'MhZ'$"),
        ("863 GHz", "c6", r"^x must be a C6, a frequency times the sixth power of a length, such"),
        (
            "863 GHz um^3",
            "c6",
            r"^x must be a C6, .* such as '863 GHz um\^6', got '863 GHz um\^3'$",
        ),
        ("5 us", "length", r"^x must be a length such as '5 um', got '5 us'$"),
        ("5 um", "rate", r"^x must be a frequency or rate such as '1.2 MHz', got '5 um'$"),
        ("2 pi x 5 us", "time", r"^x must have no factor 2 pi, as in '5 us', got '2 pi x 5 us'$"),
        ("2 pi x 5 um", "length", r"^x must have no factor 2 pi, as in '5 um', got '2 pi x 5 um'$"),
        ("5 um + 1", "length", r"^x must end in a unit such as that of '5 um', got '5 um \+ 1'$"),
        ("(1+2j) MHz", "rate", r"^x must begin with a number"),
        ("nan MHz", "rate", r"^x must begin with a number"),
        ("1e400 s", "time", r"^x must be finite, got inf$"),
    ],
)
def test_a_text_is_refused(text, kind, message):
    with pytest.raises(InvalidInput, match=message):
        quantity("x", text, kind=kind)


@pytest.mark.parametrize(
    ("text", "of_one", "third"),
    [
        ("2 pi x 3 rad/us", TWO_PI * 1e6, "2 pi x 0.333333333333 rad/us"),
        ("3 rad/us", 1e6, "0.333333333333 rad/us"),
        ("3 MHz", TWO_PI * 1e6, "0.333333333333 MHz"),
        ("2 pi x 3 MHz", TWO_PI * 1e6, "2 pi x 0.333333333333 MHz"),
        ("3 um", 1e-6, "0.333333333333 um"),
    ],
)
def test_other_numbers_in_the_unit_of_a_text(text, of_one, third):
    written = written_quantity(text)
    assert written.of_one == pytest.approx(of_one, rel=1e-14)
    assert written.of(1 / 3) == third


def test_a_unit_in_words_is_answered_with_its_sign():
    with pytest.raises(InvalidInput, match=r"got '5 microns'; write 'um' for 'microns'$"):
        quantity("spacing", "5 microns", kind="length")


@pytest.mark.parametrize(
    ("text", "angle"),
    [
        ("pi", math.pi),
        ("-pi", -math.pi),
        ("\N{MINUS SIGN}\N{GREEK SMALL LETTER PI}", -math.pi),
        ("pi/2", math.pi / 2),
        ("3 pi / 4", 3 * math.pi / 4),
        ("0.5*pi", math.pi / 2),
        ("2pi", 2 * math.pi),
        ("180 deg", math.pi),
        ("-90 degrees", -math.pi / 2),
        ("45\N{DEGREE SIGN}", math.pi / 4),
        ("1.2 rad", 1.2),
        ("-.5 radians", -0.5),
    ],
)
def test_texts_of_angles(text, angle):
    assert radians_of(text) == angle


@pytest.mark.parametrize(
    "text", ["", "3", "deg", "pi/0", "pi/", "pi pi", "180 deg/2", "1 turn", "np.pi", "1e400 um"]
)
def test_texts_that_are_no_angle(text):
    assert radians_of(text) is None
