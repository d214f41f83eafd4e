"""The figures of huybrechts2024 at tiny sizes: printed formulas against the library, verdicts."""

import functools
import json

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.papers.base import Claim, Figure
from spinsqueeze.papers.huybrechts2024 import PAPER
from spinsqueeze.papers.huybrechts2024 import setting as s
from spinsqueeze.papers.huybrechts2024.angle_maps import ISING, XYZ
from spinsqueeze.papers.huybrechts2024.driven_dicke import steady
from spinsqueeze.papers.points import Points

NAMES = ("3a", "3b", "4a", "4b", "5", "6", "7a", "7b", "8", "9", "second-order")
DOWN = sq.CoherentState("-z")


@functools.cache
def _computed(name: str) -> tuple[Figure, xr.Dataset, dict[str, Claim]]:
    figure = PAPER.figure(name)
    data = figure.compute(figure.settings["tiny"], Points())
    return figure, data, {claim.key: claim for claim in figure.claims(data)}


def test_every_figure_is_there_at_all_sizes() -> None:
    assert tuple(f.name for f in PAPER.figures) == NAMES
    assert all(list(f.settings) == ["tiny", "small", "paper"] for f in PAPER.figures)


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_drawn_labelled_and_claimed(name: str) -> None:
    figure, data, claims = _computed(name)
    for variable in data.data_vars.values():
        assert {"units", "long_name"} <= set(variable.attrs)
    picture = figure.draw(data)
    picture.draw_without_rendering()
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in picture.axes[:1])
    assert len(claims) == len(figure.claims(data)) > 0
    json.dumps([claim.as_dict() for claim in claims.values()], allow_nan=False)


def _moments(model: sq.SpinModel, method: sq.Perturbation, state=None):
    run = sq.steady_state(model, initial_state=state, method=method)
    return run["spin"].values, run["covariance"].values, float(run["xi2"])


@pytest.mark.parametrize("pair", [(2.3, 1.7), (0.1, 0.4), (-1.0, 0.6), (0.5, -0.5)])
def test_the_printed_first_order_of_xyz_is_that_of_the_library(pair: tuple[float, float]) -> None:
    n, (j_x, j_y) = 9, pair
    small = 1e-2
    mean, difference = (j_x + j_y) / 2, small * (j_x - j_y) / 2
    alpha, beta = s.xyz_alpha_beta(n, mean=mean, difference=difference)
    model = s.xyz_model(n, j_x=mean + difference, j_y=mean - difference)
    _, covariance, xi2 = _moments(model, sq.Perturbation(1, state="pure"))
    assert s.first_order_xi2(n, alpha, beta) == pytest.approx(xi2, abs=1e-14)
    angle = s.squeezed_angle(covariance)
    assert s.angle_distance(angle, s.first_order_angle(alpha, beta)) < 1e-9


def test_the_printed_first_order_of_the_ising_model_is_that_of_the_library() -> None:
    """The library keeps the exchange of J_x S_x^2 in H_0: beta gains 2 (N - 2)/N J_x/2."""
    n, j_x, field = 9, 0.5, -0.7
    alpha, beta = s.ising_alpha_beta(n, j_x=j_x, field=field)
    beta = beta + s.xyz_alpha_beta(n, mean=j_x / 2, difference=0.0, j_z=0.0)[1]
    model = s.ising_model(n, j_x=j_x, field=field)
    _, covariance, xi2 = _moments(model, sq.Perturbation(1, state="pure"))
    assert s.first_order_xi2(n, alpha, beta) == pytest.approx(xi2, abs=1e-14)
    angle = s.squeezed_angle(covariance)
    assert s.angle_distance(angle, s.first_order_angle(alpha, beta)) < 1e-9


def test_appendix_b() -> None:
    """Eqs. (79) to (88), to second order in Omega/Gamma, from the library's two theories."""
    n, drive = 12, 1e-3
    w = drive**2
    for method in (sq.Perturbation(2, state="pure"), sq.Perturbation(2)):
        model = s.dicke_model(n, drive=drive)
        spin, covariance, _ = _moments(model, method, DOWN)
        products = covariance + np.outer(spin, spin)
        printed_spin = [0.0, -drive * n, -n / 2 + w * n]
        printed = np.zeros((3, 3))
        printed[0, 0] = n / 4 - w * n / 2
        printed[1, 1] = n / 4 + w * n * (2 * n - 1) / 2
        printed[2, 2] = n**2 / 4 - w * n * (n - 1)
        printed[1, 2] = printed[2, 1] = drive * n * (n - 1) / 2
        np.testing.assert_allclose(spin, printed_spin, atol=1e-13)
        # What is beyond second order in the squares of <S> is not printed
        np.testing.assert_allclose(products, printed, atol=3 * n**2 * drive**3)
        assert spin[2] ** 2 == pytest.approx(n**2 / 4 - w * n**2, abs=2 * n**2 * w**2)


def test_the_state_of_equation_63_is_normalised_and_gives_appendix_b() -> None:
    n, drive = 12, 1e-3
    c = [1 - n * drive**2 / 2, 1j * drive * np.sqrt(n)]
    c.append(-((drive * n) ** 2) / np.sqrt(2 * n * (n - 1)))
    assert np.linalg.norm(c) == pytest.approx(1.0, abs=n**2 * drive**4)
    lower = np.sqrt(n) * np.conj(c[0]) * c[1] + np.sqrt(2 * (n - 1)) * np.conj(c[1]) * c[2]
    assert lower.imag == pytest.approx(drive * n, abs=2 * n**2 * drive**3)  # <S_y> = -Im
    square = np.sqrt(2 * n * (n - 1)) * np.conj(c[0]) * c[2]
    assert square.real == pytest.approx(-((drive * n) ** 2), rel=1e-4)


def test_both_forms_of_the_boundaries_agree() -> None:
    mean = np.array([-1.8, 0.2, 2.2])
    edge = s.critical_difference(mean)
    for inside, size in ((True, edge - 1e-9), (False, edge + 1e-9)):
        assert np.all(s.xyz_paramagnetic(mean + size, mean - size) == inside)
    field = np.array([-6.0, -0.3, 2.0])
    edge = s.critical_coupling(field)
    for inside, factor in ((True, 1 - 1e-9), (False, 1 + 1e-9)):
        assert np.all(s.ising_paramagnetic(factor * edge, field) == inside)


@pytest.mark.slow
def test_the_direction_of_order_is_where_mean_field_ends() -> None:
    for model, angle in (
        (s.xyz_model(10**6, j_x=2.8, j_y=-3.2), s.xyz_order_angle(2.8, -3.2)),
        (s.ising_model(10**6, j_x=8.0, field=-2.0), s.ising_order_angle(-2.0)),
    ):
        start = sq.CoherentState([0.8, 0.0, -0.6])
        run = sq.simulate(model, start, [60.0], method=sq.MeanField(next_order=False))
        x, y, _ = run["spin"].values[0]
        assert s.angle_distance(np.arctan2(y, x), angle) < 1e-3
        assert np.hypot(x, y) > 1e4


def test_beyond_the_transition_the_correlated_component_is_the_mean_field_order() -> None:
    for name in ("5", "8"):
        data = _computed(name)[1]
        off = s.angle_distance(data["angle"] + np.pi / 2, data["order_angle"])
        beyond = ~data["paramagnetic"].values & np.isfinite(off)
        assert beyond.sum() > 1
        assert off[beyond].max() < 0.1


def test_mirrors_of_the_exact_maps() -> None:
    xyz = s.exact_xyz(Points(), 5, j_x=np.array([2.0, 0.3]), j_y=np.array([0.3, 2.0]))
    a, b = xyz["angle"].values
    assert s.angle_distance(XYZ.mirrored(a), b) < 1e-9
    ising = s.exact_ising(Points(), 5, j_x=np.array([2.0, -2.0]), field=np.array([-0.7, 0.7]))
    a, b = ising["angle"].values
    assert s.angle_distance(ISING.mirrored(a), b) < 1e-9
    assert XYZ.image(1.0, 2.0) == (2.0, 1.0)
    assert ISING.image(1.0, 2.0) == (-1.0, -2.0)


def test_numbers_of_the_figures_against_the_library() -> None:
    """Curves that are only drawn, at one point each."""
    data = _computed("6")[1]
    point = data.isel(coupling=-4)
    model = s.ising_model(6, j_x=float(point["coupling"]), field=data.attrs["field"])
    _, covariance, xi2 = _moments(model, sq.Perturbation(1, state="pure"))
    assert float(point["exchange_kept"]) == pytest.approx(xi2, abs=1e-12)
    angle = s.squeezed_angle(covariance)
    assert s.angle_distance(point["exchange_kept_angle"], angle) < 1e-9
    seven = _computed("7a")[1].isel(j_x=-2, field=1)
    model = s.ising_model(6, j_x=float(seven["j_x"]), field=float(seven["field"]))
    _, covariance, _ = _moments(model, sq.Perturbation(1, state="pure"))
    assert s.angle_distance(seven["exchange_kept"], s.squeezed_angle(covariance)) < 1e-9
    three = _computed("3a")[1].isel(mean=0, difference=3)
    mean, size = float(three["mean"]), float(three["difference"])
    run = sq.steady_state(
        s.xyz_model(6, j_x=mean + size, j_y=mean - size), method=sq.PermutationInvariant()
    )
    assert float(three["uncertainty"]) == pytest.approx(float(run["uncertainty_product"]))
    nine = _computed("9")[1].sel(n_spins=300)
    below = nine.sel(drive=nine["drive"] < 0.7)
    np.testing.assert_allclose(below["many_spins"], below["xi2"], atol=0.01)
    u = float(nine["transition"])  # of the last N: the slope falls off to both sides
    before, here, after = (
        steady(300, u + d + 1e-5).spin[2] - steady(300, u + d - 1e-5).spin[2]
        for d in (-2e-4, 0.0, 2e-4)
    )
    assert abs(before - after) < 0.5 * (here - (before + after) / 2)


def test_the_angle_as_printed() -> None:
    """Right for beta > 0, off by a quarter turn for beta < 0, for both signs of alpha."""
    for beta, off in ((1.3, 0.0), (-1.3, np.pi / 2)):
        for alpha in (1.0, -1.0):
            turned = s.angle_distance(
                s.printed_angle(alpha, beta), s.first_order_angle(alpha, beta)
            )
            assert turned == pytest.approx(off, abs=1e-12)


def test_reading_of_curves() -> None:
    x = np.linspace(0.0, 1.0, 11)
    assert s.agreement(x, 1 - x + x**2, 1 - x, allowed=0.25) == pytest.approx(0.5, abs=1e-12)
    assert s.agreement(x, x, x, allowed=0.1) == 1.0
    step = 1e-3
    curve = [1 - 3 * h + 5 * h**2 for h in (step, 2 * step)]
    assert s.onset_slope(step, *curve) == pytest.approx(3.0, abs=1e-9)
    turned = np.diag([2.0, 1.0, 0.0])
    assert s.squeezed_angle(turned) == pytest.approx(np.pi / 2)
    assert np.isnan(s.squeezed_angle(np.eye(3)))
    assert s.angle_distance(0.01, np.pi - 0.01) == pytest.approx(0.02)


def test_verdicts_at_tiny_sizes() -> None:
    def states(name: str) -> dict[str, bool | None]:
        return {key: claim.holds for key, claim in _computed(name)[2].items()}

    three = states("3a")
    assert all(three[k] for k in ("linear-slope", "always-squeezed", "minimal-uncertainty"))
    assert states("3b")["onset-angle"]
    assert states("3b")["sign-of-beta"] is False
    assert states("4b")["mean-field-transition"]
    assert states("7b")["mean-field-transition"]
    assert states("5")["quadrants-paramagnet"]
    assert states("5")["correlated-component-in-the-text"] is False
    assert states("6")["ising-slope"]
    assert states("6")["ising-angle"]
    nine = states("9")
    assert all(nine[k] for k in ("quadratic-onset", "squeezed-x", "minimal-uncertainty-dicke"))
    order = states("second-order")
    assert order["pure-second-order-excited-spins"] is False
    assert order["pure-second-order-xi2"] is False
    assert order["pure-exact-for-collective-emission"]
    ratio = _computed("second-order")[2]["pure-second-order-excited-spins"].value
    assert ratio == pytest.approx(2.0, abs=1e-3)


def test_verdicts_turn_with_their_numbers() -> None:
    figure, data, _ = _computed("3a")
    moved = data.copy(deep=True)
    moved["slope"][:] *= 1.01
    assert {c.key: c.holds for c in figure.claims(moved)}["linear-slope"] is False
    figure, data, _ = _computed("9")
    moved = data.copy(deep=True)
    moved["coefficient"][:] *= 1.01
    assert {c.key: c.holds for c in figure.claims(moved)}["quadratic-onset"] is False
    figure, data, _ = _computed("5")
    moved = data.copy(deep=True)
    moved["angle"][:] += np.pi / 2
    turned = {c.key: c.holds for c in figure.claims(moved)}
    assert turned["quadrants-paramagnet"] is False
    assert turned["correlated-component-in-the-text"]
