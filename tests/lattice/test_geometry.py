"""Sites of a lattice: how many, which, and how far apart."""

import numpy as np
import pytest

from spinsqueeze.lattice.geometry import Lattice


@pytest.mark.parametrize(
    ("shape", "filling", "n_spins"),
    [((3, 3), 0.2, 2), (10, 0.29, 3), (10, 0.24, 2), ((3, 3), 0.6, 5), (7, 0.95, 7), (7, 0.92, 6)],
)
def test_filling_is_rounded_to_the_nearest_number_of_spins(shape, filling, n_spins):
    lattice = Lattice(shape, filling=filling)
    assert lattice.n_spins == n_spins
    assert len(lattice.coordinates) == n_spins
    assert lattice.occupied is None or lattice.occupied.sum() == n_spins


@pytest.mark.parametrize("geometry", ["rectangular", "kagome"])
def test_sites_loaded_on_their_own_are_binomial_in_number(geometry):
    lattices = [
        Lattice((4, 5), filling=0.7, loading="independent", seed=k, geometry=geometry)
        for k in range(400)
    ]
    sites = 20 if geometry == "rectangular" else 60
    counts = np.array([lattice.n_spins for lattice in lattices])
    for lattice in lattices[:50]:
        assert len(lattice.coordinates) == lattice.n_spins
        assert lattice.n_spins == sites or lattice.n_spins == lattice.occupied.sum()
    variance = sites * 0.7 * 0.3
    assert abs(counts.mean() - 0.7 * sites) < 5 * np.sqrt(variance / 400)
    # the variance of a variance, of near normal numbers: 2/R
    assert abs(counts.var(ddof=1) / variance - 1) < 5 * np.sqrt(2 / 400)
    if geometry == "rectangular":  # every site alike, and apart from its neighbours
        full = np.ones((4, 5))
        masks = [full if lattice.occupied is None else lattice.occupied for lattice in lattices]
        masks = np.array(masks, float).reshape(-1, 20)
        assert np.abs(masks.mean(axis=0) - 0.7).max() < 5 * np.sqrt(0.21 / 400)
        correlation = np.corrcoef(masks.T) - np.eye(20)
        assert np.abs(correlation).max() < 5 / np.sqrt(400)
    full = Lattice((4, 5), loading="independent", geometry=geometry)
    assert full.n_spins == sites


def test_vacancies_are_the_named_sites():
    lattice = Lattice((2, 3), vacancies=(4, 1))
    assert lattice.n_spins == 4
    assert lattice.coordinates.tolist() == [[0, 0], [0, 2], [1, 0], [1, 2]]


@pytest.mark.parametrize("boundary", ["periodic", "open"])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4)])
def test_distances_are_those_to_the_nearest_image(shape, boundary):
    spacing = (0.7, 1.3, 1.1)[: len(shape)]
    lattice = Lattice(shape, spacing=spacing, boundary=boundary)
    points = lattice.coordinates
    lengths = np.array(shape) * spacing
    images = np.stack(np.meshgrid(*[[-1, 0, 1]] * len(shape)), axis=-1).reshape(-1, len(shape))
    if boundary == "open":
        images = np.zeros((1, len(shape)))
    gaps = points[:, None, None] - points[None, :, None] + images * lengths
    truth = np.linalg.norm(gaps, axis=-1).min(axis=-1)
    assert lattice.distances() == pytest.approx(truth, abs=1e-12)
    # The same by displacement on the embedding grid.
    table = lattice.grid_distances()
    sites = np.argwhere(np.ones(shape, bool))
    shift = (sites[:, None] - sites[None, :]) % np.array(table.shape)
    assert table[tuple(np.moveaxis(shift, -1, 0))] == pytest.approx(truth, abs=1e-12)


def test_disorder_moves_every_spin_by_its_standard_deviation():
    plain = Lattice((30, 30), spacing=2.0)
    moved = Lattice((30, 30), spacing=2.0, position_disorder=0.2, seed=3)
    shift = moved.coordinates - plain.coordinates
    assert not moved.on_grid
    # 1800 normal numbers: their root mean square is known to 1.7 percent.
    assert np.sqrt(np.mean(shift**2)) == pytest.approx(0.2, rel=5 * 0.017)
    assert abs(shift.mean()) < 5 * 0.2 / np.sqrt(1800)
    again = Lattice((30, 30), spacing=2.0, position_disorder=0.2, seed=4)
    assert not np.array_equal(again.coordinates, moved.coordinates)
