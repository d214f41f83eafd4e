"""What modes add to the equations: their own motion, and that with the spins.

Products of a† and a stand in normal order, a† to the left. Their symbols commute, so that modes are
further variables of the series: with a = r + i s, y_r and y_s are those of products of r and s, and

    a  <->  d_r + i d_s,    derivative by a  <->  (y_r - i y_s)/2.

H = detuning a† a + drive (a + a†) and rates D[u a + v a†] move them by

    -kappa/2 (y_r d_r + y_s d_s) + detuning (y_r d_s - y_s d_r) - drive y_s
    + (G - Re w)/4 y_r^2 + (G + Re w)/4 y_s^2 - Im w/2 y_r y_s,

kappa = sum rate (|u|^2 - |v|^2), G = sum rate |v|^2, w = sum rate u* v. A coupling a† L + a L†,
L = sum_i c.s_i, is to the spins the field 2 r Re c + 2 s Im c, and to the mode, for every spin,

    y_r times O -> -(i/2) (O c.s - c*.s O),    y_s times O -> -(1/2) (O c.s + c*.s O),

with O = 1 for spins outside the product.
"""

from collections.abc import Iterator

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.cumulants.tables import (
    NONE,
    TAU,
    ModeTerm,
    Table,
    expanded,
    field_tables,
    no_tables,
)
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Strength
from spinsqueeze.models.modes import Mode, ModeCoupling


def mode_tables(model: Canonical) -> list[Table]:
    """The tables of all modes and their couplings."""
    n_kinds = len(model.counts)
    out = []
    for index, mode in enumerate(model.modes):
        r = 3 * n_kinds + 2 * index
        out += [_table(strength, n_kinds, terms) for strength, terms in _own(mode, r, r + 1)]
    for coupling in model.mode_couplings:
        r = 3 * n_kinds + 2 * coupling.mode
        terms = tuple(_shared(coupling, n_kinds, r, r + 1))
        out.append(_table(coupling.strength, n_kinds, terms))
    return out


def _table(strength: Strength, n_kinds: int, terms: tuple[ModeTerm, ...]) -> Table:
    return Table(strength, *no_tables(n_kinds), terms)


def _own(mode: Mode, r: int, s: int) -> Iterator[tuple[Strength, tuple[ModeTerm, ...]]]:
    yield (
        mode.detuning,
        ((r, NONE, s, NONE, NONE, 1.0), (s, NONE, r, NONE, NONE, -1.0)),
    )
    yield mode.drive, ((s, NONE, NONE, NONE, NONE, -1.0),)
    for reservoir in mode.reservoirs:
        u, v = complex(reservoir.u), complex(reservoir.v)
        kappa, gain, w = abs(u) ** 2 - abs(v) ** 2, abs(v) ** 2, u.conjugate() * v
        yield (
            reservoir.rate,
            (
                (r, NONE, r, NONE, NONE, -kappa / 2),
                (s, NONE, s, NONE, NONE, -kappa / 2),
                (r, r, NONE, NONE, NONE, (gain - w.real) / 4),
                (s, s, NONE, NONE, NONE, (gain + w.real) / 4),
                (r, s, NONE, NONE, NONE, -w.imag / 2),
            ),
        )


def _shared(coupling: ModeCoupling, n_kinds: int, r: int, s: int) -> Iterator[ModeTerm]:
    vectors = np.broadcast_to(coupling.vectors, (n_kinds, 3)).astype(complex)
    for mode, part in ((r, 2 * vectors.real), (s, 2 * vectors.imag)):
        for A, a, b in np.argwhere(turned := field_tables(part)):
            value = float(turned[A, a, b])
            yield _place(3 * A + a - 1, NONE, mode, 3 * A + b - 1, value)
    for A, vector in enumerate(vectors):
        for mode, table in zip((r, s), _pulls(vector), strict=True):
            for a, b in np.argwhere(table):
                v = NONE if b == 0 else 3 * A + b - 1
                if a == 0:
                    yield (mode, NONE, int(v), NONE, A, float(table[a, b]))
                else:
                    yield _place(3 * A + a - 1, mode, v, NONE, float(table[a, b]))


def _place(u: int, other: int, v: int, w: int, value: float) -> ModeTerm:
    return int(u), int(other), int(v), int(w), NONE, value


def _pulls(vector: Complexes) -> tuple[Floats, Floats]:
    """(4, 4) for y_r and y_s: O -> -(i/2) (O c.s - c*.s O) and -(1/2) (O c.s + c*.s O)."""
    L = np.einsum("a,axy->xy", vector, TAU[1:])
    one = np.eye(2)
    right: Complexes = np.kron(one, L.T)
    left: Complexes = np.kron(L.conj().T, one)
    return expanded(-0.5j * (right - left)).real, expanded(-0.5 * (right + left)).real
