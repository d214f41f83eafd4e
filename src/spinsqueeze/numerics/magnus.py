"""y' = A(t) y with A(t) = sum_k w_k(t) A_k: commutator-free Magnus steps of order 4.

One step from t to t + h (blanes2006, alvermann2011), with the exact moments of the weights

    B_0 = int A dt,   B_1 = int (t - middle) A dt / h,
    y(t + h) = exp(B_0/2 + 2 B_1) exp(B_0/2 - 2 B_1) y(t),

two exponentials of constant operators. Whatever the weights do inside a step, their areas count in
full: a short pulse cannot be missed, and where A(t) commutes with itself any step is exact. Each
step is taken once whole and once in two halves: the halves are kept, their error is estimated from
the difference, and the next step follows from it.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import NumericalFailure

Vector = NDArray[Any]
Emit = Callable[[Vector, float], None]
EPSILON = float(np.finfo(np.float64).eps)

_EXPONENTIALS_SHARE = 0.02
"""Share of the allowed error for the exponentials, which cost little to make more exact."""

_ESTIMATE = 2.0 / 15.0
"""Error of two half steps over their difference from one whole step, twice its limit 1/15."""

_ROUNDING = 8 * EPSILON
"""Error of one step that nothing can undercut, relative to |y|."""


class Weights(Protocol):
    """The weights w_k(t)."""

    def moments(self, start: float, stop: float) -> tuple[Floats, Floats]:
        """Areas int w dt and tilts int (t - middle) w dt / (stop - start)."""
        ...

    def pieces(self, start: float, stop: float) -> list[tuple[float, float]]:
        """Intervals in which every weight is smooth."""
        ...

    def constant_weights(self, start: float, stop: float) -> Floats | None:
        """The weights in a piece if they are constant there, else None."""
        ...


class Generator(Protocol):
    """The operators A_k."""

    def exponential(
        self, weights: Floats, state: Vector, *, allowed: float
    ) -> tuple[Vector, float]:
        """exp(sum_k weights_k A_k) y as a new array, and its error in norm."""
        ...

    def speed(self, weights: Floats, state: Vector) -> float:
        """The size of the relative change of y in unit time, a phase left out."""
        ...


class LongGenerator(Generator, Protocol):
    """A generator that also bridges long times of constant weights."""

    def constant(
        self,
        weights: Floats,
        state: Vector,
        duration: float,
        *,
        allowed: float,
        outputs: Sequence[float],
        emit: Emit | None,
    ) -> tuple[Vector, float]:
        """exp(duration sum_k weights_k A_k) y and its error, over a time that may be long.

        `emit` is called at the ascending `outputs` in [0, duration].
        """
        ...


def propagate(
    generator: LongGenerator,
    drive: Weights,
    state: Vector,
    *,
    start: float,
    stop: float,
    tolerance: float,
    outputs: Sequence[float] = (),
    emit: Emit | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Vector, float]:
    """Propagate y from start to stop, piece by piece.

    Args:
        generator: the operators A_k.
        drive: their weights in time.
        state: y at start.
        start: initial time.
        stop: final time, above start.
        tolerance: error allowed at stop, in the norm of y; see `allowed_rates`.
        outputs: increasing times in [start, stop].
        emit: called with y at each output, which it must not change, and the error so far.
        progress: called with the time reached after each step.

    Returns:
        y at stop and its estimated error: the sum of the errors of all steps.

    Raises:
        NumericalFailure: the steps shrank to nothing.
    """
    waiting, error = list(outputs), 0.0
    varying_rate, constant_rate = allowed_rates(drive, start=start, stop=stop, tolerance=tolerance)
    for left, right in drive.pieces(start, stop):
        inside = [t for t in waiting if t < right or right == stop]
        waiting = waiting[len(inside) :]
        weights = drive.constant_weights(left, right)
        if weights is None:
            state, added = propagate_piece(
                generator, drive, state, start=left, stop=right, rate=varying_rate,
                outputs=inside, emit=_after(emit, error), progress=progress,
            )  # fmt: skip
            error += added
            continue
        state, added = generator.constant(
            weights,
            state,
            right - left,
            allowed=constant_rate * (right - left),
            outputs=[t - left for t in inside],
            emit=_after(emit, error),
        )
        error += added
        if progress is not None:
            progress(right)
    return state, error


def allowed_rates(
    drive: Weights, *, start: float, stop: float, tolerance: float
) -> tuple[float, float]:
    """Errors per unit time allowed where weights vary and where they are constant.

    A short pulse in a long run gets nine tenths of the tolerance, not its share of the time.
    """
    varying = sum(
        right - left
        for left, right in drive.pieces(start, stop)
        if drive.constant_weights(left, right) is None
    )
    constant = stop - start - varying
    if not varying or not constant > 0:
        return tolerance / (stop - start), tolerance / (stop - start)
    return 0.9 * tolerance / varying, 0.1 * tolerance / constant


def _after(emit: Emit | None, before: float) -> Emit | None:
    if emit is None:
        return None
    return lambda state, error: emit(state, before + error)


def magnus_step(
    generator: Generator,
    drive: Weights,
    state: Vector,
    *,
    start: float,
    stop: float,
    allowed: float = 0.0,
) -> tuple[Vector, float]:
    """One step of order 4: y at stop, and the error of its two exponentials."""
    area, tilt = drive.moments(start, stop)
    error = 0.0
    for weights in (area / 2 - 2 * tilt, area / 2 + 2 * tilt):
        state, added = generator.exponential(weights, state, allowed=allowed / 2)
        error += added
    return state, error


def propagate_piece(
    generator: Generator,
    drive: Weights,
    state: Vector,
    *,
    start: float,
    stop: float,
    rate: float,
    outputs: Sequence[float] = (),
    emit: Emit | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Vector, float]:
    """Propagate y through one piece by Magnus steps of adapted length; see `propagate`.

    An output inside a step is reached by a shorter step from the nearest earlier state, so a fine
    output grid does not shorten the steps.
    """
    now, error, waiting = start, 0.0, 0
    step = _first_step(generator, drive, state, start, stop)

    def advance(y: Vector, left: float, right: float) -> tuple[Vector, float]:
        share = _EXPONENTIALS_SHARE * rate * (right - left)
        return magnus_step(generator, drive, y, start=left, stop=right, allowed=share)

    while now < stop:
        end = stop if step >= (stop - now) * (1 - 1e-12) else now + step
        middle = now + (end - now) / 2
        whole, _ = advance(state, now, end)
        half, half_error = advance(state, now, middle)
        fine, fine_error = advance(half, middle, end)
        estimate = _ESTIMATE * float(np.linalg.norm(fine - whole))
        allowed = (1 - _EXPONENTIALS_SHARE) * rate * (end - now)
        allowed = max(allowed, _ROUNDING * float(np.linalg.norm(state)))
        factor = 0.9 * (allowed / max(estimate, 1e-3 * allowed)) ** 0.25
        if estimate > allowed:
            step = (end - now) * max(0.2, factor)
            if step < 1e-10 * (stop - start):
                raise NumericalFailure(
                    f"the time step shrank to {step:.3g} at t = {now:.6g}: the strengths there "
                    "are too large for the times asked; shorten the run or raise tolerance"
                )
            continue
        added = estimate + half_error + fine_error
        while waiting < len(outputs) and outputs[waiting] <= end:
            if emit is not None:
                time = outputs[waiting]
                base, reached = (middle, half) if time >= middle else (now, state)
                if time == end:
                    reached = fine
                elif time > base:
                    reached, _ = advance(reached, base, time)
                emit(reached, error + added)
            waiting += 1
        state, error = fine, error + added
        step = (end - now) * min(5.0, factor)
        now = end
        if progress is not None:
            progress(now)
    return state, error


def _first_step(
    generator: Generator, drive: Weights, state: Vector, start: float, stop: float
) -> float:
    """Half the inverse of the fastest change of y under the weights met in the piece."""
    edges = np.linspace(start, stop, 5)
    speed = 0.0
    for left, right in pairwise(edges):
        if right > left:
            area, _ = drive.moments(left, right)
            speed = max(speed, generator.speed(area / (right - left), state))
    return min(stop - start, 0.5 / speed) if speed > 0 else stop - start
