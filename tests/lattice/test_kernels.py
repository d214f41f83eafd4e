import itertools
import math

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import (
    AllToAllKernel,
    CirculantKernel,
    DenseKernel,
    StencilKernel,
)


def brute_distances(lattice):
    """Distances by trying every image of every spin in the neighbouring cells."""
    points = lattice.coordinates
    wraps = lattice.boundary == "periodic"
    cell = np.array(lattice.shape) * np.array(lattice.spacings) if wraps else None
    shifts = itertools.product((-1, 0, 1) if wraps else (0,), repeat=lattice.dimension)
    images = [np.array(s) * cell if wraps else np.zeros(lattice.dimension) for s in shifts]
    out = np.empty((len(points), len(points)))
    for i, p in enumerate(points):
        for j, q in enumerate(points):
            out[i, j] = min(math.dist(p, q + image) for image in images)
    return out


def brute_matrix(lattice, exponent):
    distance = brute_distances(lattice)
    np.fill_diagonal(distance, np.inf)
    if math.isinf(exponent):
        steps = [a for a, n in zip(lattice.spacings, lattice.shape, strict=True) if n > 1]
        nearest = min(steps, default=np.inf)
        return (np.abs(distance - nearest) < 1e-9).astype(float)
    if exponent == 0:
        return np.isfinite(distance).astype(float)
    return distance**-exponent


LATTICES = {
    "chain": Lattice(7),
    "open chain": Lattice(7, boundary="open"),
    "ring of two": Lattice(2),
    "open pair": Lattice(2, boundary="open"),
    "2 x 2 torus": Lattice((2, 2)),
    "2 x 5 torus": Lattice((2, 5)),
    "1 x 4": Lattice((1, 4)),
    "square": Lattice((4, 5)),
    "open square": Lattice((4, 3), boundary="open"),
    "rectangular cells": Lattice((4, 3), spacing=(1.0, 1.7)),
    "cube": Lattice((3, 2, 4)),
    "open cube": Lattice((2, 3, 2), boundary="open", spacing=0.5),
    "filled by a third": Lattice((5, 5), filling=0.36, seed=3),
    "open, filled by half": Lattice((4, 4), filling=0.5, boundary="open", seed=8),
    "vacancies": Lattice((3, 4), vacancies=(0, 7)),
}


@pytest.mark.parametrize("exponent", [0.0, 0.5, 3.0, 6.0, math.inf])
@pytest.mark.parametrize("name", LATTICES)
def test_kernels_equal_brute_force_distances(name, exponent):
    lattice = LATTICES[name]
    kernel = power_law_kernel(lattice, exponent=exponent)
    matrix = kernel.matrix()
    assert kernel.n_spins == lattice.n_spins == len(matrix)
    if exponent and not math.isinf(exponent) and lattice.n_spins > 1:
        assert isinstance(kernel, CirculantKernel)
    np.testing.assert_allclose(matrix, brute_matrix(lattice, exponent), rtol=1e-13, atol=0)
    assert not np.any(np.diag(matrix))
    assert np.array_equal(matrix, matrix.T)


@pytest.mark.parametrize("name", LATTICES)
def test_distances_equal_brute_force(name):
    lattice = LATTICES[name]
    np.testing.assert_allclose(lattice.distances(), brute_distances(lattice), atol=1e-13)


def test_distances_with_positional_disorder_wrap_around():
    lattice = Lattice((4, 3), position_disorder=0.3, seed=5)
    assert isinstance(power_law_kernel(lattice, exponent=3), DenseKernel)
    # One cell of images is enough: no displacement here comes near half a lattice.
    np.testing.assert_allclose(
        power_law_kernel(lattice, exponent=3).matrix(), brute_matrix(lattice, 3.0), rtol=1e-12
    )


def test_explicit_positions():
    positions = np.random.default_rng(2).uniform(size=(6, 3))
    kernel = power_law_kernel(Lattice(positions=positions), exponent=6)
    i, j = 1, 4
    assert kernel.matrix()[i, j] == pytest.approx(math.dist(positions[i], positions[j]) ** -6)


@pytest.mark.parametrize(
    ("lattice", "exponent", "invariant"),
    [
        (Lattice((4, 4)), 3.0, True),
        (Lattice((4, 4)), math.inf, True),
        (Lattice((4, 4)), 0.0, True),
        (Lattice((4, 4), boundary="open"), 3.0, False),
        (Lattice((4, 4), boundary="open"), math.inf, False),
        (Lattice((4, 4), filling=0.5), 3.0, False),
        (Lattice((4, 4), position_disorder=0.1), 3.0, False),
    ],
)
def test_translation_invariance(lattice, exponent, invariant):
    assert power_law_kernel(lattice, exponent=exponent).translation_invariant is invariant


def test_translating_the_spins_leaves_an_invariant_kernel_unchanged():
    lattice = Lattice((3, 4))
    matrix = power_law_kernel(lattice, exponent=2.5).matrix()
    moved = np.roll(np.arange(12).reshape(3, 4), (1, 2), axis=(0, 1)).ravel()
    np.testing.assert_array_equal(matrix, matrix[np.ix_(moved, moved)])


def test_kernel_kinds():
    assert isinstance(power_law_kernel(Lattice(5), exponent=0), AllToAllKernel)
    assert isinstance(power_law_kernel(Lattice(5), exponent=math.inf), StencilKernel)


def test_filling_draws_the_right_number_of_sites_by_seed():
    one, same, other = (Lattice((10, 10), filling=0.37, seed=s) for s in (1, 1, 2))
    assert one.n_spins == int(one.occupied.sum()) == 37
    assert np.array_equal(one.occupied, same.occupied)
    assert not np.array_equal(one.occupied, other.occupied)


def test_positional_disorder_has_the_stated_width():
    lattice = Lattice((60, 60), position_disorder=0.2, seed=4)
    sites = np.argwhere(np.ones((60, 60)))
    shift = lattice.coordinates - sites
    n = shift.size
    assert abs(shift.std() - 0.2) < 5 * 0.2 / math.sqrt(2 * n)
    assert abs(shift.mean()) < 5 * 0.2 / math.sqrt(n)


def test_nearest_neighbours_need_lattice_sites():
    with pytest.raises(InvalidInput, match=r"^exponent = inf .* needs spins on lattice sites"):
        power_law_kernel(Lattice(positions=[[0.0], [1.0]]), exponent=math.inf)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"^shape or positions must be given, e.g. shape=\(64, 64\)$"),
        ({"shape": (4, 0)}, r"^shape\[1\] must be at least 1, got 0$"),
        ({"shape": (4.5,)}, r"^shape\[0\] must be an integer, got 4.5 \(float\)$"),
        ({"shape": ()}, r"^shape must hold 1, 2 or 3 sizes, got \(\)$"),
        ({"shape": (2, 2, 2, 2)}, r"^shape must hold 1, 2 or 3 sizes"),
        ({"shape": "4x4"}, r"sizes, got '4x4'; write \[4, 4\], without quotes$"),
        ({"shape": (65536, 65536)}, r"^shape must hold at most 2147483647 sites"),
        ({"shape": 4, "spacing": 0.0}, r"^spacing must be above 0, got 0$"),
        ({"shape": 4, "spacing": (1.0, 2.0)}, r"^spacing must have shape 1, got 2$"),
        ({"shape": 4, "boundary": "opne"}, r"got 'opne'; did you mean 'open'\?$"),
        ({"shape": 4, "filling": 0.0}, r"^filling must be above 0, got 0$"),
        ({"shape": 4, "filling": 1.2}, r"^filling must be at most 1, got 1.2$"),
        ({"shape": 4, "filling": 0.1}, r"^filling must leave a spin on 4 sites, got 0.1$"),
        (
            {"shape": 2, "vacancies": (0, 1)},
            r"^vacancies must leave a spin on 2 sites, got",
        ),
        ({"shape": 4, "vacancies": (4,)}, r"^vacancies must be at most 3, got 4$"),
        ({"shape": 4, "vacancies": (1, 1)}, r"^vacancies must not repeat a site$"),
        ({"shape": 4, "boundary": "closed"}, r"^boundary must .* write 'periodic' where opposite"),
        ({"shape": 4, "filling": 97}, r"^filling must be at most 1, got 97; write 0.97 for 97 %$"),
        (
            {"shape": (4, 4), "geometry": "hexagonal"},
            r"'hexagonal'; write 'triangular' for six neighbours each, 'honeycomb' for three$",
        ),
        (
            {"shape": 4, "filling": 3},
            r"^filling must be at most 1, got 3; write 0.97 where 3 % of the sites are empty, 0.03 "
            r"for a filling of 3 %$",
        ),
        ({"shape": 4, "filling": "3%"}, r"'3%' \(str\); write 0.97 where 3 % of the sites are emp"),
        ({"shape": 4, "vacancies": 0.03}, r"got 0.03; write filling = 0.97 for a fraction"),
        (
            {"shape": 4, "vacancies": 1},
            r"^vacancies must be a list of site indices, got 1; filling = 0.97",
        ),
        ({"shape": 4, "vacancies": (1,), "filling": 0.5}, r"^give either filling or vacancies"),
        ({"shape": 4, "position_disorder": -1.0}, r"^position_disorder must be at least 0"),
        ({"shape": 4, "seed": -1}, r"^seed must be at least 0, got -1$"),
        ({"shape": 4, "positions": [[0.0]]}, r"^give either shape or positions, not both$"),
        ({"positions": [[0.0], [0.0]]}, r"^positions must differ"),
        ({"positions": [0.0, 1.0]}, r"^positions must be rows of numbers, got 2 numbers$"),
        ({"positions": np.zeros((1, 4))}, r"^positions must have shape N x D, D = 1..3"),
        ({"positions": [[0.0]], "filling": 0.5}, r"^positions are explicit: leave out filling"),
        ({"positions": [[0.0]], "loading": "independent"}, r"explicit: leave out loading$"),
        ({"shape": 4, "loading": "poisson"}, r"^loading must be one of fixed, independent"),
        (
            {"shape": 4, "loading": "independent", "vacancies": [1]},
            r"^loading is for a filling; leave it out beside vacancies$",
        ),
        (
            {"shape": 4, "loading": "independent", "filling": 0.01},
            r"^filling must leave a spin on 4 sites, got 0.01 \(none drawn by seed 0\)$",
        ),
        ({"positions": [[0.0]], "spacing": 2.0}, r"^positions are explicit: leave out spacing$"),
    ],
)
def test_lattices_refuse(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Lattice(**arguments)


def test_circulant_kernels_refuse_a_self_coupling_and_another_dimension():
    with pytest.raises(InvalidInput, match=r"^values\[0\] must be 0"):
        CirculantKernel((3,), None, np.ones(3))
    with pytest.raises(InvalidInput, match=r"^values must have one dimension per grid axis$"):
        CirculantKernel((3, 3), None, np.zeros(3))


def test_positions_have_no_period():
    with pytest.raises(InvalidInput, match="boundary must be 'open' with positions, got 'per"):
        Lattice(positions=[[0.0], [1.0]], boundary="periodic")
    assert Lattice(positions=[[0.0], [1.0]]).boundary == "open"
    assert Lattice(positions=[[0.0], [1.0]], boundary="open").boundary == "open"
    assert Lattice((2, 2)).boundary == "periodic"
    with pytest.raises(InvalidInput, match="boundary must be one of periodic, open, got 'closed'"):
        Lattice((2, 2), boundary="closed")
    with pytest.raises(InvalidInput, match="boundary must be one of periodic, open, got 'closed'"):
        Lattice(positions=[[0.0], [1.0]], boundary="closed")
