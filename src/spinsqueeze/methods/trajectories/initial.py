"""Initial states as mixtures of pure states of one total spin, each in a frame of its own."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.states import symmetric_amplitudes
from spinsqueeze.models.states import BlockState, CoherentState, DickeState, InitialState
from spinsqueeze.numerics.angular_momentum import total_spins
from spinsqueeze.numerics.block_layout import blocks
from spinsqueeze.numerics.collective_operators import rotated
from spinsqueeze.numerics.rotations import rotation_matrix as turn

NEGLIGIBLE = 1e-24
"""Weight of levels that are left out of an initial state, and of pure states out of a mixture."""


@final
@dataclass(frozen=True, eq=False)
class PureStart:
    """Amplitudes (M,) of m = j, j - 1, ... along the third column of the frame (3, 3)."""

    two_j: int
    amplitudes: Complexes
    frame: Floats


@final
@dataclass(frozen=True, eq=False)
class Mixture:
    """Pure starts with their running probabilities (n,)."""

    starts: tuple[PureStart, ...]
    passed: Floats

    def draw(self, number: float) -> PureStart:
        """The start for a number of (0, 1]."""
        return self.starts[int(np.searchsorted(self.passed, number * self.passed[-1]))]


def mixture(state: InitialState, n_spins: int) -> Mixture:
    """The pure states of an initial state, the blocks of a mixed one by their eigenvectors."""
    if not isinstance(state, BlockState):
        return Mixture((_pure(state, n_spins),), np.ones(1))
    starts, weights = [], []
    for j, block in zip(total_spins(n_spins), blocks(state.values, n_spins), strict=True):
        if not np.any(block):
            continue
        values, columns = np.linalg.eigh(block)
        for value, column in zip(values[::-1], columns.T[::-1], strict=True):
            if value > NEGLIGIBLE:
                weights.append(float(value))
                starts.append(_packet(round(2 * j), column))
    return Mixture(tuple(starts), np.cumsum(weights))


def _pure(state: InitialState, n_spins: int) -> PureStart:
    if isinstance(state, CoherentState):
        return PureStart(n_spins, np.ones(1, dtype=complex), _frame_of(state.direction))
    if isinstance(state, DickeState):
        axis = np.eye(3)["xyz".index(state.axis)]
        flips = round(n_spins / 2 - abs(state.m))
        amplitudes = np.zeros(flips + 1, dtype=complex)
        amplitudes[flips] = 1.0
        return PureStart(n_spins, amplitudes, _frame_of(axis if state.m >= 0 else -axis))
    return _packet(n_spins, symmetric_amplitudes(state, n_spins))


def _frame_of(direction: Floats) -> Floats:
    """A right-handed frame whose third column is a unit vector."""
    x, y, z = direction
    across = float(np.hypot(x, y))
    if across < 1e-12:
        return np.diag([1.0, np.sign(z), np.sign(z)])
    return turn(np.array([-y, x, 0.0]), angle=float(np.arctan2(across, z)))


def _packet(two_j: int, amplitudes: Complexes) -> PureStart:
    """Amplitudes of m = j ... -j along z, in the frame of their mean spin where they have one."""
    m = two_j / 2 - np.arange(two_j + 1)
    root = np.sqrt((two_j / 2 - m[1:]) * (two_j / 2 + m[1:] + 1))
    raised = complex(np.sum(amplitudes[:-1].conj() * root * amplitudes[1:]))
    mean = np.array([raised.real, raised.imag, float(np.sum(np.abs(amplitudes) ** 2 * m))])
    length = float(np.linalg.norm(mean))
    frame = np.eye(3)
    if length > 0.05 * two_j:
        across = float(np.hypot(mean[0], mean[1]))
        axis = np.array([-mean[1], mean[0], 0.0]) if across > 1e-9 * length else np.eye(3)[0]
        angle = float(np.arctan2(across, mean[2]))
        frame = turn(axis, angle=angle)
        amplitudes = _turned(two_j, amplitudes, axis / np.linalg.norm(axis), -angle)
    beyond = np.cumsum(np.abs(amplitudes[::-1]) ** 2)[::-1]
    return PureStart(two_j, np.array(amplitudes[beyond > NEGLIGIBLE]), frame)


def _turned(two_j: int, amplitudes: Complexes, axis: Floats, angle: float) -> Complexes:
    if angle == 0.0 or two_j == 0:
        return amplitudes
    return rotated(amplitudes, axis=axis, angle=angle)
