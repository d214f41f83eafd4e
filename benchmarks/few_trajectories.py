"""Deviations of few DTWA trajectories from many, in the error bars that they claim.

    python benchmarks/few_trajectories.py                     # the table of docs/error_bars.md

For power-law XXZ (exponent 3, j_perp = 2) the optimum, and for the isotropic j_z = 2 xi2 at time 0,
which is 1 exactly: rms, share within one error bar, and the worst deviation, over seeds.
"""

import argparse

import numpy as np

import spinsqueeze as sq

START = sq.CoherentState("+x")
ISOTROPIC = 2.0


def measured(model, isotropic, *, n, seed):
    """xi2 and its standard error."""
    times = [0.0, 0.01] if isotropic else np.linspace(0.0, 1.2, 31)
    data = sq.simulate(model, START, times, method=sq.DTWA(n), seed=seed)
    if isotropic:
        return float(data.xi2[0]), float(data.xi2_stderr[0])
    best = sq.optimum(data)
    return best.xi2, best.xi2_stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trajectories", type=int, nargs="*", default=[40, 64, 100])
    parser.add_argument("--reference", type=int, default=10000)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--j-z", type=float, nargs="*", default=[-1.0, 0.0, 2.0])
    options = parser.parse_args()
    for j_z in options.j_z:
        side = 6 if j_z == 0 else 8
        terms = [sq.PowerLawXXZ(j_perp=2.0, j_z=j_z, exponent=3)]
        model = sq.SpinModel(sq.Lattice((side, side)), hamiltonian=terms)
        isotropic = j_z == ISOTROPIC
        reference = 1.0
        if not isotropic:
            reference, _ = measured(model, isotropic, n=options.reference, seed=999)
        for n in options.trajectories:
            rows = [measured(model, isotropic, n=n, seed=seed) for seed in range(options.seeds)]
            z = np.array([(value - reference) / error for value, error in rows])
            print(
                f"j_z {j_z:g}, {n} trajectories: rms {np.sqrt(np.mean(z**2)):.2f}, within one "
                f"{np.mean(abs(z) < 1):.0%}, worst {z[np.argmax(abs(z))]:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
