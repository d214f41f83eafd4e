"""Time of truncated shells: dipolar XXZ on a periodic lattice for many J_z, as in perlin2020.

Run: python benchmarks/truncated_shells_speed.py [--shape 7 7] [--shells 4] [--values 71]
    [--workers 2]

Prints processor seconds for the blocks, which all values share, and for each curve of 61 times, how
often blocks were built meanwhile, and the largest memory of the process; then seconds by the clock
and the largest memory of a process for a sweep over the same values (--workers 0: in this one).
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import spinsqueeze as sq
from spinsqueeze.methods.truncated_shells.blocks import shell_blocks
from spinsqueeze.methods.truncated_shells.parts import parts_of
from spinsqueeze.papers.perlin2020.setting import OURS_OVER_PAPER, window, xxz_model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=int, nargs=2, default=(7, 7))
    parser.add_argument("--shells", type=int, default=4)
    parser.add_argument("--values", type=int, default=71)
    parser.add_argument("--exponent", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    shape, method = tuple(options.shape), sq.TruncatedShells(options.shells)
    values = np.linspace(-1.5, 2.0, options.values)

    def times(j_z: float) -> np.ndarray:
        # At J_z = J_perp nothing moves, and the window is endless: as at the value before.
        moving = 0.95 if abs(j_z - 1) < 1e-9 else j_z
        return window(shape, exponent=options.exponent, j_z=moving, n_times=61)

    start = time.process_time()
    parts = parts_of(xxz_model(shape, exponent=options.exponent, j_z=0.0).canonical)
    found = shell_blocks(parts.couplings, min(options.shells, np.prod(shape) // 2))
    print(f"blocks of {found.sizes} multiplets {time.process_time() - start:9.2f} s")
    shell_blocks.cache_clear()
    seconds = []
    for j_z in values:
        start = time.process_time()
        model = xxz_model(shape, exponent=options.exponent, j_z=float(j_z))
        sq.simulate(model, sq.CoherentState("+x"), times(float(j_z)), method=method)
        seconds.append(time.process_time() - start)
    print(f"{len(seconds)} values of J_z           {sum(seconds):9.2f} s")
    print(f"one value: median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    built = shell_blocks.cache_info().misses
    print(f"blocks built {built} times: those of the run, and two shells for trust")
    print(f"memory {_gigabytes(resource.RUSAGE_SELF):.2f} GB")

    begun = time.perf_counter()
    sq.sweep(
        xxz_model(shape, exponent=options.exponent, j_z=0.0),
        sq.CoherentState("+x"),
        [0.0, 1.0],
        over={
            "hamiltonian.0.j_z": [OURS_OVER_PAPER * float(j) for j in values],
            "run.times": [times(float(j)).tolist() for j in values],
        },
        zipped=True,
        method=method,
        workers=options.workers,
    )
    print(
        f"sweep on {options.workers} processes  {time.perf_counter() - begun:9.2f} s by the clock"
    )
    print(f"memory of one process {_gigabytes(resource.RUSAGE_CHILDREN):.2f} GB")


def _gigabytes(whose: int) -> float:
    """The largest resident memory of this process, or of any of its children."""
    return resource.getrusage(whose).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
