import json
import math

import numpy as np
import pytest
import xarray as xr
from tests.run.sweeping import CHI, MODEL, RATE, STATE, TIMES, here, identical

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.results.grid import point_of, points_of, sweep_dims
from spinsqueeze.run.study_file import study_from_tables
from spinsqueeze.run.sweep import plan_of, study_from


def test_dimensions_and_labels(whole):
    assert sweep_dims(whole) == ("chi", "rate")
    assert whole["xi2"].dims == ("chi", "rate", "time")
    assert whole["chi"].values.tolist() == [0.5, 1.0, 1.5]
    assert whole["rate"].values == pytest.approx(np.geomspace(0.01, 1.0, 4))
    assert whole["rate"].attrs["path"] == RATE
    assert (whole["status"] == "done").all()
    assert (whole["reason"] == "").all()
    assert whole["xi2"].attrs["units"] == "1"


def test_every_point_is_the_single_run(whole):
    for where, one in points_of(whole):
        model = sq.SpinModel(
            6,
            hamiltonian=[sq.OneAxisTwisting(float(whole["chi"][where["chi"]]))],
            jumps=[sq.LocalDephasing(float(whole["rate"][where["rate"]]))],
        )
        alone = sq.simulate(model, STATE, TIMES)
        for name in alone.data_vars:
            assert one[name].values.tobytes() == alone[name].values.tobytes()
        best = sq.optimum(alone)
        assert float(one["optimal_xi2"]) == best.xi2
        assert float(one["optimal_time"]) == best.time
        assert int(one["optimal_at_edge"]) == best.at_edge


def test_steady_states_are_swept_too():
    model = sq.SpinModel(6, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.5)])
    state = sq.CoherentState("-z")
    over = {"jumps.0.r": [0.2, 0.4], "ensemble.spins": [5, 6]}
    data = sq.sweep(model, state, over=over, workers=0)
    assert data["xi2"].dims == ("r", "spins")
    assert "optimal_xi2" not in data
    for r in (0.2, 0.4):
        for n in (5, 6):
            one = sq.SpinModel(n, jumps=[sq.SqueezedCollectiveDecay(1.0, r=r)])
            alone = sq.steady_state(one, initial_state=state)
            assert float(data["xi2"].sel(r=r, spins=n)) == float(alone["xi2"])
    closed = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    with pytest.raises(InvalidInput, match="a steady state needs at least one jump"):
        sq.sweep(closed, over={CHI: [1.0]}, workers=0)
    chosen = sq.sweep(closed, STATE, over={CHI: [1.0]}, workers=0)
    assert identical(chosen, sq.sweep(closed, STATE, "auto", over={CHI: [1.0]}, workers=0))


def test_a_sweep_can_be_run_again_from_itself(whole):
    study = study_from_tables(json.loads(whole.attrs["study"]))
    assert identical(sq.sweep(study, workers=0), whole)


def test_it_survives_a_result_file(whole, tmp_path):
    sq.save(whole, tmp_path / "r.nc")
    assert identical(sq.load(tmp_path / "r.nc"), whole)


def test_sampling_methods_bring_errors_and_blocks_on_demand():
    over = {CHI: [0.5, 1.0]}
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, TIMES, over=over, method=sq.DTWA(40), workers=0, seed=5)
    assert (data["optimal_xi2_stderr"] > 0).all()
    assert not [name for name in data if str(name).startswith("block_")]
    assert data.attrs["seed"] == 5
    kept = sq.sweep(
        model, STATE, TIMES, over=over, method=sq.DTWA(40), workers=0, seed=5, blocks=True
    )
    assert kept["block_first"].dims == ("chi", "time", "block", "axis")
    assert sq.optimum(point_of(kept, {"chi": 1})).xi2_stderr == pytest.approx(
        float(data["optimal_xi2_stderr"][1])
    )
    assert "of 2 points: sampling: 40 trajectories" in data.attrs["warnings"]


def test_zipped_paths_share_a_dimension():
    over = {CHI: [0.5, 1.0, 1.5], RATE: [0.1, 0.1, 0.3], "ensemble.spins": [4, 6]}
    data = sq.sweep(MODEL, STATE, TIMES, over=over, zipped=[[CHI, RATE]], workers=0)
    assert data["xi2"].dims == ("chi", "spins", "time")
    assert data["rate"].dims == ("chi",)
    assert data["n_spins"].values.tolist() == [[4, 6]] * 3
    assert point_of(data, {"chi": 2, "spins": 1}).attrs["n_spins"] == 6
    alone = here(over={CHI: [1.5], RATE: [0.3]})
    assert data["xi2"][2, 1].values.tobytes() == alone["xi2"][0, 0].values.tobytes()
    together = sq.sweep(
        MODEL, STATE, TIMES, over={CHI: [0.5, 1.5], RATE: [0.1, 0.3]}, zipped=True, workers=0
    )
    assert together["xi2"].dims == ("chi", "time")


def test_state_method_seed_and_times_can_be_swept():
    over = {
        "initial_state.coherent": ["+x", [0.6, 0.8, 0.0]],
        "run.seed": [1, 2],
        "run.times.stop": [0.5, 1.0],
        "method.n_trajectories": [20, 30],
    }
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, TIMES, over=over, method=sq.DTWA(20), workers=0, blocks=True)
    assert sweep_dims(data) == ("coherent", "seed", "stop", "n_trajectories")
    assert data["coherent"].values.tolist() == ["+x", "[0.6, 0.8, 0.0]"]
    assert data["time_of_point"].dims == (*sweep_dims(data), "time")
    assert "time" not in data.coords
    assert data["block_weight"].sizes["block"] == 30
    assert data["block_weight"].notnull().sum("block")[0, 0, 0].values.tolist() == [20, 30]
    one = point_of(data, {"coherent": 1, "seed": 1, "stop": 0, "n_trajectories": 1})
    assert one["time"].values[-1] == 0.5
    assert one.attrs["seed"] == 2
    state = sq.CoherentState([0.6, 0.8, 0.0])
    alone = sq.simulate(model, state, np.linspace(0, 0.5, 5), method=sq.DTWA(30), seed=2)
    assert one["xi2"].values.tobytes() == alone["xi2"].values.tobytes()


def test_progress_counts(tmp_path):
    seen = []
    here(progress=seen.append, store=tmp_path)
    assert [s.done for s in seen] == list(range(13))
    assert seen[-1].fraction == 1.0
    assert seen[-1].remaining == 0.0
    assert seen[0].remaining is None
    assert seen[5].remaining > 0
    again = []
    here(progress=again.append, store=tmp_path)
    assert [(s.done, s.reused) for s in again] == [(12, 12)]


def test_a_study_runs_its_sweep_itself():
    study = study_from_tables(
        {
            "ensemble": {"spins": 4},
            "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}],
            "initial_state": {"coherent": "+x"},
            "run": {"times": {"start": 0.01, "stop": 1.0, "num": 5, "spacing": "log"}},
            "sweep": {"zipped": True, CHI: [1.0, 2.0], "run.times.stop": [1.0, 0.5]},
        }
    )
    seen = []
    data = sq.sweep(study, workers=0)
    assert data["xi2"].dims == ("chi", "time")
    assert data["stop"].values.tolist() == [1.0, 0.5]
    assert study.as_tables()["sweep"]["zipped"] == [[CHI, "run.times.stop"]]
    assert seen == []


def test_two_times_can_be_swept_by_their_end():
    data = here(over={"run.times.stop": [0.2, 0.3]}).isel(stop=1)
    assert sq.sweep(MODEL, STATE, [0.0, 0.1], over={"run.times.stop": [0.2, 0.3]}, workers=0)[
        "time_of_point"
    ].values.tolist() == [[0.0, 0.2], [0.0, 0.3]]
    assert float(data["time_of_point"][-1]) == 0.3


def test_ranges_of_whole_numbers_count_spins():
    data = here(over={"ensemble.spins": {"start": 4, "stop": 8, "num": 3}})
    assert data["spins"].values.tolist() == [4, 6, 8]
    assert data["spins"].dtype.kind == "i"


def test_values_come_from_results():
    result = xr.DataArray([0.5, 1.5], dims="time")
    plain = here(over={CHI: [0.5, 1.5]})
    assert identical(here(over={CHI: result}), plain)
    assert identical(here(over={CHI: [result[0], result[1]]}), plain)
    ranged = {"start": result[0], "stop": result[1], "num": 2}
    assert identical(here(over={CHI: ranged}), plain)


def test_a_sweep_says_where_its_times_are_too_coarse():
    """Each point's status and errors are those of the run alone."""
    times = np.linspace(0, 0.2, 41)
    data = sq.sweep(MODEL, STATE, times, over={"hamiltonian.0.chi": [1.0, 4.0, 400.0]}, workers=0)
    bests = [sq.optimum(data.isel(chi=k)) for k in range(3)]
    assert data["optimal_status"].values.tolist() == [int(b.status) for b in bests]
    assert bests[2].status.name in ("TOO_COARSE", "INITIAL_STATE")
    assert [b.status.name for b in bests[:2]] == ["LAST_TIME", "INSIDE"]
    for name in ("xi2", "time", "angle"):
        stated = [getattr(b, f"{name}_interpolation") for b in bests]
        stored = data[f"optimal_{name}_interpolation"].values
        assert stored == pytest.approx([np.nan if e is None else e for e in stated], nan_ok=True)


def test_a_point_is_lowered_where_it_runs_and_once(monkeypatch):
    lowered = []
    plain = sq.OneAxisTwisting.lower
    monkeypatch.setattr(
        sq.OneAxisTwisting,
        "lower",
        lambda self, spins: lowered.append(self.chi) or plain(self, spins),
    )
    chis = np.linspace(0.1, 1.0, 4)
    study = study_from(MODEL, STATE, TIMES, pulses=())
    plan_of(study, over={CHI: chis})
    assert lowered == []
    with pytest.raises(InvalidInput, match=r"^over\.hamiltonian\.0\.chi: value nan: hamiltonian"):
        plan_of(study, over={CHI: [0.1, math.nan]})
    sq.sweep(MODEL, STATE, TIMES, over={CHI: chis}, workers=0, method="permutation_invariant")
    assert lowered == pytest.approx(chis)


def test_a_steady_point_is_lowered_where_it_runs_and_once(monkeypatch):
    lowered = []
    plain = sq.LocalDecay.lower
    monkeypatch.setattr(
        sq.LocalDecay, "lower", lambda self, spins: lowered.append(self.rate) or plain(self, spins)
    )
    model = sq.SpinModel(3, hamiltonian=[sq.Drive(0.3)], jumps=[sq.LocalDecay(1.0)])
    rates = [0.5, 1.0, 2.0]
    study = sq.Study(model, steady_state=True)
    plan_of(study, over={"jumps.0.rate": rates})
    assert lowered == []
    with pytest.raises(InvalidInput, match="needs at least one jump; this model is closed"):
        plan_of(study, over={"jumps.0.rate": [1.0, 0.0]})
    ramp = {"times": [0.0, 1.0], "values": [1.0, 2.0]}
    with pytest.raises(InvalidInput, match="needs constant strengths and rates"):
        plan_of(study, over={"hamiltonian.0.rabi": [0.1, ramp]})
    assert lowered == []
    sq.sweep(study, over={"jumps.0.rate": rates}, workers=0)
    assert lowered == rates


def test_times_of_many_numbers_can_be_swept():
    """More than 64 numbers are an array on their way."""
    times = [np.linspace(0.0, last, 80) for last in (1.0, 2.0)]
    model = sq.SpinModel(3, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, times[0], over={"run.times": times}, workers=0)
    assert (data["status"] == "done").all()
    alone = sq.simulate(model, STATE, times[1])
    assert data["xi2"].values[1].tobytes() == alone["xi2"].values.tobytes()
