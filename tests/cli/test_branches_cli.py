import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main

STUDY = """
title = "a driven ensemble"
[ensemble]
spins = 50
[[hamiltonian]]
term = "drive"
rabi = 1.0
[[jumps]]
term = "collective_decay"
rate = 1.0
[[jumps]]
term = "local_decay"
rate = 2.0
[initial_state]
coherent = "-z"
[run]
steady_state = true
"""
OVER = ["--over", "hamiltonian.0.rabi", "2", "30"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.mark.usefixtures("study")
def test_branches_as_file_picture_and_lines(tmp_path, capsys):
    words = ["branches", "study.toml", *OVER, "--num", "15", "-o", "b.nc", "--plot", "b.png"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "branch 0: rabi 2 to 30" in printed or "branch 0: rabi 30 to 2" in printed
    data = sq.load("b.nc")
    for value in data["special_parameter"].values:
        assert f"fold: rabi = {value:.6g} on branch 0" in printed
    assert len(data["special_kind"]) == 2
    assert data.attrs["title"] == "a driven ensemble"
    assert (tmp_path / "b.png").stat().st_size > 10_000
    assert main(["plot", "b.nc", "-o", "c.png", "--quantity", "contrast"]) == 0
    assert main(["info", "b.nc"]) == 0
    assert "mean_field" in capsys.readouterr().out
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.usefixtures("study")
def test_mistakes_are_one_line(tmp_path, capsys):
    assert main(["branches", "study.toml", "--over", "hamiltonian.0.rabbi", "2", "30"]) == 2
    assert "rabbi" in capsys.readouterr().err
    assert main(["branches", "study.toml"]) == 2
    assert "--over" in capsys.readouterr().err
    assert not (tmp_path / "study.nc").exists()
