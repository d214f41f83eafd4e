"""States of spins and mode: cut, moved, turned and read, pure ones and density matrices alike."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.kept_mode.space import SpinSpace
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.numerics.fock import MARGIN, displacement
from spinsqueeze.numerics.lindblad import Unknowns
from spinsqueeze.observables.qfi import AFFORDABLE


@final
@dataclass(frozen=True, eq=False)
class Mixture:
    """A state of the mode: weights (K,) of vectors (K, levels).

    cut: how far it is from the state without a cut-off, see `Portrait.displaced`.
    """

    weights: Floats
    vectors: Complexes
    cut: float = 0.0


@final
@dataclass(frozen=True, eq=False)
class Sight:
    """What is read of a state at one time.

    Attributes:
        spin, covariance: of the spins, (3,) and (3, 3).
        levels: populations of the Fock states, (levels,).
        shift: <b>; the mean field is alpha + shift.
        photons: <b†b>.
        pairs: <b b>.
        extras: name -> value.
    """

    spin: Floats
    covariance: Floats
    levels: Floats
    shift: complex
    photons: float
    pairs: complex
    extras: Mapping[str, float | Floats]

    def field(self, alpha: complex) -> dict[str, Any]:
        """Photon number, field (2,) and its covariance (2, 2) with the displacement put back."""
        n, m = self.photons - abs(self.shift) ** 2, self.pairs - self.shift**2
        mean = alpha + self.shift
        covariance = np.array(
            [[(2 * n + 1 + 2 * m.real) / 4, m.imag / 2], [m.imag / 2, (2 * n + 1 - 2 * m.real) / 4]]
        )
        photons = abs(mean) ** 2 + n
        return {
            "photon_number": photons,
            "field": np.array([mean.real, mean.imag]),
            "field_covariance": covariance,
        }


class Portrait(Protocol):
    """How one kind of state is handled."""

    def start(self, mode: Mixture) -> Any:
        """The state of spins at time 0 with that of the mode."""
        ...

    def resized(self, state: Any, new: int) -> Any:
        """The same state with other levels: new ones are empty, others are cut off."""
        ...

    def displaced(self, state: Any, by: complex) -> tuple[Any, float]:
        """The same state with the origin of the mode moved by `by`, and how far it is cut.

        In the norm of a pure state, of a density matrix in half the trace norm.
        """
        ...

    def turned(self, state: Any, rotation: Rotation) -> Any:
        """The state after a pulse."""
        ...

    def weight(self, state: Any) -> float:
        """Its norm squared, or trace."""
        ...

    def seen(self, state: Any) -> Sight:
        """What is read of it."""
        ...


@final
class PurePortrait:
    """Amplitudes (D levels,)."""

    def __init__(self, space: SpinSpace) -> None:
        self._space = space

    def _table(self, state: Complexes) -> Complexes:
        return state.reshape(self._space.dimension, -1)

    def start(self, mode: Mixture) -> Complexes:
        """See `Portrait`."""
        return np.outer(np.asarray(self._space.state), mode.vectors[0]).ravel()

    def resized(self, state: Complexes, new: int) -> Complexes:
        """See `Portrait`."""
        table = self._table(state)
        out = np.zeros((self._space.dimension, new), dtype=complex)
        shared = min(table.shape[1], new)
        out[:, :shared] = table[:, :shared]
        return out.ravel()

    def displaced(self, state: Complexes, by: complex) -> tuple[Complexes, float]:
        """See `Portrait`."""
        table = self._table(state)
        levels = table.shape[1]
        moved = table @ displacement(-by, levels + MARGIN)[:, :levels].T
        return moved[:, :levels].ravel(), float(np.linalg.norm(moved[:, levels:]))

    def turned(self, state: Complexes, rotation: Rotation) -> Complexes:
        """See `Portrait`."""
        return self._space.turn(rotation, [self._table(state)])[0].ravel()

    def weight(self, state: Complexes) -> float:
        """See `Portrait`."""
        return float(np.vdot(state, state).real)

    def seen(self, state: Complexes) -> Sight:
        """See `Portrait`."""
        psi = self._table(state / np.linalg.norm(state))
        moved = np.stack([S @ psi for S in self._space.spin])
        spin = np.einsum("in,ain->a", psi.conj(), moved).real
        moved -= spin[:, None, None] * psi
        covariance = np.einsum("ain,bin->ab", moved.conj(), moved).real
        mode = psi.T @ psi.conj()
        extras: dict[str, float | Floats] = {}
        if len(psi) <= AFFORDABLE:
            extras |= self._space.extras([psi @ psi.conj().T])
        extras["purity"] = float(np.vdot(mode, mode).real)
        return Sight(spin, covariance, *_of_mode(mode), extras)


@final
class MixedPortrait:
    """Density matrices as real unknowns (n,)."""

    def __init__(self, space: SpinSpace) -> None:
        self._space = space

    def _levels(self, state: Floats) -> int:
        return math.isqrt(state.size // sum(size**2 for size in self._space.sizes))

    def _layout(self, levels: int) -> Unknowns:
        return Unknowns(tuple(levels * size for size in self._space.sizes))

    def _blocks(self, state: Floats) -> list[Complexes]:
        """(size, levels, size, levels) of every block."""
        levels = self._levels(state)
        unknowns = self._layout(levels)
        shapes = [(size, levels, size, levels) for size in self._space.sizes]
        return [b.reshape(s) for b, s in zip(unknowns.expand(state), shapes, strict=True)]

    def _unknowns(self, blocks: Sequence[Complexes], levels: int) -> Floats:
        sizes = [levels * size for size in self._space.sizes]
        flat = [b.reshape(size, size) for b, size in zip(blocks, sizes, strict=True)]
        return self._layout(levels).restrict(flat)

    def start(self, mode: Mixture) -> Floats:
        """See `Portrait`."""
        rho = np.einsum("k,kn,km->nm", mode.weights, mode.vectors, mode.vectors.conj())
        blocks = [np.einsum("ij,nm->injm", spins, rho) for spins in self._space.blocks]
        return self._unknowns(blocks, len(rho))

    def resized(self, state: Floats, new: int) -> Floats:
        """See `Portrait`."""
        shared = min(self._levels(state), new)
        out = []
        for block in self._blocks(state):
            size = len(block)
            larger = np.zeros((size, new, size, new), dtype=complex)
            larger[:, :shared, :, :shared] = block[:, :shared, :, :shared]
            out.append(larger)
        return self._unknowns(out, new)

    def displaced(self, state: Floats, by: complex) -> tuple[Floats, float]:
        """See `Portrait`."""
        levels, blocks = self._levels(state), self._blocks(state)
        whole = displacement(-by, levels + MARGIN)[:, :levels]
        D, beyond = whole[:levels], whole[levels:]
        mode = sum(np.einsum("inim->nm", block) for block in blocks)
        cut = float(np.vdot(beyond, beyond @ mode).real)
        moved = [np.einsum("pn,injm,qm->ipjq", D, b, D.conj(), optimize=True) for b in blocks]
        # A projection that keeps all but a share p moves a state by up to sqrt(p).
        return self._unknowns(moved, levels), float(np.sqrt(max(cut, 0.0)))

    def turned(self, state: Floats, rotation: Rotation) -> Floats:
        """See `Portrait`."""
        blocks = self._blocks(state)
        for _ in range(2):  # U rho, then (U (U rho)†)† = U rho U†
            rows = [block.reshape(len(block), -1) for block in blocks]
            turned = self._space.turn(rotation, rows)
            blocks = [
                t.reshape(b.shape).transpose(2, 3, 0, 1).conj()
                for t, b in zip(turned, blocks, strict=True)
            ]
        return self._unknowns(blocks, self._levels(state))

    def weight(self, state: Floats) -> float:
        """See `Portrait`."""
        return float(self._layout(self._levels(state)).trace_vector() @ state)

    def seen(self, state: Floats) -> Sight:
        """See `Portrait`."""
        blocks = self._blocks(state)
        spins = [np.einsum("injn->ij", block) for block in blocks]
        trace = sum(np.trace(rho).real for rho in spins)
        spins = [rho / trace for rho in spins]
        mode = sum(np.einsum("inim->nm", block) for block in blocks) / trace
        spin, covariance = self._space.moments(spins)
        return Sight(spin, covariance, *_of_mode(mode), self._space.extras(spins))


def _of_mode(rho: Complexes) -> tuple[Floats, complex, float, complex]:
    """Populations, <b>, <b†b> and <b b> of the mode alone."""
    populations = np.diagonal(rho).real.copy()
    n = np.arange(len(rho))
    shift = complex(np.diagonal(rho, -1) @ np.sqrt(n[1:]))
    pairs = complex(np.diagonal(rho, -2) @ np.sqrt(n[1:-1] * n[2:])) if len(rho) > 2 else 0j
    return populations, shift, float(populations @ n), pairs
