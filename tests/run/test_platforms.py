"""Which experiment is which model: every row has a study that runs, and the docs say the same."""

import copy
import tomllib
from pathlib import Path

import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.run.platforms import COLUMNS, PLATFORMS
from spinsqueeze.run.study_file import read_study, study_from_tables

ROOT = Path(__file__).parents[2]
NAMES = [row.name for row in PLATFORMS]


def tiny(tables):
    """The same study with few spins, samples and times."""
    tables = copy.deepcopy(tables)
    ensemble = tables["ensemble"]
    if "shape" in ensemble:
        ensemble["shape"] = [3 for _ in ensemble["shape"]]
        ensemble.pop("filling", None)
        ensemble.pop("seed", None)
    if "spins" in ensemble:
        ensemble["spins"] = 20
    if tables.get("method", {}).get("name") == "dtwa":
        tables["method"]["n_trajectories"] = 16
    tables["run"] = {**tables.get("run", {}), "times": {"start": 0.0, "stop": 1e-3, "num": 2}}
    return tables


EXAMPLES = {
    "rydberg": "rydberg_echo",
    "cavity": "clock_transition_87sr",
    "condensate": "twisting_in_hertz",
}


@pytest.mark.filterwarnings("ignore:.*sampling")
@pytest.mark.parametrize("row", PLATFORMS, ids=NAMES)
def test_every_study_fits_its_method_and_runs_small(row):
    study = study_from_tables(tomllib.loads(row.study))
    advice = {found.name: found for found in sq.advise(study)}
    if study.method is not None:
        assert advice[study.method.name()].fits
        assert f"`{study.method.name()}`" in row.method
    if row.name not in EXAMPLES:  # those run in the tests of examples
        data = sq.run_study(study_from_tables(tiny(tomllib.loads(row.study))))
        assert data["xi2"].sizes["time"] == 2


@pytest.mark.parametrize("name", EXAMPLES)
def test_studies_that_are_examples_too_are_the_same(name):
    (platform,) = sq.platforms(name)
    path = ROOT / "examples" / f"{EXAMPLES[name]}.toml"
    assert platform.study == path.read_text(encoding="utf-8")


def test_the_page_of_the_laboratory_has_the_table():
    page = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
    rows = ["| " + " | ".join(cells) + " |" for cells in (COLUMNS, *(r.cells for r in PLATFORMS))]
    assert [line for line in page.splitlines() if line in rows] == rows


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("rydberg", ["rydberg"]),
        ("Dipolar", ["dipolar"]),
        ("molecules", ["dipolar"]),
        ("NV", ["magnetic"]),
        ("clock", ["clock"]),
        ("bec", ["condensate"]),
        ("", NAMES),
        ("NV ensemble", ["magnetic"]),
        ("lattice clock", ["clock", "rydberg", "dressing", "ions", "cavity"]),
        ("an optical clock in a cavity", ["clock", "cavity", "dressing"]),
        ("soft core", ["dressing"]),
    ],
)
def test_a_word_finds_its_rows(word, names):
    found = sq.platforms(word)
    assert [row.name for row in found] == names
    assert all(row.experiment in str(found) for row in found)
    assert repr(found) == str(found)
    assert "<table" in found._repr_html_()
    assert "`" not in sq.platforms()._repr_html_()


def test_an_unknown_word_is_refused_with_the_names():
    with pytest.raises(
        sq.InvalidInput, match="'rydbreg' is in no platform; did you mean 'rydberg'"
    ):
        sq.platforms("rydbreg")
    with pytest.raises(sq.InvalidInput, match=r"known: cavity, clock"):
        sq.platforms("teapot")
    with pytest.raises(sq.InvalidInput, match="'a c of the teapot' is in no platform"):
        sq.platforms("a c of the teapot")


def test_advise_takes_a_study_and_sends_names_of_experiments_to_platforms():
    study = sq.Study(
        sq.SpinModel(8, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.1)]),
        initial_state=sq.CoherentState("+x"),
        times=[0.0, 0.1],
        method=sq.QuantumTrajectories(77),
    )
    costs = {row.name: row.memory for row in sq.advise(study)}
    by_hand = sq.advise(study.model, times=[0.0, 0.1], method=study.method)
    assert costs == pytest.approx({row.name: row.memory for row in by_hand}, nan_ok=True)
    with pytest.raises(
        sq.InvalidInput, match=r"which model suits an experiment: platforms\('nv'\)"
    ):
        sq.advise("nv")


def test_the_command_says_a_row_and_writes_its_study(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["platforms", "ions"]) == 0
    assert "begin with:  spinsqueeze platforms ions -o study.toml" in capsys.readouterr().out
    assert main(["platforms", "ions", "-o", "study.toml"]) == 0
    assert read_study("study.toml").title == "Ising chain of 20 ions, alpha = 1"
    capsys.readouterr()
    assert main(["platforms", "ions", "-o", "study.toml"]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["platforms", "lattice", "clock"]) == 0
    assert "a clock in a cavity is cavity" in capsys.readouterr().out
    assert main(["platforms", "-o", "other.toml"]) == 2
    assert "must name one platform" in capsys.readouterr().err
