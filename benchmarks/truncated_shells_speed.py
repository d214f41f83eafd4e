"""Time of truncated shells: dipolar XXZ on a periodic lattice for many J_z, as in perlin2020.

Run: python benchmarks/truncated_shells_speed.py [--shape 7 7] [--shells 4] [--values 71]

Prints processor seconds for the blocks, which all values share, and for each curve of 61 times,
and the largest memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import spinsqueeze as sq
from spinsqueeze.methods.truncated_shells.blocks import shell_blocks
from spinsqueeze.methods.truncated_shells.parts import parts_of
from spinsqueeze.papers.perlin2020.setting import window, xxz_model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=int, nargs=2, default=(7, 7))
    parser.add_argument("--shells", type=int, default=4)
    parser.add_argument("--values", type=int, default=71)
    parser.add_argument("--exponent", type=float, default=3.0)
    options = parser.parse_args()
    shape = tuple(options.shape)

    start = time.process_time()
    parts = parts_of(xxz_model(shape, exponent=options.exponent, j_z=0.0).canonical)
    found = shell_blocks(parts.couplings, min(options.shells, np.prod(shape) // 2))
    print(f"blocks of {found.sizes} multiplets {time.process_time() - start:9.2f} s")
    seconds = []
    for j_z in np.linspace(-1.5, 2.0, options.values):
        if abs(j_z - 1) < 1e-9:
            continue  # nothing moves
        start = time.process_time()
        sq.simulate(
            xxz_model(shape, exponent=options.exponent, j_z=float(j_z)),
            sq.CoherentState("+x"),
            window(shape, exponent=options.exponent, j_z=float(j_z), n_times=61),
            method=sq.TruncatedShells(options.shells),
        )
        seconds.append(time.process_time() - start)
    print(f"{len(seconds)} values of J_z           {sum(seconds):9.2f} s")
    print(f"one value: median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
