import errno
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pytest

from spinsqueeze.core import output
from spinsqueeze.core.errors import FileProblem
from spinsqueeze.results.points import Entry, Point, pack, unpack
from spinsqueeze.run import store as store_module
from spinsqueeze.run.store import MARK, Store, digests, point_key

TABLES = {
    "unit": "J",
    "ensemble": {"spins": 5},
    "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}],
    "run": {"times": {"values": [0.0, 1.0]}, "seed": 3},
}
POINT = Point(
    variables={
        "xi2": Entry(("time",), np.array([1.0, np.nan, 0.25]), {"units": "1"}),
        "squeezing_status": Entry(("time",), np.array([0, 1, 3], dtype=np.int8)),
        "optimal_xi2": Entry((), np.asarray(0.25)),
    },
    coordinates={
        "time": Entry(("time",), np.array([0.0, 0.5, 1.0])),
        "axis": Entry(("axis",), np.array(list("xyz"))),
    },
    attributes={"n_spins": 5, "warnings": "[]"},
)
KEY = "ab" * 32


def silent(text):
    raise AssertionError(text)


@pytest.fixture
def said():
    return []


def test_a_point_comes_back_to_the_last_bit():
    back = unpack(pack(POINT))
    assert back.attributes == POINT.attributes
    for part in ("variables", "coordinates"):
        assert list(getattr(back, part)) == list(getattr(POINT, part))
        for name, entry in getattr(POINT, part).items():
            other = getattr(back, part)[name]
            assert other.dims == entry.dims
            assert other.values.dtype == entry.values.dtype
            assert other.values.tobytes() == entry.values.tobytes()
            assert other.attributes == entry.attributes
    assert pack(back) == pack(POINT)


def test_a_failure_comes_back():
    assert unpack(pack(Point(reason="NumericalFailure: it broke"))).reason.endswith("it broke")


def test_every_changed_bit_and_every_cut_is_seen():
    raw = pack(POINT)
    for place in range(0, len(raw), 7):
        broken = bytearray(raw)
        broken[place] ^= 1 << (place % 8)
        with pytest.raises(FileProblem, match=r"checksum|not a point"):
            unpack(bytes(broken))
    for length in (0, 10, 25, 60, len(raw) - 1):
        with pytest.raises(FileProblem, match=r"checksum|not a point|cut short"):
            unpack(raw[:length])


def test_objects_have_no_bytes():
    with pytest.raises(TypeError, match="a holds object"):
        pack(Point(variables={"a": Entry((), np.asarray(None))}))


def test_written_points_are_found_again(tmp_path):
    store = Store(tmp_path / "deep" / "points", say=silent)
    assert store.read(KEY) is None
    store.write(KEY, pack(POINT))
    again = Store(tmp_path / "deep" / "points", say=silent)
    assert again.known([KEY, "cd" * 32]) == {KEY}
    assert pack(again.read(KEY)) == pack(POINT)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_file_is_reported_and_removed(tmp_path, said, damage):
    store = Store(tmp_path, say=said.append)
    store.write(KEY, pack(POINT))
    path = store.path(KEY)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    content = {"cut": bytes(raw[:-50]), "flip": bytes(raw), "empty": b"", "foreign": b"hello" * 99}
    path.write_bytes(content[damage])
    assert store.read(KEY) is None
    assert len(said) == 1
    assert "is damaged" in said[0]
    assert "computed again" in said[0]
    assert not path.exists()


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(FileProblem, match="folder with other files"):
        Store(tmp_path, say=silent)
    assert sorted(os.listdir(tmp_path)) == ["thesis.tex"]


def test_a_file_and_another_format_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileProblem, match="cannot be used"):
        Store(tmp_path / "file", say=silent)
    Store(tmp_path / "new", say=silent)
    (tmp_path / "new" / MARK).write_text("format 99")
    with pytest.raises(FileProblem, match="another format"):
        Store(tmp_path / "new", say=silent)


def test_a_file_that_cannot_be_read(tmp_path):
    store = Store(tmp_path, say=silent)
    store.path(KEY).mkdir()
    with pytest.raises(FileProblem, match="cannot be read"):
        store.read(KEY)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch, code):
    store = Store(tmp_path, say=silent)

    def broken(_descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(output.os, "fsync", broken)
    full = "the disk is full" if code != errno.EIO else "Input/output"
    with pytest.raises(FileProblem, match=full):
        store.write(KEY, pack(POINT))
    assert os.listdir(tmp_path) == [MARK]


def test_a_real_size_limit_leaves_nothing(tmp_path):
    program = f"""
import resource, signal
from pathlib import Path
from spinsqueeze.core.errors import FileProblem
from spinsqueeze.run.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store({str(tmp_path)!r}, say=print)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    store.write({KEY!r}, b"x" * 100_000)
except FileProblem as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "the disk is full" in done.stdout
    assert os.listdir(tmp_path) == [MARK]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] != 4096


def test_leftovers_of_killed_runs_go_and_those_of_running_ones_stay(tmp_path):
    store = Store(tmp_path, say=silent)
    store.write(KEY, pack(POINT))
    old = tmp_path / f"{output.ASIDE}123-456"
    young = tmp_path / f"{output.ASIDE}124-457"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    again = Store(tmp_path, say=silent)
    assert not old.exists()
    assert young.exists()
    assert again.known([KEY]) == {KEY}


def test_the_key_knows_what_matters():
    key = point_key(TABLES, blocks=False)
    other_seed = {**TABLES, "run": {**TABLES["run"], "seed": 4}}
    other_term = {
        **TABLES,
        "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0000000000000002}],
    }
    other_method = {**TABLES, "method": {"name": "exact"}}
    different = [other_seed, other_term, other_method]
    assert len({key, *(point_key(t, blocks=False) for t in different)}) == 4
    assert point_key(TABLES, blocks=True) != key
    assert point_key({**TABLES, "title": "x", "sweep": {"a": [1]}}, blocks=False) == key
    reordered = dict(reversed(TABLES.items()))
    assert point_key(reordered, blocks=False) == key
    whole_numbers = {**TABLES, "ensemble": {"spins": 5.0}}
    assert point_key(whole_numbers, blocks=False) == key
    assert point_key(TABLES, blocks=False, known=digests(TABLES)) == key


def test_the_key_knows_the_version_of_the_numbers(monkeypatch):
    key = point_key(TABLES, blocks=False)
    monkeypatch.setattr(store_module, "NUMBERS", store_module.NUMBERS + 1)
    assert point_key(TABLES, blocks=False) != key
