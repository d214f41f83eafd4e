"""The initial state of a question as cumulants."""

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.base.question import Question
from spinsqueeze.methods.base.states import (
    InSymmetricSubspace,
    ProductOfSpins,
    ProductStateOfClasses,
    bloch_vectors,
    block_values,
    symmetric_amplitudes,
)
from spinsqueeze.methods.cumulants import collective_states, states
from spinsqueeze.methods.cumulants.series import Series
from spinsqueeze.methods.cumulants.series import series as series_of


def initial_cumulants(question: Question, series: Series) -> Floats:
    """P (K,) of the initial state, of the mode's too."""
    model, n_kinds = question.model, len(question.model.counts)
    p = np.zeros(len(series.exponents))
    spins_only = np.all(series.exponents[:, 3 * n_kinds :] == 0, axis=1)
    own = series_of(model.counts, series.order) if model.modes else series
    p[spins_only] = _of_spins(question, own)
    for mode in model.modes:
        states.put_field(p, mode.initial, n_kinds=n_kinds, series=series)
    return p


def _of_spins(question: Question, series: Series) -> Floats:
    state, n = question.state, question.model.n_spins
    if isinstance(state, ProductOfSpins):
        directions = directions_of(question)
        assert directions is not None
        return states.of_product(directions, series)
    if isinstance(state, InSymmetricSubspace):
        amplitudes = symmetric_amplitudes(state, n)
        return collective_states.of_amplitudes(amplitudes, n_spins=n, series=series)
    return collective_states.of_blocks(block_values(state, n), n_spins=n, series=series)


def directions_of(question: Question) -> Floats | None:
    """(C, 3) directions of the spins of each kind; None where they differ within one."""
    state, counts = question.state, question.model.counts
    if isinstance(state, ProductStateOfClasses):
        return state.directions
    directions = bloch_vectors(state)
    if directions.ndim == 1:
        return np.tile(directions, (len(counts), 1))
    ends = np.cumsum(counts)
    heads = directions[ends - counts]
    return heads if np.array_equal(directions, np.repeat(heads, counts, axis=0)) else None
