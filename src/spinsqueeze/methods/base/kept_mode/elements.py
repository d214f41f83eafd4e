"""H and jumps of spins and a mode on Fock states, displaced by a number alpha: a = alpha + b.

H = H_spins + detuning b†b + drive (b + b†) + g [b† C + h.c.]
  + g (alpha* C + alpha C†) + r b† + r* b,   r = (detuning - i kappa/2) alpha,

jumps as they were with b for a; kappa = sum rate (|u|^2 - |v|^2). While alpha is constant this is
the same motion, whatever alpha is: it only says where the Fock states are centred.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from spinsqueeze.methods.base.kept_mode.space import SpinSpace
from spinsqueeze.models.envelope import Envelope, Strength, times_number
from spinsqueeze.models.modes import Mode
from spinsqueeze.numerics.fock import annihilation

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def _one(_alpha: complex) -> float:
    return 1.0


@final
@dataclass(frozen=True, eq=False)
class Element:
    """strength * factor(alpha) times -i [operator, .], or D[operator] where it is a jump.

    touches_mode: whether the operator acts on the mode.
    """

    strength: Strength
    operator: "csr_array"
    jump: bool = False
    factor: Callable[[complex], float] = _one
    touches_mode: bool = True

    @property
    def steady(self) -> bool:
        """Whether its weight is one number, whatever the time and alpha."""
        return self.factor is _one and not isinstance(self.strength, Envelope)

    def weight(self, alpha: complex) -> Strength:
        """The strength at this displacement."""
        return times_number(self.strength, self.factor(alpha))


def elements(space: SpinSpace, mode: Mode, levels: int, *, displaced: bool) -> Iterator[Element]:
    """Everything that acts on spins and mode, the mode cut off at `levels`."""
    from scipy.sparse import eye_array, kron

    b = annihilation(levels)
    up = b.conj().T
    no_spins = eye_array(space.dimension, dtype=complex, format="csr")
    empty = eye_array(levels, dtype=complex, format="csr")

    def of_spins(operator: "csr_array") -> "csr_array":
        return kron(operator, empty, format="csr")

    def of_mode(operator: "csr_array") -> "csr_array":
        return kron(no_spins, operator, format="csr")

    for part in space.hamiltonian:
        yield Element(part.strength, of_spins(part.operator), touches_mode=False)
    for part in space.jumps:
        yield Element(part.strength, of_spins(part.operator), jump=True, touches_mode=False)
    quadratures = of_mode(b + up), of_mode(1j * (up - b))
    yield Element(mode.detuning, of_mode(up @ b))
    yield Element(mode.drive, quadratures[0])
    for reservoir in mode.reservoirs:
        jump = of_mode(reservoir.u * b + reservoir.v * up)
        yield Element(reservoir.rate, jump, jump=True)
    for part in space.couplings:
        shared = kron(part.operator, up, format="csr")
        yield Element(part.strength, shared + shared.conj().T)
    if not displaced:
        return
    for part in space.couplings:
        C, dagger = part.operator, part.operator.conj().T
        yield Element(part.strength, of_spins(C + dagger), factor=_re, touches_mode=False)
        yield Element(part.strength, of_spins(1j * (dagger - C)), factor=_im, touches_mode=False)
    yield Element(mode.detuning, quadratures[0], factor=_re)
    yield Element(mode.detuning, quadratures[1], factor=_im)
    for reservoir in mode.reservoirs:
        half = times_number(reservoir.rate, (abs(reservoir.u) ** 2 - abs(reservoir.v) ** 2) / 2)
        yield Element(half, quadratures[0], factor=_im)
        yield Element(half, quadratures[1], factor=_minus_re)


def _re(alpha: complex) -> float:
    return alpha.real


def _im(alpha: complex) -> float:
    return alpha.imag


def _minus_re(alpha: complex) -> float:
    return -alpha.real
