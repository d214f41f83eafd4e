"""What noise adds to DTWA: an open dipolar lattice against the closed one, side by side.

    python benchmarks/dtwa_open_speed.py                # 64 x 64, 64 trajectories; a minute or two
    python benchmarks/dtwa_open_speed.py --side 16      # a quick look

H = sum_{i<j} r_ij^-3 [2 (s^x s^x + s^y s^y) - 2 s^z s^z] on a periodic square grid over 0.3 time
units at 25 times, with local decay and dephasing or without, on the steps that each chooses.
Prints processor time of the trajectories, slopes and the random bits of one spin.
"""

import argparse
import time

import numpy as np

import spinsqueeze as sq
from spinsqueeze.methods.base.states import bloch_vectors
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.method import stepper_of
from spinsqueeze.methods.dtwa.trajectories import Options, plan_run
from spinsqueeze.run.questions import evolve_question


def measured(side: int, n_samples: int, jumps: list[sq.LocalDecay | sq.LocalDephasing]) -> float:
    model = sq.SpinModel(
        sq.Lattice((side, side)),
        hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)],
        jumps=jumps,
    )
    question = evolve_question(model, sq.CoherentState("+x"), np.linspace(0, 0.3, 25)).per_spin()
    couplings = lower(question.model)
    run, plan = plan_run(
        couplings,
        directions=bloch_vectors(question.state),
        times=question.times,
        seed=0,
        options=Options(dtype="float32"),
        **stepper_of(question.model, couplings),
    )
    run.run(plan, n_samples=run.batch)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        report = run.run(plan, n_samples=n_samples).report
        seconds.append(time.process_time() - start)
    best = min(seconds) / n_samples
    bits = 64 * (report.n_steps + 1) if jumps else 0
    print(f"{'open' if jumps else 'closed'}: {best * 1e3:.2f} ms a trajectory, "
          f"{report.rhs_evaluations} slopes, {report.n_steps} steps, error "
          f"{report.integration_error:.1e} + {report.noise_error:.1e}, {bits} random bits a spin, "
          f"{report.transform}")  # fmt: skip
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--samples", type=int, default=64)
    arguments = parser.parse_args()
    closed = measured(arguments.side, arguments.samples, [])
    noise = [sq.LocalDecay(0.3), sq.LocalDephasing(0.3)]
    open_ = measured(arguments.side, arguments.samples, noise)
    print(f"open over closed: {open_ / closed:.2f}")


if __name__ == "__main__":
    main()
