"""The fixed outline of a study file: its sections, their types, and one line for each mistake."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import require_whole

Table = dict[str, Any]


class RunSection(BaseModel):
    """[run]: when to look, and how the numbers are drawn."""

    model_config = ConfigDict(extra="forbid", strict=True)
    times: Any = None  # of many numbers an array; `expand` checks them
    steady_state: bool = False
    seed: Any = 0
    unit: str | None = None
    memory_budget: Any = None


class StudyFile(BaseModel):
    """A study file, before its sections are read."""

    model_config = ConfigDict(extra="forbid", strict=True)
    title: str = ""
    unit: str | None = None
    lab: Table | None = None
    ensemble: Table
    hamiltonian: list[Table] = []
    jumps: list[Table] = []
    cavity: Table | None = None
    initial_state: Table | None = None
    pulses: list[Table] = []
    losses: Table | None = None
    readout: Table | None = None
    method: Table | None = None
    run: RunSection = RunSection()
    sweep: Table | None = None


def outline(tables: Any) -> StudyFile:
    """Check the sections of a study.

    Raises:
        InvalidInput: an unknown or missing section, or one of a wrong type; the first mistake, in
            one line that begins with its dotted path.
    """
    if not isinstance(tables, Mapping):
        raise InvalidInput(f"study: must be a table, got {checks.shown(tables)}")
    require_whole(tables)
    if not tables:
        raise InvalidInput("study: is empty; give at least [ensemble] and [initial_state]")
    try:
        # [lab] makes the spins; whether both are there is for the model to say.
        return StudyFile.model_validate(
            ({"ensemble": {}} if "lab" in tables else {}) | dict(tables)
        )
    except ValidationError as error:
        raise InvalidInput(_one_line(error)) from None


def _one_line(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False)
    # An unknown key often explains a missing one, so it comes first.
    first = min(problems, key=lambda p: p["type"] != "extra_forbidden")
    others = {p["loc"][:2] for p in problems} - {first["loc"][:2]}
    more = f" (and {len(others)} more)" if others else ""
    return _worded(first) + more


def _worded(problem: Any) -> str:
    where = [str(part) for part in problem["loc"]]
    kind = problem["type"]
    if kind == "extra_forbidden":
        model = RunSection if where[0] == "run" and len(where) > 1 else StudyFile
        hint = checks.did_you_mean(where[-1], model.model_fields)
        if where[-1] == "values":
            hint = "write times = [...]"
        section = f"[{where[0]}]" if model is RunSection else "a study"
        return f"{'.'.join(where)}: unknown key of {section}; {hint}"
    if kind == "missing":
        return f"{'.'.join(where)}: is missing; {_REMEDIES[where[0]]}"
    # The branch of a union ('dict[str,any]') is no part of the path.
    path = [part for part in where if "[" not in part]
    rule = _RULES.get(".".join(path)) or _TYPES.get(kind, "be of another type")
    return f"{'.'.join(path)}: must {rule}, got {checks.shown(problem['input'])}"


_REMEDIES = {
    "ensemble": "give [ensemble] with spins = 50, or shape = [64, 64]",
}
_RULES = {
    "lab": "be a table such as [lab] with n_atoms = 10000",
    "hamiltonian": "be a list of tables ([[hamiltonian]])",
    "jumps": "be a list of tables ([[jumps]])",
    "pulses": "be a list of tables ([[pulses]])",
    "losses": "be a table such as [losses] with rate = 0.1",
    "readout": "be a table such as [readout] with detection_error = 0.01",
    "initial_state": 'be a table such as [initial_state] with coherent = "+x"',
    "method": 'be a table such as [method] with name = "dtwa"',
}
_TYPES = {
    "dict_type": "be a table",
    "list_type": "be a list",
    "string_type": "be a string",
    "bool_type": "be true or false",
    "model_type": "be a table",
}
