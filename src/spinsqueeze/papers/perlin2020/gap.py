"""Appendix A: the spectral gap of the isotropic model as a finite sum, and its power of N."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.papers.base import Claim, Figure, number_claim, power_law_fit
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

OFFSETS = (-0.5, 0.0, 0.5, 1.0, 3.0)
"""alpha - D."""
ROUND_OFF = 1e-7
"""Of a gap: the sum it is the difference of exceeds it by up to 1e8."""


@final
@dataclass(frozen=True)
class GapScan:
    """Edges of the lattices by dimension, and alpha - D."""

    edges: dict[int, tuple[int, ...]]
    offsets: tuple[float, ...]


def spin_wave_energies(shape: tuple[int, ...], *, exponent: float) -> Floats:
    """Energies |E_k| of single spin waves above the polarised state, J_perp = 1 of the paper.

    Eq. (A2): |E_k| = sum_{n != 0} [1 - cos(k.n)]/|n|^alpha by minimum image, for all
    k = 2 pi m/L, shape as the lattice; |E_0| = 0. From the couplings' Fourier transform.

    Args:
        shape: of the periodic lattice.
        exponent: alpha.
    """
    table = power_law_kernel(Lattice(shape), exponent=exponent).table
    assert table is not None
    transformed = np.fft.fftn(table).real
    return np.asarray(transformed.flat[0] - transformed, dtype=float)


def expected_power(offset: float, *, dimension: int) -> float:
    """Power of N of the gap: (D - alpha)/D up to alpha = D + 2, then -2/D.

    The sum over n is L^(D - alpha) times an integral of (1 - cos(pi x_1))/|x|^alpha, which
    converges at the origin for alpha < D + 2; beyond, short distances give pi^2/L^2 alone.
    """
    return -min(offset, 2.0) / dimension


def compute(setting: GapScan, _points: Points) -> xr.Dataset:
    """The least |E_k| over k != 0, and Eq. (A3), at each (dimension, alpha - D, size)."""
    count = max(len(edges) for edges in setting.edges.values())
    shape = (len(setting.edges), len(setting.offsets), count)
    gap, printed, sizes = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    for i, (dimension, edges) in enumerate(setting.edges.items()):
        for j, offset in enumerate(setting.offsets):
            for k, edge in enumerate(edges):
                energies = spin_wave_energies(
                    (edge,) * dimension, exponent=max(dimension + offset, 0.0)
                )
                gap[i, j, k] = np.sort(energies, axis=None)[1]
                printed[i, j, k] = energies[(1,) + (0,) * (dimension - 1)]
                sizes[i, j, k] = edge**dimension
    dims = ("dimension", "offset", "size")
    return xr.Dataset(
        {
            "gap": (dims, gap, {"units": "J_perp", "long_name": "least |E_k|, k != 0"}),
            "gap_a3": (dims, printed, {"units": "J_perp", "long_name": "Eq. (A3)"}),
            "n_spins": (dims, sizes, {"units": "1"}),
        },
        coords={"dimension": list(setting.edges), "offset": list(setting.offsets)},
        attrs={"method": "finite sum", "convention": "E_k in units of the paper's J_perp"},
    )


def draw(data: xr.Dataset) -> Any:
    """The gap against N, one panel a dimension, one curve an alpha - D."""
    with style():
        picture = new_figure(2.0 + 2.3 * data.sizes["dimension"], 3.2)
        panels = picture.subplots(1, data.sizes["dimension"], sharey=True, squeeze=False)[0]
        for panel, dimension in zip(panels, data["dimension"].values, strict=True):
            for k, offset in enumerate(data["offset"].values):
                one = data.sel(dimension=dimension, offset=offset)
                panel.plot(
                    one["n_spins"].values, one["gap"].values, marker="o", markersize=3.5,
                    color=PALETTE[k], linestyle=DASHES[k % 4],
                    label=rf"$\alpha = D{offset:+g}$" if offset else r"$\alpha = D$",
                )  # fmt: skip
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_title(f"$D={dimension}$")
            panel.set_xlabel("$N$")
        panels[0].set_ylabel(r"$\Delta_{\mathrm{gap}}/|J_\perp|$")
        picture.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    return picture


def claims(data: xr.Dataset) -> list[Claim]:
    """The gap stays open for alpha <= D, closes beyond, and lies at the longest wavelength."""
    out = []
    lowest = float(data["gap"].sel(offset=[o for o in data["offset"].values if o <= 0]).min())
    growing = data["gap"].sel(offset=[o for o in data["offset"].values if o <= 0])
    falls = bool((growing.diff("size") < -1e-9).any())
    out.append(
        Claim(
            key="gap-open-at-long-range",
            statement="for alpha <= D the gap does not vanish with N and is at least of order "
            "|J_perp|",
            place="p. 2 and Eq. (A6)",
            ours=f"least gap at alpha <= D: {lowest:.3f} |J_perp|; "
            + ("it falls with N somewhere" if falls else "it never falls with N"),
            holds=not falls and lowest > 0.5,
            note="" if not falls and lowest > 0.5 else "see the figure",
            value=lowest,
        )
    )
    same = float(np.nanmax(np.abs((data["gap"] / data["gap_a3"]).values - 1)))
    out.append(
        Claim(
            key="gap-at-longest-wavelength",
            statement="the gap is at k = (2 pi/L, 0, ...), Eq. (A3)",
            place="Eq. (A3)",
            ours=f"least |E_k| over all k agrees to {same:.1e}",
            holds=same < ROUND_OFF,
            note="" if same < ROUND_OFF else "another k lies lower",
        )
    )
    for dimension in data["dimension"].values:
        for offset in data["offset"].values:
            one = data.sel(dimension=dimension, offset=offset)
            known = np.isfinite(one["gap"].values)
            n, gap = one["n_spins"].values[known][-3:], one["gap"].values[known][-3:]
            power, error, _ = power_law_fit(n, gap)
            relation = "alpha = D" if offset == 0 else f"alpha = D{offset:+g}"
            out.append(
                number_claim(
                    f"gap-power-d{dimension}-{offset:+g}",
                    statement="gap ~ eps^(alpha - D - gamma), gamma >= 0; here gamma = "
                    f"{max(offset - 2.0, 0.0):g} for {relation}, D = {dimension}",
                    place="Eq. (A6)",
                    expected=expected_power(float(offset), dimension=int(dimension)),
                    reading_error=0.05,
                    value=power,
                    stderr=error,
                    note=f"fit over the three largest N, up to {n[-1]:g}",
                )
            )
    return out


_EDGES = {
    1: (16, 64, 256, 1024, 4096, 16384),
    2: (8, 16, 32, 64, 128, 256, 512),
    3: (6, 8, 16, 32, 64),
}
GAP = Figure(
    name="gap",
    title="Appendix A: spectral gap of the isotropic model against N",
    methods=("finite sum",),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "small": GapScan(_EDGES, OFFSETS),
        "paper": GapScan({**_EDGES, 2: (*_EDGES[2], 1024, 2048), 3: (*_EDGES[3], 128)}, OFFSETS),
    },
)
