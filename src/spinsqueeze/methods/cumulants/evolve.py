"""A run of one order: cumulants carried from pulse to pulse and over the breakpoints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.integrate import solve_ivp

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.windows import windows
from spinsqueeze.methods.cumulants import states
from spinsqueeze.methods.cumulants.integrate import (
    DONE,
    LONG,
    LOST,
    MAX_STEPS,
    STIFF,
    TABLEAU,
    Equations,
    slope,
    stretch,
)
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.models.drive import breakpoints
from spinsqueeze.numerics.rotations import rotation_matrix

STAGES = 12
"""Evaluations of the equations in one step."""


class _TooLong(Exception):
    """More evaluations than a run may take."""


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


def scales(equations: Equations) -> Floats:
    """The size of each coefficient that counts: an error of it moves a moment by its own scale.

    A joint cumulant of d of N alike spins is of order N^(1 - d); of kinds, N prod_A N_A^(-d_A), at
    most 1.
    """
    counts, exponents = equations.structure[2], equations.series.exponents
    by_kind = exponents.reshape(len(exponents), len(counts), 3).sum(axis=2)
    sizes = np.sum(counts) * np.prod(counts**-by_kind, axis=1)
    return np.asarray(np.minimum(sizes, 1.0))


def carry(
    question: Evolve,
    equations: Equations,
    initial: Floats,
    *,
    tolerance: float,
    progress: Callable[[float], None],
) -> Curve:
    """The cumulants at the question's times, as far as they can be followed."""
    times, strengths = question.times, question.model.envelopes
    p, out = initial.copy(), np.empty((len(times), len(initial)))
    scale, steps, done, implicit, width = scales(equations), 0, 0, False, 0.0
    edges = breakpoints(strengths, start=0.0, stop=question.duration)
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
            ended, reached, added, width, slow = through(
                p, window.start, window.stop, wanted, values, equations, scale, tolerance, width
            )
            steps, implicit = steps + added, implicit or slow
        out[window.outputs[:reached]] = values[:reached]
        done += reached
        if ended != DONE:
            return Curve(out[:done], ended, steps, implicit)
        progress(window.stop / question.duration if question.duration else 1.0)
    return Curve(out, DONE, steps, implicit)


def _turned(p: Floats, pulse: Any, question: Evolve, equations: Equations) -> Floats:
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
    equations: Equations,
    scale: Floats,
    tolerance: float,
    width: float,
    max_steps: int = MAX_STEPS,
) -> tuple[int, int, int, float, bool]:
    """Carry p through a window in place: how it ended, outputs reached, steps, width, implicit."""
    ended, now, reached, steps, width = stretch(
        p,
        start,
        stop,
        wanted,
        values,
        equations.strengths,
        equations.structure,
        scale,
        tolerance,
        width,
        TABLEAU,
        max_steps,
    )
    if ended != STIFF:
        return ended, reached, steps, width, False
    ended, reached, added = _implicit(
        p, now, stop, wanted, values, reached, equations, scale, tolerance, max_steps - steps
    )
    return ended, reached, steps + added, 0.0, True


def _implicit(
    p: Floats,
    start: float,
    stop: float,
    wanted: Floats,
    values: Floats,
    reached: int,
    equations: Equations,
    scale: Floats,
    tolerance: float,
    max_steps: int,
) -> tuple[int, int, int]:
    """The rest of a stiff window by an implicit method: how it ended, outputs reached, steps."""
    coefficients = np.empty(equations.strengths[0].shape[1])
    out = np.empty_like(p)
    left = STAGES * max_steps

    def rate(time: float, y: Floats) -> Floats:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooLong
        slope(
            time,
            start,
            stop,
            scale * y,
            equations.strengths,
            equations.structure,
            coefficients,
            out,
        )
        return out / scale

    def derivative(time: float, y: Floats) -> Floats:
        rate(time, y)
        return jacobian(scale * y, coefficients, equations) * scale / scale[:, None]

    rest = wanted[reached:]
    try:
        solution = solve_ivp(
            rate,
            (start, stop),
            p / scale,
            method="Radau",
            t_eval=np.unique(np.append(rest, stop)),
            jac=derivative,
            rtol=tolerance,
            atol=tolerance,
        )
    except _TooLong:
        return LONG, reached, max_steps
    found = np.reshape(solution.y, (len(p), -1)).T * scale  # without any output: an empty list
    n = min(len(rest), len(found))
    values[reached : reached + n] = found[:n]
    if not solution.success or not np.all(np.isfinite(found)):
        return LOST, reached + n, len(solution.t)
    p[:] = found[-1]
    return DONE, reached + n, int(solution.nfev)
