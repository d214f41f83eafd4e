"""optimum: the best squeezing along a curve, with the error of its value, time and angle."""

import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.observables.optimum import Optimum
from spinsqueeze.results.best import optimum_of_run
from spinsqueeze.results.dataset import checked_dataset
from spinsqueeze.results.grid import as_single_run


@clear_call
def optimum(data: xr.Dataset) -> Optimum:
    """The least xi2 over time of a result, interpolated between its times.

    Standard errors of the value, the time and the angle are from the jackknife over sample
    blocks, with the optimum found again in each replica; None where the result is not
    statistical. A point of a sweep (`data.isel(...)`) that was stored without its blocks keeps
    those stored with it. The error of the interpolation is stated next to them; where the times
    are too coarse for it, `status` says so and the value is the lowest of those computed.

    Raises:
        InvalidInput: not a spinsqueeze result, a steady state, a single selected time, or one
            with sweep dimensions.
        UndefinedDirection: xi2 is undefined at every time.
    """
    return optimum_of_run(as_single_run(checked_dataset(data, call="optimum")))
