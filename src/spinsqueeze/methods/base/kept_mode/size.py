"""How many levels a mode takes, and what they cost."""

import math

import numpy as np

from spinsqueeze.core.errors import TooLarge
from spinsqueeze.methods.base.kept_mode.space import SpinSpace
from spinsqueeze.methods.base.method import Cost, in_bytes
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import largest_size
from spinsqueeze.models.modes import GaussianState, Mode

MOST_GUESSED = 60
FULL = 1e-4
"""Population of the highest level from which on far more are needed."""
MOST_PRODUCTS = 3000
"""Beyond which long runs take large steps."""
ENTRIES = 30
"""Entries a row of the matrices of a master equation, of H a third of that."""


def mode_of(model: Canonical) -> Mode:
    """The one mode of the model; where there is none, one that does nothing."""
    return model.modes[0] if model.modes else Mode()


def closed(model: Canonical) -> bool:
    """Whether spins and mode stay in a pure state: no jumps, and a pure state of the mode."""
    return not model.dissipative and thermal_quanta(mode_of(model).initial) == 0.0


def thermal_quanta(state: GaussianState) -> float:
    """Quanta n of the mode in which its fluctuations are thermal; 0 where that is rounding."""
    half = state.photons + 0.5
    quanta = math.sqrt(max(half**2 - abs(state.pairs) ** 2, 0.0)) - 0.5
    return quanta if quanta > 1e-13 * half**2 else 0.0


def unbounded(question: Question) -> list[str]:
    """Why a cavity that gains more than it loses has no steady state."""
    if isinstance(question, Evolve) or not question.model.modes:
        return []
    kappa = sum(
        largest_size(r.rate) * (abs(r.u) ** 2 - abs(r.v) ** 2)
        for r in question.model.modes[0].reservoirs
    )
    if kappa > 0:
        return []
    return [f"a cavity must lose more than it gains to come to rest, got kappa = {kappa:g}"]


def first_levels(model: Canonical) -> int:
    """Levels to begin with, from the mode's own state and what its reservoirs feed it."""
    if not model.modes:
        return 1
    mode = model.modes[0]
    photons = max(mode.initial.photons, _fed(mode))
    ratio = photons / (1 + photons)
    tail = MOST_GUESSED if ratio > 1e-12 else 0.0
    if 1e-12 < ratio < 1:
        tail = math.log(1e-12) / math.log(ratio)
    return 8 + min(MOST_GUESSED, math.ceil(tail) + min(model.n_spins, 12))


def _fed(mode: Mode) -> float:
    """Photons that the reservoirs keep in it, where they do."""
    gain = sum(largest_size(r.rate) * abs(r.v) ** 2 for r in mode.reservoirs)
    loss = sum(largest_size(r.rate) * abs(r.u) ** 2 for r in mode.reservoirs)
    return gain / (loss - gain) if loss > gain else 0.0


def unknowns(sizes: tuple[int, ...], levels: int, *, pure: bool) -> int:
    """Numbers in a state, each of 8 bytes (pure: 16)."""
    if pure:
        return sum(sizes) * levels
    return sum(size**2 for size in sizes) * levels**2


def memory(sizes: tuple[int, ...], levels: int, *, pure: bool) -> float:
    """Bytes of the matrices, a Krylov basis and the states between two looks."""
    # With a mode the equation is also made on two more levels, to see what leaves.
    count = unknowns(sizes, levels if levels == 1 else levels + 2, pure=pure)
    entries = ENTRIES / 3 if pure else (ENTRIES if levels == 1 else 2 * ENTRIES)
    return count * (16 if pure else 8) * (6 * entries + 30 + 80)


def steady_memory(sizes: tuple[int, ...], levels: int) -> float:
    """Bytes of a steady state: the vectors of its iteration beside the matrices."""
    return memory(sizes, levels, pure=False) + 8 * 90 * unknowns(sizes, levels, pure=False)


def cost(question: Question, sizes: tuple[int, ...], *, pure: bool, spin_rate: float) -> Cost:
    """Of spins in blocks of these sizes, whose own motion is as fast as `spin_rate`.

    The bytes are those of the levels at the start; a run that needs more says so where they do not
    fit.
    """
    levels = first_levels(question.model)
    usual = levels if levels == 1 else levels + 6  # as many as most runs end with
    count = unknowns(sizes, usual, pure=pure)
    bytes_of = detail(sizes, levels, pure=pure)
    if not isinstance(question, Evolve):
        # 250 products, each with two changes of basis of every block.
        cubes = sum(float(size * usual) ** 3 for size in sizes)
        seconds = 0.05 + 1e-5 * count + 250 * (1e-7 * count + 8e-10 * cubes)
        return Cost(steady_memory(sizes, levels), seconds, bytes_of)
    needed = memory(sizes, levels, pure=pure) + 200.0 * len(question.times)
    rate = spin_rate + _mode_rate(question.model, usual)
    products = 60 + min(rate * question.duration / (2 if pure else 6), MOST_PRODUCTS)
    seconds = 0.1 + 2e-5 * count + 3 * products * (2e-5 + 6e-8 * count)
    return Cost(needed, seconds + 1e-7 * count * len(question.times), bytes_of)


def more(levels: int, top: float = 0.0) -> int:
    """The next number of levels to try; top: the population of the highest one."""
    return levels + 4 + (levels if top > FULL else levels * 2 // 5)


def _mode_rate(model: Canonical, levels: int) -> float:
    """How fast the mode moves, and the spins with it."""
    if not model.modes:
        return 0.0
    mode = model.modes[0]
    rate = largest_size(mode.detuning) * levels
    rate += 2 * largest_size(mode.drive) * math.sqrt(levels)
    rate += sum(largest_size(r.rate) * (abs(r.u) + abs(r.v)) ** 2 * levels for r in mode.reservoirs)
    for coupling in model.mode_couplings:
        vectors = np.linalg.norm(np.atleast_2d(coupling.vectors), axis=1)
        spins = float(np.max(vectors)) * model.n_spins / 2
        rate += 2 * largest_size(coupling.strength) * spins * math.sqrt(levels)
    return rate


def detail(sizes: tuple[int, ...], levels: int, *, pure: bool) -> str:
    """Where the bytes come from."""
    count = unknowns(sizes, levels, pure=pure)
    kind = "amplitudes" if pure else "numbers of a density matrix"
    beside = f" x {levels} of the cavity" if levels > 1 else ""
    return f"{count:.3g} {kind} of {sum(sizes)} states of the spins{beside}"


def check(question: Question, space: SpinSpace, levels: int, *, pure: bool) -> None:
    """Refuse levels that do not fit.

    Raises:
        TooLarge: with the bytes, the budget and the remedy.
    """
    steady = not isinstance(question, Evolve)
    needed = memory(space.sizes, levels, pure=pure)
    if steady:
        needed = steady_memory(space.sizes, levels)
    if needed > question.memory_budget:
        raise TooLarge(
            f"the cavity needs {levels} levels or more, which take {in_bytes(needed)} "
            f"({detail(space.sizes, levels, pure=pure)}); the budget is "
            f"{in_bytes(question.memory_budget)}: raise memory_budget, use cumulants, or eliminate "
            "the cavity"
        )
