"""The symmetric subspace against brute force on 2^N and exact laws."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.symmetric.mixed import evolve_mixed, liouvillian
from spinsqueeze.methods.symmetric.steady import steady_mixed
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics.angular_momentum import coherent_amplitudes
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.collective_operators import (
    hamiltonian,
    mixed_moments,
    pure_moments,
    spin_operators,
)
from spinsqueeze.numerics.driven_schroedinger import evolve_pure_driven
from spinsqueeze.numerics.krylov.orthogonal import unitary_evolution

LOWER = np.array([1, -1j, 0])
relaxed = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def random_parts(seed):
    rng = np.random.default_rng(seed)
    Q = rng.normal(size=(3, 3))
    jumps = [
        (float(rng.uniform(0.1, 1)), rng.normal(size=3) + 1j * rng.normal(size=3))
        for _ in range(seed % 3 or 1)
    ]
    return Q + Q.T, rng.normal(size=3), jumps, rng.normal(size=3)


@relaxed
@given(seed=st.integers(0, 10**6), n_spins=st.integers(1, 6))
def test_pure_evolution(brute_force, seed, n_spins):
    Q, b, _, direction = random_parts(seed)
    exact = brute_force(n_spins, Q, b)
    energies, basis = np.linalg.eigh(exact.H)
    U = (basis * np.exp(-0.7j * energies)) @ basis.conj().T
    first, second = exact.moments(U @ exact.coherent(direction) @ U.conj().T)
    psi = unitary_evolution(
        hamiltonian(n_spins, quadratic=Q, field=b),
        state=coherent_amplitudes(n_spins / 2, direction),
        times=np.array([0.0, 0.7]),
    )
    spin, covariance = pure_moments(psi, n_spins=n_spins)
    assert np.abs(spin[1] - first).max() < 1e-9
    assert np.abs(covariance[1] - second).max() < 1e-9
    one = np.einsum("i,j->ij", psi[1], psi[1].conj())
    spin, covariance = mixed_moments(one, n_spins=n_spins)
    assert np.abs(spin - first).max() < 1e-9
    assert np.abs(covariance - second).max() < 1e-9


@relaxed
@given(
    seed=st.integers(0, 10**6),
    n_spins=st.integers(1, 4),
    algorithm=st.sampled_from(["polynomial", "rational"]),
)
def test_mixed_evolution_and_steady_state(brute_force, seed, n_spins, algorithm):
    Q, b, jumps, direction = random_parts(seed)
    exact = brute_force(n_spins, Q, b, jumps)
    psi = coherent_amplitudes(n_spins / 2, direction)
    rho = np.outer(psi, psi.conj())
    model = liouvillian(n_spins, quadratic=Q, field=b, jumps=jumps)
    run, error = evolve_mixed(
        model,
        state=rho,
        times=np.array([0.0, 0.5]),
        algorithm=algorithm,
        tolerance=1e-12,
    )
    assert 0 < error < 1e-11
    first, second = exact.moments(exact.evolve(exact.coherent(direction), 0.5))
    spin, covariance = mixed_moments(run, n_spins=n_spins)
    assert np.abs(spin[1] - first).max() < 1e-9
    assert np.abs(covariance[1] - second).max() < 1e-9
    assert np.abs(run[0] - rho).max() < 1e-15
    steady = steady_mixed(model, initial=rho)
    # the steady state of the maximal spin, from dense algebra in J = N/2
    S = [s.toarray() for s in spin_operators(n_spins)]
    D = n_spins + 1
    H = np.einsum("ab,aij,bjk->ik", Q, S, S) + np.einsum("a,aij->ij", b, S)
    L = [np.sqrt(r) * np.einsum("a,aij->ij", c, S) for r, c in jumps]
    X = -1j * H - sum(x.conj().T @ x for x in L) / 2
    total = np.kron(X, np.eye(D)) + np.kron(np.eye(D), X.conj())
    total = total + sum(np.kron(x, x.conj()) for x in L)
    assert np.abs(total @ steady.rho.ravel()).max() < 1e-11 * np.abs(total).max()
    assert np.trace(steady.rho) == pytest.approx(1.0)
    assert steady.zero_modes == 1


@pytest.mark.parametrize("N", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_twisting_of_many_spins(N):
    times = np.linspace(0, N ** (-2 / 3), 3)
    psi = on_one_thread(unitary_evolution)(
        hamiltonian(N, quadratic=np.diag([0, 0, 1.0])),
        state=coherent_amplitudes(N / 2, [1, 0, 0]),
        times=times,
    )
    spin, covariance = pure_moments(psi, n_spins=N)
    contrast = np.exp((N - 1) * np.log(np.cos(times)))
    assert np.abs(spin[:, 0] / (N / 2) - contrast).max() < 1e-10
    assert covariance[:, 2, 2] == pytest.approx(np.full(3, N / 4), rel=1e-9)
    # y variance of a twisted state: N/4 + N(N-1)/8 (1 - cos^{N-2} 2 chi t)
    yy = N / 4 + N * (N - 1) / 8 * -np.expm1((N - 2) * np.log(np.cos(2 * times)))
    assert covariance[:, 1, 1] == pytest.approx(yy, rel=1e-9)


@pytest.mark.usefixtures("brute_force")
def test_twisting_and_turning_with_a_strength_in_time():
    Q, b, _, direction = random_parts(3)
    twist, turn = hamiltonian(3, quadratic=Q), hamiltonian(3, field=b)
    rising = Envelope([0.0, 1.0], values=[1.0, 2.0])
    out, error = evolve_pure_driven(
        [twist, turn],
        drive=DriveWeights((1.0, rising)),
        state=coherent_amplitudes(1.5, direction),
        times=np.array([0.0, 0.4]),
        tolerance=1e-9,
    )
    from scipy.integrate import solve_ivp

    solution = solve_ivp(
        lambda t, y: -1j * (twist @ y + (1 + t) * (turn @ y)),
        (0, 0.4),
        coherent_amplitudes(1.5, direction),
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
    )
    assert 1e-11 < np.linalg.norm(out[1] - solution.y[:, -1]) < error < 1.1e-9
    with pytest.raises(InvalidInput, match="matrices must hold at least one"):
        evolve_pure_driven([], drive=DriveWeights(()), state=out[0], times=np.array([0.0]))
    with pytest.raises(InvalidInput, match="times must be ascending from at least 0"):
        evolve_pure_driven(
            [twist], drive=DriveWeights((rising,)), state=out[0], times=np.array([1, 0])
        )


@pytest.mark.parametrize("n_spins", [6, 40, 100])
def test_squeezed_decay_reaches_the_dark_state(n_spins):
    jump = np.cosh(2.5) * LOWER - np.sinh(2.5) * LOWER.conj()
    model = liouvillian(n_spins, jumps=[(1.0, jump)])
    assert np.unique(model.equation.component).size == 4
    found = steady_mixed(model)
    assert np.trace(found.rho @ found.rho).real == pytest.approx(1.0, abs=1e-8)
    spin, covariance = mixed_moments(found.rho, n_spins=n_spins)
    xi2 = n_spins * covariance[1, 1] / spin[2] ** 2
    assert xi2 > 2 / (n_spins + 2)
    if n_spins == 6:
        assert xi2 == pytest.approx(2 / 8, rel=1e-3)
    start = np.zeros((n_spins + 1, n_spins + 1), dtype=complex)
    start[-1, -1] = 1.0
    late, _ = evolve_mixed(model, state=start, times=np.array([1e-3, 1e3]))
    assert np.abs(late[1] - found.rho).max() < 1e-7


def test_dephasing_keeps_every_population():
    model = liouvillian(5, jumps=[(1.0, np.array([0, 0, 1.0]))])
    psi = coherent_amplitudes(2.5, [1, 0, 0.3])
    with pytest.raises(InvalidInput, match="independent steady states"):
        steady_mixed(model)
    found = steady_mixed(model, initial=np.outer(psi, psi.conj()))
    assert np.abs(found.rho - np.diag(np.abs(psi) ** 2)).max() < 1e-12


def test_a_closed_model_has_no_steady_state():
    with pytest.raises(InvalidInput, match="at least one jump"):
        steady_mixed(liouvillian(4, field=[0, 0, 1.0]))


def test_slow_processes_are_reported():
    # nearly conserved populations: relaxation slower than rounding of the fastest rate
    for rate, message in ((1e-14, "below rounding beside the fastest"), (1e-11, "slowest rate")):
        model = liouvillian(30, jumps=[(1.0, np.array([0, 0, 1.0])), (rate, LOWER)])
        with pytest.raises(NumericalFailure, match=message):
            steady_mixed(model)


def test_bad_arguments():
    H = hamiltonian(3, field=[0, 0, 1.0])
    psi = coherent_amplitudes(1.5, [0, 0, 1])
    with pytest.raises(InvalidInput, match="n_spins must be at least 1"):
        hamiltonian(0)
    with pytest.raises(InvalidInput, match="symmetric 3 x 3"):
        hamiltonian(2, quadratic=np.triu(np.ones((3, 3))))
    with pytest.raises(InvalidInput, match="times must be ascending"):
        unitary_evolution(H, state=psi, times=np.array([1.0, 0.0]))
    with pytest.raises(InvalidInput, match=r"N \+ 1 = 4 amplitudes"):
        unitary_evolution(H, state=psi[1:], times=np.array([1.0]))
    model = liouvillian(3, jumps=[(1.0, LOWER)])
    rho = np.outer(psi, psi.conj())
    with pytest.raises(InvalidInput, match="times must be ascending"):
        evolve_mixed(model, state=rho, times=np.array([-1.0]))
    with pytest.raises(InvalidInput, match="algorithm must be one of"):
        evolve_mixed(model, state=rho, times=np.array([1.0]), algorithm="euler")
