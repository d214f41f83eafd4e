"""Long arrays of a study are coordinates of its result, and come back to the last bit."""

import json

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import same
from spinsqueeze.results.grid import point_of
from spinsqueeze.results.studies import PREFIX, study_tables
from spinsqueeze.run.store import point_key
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import study_from_tables

N = 70
rng = np.random.default_rng(11)
MATRIX = rng.normal(size=(N, N))
MATRIX = (MATRIX + MATRIX.T) * (1 - np.eye(N))
DIRECTIONS = rng.normal(size=(N, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1)[:, None]
TIMES = np.sort(rng.uniform(size=66))
MODEL = sq.SpinModel(
    sq.Lattice(positions=rng.normal(size=(N, 2))),
    hamiltonian=[
        sq.PairCoupling(MATRIX),
        sq.SiteField(rng.normal(size=(N, 3))),
        sq.Drive(sq.Envelope(np.linspace(0, 1, 65), values=rng.normal(size=65))),
    ],
)
PATHS = {
    "ensemble.positions": ("spacing", (N, 2)),
    "hamiltonian.0.matrix": ("J", (N, N)),
    "hamiltonian.1.vectors": ("J", (N, 3)),
    "hamiltonian.2.rabi.times": ("1/J", (65,)),
    "hamiltonian.2.rabi.values": ("J", (65,)),
    "initial_state.product": ("1", (N, 3)),
    "run.times.values": ("1/J", (66,)),
}


@pytest.fixture(scope="module")
def data():
    return sq.simulate(MODEL, sq.ProductState(DIRECTIONS), TIMES, method=sq.DTWA(10), seed=3)


def arrays_of(data):
    return {str(n): c for n, c in data.coords.items() if str(n).startswith(PREFIX)}


def test_long_arrays_are_coordinates_and_the_text_is_short(data):
    assert len(data.attrs["study"]) < 1000
    arrays = arrays_of(data)
    assert {a.attrs["path"]: (a.attrs["units"], a.shape) for a in arrays.values()} == PATHS
    for array in arrays.values():
        assert array.attrs["long_name"] == f"{array.attrs['path']} of the study"
        assert not set(array.dims) & {"time", "axis", "axis_2", "block"}
    matrix = next(a for a in arrays.values() if a.attrs["path"] == "hamiltonian.0.matrix")
    assert np.shares_memory(matrix.values, MODEL.hamiltonian[0].matrix)
    assert not set(data.data_vars) & set(arrays)


def test_a_file_gives_the_study_back_to_the_last_bit(data, tmp_path):
    back = sq.load(sq.save(data, tmp_path / "a.nc"))
    xr.testing.assert_identical(back, data)
    study = sq.study_of(back)
    assert study.model.hamiltonian == MODEL.hamiltonian
    assert hash(study.model.hamiltonian[0]) == hash(MODEL.hamiltonian[0])
    for part, own in (
        (study.model.hamiltonian[0].matrix, MATRIX),
        (study.model.spins.positions, MODEL.spins.positions),
        (study.initial_state.directions, data_state := sq.ProductState(DIRECTIONS).directions),
        (study.times, TIMES),
    ):
        assert part.tobytes() == own.tobytes()
    assert data_state.dtype == np.float64
    again = sq.run_study(study)
    np.testing.assert_array_equal(again["spin"].values, data["spin"].values)
    assert again.attrs["study"] == data.attrs["study"]


def test_complex_amplitudes_come_back_to_the_last_bit(tmp_path):
    state = rng.normal(size=64) + 1j * rng.normal(size=64)
    state = sq.StateVector(state / np.linalg.norm(state))
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.simulate(model, state, [0.0, 0.1], method="exact")
    (array,) = arrays_of(data).values()
    assert array.shape == (64, 2)
    again = sq.study_of(sq.load(sq.save(data, tmp_path / "a.nc"))).initial_state
    assert again.amplitudes.tobytes() == state.amplitudes.tobytes()


@pytest.mark.parametrize("kind", [sq.StateVector, sq.SymmetricState])
def test_amplitudes_keep_the_sign_of_zero(kind):
    amplitudes = np.zeros(128, dtype=complex)
    amplitudes[:5] = [0.5, complex(-0.0, 0.5), complex(0.5, -0.0), -0.5j, complex(-0.0, -0.0)]
    state = kind(amplitudes)
    again = kind(state.as_dict()["amplitudes"])
    assert again.amplitudes.tobytes() == state.amplitudes.tobytes() == amplitudes.tobytes()


def test_rates_sites_and_vacancies_are_found_too():
    rates = rng.uniform(size=100)
    model = sq.SpinModel(
        sq.Lattice((20, 10), vacancies=range(100)),
        hamiltonian=[sq.Drive(1.0)],
        jumps=[sq.LocalDecay(rates)],
    )
    pulses = [sq.Pulse(0.5, axis="x", angle=1.0, sites=range(70))]
    study = Study(model, initial_state=sq.CoherentState("+x"), times=[0.0, 1.0], pulses=pulses)
    again = study_from_tables(study.as_tables())
    assert same(again.as_tables(), study.as_tables())
    assert again.model.spins.vacancies == tuple(range(100))
    assert again.pulses == study.pulses
    assert type(again.pulses[0].sites[0]) is int
    assert again.model.jumps == model.jumps


def test_the_text_alone_is_no_study(data):
    text = json.loads(data.attrs["study"])
    message = r"^ensemble\.positions: is study_array_0 of the result, .*study_of\(data\)"
    with pytest.raises(InvalidInput, match=message):
        study_from_tables(text)
    with pytest.raises(InvalidInput, match=r"^data must hold study_array_1, an array of its study"):
        sq.study_of(data.drop_vars("study_array_1"))
    with pytest.raises(InvalidInput, match=r"^data must be a result with its study in it"):
        sq.study_of(xr.Dataset())
    with pytest.raises(InvalidInput, match=r"study_of\(load\('a.nc'\)\)"):
        sq.study_of("a.nc")


def test_a_result_with_its_arrays_in_the_text_reads_as_before(data):
    old = data.drop_vars(list(arrays_of(data)))
    tables = study_tables(data)
    old.attrs["study"] = json.dumps(tables, default=np.ndarray.tolist)
    assert len(old.attrs["study"]) > 10 * N**2
    assert same(study_tables(old), tables)
    assert sq.study_of(old).model.hamiltonian == MODEL.hamiltonian
    other = sq.run_study(study_from_tables({**tables, "run": {**tables["run"], "seed": 4}}))
    merged = sq.merge([old, other])
    assert json.loads(merged.attrs["seeds"]) == [3, 4]
    assert same(study_tables(merged), tables)


def test_merging_compares_and_keeps_the_arrays(data):
    tables = study_tables(data)
    matrix = MATRIX.copy()
    matrix[0, 1] = matrix[1, 0] = 9.0
    hamiltonian = [{**tables["hamiltonian"][0], "matrix": matrix}, *tables["hamiltonian"][1:]]
    seed = {**tables["run"], "seed": 4}
    good = sq.run_study(study_from_tables({**tables, "run": seed}))
    assert same(study_tables(sq.merge([data, good])), tables)
    bad = sq.run_study(study_from_tables({**tables, "run": seed, "hamiltonian": hamiltonian}))
    message = r"hamiltonian\.0\.matrix is 70 x 70 numbers in result 1 and 70 x 70 numbers in"
    with pytest.raises(InvalidInput, match=message):
        sq.merge([data, bad])


def test_what_acts_on_variables_leaves_the_arrays_alone(data):
    for changed in (data.where(data.time > 0.5), data.mean("time"), data.isel(time=[3])):
        assert {n: a.shape for n, a in arrays_of(changed).items()} == {
            n: a.shape for n, a in arrays_of(data).items()
        }
    assert not arrays_of(data["xi2"])


def sweep_of(**options):
    ising = sq.SpinModel(
        N, hamiltonian=[sq.PairCoupling(MATRIX / N)], jumps=[sq.LocalDephasing(np.full(N, 0.1))]
    )
    return sq.sweep(
        ising,
        sq.CoherentState("+x"),
        [0.0, 0.1, 0.3],
        over={
            "jumps.0.rate.2": [0.2, 0.3],
            "hamiltonian.0.matrix": [MATRIX / N, (MATRIX / 2).tolist()],
        },
        method="closed_form",
        **options,
    )


def test_sweeps_share_and_change_arrays(tmp_path):
    whole = sweep_of(workers=0, store=tmp_path / "store")
    assert len(whole.attrs["study"]) < 1000
    xr.testing.assert_equal(sweep_of(workers=1), whole)
    xr.testing.assert_identical(sq.load(sq.save(whole, tmp_path / "a.nc")), whole)
    study = sq.study_of(whole)
    assert [np.asarray(m).tobytes() for m in study.sweep["hamiltonian.0.matrix"]] == [
        (MATRIX / N).tobytes(),
        (MATRIX / 2).tobytes(),
    ]
    one = point_of(whole, dict.fromkeys(whole["status"].dims, 1))
    alone = sq.study_of(one)
    assert alone.model.jumps[0].rate[2] == 0.3
    assert alone.model.hamiltonian[0] == sq.PairCoupling(MATRIX / 2)
    np.testing.assert_array_equal(sq.run_study(alone)["spin"].values, one["spin"].values)
    selected = whole.isel(dict.fromkeys(whole["status"].dims, 1))
    assert same(sq.study_of(selected).as_tables(), alone.as_tables())
    before = sorted(p.name for p in (tmp_path / "store").iterdir())
    again = sq.sweep(study, workers=0, store=tmp_path / "store")
    assert sorted(p.name for p in (tmp_path / "store").iterdir()) == before
    np.testing.assert_array_equal(again["spin"].values, whole["spin"].values)


def test_a_key_depends_on_every_bit_of_an_array_and_not_on_how_it_is_written(data):
    tables = study_tables(data)
    written = json.loads(json.dumps(tables, default=np.ndarray.tolist))
    assert point_key(written, blocks=False) == point_key(tables, blocks=False)
    matrix = MATRIX.copy()
    matrix[69, 68] = np.nextafter(matrix[69, 68], 9.0)
    changed = {**tables, "hamiltonian": [{"term": "pair_coupling", "matrix": matrix}]}
    same_shape = {**tables, "hamiltonian": [{"term": "pair_coupling", "matrix": MATRIX}]}
    assert point_key(changed, blocks=False) != point_key(same_shape, blocks=False)


def test_a_run_with_losses_at_many_times_can_be_run_again():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(0.1)])
    data = sq.simulate_losses(model, sq.CoherentState("+x"), TIMES, loss_times=[0.3, 0.5])
    assert "study_array_0" in data.coords
    again = sq.run_study(sq.study_of(data))
    assert same(sq.study_of(again).as_tables(), sq.study_of(data).as_tables())
    np.testing.assert_array_equal(again.covariance, data.covariance)
    assert data.spins_left.values[[0, -1]].tolist() == [6, 4]


def test_info_says_how_long_they_are(data, tmp_path, capsys):
    sq.save(data, tmp_path / "a.nc")
    assert main(["info", str(tmp_path / "a.nc")]) == 0
    said = capsys.readouterr().out
    assert "pair_coupling(matrix = 70 x 70 numbers)" in said
    assert 'rabi = {"times": "65 numbers", "values": "65 numbers"}' in said
    assert "product = 70 x 3 numbers" in said
    assert PREFIX not in said
