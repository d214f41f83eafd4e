"""One trajectory from its initial state to the last time: compiled, see NOTES.md."""

import math
from typing import Any

import numpy as np
from numba import njit

from spinsqueeze.methods.trajectories.frame import (
    copied,
    hamiltonian_bands,
    mean_turning,
    orthonormal,
    size_of_bands,
    to_generator,
    turned,
    weights_at,
)
from spinsqueeze.methods.trajectories.jumps import (
    HIGHER,
    after_jump,
    chosen,
    jump_weights,
    two_j_after,
)
from spinsqueeze.methods.trajectories.ladder import (
    N_BANDS,
    PAD,
    added,
    apply,
    clear,
    covariance,
    fill_roots,
    mean_spin,
    overlap,
    resized,
    squared_norm,
    weight_above,
)
from spinsqueeze.methods.trajectories.randoms import uniform
from spinsqueeze.methods.trajectories.step import attempt, root_of_cubic

DONE, STOPPED, STUCK = 0, 1, 2
"""How a trajectory ended: at the last time, by the caller, or without a step that holds."""

STEPS, REJECTED, JUMPS, LARGEST, TAIL, DISCARDED, N_FIGURES = 0, 1, 2, 3, 4, 5, 6
"""Figures of a trajectory: steps, refused steps, jumps, largest window, largest weight in its last
levels, weight dropped in shrinking it."""

SMALLEST = 12
"""Fewest levels of a window, where the ladder has as many."""
SHARPER = 1.2
"""The embedded error e is of order h^5, that of the step of h^6: claimed as e^1.2."""
PLACED = 1e-4
"""A jump is found to this fraction of a step by steps, and from there along the slope."""
@njit(cache=True, nogil=True)
def walk(
    first_two_j: int,
    amplitudes: Any,
    first_frame: Any,
    n_spins: int,
    quadratics: Any,
    fields: Any,
    vectors: Any,
    owners: Any,
    local: Any,
    edges: Any,
    pulses: Any,
    polynomials: Any,
    times: Any,
    shifted: bool,
    randoms: Any,
    tolerance: float,
    tail_tolerance: float,
    smallest: int,
    stop: Any,
    spins: Any,
    covariances: Any,
    two_js: Any,
    errors: Any,
    figures: Any,
    jump_times: Any,
    jump_numbers: Any,
) -> int:
    """Fill spins (T, 3), covariances (T, 3, 3), two_js (T,), errors (T,); returns how it ended.

    tolerance: of |x| over the whole run, from the steps. errors: what they have come to. edges
    (W + 1,): of the windows, entered through the rotations pulses (W, 3, 3), with weights of the
    pieces polynomials (W, P, D). Records as many jumps as jump_times has room for.
    """
    capacity = max(n_spins + 1, amplitudes.size)
    length = capacity + 2 * PAD + 2
    root = np.zeros(length)
    x, y = np.zeros((2, length)), np.zeros((2, length))
    k = np.zeros((7, 2, length))
    scratch = np.zeros(length)
    bands, weights = np.zeros(N_BANDS, np.complex128), np.zeros(quadratics.shape[0])
    rates = np.zeros(3 * owners.size)
    R, turned_R = first_frame.copy(), np.zeros((3, 3))
    mean, w, field, here = np.zeros(4), np.zeros(3), np.zeros(3), np.zeros(4)
    body, lab = np.zeros((3, 3)), np.zeros((3, 3))
    two_j = first_two_j
    size = min(max(amplitudes.size, smallest), two_j + 1)
    for n in range(amplitudes.size):
        x[0, n + PAD], x[1, n + PAD] = amplitudes[n].real, amplitudes[n].imag
    duration = times[-1]
    for n in range(figures.size):
        figures[n] = 0.0
    figures[LARGEST] = size
    error, output = 0.0, 0
    level = uniform(randoms) if owners.size else -1.0
    norm = squared_norm(x, size)
    resized(x, 1.0 / math.sqrt(norm), size)
    norm = 1.0
    step = 0.0
    fill_roots(root, two_j, size)
    for window in range(edges.size - 1):
        time, end = edges[window], edges[window + 1]
        half = 0.5 * (end - time)
        for a in range(3):
            for b in range(3):
                lab[a, b] = 0.0
                for c in range(3):
                    lab[a, b] += pulses[window, a, c] * R[c, b]
        copied(R, lab)
        fresh, anchor, since = False, time, 0
        last = window == edges.size - 2
        while True:
            while output < times.size and times[output] <= time and (last or times[output] < end):
                mean_spin(here, x, root, two_j, size, norm)
                covariance(body, here, x, root, two_j, size, norm)
                turned(turned_R, R, w, time - anchor)
                for a in range(3):
                    spins[output, a] = 0.0
                    for b in range(3):
                        spins[output, a] += turned_R[a, b] * here[b]
                        value = 0.0
                        for c in range(3):
                            for d in range(3):
                                value += turned_R[a, c] * body[c, d] * turned_R[b, d]
                        covariances[output, a, b] = value
                two_js[output] = two_j
                errors[output] = error
                output += 1
            if time >= end:
                break
            if stop[0]:
                return STOPPED
            if since >= 8:
                fresh = False
            if not fresh:
                turned(turned_R, R, w, time - anchor)
                copied(R, turned_R)
                orthonormal(R)
                anchor, since = time, 0
                tail = weight_above(x, size, size - max(2, size // 8)) / norm
                grown = size
                if tail > tail_tolerance and size < two_j + 1:
                    grown = min(two_j + 1, size + size // 4 + 8)
                elif size > smallest:
                    above, needed = 0.0, size
                    while needed > 1:
                        k_top = needed - 1 + PAD
                        above += x[0, k_top] ** 2 + x[1, k_top] ** 2
                        if above > 0.3 * tail_tolerance * norm:
                            break
                        needed -= 1
                    fewer = max(smallest, needed + needed // 6 + 4)
                    if fewer < size - size // 8:
                        figures[DISCARDED] += weight_above(x, size, fewer) / norm
                        clear(x, fewer, size)
                        size = fewer
                if grown > size:
                    clear(x, size, grown + PAD)
                    size = grown
                    fill_roots(root, two_j, size)
                    figures[LARGEST] = max(figures[LARGEST], size)
                clear(y, size, size + PAD)
                norm = squared_norm(x, size)
                mean_spin(mean, x, root, two_j, size, norm)
                place = (time - edges[window]) / half - 1.0
                weights_at(weights, polynomials[window], place)
                hamiltonian_bands(
                    bands, R, weights, quadratics, fields, vectors, owners, local, two_j, n_spins,
                    mean, shifted, field,
                )  # fmt: skip
                mean_turning(w, bands, field, mean[3])
                bound = size_of_bands(bands, two_j, size)
                tilt = math.hypot(mean[0], mean[1])
                if tilt > 0.0:
                    top = min(size - 1.0, two_j / 2.0)
                    reach = max(top * (two_j - top + 1.0), 1.0) ** 0.5
                    pull = min(bound / 50.0 / two_j, 0.1 * bound / (reach * tilt))
                    w[0] -= pull * mean[1]
                    w[1] += pull * mean[0]
                to_generator(bands, w)
                apply(bands, root, x[0], x[1], k[0, 0], k[0, 1], size)
                if step == 0.0:
                    bound = size_of_bands(bands, two_j, size)
                    step = min(duration, 0.5 / bound) if bound > 0.0 else duration
                fresh = True
            # one step, to the next output at most
            target = end
            if output < times.size and times[output] < end:
                target = times[output]
            remaining = target - time
            if remaining <= 1e-13 * duration:
                time = target
                continue
            h = step
            hits = h >= remaining * (1.0 - 1e-9)
            if hits:
                h = remaining
            elif 2.0 * h > remaining:
                h = 0.5 * remaining
            tries = 0
            while True:
                done, wrong = attempt(
                    y, x, k, h, time, R, w, anchor, edges[window], half, polynomials[window],
                    quadratics, fields, vectors, owners, local, two_j, n_spins, mean, shifted,
                    root, size, bands, weights, turned_R, scratch,
                )  # fmt: skip
                wrong = (wrong / math.sqrt(norm)) ** SHARPER
                allowed = max(tolerance * h / duration, 1e-16)
                if wrong <= allowed:
                    break
                figures[REJECTED] += 1
                tries += 1
                if not wrong < math.inf:
                    for stage in range(1, 7):
                        clear(k[stage], 0, size)
                ratio = 0.2
                if wrong < math.inf:
                    ratio = min(0.8, max(0.2, 0.9 * (allowed / wrong) ** 0.2))
                step = h = ratio * h
                hits = False
                if tries > 60 or time + h == time:
                    return STUCK
            error += wrong
            figures[STEPS] += 1
            if done < level:
                # the jump is where |x|^2 meets the level: once more, up to there
                slope = 2.0 * overlap(y, k[6], size)
                part = h * root_of_cubic(
                    norm, 2.0 * overlap(x, k[0], size), done, slope, level, h
                )
                for _ in range(20):
                    done, wrong = attempt(
                        y, x, k, part, time, R, w, anchor, edges[window], half,
                        polynomials[window], quadratics, fields, vectors, owners, local, two_j,
                        n_spins, mean, shifted, root, size, bands, weights, turned_R, scratch,
                    )  # fmt: skip
                    slope = 2.0 * overlap(y, k[6], size)
                    late = (level - done) / slope if slope < 0.0 else 0.0
                    if abs(late) <= PLACED * h:
                        break
                    part = min(max(part + late, 0.0), h)
                added(y, late, k[6], size)
                time = min(time + part + late, target)
                x, y = y, x
                turned(turned_R, R, w, time - anchor)
                weights_at(weights, polynomials[window], (time - edges[window]) / half - 1.0)
                total = jump_weights(
                    rates, y, x, root, turned_R, weights, vectors, owners, local, two_j, n_spins,
                    size, mean, shifted,
                )  # fmt: skip
                if total > 0.0:
                    jump = chosen(rates, total, uniform(randoms))
                    clear(y, 0, size + 2 + PAD)
                    after_jump(y, x, root, turned_R, vectors, jump, two_j, size, mean, shifted)
                    x, y = y, x
                    count = int(figures[JUMPS])
                    if count < jump_times.size:
                        jump_times[count] = time
                        jump_numbers[count] = jump
                    figures[JUMPS] += 1
                    two_j = two_j_after(two_j, jump)
                    size = min(size + 2 if jump % 3 == HIGHER else size, two_j + 1)
                    clear(x, size, size + PAD)
                    clear(y, size, size + PAD)
                    fill_roots(root, two_j, size)
                    figures[LARGEST] = max(figures[LARGEST], size)
                resized(x, 1.0 / math.sqrt(squared_norm(x, size)), size)
                norm = 1.0
                level = uniform(randoms)
                fresh = False
                continue
            x, y = y, x
            norm = done
            time = target if hits else time + h
            since += 1
            clear(k[0], 0, size)
            added(k[0], 1.0, k[6], size)
            tail = weight_above(x, size, size - max(2, size // 8)) / norm
            figures[TAIL] = max(figures[TAIL], tail if size < two_j + 1 else 0.0)
            if tail > tail_tolerance and size < two_j + 1:
                fresh = False
            growth = 5.0
            if wrong > 0.0:
                growth = min(5.0, max(0.2, 0.9 * (allowed / wrong) ** 0.2))
            if not hits or growth < 1.0 or h * growth > step:
                step = h * growth
        turned(turned_R, R, w, time - anchor)
        copied(R, turned_R)
    return DONE
