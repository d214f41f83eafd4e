"""Oblique lattices and mixed boundaries through the methods, against couplings summed by hand."""

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_matrix, identity, kron
from scipy.sparse.linalg import expm_multiply

import spinsqueeze as sq

TENSOR = np.array([1.0, 1.0, -0.6])
CELLS = {
    "rectangular": [[0, 0]],
    "triangular": [[0, 0]],
    "honeycomb": [[0, 0], [0.75**0.5, 0.5]],
    "kagome": [[0, 0], [1, 0], [0.5, 0.75**0.5]],
}
SIDES = {"rectangular": 1.0, "triangular": 1.0, "honeycomb": 3**0.5, "kagome": 2.0}
SYSTEMS = {
    "triangular": ("triangular", (2, 4), "periodic"),
    "zigzag ladder": ("triangular", (4, 2), ("periodic", "open")),
    "honeycomb": ("honeycomb", (2, 2), "periodic"),
    "honeycomb tube": ("honeycomb", (2, 2), ("open", "periodic")),
    "kagome": ("kagome", (1, 3), "open"),
    "ladder": ("rectangular", (4, 2), ("periodic", "open")),
}


def by_hand(geometry, shape, boundary):
    """Points and K_ij = r_ij^-3 over the nearest of all images, numbered cell by cell."""
    slant = [1.0, 0.0] if geometry == "rectangular" else [0.5, 0.75**0.5]
    axes = SIDES[geometry] * np.array([[1.0, 0.0], slant if slant[1] else [0.0, 1.0]])
    words = (boundary,) * 2 if isinstance(boundary, str) else boundary
    points = np.array(
        [
            np.array(cell) @ axes + place
            for cell in itertools.product(*map(range, shape))
            for place in CELLS[geometry]
        ]
    )
    turns = itertools.product(*[range(-4, 5) if w == "periodic" else (0,) for w in words])
    shifts = np.array([np.array(shape) * turn @ axes for turn in turns])
    gaps = points[:, None, None] - points[None, :, None] + shifts
    distances = np.linalg.norm(gaps, axis=-1).min(axis=-1)
    np.fill_diagonal(distances, np.inf)
    return points, distances**-3.0


def exact_moments(K, times):
    """Spin (T, 3) and second moments (T, 3, 3) on all 2^N states, from +x."""
    n = len(K)
    s = [csr_matrix(m) / 2 for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]

    def at(i, matrix):
        return kron(kron(identity(2**i), matrix), identity(2 ** (n - 1 - i)), format="csr")

    one = [[at(i, matrix) for matrix in s] for i in range(n)]
    H = sum(
        TENSOR[a] * K[i, j] * one[i][a] @ one[j][a]
        for i in range(n) for j in range(i) for a in range(3)
    )  # fmt: skip
    total = [sum(one[i][a] for i in range(n)) for a in range(3)]
    psi = np.full(2**n, 2 ** (-n / 2), dtype=complex)
    states = [expm_multiply(-1j * t * H, psi) for t in times]
    spin = [[np.vdot(p, S @ p).real for S in total] for p in states]
    second = [[[np.vdot(A @ p, B @ p).real for B in total] for A in total] for p in states]
    return np.array(spin), np.array(second)


@pytest.mark.parametrize("name", SYSTEMS)
def test_exact_evolution_is_that_of_the_full_space(name):
    geometry, shape, boundary = SYSTEMS[name]
    lattice = sq.Lattice(shape, geometry=geometry, boundary=boundary)
    _, K = by_hand(geometry, shape, boundary)
    model = sq.SpinModel(
        lattice,
        hamiltonian=[sq.PowerLawXXZ(j_perp=TENSOR[0], j_z=TENSOR[2], exponent=3)],
    )
    times = np.array([0.4, 1.1])
    data = sq.simulate(model, sq.CoherentState("+x"), times, method="exact")
    spin, second = exact_moments(K, times)
    np.testing.assert_allclose(data.spin.values, spin, atol=1e-9)
    covariance = second - spin[:, :, None] * spin[:, None, :]
    np.testing.assert_allclose(data.covariance.values, covariance, atol=1e-9)


@pytest.mark.parametrize("name", SYSTEMS)
def test_closed_forms_of_ising_models_are_those_of_the_couplings(name):
    geometry, shape, boundary = SYSTEMS[name]
    points, K = by_hand(geometry, shape, boundary)
    lattice = sq.Lattice(shape, geometry=geometry, boundary=boundary)
    order = [int(np.argmin(np.linalg.norm(points - p, axis=1))) for p in lattice.coordinates]
    assert sorted(order) == list(range(len(points)))
    terms = [sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=3)], [sq.PairCoupling(K)]
    answers = [
        sq.simulate(
            sq.SpinModel(spins, hamiltonian=term, jumps=[sq.LocalDecay(0.1)]),
            sq.CoherentState("+x"), [0.3, 1.0], method="closed_form",
        )
        for spins, term in zip((lattice, len(K)), terms, strict=True)
    ]  # fmt: skip
    for reading in ("spin", "covariance"):
        np.testing.assert_allclose(answers[0][reading], answers[1][reading], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "exponent"),
    [
        ("honeycomb tube", 3),
        pytest.param("triangular", 3, marks=pytest.mark.slow),
        pytest.param("triangular", np.inf, marks=pytest.mark.slow),
        pytest.param("honeycomb", np.inf, marks=pytest.mark.slow),
        pytest.param("kagome", 3, marks=pytest.mark.slow),
        pytest.param("ladder", 3, marks=pytest.mark.slow),
    ],
)
def test_convolutions_of_dtwa_are_the_products_with_the_matrix(name, exponent):
    geometry, shape, boundary = SYSTEMS[name]
    lattice = sq.Lattice(shape, geometry=geometry, boundary=boundary)
    points, K = by_hand(geometry, shape, boundary)
    if np.isinf(exponent):
        K = (np.abs(K - 1) < 1e-9).astype(float)
    order = [int(np.argmin(np.linalg.norm(points - p, axis=1))) for p in lattice.coordinates]
    K = K[np.ix_(order, order)]  # samples are drawn in the order of the spins
    terms = (
        [sq.PowerLawXXZ(j_perp=1.0, j_z=-1.0, exponent=exponent)],
        [sq.PairCoupling(K, tensor=np.diag([1.0, 1.0, -1.0]))],
    )
    method = sq.DTWA(n_trajectories=40, dtype="float64")
    answers = [
        sq.simulate(
            sq.SpinModel(spins, hamiltonian=term), sq.CoherentState("+x"), [0.0, 0.5],
            method=method, seed=5,
        ).spin.values
        for spins, term in zip((lattice, len(K)), terms, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)
