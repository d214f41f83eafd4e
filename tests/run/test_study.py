import copy
import json
import math
import re
import tomllib

import numpy as np
import pytest

import spinsqueeze as sq
import spinsqueeze.run.study_file as study_module
from spinsqueeze.core.errors import FileProblem, InvalidInput, SpinSqueezeError
from spinsqueeze.core.plain import same, with_value
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.collective_terms import OneAxisTwisting
from spinsqueeze.models.jumps import LocalDecay
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import CoherentState
from spinsqueeze.run.ranges import expand, shortest
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import read_study, study_from_tables

TEXT = """
title = "Dipolar XXZ on 3 x 3"
[ensemble]
shape = [3, 3]              # or: spins = 50
boundary = "periodic"
[[hamiltonian]]
term = "power_law_xxz"      # the class name in snake_case; its fields as keys
j_perp = 2.0
j_z = -2.0
exponent = 3.0              # inf = nearest neighbours
[initial_state]
coherent = "+x"             # or a vector [x, y, z]
[[pulses]]
time = 0.5
axis = "x"
angle = 3.141592653589793
[method]
name = "dtwa"
n_trajectories = 40
[run]
times = { start = 0.0, stop = 1.0, num = 5 }
seed = 7
unit = "J"
"""
SWEEP = """
[sweep]
"hamiltonian.0.j_z" = { start = -4.0, stop = 2.0, num = 4 }
"ensemble.shape" = [[2, 2], [3, 3]]
run.seed = [1, 2]
method.n_trajectories = [40, 50]
"""


def written(tmp_path, text, name="study.toml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def tables():
    return tomllib.loads(TEXT)


def test_the_example_of_the_design_is_read(tmp_path):
    study = read_study(written(tmp_path, TEXT))
    assert study.title == "Dipolar XXZ on 3 x 3"
    assert study.model.n_spins == 9
    assert study.model.unit == "J"
    (term,) = study.model.hamiltonian
    assert (term.j_perp, term.j_z, term.exponent) == (2.0, -2.0, 3.0)
    assert study.initial_state == CoherentState("+x")
    assert study.pulses == (Pulse(0.5, axis="x", angle=math.pi),)
    assert study.method == METHODS["dtwa"](n_trajectories=40)
    assert study.times.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (study.seed, study.steady_state, study.sweep) == (7, False, None)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    assert read_study(written(tmp_path, b"\xef\xbb\xbf" + TEXT.encode())).seed == 7


def test_a_study_survives_the_way_through_its_tables(tables):
    study = study_from_tables(tables)
    again = json.loads(json.dumps(study.as_tables()))
    assert study_from_tables(again).as_tables() == again == study.as_tables()
    assert np.array_equal(study_from_tables(again).times, study.times)


def test_a_study_made_in_python_survives_too():
    rng = np.random.default_rng(3)
    study = Study(
        SpinModel(12, hamiltonian=[OneAxisTwisting(0.1)], unit="Hz"),
        initial_state=CoherentState("-y"),
        times=np.sort(rng.uniform(size=9)),
        seed=2**62,
        memory_budget=1.5e9,
        title='with "quotes"',
    )
    again = study_from_tables(json.loads(json.dumps(study.as_tables())))
    assert again.as_tables() == study.as_tables()
    assert np.array_equal(again.times, study.times)
    assert (again.seed, again.memory_budget, again.model.unit) == (2**62, 1.5e9, "Hz")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"start": 0, "stop": 1, "num": 3}, [0.0, 0.5, 1.0]),
        ({"start": 2.0, "stop": 0.0, "num": 3, "spacing": "linear"}, [2.0, 1.0, 0.0]),
        ({"start": 0.01, "stop": 1.0, "num": 3, "spacing": "log"}, [0.01, 0.1, 1.0]),
        ({"values": [0.1, 0.7]}, [0.1, 0.7]),
        ([0.1, 0.7], [0.1, 0.7]),
    ],
)
def test_ranges(spec, expected):
    assert expand("run.times", spec) == pytest.approx(expected, rel=1e-14)


def test_a_range_is_written_short_only_if_it_gives_the_same_numbers():
    assert shortest(np.linspace(0, 1, 81)) == {"start": 0.0, "stop": 1.0, "num": 81}
    nearly = np.linspace(0, 1, 81)
    nearly[3] = np.nextafter(nearly[3], 1)
    assert same(shortest(nearly), {"values": nearly.tolist()})
    assert shortest([0.5]) == {"values": [0.5]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4 GB", 4e9), ("512MB", 512e6), ("1.5 GiB", 1.5 * 2**30), (" 64 kB ", 64e3), (1000, 1000.0)],
)
def test_memory_budgets(tables, text, expected):
    tables["run"]["memory_budget"] = text
    assert study_from_tables(tables).memory_budget == expected


def test_the_unit_may_stand_at_the_top_or_in_run(tables):
    del tables["run"]["unit"]
    assert study_from_tables({**tables, "unit": "Gamma"}).model.unit == "Gamma"
    tables["run"]["unit"] = "Gamma"
    assert study_from_tables({**tables, "unit": "Gamma"}).model.unit == "Gamma"


def test_without_a_method_simulate_will_choose(tables):
    del tables["method"]
    assert study_from_tables(tables).method is None


def test_sweeps_are_carried_as_lists(tmp_path):
    study = read_study(written(tmp_path, TEXT + SWEEP))
    assert study.sweep == {
        "hamiltonian.0.j_z": [-4.0, -2.0, 0.0, 2.0],
        "ensemble.shape": [[2, 2], [3, 3]],
        "run.seed": [1, 2],
        "method.n_trajectories": [40, 50],
    }
    again = json.loads(json.dumps(study.as_tables()))
    assert study_from_tables(again).as_tables() == again


def test_with_value_leaves_the_original_alone(tables):
    before = copy.deepcopy(tables)
    changed = with_value(tables, "hamiltonian.0.j_z", 5.0)
    assert changed["hamiltonian"][0]["j_z"] == 5.0
    assert tables == before


def test_a_study_with_a_sweep_runs_as_one(tables):
    study = study_from_tables({**tables, "sweep": {"run.seed": [1, 2]}})
    told = []
    data = sq.run_study(study, progress=told.append)
    assert data["seed"].values.tolist() == [1, 2]
    assert told[-1] == 1.0


@pytest.fixture
def steady(tables):
    del tables["run"]["times"], tables["pulses"], tables["initial_state"], tables["method"]
    tables["run"]["steady_state"] = True
    tables["ensemble"] = {"spins": 6}
    tables["hamiltonian"] = [{"term": "drive", "rabi": 1.0}]
    tables["jumps"] = [{"term": "local_decay", "rate": 0.5}]
    return tables


def test_a_steady_state_runs_and_can_be_rerun_from_itself(steady):
    study = study_from_tables(steady)
    assert study.steady_state
    assert study_from_tables(study.as_tables()).as_tables() == study.as_tables()
    data = sq.run_study(study)
    # One spin: <s_z> = -(1/2)/(1 + 2 rabi^2/rate^2).
    expected = -6 / 2 / (1 + 2 / 0.25)
    assert float(data["spin"].sel(axis="z")) == pytest.approx(expected, abs=1e-9)
    again = sq.run_study(study_from_tables(json.loads(data.attrs["study"])))
    np.testing.assert_array_equal(again["spin"].values, data["spin"].values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jumps": []}, r"^run: a steady state needs at least one jump; this model is closed$"),
        (
            {"initial_state": {"dicke": 0.5}},
            r"^initial_state.dicke: must be one of -N/2, ..., N/2 in steps of 1 with N = 6, got",
        ),
        ({"pulses": [{"time": 0, "axis": "x", "angle": 1}]}, r"^run: pulses have no place"),
    ],
)
def test_a_steady_state_refuses(steady, changes, message):
    with pytest.raises(InvalidInput, match=message):
        study_from_tables({**steady, **changes})


def test_a_study_hands_every_part_to_its_method(tables, monkeypatch):
    study = study_from_tables({**tables, "run": {**tables["run"], "memory_budget": 5e8}})
    asked = []
    plain = type(study.method).answer
    monkeypatch.setattr(
        type(study.method), "answer", lambda self, q: asked.append((self, q)) or plain(self, q)
    )
    sq.run_study(study, progress=print)
    ((method, question),) = asked
    assert method is study.method
    assert question.model is study.model.canonical
    assert question.state is study.initial_state
    assert np.array_equal(question.times, study.times)
    assert len(question.pulses) == len(study.pulses)
    assert (question.seed, question.memory_budget, question.progress) == (study.seed, 5e8, print)


def test_what_is_no_study_is_refused():
    with pytest.raises(InvalidInput, match=r"study must be a Study.*read a file with read_study"):
        sq.run_study("study.toml")


def test_a_result_can_be_rerun_from_itself(tables):
    tables["method"] = {"name": "exact"}
    tables["ensemble"]["shape"] = [2, 2]
    data = sq.run_study(study_from_tables(tables))
    again = sq.run_study(study_from_tables(json.loads(data.attrs["study"])))
    np.testing.assert_array_equal(again["spin"].values, data["spin"].values)
    assert again.attrs["study"] == data.attrs["study"]
    assert data.attrs["title"] == tables["title"]


# --- mistakes ---

DROP = "(taken out)"
MISTAKES = [
    ("runn", {}, "runn: unknown key of a study; did you mean 'run'?"),
    ("title", 3, "title: must be a string, got 3"),
    ("ensemble", DROP, "ensemble: is missing; give [ensemble] with spins = 50, or shape"),
    ("ensemble", 3, "ensemble: must be a table, got 3"),
    ("hamiltonian", {}, "hamiltonian: must be a list of tables ([[hamiltonian]]), got {}"),
    ("hamiltonian.0", 3, "hamiltonian.0: must be a table, got 3"),
    ("hamiltonian.0.jz", 3, "hamiltonian.0.jz: unknown key of power_law_xxz; did you mean 'j_z'?"),
    ("hamiltonian.0.j_z", DROP, "hamiltonian.0.j_z: is missing; power_law_xxz needs j_perp and"),
    ("jumps", 3, "jumps: must be a list of tables ([[jumps]]), got 3"),
    ("cavity", [], "cavity: must be a table, got []"),
    ("initial_state", DROP, 'initial_state: is missing; give [initial_state] with coherent = "+x"'),
    ("initial_state", "+x", "initial_state: must be a table such as [initial_state] with coherent"),
    ("initial_state", {"dicke": 0}, "initial_state.dicke: must be one of -N/2, ..., N/2 in steps"),
    ("pulses", {}, "pulses: must be a list of tables ([[pulses]]), got {}"),
    ("pulses.0.time", 1.5, "pulses.0: comes at time 1.5, after the last output time 1"),
    ("pulses.0.sites", [9], "pulses.0.sites: must be below N = 9, got 9"),
    ("pulses.0.spin_class", 0, "pulses.0.spin_class: needs a model made of spin classes"),
    ("method", "dtwa", "method: must be a table such as [method] with name = \"dtwa\", got 'dtwa'"),
    ("method.name", DROP, "method.name: is missing; one of "),
    ("method.name", "dwta", "method.name: unknown method 'dwta'; did you mean 'dtwa'?"),
    ("method.name", 3, "method.name: unknown method 3; known: "),
    ("method.n_traj", 9, "method.n_traj: unknown key of dtwa; did you mean 'n_trajectories'?"),
    ("method.n_trajectories", "9", "method.n_trajectories: must be an integer, got '9' (str)"),
    (
        "run",
        DROP,
        "run.times: must be given with pulses, e.g. np.linspace(0, 1, 101), in a study file {",
    ),
    ("run", 3, "run: must be a table, got 3"),
    (
        "run.times",
        DROP,
        "run.times: must be given with pulses, e.g. np.linspace(0, 1, 101), in a study file {",
    ),
    (
        "run.times",
        "soon",
        "run.times: must be output times or \"auto\" (the run chooses), got 'soon'",
    ),
    ("run.times", 3, "run.times: must be a list or a range such as { start = 0.0, stop = 1.0, "),
    ("run.times", [], "run.times: must hold at least one number, got none"),
    (
        "run.times",
        [0.0, 0.5, 0.5],
        "run.times: must increase strictly, got 0.5 then 0.5 at index 1",
    ),
    ("run.times", [1.0, 0.5], "run.times: must increase strictly, got 1 then 0.5 at index 0"),
    ("run.times", [-0.5, 1.0], "run.times: must be at least 0, got -0.5"),
    ("run.times", [0.0, math.nan], "run.times: must be finite, got nan at index [1]"),
    ("run.times", ["a"], "run.times: must hold numbers only, got ['a']"),
    ("run.times.stop", DROP, "run.times.stop: is missing; a range needs start, stop and num"),
    ("run.times.stop", 0.0, "run.times.stop: must differ from start, got 0 for both"),
    ("run.times.num", 5.5, "run.times.num: must be an integer, got 5.5 (float)"),
    ("run.times.num", 1, "run.times.num: must be at least 2, got 1"),
    ("run.times.nums", 5, "run.times.nums: unknown key of a range; did you mean 'num'?"),
    ("run.times.spacing", "lgo", "run.times.spacing: must be one of linear, log, got 'lgo'; did"),
    ("run.times.spacing", "log", "run.times.start: must be above 0 like stop for spacing = 'log'"),
    ("run.times.values", [1], "run.times: give either values or start, stop and num, not both"),
    ("run.times", {"values": 3}, "run.times.values: must be a list of numbers, got 3"),
    ("run.values", [1], "run.values: unknown key of [run]; write times = [...]"),
    ("run.sed", 3, "run.sed: unknown key of [run]; did you mean 'seed'?"),
    ("run.seed", -1, "run.seed: must be at least 0, got -1"),
    ("run.seed", 1.5, "run.seed: must be an integer, got 1.5 (float)"),
    ("run.seed", True, "run.seed: must be an integer, got True (bool)"),
    ("run.unit", 3, "run.unit: must be a string, got 3"),
    ("unit", "Hz", "run.unit: is 'J' but unit is 'Hz'; give it once"),
    ("run.steady_state", "yes", "run.steady_state: must be true or false, got 'yes'"),
    ("run.steady_state", True, "run.times: has no place next to steady_state = true; leave one"),
    ("run.memory_budget", "4 gigs", "run.memory_budget: must be a number of bytes or a text such"),
    ("run.memory_budget", "0 GB", "run.memory_budget: must be a number of bytes or a text such"),
    (
        "run.memory_budget",
        "1.2.3 GB",
        "run.memory_budget: must be a number of bytes or a text such",
    ),
    ("run.memory_budget", -5, "run.memory_budget: must be above 0, got -5"),
    ("run.memory_budget", math.inf, "run.memory_budget: must be finite, got inf"),
    ("sweep", {}, 'sweep: is empty; name a path such as "hamiltonian.0.j_z" = [-1, 1]'),
    ("sweep", {"hamiltonian.0.j_z": 3}, "sweep.hamiltonian.0.j_z: must be a list or a range such"),
    ("sweep", {"hamiltonian.0.j_z": []}, "sweep.hamiltonian.0.j_z: must hold at least one value"),
    ("sweep", {"hamiltonian.0.j_z": [1, 1]}, "sweep.hamiltonian.0.j_z: must not repeat a value"),
    (
        "sweep",
        {"hamiltonian.0.jz": [1]},
        "sweep.hamiltonian.0.jz: value 1: hamiltonian.0.jz: unknown key of power_law_xxz; did you",
    ),
    (
        "sweep",
        {"hamiltonian.0.j_z": [1.0, "a"]},
        "sweep.hamiltonian.0.j_z: value 'a': hamiltonian.0.j_z: must be a real number, got 'a'",
    ),
    (
        "sweep",
        {"hamiltonian.2.j_z": [1]},
        "sweep.hamiltonian.2.j_z: hamiltonian has entries 0 to 0, there is no '2'",
    ),
    (
        "sweep",
        {"hamiltonain.0.j_z": [1]},
        "sweep.hamiltonain.0.j_z: must be a dotted path into the study such as hamiltonian.0.j_z; "
        "did you mean 'hamiltonian'?",
    ),
    ("sweep", {"title": ["a"]}, "sweep.title: must be a dotted path into the study such as"),
    ("sweep", {"cavity.detuning": [1]}, "sweep.cavity.detuning: there is no cavity in the study"),
    (
        "sweep",
        {"hamiltonian.0.j_z.times": [1]},
        "sweep.hamiltonian.0.j_z.times: hamiltonian.0.j_z holds -2.0 and has no parts",
    ),
    (
        "sweep",
        {"run.seed": {"begin": 1}},
        "sweep.run.seed.begin: must be a list or a range such as",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES, ids=lambda v: str(v)[:40])
def test_mistakes_begin_with_their_dotted_path(tables, path, value, message):
    *way, last = path.split(".")
    spot = tables
    for key in way:
        spot = spot[int(key) if key.isdecimal() else key]
    if value is DROP:
        del spot[last]
    else:
        spot[int(last) if last.isdecimal() else last] = value
    with pytest.raises(InvalidInput, match="^" + re.escape(message)) as caught:
        study_from_tables(tables)
    assert "\n" not in str(caught.value)


def test_several_mistakes_are_counted(tables):
    tables["ensembel"] = tables.pop("ensemble")
    message = r"^ensembel: unknown key of a study; did you mean 'ensemble'\? \(and 1 more\)$"
    with pytest.raises(InvalidInput, match=message):
        study_from_tables(tables)


@pytest.mark.parametrize("value", [[], 3, None])
def test_a_study_must_be_a_table(value):
    with pytest.raises(InvalidInput, match=r"^study: must be a table, got"):
        study_from_tables(value)


def test_an_empty_study():
    with pytest.raises(InvalidInput, match=r"^study: is empty; give at least \[ensemble\] and"):
        study_from_tables({})


FILES = [
    (b"", "study {} is empty; give at least [ensemble] and [initial_state]"),
    (b" \n\t\n", "study {} is empty; give at least [ensemble] and [initial_state]"),
    (b"[ensemble]\nspins = = 3\n", "study {} is not TOML: line 2, column 9: invalid value"),
    (b"[ensemble]\nspins = 3\nspins = 4\n", "study {} is not TOML: line 3, column 10: cannot over"),
    (b"[ensemble\n", "study {} is not TOML: line 1, column 10: expected"),
    (b'title = "no end', "study {} is not TOML: end of document: "),
    (b"[ensemble]\ntitle = '\xff\xfe'\n", "study {} is not UTF-8 text (line 2); save it as UTF-8"),
    (b"\x89HDF\r\n\x1a\n" + bytes(90), "study {} is a result file (netCDF), not a study; try"),
    (b"x = " + b"[" * 100_000, "study {} is nested too deeply to be a study"),
]


@pytest.mark.parametrize(("raw", "message"), FILES, ids=lambda v: str(v)[:30])
def test_files_that_are_no_studies(tmp_path, raw, message):
    path = written(tmp_path, raw)
    with pytest.raises(FileProblem, match="^" + re.escape(message.format(path))) as caught:
        read_study(path)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(
        FileProblem,
        match=r"nope.toml does not exist; spinsqueeze platforms writes one to begin with$",
    ):
        read_study(tmp_path / "nope.toml")
    with pytest.raises(FileProblem, match=r"is a folder; name a file such as"):
        read_study(tmp_path)
    with pytest.raises(FileProblem, match=r"cannot be read: .*null"):
        read_study("a\0b.toml")
    with pytest.raises(FileProblem, match=r"cannot be read: Not a directory"):
        read_study(written(tmp_path, TEXT) / "study.toml")
    monkeypatch.setattr(study_module, "MAX_FILE_BYTES", 10)
    with pytest.raises(FileProblem, match=r"is larger than 1 GB: not a study file$"):
        read_study(tmp_path / "study.toml")


def test_mistakes_in_a_file_name_the_file(tmp_path):
    path = written(tmp_path, TEXT.replace("j_z", "jz"))
    message = f"{path}: hamiltonian.0.jz: unknown key of power_law_xxz; did you mean 'j_z'?"
    with pytest.raises(InvalidInput, match="^" + re.escape(message)):
        read_study(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": 3}, r"^title must be a string, got 3$"),
        ({"title": "a\0b"}, r"^title must not hold the sign NUL, got 'a.x00b'; leave it out$"),
        (
            {"times": "soon"},
            r"^times must be output times or \"auto\" \(the run chooses\), got 'soon'; write numb",
        ),
        (
            {"initial_state": None},
            r"must be given, e.g. CoherentState\('\+x'\), or steady_state=True$",
        ),
        ({"steady_state": True}, r"^times have no place in a steady state"),
        ({"steady_state": True, "times": None, "seed": -1}, r"^seed must be at least 0, got -1$"),
        (
            {"steady_state": True, "times": None, "memory_budget": 0},
            r"^memory_budget must be above 0, got 0$",
        ),
        ({"times": []}, r"^times must hold at least one number, got none$"),
        ({"model": 3}, r"^model must be a SpinModel, got 3; give SpinModel"),
        ({"initial_state": "+x"}, r"^initial_state must be a state such as CoherentState"),
    ],
)
def test_studies_made_in_python_are_checked(changes, message):
    parts = {
        "model": SpinModel(Lattice(4), jumps=[LocalDecay(1.0)]),
        "initial_state": CoherentState("+x"),
        "times": [0.0, 1.0],
        **changes,
    }
    with pytest.raises(SpinSqueezeError, match=message):
        Study(parts.pop("model"), **parts)
