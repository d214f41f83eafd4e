"""Errors of the place of an optimum, where they are known."""

import numpy as np
import pytest
from tests.problems.twisting import twisting_optimum

import spinsqueeze as sq
from spinsqueeze.observables.jackknife import jackknife, squeezing_replicas
from spinsqueeze.results.dataset import read_moments
from spinsqueeze.run.objective import Objective, jackknifed_minimum
from spinsqueeze.run.optimise import _Range, _result, _Search
from spinsqueeze.run.study import Study

CHI = "hamiltonian.0.chi"


class Parabola:
    """(x - x0).H.(x - x0)/2 + 1 over the unit box; block b adds its own slope g_b.x."""

    def __init__(self, curvature, slopes, weights, place):
        self.curvature, self.slopes = np.asarray(curvature), np.asarray(slopes)
        self.weights, self.place = np.asarray(weights), np.asarray(place)

    def of(self, x):
        shift = x - self.place
        return float(shift @ self.curvature @ shift / 2 + 1), None

    def replicas(self, x):
        return self.of(x)[0] + self.slopes @ x, self.weights


def known_errors(parabola):
    """The minimum without block b lies at x0 - H^-1 g_b."""
    moved = -np.linalg.solve(parabola.curvature, parabola.slopes.T)
    centre = moved @ parabola.weights / parabola.weights.sum()
    return jackknife(centre, replicas=moved, weights=parabola.weights).stderr


@pytest.mark.parametrize(
    "curvature",
    [[[40.0]], [[40.0, 15.0], [15.0, 20.0]], [[40.0, 15.0, -8.0], [15.0, 20.0, 5.0], [-8, 5, 30]]],
    ids=["one", "two", "three"],
)
def test_the_place_moves_by_the_inverse_curvature(curvature):
    d = len(curvature)
    rng = np.random.default_rng(2)
    slopes = rng.normal(scale=1e-3, size=(12, d))
    weights = rng.integers(1, 6, 12).astype(float)
    parabola = Parabola(curvature, slopes, weights, np.linspace(0.4, 0.6, d))
    found = jackknifed_minimum(lambda x: np.array(x), parabola, parabola.place, range(d))
    assert list(found) == list(range(d))
    assert list(found.values()) == pytest.approx(known_errors(parabola), rel=1e-6)


def test_a_coordinate_at_its_bound_stays_there():
    curvature = [[40.0, 15.0], [15.0, 20.0]]
    slopes = np.random.default_rng(2).normal(scale=1e-3, size=(12, 2))
    parabola = Parabola(curvature, slopes, np.ones(12), [1.0, 0.5])
    found = jackknifed_minimum(lambda x: np.array(x), parabola, parabola.place, [1])
    alone = Parabola([[20.0]], slopes[:, 1:], np.ones(12), [0.5])
    assert found == {1: pytest.approx(known_errors(alone)[0], rel=1e-6)}


def test_no_error_where_the_objective_does_not_curve_upwards():
    saddle = Parabola([[4.0, 15.0], [15.0, 2.0]], np.ones((12, 2)), np.ones(12), [0.5, 0.5])
    assert jackknifed_minimum(lambda x: np.array(x), saddle, saddle.place, [0, 1]) == {}


@pytest.mark.parametrize("log", [False, True])
def test_the_slope_of_a_range_is_that_of_its_values(log):
    scale = _Range("x", 0.2, 5.0, log)
    for u in (0.1, 0.5, 0.8):
        slope = (scale.value(u + 1e-6) - scale.value(u - 1e-6)) / 2e-6
        assert scale.slope(u) == pytest.approx(slope, rel=1e-7)


def test_the_error_does_not_depend_on_the_scale_of_the_search():
    model = sq.SpinModel(10, hamiltonian=[sq.OneAxisTwisting(1.0)])
    study = Study(
        model, initial_state=sq.CoherentState("+x"), times=[0.2], method=sq.DTWA(200), seed=3
    )
    best = twisting_optimum(10)[0] / 0.2
    found = []
    for log in (False, True):
        box = _Range(CHI, 0.1 * best, 10 * best, True) if log else _Range(CHI, 0.0, 2 * best, False)
        search = _Search(study, [box], Objective("xi2", "last"), 200, None)
        search([0.5])
        result = _result(search, tolerance=1e-3, converged=True, message="")
        assert result.values[CHI] == pytest.approx(best)
        found.append(result.values_stderr[CHI])
    # Off the sampled minimum the curvatures differ by the slope; the range itself is 2.15 times
    # what the derivative of the logarithmic scale makes of it.
    assert found[1] == pytest.approx(found[0], rel=0.3)


@pytest.fixture(scope="module")
def sampled():
    model = sq.SpinModel(10, hamiltonian=[sq.OneAxisTwisting(1.0)])
    times = np.linspace(0.04, 0.4, 10)
    return sq.simulate(model, sq.CoherentState("+x"), times, method=sq.DTWA(200), seed=2)


def test_an_objective_has_the_error_of_its_own_time(sampled):
    name = "xi2_kitagawa_ueda"
    k = int(np.argmin(sampled[name].values))
    assert 0 < k < 9
    for at, index in (("best", k), ("last", -1)):
        value, stderr = Objective(name, at).of(sampled)
        assert value == float(sampled[name][index])
        assert stderr == float(sampled[f"{name}_stderr"][index])


def test_the_replicas_of_an_objective_have_its_error(sampled):
    for name, at in (("contrast", "last"), ("xi2_kitagawa_ueda", "last"), ("xi2", "best")):
        objective = Objective(name, at)
        value, stderr = objective.of(sampled)
        replicas, weights = objective.replicas(sampled)
        spread = jackknife(value, replicas=replicas, weights=weights).stderr
        assert spread == pytest.approx(stderr, rel=0.02)
        assert np.average(replicas, weights=weights) == pytest.approx(value, abs=stderr)


def test_the_best_of_an_objective_is_found_again_in_each_replica(sampled):
    replicas, _ = Objective("xi2_kitagawa_ueda", "best").replicas(sampled)
    curves = squeezing_replicas(read_moments(sampled)).replicas["xi2_kitagawa_ueda"]
    assert replicas == pytest.approx(curves.min(axis=0))
