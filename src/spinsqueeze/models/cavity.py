"""A single cavity mode coupled to the collective spin."""

import math
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Envelope, Strength, is_zero, strength
from spinsqueeze.models.modes import Mode, ModeCoupling, Reservoir
from spinsqueeze.models.term import Plain, envelope_factor

MINUS = np.array([1.0, -1.0j, 0.0])


@final
@dataclass(frozen=True, eq=False)
class Cavity(Plain):
    """One cavity mode a, kept as a degree of freedom.

    H = detuning a^dagger a + [a^dagger (coupling . S) + h.c.] + drive (a + a^dagger);
    jumps: decay_rate D[cosh(r) a + sinh(r) a^dagger] with r = squeezing, and
    internal_decay_rate D[a]. S = sum_i w_i s_i with the weights w of spin classes. A number or
    envelope g as coupling stands for g S_minus (rotating wave). Every rate, the detuning, the drive
    and g may be an envelope.

    The sign in the squeezed reservoir is that of groszkowski2022, Eq. (9): where the cavity decays
    fast, g S_minus hands the spins Gamma D[cosh(r) S_minus - sinh(r) S_plus], which is
    `SqueezedCollectiveDecay` with the same r, with Gamma = 4 g^2 / decay_rate.

    Args:
        coupling: a real number or an envelope; or three complex numbers (x, y, z), also one such
            row for each spin class (n_classes, 3), without classes for each spin.
        decay_rate: energy decay rate kappa >= 0 into the reservoir.
        detuning: cavity frequency minus drive frequency.
        drive: amplitude of a coherent drive.
        squeezing: parameter r of the reservoir, up to |r| = 20; 0: the vacuum.
        internal_decay_rate: further energy decay into the vacuum, >= 0.
        envelope: optional factor of the coupling in time.

    Raises:
        InvalidInput: a negative rate, a zero coupling, squeezing without a decay_rate, two
            envelopes of the coupling, or a value that is not finite.
    """

    coupling: Any
    decay_rate: Strength = field(kw_only=True)
    detuning: Strength = field(default=0.0, kw_only=True)
    drive: Strength = field(default=0.0, kw_only=True)
    squeezing: float = field(default=0.0, kw_only=True)
    internal_decay_rate: Strength = field(default=0.0, kw_only=True)
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        if self.envelope is not None:
            put(self, "envelope", strength("envelope", self.envelope))
        put(self, "coupling", self._checked_coupling())
        put(self, "decay_rate", strength("decay_rate", self.decay_rate, minimum=0.0))
        put(self, "detuning", strength("detuning", self.detuning))
        put(self, "drive", strength("drive", self.drive))
        put(self, "squeezing", checks.real("squeezing", self.squeezing, minimum=-20, maximum=20))
        internal = strength("internal_decay_rate", self.internal_decay_rate, minimum=0.0)
        put(self, "internal_decay_rate", internal)
        if self.squeezing != 0.0 and is_zero(self.decay_rate):
            raise InvalidInput(
                f"squeezing needs a decay_rate into the squeezed reservoir, got "
                f"squeezing={self.squeezing:g} and decay_rate=0"
            )

    def _checked_coupling(self) -> Complexes:
        """The vectors (3,) or (n, 3); a coupling that is an envelope moves to `envelope`."""
        value = self.coupling
        if isinstance(value, Envelope | dict) or callable(value):
            if self.envelope is not None:
                raise InvalidInput("coupling is an envelope itself: leave out envelope")
            value = strength("coupling", value)
            object.__setattr__(self, "envelope", value)
            vectors = MINUS.copy()
        elif type(value) in (int, float) or getattr(value, "ndim", None) == 0:
            vectors = checks.real("coupling", value) * MINUS
        else:
            return _vectors(value)
        if not np.any(vectors) or is_zero(envelope_factor(self.envelope)):
            raise InvalidInput("coupling must not be zero; leave the cavity out instead")
        vectors.setflags(write=False)
        return vectors

    def lower(self, ensemble: Ensemble) -> tuple[tuple[Mode, ...], tuple[ModeCoupling, ...]]:
        """The mode and its coupling in canonical form.

        Raises:
            InvalidInput: not one vector for each class of this ensemble (without classes: spin).
        """
        u, v = math.cosh(self.squeezing), math.sinh(self.squeezing)
        reservoirs = (Reservoir(self.decay_rate, u, v), Reservoir(self.internal_decay_rate))
        acting = tuple(r for r in reservoirs if not is_zero(r.rate))
        factor = envelope_factor(self.envelope)
        coupling = ModeCoupling(0, factor, self._weighted(ensemble))
        return (Mode(self.detuning, self.drive, acting),), (coupling,)

    def _weighted(self, ensemble: Ensemble) -> Complexes:
        """Vectors with the class weights in them: (3,) where all are alike."""
        vectors: Complexes = self.coupling
        classes = ensemble.classes
        if vectors.ndim == 2:
            count, what = (len(classes), "class") if classes else (ensemble.n_spins, "spin")
            if len(vectors) != count:
                raise InvalidInput(
                    f"coupling must be one vector, or one for each {what}: got {len(vectors)} "
                    f"for {count}"
                )
        if classes is not None:
            vectors = np.array([c.weight for c in classes])[:, None] * vectors
        if vectors.ndim == 2 and np.all(vectors == vectors[0]):
            return np.asarray(vectors[0])
        return vectors


def _vectors(value: Any) -> Complexes:
    """Three complex numbers, or rows of three; each number real, complex or [re, im]."""
    array = checks.numbers_array("coupling", value)
    pairs = array.ndim == 3 and array.shape[1:] == (3, 2) and array.dtype.kind != "c"
    rows = array[..., 0] + 1j * array[..., 1] if pairs else array
    if rows.ndim != 2 or rows.shape == (3, 2):
        return checks.complex_vector("coupling", value)
    if rows.shape[1] != 3:
        raise InvalidInput(
            "coupling must be a number, three numbers (x, y, z) or rows of three, each real, "
            f"complex or [re, im], got {checks.shown(value)}"
        )
    vectors = rows.astype(np.complex128)
    if not np.all(np.isfinite(vectors)):
        raise InvalidInput(f"coupling must be finite, got {checks.shown(value)}")
    if not np.any(vectors):
        raise InvalidInput("coupling must not be zero; leave the cavity out instead")
    vectors.setflags(write=False)
    return vectors
