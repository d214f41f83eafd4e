"""Quantum Fisher information of states with known answers, in every form of a state."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.states import block_values, state_vector
from spinsqueeze.observables.qfi import mixed_fisher_matrix, pure_fisher_matrix
from tests.rounding import rounding

from .helpers import moments_of_state, spin_matrices, twisted_state

FORMS = {
    "symmetric": lambda state, _n: state,
    "vector": lambda state, n: sq.StateVector(state_vector(state, n)),
    "block": lambda state, n: sq.BlockState(block_values(state, n)),
}


def cat(n):
    """The superposition of all spins up and all spins down."""
    amplitudes = np.zeros(n + 1)
    amplitudes[[0, -1]] = np.sqrt(0.5)
    return sq.SymmetricState(amplitudes)


@pytest.mark.parametrize("form", FORMS)
def test_coherent_and_cat_states(form):
    n = 8
    coherent = FORMS[form](sq.SymmetricState(twisted_state(n, 0.0)), n)
    assert sq.quantum_fisher_information(coherent) == pytest.approx(n)
    # 4 (<S_x^2> - <S_x>^2): two numbers n^2 cancel; an eigenvalue of a block near zero has a root
    vanishing = n * np.sqrt(rounding(2**n, scale=n**2)) if form == "block" else 1e-12
    assert abs(sq.quantum_fisher_information(coherent, direction="+x")) < vanishing
    for direction in (None, [0, 0, 1]):
        value = sq.quantum_fisher_information(FORMS[form](cat(n), n), direction=direction)
        assert value == pytest.approx(n**2)


@pytest.mark.parametrize("direction", [None, [0.0, 1.0, 0.0], [0.6, 0.0, 0.8]])
def test_every_form_of_a_state_gives_the_same(direction):
    rng = np.random.default_rng(5)
    amplitudes = rng.normal(size=7) + 1j * rng.normal(size=7)
    state = sq.SymmetricState(amplitudes / np.linalg.norm(amplitudes))
    values = [
        sq.quantum_fisher_information(form(state, 6), direction=direction)
        for form in FORMS.values()
    ]
    assert values == pytest.approx([values[0]] * 3)
    covariance = moments_of_state(state.amplitudes).covariance[0]
    largest = np.linalg.eigvalsh(covariance)[-1]
    expected = 4 * (largest if direction is None else np.dot(direction, covariance @ direction))
    assert values[0] == pytest.approx(expected)


def test_a_product_of_different_spins():
    """sum_i |n x d_i|^2: every spin has 4 Var(n.s) = 1 - (n.d)^2."""
    directions = np.random.default_rng(3).normal(size=(5, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    product = sq.ProductState(directions)
    psi = sq.StateVector(state_vector(product, 5))
    n = np.array([0.0, 0.6, 0.8])
    expected = np.sum(1 - (directions @ n) ** 2)
    for state in (psi, product):
        assert sq.quantum_fisher_information(state, direction=n) == pytest.approx(expected)


def test_mixed_formula_on_pure_and_mixed_states():
    psi = twisted_state(8, 0.4)
    generators = spin_matrices(8)
    fisher = mixed_fisher_matrix(np.outer(psi, psi.conj()), generators=generators)
    pure = pure_fisher_matrix(moments_of_state(psi).covariance[0])
    np.testing.assert_allclose(fisher, pure, atol=1e-6)
    # visibility v of a qubit along x: F_z = v^2
    rho = np.array([[0.5, 0.3], [0.3, 0.5]])
    fisher = mixed_fisher_matrix(rho, generators=spin_matrices(1))
    np.testing.assert_allclose(np.diag(fisher), [0.0, 0.36, 0.36], atol=1e-14)
    identity = np.eye(9) / 9
    np.testing.assert_allclose(mixed_fisher_matrix(identity, generators=generators), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("state", "direction", "message"),
    [
        (sq.CoherentState("+x"), None, "n_spins must be given with a CoherentState"),
        (cat(2), [1, 1, 0], "direction must be a unit vector"),
    ],
)
def test_bad_input(state, direction, message):
    with pytest.raises(InvalidInput, match=message):
        sq.quantum_fisher_information(state, direction=direction)
