"""The variance of the spin across its mean, against the angle, at one time of a result."""

from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.jackknife import jackknife, leave_one_out
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.squeezing import (
    POLE,
    RESOLVED_DIRECTION,
    SqueezingStatus,
    ellipse,
    perpendicular_basis,
)
from spinsqueeze.results.dataset import checked_dataset, read_moments
from spinsqueeze.results.grid import as_single_run

N_ANGLES = 181
_SAID = (
    "squeezing_angle",
    "xi2_kitagawa_ueda",
    "antisqueezing",
    "ellipse_area",
    "uncertainty_product",
    "xi2",
    "contrast",
)


@clear_call
def variance_against_angle(
    data: xr.Dataset, *, time: float | None = None, angles: Any = None
) -> xr.Dataset:
    """Var(cos a S_1 + sin a S_2) across the mean spin against the angle a, at one time.

    S_1 is horizontal (e_phi), S_2 = n x e_phi, as for `squeezing_angle`: the variance is least at
    that angle and greatest a quarter of a turn away.

    Args:
        data: a result of a single run, or a point of a sweep.
        time: at which of its times, the nearest counts; None: where xi2 is least, or the steady
            state.
        angles: (A,) [rad]; None: 181 from -pi/2 to pi/2.

    Returns:
        Dataset over `angle`: `variance` [1], and `relative_variance` 4 Var/N, which is 1 for a
        coherent state; with `<name>_stderr` by the jackknife where the result holds its sample
        blocks, the direction of the mean spin found again in each replica. The attributes say
        time and unit, and `squeezing_angle`, `xi2_kitagawa_ueda` (least), `antisqueezing`
        (greatest), `ellipse_area`, `uncertainty_product`, `xi2` and `contrast`, each with its error
        where there is one.
        `relative_variance` is number squeezing, without the contrast: Wineland's
        xi2 = N min Var/|<S>|^2 is its least value over contrast^2.

    Raises:
        InvalidInput: not a result of this package, one with sweep dimensions, a time beyond its
            times, or angles that are no list of numbers.
        UndefinedDirection: the mean spin is zero within its error at that time.
    """
    data = as_single_run(checked_dataset(data, call="variance_against_angle"))
    read_moments(data)  # refuses what is no result
    data = _at(data, time)
    if int(data["squeezing_status"]) == SqueezingStatus.UNDEFINED_DIRECTION:
        raise UndefinedDirection(
            "the mean spin is zero within its error at this time, so nothing is perpendicular to "
            "it: choose another time"
        )
    where = np.linspace(-np.pi / 2, np.pi / 2, N_ANGLES)
    if angles is not None:
        where = checks.real_array("angles", angles, shape=(None,))
    value, stderr = _variances(read_moments(data), where)
    left = data["spins_left"] if "spins_left" in data else data.attrs["n_spins"]
    scale = 4.0 / max(float(left), 1.0)
    words = {"variance": "variance of the spin across its mean", "relative_variance": "4 Var/N"}
    out = xr.Dataset(coords={"angle": ("angle", where, {"units": "rad", "long_name": "angle"})})
    for name, factor in (("variance", 1.0), ("relative_variance", scale)):
        attributes = {"units": "1", "long_name": words[name]}
        out[name] = ("angle", factor * value, attributes)
        if stderr is not None:
            attributes = {"units": "1", "long_name": f"standard error of {words[name]}"}
            out[f"{name}_stderr"] = ("angle", factor * stderr, attributes)
    return out.assign_attrs(_attributes(data))


def _at(data: xr.Dataset, time: float | None) -> xr.Dataset:
    """The result at one time, its dimension kept for the blocks."""
    if "time" not in data.dims:
        if time is not None:
            raise InvalidInput("time must be None: the result has one time, or is a steady state")
        return data
    times = np.asarray(data["time"].values, dtype=float)
    if time is None:
        xi2 = np.asarray(data["xi2"].values, dtype=float)
        if not np.isfinite(xi2).any():
            raise UndefinedDirection("xi2 is undefined at every time: there is no variance ellipse")
        return data.isel(time=int(np.nanargmin(xi2)))
    value = checks.real("time", time)
    if not times[0] <= value <= times[-1]:
        raise InvalidInput.of(
            "time", f"must lie within the times {times[0]:.6g} to {times[-1]:.6g}, got {value:.6g}"
        )
    return data.isel(time=int(np.abs(times - value).argmin()))


def _variances(moments: Moments | BlockMoments, angles: Floats) -> tuple[Floats, Floats | None]:
    """(A,) variances, and their standard errors of sampled moments."""
    if not isinstance(moments, BlockMoments):
        return _of(moments, angles, None), None
    centred = moments.centred()
    full, parts = centred.combined(), leave_one_out(centred)
    error = jackknife(full.spin, replicas=parts.spin, weights=moments.weights, axis=-2).stderr
    # A mean spin along z within its error has its axes along y and x, in the replicas too.
    sine, across = np.linalg.norm(full.spin[:2]), RESOLVED_DIRECTION * np.linalg.norm(error[:2])
    at_pole = bool(sine <= max(POLE * np.linalg.norm(full.spin), across))
    value = _of(full, angles, at_pole)
    replicas = _of(parts, angles, at_pole)
    return value, jackknife(value, replicas=replicas, weights=moments.weights, axis=-2).stderr


def _of(moments: Moments, angles: Floats, at_pole: bool | None) -> Floats:
    """(..., A) variances of moments (...)."""
    length = np.linalg.norm(moments.spin, axis=-1, keepdims=True)
    pole = None if at_pole is None else np.full(length.shape[:-1], at_pole)
    basis = perpendicular_basis(moments.spin / np.where(length > 0.0, length, 1.0), at_pole=pole)
    mean, split = ellipse(moments.covariance, basis=basis)
    turn = np.stack([np.cos(2 * angles), np.sin(2 * angles)])
    return np.asarray(mean[..., None] + split @ turn)


def _attributes(data: xr.Dataset) -> dict[str, Any]:
    names = ("title", "n_spins", "method", "unit", "diagnostics")
    out = {k: data.attrs[k] for k in names if k in data.attrs}
    if "time" in data.coords:
        out["time"] = float(data["time"])
    for name in _SAID:
        for each in (name, f"{name}_stderr"):
            if each in data:
                out[each] = float(data[each])
    return out
