"""What a run needs, before it is run."""

from math import comb

import numpy as np

from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.truncated_shells.parts import Parts
from spinsqueeze.methods.truncated_shells.subsets import estimated_orbits

KRYLOV_BYTES = 2e8
"""At most, for the bases of all sectors."""
SECONDS_AT_LEAST = 0.1


def expected_cost(question: Evolve, parts: Parts, n_shells: int) -> Cost:
    """Bytes and seconds of building the blocks and of one evolution."""
    n, times = parts.couplings.n_spins, len(question.times)
    kernels = len(parts.isotropic)
    generators = parts.couplings.generators() if n_shells else []
    states = estimated_orbits(n, n_shells, generators)
    subsets = float(comb(n, n_shells))
    products = _products(question, parts, n_shells)
    turned = bool(question.pulses)
    rows = float(n + 1 if turned or parts.couplings.field else n // 2 + 1)
    dense = 8 * states**2 * (4 + 2 * kernels)
    ranked = subsets * (2 * n_shells + 8 * (len(generators) + 5)) if generators else 0.0
    moves = states * n * (n_shells + 1) * 40
    numbers = 2 if turned else 1
    krylov = min(KRYLOV_BYTES, 8 * numbers * rows * states * min(products, states))
    at_times = 16 * (n + 1) * states * min(times + 1, 2 + 6e5 / (rows * states)) * 5
    rotation = 80.0 * (n + 1) ** 2 if turned or parts.angle else 0.0
    memory = 8 * n**2 * (2 + kernels) + max(dense + moves, ranked) + krylov + at_times + rotation
    building = 5e-8 * subsets * n_shells * (1 + len(generators)) + 1.5e-10 * states**3
    steps = min(products, 100)
    running = products * numbers * rows * states * (3e-10 * states + 1e-9 * steps)
    running += times * rows * states * (2e-9 * steps + 3e-7)
    detail = (
        f"{states:.3g} symmetric states of {n_shells} flipped spins among {n}, from "
        f"{subsets:.3g} states; fewer shells need less"
    )
    return Cost(memory + 500 * times, SECONDS_AT_LEAST + building + running, detail)


def _products(question: Evolve, parts: Parts, n_shells: int) -> float:
    """Products with the Hamiltonian, from the width of the energies of a few flipped spins."""
    width = abs(parts.total) * parts.couplings.n_spins * n_shells
    for matrix, isotropic, rank_two in zip(
        parts.couplings.matrices, parts.isotropic, parts.rank_two, strict=True
    ):
        strongest = float(np.abs(matrix).sum(axis=1).max())
        width += strongest * (n_shells * abs(isotropic) + (n_shells + 1) * abs(rank_two))
    field = parts.couplings.site_field
    if field is not None:
        width += n_shells * float(np.ptp(field))
    return 20 + 0.25 * width * question.duration
