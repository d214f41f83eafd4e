import os

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.core.errors import FileProblem
from spinsqueeze.results.files import check_writable


@pytest.fixture(scope="module")
def data():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    return sq.simulate(model, sq.CoherentState("+x"), np.linspace(0, 1, 4), method=sq.DTWA(20))


def test_round_trip_is_exact(data, tmp_path):
    path = sq.save(data, tmp_path / "result.nc")
    back = sq.load(path)
    xr.testing.assert_identical(back, data)
    for name in data:
        assert back[name].values.tobytes() == data[name].values.tobytes()
        assert back[name].dtype == data[name].dtype


def test_existing_file_is_kept_unless_overwritten(data, tmp_path):
    path = sq.save(data, tmp_path / "result.nc")
    with pytest.raises(FileProblem, match="exists already"):
        sq.save(data, path)
    sq.save(data.isel(time=slice(2)), path, overwrite=True)
    assert sq.load(path).sizes["time"] == 2


def test_missing_folder_and_folder_as_file(tmp_path):
    with pytest.raises(FileProblem, match=r"output folder .* does not exist; create it"):
        check_writable(tmp_path / "nowhere" / "result.nc")
    with pytest.raises(FileProblem, match="is a folder"):
        check_writable(tmp_path)


def test_truncated_missing_and_foreign_files(data, tmp_path):
    path = sq.save(data, tmp_path / "result.nc")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileProblem, match="truncated or not netCDF"):
        sq.load(path)
    with pytest.raises(FileProblem, match="does not exist"):
        sq.load(tmp_path / "no.nc")
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(FileProblem, match="was not written by spinsqueeze"):
        sq.load(tmp_path / "foreign.nc")


def test_a_failed_write_leaves_nothing_behind(data, tmp_path, monkeypatch):
    def full(self, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(FileProblem, match="could not be written"):
        sq.save(data, tmp_path / "result.nc")
    assert os.listdir(tmp_path) == []
