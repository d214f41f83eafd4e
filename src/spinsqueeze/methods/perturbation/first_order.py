"""First order alone: the amplitudes of one and two flipped spins, for hundreds that differ."""

from collections.abc import Collection

import numpy as np

from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.base.flip_operators import flip_operators
from spinsqueeze.methods.perturbation.orders import SINGULAR, STUCK, Series
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics.flip_amplitudes import FlipOperators


def decaying(model: Canonical, *, perturbed: Collection[str] = ()) -> FlipOperators:
    """The operators of one and two flips, all of which decay.

    Amplitudes of a pure state have solutions where a detuned flip stays for ever, too.

    Raises:
        NumericalFailure: one does.
    """
    operators = flip_operators(model, perturbed=perturbed)
    if operators.slowest_decay() <= SINGULAR:
        raise NumericalFailure(STUCK)
    return operators


def first_order(model: Canonical, *, perturbed: Collection[str] = ()) -> tuple[Series, float]:
    """Moments of orders 0 and 1, of rho_1 = |psi_1><0| + h.c.; and an error of <S_minus^2>.

    Raises:
        NumericalFailure: some state of few flipped spins does not decay.
    """
    operators = decaying(model, perturbed=perturbed)
    singles, pairs = operators.single_amplitudes(), operators.pair_amplitudes()
    n = model.n_spins
    lower: Complexes = np.array([[0.0], [operators.counts @ singles]], dtype=complex)
    mixed: Complexes = np.asarray(lower / 2, dtype=complex)
    square: Complexes = np.array([[0.0], [2 * pairs.values.total]], dtype=complex)
    none = np.zeros((2, 1))
    series = Series(n, lower, none, square, none, none, mixed, np.array([[1.0], [0.0]]))
    return series, float(np.sqrt(2.0 * n * (n - 1.0)) * pairs.error)
