"""Averages over realisations: the mixture, its error bars, and what cannot be averaged."""

import json

import numpy as np
import pytest
from tests.run.sweeping import CHI, MODEL, STATE, TIMES

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, SpinSqueezeError
from spinsqueeze.run.study_file import study_from_tables

SEED = "ensemble.seed"
ARRAY = sq.SpinModel(
    sq.Lattice((3, 3), boundary="open", filling=0.7),
    hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=6.0)],
)
SEEDS = [3, 4, 5, 6, 7]
TWISTED = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])

DRIVEN = sq.SpinModel(
    sq.Lattice((2, 3)),
    hamiltonian=[sq.Drive(1.0), sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3.0)],
)
WITHOUT_DRIVE = sq.SpinModel(sq.Lattice((2, 3)), hamiltonian=DRIVEN.hamiltonian[1:])


def averaged(model=ARRAY, *, over, times=TIMES, average_over=None, **options):
    over_all = next(iter(over)) if average_over is None else average_over
    return sq.sweep(model, STATE, times, over=over, average_over=over_all, workers=0, **options)


def mixture(data):
    """Mean spin (T, 3) and covariance (T, 3, 3) of a sweep over one dimension, equal weights."""
    spin, covariance = data["spin"].values, data["covariance"].values
    away = spin - spin.mean(axis=0)
    scatter = np.einsum("rta,rtb->tab", away, away) / (len(spin) - 1)
    return spin.mean(axis=0), covariance.mean(axis=0) + scatter


def least(n_spins, spin, covariance):
    """N min Var/|m|^2 of a mean spin along x."""
    return n_spins * np.linalg.eigvalsh(covariance[1:, 1:])[0] / spin[0] ** 2


def test_moments_are_those_of_the_mixture():
    data = averaged(over={SEED: SEEDS})
    spin, covariance = mixture(sq.sweep(ARRAY, STATE, TIMES, over={SEED: SEEDS}, workers=0))
    assert data["spin"].dims == ("time", "axis")
    assert "status" not in data
    assert "optimal_xi2" not in data
    np.testing.assert_allclose(data["spin"], spin, atol=1e-13)
    np.testing.assert_allclose(data["covariance"], covariance, atol=1e-13)
    for k in range(1, len(TIMES)):
        # xi2 is corrected for the pull of few realisations on the least variance.
        error = float(data["xi2_stderr"][k])
        assert data["xi2"].values[k] == pytest.approx(least(6, spin[k], covariance[k]), abs=error)
    assert json.loads(data.attrs["diagnostics"]) == {"realisations": 5}
    assert data.attrs["error_kind"] == "sampling"
    assert np.all(data["xi2_stderr"].values[1:] > 0.0)


def test_the_spread_of_one_realisation_is_beside_the_error_of_the_mean():
    array = sq.SpinModel(ARRAY.ensemble.lattice, hamiltonian=ARRAY.hamiltonian, unit="1/us")
    readout = sq.Readout(detection_error=0.02)
    study = sq.Study(array, initial_state=STATE, times=TIMES, readout=readout)
    each = sq.sweep(study, over={SEED: SEEDS}, workers=0)
    data = sq.sweep(study, over={SEED: SEEDS}, average_over=SEED, workers=0)
    for name in ("xi2", "measured_xi2"):
        away = each[name].values - each[name].values.mean(axis=0)
        spread = np.sqrt(np.sum(away**2, axis=0) / 4)
        np.testing.assert_allclose(data[f"{name}_spread"], spread, atol=1e-14)
        assert f"{name}_spread" not in each
    k = int(np.argmin(np.abs(data["time"].values - sq.optimum(data).time)))
    size = float(data["xi2_spread"][k])
    line = "average of 5 realisations (± is the error of the mean; spread of one: ± "
    assert f"{line}{size:.2g} in xi2, " in str(sq.summary(data))
    assert "average" not in str(sq.summary(each))
    over = {SEED: SEEDS, "ensemble.filling": [0.7, 0.9]}
    both = sq.sweep(study, over=over, average_over=SEED, workers=0)
    assert both["xi2_spread"].dims == ("filling", "time")
    point, time = np.unravel_index(np.argmin(both["xi2"].values), both["xi2"].shape)
    text = str(sq.summary(both))
    assert f"{line}{float(both['xi2_spread'][point, time]):.2g} in xi2, " in text


def test_atom_numbers_average_to_their_mean():
    model = sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(1.0)])
    counts, times = [18, 20, 25, 20, 31], TIMES / 5
    data = averaged(model, over={"ensemble.spins": counts}, times=times)
    spins, covariances = [], []
    for n in counts:
        one = sq.simulate(sq.SpinModel(n, hamiltonian=model.hamiltonian), STATE, times)
        spins.append(one["spin"].values)
        covariances.append(one["covariance"].values)
    away = np.array(spins) - np.mean(spins, axis=0)
    covariance = np.mean(covariances, axis=0) + np.einsum("rta,rtb->tab", away, away) / 4
    mean = np.mean(spins, axis=0)
    np.testing.assert_allclose(data["spins_left"], np.mean(counts))
    assert data.attrs["n_spins"] == 23
    assert data["xi2"].values[0] == pytest.approx(1.0, rel=1e-12)
    for k in range(1, len(times)):
        expected, error = least(np.mean(counts), mean[k], covariance[k]), data["xi2_stderr"][k]
        assert data["xi2"].values[k] == pytest.approx(expected, abs=float(error))
        np.testing.assert_allclose(data["covariance"][k], covariance[k], atol=1e-11)
    assert sq.optimum(data).xi2 < 1.0


def test_the_largest_of_all_errors_is_that_of_the_average():
    model = sq.SpinModel(20, hamiltonian=[sq.Drive(1.0), sq.OneAxisTwisting(0.3)])
    over = {"hamiltonian.0.rabi": [0.0, 3.0, 1.5, 1.0]}
    method = sq.Cumulants(order=2, next_order=True)
    each = sq.sweep(model, STATE, TIMES / 2, over=over, method=method, workers=0)
    data = averaged(model, over=over, times=TIMES / 2, method=method)
    for name in ("xi2_truncation", "spin_truncation"):
        np.testing.assert_array_equal(data[name], each[name].max("rabi"))
    assert data.attrs["numerical_error"] == each["numerical_error"].max() > 0.0


def test_realisations_have_seeds_of_their_own():
    options = {"method": sq.DTWA(40), "seed": 9}
    data = averaged(DRIVEN, over={"hamiltonian.0.rabi": [0.0, 0.0, 0.0, 0.0]}, **options)
    alone = [
        sq.simulate(WITHOUT_DRIVE, STATE, TIMES, method=sq.DTWA(40), seed=9 + k)["spin"].values
        for k in range(4)
    ]
    np.testing.assert_allclose(data["spin"], np.mean(alone, axis=0), atol=1e-12)
    assert np.all(data["spin_stderr"].values[1:, 0] > 0.0)


def test_other_dimensions_stay_and_a_point_reruns_from_itself(tmp_path):
    exponent = "hamiltonian.0.exponent"
    data = averaged(over={SEED: SEEDS, exponent: [3.0, 6.0]}, average_over=SEED)
    assert data["xi2"].dims == ("exponent", "time")
    alone = averaged(over={SEED: SEEDS})
    np.testing.assert_allclose(data["xi2"].isel(exponent=1), alone["xi2"], rtol=1e-13)
    np.testing.assert_allclose(data["xi2_stderr"].isel(exponent=1), alone["xi2_stderr"], rtol=1e-9)
    sq.save(data, tmp_path / "a.nc")
    point = sq.load(tmp_path / "a.nc").isel(exponent=1)
    again = sq.sweep(sq.study_of(point), workers=0)
    np.testing.assert_array_equal(again["xi2"], alone["xi2"])
    assert sq.optimum(point).xi2_stderr == pytest.approx(sq.optimum(alone).xi2_stderr, rel=1e-9)


def test_a_study_file_asks_for_it_and_the_result_holds_it():
    tables = sq.Study(ARRAY, initial_state=STATE, times=TIMES).as_tables()
    tables["sweep"] = {SEED: SEEDS, "average_over": SEED}
    data = sq.sweep(study_from_tables(tables), workers=0)
    assert data.identical(sq.sweep(sq.study_of(data), workers=0))
    np.testing.assert_array_equal(data["xi2"], averaged(over={SEED: SEEDS})["xi2"])


def test_zipped_paths_are_realisations_together():
    over = {SEED: SEEDS, "hamiltonian.0.j_z": [1.0, 1.1, 0.9, 1.0, 1.2]}
    data = averaged(over=over, zipped=True)
    whole = sq.sweep(ARRAY, STATE, TIMES, over=over, zipped=True, workers=0)
    np.testing.assert_allclose(data["covariance"], mixture(whole)[1], atol=1e-13)
    rerun = sq.sweep(sq.study_of(data), workers=0)
    np.testing.assert_array_equal(rerun["xi2"], data["xi2"])


def test_automatic_times_are_those_of_the_first():
    data = averaged(over={SEED: SEEDS}, times="auto")
    first = sq.SpinModel(
        sq.Lattice((3, 3), boundary="open", filling=0.7, seed=SEEDS[0]),
        hamiltonian=ARRAY.hamiltonian,
    )
    alone = sq.simulate(first, STATE)
    assert data.sizes["time"] == alone.sizes["time"]
    assert data["time"].values[-1] == pytest.approx(alone["time"].values[-1], rel=0.3)


def test_steady_states_average_too():
    model = sq.SpinModel(
        2, hamiltonian=[sq.Drive(0.4)], jumps=[sq.LocalDecay(1.0), sq.CollectiveDecay(0.5)]
    )
    over = {"hamiltonian.0.rabi": [0.2, 0.3, 0.4, 0.5]}
    data = sq.sweep(model, over=over, average_over=list(over), workers=0)
    whole = sq.sweep(model, over=over, workers=0)
    assert data["spin"].dims == ("axis",)
    np.testing.assert_allclose(data["spin"], whole["spin"].mean(axis=0), atol=1e-12)
    assert float(data["xi2_stderr"]) > 0.0


def test_failed_realisations_are_said():
    method = sq.Exact()
    over = {"ensemble.spins": [4, 5, 6, 7, 60]}
    data = averaged(TWISTED, over=over, method=method, memory_budget=1e8)
    (words,) = json.loads(data.attrs["warnings"])
    assert words.startswith("1 of 5 realisations failed: ")
    np.testing.assert_allclose(data["spins_left"], 5.5)
    with pytest.raises(SpinSqueezeError, match="3 of 5 realisations are done, at least 4"):
        averaged(
            TWISTED, over={"ensemble.spins": [4, 5, 6, 60, 61]}, method=method, memory_budget=1e8
        )


@pytest.mark.parametrize(
    ("over", "average_over", "message"),
    [
        ({CHI: [1.0, 2.0, 3.0]}, CHI, "at least 4 realisations, got 3"),
        ({CHI: [1.0, 2.0, 3.0, 4.0]}, "hamiltonian.0.ch", "did you mean 'hamiltonian.0.chi'"),
        ({CHI: [1.0, 2.0, 3.0, 4.0]}, 3, "must be a path such as"),
        ({"run.times.stop": [1.0, 2.0, 3.0, 4.0]}, "run.times.stop", "share their times"),
    ],
)
def test_mistakes(over, average_over, message):
    with pytest.raises(InvalidInput, match=message):
        averaged(MODEL, over=over, average_over=average_over)


def test_every_realisation_has_its_own_samples_beside_swept_seeds():
    over = {"run.seed": [5, 50], "hamiltonian.0.rabi": [0.0, 0.0, 0.0, 0.0]}
    data = averaged(DRIVEN, over=over, average_over="hamiltonian.0.rabi", method=sq.DTWA(40))
    assert data["xi2"].dims == ("seed", "time")
    assert np.all(data["spin_stderr"].values[:, 1:, 0] > 0.0)


def test_the_worst_kind_of_error_is_that_of_the_average():
    over = {"method.name": ["exact", "dtwa", "exact", "dtwa"]}
    data = averaged(WITHOUT_DRIVE, over=over, method=sq.Exact())
    assert data.attrs["error_kind"] == "uncontrolled and sampling"


def test_averages_are_not_merged_and_may_lose_their_times():
    one, two = (averaged(over={SEED: SEEDS}, seed=seed) for seed in (0, 100))
    with pytest.raises(InvalidInput, match="result 1 is an average over realisations"):
        sq.merge([one, two])
    counts = averaged(TWISTED, over={"ensemble.spins": [4, 5, 6, 7]}, times=TIMES / 3)
    assert sq.variance_against_angle(counts).sizes["angle"] > 10


@pytest.mark.slow
def test_error_bars_cover_the_mean_over_all_realisations():
    # chi is N(1, 0.1^2) from shot to shot: the truth by a fine quadrature of the moments.
    model = sq.SpinModel(40, hamiltonian=[sq.OneAxisTwisting(1.0)])
    times = np.array([0.06])
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    runs = [
        sq.simulate(sq.SpinModel(40, hamiltonian=[sq.OneAxisTwisting(1 + 0.1 * x)]), STATE, times)
        for x in nodes
    ]
    spins = np.array([run["spin"].values[0] for run in runs])
    covariances = np.array([run["covariance"].values[0] for run in runs])
    mean = weights @ spins
    covariance = np.einsum("r,rab->ab", weights, covariances)
    covariance += np.einsum("r,ra,rb->ab", weights, spins - mean, spins - mean)
    truth = least(40, mean, covariance)
    rng = np.random.default_rng(5)
    pulls = []
    for _ in range(60):
        data = averaged(model, over={CHI: rng.normal(1.0, 0.1, 20).tolist()}, times=times)
        pulls.append((float(data["xi2"][0]) - truth) / float(data["xi2_stderr"][0]))
    assert 0.5 < np.mean(np.abs(pulls) < 1.0) < 0.85
    assert np.mean(np.abs(pulls) < 3.0) > 0.93
