"""Does squeezing survive when the engineered reservoir has a finite range? Rings of spins.

    python examples/finite_range_reservoir.py       tables and picture, some 3 minutes
    python examples/finite_range_reservoir.py --tiny -o tiny.png      a few points, seconds

docs/finite_range_reservoir.md says what was found. The reservoir of groszkowski2022,

    rate sum_i D[L_i],  L_i = sum_j exp(-r_ij/range) (cosh(r) s^-_j - sinh(r) s^+_j),

acts alone on spins that start along -z. The rate is 1/(sum_j f_ij)^2, f_ij = exp(-r_ij/range), so
that the uniform mode is squeezed at the same rate for every range and size; an infinite range is
D[cosh(r) S_- - sinh(r) S_+]/N.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import spinsqueeze as sq
from spinsqueeze.plot.style import PALETTE, new_figure, style

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "finite_range_reservoir.png"
DOWN = sq.CoherentState("-z")


@dataclass(frozen=True)
class Setting:
    """Sizes solved exactly and by DTWA, ranges over size, squeezing parameters, times."""

    small: tuple = (4, 6)
    large: tuple = (64, 256)
    shares: tuple = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
    strengths: tuple = (0.3, 0.6, 0.9)
    times: tuple = tuple(np.linspace(0.0, 8.0, 33))
    n_trajectories: int = 500


TINY = Setting((4,), (6,), (0.25, 1.0), (0.4,), (0.0, 1.0, 2.0), 100)


def model(n_spins, reach, r):
    """The reservoir alone; reach: the range, or inf."""
    lattice = sq.Lattice((n_spins,))
    total = float(np.exp(-lattice.distances()[0] / reach).sum())
    vector = [np.exp(-r), -1j * np.exp(r), 0.0]
    jumps = [sq.CorrelatedJumps(total**-2.0, vector=vector, range=reach)]
    return sq.SpinModel(lattice, jumps=jumps, unit="collective rate")


def decibels(xi2):
    return float(10 * np.log10(xi2))


def best(n_spins, reach, method, setting):
    """(least xi2 over times and r in dB, its r, its time); the start has 1, not its sample."""
    found = []
    for r in setting.strengths:
        data = sq.simulate(model(n_spins, reach, r), DOWN, times=setting.times, method=method)
        xi2 = np.where(np.array(setting.times) == 0.0, 1.0, data.xi2.values)
        k = int(np.nanargmin(xi2))
        found.append((decibels(xi2[k]), r, setting.times[k]))
    return min(found)


def collective(n_spins, setting):
    """The same of an infinite range, exactly."""
    return best(n_spins, np.inf, sq.SymmetricSubspace(), setting)


def main(setting):
    """Tables; returns {n: [dB by share]} of the best over times, and that of the collective one."""
    curves, limits = {}, {}
    exact, sampled = sq.Exact(), sq.DTWA(n_trajectories=setting.n_trajectories)
    for n, method in [(n, exact) for n in setting.small] + [(n, sampled) for n in setting.large]:
        limits[n] = collective(n, setting)[0]
        rows = [best(n, share * n, method, setting) for share in setting.shares]
        curves[n] = [row[0] for row in rows]
        print(f"N = {n}, {method.name()}: collective {limits[n]:.2f} dB (exact)", end="")
        if method is sampled:
            print(f", by dtwa {best(n, np.inf, method, setting)[0]:.2f} dB", end="")
        print()
        for share, (level, r, time) in zip(setting.shares, rows, strict=True):
            print(f"  range {share:.4g} N: {level:6.2f} dB at r = {r}, t = {time:.2f}", flush=True)
    return curves, limits


def picture(setting, curves, limits, path):
    """Best squeezing against range over size, and against the range."""
    with style():
        figure = new_figure(10.0, 4.2)
        panels = figure.subplots(1, 2)
        for k, (n, levels) in enumerate(curves.items()):
            shares = np.array(setting.shares)
            marker = "o" if n in setting.small else "s"
            label = f"N = {n}, {'exact' if n in setting.small else 'DTWA'}"
            color = PALETTE[k]
            for axes, x in zip(panels, (shares, shares * n), strict=True):
                axes.plot(x, levels, marker=marker, color=color, label=label)
            panels[0].axhline(limits[n], color=color, linestyle=":")
        for axes, name in zip(panels, ("range / N", "range (sites)"), strict=True):
            axes.set_xscale("log")
            axes.set_xlabel(name)
            axes.set_ylabel(r"best squeezing $\xi^2$ (dB)")
        panels[0].set_title("dotted: infinite range, exact")
        panels[1].legend()
        figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a few points, for a test")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    chosen = TINY if arguments.tiny else Setting()
    picture(chosen, *main(chosen), arguments.output)
