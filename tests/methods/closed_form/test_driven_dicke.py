"""The driven-Dicke steady state against the null space of its Liouvillian and 30-digit sums."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.closed_form import driven_dicke as dd


def spin_matrices(twice):
    q = np.arange(twice)
    plus = np.diag(np.sqrt((q + 1.0) * (twice - q)), -1).astype(complex)
    return (plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(np.arange(twice + 1) - twice / 2 + 0j)


def null_space(twice, rabi, decay_rate, chi, phase):
    """Steady state from the singular vector of the dense Liouvillian."""
    x, y, _ = spin_matrices(twice)
    minus = x - 1j * y
    plus = minus.conj().T
    hamiltonian = rabi * (math.cos(phase) * x + math.sin(phase) * y) + chi * plus @ minus
    one = np.eye(twice + 1)
    effective = -1j * hamiltonian - 0.5 * decay_rate * plus @ minus
    liouvillian = np.kron(effective, one) + np.kron(one, effective.conj())
    liouvillian += decay_rate * np.kron(minus, minus.conj())
    _, _, right = np.linalg.svd(liouvillian)
    rho = right[-1].conj().reshape(twice + 1, twice + 1)
    return rho / np.trace(rho)


@pytest.mark.parametrize("twice", [1, 2, 3, 8, 20])
@pytest.mark.parametrize("strength", [0.05, 0.5, 0.95, 1.1, 4.0])
@pytest.mark.parametrize("chi", [0.0, 0.8, -1.5])
def test_null_space_of_the_liouvillian(twice, strength, chi):
    decay_rate, phase = 1.3, 0.4
    rabi = strength * twice / 2 * abs(complex(decay_rate, 2 * chi))
    arguments = {"rabi": rabi, "decay_rate": decay_rate, "chi": chi, "phase": phase}
    exact = null_space(twice, rabi, decay_rate, chi, phase)
    rho = dd.driven_dicke_density_matrix(twice / 2, **arguments)
    assert rho == pytest.approx(exact, abs=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    twice=st.integers(0, 14),
    rabi=st.floats(-30, 30),
    decay_rate=st.floats(0.1, 5),
    chi=st.floats(-4, 4),
    phase=st.floats(-7, 7),
)
@example(twice=1, rabi=5e-324, decay_rate=1.0, chi=0.0, phase=1.0)
@example(twice=4, rabi=1e-160, decay_rate=1.0, chi=0.3, phase=1.0)
def test_master_equation_and_every_moment(twice, rabi, decay_rate, chi, phase):
    arguments = {"rabi": rabi, "decay_rate": decay_rate, "chi": chi, "phase": phase}
    rho = dd.driven_dicke_density_matrix(twice / 2, **arguments)
    spins = spin_matrices(twice)
    minus = spins[0] - 1j * spins[1]
    plus = minus.conj().T
    hamiltonian = rabi * (math.cos(phase) * spins[0] + math.sin(phase) * spins[1])
    hamiltonian = hamiltonian + chi * plus @ minus
    flow = -1j * (hamiltonian @ rho - rho @ hamiltonian) + decay_rate * (
        minus @ rho @ plus - 0.5 * (plus @ minus @ rho + rho @ plus @ minus)
    )
    scale = (twice + 1) ** 2 * (abs(rabi) + decay_rate + abs(chi))
    assert np.abs(flow).max() < 1e-13 * scale
    state = dd.driven_dicke_steady_state(twice / 2, **arguments)
    mean = np.array([np.trace(a @ rho).real for a in spins])
    second = np.array(
        [[np.trace(a @ b @ rho + b @ a @ rho).real / 2 for b in spins] for a in spins]
    )
    tolerance = 1e-11 * (twice + 1) ** 2
    assert state.spin == pytest.approx(mean, abs=tolerance)
    assert state.covariance == pytest.approx(second - np.outer(mean, mean), abs=tolerance)
    assert state.emission == pytest.approx(np.trace(plus @ minus @ rho).real, abs=tolerance)
    assert state.purity == pytest.approx(np.trace(rho @ rho).real, abs=1e-11)
    leak = minus + state.amplitude * np.eye(twice + 1)
    assert state.jump_norm == pytest.approx(
        np.trace(leak.conj().T @ leak @ rho).real, abs=tolerance * (1 + abs(state.amplitude))
    )


def exact(n_spins, beta):
    """<S_z>, Var S_z and kappa from the recursion of the bidiagonal inverse, 30 digits."""
    with mpmath.workdps(30):
        square = mpmath.mpf(beta) ** 2
        value = total = first = second = mpmath.mpf(0)
        for q in range(n_spins, -1, -1):
            value = (1 + (q + 1) * (n_spins - q) * value) / square
            m = q - mpmath.mpf(n_spins) / 2
            total += value
            first += m * value
            second += m * m * value
        mean = first / total
        return float(mean), float(second / total - mean**2), float((n_spins + 1) / total)


@pytest.mark.parametrize("n_spins", [37, 2000])
@pytest.mark.parametrize("strength", [0.3, 0.89, 0.91, 0.99, 1.0, 1.01, 1.5, 100.0])
def test_full_precision(n_spins, strength):
    beta = strength * n_spins / 2
    state = dd.driven_dicke_steady_state(n_spins / 2, rabi=beta, decay_rate=1.0)
    mean, variance, kappa = exact(n_spins, beta)
    assert state.spin[2] == pytest.approx(mean, rel=1e-12)
    assert state.covariance[2, 2] == pytest.approx(variance, rel=1e-11)
    assert state.jump_norm == pytest.approx(kappa, rel=1e-11)
    emission = beta**2 - kappa
    if emission > 0.01 * beta**2:
        assert state.emission == pytest.approx(emission, rel=1e-10)


@pytest.mark.parametrize("strength", [0.0, 1e-9, 0.5, 0.999, 1.0, 1.01, 2.0, 1e6])
def test_a_million_spins_stay_finite(strength):
    n_spins = 1_000_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state = dd.driven_dicke_steady_state(n_spins / 2, rabi=strength * n_spins / 2, decay_rate=1)
    assert np.all(np.isfinite(state.spin))
    assert np.all(np.linalg.eigvalsh(state.covariance) > -1e-9 * n_spins)
    assert 0 < state.purity < 1 + 1e-8
    assert np.trace(state.covariance) + state.spin @ state.spin == pytest.approx(
        n_spins / 2 * (n_spins / 2 + 1), rel=1e-10
    )


def test_superradiant_squeezing_is_the_cosine_of_the_tilt():
    # below threshold, up to exponentially small terms: Var S_perp = |<S_z>|/2, <S_minus> = -b
    n_spins, strength = 10_000, 0.8
    state = dd.driven_dicke_steady_state(n_spins / 2, rabi=strength * n_spins / 2, decay_rate=1.0)
    xi2 = n_spins * state.covariance[0, 0] / (state.spin @ state.spin)
    assert xi2 == pytest.approx(math.sqrt(1 - strength**2), rel=3 / n_spins)
    assert state.jump_norm == 0 or state.jump_norm < 1e-100


def test_exchange_moves_the_threshold_to_sqrt_gamma2_plus_4_chi2():
    # tucker2020 Eq. (3): Upsilon_c = 2 Omega_c/N = sqrt(Gamma^2 + 4 chi^2)
    n_spins, decay_rate, chi = 3000, 1.0, 0.7
    critical = n_spins / 2 * math.hypot(decay_rate, 2 * chi)
    below = dd.driven_dicke_steady_state(
        n_spins / 2, rabi=0.9 * critical, decay_rate=decay_rate, chi=chi
    )
    above = dd.driven_dicke_steady_state(
        n_spins / 2, rabi=1.1 * critical, decay_rate=decay_rate, chi=chi
    )
    assert below.spin[2] / (n_spins / 2) == pytest.approx(-math.sqrt(1 - 0.81), rel=2e-3)
    assert abs(above.spin[2]) / (n_spins / 2) < 1e-2


def test_no_drive_is_the_ground_state():
    state = dd.driven_dicke_steady_state(4.5, rabi=0.0, decay_rate=2.0, chi=0.3)
    assert state.spin == pytest.approx([0, 0, -4.5])
    assert state.covariance == pytest.approx(np.diag([2.25, 2.25, 0]))
    assert (state.emission, state.jump_norm, state.purity) == (0, 0, 1)


def test_errors():
    with pytest.raises(InvalidInput, match=r"total_spin must be a multiple of 1/2, got 1\.2"):
        dd.driven_dicke_steady_state(1.2, rabi=1.0, decay_rate=1.0)
    with pytest.raises(InvalidInput, match="decay_rate must be above 0, got 0"):
        dd.driven_dicke_steady_state(1, rabi=1.0, decay_rate=0.0)
    with pytest.raises(InvalidInput, match=r"decay_rate \+ 2i chi\) must be at most 1e\+100"):
        dd.driven_dicke_steady_state(1, rabi=1e101, decay_rate=1.0)
    with pytest.raises(InvalidInput, match="rabi must be finite"):
        dd.driven_dicke_density_matrix(1, rabi=math.inf, decay_rate=1.0)
