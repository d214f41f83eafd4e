"""Best phases of pairs: known answers, a frustrated triangle on a grid, and the dual bound."""

import itertools

import numpy as np
import pytest

from spinsqueeze.numerics import pair_phases
from spinsqueeze.numerics.pair_arrays import PairMatrix, PairTable
from spinsqueeze.numerics.pair_phases import common_phase, single_phases


def couplings(n, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    return a + a.T


def value(a, z, counts):
    """The sum over pairs of spins, one after the other."""
    kind = np.repeat(np.arange(len(counts)), np.asarray(counts, dtype=int))
    return sum(
        (a[kind[i], kind[j]] * z[kind[i]] * z[kind[j]]).real
        for i, j in itertools.combinations(range(len(kind)), 2)
    )


def test_a_common_phase_turns_the_sum_onto_the_real_axis():
    a, counts = couplings(4, 0), np.array([1.0, 3.0, 2.0, 1.0])
    best = common_phase(PairMatrix(a, counts))
    assert best.value == pytest.approx(value(a, best.phases, counts))
    assert best.value == best.upper_bound
    angles = np.exp(1j * np.linspace(0, np.pi, 100))
    assert best.value >= max(value(a, np.full(4, z), counts) for z in angles)
    assert 0 <= np.angle(best.phases[0]) < np.pi


def test_phases_without_frustration_are_found_and_certain():
    rng = np.random.default_rng(1)
    hidden = np.exp(1j * rng.uniform(0, 6, 30))
    sizes = rng.uniform(0, 1, (30, 30))
    a = (sizes + sizes.T) * np.outer(hidden, hidden).conj()
    best = single_phases(PairMatrix(a, np.ones(30)))
    assert best.certain
    assert best.value == pytest.approx(np.abs(np.triu(a, 1)).sum(), rel=1e-10)
    np.testing.assert_allclose(np.abs(np.sum(best.phases / hidden)), 30, rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_a_frustrated_triangle_against_a_grid(seed):
    a = couplings(3, seed)
    best = single_phases(PairMatrix(a, np.ones(3)))
    z = np.exp(1j * np.linspace(0, 2 * np.pi, 60, endpoint=False))
    x, y, w = z[:30, None, None], z[None, :, None], z[None, None, :]  # all signs turn together
    grid = (a[0, 1] * x * y + a[0, 2] * x * w + a[1, 2] * y * w).real.max()
    assert grid <= best.value <= grid + 0.01 * np.abs(a).sum()
    assert best.value == pytest.approx(value(a, best.phases, [1, 1, 1]))
    assert best.value <= best.upper_bound <= np.abs(np.triu(a, 1)).sum() * (1 + 1e-12)
    assert best.certain == (best.upper_bound <= best.value * (1 + 2e-9))


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_kinds_are_spins_alike_and_lose_nothing_by_sharing_a_phase(seed):
    counts = np.array([3, 1, 2])
    a, kind = couplings(3, seed), np.repeat(np.arange(3), counts)
    together = single_phases(PairMatrix(a, counts.astype(float)))
    apart = single_phases(PairMatrix(a[np.ix_(kind, kind)], np.ones(6)))
    assert together.value == pytest.approx(value(a, together.phases, counts))
    assert together.value == pytest.approx(apart.value, rel=1e-7)
    assert apart.value <= together.upper_bound * (1 + 1e-9)


@pytest.mark.parametrize("seed", [7, 8])
def test_a_bound_of_frustrated_phases_holds_and_the_end_is_a_local_maximum(seed):
    a = couplings(25, seed)
    best = single_phases(PairMatrix(a, np.ones(25)))
    a -= np.diag(np.diag(a))
    pull = best.phases * (a @ best.phases)
    np.testing.assert_allclose(pull.imag, 0, atol=1e-6 * np.abs(pull).max())
    hessian = -np.real(np.outer(best.phases, best.phases) * a) - np.diag(pull.real)
    assert np.linalg.eigvalsh(hessian)[-1] < 0
    z = np.exp(1j * np.random.default_rng(0).uniform(0, 6, (200, 25)))
    assert best.value > max(value(a, row, np.ones(25)) for row in z[:20])
    assert best.value <= best.upper_bound < 1.3 * best.value
    assert best.upper_bound < np.abs(np.triu(a, 1)).sum()


def test_what_couples_to_nothing_follows_the_rest():
    a = np.zeros((3, 3), dtype=complex)
    a[0, 2] = a[2, 0] = 1j
    best = single_phases(PairMatrix(a, np.ones(3)))
    assert best.value == pytest.approx(1.0)
    assert best.certain
    assert best.phases[1] == pytest.approx(np.exp(0.75j * np.pi))
    nothing = single_phases(PairMatrix(np.zeros((2, 2), dtype=complex), np.ones(2)))
    assert (nothing.value, nothing.upper_bound) == (0.0, 0.0)
    assert np.isnan(nothing.phases).all()


def test_patterns_are_tried(monkeypatch):
    # A periodic chain with pairs two sites apart that want opposite signs: stripes of two sites.
    distance = np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    a = np.where(np.isin(distance, [2, 6]), -1.0, np.where(np.isin(distance, [1, 7]), 0.3, 0)) + 0j
    stripes = np.tile([1.0, 1.0, -1.0, -1.0], 2)[:, None]
    monkeypatch.setattr(
        pair_phases, "_ascended", lambda _, start: start / np.abs(start).max(axis=-1, keepdims=True)
    )
    monkeypatch.setattr(pair_phases, "_climbed", lambda _, phases: phases)
    without = single_phases(PairMatrix(a, np.ones(8)))
    best = single_phases(PairMatrix(a, np.ones(8)), patterns=stripes)
    assert best.value == pytest.approx(8.0)
    assert without.value < 8.0
    np.testing.assert_allclose(np.abs(best.phases @ stripes), 8.0)


def even_table(shape, seed):
    """Random numbers by displacement, the same for r and -r."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    axes = tuple(range(len(shape)))
    table = table + np.roll(np.flip(table), 1, axis=axes)
    table.flat[0] = 0
    return PairTable(table)


@pytest.mark.parametrize("shape", [(2,), (7,), (8,), (3, 4), (2, 2), (2, 3, 2)])
def test_a_table_is_its_matrix(shape):
    table = even_table(shape, 3)
    matrix = PairMatrix(table.matrix(), table.counts)
    np.testing.assert_array_equal(matrix.values, matrix.values.T)
    for name in ("total", "size", "squares"):
        assert getattr(table, name) == pytest.approx(getattr(matrix, name), rel=1e-12)
    v = np.random.default_rng(0).normal(size=(2, len(table.counts), 3))
    np.testing.assert_allclose(table.apply(v[0] + 1j * v[1]), matrix.apply(v[0] + 1j * v[1]))
    vectors, bound = table.relaxed()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    reached = np.real(np.einsum("ip,ij,jp->", vectors, matrix.weights, vectors)) / 2
    assert reached == pytest.approx(bound)
    assert bound == pytest.approx(np.linalg.norm(matrix.weights, 2) * len(vectors) / 2)


@pytest.mark.parametrize("shape", [(2,), (7,), (8,), (3, 4), (4, 4), (3, 3, 3)])
@pytest.mark.parametrize("seed", range(2))
def test_phases_of_a_torus_are_as_good_as_those_of_its_matrix(shape, seed):
    table = even_table(shape, seed)
    matrix = PairMatrix(table.matrix(), table.counts)
    best, dense = single_phases(table), single_phases(matrix)
    assert best.value == pytest.approx(value(matrix.values, best.phases, matrix.counts), rel=1e-9)
    assert best.value >= dense.value * (1 - 1e-7)
    assert max(best.value, dense.value) <= best.upper_bound * (1 + 1e-9)
    assert best.upper_bound <= dense.upper_bound * (1 + 1e-9)
    assert best.certain >= dense.certain
    pull = best.phases * matrix.apply(best.phases[:, None])[:, 0]
    np.testing.assert_allclose(pull.imag, 0, atol=1e-6 * np.abs(pull).max())
    same = common_phase(table)
    assert same.value == pytest.approx(common_phase(matrix).value, rel=1e-12)
    assert abs(np.angle(same.phases[0] / common_phase(matrix).phases[0])) < 1e-10


def test_stripes_and_tiles_of_waves_reach_the_bound():
    """Couplings of one wave: alternating phases; of two waves of four sites: tiles."""
    x, y = np.indices((8, 8))
    for cosine in ((-1.0) ** (x + y), (-1.0) ** x):
        table = cosine * 1j
        table[0, 0] = 0
        best = single_phases(PairTable(table))
        assert best.certain
        assert best.value == pytest.approx(64 * 63 / 2)
    table = np.cos(np.pi * x / 2) + np.cos(np.pi * y / 2) + 0j
    table[0, 0] = 0
    best = single_phases(PairTable(table))
    # The diagonal left out costs N; signs of tiles give W(k)/2 |z_k|^2, all of it in four waves.
    assert best.upper_bound == pytest.approx(64 * (64 / 2 - 2) / 2)
    assert best.value == pytest.approx(best.upper_bound, rel=1e-6)
