"""The model of perlin2020 in our convention, its time windows, and its two solvable limits.

CONVENTION. The paper writes H = sum_{i != j} [J_perp s_i.s_j + (J_z - J_perp) s_z,i s_z,j] /
|r_i - r_j|^alpha, every pair twice; we write pairs once, so

    j_perp = 2 J_perp,    j_z = 2 J_z,    exponent = alpha,

and J_perp = 1 is the unit of energy, so that times are in 1/J_perp as in the paper. Periodic
lattices, spins polarised along +x. The spectrum's sign is irrelevant: H and -H give the same
xi2(t) and <S^2>(t) from this state.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.methods.closed_form.method import ClosedForm
from spinsqueeze.methods.dtwa.method import DTWA
from spinsqueeze.models.collective_terms import OneAxisTwisting
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PowerLawXXZ
from spinsqueeze.models.states import CoherentState
from spinsqueeze.observables.optimum import Optimum
from spinsqueeze.run.optimum import optimum
from spinsqueeze.run.simulate import simulate
from spinsqueeze.run.study import Study

OURS_OVER_PAPER = 2.0
"""Sums over i < j instead of i != j."""

CONVENTIONS = (
    "paper: sums over i != j; here i < j: j_perp = 2 J_perp, j_z = 2 J_z, exponent = alpha; "
    "times in 1/J_perp"
)
LARGEST = 4096
"""The paper's largest N."""
POLARISED = "+x"
SEED = 2020


@final
@dataclass(frozen=True)
class Sampling:
    """How well DTWA is sampled: by independent samples, as in the paper.

    Args:
        spins_times_trajectories: N n_trajectories; the paper's rule, 500 x 64^2.
        fewest: least number of trajectories.
        tolerance: of the integrator, in projection noises.
        n_times: output times of each curve.
    """

    spins_times_trajectories: float
    fewest: int
    tolerance: float
    n_times: int

    def trajectories(self, n_spins: int) -> int:
        """Trajectories for N spins: about 1/N, because small systems converge more slowly."""
        return max(self.fewest, round(self.spins_times_trajectories / n_spins))


PAPER = Sampling(500 * 64**2, 500, 1e-3, 61)
SMALL = Sampling(1.0e5, 100, 2e-3, 41)


def xxz_model(
    shape: Sequence[int], *, exponent: float, j_z: float, j_perp: float = 1.0
) -> SpinModel:
    """Eq. (3) with the paper's J_perp and J_z.

    Args:
        shape: of the periodic lattice.
        exponent: alpha.
        j_z: the paper's J_z in units of its J_perp.
        j_perp: the paper's J_perp; 0 for its Ising limit.
    """
    term = PowerLawXXZ(
        j_perp=OURS_OVER_PAPER * j_perp, j_z=OURS_OVER_PAPER * j_z, exponent=exponent
    )
    return SpinModel(Lattice(tuple(shape)), hamiltonian=[term], unit="J_perp")


def base_study(shape: Sequence[int], *, sampling: Sampling, title: str) -> Study:
    """What every DTWA point shares; `xxz_point` says the rest."""
    return Study(
        xxz_model(shape, exponent=3.0, j_z=0.0),
        initial_state=CoherentState(POLARISED),
        times=[0.0, 1.0],
        method=DTWA(4, tolerance=sampling.tolerance, sampling="independent"),
        seed=SEED,
        title=title,
    )


def xxz_point(
    shape: Sequence[int],
    *,
    exponent: float,
    j_z: float,
    sampling: Sampling,
    times: Any = None,
    filling: float = 1.0,
    lattice_seed: int | None = None,
) -> Mapping[str, Any] | None:
    """One point of Eq. (3) as paths into the study; None at J_z = J_perp, where nothing moves.

    Args:
        shape: of the periodic lattice.
        exponent: alpha.
        j_z: J_z / J_perp.
        sampling: trajectories and times.
        times: output times; default `window`.
        filling: fraction of occupied sites.
        lattice_seed: draws the occupied sites; None on full lattices.
    """
    if abs(j_z - 1.0) < 1e-9:
        return None
    n_spins = round(filling * math.prod(shape))
    if times is None:
        times = window(
            tuple(shape), exponent=exponent, j_z=j_z, n_times=sampling.n_times, filling=filling
        )
    chosen: dict[str, Any] = {
        "ensemble.shape": [int(n) for n in shape],
        "hamiltonian.0.exponent": float(exponent),
        "hamiltonian.0.j_z": OURS_OVER_PAPER * float(j_z),
        "run.times": [float(t) for t in times],
        "method.n_trajectories": sampling.trajectories(n_spins),
    }
    if lattice_seed is not None:
        chosen["ensemble.filling"] = float(filling)
        chosen["ensemble.seed"] = int(lattice_seed)
    return chosen


@functools.cache
def neighbour_sum(shape: tuple[int, ...], *, exponent: float) -> float:
    """Sum over j != i of |r_i - r_j|^-alpha: (N - 1) h_alpha of the paper on a full lattice."""
    return power_law_kernel(Lattice(shape), exponent=exponent).row_sum


def twisting_time(
    shape: tuple[int, ...], *, exponent: float, j_z: float, filling: float = 1.0
) -> float:
    """Optimal time 3^(1/6) N^(-2/3)/|chi| of OAT at chi = h_alpha (J_z - J_perp), times J_perp.

    h_alpha is the mean of |r_i - r_j|^-alpha over pairs; random vacancies leave it as it is.
    """
    sites = math.prod(shape)
    mean = neighbour_sum(shape, exponent=exponent) / (sites - 1)
    n_spins = filling * sites
    return float(3.0 ** (1 / 6) * n_spins ** (-2 / 3) / (mean * abs(j_z - 1.0)))


WINDOW = 2.0
"""Curves end at this many OAT times: collective optima come at 0.9 to 1.3 of them, Ising ones
earlier."""


def window(
    shape: tuple[int, ...], *, exponent: float, j_z: float, n_times: int, filling: float = 1.0
) -> Floats:
    """Output times from 0, denser early, where the Ising peak lies."""
    stop = WINDOW * twisting_time(shape, exponent=exponent, j_z=j_z, filling=filling)
    return stop * np.linspace(0.0, 1.0, n_times) ** 2


@functools.cache
def oat_optimum(n_spins: int) -> Optimum:
    """Optimum of H = S_z^2 (chi = 1), exactly."""
    times = 3.0 ** (1 / 6) * n_spins ** (-2 / 3) * np.linspace(0.3, 1.6, 261)
    model = SpinModel(n_spins, hamiltonian=[OneAxisTwisting(chi=1.0)])
    data = simulate(model, CoherentState(POLARISED), times, method=ClosedForm())
    return optimum(data)


@functools.cache
def ising_optimum(shape: tuple[int, ...], *, exponent: float) -> Optimum:
    """First optimum of the power-law Ising model, J_perp = 0 and J_z = 1, exactly.

    Chains, and short ranges in D = 2, squeeze again later and may then squeeze more: see
    `ising_revival`. The first optimum does not depend on how long one waits.
    """
    return optimum(_to_first_optimum(shape, exponent))


@functools.cache
def ising_least_squared(shape: tuple[int, ...], *, exponent: float) -> float:
    """<S^2> of that model over its start value, the least up to the first optimum."""
    curve = _to_first_optimum(shape, exponent)
    until = curve["time"].values <= ising_optimum(shape, exponent=exponent).time
    squared = curve["total_spin_squared"].values
    return float((squared[until] / squared[0]).min())


def _to_first_optimum(shape: tuple[int, ...], exponent: float) -> xr.Dataset:
    times = 1.5 * twisting_time(shape, exponent=exponent, j_z=2.0) * np.linspace(0, 1, 161) ** 2
    curve = _ising(shape, exponent, times)
    rises = np.flatnonzero(np.diff(curve["xi2"].values) > 0)
    return curve.isel(time=slice(0, rises[0] + 3 if len(rises) else None))


REPHASED = 1.2 * np.pi
"""Times J_z up to which the couplings 2 J_z of nearest neighbours have turned back once."""


@functools.cache
def ising_revival(shape: tuple[int, ...], *, exponent: float) -> Optimum:
    """Best optimum of the power-law Ising model up to the return of the nearest neighbours."""
    return optimum(_ising(shape, exponent, np.linspace(0.0, REPHASED, 601)))


def _ising(shape: tuple[int, ...], exponent: float, times: Floats) -> xr.Dataset:
    model = xxz_model(shape, exponent=exponent, j_z=1.0, j_perp=0.0)
    return simulate(model, CoherentState(POLARISED), times, method=ClosedForm())


def steps(start: float, stop: float, step: float) -> tuple[float, ...]:
    """Both ends included, free of round-off."""
    count = round((stop - start) / step)
    return tuple(round(start + k * step, 10) for k in range(count + 1))


def decibels_gained(xi2: Any) -> Any:
    """-10 log10 xi2, the paper's vertical axis."""
    return -10.0 * np.log10(xi2)


def decibel_error(xi2: Any, stderr: Any) -> Any:
    """Standard error of `decibels_gained`."""
    return 10.0 / math.log(10.0) * np.asarray(stderr) / np.asarray(xi2)
