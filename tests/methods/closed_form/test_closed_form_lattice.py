import numpy as np
import pytest

from spinsqueeze.methods.closed_form.ising import ising_correlators, ising_moments
from spinsqueeze.methods.closed_form.ising_lattice import (
    displacement_orbits,
    lattice_correlators,
    lattice_cost,
    lattice_moments,
)
from spinsqueeze.methods.closed_form.lattice_kernels import real_lattice_products
from spinsqueeze.methods.closed_form.lattice_products import by_numpy

TIMES = np.array([0.0, 0.1, 1.0, 20.0])
STATES = [
    {"bloch": (0.6, 0.8, 0)},
    {"bloch": (0.5, -0.2, 0.7)},
    {
        "bloch": (0.5, -0.2, 0.7),
        "dephasing": 0.1 * TIMES,
        "rotation": 0.4 * TIMES,
        "decay": 0.2 * TIMES,
        "pumping": 0.05 * TIMES,
    },
]


def power_law(shape, exponent=3.0, stretch=0.0):
    steps = np.meshgrid(*[np.minimum(np.arange(n), n - np.arange(n)) for n in shape], indexing="ij")
    r = np.sqrt(sum(x * x * (1 + stretch * a) for a, x in enumerate(steps)))
    r.flat[0] = 1
    K = r**-exponent
    K.flat[0] = 0
    return K


def even_random(shape, seed=0):
    K = np.random.default_rng(seed).normal(size=shape)
    back = K
    for axis in range(K.ndim):
        back = np.roll(np.flip(back, axis), 1, axis)
    K = K + back
    K.flat[0] = 0
    return K


def dense(K):
    where = np.array(np.unravel_index(np.arange(K.size), K.shape)).T
    difference = (where[None] - where[:, None]) % np.array(K.shape)
    return K[tuple(np.moveaxis(difference, -1, 0))]


@pytest.mark.parametrize(
    "shape", [(1,), (2,), (7,), (4, 4), (5, 3), (3, 5), (4, 1), (2, 4, 3), (3, 3, 3)]
)
@pytest.mark.parametrize("couplings", ["isotropic", "stretched", "even"])
@pytest.mark.parametrize("state", range(3))
def test_lattice_equals_dense(shape, couplings, state):
    K = (
        even_random(shape)
        if couplings == "even"
        else power_law(shape, stretch=0.5 * (couplings == "stretched"))
    )
    found = lattice_moments(K, integrals=TIMES, **STATES[state])
    expected = ising_moments(dense(K), integrals=TIMES, **STATES[state])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13 * K.size)


@pytest.mark.parametrize("K", [power_law((4, 3), stretch=0.3), even_random((4, 3))])
def test_correlators_by_displacement(K):
    now = next(lattice_correlators(K, integrals=[0.7], bloch=(0.6, 0.3, 0.5), decay=0.1))
    full = next(ising_correlators(dense(K), integrals=[0.7], bloch=(0.6, 0.3, 0.5), decay=0.1))
    assert now.plus == pytest.approx(full.plus[0], abs=1e-15)
    assert now.z == pytest.approx(full.z[0], abs=1e-15)
    for name, table in (
        ("plus_plus", full.plus_plus[0]),
        ("plus_minus", full.plus_minus[0]),
        ("z_plus", full.z_plus[:, 0]),
    ):
        np.testing.assert_allclose(getattr(now, name).ravel(), table, rtol=0, atol=1e-15)


def test_several_terms_with_their_own_envelopes():
    a, b = power_law((4, 4)), even_random((4, 4), 5)
    strengths = np.array([[0.3, 0.2], [1.0, -0.4]])
    found = lattice_moments(np.array([a, b]), integrals=strengths, bloch=(1, 0, 0))
    for t, (x, y) in enumerate(strengths):
        alone = lattice_moments(x * a + y * b, integrals=[1.0], bloch=(1, 0, 0))
        np.testing.assert_allclose(found[1][t], alone[1][0], rtol=0, atol=1e-13)


def test_symmetry_reduces_the_displacements():
    # 8 x 8: distinct (|x|, |y|) up to exchange, without (0, 0)
    assert len(displacement_orbits(power_law((8, 8))[None]).columns) == 5 * 6 // 2 - 1
    assert len(displacement_orbits(power_law((8, 8), stretch=0.5)[None]).columns) == 24
    # even only under inversion: (64 - 4 fixed points)/2 + 3
    assert len(displacement_orbits(even_random((8, 8))[None]).columns) == 33
    assert lattice_cost(power_law((8, 8))[None], n_times=3)[0] == 8 * 3 * 64 * 14


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([0, 1.0, 2.0], "table must be even"),
        ([1.0, 1.0], "table must be zero at displacement 0"),
        ([0.0, np.inf], "table must be finite"),
        (1.0, "table must have the shape of the lattice"),
    ],
)
def test_refusals(table, message):
    with pytest.raises(ValueError, match=message):
        lattice_moments(table, integrals=[1.0], bloch=(1, 0, 0))


@pytest.mark.parametrize("shape", [(7,), (2, 3), (4, 4), (3, 4, 5)])
def test_small_lattices_by_numpy_have_the_bits_of_the_compiled_products(shape):
    table = even_random(shape)
    orbits = displacement_orbits(table[None])
    K = table.transpose(orbits.axes).reshape(-1, orbits.shape[-1])
    c, s = np.cos(0.5 * K), np.sin(0.5 * K)
    plus, minus = np.zeros((2, len(orbits.columns)))
    doubled = [np.concatenate((part, part), axis=1) for part in (c, s)]
    real_lattice_products(*doubled, orbits.rows, orbits.columns, plus, minus)
    found = by_numpy(c, s, orbits.rows, orbits.columns)
    np.testing.assert_array_equal(found, (plus, minus))
