"""Result files: netCDF, written whole or not at all, read with a check that they are ours."""

import os
import tempfile
from pathlib import Path

import xarray as xr

from spinsqueeze.core.errors import FileProblem

MARK = "spinsqueeze_version"
_OTHERS = {
    ".toml": "a study, which spinsqueeze run turns into a result",
    ".png": "a picture",
    ".pdf": "a picture",
    ".svg": "a picture",
    ".json": "a list of claims",
    ".point": "a point of a sweep, which the same sweep reads again",
}


def check_writable(path: str | Path, *, overwrite: bool = False) -> Path:
    """Check, before any work, that a result can be written to `path`.

    Raises:
        FileProblem: the folder is missing or not writable, the path is a folder, or a file is
            there and overwrite is False.
    """
    target = Path(path)
    if target.is_dir():
        raise FileProblem(f"output {target} is a folder; name a file such as {target}/result.nc")
    parent = target.parent
    if not parent.is_dir():
        raise FileProblem(f"output folder {parent} does not exist; create it first")
    if target.exists() and not overwrite:
        raise FileProblem(f"output {target} exists already; choose another name or overwrite it")
    try:
        handle, probe = tempfile.mkstemp(dir=parent, prefix=".spinsqueeze-")
    except OSError as error:
        raise FileProblem(f"output folder {parent} is not writable: {error.strerror}") from None
    os.close(handle)
    os.unlink(probe)
    return target


def save(data: xr.Dataset, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a result as netCDF; the file appears whole or not at all.

    Raises:
        FileProblem: see `check_writable`; also a full disk.
    """
    target = check_writable(path, overwrite=overwrite)
    handle, aside = tempfile.mkstemp(dir=target.parent, prefix=".spinsqueeze-", suffix=".nc")
    os.close(handle)
    try:
        data.to_netcdf(aside, engine="h5netcdf")
        with open(aside, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(aside, 0o666 & ~_umask())
        os.replace(aside, target)
    except OSError as error:
        raise FileProblem(f"output {target} could not be written: {error}") from None
    finally:
        if os.path.exists(aside):
            os.unlink(aside)
    return target


def load(path: str | Path) -> xr.Dataset:
    """Read a result file into memory.

    Raises:
        FileProblem: missing, a folder, another kind of file, truncated, not netCDF, or not
            written by spinsqueeze.
    """
    source = Path(path)
    if source.is_dir():
        raise FileProblem(f"result {source} is a folder; name a file in it, or the .nc beside it")
    if not source.is_file():
        raise FileProblem(f"result file {source} does not exist")
    if source.suffix in _OTHERS:
        raise FileProblem(f"{source} is {_OTHERS[source.suffix]}, not a result file (.nc)")
    try:
        with xr.open_dataset(source, engine="h5netcdf") as opened:
            data = opened.load()
    except Exception as error:
        cause = " ".join(str(error).split())[:120]
        raise FileProblem(
            f"result file {source} is truncated or not netCDF ({cause}); run the study again"
        ) from None
    if MARK not in data.attrs:
        raise FileProblem(f"result file {source} was not written by spinsqueeze")
    return data


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
