"""Are the error bars of a whole run honest: does 1 sigma cover the truth as often as it should?"""

import numpy as np
import pytest

import spinsqueeze as sq

MODEL = sq.SpinModel(
    sq.Lattice((4, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
)
TIMES = np.array([0.1, 0.2, 0.3])
N_SEEDS = 200


def run(n_trajectories, seed):
    method = sq.DTWA(n_trajectories)
    return sq.simulate(MODEL, sq.CoherentState("+x"), TIMES, method=method, seed=seed)


@pytest.mark.slow
def test_one_sigma_covers_the_truth_in_two_thirds_of_the_seeds():
    truth = run(40_000, 10**6)
    names = ["xi2", "contrast", "total_spin_squared", "squeezing_angle"]
    hits = {name: np.zeros(len(TIMES)) for name in names}
    for seed in range(N_SEEDS):
        data = run(400, seed)
        for name in names:
            error = data[f"{name}_stderr"].values
            hits[name] += np.abs(data[name].values - truth[name].values) <= error
    for name in names:
        fraction = hits[name] / N_SEEDS
        assert np.all((fraction > 0.60) & (fraction < 0.76)), (name, fraction)
