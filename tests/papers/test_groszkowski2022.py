"""The figures of groszkowski2022 at tiny sizes: exact values, and verdicts that can turn."""

import functools
import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from spinsqueeze.papers.base import Claim, Figure, finding
from spinsqueeze.papers.groszkowski2022 import PAPER
from spinsqueeze.papers.groszkowski2022.even_odd import _odd_minimum
from spinsqueeze.papers.groszkowski2022.linear_theory import (
    best_kappa,
    cavity_rates,
    equation_18,
    least_linearised,
    linearised,
    squeezed_light,
    with_cavity,
)
from spinsqueeze.papers.groszkowski2022.mean_field import MeanFieldEquations, wineland
from spinsqueeze.papers.groszkowski2022.optimum import best_reservoir, best_twisting
from spinsqueeze.papers.groszkowski2022.prethermal import mean_field_limit, weak_dephasing_limit
from spinsqueeze.papers.groszkowski2022.prethermal_mean_field import weak_noise_curve
from spinsqueeze.papers.groszkowski2022.relaxation import _gaps
from spinsqueeze.papers.groszkowski2022.setting import (
    KAPPA_INT,
    Platform,
    cavity_model,
    exact_claim,
    kept_cavity_model,
    platform,
    reservoir_generator,
    reservoir_model,
    steady_xi2,
    twisting_model,
)
from spinsqueeze.papers.groszkowski2022.shell_walk import walk
from spinsqueeze.papers.points import Points

TINY: dict[str, Any] = {
    "2": {"n_spins": 6, "r": 2.5},
    "3": {"n_r": 41, "n_sizes": 6, "large": (2_000, 5_000)},
    "4a": {"n_spins": 60, "n_times": 21, "sizes": (4, 6, 8, 10)},
    "4b": {"n_spins": 40, "mean_gap": 30.0, "n_losses": 2, "law_n_spins": 200},
    "5": (2, 4, 8),
    "5-cavity": {
        "n_spins": (8,),
        "tuned": (1.0,),
        "series": (4,),
        "kappa_int": (100.0, 10.0, 3.0, 2.0, 0.2),
        "twisting_from": 8,
    },
    "6a": {"n_spins": 8, "r": 1.0, "n_times": 17, "n_r": 4},
    "6b": {"n_spins": (8, 60), "r": 1.0, "n_times": 17, "orders": (2,), "exact_up_to": 8},
    "S1": {"n_spins": (8, 60, 200), "exact_up_to": 8, "twisting_from": 8},
    "linearised": {
        "n_spins": 8,
        "many": 1_000,
        "last_r": 2.6,
        "last_r_of_many": 2.6,
        "n_r": 7,
        "sizes": (6, 12, 50, 200),
        "exact_up_to": 12,
        "dephasing": (0.0, 0.1, 1.0, 8.0),
    },
    "S2": {"r": (2.0, 5.0)},
    "S3": {"n_spins": 6, "last_r": 2.5, "n_r": 6},
    "S4a": {"n_spins": 16, "r": (0.5, 1.0)},
    "S4b": {"last": 64, "n_sizes": 10, "least_r": 0.2, "last_r": 0.8, "n_r": 4},
    "S5": (2, 4, 8),
}


@functools.cache
def _computed(name: str) -> tuple[Figure, xr.Dataset, dict[str, Claim]]:
    figure = PAPER.figure(name)
    data = figure.compute(TINY[name], Points())
    return figure, data, {claim.key: claim for claim in figure.claims(data)}


def test_every_figure_of_the_paper_is_there_at_both_sizes() -> None:
    assert [f.name for f in PAPER.figures] == list(TINY)
    assert all(list(f.settings) == ["small", "paper"] for f in PAPER.figures)
    assert PAPER.key == "groszkowski2022"


@pytest.mark.parametrize("name", list(TINY))
def test_figures_are_drawn_and_every_variable_is_labelled(name: str) -> None:
    figure, data, _ = _computed(name)
    for variable in data.data_vars.values():
        assert {"units", "long_name"} <= set(variable.attrs)
    picture = figure.draw(data)
    picture.draw_without_rendering()
    assert all(axes.get_xlabel() or axes.get_ylabel() for axes in picture.axes)


@pytest.mark.parametrize("name", list(TINY))
def test_claims_are_plain_data_with_unique_keys(name: str) -> None:
    figure, data, claims = _computed(name)
    assert len(claims) == len(figure.claims(data)) > 0
    json.dumps([claim.as_dict() for claim in claims.values()], allow_nan=False)
    assert all(claim.holds in (True, False, None) for claim in claims.values())


ALWAYS = {
    "2": ("dark-state-pairs", "dark-state-amplitudes", "spectral-sum", "two-states-dominate"),
    "3": ("heisenberg-limit", "odd-purity", "odd-divergence", "always-s-y"),
    "4a": ("macroscopic-parity", "no-slowing"),
    "4b": ("swing-after-each-loss", "even-law", "odd-law"),
    "5": ("beats-twisting",),
    "5-cavity": ("holds-in-fig-5", "tuned-anew", "twisting-kept"),
    "6a": ("bound-3-db", "fast-time"),
    "6b": ("recovery",),
    "S1": ("mean-field-error", "beats-twisting"),
    "linearised": ("eq-18",),
    "S2": ("mixture-of-m", "fat-tail", "no-mean", "odd-variance-limit"),
    "S3": ("dephasing-raises-the-ratio",),
    "S4a": ("bottleneck-up", "bottleneck-down", "no-way-down-at-r-0", "crossing"),
    "S4b": ("gap-at-strong-squeezing", "gap-at-r-0", "first-order"),
}
OPEN = {
    "3": ("breakdown-at-exp-2r-N", "odd-prefactor"),
    "4a": ("at-worst-one-over-gamma",),
    "5": ("linearised-optimum",),
    "6a": ("eq-21", "slow-time"),
    "6b": ("mean-field-error",),
    "S1": ("best-r", "factor-of-twisting"),
    "linearised": ("large-r", "heisenberg-factor"),
    "S5": ("best-r",),
}


@pytest.mark.parametrize(("name", "keys"), list(ALWAYS.items()))
def test_claims_that_hold_at_any_size(name: str, keys: tuple[str, ...]) -> None:
    claims = _computed(name)[2]
    assert {key: claims[key].state for key in keys} == dict.fromkeys(keys, "pass")


@pytest.mark.parametrize(("name", "keys"), list(OPEN.items()))
def test_claims_that_stay_open_say_what_was_found(name: str, keys: tuple[str, ...]) -> None:
    claims = _computed(name)[2]
    assert {key: claims[key].holds for key in keys} == dict.fromkeys(keys, False)
    assert all(claims[key].note for key in keys)


def test_the_gaps_of_all_shells_are_exact() -> None:
    data = _computed("4a")[1]
    every = data["gap"].sel(kind="all j", r=2.5)
    even = every.sel(size=data["size"] % 2 == 0)
    odd = every.sel(size=data["size"] % 2 == 1)
    np.testing.assert_allclose(even, 2.0 * np.exp(-5.0), rtol=1e-8)
    np.testing.assert_allclose(odd, np.exp(-5.0) / 2.0, rtol=1e-8)


def test_gaps_of_the_maximal_spin_in_both_parities_of_m_minus_m() -> None:
    top, even, _ = _gaps(21, r=0.5)
    matrix = _dense_liouvillian(21, r=0.5)
    q = np.arange(22)
    parity = np.add.outer(q, q).ravel() % 2
    rates = [
        np.sort(-np.linalg.eigvals(matrix[np.ix_(s, s)]).real) for s in (parity == 0, parity == 1)
    ]
    assert even == pytest.approx(rates[0][1], rel=1e-8)
    assert top == pytest.approx(min(rates[0][1], rates[1][0]), rel=1e-8)
    assert even > 1.5 * top


def _dense_liouvillian(n_spins: int, *, r: float) -> np.ndarray:
    """Gamma D[L] within j = N/2 on row-by-row density matrices, m rising."""
    q = np.arange(n_spins)
    ladder = np.sqrt((q + 1.0) * (n_spins - q))
    jump = np.cosh(r) * np.diag(ladder, 1) - np.sinh(r) * np.diag(ladder, -1)
    damping, one = jump.T @ jump / 2.0, np.eye(n_spins + 1)
    return np.kron(jump, jump) - np.kron(damping, one) - np.kron(one, damping)


def test_the_run_ends_in_the_closed_form_of_its_parity() -> None:
    data = _computed("4a")[1]
    np.testing.assert_allclose(data["xi2"][:, -1], data["steady_xi2"], rtol=1e-6)


def test_after_a_loss_the_spins_left_reach_the_steady_state_of_their_parity() -> None:
    data = _computed("4b")[1]
    np.testing.assert_allclose(data["plateau"], data["steady"], rtol=1e-5)
    assert data["spins_left"].values[-1] == 38
    assert np.all(np.diff(data["spins_left"].values) <= 0)


@pytest.mark.parametrize(("n_spins", "r"), [(2, 0.3), (8, 1.0), (50, 0.7), (64, 2.0)])
def test_weak_dephasing_limit_of_even_n_in_closed_form(n_spins: int, r: float) -> None:
    xi2, spin_z = weak_dephasing_limit(n_spins, r=r)
    assert xi2 == pytest.approx((1.0 + np.exp(-4.0 * r)) / 2.0, rel=1e-11)
    assert spin_z == pytest.approx(-n_spins / (2.0 * np.cosh(2.0 * r)), rel=1e-11)


def test_odd_n_exceeds_the_even_limit_and_has_a_best_r() -> None:
    values = [weak_dephasing_limit(51, r=r)[0] for r in (0.3, 0.6, 1.0)]
    assert values[2] == pytest.approx(0.7498, abs=1e-4)
    assert min(values) < values[0]
    assert min(values) < values[2]


def test_eq_21_is_the_least_mean_field_value() -> None:
    best = 0.125 * np.log(50.0)
    assert mean_field_limit(50, r=best) == pytest.approx(0.5 + np.sqrt(50.0) / 51.0, rel=1e-12)
    assert mean_field_limit(50, r=best) < mean_field_limit(50, r=best + 0.01)
    assert mean_field_limit(50, r=best) < mean_field_limit(50, r=best - 0.01)


def test_the_odd_minimum_of_201_spins() -> None:
    xi2, r = _odd_minimum(201)
    assert xi2 * 203.0 / 2.0 == pytest.approx(2.71, abs=0.005)
    assert np.exp(2.0 * r) / 201.0 == pytest.approx(0.235, abs=5e-4)


def test_the_walk_has_the_gap_cosh_squared_over_n() -> None:
    # N gap/cosh^2(2r) - 1 falls as 1/N
    off = [walk(n, r=0.5).gap * n / np.cosh(1.0) ** 2 - 1.0 for n in (256, 512)]
    assert abs(off[1]) < 0.01
    assert off[0] / off[1] == pytest.approx(2.0, abs=0.1)


def test_transition_rates_of_fig_s4a() -> None:
    found = walk(128, r=1.0)
    assert found.downward[-1] == pytest.approx(1.33971, abs=1e-5)
    assert found.upward[-2] == pytest.approx(0.0181914, abs=1e-7)


def test_the_optima_of_four_spins() -> None:
    best = best_reservoir(4)
    assert best.xi2 == pytest.approx(0.814844, abs=1e-5)
    assert np.exp(2.0 * best.parameters[0]) == pytest.approx(2.268, abs=0.02)
    assert best.parameters[1] / KAPPA_INT == pytest.approx(2.510, abs=0.03)
    twisted = best_twisting(8)
    assert twisted.xi2 == pytest.approx(0.9212, abs=1e-3)
    assert twisted.parameters[0] == pytest.approx(95.3, rel=0.05)
    assert not twisted.bounded


# The equations of Apps. B, C and H


def test_mean_field_of_no_more_than_local_relaxation_is_exact() -> None:
    equations = MeanFieldEquations(7, 0.4, squeezed=0.0, relaxation=0.3, dephasing=0.2)
    tilted = np.array([-0.2, 1.3, 0.8, 0.5])
    # <S_z> relaxes to -N/2, transverse correlations of pairs lose gamma_rel + 2 gamma_phi
    expected = [-0.3 * (-0.2 + 1.0), -0.7 * 0.3, 0.7 * 0.2, 0.6 * -0.2 - 0.6 * (0.5 - 1.0)]
    np.testing.assert_allclose(equations.rates(tilted), expected, rtol=1e-12)


def test_mean_field_steady_state_for_vanishing_dephasing_is_eq_21() -> None:
    equations = MeanFieldEquations(50, 0.6, squeezed=1.0, dephasing=1e-5)
    assert wineland(equations.steady()) == pytest.approx(mean_field_limit(50, r=0.6), rel=2e-3)


def test_mean_field_with_everything_down_kept_is_eq_c2() -> None:
    rates = {"squeezed": 0.7, "collective": 0.2}
    equations = MeanFieldEquations(30, 0.9, **rates, relaxation=0.4, dephasing=0.3)
    slopes = [equations.rates(np.array([-1.0, 1.0, y, 0.0]))[2] for y in (0.0, 1.0)]
    y = slopes[0] / (slopes[0] - slopes[1])
    assert linearised(30, r=0.9, **rates, local=1.0) == pytest.approx(y, rel=1e-12)


def test_the_linearised_optimum_is_the_least_of_eq_c4() -> None:
    n, kappa_int, relaxation = 10**9, 2.0, 4.0 * 10**9 / (2.0 * 50.0)
    rates = {"r": np.inf, "local": relaxation}

    def value(kappa_sqz: float) -> float:
        squeezed, collective = cavity_rates(kappa_sqz, kappa_int=kappa_int)
        return linearised(n, squeezed=squeezed, collective=collective, **rates)

    best = kappa_int * best_kappa(50.0)
    assert value(best) == pytest.approx(least_linearised(50.0), rel=1e-6)
    assert value(best) < min(value(0.95 * best), value(1.05 * best))
    close = {"squeezed": 0.3, "collective": 0.1, "local": 0.2}
    assert equation_18(10**6, **close) == pytest.approx(
        linearised(10**6, r=np.inf, **close), rel=2e-6
    )
    assert squeezed_light(40, ratio=2.0) == pytest.approx(
        linearised(40, r=np.inf, squeezed=2.0, collective=0.0, local=1.0)
    )


def test_two_coupled_bosons_by_their_lyapunov_equation() -> None:
    from scipy.linalg import solve_continuous_lyapunov

    n, r, kappa_sqz, kappa_int, relaxation = 9, 0.7, 2.0, 0.5, 0.8
    kappa, g = kappa_sqz + kappa_int, 3.0
    drift = np.array([[-kappa / 2, g], [-g, -relaxation / 2]])
    noise = np.diag([kappa_sqz * np.exp(-2 * r) + kappa_int, relaxation])
    expected = solve_continuous_lyapunov(drift, -noise)[1, 1]
    rates = {"kappa_sqz": kappa_sqz, "kappa_int": kappa_int, "relaxation": relaxation}
    assert with_cavity(n, r=r, **rates) == pytest.approx(expected, rel=1e-12)
    squeezed, collective = cavity_rates(kappa_sqz, kappa_int=kappa_int)
    many = with_cavity(10**7, r=r, eliminated=True, **rates)
    again = linearised(10**7, r=r, squeezed=squeezed, collective=collective, local=relaxation)
    assert many == pytest.approx(again, rel=1e-5)


def test_the_kept_cavity_of_two_spins_beside_brute_force() -> None:
    from tests.problems.dense_evolution import steady_state
    from tests.problems.dense_states import readings

    model = kept_cavity_model(2, r=0.2, kappa_sqz=4.0, of=platform(3.0, cooperativity=2.0))
    levels = 12
    rho = steady_state(model, levels).reshape(4, levels, 4, levels)
    exact = readings(np.einsum("ikjk->ij", rho), 2)
    xi2 = 2.0 * exact["covariance"][1, 1] / exact["spin"][2] ** 2
    assert steady_xi2(model, order=5) == pytest.approx(xi2, rel=1e-3)
    alone = cavity_model(2, r=0.2, kappa_sqz=4.0, of=platform(3.0, cooperativity=2.0))
    assert steady_xi2(alone) < xi2 * (1.0 - 5e-3)  # what elimination leaves out is seen


def test_the_walk_between_shells_is_the_exact_curve_at_weak_noise() -> None:
    import spinsqueeze as sq

    times = np.array([0.0, 3e4, 3e5])
    noise = {"dephasing": 2e-5, "relaxation": 1e-5}
    run = sq.simulate(
        reservoir_model(10, r=0.8, **noise),
        sq.CoherentState("-z"),
        times,
        method=sq.PermutationInvariant(1e-9),
    )
    ours = weak_noise_curve(10, r=0.8, times=times, **noise)
    np.testing.assert_allclose(ours[1:], run["xi2"].values[1:], rtol=2e-3)


def test_dephasing_of_a_platform_reaches_the_model() -> None:
    model = cavity_model(4, r=0.4, kappa_sqz=300.0, of=Platform(50.0, 0.1, dephasing=0.2))
    assert [jump.rate for jump in model.jumps[2:]] == [0.1, 0.2]
    assert model.jumps[1].rate == pytest.approx(4.0 * 50.0 / 350.0**2)


def test_models_carry_the_rates_of_the_paper() -> None:
    jumps = cavity_model(4, r=0.4, kappa_sqz=300.0).jumps
    assert jumps[0].rate == pytest.approx(4.0 * 300.0 / 400.0**2)
    assert jumps[1].rate == pytest.approx(4.0 * 100.0 / 400.0**2)
    assert jumps[2].rate == 0.02
    twisting = twisting_model(4, detuning=200.0)
    assert twisting.hamiltonian[0].chi == pytest.approx(-200.0 / (200.0**2 + 2500.0))
    assert twisting.jumps[0].rate == pytest.approx(100.0 / (200.0**2 + 2500.0))
    assert len(reservoir_model(4, r=1.0).jumps) == 1
    assert len(reservoir_model(4, r=1.0, dephasing=0.1, relaxation=0.2).jumps) == 3


def test_the_collective_jump_is_exp_minus_r_sx_minus_i_exp_r_sy() -> None:
    vector = np.array([np.exp(-0.7), -1j * np.exp(0.7), 0.0])
    found = reservoir_generator(3, r=0.7).collective
    np.testing.assert_allclose(found, np.outer(vector, vector.conj()), atol=1e-12)


def test_a_claim_turns_open_when_its_number_leaves_the_digit() -> None:
    def claim(value: float) -> Claim:
        return exact_claim(
            "k", statement="s", place="p", expected=2.6, value=value, allowed=0.05, error=1e-3
        )

    assert claim(2.65).state == "pass"
    assert claim(2.66).state == "open"
    assert "ours is 2.66" in claim(2.66).note
    assert claim(float("nan")).state == "open"


def test_a_finding_keeps_its_note_only_when_open() -> None:
    def said(holds: bool | None) -> Claim:
        return finding("k", statement="s", place="p", ours="o", holds=holds, otherwise="found x")

    assert said(True).note == ""
    assert said(False).note == "found x"
    assert said(None).as_dict()["reason"] == "not decided at this size"
