"""Cumulants: one curve of each order, and a grid of drives and decay rates (tucker2020, Fig. 3a).

python benchmarks/cumulants_speed.py [--spins 10000] [--orders 2 3 4] [--grid 100 60] [--workers 2]
"""

import argparse
import time

import numpy as np

import spinsqueeze as sq


def model(n_spins: int, *, drive: float, decay: float) -> sq.SpinModel:
    """Drive in units of the critical one, Gamma = 1, single-spin decay."""
    return sq.SpinModel(
        n_spins,
        hamiltonian=[sq.Drive(drive * n_spins / 2)],
        jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(decay)],
        unit="Gamma",
    )


def main() -> None:
    """Print seconds of one curve for each order, and of the grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spins", type=int, default=10_000)
    parser.add_argument("--orders", type=int, nargs="+", default=[2, 3, 4, 6])
    parser.add_argument("--grid", type=int, nargs=2, default=[100, 60])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    state, times = sq.CoherentState("-x"), np.linspace(0.0, 0.012, 49)
    subject = model(options.spins, drive=0.9, decay=50.0)
    started = time.perf_counter()
    sq.simulate(subject, state, times[:2], method=sq.Cumulants(2))
    print(f"first curve, compiled or from the cache: {time.perf_counter() - started:.2f} s")
    for order in options.orders:
        method = sq.Cumulants(order, next_order=False)
        started = time.perf_counter()
        data = sq.simulate(subject, state, times, method=method)
        seconds = time.perf_counter() - started
        print(f"order {order}: {seconds:.3f} s, least xi2 {float(data['xi2'].min()):.6f}")
    drives, decays = options.grid
    started = time.perf_counter()
    sq.sweep(
        subject,
        state,
        times,
        over={
            "hamiltonian.0.rabi": (options.spins / 2 * np.linspace(0.7, 0.99, drives)).tolist(),
            "jumps.1.rate": np.geomspace(10.0, 1000.0, decays).tolist(),
        },
        method=sq.Cumulants(2, next_order=False),
        workers=options.workers,
    )
    seconds = time.perf_counter() - started
    each = f"{1e3 * seconds / (drives * decays):.2f} ms a point"
    print(f"grid of {drives} x {decays}, order 2: {seconds:.1f} s, {each}")


if __name__ == "__main__":
    main()
