"""Squeezing parameters of states with known answers, and their symmetries."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables import squeezing as sq
from spinsqueeze.observables.moments import Moments

from .helpers import moments_of_state, rotated, rotation, twisted_squeezing, twisted_state

angles = st.floats(-6.0, 6.0)


def coherent(n_spins, direction):
    n = np.asarray(direction, dtype=float)
    return Moments(
        n_spins=n_spins,
        spin=n_spins / 2 * n[None],
        covariance=n_spins / 4 * (np.eye(3) - np.outer(n, n))[None],
    )


@pytest.mark.parametrize("n_spins", [1, 7, 1_000_000])
@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 0, -1), (0.6, 0, 0.8), (0, -1, 0)])
def test_coherent_state(n_spins, direction):
    result = sq.squeezing(coherent(n_spins, direction))
    np.testing.assert_allclose(result.xi2, 1.0, rtol=1e-14)
    np.testing.assert_allclose(result.xi2_kitagawa_ueda, 1.0, rtol=1e-14)
    np.testing.assert_allclose(result.contrast, 1.0, rtol=1e-14)
    total = n_spins / 2 * (n_spins / 2 + 1)
    np.testing.assert_allclose(result.total_spin_squared, total, rtol=1e-14)
    np.testing.assert_allclose(result.effective_spins, n_spins, rtol=1e-14)
    assert result.status[0] == sq.SqueezingStatus.ISOTROPIC
    assert np.isnan(result.squeezing_angle[0])
    result.require_direction()


@pytest.mark.parametrize("twist", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("n_spins", [4, 30])
def test_one_axis_twisting(n_spins, twist):
    moments = moments_of_state(twisted_state(n_spins, twist))
    result = sq.squeezing(moments)
    variance, contrast, angle = twisted_squeezing(n_spins, twist)
    np.testing.assert_allclose(result.xi2_kitagawa_ueda, variance, rtol=1e-10)
    np.testing.assert_allclose(result.contrast, contrast, rtol=1e-12)
    np.testing.assert_allclose(result.xi2, variance / contrast**2, rtol=1e-10)
    np.testing.assert_allclose(result.squeezing_angle, angle, atol=1e-9)
    np.testing.assert_allclose(result.effective_spins, n_spins, rtol=1e-12)
    np.testing.assert_array_equal(sq.contrast(moments), result.contrast)
    np.testing.assert_array_equal(sq.effective_spins(moments), result.effective_spins)
    assert result.status[0] == sq.SqueezingStatus.OK


@given(vector=st.tuples(angles, angles, angles), twist=st.floats(0.01, 0.4))
def test_parameters_do_not_depend_on_the_frame(vector, twist):
    moments = moments_of_state(twisted_state(12, twist))
    turned = rotated(moments, rotation(vector))
    before, after = sq.squeezing(moments), sq.squeezing(turned)
    names = ("xi2", "xi2_kitagawa_ueda", "uncertainty_product", "contrast", "total_spin_squared")
    for name in (*names, "effective_spins"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-9)
    # the angle points at the direction of least variance, wherever the frame is
    e1, e2 = sq.perpendicular_basis(turned.spin / np.linalg.norm(turned.spin))[0]
    a = after.squeezing_angle[0]
    best = np.cos(a) * e1 + np.sin(a) * e2
    least = 12 / 4 * before.xi2_kitagawa_ueda[0]
    assert best @ turned.covariance[0] @ best == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("twist", [0.0, 0.02, 0.3])
def test_the_uncertainty_product_is_that_of_both_components(twist):
    """4 Var(S_1) Var(S_2)/|<S>|^2 across the mean spin; 1 for a coherent state, never below."""
    moments = rotated(moments_of_state(twisted_state(12, twist)), rotation((0.4, 1.0, -0.3)))
    found = float(sq.squeezing(moments).uncertainty_product[0])
    mean = moments.spin[0] / np.linalg.norm(moments.spin[0])
    plane = np.linalg.svd(mean[None])[2][1:]
    least, most = np.linalg.eigvalsh(plane @ moments.covariance[0] @ plane.T)
    assert found == pytest.approx(4 * least * most / np.sum(moments.spin[0] ** 2), rel=1e-10)
    assert found > 1 - 1e-12
    assert (found < 1 + 1e-12) == (twist == 0)


@given(turn=st.floats(-3.0, 3.0), polar=st.floats(0.1, 3.0), azimuth=angles)
def test_a_turn_about_the_mean_spin_adds_to_the_angle(turn, polar, azimuth):
    moments = moments_of_state(twisted_state(10, 0.3))
    n = np.array([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)])
    # carries +x to n and (y, z) to (e1, e2)
    frame = np.column_stack([n, *sq.perpendicular_basis(n)])
    moved = rotated(rotated(moments, frame), rotation(turn * n))
    change = sq.squeezing(moved).squeezing_angle[0] - sq.squeezing(moments).squeezing_angle[0]
    assert abs(np.sin(change - turn)) < 1e-7


@pytest.mark.parametrize(
    ("n", "e1", "e2"),
    [
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
        ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
        ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ],
)
def test_basis_convention(n, e1, e2):
    np.testing.assert_array_equal(sq.perpendicular_basis(n), [e1, e2])


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1), st.booleans())
def test_basis_is_right_handed(vector, pole):
    n = np.array(vector) / np.linalg.norm(vector)
    if pole and abs(n[2]) < 0.7:
        return
    e1, e2 = sq.perpendicular_basis(n, at_pole=pole)
    np.testing.assert_allclose(np.cross(e1, e2), n, atol=1e-12)
    assert abs(e1 @ n) < 1e-12
    assert pole or abs(e1[2]) < 1e-140


@pytest.mark.parametrize(
    ("c11", "c22", "c12", "angle"),
    [(1, 2, 0, 0.0), (2, 1, 0, np.pi / 2), (2, 2, 1, -np.pi / 4), (2, 2, -1, np.pi / 4)],
)
def test_angle_convention(c11, c22, c12, angle):
    assert sq.extreme_variances(c11, c22=c22, c12=c12)[2] == pytest.approx(angle, abs=1e-15)


@given(ratio=st.floats(1.0, 17.0), turn=st.floats(-1.5, 1.5))
def test_least_variance_is_accurate_at_any_anisotropy(ratio, turn):
    """Against 80 digits for the same float64 entries: a few units of round-off."""
    large, small = 10.0**ratio, 1.0
    c, s = np.cos(turn), np.sin(turn)
    a, b = large * c * c + small * s * s, large * s * s + small * c * c
    o = (large - small) * c * s
    with mpmath.workdps(80):
        x, y, z = (mpmath.mpf(float(v)) for v in (a, b, o))
        exact = (x + y) / 2 - mpmath.sqrt(((x - y) / 2) ** 2 + z**2)
        if abs(exact) < 1e-30 * large:
            return
        error = abs(mpmath.mpf(float(sq.extreme_variances(a, c22=b, c12=o)[0])) / exact - 1)
        assert error < 20 * np.finfo(float).eps


def test_a_million_spins_far_beyond_naive_cancellation():
    """Squeezed by 1e-4, stretched by 1e8 along an oblique axis of the frame y, z."""
    n = 1_000_000
    theta = 1e-9
    stretched, squeezed = n / 4 * 1e8, n / 4 * 1e-4
    c, s = np.cos(theta), np.sin(theta)
    covariance = np.zeros((1, 3, 3))
    covariance[0, 1:, 1:] = [
        [stretched * c * c + squeezed * s * s, (stretched - squeezed) * c * s],
        [(stretched - squeezed) * c * s, stretched * s * s + squeezed * c * c],
    ]
    moments = Moments(n_spins=n, spin=[[n / 2, 0, 0]], covariance=covariance)
    result = sq.squeezing(moments)
    # entries rounded to 1e-16 of stretched * theta^2 and below leave 1e-10
    np.testing.assert_allclose(result.xi2, 1e-4, rtol=1e-9)


def test_statuses_are_named_never_silent():
    spin = np.array([[5.0, 0, 0], [0, 0, 0], [5.0, 0, 0], [5.0, 0, 0]])
    covariance = np.array(
        [np.diag([1, 1, 2.0]), np.eye(3), np.diag([1, -0.1, 2.0]), np.diag([0, 1, 1.0])]
    )
    result = sq.squeezing(Moments(n_spins=10, spin=spin, covariance=covariance))
    names = [sq.SqueezingStatus(s).name for s in result.status]
    assert names == ["OK", "UNDEFINED_DIRECTION", "NEGATIVE_VARIANCE", "ISOTROPIC"]
    np.testing.assert_array_equal(np.isnan(result.xi2), [False, True, False, False])
    np.testing.assert_array_equal(np.isnan(result.squeezing_angle), [False, True, False, True])
    assert result.xi2[2] == pytest.approx(-10 * 0.1 / 25)
    assert np.all(np.isfinite(result.total_spin_squared))
    with pytest.raises(UndefinedDirection, match=r"at 1 of 4 points, first at index \(1,\)"):
        result.require_direction()


def test_negative_total_spin_is_flagged():
    moments = Moments(n_spins=4, spin=[[0.1, 0, 0]], covariance=[np.diag([-3.0, 1, 1.5])])
    result = sq.squeezing(moments)
    assert result.status[0] == sq.SqueezingStatus.NEGATIVE_VARIANCE
    assert np.isnan(result.effective_spins[0])


def test_leading_dimensions_are_free():
    moments = moments_of_state(twisted_state(6, 0.3))
    wide = Moments(
        n_spins=6,
        spin=np.broadcast_to(moments.spin, (2, 5, 3)),
        covariance=np.broadcast_to(moments.covariance, (2, 5, 3, 3)),
    )
    result = sq.squeezing(wide)
    assert result.xi2.shape == result.status.shape == (2, 5)
    np.testing.assert_array_equal(result.xi2, sq.squeezing(moments).xi2[0])


def test_decibels():
    np.testing.assert_allclose(sq.decibels([1.0, 0.1, np.nan]), [0.0, -10.0, np.nan])
    step = 1e-6
    slope = (sq.decibels(0.2 + step) - sq.decibels(0.2 - step)) / (2 * step)
    assert sq.decibels_stderr(0.2, stderr=0.01) == pytest.approx(0.01 * slope, rel=1e-6)
    with pytest.raises(InvalidInput, match=r"positive ratios; got -0\.5"):
        sq.decibels([1.0, -0.5])


@pytest.mark.parametrize("length", [0.0, 1e-300, 1e-170, 1e-155, 1e-140, 1e-20])
def test_a_vanishing_mean_spin_has_no_direction_and_gives_no_warning(length):
    """Warnings are errors here: the square of a tiny length must not leave the floats."""
    moments = Moments(n_spins=11, spin=[[length, 0, 0]], covariance=np.diag([3.0, 2.0, 1.0])[None])
    result = sq.squeezing(moments)
    assert result.status[0] == sq.SqueezingStatus.UNDEFINED_DIRECTION
    assert np.isnan(result.xi2[0])


def test_spins_that_leave_count_at_their_time():
    spin, covariance = np.array([[2.0, 0, 0], [1.5, 0, 0]]), np.stack([np.eye(3), 0.5 * np.eye(3)])
    both = sq.squeezing(Moments(n_spins=np.array([8, 6]), spin=spin, covariance=covariance))
    assert both.xi2 == pytest.approx([8 * 1.0 / 4.0, 6 * 0.5 / 2.25])
    assert both.contrast == pytest.approx([0.5, 0.5])
    for wrong in (np.array([8]), np.array([8, -1]), np.array([8.0, np.nan])):
        with pytest.raises(InvalidInput, match="one for each leading index"):
            Moments(n_spins=wrong, spin=spin, covariance=covariance)
