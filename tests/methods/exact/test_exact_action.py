"""The action of the Hamiltonian, states, moments and rotations against dense matrices."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from tests.methods.exact.dense_spins import (
    SPIN,
    collective,
    dense,
    power_law_xxz,
    random_directions,
    random_part,
    site_operator,
)

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.exact import frames
from spinsqueeze.methods.exact.couplings import HamiltonianPart, required_frames
from spinsqueeze.methods.exact.frames import ProductFrames
from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian
from spinsqueeze.numerics.state_vectors import (
    collective_moments,
    dicke_state,
    product_state,
    rotate,
    spin_action,
    symmetric_state,
)


def random_state(rng, n_spins):
    psi = rng.normal(size=1 << n_spins) + 1j * rng.normal(size=1 << n_spins)
    return psi / np.linalg.norm(psi)


def applied(operator, psi):
    out = np.full_like(psi, np.nan)
    operator.apply(psi, out)
    return out


@settings(max_examples=25, deadline=None)
@given(n_spins=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_action_equals_dense_matrix(n_spins, seed):
    rng = np.random.default_rng(seed)
    parts = [random_part(rng, n_spins), random_part(rng, n_spins, n_tensors=1)]
    weights = rng.normal(size=2)
    psi = random_state(rng, n_spins)
    H = weights[0] * dense(parts[0]) + weights[1] * dense(parts[1])
    got = applied(SpinHamiltonian(parts).frozen(weights), psi)
    assert np.abs(got - H @ psi).max() < 200 * 2.3e-16 * max(1.0, np.abs(H).sum(axis=0).max())


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)])
def test_each_tensor_component_alone(a, b):
    tensor = np.zeros((1, 3, 3))
    tensor[0, a, b] = tensor[0, b, a] = 1.0
    kernel = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    part = HamiltonianPart(field=np.zeros((2, 3)), tensors=tensor, kernels=kernel)
    H = np.column_stack(
        [applied(SpinHamiltonian([part]).frozen(), e) for e in np.eye(4, dtype=complex)]
    )
    want = np.kron(SPIN[b], SPIN[a]) + (0 if a == b else 1) * np.kron(SPIN[a], SPIN[b])
    np.testing.assert_allclose(H, want, atol=1e-15)


def test_energies_of_product_states():
    # Two spins up along z: E = j_z/4; along x: j_perp/4; opposite along z: -j_z/4.
    part = power_law_xxz(2, exponent=3.0, j_perp=0.7, j_z=-1.9)
    H = SpinHamiltonian([part]).frozen()
    for directions, energy in (
        ([[0, 0, 1], [0, 0, 1]], -1.9 / 4),
        ([[1, 0, 0], [1, 0, 0]], 0.7 / 4),
        ([[0, 0, 1], [0, 0, -1]], 1.9 / 4),
    ):
        psi = product_state(np.array(directions, dtype=float))
        assert np.vdot(psi, applied(H, psi)).real == pytest.approx(energy, abs=1e-15)


def test_frames_are_counted():
    none = np.zeros((2, 3))
    kernel = 1.0 - np.eye(2)[None]
    ising = HamiltonianPart(field=none, tensors=np.diag([0, 0, 1.0])[None], kernels=kernel)
    along_x = HamiltonianPart(
        field=np.tile([1.0, 0, 0], (2, 1)),
        tensors=np.zeros((0, 3, 3)),
        kernels=np.zeros((0, 2, 2)),
    )
    assert required_frames([ising]) == 1
    assert required_frames([ising, along_x]) == 2
    assert required_frames([power_law_xxz(3, 3.0, 1.0, 0.5)]) == 3
    assert required_frames([random_part(np.random.default_rng(0), 3)]) == 6
    nothing = HamiltonianPart(field=none, tensors=ising.tensors, kernels=0 * kernel)
    assert required_frames([nothing]) == 0


def test_threads_change_nothing():
    rng = np.random.default_rng(3)
    n = 15
    assert 1 << n >= frames.SMALLEST_THREADED_SIZE
    part, psi = random_part(rng, n, n_tensors=1), random_state(rng, n)
    one, three = (applied(SpinHamiltonian([part], threads=k).frozen(), psi) for k in (1, 3))
    np.testing.assert_array_equal(one, three)
    # Self-adjoint: <phi|H psi> = <H phi|psi>.
    phi = random_state(rng, n)
    other = applied(SpinHamiltonian([part]).frozen(), phi)
    assert abs(np.vdot(phi, one) - np.vdot(other, psi)) < 1e-12


def test_product_state_has_the_requested_spins():
    rng = np.random.default_rng(0)
    n = random_directions(rng, 5)
    n[0], n[1] = (0, 0, 1), (0, 0, -1)
    psi = product_state(n)
    assert np.linalg.norm(psi) == pytest.approx(1.0, abs=1e-15)
    got = [[np.vdot(psi, site_operator(SPIN[a], i, 5) @ psi) for a in range(3)] for i in range(5)]
    np.testing.assert_allclose(got, n / 2, atol=1e-15)


def test_dicke_states_are_eigenstates_of_total_spin():
    n, up = 5, 2
    psi = dicke_state(n, spins_up=up)
    S = collective(n)
    np.testing.assert_allclose(S[2] @ psi, (up - n / 2) * psi, atol=1e-14)
    squared = sum(s @ s @ psi for s in S)
    np.testing.assert_allclose(squared, n / 2 * (n / 2 + 1) * psi, atol=1e-13)
    # S_+ takes |J, M> to sqrt(J(J+1) - M(M+1)) |J, M+1> with a positive sign.
    raised = (S[0] + 1j * S[1]) @ psi
    M = up - n / 2
    factor = np.sqrt(n / 2 * (n / 2 + 1) - M * (M + 1))
    np.testing.assert_allclose(raised, factor * dicke_state(n, spins_up=up + 1), atol=1e-14)


def test_coherent_state_in_the_symmetric_subspace():
    n = 6
    c = np.array([np.sqrt(comb(n, k) / 2**n) for k in range(n + 1)], dtype=complex)
    np.testing.assert_allclose(
        symmetric_state(c), product_state(np.tile([1.0, 0, 0], (n, 1))), atol=1e-15
    )


@settings(max_examples=20, deadline=None)
@given(n_spins=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_moments_equal_dense_expectations(n_spins, seed):
    rng = np.random.default_rng(seed)
    space = SpinHamiltonian([random_part(rng, n_spins)])
    psi = random_state(rng, n_spins)
    S = collective(n_spins)
    spin = np.array([np.vdot(psi, s @ psi).real for s in S])
    second = np.array([[np.vdot(a @ psi, b @ psi).real for a in S] for b in S])
    for action in (space.spin_action, spin_action):
        got_spin, got_covariance = collective_moments(psi, action(psi))
        np.testing.assert_allclose(got_spin, spin, atol=1e-14)
        np.testing.assert_allclose(got_covariance, second - np.outer(spin, spin), atol=1e-13)


def test_covariance_of_a_coherent_state_has_no_cancellation():
    # Var = N/4 across and exactly 0 along the mean spin, where <S_x^2> = N^2/4 cancels.
    n = 12
    space = SpinHamiltonian([power_law_xxz(n, 3.0, 1.0, 0.0)])
    psi = product_state(np.tile([1.0, 0, 0], (n, 1)))
    _, covariance = collective_moments(psi, space.spin_action(psi))
    np.testing.assert_allclose(covariance, np.diag([0, n / 4, n / 4]), atol=1e-14)
    assert abs(covariance[0, 0]) < 1e-28


@settings(max_examples=20, deadline=None)
@given(n_spins=st.integers(1, 5), seed=st.integers(0, 2**32 - 1), angle=st.floats(-7, 7))
def test_rotation_equals_matrix_exponential(n_spins, seed, angle):
    rng = np.random.default_rng(seed)
    psi, axis = random_state(rng, n_spins), random_directions(rng, 1)[0]
    mask = rng.random(n_spins) < 0.6
    generator = sum(
        axis[a] * site_operator(SPIN[a], i, n_spins) for i in np.flatnonzero(mask) for a in range(3)
    ) + np.zeros((1 << n_spins, 1 << n_spins))
    want = expm(-1j * angle * generator) @ psi
    rotate(psi, axis=axis, angle=angle, mask=mask)
    np.testing.assert_allclose(psi, want, atol=1e-13)


def test_rotation_is_right_handed():
    # A quarter turn about z takes +x to +y.
    psi = product_state(np.array([[1.0, 0, 0]]))
    rotate(psi, axis=np.array([0.0, 0, 1]), angle=np.pi / 2)
    assert abs(np.vdot(product_state(np.array([[0.0, 1, 0]])), psi)) == pytest.approx(1.0)


GOOD = {"field": np.zeros((2, 3)), "tensors": np.eye(3)[None], "kernels": 1.0 - np.eye(2)[None]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field": np.zeros((2, 2))}, r"field must have shape \(N, 3\)"),
        ({"kernels": np.zeros((1, 3, 3))}, "kernels"),
        ({"field": np.full((2, 3), np.nan)}, "field must be finite"),
        ({"tensors": np.array([[[0, 1, 0], [0, 0, 0], [0, 0, 0]]])}, "tensors must be symmetric"),
        ({"kernels": np.array([[[0, 1], [2, 0]]])}, "kernels must be symmetric"),
        ({"kernels": np.eye(2)[None]}, "zero diagonal"),
    ],
)
def test_bad_parts_are_refused(change, message):
    with pytest.raises(InvalidInput, match=message):
        HamiltonianPart(**(GOOD | change))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SpinHamiltonian([]), "parts must hold"),
        (lambda: SpinHamiltonian([HamiltonianPart(**GOOD)]).frozen(np.ones(2)), "weights must be"),
        (lambda: ProductFrames(31), "n_spins must be between"),
        (lambda: ProductFrames(2, threads=0), "threads must be"),
        (lambda: product_state(np.zeros(3)), "directions must have shape"),
        (lambda: product_state(np.zeros((2, 3))), "unit vectors"),
        (lambda: symmetric_state(np.ones(1)), "N \\+ 1 >= 2"),
        (lambda: symmetric_state(np.ones(3)), "normalised"),
        (lambda: dicke_state(3, spins_up=4), "spins_up must be between"),
        (lambda: rotate(np.ones(2, complex), axis=np.ones(3), angle=1.0), "axis must be a unit"),
        (
            lambda: rotate(np.ones(2, complex), axis=np.array([1.0, 0, 0]), angle=np.inf),
            "angle must be finite",
        ),
        (
            lambda: rotate(
                np.ones(2, complex), axis=np.array([1.0, 0, 0]), angle=1.0, mask=np.ones(2, bool)
            ),
            "mask must have length",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
