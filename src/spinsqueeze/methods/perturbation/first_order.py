"""First order alone: the amplitudes of one and two flipped spins, for hundreds that differ."""

import numpy as np

from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.base.flip_operators import flip_operators
from spinsqueeze.methods.perturbation.orders import SINGULAR, STUCK, Series
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics.flip_amplitudes import pair_amplitudes, single_amplitudes, slowest_decay


def check_that_flips_decay(model: Canonical) -> None:
    """Amplitudes of a pure state have solutions where a detuned flip stays for ever, too.

    Raises:
        NumericalFailure: one does.
    """
    if slowest_decay(flip_operators(model)) <= SINGULAR:
        raise NumericalFailure(STUCK)


def first_order(model: Canonical) -> Series:
    """Moments of orders 0 and 1, of rho_1 = |psi_1><0| + h.c.

    Raises:
        NumericalFailure: some state of few flipped spins does not decay.
    """
    operators = flip_operators(model)
    check_that_flips_decay(model)
    one, two = single_amplitudes(operators), pair_amplitudes(operators)
    lower: Complexes = np.array([0.0, operators.counts @ one], dtype=complex)
    mixed: Complexes = np.asarray(lower / 2, dtype=complex)
    pairs = operators.counts @ (two * operators.partners).sum(axis=1)
    none = np.zeros(2)
    return Series(
        model.n_spins, lower, none, np.array([0.0, pairs], dtype=complex), none, none, mixed,
        np.array([1.0, 0.0]),
    )  # fmt: skip
