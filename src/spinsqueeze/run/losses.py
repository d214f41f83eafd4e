"""simulate_losses: a run in which single random spins leave."""

import time
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, Unsupported
from spinsqueeze.core.registry import variable
from spinsqueeze.methods.permutation_invariant.method import (
    PermutationInvariant,
    block_state,
    generator_of,
)
from spinsqueeze.models import interchangeable
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.states import InitialState
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import squeezing
from spinsqueeze.results import provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.run.task import make_task


def simulate_losses(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    loss_rate: float | None = None,
    loss_times: Any = None,
    seed: int = 0,
) -> xr.Dataset:
    """One run of a permutation-invariant model from which single random spins leave.

    The strengths and rates of the Hamiltonian and the jumps stay as they are; a lost spin is traced
    out (groszkowski2022, Fig. 4b). At an output time equal to a loss the spin has left.

    Args:
        model: alike spins, constant strengths and rates.
        initial_state: a permutation-invariant state.
        times: output times (T,), strictly increasing.
        loss_rate: every spin leaves independently at this rate, at times drawn by `seed`.
        loss_times: ascending times of the losses, instead of loss_rate.
        seed: seeds the loss times.

    Returns:
        Dataset with spins_left(time), spin, covariance, xi2, contrast and total_spin_squared, all
        of the spins that are left; attribute loss_times.

    Raises:
        InvalidInput: an argument breaks its rule, or no spin is left.
        Unsupported: the spins are not interchangeable, with every reason.
    """
    from spinsqueeze.methods.permutation_invariant.loss import evolve_with_losses, sample_loss_times

    task = make_task(model, initial_state, times, seed=seed)
    reasons = PermutationInvariant().support(task).reasons
    if reasons:
        raise Unsupported("simulate_losses cannot do this: " + "; ".join(reasons))
    if task.model.time_dependent:
        raise InvalidInput("simulate_losses needs constant strengths and rates, got an envelope")
    if (loss_rate is None) == (loss_times is None):
        raise InvalidInput("give either loss_rate or loss_times")
    n = model.n_spins
    if loss_times is None:
        drawn = sample_loss_times(
            n,
            rate=checks.real("loss_rate", loss_rate, minimum=0.0),
            duration=float(task.times[-1]),
            rng=np.random.default_rng(seed),
        )
    else:
        empty = np.size(loss_times) == 0
        drawn = np.zeros(0) if empty else checks.increasing("loss_times", loss_times, minimum=0.0)
    arrays = interchangeable.at_peak(task.model)
    started = time.perf_counter()
    run = evolve_with_losses(
        lambda left: generator_of(left, arrays),
        n_spins=n,
        state=block_state(initial_state, n),
        times=task.times,
        loss_times=drawn,
    )
    derived = [
        squeezing(Moments(n_spins=int(left), spin=spin, covariance=covariance))
        for left, spin, covariance in zip(run.n_spins, run.spin, run.covariance, strict=True)
    ]
    data = xr.Dataset(
        coords={"time": task.times, "axis": list("xyz"), "axis_2": list("xyz")},
        attrs={
            "n_spins": n,
            "unit": model.unit,
            "method": PermutationInvariant.name(),
            "seed": seed,
            "loss_times": drawn,
            "wall_time": time.perf_counter() - started,
            MARK: provenance.version(),
            "commit": provenance.commit(),
        },
    )
    columns = {"spins_left": run.n_spins, "spin": run.spin, "covariance": run.covariance}
    for name in ("xi2", "contrast", "total_spin_squared"):
        columns[name] = np.array([getattr(one, name) for one in derived])
    for name, values in columns.items():
        entry = variable(name)
        data[name] = (
            entry.dims, values, {"units": entry.units, "long_name": entry.long_name}
        )  # fmt: skip
    data["time"].attrs.update(long_name="time", units=f"1/{model.unit}")
    return data
