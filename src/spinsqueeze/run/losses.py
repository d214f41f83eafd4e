"""simulate_losses: a run in which single random spins leave."""

from collections.abc import Callable
from typing import Any

import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant
from spinsqueeze.models.losses import DEFAULT_RUNS, Losses
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.states import InitialState
from spinsqueeze.run.execute import execute
from spinsqueeze.run.progress_bar import listener
from spinsqueeze.run.study import Study

_ARGUMENTS = {"rate": "loss_rate", "times": "loss_times", "losses.times": "loss_times"}


@clear_call
def simulate_losses(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    loss_rate: float | None = None,
    loss_times: Any = None,
    runs: int = DEFAULT_RUNS,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | bool | None = None,
) -> xr.Dataset:
    """Evolve a permutation-invariant model from which single random spins leave.

    The same as `simulate` with `losses=Losses(...)` by `PermutationInvariant`. The strengths and
    rates of the Hamiltonian and the jumps stay as they are; a lost spin is traced out
    (groszkowski2022, Fig. 4b). At an output time equal to a loss the spin has left.

    With loss_rate the state is the average over all histories, as of somebody who does not know
    when spins left: rate sum_i D[|lost><s|_i], s = up and down. Its covariance holds the scatter
    between the histories too, and N in xi2, xi2_kitagawa_ueda and contrast is the mean number of
    spins left, so that xi2 >= 1 for every mixture of unentangled spins. It is estimated from
    `runs` drawn histories, one block of samples each, with standard errors by the jackknife;
    `merge` joins results with other seeds. With loss_times it is one history, exactly, and N the
    number left in it.

    Args:
        model: alike spins, constant strengths and rates.
        initial_state: a permutation-invariant state.
        times: output times (T,), strictly increasing.
        loss_rate: every spin leaves independently at this rate.
        loss_times: strictly increasing times of the losses, instead of loss_rate.
        runs: number of histories, at least 4, with loss_rate only; each costs one run.
        seed: seeds the loss times.
        memory_budget: bytes; more is refused before any work.
        progress: called with the fraction done; True shows a bar (lines in a log file).

    Returns:
        Dataset as of `simulate`, with spins_left(time); without shell_population and purity.
        Attribute loss_times: the times, or with loss_rate a JSON list of those of every history.
        One history jumps where a spin leaves, so that `optimum` takes the lowest of its times.

    Raises:
        InvalidInput: an argument breaks its rule, or no spin is left.
        Unsupported: the spins are not interchangeable, with every reason.
        TooLarge: the memory budget would be exceeded.
    """
    if (loss_rate is None) == (loss_times is None):
        given = "neither" if loss_rate is None else "both"
        raise InvalidInput(f"give either loss_rate or loss_times, got {given}")
    try:
        losses = Losses(rate=loss_rate, times=loss_times, runs=runs)
    except InvalidInput as error:
        raise _renamed(error) from None
    try:
        study = Study(
            model,
            initial_state=initial_state,
            times=times,
            losses=losses,
            method=PermutationInvariant(),
            seed=seed,
            memory_budget=memory_budget,
        )
    except InvalidInput as error:
        raise (_renamed(error) if error.argument == "losses.times" else error) from None
    with listener(progress, title="simulate_losses") as heard:
        return execute(study, progress=heard)


def _renamed(error: InvalidInput) -> InvalidInput:
    """An error of `Losses` or its place in a study, under the name of the argument here."""
    return InvalidInput.of(_ARGUMENTS.get(error.argument, error.argument), error.rule)
