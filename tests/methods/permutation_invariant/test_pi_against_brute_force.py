"""Random small models against dense matrices on 2^N: evolution, steady states, information."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.methods.permutation_invariant.product_mixture import product_mixture

from spinsqueeze.methods.permutation_invariant.evolution import evolve, evolve_driven
from spinsqueeze.methods.permutation_invariant.generator import generator
from spinsqueeze.methods.permutation_invariant.spectrum import slow_modes
from spinsqueeze.methods.permutation_invariant.steady import steady_state
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics.block_states import (
    coherent_state,
    dicke_state,
    moments,
    shell_populations,
    without_one_spin,
)
from spinsqueeze.observables.block_states import (
    axis_distribution,
    block_spectra,
    entropy,
    husimi,
    purity,
)
from spinsqueeze.observables.qfi import block_fisher_matrix, fisher_information

relaxed = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def random_model(seed, *, n_collective=1, n_local=1, hamiltonian=True):
    """Random arrays; `seed % 4` switches on symmetric families so that every sector kind occurs."""
    rng = np.random.default_rng(seed)
    kind = seed % 4
    Q = rng.normal(size=(3, 3))
    Q, b = Q + Q.T, rng.normal(size=3)

    def vector():
        c = rng.normal(size=3) + 1j * rng.normal(size=3)
        if kind == 1:  # parity about z
            c[2] = 0.0
        if kind == 2:  # U(1) about z
            c = np.array([1, -1j, 0]) if rng.random() < 0.5 else np.array([0, 0, 1.0])
        if kind == 3:  # real matrices
            c = np.array([c[0].real, 1j * c[1].imag, c[2].real])
        return c

    if kind == 1:
        Q[:2, 2] = Q[2, :2] = 0.0
        b[:2] = 0.0
    if kind == 2:
        Q, b = np.diag([Q[0, 0], Q[0, 0], Q[2, 2]]), np.array([0, 0, b[2]])
    if kind == 3:
        mask = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        Q, b = Q * mask, np.array([0, b[1], 0])
    if not hamiltonian:
        Q, b = np.zeros((3, 3)), np.zeros(3)
    collective = [(float(rng.uniform(0.1, 1)), vector()) for _ in range(n_collective)]
    local = [(float(rng.uniform(0.1, 1)), vector()) for _ in range(n_local)]
    return Q, b, collective, local, rng.normal(size=3)


def both(brute_force, n_spins, parts):
    Q, b, collective, local, _ = parts
    model = generator(n_spins, quadratic=Q, field=b, collective_jumps=collective, local_jumps=local)
    return model, brute_force(n_spins, Q, b, collective, local)


@relaxed
@given(
    seed=st.integers(0, 10**6),
    n_spins=st.integers(1, 4),
    n_collective=st.integers(0, 2),
    n_local=st.integers(0, 2),
    algorithm=st.sampled_from(["polynomial", "rational"]),
)
def test_evolution(brute_force, seed, n_spins, n_collective, n_local, algorithm):
    parts = random_model(seed, n_collective=n_collective, n_local=n_local)
    model, exact = both(brute_force, n_spins, parts)
    run = evolve(
        model,
        state=coherent_state(n_spins, direction=parts[4]),
        times=np.array([0.0, 0.1, 0.4]),
        algorithm=algorithm,
        tolerance=1e-12,
    )
    trace, spin, covariance = run.moments()
    for index, time in enumerate(run.times):
        first, second = exact.moments(exact.evolve(exact.coherent(parts[4]), time))
        assert np.abs(spin[index] - first).max() < 1e-9
        assert np.abs(covariance[index] - second).max() < 1e-9
    assert np.abs(trace - 1).max() < 1e-11


@pytest.mark.parametrize("n_spins", [5, 6])
@pytest.mark.parametrize("seed", range(4))
def test_evolution_of_five_and_six_spins(brute_force, n_spins, seed):
    parts = random_model(seed, n_collective=1, n_local=2)
    model, exact = both(brute_force, n_spins, parts)
    first, second = exact.moments(exact.taylor(exact.coherent(parts[4]), 0.2, steps=8))
    run = evolve(
        model,
        state=coherent_state(n_spins, direction=parts[4]),
        times=np.array([0.2]),
        tolerance=1e-12,
    )
    _, spin, covariance = run.moments()
    assert np.abs(spin[0] - first).max() < 1e-9
    assert np.abs(covariance[0] - second).max() < 1e-9


@pytest.mark.parametrize(("n_spins", "seed"), [(5, 0), (5, 1), (5, 3), (6, 0), (6, 1)])
def test_steady_state_of_five_and_six_spins(brute_force, n_spins, seed):
    from scipy.sparse.linalg import LinearOperator, gmres

    parts = random_model(seed, n_collective=1, n_local=2)
    model, exact = both(brute_force, n_spins, parts)
    D = 2**n_spins
    one = np.eye(D) / D
    # (L + |1/D>> <<1|) rho = 1/D has the steady state of trace 1 as its only solution
    # flow() assumes a Hermitian argument: split into Hermitian and antiHermitian parts

    def shifted(vector):
        rho = vector.reshape(D, D)
        even, odd = (rho + rho.conj().T) / 2, (rho - rho.conj().T) / 2j
        flow = exact.flow(even) + 1j * exact.flow(odd)
        return (flow + one * np.trace(rho)).ravel()

    operator = LinearOperator((D * D, D * D), matvec=shifted, dtype=complex)
    solution, failed = gmres(operator, one.ravel(), rtol=1e-12, restart=300, maxiter=3)
    assert failed == 0
    first, second = exact.moments(solution.reshape(D, D))
    spin, covariance = moments(steady_state(model).state, n_spins=n_spins)
    assert np.abs(spin - first).max() < 1e-9
    assert np.abs(covariance - second).max() < 1e-9


@relaxed
@given(seed=st.integers(0, 10**6), n_spins=st.integers(1, 4), hamiltonian=st.booleans())
def test_steady_state(brute_force, seed, n_spins, hamiltonian):
    seed = seed - seed % 4 + (seed % 4) * (seed % 4 != 2)  # U(1) families may be degenerate
    parts = random_model(seed, n_collective=1, n_local=2, hamiltonian=hamiltonian)
    model, exact = both(brute_force, n_spins, parts)
    found = steady_state(model)
    spin, covariance = moments(found.state, n_spins=n_spins)
    first, second = exact.moments(exact.steady())
    assert np.abs(spin - first).max() < 1e-9
    assert np.abs(covariance - second).max() < 1e-9
    assert found.unique
    assert found.zero_modes == 1
    assert found.residual < 1e-13


@pytest.mark.parametrize("seed", range(4))
def test_gap_is_that_of_the_symmetric_operators(brute_force, seed):
    # Every mode of the block state is an eigenvalue on 4^N; the slowest one must be found.
    parts = random_model(seed, n_collective=1, n_local=1, hamiltonian=False)
    model, exact = both(brute_force, 3, parts)
    values = np.linalg.eigvals(exact.superoperator())
    found = slow_modes(model, n_modes=6)
    assert found.zero_modes >= 1
    for mode in found.modes:
        assert np.abs(values - mode.eigenvalue).min() < 1e-9
        assert mode.residual < 1e-12
    # the block operators of three spins: 20 numbers, all eigenvalues listed in 4 sectors or fewer
    assert found.gap == pytest.approx(min(-m.eigenvalue.real for m in found.modes))


@pytest.mark.parametrize("n_spins", [2, 3, 4])
def test_information(brute_force, n_spins):
    parts = random_model(4, n_collective=1, n_local=1)
    model, exact = both(brute_force, n_spins, parts)
    state = evolve(
        model,
        state=coherent_state(n_spins, direction=parts[4]),
        times=np.array([0.3]),
        tolerance=1e-13,
    ).state(0)
    rho = exact.evolve(exact.coherent(parts[4]), 0.3)
    values, vectors = np.linalg.eigh(rho)
    assert purity(state, n_spins=n_spins) == pytest.approx(np.sum(values**2), abs=1e-11)
    assert entropy(state, n_spins=n_spins) == pytest.approx(
        -np.sum(values * np.log(values)), abs=1e-9
    )
    assert min(map(np.min, block_spectra(state, n_spins=n_spins))) > -1e-13
    weight = 2 * (values[:, None] - values) ** 2 / (values[:, None] + values)
    S = [vectors.conj().T @ s @ vectors for s in exact.S]
    expected = np.array([[np.sum(weight * p * q.conj()).real for q in S] for p in S])
    fisher = block_fisher_matrix(state, n_spins=n_spins)
    assert np.abs(fisher - expected).max() < 1e-9
    assert fisher_information(fisher) == pytest.approx(np.linalg.eigvalsh(expected)[-1])
    n = parts[4] / np.linalg.norm(parts[4])
    assert fisher_information(fisher, direction=n) == pytest.approx(n @ expected @ n)
    outcomes, probability = axis_distribution(state, n_spins=n_spins, direction=n)
    levels, basis = np.linalg.eigh(np.einsum("a,aij->ij", n, exact.S))
    diagonal = np.einsum("ia,ij,ja->a", basis.conj(), rho, basis).real
    for m, p in zip(outcomes, probability, strict=True):
        assert p == pytest.approx(diagonal[np.abs(levels - m) < 1e-9].sum(), abs=1e-11)


@pytest.mark.parametrize("n_spins", [2, 3, 4, 5])
def test_loss_of_one_spin_is_the_partial_trace(brute_force, n_spins):
    parts = random_model(8, n_collective=1, n_local=1)
    model, exact = both(brute_force, min(n_spins, 4), parts)
    if n_spins <= 4:
        state = evolve(
            model,
            state=coherent_state(n_spins, direction=parts[4]),
            times=np.array([0.3]),
            tolerance=1e-13,
        ).state(0)
        rho = exact.evolve(exact.coherent(parts[4]), 0.3)
        first, second = brute_force(n_spins - 1).moments(
            np.einsum("iaja->ij", rho.reshape(2 ** (n_spins - 1), 2, 2 ** (n_spins - 1), 2))
        )
        spin, covariance = moments(without_one_spin(state, n_spins=n_spins), n_spins=n_spins - 1)
        assert np.abs(spin - first).max() < 1e-11
        assert np.abs(covariance - second).max() < 1e-11
    # identical independent spins stay what they are
    bloch = np.array([0.3, 0.2, -0.4])
    after = without_one_spin(product_mixture(n_spins, bloch=bloch), n_spins=n_spins)
    assert np.abs(after - product_mixture(n_spins - 1, bloch=bloch)).max() < 1e-13


def test_product_mixture(brute_force):
    bloch = np.array([0.3, 0.2, -0.4])
    exact = brute_force(4)
    rho = exact.product(bloch)
    state = product_mixture(4, bloch=bloch)
    first, second = exact.moments(rho)
    spin, covariance = moments(state, n_spins=4)
    assert np.abs(spin - first).max() < 1e-13
    assert np.abs(covariance - second).max() < 1e-13
    assert purity(state, n_spins=4) == pytest.approx(np.trace(rho @ rho).real)
    infinite = product_mixture(4, bloch=[0, 0, 0])
    assert purity(infinite, n_spins=4) == pytest.approx(1 / 16)
    assert entropy(infinite, n_spins=4) == pytest.approx(4 * np.log(2))
    assert shell_populations(infinite, n_spins=4) == pytest.approx(np.array([5, 9, 2]) / 16)


def test_husimi_integrates_to_one():
    cosines, weights = np.polynomial.legendre.leggauss(12)
    phi = 2 * np.pi * np.arange(24) / 24
    sine = np.sqrt(1 - cosines**2)
    points = np.stack(
        [np.outer(sine, np.cos(phi)), np.outer(sine, np.sin(phi)), np.outer(cosines, np.ones(24))],
        axis=-1,
    ).reshape(-1, 3)
    measure = np.repeat(weights * 2 * np.pi / 24, 24)
    state = product_mixture(5, bloch=[0.5, 0.1, 0.2])
    assert husimi(state, n_spins=5, directions=points) @ measure == pytest.approx(1.0)
    top = husimi(dicke_state(5, m=2.5), n_spins=5, directions=np.array([[0, 0, 1.0]]))
    assert top[0] == pytest.approx(6 / (4 * np.pi))


def test_driven_evolution_follows_a_time_dependent_strength(brute_force):
    parts = random_model(0)
    Q, b, collective, local, direction = parts
    fixed = generator(3, collective_jumps=collective, local_jumps=local)
    moving = generator(3, quadratic=Q, field=b)
    state = coherent_state(3, direction=direction)
    cosine = Envelope.from_function(lambda t: np.cos(3 * t), start=0.0, stop=0.5, tolerance=1e-11)
    run = evolve_driven(
        [fixed, moving],
        drive=DriveWeights((1.0, cosine)),
        state=state,
        times=np.array([0.0, 0.5]),
        tolerance=1e-8,
    )
    off = brute_force(3, None, None, collective, local).superoperator()
    on = brute_force(3, Q, b).superoperator()
    from scipy.integrate import solve_ivp

    exact = brute_force(3)
    rho = exact.coherent(direction).ravel()
    solution = solve_ivp(
        lambda t, y: off @ y + np.cos(3 * t) * (on @ y),
        (0, 0.5),
        rho,
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
    )
    first, second = exact.moments(solution.y[:, -1].reshape(8, 8))
    _, spin, covariance = run.moments()
    assert run.error < 1.1e-8
    assert 1e-11 < np.abs(spin[1] - first).max() < run.error * 3 / 2
    assert np.abs(covariance[1] - second).max() < 9 * run.error
