import numpy as np
import pytest
from tests.run.sweeping import RATE, STATE, TIMES, identical

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.results.grid import point_of
from spinsqueeze.run import point as point_module


def test_a_failed_point_does_not_stop_the_rest(tmp_path):
    model = sq.SpinModel(4, hamiltonian=[sq.TwoAxisTwisting(1.0)])
    options = {"over": {"ensemble.spins": [4, 30, 5]}, "method": sq.Exact(), "workers": 0}
    data = sq.sweep(model, STATE, TIMES, store=tmp_path, **options)
    assert data["status"].values.tolist() == ["done", "failed", "done"]
    assert "TooLarge" in str(data["reason"].values[1])
    assert np.isnan(data["xi2"].values[1]).all()
    assert (data["squeezing_status"].values[1] == -1).all()
    assert np.isfinite(data["xi2"].values[[0, 2]]).all()
    assert data["n_spins"].values.tolist() == [4, -1, 5]
    assert "1 of 3 points failed (spins = 30): TooLarge" in data.attrs["warnings"]
    with pytest.raises(InvalidInput, match="failed: TooLarge"):
        point_of(data, {"spins": 1})
    assert len(list(tmp_path.glob("*.point"))) == 2
    assert identical(sq.sweep(model, STATE, TIMES, store=tmp_path, **options), data)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (sq.NumericalFailure("no"), True),
        (sq.UndefinedDirection("no"), True),
        (sq.Unsupported("no"), False),
        (MemoryError(), False),
        (ZeroDivisionError("a bug"), False),
    ],
)
def test_failures_that_took_work_are_kept(monkeypatch, error, kept):
    def broken(_tables, **_):
        raise error

    monkeypatch.setattr(point_module, "study_from_tables", broken)
    (outcome,) = point_module.compute_many([{}], blocks=False)
    assert outcome.kept is kept
    assert type(error).__name__ in outcome.reason


def test_all_points_failed():
    model = sq.SpinModel(4, jumps=[sq.LocalDecay(1.0)])
    method = sq.SymmetricSubspace()
    data = sq.sweep(model, STATE, TIMES, over={RATE: [1.0, 2.0]}, method=method, workers=0)
    assert (data["status"] == "failed").all()
    assert "Unsupported" in str(data["reason"].values[0])
