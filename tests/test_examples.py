"""Every example is read as it stands, runs at a small size, and shows the physics it tells of."""

import copy
import re
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.base.method import EXACT
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.results.grid import sweep_dims
from spinsqueeze.run.choice import default_method
from spinsqueeze.run.questions import evolve_question
from spinsqueeze.run.study_file import read_study, study_from_tables
from spinsqueeze.run.sweep import run_study, sweep
from spinsqueeze.run.theorem import squeezing_theorem

FOLDER = Path(__file__).parents[1] / "examples"
STEADY = ["emitters_xyz"]
WITHOUT_TIMES = ["rydberg_echo", "times_by_themselves", "twisting_in_hertz"]
EXAMPLES = sorted({path.stem for path in FOLDER.glob("*.toml")} - {*STEADY, *WITHOUT_TIMES})


def tables_of(name):
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def small(tables):
    """The same study with few spins, few samples and few times."""
    tables = copy.deepcopy(tables)
    ensemble = tables.get("ensemble", {})
    times = tables["run"]["times"]
    if "lab" in tables:  # fewer atoms with the same N g^2
        lab = tables["lab"]
        lab["g_hz"] *= (lab["n_atoms"] / 8) ** 0.5
        lab["n_atoms"] = 8
    elif "shape" in ensemble:
        ensemble["shape"] = [min(n, 4) for n in ensemble["shape"]]
        times["stop"] = min(times["stop"], 0.3)
    elif "classes" in ensemble:
        for entry in ensemble["classes"]:
            entry["count"] = 2
    elif tables["method"]["name"] != "closed_form":
        ensemble["spins"] = 8
    if tables["method"]["name"] == "dtwa":
        tables["method"]["n_trajectories"] = 100
    times["num"] = 7
    if "sweep" in tables:
        times["stop"] = 0.1  # before the mean spin is lost at any corner of the grid
        tables["sweep"] = small_sweep(tables["sweep"])
    return tables


def small_sweep(axes):
    """The ends of every axis; the first four realisations."""
    averaged = axes.get("average_over")
    for path, values in axes.items():
        if path == averaged:
            values["stop"], values["num"] = values["start"] + 3, 4
        elif path != "average_over":
            ends = [values["start"], values["stop"]] if isinstance(values, dict) else values
            axes[path] = [ends[0], ends[-1]]
    return axes


def exactly(tables):
    """The small study by the exact method, ending at the last time of the example."""
    tables = small(tables)
    tables["method"] = {"name": "exact"}
    return tables


def run(tables):
    study = study_from_tables(tables)
    return run_study(study) if study.sweep is None else sweep(study, workers=0)


def test_there_are_examples():
    assert {"dipolar_xxz_64x64", "spin_echo", "twist_untwist", "exact_4x4"} <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_reads_as_it_stands_and_its_method_fits(name):
    study = read_study(FOLDER / f"{name}.toml")
    assert study.title
    question = evolve_question(study.model, study.initial_state, study.times, pulses=study.pulses)
    assert isinstance(question, Evolve)
    study.method.require(question)
    assert study.method.cost(question).memory < 2e9


@pytest.mark.parametrize("name", EXAMPLES)
def test_runs_at_a_small_size(name):
    data = run(small(tables_of(name)))
    assert data.attrs["title"] == tables_of(name)["title"]
    assert data.attrs["unit"] == tables_of(name)["run"].get("unit", "1/s")
    assert data.sizes["time"] == 7
    for variable in ("xi2", "contrast", "total_spin_squared", "spin", "covariance"):
        assert np.isfinite(data[variable].values).all(), variable
    swept = dict(tables_of(name).get("sweep", {}))
    averaged = swept.pop("average_over", None)
    swept.pop(averaged, None)
    sampled = data.attrs["method"] == "dtwa" or averaged is not None
    assert ("xi2_stderr" in data) == sampled
    assert data["xi2"].values.min() < 0.9
    assert sweep_dims(data) == tuple(path.split(".")[-1] for path in swept)


@pytest.mark.parametrize("name", STEADY)
def test_a_steady_state_runs(name):
    tables = tables_of(name)
    assert tables["title"]
    tables["ensemble"]["spins"] = 8
    data = run(tables)
    assert data.attrs["title"] == tables["title"]
    first_order = squeezing_theorem(study_from_tables(tables).model).uniform.slope
    assert data["xi2"].item() - 1 == pytest.approx(first_order, rel=0.05)


def test_the_main_study_is_the_one_of_its_title():
    tables = tables_of("dipolar_xxz_64x64")
    (term,) = tables["hamiltonian"]
    assert tables["ensemble"]["shape"] == [64, 64]
    assert (term["j_perp"], term["j_z"], term["exponent"]) == (2.0, -2.0, 3.0)
    assert tables["method"] == {"name": "dtwa", "n_trajectories": 500}
    assert tables_of("exact_4x4")["hamiltonian"] == tables["hamiltonian"]


def test_the_echo_undoes_the_detunings_and_keeps_the_squeezing():
    tables = exactly(tables_of("spin_echo"))
    (pulse,) = tables["pulses"]
    tables["run"]["times"] = [pulse["time"], 2 * pulse["time"]]
    alike = copy.deepcopy(tables)
    for entry in alike["ensemble"]["classes"]:
        entry["detuning"] = 0.0
    detuned, plain = run(tables), run(alike)
    before, after = detuned["contrast"].values
    assert before < 0.8 < after
    for variable in ("xi2", "contrast", "total_spin_squared", "spin", "covariance"):
        np.testing.assert_allclose(
            detuned[variable].values[1], plain[variable].values[1], atol=1e-8, err_msg=variable
        )


def test_an_echo_that_dephases_ends_as_without_detunings_and_noise_costs_squeezing():
    tables = tables_of("echo_with_dephasing")
    alike, bare, quiet = (copy.deepcopy(tables) for _ in range(3))
    for entry in alike["ensemble"]["classes"]:
        entry["detuning"] = 0.0
    del bare["pulses"], quiet["jumps"]
    echo, plain, bare, quiet = (run(t)["xi2"].values[-1] for t in (tables, alike, bare, quiet))
    assert echo == pytest.approx(plain, rel=1e-8)
    assert bare > 5 * echo
    assert quiet < 0.7 * echo < 0.06


def test_untwisting_returns_the_noise_and_amplifies_the_signal():
    tables = exactly(tables_of("twist_untwist"))
    (pulse,) = tables["pulses"]
    signal = pulse["angle"]
    silent = {key: value for key, value in tables.items() if key != "pulses"}
    quiet, loud = run(silent), run(tables)
    assert quiet["xi2"].values.min() < 0.7
    assert quiet["xi2"].values[-1] == pytest.approx(1.0, abs=1e-8)
    assert quiet["contrast"].values[-1] == pytest.approx(1.0, abs=1e-8)
    np.testing.assert_allclose(quiet["spin"].values[-1, 1:], 0.0, atol=1e-8)
    # To first order in the signal and in chi t, the pulse shifts S_z by -N signal/2, and the
    # untwisting by -chi t turns that into S_y at a gain of (N - 1) chi t.
    n, twist = loud.attrs["n_spins"], 0.061
    gain = loud["spin"].values[-1, 1] / (n / 2 * signal)
    assert gain == pytest.approx((n - 1) * twist, rel=0.05)


def test_the_clock_transition_has_the_rates_of_its_paper():
    lab = study_from_tables(tables_of("clock_transition_87sr")).model.lab
    numbers = lab.numbers
    assert numbers.chi / numbers.collective_decay_rate == pytest.approx(1.0)
    assert numbers.gamma / numbers.collective_decay_rate == pytest.approx(186.5, abs=0.1)
    assert not lab.eliminated.concerns


@pytest.fixture(scope="module")
def atoms():
    return SimpleNamespace(**runpy.run_path(str(FOLDER / "atom_number_fluctuations.py")))


def test_scripts_run_at_a_small_size(monkeypatch, tmp_path, capsys):
    names = sorted(path.stem for path in FOLDER.glob("*.py"))
    assert names == [
        "atom_number_fluctuations",
        "finite_range_reservoir",
        "finite_range_squares",
        "short_range_xyz",
    ]
    picture = tmp_path / "picture.png"
    argv = ["atom_number_fluctuations", "--tiny", "--trajectories", "4", "-o", str(picture)]
    monkeypatch.setattr(sys, "argv", argv)
    runpy.run_path(str(FOLDER / "atom_number_fluctuations.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.count("1 dB is lost at a spread of") == 3
    assert "16 trajectories:" in printed
    assert picture.stat().st_size > 10_000


def test_a_mixture_has_the_variance_of_the_means_unless_the_number_is_known(atoms):
    # Two numbers of spins, mean spins at angles of +-tilt to x in the plane of z, where the
    # variance is v times that of a coherent state.
    tilt, v, counts = 0.02, 0.3, np.array([90, 110])
    angle = tilt * np.array([1.0, -1.0])
    direction = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=-1)
    spin = counts[:, None, None] / 2 * direction[:, None]
    covariance = (counts / 4)[:, None, None, None] * np.diag([0.0, 1.0, v])
    shots = atoms.Members(counts, np.zeros(1), spin, covariance)
    weights = np.array([0.5, 0.5])
    mean, whole = atoms.mixture(weights, spin, covariance)
    along_x, along_z = spin[:, 0, 0], spin[:, 0, 2]
    np.testing.assert_allclose(mean[0], [along_x.mean(), 0.0, along_z.mean()], rtol=1e-13)
    np.testing.assert_allclose(
        np.diag(whole[0]), [along_x.var(), 25.0, 25.0 * v + along_z.var()], rtol=1e-12
    )
    (without,), (afterwards,) = atoms.blind(weights, shots), atoms.known(weights, shots)
    assert without == pytest.approx(v + np.tan(tilt) ** 2 * 100, rel=0.01)
    assert afterwards == pytest.approx(v, rel=0.01)


def test_numbers_of_atoms_have_the_spread_asked_for(atoms):
    counts = np.arange(9000, 11001, 50)
    for spread, width in ((0.01, 100.0), (0.006, 60.0), (atoms.POISSON, 100.0)):
        weights = atoms.weights_of(counts, mean=10_000, spread=spread)
        mean = weights @ counts
        assert mean == pytest.approx(10_000, abs=2.0)
        assert np.sqrt(weights @ (counts - mean) ** 2) == pytest.approx(width, rel=2e-3)


def test_dephasing_shortens_the_spin_at_any_drive_as_mean_field_says(atoms):
    case = atoms.Case(10**6, 0.0, 0.6, 100.0, kind="dephasing")
    end = atoms.dephasing_time(case.drive) / case.rate
    times = np.linspace(0.0, 0.5 * end, 5)
    data = sq.simulate(
        case.model(), sq.CoherentState(case.start), times, method=sq.MeanField(next_order=False)
    )
    expected = 1.0 - (1.0 - case.drive**2) * times / end
    np.testing.assert_allclose(data["contrast"].values ** 2, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "time"), [("times_by_themselves", 88.007e-6), ("twisting_in_hertz", 88.007)]
)
def test_an_example_chooses_its_times(name, time):
    study = read_study(FOLDER / f"{name}.toml")
    assert study.automatic_times
    best = sq.optimum(run_study(study))
    assert best.time == pytest.approx(time, rel=5e-5)
    assert best.decibels == pytest.approx(-33.03, abs=0.005)


def test_the_rydberg_echo_is_short_and_is_that_of_its_spins_without_the_field():
    text = (FOLDER / "rydberg_echo.toml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 20
    tables = tables_of("rydberg_echo")
    data = run(tables)
    best = sq.optimum(data)
    assert (data.attrs["method"], data.attrs["n_spins"]) == ("closed_form", 97)
    assert best.decibels == pytest.approx(-3.774, abs=0.001)
    assert best.time == pytest.approx(2.0445, abs=0.001)
    assert data["time"].attrs["units"] == "ns"
    assert sq.optimum(sq.as_measured(data)).decibels == pytest.approx(-3.163, abs=0.001)
    del tables["pulses"]
    bare = run(tables | {"lab": tables["lab"] | {"c6_form": "ising"}})
    alike = bare["xi2"].interp(time=data["time"][:80])
    np.testing.assert_allclose(data["xi2"][:80], alike, rtol=1e-3)
    assert sq.optimum(bare).xi2 == pytest.approx(best.xi2, rel=1e-5)


def test_short_range_models_squeeze_as_collective_ones_do(monkeypatch, tmp_path, capsys):
    picture = tmp_path / "picture.png"
    monkeypatch.setattr("sys.argv", ["short_range_xyz", "--tiny", "-o", str(picture)])
    script = runpy.run_path(str(FOLDER / "short_range_xyz.py"), run_name="__main__")
    assert picture.stat().st_size > 10_000
    exactly, by_another = re.findall(
        r"xi2 ([\d.]+), by PermutationInvariant ([\d.]+)", capsys.readouterr().out
    )[0]
    assert exactly == by_another
    collective = 1.0 / np.hypot(1.0, script["J"] - script["J_Z"])
    slope, instability = script["first_order"]((64, 64), 0.0)
    assert slope == pytest.approx(collective, rel=2 / 4096)
    assert instability == pytest.approx(1.0 / collective, rel=2 / 4096)


@pytest.mark.slow
def test_a_reservoir_squeezes_more_the_farther_it_reaches(monkeypatch, tmp_path, capsys):
    picture = tmp_path / "picture.png"
    monkeypatch.setattr("sys.argv", ["finite_range_reservoir", "--tiny", "-o", str(picture)])
    runpy.run_path(str(FOLDER / "finite_range_reservoir.py"), run_name="__main__")
    assert picture.stat().st_size > 10_000
    printed = capsys.readouterr().out.partition("N = 6")[0]
    near, far = (float(level) for level in re.findall(r"N: +(-?[\d.]+) dB", printed))
    (limit,) = (float(level) for level in re.findall(r"collective (-?[\d.]+) dB", printed))
    assert limit < far < near <= 0


@pytest.fixture(scope="module")
def squares():
    return SimpleNamespace(**runpy.run_path(str(FOLDER / "finite_range_squares.py")))


def test_spin_waves_of_a_collective_reservoir_err_as_one_over_n(squares):
    times, r, sizes, errors = [0.0, 0.25, 0.5], 0.4, np.array([12, 24, 48]), []
    for n in sizes:
        subject = squares.model((n, 1), np.inf, r)
        exact = sq.simulate(subject, squares.DOWN, times, method="symmetric").xi2.values
        waves = squares.spin_waves(times, squares.modes_of(np.ones((n, n)), n**-2.0), r)
        assert waves[0] == pytest.approx(1.0, abs=1e-12)
        errors.append(np.abs(waves / exact - 1)[1:])
    slopes = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    np.testing.assert_allclose(slopes, -1.0, atol=0.1)


def test_modes_of_a_lattice_are_its_plane_waves(squares):
    f = squares.weights((3, 4), 1.5)
    rates, shares = squares.modes_of(f, 0.5)
    waves = np.fft.fft2(f[0].reshape(3, 4)).real
    np.testing.assert_allclose(np.sort(rates), np.sort(0.5 * waves.ravel() ** 2), rtol=1e-9)
    np.testing.assert_allclose(shares[np.argmax(rates)], 1.0)
    np.testing.assert_allclose(shares.sum(), 1.0)


def test_disorder_of_a_reservoir_is_what_it_says(squares):
    clean = squares.weights((3, 4), 1.5)
    np.testing.assert_allclose(clean, np.exp(-sq.Lattice((3, 4)).distances() / 1.5))
    for kind, spread in (("couplings", 0.1), ("positions", 0.1 * np.sqrt(2) / 1.5)):
        f = np.array([squares.weights((3, 4), 1.5, kind, 0.1, seed) for seed in range(200)])
        np.testing.assert_array_equal(f, np.swapaxes(f, 1, 2))
        np.testing.assert_array_equal(f[:, range(12), range(12)], 1.0)
        away = f[:, 0, 1] / clean[0, 1] - 1
        assert np.std(away) == pytest.approx(spread, rel=0.2)


def test_the_best_of_noisy_curves_is_read_where_others_have_it(squares):
    """Noise alone: the least of 60 readings would lie two of their deviations low."""
    rng = np.random.default_rng(1)
    curves = 10 ** (0.1 * rng.standard_normal((3, 40, 20)))
    level, error = squares.best(curves)
    assert abs(level) < 3 * error < 1.0


@pytest.mark.slow
def test_a_reservoir_on_squares_runs_at_a_small_size(squares, tmp_path):
    setting, point = squares.TINY, (-1.0, 0.1, -1.1)
    by_time = squares.against_exact(setting)
    exact, _, waves, error = by_time[(2, 3), 1.0]
    assert exact[0] == pytest.approx(0.0, abs=1e-9)
    assert np.all(np.abs(waves - exact) < 0.5)
    assert np.all(error > 0)
    by_disorder = {
        "none": [(0.0, *point)],
        "couplings": [(0.5, *point)],
        "positions": [(0.2, *point)],
    }
    squares.picture(setting, {(2, 3): [point] * 2}, by_time, by_disorder, tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_approximates_what_a_quick_exact_method_solves(name):
    study = read_study(FOLDER / f"{name}.toml")
    question = evolve_question(study.model, study.initial_state, study.times, pulses=study.pulses)
    best = default_method(question)
    if best.trust(question) == EXACT:
        assert study.method.trust(question) == EXACT, best.name()
