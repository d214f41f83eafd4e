"""Eq. (4): an Ising model in a strong transverse drive becomes an XX model."""

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.dtwa.method import DTWA
from spinsqueeze.methods.exact.method import Exact
from spinsqueeze.models.collective_terms import Drive
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PowerLawXXZ, PowerLawXYZ
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.base import Claim, Figure, power_law_fit
from spinsqueeze.papers.perlin2020.setting import (
    CONVENTIONS,
    OURS_OVER_PAPER,
    SEED,
    decibels_gained,
    neighbour_sum,
    twisting_time,
)
from spinsqueeze.papers.points import FAILED, POINT, Points
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style
from spinsqueeze.run.study import Study

EXPONENT = 3.0
START = "+z"
"""On the equator of the drive's axis x; an eigenstate of the Ising model without drive."""


@final
@dataclass(frozen=True)
class Drives:
    """Shapes for Exact and for DTWA, drives over (1/2) N h_alpha |J_z|, and trajectories."""

    exact_shape: tuple[int, ...]
    dtwa_shape: tuple[int, ...]
    ratios: tuple[float, ...]
    n_trajectories: int
    n_times: int


def ising_scale(shape: tuple[int, ...]) -> float:
    """(1/2) N h_alpha |J_z| at J_z = 1, what |Omega| must exceed by far."""
    n_spins = math.prod(shape)
    return 0.5 * n_spins * neighbour_sum(shape, exponent=EXPONENT) / (n_spins - 1)


def driven_study(shape: tuple[int, ...], *, method: Method, times: Floats) -> Study:
    """sum_{i != j} s_z s_z / r^3 + Omega S_x from +z; Omega to be swept."""
    ising = PowerLawXXZ(j_perp=0.0, j_z=OURS_OVER_PAPER, exponent=EXPONENT)
    model = SpinModel(Lattice(shape), hamiltonian=[ising, Drive(1.0)], unit="J_z")
    return Study(model, initial_state=CoherentState(START), times=times, method=method, seed=SEED)


def xx_study(shape: tuple[int, ...], *, method: Method, times: Floats) -> Study:
    """Eq. (4): (1/2) sum_{i != j} (s_y s_y + s_z s_z)/r^3 from +z."""
    half = OURS_OVER_PAPER / 2
    term = PowerLawXYZ(j_x=0.0, j_y=half, j_z=half, exponent=EXPONENT)
    model = SpinModel(Lattice(shape), hamiltonian=[term], unit="J_z")
    return Study(model, initial_state=CoherentState(START), times=times, method=method, seed=SEED)


def compute(setting: Drives, points: Points) -> xr.Dataset:
    """xi2(t) of the driven Ising model at each Omega, and of the XX model, by both methods."""
    data = xr.Dataset(coords={"ratio": list(setting.ratios)})
    for method, shape in (
        (Exact(), setting.exact_shape),
        (DTWA(setting.n_trajectories, sampling="independent"), setting.dtwa_shape),
    ):
        name = method.name()
        # In the frame of the drive chi = h_alpha (0 - 1/2): twice the time of J_z = 0.
        stop = 2.2 * twisting_time(shape, exponent=EXPONENT, j_z=0.0) * 1.1
        times = np.linspace(0.0, stop, setting.n_times)
        scale = ising_scale(shape)
        driven = points(
            driven_study(shape, method=method, times=times),
            over={"hamiltonian.1.rabi": [scale * r for r in setting.ratios]},
        )
        xx = points(xx_study(shape, method=method, times=times), over={"run.seed": [SEED]}).isel(
            {POINT: 0}
        )
        step = f"step_{name}"
        data[f"time_{name}"] = (step, times, {"units": "1/J_z"})
        data[f"driven_xi2_{name}"] = (("ratio", step), driven["xi2"].values, {"units": "1"})
        data[f"xx_xi2_{name}"] = (step, xx["xi2"].values, {"units": "1"})
        data[f"n_spins_{name}"] = math.prod(shape)
        kept = ("spinsqueeze_version", FAILED)
        data.attrs |= {name: driven.attrs[name] for name in kept if name in driven.attrs}
    data.attrs |= {"convention": CONVENTIONS, "unit": "J_z", "method": "exact, dtwa"}
    return data


def _names(data: xr.Dataset) -> list[str]:
    return [str(n).removeprefix("xx_xi2_") for n in data.data_vars if str(n).startswith("xx_xi2_")]


def deviations(data: xr.Dataset, name: str) -> Floats:
    """Largest |xi2_driven - xi2_XX| up to the optimum of the XX model, for each drive."""
    xx = data[f"xx_xi2_{name}"].values
    stop = int(np.nanargmin(xx)) + 1
    gap = np.abs(data[f"driven_xi2_{name}"].values - xx)[:, :stop]
    return np.asarray(np.nanmax(gap, axis=1), dtype=float)


def draw(data: xr.Dataset) -> Any:
    """Left and middle: squeezing against time by each method; right: how they approach."""
    with style():
        picture = new_figure(8.6, 3.2)
        panels = picture.subplots(1, 3)
        for panel, name in zip(panels, _names(data), strict=False):
            t = data[f"time_{name}"].values
            for k, ratio in enumerate(data["ratio"].values):
                if k % 2 == 0:
                    panel.plot(
                        t, decibels_gained(data[f"driven_xi2_{name}"].values[k]),
                        color=PALETTE[k // 2], linestyle=DASHES[1 + k // 2 % 3], linewidth=1.3,
                        label=f"{ratio:g}",
                    )  # fmt: skip
            xx = decibels_gained(data[f"xx_xi2_{name}"].values)
            panel.plot(t, xx, color="black", linewidth=2.0, label="XX", zorder=1)
            panel.set_ylim(min(-2.0, float(np.nanmin(xx))), float(np.nanmax(xx)) * 1.15 + 0.5)
            panel.set_xlabel(r"$t\times J_z$")
            panel.set_title(f"{name}, N = {int(data[f'n_spins_{name}'])}", fontsize=10)
        panels[0].set_ylabel(r"$-10\log_{10}\,\xi^2$")
        panels[0].legend(title=r"$\Omega/(\frac{1}{2}Nh_\alpha J_z)$", fontsize=8, title_fontsize=8)
        for k, name in enumerate(_names(data)):
            panels[2].plot(
                data["ratio"].values, deviations(data, name), marker="os"[k], color=PALETTE[k],
                linestyle=DASHES[k], label=name,
            )  # fmt: skip
        panels[2].set_xscale("log")
        panels[2].set_yscale("log")
        panels[2].set_xlabel(r"$\Omega/(\frac{1}{2}Nh_\alpha J_z)$")
        panels[2].set_ylabel(r"largest $|\xi^2-\xi^2_{XX}|$")
        panels[2].legend(fontsize=9)
    return picture


def claims(data: xr.Dataset) -> list[Claim]:
    """The difference to the XX model vanishes as a power of the drive."""
    ratios = data["ratio"].values
    out = []
    for name in _names(data):
        far = deviations(data, name)
        strong = ratios >= 4
        power, error, _ = power_law_fit(ratios[strong], far[strong])
        falls = bool(np.all(np.diff(far[strong]) < 0)) and power < -0.7
        out.append(
            Claim(
                key=f"driven-ising-is-xx-{name}",
                statement="for |Omega| >> (1/2) N h_alpha |J_z| the driven Ising model is the XX "
                "model (J_perp, J_z) -> (J_z/2, 0)",
                place="Eq. (4), p. 4",
                ours=f"{name}, N = {int(data[f'n_spins_{name}'])}: largest |xi2 - xi2_XX| up to "
                "t_opt is "
                + ", ".join(f"{d:.2g} at {r:g}" for r, d in zip(ratios, far, strict=True))
                + f" (drive over its scale); power {power:.2f} ± {error:.2f}",
                holds=falls,
                note="" if falls else "the difference does not fall as a power of the drive",
                value=power,
                stderr=error,
            )
        )
    return out


FIGURE_XX = Figure(
    name="eq-4",
    title="Eq. (4): the driven Ising model approaches the XX model",
    methods=("exact", "dtwa"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "small": Drives((3, 3), (8, 8), (1.0, 2.0, 4.0, 8.0, 16.0, 32.0), 400, 61),
        "paper": Drives((4, 4), (64, 64), (1.0, 2.0, 4.0, 8.0, 16.0, 32.0), 500, 121),
    },
)
