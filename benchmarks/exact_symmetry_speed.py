"""Time of exact answers in the sector of a lattice's symmetries, closed and open.

Run: python benchmarks/exact_symmetry_speed.py [--closed 4,4 5,5] [--open 3,3] [--steady 3,3]

Closed: dipolar XXZ from +x, 81 times up to J t = 5. Open: dipolar XYZ with local decay, 21 times up
to 2 decay times, and the steady state. Prints unknowns, the seconds of the first answer (all that
is imported and built included), the expected ones and the peak of memory.
"""

import argparse
import resource
import time

import numpy as np

import spinsqueeze as sq
from spinsqueeze.run.questions import evolve_question, steady_question

XXZ = sq.PowerLawXXZ(j_perp=1.0, j_z=-1.0, exponent=3)
XYZ = sq.PowerLawXYZ(j_x=0.9, j_y=1.6, j_z=1.0, exponent=3)


def shape(text: str) -> tuple[int, ...]:
    return tuple(int(side) for side in text.split(","))


def timed(label: str, question) -> None:  # type: ignore[no-untyped-def]
    method = sq.Exact()
    expected = method.cost(question)
    start, before = time.perf_counter(), time.process_time()
    answer = method.answer(question)
    wall, processor = time.perf_counter() - start, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{label:24s} {answer.diagnostics['dimension']:>9} unknowns  {wall:8.2f} s "
        f"({processor:.2f} s of processor, {expected.seconds:.2f} expected), process up to "
        f"{peak:.2f} GB, error {answer.numerical_error:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--closed", type=shape, nargs="*", default=[(4, 4), (5, 5)])
    parser.add_argument("--open", type=shape, nargs="*", default=[(3, 3)])
    parser.add_argument("--steady", type=shape, nargs="*", default=[(3, 3)])
    options = parser.parse_args()
    start = sq.CoherentState("+x")
    for sides in options.closed:
        model = sq.SpinModel(sq.Lattice(sides), hamiltonian=[XXZ])
        timed(f"closed {sides}", evolve_question(model, start, np.linspace(0.0, 5.0, 81)))
    for sides in options.open:
        model = sq.SpinModel(sq.Lattice(sides), hamiltonian=[XYZ], jumps=[sq.LocalDecay(1.0)])
        timed(f"open {sides}", evolve_question(model, start, np.linspace(0.0, 2.0, 21)))
    for sides in options.steady:
        model = sq.SpinModel(sq.Lattice(sides), hamiltonian=[XYZ], jumps=[sq.LocalDecay(1.0)])
        timed(f"steady {sides}", steady_question(model))


if __name__ == "__main__":
    main()
