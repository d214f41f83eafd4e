"""Speed of strengths in time: one pulse in a long run, beside qutip's adaptive integrator.

One-axis twisting (chi = 1) of N tilted spins with a Gaussian pi/2 pulse about x, given as a cubic
table, in a run four hundred times as long as the pulse is wide. qutip integrates the same spline on
the same N + 1 states with its tolerance raised until it is as exact, and with `max_step` at the
width of the pulse, without which it steps over it.
Run: python benchmarks/driven_speed.py [--spins 20 100 400].
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

import spinsqueeze as sq

WIDTH, CENTRE, LAST = 0.005, 0.7, 2.0
TABLE = np.linspace(0.0, LAST, 2001)
HEIGHT = np.pi / 2 / (WIDTH * np.sqrt(2 * np.pi))
VALUES = HEIGHT * np.exp(-((TABLE - CENTRE) ** 2) / (2 * WIDTH**2))


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def ours(n_spins: int, tolerance: float) -> np.ndarray:
    pulse = sq.Envelope(TABLE, values=VALUES, interpolation="cubic")
    model = sq.SpinModel(n_spins, hamiltonian=[sq.OneAxisTwisting(1.0), sq.Drive(pulse)])
    state = sq.CoherentState([0.6, 0.0, -0.8])
    method = sq.SymmetricSubspace(tolerance)
    return sq.simulate(model, state, [LAST], method=method).spin.values[0]


def qutips(n_spins: int, tolerance: float) -> np.ndarray:
    import qutip

    j = n_spins / 2
    Sx, Sz = qutip.jmat(j, "x"), qutip.jmat(j, "z")
    psi = qutip.spin_coherent(j, np.arccos(-0.8), 0.0)
    H = qutip.QobjEvo([Sz * Sz, [Sx, CubicSpline(TABLE, VALUES)]])
    options = {
        "atol": tolerance, "rtol": tolerance, "nsteps": 10**8, "max_step": WIDTH,
        "method": "vern9", "progress_bar": "",
    }  # fmt: skip
    operators = [qutip.jmat(j, a) for a in "xyz"]
    run = qutip.sesolve(H, psi, [0.0, LAST], e_ops=operators, options=options)
    return np.array([values[-1] for values in run.expect])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spins", type=int, nargs="+", default=[20, 100, 400])
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    envelope = sq.Envelope(TABLE, values=VALUES, interpolation="cubic")
    breaks = len(envelope.breakpoints)
    per_call, _ = timed(lambda: [envelope(t) for t in rng.uniform(0, LAST, 1000)])
    print(f"one value of the table: {1e3 * per_call:.1f} us; {breaks} breakpoints of {TABLE.size}")
    ours(4, 1e-8)  # imports
    for n in asked.spins:
        reference = ours(n, 1e-12)
        print(f"N = {n}")
        for tolerance in (1e-6, 1e-9):
            seconds, value = timed(lambda n=n, t=tolerance: ours(n, t))
            error = np.abs(value - reference).max()
            print(f"  spinsqueeze tolerance {tolerance:.0e}: {seconds:7.2f} s, error {error:.1e}")
        for tolerance in (1e-6, 1e-9, 1e-11):
            seconds, value = timed(lambda n=n, t=tolerance: qutips(n, t))
            error = np.abs(value - reference).max()
            print(f"  qutip       tolerance {tolerance:.0e}: {seconds:7.2f} s, error {error:.1e}")


if __name__ == "__main__":
    main()
