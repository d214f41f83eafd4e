"""Filling fraction against J_z, alpha and size (ours): the question that Appendix F leaves open."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.methods.closed_form.method import ClosedForm
from spinsqueeze.methods.dtwa.method import DTWA
from spinsqueeze.methods.exact.method import Exact
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PowerLawXXZ
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.base import Figure, curve
from spinsqueeze.papers.perlin2020.setting import (
    CONVENTIONS,
    OURS_OVER_PAPER,
    POLARISED,
    SEED,
    Sampling,
    base_study,
    decibel_error,
    decibels_gained,
    twisting_time,
    xxz_point,
)
from spinsqueeze.papers.perlin2020.vacancies_claims import claims
from spinsqueeze.papers.perlin2020.vacancies_picture import draw
from spinsqueeze.papers.points import Points, scan
from spinsqueeze.run.optimum import optimum
from spinsqueeze.run.simulate import simulate
from spinsqueeze.run.study import Study

TITLE = "perlin2020, vacancies"
WINDOW = 1.5
"""Curves end at this many times of one-axis twisting; `late` says where that is too early."""


@final
@dataclass(frozen=True)
class Vacancies:
    """Square lattices, how full they are, and how they are sampled.

    Args:
        edges: of the lattices with vacancies, ascending; from the smallest to the largest
            squeezing grows or does not.
        full: shapes of full lattices, whose squeezing is interpolated in log N: what as many
            spins without vacancies reach.
        fillings: fractions of occupied sites below 1, descending.
        exponents: alpha.
        j_z: J_z / J_perp.
        realisations: random choices of the occupied sites at each point.
        sampling: trajectories of one realisation, and times.
        ising_edge: of the lattice whose Ising model is solved in closed form.
        exact_edge: of the lattice that `Exact` solves on the sites that DTWA has.
        exact_filling: of that lattice.
        exact_exponents: its alpha.
        exact_trajectories: of DTWA there.
    """

    edges: tuple[int, int]
    full: tuple[tuple[int, int], ...]
    fillings: tuple[float, ...]
    exponents: tuple[float, ...]
    j_z: tuple[float, ...]
    realisations: int
    sampling: Sampling
    ising_edge: int = 8
    exact_edge: int = 4
    exact_filling: float = 0.625
    exact_exponents: tuple[float, ...] = (3.0, 6.0)
    exact_trajectories: int = 500


def compute(setting: Vacancies, points: Points) -> xr.Dataset:
    """Mean optima in dB over the realisations, with the error of the mean, and what they lose.

    Returns:
        Dataset over filling (1 first), alpha, j_z and edge: gain, the mean of -10 log10 xi2 at
        the best time of each realisation; late, the share of them whose best time is the last.
        Over filling, alpha, j_z: growth, the gain on the larger lattice less that on the smaller;
        loss, what as many spins on a full lattice gain less the gain on the larger. Over filling,
        alpha: ising, the gain at J_perp = 0 in closed form. Over exact_alpha, j_z, realisation:
        exact_gain and dtwa_gain on the same sites. Errors are <name>_stderr; all in dB.
    """
    full, diluted = _full(setting, points), _diluted(setting, points)
    whole = decibels_gained(full["optimal_xi2"].values)
    whole_error = decibel_error(full["optimal_xi2"].values, full["optimal_xi2_stderr"].values)
    squares = [setting.full.index((edge, edge)) for edge in setting.edges]
    gain, error = mean_of_realisations(decibels_gained(diluted["optimal_xi2"].values))
    gain = np.concatenate([whole[None, ..., squares], gain])
    error = np.concatenate([whole_error[None, ..., squares], error])
    late = np.concatenate(
        [full["at_edge"].values[None, ..., squares], diluted["at_edge"].values.mean(axis=-1)]
    )
    fillings = (1.0, *setting.fillings)
    as_many, as_many_error = between(
        [round(f * setting.edges[1] ** 2) for f in fillings],
        [a * b for a, b in setting.full],
        whole,
        whole_error,
    )
    loss_error = np.hypot(as_many_error, error[..., 1])
    loss_error[0] = 0.0  # a full lattice beside itself
    point = ("filling", "alpha", "j_z")
    data = xr.Dataset(
        {"late": curve((*point, "edge"), late, "share of optima at the last time")},
        coords={
            "filling": list(fillings),
            "alpha": list(setting.exponents),
            "j_z": list(setting.j_z),
            "edge": list(setting.edges),
        },
        attrs={"convention": CONVENTIONS, "realisations": setting.realisations},
    )
    growth_error = np.hypot(error[..., 0], error[..., 1])
    for name, dims, values, errors, words in (
        ("gain", (*point, "edge"), gain, error, "optimal squeezing"),
        ("growth", point, gain[..., 1] - gain[..., 0], growth_error, "gain from edge to edge"),
        (
            "loss",
            point,
            as_many - gain[..., 1],
            loss_error,
            "lost to as many spins, all sites full",
        ),
        ("ising", point[:2], *_ising(setting), "optimal squeezing at J_perp = 0"),
    ):
        data[name] = curve(dims, values, words, units="dB")
        data[f"{name}_stderr"] = curve(dims, errors, f"standard error: {words}", units="dB")
    for name, scanned in _beside_exact(setting, points).items():
        data[f"{name}_gain"] = scanned["gain"]
    return data


def mean_of_realisations(values: Floats) -> tuple[Floats, Floats]:
    """Mean over the last axis and the error of the mean, from the scatter alone."""
    spread = values.std(axis=-1, ddof=1)
    return values.mean(axis=-1), spread / np.sqrt(values.shape[-1])


def between(
    sizes: Sequence[int], counts: Sequence[int], gain: Floats, error: Floats
) -> tuple[Floats, Floats]:
    """Gains (..., len(counts)) at N = counts, linear in log N between them.

    Args:
        sizes: N wanted; beyond the ends: the gain of the end.
        counts: N of the full lattices.
        gain: dB.
        error: standard errors, independent from N to N.

    Returns:
        Gain and its error, (len(sizes), ...).
    """
    order = np.argsort(counts)
    known = np.log(np.asarray(counts, float)[order])
    each = np.eye(len(order))
    weights = np.array([[np.interp(np.log(n), known, row) for row in each] for n in sizes])
    return (
        np.einsum("sk,...k->s...", weights, gain[..., order]),
        np.sqrt(np.einsum("sk,...k->s...", weights**2, error[..., order] ** 2)),
    )


def _study(setting: Vacancies) -> Study:
    method = DTWA(100, tolerance=setting.sampling.tolerance)
    return replace(base_study((4, 4), sampling=setting.sampling, title=TITLE), method=method)


def _full(setting: Vacancies, points: Points) -> xr.Dataset:
    """Over (alpha, j_z, shape): as many trajectories in one run as elsewhere in all of them."""

    def point(alpha: float, j_z: float, shape: int) -> Mapping[str, Any]:
        chosen = _chosen(setting, setting.full[shape], alpha=alpha, j_z=j_z)
        count = chosen["method.n_trajectories"] * setting.realisations
        return {**chosen, "run.seed": SEED, "method.n_trajectories": count}

    shapes = tuple(range(len(setting.full)))
    axes = {"alpha": setting.exponents, "j_z": setting.j_z, "shape": shapes}
    return scan(points, _study(setting), axes=axes, point=point)


def _diluted(setting: Vacancies, points: Points) -> xr.Dataset:
    """Over (filling, alpha, j_z, edge, realisation); each has its own sites and samples."""

    def point(
        filling: float, alpha: float, j_z: float, edge: int, realisation: int
    ) -> Mapping[str, Any]:
        return {
            **_chosen(setting, (edge, edge), alpha=alpha, j_z=j_z, filling=filling),
            "ensemble.filling": filling,
            "ensemble.seed": SEED + realisation,
            "run.seed": SEED + realisation,
        }

    axes = {
        "filling": setting.fillings,
        "alpha": setting.exponents,
        "j_z": setting.j_z,
        "edge": setting.edges,
        "realisation": tuple(range(setting.realisations)),
    }
    return scan(points, _study(setting), axes=axes, point=point)


def _chosen(
    setting: Vacancies, shape: tuple[int, int], *, alpha: float, j_z: float, filling: float = 1.0
) -> Mapping[str, Any]:
    chosen = xxz_point(shape, exponent=alpha, j_z=j_z, sampling=setting.sampling, filling=filling)
    if chosen is None:
        raise InvalidInput("j_z must not be 1: at J_z = J_perp nothing moves")
    stop = WINDOW * twisting_time(shape, exponent=alpha, j_z=j_z, filling=filling)
    times = stop * np.linspace(0.0, 1.0, setting.sampling.n_times) ** 2
    return {**chosen, "run.times": times.tolist()}


def _ising(setting: Vacancies) -> tuple[Floats, Floats]:
    """Mean gains at J_perp = 0 over (filling, alpha), exactly on each choice of sites."""
    shape = (setting.ising_edge, setting.ising_edge)
    rows = []
    for filling, alpha in itertools.product((1.0, *setting.fillings), setting.exponents):
        stop = 3.0 * twisting_time(shape, exponent=alpha, j_z=2.0, filling=filling)
        times = stop * np.linspace(0.0, 1.0, 61) ** 2
        term = PowerLawXXZ(j_perp=0.0, j_z=OURS_OVER_PAPER, exponent=alpha)
        row = []
        for realisation in range(setting.realisations):
            lattice = Lattice(shape, filling=filling, seed=SEED + realisation)
            model = SpinModel(lattice, hamiltonian=[term])
            data = simulate(model, CoherentState(POLARISED), times, method=ClosedForm())
            row.append(-optimum(data).decibels)
        rows.append(row)
    mean, error = mean_of_realisations(np.array(rows))
    shape_of_result = (1 + len(setting.fillings), len(setting.exponents))
    return mean.reshape(shape_of_result), error.reshape(shape_of_result)


def _beside_exact(setting: Vacancies, points: Points) -> dict[str, xr.Dataset]:
    """`Exact` and DTWA on the same sites of a small lattice, by name."""
    filling, shape = setting.exact_filling, (setting.exact_edge, setting.exact_edge)
    out = {}
    for name, method in (("exact", Exact()), ("dtwa", DTWA(setting.exact_trajectories))):

        def point(exact_alpha: float, j_z: float, realisation: int) -> Mapping[str, Any]:
            chosen = _chosen(setting, shape, alpha=exact_alpha, j_z=j_z, filling=filling)
            seed = SEED + realisation
            sites = {"ensemble.filling": filling, "ensemble.seed": seed, "run.seed": seed}
            return {k: v for k, v in chosen.items() if k != "method.n_trajectories"} | sites

        axes = {
            "exact_alpha": setting.exact_exponents,
            "j_z": setting.j_z,
            "realisation": tuple(range(setting.realisations)),
        }
        study = replace(_study(setting), method=method)
        data = scan(points, study, axes=axes, point=point)
        words = f"optimal squeezing by {name} at filling {filling:g} of {shape[0]} x {shape[1]}"
        data["gain"] = curve(
            tuple(axes), decibels_gained(data["optimal_xi2"].values), words, units="dB"
        )
        out[name] = data
    return out


VACANCIES = Figure(
    name="filling",
    title="squeezing against the filling fraction, J_z, alpha and size, D = 2 (ours)",
    methods=("dtwa", "closed_form", "exact"),
    compute=compute,
    draw=draw,
    claims=claims,
    settings={
        "small": Vacancies(
            edges=(8, 16),
            full=((8, 8), (8, 16), (12, 16), (16, 16)),
            fillings=(0.75, 0.5, 0.25),
            exponents=(3.0, 4.0, 6.0),
            j_z=(-1.0, 0.0, 0.5),
            realisations=4,
            sampling=Sampling(1.0, 128, 1e-2, 25),
        ),
        "paper": Vacancies(
            edges=(16, 32),
            full=((16, 16), (16, 32), (24, 32), (32, 32)),
            fillings=(0.9, 0.75, 0.5, 0.25),
            exponents=(2.0, 3.0, 4.0, 6.0),
            j_z=(-1.0, 0.0, 0.5),
            realisations=4,
            sampling=Sampling(1.0, 128, 5e-3, 31),
            ising_edge=12,
            exact_filling=0.75,
        ),
    },
)
