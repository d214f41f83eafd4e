"""Bosonic modes in canonical form, their couplings to the spins, and which rotations they allow.

H(t) = sum_m [detuning_m a_m^dagger a_m + drive_m (a_m + a_m^dagger)]
     + sum_couplings strength [a_m^dagger (c.S) + h.c.],
jumps: sum_m sum_reservoirs rate D[u a_m + v a_m^dagger]; c.S = sum_i c_i.s_i, class weights in c.

**Symmetries.** A rotation of the spins about an axis may come with a phase of each mode,
a_m -> a_m exp(-i q_m angle). Along the axis c.s has the charge 0, what lowers or raises by one unit
the charge 1 or -1; a coupling is unchanged where every c_i has one and the same charge q_m. A mode
with q_m = 0 stays as it is, so its drive and its reservoirs may be any; with q_m = 1 or -1 a drive
breaks the symmetry, and so does a reservoir with both u and v (a squeezed one), while each of them
alone only takes a phase. For z and S_minus this is the conservation of S_z + a^dagger a
(Tavis-Cummings), or, with losses, that it falls in whole quanta. Of a rotation by pi, a mode takes
only the sign: c along the axis leaves it, c perpendicular to the axis turns it; then a drive breaks
the symmetry and a squeezed reservoir does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.envelope import Envelope, Strength, is_zero

ROUNDING = 8 * float(np.finfo(np.float64).eps)


@final
@dataclass(frozen=True, eq=False)
class Reservoir:
    """rate * D[u a + v a^dagger], u and v complex: loss, gain, or a squeezed reservoir."""

    rate: Strength
    u: complex = 1.0
    v: complex = 0.0


@final
@dataclass(frozen=True)
class GaussianState:
    """<a> = amplitude; of its fluctuations <a^dagger a> = photons and <a a> = pairs."""

    amplitude: complex = 0j
    photons: float = 0.0
    pairs: complex = 0j


@final
@dataclass(frozen=True, eq=False)
class Mode:
    """H = detuning a^dagger a + drive (a + a^dagger), and its reservoirs; initial: at time 0.

    The phase of a drive is that of the mode: a -> a exp(-i phase) moves it into u, v and the
    couplings.
    """

    detuning: Strength = 0.0
    drive: Strength = 0.0
    reservoirs: tuple[Reservoir, ...] = ()
    initial: GaussianState = GaussianState()

    @property
    def strengths(self) -> tuple[Strength, ...]:
        """Every strength and rate."""
        return (self.detuning, self.drive, *(r.rate for r in self.reservoirs))

    @property
    def driven(self) -> bool:
        """Whether a drive acts at any time."""
        return not is_zero(self.drive)


@final
@dataclass(frozen=True, eq=False)
class ModeCoupling:
    """strength * [a_mode^dagger sum_i c_i.s_i + h.c.]; vectors c: (3,) alike, else one per kind.

    `mode` is the index of the mode; the weights of spin classes are in the vectors.
    """

    mode: int
    strength: Strength
    vectors: Complexes


def damping(mode: Mode) -> complex:
    """Kappa/2 + i detuning: without spins <a> turns and decays at this rate.

    Raises:
        InvalidInput: a rate or the detuning changes in time.
    """
    kappa = sum(
        _constant(r.rate, "decay") * (abs(r.u) ** 2 - abs(r.v) ** 2) for r in mode.reservoirs
    )
    return kappa / 2 + 1j * _constant(mode.detuning, "detuning")


def steady_state(mode: Mode, *, drive: float) -> GaussianState:
    """Where the mode rests without spins, for a constant drive.

    With lambda = `damping`: <a> = -i drive/lambda, <a^dagger a> = sum rate |v|^2/kappa and
    <a a> = -sum rate u* v/(2 lambda) of its fluctuations.

    Raises:
        InvalidInput: it changes in time, gains more than it loses, or nothing moves it.
    """
    rate = damping(mode)
    if rate.real < 0 or (rate.real == 0 and mode.reservoirs):
        raise InvalidInput.of(
            "cavity", f"must lose more than it gains to rest, got kappa = {2 * rate.real:g}"
        )
    if rate == 0:
        raise InvalidInput.of("cavity", "must decay or be detuned to rest")
    reservoirs = [(_constant(r.rate, "decay"), complex(r.u), complex(r.v)) for r in mode.reservoirs]
    gained = sum(strength * abs(v) ** 2 for strength, _, v in reservoirs)
    paired = sum((strength * u.conjugate() * v for strength, u, v in reservoirs), 0j)
    photons = gained / (2 * rate.real) if rate.real else 0.0
    return GaussianState(-1j * drive / rate, photons, -paired / (2 * rate))


def _constant(value: Strength, name: str) -> float:
    if isinstance(value, Envelope):
        raise InvalidInput.of("cavity", f"must have a constant {name} to come to rest")
    return float(value)


def envelopes(modes: Sequence[Mode], couplings: Sequence[ModeCoupling]) -> list[Envelope]:
    """Every envelope of the modes and their couplings."""
    strengths = [s for mode in modes for s in mode.strengths] + [c.strength for c in couplings]
    return [s for s in strengths if isinstance(s, Envelope)]


def allow_half_turn(modes: Sequence[Mode], couplings: Sequence[ModeCoupling], axis: int) -> bool:
    """Whether a rotation by pi about `axis` is a symmetry, with a sign of each mode."""
    across = [k for k in range(3) if k != axis]
    for index, mode in enumerate(modes):
        rows = _rows(couplings, index)
        turned, still = bool(np.any(rows[:, across])), bool(np.any(rows[:, axis]))
        if turned and (still or mode.driven):
            return False
    return True


def allow_rotation(modes: Sequence[Mode], couplings: Sequence[ModeCoupling], axis: int) -> bool:
    """Whether every rotation about `axis` is a symmetry, with a phase of each mode."""
    for index, mode in enumerate(modes):
        charge = common_charge(_rows(couplings, index), axis)
        squeezed = any(r.u != 0 and r.v != 0 for r in mode.reservoirs)
        if charge is None or (charge != 0 and (mode.driven or squeezed)):
            return False
    return True


def common_charge(rows: Complexes, axis: int) -> int | None:
    """The charge of sum_i rows_i . s_i, of which every row is a part; None: they differ."""
    charges = {_charge(c, axis) for c in rows if np.any(c)}
    return charges.pop() if len(charges) == 1 else None if charges else 0


def _charge(vector: Complexes, axis: int) -> int | None:
    """By how many units along `axis` vector.s lowers: 0 along it, -1 raises, None: a mixture.

    exp(i angle s) (vector.s) exp(-i angle s) = vector.s exp(-i charge angle), s that of the axis.
    """
    b, c = vector[(axis + 1) % 3], vector[(axis + 2) % 3]
    lowers, raises, rounding = abs(b + 1j * c), abs(b - 1j * c), ROUNDING * (abs(b) + abs(c))
    if b == 0 and c == 0:
        return 0
    if vector[axis] != 0 or (lowers > rounding and raises > rounding):
        return None
    return 1 if lowers > rounding else -1


def _rows(couplings: Sequence[ModeCoupling], mode: int) -> Complexes:
    """The vectors of every coupling of one mode, below each other (n, 3)."""
    rows = [np.atleast_2d(c.vectors) for c in couplings if c.mode == mode]
    return np.concatenate(rows) if rows else np.zeros((0, 3), dtype=np.complex128)
