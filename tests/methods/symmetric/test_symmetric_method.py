import numpy as np
import pytest
from threadpoolctl import threadpool_info

import spinsqueeze as sq
from spinsqueeze.numerics import collective_operators as operators


@pytest.mark.parametrize("jumps", [[], [sq.CollectiveDecay(0.3)]])
def test_blas_runs_on_one_thread(monkeypatch, jumps):
    """Threads that wait for each other on a busy machine cost a hundred times the work."""
    seen = []
    name = "mixed_moments" if jumps else "pure_moments"
    original = getattr(operators, name)

    def spy(*args, **kwargs):
        seen.extend(e["num_threads"] for e in threadpool_info() if e["user_api"] == "blas")
        return original(*args, **kwargs)

    monkeypatch.setattr(operators, name, spy)
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(0.4), sq.Drive(1.0)], jumps=jumps)
    sq.simulate(model, sq.CoherentState("+x"), np.array([0.5]), method="symmetric")
    assert seen
    assert set(seen) == {1}
