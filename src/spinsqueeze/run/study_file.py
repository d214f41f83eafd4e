"""Studies from TOML files and from plain tables."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import FileProblem, InvalidInput
from spinsqueeze.core.output import file_name
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.catalogue import INITIAL_STATES
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.readout import Readout
from spinsqueeze.models.tables import (
    build,
    model_from_tables,
    pulses_from_tables,
    state_from_table,
)
from spinsqueeze.run.lab_times import times_as_numbers
from spinsqueeze.run.ranges import expand
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_schema import RunSection, StudyFile, outline
from spinsqueeze.run.sweep_axes import read_axes

if TYPE_CHECKING:
    import xarray as xr

MAX_FILE_BYTES = 10**9
_NETCDF = (b"\x89HDF", b"CDF")


@clear_call
def read_study(path: str | Path) -> Study:
    """Read a study file.

    Raises:
        FileProblem: missing, a folder, unreadable, not UTF-8 or not TOML; names line and column.
        InvalidInput: a wrong entry; names the file and the dotted path. Or path is no name.
    """
    source = file_name("path", path)
    tables = _read_toml(source)
    try:
        return study_from_tables(tables)
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error}") from None


def is_result(path: Path) -> bool:
    """Whether a file begins like a result file; one that cannot be read does not."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as opened:
            return opened.read(4).startswith(_NETCDF)
    except (OSError, ValueError):
        return False


def _read_toml(source: Path) -> dict[str, Any]:
    try:
        if source.is_dir():
            raise FileProblem(
                f"study {source} is a folder; name a file such as {source}/study.toml"
            )
        if source.stat().st_size > MAX_FILE_BYTES:
            raise FileProblem(f"study {source} is larger than 1 GB: not a study file")
        raw = source.read_bytes()
    except FileNotFoundError:
        raise FileProblem(
            f"study {source} does not exist; spinsqueeze platforms writes one to begin with"
        ) from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise FileProblem(f"study {source} cannot be read: {cause}") from None
    if raw.startswith(_NETCDF):
        raise FileProblem(
            f"study {source} is a result file (netCDF), not a study; try spinsqueeze info "
            f"{source}, or study_of(load({str(source)!r}))"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FileProblem(
            f"study {source} is not UTF-8 text (line {line}); save it as UTF-8"
        ) from None
    if not text.strip():
        raise FileProblem(f"study {source} is empty; give at least [ensemble] and [initial_state]")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        place = where[1] if where else "somewhere"
        cause = str(error).split(" (at ")[0]
        cause = cause[:1].lower() + cause[1:]
        raise FileProblem(f"study {source} is not TOML: {place}: {cause}") from None
    except RecursionError:
        raise FileProblem(f"study {source} is nested too deeply to be a study") from None


def study_from_tables(tables: Any) -> Study:
    """The study that plain tables describe; those of a result come from `study_of`.

    Raises:
        InvalidInput: a wrong entry, in one line that begins with its dotted path.
    """
    sections = outline(tables)
    study = _single_point(tables, sections)
    if sections.sweep is None:
        return study
    rest = {key: value for key, value in tables.items() if key != "sweep"}
    try:
        return replace(study, sweep=read_axes(rest, sections.sweep, check=study_from_tables))
    except InvalidInput as error:
        raise error.at("sweep") from None


@clear_call
def study_of(data: "xr.Dataset") -> Study:
    """The study that a result came from: `run_study(study_of(data))` gives the result again.

    Args:
        data: what `simulate`, `steady_state`, `sweep`, `merge` or `load` returns. A point that was
            selected from a sweep has the study of that point, a merged result that of its first
            run.

    Raises:
        InvalidInput: something else, a figure of a paper, or a result whose arrays were taken out.
    """
    from spinsqueeze.results.dataset import checked_dataset
    from spinsqueeze.results.grid import as_single_run
    from spinsqueeze.results.studies import full_study_tables

    run = as_single_run(checked_dataset(data, call="study_of"))
    return study_from_tables(full_study_tables(run))


def _single_point(tables: Any, sections: StudyFile) -> Study:
    run = sections.run
    model_tables = {key: tables[key] for key in _MODEL_SECTIONS if key in tables}
    unit = _unit(sections, run)
    if unit is not None:
        model_tables["unit"] = unit
    try:
        model = model_from_tables(model_tables)
    except InvalidInput as error:
        raise (error.at("run") if error.path == "unit" and run.unit else error) from None
    parts: dict[str, Any] = {
        "title": sections.title,
        "seed": run.seed,
        "memory_budget": _bytes(run.memory_budget),
        "pulses": pulses_from_tables(sections.pulses),
    }
    if sections.initial_state is not None:
        state = state_from_table(sections.initial_state)
        try:
            state.fit(model.n_spins, n_classes=len(model.ensemble.classes or ()))
        except InvalidInput as error:
            names = {main: name for name, (_, main) in INITIAL_STATES.items()}
            raise error.at("initial_state", names=names) from None
        parts["initial_state"] = state
    if sections.losses is not None:
        parts["losses"] = build(Losses, sections.losses, path="losses", what="losses")
    if sections.readout is not None:
        parts["readout"] = build(Readout, sections.readout, path="readout", what="the readout")
    if sections.method is not None:
        parts["method"] = _method(sections.method)
    parts |= _when(sections, model)
    try:
        return Study(model, **parts)
    except InvalidInput as error:
        own = error.entry.partition(".")[0] in ("pulses", "losses", "initial_state", "title")
        raise error.at("" if own else "run") from None


def _when(sections: StudyFile, model: SpinModel) -> dict[str, Any]:
    """The output times, if any, or steady_state."""
    run = sections.run
    if run.steady_state:
        if run.times is not None:
            raise InvalidInput("run.times: has no place next to steady_state = true; leave one out")
        return {"steady_state": True}
    if sections.initial_state is None:
        raise InvalidInput(
            'initial_state: is missing; give [initial_state] with coherent = "+x", say, or '
            "run.steady_state = true"
        )
    if run.times is None or isinstance(run.times, str):
        return {"times": run.times}
    values = expand("run.times", times_as_numbers(run.times, model))
    return {"times": _below("run", lambda: checks.increasing("times", values, minimum=0.0))}


_MODEL_SECTIONS = ("lab", "ensemble", "hamiltonian", "jumps", "cavity")


def _unit(sections: StudyFile, run: RunSection) -> str | None:
    if sections.unit is not None and run.unit is not None and sections.unit != run.unit:
        raise InvalidInput(f"run.unit: is {run.unit!r} but unit is {sections.unit!r}; give it once")
    return run.unit if run.unit is not None else sections.unit


def _below(path: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except InvalidInput as error:
        raise error.at(path) from None


def _method(table: Any) -> Method:
    if "name" not in table:
        raise InvalidInput(f"method.name: is missing; one of {', '.join(METHODS)}")
    name = table["name"]
    if not isinstance(name, str) or name not in METHODS:
        hint = checks.did_you_mean(str(name), METHODS)
        raise InvalidInput(f"method.name: unknown method {checks.shown(name)}; {hint}")
    options = {key: value for key, value in table.items() if key != "name"}
    return build(METHODS[name], options, path="method", what=name)


def _bytes(value: Any) -> float:
    """A memory budget: a number of bytes, or text such as '4 GB'."""
    if value is None:
        return DEFAULT_MEMORY_BUDGET
    return float(_below("run", lambda: checks.memory("memory_budget", value)))


def study_of_subject(subject: Any) -> Study:
    """A study, given as one or as its tables.

    Raises:
        InvalidInput: something else, with its remedy.
    """
    if isinstance(subject, Study):
        return subject
    if isinstance(subject, Mapping) and not hasattr(subject, "data_vars"):
        return study_from_tables(subject)
    remedy, shown = "", checks.shown(subject)
    if isinstance(subject, str | os.PathLike):
        remedy = f"; read the file: read_study({os.fspath(subject)!r})"
    elif hasattr(subject, "data_vars"):
        remedy, shown = "; take the study of the result: study_of(data)", type(subject).__name__
    elif isinstance(getattr(subject, "model", None), SpinModel):
        remedy = "; give its .model"
    raise InvalidInput(
        f"subject must be a SpinModel, a Study or the tables of one, got {shown}{remedy}"
    )
