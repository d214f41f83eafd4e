"""A run in the space of the first shells, from pulse to pulse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.base.question import Evolve, stretches
from spinsqueeze.methods.truncated_shells import lanczos
from spinsqueeze.methods.truncated_shells.blocks import ShellBlocks
from spinsqueeze.methods.truncated_shells.parts import Parts
from spinsqueeze.methods.truncated_shells.readout import read
from spinsqueeze.methods.truncated_shells.sectors import ShellSpace

LEAST_STEPS, MOST_STEPS = 16, 240


@final
@dataclass(frozen=True, eq=False)
class Run:
    """Moments (T, 3), (T, 3, 3), shell populations (T, n + 1), and how the state errs."""

    spin: Floats
    covariance: Floats
    populations: Floats
    error: float
    norm_drift: float
    products: int


def run(
    question: Evolve,
    parts: Parts,
    blocks: ShellBlocks,
    *,
    tolerance: float,
    krylov_bytes: float,
    progress: Callable[[float], None],
) -> Run:
    """Evolve the question's state; errors of the state in norm."""
    space = ShellSpace(parts, blocks)
    record = _Record(space, len(question.times))
    psi = np.zeros((space.n_spins + 1, space.dimension), dtype=complex)
    psi[:, 0] = parts.amplitudes(question)
    last = question.duration or 1.0
    error, products, now = 0.0, 0, 0.0
    for stop, rotations, wanted in stretches(question):
        record.expect(wanted)
        added, taken = _stretch(
            space,
            psi,
            np.append(question.times[wanted], stop) - now,
            tolerance=tolerance * (stop - now) / last,
            krylov_bytes=krylov_bytes,
            keep=record.keep,
        )
        error, products = error + added, products + taken
        psi = record.latest
        for rotation in rotations:
            psi = space.rotated(psi, axis=parts.turned(rotation.axis), angle=rotation.angle)
        now = stop
        progress(now / last)
    spin, covariance = parts.turned_back(record.spin, record.covariance)
    return Run(spin, covariance, record.populations, error, record.norm_drift(), products)


@final
class _Record:
    """What is read of the states of a run."""

    def __init__(self, space: ShellSpace, count: int) -> None:
        self.space = space
        self.spin, self.covariance = np.zeros((count, 3)), np.zeros((count, 3, 3))
        self.populations = np.zeros((count, len(space.spins)))
        self.wanted = np.arange(0)
        self.latest: Complexes = np.zeros((0, 0), dtype=complex)

    def expect(self, wanted: Integers) -> None:
        """States at these outputs come next, and one more at the end of the stretch."""
        self.wanted = wanted

    def keep(self, first: int, states: Complexes) -> None:
        """States (T', N + 1, D) from the first-th of the stretch on."""
        outputs = self.wanted[first : first + len(states)]
        if len(outputs):
            moments = read(states[: len(outputs)], self.space)
            self.spin[outputs], self.covariance[outputs], self.populations[outputs] = moments
        self.latest = states[-1]

    def norm_drift(self) -> float:
        """The largest departure of the norm from 1."""
        return float(np.abs(self.populations.sum(axis=1) - 1).max(initial=0.0))


def _stretch(
    space: ShellSpace,
    psi: Complexes,
    marks: Floats,
    *,
    tolerance: float,
    krylov_bytes: float,
    keep: Callable[[int, Complexes], None],
) -> tuple[float, int]:
    """Hand the states (T', N + 1, D) at times from now on to `keep`; (error, products)."""
    norms = np.linalg.norm(psi, axis=1)
    # Sectors that hold next to nothing stay as they are.
    negligible = norms <= 0.1 * tolerance / np.sqrt(len(norms))
    left_out = float(np.linalg.norm(norms[negligible]))
    collective = not np.any(psi[:, 1:])
    weights = np.where(negligible, 0.0, norms)
    if collective and space.mirrored:
        half = len(psi) // 2 + len(psi) % 2
        weights = np.hypot(weights, weights[::-1])[:half]
    chosen = np.flatnonzero(weights)
    factor = psi[chosen, 0] if collective else norms[chosen]
    start = psi[chosen] / norms[chosen, None]
    if collective:
        start = np.zeros((len(chosen), space.dimension))
        start[:, 0] = 1.0
    elif not np.any(start.imag):
        start = np.ascontiguousarray(start.real)
    signs = space.mirror_signs()
    mirror = collective and space.mirrored

    def emit(first: int, rows: Complexes) -> None:
        phases = np.exp(-1j * marks[first : first + len(rows), None] * space.energies)
        states = np.empty((len(rows), *psi.shape), dtype=complex)
        states[...] = psi * phases[:, :, None]
        if mirror:
            states[:, chosen] = (psi[chosen, 0] * phases[:, chosen])[:, :, None] * rows
            below = len(psi) - 1 - chosen
            states[:, below] = (psi[below, 0] * phases[:, below])[:, :, None] * (rows * signs)
        else:
            states[:, chosen] = (factor * phases[:, chosen])[:, :, None] * rows
        keep(first, states)

    rows_bytes = start.size * start.itemsize
    steps = int(np.clip(krylov_bytes / max(rows_bytes, 1), LEAST_STEPS, MOST_STEPS))
    error, products = lanczos.evolve(
        space.hamiltonian(space.m[chosen]),
        start,
        marks,
        weights=weights[chosen],
        tolerance=tolerance,
        most_steps=steps,
        emit=emit,
    )
    return error + 2 * left_out, products
