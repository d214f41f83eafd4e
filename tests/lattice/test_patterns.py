"""Oblique lattices and boundaries for each axis, by trying every image."""

import itertools

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.couplings import displacement_kernel, power_law_kernel
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.distance_terms import TabulatedCoupling
from spinsqueeze.models.model import SpinModel

SPACING = 1.3
# The side of a cell, its sites and the neighbours of each, for neighbours at distance 1.
CELLS = {"triangular": (1.0, 1, 6), "honeycomb": (3**0.5, 2, 3), "kagome": (2.0, 3, 4)}
BOUNDARIES = ["periodic", "open", ("periodic", "open"), ("open", "periodic")]
SHAPES = [(2, 2), (4, 3), (2, 7), (5, 1)]
AXIS = np.array([0.6, 0.8])


def images(lattice):
    """(images, 2) shifts that leave the lattice as it is, more than are near."""
    if lattice.geometry == "rectangular":
        sides = np.diag(lattice.spacings)
    else:
        sides = SPACING * CELLS[lattice.geometry][0] * np.array([[1.0, 0.0], [0.5, 0.75**0.5]])
    turns = itertools.product(*[range(-4, 5) if p else (0,) for p in lattice.periodic])
    return np.array([np.array(lattice.shape) * turn @ sides for turn in turns])


def vectors(lattice):
    """(N, N, images, 2) from the second spin to the first."""
    points = lattice.coordinates
    return points[:, None, None] - points[None, :, None] + images(lattice)


def dipolar(gaps):
    squares = np.sum(gaps**2, axis=-1)
    return (1 - 3 * (gaps @ AXIS) ** 2 / squares) * squares**-1.5


def lattices():
    for geometry, shape, boundary in itertools.product(CELLS, SHAPES, BOUNDARIES):
        for change in ({}, {"filling": 0.7, "seed": 2}, {"position_disorder": 0.05, "seed": 1}):
            yield Lattice(shape, geometry=geometry, boundary=boundary, spacing=SPACING, **change)
    for boundary in BOUNDARIES[2:]:
        for change in ({}, {"vacancies": (1, 5)}, {"position_disorder": 0.05}):
            yield Lattice((4, 3), boundary=boundary, spacing=(1.0, SPACING), **change)


def test_distances_and_couplings_are_those_to_the_nearest_images():
    for lattice in lattices():
        gaps = vectors(lattice)
        lengths = np.linalg.norm(gaps, axis=-1)
        truth = lengths.min(axis=-1)
        np.testing.assert_allclose(lattice.distances(), truth, atol=1e-12)
        apart = ~np.eye(lattice.n_spins, dtype=bool)
        power = power_law_kernel(lattice, exponent=3).matrix()
        np.testing.assert_allclose(power[apart], truth[apart] ** -3.0, rtol=1e-11)
        near = lengths[apart] < truth[apart][:, None] + 1e-9
        values = np.where(near, dipolar(np.where(near[..., None], gaps[apart], 1.0)), 0.0)
        angular = displacement_kernel(lattice, dipolar).matrix()
        assert np.array_equal(angular, angular.T)
        np.testing.assert_allclose(
            angular[apart], values.sum(axis=1) / near.sum(axis=1), rtol=1e-10, atol=1e-12
        )
        if lattice.on_grid:
            nearest = power_law_kernel(lattice, exponent=np.inf).matrix()
            step = min(lattice.spacings)
            assert np.array_equal(nearest, apart & (np.abs(truth - step) < 1e-9))


@pytest.mark.parametrize("geometry", CELLS)
def test_every_site_has_the_neighbours_of_its_lattice(geometry):
    side, sites, neighbours = CELLS[geometry]
    lattice = Lattice((4, 5), geometry=geometry, spacing=SPACING)
    assert lattice.n_spins == 20 * sites
    kernel = power_law_kernel(lattice, exponent=np.inf)
    assert np.array_equal(kernel.matrix().sum(axis=1), np.full(20 * sites, neighbours))
    distances = np.sort(lattice.distances(), axis=1)
    assert distances[:, 1 : neighbours + 1] == pytest.approx(SPACING, rel=1e-12)
    assert distances[:, neighbours + 1].min() > 1.4 * SPACING
    # The axes: the first along x, both as long as the cell.
    points = Lattice((2, 2), geometry=geometry, boundary="open").coordinates
    for place in ([side, 0.0], [side / 2, side * 0.75**0.5]):
        assert np.linalg.norm(points - place, axis=1).min() < 1e-12


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("geometry", ["rectangular", *CELLS])
def test_tables_hold_the_coupling_of_every_displacement(geometry, boundary):
    lattice = Lattice((3, 4), geometry=geometry, boundary=boundary, vacancies=(2,))
    for power in (3, np.inf):
        kernel = power_law_kernel(lattice, exponent=power)
        steps = kernel.sites()[:, None] - kernel.sites()[None]
        found = kernel.table[tuple(np.moveaxis(steps % kernel.table.shape, -1, 0))]
        assert np.array_equal(found, kernel.matrix())
    assert np.array_equal(kernel.grid.occupied, lattice.occupied)
    full = power_law_kernel(Lattice((3, 4), geometry=geometry, boundary=boundary), exponent=3)
    alike = boundary == "periodic" and geometry in ("rectangular", "triangular")
    assert full.translation_invariant is alike


def test_ladders_are_rectangles_and_zigzag_ladders_triangles():
    ladder = Lattice((6, 2), boundary=("periodic", "open"), spacing=(1.0, 0.8))
    legs = np.arange(6)
    around = np.minimum((legs[:, None] - legs) % 6, (legs - legs[:, None]) % 6)
    truth = np.sqrt(
        np.kron(around, np.ones((2, 2))) ** 2 + 0.64 * np.kron(np.ones((6, 6)), 1 - np.eye(2))
    )
    np.testing.assert_allclose(ladder.distances(), truth, atol=1e-14)
    zigzag = Lattice((6, 2), geometry="triangular", boundary=("periodic", "open"))
    rows = power_law_kernel(zigzag, exponent=np.inf).matrix().sum(axis=1)
    assert np.array_equal(rows, np.full(12, 4.0))
    same = Lattice((3, 4), boundary=["open", "open"])
    assert same == Lattice((3, 4), boundary="open")
    assert same.boundary == "open"


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("geometry", ["rectangular", *CELLS])
def test_a_table_must_reach_from_the_nearest_to_the_farthest_pair(geometry, boundary):
    lattice = Lattice((3, 4), geometry=geometry, boundary=boundary, spacing=SPACING)
    pairs = lattice.distances()[np.triu_indices(lattice.n_spins, 1)]
    reach = [pairs.min(), pairs.max()]
    model = SpinModel(lattice, hamiltonian=[TabulatedCoupling(distances=reach, values=[2.0, 2.0])])
    assert model.canonical.pairs
    for short in ([reach[0] * 1.01, reach[1]], [reach[0], reach[1] * 0.99]):
        with pytest.raises(InvalidInput, match=r"distances: must (begin at|reach the farthest)"):
            SpinModel(lattice, hamiltonian=[TabulatedCoupling(distances=short, values=[2.0, 2.0])])


def test_an_axis_of_one_site_has_no_pairs_for_a_table():
    lattice = Lattice((4, 1), spacing=(2.0, 1.0), boundary="open")
    table = TabulatedCoupling(distances=[2.0, 6.0], values=[2.0, 2.0])
    assert SpinModel(lattice, hamiltonian=[table]).canonical.pairs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"geometry": "triangluar"}, r"^geometry must be one of rect.*; did you mean 'triangular'"),
        ({"geometry": "ladder"}, r"^geometry must be one of .*, got 'ladder'; a ladder is rectang"),
        ({"geometry": "square"}, r"got 'square'; leave it out for a square or cubic lattice$"),
        ({"geometry": 3}, r"^geometry must be one of rectangular, .*, got 3$"),
        (
            {"geometry": "kagome", "shape": 4},
            r"^shape must hold the cells along the two axes of a",
        ),
        ({"geometry": "honeycomb", "spacing": (1, 2)}, r"^spacing must be one number on a honeyco"),
        ({"geometry": "kagome", "shape": (40000, 40000)}, r"^shape must hold at most 2147483647 s"),
        ({"geometry": "honeycomb", "vacancies": (32,)}, r"^vacancies must be at most 31, got 32$"),
        (
            {"boundary": ("open",)},
            r"^boundary must be 'periodic' or 'open', or a list .*\(2\)",
        ),
        ({"boundary": ("open", "closed")}, r"^boundary\[1\] must be one of periodic, open, got 'c"),
        ({"boundary": 1}, r"^boundary must be 'periodic' or 'open', or a list"),
    ],
)
def test_lattices_refuse(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Lattice(**{"shape": (4, 4), **arguments})
