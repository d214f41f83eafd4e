"""One standard error covers the truth in about 68 % of the seeds, for every observable."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.readings import moments_of
from spinsqueeze.run.questions import evolve_question

SEEDS = 300
STATE = sq.CoherentState("-x")
TIMES = np.array([0.3])


@pytest.mark.slow
@pytest.mark.parametrize("unraveling", ["shifted", "direct"])
def test_error_bars_cover_the_truth(unraveling):
    model = sq.SpinModel(
        10, hamiltonian=[sq.Drive(4.0)], jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.7)]
    )
    truth = sq.simulate(model, STATE, TIMES, method="permutation_invariant")
    method = sq.QuantumTrajectories(100, unraveling=unraveling)
    scores = {"spin": [], "xi2": [], "contrast": [], "total_spin_squared": []}
    for seed in range(SEEDS):
        answer = method.answer(evolve_question(model, STATE, TIMES, seed=seed))
        estimates = squeezing_estimates(moments_of(answer.readings, n_spins=10))
        for name, values in scores.items():
            estimate = getattr(estimates, name)
            value, stderr = estimate.value[0], estimate.stderr[0]
            if name == "spin":  # the component along the drive decays by itself
                value, stderr = value[1], stderr[1]
                values.append((value - truth.spin.values[0, 1]) / stderr)
            else:
                values.append((value - truth[name].values[0]) / stderr)
    for name, values in scores.items():
        covered = np.mean(np.abs(values) < 1)
        assert 0.60 < covered < 0.76, (name, covered)
        assert abs(np.mean(values)) < 5 / np.sqrt(SEEDS) + 0.15, name
