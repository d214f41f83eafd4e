"""Studies of a laboratory: the table [lab], results in both units, sweeps, files and pictures."""

import copy
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.results.dataset import warnings_of
from spinsqueeze.run.study_file import study_from_tables
from spinsqueeze.run.sweep_plan import shape_of

STUDY = """
[lab]
n_atoms = 6
g_hz = 150.0
kappa_hz = 150e3
gamma_hz = 0.016
detuning_hz = -150e3
rabi_hz = 0.5
keep_cavity = false

[initial_state]
coherent = "-x"

[method]
name = "permutation_invariant"

[run]
times = [0.0, 0.2, 0.4, 0.6]
"""
MEAN_FIELD = {"name": "mean_field", "next_order": False}


def tables(**lab):
    study = tomllib.loads(STUDY)
    study["lab"] |= lab
    return study


def run(study):
    return sq.run_study(study_from_tables(study))


def test_a_result_counts_time_in_seconds_and_in_both_rates():
    data = run(tables())
    assert (data.attrs["unit"], data["time"].attrs["units"]) == ("1/s", "s")
    # 4 g^2 kappa/(4 detuning^2 + kappa^2) with detuning = kappa.
    decay = 2 * np.pi * 4 * 150.0**2 / (5 * 150e3)
    for name in ("time_times_gamma", "time_times_chi"):
        np.testing.assert_allclose(data[name], decay * np.array([0.0, 0.2, 0.4, 0.6]), rtol=1e-12)
        assert data[name].attrs["units"] == "1"
    assert data.attrs["lab_cooperativity"] == pytest.approx(4 * 150.0**2 / (150e3 * 0.016))
    assert data.attrs["lab_collective_cooperativity"] == 6 * data.attrs["lab_cooperativity"]
    assert data.attrs["lab_coupling_ratio"] == pytest.approx(6**0.5 * 150 / np.hypot(75e3, 150e3))
    assert float(data["xi2"].min()) < 0.95


def test_a_result_is_run_again_from_its_file(tmp_path):
    data = run(tables())
    sq.save(data, tmp_path / "lab.nc")
    loaded = sq.load(tmp_path / "lab.nc")
    study = json.loads(loaded.attrs["study"])
    assert study["lab"] == tables()["lab"]
    assert set(study) == {"unit", "lab", "initial_state", "method", "run"}
    again = sq.run_study(sq.study_of(loaded))
    assert again.drop_attrs().identical(loaded.drop_attrs())
    for name in data.attrs:
        if name.startswith("lab_"):
            assert again.attrs[name] == loaded.attrs[name]


def test_the_model_in_python_is_that_of_the_table():
    numbers = {k: v for k, v in tables()["lab"].items() if k != "keep_cavity"}
    setup = sq.cavity_from_lab(**numbers)
    data = sq.simulate(
        setup.eliminated.model,
        sq.CoherentState("-x"),
        [0.0, 0.2, 0.4, 0.6],
        method=sq.PermutationInvariant(),
    )
    assert data.drop_attrs().identical(run(tables()).drop_attrs())
    assert data.attrs["study"] == run(tables()).attrs["study"]
    with pytest.raises(InvalidInput, match=r"; give its \.model or its \.eliminated\.model$"):
        sq.simulate(setup, sq.CoherentState("-x"), [0.1])


def test_keep_cavity_chooses_the_model_and_both_agree_where_the_cavity_is_fast():
    many = {"n_atoms": 6 * 10**6, "g_hz": 0.15}
    kept, alone = (
        run(tables(**many, keep_cavity=keep) | {"method": MEAN_FIELD}) for keep in (True, False)
    )
    assert "photon_number" in kept
    assert "photon_number" not in alone
    # They differ by orders of 1/N and N Gamma/kappa.
    np.testing.assert_allclose(kept["spin"] / 3e6, alone["spin"] / 3e6, atol=2e-5)
    default = tables()
    del default["lab"]["keep_cavity"]
    assert study_from_tables(default).model.cavity is not None


def test_a_doubtful_elimination_is_a_warning_in_the_result():
    slow = {"g_hz": 4e4, "kappa_hz": 150e3}
    study = tables(**slow) | {"method": MEAN_FIELD}
    study["run"] = {"times": [0.0, 1e-7]}
    (concern,) = warnings_of(run(study))
    assert concern.startswith("elimination: the spins change at a rate up to ")
    study["lab"]["keep_cavity"] = True
    assert warnings_of(run(study)) == []


def test_numbers_of_the_laboratory_are_swept(tmp_path):
    study = tables() | {"sweep": {"lab.detuning_hz": [-150e3, 0.0], "lab.n_atoms": [2, 6]}}
    data = sq.sweep(study, workers=0, store=tmp_path / "store")
    assert data["xi2"].dims == ("detuning_hz", "n_atoms", "time")
    assert (data["status"] == "done").all()
    np.testing.assert_allclose(data["lab_chi_hz"][1], 0.0)
    assert data["lab_chi_hz"].attrs["long_name"] == "exchange chi/2pi in Hz"
    times = data["time_times_chi_of_point"].isel(detuning_hz=0, n_atoms=1)
    alone = run(tables())
    np.testing.assert_array_equal(times, alone["time_times_chi"])
    point = data.isel(detuning_hz=0, n_atoms=1)
    again = sq.run_study(sq.study_of(point))
    assert again.drop_attrs().identical(alone.drop_attrs())
    assert again.attrs["lab_chi_hz"] == float(point["lab_chi_hz"])
    assert sq.run_study(sq.study_of(data)).drop_attrs().equals(data.drop_attrs())
    figure = sq.plot.sweep(data.isel(n_atoms=1), quantity="lab_collective_decay_hz")
    assert figure.axes[0].get_ylabel() == "collective decay Gamma/2pi in Hz"


def test_strengths_share_the_shape_of_a_batch():
    assert shape_of({"lab.g_hz": 2.0}) == shape_of({"lab.g_hz": 3.0})
    assert shape_of({"lab.n_atoms": 2}) != shape_of({"lab.n_atoms": 3})
    assert shape_of({"lab.detuning_hz": 0.0}) != shape_of({"lab.detuning_hz": 3.0})


def test_the_steady_state_has_no_time():
    study = tables() | {"run": {"steady_state": True}}
    del study["initial_state"]
    data = run(study)
    assert "time_times_gamma" not in data.coords
    assert data.attrs["lab_chi_hz"] > 0


def test_samples_merge_and_keep_their_units():
    study = tables() | {"method": {"name": "trajectories", "n_trajectories": 8}}
    parts = []
    for seed in (1, 2):
        study["run"]["seed"] = seed
        parts.append(run(study))
    data = sq.merge(parts)
    np.testing.assert_array_equal(data["time_times_gamma"], parts[0]["time_times_gamma"])
    assert data.attrs["lab_cooperativity"] == parts[0].attrs["lab_cooperativity"]


def test_the_best_rabi_frequency_is_found():
    best = sq.optimise(tables(), over={"lab.rabi_hz": (0.1, 2.0)}, max_evaluations=12)
    assert best.value <= float(run(tables())["xi2"].min())
    assert sq.study_of(best.data).model.lab.numbers.rabi_hz == best.values["lab.rabi_hz"]


def test_envelopes_are_in_hertz_and_seconds():
    times = np.linspace(0.0, 1.0, 80)
    table = {"times": times.tolist(), "values": (0.5 + times).tolist()}
    data = run(tables(rabi_hz=table))
    arrays = {c.attrs["path"]: c.attrs["units"] for n, c in data.coords.items() if "study_" in n}
    assert arrays == {"lab.rabi_hz.times": "s", "lab.rabi_hz.values": "Hz"}
    again = sq.run_study(sq.study_of(data))
    assert again.drop_attrs().identical(data.drop_attrs())


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lab.toml").write_text(STUDY)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_the_command_line_says_both_units_and_draws(capsys):
    assert main(["run", "lab.toml", "--plot", "lab.png"]) == 0
    said = capsys.readouterr().out
    for words in (
        "\ntime ",
        " N Gamma t = ",
        "cooperativity C = 4 g^2/(kappa gamma) = 37.5 of one atom, N C = 225",
        "chi/2pi = 120 mHz, chi = 0.754 1/s = 1/(1.326 s)",
        "elimination  holds: sqrt(N) g/",
        "model        spins alone, the cavity eliminated\n",
    ):
        assert words in said
    assert Path("lab.png").stat().st_size > 10_000
    assert main(["info", "lab.nc"]) == 0
    assert "N C = 225" in capsys.readouterr().out
    with Path("lab.toml").open("a") as file:
        file.write('[sweep]\n"lab.g_hz" = [100.0, 150.0]\n')
    assert main(["sweep", "lab.toml", "-o", "sweep.nc", "--workers", "0", "--plot", "s.png"]) == 0
    capsys.readouterr()
    assert main(["info", "sweep.nc"]) == 0
    assert "lab          lab(n_atoms = 6, g_hz = 150.0," in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lab": 3}, r"^lab: must be a table such as \[lab\] with n_atoms = 10000, got 3$"),
        (
            {"ensemble": {"spins": 3}},
            r"^ensemble: must not stand next to \[lab\], which makes atom",
        ),
        ({"cavity": {"coupling": 1.0}}, r"^cavity: must not stand next to \[lab\], which makes"),
        ({"unit": "Hz"}, r"^unit: must be '1/s' next to \[lab\], got 'Hz': its frequencies become"),
        ({"run": {"times": [1.0], "unit": "J"}}, r"^run.unit: must be '1/s' next to \[lab\], got"),
        ({"jumps": [{"term": "local_decay", "rate": -1}]}, r"^jumps.0.rate: must be at least 0"),
    ],
)
def test_a_mistake_beside_the_table_is_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        study_from_tables(tables() | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"g_hz": -1}, r"^lab.g_hz: must be above 0, got -1; it is a size, without a sign$"),
        ({"keep_cavity": 1}, r"^lab.keep_cavity: must be true or false, got 1$"),
        ({"kapa_hz": 1.0}, r"^lab.kapa_hz: unknown key of the table \[lab\]; did you mean 'kappa_"),
        ({"hamiltonian": []}, r"^lab.hamiltonian: unknown key of the table \[lab\]"),
        ({"rabi_hz": {"times": [0.0]}}, r"^lab.rabi_hz: must be a number or a table with times"),
    ],
)
def test_a_mistake_in_the_table_is_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        study_from_tables(tables(**changes))


def test_what_is_missing_is_named():
    study = copy.deepcopy(tables())
    del study["lab"]["g_hz"]
    with pytest.raises(
        InvalidInput, match=r"^lab.g_hz: is missing; the table \[lab\] needs n_atoms"
    ):
        study_from_tables(study)
    del study["lab"]
    with pytest.raises(InvalidInput, match=r"^ensemble: is missing; give \[ensemble\] with spins"):
        study_from_tables(study)


def test_a_swept_mistake_is_named():
    with pytest.raises(InvalidInput, match=r"^sweep.lab.g_hz: value -1.0: lab.g_hz: must be above"):
        study_from_tables(tables() | {"sweep": {"lab.g_hz": [1.0, -1.0]}})
