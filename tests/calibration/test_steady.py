"""Steady states and gaps over random models, with and without conserved quantities."""

import numpy as np
import pytest
from scipy.linalg import eig, null_space

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.run.questions import steady_question
from tests.calibration.claims import EPS, exact_methods, misses, state_error
from tests.calibration.random_problems import Draw
from tests.problems.dense_model import generators, spins
from tests.problems.dense_states import density_matrix, readings

QUICK = range(30)
MORE = range(len(QUICK), 200)
SEEDS = [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)]
ZERO = 1e-9


def steady_model(seed):
    """Jumps in general directions, or all along one axis, with or without what commutes."""
    rng = np.random.default_rng([7, seed])
    draw = Draw(rng, last=1.0, timed=False)
    n = int(rng.integers(1, 4))
    a = int(rng.integers(3))
    along = np.array([0.6, 0.0, 0.8]) if draw.chance(0.3) else np.eye(3)[a]
    kind = draw.pick(("general", "collective", "local dephasing", "collective dephasing", "decay"))
    hamiltonian = draw.collective_terms() if draw.chance(0.5) else []
    if kind == "general":
        jumps = draw.local_jumps() + (draw.collective_jumps() if draw.chance(0.5) else [])
    elif kind == "collective":
        jumps = draw.collective_jumps()
    elif kind == "decay":
        hamiltonian = [sq.Drive(draw.strength(), phase=draw.strength())]
        jumps = [sq.CollectiveDecay(draw.rate())]
    else:
        term = sq.LocalJump if kind == "local dephasing" else sq.CollectiveJump
        jumps = [term(draw.rate(), vector=along)]
        hamiltonian = draw.pick(
            (
                [],
                [sq.CollectiveQuadratic(draw.strength() * np.outer(along, along))],
                hamiltonian,
            )
        )
    return sq.SpinModel(n, hamiltonian=hamiltonian, jumps=jumps), draw.alike_state(n)


def liouvillian(model):
    return sum(strength * matrix for strength, matrix in generators(model))


def limit(model, state):
    """(rho at infinite time, the slowest rate), None where the state oscillates for ever."""
    L = liouvillian(model)
    values, left, _ = eig(L, left=True)
    scale = np.abs(values).max()
    lasting = np.abs(values.real) < ZERO * scale
    oscillating = lasting & (np.abs(values.imag) > ZERO * scale)
    slowest = np.abs(values[~lasting]).min() / scale if not np.all(lasting) else 1.0
    start = density_matrix(state, model.n_spins).ravel()
    if np.any(np.abs(left[:, oscillating].conj().T @ start) > 1e-12):
        return None, slowest
    R, K = null_space(L, rcond=ZERO), null_space(L.conj().T, rcond=ZERO)
    rho = R @ np.linalg.solve(K.conj().T @ R, K.conj().T @ start)
    return rho.reshape(2**model.n_spins, -1), slowest


@pytest.mark.parametrize("seed", SEEDS)
def test_a_steady_state_errs_by_no_more_than_claimed(seed):
    model, state = steady_model(seed)
    rho, slowest = limit(model, state)
    if rho is None:
        pytest.skip("the state oscillates for ever")
    truths = [readings(rho, model.n_spins)]
    rounding = 1000 * EPS / slowest
    question = steady_question(model, initial_state=state)
    methods = exact_methods(question)
    assert "permutation_invariant" in methods
    for name in methods:
        data = sq.steady_state(model, initial_state=state, method=name).expand_dims("time")
        assert not misses(data, truths, state_error(data, rounding)), name


@pytest.mark.parametrize("seed", SEEDS)
def test_a_steady_state_without_an_initial_state_is_the_only_one(seed):
    """The only one among permutation-invariant states, else it is refused."""
    model, _ = steady_model(seed)
    n = model.n_spins
    L = among_alike_operators(model)
    kernel = null_space(L, rcond=ZERO)
    if kernel.shape[1] > 1:
        with pytest.raises(InvalidInput, match="initial"):
            sq.steady_state(model, method="permutation_invariant")
        return
    data = sq.steady_state(model, method="permutation_invariant").expand_dims("time")
    rho = (alike_operators(n) @ kernel[:, 0]).reshape(2**n, -1)
    truths = [readings(rho / np.trace(rho), n)]
    values = np.abs(np.linalg.eigvals(L))
    slowest = np.sort(values)[1] / values.max()
    assert not misses(data, truths, state_error(data, 1000 * EPS / slowest))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gap_is_the_slowest_decay_of_alike_operators(seed):
    model, _ = steady_model(seed)
    values = np.linalg.eigvals(among_alike_operators(model))
    scale = np.abs(values).max()
    zero = np.abs(values) < ZERO * scale
    gap = np.min(-values[~zero].real)
    if gap < 1e-7 * scale:
        pytest.skip("modes oscillate for ever, or the slowest is next to zero")
    found = sq.liouvillian_gap(model)
    # Defective modes answer to the root of rounding.
    assert found.gap == pytest.approx(gap, abs=1e-6 * scale)
    assert found.zero_modes == zero.sum()
    for value in found.eigenvalues:
        assert np.abs(values - value).min() < 1e-6 * scale


def alike_operators(n):
    """Orthonormal basis of the operators unchanged by exchanging spins: (4^N, K)."""
    s = spins(n)
    one = np.eye(2**n)
    sums = {}
    for kinds in np.ndindex(*(4,) * n):
        product = one
        for i, a in enumerate(kinds):
            product = product @ (one if a == 3 else 2 * s[i, a])
        key = tuple(sorted(kinds))
        sums[key] = sums.get(key, 0) + product
    basis = np.array([operator.ravel() for operator in sums.values()]).T
    return basis / np.linalg.norm(basis, axis=0)


def among_alike_operators(model):
    """The Liouvillian on them, which it maps into themselves."""
    basis = alike_operators(model.n_spins)
    return basis.conj().T @ liouvillian(model) @ basis
