"""The state that a closed form of a steady state hands back has the moments of that form."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.closed_form.steady import MIXED_SPINS

START = sq.CoherentState("-z")


def squeezed(n_spins, r=0.7):
    return sq.SpinModel(n_spins, jumps=[sq.SqueezedCollectiveDecay(0.4, r=r)])


def driven(n_spins):
    terms = [sq.Drive(0.3 * n_spins, phase=0.8), sq.CollectiveExchange(0.2)]
    return sq.SpinModel(n_spins, hamiltonian=terms, jumps=[sq.CollectiveDecay(1.3)])


def steady(model, method, **options):
    return sq.steady_state(model, initial_state=START, method=method, keep_state=True, **options)


@pytest.mark.parametrize("model", [squeezed(6), squeezed(6, r=-0.4), squeezed(7), driven(6)])
def test_the_state_is_steady_and_has_these_moments(model):
    data = steady(model, "closed_form")
    state = sq.final_state(data)
    # nothing moves when the run goes on from the state
    on = sq.simulate(model, state, [0.0, 3.0], method="permutation_invariant")
    for name in ("spin", "covariance", "purity"):
        for k in range(2):
            assert on[name].values[k] == pytest.approx(data[name].values, abs=1e-8)
    other = sq.final_state(steady(model, "permutation_invariant"))
    direction = [0.6, 0.0, 0.8]
    assert sq.quantum_fisher_information(state, direction=direction) == pytest.approx(
        sq.quantum_fisher_information(other, direction=direction), rel=1e-6
    )


def test_even_numbers_are_pure_and_odd_ones_mixed():
    assert isinstance(sq.final_state(steady(squeezed(8), "closed_form")), sq.SymmetricState)
    assert isinstance(sq.final_state(steady(squeezed(9), "closed_form")), sq.BlockState)


def test_a_mixed_state_of_very_many_spins_is_not_made():
    with pytest.raises(sq.InvalidInput, match="keep_state"):
        steady(squeezed(MIXED_SPINS + 1), "closed_form")
    pure = sq.final_state(steady(squeezed(MIXED_SPINS + 2), "closed_form"))
    assert np.linalg.norm(pure.amplitudes) == pytest.approx(1.0)
