"""The figures of tucker2020 at tiny sizes: exact values, and verdicts that can turn."""

import functools
import json
import math

import numpy as np
import pytest
import xarray as xr

from spinsqueeze.methods.closed_form.driven_dicke import driven_dicke_steady_state
from spinsqueeze.methods.cumulants.method import Cumulants
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant
from spinsqueeze.methods.trajectories.method import QuantumTrajectories
from spinsqueeze.models.states import CoherentState
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.papers.base import Claim, Figure
from spinsqueeze.papers.points import Points
from spinsqueeze.papers.tucker2020 import PAPER
from spinsqueeze.papers.tucker2020.collective import steady_matrix
from spinsqueeze.papers.tucker2020.crossing import crossing
from spinsqueeze.papers.tucker2020.early import claims as early_claims
from spinsqueeze.papers.tucker2020.mean_field import direction, drive_of, folds
from spinsqueeze.papers.tucker2020.outlook import collective_rates
from spinsqueeze.papers.tucker2020.phase_diagram import claims as phase_claims
from spinsqueeze.papers.tucker2020.setting import (
    early_minimum,
    effective_spins,
    late_minimum,
    least,
    model,
    passing,
    rabi,
)
from spinsqueeze.papers.tucker2020.single_runs import claims as single_claims
from spinsqueeze.papers.tucker2020.time_series import claims as series_claims
from spinsqueeze.papers.tucker2020.transients import collective_xi2
from spinsqueeze.run.simulate import simulate

NAMES = (
    "1a",
    "1c",
    "1d",
    "2a",
    "2b",
    "3a",
    "3b",
    "outlook",
    "preprint-2a",
    "preprint-3a",
    "preprint-s1",
    "preprint-s2",
)


def inversions(drive, *, ratio, chi):
    """Values -z of the fixed points at this drive, ascending: one or three; (1 or 3,)."""
    c, g = 1.0 + 4.0 * chi**2, ratio
    # 2 (1 - z)(c z^2 + 2 g z + g^2) - c drive^2 z = 0
    roots = np.roots([-2.0 * c, 2.0 * c - 4.0 * g, 4.0 * g - 2.0 * g**2 - c * drive**2, 2.0 * g**2])
    return np.sort(roots[(np.abs(roots.imag) < 1e-9) & (roots.real > 0)].real)


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
    seen = [axes for axes in picture.axes[:2] if axes.axison]
    assert all(axes.get_xlabel() or axes.get_ylabel() for axes in seen)
    assert len(claims) == len(figure.claims(data)) > 0
    json.dumps([claim.as_dict() for claim in claims.values()], allow_nan=False)


def test_folds_are_where_mean_field_turns() -> None:
    assert folds(ratio=1e-9, chi=0.7)[1] == pytest.approx(1 / math.sqrt(2), abs=1e-8)
    for ratio, chi in ((0.01, 0.0), (0.05, 0.0), (0.02, 1.0)):
        low, high = folds(ratio=ratio, chi=chi)
        count = [len(inversions(u, ratio=ratio, chi=chi)) for u in (low - 1e-4, low + 1e-4)]
        assert count == [1, 3]
        count = [len(inversions(u, ratio=ratio, chi=chi)) for u in (high - 1e-4, high + 1e-4)]
        assert count == [3, 1]
    # to first order in gamma_s: (1 + 2 g)/sqrt(2) and sqrt(8 g)
    low, high = folds(ratio=1e-4, chi=0.0)
    assert high == pytest.approx((1 + 2e-4) / math.sqrt(2), abs=1e-7)
    assert low == pytest.approx(math.sqrt(8e-4), rel=1e-3)
    assert math.isnan(folds(ratio=0.126, chi=0.0)[0])


def test_fixed_points_are_those_of_the_cumulants_of_order_1() -> None:
    n, g, chi, drive = 10**8, 0.02, 0.6, 0.65
    zeta = inversions(drive, ratio=g, chi=chi)[-1]
    assert float(drive_of(zeta, ratio=g, chi=chi)) == pytest.approx(drive, rel=1e-10)
    data = simulate(
        model(n, chi=chi, drive=drive, local_decay=g * n),
        CoherentState(list(direction(chi=chi, drive=drive))),
        [30.0 / (g * n)],
        method=Cumulants(1, next_order=False, tolerance=1e-9),
    )
    assert float(data["spin"].sel(axis="z")[0]) / (n / 2) == pytest.approx(-zeta, abs=1e-6)


def test_the_crossing_is_that_of_cumulants_of_order_2() -> None:
    parameters = {"chi": 0.5, "drive": 0.95, "local_decay": 10.0}
    time = crossing(model(400, **parameters), vector=(-1.0, 0.0, 0.0), longest=1.0)
    data = simulate(
        model(400, **parameters),
        CoherentState("-x"),
        [0.97 * time, time],
        method=Cumulants(2, next_order=False),
    )
    z = data["spin"].sel(axis="z").values / 200.0
    spread = 4 * data["covariance"].sel(axis="z", axis_2="z").values / 400**2
    # <sigma_z sigma_z> - <sigma_z>^2 of two spins
    pairs = (400 * spread - (1 - z**2)) / 399
    assert z[0] < 0
    assert pairs[0] < 0.02
    assert max(z[1], pairs[1] - 0.02) == pytest.approx(0.0, abs=1e-6)


def test_the_collective_steady_state_is_the_limit_of_a_run() -> None:
    data = simulate(
        model(40, chi=0.3, drive=0.7, local_decay=0.0),
        CoherentState("-x"),
        [3.0],
        method=PermutationInvariant(1e-10),
    )
    assert float(data["xi2"][0]) == pytest.approx(collective_xi2(40, chi=0.3, drive=0.7), rel=1e-6)


@pytest.mark.parametrize(("chi", "drive"), [(0.0, 0.9), (0.7, 0.6), (0.3, 1.2)])
def test_the_drawn_steady_state_has_the_moments_of_the_closed_form(chi, drive) -> None:
    n = 24
    rho = steady_matrix(n, chi=chi, drive=drive)
    spins = spin_matrices(n / 2)
    state = driven_dicke_steady_state(
        n / 2, rabi=rabi(n, chi=chi, drive=drive), decay_rate=1.0, chi=chi
    )
    mean = np.array([np.trace(s @ rho) for s in spins])
    second = np.array([[np.trace((a @ b + b @ a) @ rho) / 2 for b in spins] for a in spins])
    np.testing.assert_allclose(mean, state.spin, atol=1e-9)
    np.testing.assert_allclose(second - np.outer(mean, mean), state.covariance, atol=1e-8)


def test_the_drawn_directions_and_the_least_deviation() -> None:
    data = _computed("1d")[1]
    plane = data["deviations"].sel(drive=0.9).values
    assert plane[0, 0] == pytest.approx(collective_xi2(60, chi=0.0, drive=0.9), rel=1e-9)
    assert plane[1, 1] > 1.0
    path = data["path"].values
    np.testing.assert_allclose(path[0], [-1.0, 0.0, 0.0], atol=1e-12)


def test_squeezing_without_local_decay_ends_in_the_steady_state() -> None:
    data = _computed("1c")[1].isel(case=0)
    assert float(data["xi2"][-1]) == pytest.approx(float(data["steady_xi2"]), rel=1e-5)


def test_curves_by_trajectories_are_those_of_a_run() -> None:
    data = _computed("2a")[1].isel(local_decay=1)
    run = simulate(
        model(200, chi=0.0, drive=0.9, local_decay=1.0),
        CoherentState("-x"),
        data["times"].values,
        method=QuantumTrajectories(16),
    )
    np.testing.assert_allclose(data["xi2"], run["xi2"], rtol=1e-9)
    np.testing.assert_allclose(data["n_eff"], run["effective_spins"], rtol=1e-9)
    np.testing.assert_allclose(
        data["n_eff_stderr"][1:], run["effective_spins_stderr"][1:], rtol=0.05
    )


def test_events_of_single_trajectories() -> None:
    data = _computed("preprint-s2")[1]
    xi2, n_eff = data["trajectory_xi2"].values, data["trajectory_n_eff"].values
    for k in range(data.sizes["trajectory"]):
        crossed = float(data["crossing_time"][k])
        before = data["time"].values < crossed
        assert np.all(n_eff[k][before] > data.attrs["n_critical"])
        inside = (data["time"].values > 20.0 / 60) & (
            data["time"] < data["loss_time"].fillna(9.0)[k]
        ).values
        assert float(data["least_xi2"][k]) <= np.min(xi2[k][inside])
    assert float(data["xi2"][0]) == pytest.approx(1.0, abs=1e-9)


def test_passing_of_a_level() -> None:
    t = np.array([0.0, 1.0, 3.0, 4.0, 5.0])
    values = np.array([4.0, 2.0, 0.0, 2.0, np.nan])
    assert passing(t, values, level=1.0) == 2.0
    assert passing(t, values, level=1.0, start=2) == 3.5
    assert passing(t, values, level=3.0, start=2) == 5.0  # undefined counts as passed
    assert math.isnan(passing(t[:3], values[:3], level=-1.0))


def test_minima_of_curves() -> None:
    t = np.linspace(0.0, 1.0, 41)
    xi2 = np.exp(0.3 * np.cos(4 * np.pi * t) - t)
    first = early_minimum(t, xi2)
    assert first.time == pytest.approx(0.2716, abs=2e-3)
    low = least(t, xi2)
    assert low.time == pytest.approx(0.7716, abs=2e-3)
    rising = np.concatenate([np.linspace(0.5, 0.9, 10), np.linspace(0.9, 0.8, 10)])
    steady = late_minimum(np.arange(20.0), rising)
    assert (steady.xi2, steady.time) == (0.8, 19.0)
    assert late_minimum(np.arange(10.0), rising[:10]).xi2 == 0.9
    assert late_minimum(np.arange(4.0), np.array([1.2, 2.0, 1.5, 1.8])).index == -1
    flat = least(np.array([0.0, 1.0, 11.0]), np.exp([0.0, -1.0, -0.99]))
    assert -1.0 - 0.011 <= math.log(flat.xi2) <= -1.0
    cut = np.array([0.9, 0.8, -0.1, 0.01])
    assert least(np.arange(4.0), cut).xi2 == 0.8
    assert least(np.arange(2.0), np.full(2, np.nan)).index == -1
    assert early_minimum(np.arange(3.0), np.array([3.0, 2.0, 1.0])).index == -1


def test_effective_spins_of_full_spin() -> None:
    assert effective_spins(100, 1.0) == pytest.approx(100.0, rel=1e-14)


def test_rates_of_the_clock_transition() -> None:
    gamma, chi = collective_rates()
    assert gamma == pytest.approx((2 * np.pi * 8) ** 2 / (5 * 2 * np.pi * 150e3), rel=1e-12)
    assert chi == pytest.approx(gamma, rel=1e-12)


def test_verdicts_turn_with_their_numbers() -> None:
    early = _computed("preprint-2a")[1]
    assert early_claims(early)[0].holds
    moved = early.copy(deep=True)
    moved["early_xi2"][0, -1] *= 1.1
    moved["local_decay"] = [0.0, 1.0]
    assert early_claims(moved)[0].holds is False
    phases = _computed("1a")[1].copy(deep=True)
    phases["boundary"][:] = [[1.0], [0.7071]]
    assert [c.holds for c in phase_claims(phases)[:2]] == [True, True]
    phases["boundary"][:] = [[1.05], [0.75]]
    phases["boundary_error"][:] = 1e-4
    assert [c.holds for c in phase_claims(phases)[:2]] == [False, False]


def test_verdicts_of_trajectories_turn_with_their_numbers() -> None:
    series = _computed("2a")[1]
    keys = [claim.key for claim in series_claims(series)]
    good, poor = series.copy(deep=True), series.copy(deep=True)
    good["cumulant_best_xi2"][:] = good["best_xi2"]
    good["cumulant_best_time"][:] = good["best_time"]
    for name in ("loss_time", "crossing_time"):
        good[name][:] = 0.4
    good["best_time"][:] = 0.5 / good["local_decay"].clip(0.1)
    good["cumulant_best_time"][:] = good["best_time"]
    poor["best_xi2"][1:] = [0.5, 1.0]
    poor["cumulant_best_xi2"][:] = 0.1
    poor["crossing_time"][:] = 2.0
    poor["loss_time"][:] = 0.2
    poor["best_time"][:] = 10.0
    poor["local_decay"] = [0.0, 1.0, 2.0]
    assert all(claim.holds for claim in series_claims(good) if claim.key != "robust-to-gamma-s")
    verdicts = dict(zip(keys, [claim.holds for claim in series_claims(poor)], strict=True))
    assert not any(verdicts.values())
    single = _computed("2b")[1]
    moved = single.copy(deep=True)
    for name in ("loss_time", "crossing_time"):
        moved[name][:] = 0.2 + 0.01 * np.arange(8)
    moved["n_eff_at_loss"][:] = moved.attrs["n_critical"]
    assert [claim.holds for claim in single_claims(moved)[:2]] == [True, True]
    moved["n_eff_at_loss"] *= 0.8
    moved["loss_time"] *= 1.3
    assert [claim.holds for claim in single_claims(moved)[:2]] == [False, False]


def test_the_numbers_of_small_runs() -> None:
    late = _computed("3a")[1]["late_xi2"]
    ratio = float(late.sel(order=2, local_decay=4.0, drive=0.95))
    assert 10 * np.log10(ratio) == pytest.approx(-4.38, abs=0.02)
    assert _computed("outlook")[2]["rates-of-strontium"].state == "pass"
    gain = _computed("3b")[2]["exchange-improves"].value
    assert gain is not None
    assert gain > 0.3
