"""A reservoir of finite range on square lattices, without disorder and with it.

    python examples/finite_range_squares.py       tables and picture, some four minutes
    python examples/finite_range_squares.py --tiny -o tiny.png      a few points, seconds

docs/finite_range_reservoir.md says what was found. The reservoir of groszkowski2022,

    rate sum_i D[L_i],  L_i = sum_j f_ij (cosh(r) s^-_j - sinh(r) s^+_j),  f_ij = exp(-r_ij/range),

acts alone on spins that start along -z; rate = 1/(sum_j f_ij)^2 of the lattice without disorder.
Disorder is that of the couplings, f_ij (1 + sigma x_ij) with normal x_ij = x_ji, or that of the
positions, each coordinate off by a normal number of the standard deviation sigma sites.
"""

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import spinsqueeze as sq
from spinsqueeze.plot.style import PALETTE, new_figure, style

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "finite_range_squares.png"
DOWN = sq.CoherentState("-z")
STRENGTHS = np.round(np.arange(0.1, 1.6, 0.1), 1)


@dataclass(frozen=True)
class Setting:
    """Lattices by method, ranges in sites, squeezing parameters, disorder, numbers of runs."""

    solved: tuple = ((3, 3), (3, 4))
    sampled: tuple = ((8, 8), (16, 16))
    ranges: tuple = (0.5, 1.0, 2.0, 4.0, 8.0)
    compared_ranges: tuple = (0.5, 1.0, 2.0, 4.0)
    strengths: tuple = (0.3, 0.6, 0.9)
    compared_strength: float = 0.6
    times: tuple = tuple(np.linspace(0.0, 8.0, 33))
    n_runs: int = 4
    n_trajectories: int = 150
    n_compared: int = 600
    disordered: tuple = (8, 8)
    disordered_range: float = 2.0
    disorder: tuple = (("couplings", (0.25, 0.5, 1.0)), ("positions", (0.1, 0.2, 0.3)))
    n_realisations: int = 6
    rings: tuple = (64, 256)
    collective: tuple = ((64, 0.9), (256, 0.9), (256, 1.5), (64, 2.1))


TINY = Setting(
    ((2, 3),),
    ((2, 3),),
    (0.5, 2.0),
    (1.0,),
    (0.4,),
    0.4,
    (0.0, 1.0, 2.0),
    2,
    50,
    50,
    (2, 3),
    1.0,
    (("couplings", (0.5,)), ("positions", (0.2,))),
    2,
    (8,),
    ((8, 0.5),),
)


def weights(shape, reach, kind="none", sigma=0.0, seed=0):
    """f (N, N) on a periodic rectangle, with disorder of a kind, from a seed."""
    rng = np.random.default_rng(seed)
    sites = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 2) * 1.0
    if kind == "positions":
        sites = sites + sigma * rng.standard_normal(sites.shape)
    apart = sites[:, None] - sites
    apart -= np.round(apart / shape) * shape
    f = np.exp(-np.sqrt((apart**2).sum(axis=-1)) / reach)
    if kind == "couplings":
        upper = np.triu(sigma * rng.standard_normal(f.shape), 1)
        f = f * (1 + upper + upper.T)
    return f


def model(shape, reach, r, kind="none", sigma=0.0, seed=0):
    """The reservoir alone."""
    rate = weights(shape, reach)[0].sum() ** -2.0
    vector = [np.exp(-r), -1j * np.exp(r), 0.0]
    if kind == "none":
        lattice = sq.Lattice(shape)
        jumps = [sq.CorrelatedJumps(rate, vector=vector, range=reach)]
    else:
        lattice = int(np.prod(shape))
        matrix = weights(shape, reach, kind, sigma, seed)
        jumps = [sq.CorrelatedJumps(rate, vector=vector, matrix=matrix)]
    return sq.SpinModel(lattice, jumps=jumps, unit="collective rate")


def evolve(setting, method, shape, reach, r, **disorder):
    """xi2 at the times; runs of other seeds are independent. The start has 1, not its sample."""
    seed = disorder.get("seed", 0)
    subject = model(shape, reach, r, **disorder)
    data = sq.simulate(subject, DOWN, times=setting.times, method=method, seed=seed)
    return np.where(np.array(setting.times) == 0.0, 1.0, data.xi2.values)


def modes_of(f, rate):
    """Rates g_k = rate f_k^2 of the modes of f, and their shares of the uniform mode."""
    levels, modes = np.linalg.eigh(f)
    return rate * levels**2, modes.sum(axis=0) ** 2 / len(f)


def spin_waves(times, modes, r):
    """xi2 (T,) of bosons in place of spins, while they are few: every mode by itself.

    Mode k goes at its rate to variances exp(-+2r) and to sinh(r)^2 bosons; its share of the uniform
    mode is squeezed, and the bosons of all modes shorten the spin. nan: nothing is left of it.
    """
    rates, shares = modes
    gone = 1 - np.exp(-rates * np.asarray(times)[:, None])
    length = 1 - 2 * np.sinh(r) ** 2 * gone.mean(axis=1)
    length = np.where(length > 0, length, np.nan)
    return (1 - (1 - np.exp(-2 * r)) * (gone @ shares)) / length**2


def decibels(xi2):
    return 10 * np.log10(xi2)


def best(curves):
    """Least xi2 (dB) of curves (r, run, time), and its standard error, over independent runs.

    r and time are chosen by the other runs, the value is read in this one: what noise lowers is
    not counted.
    """
    levels = decibels(curves)
    n_runs = levels.shape[1]
    readings = []
    for run in range(n_runs):
        others = np.delete(levels, run, axis=1).mean(axis=1)
        r, time = np.unravel_index(np.nanargmin(others), others.shape)
        readings.append(levels[r, run, time])
    return float(np.mean(readings)), float(np.std(readings, ddof=1) / np.sqrt(n_runs))


def spin_wave_best(setting, shape, reach, disorder=None):
    """Least xi2 (dB) of spin waves over r and times, in the mean over realisations."""
    rate = weights(shape, reach)[0].sum() ** -2.0
    cases = [modes_of(weights(shape, reach, **case), rate) for case in disorder or [{}]]
    found = [
        [decibels(spin_waves(setting.times, modes, r)) for modes in cases]
        for r in setting.strengths
    ]
    return float(np.nanmin(np.mean(found, axis=1)))


def spin_wave_limit(shape, reach):
    """(least xi2 (dB) of spin waves, r, time) over more r and longer times."""
    f = weights(shape, reach)
    modes, times = modes_of(f, f[0].sum() ** -2.0), np.geomspace(0.01, 100.0, 120)
    levels = [
        (float(np.nanmin(decibels(spin_waves(times, modes, r)))), float(r)) for r in STRENGTHS
    ]
    level, r = min(levels)
    time = times[np.nanargmin(spin_waves(times, modes, r))]
    return level, r, float(time)


def spin_wave_lifetime(shape, reach, r):
    """(least xi2 (dB) of spin waves at one r, last time at which half of those dB are left)."""
    f = weights(shape, reach)
    times = np.geomspace(0.01, 1e7, 2000)
    levels = decibels(spin_waves(times, modes_of(f, f[0].sum() ** -2.0), r))
    least = min(0.0, float(np.nanmin(levels)))
    return least, float(times[levels <= 0.5 * least].max(initial=0.0)) if least else 0.0


def against_rings(setting, sizes):
    """Prints the best of spin waves on rings, range over size falling by halves from 1."""
    for n in sizes:
        for share in 2.0 ** -np.arange(6):
            level = spin_wave_best(setting, (n, 1), share * n)
            print(f"ring of {n}, range/N = {share:.3g}, spin waves: {level:.2f} dB")


def against_collective(setting, cases):
    """Prints spin waves beside the exact collective reservoir, the infinite range, at the end."""
    for n, r in cases:
        jumps = [
            sq.CorrelatedJumps(n**-2.0, vector=[np.exp(-r), -1j * np.exp(r), 0.0], range=np.inf)
        ]
        times = [setting.times[0], setting.times[-1]]
        data = sq.simulate(
            sq.SpinModel(n, jumps=jumps), DOWN, times, method="permutation_invariant"
        )
        waves = spin_waves(times, modes_of(np.ones((n, n)), n**-2.0), r)
        print(f"collective, N = {n}, r = {r}: exact {decibels(data.xi2.values[-1]):.2f} dB", end="")
        print(f", spin waves {decibels(waves[-1]):.2f} dB", flush=True)


def against_range(setting):
    """{shape: [(dB, error, spin waves) by range]} of the best over times and r."""
    method, table = sq.DTWA(n_trajectories=setting.n_trajectories), {}
    for shape in setting.sampled:
        rows = []
        for reach in setting.ranges:
            run = partial(evolve, setting, method, shape, reach)
            curves = [[run(r, seed=k) for k in range(setting.n_runs)] for r in setting.strengths]
            rows.append((*best(np.array(curves)), spin_wave_best(setting, shape, reach)))
            print(f"{shape}, range {reach}: {rows[-1][0]:.2f} +- {rows[-1][1]:.2f} dB", end="")
            print(f", spin waves {rows[-1][2]:.2f} dB", flush=True)
        table[shape] = rows
    return table


def against_exact(setting):
    """{(shape, range): (exact, DTWA, spin waves, error of DTWA - exact) in dB by time}, one r."""
    r, table = setting.compared_strength, {}
    sampled = sq.DTWA(n_trajectories=setting.n_compared)
    for shape in setting.solved:
        # A density matrix up to nine spins; trajectories of wave functions beyond.
        exact = sq.Exact(n_trajectories=None if np.prod(shape) <= 9 else 100)
        for reach in setting.compared_ranges:
            subject, errors, levels = model(shape, reach, r), [], []
            for method in (exact, sampled):
                data = sq.simulate(subject, DOWN, times=setting.times, method=method, seed=1)
                levels.append(decibels(data.xi2.values))
                noise = data.xi2_stderr.values if "xi2_stderr" in data else 0.0
                errors.append(10 / np.log(10) * noise / data.xi2.values)
            f = weights(shape, reach)
            modes = modes_of(f, f[0].sum() ** -2.0)
            levels.append(decibels(spin_waves(setting.times, modes, r)))
            table[shape, reach] = (*levels, np.hypot(*errors) * np.ones(len(setting.times)))
            for k in dict.fromkeys((int(np.argmin(levels[0])), len(setting.times) - 1)):
                true, found, waves, error = (row[k] for row in table[shape, reach])
                print(
                    f"{shape}, range {reach}, t = {setting.times[k]:.2f}: exact {true:.2f}, DTWA "
                    f"{found:.2f} (+- {error:.2f}), spin waves {waves:.2f} dB",
                    flush=True,
                )
    return table


def against_disorder(setting):
    """{kind: [(sigma, dB, error, spin waves)]}; realisations differ in disorder and in noise."""
    shape, reach = setting.disordered, setting.disordered_range
    method, table = sq.DTWA(n_trajectories=setting.n_trajectories), {}
    for kind, sigmas in (("none", (0.0,)), *setting.disorder):
        table[kind] = []
        for sigma in sigmas:
            cases = [
                {"kind": kind, "sigma": sigma, "seed": k} for k in range(setting.n_realisations)
            ]
            run = partial(evolve, setting, method, shape, reach)
            curves = [[run(r, **case) for case in cases] for r in setting.strengths[-2:]]
            waves = spin_wave_best(setting, shape, reach, cases)
            table[kind].append((sigma, *best(np.array(curves)), waves))
            _, level, error, _ = table[kind][-1]
            print(f"{kind} {sigma}: {level:.2f} +- {error:.2f} dB, spin waves {waves:.2f}")
    return table


def picture(setting, by_range, by_time, by_disorder, path):
    """Best squeezing against range; DTWA beside exact in time; best squeezing against disorder."""
    with style():
        figure = new_figure(13.0, 4.2)
        panels = figure.subplots(1, 3)
        for k, (shape, rows) in enumerate(by_range.items()):
            level, error, waves = np.array(rows).T
            name = f"{shape[0]} x {shape[1]}"
            panels[0].errorbar(
                setting.ranges, level, error, marker="os^"[k % 3], color=PALETTE[k], label=name
            )
            panels[0].plot(setting.ranges, waves, linestyle=":", color=PALETTE[k])
        panels[0].set_xscale("log")
        panels[0].set_xticks(setting.ranges, [f"{x:g}" for x in setting.ranges], minor=False)
        panels[0].set_xticks([], minor=True)
        panels[0].set(xlabel="range (sites)", ylabel=r"best squeezing $\xi^2$ (dB)")
        panels[0].set_title("DTWA; dotted: spin waves")
        panels[0].legend()
        shape = setting.solved[-1]
        for k, reach in enumerate(setting.compared_ranges):
            true, found, waves, error = by_time[shape, reach]
            panels[1].plot(setting.times, true, color=PALETTE[k], label=f"range {reach:g}")
            panels[1].plot(setting.times, waves, color=PALETTE[k], linestyle=":")
            panels[1].errorbar(
                setting.times,
                found,
                error,
                color=PALETTE[k],
                linestyle="",
                marker=".",
                markersize=4,
            )
        panels[1].set(xlabel="time (1 / collective rate)", ylabel=r"$\xi^2$ (dB)")
        title = "exact (lines), DTWA (points), spin waves (dotted)"
        panels[1].set_title(f"{shape[0]} x {shape[1]}; {title}", fontsize=9)
        panels[1].legend()
        clean = by_disorder["none"]
        for k, (kind, _) in enumerate(setting.disorder):
            sigma, level, error, waves = np.array([*clean, *by_disorder[kind]]).T
            panels[2].errorbar(
                sigma, level, error, marker="os"[k % 2], color=PALETTE[k], label=kind
            )
            panels[2].plot(sigma, waves, linestyle=":", color=PALETTE[k])
        side, reach = setting.disordered[0], setting.disordered_range
        panels[2].set(xlabel=r"disorder $\sigma$", ylabel=r"best squeezing $\xi^2$ (dB)")
        panels[2].set_title(f"{side} x {side}, range {reach:g}; dotted: spin waves")
        panels[2].legend()
        figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a few points, for a test")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    chosen = TINY if arguments.tiny else Setting()
    tables = [part(chosen) for part in (against_range, against_exact, against_disorder)]
    for wide in ((256, 1), (24, 24)):
        for reach in chosen.ranges:
            level, best_r, best_time = spin_wave_limit(wide, reach)
            print(f"{wide}, range {reach}, spin waves: {level:.2f} dB", end="")
            print(f" at r = {best_r}, t = {best_time:.1f}", end="")
            level, half = spin_wave_lifetime(wide, reach, chosen.compared_strength)
            print(f"; r = {chosen.compared_strength}: {level:.2f} dB, half of it until {half:.2g}")
    against_rings(chosen, chosen.rings)
    against_collective(chosen, chosen.collective)
    picture(chosen, *tables, arguments.output)
