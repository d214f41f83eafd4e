"""Quantum Fisher information of states with known answers."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.qfi import mixed_state_qfi, pure_state_qfi
from tests.rounding import rounding

from .helpers import moments_of_state, spin_matrices, twisted_state


def test_coherent_and_cat_states():
    n = 12
    coherent = moments_of_state(twisted_state(n, 0.0))
    np.testing.assert_allclose(pure_state_qfi(coherent), n)
    # 4 (<S_x^2> - <S_x>^2): two numbers n^2 cancel
    vanishing = rounding(n + 1, scale=n**2)
    np.testing.assert_allclose(pure_state_qfi(coherent, axis="+x"), 0.0, atol=vanishing)
    cat = np.zeros(n + 1)
    cat[[0, -1]] = np.sqrt(0.5)
    np.testing.assert_allclose(pure_state_qfi(moments_of_state(cat)), n**2)
    np.testing.assert_allclose(pure_state_qfi(moments_of_state(cat), axis=[0, 0, 1]), n**2)


def test_mixed_formula_on_pure_and_mixed_states():
    psi = twisted_state(8, 0.4)
    generators = spin_matrices(8)
    moments = moments_of_state(psi)
    fisher = mixed_state_qfi(np.outer(psi, psi.conj()), generators=generators)
    np.testing.assert_allclose(fisher, 4 * moments.covariance[0], atol=1e-11)
    # visibility v of a qubit along x: F_z = v^2
    rho = np.array([[0.5, 0.3], [0.3, 0.5]])
    fisher = mixed_state_qfi(rho, generators=spin_matrices(1))
    np.testing.assert_allclose(np.diag(fisher), [0.0, 0.36, 0.36], atol=1e-14)
    identity = np.eye(9) / 9
    np.testing.assert_allclose(mixed_state_qfi(identity, generators=generators), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("rho", "generators", "message"),
    [
        (np.ones((2, 3)), spin_matrices(1), "must be square"),
        (np.eye(3) / 3, spin_matrices(1), r"generators must have shape \(n, 3, 3\)"),
        ([[0.5, 1.0], [0.0, 0.5]], spin_matrices(1), "Hermitian"),
    ],
)
def test_bad_input(rho, generators, message):
    with pytest.raises(InvalidInput, match=message):
        mixed_state_qfi(rho, generators=generators)


def test_bad_axis():
    moments = moments_of_state(twisted_state(4, 0.1))
    with pytest.raises(InvalidInput, match="axis must be a unit vector"):
        pure_state_qfi(moments, axis=[1, 1, 0])
