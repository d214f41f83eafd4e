"""The symmetries found are all there are, against every permutation or known group orders."""

import itertools

import numpy as np
import pytest

from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.numerics.site_symmetries import site_symmetries


def group_order(generators, n):
    found = {tuple(range(n))}
    todo = list(found)
    while todo:
        here = np.array(todo.pop())
        for move in generators:
            there = tuple(here[move])
            if there not in found:
                found.add(there)
                todo.append(there)
    return len(found)


@pytest.mark.parametrize(
    ("shape", "boundary", "exponent", "order"),
    [
        ((7, 7), "periodic", 3.0, 49 * 8),
        ((4, 4), "open", 3.0, 8),
        ((4, 4), "periodic", np.inf, 384),  # a hypercube of four dimensions
        ((4, 4), "periodic", 3.0, 128),
        ((2, 2, 2), "open", 6.0, 48),
        ((3, 4), "periodic", 3.0, 12 * 4),
        ((5,), "periodic", 0.0, 120),
        ((12,), "open", 3.0, 2),
        ((1,), "open", 3.0, 1),
    ],
)
def test_of_lattices(shape, boundary, exponent, order):
    kernel = power_law_kernel(Lattice(shape, boundary=boundary), exponent=exponent)
    for couplings in (kernel, kernel.matrix()):
        moves = site_symmetries([couplings])
        for move in moves:
            np.testing.assert_allclose(kernel.matrix()[np.ix_(move, move)], kernel.matrix())
        assert group_order(moves, kernel.n_spins) == order


@pytest.mark.parametrize("seed", range(40))
def test_of_any_couplings_and_fields(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    first, second = rng.integers(0, 2, (2, n, n)).astype(float)
    kernels = [np.triu(k, 1) + np.triu(k, 1).T for k in (first, second if seed % 2 else first)]
    rows = [rng.integers(0, 2, (n, 3)).astype(float)] if seed % 3 == 0 else []
    expected = sum(
        all(np.array_equal(k[np.ix_(p, p)], k) for k in kernels)
        and all(np.array_equal(r[list(p)], r) for r in rows)
        for p in itertools.permutations(range(n))
    )
    assert group_order(site_symmetries(kernels, rows=rows), n) == expected


def test_of_a_lattice_with_an_empty_middle():
    lattice = Lattice((5, 5), boundary="open", vacancies=(12,))
    assert group_order(site_symmetries([power_law_kernel(lattice, exponent=3.0)]), 24) == 8


def test_couplings_that_differ_by_rounding_are_alike():
    lattice = Lattice((2, 3, 3), spacing=0.3, boundary="open")
    kernel = power_law_kernel(lattice, exponent=6.0)
    noise = np.random.default_rng(1).uniform(-1, 1, (18, 18)) * 1e-15
    assert group_order(site_symmetries([kernel.matrix() * (1 + noise + noise.T)]), 18) == 16
    random = kernel.matrix() * (1 + 1e-6 * (noise + noise.T) / 1e-15)
    assert site_symmetries([random]) == []


def test_large_grids_get_the_moves_of_the_grid():
    moves = site_symmetries([power_law_kernel(Lattice((12, 12)), exponent=3.0)])
    assert len(moves) == 5
    assert len(site_symmetries([power_law_kernel(Lattice((12, 12)), exponent=3.0).matrix()])) == 0
