"""simulate_losses: a run in which single random spins leave."""

import time
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import numbers
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.methods.base.states import block_values
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant, generator_of
from spinsqueeze.models import interchangeable
from spinsqueeze.models.catalogue import state_as_dict
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.states import InitialState
from spinsqueeze.models.tables import model_as_tables
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading, readings_of
from spinsqueeze.results import dataset, provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.questions import evolve_question
from spinsqueeze.run.ranges import shortest


def simulate_losses(
    model: SpinModel,
    initial_state: InitialState,
    times: Any,
    *,
    loss_rate: float | None = None,
    loss_times: Any = None,
    seed: int = 0,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
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
        memory_budget: bytes; more is refused before any work.

    Returns:
        Dataset with spins_left(time) and all that `simulate` returns, of the spins that are left;
        attribute loss_times. It jumps where a spin leaves, so that `optimum` takes the lowest of
        its times. To run it again::

            from spinsqueeze.results.studies import study_tables
            from spinsqueeze.run.study_file import study_from_tables

            study = study_tables(data)
            losses = study.pop("losses")
            run = study_from_tables(study)
            simulate_losses(run.model, run.initial_state, run.times, **losses, seed=run.seed)

    Raises:
        InvalidInput: an argument breaks its rule, or no spin is left.
        Unsupported: the spins are not interchangeable, with every reason.
        TooLarge: the memory budget would be exceeded.
    """
    from spinsqueeze.methods.permutation_invariant.loss import evolve_with_losses, sample_loss_times

    question = evolve_question(model, initial_state, times, seed=seed, memory_budget=memory_budget)
    PermutationInvariant().require(question)
    if question.model.time_dependent:
        raise InvalidInput("simulate_losses needs constant strengths and rates, got an envelope")
    if (loss_rate is None) == (loss_times is None):
        raise InvalidInput("give either loss_rate or loss_times")
    n = model.n_spins
    if loss_times is None:
        rate = checks.real("loss_rate", loss_rate, minimum=0.0)
        losses: dict[str, Any] = {"loss_rate": rate}
        drawn = sample_loss_times(
            n,
            rate=rate,
            duration=float(question.times[-1]),
            rng=np.random.default_rng(question.seed),
        )
    else:
        empty = np.size(loss_times) == 0
        drawn = np.zeros(0) if empty else checks.increasing("loss_times", loss_times, minimum=0.0)
        losses = {"loss_times": numbers(drawn)}
    arrays = interchangeable.at_peak(question.model)
    started = time.perf_counter()
    run = evolve_with_losses(
        lambda left: generator_of(left, arrays),
        n_spins=n,
        state=block_values(initial_state, n),
        times=question.times,
        loss_times=drawn,
    )
    wall_time = time.perf_counter() - started
    study = {
        **model_as_tables(model),
        "initial_state": state_as_dict(initial_state),
        "losses": losses,
        "method": {"name": PermutationInvariant.name()},
        "run": {"times": shortest(question.times), "seed": question.seed},
    }
    attributes: dict[str, Any] = {
        "n_spins": n,
        "unit": model.unit,
        "method": PermutationInvariant.name(),
        "error_kind": PermutationInvariant().trust(question).in_words,
        "references": ", ".join(PermutationInvariant.references),
        "seed": question.seed,
        "loss_times": drawn,
        "dtype": "float64",
        "device": "cpu",
        "wall_time": wall_time,
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }
    moments = Moments(n_spins=run.n_spins, spin=run.spin, covariance=run.covariance)
    data = dataset.build(
        {**readings_of(moments), "spins_left": Reading(run.n_spins)},
        n_spins=n,
        times=question.times,
        attributes=attributes,
    )
    return put_study(data, study)
