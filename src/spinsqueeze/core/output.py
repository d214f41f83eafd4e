"""Outputs: where bytes may go, and how they get there whole.

A regular file is written beside its place, synced and renamed, so that it appears whole or not at
all; links are followed, so that they stay links. What is no file (a pipe, a character device such
as /dev/stdout) cannot be replaced: the bytes are written into it. All else is refused.
"""

import contextlib
import errno
import os
import stat
import time
from pathlib import Path
from typing import Any

from spinsqueeze.core.errors import FileProblem, InvalidInput

Buffer = bytes | memoryview

ASIDE = ".spinsqueeze-"
"""How the names of half-written files begin."""
READER_PATIENCE = 10.0
"""Seconds that a pipe may be without a reader before it is given up."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_POLL = 0.02
_REFUSED = (
    (stat.S_ISDIR, "a folder; name a file in it"),
    (stat.S_ISBLK, "a block device; name a file"),
    (stat.S_ISSOCK, "a socket; name a file"),
)


def check_writable(path: str | Path, *, overwrite: bool = False, kind: str = "output") -> Path:
    """Check, before any work, that bytes can be written to `path`.

    Args:
        path: a file, a link to one (which need not be there), a pipe or a character device.
        overwrite: whether a file that is there may be replaced. Nothing is replaced in writing
            to a pipe or a device.
        kind: what to call it in messages.

    Raises:
        FileProblem: the folder is missing or not writable; the path is a folder, a block device,
            a socket, a terminal or a circle of links; or a file is there and overwrite is False.
        InvalidInput: path is no name.
    """
    target = file_name(kind, path)
    mode = _mode(target, kind)
    if mode is None:
        _check_folder(target)
    elif replaces(target, kind=kind):
        if not overwrite:
            raise FileProblem(
                f"{kind} {target} exists already; choose another name or pass overwrite=True "
                "(--overwrite)"
            )
        _check_folder(target)
    elif stat.S_ISCHR(mode) and _is_terminal(target):
        raise FileProblem(f"{kind} {target} is a terminal; name a file, or send it into a pipe")
    return target


def file_name(name: str, value: Any) -> Path:
    """The path that a text or a path object names.

    Raises:
        InvalidInput: something else.
    """
    if not isinstance(value, str | os.PathLike):
        from spinsqueeze.core import checks  # numpy, which the help of the command line spares

        raise InvalidInput.of(name, f"must be the name of a file, got {checks.shown(value)}")
    return Path(value)


def is_stream(path: str | Path) -> bool:
    """Whether bytes for `path` go into something that is no file: a pipe or a device.

    Raises:
        FileProblem: see `check_writable`.
    """
    target = Path(path)
    mode = _mode(target, "output")
    return mode is not None and (not stat.S_ISREG(mode) or _is_descriptor(target))


def replaces(path: str | Path, *, kind: str = "output") -> bool:
    """Whether writing to `path` would replace a file that is there.

    Raises:
        FileProblem: see `check_writable`.
    """
    target = Path(path)
    mode = _mode(target, kind)
    return mode is not None and stat.S_ISREG(mode) and not _is_descriptor(target)


def same_place(path: str | Path, other: str | Path) -> bool:
    """Whether two names are one file, links followed; it need not be there."""
    return os.path.realpath(path) == os.path.realpath(other)


def write_bytes(content: Buffer, path: str | Path, *, kind: str = "output") -> None:
    """Write the whole of `content`: a file appears whole or not at all.

    A file that is there is replaced and its permissions stay. On return a file is on disk.

    Args:
        content: the bytes.
        path: as for `check_writable`.
        kind: what to call it in messages.

    Raises:
        FileProblem: the disk is full, nobody reads the pipe, or the path cannot be written; of a
            file nothing is left of the attempt.
    """
    target = Path(path)
    mode = _mode(target, kind)
    try:
        if mode is None or (stat.S_ISREG(mode) and not _is_descriptor(target)):
            replace_file(content, _place(target), mode=mode)
        else:
            _stream(content, target, mode)
    except OSError as error:
        raise FileProblem(f"{kind} {target} could not be written: {reason(error)}") from None


def replace_file(content: Buffer, place: Path, *, mode: int | None = None) -> None:
    """Write a regular file beside its place, sync it to disk and rename it.

    Args:
        content: the bytes.
        place: the file, not a link.
        mode: permissions to give it; None: those of any new file.

    Raises:
        OSError: it cannot be written; nothing is left of the attempt.
    """
    aside = place.with_name(f"{ASIDE}{os.getpid()}-{time.monotonic_ns()}")
    handle = os.open(
        aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        try:
            _write_all(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        if mode is not None:
            os.chmod(aside, stat.S_IMODE(mode))
        os.replace(aside, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise


def reason(error: OSError) -> str:
    """Why the system refused, in words."""
    cause = error.strerror or str(error)
    return f"the disk is full ({cause})" if error.errno in FULL else cause


def _mode(target: Path, kind: str) -> int | None:
    """What is at the end of a path, links followed; None: nothing."""
    try:
        mode = os.stat(target).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        shown = ascii(str(target)) if isinstance(error, ValueError) else target
        cause = getattr(error, "strerror", None) or str(error)
        raise FileProblem(f"{kind} {shown} cannot be used: {cause}; name a file") from None
    for is_kind, what in _REFUSED:
        if is_kind(mode):
            raise FileProblem(f"{kind} {target} is {what}")
    return mode


def _place(target: Path) -> Path:
    """The file itself, at the end of all links."""
    return Path(os.path.realpath(target))


def _check_folder(target: Path) -> None:
    parent = _place(target).parent if target.is_symlink() else target.parent
    if not parent.is_dir():
        raise FileProblem(f"output folder {parent} does not exist; create it first")
    probe = parent / f"{ASIDE}{os.getpid()}-{time.monotonic_ns()}"
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.unlink(probe)
    except OSError as error:
        raise FileProblem(f"output folder {parent} is not writable: {error.strerror}") from None


def _is_descriptor(target: Path) -> bool:
    """Whether a path names an open file of this process, as /dev/stdout does."""
    return _descriptor(target) is not None


def _descriptor(target: Path) -> int | None:
    """The number behind /dev/stdout, /dev/stderr, /dev/fd/N or /proc/self/fd/N, else None."""
    own = {"/dev/fd", "/proc/self/fd", f"/proc/{os.getpid()}/fd"}
    step = Path(os.path.abspath(target))
    for _ in range(40):  # as many links as the system follows
        if str(step.parent) in own and step.name.isdigit():
            return int(step.name)
        if not step.is_symlink():
            return None
        step = Path(os.path.normpath(step.parent / os.readlink(step)))
    return None


def _is_terminal(target: Path) -> bool:
    number = _descriptor(target)
    if number is not None:
        return os.isatty(number)
    try:
        handle = os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return False  # the attempt to write says why
    try:
        return os.isatty(handle)
    finally:
        os.close(handle)


def _stream(content: Buffer, target: Path, mode: int) -> None:
    number = _descriptor(target)
    if number is not None:
        handle = os.dup(number)
    elif stat.S_ISFIFO(mode):
        handle = _open_pipe(target)
    else:
        handle = os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    try:
        _write_all(handle, content)
    finally:
        os.close(handle)


def _open_pipe(target: Path) -> int:
    """A pipe that somebody reads."""
    end = time.monotonic() + READER_PATIENCE
    while True:
        try:
            handle = os.open(target, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > end:
                raise OSError(
                    errno.ENXIO, f"nobody reads this pipe (waited {READER_PATIENCE:g} s)"
                ) from None
            time.sleep(_POLL)
            continue
        os.set_blocking(handle, True)
        return handle


def _write_all(handle: int, content: Buffer) -> None:
    rest = memoryview(content).cast("B")
    while rest:
        rest = rest[os.write(handle, rest) :]
