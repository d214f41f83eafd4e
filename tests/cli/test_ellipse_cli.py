"""`spinsqueeze plot --kind ellipse`, and what is printed of laboratory units."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(1.0)], unit="2 pi MHz")
    data = sq.simulate(model, sq.CoherentState("+x"), np.linspace(0.0, 0.4, 21), method="symmetric")
    sq.save(data, "run.nc")
    return data


@pytest.mark.usefixtures("result")
def test_the_ellipse_of_a_run_is_drawn(tmp_path, capsys):
    assert main(["plot", "run.nc", "--kind", "ellipse", "-o", "ellipse.png"]) == 0
    assert (tmp_path / "ellipse.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", "run.nc", "--kind", "bars", "-o", "bars.png"]) == 2
    assert "--kind must be 'ellipse', got 'bars'" in capsys.readouterr().err


def test_times_are_said_in_seconds_and_the_factor_2_pi_too(result, capsys):
    assert main(["info", "run.nc"]) == 0
    lines = capsys.readouterr().out
    seconds = sq.optimum(result).time * 1e-6 / (2 * np.pi)
    assert f"time {seconds * 1e9:.4g} ns" in lines
    assert "2 pi included: 1 is 2 pi * 1e6 rad/s" in lines
    assert "21 from 0 to 0.4 µs/2π" in lines
