"""How many independent trajectories one stratified one is worth, over the (J_z, alpha) plane.

    python benchmarks/dtwa_sampling.py                       # 8 x 8, 500 trajectories: some minutes
    python benchmarks/dtwa_sampling.py --side 16 --seeds 20 --points 3,-1

Prints, for the model of perlin2020 (its J_z in units of its J_perp) on a periodic square, the
scatter of the best xi2 in decibels over seeds for independent and stratified samples, the ratio of
their squares (the gain in trajectories), and the mean error bar beside the scatter.
"""

import argparse

import numpy as np

import spinsqueeze as sq
from spinsqueeze.papers.perlin2020.setting import window, xxz_model

POINTS = ((3.0, -1.0), (3.0, 0.0), (2.0, 0.0), (3.0, -2.0), (6.0, 0.0), (1.5, -1.0))


def best(exponent: float, j_z: float, *, sampling: str, seed: int, options: argparse.Namespace):
    shape = (options.side, options.side)
    model = xxz_model(shape, exponent=exponent, j_z=j_z)
    times = window(shape, exponent=exponent, j_z=j_z, n_times=21)
    method = sq.DTWA(options.samples, tolerance=1e-2, dtype="float32", sampling=sampling)
    return sq.optimum(sq.simulate(model, sq.CoherentState("+x"), times, method=method, seed=seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=8)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--points", nargs="*", help="alpha,J_z ...")
    options = parser.parse_args()
    points = POINTS
    if options.points:
        points = tuple(tuple(map(float, text.split(","))) for text in options.points)
    print(f"{options.side} x {options.side}, {options.samples} trajectories, {options.seeds} seeds")
    for exponent, j_z in points:
        scatter, words = [], []
        for sampling in ("independent", "stratified"):
            found = [
                best(exponent, j_z, sampling=sampling, seed=seed, options=options)
                for seed in range(options.seeds)
            ]
            values = np.array([o.decibels for o in found])
            bar = np.sqrt(np.mean([o.decibels_stderr**2 for o in found]))
            scatter.append(values.std())
            words.append(
                f"{sampling} {values.mean():.2f} dB, scatter {values.std():.3f}, error {bar:.3f}"
            )
        gain = (scatter[0] / scatter[1]) ** 2
        print(f"alpha {exponent:g}, J_z {j_z:g}: {'; '.join(words)}; gain {gain:.1f}", flush=True)


if __name__ == "__main__":
    main()
