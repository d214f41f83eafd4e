"""`plot --kind ellipse`, `sensitivity --axis`, and what is printed of laboratory units."""

from pathlib import Path

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.cli.pictures import width_of

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(1.0)], unit="2 pi MHz")
    data = sq.simulate(model, sq.CoherentState("+x"), np.linspace(0.0, 0.4, 21), method="symmetric")
    sq.save(data, "run.nc")
    return data


@pytest.mark.usefixtures("result")
def test_a_picture_has_the_width_that_is_asked_for(tmp_path, capsys):
    look = ["--width", "column", "--no-title", "--no-labels"]
    assert main(["plot", "run.nc", "-o", "run.png", *look]) == 0
    assert int.from_bytes((tmp_path / "run.png").read_bytes()[16:20], "big") == 510
    assert [width_of(text) for text in (None, "5", "column")] == [None, 5.0, "column"]
    assert main(["plot", "run.nc", "-o", "page.png", "--width", "page"]) == 2
    assert "width must be inches from 2 to 30, or 'column', got 'page'" in capsys.readouterr().err


@pytest.mark.usefixtures("result")
def test_the_ellipse_of_a_run_is_drawn(tmp_path, capsys):
    assert main(["plot", "run.nc", "--kind", "ellipse", "-o", "ellipse.png"]) == 0
    assert (tmp_path / "ellipse.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", "run.nc", "--kind", "bars", "-o", "bars.png"]) == 2
    assert "--kind must be 'ellipse', got 'bars'" in capsys.readouterr().err


def test_remedies_are_those_of_the_command_line(result, capsys):
    assert main(["sensitivity", "run.nc"]) == 2
    assert "spinsqueeze: run.nc has no [[pulses]]: one of them is" in capsys.readouterr().err
    over = {"hamiltonian.0.chi": [0.5, 1.0]}
    sq.save(sq.sweep(sq.study_of(result), over=over, workers=0), "sweep.nc")
    assert main(["plot", "sweep.nc", "--kind", "ellipse"]) == 2
    assert "--kind ellipse draws one run, this is a sweep over chi; run" in capsys.readouterr().err


def test_times_are_said_in_seconds_and_the_factor_2_pi_too(result, capsys):
    assert main(["info", "run.nc"]) == 0
    lines = capsys.readouterr().out
    seconds = sq.optimum(result).time * 1e-6 / (2 * np.pi)
    assert f"time {seconds * 1e9:.4g} ns" in lines
    assert "2 pi included: 1 is 2 pi * 1e6 rad/s" in lines
    assert "21 from 0 to 0.4 µs/2π" in lines


def test_the_best_axis_of_a_signal_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = (EXAMPLES / "echo_signal.toml").read_text().replace("spins = 100", "spins = 8")
    (tmp_path / "echo.toml").write_text(study.replace("num = 61", "num = 5"))
    options = ["sensitivity", "echo.toml", "--pulse", "1", "--overwrite"]
    assert main([*options, "--axis", "best"]) == 0
    said = capsys.readouterr()
    assert "best axis of the signal: (" in said.out
    assert said.out.startswith("method = symmetric (error: exact)\n")
    said_first, plan = said.err.splitlines()
    assert said_first.startswith("signal: pulse 1, a turn by 0 rad about +")
    assert said_first.endswith(", about the best axis instead")
    assert plan == "13 runs of symmetric, error: exact; 5 times; under a second"
    assert said_first in said.out.splitlines()
    command = "then: spinsqueeze sensitivity study.toml --pulse 1 --axis best\n"
    for again in ("run", "sensitivity"):
        assert main([again, "echo.nc", "-o", "again.nc"]) == 2
        assert capsys.readouterr().err.endswith(command)
    assert main(["study", "echo.nc", "-o", "study.toml"]) == 0
    assert main(["sensitivity", "study.toml", "--axis", "best", "-q", "-o", "again.nc"]) == 0
    gain = "metrological_gain"
    np.testing.assert_array_equal(sq.load("again.nc")[gain], sq.load("echo.nc")[gain])
    capsys.readouterr()
    assert main([*options, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main([*options, "--axis", "+y"]) == 0
    assert "best axis" not in capsys.readouterr().out
    assert main([*options, "--axis", "up"]) == 2
    assert "axis must be one of +x" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "inches"),
    [("8.6cm", 8.6 / 2.54), ("86 mm", 8.6 / 2.54), ("3.4in", 3.4), ("3.4", 3.4), (None, None),
     ("column", "column"), ("8 m", "8 m"), ("cm", "cm")],
)  # fmt: skip
def test_widths_as_they_are_typed(typed, inches):
    assert width_of(typed) == (pytest.approx(inches) if isinstance(inches, float) else inches)
