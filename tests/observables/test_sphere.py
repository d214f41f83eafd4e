"""Husimi and Wigner functions against qutip, closed forms and sum rules."""

import numpy as np
import pytest
import qutip
from scipy.special import gammaln

from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.observables import sphere, wigner_kernel

from .helpers import sphere_grid

LARGE = 10_000  # 2j at j = 5000


def coherent(two_j, theta, phi):
    k = np.arange(two_j + 1)
    return sphere.coherent_magnitudes(two_j, theta=np.array([theta]))[0] * np.exp(1j * k * phi)


def random_state(two_j, *, mixed, seed=0):
    rng = np.random.default_rng(seed)
    shape = (two_j + 1, two_j + 1) if mixed else (two_j + 1,)
    a = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    if not mixed:
        return a / np.linalg.norm(a)
    rho = a @ a.conj().T
    return rho / np.trace(rho)


def coherent_wigner(two_j, angle):
    """sum_l t_l(j) sqrt(2l+1) P_l(cos angle) sqrt(2j+1)/(4 pi): multipoles of a coherent state."""
    l = np.arange(min(two_j, 1500) + 1.0)  # noqa: E741 - the physics' letter
    log_t = 0.5 * np.log(2 * l + 1) + gammaln(two_j + 1)
    log_t -= 0.5 * (gammaln(two_j - l + 1) + gammaln(two_j + l + 2))
    series = np.exp(log_t) * np.sqrt(2 * l + 1)
    value = np.polynomial.legendre.legval(np.cos(angle), series)
    return value * np.sqrt(two_j + 1) / (4 * np.pi)


@pytest.mark.parametrize("two_j", [0, 1, 2, 7, 8, 41, LARGE])
def test_kernel_sum_rules(two_j):
    kernel = wigner_kernel.wigner_kernel_eigenvalues(two_j)
    m = two_j / 2 - np.arange(two_j + 1)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-14 * (two_j + 10))
    assert (kernel**2).sum() == pytest.approx(two_j + 1, rel=1e-12)
    if two_j:  # dipole: sum_m Delta_m t_1(m) = sqrt(3/(2j+1))
        dipole = (kernel @ m) / np.sqrt(np.sum(m**2))
        assert dipole == pytest.approx(np.sqrt(3 / (two_j + 1)), rel=1e-9)


def test_kernel_of_one_half():
    expected = [(1 + np.sqrt(3)) / 2, (1 - np.sqrt(3)) / 2]
    np.testing.assert_allclose(wigner_kernel.wigner_kernel_eigenvalues(1), expected, rtol=1e-14)


@pytest.mark.parametrize("two_j", [1, 2, 15, 16, 47])
def test_rotation_elements_match_the_matrix_exponential(two_j):
    theta = np.array([0.0, 1e-3, 0.4, np.pi / 2, 2.5, 3.1, np.pi])
    d = wigner_kernel.rotation_elements(two_j, first=0, last=two_j, theta=theta)
    for i, angle in enumerate(theta):
        exact = (-1j * angle * qutip.jmat(two_j / 2, "y")).expm().full().real
        np.testing.assert_allclose(d[:, i, :].T, exact, atol=1e-13)


def test_rotation_elements_at_5000_are_orthonormal_and_binomial_at_the_end():
    theta = np.array([0.02, 1.1, 2.9])
    d = wigner_kernel.rotation_elements(LARGE, first=5100, last=5102, theta=theta)
    overlap = np.einsum("uti,utj->tij", d, d)
    np.testing.assert_allclose(overlap, np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-10)
    binomial = sphere.coherent_magnitudes(LARGE, theta=theta)[:, 5100:5103]
    np.testing.assert_allclose(d[0], binomial, rtol=1e-8, atol=1e-290)
    assert np.all(np.isfinite(d))


@pytest.mark.parametrize("two_j", [1, 2, 5, 12])
@pytest.mark.parametrize("mixed", [False, True])
def test_small_spins_match_qutip(two_j, mixed):
    state = random_state(two_j, mixed=mixed)
    theta, phi = np.linspace(0, np.pi, 7), np.linspace(0, 2 * np.pi, 9)
    measure = (two_j + 1) / (4 * np.pi)
    q, _, _ = qutip.spin_q_function(qutip.Qobj(state), theta, phi)
    w, _, _ = qutip.spin_wigner(qutip.Qobj(state), theta, phi)
    ours_q = sphere.husimi(state, theta=theta, phi=phi)
    ours_w = sphere.wigner(state, theta=theta, phi=phi)
    np.testing.assert_allclose(ours_q, measure * np.asarray(q).real.T, atol=1e-12)
    np.testing.assert_allclose(ours_w, np.sqrt(measure) * np.asarray(w).real.T, atol=1e-11)


@pytest.mark.parametrize("mixed", [False, True])
def test_both_functions_integrate_to_one_and_give_the_mean_spin(mixed):
    state = random_state(9, mixed=mixed, seed=3)
    theta, phi, weights = sphere_grid(10)
    ket = qutip.Qobj(state)
    j = 4.5
    for function, symbol in [(sphere.husimi, j + 1), (sphere.wigner, np.sqrt(j * (j + 1)))]:
        density = function(state, theta=theta, phi=phi) * weights
        assert density.sum() == pytest.approx(1.0, abs=1e-12)
        sine = np.sin(theta)[:, None]
        sx = symbol * np.sum(density * sine * np.cos(phi))
        sy = symbol * np.sum(density * sine * np.sin(phi))
        sz = symbol * np.sum(density * np.cos(theta)[:, None])
        exact = [qutip.expect(qutip.jmat(j, a), ket) for a in "xyz"]
        np.testing.assert_allclose([sx, sy, sz], exact, atol=1e-11)


def test_pure_vector_and_its_density_matrix_agree():
    psi = random_state(30, mixed=False)
    angles = {"theta": np.linspace(0, np.pi, 5), "phi": np.linspace(0, 6, 4)}
    for function in (sphere.husimi, sphere.wigner):
        np.testing.assert_allclose(
            function(psi, **angles), function(np.outer(psi, psi.conj()), **angles), atol=1e-12
        )


def test_husimi_of_a_coherent_state_at_5000():
    psi = coherent(LARGE, 1.2, 0.7)
    theta, phi = np.linspace(0, np.pi, 60), np.linspace(0, 2 * np.pi, 50)
    theta = np.append(theta, [1.2, 1.205])
    phi = np.append(phi, [0.7, 0.71])
    cosine = np.cos(theta)[:, None] * np.cos(1.2)
    cosine = cosine + np.sin(theta)[:, None] * np.sin(1.2) * np.cos(phi - 0.7)
    exact = (LARGE + 1) / (4 * np.pi) * ((1 + cosine) / 2) ** LARGE
    ours = sphere.husimi(psi, theta=theta, phi=phi)
    np.testing.assert_allclose(ours, exact, atol=1e-8 * exact.max())


def test_wigner_of_a_coherent_state_at_5000():
    psi = coherent(LARGE, np.pi / 2, 0.3)
    phi = 0.3 + np.array([-0.5, -0.02, 0.0, 0.01, 0.03, 2.0])
    ours = sphere.wigner(psi, theta=[np.pi / 2], phi=phi)[0]
    exact = coherent_wigner(LARGE, phi - 0.3)
    np.testing.assert_allclose(ours, exact, atol=1e-8 * exact.max())


def test_dicke_state_at_5000():
    psi = np.zeros(LARGE + 1)
    psi[5000] = 1.0  # m = 0
    kernel = wigner_kernel.wigner_kernel_eigenvalues(LARGE)
    theta = np.array([0.0, 0.9, np.pi / 2, np.pi])
    ours = sphere.wigner(psi, theta=theta, phi=[0.0, 1.0])
    measure = (LARGE + 1) / (4 * np.pi)
    np.testing.assert_allclose(ours[[0, 3]], measure * kernel[5000], rtol=1e-9)
    np.testing.assert_allclose(ours[:, 0], ours[:, 1], rtol=1e-12)
    # around the equator W of |j, 0> oscillates about the ring; Q is binomial
    q = sphere.husimi(psi, theta=theta, phi=[0.0])
    expected = measure * sphere.coherent_magnitudes(LARGE, theta=theta)[:, 5000] ** 2
    np.testing.assert_allclose(q[:, 0], expected, rtol=1e-10)


@pytest.mark.slow
def test_one_axis_twisted_state_at_2000_integrates_to_one():
    """The marginal over phi at fixed theta depends on populations alone: twisting leaves it."""
    two_j = 4000
    k = np.arange(two_j + 1)
    untwisted = coherent(two_j, np.pi / 2, 0.0)
    twisted = untwisted * np.exp(-2.5e-3j * (2000 - k) ** 2)
    theta = np.array([np.pi / 2 - 0.012, np.pi / 2, np.pi / 2 + 0.02])
    n_phi = 1024
    phi = 2 * np.pi * np.arange(n_phi) / n_phi
    marginal = sphere.wigner(twisted, theta=theta, phi=phi).sum(axis=1)
    reference = sphere.wigner(untwisted, theta=theta, phi=phi).sum(axis=1)
    np.testing.assert_allclose(marginal, reference, rtol=1e-8)
    # near the equator the measure is flat: a band of +-6 standard deviations holds all
    nodes, weights = np.polynomial.legendre.leggauss(18)
    half = 6 / np.sqrt(two_j)
    band = sphere.wigner(twisted, theta=np.arccos(half * nodes), phi=phi)
    total = np.sum(weights * half * band.sum(axis=1)) * 2 * np.pi / n_phi
    assert total == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.ones((2, 3)), "vector of 2j\\+1 amplitudes"),
        ({"x": 1.0}, r"final_state\(data\) .*, got a dict$"),
        ([1.0, np.nan], "finite"),
        ([1.0, 1.0], "normalised"),
        ([[0.5, 1.0], [0.0, 0.5]], "Hermitian"),
    ],
)
@pytest.mark.parametrize("function", [sphere.husimi, sphere.wigner])
def test_bad_states(function, state, message):
    with pytest.raises(InvalidInput, match=message):
        function(state, theta=[0.1], phi=[0.1])


@pytest.mark.parametrize(
    ("theta", "message"), [([90.0], r"\[0, pi\]"), ([[0.1]], "vectors of finite angles")]
)
def test_bad_angles(theta, message):
    with pytest.raises(InvalidInput, match=message):
        sphere.husimi([1.0, 0.0], theta=theta, phi=[0.0])


def test_wigner_over_budget():
    with pytest.raises(TooLarge, match="occupied values of m"):
        sphere.wigner(coherent(100, 1.0, 0.0), theta=[0.1], phi=[0.0], memory_budget=1e4)
