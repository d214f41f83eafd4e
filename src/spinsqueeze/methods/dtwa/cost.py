"""What a DTWA run should need, before it starts."""

import numpy as np

from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import largest_size

BATCH_CELLS = 65536
"""Cells of a batch, counted over its samples, in float32; half as many in float64."""
RUNTIME_BYTES = 4e8
STAGE_ARRAYS = 60
"""Arrays of one batch alive at a time: spins, stage slopes, transforms."""
SECONDS_PER_CELL = 0.75e-8
EVALUATIONS_PER_RADIAN = 10.0
EVALUATIONS_PER_LIFETIME = 16.0
NOISE_NUMBERS = 12
STEPS_OF_LONG_RUNS = 7.6
"""Evaluations per radian of an open run, over radians^(1/4): its steps are of order 4."""
NUMBERS_OF_A_NODE = 18
"""Of a sample at a node of an open run, and 3 more a kick; the pilot has twice the nodes."""
LARGEST_BATCH = 64
SECONDS_PER_NODE = 5e-4
COMPILE_SECONDS = 4.0


def expected_cost(
    model: Canonical,
    *,
    duration: float,
    n_times: int,
    n_samples: int,
    dtype: str,
    batch_cells: int,
    n_threads: int,
) -> tuple[float, float]:
    """(bytes, seconds) of a run: batches in flight, collective spins, dense matrices.

    The number of right-hand sides follows from the largest angle that a spin can turn.
    """
    size = np.dtype(dtype).itemsize
    cells, per_cell, matrices = model.n_spins, SECONDS_PER_CELL, 0.0
    spread = model.correlated_jumps
    for kernel in [p.kernel for p in model.pairs] + [j.kernel for j in spread]:
        if kernel.stencil is not None:
            cells = max(cells, int(np.prod(kernel.stencil.grid_shape)))
        elif kernel.table is not None:
            cells = max(cells, kernel.table.size)
        elif not kernel.uniform:
            per_cell += 1e-10 * kernel.n_spins
            matrices += (8 + size) * kernel.n_spins**2
    if any(not jumps.kernel.translation_invariant for jumps in spread):
        matrices += 48.0 * model.n_spins**2
        per_cell += 1e-10 * model.n_spins
    batch = n_threads * max(batch_cells, 2 * cells)
    memory = RUNTIME_BYTES + matrices + size * STAGE_ARRAYS * batch
    memory += 8.0 * n_times * (9 * n_samples + 60 * min(n_samples, 100))
    radians = duration * largest_field(model)
    per_radian = EVALUATIONS_PER_RADIAN
    if model.dissipative:
        per_radian = max(per_radian, STEPS_OF_LONG_RUNS * radians**0.25)
    evaluations = 60 + per_radian * radians
    evaluations += EVALUATIONS_PER_LIFETIME * duration * fastest_damping(model)
    seconds = COMPILE_SECONDS + per_cell * cells * evaluations * n_samples
    if model.dissipative:
        nodes = evaluations / 4
        numbers = NUMBERS_OF_A_NODE + 6 * (len(model.collective_jumps) + len(spread))
        memory += 8 * max(2, n_threads) * LARGEST_BATCH * numbers * nodes
        seconds += SECONDS_PER_NODE * nodes
        if model.local_jumps or spread:  # the noise of every site, three times over in the pilot
            memory += 3 * size * NOISE_NUMBERS * model.n_spins * nodes
    return memory, seconds


def largest_field(model: Canonical) -> float:
    """An upper estimate of the angular velocity of any spin."""
    largest = 0.0
    for field in model.fields:
        vectors = field.vectors.reshape(-1, 3)
        largest += largest_size(field.strength) * float(np.linalg.norm(vectors, axis=1).max())
    for quadratic in model.quadratics:
        weights = np.ones(1) if quadratic.weights is None else np.abs(quadratic.weights)
        total = float(np.sum(weights * model.counts))
        norm = float(np.abs(np.linalg.eigvalsh(quadratic.matrix)).max())
        largest += largest_size(quadratic.strength) * norm * total * float(weights.max())
    for pair in model.pairs:
        norm = float(np.abs(np.linalg.eigvalsh(pair.tensor)).max())
        largest += largest_size(pair.strength) * norm * pair.kernel.row_sum / 2
    for jump in model.collective_jumps:  # what the others radiate
        size = np.linalg.norm(np.atleast_2d(jump.vectors), axis=1)
        total = float(np.sum(size * model.counts))
        largest += largest_size(jump.rate) * total * float(size.max()) / 2
    for spread in model.correlated_jumps:
        reach = (1.0 + spread.kernel.row_sum) ** 2
        largest += largest_size(spread.rate) * reach * float(np.linalg.norm(spread.vector)) ** 2 / 2
    return largest


def fastest_damping(model: Canonical) -> float:
    """An upper estimate of the rate at which jumps damp a single spin."""
    fastest = 0.0
    for local in model.local_jumps:
        factor = 1.0 if local.factors is None else float(np.max(local.factors))
        fastest += largest_size(local.rate) * factor * float(np.linalg.norm(local.vector)) ** 2
    for jump in model.collective_jumps:
        size = np.linalg.norm(np.atleast_2d(jump.vectors), axis=1)
        fastest += largest_size(jump.rate) * float(size.max()) ** 2
    for spread in model.correlated_jumps:
        reach = (1.0 + spread.kernel.row_sum) ** 2  # at least what a spin does to itself
        fastest += largest_size(spread.rate) * reach * float(np.linalg.norm(spread.vector)) ** 2
    return fastest
