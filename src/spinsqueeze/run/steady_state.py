"""steady_state: where an open model ends, by one method, as one labelled result."""

from collections.abc import Callable

import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.readout import Readout
from spinsqueeze.models.states import InitialState
from spinsqueeze.run.choice import make_method
from spinsqueeze.run.execute import execute
from spinsqueeze.run.progress_bar import listener
from spinsqueeze.run.study import Study


@clear_call
def steady_state(
    model: SpinModel,
    *,
    initial_state: InitialState | None = None,
    method: Method | type[Method] | str | None = None,
    readout: Readout | None = None,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
    progress: Callable[[float], None] | bool | None = None,
    title: str = "",
    keep_state: bool = False,
) -> xr.Dataset:
    """The steady state of an open model and everything that follows from its moments.

    Args:
        model: the spins, their Hamiltonian and jumps; constant strengths and rates.
        initial_state: where several steady states exist (without local jumps at least one for each
            total spin; all jumps along one axis: what they and the Hamiltonian conserve), the one
            reached from this state is returned.
        method: a method with its options, its name, or None for the most trusted that fits.
        readout: how the spins are misread; adds `measured_xi2` to the result, see `as_measured`.
        seed: seeds the sampling methods.
        memory_budget: bytes; more is refused before any work.
        progress: called with the fraction done; True shows a bar (lines in a log file).
        title: title of the result.
        keep_state: store the state, for `final_state`.

    Returns:
        Dataset as of `simulate`, without the dimension time.

    Raises:
        InvalidInput: an argument breaks its rule, the model is closed, or several steady states
            exist and no initial_state chooses one.
        Unsupported: the method does not fit, with every reason.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the solution cannot be trusted.
    """
    study = Study(
        model,
        initial_state=initial_state,
        steady_state=True,
        method=None if method is None else make_method(method),
        readout=readout,
        seed=seed,
        memory_budget=memory_budget,
        title=title,
    )
    with listener(progress, title=title or "steady state") as heard:
        return execute(study, progress=heard, keep_state=keep_state)
