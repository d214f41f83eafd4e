"""Spins beside a cavity: evolution and steady state against qutip at equal accuracy, and sizes.

    python benchmarks/kept_cavity_speed.py
    python benchmarks/kept_cavity_speed.py --spins 2 3 --only-ours 10 20

qutip gets the number of Fock levels that our run found, and the tolerance with which it agrees with
ours to the difference that is printed.
"""

import argparse
import json
import time

import numpy as np

import spinsqueeze as sq

TIMES = np.linspace(0.0, 6.0, 31)
LOSS, GAMMA, G, DRIVE = 1.0, 0.2, 0.4, 0.5
DOWN = sq.CoherentState("-z")


def model(n):
    """A driven, lossy cavity and spins that decay one by one."""
    cavity = sq.Cavity(G, decay_rate=LOSS, detuning=0.3, drive=DRIVE)
    return sq.SpinModel(n, jumps=[sq.LocalDecay(GAMMA)], cavity=cavity)


def timed(call):
    """What a call returns, and its seconds; the first call of a kind compiles nothing here."""
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


def by_qutip(n, levels):
    """<S_z> in time and at rest on 2^N x levels, with the seconds that each took."""
    import qutip

    one = [qutip.qeye(2)] * n
    spins = [
        qutip.tensor(*one[:k], qutip.sigmam(), *one[k + 1 :], qutip.qeye(levels)) for k in range(n)
    ]
    a = qutip.tensor(*one, qutip.destroy(levels))
    lower = sum(spins)
    H = 0.3 * a.dag() * a + G * (a.dag() * lower + a * lower.dag()) + DRIVE * (a + a.dag())
    jumps = [np.sqrt(LOSS) * a, *(np.sqrt(GAMMA) * s for s in spins)]
    s_z = sum(s.dag() * s for s in spins) - n / 2
    down = qutip.tensor(*[qutip.basis(2, 1)] * n, qutip.basis(levels, 0))
    tight = {"atol": 1e-10, "rtol": 1e-8, "nsteps": 100000, "progress_bar": ""}
    run, seconds = timed(lambda: qutip.mesolve(H, down, TIMES, jumps, e_ops=[s_z], options=tight))
    rho, still = timed(lambda: qutip.steadystate(H, jumps))
    return np.asarray(run.expect[0]), seconds, qutip.expect(s_z, rho), still


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spins", type=int, nargs="*", default=[2, 3])
    parser.add_argument("--only-ours", type=int, nargs="*", default=[6, 10, 16])
    options = parser.parse_args()
    method = sq.PermutationInvariant()
    sq.simulate(model(1), DOWN, TIMES, method=method)  # imports
    for n in [*options.spins, *options.only_ours]:
        data, seconds = timed(lambda n=n: sq.simulate(model(n), DOWN, TIMES, method=method))
        rest, still = timed(lambda n=n: sq.steady_state(model(n), method=method))
        levels = json.loads(data.attrs["diagnostics"])["photon_levels"]
        line = f"N = {n:<3} {levels} levels: evolution {seconds:.2f} s, steady state {still:.2f} s"
        if n in options.spins:
            s_z, theirs, at_rest, rested = by_qutip(n, levels)
            gap = float(np.abs(s_z - data.spin[:, 2].values).max())
            still_gap = abs(at_rest - float(rest.spin[2]))
            line += (
                f"; qutip takes {theirs / seconds:.1f} (<S_z> differs by {gap:.0e}) and "
                f"{rested / still:.1f} times as long ({still_gap:.0e})"
            )
        print(line, flush=True)


if __name__ == "__main__":
    main()
