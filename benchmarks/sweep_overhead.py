"""What a sweep costs on top of its points, and what a second worker brings.

Run it on an idle machine: python benchmarks/sweep_overhead.py
"""

import argparse
import tempfile
import time

import numpy as np

import spinsqueeze as sq
from spinsqueeze.run import local

STATE = sq.CoherentState("+x")
TIMES = np.linspace(0.0, 0.2, 41)


def cheap_points(n_points, workers_tried):
    """Points of a closed form: wall time of each beyond the time of the run itself."""
    model = sq.SpinModel(50, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)])
    over = {
        "hamiltonian.0.chi": np.linspace(0.5, 1.5, 10),
        "jumps.0.rate": np.geomspace(0.01, 1.0, n_points // 10),
    }
    options = {"over": over, "method": sq.ClosedForm()}
    sq.simulate(model, STATE, TIMES, method=sq.ClosedForm())
    start = time.perf_counter()
    for _ in range(50):
        sq.simulate(model, STATE, TIMES, method=sq.ClosedForm())
    alone = (time.perf_counter() - start) / 50
    print(f"one simulate call: {1e3 * alone:.1f} ms")
    for workers in workers_tried:
        with tempfile.TemporaryDirectory() as folder:
            shown, wall = _timed(model, workers, store=f"{folder}/points", **options)
            again, _ = _timed(model, 0, store=f"{folder}/points", **options)
        overhead = 1e3 * (shown / n_points - alone / max(1, workers))
        print(
            f"{workers} workers: {n_points} points in {shown:.2f} s, overhead {overhead:.1f} ms "
            f"a point (with the start of the processes: {wall:.2f} s); read again: {again:.2f} s"
        )


def two_workers(n_points, n_trajectories, repeats):
    """The time of two workers against that of one; by default for points of about 0.25 s."""
    model = sq.SpinModel(
        sq.Lattice((16, 16)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
    )
    over = {"hamiltonian.0.j_z": np.linspace(-4.0, 1.0, n_points)}
    options = {"over": over, "method": sq.DTWA(n_trajectories), "times": np.linspace(0.0, 0.5, 11)}
    threads = local.default_workers
    local.default_workers = lambda: 1  # one thread for each worker in both runs
    try:
        for _ in range(repeats):
            walls = {n: _timed(model, n, **options)[0] for n in (1, 2)}
            print(
                f"1 worker: {walls[1]:.2f} s, 2 workers: {walls[2]:.2f} s after compilation, "
                f"{walls[1] / walls[2]:.2f} times as fast"
            )
    finally:
        local.default_workers = threads


def _timed(model, workers, *, times=TIMES, **options):
    """Seconds for all points at the pace of those after the first ones, and for the whole sweep.

    The start of the processes and compilation are in the first 4 points of each worker.
    """
    start = time.perf_counter()
    stamps = {}

    def progress(now):
        stamps[now.done] = time.perf_counter()

    sq.sweep(model, STATE, times, workers=workers, progress=progress, **options)
    wall = time.perf_counter() - start
    total = max(stamps)
    first = min(4 * max(1, workers), total // 2)
    if first not in stamps:  # all points were there already
        return wall, wall
    return (stamps[total] - stamps[first]) * total / (total - first), wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=200, help="a multiple of 10")
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument(
        "--pair", type=int, nargs=3, default=[48, 1000, 3], help="2 workers against 1",
        metavar=("POINTS", "TRAJECTORIES", "REPEATS"),
    )  # fmt: skip
    options = parser.parse_args()
    cheap_points(options.points, options.workers)
    two_workers(*options.pair)


if __name__ == "__main__":
    main()
