"""What an open model costs on orbits of Pauli strings."""

import numpy as np

from spinsqueeze.core.arrays import Integers
from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.exact.pauli_generator import GeneratorPart, generator_parts
from spinsqueeze.methods.exact.string_sector import ROWS_AT_ONCE
from spinsqueeze.methods.exact.symmetries import orbit_count
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import largest_size
from spinsqueeze.numerics.lindblad_evolution import MOST_PRODUCTS
from spinsqueeze.numerics.steady_states import FACTORISED

RESTART = 200
"""Vectors of the iteration for a steady state: with few it fails where couplings beat the decay."""
MOST_ITERATIONS = 3000


def open_cost(question: Question, generators: list[Integers], *, rate: float) -> Cost:
    """Of a question with one row a spin; rate: of its Hamiltonian and jumps together."""
    n = question.model.n_spins
    words, unknowns = 4.0**n, orbit_count(n, generators, bits=2)
    parts = generator_parts(question.model)
    entries = [_entries_a_row(part) for part in parts]
    listed = unknowns * sum(entries)
    memory = 20 * words + 26 * listed + 40 * max(entries) * min(unknowns, ROWS_AT_ONCE)
    seconds = 0.02 + 1e-7 * words + 2e-7 * listed
    product = 2e-5 + 2e-9 * listed
    detail = f"{unknowns:.3g} orbits of the 4^{n} = {words:.3g} Pauli strings of a density matrix"
    if isinstance(question, Evolve):
        times = len(question.times)
        products = 60 + min(rate * question.duration, MOST_PRODUCTS)
        products *= 1 if len(parts) == 1 else 8
        seconds += products * (product + 6e-8 * unknowns) + 1e-7 * unknowns * times
        memory += 8 * unknowns * (32 + 2 * min(times, 1 + 4e7 / unknowns))
        if len(parts) > 1:
            memory += 36 * listed
        return Cost(memory, seconds, detail)
    closed = 2 ** min(len(question.model.parity), 2)
    if unknowns / closed <= FACTORISED:
        size = unknowns / closed
        return Cost(memory + 12 * size**2, seconds + closed * size**3 / 3e10, detail)
    iterations = min(100 + 25 * rate / (_damping(question.model) + 1e-300), MOST_ITERATIONS)
    seconds += iterations * (product + 4e-7 * unknowns)
    return Cost(memory + 12 * listed + 8 * RESTART * unknowns / closed, seconds, detail)


def _entries_a_row(part: GeneratorPart) -> float:
    """Mean number of entries of a row; all diagonal ones are one."""
    n = len(part.ones)
    off = 1.0 - np.eye(4)
    beside = np.count_nonzero(part.ones * off) / 4
    lower = np.tril_indices(n, -1)
    off = 1.0 - np.eye(16)
    return 1.0 + beside + np.count_nonzero(part.twos[lower] * off) / 16


def _damping(model: Canonical) -> float:
    """Rates of the local jumps on all spins together: what the iteration inverts."""
    total = 0.0
    for jump in model.local_jumps:
        sites = model.n_spins if jump.factors is None else float(jump.factors.sum())
        total += largest_size(jump.rate) * sites * float(np.linalg.norm(jump.vector)) ** 2 / 2
    return total
