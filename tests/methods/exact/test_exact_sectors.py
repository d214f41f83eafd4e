"""Symmetric sectors against the full space."""

import numpy as np
import pytest
from tests.methods.exact.dense_spins import power_law_xxz, random_part

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.exact.hamiltonian import HamiltonianPart, SpinHamiltonian
from spinsqueeze.methods.exact.propagate import evolve
from spinsqueeze.methods.exact.sectors import (
    SectorHamiltonian,
    is_invariant,
    lattice_symmetries,
    orbit_labels,
)
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics.state_vectors import dicke_state, product_state

CUBIC = {"interpolation": "cubic"}


def on_lattice(rng, shape):
    """Random fields and tensors with kernels that depend on the periodic distance only."""
    sites = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), axis=1)
    gap = np.abs(sites[:, None] - sites[None])
    gap = np.minimum(gap, np.array(shape) - gap)
    distance = (gap**2).sum(axis=-1)
    values = rng.normal(size=(2, distance.max() + 1))
    values[:, 0] = 0.0
    tensors = rng.normal(size=(2, 3, 3))
    return HamiltonianPart(
        field=np.tile(rng.normal(size=3), (len(sites), 1)),
        tensors=tensors + tensors.swapaxes(1, 2),
        kernels=values[:, distance],
    )


def cyclic_necklaces(n):
    """Number of orbits of 2^n strings under rotation, (1/n) sum_d phi(d) 2^(n/d) (Burnside)."""
    return sum(2 ** np.gcd(n, k) for k in range(n)) // n


@pytest.mark.parametrize("n_spins", [1, 2, 5, 6, 9, 12])
def test_orbits_under_rotation_are_necklaces(n_spins):
    labels = orbit_labels(n_spins, [np.roll(np.arange(n_spins), 1)])
    assert np.unique(labels).size == cyclic_necklaces(n_spins)
    assert np.all(labels <= np.arange(1 << n_spins))


@pytest.mark.parametrize(
    "shape", [(6,), (2, 3), pytest.param((3, 3), marks=pytest.mark.slow), (2, 2, 2)]
)
def test_sector_equals_full_space(shape):
    rng = np.random.default_rng(7)
    parts = [on_lattice(rng, shape), on_lattice(rng, shape)]
    n = parts[0].n_spins
    generators = lattice_symmetries(shape, parts)
    sector = SectorHamiltonian(parts, generators=generators)
    assert sector.dimension < 0.6 * (1 << n)
    full = SpinHamiltonian(parts)
    psi = product_state(np.tile([0.48, 0.6, 0.64], (n, 1)))
    times = np.array([0.0, 0.2, 0.5])
    options = {
        "drive": DriveWeights((1.0, Envelope([0, 0.2, 0.4, 0.6], values=[1, -1, 2, 0.0], **CUBIC))),
        "rotations": [Rotation(0.3, (0.6, 0.0, 0.8), -1.1)],
        "tolerance": 1e-9,
    }
    a = evolve(sector, sector.project(psi), times, **options)
    b = evolve(full, psi, times, **options)
    np.testing.assert_allclose(a.spin, b.spin, atol=2e-9 * n)
    np.testing.assert_allclose(a.covariance, b.covariance, atol=4e-9 * n**2)
    np.testing.assert_allclose(sector.expand(a.state), b.state, atol=2e-9)


def test_real_matrices_act_as_complex_ones():
    part = power_law_xxz(8, 3.0, 1.0, -0.7)
    sector = SectorHamiltonian([part], generators=lattice_symmetries((8,), [part]))
    rng = np.random.default_rng(0)
    c = rng.normal(size=sector.dimension) + 1j * rng.normal(size=sector.dimension)
    got, want = np.empty_like(c), np.empty(1 << 8, dtype=complex)
    sector.frozen().apply(c, got)
    SpinHamiltonian([part]).frozen().apply(sector.expand(c), want)
    np.testing.assert_allclose(sector.expand(got), want, atol=1e-13)


def test_generators_are_those_the_model_respects():
    chain = power_law_xxz(6, 3.0, 1.0, 0.0)
    assert len(lattice_symmetries((6,), [chain])) == 2
    opened = HamiltonianPart(
        field=chain.field,
        tensors=chain.tensors,
        kernels=np.where(np.abs(np.subtract.outer(range(6), range(6))) < 2, chain.kernels, 0.0),
    )
    (mirror,) = lattice_symmetries((6,), [opened])
    np.testing.assert_array_equal(mirror, np.arange(6)[::-1])
    assert lattice_symmetries((6,), [random_part(np.random.default_rng(0), 6)]) == []
    assert not is_invariant(opened, np.roll(np.arange(6), 1))


def test_refusals():
    chain = power_law_xxz(4, 3.0, 1.0, 0.0)
    shift = np.roll(np.arange(4), 1)
    sector = SectorHamiltonian([chain], generators=[shift])
    uniform = product_state(np.tile([1.0, 0, 0], (4, 1)))
    np.testing.assert_allclose(sector.expand(sector.project(uniform)), uniform, atol=1e-15)
    sector.project(dicke_state(4, spins_up=1))
    staggered = product_state(np.array([[0, 0, 1.0], [0, 0, -1]] * 2))
    with pytest.raises(InvalidInput, match="initial_state must be invariant"):
        sector.project(staggered)
    with pytest.raises(InvalidInput, match="mask must turn all spins"):
        sector.rotate(sector.project(uniform), axis=np.eye(3)[0], angle=1.0, mask=np.arange(4) < 2)
    with pytest.raises(InvalidInput, match="generators must be permutations"):
        SectorHamiltonian([chain], generators=[np.zeros(4, dtype=int)])
    with pytest.raises(InvalidInput, match="generators must hold at least one"):
        SectorHamiltonian([chain], generators=[])
    with pytest.raises(InvalidInput, match="generators must leave the Hamiltonian unchanged"):
        SectorHamiltonian([random_part(np.random.default_rng(1), 4)], generators=[shift])
