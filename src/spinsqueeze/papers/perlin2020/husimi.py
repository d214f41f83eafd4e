"""Figure 1: one-axis twisting of 40 spins on the sphere."""

from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.text import value_with_error
from spinsqueeze.observables.sphere import coherent_magnitudes, husimi
from spinsqueeze.papers.base import Claim, Figure, number_claim
from spinsqueeze.papers.perlin2020.setting import oat_optimum
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import GREY, new_figure, style

N_SPINS = 40
SIZES = {"small": (61, 121), "paper": (181, 361)}


def compute(grid: tuple[int, int], _points: Points) -> xr.Dataset:
    """Husimi functions of N = 40 spins polarised along +x, under OAT up to t_opt; optima of N.

    In the Dicke basis the state is <m|psi(t)> = <m|+x> exp(-i chi t m^2).
    """
    best = oat_optimum(N_SPINS)
    m = N_SPINS / 2 - np.arange(N_SPINS + 1)
    start = coherent_magnitudes(N_SPINS, theta=np.array([np.pi / 2]))[0]
    times = best.time * np.array([0.0, 0.5, 1.0])
    theta = np.linspace(0.0, np.pi, grid[0])
    phi = np.linspace(-np.pi, np.pi, grid[1])
    fields = [husimi(start * np.exp(-1j * t * m**2), theta=theta, phi=phi) for t in times]
    sizes = np.array([10**k for k in (2, 3, 4, 5, 6)])
    optima = [oat_optimum(int(n)) for n in sizes]
    return xr.Dataset(
        {
            "husimi": (
                ("time", "theta", "phi"),
                np.array(fields),
                {"units": "1", "long_name": "Husimi density, (N+1)/(4 pi) of the paper's Q"},
            ),
            "optimal_xi2": ("n_spins", [o.xi2 for o in optima], {"units": "1"}),
            "optimal_time": ("n_spins", [o.time for o in optima], {"units": "1/chi"}),
        },
        coords={
            "time": ("time", times, {"units": "1/chi"}),
            "theta": ("theta", theta, {"units": "rad"}),
            "phi": ("phi", phi, {"units": "rad"}),
            "n_spins": sizes,
        },
        attrs={"n_spins": N_SPINS, "method": "closed_form"},
    )


def draw(data: xr.Dataset) -> Any:
    """Three spheres, darker where the overlap is larger, seen from +x."""
    theta, phi = data["theta"].values, data["phi"].values
    pixels = np.linspace(-1.0, 1.0, 301)
    y, z = np.meshgrid(pixels, pixels)
    inside = y**2 + z**2 <= 1.0
    x = np.sqrt(np.clip(1.0 - y**2 - z**2, 0.0, None))
    polar, azimuth = np.arccos(np.clip(z, -1, 1)), np.arctan2(y, x)
    with style():
        picture = new_figure(6.9, 2.5)
        panels = picture.subplots(1, data.sizes["time"])
        for panel, field, time in zip(
            panels, data["husimi"].values, data["time"].values, strict=True
        ):
            seen = _bilinear(theta, phi, field, polar, azimuth)
            image = np.where(inside, seen / field.max(), np.nan)
            panel.imshow(image, origin="lower", extent=(-1, 1, -1, 1), cmap="Blues", vmin=0, vmax=1)
            turn = np.linspace(0, 2 * np.pi, 361)
            panel.plot(np.cos(turn), np.sin(turn), color=GREY, linewidth=1.0)
            panel.plot([-1, 1], [0, 0], color=GREY, linewidth=0.6)
            panel.plot([0, 0], [-1, 1], color=GREY, linewidth=0.6)
            panel.set_title(rf"$\chi t = {time:.3f}$", fontsize=10)
            panel.set_axis_off()
    return picture


def _bilinear(theta: Floats, phi: Floats, field: Floats, polar: Floats, azimuth: Floats) -> Any:
    a = polar / (theta[1] - theta[0])
    b = (azimuth - phi[0]) / (phi[1] - phi[0])
    i = np.clip(a.astype(int), 0, len(theta) - 2)
    j = np.clip(b.astype(int), 0, len(phi) - 2)
    u, v = a - i, b - j
    low = (1 - v) * field[i, j] + v * field[i, j + 1]
    high = (1 - v) * field[i + 1, j] + v * field[i + 1, j + 1]
    return (1 - u) * low + u * high


def limiting_power(sizes: Floats, values: Floats) -> tuple[float, float]:
    """The power of N for N -> infinity, where corrections are of order N^(-1/3).

    Powers between neighbouring sizes, extrapolated linearly in N^(-1/3) from the two largest.

    Returns:
        The power, and as its error the change to the extrapolation one size earlier.
    """
    powers = np.diff(np.log(values)) / np.diff(np.log(sizes))
    x = (sizes[1:] * sizes[:-1]) ** (-1 / 6)
    limits = powers[1:] - x[1:] * np.diff(powers) / np.diff(x)
    return float(limits[-1]), float(abs(limits[-1] - limits[-2]))


def claims(data: xr.Dataset) -> list[Claim]:
    """The two powers of OAT, from exact optima at N = 10^2 ... 10^6."""
    sizes = data["n_spins"].values.astype(float)
    power, error = limiting_power(sizes, data["optimal_xi2"].values)
    time_power, time_error = limiting_power(sizes, data["optimal_time"].values)
    fields = data["husimi"].values
    drop = float(fields[-1].max() / fields[0].max())
    return [
        number_claim(
            "oat-squeezing-power",
            statement="OAT prepares xi2 ~ 1/N^(2/3)",
            place="p. 2, after Eq. (2); dotted line of Fig. 9",
            expected=-2 / 3,
            reading_error=0.005,
            value=power,
            stderr=error,
        ),
        number_claim(
            "oat-time-power",
            statement="chi t_opt ~ 1/N^(2/3)",
            place="Fig. 1, caption",
            expected=-2 / 3,
            reading_error=0.005,
            value=time_power,
            stderr=time_error,
        ),
        Claim(
            key="oat-shears",
            statement="OAT shears the initial, Gaussian-like distribution",
            place="Fig. 1 and p. 2",
            ours=f"peak of the distribution falls to {value_with_error(drop)} of its first value "
            f"at chi t = {float(data['time'][-1]):.4f}",
            holds=drop < 0.8,
            note="" if drop < 0.8 else "the distribution hardly spreads",
            value=drop,
        ),
    ]


FIGURE_1 = Figure(
    name="1",
    title="Husimi function of 40 spins under OAT, up to the optimal time",
    methods=("closed_form",),
    compute=compute,
    draw=draw,
    claims=claims,
    settings=SIZES,
)
