"""Expected memory and time of a run of trajectories."""

import numpy as np

from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.models import interchangeable
from spinsqueeze.numerics.processors import available_processors

NARROW = 64
"""Levels of a packet that stays narrow; on average a run takes 3 sqrt(N) more (measured)."""
SPREAD = 30.0
"""Levels over the squared stretch of a packet that twisting has stretched, to the usual tail."""
_MOMENTS = 64
"""Instants at which the levels of a packet that spreads are looked at."""
_SECONDS_OF_A_STEP = 0.8e-6
_SECONDS_OF_A_LEVEL = 11e-9
"""Of seven slopes and their sums, measured on one core."""
_SECONDS_OF_A_JUMP = 1.5e-6
_ROWS = 24
"""Numbers a level in the compiled walk: states, seven slopes, roots."""
_AT_FIRST_JUMPS = 60
"""Numbers a trajectory: figures, channels, and what its first jump changed."""


def expected_cost(question: Question, n_trajectories: int, *, shifted: bool) -> Cost:
    """From the norm of the generator on the levels of a packet, and from the number of jumps.

    Twisting chi stretches a packet by chi N t, until the jumps have aimed it again.
    """
    n = question.model.n_spins
    arrays = interchangeable.at_peak(question.model)
    squares = [
        rate * float(np.vdot(c, c).real)
        for jumps in (arrays.collective_jumps, arrays.local_jumps)
        for rate, c in jumps
    ]
    n_collective = len(arrays.collective_jumps)
    collective, local = sum(squares[:n_collective]), sum(squares[n_collective:])
    quadratic = float(np.linalg.norm(arrays.quadratic, 2))
    twisting = float(np.ptp(np.linalg.eigvalsh(arrays.quadratic)))
    if isinstance(question, Evolve):
        duration, n_times = question.duration, len(question.times)
    else:  # late times, begun at ten times the inverse of the slowest rate
        duration, n_times = 20.0 / min([s / 2 for s in squares if s > 0], default=1.0), 96
    ages = duration * (np.arange(_MOMENTS) + 0.5) / _MOMENTS
    stretch = n * twisting * ages / (1 + (local + n * collective / 4) * ages)
    levels = np.minimum(n + 1, NARROW + 3 * np.sqrt(n) + SPREAD * stretch**2)
    norm = n * levels * (quadratic + 0.25 * collective) + float(np.linalg.norm(arrays.field))
    jumps = n / 4 * (collective * (1 if shifted else n / 2) + local)
    steps = (20 + 8 * n_times + duration * (norm / 3 + 2 * jumps)) / _MOMENTS
    each = float(np.sum(steps * (_SECONDS_OF_A_STEP + levels * _SECONDS_OF_A_LEVEL)))
    each += duration * jumps * _SECONDS_OF_A_JUMP
    count = n_trajectories if squares else 1
    threads = available_processors()
    memory = 8 * n_times * (29 * n_trajectories + 3 * 12 * min(n_trajectories, 100))
    memory += 8 * (_ROWS * n * threads + _AT_FIRST_JUMPS * n_trajectories) + 100_000
    return Cost(
        memory,
        each * count / max(1, min(threads, count)),
        f"N = {n} spins, {n_trajectories} trajectories, {n_times} times, "
        f"{round(levels.mean())} levels a state; "
        f"up to {n + 1} where it spreads over the sphere, at a cost that grows alike",
    )
