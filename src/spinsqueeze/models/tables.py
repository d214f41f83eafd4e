"""Models, states and pulses as plain tables (the schema of study files), and back.

A table holds only numbers, strings, lists and tables, and arrays in place of long lists of numbers
(`core.plain`). Writing a model and reading it back gives an equal model, to the last bit. Every
error begins with the dotted path of the entry it is about, such as `hamiltonian.0.j_z`.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import same
from spinsqueeze.core.units import PER_SECOND
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.catalogue import HAMILTONIAN_TERMS, INITIAL_STATES, JUMP_TERMS
from spinsqueeze.models.cavity import Cavity
from spinsqueeze.models.ensemble import Ensemble, SpinClass, number_of_spins
from spinsqueeze.models.lab import NAMES, LabNumbers
from spinsqueeze.models.lab_cavity import LabCavity
from spinsqueeze.models.lab_spin_numbers import NAMES as SPIN_NAMES
from spinsqueeze.models.lab_spin_numbers import LabSpinNumbers
from spinsqueeze.models.lab_spins import LabSpins
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState
from spinsqueeze.models.term import Term, plain

T = TypeVar("T")
Table = Mapping[str, Any]
MODEL_KEYS = ("unit", "lab", "ensemble", "hamiltonian", "jumps", "cavity")
KEEP = "keep_cavity"
_ENSEMBLE_KINDS = ("spins", "classes", "shape", "positions")
_AS_LATTICE = {
    "spins": "shape = [10, 10], say, for a lattice of 100 spins instead of spins",
    "classes": "shape = [10, 10], say, instead of classes",
}
_LATTICE_KEYS = tuple(item.name for item in dataclasses.fields(Lattice))


def model_from_tables(tables: Table) -> SpinModel:
    """The model that tables describe.

    Args:
        tables: `ensemble` (one of spins, classes, shape with the other fields of a `Lattice`, or
            positions), `hamiltonian` and `jumps` (lists of tables with `term` and its fields),
            `cavity`, `unit`; all but the ensemble may be absent. Or `lab`, the fields of
            `LabNumbers` with `keep_cavity`, in place of ensemble, cavity and unit; or beside an
            ensemble those of `LabSpinNumbers`.

    Raises:
        InvalidInput: an unknown key or term, a wrong type or value; begins with the dotted path.
    """
    _table("", tables)
    _known("", tables, MODEL_KEYS, what="a model")
    terms = {
        "hamiltonian": _terms("hamiltonian", tables.get("hamiltonian", ()), HAMILTONIAN_TERMS),
        "jumps": _terms("jumps", tables.get("jumps", ()), JUMP_TERMS),
    }
    if "lab" in tables:
        return _lab_spins(tables, terms) if _of_spins(tables) else _lab_model(tables, terms)
    spins = _spins(tables.get("ensemble"))
    parts: dict[str, Any] = {**terms}
    if "cavity" in tables:
        parts["cavity"] = build(Cavity, tables["cavity"], path="cavity", what="the cavity")
    if "unit" in tables:
        parts["unit"] = tables["unit"]
    try:
        return SpinModel(spins, **parts)
    except InvalidInput as error:
        raise error.at("", names={"spins": "ensemble"}) from None


def _of_spins(tables: Table) -> bool:
    """Whether [lab] holds numbers of the spins in [ensemble], not of atoms in a cavity."""
    _table("lab", tables["lab"])
    cavity = any(key in (*NAMES, KEEP) for key in tables["lab"])
    return not cavity and ("ensemble" in tables or any(key in SPIN_NAMES for key in tables["lab"]))


def _lab_spins(tables: Table, terms: Mapping[str, Any]) -> SpinModel:
    """The model of [ensemble] with the numbers of [lab], and further terms."""
    if "cavity" in tables:
        raise InvalidInput(
            "cavity: must not stand next to [ensemble] and [lab]; a cavity has numbers of its own "
            "in [lab], without [ensemble]"
        )
    spins, table = _spins(tables.get("ensemble")), tables["lab"]
    numbers = build(LabSpinNumbers, table, path="lab", what="the table [lab] beside [ensemble]")
    unit = tables.get("unit", numbers.unit)
    if unit != numbers.unit:
        raise InvalidInput(
            f"must be {numbers.unit!r} next to [lab] with time_unit = {numbers.time_unit!r}, got "
            f"{checks.shown(unit)}; leave it out, or change lab.time_unit",
            path="unit",
        )
    try:
        return LabSpins(spins, numbers, **terms).model
    except InvalidInput as error:
        if error.argument == "spacing":
            raise error.at("lab") from None
        raise error.at("", names={"spins": "ensemble"}) from None


def _lab_model(tables: Table, terms: Mapping[str, Any]) -> SpinModel:
    """The model of the table `lab`, with further terms."""
    for key in ("ensemble", "cavity"):
        if key in tables:
            raise InvalidInput(
                f"{key}: must not stand next to [lab], which makes atoms and cavity from its own "
                "numbers; leave one of them out"
            )
    unit = tables.get("unit", PER_SECOND)
    if unit != PER_SECOND:
        raise InvalidInput(
            f"must be {PER_SECOND!r} next to [lab], got {checks.shown(unit)}: its frequencies "
            "become rates in 1/s, and times are in seconds; leave it out",
            path="unit",
        )
    table = tables["lab"]
    _table("lab", table)
    _known("lab", table, (*NAMES, KEEP), what="the table [lab]")
    keep = table.get(KEEP, True)
    if not isinstance(keep, bool):
        raise InvalidInput(f"lab.{KEEP}: must be true or false, got {checks.shown(keep)}")
    numbers = {key: value for key, value in table.items() if key != KEEP}
    lab = LabCavity(build(LabNumbers, numbers, path="lab", what="the table [lab]"), **terms)
    return lab.model if keep else lab.eliminated.model


def model_as_tables(model: SpinModel) -> dict[str, Any]:
    """The model as plain tables, as `model_from_tables` reads them; defaults are left out."""
    tables: dict[str, Any] = {"unit": model.unit}
    source: SpinModel | LabCavity | LabSpins = model if model.lab is None else model.lab
    if not isinstance(model.lab, LabCavity):
        tables["ensemble"] = _ensemble_table(model.ensemble)
    if isinstance(model.lab, LabSpins):
        tables["lab"] = model.lab.numbers.as_dict()
    elif model.lab is not None:
        eliminated = {} if model.cavity is not None else {KEEP: False}
        tables["lab"] = model.lab.numbers.as_dict() | eliminated
    for part, terms in (("hamiltonian", source.hamiltonian), ("jumps", source.jumps)):
        if terms:
            tables[part] = [{"term": term.name(), **term.as_dict()} for term in terms]
    if model.cavity is not None and model.lab is None:
        tables["cavity"] = model.cavity.as_dict()
    return tables


def state_from_table(table: Any, *, path: str = "initial_state") -> InitialState:
    """An initial state from e.g. {coherent = "+x"}, {dicke = 0, axis = "x"}, {symmetric = [...]}.

    Raises:
        InvalidInput: not one known state, or a wrong value; begins with the dotted path.
    """
    _table(path, table)
    named = [key for key in table if key in INITIAL_STATES]
    if not named:
        for key in table:
            raise InvalidInput(
                f"{path}.{key}: unknown state; {checks.did_you_mean(str(key), INITIAL_STATES)}"
            )
    if len(named) != 1:
        raise InvalidInput(
            f"{path}: must name exactly one state of {', '.join(INITIAL_STATES)}, got "
            f"{' and '.join(named) or 'none'}"
        )
    kind, main = INITIAL_STATES[named[0]]
    fields = {main if key == named[0] else key: value for key, value in table.items()}
    if len(fields) != len(table):
        raise InvalidInput(f"{path}.{main}: give it once, as {named[0]}")
    return build(kind, fields, path=path, what=f"a {named[0]} state", shown_as={main: named[0]})


def pulses_from_tables(tables: Any, *, path: str = "pulses") -> tuple[Pulse, ...]:
    """Pulses from a list of tables {time, axis, angle, spin_class, sites}.

    Raises:
        InvalidInput: an unknown key, a wrong type or value; begins with the dotted path.
    """
    return tuple(
        build(Pulse, table, path=f"{path}.{k}", what="a pulse")
        for k, table in enumerate(_list(path, tables))
    )


def build(
    kind: type[T], table: Any, *, path: str, what: str, shown_as: Mapping[str, str] | None = None
) -> T:
    """A dataclass from a table whose keys are its fields.

    Args:
        kind: the dataclass.
        table: field -> value.
        path: dotted path of the table.
        what: name of the thing in messages.
        shown_as: keys that users write for some of the fields.

    Raises:
        InvalidInput: an unknown or missing key, or a wrong value; begins with the dotted path.
    """
    _table(path, table)
    shown = dict(shown_as or {})
    fields = [item for item in dataclasses.fields(kind) if item.init]  # type: ignore[arg-type]
    _known(path, table, [item.name for item in fields], what=what, shown=shown)
    required = [
        item.name
        for item in fields
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    ]
    for name in required:
        if name not in table:
            needs = " and ".join(shown.get(n, n) for n in required)
            raise InvalidInput(f"{path}.{shown.get(name, name)}: is missing; {what} needs {needs}")
    try:
        return kind(**table)
    except InvalidInput as error:
        raise error.at(path, names=shown) from None


def _table(path: str, table: Any) -> None:
    if not isinstance(table, Mapping):
        raise InvalidInput(f"{path or 'tables'}: must be a table, got {checks.shown(table)}")


def _list(path: str, tables: Any) -> list[Any]:
    if isinstance(tables, Mapping):
        raise InvalidInput(f"{path}: must be a list of tables; write [[{path}]], not [{path}]")
    if not isinstance(tables, list | tuple):
        raise InvalidInput(f"{path}: must be a list of tables, got {checks.shown(tables)}")
    return list(tables)


def _known(
    path: str,
    table: Table,
    names: Iterable[str],
    *,
    what: str,
    shown: Mapping[str, str] | None = None,
) -> None:
    known = list(names)
    for key in table:
        if key not in known:
            place = f"{path}.{key}" if path else str(key)
            hint = checks.did_you_mean(str(key), [(shown or {}).get(n, n) for n in known])
            raise InvalidInput(f"{place}: unknown key of {what}; {hint}")


def _spins(table: Any) -> Any:
    if table is None:
        raise InvalidInput(
            "ensemble: is missing; give [ensemble] with spins = 50, or shape = [64, 64]"
        )
    _table("ensemble", table)
    _known("ensemble", table, ("spins", "classes", *_LATTICE_KEYS), what="the ensemble")
    given = [key for key in _ENSEMBLE_KINDS if key in table]
    if len(given) != 1:
        drop = given == ["spins", "shape"]
        raise InvalidInput(
            f"ensemble: must have exactly one of {', '.join(_ENSEMBLE_KINDS)}, got "
            f"{' and '.join(given) or 'none'}"
            + ("; leave spins out: a lattice counts its own" if drop else "")
        )
    if given[0] in ("shape", "positions"):
        return build(Lattice, table, path="ensemble", what="the ensemble")
    extra = sorted(set(table) - set(given))
    if extra:
        raise InvalidInput(
            f"ensemble.{extra[0]}: needs a lattice (shape), not {given[0]}; write "
            f"{_AS_LATTICE[given[0]]}, or leave {' and '.join(extra)} out"
        )
    if given == ["spins"]:
        try:
            return number_of_spins(table["spins"])
        except InvalidInput as error:
            raise error.at("ensemble") from None
    classes = _list("ensemble.classes", table["classes"])
    if not classes:
        raise InvalidInput("ensemble.classes: must hold at least one class, got none")
    return [
        build(SpinClass, entry, path=f"ensemble.classes.{k}", what="a spin class")
        for k, entry in enumerate(classes)
    ]


def _terms(path: str, tables: Any, catalogue: Mapping[str, type[Term]]) -> tuple[Term, ...]:
    terms = []
    for k, table in enumerate(_list(path, tables)):
        place = f"{path}.{k}"
        _table(place, table)
        if "term" not in table:
            raise InvalidInput(f"{place}.term: is missing; one of {', '.join(catalogue)}")
        name = table["term"]
        if not isinstance(name, str) or name not in catalogue:
            raise InvalidInput(f"{place}.term: {_unknown_term(name, path, catalogue)}")
        fields = {key: value for key, value in table.items() if key != "term"}
        terms.append(build(catalogue[name], fields, path=place, what=name))
    return tuple(terms)


def _unknown_term(name: Any, path: str, catalogue: Mapping[str, type[Term]]) -> str:
    other = "jumps" if path == "hamiltonian" else "hamiltonian"
    if isinstance(name, str) and name in (JUMP_TERMS if other == "jumps" else HAMILTONIAN_TERMS):
        return f"{name!r} belongs in [[{other}]], not in [[{path}]]"
    hint = (
        checks.did_you_mean(name, catalogue)
        if isinstance(name, str)
        else "known: " + ", ".join(catalogue)
    )
    return f"unknown term {checks.shown(name)}; {hint}"


def _ensemble_table(ensemble: Ensemble) -> dict[str, Any]:
    if ensemble.classes is not None:
        return {"classes": [_differing(c) for c in ensemble.classes]}
    if ensemble.lattice is None:
        return {"spins": ensemble.n_spins}
    table = _differing(ensemble.lattice)
    if table["boundary"] == "periodic":
        del table["boundary"]  # what a shape has by default
    return table


def _differing(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults, as plain data."""
    table = {}
    for item in dataclasses.fields(value):
        entry = plain(getattr(value, item.name))
        if item.default is dataclasses.MISSING or not same(entry, plain(item.default)):
            table[item.name] = entry
    return table
