"""One trajectory from its initial state to the last time: compiled, see NOTES.md."""

import math
from typing import Any

from numba import njit

from spinsqueeze.methods.trajectories.frame import copied
from spinsqueeze.methods.trajectories.jumps import chosen, jump_weights, jumped
from spinsqueeze.methods.trajectories.ladder import (
    PAD,
    added,
    clear,
    fill_roots,
    overlap,
    resized,
    squared_norm,
)
from spinsqueeze.methods.trajectories.packet import aimed, anchored, measured, refitted, tail_of
from spinsqueeze.methods.trajectories.randoms import uniform
from spinsqueeze.methods.trajectories.space import Window
from spinsqueeze.methods.trajectories.step import attempt, bands_at, root_of_cubic

DONE, STOPPED, STUCK = 0, 1, 2
"""How a trajectory ended: at the last time, by the caller, or without a step that holds."""

STEPS, REJECTED, JUMPS, LARGEST, TAIL, DISCARDED, SECOND, N_FIGURES = 0, 1, 2, 3, 4, 5, 6, 7
"""Figures of a trajectory: steps, refused steps, jumps, largest window, largest weight in its last
levels, weight dropped in shrinking it, time of the second jump (infinite where there is none)."""

SHARPER = 1.2
"""The embedded error e is of order h^5, that of the step of h^6: claimed as e^1.2."""
FEW, CAUTION = 16, 4.0
"""On so few levels steps are long, and both errors can be alike: claimed as CAUTION e."""
PLACED = 1e-4
"""A jump is found to this fraction of a step by steps, and from there along the slope."""
_AIMED = 8
"""Steps after which the frame and the shifts are chosen anew."""


@njit(cache=True, nogil=True)
def rotated_frame(space: Any, pulse: Any) -> None:
    """R = pulse R."""
    for a in range(3):
        for b in range(3):
            value = 0.0
            for c in range(3):
                value += pulse[a, c] * space.R[c, b]
            space.turned[a, b] = value
    copied(space.R, space.turned)


@njit(cache=True, nogil=True)
def factor_of_step(wrong: float, allowed: float, largest: float) -> float:
    """By what a step should change: its error is of order h^6, what is allowed of order h."""
    if wrong <= 0.0:
        return largest
    if not wrong < math.inf:
        return 0.2
    return min(largest, max(0.2, 0.9 * (allowed / wrong) ** 0.2))


@njit(cache=True, nogil=True)
def claimed(embedded: float, two_j: int) -> float:
    """The claimed error of a step from its embedded one."""
    return CAUTION * embedded if two_j < FEW else embedded**SHARPER


@njit(cache=True, nogil=True)
def one_step(space: Any, terms: Any, window: Any, limits: Any, h: float, time: float,
             anchor: float, two_j: int, size: int, norm: float, figures: Any) -> Any:  # fmt: skip
    """Y and k after the first of ever shorter steps that holds; h = 0 where none does.

    Returns h, |y|^2, the error, and the factor for the next step.
    """
    for _ in range(60):
        done, wrong = attempt(space, terms, window, h, time, anchor, two_j, size)
        wrong = claimed(wrong / math.sqrt(norm), two_j)
        allowed = max(limits.tolerance * h / limits.duration, 1e-16)
        if wrong <= allowed:
            figures[STEPS] += 1
            return h, done, wrong, factor_of_step(wrong, allowed, 5.0)
        figures[REJECTED] += 1
        if not wrong < math.inf:
            for stage in range(1, 7):
                clear(space.k[stage], 0, size)
        h *= factor_of_step(wrong, allowed, 0.8)
        if time + h == time:
            break
    return 0.0, 0.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def up_to_jump(space: Any, terms: Any, window: Any, h: float, time: float, anchor: float,
               two_j: int, size: int, norm: float, done: float, level: float) -> float:  # fmt: skip
    """X where |x|^2 meets the level within a step that ends below it; returns how far that is."""
    x, y, k = space.x, space.y, space.k
    slope = 2.0 * overlap(y, k[6], size)
    part = h * root_of_cubic(norm, 2.0 * overlap(x, k[0], size), done, slope, level, h)
    late = 0.0
    for _ in range(20):
        done, _ = attempt(space, terms, window, part, time, anchor, two_j, size)
        slope = 2.0 * overlap(y, k[6], size)
        late = (level - done) / slope if slope < 0.0 else 0.0
        if abs(late) <= PLACED * h:
            break
        part = min(max(part + late, 0.0), h)
    moved(space, size)
    added(x, late, k[6], size)
    return min(part + late, h)


@njit(cache=True, nogil=True)
def moved(space: Any, size: int) -> None:
    """X = y."""
    clear(space.x, 0, size)
    added(space.x, 1.0, space.y, size)


@njit(cache=True, nogil=True)
def accepted(space: Any, two_j: int, size: int, norm: float, figures: Any, limits: Any) -> bool:
    """X = y, and its slope for the next step; whether the window holds it."""
    moved(space, size)
    clear(space.k[0], 0, size)
    added(space.k[0], 1.0, space.k[6], size)
    if size == two_j + 1:
        return True
    tail = tail_of(space.x, size) / norm
    figures[TAIL] = max(figures[TAIL], tail)
    return tail <= limits.tail_tolerance


@njit(cache=True, nogil=True)
def prepared(space: Any, amplitudes: Any, two_j: int, limits: Any, figures: Any) -> int:
    """The initial state in x, normalised; returns the size of its window."""
    size = min(max(amplitudes.size, limits.smallest), two_j + 1)
    for n in range(amplitudes.size):
        space.x[0, n + PAD], space.x[1, n + PAD] = amplitudes[n].real, amplitudes[n].imag
    resized(space.x, 1.0 / math.sqrt(squared_norm(space.x, size)), size)
    fill_roots(space.root, two_j, size)
    for n in range(figures.size):
        figures[n] = 0.0
    figures[LARGEST], figures[SECOND] = size, math.inf
    return size


@njit(cache=True, nogil=True)
def length_of_step(step: float, remaining: float) -> float:
    """A step that ends at the target or leaves room for another one."""
    if step >= remaining * (1.0 - 1e-9):
        return remaining
    return 0.5 * remaining if 2.0 * step > remaining else step


@njit(cache=True, nogil=True)
def first_step(step: float, bound: float, duration: float) -> float:
    """The step, chosen by a bound of the generator where there is none yet."""
    return min(duration, 0.5 / max(bound, 1e-300)) if step == 0.0 else step


@njit(cache=True, nogil=True)
def readied(space: Any, terms: Any, window: Any, limits: Any, time: float, anchor: float,
            two_j: int, size: int, norm: float, figures: Any) -> Any:  # fmt: skip
    """Anchor the frame now, refit the window, choose shifts and turning: size, |x|^2, bound."""
    anchored(space, time - anchor)
    size, dropped = refitted(space, two_j, size, limits, norm)
    figures[DISCARDED] += dropped
    figures[LARGEST] = max(figures[LARGEST], size)
    norm = squared_norm(space.x, size)
    return size, norm, aimed(space, terms, window, time, two_j, size, norm)


@njit(cache=True, nogil=True)
def drawn_jump(space: Any, terms: Any, two_j: int, size: int, time: float, randoms: Any,
               figures: Any, channels: Any, jump_times: Any,
               jump_numbers: Any) -> Any:  # fmt: skip
    """X after a jump drawn by its rates, normalised; returns its 2j and its size.

    channels (2, K): the jumps of each channel, and the time of its first one.
    """
    total = jump_weights(space, terms, two_j, size)
    if total <= 0.0:  # no jump is possible: the norm fell by rounding
        resized(space.x, 1.0 / math.sqrt(squared_norm(space.x, size)), size)
        return two_j, size
    jump = chosen(space.rates, total, uniform(randoms))
    count = int(figures[JUMPS])
    if count < jump_times.size:
        jump_times[count], jump_numbers[count] = time, jump
    figures[JUMPS] += 1
    if figures[JUMPS] == 2.0:
        figures[SECOND] = time
    if channels[0, jump // 3] == 0.0:
        channels[1, jump // 3] = time
    channels[0, jump // 3] += 1.0
    two_j, size = jumped(space, terms, jump, two_j, size)
    figures[LARGEST] = max(figures[LARGEST], size)
    return two_j, size


@njit(cache=True, nogil=True)
def first_level(terms: Any, limits: Any, randoms: Any) -> float:
    """|x|^2 at which the first jump falls, or the walk without jumps ends."""
    if terms.owners.size == 0:
        return -1.0
    if limits.never < 0.0:
        return -limits.never
    return limits.never + (1.0 - limits.never) * uniform(randoms)


@njit(cache=True, nogil=True)
def walk(
    two_j: int, amplitudes: Any, space: Any, terms: Any, limits: Any, edges: Any, pulses: Any,
    polynomials: Any, times: Any, randoms: Any, stop: Any, spins: Any, covariances: Any,
    two_js: Any, errors: Any, norms: Any, figures: Any, channels: Any, jump_times: Any,
    jump_numbers: Any,
) -> int:  # fmt: skip
    """Fill spins (T, 3), covariances (T, 3, 3), two_js (T,), errors (T,); returns how it ended.

    errors: of the state, from the steps. norms (T,): |x|^2 since the last jump. channels (2, K):
    see `drawn_jump`. edges (W + 1,): of the windows of time, entered through
    the rotations pulses (W, 3, 3), with weights of the pieces polynomials (W, P, D). Records as
    many jumps as jump_times has room for.
    """
    size = prepared(space, amplitudes, two_j, limits, figures)
    norm, error, output, step = 1.0, 0.0, 0, 0.0
    level = first_level(terms, limits, randoms)
    channels[0, :] = 0.0
    channels[1, :] = math.inf
    norms[:] = 0.0
    n_windows = edges.size - 1
    for index in range(n_windows):
        time, end = edges[index], edges[index + 1]
        window = Window(time, 0.5 * (end - time), polynomials[index])
        rotated_frame(space, pulses[index])
        anchor, since = time, _AIMED
        final = index == n_windows - 1
        while True:
            while output < times.size and times[output] <= time and (final or times[output] < end):
                measured(
                    spins[output], covariances[output], space, time - anchor, two_j, size, norm
                )
                two_js[output], errors[output], norms[output] = two_j, error, norm
                output += 1
            if time >= end:
                break
            if stop[0]:
                return STOPPED
            if since >= _AIMED:
                size, norm, bound = readied(
                    space, terms, window, limits, time, anchor, two_j, size, norm, figures
                )
                anchor, since = time, 0
                step = first_step(step, bound, limits.duration)
            target = end if output == times.size else min(end, times[output])
            wanted = length_of_step(step, target - time)
            h, done, wrong, factor = one_step(
                space, terms, window, limits, wanted, time, anchor, two_j, size, norm, figures
            )
            if h == 0.0 or (done < level and limits.never < 0.0):
                return STUCK if h == 0.0 else DONE
            error += wrong
            if h < wanted or factor < 1.0 or h * factor > step:
                step = h * factor
            if done >= level:
                norm, time = done, target if h == target - time else time + h
                holds = accepted(space, two_j, size, norm, figures, limits)
                since = since + 1 if holds else _AIMED
                continue
            part = up_to_jump(space, terms, window, h, time, anchor, two_j, size, norm, done, level)
            # A jump within rounding of the target is at the target.
            time = target if target - time - part <= 1e-13 * limits.duration else time + part
            bands_at(space, terms, window, time, anchor, two_j)
            two_j, size = drawn_jump(
                space,
                terms,
                two_j,
                size,
                time,
                randoms,
                figures,
                channels,
                jump_times,
                jump_numbers,
            )
            norm, since, level = 1.0, _AIMED, uniform(randoms)
        anchored(space, end - anchor)
    return DONE
