"""One set of functions for every state: against dense operators on 2^N, and against each other."""

import numpy as np
import pytest
import scipy.linalg

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.numerics.block_layout import flatten
from spinsqueeze.numerics.total_spin_blocks import total_spin_blocks
from tests.problems.dense_model import total_spin

from .helpers import sphere_grid

N = 4
S = total_spin(N)  # spin 0 leftmost, up first: index 2^N - 1 - ours, spins reversed
rng = np.random.default_rng(3)
UNIT = np.array([0.36, 0.48, 0.8])
THETA, PHI = np.array([0.3, 1.1, 2.0]), np.array([0.2, 1.7, 4.0])


def random_vector():
    psi = rng.normal(size=2**N) + 1j * rng.normal(size=2**N)
    return psi / np.linalg.norm(psi)


def dense(vector):
    """Our amplitudes (bit i is spin i, 1 up) in the order of the dense operators."""
    tensor = vector.reshape((2,) * N)  # spin N-1 first, down first
    return np.flip(tensor).transpose(range(N)[::-1]).ravel()


def directions():
    d = rng.normal(size=(N, 3))
    return d / np.linalg.norm(d, axis=1)[:, None]


VECTOR = sq.StateVector(random_vector())
BLOCK = sq.BlockState(flatten(total_spin_blocks(VECTOR.amplitudes)))
AMPLITUDES = rng.normal(size=N + 1) + 1j * rng.normal(size=N + 1)
KET = sq.SymmetricState(AMPLITUDES / np.linalg.norm(AMPLITUDES))
STATES = {
    "vector": (VECTOR, {}),
    "product": (sq.ProductState(directions()), {}),
    "coherent": (sq.CoherentState(UNIT), {"n_spins": N}),
    "dicke": (sq.DickeState(1, axis="x"), {"n_spins": N}),
    "symmetric": (KET, {}),
    "ket": (KET.amplitudes, {}),
    "density": (np.outer(KET.amplitudes, KET.amplitudes.conj()), {}),
    "block": (BLOCK, {}),
}


def moments(state, options):
    """<n . S> and its variance from the distribution of outcomes."""
    m, p = sq.spin_distribution(state, axis=UNIT, **options)
    return p @ m, p @ m**2 - (p @ m) ** 2


def test_blocks_hold_what_collective_spins_see_of_a_vector():
    psi = dense(VECTOR.amplitudes)
    along = np.einsum("a,axy->xy", UNIT, S)
    values, vectors = scipy.linalg.eigh(along)
    weights = np.abs(vectors.conj().T @ psi) ** 2
    m, p = sq.spin_distribution(VECTOR, axis=UNIT)
    for outcome, probability in zip(m, p, strict=True):
        assert probability == pytest.approx(weights[np.abs(values - outcome) < 1e-6].sum())
    squared = np.einsum("axy,ayz->xz", S, S)
    total = sum(
        np.trace(block).real * (N / 2 - k) * (N / 2 - k + 1)
        for k, block in enumerate(total_spin_blocks(VECTOR.amplitudes))
    )
    assert total == pytest.approx((psi.conj() @ squared @ psi).real)


def test_a_vector_on_the_sphere_is_its_symmetric_part_and_the_rest():
    psi = dense(VECTOR.amplitudes)
    q = sq.husimi(VECTOR, theta=THETA, phi=PHI)
    # j = N/2 alone: the overlap with coherent states on 2^N
    blocks = total_spin_blocks(VECTOR.amplitudes)
    for i, theta in enumerate(THETA):
        for k, phi in enumerate(PHI):
            one = np.array([np.cos(theta / 2), np.exp(1j * phi) * np.sin(theta / 2)])
            wave = np.ones(1)
            for _ in range(N):
                wave = np.kron(wave, one)
            top = (N + 1) / (4 * np.pi) * np.abs(wave.conj() @ psi) ** 2
            weight = np.trace(blocks[0]).real
            ours = weight * sq.husimi(blocks[0] / weight, theta=[theta], phi=[phi])[0, 0]
            assert ours == pytest.approx(top, rel=1e-10)
            assert q[i, k] > top


@pytest.mark.parametrize("name", STATES)
def test_functions_on_the_sphere_integrate_to_one(name):
    state, options = STATES[name]
    theta, phi, weights = sphere_grid(2 * N + 2)
    for function in (sq.husimi, sq.wigner):
        values = function(state, theta=theta, phi=phi, **options)
        assert np.sum(values * weights) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("name", STATES)
def test_information_and_entropy_of_every_state(name):
    state, options = STATES[name]
    information = sq.quantum_fisher_information(state, direction=UNIT, **options)
    entropy = sq.von_neumann_entropy(state, **options)
    if name == "block":
        assert entropy > 0.1
        assert information < 4 * moments(state, options)[1]
    else:
        assert entropy == pytest.approx(0.0, abs=1e-12)
        assert information == pytest.approx(4 * moments(state, options)[1], abs=1e-10)


def test_one_state_in_all_its_kinds_gives_one_answer():
    vector = sq.StateVector(symmetric_vector(KET.amplitudes))
    block = sq.BlockState(flatten(total_spin_blocks(vector.amplitudes)))
    density = np.outer(KET.amplitudes, KET.amplitudes.conj())
    for function in (sq.husimi, sq.wigner):
        first, *others = (
            function(state, theta=THETA, phi=PHI)
            for state in (KET, vector, block, density, KET.amplitudes)
        )
        for other in others:
            np.testing.assert_allclose(other, first, atol=1e-12)


def symmetric_vector(amplitudes):
    """Amplitudes of |J, m> on 2^N, by counting spins up."""
    from math import comb

    ups = np.array([bin(k).count("1") for k in range(2**N)])
    weights = np.array([1 / np.sqrt(comb(N, k)) for k in range(N + 1)])
    return amplitudes[N - ups] * weights[ups]


def test_what_cannot_be_answered_is_refused():
    up = sq.CoherentState("+x")
    for call in (
        lambda **o: sq.husimi(up, theta=0.1, phi=0.1, **o),
        lambda **o: sq.spin_distribution(up, axis="+x", **o),
        lambda **o: sq.quantum_fisher_information(up, **o),
        lambda **o: sq.von_neumann_entropy(up, **o),
    ):
        with pytest.raises(InvalidInput, match="n_spins must be given with a CoherentState"):
            call()
        call(n_spins=3)
    with pytest.raises(InvalidInput, match="n_spins must be that of the state, 4, got 5"):
        sq.wigner(KET, theta=0.1, phi=0.1, n_spins=5)
    with pytest.raises(InvalidInput, match="m must be one of"):
        sq.von_neumann_entropy(sq.DickeState(1.5), n_spins=4)
    long = sq.ProductState(np.repeat([[0.0, 0.0, 1.0]], 21, axis=0))
    with pytest.raises(TooLarge, match=r"ProductState of 21 spins has 2\^21 amplitudes"):
        sq.husimi(long, theta=0.1, phi=0.1)
    assert sq.quantum_fisher_information(long) == pytest.approx(21.0)
