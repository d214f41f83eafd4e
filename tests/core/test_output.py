import contextlib
import errno
import os
import pty
import socket
import stat
import subprocess
import sys
import threading

import pytest

from spinsqueeze.core import output
from spinsqueeze.core.errors import FileProblem, InvalidInput
from spinsqueeze.core.output import check_writable, is_stream, same_place, write_bytes

BYTES = bytes(range(256)) * 1000


def written(path, *, overwrite=False):
    check_writable(path, overwrite=overwrite)
    write_bytes(BYTES, path)


def test_a_new_file_has_the_permissions_of_any(tmp_path):
    written(tmp_path / "new")
    (tmp_path / "plain").touch()
    assert (tmp_path / "new").read_bytes() == BYTES
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "old").chmod(0o640)
    with pytest.raises(FileProblem, match=r"old exists already; choose another name or pass ov"):
        written(tmp_path / "old")
    written(tmp_path / "old", overwrite=True)
    assert (tmp_path / "old").read_bytes() == BYTES
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["old"]


def test_a_link_stays_a_link_and_its_file_is_rewritten(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("there/real")
    with pytest.raises(FileProblem, match="link exists already"):
        written(tmp_path / "link")
    written(tmp_path / "link", overwrite=True)
    assert os.readlink(tmp_path / "link") == "there/real"
    assert (tmp_path / "there" / "real").read_bytes() == BYTES
    assert os.listdir(tmp_path / "there") == ["real"]


def test_a_dangling_link_gets_its_file(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "new")
    written(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "new").read_bytes() == BYTES
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere" / "new")
    with pytest.raises(FileProblem, match=r"output folder .*nowhere does not exist; create it"):
        written(tmp_path / "lost")


def test_a_circle_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FileProblem, match=r"a cannot be used: Too many levels of symbolic links"):
        written(tmp_path / "a", overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_pipe_stays_a_pipe_and_carries_the_bytes(tmp_path, overwrite):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    carried = []
    reader = threading.Thread(target=lambda: carried.append(pipe.read_bytes()), daemon=True)
    reader.start()
    written(pipe, overwrite=overwrite)
    reader.join(timeout=20)
    assert carried == [BYTES]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]
    assert is_stream(pipe)


def test_a_pipe_that_nobody_reads_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "READER_PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileProblem, match=r"pipe could not be written: nobody reads this pipe"):
        written(tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_reader_that_leaves_is_an_error(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def leave():
        while len(os.read(reader, 1000)) == 0:
            pass
        os.close(reader)

    os.set_blocking(reader, True)
    thread = threading.Thread(target=leave, daemon=True)
    thread.start()
    with pytest.raises(FileProblem, match=r"pipe could not be written: Broken pipe"):
        written(pipe)
    thread.join(timeout=20)


class Kind:
    """What os.stat returns of a file, as if it were of another kind."""

    def __init__(self, kind):
        self.st_mode = kind | 0o666


def as_kind(monkeypatch, path, kind):
    ask = os.stat
    monkeypatch.setattr(
        output.os,
        "stat",
        lambda target, **options: Kind(kind) if target == path else ask(target, **options),
    )


def test_a_character_device_is_written_into_and_never_replaced(tmp_path, monkeypatch):
    device = tmp_path / "device"
    device.write_bytes(b"")
    node = device.stat().st_ino
    as_kind(monkeypatch, device, stat.S_IFCHR)
    written(device, overwrite=True)
    assert os.lstat(device).st_ino == node
    assert device.read_bytes() == BYTES
    assert os.listdir(tmp_path) == ["device"]


def test_a_block_device_is_refused(tmp_path, monkeypatch):
    device = tmp_path / "device"
    device.write_bytes(b"disk")
    as_kind(monkeypatch, device, stat.S_IFBLK)
    for attempt in (check_writable, lambda path, **_: write_bytes(BYTES, path)):
        with pytest.raises(FileProblem, match=r"^output .*device is a block device; name a file$"):
            attempt(device, overwrite=True)
    assert device.read_bytes() == b"disk"


def test_folders_and_sockets_are_refused(tmp_path, monkeypatch):
    with pytest.raises(FileProblem, match=r"is a folder; name a file in it"):
        written(tmp_path, overwrite=True)
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind("socket")
        with pytest.raises(FileProblem, match=r"^output socket is a socket; name a file$"):
            written("socket", overwrite=True)


def test_a_terminal_is_refused():
    parent, child = pty.openpty()
    try:
        with pytest.raises(FileProblem, match="is a terminal; name a file, or send it into a pipe"):
            check_writable(os.ttyname(child))
        with pytest.raises(FileProblem, match="is a terminal"):
            check_writable(f"/dev/fd/{child}")
    finally:
        os.close(parent)
        os.close(child)


@pytest.mark.skipif(not os.path.exists("/dev/fd/0"), reason="needs /dev/fd")
def test_an_open_file_gets_the_bytes_where_it_stands(tmp_path):
    with open(tmp_path / "log", "wb") as file:
        file.write(b"before")
        file.flush()
        name = f"/dev/fd/{file.fileno()}"
        assert is_stream(name)
        written(name)
        file.write(b"after")
    assert (tmp_path / "log").read_bytes() == b"before" + BYTES + b"after"


def test_standard_output_into_a_pipe():
    program = (
        "from spinsqueeze.core.output import check_writable, write_bytes\n"
        "write_bytes(b'bytes', check_writable('/dev/stdout'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"bytes", b"")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a" * 300, "cannot be used: File name too long; name a file"),
        ("a\0b", r"cannot be used: .*null"),
        ("nowhere/file", "output folder nowhere does not exist; create it first"),
    ],
)
def test_impossible_names(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileProblem, match=message):
        written(name)


def test_a_name_must_be_one():
    with pytest.raises(InvalidInput, match="output must be the name of a file, got 3"):
        check_writable(3)


def test_a_folder_that_takes_no_files(tmp_path, monkeypatch):
    def closed(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(output.os, "open", closed)
    with pytest.raises(FileProblem, match=r"output folder .* is not writable: Permission denied"):
        check_writable(tmp_path / "new")


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EIO, "Input")],
)
def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch, call, code, message):
    (tmp_path / "old").write_bytes(b"old")

    def broken(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(output.os, call, broken)
    with pytest.raises(FileProblem, match=f"old could not be written: {message}"):
        written(tmp_path / "old", overwrite=True)
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_a_disk_that_takes_few_bytes_at_once(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(output.os, "write", lambda handle, content: write(handle, content[:777]))
    written(tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == BYTES


def test_one_place_by_two_names(tmp_path):
    (tmp_path / "link").symlink_to("real")
    assert same_place(tmp_path / "link", tmp_path / "." / "real")
    assert not same_place(tmp_path / "link", tmp_path / "other")
