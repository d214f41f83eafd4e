"""Shell transition rates against Liouvillians of 2^N states in the basis of symmetrised strings."""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.closed_form.dark_states import shell_moments
from spinsqueeze.methods.permutation_invariant import transition_rates as tr
from spinsqueeze.numerics.angular_momentum import recycling

PAULI = (
    np.eye(2),
    np.array([[0, 1], [1, 0]]),
    np.array([[0, -1j], [1j, 0]]),
    np.diag([1.0, -1.0]),
)
DEPHASING = (1.0, (0, 0, 1))


@functools.cache
def spins(n_spins):
    """Single-spin operators (n_spins, 3, 2^n, 2^n)."""
    out = np.empty((n_spins, 3, 2**n_spins, 2**n_spins), dtype=complex)
    for i in range(n_spins):
        for a in range(3):
            out[i, a] = np.kron(
                np.kron(np.eye(2**i), PAULI[a + 1] / 2), np.eye(2 ** (n_spins - i - 1))
            )
    return out


@functools.cache
def symmetric_strings(n_spins):
    """Orthonormal Hermitian basis (K, 2^n, 2^n) of permutation-invariant operators."""
    basis = []
    for counts in itertools.combinations_with_replacement(range(4), n_spins):
        total = sum(
            functools.reduce(np.kron, [PAULI[k] for k in order])
            for order in set(itertools.permutations(counts))
        )
        basis.append(total / np.linalg.norm(total))
    return np.array(basis)


@functools.cache
def shell_projectors(n_spins):
    total = spins(n_spins).sum(axis=0)
    casimir = sum(a @ a for a in total)
    values, vectors = np.linalg.eigh(casimir)
    out = []
    for j in tr.shells(n_spins):
        chosen = vectors[:, np.abs(values - j * (j + 1)) < 1e-8]
        out.append(chosen @ chosen.conj().T)
    return np.array(out)


def dissipator(op, rho):
    left = op.conj().T @ op
    return op @ rho @ op.conj().T - 0.5 * (left @ rho + rho @ left)


def local_part(n_spins, jumps, rho):
    return sum(
        rate * dissipator(np.tensordot(np.asarray(c), spins(n_spins)[i], 1), rho)
        for rate, c in jumps
        for i in range(n_spins)
    )


def superoperator(n_spins, action):
    """Matrix of a permutation-invariant superoperator on the symmetrised strings."""
    basis = symmetric_strings(n_spins)
    images = np.array([action(b) for b in basis]).reshape(len(basis), -1)
    return basis.reshape(len(basis), -1).conj() @ images.T


def collective_part(n_spins, quadratic, field, jumps, rho):
    total = spins(n_spins).sum(axis=0)
    hamiltonian = np.tensordot(field, total, 1)
    for a, b in itertools.product(range(3), repeat=2):
        hamiltonian = hamiltonian + quadratic[a, b] * total[a] @ total[b]
    flow = -1j * (hamiltonian @ rho - rho @ hamiltonian)
    for rate, c in jumps:
        flow = flow + rate * dissipator(np.tensordot(np.asarray(c), total, 1), rho)
    return flow


def random_model(seed):
    rng = np.random.default_rng(seed)
    quadratic = rng.normal(size=(3, 3))
    collective = [(1.0, rng.normal(size=3) + 1j * rng.normal(size=3)) for _ in range(2)]
    local = [(rate, rng.normal(size=3) + 1j * rng.normal(size=3)) for rate in (0.7, 0.4)]
    return quadratic + quadratic.T, rng.normal(size=3), collective, local


def shell_states(n_spins, superop):
    """The steady state of each shell, as matrices of trace 1."""
    from scipy.linalg import svd

    basis = symmetric_strings(n_spins)
    size = len(tr.shells(n_spins))
    _, values, right = svd(superop)
    assert np.all(values[-size:] < 1e-10)
    null = right[-size:].conj().T
    traces = shell_projectors(n_spins).reshape(size, -1).conj() @ basis.reshape(len(basis), -1).T
    return [np.tensordot(v, basis, 1) for v in (null @ np.linalg.inv(traces @ null)).T]


def slowest(superop):
    """Eigenvalues by modulus and the right eigenvector of the first."""
    values, vectors = np.linalg.eig(superop)
    order = np.argsort(np.abs(values))
    return values[order], vectors[:, order[0]]


def moments_of(n_spins, states):
    total = spins(n_spins).sum(axis=0)
    spin = np.array([[np.trace(a @ rho).real for a in total] for rho in states])
    second = np.array(
        [
            [[np.trace((a @ b + b @ a) @ rho).real / 2 for b in total] for a in total]
            for rho in states
        ]
    )
    deficit = tr.shells(n_spins)[:, None, None] ** 2 * np.eye(3) - second
    return spin, deficit


@pytest.mark.parametrize("n_spins", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", [1, 2])
def test_matrix_is_the_definition_for_random_models(n_spins, seed):
    quadratic, field, collective, local = random_model(seed)
    superop = superoperator(
        n_spins, lambda rho: collective_part(n_spins, quadratic, field, collective, rho)
    )
    states = shell_states(n_spins, superop)
    spin, deficit = moments_of(n_spins, states)
    result = tr.liouvillian_perturbation(n_spins, spin=spin, deficit=deficit, jumps=local)
    brute = np.array(
        [
            [np.trace(p @ local_part(n_spins, local, rho)).real for rho in states]
            for p in shell_projectors(n_spins)
        ]
    )
    assert result.matrix == pytest.approx(brute, abs=1e-9)
    assert result.matrix @ result.populations == pytest.approx(np.zeros(len(states)), abs=1e-12)
    eigenvalues = np.sort(-np.linalg.eigvals(brute).real)
    assert result.decay_rates == pytest.approx(eigenvalues, abs=1e-9)


@pytest.mark.parametrize(("n_spins", "seed"), [(3, 5), (4, 6)])
def test_error_of_the_first_order_is_linear_in_the_rates(n_spins, seed):
    quadratic, field, collective, local = random_model(seed)
    free = superoperator(
        n_spins, lambda rho: collective_part(n_spins, quadratic, field, collective, rho)
    )
    weak = superoperator(n_spins, lambda rho: local_part(n_spins, local, rho))
    spin, deficit = moments_of(n_spins, shell_states(n_spins, free))
    result = tr.liouvillian_perturbation(n_spins, spin=spin, deficit=deficit, jumps=local)
    basis = symmetric_strings(n_spins)
    gap_errors, population_errors = [], []
    for small in (1e-3, 2e-3):
        values, steady = slowest(free + small * weak)
        gap_errors.append(abs(-values[1].real / small - result.gap))
        rho = np.tensordot(steady, basis, 1)
        rho = rho / np.trace(rho)
        exact = [np.trace(p @ rho).real for p in shell_projectors(n_spins)]
        population_errors.append(np.abs(result.populations - exact).max())
    assert gap_errors[1] < 0.05 * result.gap
    assert gap_errors[1] / gap_errors[0] == pytest.approx(2, abs=0.15)
    assert population_errors[1] < 0.05
    assert population_errors[1] / population_errors[0] == pytest.approx(2, abs=0.15)


def squeezed(n_spins, r, jumps=(DEPHASING,)):
    states = shell_moments(n_spins, r=r)
    result = tr.liouvillian_perturbation(
        n_spins,
        spin=np.array([s.spin for s in states]),
        deficit=np.array([s.deficit for s in states]),
        jumps=list(jumps),
    )
    return states, result


@pytest.mark.parametrize("n_spins", [4, 5])
def test_squeezed_decay_with_weak_dephasing_and_decay(n_spins):
    r, small = 0.6, 1e-4
    jumps = [(2.0, (0, 0, 1)), (0.3, (1, -1j, 0))]
    _, result = squeezed(n_spins, r, jumps)
    collective = [(1.0, (math.exp(-r), -1j * math.exp(r), 0))]
    superop = superoperator(
        n_spins,
        lambda rho: (
            collective_part(n_spins, np.zeros((3, 3)), np.zeros(3), collective, rho)
            + small * local_part(n_spins, jumps, rho)
        ),
    )
    values = np.sort(np.linalg.eigvals(superop).real)[::-1]
    assert -values[1] / small == pytest.approx(result.gap, rel=5e-3)


def test_weights_are_the_general_formula():
    for n_spins in (1, 2, 7, 8):
        half = n_spins / 2
        multiplicity = {
            j: math.comb(n_spins, round(half - j)) - math.comb(n_spins, round(half - j) - 1)
            if j < half
            else 1
            for j in tr.shells(n_spins)
        }
        stay, lower, upper = (weights[::-1] for weights in recycling(n_spins))
        for k, j in enumerate(tr.shells(n_spins)):
            above = sum(d for i, d in multiplicity.items() if i >= j + 1)
            here = above + multiplicity[j]
            assert upper[k] == pytest.approx(above / (2 * (j + 1) * multiplicity[j]), rel=1e-13)
            if j > 0:
                assert lower[k] == pytest.approx(here / (2 * j * multiplicity[j]), rel=1e-13)
                leave = 1 + above / multiplicity[j] * (2 * j + 1) / (j + 1)
                assert stay[k] == pytest.approx(leave / (2 * j), rel=1e-13)


@pytest.mark.parametrize("n_spins", [6, 40, 41])
def test_equations_e12_and_e13(n_spins):
    # |j, -N/2 + 1> : one flipped spin, in the shells N/2 - 1 and N/2, under sum_i D[sigma_z/2]
    j = tr.shells(n_spins)
    spin = np.zeros((j.size, 3))
    deficit = np.zeros((j.size, 3, 3))
    m = np.maximum(-j, -n_spins / 2 + 1)
    spin[:, 2] = m
    transverse = (j * (j + 1) - m * m) / 2
    for a, value in enumerate([transverse, transverse, m * m]):
        deficit[:, a, a] = j * j - value
    down, up = tr.transition_rates(n_spins, spin=spin, deficit=deficit, jumps=[DEPHASING])
    assert up[-2] == pytest.approx(1 / n_spins, rel=1e-12)
    assert down[-1] == pytest.approx((n_spins - 1) / n_spins, rel=1e-12)


@pytest.mark.parametrize("n_spins", [4, 100, 1001])
def test_without_squeezing_the_gap_is_one_over_n(n_spins):
    _, result = squeezed(n_spins, 0.0)
    assert np.all(result.downward == 0)
    assert result.gap == pytest.approx(1 / n_spins, rel=1e-12)
    assert result.populations[-1] == 1


@pytest.mark.parametrize("n_spins", [4, 100, 1000])
def test_gap_at_infinite_squeezing_is_one_half_for_even_numbers(n_spins):
    _, result = squeezed(n_spins, math.inf)
    assert result.gap == pytest.approx(0.5, rel=1e-11)


@pytest.mark.parametrize("n_spins", [6, 7, 300, 301])
@pytest.mark.parametrize("r", [0.1, 0.5, 1.0, 2.0])
def test_mean_spin_and_squeezing_under_vanishing_dephasing(n_spins, r):
    # exact: <S_z> = -N/(2 cosh 2r) whatever the dephasing; even N: xi2 = (1 + exp(-4r))/2
    states, result = squeezed(n_spins, r)
    spin_z = result.populations @ np.array([s.spin_z for s in states])
    variance = result.populations @ np.array([s.variance_y for s in states])
    assert spin_z == pytest.approx(-n_spins / (2 * math.cosh(2 * r)), rel=1e-12)
    if n_spins % 2 == 0:
        assert n_spins * variance / spin_z**2 == pytest.approx(
            (1 + math.exp(-4 * r)) / 2, rel=1e-12
        )


@pytest.mark.parametrize("n_spins", [10, 11])
@pytest.mark.parametrize("r", [0.02, 0.4, 3.0])
def test_generator_conserves_probability(n_spins, r):
    jumps = [(math.cosh(r) ** 2, (1, -1j, 0)), (math.sinh(r) ** 2, (1, 1j, 0))]
    _, result = squeezed(n_spins, r, jumps)
    assert np.all(result.upward[:-1] > 0)
    assert result.populations.sum() == pytest.approx(1)
    assert result.matrix.sum(axis=0) == pytest.approx(np.zeros(result.total_spins.size), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_spins=st.integers(1, 5))
def test_rates_on_random_states_and_vectors(seed, n_spins):
    # random states of random rank-one c: shares of sum_i (c.s_i) rho (c.s_i)^dag by shell
    rng = np.random.default_rng(seed)
    c = rng.normal(size=3) + 1j * rng.normal(size=3)
    coefficients = rng.normal(size=(len(symmetric_strings(n_spins)), 2)) @ (1, 1j)
    root = np.tensordot(coefficients, symmetric_strings(n_spins), 1)
    rho = root @ root.conj().T
    states = []
    for p in shell_projectors(n_spins):
        inside = p @ rho @ p
        states.append(inside / np.trace(inside).real)
    spin, deficit = moments_of(n_spins, states)
    down, up = tr.transition_rates(n_spins, spin=spin, deficit=deficit, jumps=[(1.0, c)])
    operators = np.tensordot(c, spins(n_spins), axes=(0, 1))
    for k, state in enumerate(states):
        after = sum(a @ state @ a.conj().T for a in operators)
        share = [np.trace(p @ after).real for p in shell_projectors(n_spins)]
        if k:
            assert down[k] == pytest.approx(share[k - 1], abs=1e-10)
        if k + 1 < len(states):
            assert up[k] == pytest.approx(share[k + 1], abs=1e-10)


def test_errors():
    good = {"spin": np.zeros((3, 3)), "deficit": np.zeros((3, 3, 3))}
    with pytest.raises(InvalidInput, match="spin must have shape 3 x 3, got 2 x 3"):
        tr.transition_rates(4, spin=np.zeros((2, 3)), deficit=good["deficit"], jumps=[DEPHASING])
    with pytest.raises(InvalidInput, match="jump rate must be at least 0, got -1"):
        tr.transition_rates(4, **good, jumps=[(-1.0, (0, 0, 1))])
    with pytest.raises(InvalidInput, match="jump vector must not be the zero vector"):
        tr.transition_rates(4, **good, jumps=[(1.0, (0, 0, 0))])
    with pytest.raises(InvalidInput, match=r"downward rate at j=1 is negative \(-3\)"):
        tr.transition_rates(
            4,
            spin=good["spin"],
            deficit=np.tile(np.diag([0, 0, -3.0]), (3, 1, 1)),
            jumps=[DEPHASING],
        )
    with pytest.raises(NumericalFailure, match=r"j=0 and j=1 exchange no population"):
        tr.liouvillian_perturbation(4, **good, jumps=[])
    with pytest.raises(InvalidInput, match="must be at least 2 to have a gap"):
        _ = tr.liouvillian_perturbation(
            1, spin=np.zeros((1, 3)), deficit=np.zeros((1, 3, 3)), jumps=[DEPHASING]
        ).gap
    with pytest.raises(NumericalFailure, match="drain towards both ends"):
        tr._stationary(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
