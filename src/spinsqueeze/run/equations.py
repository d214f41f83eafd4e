"""equations: the equations of motion that `Cumulants` closes, written out."""

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Integers
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import Unsupported
from spinsqueeze.core.text import html_lines
from spinsqueeze.models.ensemble import SpinClass
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.model import SpinModel, checked_model
from spinsqueeze.models.term import HamiltonianTerm, Term

MAX_ORDER = 4
STRENGTHS = ("chi", "j_x", "j_y", "j_z", "j_perp", "rabi", "rate")
"""Fields in which a term is linear, where they are numbers or envelopes."""


@final
@clear_init
@dataclass(frozen=True)
class Equations:
    """Equations of the moments of distinct spins up to an order: print it, or take `latex`.

    text: a line an equation, `<xz>` = <s^x_1 s^z_2> of two distinct spins; `<x0 z1>` by class, or
    by spin where a term tells spins of a class apart.
    latex: an align environment. closure: what is done with the moments of the next order.
    """

    text: str
    latex: str
    closure: str

    def __str__(self) -> str:
        return f"{self.text}\n{self.closure}"

    def _repr_html_(self) -> str:
        return html_lines(str(self))


@clear_call
def equations(model: SpinModel, *, order: int = 2) -> Equations:
    """The equations of motion of the moments of distinct spins, with the model's own names.

    Args:
        model: spins that are alike, or alike within classes; no cavity.
        order: highest degree of the moments, 1 to 4.

    Returns:
        Equations, exact up to the closure of degree order + 1.

    Raises:
        InvalidInput: order out of range, or not a model.
        Unsupported: a cavity, or couplings that depend on the pair of spins.
    """
    from spinsqueeze.methods.cumulants.written import as_latex, as_text, derive

    model = checked_model(model)
    order = checks.integer("order", order, minimum=1, maximum=MAX_ORDER)
    form = model.canonical
    if form.modes or "couplings" in form.differences:
        what = "a cavity" if form.modes else "couplings that depend on the pair of spins"
        raise Unsupported(f"equations cannot do this: the model has {what}")
    n_kinds = len(form.counts)
    derived = derive(_named_tables(model), n_kinds=n_kinds, order=order)
    closure = (
        f"Moments of degree {order + 1} follow from the lower ones: their joint cumulant is zero."
        if order < model.n_spins
        else "These equations are closed: there are no more spins."
    )
    return Equations(as_text(derived, n_kinds=n_kinds), as_latex(derived, n_kinds=n_kinds), closure)


def _named_tables(model: SpinModel) -> list[Any]:
    """A table for every parameter, under its name; of what has none under the number 1."""
    from spinsqueeze.methods.cumulants.written import NamedTable

    parameters = [
        (term, name) for term in (*model.hamiltonian, *model.jumps) for name in _parameters(term)
    ]
    repeated = Counter(name for _, name in parameters)
    seen: Counter[str] = Counter()
    out = []
    spins, counts = _spins_without_detuning(model), model.canonical.counts
    for term, name in parameters:
        label = name if repeated[name] == 1 or not name else f"{name}_{term.name()}"
        seen[label] += 1
        label += f"_{seen[label]}" if label and seen[label] > 1 else ""
        alone = _alone(spins, _unit(term, name))
        out += [NamedTable(label, table) for table in _tables(alone, counts)]
    classes = model.ensemble.classes or ()
    for k, spin_class in enumerate(classes):
        if spin_class.detuning:
            alone = SpinModel([replace(c, detuning=float(i == k)) for i, c in enumerate(classes)])
            out += [NamedTable(f"detuning_{k}", table) for table in _tables(alone, counts)]
    return out


def _parameters(term: Term) -> list[str]:
    """The strengths in which a term is linear; '' for a term written with its numbers."""
    names = [f.name for f in fields(term) if f.name in STRENGTHS]  # type: ignore[arg-type]
    if any(isinstance(getattr(term, name), np.ndarray) for name in names) or not names:
        return ["envelope" if getattr(term, "envelope", None) is not None else ""]
    return names


def _unit(term: Term, name: str) -> Term:
    """The term with one parameter at 1 and its other strengths at 0."""
    if name in ("", "envelope"):
        return replace(term, envelope=None) if name else term  # type: ignore[type-var]
    others = {f.name: 0.0 for f in fields(term) if f.name in STRENGTHS}  # type: ignore[arg-type]
    return replace(term, **{**others, name: 1.0})  # type: ignore[type-var]


def _spins_without_detuning(model: SpinModel) -> Any:
    classes = model.ensemble.classes
    if classes is None:
        return model.spins
    return [SpinClass(c.count, weight=c.weight) for c in classes]


def _alone(spins: Any, term: Term) -> SpinModel:
    if isinstance(term, HamiltonianTerm):
        return SpinModel(spins, hamiltonian=[term])
    return SpinModel(spins, jumps=[term])  # type: ignore[list-item]


def _tables(alone: SpinModel, counts: Integers) -> list[Any]:
    """The tables of a model of one parameter, on the kinds of the whole model."""
    from spinsqueeze.methods.cumulants.tables import Table, tables_of

    out = []
    for table in tables_of(alone.canonical.split(counts)):
        assert not isinstance(table.strength, Envelope)
        out.append(Table(1.0, table.strength * table.one, table.strength * table.two))
    return out
