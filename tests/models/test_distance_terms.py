"""Couplings by distance and direction on grids: against sums over pairs and images, and dense."""

import itertools
import tracemalloc

import numpy as np
import pytest
from tests.problems.brute_force import hamiltonian, site_operators

import spinsqueeze as sq
from spinsqueeze.lattice.couplings import row_sums
from spinsqueeze.models.distance_terms import DipolarXXZ, RydbergDressing, VanDerWaals
from spinsqueeze.models.model import SpinModel

AXIS = np.array([1.0, 2.0, 0.5])


def by_images(lattice, axis):
    """(1 - 3 cos^2)/r^3 of every pair by its nearest images, the mean where several are equal."""
    axis = axis[: lattice.dimension] / np.linalg.norm(axis)
    points, lengths = lattice.coordinates, np.multiply(lattice.shape, lattice.spacings)
    periodic = lattice.boundary == "periodic"
    turns = list(itertools.product((-1, 0, 1) if periodic else (0,), repeat=lattice.dimension))
    matrix = np.zeros((len(points), len(points)))
    for i, j in itertools.permutations(range(len(points)), 2):
        images = [points[i] - points[j] + np.multiply(turn, lengths) for turn in turns]
        squares = np.array([v @ v for v in images])
        near = [v for v, r2 in zip(images, squares, strict=True) if r2 < squares.min() + 1e-9]
        values = [(1 - 3 * (v @ axis) ** 2 / (v @ v)) * (v @ v) ** -1.5 for v in near]
        matrix[i, j] = np.mean(values)
    return matrix


LATTICES = [
    sq.Lattice((3, 4)),
    sq.Lattice((4, 3), boundary="open", spacing=(1.0, 1.3)),
    sq.Lattice((4, 4), filling=0.7, seed=2),
    sq.Lattice((2, 2, 3)),
    sq.Lattice((2, 4, 2)),
    sq.Lattice(5),
    sq.Lattice((3, 4), position_disorder=0.05, seed=3),
    sq.Lattice((4, 3), position_disorder=0.05, seed=3, boundary="open"),
]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_dipoles_see_the_direction_of_their_nearest_image(lattice):
    term = DipolarXXZ(j_perp=1.0, j_z=-2.0, quantisation_axis=AXIS)
    (pair,) = SpinModel(lattice, hamiltonian=[term]).canonical.pairs
    matrix = pair.kernel.matrix()
    np.testing.assert_allclose(matrix, by_images(lattice, AXIS), atol=1e-12)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(pair.tensor, np.diag([1.0, 1.0, -2.0]))
    assert (pair.kernel.table is not None) == lattice.on_grid


def test_upright_dipoles_on_a_plane_are_a_power_law():
    lattice = sq.Lattice((4, 5))
    upright, power = (
        SpinModel(lattice, hamiltonian=[term]).canonical.pairs
        for term in (
            DipolarXXZ(j_perp=1.0, j_z=-2.0),
            sq.PowerLawXXZ(j_perp=1.0, j_z=-2.0, exponent=3),
        )
    )
    assert len(upright) == len(power) == 1
    np.testing.assert_allclose(upright[0].kernel.table, power[0].kernel.table, rtol=1e-15)


@pytest.mark.parametrize(
    "lattice",
    [*LATTICES, sq.Lattice((24, 24), boundary="open", filling=0.97, seed=1), sq.Lattice((24, 24))],
    ids=str,
)
def test_the_field_of_n_n_is_half_the_sum_of_couplings(lattice):
    model = SpinModel(lattice, hamiltonian=[VanDerWaals(1.7)]).canonical
    (pair,), (field,) = model.pairs, model.fields
    matrix = pair.kernel.matrix()
    rows = np.broadcast_to(field.vectors, (lattice.n_spins, 3))
    np.testing.assert_allclose(rows[:, 2], 1.7 * matrix.sum(axis=1) / 2, rtol=1e-12)
    assert not np.any(rows[:, :2])
    np.testing.assert_allclose(row_sums(pair.kernel), matrix.sum(axis=1), rtol=1e-12)
    alike = lattice.on_grid and lattice.boundary == "periodic" and lattice.occupied is None
    assert (field.vectors.ndim == 1) == model.translation_invariant == alike


def test_a_large_array_with_holes_needs_no_matrix():
    lattice = sq.Lattice((128, 128), boundary="open", filling=0.97, seed=1)
    tracemalloc.start()
    SpinModel(lattice, hamiltonian=[VanDerWaals(1.0), RydbergDressing(0.1, radius=3.0)]).canonical  # noqa: B018
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e7  # a matrix would take 2e9


TERMS = {
    "attractive n n": VanDerWaals(-1.3),
    "soft core": RydbergDressing(0.8, radius=1.4),
    "tilted dipoles": DipolarXXZ(j_perp=0.7, j_z=-0.4, quantisation_axis=AXIS),
    "table": sq.TabulatedCoupling(
        distances=[1.0, 1.5, 2.0], values=[1.0, -0.6, 0.0], beyond="zero"
    ),
}
TIMES = np.array([0.3, 0.8])


def densely(model):
    """<S> and the covariance at TIMES from the dense Hamiltonian."""
    n = model.n_spins
    s = site_operators(n)
    values, vectors = np.linalg.eigh(hamiltonian(model.canonical, s, 0.0))
    plus = np.full(2**n, 2 ** (-n / 2), dtype=complex)
    total = s.sum(axis=0)
    spins, covariances = [], []
    for t in TIMES:
        psi = vectors @ (np.exp(-1j * values * t) * (vectors.conj().T @ plus))
        acted = np.array([matrix @ psi for matrix in total])
        spin = (acted @ psi.conj()).real
        spins.append(spin)
        covariances.append((acted.conj() @ acted.T).real - np.outer(spin, spin))
    return np.array(spins), np.array(covariances)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("shape", [{"shape": (3, 2)}, {"shape": (3, 3), "filling": 0.8, "seed": 1}])
def test_methods_agree_with_the_dense_answer_on_open_arrays(name, shape):
    model = SpinModel(sq.Lattice(**shape, boundary="open"), hamiltonian=[TERMS[name]])
    spin, covariance = densely(model)
    advice = sq.advise(model, times=TIMES)
    methods = [row.name for row in advice if row.fits and row.error == "exact"]
    assert "exact" in methods
    assert ("closed_form" in methods) == (name != "tilted dipoles")
    for method in methods:
        data = sq.simulate(model, sq.CoherentState("+x"), TIMES, method=method)
        np.testing.assert_allclose(data["spin"], spin, atol=1e-7, err_msg=method)
        np.testing.assert_allclose(data["covariance"], covariance, atol=1e-7, err_msg=method)


@pytest.mark.parametrize("name", TERMS)
def test_periodic_arrays_too(name):
    model = SpinModel(sq.Lattice((2, 4)), hamiltonian=[TERMS[name]])
    spin, covariance = densely(model)
    for row in sq.advise(model, times=TIMES):
        if row.fits and row.error == "exact":
            data = sq.simulate(model, sq.CoherentState("+x"), TIMES, method=row.name)
            np.testing.assert_allclose(data["spin"], spin, atol=1e-7, err_msg=row.name)
            np.testing.assert_allclose(data["covariance"], covariance, atol=1e-7, err_msg=row.name)


@pytest.mark.slow
def test_dtwa_is_exact_for_the_mean_spin_of_an_attractive_ising_array():
    model = SpinModel(sq.Lattice((3, 3), boundary="open"), hamiltonian=[TERMS["attractive n n"]])
    exact, sampled = (
        sq.simulate(model, sq.CoherentState("+x"), TIMES, method=method)
        for method in (sq.ClosedForm(), sq.DTWA(n_trajectories=2000))
    )
    error = sampled["spin_stderr"].values
    assert error.max() < 0.1
    assert np.all(np.abs(sampled["spin"] - exact["spin"]) <= 5 * error + 1e-3)
