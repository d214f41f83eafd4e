"""Squeezed collective decay: dark states and frustrated steady states against brute force."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from tests.rounding import EPS, rounding

from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.methods.closed_form import dark_states as ds

SPINS = [0.5, 1, 1.5, 2, 3.5, 4, 10, 10.5]
STRENGTHS = [-1.3, -0.2, 1e-3, 0.3, 1.0, 2.5, 6.0]


def spin_matrices(j):
    """S_x, S_y, S_z over m = -j ... j."""
    twice = round(2 * j)
    q = np.arange(twice)
    plus = np.diag(np.sqrt((q + 1.0) * (twice - q)), -1).astype(complex)
    minus = plus.T
    return (
        (plus + minus) / 2,
        (plus - minus) / 2j,
        np.diag(np.arange(twice + 1) - j).astype(complex),
    )


def jump(j, r):
    x, y, _ = spin_matrices(j)
    return math.exp(-r) * x - 1j * math.exp(r) * y


def test_central_binomials_to_the_last_digit():
    logs = ds._central_binomial(5000)
    with mpmath.workdps(40):
        for k in (0, 1, 31, 32, 33, 40, 100, 4999):
            exact = mpmath.log(mpmath.binomial(2 * k, k)) - k * mpmath.log(4)
            assert logs[k] == pytest.approx(float(exact), abs=4 * EPS * max(1, abs(float(exact))))


@pytest.mark.parametrize("j", SPINS)
@pytest.mark.parametrize("r", STRENGTHS)
def test_master_equation_and_every_moment(j, r):
    rho = ds.steady_density_matrix(j, r=r)
    jmp = jump(j, r)
    flow = jmp @ rho @ jmp.conj().T - 0.5 * (jmp.conj().T @ jmp @ rho + rho @ jmp.conj().T @ jmp)
    assert np.abs(flow).max() < 1e-13 * (j + 1) ** 2 * math.cosh(2 * r)
    x, y, z = spin_matrices(j)
    moments = ds.steady_moments(j, r=r)
    tolerance = 1e-12 * (j + 1) ** 2

    def mean(operator):
        return float(np.trace(operator @ rho).real)

    assert mean(x) == pytest.approx(0, abs=tolerance)
    assert mean(y) == pytest.approx(0, abs=tolerance)
    assert mean(z) == pytest.approx(moments.spin_z, abs=tolerance)
    assert mean(x @ x) == pytest.approx(moments.variance_x, abs=tolerance)
    assert mean(y @ y) == pytest.approx(moments.variance_y, abs=tolerance)
    assert mean(x @ y + y @ x) == pytest.approx(0, abs=tolerance)
    assert mean(z @ z) - mean(z) ** 2 == pytest.approx(moments.variance_z, abs=tolerance)
    assert j * j - mean(z @ z) == pytest.approx(moments.deficit_z, abs=tolerance)
    assert mean(rho) == pytest.approx(moments.purity, abs=1e-12)
    populations = ds.steady_populations(j, r=r)
    assert np.diagonal(rho).real == pytest.approx(populations, abs=rounding(len(populations)))
    assert np.diag(moments.deficit) == pytest.approx(
        [j * j - mean(a @ a) for a in (x, y, z)], abs=tolerance
    )
    assert moments.spin[2] == moments.spin_z
    assert moments.covariance[2, 2] == moments.variance_z


@pytest.mark.parametrize("j", [1, 2, 3, 10, 40])
@pytest.mark.parametrize("r", [-0.7, 0.2, 1.5])
def test_dark_state_is_annihilated(j, r):
    psi = ds.dark_state(j, r=r)
    assert np.linalg.norm(psi) == pytest.approx(1, abs=1e-14)
    assert np.linalg.norm(jump(j, r) @ psi) < 1e-13 * j * math.exp(abs(r))


def test_amplitudes_are_equation_7():
    j, r = 6, 0.8
    printed = [
        math.comb(j, k) / math.sqrt(math.comb(2 * j, 2 * k)) * math.tanh(r) ** k
        for k in range(j + 1)
    ]
    printed = np.array(printed) / np.linalg.norm(printed)
    assert ds.dark_state(j, r=r)[::2] == pytest.approx(printed, rel=1e-14)
    assert np.all(ds.dark_state(j, r=r)[1::2] == 0)


@pytest.mark.parametrize("j", [0.5, 1.5, 4.5, 20.5])
@pytest.mark.parametrize("r", [0.3, 1.0, 3.0])
def test_spectral_sum_over_lmg_is_the_closed_form(j, r):
    closed = ds.steady_density_matrix(j, r=r)
    assert ds.spectral_steady_state(j, r=r) == pytest.approx(closed, abs=1e-13)


@pytest.mark.parametrize("j", [0, 0.5, 1, 3, 3.5])
def test_lmg_spectrum_diagonalises_equation_15(j):
    r = 0.7
    x, y, z = spin_matrices(j)
    hamiltonian = (math.exp(-2 * r) * x @ x + math.exp(2 * r) * y @ y + z).real
    energies, vectors = ds.lmg_spectrum(j, r=r)
    n = round(2 * j) + 1
    assert vectors.T @ vectors == pytest.approx(np.eye(n), abs=rounding(n))
    scale = np.linalg.norm(hamiltonian, 2)
    assert hamiltonian @ vectors == pytest.approx(vectors * energies, abs=rounding(n, scale=scale))
    assert (energies[0] == 0) == (j == int(j))


def test_lmg_ground_energy_keeps_its_digits_far_below_rounding():
    j, r = 40.5, 0.3
    energies, _ = ds.lmg_spectrum(j, r=r)
    rho = ds.steady_density_matrix(j, r=r)
    assert energies[0] < 1e-18
    # 1 - p_0 = lambda_0 sum_{k>0} 1/lambda_k, against the exact largest eigenvalue's complement
    mixed = energies[0] * np.sum(1 / energies[1:])
    odd_sector = np.trace(rho[1::2, 1::2])
    assert odd_sector < mixed < 3 * odd_sector


def exact_half_integer(j, r):
    """kappa, <S_z>, Var S_z, Var S_y by the recursions of the bidiagonal inverses, 40 digits."""
    with mpmath.workdps(40):
        r = mpmath.mpf(r)
        twice = round(2 * j)
        size = (twice + 1) // 2
        sinh2, cosh2 = mpmath.sinh(r) ** 2, mpmath.cosh(r) ** 2
        weights = [mpmath.mpf(0)] * (twice + 1)
        value = mpmath.mpf(0)
        for a in range(size - 1, -1, -1):
            diagonal = sinh2 * (2 * a + 1) * (twice - 2 * a)
            value = (1 + cosh2 * (2 * a + 2) * (twice - 2 * a - 1) * value) / diagonal
            weights[2 * a] = value
        value = mpmath.mpf(0)
        for b in range(size):
            diagonal = cosh2 * (2 * b + 1) * (twice - 2 * b)
            value = (1 + sinh2 * (2 * b) * (twice - 2 * b + 1) * value) / diagonal
            weights[2 * b + 1] = value
        total = mpmath.fsum(weights)
        m = [mpmath.mpf(2 * q - twice) / 2 for q in range(twice + 1)]
        mean = mpmath.fsum(w * v for w, v in zip(weights, m, strict=True)) / total
        square = mpmath.fsum(w * v * v for w, v in zip(weights, m, strict=True)) / total
        kappa = (twice + 1) / total
        # <L^dag L> = kappa and <S_x^2 + S_y^2> = j(j+1) - <S_z^2>
        transverse = mpmath.mpf(j) * (mpmath.mpf(j) + 1) - square
        up, down = mpmath.exp(2 * r), mpmath.exp(-2 * r)
        y_square = (kappa - mean - down * transverse) / (up - down)
        return mean, square - mean**2, y_square


@pytest.mark.parametrize("j", [20.5, 1000.5])
@pytest.mark.parametrize("r", [0.05, 1.0, 3.0, 4.5, 9.0])
def test_half_integer_moments_to_full_precision(j, r):
    moments = ds.steady_moments(j, r=r)
    mean, variance, y_square = exact_half_integer(j, r)
    assert moments.spin_z == pytest.approx(float(mean), rel=1e-12)
    assert moments.variance_z == pytest.approx(float(variance), rel=1e-11)
    assert moments.variance_y == pytest.approx(float(y_square), rel=1e-12)


@pytest.mark.parametrize("j", [20, 1000])
@pytest.mark.parametrize("r", [0.05, 1.0, 3.0, 9.0, 40.0])
def test_integer_moments_to_full_precision(j, r):
    # Z = sum_k binom(2k,k) binom(2j-2k,j-k) t^2k is a Legendre polynomial, Z ~ t^j P_j(coth 2r),
    # so <S_z> = t dlnZ/dt - j = -csch(2r) P_j'(coth 2r)/P_j(coth 2r)
    with mpmath.workdps(200):
        u = mpmath.coth(2 * mpmath.mpf(r))
        below, here = mpmath.legendre(j - 1, u), mpmath.legendre(j, u)
        slope = j * (u * here - below) / (u * u - 1)
        exact = -mpmath.csch(2 * mpmath.mpf(r)) * slope / here
        y_square = -mpmath.exp(-2 * mpmath.mpf(r)) * exact / 2
        xi2 = 2 * j * y_square / exact**2
    moments = ds.steady_moments(j, r=r)
    assert moments.spin_z == pytest.approx(float(exact), rel=1e-12)
    assert moments.variance_y == pytest.approx(float(y_square), rel=1e-12)
    assert moments.xi2(2 * j) == pytest.approx(float(xi2), rel=1e-12)


@pytest.mark.parametrize("n_spins", [2, 50, 1_000_000])
def test_heisenberg_limit_for_even_numbers(n_spins):
    for r in (math.inf, 500.0):
        assert ds.steady_moments(n_spins / 2, r=r).xi2(n_spins) == pytest.approx(
            2 / (n_spins + 2), rel=1e-12
        )


def test_limits_of_large_r_for_odd_numbers():
    n_spins = 100_001
    moments = ds.steady_moments(n_spins / 2, r=math.inf)
    assert moments.purity == pytest.approx(1 / 3, rel=2 / n_spins)
    # (N+1)/sum m^-2 with sum_{|m| <= j} m^-2 = pi^2 - 2/j + O(j^-2)
    assert moments.variance_y == pytest.approx(n_spins / np.pi**2, rel=3 / n_spins)
    assert moments.spin_z == 0
    assert moments.xi2(n_spins) == math.inf
    m = np.arange(8) - 3.5
    small = ds.steady_moments(3.5, r=math.inf)
    assert small.purity == pytest.approx(np.sum(m**-4.0) / np.sum(m**-2.0) ** 2, rel=1e-13)
    assert small.variance_y == pytest.approx(8 / np.sum(m**-2.0), rel=1e-13)


def test_even_number_variance_falls_as_exp_minus_4r():
    n_spins, r = 200, 6.0
    moments = ds.steady_moments(n_spins / 2, r=r)
    expected = n_spins * (n_spins + 2) * math.exp(-4 * r) / 8
    assert moments.variance_y == pytest.approx(expected, rel=1e-4)


def test_no_squeezing_at_all():
    for j in (0.5, 3, 3.5):
        moments = ds.steady_moments(j, r=0.0)
        assert moments.spin_z == -j
        assert (moments.variance_x, moments.variance_y, moments.variance_z) == (j / 2, j / 2, 0)
        assert moments.xi2(round(2 * j)) == pytest.approx(1)
        assert ds.steady_density_matrix(j, r=0.0)[0, 0] == 1


@pytest.mark.parametrize("j", [500_000, 500_000.5])
@pytest.mark.parametrize("r", [1e-4, 1.0, 7.0, 30.0, 1e4, math.inf])
def test_a_million_spins_stay_finite(j, r):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moments = ds.steady_moments(j, r=r)
    numbers = [moments.spin_z, moments.variance_x, moments.variance_y, moments.variance_z]
    assert np.all(np.isfinite(numbers))
    assert moments.variance_x + moments.variance_y == pytest.approx(moments.transverse, rel=1e-14)
    assert moments.transverse <= j * (j + 1)
    assert 0 < moments.purity < 1 + 1e-12


@pytest.mark.parametrize("j", [1, 8, 8.5])
@pytest.mark.parametrize("r", [-0.6, 0.0, 0.6, 2.0, math.inf])
def test_spin_y_distribution(j, r):
    m, chance = ds.spin_y_distribution(j, r=r)
    rho = ds.steady_density_matrix(j, r=r)
    _, basis = np.linalg.eigh(spin_matrices(j)[1])
    assert chance == pytest.approx(
        np.einsum("ia,ij,ja->a", basis.conj(), rho, basis).real, abs=1e-13
    )
    assert chance @ m**2 == pytest.approx(ds.steady_moments(j, r=r).variance_y, abs=1e-12)


def test_spin_y_distribution_has_a_fat_tail_for_odd_numbers():
    m, chance = ds.spin_y_distribution(100.5, r=math.inf)
    assert chance[m == 10.5] / chance[m == 0.5] == pytest.approx(1 / 21**2, rel=1e-9)
    m, chance = ds.spin_y_distribution(100, r=math.inf)
    assert chance[m == 0] == pytest.approx(1, abs=1e-15)


def test_shell_moments_run_over_every_total_spin():
    assert [s.total_spin for s in ds.shell_moments(5, r=0.4)] == [0.5, 1.5, 2.5]
    assert [s.total_spin for s in ds.shell_moments(4, r=0.4)] == [0, 1, 2]


def test_errors():
    with pytest.raises(InvalidInput, match=r"total_spin must be a multiple of 1/2, got 0\.3"):
        ds.steady_moments(0.3, r=1.0)
    with pytest.raises(InvalidInput, match="total_spin must be at least 0"):
        ds.steady_moments(-1, r=1.0)
    with pytest.raises(InvalidInput, match="r must be a number, got NaN"):
        ds.steady_moments(1, r=math.nan)
    with pytest.raises(InvalidInput, match=r"an integer for a dark state, got 2\.5"):
        ds.dark_state(2.5, r=1.0)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="needs half-integer total_spin and r != 0"):
        ds.spectral_steady_state(2, r=1.0)
    with pytest.raises(InvalidInput, match=r"abs\(r\) must be at most 300"):
        ds.lmg_spectrum(1.5, r=301.0)
    with pytest.raises(InvalidInput, match="n_spins must be at least 2j = 4 and of its parity"):
        ds.steady_moments(2, r=1.0).xi2(5)
    with pytest.raises(UndefinedDirection, match="j = 0 has no mean spin"):
        ds.steady_moments(0, r=1.0).xi2(4)
    with pytest.raises(InvalidInput, match="n_spins must be at least 1"):
        ds.shell_moments(0, r=1.0)
