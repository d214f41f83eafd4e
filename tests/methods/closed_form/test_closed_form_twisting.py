import math
import tracemalloc

import mpmath as mp
import numpy as np
import pytest
from tests.problems.twisting import twisting_optimum
from tests.rounding import rounding

import spinsqueeze as sq
from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import squeezing

SIZES = (1, 2, 3, 10, 11, 1000, 10**6, 10**6 + 1)


def angles(n_spins: int) -> list[float]:
    best = 1.2 * n_spins ** (-2 / 3)
    near = [0, 1e-12, 1e-9, 1e-7, 1e-5, best / 3, best, 2 * best, -best, 0.1, 0.3, 1.0, 2.0]
    pi = math.pi
    quarter = [pi / 4, pi / 4 + 1e-5, pi / 2 - 1e-3, pi / 2 - 1e-6, pi / 2, pi / 2 + 1e-7]
    return [*near, *quarter, 3 * pi / 4, pi - 1e-4, pi - 1e-7, pi, pi + 2e-5, 2 * pi - 1e-6, 7.0]


@pytest.mark.parametrize("n_spins", SIZES)
@pytest.mark.parametrize("direction", [(1, 0, 0), (0, -2, 0)])
def test_transverse_every_entry_to_1e10(n_spins, direction, twisting_60_digits):
    times = angles(n_spins)
    spin, covariance = one_axis_twisting_moments(n_spins, direction=direction, twisting=times)
    for t, mu in enumerate(times):
        expected_spin, expected = twisting_60_digits(n_spins, direction, mu)
        for a in range(3):
            assert abs(spin[t, a] - expected_spin[a]) <= 1e-14 * n_spins
            for b in range(3):
                value = expected[a][b]
                # a power known by its logarithm errs by eps times that; below 1e-290 it underflows
                logarithm = float(abs(mp.log(abs(value)))) if value else 0.0
                relative = 1e-12 + rounding(1, condition=logarithm)
                limit = relative * abs(value) + mp.mpf(10) ** -290
                assert abs(mp.mpf(float(covariance[t, a, b])) - value) <= limit


@pytest.mark.parametrize("n_spins", SIZES)
@pytest.mark.parametrize("direction", [(0.6, 0.8, 0), (1, 0, 0.5), (0.3, -0.2, -0.9), (0, 0, 1)])
def test_any_direction_against_60_digits(n_spins, direction, twisting_60_digits):
    times = angles(n_spins)
    rotation, dephasing = (0.7, 0.05) if n_spins > 2 else (0.0, 0.0)
    spin, covariance = one_axis_twisting_moments(
        n_spins, direction=direction, twisting=times, rotation=rotation, dephasing=dephasing
    )
    for t, mu in enumerate(times):
        expected_spin, expected = twisting_60_digits(n_spins, direction, mu, rotation, dephasing)
        scale = max(abs(value) for row in expected for value in row)
        # the phase (N - 1) arg g is known to N eps |arg g|
        phase = 4e-16 * n_spins * abs(math.atan2(direction[2] * math.sin(mu), 1e-3))
        for a in range(3):
            assert abs(spin[t, a] - expected_spin[a]) <= (1e-14 + phase) * n_spins
            for b in range(3):
                error = abs(mp.mpf(float(covariance[t, a, b])) - expected[a][b])
                assert error <= (1e-13 + phase) * scale + mp.mpf(10) ** -290


def test_large_n_law():
    twisting, xi2 = twisting_optimum(10**6)
    assert twisting == pytest.approx(3 ** (1 / 6) * 1e-4, rel=0.01)
    assert xi2 == pytest.approx(0.5 * 3 ** (2 / 3) * 1e-4, rel=0.03)


def test_quarter_turn_makes_a_cat_state():
    N = 100
    spin, C = one_axis_twisting_moments(N, direction=(1, 0, 0), twisting=[math.pi / 2])
    assert np.max(np.abs(spin)) < 1e-14
    assert C[0, 0, 0] == pytest.approx(N**2 / 4, rel=1e-14)
    assert C[0, 1, 1] == pytest.approx(N / 4, rel=1e-13)


def test_rotation_turns_the_moments_about_z():
    a = one_axis_twisting_moments(7, direction=(1, 0, 0.4), twisting=[0.3, 0.5])
    b = one_axis_twisting_moments(7, direction=(1, 0, 0.4), twisting=[0.3, 0.5], rotation=0.9)
    c, s = math.cos(0.9), math.sin(0.9)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    np.testing.assert_allclose(b[0], a[0] @ R.T, atol=1e-14)
    np.testing.assert_allclose(b[1], R @ a[1] @ R.T, atol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_spins": 0}, "n_spins must be at least 1; got 0"),
        ({"direction": (0, 0, 0)}, "direction must be three finite numbers"),
        ({"direction": (1, 0)}, "direction must be three finite numbers"),
        ({"direction": (1, math.nan, 0)}, "direction must be three finite numbers"),
        ({"twisting": [[0.1]]}, "twisting must be one-dimensional"),
        ({"rotation": [0.1, 0.2]}, r"rotation must be one number or one a time \(1\)"),
        ({"dephasing": [[0.1]]}, "dephasing must be one number or one a time"),
    ],
)
def test_refusals(arguments, message):
    good = {"n_spins": 5, "direction": (1, 0, 0), "twisting": [0.1]}
    values = {**good, **arguments}
    with pytest.raises(ValueError, match=message):
        one_axis_twisting_moments(values.pop("n_spins"), **values)


@pytest.mark.parametrize("n_spins", [10**8, 10**9, 10**12])
def test_moments_of_very_many_spins_are_right_to_rounding(n_spins):
    """Against 60 digits: moments to 1e-14, xi2 to the rounding of the stored moments, eps/xi2."""
    rng = np.random.default_rng(3)
    with mp.workdps(60):
        for _ in range(12):
            mu = 1.2 * n_spins ** (-2 / 3) * 10 ** rng.uniform(-3, 1)
            N, t = mp.mpf(n_spins), mp.mpf(mu)
            c = mp.cos(t)
            length = N / 2 * c ** (N - 1)
            across = N / 4 + N * (N - 1) / 8 * (1 - mp.cos(2 * t) ** (N - 2))
            along = N / 4 + N * (N - 1) / 8 * (1 + mp.cos(2 * t) ** (N - 2)) - length**2
            cross = N * (N - 1) / 4 * mp.sin(t) * c ** (N - 2)
            split = mp.sqrt(((across - N / 4) / 2) ** 2 + cross**2)
            least = (across * N / 4 - cross**2) / ((across + N / 4) / 2 + split)
            xi2 = float(N * least / length**2)
            spin, covariance = one_axis_twisting_moments(
                n_spins, direction=(1, 0, 0), twisting=[mu]
            )
            assert spin[0, 0] == pytest.approx(float(length), rel=1e-14)
            entries = covariance[0, 0, 0], covariance[0, 1, 1], covariance[0, 1, 2]
            assert entries == pytest.approx((float(along), float(across), float(cross)), rel=1e-14)
            derived = squeezing(Moments(n_spins=n_spins, spin=spin, covariance=covariance))
            assert derived.xi2[0] == pytest.approx(xi2, rel=1e-13 + 4 * 2.2e-16 / xi2)


@pytest.mark.parametrize("n_spins", [10**8, 10**9, 10**12])
@pytest.mark.parametrize("method", ["closed_form", None])
def test_a_result_of_very_many_spins_holds_no_array_over_the_spins(n_spins, method):
    model = sq.SpinModel(n_spins, hamiltonian=[sq.OneAxisTwisting(1.0)])
    twisting, xi2 = twisting_optimum(n_spins)
    tracemalloc.start()
    data = sq.simulate(model, sq.CoherentState("+x"), [twisting], method=method)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e7
    assert float(data["xi2"][0]) == pytest.approx(xi2, rel=1e-12)
    assert "j" not in data.coords
