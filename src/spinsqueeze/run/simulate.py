"""simulate: a model from time 0, by one method, as one labelled result."""

from collections.abc import Callable, Sequence
from typing import Any

import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.readout import Readout
from spinsqueeze.models.states import InitialState
from spinsqueeze.run.choice import make_method
from spinsqueeze.run.execute import execute
from spinsqueeze.run.progress_bar import listener
from spinsqueeze.run.study import Study


@clear_call
def simulate(
    model: SpinModel,
    initial_state: InitialState,
    times: Any = None,
    *,
    method: Method | type[Method] | str | None = None,
    pulses: Sequence[Pulse] = (),
    losses: Losses | None = None,
    readout: Readout | None = None,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | bool | None = None,
    title: str = "",
    keep_state: bool = False,
) -> xr.Dataset:
    """Evolve a model from time 0 and return everything that follows from its moments.

    Ctrl-C ends a run of `QuantumTrajectories`, or one with a `target_error`, with what is finished
    and a warning in the result.

    Args:
        model: the spins, their Hamiltonian and jumps.
        initial_state: the state at time 0.
        times: output times (T,), strictly increasing, >= 0, in the inverse of model.unit. None or
            "auto": 101 of them over about twice the time of the optimum, which short runs look for;
            the first minimum of xi2 that is followed by a rise of 1 dB counts, later revivals are
            not searched for. The study in the result holds them; its attribute automatic_times
            says, as JSON, how they were chosen.
        method: a method with its options, its name, or None: the most trusted method that
            supports the model and is expected to finish within a minute.
        pulses: instantaneous rotations during the run.
        losses: single spins leave during the run, see `simulate_losses`.
        readout: how the spins are misread; adds `measured_xi2` to the result, see `as_measured`.
        seed: seeds the sampling methods; a result depends on nothing else.
        memory_budget: bytes; more is refused before any work.
        progress: called with the fraction done; True shows a bar (lines in a log file).
        title: title of the result.
        keep_state: store the state at the last time, for `final_state`.

    Returns:
        Dataset of registered variables (`data.data_vars`) over time: spin, covariance, xi2,
        squeezing_status and all that follows from the moments; each with units, long_name and,
        where statistical, <name>_stderr. Attributes hold the whole study.

    Raises:
        InvalidInput: an argument breaks its rule.
        Unsupported: the method does not fit, with every reason.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the calculation ended without a trustworthy number.
    """
    study = Study(
        model,
        initial_state=initial_state,
        times=times,
        pulses=pulses,
        losses=losses,
        method=None if method is None else make_method(method),
        readout=readout,
        seed=seed,
        memory_budget=memory_budget,
        title=title,
    )
    with listener(progress, title=title or "simulate") as heard:
        return execute(study, progress=heard, keep_state=keep_state, keep_interrupted=True)
