"""Pictures of single quantum trajectories."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput


@pytest.fixture(scope="module")
def data():
    model = sq.SpinModel(8, jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.5)], unit="Gamma")
    method = sq.QuantumTrajectories(4, keep_trajectories=2)
    return sq.simulate(model, sq.CoherentState("+z"), np.linspace(0, 1, 5), method=method)


def test_the_curves_are_the_data(data):
    figure = sq.plot.trajectories(data)
    squeezing, size, jumps = figure.axes
    curves = [line.get_ydata() for line in squeezing.get_lines()]
    assert np.allclose(curves[1], 10 * np.log10(data.trajectory_xi2.values[:, 0]), equal_nan=True)
    assert np.array_equal(
        size.get_lines()[2].get_ydata(), data.trajectory_effective_spins.values[:, 1]
    )
    strokes = sum(len(rows.get_positions()) for rows in jumps.collections)
    assert strokes == np.isfinite(data.jump_time.values).sum()
    assert jumps.get_xlabel() == "time (1/Gamma)"


def test_it_draws_into_axes_that_are_given(data, tmp_path):
    figure = sq.plot.trajectories(data)
    again = sq.plot.trajectories(data, ax=figure.axes)
    assert again is figure
    figure.savefig(tmp_path / "trajectories.png")


def test_what_cannot_be_drawn_is_refused(data):
    with pytest.raises(InvalidInput, match="data must hold single trajectories"):
        sq.plot.trajectories(data.drop_vars("jump_time"))
    with pytest.raises(InvalidInput, match="data must have the dimension time"):
        sq.plot.trajectories(data.isel(time=1))
    with pytest.raises(InvalidInput, match="ax must be three matplotlib Axes"):
        sq.plot.trajectories(data, ax=sq.plot.trajectories(data).axes[:2])


def test_kept_trajectories_are_saved_and_left_out_of_merges(data, tmp_path):
    sq.save(data, tmp_path / "run.nc")
    again = sq.load(tmp_path / "run.nc")
    assert np.array_equal(again.jump_time.values, data.jump_time.values, equal_nan=True)
    assert again.identical(data)
    model = sq.SpinModel(8, jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.5)], unit="Gamma")
    other = sq.simulate(
        model, sq.CoherentState("+z"), data.time.values, method=sq.QuantumTrajectories(8), seed=5
    )
    merged = sq.merge([data, other])
    assert "trajectory_xi2" not in merged
    assert merged.block_weight.sum() == 12


def test_small_squeezing_fills_its_panel(data):
    few = data.copy(deep=True)
    for name in ("xi2", "trajectory_xi2"):
        few[name] = few[name] * 0.0 + 10**-0.06
    few["trajectory_xi2"][0, 0] = 1.0
    low, high = sq.plot.trajectories(few).axes[0].get_ylim()
    assert (low, high) == pytest.approx((-0.66, 0.06))
    few["trajectory_xi2"][0, 0] = 100.0
    assert sq.plot.trajectories(few).axes[0].get_ylim()[1] == pytest.approx(3.0 + 0.36)
