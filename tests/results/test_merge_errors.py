"""What a merged result claims: no better than the worst of its parts."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.results.dataset import warnings_of

MODEL = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
TIMES = np.array([0.1, 0.3])


@pytest.fixture(scope="module")
def runs():
    return [
        sq.simulate(MODEL, sq.CoherentState("+x"), TIMES, method=sq.DTWA(8), seed=seed)
        for seed in range(3)
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_worst_error_counts(runs, order):
    claimed = (2e-5, 7e-4, 1e-4)
    parts = [runs[k].assign_attrs(numerical_error=claimed[k]) for k in order]
    assert sq.merge(parts).attrs["numerical_error"] == 7e-4


def test_every_warning_is_kept_once(runs):
    few = warnings_of(runs[0])
    assert len(few) == 1
    assert few[0].startswith("sampling: 8 trajectories")
    assert warnings_of(sq.merge(runs)) == few
    loud = runs[1].assign_attrs(warnings='["steps: the collective spin errs"]')
    assert warnings_of(sq.merge([runs[0], loud, runs[2]])) == [
        *few,
        "steps: the collective spin errs",
    ]
