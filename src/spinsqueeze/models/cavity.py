"""A single cavity mode coupled to the collective spin."""

from dataclasses import dataclass, field
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput


@final
@dataclass(frozen=True, eq=False)
class Cavity:
    """One cavity mode a, kept as a degree of freedom.

    H = detuning a^dagger a + [a^dagger (coupling . S) + h.c.] + drive (a + a^dagger);
    jump: decay_rate D[a]. A number g as coupling stands for g S_minus (rotating wave).

    Args:
        coupling: a real number, or three complex numbers (x, y, z).
        decay_rate: energy decay rate kappa >= 0.
        detuning: cavity frequency minus drive frequency.
        drive: amplitude of a coherent drive.

    Raises:
        InvalidInput: a negative decay rate, a zero coupling, or a value that is not finite.
    """

    coupling: Any
    decay_rate: float = field(kw_only=True)
    detuning: float = field(default=0.0, kw_only=True)
    drive: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        number = isinstance(self.coupling, int | float) and not isinstance(self.coupling, bool)
        if number or getattr(self.coupling, "ndim", None) == 0:
            strength = checks.real("coupling", self.coupling)
            if strength == 0.0:
                raise InvalidInput("coupling must not be zero; leave the cavity out instead")
            put(self, "coupling", checks.complex_vector("coupling", [strength, -1j * strength, 0]))
        else:
            put(self, "coupling", checks.complex_vector("coupling", self.coupling))
        put(self, "decay_rate", checks.real("decay_rate", self.decay_rate, minimum=0.0))
        put(self, "detuning", checks.real("detuning", self.detuning))
        put(self, "drive", checks.real("drive", self.drive))
