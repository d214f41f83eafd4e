"""rerun: a result again, from itself."""

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.toml import as_toml
from spinsqueeze.results.dataset import checked_dataset
from spinsqueeze.results.files import load
from spinsqueeze.results.provenance import another_version
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import study_of
from spinsqueeze.run.sweep import run_study


@clear_call
def rerun(
    data: xr.Dataset | str | Path, *, progress: Callable[[float], None] | None = None
) -> xr.Dataset:
    """Run a result again: its study, with every option of its method, its seed and its times.

    What the result kept (a final state, the sample blocks of a sweep) is kept again. The numbers
    are the same to the last bit with the same version on the same machine; a sweep whose study
    names no method chooses it anew at every point. A result of another version warns.

    Args:
        data: what `simulate`, `steady_state`, `sweep` or `load` returns, a point selected from a
            sweep, or the name of a result file.
        progress: called with the fraction done.

    Raises:
        InvalidInput: something else, or a merged result.
        FileProblem: see `load`.
        SpinSqueezeError: see `simulate`, `steady_state` and `sweep`.
    """
    result = data if isinstance(data, xr.Dataset) else _read(data)
    study = study_to_rerun(result)
    note = another_version(result.attrs)
    if note:
        warnings.warn(note, stacklevel=3)
    return run_study(study, progress=progress, **kept_by(result))


def _read(file: Any) -> Any:
    return load(Path(file)) if isinstance(file, str | os.PathLike) else file


def study_to_rerun(data: Any) -> Study:
    """The study that makes a result again.

    Raises:
        InvalidInput: no result with its study, or a merged one.
    """
    if isinstance(data, xr.Dataset) and "metrological_gain" in data:
        phases = ", phases=data.phase.values" if "phase" in data.dims else ""
        phases += ", axis='best'" if "best_axis" in data else ""
        raise InvalidInput.of(
            "data",
            "must be a run or a sweep, got a sensitivity; make it again with sensitivity("
            f"study_of(data), signal={data.attrs['signal']}, step={data.attrs['step']:g}{phases})",
        )
    seeds = json.loads(checked_dataset(data, call="rerun").attrs.get("seeds", "[]"))
    if len(seeds) > 1:
        words = ", ".join(map(str, seeds))
        raise InvalidInput.of(
            "data",
            f"must be one run, got a merge of the seeds {words}; run each and merge: "
            f"merge([run_study(replace(study_of(data), seed=s)) for s in ({words})])",
        )
    return study_of(data)


def kept_by(data: xr.Dataset) -> dict[str, bool]:
    """What `run_study` has to keep for a result to hold what this one holds."""
    swept = "status" in data and bool(data["status"].dims)
    blocks = any(str(name).startswith("block_") for name in data.data_vars)
    return (
        {"blocks": True}
        if swept and blocks
        else {"keep_state": True}
        if (not swept and "final_state" in data)
        else {}
    )


def study_text(data: xr.Dataset) -> str:
    """The study file of a result, with every option of its method, if it names one.

    Raises:
        InvalidInput: see `study_of`.
    """
    attrs = data.attrs
    version, commit = (attrs.get(n, "unknown") for n in ("spinsqueeze_version", "commit"))
    lines = [f"# From a result of spinsqueeze {version}, commit {commit}."]
    note = another_version(attrs)
    if note:
        lines.append(f"# {note[0].upper()}{note[1:]}.")
    study = study_of(data)
    if study.sweep is not None and study.method is None:
        took = np.unique(data["method"].values if "method" in data else attrs.get("method", ""))
        names = ", ".join(str(name) for name in took if name)
        lines.append(f"# No method is named: each point chooses; they took {names or 'none'}.")
    return "\n".join(lines) + "\n" + as_toml(study.as_tables(every_option=True))
