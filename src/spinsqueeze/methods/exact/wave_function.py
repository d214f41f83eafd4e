"""One Monte-Carlo wave function on 2^N amplitudes, from series to series and jump to jump.

Between jumps psi' = A(t) psi, and a jump falls where |psi|^2, 1 at first, meets a number of (0, 1]
(molmer1993). psi(t + s) = sum_k s^k v_k is a Taylor series whose vectors v_k are made elsewhere for
many wave functions at once; everything here depends on the vectors of this one alone.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.exact.effective import EffectiveModel, Jumps, Span
from spinsqueeze.methods.exact.frames import ProductFrames, spin_action
from spinsqueeze.models.envelope import at
from spinsqueeze.numerics import state_vectors

DEGREE = 24
"""Most powers of a series: more take memory, fewer take more products for a time."""
FEWEST = 4
_EPSILON = float(np.finfo(np.float64).eps)
_AHEAD = 1.5
"""How far a series reaches beyond the jump that the rate at its start lets expect."""


@final
@dataclass(frozen=True, eq=False)
class Course:
    """What all wave functions of a run share: model, output times, error allowed in unit time."""

    model: EffectiveModel
    times: Floats
    rate: float


@final
class WaveFunction:
    """Trajectory number `number`: of the seed, the number and `never` alone.

    Attributes:
        vectors: (DEGREE + 9, 2^N) v_0 ... of the present series, with room for what envelopes add.
        sizes: their norms, as far as they are made.
        spin, covariance, errors: (T, 3), (T, 3, 3), (T,): at the output times so far.
        jumps, n_series: counted; jumps (C,) of each site of a local one and each collective one.
        first: (C,) times of the first of each, infinite where there is none; second: of any two.
        norms: (T,) |psi|^2 at the output times, since the last jump.

    Args:
        never: |psi|^2 where the first jump falls is drawn above it (see `first_jumps`); below 0 the
            end comes where |psi|^2 meets -never: what is there is the branch without jumps.
    """

    def __init__(
        self,
        course: Course,
        initial: Complexes,
        *,
        seed: int,
        number: int,
        vectors: Complexes,
        never: float = 0.0,
    ) -> None:
        n_times = len(course.times)
        self.number = number
        self.vectors = vectors
        self.spin, self.covariance = np.empty((n_times, 3)), np.empty((n_times, 3, 3))
        self.errors, self.norms = np.empty(n_times), np.zeros(n_times)
        self.jumps, self.n_series = np.zeros(course.model.n_channels), 0
        self.first = np.full(course.model.n_channels, np.inf)
        self.second = np.inf
        self.sizes: list[float] = []
        self.coefficients = np.empty((0, 1))
        self._course = course
        self._random = np.random.Generator(
            np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,)))
        )
        self._alone, self._over = never < 0.0, False
        self._threshold = -never if self._alone else never + (1 - never) * self._uniform()
        self._psi = initial.copy()
        self._span, self._time, self._error = -1, 0.0, 0.0
        self._waiting: list[int] = []
        self._reach = 0.0

    def _uniform(self) -> float:
        return 1.0 - float(self._random.random())

    @property
    def _here(self) -> Span:
        return self._course.model.spans[self._span]

    def begin(self, frames: ProductFrames) -> bool:
        """Set v_0 and what the series needs; False where the run is over."""
        if self._over:
            return False
        while self._span < 0 or self._time >= self._here.stop:
            if not self._enter(frames):
                return False
        self.vectors[0] = self._psi
        self.sizes = [float(np.linalg.norm(self._psi))]
        self.coefficients = self._here.from_time(self._time)
        self._reach = self._here.stop - self._time
        return True

    def _enter(self, frames: ProductFrames) -> bool:
        """The next span: its rotations, and the output at its start if it has no length."""
        if self._span + 1 == len(self._course.model.spans):
            return False
        self._span += 1
        span = self._here
        self._time = span.start
        for turn in span.rotations:
            state_vectors.rotate(self._psi, axis=turn.axis, angle=turn.angle, mask=turn.mask)
        self._waiting = list(span.outputs)
        if span.stop == span.start:
            for k in self._waiting:
                self._record(k, self._psi, self._error, frames)
            self._waiting = []
        return True

    def long_enough(self) -> bool:
        """Whether the vectors so far carry the series as far as it is wanted."""
        made = len(self.sizes) - 1
        if made == 1:
            lost = -2 * float(np.vdot(self.vectors[0], self.vectors[1]).real)
            spare = np.log(self.sizes[0] ** 2 / self._threshold) * self.sizes[0] ** 2
            if lost > 0.0:
                self._reach = min(self._reach, _AHEAD * max(spare, 0.0) / lost)
        if made == DEGREE:
            return True
        if made < FEWEST + 2 * (self.coefficients.shape[1] - 1):
            return False
        return self._length() >= self._reach

    @property
    def _last(self) -> int:
        """Terms at the end that say how the series goes on: two, or all that feed the next one.

        An envelope that starts as t^2 makes v_3, v_6, ... alone: two zeros in a row say nothing.
        """
        return max(2, self.coefficients.shape[1])

    def _length(self) -> float:
        """The longest time whose last terms together are allowed."""
        made, allowed = len(self.sizes) - 1, self._course.rate * self.sizes[0]
        if not np.isfinite(self.sizes[made]):
            return 0.0
        floor = _EPSILON * self.sizes[0]
        longest = np.inf
        for power in range(made, made - self._last, -1):
            size = self._last * self.sizes[power]
            if size > 0.0:
                by_rate = (allowed / size) ** (1 / (power - 1))
                longest = min(longest, max(by_rate, (floor / size) ** (1 / power)))
        return float(longest)

    def advance(self, frames: ProductFrames) -> None:
        """Go to the end of the series, of the span, or through the jump before it."""
        span = self._here
        self.n_series += 1
        remaining = span.stop - self._time
        length = min(self._length(), remaining)
        if not length > 1e-12 * (remaining or 1.0):
            raise NumericalFailure(
                f"the step of trajectory {self.number} shrank to {length:.3g} at "
                f"t = {self._time:.6g}: raise tolerance, or leave n_trajectories out"
            )
        psi = self._at(length)
        jumps = _square(psi) <= self._threshold
        if jumps:
            length, psi = self._crossing(length)
        end = span.stop if length == remaining else self._time + length
        times = self._course.times
        while self._waiting and times[self._waiting[0]] <= end:
            after = float(times[self._waiting[0]]) - self._time
            state = self._at(after)
            self._record(
                self._waiting.pop(0), state, self._error + self._added(after, state), frames
            )
        self._error += self._added(length, psi)
        self._time, self._psi = end, psi
        if jumps and self._alone:
            self._over = True
        elif jumps:
            self._jump()

    def _at(self, after: float) -> Complexes:
        """psi(t + after)."""
        made = len(self.sizes)
        powers = after ** np.arange(made)
        summed: Complexes = (powers @ self.vectors[:made].view(np.float64)).view(np.complex128)
        return summed

    def _added(self, after: float, psi: Complexes) -> float:
        """Error of psi(t + after) from this series, relative to its norm."""
        terms = np.array(self.sizes) * after ** np.arange(len(self.sizes))
        left_out = terms[-self._last :].sum() + _EPSILON * terms.sum()
        return float(left_out) / float(np.linalg.norm(psi))

    def _crossing(self, length: float) -> tuple[float, Complexes]:
        """Where |psi|^2 meets the number drawn, by Newton's steps inside a bracket."""
        made = len(self.sizes)
        powers = np.arange(made)
        low, high, after = 0.0, length, length
        target = self._threshold
        vectors = self.vectors[:made].view(np.float64)
        for _ in range(100):
            value = after**powers
            slope = powers * after ** np.maximum(powers - 1, 0)
            psi, speed = (np.array([value, slope]) @ vectors).view(np.complex128)
            excess = _square(psi) - target
            if abs(excess) <= 8 * _EPSILON * self.sizes[0] ** 2:
                break
            low, high = (after, high) if excess > 0 else (low, after)
            falls = 2 * float(np.vdot(psi, speed).real)
            after = after - excess / falls if falls < 0 else low
            if not low < after < high:
                after = (low + high) / 2
            if not low < after < high:  # neighbouring numbers
                break
        return after, self._at(after)

    def _jump(self) -> None:
        """Draw which jump it is, in proportion to rate |L psi|^2, and apply it."""
        jumps, psi, time = self._course.model.jumps, self._psi, self._time
        weights = [float(at(jump.rate, time)) * _weights(jump, psi) for jump in jumps]
        flat = np.concatenate(weights).clip(0.0)
        edges = np.cumsum(flat)
        if not edges[-1] > 0.0:  # every rate has just ended
            self._threshold = (1 - 4 * _EPSILON) * _square(psi)
            return
        chosen = int(np.searchsorted(edges, self._uniform() * edges[-1]))
        self.jumps[chosen] += 1
        self.first[chosen] = min(self.first[chosen], time)
        if self.jumps.sum() == 2:
            self.second = time
        for jump, own in zip(jumps, weights, strict=True):
            if chosen < own.size:
                psi = applied(jump.rows[chosen : chosen + 1] if jump.local else jump.rows, psi,
                              first=chosen if jump.local else 0)  # fmt: skip
                break
            chosen -= own.size
        self._psi = psi / np.linalg.norm(psi)
        self._threshold = self._uniform()

    def _record(self, k: int, psi: Complexes, error: float, frames: ProductFrames) -> None:
        self.norms[k] = _square(psi)
        psi = psi / np.linalg.norm(psi)
        self.spin[k], self.covariance[k] = state_vectors.collective_moments(
            psi, spin_action(frames, psi)
        )
        self.errors[k] = error


def _square(psi: Complexes) -> float:
    return float(np.vdot(psi, psi).real)


def _weights(jump: Jumps, psi: Complexes) -> Floats:
    """|L psi|^2 of each L: one a site with its factor, or the one of a collective jump."""
    if not jump.local:
        return np.array([_square(applied(jump.rows, psi))])
    rows = jump.rows
    turned = (0.5j * np.cross(rows.conj(), rows)).real
    lengths = np.sum(np.abs(rows) ** 2, axis=1) / 4
    out = np.empty(len(rows))
    for i, factor in enumerate(jump.factors):
        pairs: Any = psi.reshape(-1, 2, 1 << i)
        down, up = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        lowered = complex(np.vdot(down, up))  # <s_minus>
        squares = _square(up.ravel()), _square(down.ravel())
        mean = np.array([lowered.real, -lowered.imag, (squares[0] - squares[1]) / 2])
        out[i] = factor * (lengths[i] * sum(squares) + turned[i] @ mean)
    return out


def applied(rows: Complexes, psi: Complexes, *, first: int = 0) -> Complexes:
    """sum_k (rows_k . s_(first + k)) psi, rows (n, 3)."""
    out = np.zeros_like(psi)
    for k, (x, y, z) in enumerate(rows):
        if not (x or y or z):
            continue
        shape = (-1, 2, 1 << (first + k))
        pairs, result = psi.reshape(shape), out.reshape(shape)
        down, up = pairs[:, 0], pairs[:, 1]
        result[:, 1] += z / 2 * up + (x - 1j * y) / 2 * down
        result[:, 0] += (x + 1j * y) / 2 * up - z / 2 * down
    return out
