import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.core import output
from spinsqueeze.core.errors import FileProblem, InvalidInput
from spinsqueeze.core.output import check_writable


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


def test_a_failed_write_leaves_nothing_behind_and_the_data_whole(data, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    before = data.copy(deep=True)
    with monkeypatch.context() as patch:
        patch.setattr(output.os, "fsync", full)
        with pytest.raises(FileProblem, match="could not be written: the disk is full"):
            sq.save(data, tmp_path / "result.nc")
    assert os.listdir(tmp_path) == []
    xr.testing.assert_identical(sq.load(sq.save(data, tmp_path / "result.nc")), before)


SAVE = """
import os, sys
import spinsqueeze as sq
data = sq.load(sys.argv[1])
for place in sys.argv[2:-1]:
    {before}
    try:
        sq.save(data, place + "/a.nc")
    except sq.FileProblem as error:
        print(str(error).partition("written: ")[2], os.listdir(place))
{after}
sq.save(data, sys.argv[-1])
"""


def saved_on_a_full_disk(data, tmp_path, *places, before, after="", inside=()):
    """What a process says of full disks, before it saves the same data elsewhere."""
    given, last = tmp_path / "given.nc", tmp_path / "elsewhere.nc"
    sq.save(data, given)
    program = SAVE.format(before=before, after=after)
    command = [*inside, sys.executable, "-c", program, str(given), *places, str(last)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    xr.testing.assert_identical(sq.load(last), data)
    return done.stdout.splitlines()


def test_disks_of_8_and_16_kilobytes(data, tmp_path):
    inside = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    mount = "mount -t tmpfs -o size={} none {}"
    try:
        trial = [*inside, *mount.format("8k", tmp_path).split()]
        allowed = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    except OSError:
        allowed = False
    if not allowed:
        pytest.skip("file systems cannot be mounted here")
    places = [tmp_path / "8k", tmp_path / "16k"]
    for place in places:
        place.mkdir()
    before = f"assert os.system({mount!r}.format(os.path.basename(place), place)) == 0"
    words = saved_on_a_full_disk(data, tmp_path, *map(str, places), before=before, inside=inside)
    assert words == ["the disk is full (No space left on device) []"] * 2


def test_a_limit_of_the_size_of_files(data, tmp_path):
    (tmp_path / "place").mkdir()
    before = """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
"""
    after = """
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
"""
    place = str(tmp_path / "place")
    words = saved_on_a_full_disk(data, tmp_path, place, before=before, after=after)
    assert words == ["the disk is full (File too large) []"]


def test_a_link_is_followed_and_a_pipe_carries_the_result(data, tmp_path):
    sq.save(data, tmp_path / "real.nc")
    (tmp_path / "link.nc").symlink_to("real.nc")
    sq.save(data.isel(time=slice(2)), tmp_path / "link.nc", overwrite=True)
    assert (tmp_path / "link.nc").is_symlink()
    assert sq.load(tmp_path / "real.nc").sizes["time"] == 2
    pipe, copy = tmp_path / "pipe", tmp_path / "copy.nc"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: copy.write_bytes(pipe.read_bytes()), daemon=True)
    reader.start()
    sq.save(data, pipe)
    reader.join(timeout=20)
    xr.testing.assert_identical(sq.load(copy), data)
    with pytest.raises(FileProblem, match="is a pipe or a device; read it into a file first"):
        sq.load(pipe)


@pytest.mark.parametrize("name", ["x.png", "x.PDF", "x.svg", "x.toml", "claims.json", "x.point"])
def test_a_result_is_not_named_like_something_else(data, tmp_path, name):
    path = tmp_path / name
    with pytest.raises(
        FileProblem, match=rf"{name} is named like a.*; name a result such as .*\.nc"
    ):
        sq.save(data, path)
    assert os.listdir(tmp_path) == []
    path.write_text("something")
    with pytest.raises(FileProblem, match=rf"{name} is a.*, not a result file"):
        sq.load(path)
    sq.save(data, tmp_path / "x.nc")
    os.replace(tmp_path / "x.nc", path)
    assert sq.load(path).identical(data)  # what is in a file counts, not its name


def test_what_netcdf_cannot_hold_is_named(data, tmp_path):
    with pytest.raises(InvalidInput, match="data must be a Dataset, got DataArray"):
        sq.save(data.xi2, tmp_path / "a.nc")
    with pytest.raises(InvalidInput, match="data must hold what netCDF can, but: Invalid value"):
        sq.save(data.assign_attrs(mine={"a": 1}), tmp_path / "a.nc")
    assert os.listdir(tmp_path) == []
