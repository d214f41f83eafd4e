import subprocess

import pytest
from tests.run.sweeping import CHI, OVER, here, identical

from spinsqueeze.core.errors import FileProblem
from spinsqueeze.run import store


def test_a_changed_axis_reuses_what_is_there(tmp_path, whole):
    here(store=tmp_path, over={**OVER, CHI: [0.5, 1.5]})
    seen = []
    data = here(store=tmp_path, progress=seen.append)
    assert seen[-1].reused == 8
    assert identical(data, whole)


def test_damaged_files_are_computed_again(tmp_path, whole):
    here(store=tmp_path)
    files = sorted(tmp_path.glob("*.point"))
    raw = bytearray(files[3].read_bytes())
    raw[200] ^= 1
    files[3].write_bytes(raw)
    files[7].write_bytes(files[7].read_bytes()[:100])
    seen = []
    with pytest.warns(UserWarning, match="damaged.*computed again"):
        data = here(store=tmp_path, progress=seen.append)
    assert seen[-1].reused == 10
    assert identical(data, whole)


def test_a_full_disk_stops_the_sweep_and_keeps_what_is_finished(tmp_path, whole, monkeypatch):
    written = []
    write = store.replace_file

    def until_full(content, target):
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        if target.suffix == ".point":
            written.append(target)
        write(content, target)

    with monkeypatch.context() as patch:
        patch.setattr(store, "replace_file", until_full)
        with pytest.raises(FileProblem, match=r"disk is full.*5 of 12 points are kept.*go on"):
            here(store=tmp_path)
    assert len(list(tmp_path.glob("*.point"))) == 5
    seen = []
    assert identical(here(store=tmp_path, progress=seen.append), whole)
    assert seen[-1].reused == 5


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 32 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(place)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        made = False
    if not made:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_small_disk_that_fills_up(small_disk, whole):
    with pytest.raises(FileProblem, match=r"disk is full.* of 12 points are kept.*go on"):
        here(store=small_disk)
    kept = sorted(small_disk.glob("*.point"))
    assert 0 < len(kept) < 12
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    seen = []
    assert identical(here(store=small_disk, progress=seen.append), whole)
    assert seen[-1].reused == len(kept)
    assert not [f for f in small_disk.iterdir() if f.suffix not in (".point", "")]


def test_an_interrupt_says_what_is_kept(tmp_path, whole):
    def stop(now):
        if now.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        here(store=tmp_path, progress=stop)
    assert "finished points are kept in" in caught.value.__notes__[0]
    assert identical(here(store=tmp_path), whole)
