"""Sampled readings lie within their error bars, and the error bars are as wide as the scatter.

DTWA is exact for spins perpendicular to one axis, with couplings and fields along that axis: the
mean spin, and the covariances with the spin along the axis.
"""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.readings import moments_of
from spinsqueeze.run.questions import evolve_question
from tests.calibration.random_problems import Draw, Problem, one_axis_model
from tests.problems import dense_evolution as truth

SIGMAS = 5.0
QUICK = range(3)
MORE = range(len(QUICK), 24)
N_RUNS, DRAWS_A_RUN = 60, 4


def ising(seed):
    """A problem and the axis along which its couplings and fields lie."""
    rng = np.random.default_rng([11, seed])
    draw = Draw(rng, last=float(rng.choice([0.5, 1.0])), timed=bool(rng.random() < 0.6))
    axis = int(rng.integers(3))
    model, times = one_axis_model(draw, axis, closed=True), draw.times()
    directions = draw.directions(model.n_spins)
    directions[:, axis] = 0.0
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    product = draw.chance(0.3)
    state = sq.ProductState(directions) if product else sq.CoherentState(directions[0])
    return Problem("one axis", seed, model, state, times), axis


SEEDS = [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)]


@pytest.mark.parametrize("seed", SEEDS)
def test_sampled_readings_lie_within_their_error_bars(seed):
    case, axis = ising(seed)
    n = case.model.n_spins
    method = sq.DTWA(2000, dtype="float64", tolerance=1e-6)
    data = sq.simulate(case.model, case.state, case.times, method=method, seed=seed)
    truths = truth.answers(case)
    steps = float(data.attrs["numerical_error"]) * np.sqrt(n) / 2 + 1e-9
    for name, allowed in (("spin", steps), ("covariance", 3 * n * steps)):
        part = (..., axis) if name == "covariance" else ...
        right = np.array([reading[name] for reading in truths])
        error = np.abs(data[name].values - right)[part]
        assert np.all(error <= SIGMAS * data[f"{name}_stderr"].values[part] + allowed), name


@pytest.fixture(scope="module")
def deviations():
    """(value - truth)/stderr of many draws, by reading: spins twisted about y, one structure."""
    about_y = np.diag([0.0, 1.1, 0.0])
    terms = [sq.CollectiveQuadratic(about_y), sq.UniformField([0.0, 0.4, 0.0])]
    model = sq.SpinModel(4, hamiltonian=terms)
    state, times = sq.CoherentState([0.6, 0.0, 0.8]), np.array([0.5])
    (right,) = truth.answers(Problem("coverage", 0, model, state, times))
    method = sq.DTWA(800, dtype="float64", sampling="independent")  # blocks are cut into draws
    scores = {"spin": [], "covariance": [], "contrast": []}
    for seed in range(N_RUNS):
        answer = method.answer(evolve_question(model, state, times, seed=seed))
        run = moments_of(answer.readings, n_spins=4)
        for blocks in np.array_split(np.arange(run.n_blocks), DRAWS_A_RUN):
            part = BlockMoments(
                n_spins=4,
                reference=run.reference,
                weights=run.weights[blocks],
                first=run.first[:, blocks],
                second=run.second[:, blocks],
            )
            estimates = squeezing_estimates(part)
            for name, values in scores.items():
                estimate = getattr(estimates, name)
                error = np.where(estimate.stderr > 0, estimate.stderr, 1.0)[0]
                values.append((estimate.value[0] - right[name]) / error)
    return {name: np.array(values) for name, values in scores.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part"),
    [("spin", 0), ("spin", 2), ("covariance", (0, 1)), ("covariance", (1, 2)), ("contrast", ())],
)
def test_error_bars_are_as_wide_as_the_scatter(deviations, name, part):
    scores = deviations[name][(slice(None), *np.atleast_1d(part).astype(int))]
    assert 0.60 < np.mean(np.abs(scores) <= 1) < 0.76
    # The standard deviation of 240 normal numbers scatters by 5 %, their mean by 6 %.
    assert 0.85 < np.std(scores) < 1.15
    assert abs(np.mean(scores)) < 5 / np.sqrt(len(scores))
