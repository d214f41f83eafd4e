"""as_measured: a result as an imperfect detector would find it."""

import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.registry import LAB_FIGURES
from spinsqueeze.models.readout import Readout
from spinsqueeze.observables import measured
from spinsqueeze.observables.readings import readings_of
from spinsqueeze.results.dataset import (
    build,
    checked_dataset,
    diagnostics_of,
    read_moments,
    readout_of,
)
from spinsqueeze.results.grid import as_single_run

_SHARED = ("title", "n_spins", "unit", "method", "error_kind", "seed", *LAB_FIGURES)


@clear_call
def as_measured(data: xr.Dataset, *, readout: Readout | None = None) -> xr.Dataset:
    """The moments of a result as a readout finds them, with everything that follows from them.

    Its `xi2` is N min Var/|<S>|^2 of the measured moments, xi2 + [4 p (1 - p) + 4 sigma^2/N]/
    (q contrast)^2 of the spins' own, q = 1 - 2 p (see `Readout`): what `optimum` and
    `plot.squeezing` then show. Standard errors are those of the same samples.

    Args:
        data: a result in time, or one point of a sweep with its sample blocks if it is sampled.
        readout: None: the one that the result was made with.

    Returns:
        Dataset of spin, covariance and what follows, at the same times. It holds no study.

    Raises:
        InvalidInput: not a spinsqueeze result, a steady state, or there is no readout.
    """
    data = as_single_run(checked_dataset(data, call="as_measured"))
    moments = read_moments(data)
    if readout is None:
        readout = readout_of(data.attrs)
    if not isinstance(readout, Readout):
        raise InvalidInput.of(
            "readout", "must be given, e.g. Readout(detection_error=0.01), as the result has none"
        )
    if "time" not in data.dims:
        raise InvalidInput("data has no times: of a steady state read data['measured_xi2']")
    if "spins_left" in data and diagnostics_of(data).get("realisations") is None:
        raise InvalidInput(
            "data must keep its spins: read data['measured_xi2'] of runs with losses"
        )
    if "xi2_stderr" in data and "block_first" not in data:
        raise InvalidInput("data must hold its sample blocks: sweep with blocks=True")
    return build(
        readings_of(measured.as_measured(moments, readout=readout)),
        n_spins=int(data.attrs["n_spins"]),
        times=data["time"].values,
        attributes={k: data.attrs[k] for k in _SHARED if k in data.attrs} | _named(readout),
    )


def _named(readout: Readout) -> dict[str, float]:
    """The readout as attributes of a result that has been through it."""
    return {f"measured_with_{name}": value for name, value in vars(readout).items()}
