"""A run of one order: cumulants carried from pulse to pulse and over the breakpoints."""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Any, final

import numpy as np
from scipy.special import factorial

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.progress import no_progress
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.windows import windows
from spinsqueeze.methods.cumulants import states
from spinsqueeze.methods.cumulants.integrate import (
    BRIGHT,
    DONE,
    FAR,
    LONG,
    LOST,
    MAX_STEPS,
    STIFF,
    TABLEAU,
    FlowArrays,
    slope,
    stretch,
)
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.models.drive import breakpoints
from spinsqueeze.numerics.rotations import rotation_matrix

TINY = 1e-9
SLICE = 20_000
"""Steps after which a long stretch says where it is."""


@final
@dataclass(frozen=True)
class Passage:
    """How a window ended, the outputs reached, steps, the next width, and whether it was stiff."""

    ended: int
    reached: int
    steps: int
    width: float
    implicit: bool


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Cumulants p (n, K) at the first n of the times asked; ended: why there are no more.

    steps: number of steps; implicit: whether some of them were implicit.
    """

    p: Floats
    ended: int
    steps: int
    implicit: bool


def scales(equations: FlowArrays) -> Floats:
    """The size of each coefficient that counts: an error of it moves a moment by its own scale.

    A joint cumulant of d of N alike spins is of order N^(1 - d); of kinds, N prod_A N_A^(-d_A), at
    most 1; each factor r or s of a mode, which may hold as many photons as there are spins, adds a
    half power: N^(1/2) for a mean field, 1 for its fluctuations.
    """
    counts, exponents = equations.structure[2], equations.series.exponents
    of_spins, of_modes = np.split(exponents, [3 * len(counts)], axis=1)
    by_kind = of_spins.reshape(len(exponents), len(counts), 3).sum(axis=2)
    n, fields = np.sum(counts), of_modes.sum(axis=1)
    sizes = n * np.prod(counts**-by_kind, axis=1) * n ** (-0.5 * fields)
    return np.asarray(np.where(by_kind.sum(axis=1) > 0, np.minimum(sizes, 1.0), sizes))


def limits(equations: FlowArrays) -> Floats:
    """Sizes that the coefficients of no state have; infinite where the spins and a mode meet.

    Operators of size 1/2 have joint cumulants of degree d of at most K_d/2^d, with the number
    K_d = sum_k S(d, k) (k - 1)! = 1, 2, 6, 26, 150, ... of terms in moments: from degree 2 on twice
    the number F_(d-1) of ordered partitions.
    """
    counts, series = equations.structure[2], equations.series
    of_spins, of_modes = np.split(series.exponents, [3 * len(counts)], axis=1)
    partitions = [1.0]
    for d in range(1, series.order + 1):
        partitions.append(sum(comb(d, k) * partitions[d - k] for k in range(1, d + 1)))
    terms = [1.0, 1.0, *(2 * count for count in partitions[1:])]
    factorials = np.prod(factorial(series.exponents), axis=1)
    degrees = of_spins.sum(axis=1)
    sizes = FAR * np.array(terms)[degrees] * 0.5**degrees / factorials
    fields = of_modes.sum(axis=1)
    sizes[fields > 0] = np.inf
    sizes[(degrees == 0) & (fields == 1)] = np.sqrt(BRIGHT * np.sum(counts))
    sizes[(degrees == 0) & (fields == 2)] = BRIGHT
    sizes[0] = np.inf
    return np.asarray(sizes)


def sizes_of(equations: FlowArrays) -> Floats:
    """(2, K): scales and limits."""
    return np.stack([scales(equations), limits(equations)])


def carry(
    question: Evolve,
    equations: FlowArrays,
    initial: Floats,
    *,
    tolerance: float,
    progress: Callable[[float], None],
) -> Curve:
    """The cumulants at the question's times, as far as they can be followed."""
    times, strengths = question.times, question.model.envelopes
    p, out = initial.copy(), np.empty((len(times), len(initial)))
    sizes, steps, done, implicit, width = sizes_of(equations), 0, 0, False, 0.0
    edges = breakpoints(strengths, start=0.0, stop=question.duration)

    def report(now: float) -> None:
        progress(now / question.duration)

    for window in windows(times, rotations=question.pulses, breakpoints=edges):
        for pulse in window.rotations:
            p = _turned(p, pulse, question, equations)
            width = 0.0
        wanted = np.ascontiguousarray(times[window.outputs])
        values = np.empty((len(wanted), len(p)))
        if window.stop == window.start:
            values[:] = p
            ended, reached = DONE, len(wanted)
        else:
            passage = through(
                p, window.start, window.stop, wanted, values, equations, sizes, tolerance, width,
                report=report,
            )  # fmt: skip
            ended, reached, width = passage.ended, passage.reached, passage.width
            steps, implicit = steps + passage.steps, implicit or passage.implicit
        out[window.outputs[:reached]] = values[:reached]
        done += reached
        if ended != DONE:
            return Curve(out[:done], ended, steps, implicit)
    progress(1.0)
    return Curve(out, DONE, steps, implicit)


def _turned(p: Floats, pulse: Any, question: Evolve, equations: FlowArrays) -> Floats:
    turns = np.tile(np.eye(3), (len(question.model.counts), 1, 1))
    turns[slice(None) if pulse.mask is None else pulse.mask] = rotation_matrix(
        pulse.axis, angle=pulse.angle
    )
    return states.rotated(p, turns=turns, series=equations.series)


def through(
    p: Floats,
    start: float,
    stop: float,
    wanted: Floats,
    values: Floats,
    equations: FlowArrays,
    sizes: Floats,
    tolerance: float,
    width: float,
    *,
    max_steps: int = MAX_STEPS,
    report: Callable[[float], None] = no_progress,
) -> Passage:
    """Carry p through a window in place, and write values (n, K) at the times wanted (n,).

    sizes: see `sizes_of`.

    report: is told the time now and then.
    """
    now, reached, steps, ended = start, 0, 0, LONG
    if width < TINY * (stop - start):  # that of a window of one rounding says nothing of this one
        width = 0.0
    while ended == LONG and steps < max_steps:
        ended, now, added, more, width = stretch(
            p,
            now,
            stop,
            wanted[reached:],
            values[reached:],
            *equations.arrays,
            sizes,
            tolerance,
            width,
            TABLEAU,
            min(SLICE, max_steps - steps),
        )
        reached, steps = reached + added, steps + more
        report(now)
    if ended != STIFF:
        return Passage(ended, reached, steps, width, False)
    rest = _Implicit(equations, sizes, tolerance, max_steps - steps, report)
    ended, added, more = rest.carry(p, now, stop, wanted[reached:], values[reached:])
    return Passage(ended, reached + added, steps + more, 0.0, True)


@final
@dataclass(frozen=True, eq=False)
class _Implicit:
    """The rest of a stiff window, by Radau's method with the exact Jacobian."""

    equations: FlowArrays
    sizes: Floats
    tolerance: float
    max_steps: int
    report: Callable[[float], None]

    def carry(
        self, p: Floats, start: float, stop: float, wanted: Floats, values: Floats
    ) -> tuple[int, int, int]:
        """Carry p in place: how it ended, the outputs reached, and the steps."""
        reached, steps = 0, 0
        with np.errstate(all="ignore"):
            try:
                solver = self._solver(p, start, stop)
                while solver.status == "running" and steps < self.max_steps:
                    solver.step()
                    steps += 1
                    if solver.status == "failed" or not self._bounded(solver.y):
                        return LOST, reached, steps
                    between = solver.dense_output()
                    while reached < len(wanted) and wanted[reached] <= solver.t:
                        values[reached] = self.sizes[0] * between(wanted[reached])
                        reached += 1
                    self.report(float(solver.t))
            except (ValueError, np.linalg.LinAlgError):  # numbers that are not finite
                return LOST, reached, steps
        p[:] = self.sizes[0] * solver.y
        return DONE if solver.status == "finished" else LONG, reached, steps

    def _bounded(self, y: Floats) -> bool:
        return bool(np.all(np.abs(self.sizes[0] * y) < self.sizes[1]))

    def _solver(self, p: Floats, start: float, stop: float) -> Any:
        from scipy.integrate import Radau

        arrays = self.equations.arrays
        scale: Floats = self.sizes[0]
        coefficients, out = arrays[0][0][0].copy(), np.empty_like(p)

        def rate(time: float, y: Floats) -> Floats:
            slope(time, start, stop, scale * y, *arrays, coefficients, out)
            return np.asarray(out / scale)

        def derivative(time: float, y: Floats) -> Floats:
            rate(time, y)
            full = jacobian(scale * y, coefficients, self.equations)
            return np.asarray(full * scale / scale[:, None])

        tolerances = {"rtol": self.tolerance, "atol": self.tolerance}
        return Radau(rate, start, p / scale, stop, jac=derivative, **tolerances)
