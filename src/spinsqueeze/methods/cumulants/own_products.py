"""Products of components of one spin in the jumps of mean field: Pauli's relations, or factors.

Factorised, <S_a S_b> = <S_a><S_b> for the collective spin itself, in any order of the factors:

d<S>/dt = (what the Hamiltonian does) - sum_jumps rate Im[(c* . <S>)(c x <S>)]

for jumps D[c.S]. It keeps |<S>|, as the model keeps the total spin. What a Hamiltonian does
keeps it anyway, and is right for products of spins: it is the same in both. See NOTES.md.
"""

from dataclasses import replace

import numpy as np

from spinsqueeze.methods.base.question import Question
from spinsqueeze.methods.cumulants.tables import Table, tables_of
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.states import CoherentState, ProductState

AUTO, PAULI, FACTORISED = "auto", "pauli", "factorised"
CHOICES = (AUTO, PAULI, FACTORISED)
ALONG_AN_AXIS = 1e-12
"""A jump whose vector has a smaller imaginary part, up to its phase, is Hermitian."""


def reasons_against(question: Question) -> list[str]:
    """Why factorised products make no sense for a question; empty where they do."""
    model, reasons = question.model, []
    if model.modes:
        reasons.append("factorised products are for collective jumps, not for a cavity")
    if model.local_jumps:
        reasons.append("local jumps change the total spin, which factorised products keep")
    if len(model.counts) > 1:
        reasons.append("classes of spins, or pulses on some of them, have no one total spin")
    elif model.n_spins == 1:
        reasons.append("of a single spin, products by Pauli's relations are exact")
    if not model.collective_jumps:
        reasons.append(
            "without collective jumps, products by Pauli's relations keep the mean spin's length "
            "too and are right to higher order in 1/N"
        )
    elif any(_hermitian(jump.vectors) for jump in model.collective_jumps):
        reasons.append(
            "a collective jump along one axis only shortens the mean spin, which factorised "
            "products leave out"
        )
    if not isinstance(question.state, CoherentState | ProductState) or _unlike(question.state):
        reasons.append("the initial state must be a coherent state, whose mean spin has length N/2")
    return reasons


def chosen(products: str, question: Question) -> str:
    """The products of a question: as asked for, else factorised for one jump of the whole spin."""
    if products != AUTO:
        return products
    one_jump = len(question.model.collective_jumps) == 1
    return FACTORISED if one_jump and not reasons_against(question) else PAULI


def factorised_tables(model: Canonical) -> list[Table]:
    """Tables whose mean field has factorised products: jumps of N pairs for N - 1, not of one spin.

    For order 1 alone.
    """
    n, hamiltonian = model.n_spins, len(model.fields) + len(model.quadratics) + len(model.pairs)
    tables = tables_of(model)
    jumps = [
        replace(table, one=np.zeros_like(table.one), two=table.two * (n / (n - 1)))
        for table in tables[hamiltonian:]
    ]
    return [*tables[:hamiltonian], *jumps]


def _hermitian(vectors: object) -> bool:
    c = np.ravel(np.asarray(vectors, dtype=complex))[:3]
    axial = 2 * np.linalg.norm(np.cross(c.real, c.imag))
    return bool(axial <= ALONG_AN_AXIS * np.vdot(c, c).real)


def _unlike(state: object) -> bool:
    return isinstance(state, ProductState) and bool(np.any(state.directions != state.directions[0]))
