"""Do short-range emitters squeeze as collective ones do? Power-law XYZ with single-spin decay.

    python examples/short_range_xyz.py       tables and picture, about 3 minutes on one core

docs/short_range.md says what was found. Gamma = 1 is the decay of every spin, and

    H = sum_{i<j} r_ij^-alpha [(J + lambda) s^x s^x + (J - lambda) s^y s^y + J_z s^z s^z]/A,

A = sum_j r_ij^-alpha: the mean field of a spin does not depend on the range, alpha = 0 is the
collective model, alpha = inf nearest neighbours. H1 is the part with lambda, which drives pairs.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import spinsqueeze as sq
from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "short_range.png"
J, J_Z = 0.8, 0.3
ERROR = 0.1
"""Share of the squeezing 1 - xi2 that perturbation theory may miss."""


@dataclass(frozen=True)
class Setting:
    """Lattices solved exactly, large ones, exponents, lambda."""

    small: tuple = ((9,), (3, 3), (2, 2, 2))
    large: tuple = ((4096,), (64, 64), (16, 16, 16))
    exponents: tuple = (0.0, 1.0, 2.0, 3.0, 6.0, math.inf)
    drives: tuple = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2)
    shown: tuple = (0.0, 3.0, math.inf)
    """Exponents of the left panel, on the second lattice of `small`."""


TINY = Setting(
    small=((5,), (2, 2)),
    large=((16,), (4, 4)),
    exponents=(0.0, 3.0, math.inf),
    drives=(0.1, 0.4, 0.8),
)


def model(shape, exponent, drive):
    """The model with periodic boundaries; drive is lambda."""
    lattice = sq.Lattice(shape)
    total = power_law_kernel(lattice, exponent=exponent).row_sum
    j_x, j_y, j_z = ((J + drive) / total, (J - drive) / total, J_Z / total)
    return sq.SpinModel(
        lattice,
        hamiltonian=[sq.PowerLawXYZ(j_x=j_x, j_y=j_y, j_z=j_z, exponent=exponent)],
        jumps=[sq.LocalDecay(1.0)],
        unit="Gamma",
    )


def collective(n_spins, drive):
    """The model at alpha = 0 as the collective one: sum_{i<j} s_i s_j = S^2/2 - N/8."""
    scale = n_spins / (n_spins - 1) / 2
    return sq.SpinModel(
        n_spins,
        hamiltonian=[
            sq.CollectiveXYZ(j_x=scale * (J + drive), j_y=scale * (J - drive), j_z=scale * J_Z)
        ],
        jumps=[sq.LocalDecay(1.0)],
    )


def squeezing(model, method):
    """xi2 of the steady state."""
    return float(sq.steady_state(model, method=method)["xi2"])


def first_order(shape, exponent):
    """-d xi2/d lambda at lambda = 0, and the lambda at which mean field leaves all-down."""
    drive = 0.1
    data = sq.steady_state(
        model(shape, exponent, drive), method=sq.Perturbation(1, next_order=False)
    )
    found = json.loads(data.attrs["diagnostics"])
    slope = -float(found["xi2_series"].split(",")[1]) / drive
    return slope, drive * found.get("mean_field_instability", math.inf)


@dataclass(frozen=True)
class Curve:
    """xi2 over `Setting.drives` of one lattice and exponent, exactly and in orders 1 and 2."""

    exact: np.ndarray
    orders: tuple

    def radius(self, drives, order):
        """lambda up to which this order misses no more than ERROR of the squeezing."""
        missed = np.abs(self.orders[order - 1] - self.exact) / (1.0 - self.exact)
        beyond = np.flatnonzero(missed > ERROR)
        if len(beyond) == 0:
            return math.inf
        k = int(beyond[0])
        if k == 0:
            return float(drives[0] * ERROR / missed[0])
        return float(np.interp(ERROR, missed[k - 1 : k + 1], drives[k - 1 : k + 1]))


def curve(shape, exponent, drives):
    """`Curve` of one lattice."""
    models = [model(shape, exponent, drive) for drive in drives]
    orders = tuple(
        np.array([squeezing(m, sq.Perturbation(k, next_order=False)) for m in models])
        for k in (1, 2)
    )
    return Curve(np.array([squeezing(m, sq.Exact()) for m in models]), orders)


def in_words(shape):
    """A lattice as people write it."""
    return " x ".join(map(str, shape)) if len(shape) > 1 else f"ring of {shape[0]}"


def show(curves, firsts, setting):
    """The tables."""
    print("lambda up to which orders 1, 2 miss 10 % of the squeezing; least xi2 of the curve [dB]")
    for shape in setting.small:
        cells = []
        for a in setting.exponents:
            found = curves[shape, a]
            one, two = (found.radius(setting.drives, k) for k in (1, 2))
            cells.append(f"{a:g}: {one:.3f}, {two:.2f}, {10 * np.log10(found.exact.min()):.2f}")
        print(f"  {in_words(shape):<12} " + "; ".join(cells))
    print("-d xi2/d lambda, and lambda at which mean field leaves the paramagnet")
    for shape in (*setting.small, *setting.large):
        cells = [f"{a:g}: {firsts[shape, a][0]:.4f}, {firsts[shape, a][1]:.3f}"
                 for a in setting.exponents]  # fmt: skip
        print(f"  {in_words(shape):<12} " + "; ".join(cells))


def draw(curves, firsts, setting):
    """Curves on one lattice; radii by exponent; slopes and instabilities of large lattices."""
    places = np.arange(len(setting.exponents))
    names = [r"$\infty$" if math.isinf(a) else f"{a:g}" for a in setting.exponents]
    drives = np.array(setting.drives)
    shape = setting.small[1]
    with style():
        figure = new_figure(13.5, 4.2)
        left, middle, right = figure.subplots(1, 3)
        for k, a in enumerate(setting.shown):
            found = curves[shape, a]
            name = names[setting.exponents.index(a)]
            left.plot(drives, found.exact, "o-", ms=4, color=PALETTE[k],
                      label=rf"exact, $\alpha$ = {name}")  # fmt: skip
            left.plot(drives, found.orders[0], ":", color=PALETTE[k])
            left.plot(drives, found.orders[1], "--", color=PALETTE[k])
        left.plot([], [], ":", color="black", label="order 1")
        left.plot([], [], "--", color="black", label="order 2")
        left.set(xlabel=r"$\lambda/\gamma$", ylabel=r"$\xi^2$", ylim=(0.6, 1.02))
        left.set_title(in_words(shape))
        left.legend(fontsize=8)
        for k, small in enumerate(setting.small):
            for order, dash in ((1, ":"), (2, "--")):
                radii = [curves[small, a].radius(drives, order) for a in setting.exponents]
                middle.plot(places, radii, "osD"[k] + dash, color=PALETTE[k],
                            label=in_words(small) if order == 2 else None)  # fmt: skip
        middle.set(ylabel=r"$\lambda/\gamma$ at which 10 % is missed", ylim=(0, None))
        middle.set_title("orders 1 (dotted) and 2 (dashed)")
        middle.legend(fontsize=8)
        for k, large in enumerate(setting.large):
            slopes, limits = zip(*[firsts[large, a] for a in setting.exponents], strict=True)
            right.plot(places, limits, "osD"[k] + DASHES[0], color=PALETTE[k],
                       label=f"instability, {in_words(large)}")  # fmt: skip
            right.plot(places, slopes, "osD"[k] + DASHES[2], color=PALETTE[k], mfc="none",
                       label=f"slope, {in_words(large)}")  # fmt: skip
        right.set(ylabel=r"slope $\times\gamma$, instability $/\gamma$", ylim=(0, 1.25))
        right.set_title("first order and mean field")
        right.legend(fontsize=7.5)
        for panel in (middle, right):
            panel.set_xticks(places, names)
            panel.set_xlabel(r"exponent $\alpha$")
    return figure


def main():
    """Run, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="few spins, for a test")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    options = parser.parse_args()
    setting = TINY if options.tiny else Setting()
    curves = {
        (shape, a): curve(shape, a, setting.drives)
        for shape in setting.small
        for a in setting.exponents
    }
    firsts = {
        (shape, a): first_order(shape, a)
        for shape in (*setting.small, *setting.large)
        for a in setting.exponents
    }
    show(curves, firsts, setting)
    n_spins, drive = math.prod(setting.small[1]), setting.drives[-1]
    same = squeezing(collective(n_spins, drive), sq.PermutationInvariant())
    exact = curves[setting.small[1], 0.0].exact[-1]
    print(f"alpha = 0, N = {n_spins}, lambda = {drive:g}: xi2 {exact:.10f}, "
          f"by PermutationInvariant {same:.10f}")  # fmt: skip
    draw(curves, firsts, setting).savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
