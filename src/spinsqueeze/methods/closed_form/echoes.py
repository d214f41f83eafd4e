"""Pulses between stretches of Ising evolution: which ones have a formula, and what they do.

A pulse that turns the Ising axis a into itself or its reverse leaves the model an Ising model: a
rotation about a, or by pi about an axis perpendicular to it. In the frame that turns along, fields
change sign, decay and pumping change places, and couplings change sign between a spin that is
flipped and one that is not; see NOTES.md. Any pulse may come at time 0, where it turns the initial
state, or, if it turns all spins, at the last time, where it turns the moments.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.methods.base.question import Evolve, Rotation
from spinsqueeze.methods.base.states import ProductStateOfClasses
from spinsqueeze.methods.closed_form.correlators import Turns
from spinsqueeze.models.envelope import Strength, integrated
from spinsqueeze.models.states import CoherentState, ProductState
from spinsqueeze.numerics.rotations import rotation_matrix

ROUNDING = 1e-13
"""Radians by which an angle may miss a multiple of pi, and a unit vector an axis."""
NEARLY = 1e-3
"""Radians by which an angle is taken to be a multiple of pi that was written with few digits."""


@final
@dataclass(frozen=True, eq=False)
class Echoes:
    """What pulses have done at each time after 0, about the Ising axis.

    Attributes:
        times: (P,) increasing, each above 0.
        flipped: (P + 1, C) which kinds of spins are upside down before the first pulse, and after
            each; (P + 1, 1) where every pulse turns all spins.
        phases: complex, the same shape; see `Turns`.
        last: (3, 3) rotation of the moments at the last time of the run, in the laboratory.
    """

    times: Floats
    flipped: Booleans
    phases: Complexes
    last: Floats | None = None

    @property
    def uniform(self) -> bool:
        """Whether every pulse turns all spins."""
        return bool(self.flipped.shape[1] == 1)

    @cached_property
    def starts(self) -> Floats:
        """(S,) when each stretch between flips begins."""
        return np.concatenate([[0.0], self.times[self._changes]])

    @cached_property
    def signs(self) -> Floats:
        """(S, C) or (S, 1): -1 for spins that are upside down in the stretch."""
        rows = np.concatenate([[True], self._changes])
        return np.where(self.flipped[rows], -1.0, 1.0)

    @property
    def _changes(self) -> Booleans:
        return np.asarray(np.any(self.flipped[1:] != self.flipped[:-1], axis=1))

    def turns(self, times: Floats) -> Turns:
        """The turns (T, C) or (T, 1) at output times, which are read after pulses."""
        now = np.searchsorted(self.times, times, side="right")
        return Turns(self.flipped[now], self.phases[now])

    def by_stretch(self, strength: Strength, times: Floats) -> Floats:
        """(T, S) the integral of a strength over the part of each stretch before `times`."""
        starts, stops = self.starts, np.append(self.starts[1:], np.inf)
        begin = integrated(strength, np.minimum(times[:, None], starts))
        return np.asarray(integrated(strength, np.minimum(times[:, None], stops)) - begin)

    def toggled(self, strength: Strength, times: Floats) -> Floats:
        """(T, C) or (T, 1) the same integral with the sign that a spin sees."""
        return np.asarray(self.by_stretch(strength, times) @ self.signs)


def started(question: Evolve) -> Evolve:
    """The question with the pulses at time 0 done: they turn its product state."""
    first = [r for r in question.pulses if r.time <= 0]
    state = question.state
    for pulse in first:
        matrix, mask = rotation_matrix(pulse.axis, angle=pulse.angle), pulse.mask
        counts = question.model.counts
        if isinstance(state, CoherentState) and mask is None:
            state = CoherentState(_unit(matrix @ state.direction))
            continue
        if isinstance(state, CoherentState):
            state = ProductStateOfClasses(np.tile(state.direction, (len(counts), 1)), counts)
        assert isinstance(state, ProductState | ProductStateOfClasses)
        rows = state.directions
        if mask is not None and isinstance(state, ProductState):
            mask = np.repeat(mask, counts)
        turned = _unit(rows @ matrix.T)
        rows = turned if mask is None else np.where(mask[:, None], turned, rows)
        state = replace(state, directions=rows)
    return replace(question, state=state, pulses=question.pulses[len(first) :])


def pulse_obstacles(question: Evolve, axis: int) -> list[str]:
    """Why pulses after time 0 have no formula beside couplings along `axis`."""
    reasons = []
    later = [r for r in question.pulses if 0 < r.time <= question.duration]
    bad = [r for r in later if r.time < question.duration and not _keeps(r, axis)]
    if bad:
        r = bad[0]
        when = f"time {r.time:g}" if r.fraction is None else f"{r.fraction:g} of every time"
        reasons.append(
            f"a pulse at {when} turns spins away from the Ising axis {'xyz'[axis]}: "
            "between times 0 and the last only pulses of pi about an axis perpendicular to it, "
            f"and rotations about it, have a closed form{_nearly_pi(bad[0].angle)}"
        )
    at_end = [r for r in later if r.time == question.duration]
    if any(r.mask is not None for r in _closing(at_end, axis)):
        reasons.append(
            "a pulse at the last time turns some of the spins after, or by, a rotation away from "
            f"the Ising axis {'xyz'[axis]}"
        )
    return reasons


def _nearly_pi(angle: float) -> str:
    """What a value of pi with few digits lacks, in words."""
    whole = round(angle / math.pi) * math.pi
    if not 0 < abs(angle - whole) < NEARLY:
        return ""
    return f" (angle {angle:.12g} misses pi by {abs(angle - whole):.1g}: write {whole!r})"


def echoes(question: Evolve, axis: int) -> Echoes:
    """What the pulses after time 0 do, in the frame whose third axis is the Ising axis."""
    later = [r for r in question.pulses if 0 < r.time <= question.duration]
    at_end = [r for r in later if r.time == question.duration]
    closing = _closing(at_end, axis)
    later = later[: len(later) - len(closing)]
    partial = any(r.mask is not None for r in later)
    n_rows = len(question.model.counts) if partial else 1
    times = np.array(sorted({r.time for r in later}))
    flipped = np.zeros((len(times) + 1, n_rows), dtype=bool)
    phases = np.ones((len(times) + 1, n_rows), dtype=complex)
    for p, time in enumerate(times):
        upside, phase = flipped[p].copy(), phases[p].copy()
        for r in later:
            if r.time == time:
                hit = np.ones(n_rows, dtype=bool) if r.mask is None else r.mask
                flip, turn = _effect(r, axis)
                phase[hit] = turn * (phase[hit].conj() if flip else phase[hit])
                upside[hit] ^= flip
        flipped[p + 1], phases[p + 1] = upside, phase
    last = None
    for r in closing:
        matrix = rotation_matrix(r.axis, angle=r.angle)
        last = matrix if last is None else matrix @ last
    return Echoes(times, flipped, phases, last)


def _unit(directions: Floats) -> Floats:
    """Rotated unit vectors without the rounding of their lengths."""
    lengths = np.linalg.norm(directions, axis=-1, keepdims=True)
    return np.asarray(directions / np.where(np.abs(lengths - 1) > 4e-16, lengths, 1.0))


def _closing(at_end: Sequence[Rotation], axis: int) -> list[Rotation]:
    """The pulses at the last time from the first one on that leads away from the axis."""
    for k, pulse in enumerate(at_end):
        if not _keeps(pulse, axis):
            return list(at_end[k:])
    return []


def _keeps(pulse: Rotation, axis: int) -> bool:
    """Whether a pulse turns the Ising axis into itself or its reverse."""
    half_turns = pulse.angle / math.pi
    across = float(np.linalg.norm(np.delete(pulse.axis, axis)))
    whole = abs(half_turns - round(half_turns)) * math.pi < ROUNDING * max(1.0, abs(half_turns))
    return across < ROUNDING or (
        whole and (round(half_turns) % 2 == 0 or abs(pulse.axis[axis]) < ROUNDING)
    )


def _effect(pulse: Rotation, axis: int) -> tuple[bool, complex]:
    """(flip, phase): s^+ becomes phase s^- if flipped, else phase s^+."""
    x, y, z = pulse.axis[[(axis + 1) % 3, (axis + 2) % 3, axis]]
    if math.hypot(x, y) < ROUNDING:
        return False, complex(np.exp(1j * pulse.angle * np.sign(z)))
    if round(pulse.angle / math.pi) % 2 == 0:
        return False, 1.0 + 0.0j
    # half a turn about n takes v to 2 n (n.v) - v: v_+ to n_+^2 v_-
    return True, complex(x, y) ** 2 / (x * x + y * y)
