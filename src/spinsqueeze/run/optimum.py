"""optimum: the best squeezing along a curve, with the error of its value, time and angle."""

import xarray as xr

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.optimum import Optimum, optimum_of_moments
from spinsqueeze.results.dataset import read_moments


def optimum(data: xr.Dataset) -> Optimum:
    """The least xi2 over time of a result, interpolated between its times.

    Errors of the value, the time and the angle are from the jackknife over sample blocks, with
    the optimum found again in each replica; None where the result is not statistical.

    Raises:
        InvalidInput: not a spinsqueeze result, a steady state, or one with sweep dimensions.
        UndefinedDirection: xi2 is undefined at every time.
    """
    moments = read_moments(data)
    if "time" not in data.coords:
        raise InvalidInput("data has no times: a steady state has no best time, read data['xi2']")
    return optimum_of_moments(data["time"].values, moments=moments)
