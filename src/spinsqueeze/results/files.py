"""Result files: netCDF, written whole or not at all, read with a check that they are ours."""

import io
import os
import stat
from pathlib import Path

import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import FileProblem, InvalidInput
from spinsqueeze.core.output import check_writable, file_name, write_bytes
from spinsqueeze.results.provenance import MARK as MARK

_TABLES = (".csv", ".tsv", ".txt", ".dat", ".xls", ".xlsx", ".npy", ".npz", ".mat", ".pkl")
_OTHERS = {
    ".toml": "a study, which spinsqueeze run turns into a result",
    ".png": "a picture",
    ".pdf": "a picture",
    ".svg": "a picture",
    ".json": "a list of claims",
    ".point": "a point of a sweep, which the same sweep reads again",
}


def check_result_name(path: str | Path, *, overwrite: bool = False) -> Path:
    """Check, before any work, that a result can be written to `path` and read again.

    Raises:
        FileProblem: see `check_writable`; or the name ends as that of another kind of file.
        InvalidInput: path is no name.
    """
    target = check_writable(path, overwrite=overwrite)
    suffix = target.suffix.lower()
    if suffix in _TABLES:
        result = target.with_suffix(".nc")
        table = f"; a table of it: load({result.name!r}).xi2.to_pandas().to_csv({target.name!r})"
        raise FileProblem(
            f"output {target} must be netCDF, such as {result}{table if suffix == '.csv' else ''}"
        )
    other = _OTHERS.get(suffix)
    if other is not None:
        raise FileProblem(
            f"output {target} is named like {other}; name a result such as "
            f"{target.with_suffix('.nc')}"
        )
    return target


@clear_call
def save(data: xr.Dataset, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a result as netCDF; a file appears whole or not at all.

    Links are followed; into a pipe or a device the bytes are written. The file is made in memory
    first, so that nothing that befalls the disk can harm the data: for this moment it takes about
    as much memory again as the data.

    Raises:
        FileProblem: see `check_result_name` and `write_bytes`, a full disk for one. The data are
            unharmed and can be saved elsewhere.
        InvalidInput: data is no Dataset, or holds what netCDF cannot; or path is no name.
    """
    if not isinstance(data, xr.Dataset):
        shown = repr(data) if isinstance(data, str) else type(data).__name__
        order = "; write save(data, path)" if isinstance(path, xr.Dataset) else ""
        raise InvalidInput(f"data must be a Dataset, got {shown}{order}")
    target = check_result_name(path, overwrite=checks.flag("overwrite", overwrite))
    image = io.BytesIO()
    try:
        data.to_netcdf(image, engine="h5netcdf")
    except (TypeError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise InvalidInput(f"data must hold what netCDF can, but: {cause}") from None
    write_bytes(image.getbuffer(), target)
    return target


@clear_call
def load(path: str | Path) -> xr.Dataset:
    """Read a result file into memory.

    Raises:
        FileProblem: missing, unreadable, a folder, another kind of file, truncated, not netCDF, or
            not written by spinsqueeze.
        InvalidInput: path is no name.
    """
    source = file_name("path", path)
    try:
        mode = os.stat(source).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileProblem(f"result file {source} does not exist") from None
    except (OSError, ValueError) as error:
        shown = ascii(str(source)) if isinstance(error, ValueError) else source
        cause = getattr(error, "strerror", None) or str(error)
        raise FileProblem(f"result file {shown} cannot be read: {cause}") from None
    if stat.S_ISDIR(mode):
        raise FileProblem(f"result {source} is a folder; name a file in it, or the .nc beside it")
    if not stat.S_ISREG(mode):
        raise FileProblem(f"result {source} is a pipe or a device; read it into a file first")
    try:
        with xr.open_dataset(source, engine="h5netcdf") as opened:
            data = opened.load()
    except Exception as error:  # noqa: BLE001  what h5netcdf raises depends on the damage
        other = _OTHERS.get(source.suffix.lower())
        if other is not None:
            raise FileProblem(f"{source} is {other}, not a result file (.nc)") from None
        cause = " ".join(str(error).split())[:120]
        raise FileProblem(
            f"result file {source} is truncated or not netCDF ({cause}); run the study again"
        ) from None
    if MARK not in data.attrs:
        raise FileProblem(f"result file {source} was not written by spinsqueeze")
    return data
