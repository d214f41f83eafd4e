"""Every method against every problem it supports; the answer is brute force on 2^N.

An exact method must solve whatever its `support` accepts; an approximate one must say of each
problem it accepts which readings it has right, or why it is off.
"""

import numpy as np
import pytest
from tests.problems.catalogue import EXACTLY, PROBLEMS
from tests.problems.dense_evolution import answers as brute_force

import spinsqueeze as sq
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.run.questions import evolve_question

OPTIONS = {
    "dtwa": {"n_trajectories": 4000, "dtype": "float64", "tolerance": 1e-5},
    "cumulants": {"order": 6},
    "trajectories": {"n_trajectories": 1000, "tolerance": 1e-6},
}
SIGMAS = 5.0


def method_of(name):
    return METHODS[name](**OPTIONS.get(name, {}))


@pytest.fixture(scope="module")
def answers():
    known = {}

    def answer(problem):
        if problem.name not in known:
            readings = brute_force(problem)
            known[problem.name] = tuple(
                np.array([r[name] for r in readings]) for name in ("spin", "covariance")
            )
        return known[problem.name]

    return answer


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
@pytest.mark.parametrize("name", METHODS)
def test_method_solves_problem(name, problem, answers):
    method = method_of(name)
    question = evolve_question(problem.model, problem.state, problem.times, pulses=problem.pulses)
    reasons = method.support(question)
    required = problem.solvers.get(name)
    if reasons:
        assert required is None, reasons
        pytest.skip("; ".join(reasons))
    if required is None and name not in problem.off and method.trust(question).rank < 2:
        required = "all" if method.trust(question).sampled else EXACTLY
    if required is None:
        assert name in problem.off, (
            f"tests/problems/catalogue.py, {problem.name!r}: add {name} to solvers with what it "
            "has right, or to off with the reason why not"
        )
        pytest.skip(problem.off[name])
    data = sq.simulate(
        problem.model, problem.state, problem.times, method=method, pulses=problem.pulses, seed=11
    )
    spin, covariance = answers(problem)
    if not isinstance(required, str):
        assert data["spin"].values == pytest.approx(spin, abs=required)
        assert data["covariance"].values == pytest.approx(covariance, abs=required)
        return
    n = problem.model.n_spins
    resolution = np.sqrt(n) / 2 / np.sqrt(method.n_trajectories)
    check(data, "spin", spin, resolution)
    if required == "spin and z":
        check(data, "covariance", covariance, resolution * np.sqrt(n), part=(..., 2))
    if required == "all":
        check(data, "covariance", covariance, resolution * np.sqrt(n))


def check(data, name, truth, resolution, part=...):
    value, error = data[name].values[part], data[f"{name}_stderr"].values[part]
    # The error bar must be small enough to see a self-interaction or a factor of 2.
    assert np.max(error) < 3 * resolution
    assert np.abs(value - truth[part]).max() > 0 or np.max(error) == 0
    assert np.all(np.abs(value - truth[part]) <= SIGMAS * error + 2e-5)
