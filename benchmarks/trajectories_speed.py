"""How fast quantum trajectories are, and how exact: the driven ensemble of tucker2020.

    python benchmarks/trajectories_speed.py                     # N = 2000; a minute
    python benchmarks/trajectories_speed.py --spins 100000 --time 0.1 --count 1

N spins along -x at first, H = 0.45 N Gamma S_x (0.9 of the critical drive), collective decay at
rate Gamma = 1 and decay of single spins at rate 4. Prints, for each tolerance: processor seconds
per trajectory and unit time 1/Gamma, steps and jumps, the largest window, the largest weight in
its last levels, the error claimed, and xi2 of the average at a tenth of the time: these agree
within error bars where tolerance and window suffice.
"""

import argparse
import time

import numpy as np

import spinsqueeze as sq
from spinsqueeze.methods.base.averages import block_moments
from spinsqueeze.methods.trajectories.initial import mixture
from spinsqueeze.methods.trajectories.lowering import lower
from spinsqueeze.methods.trajectories.run import Options, walks
from spinsqueeze.observables.jackknife import squeezing_estimates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spins", type=int, nargs="+", default=[2000])
    parser.add_argument("--time", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=8, help="trajectories")
    parser.add_argument("--tolerances", type=float, nargs="+", default=[1e-3, 3e-4, 1e-5])
    arguments = parser.parse_args()
    print("     N  tolerance  core-s/(trajectory/Gamma)   steps    jumps  window     tail  "
          "state error  xi2 at a tenth of it")  # fmt: skip
    for n in arguments.spins:
        model = sq.SpinModel(
            n, hamiltonian=[sq.Drive(0.45 * n)], jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(4.0)]
        )
        times = np.array([0.1, 1.0]) * arguments.time
        lowered, start = lower(model.canonical, times=times), mixture(sq.CoherentState("-x"), n)
        warm = lower(model.canonical, times=1e-6 * times)
        walks(warm, start, times=1e-6 * times, seed=0, count=1, options=Options())
        for tolerance in arguments.tolerances:
            options = Options(tolerance=tolerance, tail_tolerance=1e-3 * tolerance**2, n_threads=1)
            began = time.process_time()
            done = walks(
                lowered, start, times=times, seed=1, count=arguments.count, options=options
            )
            seconds = (time.process_time() - began) / arguments.count / arguments.time
            figures, largest = done.figures.mean(axis=0), done.figures.max(axis=0)
            xi2 = "few"
            if arguments.count >= 4:
                estimate = squeezing_estimates(
                    block_moments(done.spins, done.covariances, n_spins=n)
                ).xi2
                xi2 = f"{estimate.value[0]:.4g} +- {estimate.stderr[0]:.2g}"
            print(f"{n:6d}  {tolerance:9.0e}  {seconds:25.3f}  {figures[0]:6.0f}  {figures[2]:7.0f}"
                  f"  {largest[3]:6.0f}  {largest[4]:.1e}  {done.errors.max():11.1e}  {xi2}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
