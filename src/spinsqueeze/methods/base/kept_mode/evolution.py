"""Evolution of spins and mode with a cut-off and a displacement that follow the state.

Between two looks the levels and the displacement stay, and what leaves the levels is bounded at
many times (`Motion.leak`). By Duhamel's formula its integral bounds the distance from the motion
without a cut-off, for neither motion lets distances grow. Where it passes its share of the
tolerance, the stretch counts up to there only: the mode is centred on its mean field where that
holds most of the photons, and given more levels where not.
"""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.kept_mode import size
from spinsqueeze.methods.base.kept_mode.motion import MixedMotion, Motion, PureMotion
from spinsqueeze.methods.base.kept_mode.portrait import (
    MixedPortrait,
    Mixture,
    Portrait,
    PurePortrait,
    Sight,
)
from spinsqueeze.methods.base.kept_mode.space import SpinSpace
from spinsqueeze.methods.base.question import Evolve, stretches
from spinsqueeze.models.drive import breakpoints
from spinsqueeze.models.modes import GaussianState
from spinsqueeze.numerics.fock import MARGIN, gaussian_density
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading, readings_of

EPSILON = float(np.finfo(np.float64).eps)
LOOKS = 24
"""Evenly spaced looks in a stretch, beside its outputs."""
AT_ONCE = 3e8
"""Bytes of states held between two looks."""
CUT = 1e4
"""Allowed departure by the cut-off over `tolerance`. It is a bound on the whole state, mostly on
its coherences between many and few photons, which the spins hardly feel."""
AT_MOVES = 0.01
"""Share of it that the start and each move of the origin may cut off."""
MOST_CUT = 1e-3
"""The most that is ever allowed."""
MANY_EDGES = 200
"""Breakpoints from which on there are two looks between them, not four."""
MOST_LEVELS = 4000
FAR = 1.0
"""Mean field <b> from which on moving the origin saves levels."""


def allowance(tolerance: float) -> float:
    """What the cut-off may do to the state over a run, in half the trace norm."""
    return min(CUT * tolerance, MOST_CUT)


@final
@dataclass
class Course:
    """Where a run is, and what it has seen.

    Attributes:
        state, levels, alpha, now: the state and how it is kept.
        error: of the state so far, in norm.
        discarded: its part from the cut-off.
        seen: index of an output -> (alpha, what was read there).
    """

    state: Any
    levels: int
    alpha: complex
    now: float = 0.0
    error: float = 0.0
    discarded: float = 0.0
    drift: float = 0.0
    most_levels: int = 0
    moves: int = 0
    seen: dict[int, tuple[complex, Sight]] = field(default_factory=dict)
    errors: dict[int, float] = field(default_factory=dict)


def evolve(
    question: Evolve, space: SpinSpace, *, tolerance: float, algorithm: str = "auto"
) -> Answer:
    """The answer of spins in `space` together with the mode of the model.

    Raises:
        TooLarge: more levels than the memory budget holds.
        NumericalFailure: more than 4000 levels.
    """
    return _Run(question, space, tolerance, algorithm).answer()


@final
class _Run:
    def __init__(
        self, question: Evolve, space: SpinSpace, tolerance: float, algorithm: str
    ) -> None:
        self.question, self.space = question, space
        self.mode = size.mode_of(question.model)
        self.tolerance, self.algorithm = tolerance, algorithm
        self._duration = question.duration or 1.0
        self._allowance = allowance(tolerance)
        self._limit = self._duration
        self.pure = size.closed(question.model) and isinstance(space.state, np.ndarray)
        self.portrait: Portrait = PurePortrait(space) if self.pure else MixedPortrait(space)
        self._motions: dict[tuple[int, bool], Motion] = {}

    def answer(self) -> Answer:
        """Evolve from pulse to pulse and put what was seen together."""
        course = self._start()
        for stop, rotations, wanted in stretches(self.question):
            self._stretch(course, stop, wanted)
            for rotation in rotations:
                course.state = self.portrait.turned(course.state, rotation)
        self.question.progress(1.0)
        return self._assembled(course)

    def _start(self) -> Course:
        initial = self.mode.initial
        alpha = initial.amplitude if abs(initial.amplitude) >= FAR else 0j
        levels = size.first_levels(self.question.model)
        if initial.photons > MOST_LEVELS:
            self._check(MOST_LEVELS + 1)
        while True:
            self._check(levels)
            mode = mixture(initial, alpha, levels)
            if mode.cut <= AT_MOVES * self._allowance:
                break
            levels = size.more(levels)
        state = self.portrait.start(mode)
        return Course(state, levels, alpha, error=mode.cut, discarded=mode.cut)

    def _motion(self, course: Course) -> Motion:
        key = (course.levels, course.alpha != 0)
        if key not in self._motions:
            self._motions.clear()
            made: Motion
            if self.pure:
                made = PureMotion(self.space, self.mode, key[0], displaced=key[1])
            else:
                made = MixedMotion(
                    self.space, self.mode, key[0], displaced=key[1], algorithm=self.algorithm
                )
            self._motions[key] = made
        return self._motions[key]

    def _check(self, levels: int) -> None:
        if levels > MOST_LEVELS:
            raise NumericalFailure(
                f"the cavity needs more than {MOST_LEVELS} levels; use cumulants, or eliminate it"
            )
        size.check(self.question, self.space, levels, pure=self.pure)

    def _stretch(self, course: Course, stop: float, wanted: Any) -> None:
        """Up to the next pulse; outputs at its time belong to the next stretch."""
        waiting = list(wanted)
        if course.now == stop:
            self._look(course, course.state, waiting)
            return
        limit = stop - course.now
        while waiting or course.now < stop:
            end = min(stop, course.now + limit)
            taken = [k for k in waiting if self.question.times[k] <= end]
            reached = self._window(course, end, taken)
            waiting = [k for k in waiting if k not in course.seen]
            limit = 2 * limit if reached else self._limit
            self.question.progress(0.99 * min(course.now / self._duration, 1.0))
            if course.now == stop and waiting:
                self._look(course, course.state, waiting)
                break

    def _window(self, course: Course, end: float, wanted: list[int]) -> bool:
        """Go on to `end`, or as far as the levels last: then make room, and say False."""
        motion = self._motion(course)
        marks = self._marks(course.now, end, [float(self.question.times[k]) for k in wanted])
        rounding = 8 * EPSILON * motion.speed(course.alpha)
        done, first = 0, course.now
        states_at_once = max(8, int(AT_ONCE / course.state.nbytes))
        while done < len(marks):
            chunk = marks[done : done + states_at_once]
            times = np.concatenate([[course.now], chunk])
            tolerance = self.tolerance * (times[-1] - course.now) / self._duration
            states, error = motion.states(
                course.state, times, start=course.now, alpha=course.alpha, tolerance=tolerance
            )
            leak = motion.leak(states, times, alpha=course.alpha)
            # Twice the trapezoids, for what happens between two looks.
            lost = np.concatenate([[0.0], np.cumsum((leak[1:] + leak[:-1]) * np.diff(times))])
            passed = times - course.now
            allowed = self._allowance * (passed / self._duration) + rounding * passed
            bad = np.flatnonzero(lost > allowed)
            kept = int(bad[0]) - 1 if bad.size else len(times) - 1
            if bad.size and kept > 0 and not self._worth_moving(states[kept]):
                kept = 0
            self._accept(course, states, times, kept, error, lost, wanted)
            if bad.size:
                self._make_room(course, states[int(bad[0])], times, kept, end - first)
                return False
            done += len(chunk)
        return True

    def _worth_moving(self, state: Any) -> bool:
        sight = self.portrait.seen(state)
        return abs(sight.shift) >= FAR and abs(sight.shift) ** 2 >= 0.5 * sight.photons

    def _accept(
        self, course: Course, states: Any, times: Floats, kept: int, error: float,
        lost: Floats, wanted: list[int],
    ) -> None:  # fmt: skip
        """Take over the states up to times[kept], and look at the outputs among them."""
        scale = max(float(times[-1] - times[0]), 1e-300)
        for k in wanted:
            at = self.question.times[k]
            if k in course.seen or not times[0] <= at <= times[kept]:
                continue
            index = int(np.searchsorted(times, at))
            part = error * (at - times[0]) / scale + lost[index]
            self._look(course, states[index], [k], added=float(part))
        course.error += error * float(times[kept] - times[0]) / scale + float(lost[kept])
        course.discarded += float(lost[kept])
        course.state, course.now = np.array(states[kept]), float(times[kept])

    def _make_room(
        self, course: Course, beyond: Any, times: Floats, kept: int, span: float
    ) -> None:
        """Centre the mode on its mean field, look closer, or add levels."""
        ahead = self._worth_moving(beyond)
        if ahead and self._worth_moving(course.state):
            self._limit = 2 * max(float(times[kept] - times[0]), span / 64)
            self._move(course)
            return
        if ahead and kept == 0 and span > 1e-6 * self.question.duration:
            # The field runs away between two looks: stop on the way.
            self._limit = span / 8
            return
        self._limit = span
        self._enlarge(course, float(self.portrait.seen(beyond).levels[-1]))

    def _move(self, course: Course) -> None:
        shift = self.portrait.seen(course.state).shift
        while True:
            moved, cut = self.portrait.displaced(course.state, shift)
            if cut <= AT_MOVES * self._allowance + np.sqrt(64 * EPSILON):
                break
            self._enlarge(course)
        course.state = moved
        course.alpha += shift
        course.moves += 1
        course.error += cut
        course.discarded += cut

    def _enlarge(self, course: Course, top: float = 0.0) -> None:
        new = size.more(course.levels, top)
        self._check(new)
        course.state = self.portrait.resized(course.state, new)
        course.levels = new

    def _marks(self, now: float, end: float, outputs: list[float]) -> Floats:
        """Ascending times to look at: outputs, even and geometric ones, around every breakpoint."""
        span = end - now
        marks = [*outputs, *np.linspace(now, end, LOOKS + 1)[1:]]
        reach = max(span * self._fastest, 1.0)
        decades = int(np.ceil(8 * np.log10(max(reach, 10.0))))
        marks += list(now + np.geomspace(span / reach, span, decades))
        edges = breakpoints(self.question.model.envelopes, start=now, stop=end)
        for left, right in zip([now, *edges], [*edges, end], strict=True):
            marks += list(np.linspace(left, right, 5 if len(edges) <= MANY_EDGES else 3)[1:])
        inside: Floats = np.unique([t for t in marks if now < t <= end])
        return np.asarray(inside)

    @property
    def _fastest(self) -> float:
        return next(iter(self._motions.values())).speed(0j) / 10 if self._motions else 0.0

    def _look(self, course: Course, state: Any, wanted: list[int], *, added: float = 0.0) -> None:
        if not wanted:
            return
        weight = self.portrait.weight(state)
        course.drift = max(course.drift, abs(weight - 1))
        sight = self.portrait.seen(state)
        for k in wanted:
            course.seen[k] = (course.alpha, sight)
            course.errors[k] = course.error + added
        course.most_levels = max(course.most_levels, course.levels)

    def _assembled(self, course: Course) -> Answer:
        n, count = self.space.n_spins, len(self.question.times)
        seen = [course.seen[k] for k in range(count)]
        moments = Moments(
            n_spins=n,
            spin=np.array([sight.spin for _, sight in seen]),
            covariance=np.array([sight.covariance for _, sight in seen]),
        )
        with_mode = bool(self.question.model.modes)
        errors = np.array([course.errors[k] + course.drift for k in range(count)])
        diagnostics: dict[str, float | int | str] = {
            "norm_drift": course.drift,
            "dtype": "complex128",
            "device": "cpu",
        }
        if with_mode:
            diagnostics |= {
                "photon_levels": course.most_levels,
                "discarded": course.discarded,
                "displacements": course.moves,
            }
        return Answer(
            {**readings_of(moments), **beside(seen, self.space, with_mode=with_mode)},
            # |S_a| <= N/2 errs by 2 |S_a| error; in units of sqrt(N)/2.
            error={"spin": 2 * (errors + 16 * EPSILON) * np.sqrt(n)},
            diagnostics=diagnostics,
        )


def mixture(state: GaussianState, alpha: complex, levels: int) -> Mixture:
    """The state of the mode about the origin alpha."""
    quanta = size.thermal_quanta(state)
    squeezing = 0.5 * np.arcsinh(2 * abs(state.pairs) / (2 * quanta + 1))
    phase = float(np.angle(-state.pairs)) if state.pairs else 0.0
    weights, vectors = gaussian_density(
        state.amplitude - alpha,
        thermal=quanta,
        squeezing=float(squeezing),
        phase=phase,
        levels=levels + MARGIN,
    )
    # What is beyond the margin too is less than twice as much, or seen in the norms.
    lacking = np.maximum(1 - np.sum(np.abs(vectors) ** 2, axis=1) - 1e-12, 0.0)
    beyond = 3 * np.sum(np.abs(vectors[:, levels:]) ** 2, axis=1) + lacking
    cut = weights @ np.sqrt(np.minimum(beyond, 1.0)) + max(1 - float(np.sum(weights)), 0.0)
    return Mixture(weights, vectors[:, :levels], float(cut))


def beside(
    seen: list[tuple[complex, Sight]], space: SpinSpace, *, with_mode: bool
) -> dict[str, Reading]:
    """Photon number, field and its covariance where there is a mode, and the extras."""
    rows = [{**(sight.field(alpha) if with_mode else {}), **sight.extras} for alpha, sight in seen]
    return {
        name: Reading(np.array([row[name] for row in rows]), coords=space.coords.get(name, {}))
        for name in rows[0]
    }
