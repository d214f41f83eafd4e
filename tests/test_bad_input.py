"""Bad input at the front doors: one clear line, exit code 2, nothing computed, nothing written."""

import math
import re
import types
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.run.study import Study

# --- Python ---

ONE_AXIS = sq.SpinModel(8, hamiltonian=[sq.OneAxisTwisting(1.0)])
UP_X = sq.CoherentState("+x")
TIMES = [0.0, 0.1]
CUBE = sq.SpinModel(
    sq.Lattice((4, 4, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)]
)
LOSSY = sq.SpinModel(
    sq.Lattice((4, 4)),
    hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)],
    jumps=[sq.LocalDecay(0.1)],
)
MIRRORS = sq.SpinModel(
    sq.Lattice((4, 4)),
    hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)],
    cavity=sq.Cavity(1.0, decay_rate=1.0),
)
CAVITY = sq.SpinModel(8, cavity=sq.Cavity(1.0, decay_rate=1.0))


def xxz(**changes):
    return sq.PowerLawXXZ(**{"j_perp": 1.0, "j_z": 1.0, "exponent": 3.0, **changes})


def simulate(model=ONE_AXIS, state=UP_X, times=TIMES, **options):
    return sq.simulate(model, state, times, **options)


PYTHON = [
    # wrong types
    (lambda: xxz(j_z="1"), r"^j_z must be a real number, got '1' \(str\); write 1 without quotes$"),
    (lambda: xxz(j_z=[1.0]), r"^j_z must be a real number, got \[1.0\] \(list\)$"),
    (lambda: xxz(j_perp=1j), r"^j_perp must be a real number, got 1j \(complex\)$"),
    (lambda: xxz(j_perp=True), r"^j_perp must be a real number, got True \(bool\)$"),
    (lambda: sq.SpinModel(8.5), r"^spins must be an integer, got 8.5 \(float\)$"),
    (lambda: sq.SpinModel(8, hamiltonian=[3]), r"^hamiltonian must hold hamiltonian terms only"),
    (lambda: sq.Lattice("4x4"), r"sizes, got '4x4'; write \[4, 4\], without quotes$"),
    (lambda: simulate(model=3), r"^model must be a SpinModel, got 3; give SpinModel\(...\) with"),
    (
        lambda: simulate(state="+x"),
        r"^initial_state must be a state such as CoherentState\('\+x'\)",
    ),
    (lambda: simulate(method=3), r"^method must be a method such as DTWA\(n_trajectories=500\) or"),
    (lambda: simulate(method="dwta"), r"^method 'dwta' does not exist; did you mean 'dtwa'\?$"),
    (lambda: simulate(pulses=[3]), r"^pulses\[0\] must be a Pulse, got 3$"),
    (lambda: simulate(seed=1.5), r"^seed must be an integer, got 1.5 \(float\)$"),
    (
        lambda: simulate(progress=3),
        r"^progress must be a function of the fraction done, or True for a bar, got 3$",
    ),
    (lambda: sq.DTWA(n_trajectories="500"), r"^n_trajectories must be an integer, got '500'"),
    (lambda: sq.OneAxisTwisting(math.sin), r"^chi is a function: tabulate it first with Envelope"),
    # NaN and infinity
    (lambda: xxz(j_z=math.nan), r"^j_z must be a number, got NaN; give a finite value$"),
    (lambda: xxz(j_z=math.inf), r"^j_z must be finite, got inf$"),
    (lambda: xxz(exponent=math.nan), r"^exponent must be a number, got NaN; give a finite value$"),
    (lambda: xxz(exponent=-math.inf), r"^exponent must be finite, got -inf$"),
    (lambda: sq.UniformField([0, math.nan, 0]), r"^vector must be finite, got nan at index \[1\]$"),
    (lambda: sq.SpinClass(3, detuning=math.inf), r"^detuning must be finite, got inf$"),
    (lambda: simulate(times=[0.0, math.inf]), r"^times must be finite, got inf at index \[1\]$"),
    (
        lambda: sq.Envelope([0, 1], values=[0, math.nan]),
        r"^envelope values must be finite, got nan at index \[1\]$",
    ),
    # negative where it must not be
    (lambda: sq.LocalDecay(-0.1), r"^rate must be at least 0, got -0.1$"),
    (lambda: sq.LocalDephasing([0.1, -0.2]), r"^rate must be at least 0, got -0.2$"),
    (
        lambda: sq.CollectiveDecay(sq.Envelope([0, 1], values=[1, -1])),
        r"^rate must be at least 0 at all times, got -1$",
    ),
    (lambda: sq.Cavity(1.0, decay_rate=-1.0), r"^decay_rate must be at least 0, got -1$"),
    (lambda: xxz(exponent=-1), r"^exponent must be at least 0, got -1$"),
    (lambda: simulate(seed=-1), r"^seed must be at least 0, got -1$"),
    (lambda: simulate(memory_budget=-1.0), r"^memory_budget must be above 0, got -1$"),
    (lambda: sq.Pulse(-1.0, axis="x", angle=1.0), r"^pulse time must be at least 0, got -1$"),
    # directions and vectors
    (
        lambda: sq.CoherentState([0, 0, 0]),
        r"^direction must be a unit vector, got the zero vector$",
    ),
    (
        lambda: sq.CoherentState([3, 4, 0]),
        r"^direction must be a unit vector, got length 5; divide by it: \[0.6, 0.8, 0\]$",
    ),
    (lambda: sq.CoherentState("up"), r"^direction must be one of \+x, -x, \+y, -y, \+z, -z or a"),
    (lambda: sq.ProductState([[0, 0, 1], [0, 0, 0]]), r"^directions must be unit .* at spin 1"),
    (
        lambda: simulate(state=sq.ProductState([[0, 0, 1]])),
        r"^ProductState needs one direction a spin: got 1 for 8 spins$",
    ),
    (lambda: simulate(state=sq.DickeState(0.5)), r"^m must be one of -N/2, ..., N/2 in steps of 1"),
    (
        lambda: sq.CollectiveJump(1.0, vector=[0, 0, 0]),
        r"^vector must not be the zero vector; leave the term out instead$",
    ),
    (lambda: sq.LocalJump(1.0, vector=[1, 0]), r"^vector must be three numbers \(x, y, z\)"),
    (lambda: sq.OneAxisTwisting(1.0, axis="w"), r"^axis must be 'x', 'y' or 'z', got 'w'$"),
    # matrices
    (
        lambda: sq.PairCoupling([[0, 1], [2, 0]]),
        r"^matrix must be symmetric, got 1 at \[0\]\[1\] and 2 at \[1\]\[0\]$",
    ),
    (
        lambda: sq.PairCoupling([[0, 1], [1, 3]]),
        r"^matrix must have a zero diagonal, got 3 at \[1\]\[1\]: a spin does not couple to itse",
    ),
    (lambda: sq.PairCoupling([[0, 1, 2], [1, 0, 2]]), r"^matrix must be square, got 2 x 3$"),
    (lambda: sq.PairCoupling([[0, 1], [1]]), r"^matrix must be a regular array"),
    (
        lambda: sq.PairCoupling([[0, 1], [1, 0]], tensor=np.arange(9).reshape(3, 3)),
        r"^tensor must be symmetric, got 1 at \[0\]\[1\] and 3 at \[1\]\[0\]; use \(tensor \+",
    ),
    (lambda: sq.CollectiveQuadratic(np.eye(2)), r"^matrix must have shape 3 x 3, got 2 x 2$"),
    # times
    (lambda: simulate(times=[]), r"^times must hold at least one number, got none$"),
    (
        lambda: simulate(times=[0.2, 0.1]),
        r"^times must increase .* got 0.2 then 0.1 .*; sort them$",
    ),
    (lambda: simulate(times=[0.1, 0.1]), r"^times must .* 0.1 then 0.1 at index 0; leave one out$"),
    (lambda: simulate(times=[-0.1, 0.1]), r"^times must be at least 0, got -0.1$"),
    (
        lambda: simulate(times="now"),
        r"^times must be output times or \"auto\" .the run chooses., got",
    ),
    (
        lambda: simulate(times=(0, 2.5, 101)),
        r"^times are .0, 2.5, 101.: three times, or np.linspace.0, 2.5, 101.\? Write .0, ",
    ),
    (
        lambda: simulate(times=None, pulses=[sq.Pulse(0.5, axis="x", angle=1.0)]),
        r"^times must be given with pulses, e.g. np.linspace",
    ),
    (
        lambda: simulate(times="auto", losses=sq.Losses(rate=0.1)),
        r"^times must be given with losses, e.g. np.linspace",
    ),
    (
        lambda: simulate(pulses=[sq.Pulse(0.5, axis="x", angle=1.0)]),
        r"^pulses\[0\] comes at time 0.5, after the last output time 0.1: it would change nothing$",
    ),
    (
        lambda: simulate(pulses=[sq.Pulse(0.1, axis="x", angle=1.0, sites=[8])]),
        r"^pulses\[0\].sites must be below N = 8, got 8$",
    ),
    # pairs of model and method that do not fit
    (
        lambda: simulate(LOSSY, method="exact"),
        r"^Exact needs 9.96 TB \(.* of 65536 states of the spins\); the budget is 4 GB: raise",
    ),
    (lambda: simulate(CUBE, method="closed_form"), r"^ClosedForm cannot do this: [^(]"),
    (lambda: simulate(CAVITY, method="dtwa"), r"^DTWA cannot do this: [^(]"),
    (
        lambda: simulate(state=sq.DickeState(0), method="dtwa"),
        r"^DTWA cannot do this: [^(]",
    ),
    (lambda: simulate(MIRRORS), r"^no method fits this model. ClosedForm: "),
    (lambda: simulate(method="dtwa", keep_state=True), r"^keep_state: DTWA has no state to keep"),
    # sizes beyond the budget
    (lambda: simulate(CUBE, method="exact"), r"(?i)exact.*(needs|cannot).*64"),
    (
        lambda: simulate(CUBE, method=sq.DTWA(n_trajectories=100), memory_budget=1e3),
        r"^DTWA needs .*; the budget is 1 kB: raise memory_budget or use another method$",
    ),
    (lambda: sq.SpinModel(10**13), r"^spins must be at most 1000000000000, got .* smaller number"),
    (lambda: sq.Lattice((2**16, 2**16)), r"^shape must hold at most 2147483647 sites"),
    # results
    (lambda: sq.optimum({}), r"^data must be a Dataset.*got dict; give what simulate"),
    (
        lambda: sq.optimum(xr.DataArray([1.0], dims="time", name="xi2")),
        r"got its variable 'xi2'; give the whole result: optimum\(data\), not optimum\(data.xi2\)",
    ),
    (lambda: sq.optimum(xr.DataArray([1.0])), r"got a DataArray; give the whole result"),
    (lambda: sq.optimum("run.nc"), r"file name 'run.nc'; load the file: optimum\(load\('run.nc'\)"),
    (lambda: sq.optimum(Path("run.nc")), r"load the file: optimum\(load\('run.nc'\)"),
    (lambda: sq.final_state(simulate()), r"^data holds no final state: run simulate with keep"),
    (
        lambda: sq.compare(MIRRORS, UP_X, TIMES),
        r"^compare needs two methods that fit, got 0",
    ),
    (lambda: sq.compare(ONE_AXIS, UP_X), r'^times must be given, or "auto": a closed model has no'),
    (lambda: sq.load("nope.nc"), r"^result file nope.nc does not exist$"),
    (lambda: sq.save(simulate(), "nope/out.nc"), r"^output folder nope does not exist"),
]


@pytest.mark.parametrize(
    ("call", "message"), PYTHON, ids=lambda v: "" if callable(v) else str(v)[:50]
)
def test_python(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(sq.SpinSqueezeError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


# --- the command line ---

STUDY = """
[ensemble]
shape = [4, 4]
[[hamiltonian]]
term = "power_law_xxz"
j_perp = 2.0
j_z = -2.0
exponent = 3.0
[initial_state]
coherent = "+x"
[method]
name = "exact"
[run]
times = { start = 0.0, stop = 1.0, num = 81 }
"""
LONG = """times = { start = 0.0, stop = 1.0, num = 81 }"""
STUDIES = [
    # what to replace, by what, the message
    ("[ensemble]", "[ensembel]", "ensembel: unknown key of a study; did you mean 'ensemble'?"),
    ("shape", "shpae", "ensemble.shpae: unknown key of the ensemble; did you mean 'shape'?"),
    ("[4, 4]", "[4, 4.5]", "ensemble.shape.1: must be an integer, got 4.5 (float)"),
    ("[4, 4]", "[0, 4]", "ensemble.shape.0: must be at least 1, got 0"),
    ("[4, 4]", "[4, 4]\nboundary = 'wall'", "ensemble.boundary: must be one of periodic, open"),
    ("[4, 4]", "[4, 4]\nfilling = -0.5", "ensemble.filling: must be above 0, got -0.5"),
    ("shape = [4, 4]", "spins = 'ten'", "ensemble.spins: must be an integer, got 'ten' (str)"),
    ("shape = [4, 4]", "spins = 16", "hamiltonian.0: PowerLawXXZ with exponent=3 needs distances"),
    ("power_law_xxz", "power_law", "hamiltonian.0.term: unknown term 'power_law'; did you mean"),
    ("j_perp = 2.0", "", "hamiltonian.0.j_perp: is missing; power_law_xxz needs j_perp and j_z"),
    ("j_perp = 2.0", "j_perb = 2.0", "hamiltonian.0.j_perb: unknown key of power_law_xxz; did you"),
    ("j_z = -2.0", "j_z = nan", "hamiltonian.0.j_z: must be a number, got NaN"),
    ("j_z = -2.0", "j_z = inf", "hamiltonian.0.j_z: must be finite, got inf"),
    ("j_z = -2.0", "j_z = 2024-01-01", "hamiltonian.0.j_z: must be a real number, got datetime"),
    (
        "j_z = -2.0",
        "j_z = { times = [0.0, 1.0], values = [1.0] }",
        "hamiltonian.0.j_z: envelope times and values must have one length, got 2 and 1",
    ),
    ("exponent = 3.0", "exponent = -3.0", "hamiltonian.0.exponent: must be at least 0, got -3"),
    (
        "[initial_state]",
        '[[jumps]]\nterm = "local_decay"\nrate = -1.0\n[initial_state]',
        "jumps.0.rate: must be at least 0, got -1",
    ),
    (
        "[initial_state]",
        '[[jumps]]\nterm = "local_decay"\nrate = 1.0\n[initial_state]',
        "Exact needs 9.96 TB",
    ),
    ('coherent = "+x"', "coherent = [0, 0, 2]", "initial_state.coherent: must be a unit vector"),
    (
        'coherent = "+x"',
        "coherent = [0, 0, 0]",
        "initial_state.coherent: must be a unit vector, got",
    ),
    ('coherent = "+x"', "choerent = 1", "initial_state.choerent: unknown state; did you mean"),
    ('coherent = "+x"', "dicke = 0.5", "initial_state.dicke: must be one of -N/2, ..., N/2 in"),
    ('"exact"', '"exakt"', "method.name: unknown method 'exakt'; did you mean 'exact'?"),
    ('"exact"', '"exact"\nspeed = 3', "method.speed: unknown key of exact; "),
    ('"exact"', '"closed_form"', "ClosedForm cannot do this: "),
    (LONG, "times = []", "run.times: must hold at least one number, got none"),
    (LONG, "times = [1.0, 0.5]", "run.times: must increase strictly, got 1 then 0.5 at index 0"),
    (LONG, "times = { start = 0.0, stop = 1.0 }", "run.times.num: is missing; a range needs start"),
    (LONG, LONG + "\nseed = -3", "run.seed: must be at least 0, got -3"),
    (LONG, LONG + '\nmemory_budget = "lots"', "run.memory_budget: must be a number of bytes or a"),
    (LONG, LONG + '\nmemory_budget = "1 kB"', "Exact needs "),
    ("[4, 4]", "[16, 16]", "Exact cannot do this: "),
    (LONG, LONG + "\nsed = 3", "run.sed: unknown key of [run]; did you mean 'seed'?"),
    (LONG, LONG + '\n[sweep]\n"hamiltonian.0.jz" = [1]', "sweep.hamiltonian.0.jz: value 1: "),
    ("shape = [4, 4]", "shape = [4, 4", "is not TOML: line "),
    ("[run]", "[run", "is not TOML: line "),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def refused(words, capsys, folder):
    """Run a command that must fail: its one line on stderr."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("spinsqueeze: ")
    assert said.err.count("\n") == 1
    assert said.err.endswith("\n")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    return said.err


@pytest.mark.parametrize(("old", "new", "message"), STUDIES, ids=lambda v: str(v)[:40])
def test_studies(here, capsys, old, new, message):
    assert STUDY.count(old) == 1
    (here / "study.toml").write_text(STUDY.replace(old, new))
    assert message in refused(["run", "study.toml", "-o", "out.nc"], capsys, here)
    if "cannot do this" not in message and "needs " not in message.split(":")[0]:
        assert message in refused(["methods", "study.toml"], capsys, here)


@pytest.fixture
def idle(monkeypatch):
    """The computation must not even start."""

    def started(*_, **__):
        raise AssertionError("the run was started")

    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", started)


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["nope.toml"],
            "study nope.toml does not exist; spinsqueeze platforms writes one to begin with",
        ),
        (["."], "study . is a folder; name a file such as ./study.toml"),
        (["old.nc"], "result file old.nc is truncated or not netCDF"),
        (["empty.toml"], "study empty.toml is empty"),
        (["latin.toml"], "study latin.toml is not UTF-8 text (line 1); save it as UTF-8"),
        (["study.toml", "-o", "nope/out.nc"], "output folder nope does not exist"),
        (["study.toml", "-o", "folder"], "output folder is a folder"),
        (["study.toml", "-o", "old.nc"], "old.nc exists already; add --overwrite"),
        (["study.toml", "-o", "study.toml/out.nc"], "output folder study.toml does not exist"),
        (["study.toml", "-o", "study.toml"], "--output must not be the study file itself"),
        (["study.toml", "-o", "/proc/out.nc"], "output folder /proc is not writable"),
        (["study.toml", "--plot", "nope/out.png"], "output folder nope does not exist"),
        (["study.toml", "--plot", "out.gif"], "picture out.gif must end in .png, .pdf, .svg"),
        (["study.toml", "--plot", "study.toml"], "--plot must not be the study file itself"),
        (["study.toml", "-o", "a.png", "--plot", "a.png"], "--plot must not be the result file"),
        (["study.toml", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["study.toml", "--seed", "many"], "--seed"),
        (["study.toml", "--method", "exakt"], "'exakt' does not exist; did you mean 'exact'?"),
        (["study.toml", "--speed", "9"], "--speed"),
        (["study.toml", "study.toml"], "study.toml"),
        ([], "STUDY"),
    ],
    ids=str,
)
def test_the_words_after_run(here, capsys, words, message):
    (here / "folder").mkdir()
    (here / "old.nc").write_bytes(b"\x89HDF\r\n\x1a\n")
    (here / "empty.toml").write_text("\n")
    (here / "latin.toml").write_bytes("title = 'übel'".encode("latin-1"))
    assert message in refused(["run", *words], capsys, here)


def test_an_unknown_command(here, capsys):
    assert "No such command 'rnu'" in refused(["rnu", "study.toml"], capsys, here)
    assert "spinsqueeze run study.toml" in refused(["study.toml"], capsys, here)
    assert "spinsqueeze info old.nc" in refused(["old.nc"], capsys, here)
    assert "platforms NAME" in refused(["advise", "rydberg"], capsys, here)


@pytest.fixture
def results(here):
    """Result files that are not what they should be."""
    import xarray as xr

    data = sq.run_study(Study(ONE_AXIS, initial_state=UP_X, times=TIMES))
    sq.save(data, "good.nc")
    raw = (here / "good.nc").read_bytes()
    (here / "half.nc").write_bytes(raw[: len(raw) // 2])
    (here / "text.nc").write_text("not a result\n")
    (here / "empty.nc").write_bytes(b"")
    xr.Dataset({"temperature": ("x", [1.0])}).to_netcdf("foreign.nc", engine="h5netcdf")
    data.drop_vars(["spin", "xi2"]).to_netcdf("bare.nc", engine="h5netcdf")
    return here


@pytest.mark.parametrize("command", ["info", "plot"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope.nc", "result file nope.nc does not exist"),
        (".", "result . is a folder; name a file in it"),
        ("half.nc", "result file half.nc is truncated or not netCDF"),
        ("text.nc", "result file text.nc is truncated or not netCDF"),
        ("empty.nc", "result file empty.nc is truncated or not netCDF"),
        ("foreign.nc", "result file foreign.nc was not written by spinsqueeze"),
        ("study.toml", "study.toml is a study, which spinsqueeze run turns into a result"),
    ],
)
def test_results_that_are_none(results, capsys, command, name, message):
    assert message in refused([command, name], capsys, results)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plot", "good.nc", "-o", "nope/a.png"], "output folder nope does not exist"),
        (["plot", "good.nc", "-o", "a.txt"], "picture a.txt must end in .png, .pdf, .svg"),
        (["plot", "good.nc", "-o", "good.nc"], "picture good.nc must end in .png, .pdf, .svg"),
        (["plot", "bare.nc"], "xi2"),
        (["plot"], "FILE"),
        (["info"], "FILE"),
        (["info", "good.nc", "more.nc"], "more.nc"),
    ],
    ids=str,
)
def test_the_words_after_plot_and_info(results, capsys, words, message):
    assert message in refused(words, capsys, results)


@pytest.mark.usefixtures("results")
def test_a_result_without_spins_has_no_optimum(capsys):
    assert main(["info", "bare.nc"]) == 0
    assert "\nno optimum: data must be a spinsqueeze result" in capsys.readouterr().out


def test_the_tries_are_many():
    assert len(PYTHON) + len(STUDIES) >= 60
    assert all(isinstance(call, types.FunctionType) for call, _ in PYTHON)
    assert all(re.compile(message) for _, message in PYTHON)
