"""Functions on the sphere: the right value in the right place of the picture."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.plot import sphere
from spinsqueeze.plot.style import new_figure

THETA = np.linspace(0.0, np.pi, 91)
PHI = np.linspace(0.0, 2 * np.pi, 120, endpoint=False)
SINE = np.sin(THETA)[:, None]
X, Y = SINE * np.cos(PHI), SINE * np.sin(PHI)
Z = np.cos(THETA)[:, None] + 0.0 * PHI


def image_of(figure):
    return figure.axes[0].images[0]


def pixel(figure, u, v):
    """The value drawn at the point (u, v) of the unit disc."""
    values = image_of(figure).get_array()
    half = (values.shape[0] - 1) / 2
    return values[round(half * (1 + v)), round(half * (1 + u))]


@pytest.mark.parametrize(
    ("view", "centre", "right", "up"),
    [
        ("+x", X, Y, Z),
        ("-x", -X, -Y, Z),
        ("+y", Y, -X, Z),
        ("+z", Z, X, Y),
        ("-z", -Z, -X, Y),
    ],
)
def test_orthographic_view_puts_each_axis_where_an_eye_sees_it(view, centre, right, up):
    assert pixel(sphere(centre, THETA, PHI, view=view), 0.0, 0.0) == pytest.approx(1.0, abs=1e-3)
    assert pixel(sphere(right, THETA, PHI, view=view), 0.6, 0.0) == pytest.approx(0.6, abs=1e-2)
    assert pixel(sphere(up, THETA, PHI, view=view), 0.0, 0.6) == pytest.approx(0.6, abs=1e-2)


def test_the_eye_is_above_the_largest_value_by_default():
    figure = sphere(np.exp(20 * (Y - 1)), THETA, PHI)
    assert pixel(figure, 0.0, 0.0) == pytest.approx(1.0, abs=1e-3)
    labels = {text.get_text() for text in figure.axes[0].texts}
    assert {"+y", "+z", "+x", "\N{MINUS SIGN}x", "\N{MINUS SIGN}z"} == labels


def test_azimuth_is_periodic_and_may_start_anywhere():
    shifted = PHI - np.pi
    values = np.sin(THETA)[:, None] * np.cos(shifted - 3.0)
    figure = sphere(values, THETA, shifted, view=[np.cos(3.0), np.sin(3.0), 0.0])
    assert pixel(figure, 0.0, 0.0) == pytest.approx(1.0, abs=1e-3)
    closed = np.append(PHI, 2 * np.pi)
    wide = np.concatenate([X, X[:, :1]], axis=1)
    a, b = sphere(wide, THETA, closed, view="+x"), sphere(X, THETA, PHI, view="+x")
    np.testing.assert_allclose(image_of(a).get_array(), image_of(b).get_array())


def test_scales_start_at_zero_or_are_symmetric():
    low, high = image_of(sphere(1 + Z, THETA, PHI)).get_clim()
    assert (low, high) == (0.0, 2.0)
    low, high = image_of(sphere(0.5 + Z, THETA, PHI)).get_clim()
    assert (low, high) == (-1.5, 1.5)


def test_a_function_that_vanishes_is_drawn():
    assert image_of(sphere(0 * Z, THETA, PHI)).get_clim() == (0.0, 1.0)


def test_map_has_equal_areas_and_labels():
    figure = sphere(1 + Z, THETA, PHI, projection="map", label="Husimi Q")
    panel, bar = figure.axes
    mesh = panel.collections[0]
    heights = np.unique(mesh.get_coordinates()[..., 1])
    np.testing.assert_allclose(heights, np.sort(np.cos(THETA)))
    assert "cos" in panel.get_ylabel()
    assert bar.get_ylabel() == "Husimi Q"


@pytest.mark.parametrize("projection", ["orthographic", "map"])
def test_it_saves_into_own_axes(tmp_path, projection):
    figure = new_figure(4.0, 4.0)
    assert sphere(1 + Z, THETA, PHI, ax=figure.subplots(), projection=projection) is figure
    figure.savefig(tmp_path / "sphere.png")
    assert (tmp_path / "sphere.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": Z[1:]}, "values must have shape 91 x 120"),
        ({"values": np.where(Z > 0.9, np.nan, Z)}, "values must be finite"),
        ({"theta": THETA[::-1]}, "theta must increase"),
        ({"theta": THETA + 0.1}, r"theta must increase within \[0, pi\]"),
        ({"phi": 2 * PHI}, "phi must increase within one turn"),
        ({"phi": PHI[::-1]}, "phi must increase"),
        ({"theta": [0.1], "values": Z[:1]}, "at least two angles"),
        ({"projection": "mercator"}, "projection must be one of"),
        ({"projection": "map", "view": "+x"}, "view is for projection='orthographic'"),
        ({"view": [0, 0, 2]}, "view must be a unit vector"),
        ({"ax": "here"}, "ax must be one matplotlib Axes, got str"),
    ],
)
def test_refusals(changes, message):
    arguments = {"values": Z, "theta": THETA, "phi": PHI, **changes}
    first = [arguments.pop(name) for name in ("values", "theta", "phi")]
    with pytest.raises(InvalidInput, match=message):
        sphere(*first, **arguments)


def test_a_label_that_matplotlib_cannot_read_is_drawn_as_written():
    theta, phi = np.linspace(0, np.pi, 5), np.linspace(0, 6, 7)
    figure = sphere(np.ones((5, 7)), theta, phi, label=r"$\bra{n} \rho \ket{n}$")
    assert figure._repr_png_().startswith(b"\x89PNG")
