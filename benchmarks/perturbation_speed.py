"""Time and memory of first order on periodic lattices, of higher orders of alike spins, of maps.

Run: python benchmarks/perturbation_speed.py [--shape 64 64] [--spins 1000000] [--order 4]
[--map 41]
"""

from __future__ import annotations

import argparse
import time
import tracemalloc

import numpy as np

import spinsqueeze as sq
from spinsqueeze.run.questions import steady_question


def lattice(shape: tuple[int, ...], exponent: float, sign: float) -> sq.SpinModel:
    coupling = sq.PowerLawXYZ(j_x=0.9 * sign, j_y=0.2 * sign, j_z=-0.5, exponent=exponent)
    return sq.SpinModel(
        sq.Lattice(shape), hamiltonian=[coupling], jumps=[sq.LocalDecay(1.0)], unit="Gamma"
    )


def measured(call) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Seconds on the processor, and the most bytes of a second call."""
    start = time.process_time()
    call()
    seconds = time.process_time() - start
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


def angle_map(values: int, order: int) -> tuple[float, float, float]:
    """A sweep of N = 20 over j_x and j_y: processor and wall seconds, and those of one point."""
    coupling = sq.CollectiveXYZ(j_x=0.1, j_y=0.2, j_z=1.0)
    model = sq.SpinModel(20, hamiltonian=[coupling], jumps=[sq.LocalDecay(1.0)], unit="gamma")
    method = sq.Perturbation(order)
    axis = np.linspace(-4.0, 6.0, values)
    over = {"hamiltonian.0.j_x": axis, "hamiltonian.0.j_y": axis + 1e-3}
    sq.sweep(model, over={path: row[:2] for path, row in over.items()}, method=method, workers=0)
    wall, processor = time.perf_counter(), time.process_time()
    sq.sweep(model, over=over, method=method, workers=0)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    start = time.process_time()
    for _ in range(50):
        sq.steady_state(model, method=method)
    return processor, wall, (time.process_time() - start) / 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=int, nargs="+", default=(64, 64))
    parser.add_argument("--spins", type=int, default=1_000_000)
    parser.add_argument("--order", type=int, default=4)
    parser.add_argument("--map", type=int, default=41, help="values along either axis of a map")
    options = parser.parse_args()

    for order in (1, 2, 4):
        processor, wall, alone = angle_map(options.map, order)
        print(
            f"map {options.map} x {options.map}, N = 20, order {order}: {processor:.2f} s of "
            f"processor time, {wall:.2f} s by the clock, {1e3 * processor / options.map**2:.2f} ms "
            f"a point; {1e3 * alone:.1f} ms alone"
        )
    method, shape = sq.Perturbation(1, next_order=False), tuple(options.shape)
    for exponent in (0.5, 3.0, float("inf")):
        for sign in (1.0, -1.0):
            model = lattice(shape, exponent, sign)
            question = steady_question(model)
            expected = method.cost(question)
            series = measured(lambda q=question: method.answer(q))
            theorem = measured(lambda m=model: sq.squeezing_theorem(m))
            best = sq.squeezing_theorem(model).by_site
            print(
                f"{shape} exponent {exponent:g}, sign {sign:+.0f}: first order {series[0]:7.3f} s "
                f"({expected.seconds:.3f} s expected), {series[1] / 1e6:6.1f} MB "
                f"({expected.memory / 1e6:.1f} expected); theorem {theorem[0]:7.3f} s, "
                f"{theorem[1] / 1e6:6.1f} MB; best angles within "
                f"{best.upper_bound / best.maximum - 1:.1e} of the bound"
            )
    coupling = sq.CollectiveXYZ(j_x=0.9, j_y=0.7, j_z=0.3)
    model = sq.SpinModel(options.spins, hamiltonian=[coupling], jumps=[sq.LocalDecay(1.0)])
    for perturbed in ((), ("couplings",)):
        whole = sq.Perturbation(options.order, perturbed=perturbed)
        seconds, peak = measured(lambda m=whole: sq.steady_state(model, method=m))
        print(
            f"{options.spins} alike spins, order {options.order}, perturbed {perturbed}: "
            f"{seconds:7.3f} s, {peak / 1e6:6.1f} MB"
        )


if __name__ == "__main__":
    main()
