"""A question as the arrays of the compiled walk."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.base.windows import windows
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.drive import breakpoints
from spinsqueeze.models.envelope import at
from spinsqueeze.numerics.rotations import rotation_matrix

DEGREE = 7
"""Of the polynomial that an envelope is between two breakpoints; see `Envelope.breakpoints`."""
_INSIDE = 1e-10
"""Envelopes are read this fraction of a window inside of its edges, where they may jump."""


@final
@dataclass(frozen=True, eq=False)
class Lowered:
    """H = sum_p w_p(t) (S.Q_p.S + b_p.S), jumps of rate w_owner(t) and vector c, in windows.

    Attributes:
        n_spins: N.
        quadratics, fields: (P, 3, 3), (P, 3).
        vectors: (K, 3) of the jumps, each times the root of its constant rate.
        owners: (K,) the piece whose weight is the rest of the rate.
        local: (K,) whether the jump is one of single spins.
        edges: (W + 1,) of the windows; the last one has no length.
        pulses: (W, 3, 3) rotations through which a window is entered.
        polynomials: (W, P, DEGREE + 1) weights in powers of the place in a window, -1 ... 1.
        channel_names: of jump number 3 k + change: the jump k, and what it does to the total spin.
    """

    n_spins: int
    quadratics: Floats
    fields: Floats
    vectors: Complexes
    owners: Integers
    local: Booleans
    edges: Floats
    pulses: Floats
    polynomials: Floats
    channel_names: tuple[str, ...]

    def largest_rates(self) -> Floats:
        """Rates (K,) of the jumps at most, at any state and time.

        |c.s|^2 = (|c|^2 + |c x c*|)/4 on one spin, N times that for all of them; |c.S| <= N |c.s|.
        """
        peaks = np.abs(self.polynomials).sum(axis=-1).max(axis=0)
        turned = np.cross(self.vectors, self.vectors.conj())
        size = np.linalg.norm(self.vectors, axis=1) ** 2 + np.linalg.norm(turned, axis=1)
        many = np.where(self.local, self.n_spins, self.n_spins**2)
        rates: Floats = peaks[self.owners] * size / 4 * many
        return rates


def lower(model: Canonical, *, times: Floats, rotations: tuple[Rotation, ...] = ()) -> Lowered:
    """The arrays of a model from time 0 to times[-1]."""
    pieces, drive = interchangeable.in_time(model)
    vectors, owners, local = [], [], []
    for p, piece in enumerate(pieces):
        for is_local, jumps in ((False, piece.collective_jumps), (True, piece.local_jumps)):
            for rate, vector in jumps:
                if rate > 0.0 and np.any(vector):
                    vectors.append(np.sqrt(rate) * np.asarray(vector, dtype=complex))
                    owners.append(p)
                    local.append(is_local)
    stop = float(times[-1])
    cut = windows(
        times,
        rotations=rotations,
        breakpoints=breakpoints(drive.strengths, start=0.0, stop=stop),
    )
    nodes = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    powers = np.linalg.inv(np.vander(nodes, increasing=True))
    polynomials = np.zeros((len(cut), len(pieces), DEGREE + 1))
    pulses = np.tile(np.eye(3), (len(cut), 1, 1))
    for index, window in enumerate(cut):
        for rotation in window.rotations:
            turn = rotation_matrix(rotation.axis, angle=rotation.angle)
            pulses[index] = turn @ pulses[index]
        inside = (1 - _INSIDE) * nodes
        moments = window.start + (window.stop - window.start) * (1 + inside) / 2
        constant = drive.constant_weights(window.start, window.stop)
        if constant is not None:
            polynomials[index, :, 0] = constant
            continue
        for p, strength in enumerate(drive.strengths):
            polynomials[index, p] = powers @ at(strength, moments)
    return Lowered(
        n_spins=model.n_spins,
        quadratics=np.array([piece.quadratic for piece in pieces]),
        fields=np.array([piece.field for piece in pieces]),
        vectors=np.array(vectors, dtype=complex).reshape(-1, 3),
        owners=np.array(owners, dtype=np.int64),
        local=np.array(local, dtype=bool),
        edges=np.array([*(window.start for window in cut), stop]),
        pulses=pulses,
        polynomials=polynomials,
        channel_names=_names(vectors, local),
    )


_KINDS = {"decay": (1.0, -1.0j, 0.0), "pumping": (1.0, 1.0j, 0.0), "dephasing": (0.0, 0.0, 1.0)}
_CHANGES = ("j", "j - 1", "j + 1")


def _names(vectors: list[Complexes], local: list[bool]) -> tuple[str, ...]:
    """Such as 'collective decay' and 'local dephasing to j - 1'; numbered where two are alike."""
    plain = []
    for vector, is_local in zip(vectors, local, strict=True):
        kind = next((name for name, c in _KINDS.items() if _parallel(vector, np.array(c))), "jump")
        plain.append(f"{'local' if is_local else 'collective'} {kind}")
    names = []
    for k, name in enumerate(plain):
        number = f" {plain[: k + 1].count(name)}" if plain.count(name) > 1 else ""
        for change in _CHANGES:
            names.append(f"{name}{number}" + (f" to {change}" if local[k] else ""))
    return tuple(names)


def _parallel(a: Complexes, b: Complexes) -> bool:
    overlap = abs(np.vdot(a, b)) ** 2
    return bool(overlap > (1 - 1e-12) * np.vdot(a, a).real * np.vdot(b, b).real)
