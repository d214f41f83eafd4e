"""A result runs again from itself, to the last bit, and says how in a study file."""

import json
import tomllib

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import same
from spinsqueeze.core.toml import as_toml
from spinsqueeze.run.rerun import kept_by, study_text
from spinsqueeze.run.study_file import study_from_tables

UP_X = sq.CoherentState("+x")
TIMES = np.array([0.0, 0.1, 0.3])
LATTICE = sq.SpinModel(
    sq.Lattice((2, 3), boundary="open"),
    hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=-0.3, exponent=np.inf)],
)
EMITTERS = sq.SpinModel(
    4, hamiltonian=[sq.Drive(rabi=0.5)], jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.2)]
)
LAB = sq.cavity_from_lab(
    n_atoms=4, g_hz=1e5, kappa_hz=1e5, gamma_hz=10.0, detuning_hz=1e7, rabi_hz=1e4
)


def runs():
    yield "exact", lambda: sq.simulate(LATTICE, UP_X, TIMES, method="exact", keep_state=True)
    yield "dtwa", lambda: sq.simulate(LATTICE, UP_X, TIMES, method=sq.DTWA(100), seed=5)
    yield "automatic", lambda: sq.simulate(LATTICE, UP_X, method="exact")
    yield "losses", lambda: sq.simulate_losses(EMITTERS, UP_X, TIMES, loss_rate=1.0, runs=4)
    yield "steady", lambda: sq.steady_state(EMITTERS)
    yield "lab", lambda: sq.simulate(LAB.eliminated.model, UP_X, TIMES * 1e-5)
    yield "default", lambda: sq.simulate(LATTICE, UP_X, TIMES)


def swept():
    return sq.sweep(
        LATTICE,
        UP_X,
        TIMES,
        over={"hamiltonian.0.j_z": [-0.3, 0.1], "run.seed": [1, 2]},
        method=sq.DTWA(100),
        blocks=True,
        workers=0,
    )


def alike(data, again):
    ours = {"wall_time", "wall_time_of_choice", "automatic_times"}
    rest = [{k: v for k, v in d.attrs.items() if k not in ours} for d in (data, again)]
    return data.equals(again) and rest[0] == rest[1]


@pytest.mark.parametrize(("name", "run"), list(runs()), ids=lambda value: str(value)[:9])
def test_a_run_reruns_from_its_file_to_the_last_bit(name, run, tmp_path):
    data = run()
    path = sq.save(data, tmp_path / f"{name}.nc")
    assert alike(data, sq.rerun(path))
    study = study_from_tables(tomllib.loads(study_text(data)))
    assert alike(data, sq.run_study(study, **kept_by(data)))


def test_a_sweep_and_its_points_rerun_to_the_last_bit(monkeypatch):
    monkeypatch.setattr("spinsqueeze.run.sweep.default_workers", lambda: 0)
    data = swept()
    assert alike(data, sq.rerun(data))
    point = data.isel(j_z=1, seed=0)
    again = sq.rerun(point)
    assert np.array_equal(again["xi2"], point["xi2"])
    chosen = sq.sweep(LATTICE, UP_X, TIMES, over={"hamiltonian.0.j_z": [0.1, 0.2]}, workers=0)
    assert sq.study_of(chosen).method is None
    point = chosen.isel(j_z=0)
    assert sq.study_of(point).method.name() == chosen.attrs["method"]
    assert np.array_equal(sq.rerun(point)["xi2"], point["xi2"])


def test_default_options_stand_in_the_result():
    data = sq.simulate(LATTICE, UP_X, TIMES, method=sq.DTWA(target_error=1.0))
    options = json.loads(data.attrs["method_options"])
    assert options["max_trajectories"] == 100_000
    assert "n_trajectories" not in options
    data = sq.simulate(LATTICE, UP_X, TIMES, method="dtwa")
    text = study_text(data)
    for line in ("n_trajectories = 500", 'sampling = "stratified"', "tolerance = 0.001"):
        assert line in text.splitlines()
    # What another version had as its default stays what the run had.
    options = json.loads(data.attrs["method_options"])
    data.attrs["method_options"] = json.dumps({**options, "tolerance": 0.01})
    assert sq.study_of(data).method.tolerance == 0.01


def test_a_result_of_another_version_says_so():
    data = sq.simulate(LATTICE, UP_X, TIMES, method="exact")
    older = data.assign_attrs(spinsqueeze_version="0.0.1")
    with pytest.warns(UserWarning, match=r"^made by spinsqueeze 0\.0\.1, this is "):
        again = sq.rerun(older)
    assert again.equals(data)
    assert "# Made by spinsqueeze 0.0.1, this is" in study_text(older)
    other = data.assign_attrs(commit="0123456789ab")
    if data.attrs["commit"] != "none":
        with pytest.warns(UserWarning, match=r"^made by commit 0123456789ab, this is "):
            sq.rerun(other)


def test_what_cannot_be_rerun_is_refused():
    parts = [sq.simulate(LATTICE, UP_X, TIMES, method=sq.DTWA(100), seed=s) for s in (1, 2)]
    with pytest.raises(InvalidInput, match=r"^data must be one run, got a merge of the seeds 1, 2"):
        sq.rerun(sq.merge(parts))
    with pytest.raises(InvalidInput, match="data must be a Dataset"):
        sq.rerun(3)


STUDY = """
[ensemble]
spins = 6
[[hamiltonian]]
term = "one_axis_twisting"
chi = 1.0
[initial_state]
coherent = "+x"
[run]
times = [0.0, 0.1, 0.2]
"""


def test_results_as_studies_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(STUDY)
    assert main(["run", "a.toml", "-q"]) == 0
    assert main(["run", "a.nc", "-q"]) == 0
    assert sq.load("a.nc").equals(sq.load("a_rerun.nc"))
    assert main(["run", "a.nc", "-o", "a.nc", "--overwrite"]) == 2
    assert "must not be the study file itself" in capsys.readouterr().err
    assert main(["study", "a.nc", "-o", "b.toml"]) == 0
    assert main(["study", "a.nc", "-o", "b.toml"]) == 2
    assert (
        "study b.toml exists already; choose another name or pass overwrite=True (--overwrite)"
        in capsys.readouterr().err
    )
    assert sq.read_study("b.toml") == sq.study_of(sq.load("a.nc"))
    assert main(["methods", "a.nc"]) == 0
    assert "closed_form" in capsys.readouterr().out
    sq.load("a.nc").assign_attrs(spinsqueeze_version="0.0.1").to_netcdf("old.nc", engine="h5netcdf")
    assert main(["run", "old.nc", "-q"]) == 0
    assert "warning: old.nc: made by spinsqueeze 0.0.1, this is" in capsys.readouterr().err
    assert main(["info", "old.nc"]) == 0
    assert "version      made by spinsqueeze 0.0.1, this is" in capsys.readouterr().out


@pytest.mark.parametrize(
    "tables",
    [
        {"title": 'a "b" \\ \n \t \x7f é', "run": {"seed": 2**62, "times": [0.1, 1e-300, 1e16]}},
        {"a b": {"c.d": np.inf, "e": -0.0}, "list": [{"x": {"y": [True, 1]}}, {"x": np.eye(2)}]},
        {"empty": [], "table": {}, "long": np.linspace(0, 1, 70), "word": np.float64(1 / 3)},
    ],
)
def test_toml_reads_back_to_the_last_bit(tables):
    assert same(tomllib.loads(as_toml(tables)), tables)


def test_toml_has_no_none():
    with pytest.raises(TypeError, match=r"^TOML has no NoneType$"):
        as_toml({"a": {"b": None}})


def test_long_lists_are_wrapped_and_read_back():
    tables = {"run": {"times": {"values": [k / 7 for k in range(60)]}, "few": [1, 2]}}
    text = as_toml(tables)
    assert max(map(len, text.splitlines())) <= 100
    assert "few = [1, 2]" in text
    assert same(tomllib.loads(text), tables)


@pytest.mark.parametrize(
    ("over", "methods"),
    [
        ({"hamiltonian.0.chi": [0.5, 1.0]}, "closed_form"),
        ({"hamiltonian.0.term": ["one_axis_twisting", "two_axis_twisting"]}, "closed_form, "),
    ],
)
def test_the_study_of_a_sweep_says_which_methods_its_points_chose(over, methods):
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, sq.CoherentState("+x"), [0.1], over=over, workers=0)
    assert f"# No method is named: each point chooses; they took {methods}" in study_text(data)
    named = sq.sweep(model, sq.CoherentState("+x"), [0.1], over=over, workers=0, method="exact")
    assert "# No method" not in study_text(named)
