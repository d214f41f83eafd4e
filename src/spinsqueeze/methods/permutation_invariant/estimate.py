"""Memory and time of a calculation before it starts."""

from dataclasses import dataclass

import numpy as np

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.permutation_invariant.conserved import common_axis
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.sectors import symmetry
from spinsqueeze.models.interchangeable import turning
from spinsqueeze.numerics.block_layout import state_size

TASKS = ("evolve", "steady_state", "slow_modes")

COUNTED = 10**5
"""More spins than this are not counted by sector: one state takes more than 1e15 bytes."""

# Measured for squeezed collective decay with local dephasing on one core: 45 526 unknowns
# (N = 100) give 0.31 GB of factors in 1.5 s; memory grows as n^1.39 and time as n^2 up to N = 200.
_REFERENCE = 45526
_FACTOR_BYTES = 3.1e8
_FACTOR_SECONDS = 1.5
_PEAK = 1.4  # update matrices beside the factors
_SECTOR_SECONDS = 8e-4  # of one sector between two pulses, however few its unknowns

# Evolution, fitted to 29 runs on one core: products that coherent phases, collective and local
# jumps need, and the seconds of a product and of an output, of a sector and of each unknown.
_PRODUCTS = (30.0, 1.2, 6.0)
_PRODUCT_SECONDS = (1.1e-5, 3.5e-9)
_OUTPUT_SECONDS = (5e-5, 3.7e-8)


@dataclass(frozen=True)
class Estimate:
    """Cost of a task.

    Attributes:
        complex_numbers: size of a flat block state.
        unknowns: real unknowns of the largest sector that is solved.
        bytes: peak memory [B], within a factor of about 1.5.
        seconds: time on one core of about 30 Gflop/s, within a factor of a few.
    """

    complex_numbers: int
    unknowns: int
    bytes: int
    seconds: float


def _sector_sizes(model: Generator) -> list[int]:
    """Unknowns of every sector, counted without building them."""
    N = model.n_spins
    symmetries = symmetry(model)
    k = np.arange(N + 1)
    longest = N + 1 - k  # diagonals k of the blocks of size N + 1, N - 1, ...
    per_k = (longest + 1) ** 2 // 4 if model.has_local else longest
    out = []
    for labels in symmetries.groups:
        parts = [(k % 2 == kk) & ((part == 0) | (k > 0)) for kk, part in labels]
        counts = sum((per_k * chosen for chosen in parts), np.zeros(N + 1, dtype=np.int64))
        out += [int(c) for c in counts if c] if symmetries.modulus == 0 else [int(counts.sum())]
    return out


def _evolving(model: Generator, sizes: list[int], *, n_times: int, duration: float) -> float:
    """Seconds in all sectors, by the cheaper algorithm as in `evolution`."""
    n, unknowns = model.n_spins, np.array(sizes, dtype=float)
    phases = turning(model.quadratic, model.field, n_spins=n) * duration
    jumps = (n * n * np.trace(model.collective).real, n * np.trace(model.local).real)
    fixed, oscillating, damped = _PRODUCTS
    products = (
        fixed + oscillating * phases + damped * float(np.sum(np.sqrt(duration * np.array(jumps))))
    )
    polynomial = products * (_PRODUCT_SECONDS[0] + _PRODUCT_SECONDS[1] * unknowns)
    decades = 1.5 * (np.log2(max(n_times, 2)) / 3 + 2)
    factors = 1e-3 + 6.5e-2 * (unknowns / 6200) ** 1.7
    solves = 30 * (2e-4 + 2e-3 * (unknowns / 6200) ** 1.33)
    rational = decades * factors + (decades + phases / 10) * solves
    outputs = n_times * (_OUTPUT_SECONDS[0] + _OUTPUT_SECONDS[1] * unknowns)
    return float(np.sum(np.minimum(polynomial, rational) + outputs))


def estimate(
    model: Generator,
    *,
    task: str,
    n_times: int = 1,
    n_stretches: int = 1,
    duration: float = 1.0,
) -> Estimate:
    """Cost of evolving (in stretches between pulses), or of the steady state or the slowest modes.

    Raises:
        InvalidInput: an unknown task.
    """
    if task not in TASKS:
        raise InvalidInput(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    N = model.n_spins
    numbers = state_size(N)
    if N > COUNTED:  # the state alone is refused by any budget
        return Estimate(numbers, numbers, 16 * numbers, 1e-6 * numbers)
    sizes = _sector_sizes(model)
    largest = max(sizes)
    if task == "evolve":
        matrix = 40 * 12 * largest + 8 * sum(sizes) * (n_times + 30)
        seconds = _evolving(model, sizes, n_times=n_times, duration=duration)
        seconds += _SECTOR_SECONDS * len(sizes) * n_stretches
        return Estimate(numbers, largest, int(matrix + 16 * numbers), seconds)
    if task == "steady_state" and common_axis(model) is not None:  # a sum over levels, no factors
        memory = 40 * 12 * largest + 16 * numbers * 4
        return Estimate(numbers, largest, int(memory), 1e-6 * numbers)
    flat = not model.has_local or symmetry(model).modulus == 0
    if flat:  # a plane: minimum-degree fill n log n, n^1.5 operations
        memory = 16.0 * largest * (60 + 20 * np.log2(largest + 1))
        seconds = 1e-5 * largest * (1 + largest / 1e4) ** 0.5
        n_solves = len(sizes) if task == "slow_modes" else 1
        seconds *= n_solves
    else:
        cells = max((N + 1) * (N + 2) * (N + 3) / 24, 1.0)
        width = max(largest / cells, 0.25)  # unknowns in a cell of the elimination lattice
        memory = _PEAK * _FACTOR_BYTES * (cells / _REFERENCE) ** 1.39 * width**2
        seconds = _FACTOR_SECONDS * (cells / _REFERENCE) ** 2 * width**3
        seconds *= 2.0 if task == "steady_state" else 4.0 * len(sizes)
    memory += 40 * 12 * largest + 16 * numbers * 3
    return Estimate(numbers, largest, int(memory), float(seconds))
