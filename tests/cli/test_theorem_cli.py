"""`spinsqueeze theorem` with a right and a wrong study."""

from pathlib import Path

import pytest

from spinsqueeze.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "emitters_xyz.toml"


def test_verdict_of_the_example(capsys):
    assert main(["theorem", str(EXAMPLE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    # alpha = 19/4 0.05, beta = 1.8 (-1.8): Eq. (49) of huybrechts2024.
    slope = 8 / 20 * (19 / 4 * 0.05) / (1 + 3.24**2) ** 0.5
    assert lines[0].startswith(f"squeezed to first order: xi2 = 1 - {slope:.6g} lambda along")
    assert lines[1] == f"one angle: max Re F = {20 / 8 * slope:.6g}, slope {-slope:.6g}"
    assert lines[2].startswith("angles by site: max Re F = ")
    assert lines[3].startswith("slopes err by ")
    assert lines[4].startswith("mean field: the paramagnet becomes unstable at lambda = 37.5074 (")
    assert all(line.startswith("assumed: ") for line in lines[5:])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"local_decay"', '"local_pumping"', "a local jump raises emitters (pumping)"),
        ("rate = 1.0", "rate = 0.0", "this model is closed"),
        ("j_x = -0.75", "j_x = 'a'", "hamiltonian.0.j_x"),
    ],
)
def test_a_wrong_study_is_one_line(tmp_path, capsys, old, new, message):
    path = tmp_path / "study.toml"
    path.write_text(EXAMPLE.read_text().replace(old, new))
    assert main(["theorem", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
