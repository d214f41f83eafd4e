"""How wrong open DTWA is at N = 100, and whether its error bars hold the truth.

    python benchmarks/dtwa_open_error.py                 # map and coverage
    python benchmarks/dtwa_open_error.py --seeds 0       # the map alone

Map: Ising models J/r^exponent on an open 10 x 10 lattice, decay and dephasing different by site,
against closed form: xi2 of DTWA over the exact one in dB, with its sampling error, before, near
and after the optimum without noise. Coverage: a 4 x 4 dipolar lattice with decay and dephasing:
how often, over seeds, one standard error reaches the pooled moments of all seeds.
"""

import argparse
import time

import numpy as np

import spinsqueeze as sq

PLUS_X = sq.CoherentState("+x")
TIMES = {0.0: 0.08, 1.5: 0.5, 3.0: 0.9, 6.0: 1.2}
"""J t of each exponent; half of it, and half more, are looked at too."""
NOISE = {
    "none": (0.0, 0.0),
    "decay": (0.2, 0.0),
    "dephasing": (0.0, 0.2),
    "both": (0.12, 0.12),
    "both, strong": (0.8, 0.8),
}
"""Mean rates of decay and of dephasing times that time."""
NAMES = ("xi2", "contrast", "total_spin_squared")


def ising(side: int, exponent: float, decay: float, dephasing: float) -> sq.SpinModel:
    """Rates between 0 and twice their means, drawn for each site."""
    rng = np.random.default_rng(8)
    jumps = [
        term(rate * rng.uniform(0.0, 2.0, side * side))
        for term, rate in ((sq.LocalDecay, decay), (sq.LocalDephasing, dephasing))
        if rate
    ]
    return sq.SpinModel(
        sq.Lattice((side, side), boundary="open"),
        hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=exponent)],
        jumps=jumps,
    )


def error_map(side: int, n_trajectories: int) -> None:
    """A line for each exponent and noise."""
    for exponent, middle in TIMES.items():
        times = middle * np.array([0.5, 1.0, 1.5])
        for name, (decay, dephasing) in NOISE.items():
            model = ising(side, exponent, decay / middle, dephasing / middle)
            exact = sq.simulate(model, PLUS_X, times, method="closed_form")
            data = sq.simulate(model, PLUS_X, times, method=sq.DTWA(n_trajectories), seed=3)
            level = 10 * np.log10(exact.xi2.values)
            error = 10 * np.log10(data.xi2.values) - level
            sampling = 10 / np.log(10) * data.xi2_stderr.values / data.xi2.values
            columns = "  ".join(
                f"{x:6.2f} {e:+.2f} ± {s:.2f}"
                for x, e, s in zip(level, error, sampling, strict=True)
            )
            print(f"exponent {exponent:3g}, {name:12s}: {columns}", flush=True)


def coverage(n_seeds: int, n_trajectories: int) -> dict[str, float]:
    """Share of seeds and times whose error bar reaches the truth, by quantity."""
    model = sq.SpinModel(
        sq.Lattice((4, 4)),
        hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)],
        jumps=[sq.LocalDecay(np.linspace(0.2, 1.0, 16)), sq.LocalDephasing(0.5)],
    )
    method = sq.DTWA(n_trajectories)
    runs = [sq.simulate(model, PLUS_X, [0.1, 0.25], method=method, seed=k) for k in range(n_seeds)]
    truth = pooled(runs)
    return {
        name: float(
            np.mean([abs(run[name] - truth[name]) <= run[f"{name}_stderr"] for run in runs])
        )
        for name in NAMES
    }


def pooled(runs: list) -> dict[str, np.ndarray]:
    """The quantities of `NAMES` from the moments of all runs together, each by its definition."""
    spins = np.array([run.spin.values for run in runs])
    mean = spins.mean(axis=0)
    products = np.array([run.covariance.values for run in runs]).mean(axis=0)
    products = products + np.einsum("rta,rtb->tab", spins, spins) / len(runs)
    covariance = products - np.einsum("ta,tb->tab", mean, mean)
    n = runs[0].attrs["n_spins"]
    length = np.linalg.norm(mean, axis=-1)
    across = np.eye(3) - np.einsum("ta,tb->tab", mean, mean) / length[:, None, None] ** 2
    # Of the three eigenvalues 0 belongs to the mean spin.
    least = np.linalg.eigvalsh(across @ covariance @ across)[:, 1]
    return {
        "xi2": n * least / length**2,
        "contrast": 2 * length / n,
        "total_spin_squared": np.einsum("taa->t", products),
    }


def main() -> None:
    """Both, at the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=10)
    parser.add_argument("--trajectories", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=200)
    arguments = parser.parse_args()
    start = time.process_time()
    error_map(arguments.side, arguments.trajectories)
    if arguments.seeds:
        for name, share in coverage(arguments.seeds, 200).items():
            print(f"{name}: within one standard error in {100 * share:.1f} %")
    print(f"{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
