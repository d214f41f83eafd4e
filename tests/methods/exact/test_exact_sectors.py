"""Symmetric sectors against the full space."""

import numpy as np
import pytest
from tests.methods.exact.dense_spins import power_law_xxz, random_part

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.exact import closed_sector
from spinsqueeze.methods.exact.couplings import HamiltonianPart
from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian
from spinsqueeze.methods.exact.propagate import evolve
from spinsqueeze.methods.exact.sectors import Sector, SectorHamiltonian
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics.orbits import group_elements
from spinsqueeze.numerics.site_symmetries import site_symmetries
from spinsqueeze.numerics.state_vectors import dicke_state, product_state
from spinsqueeze.results.dataset import diagnostics_of
from spinsqueeze.run.questions import evolve_question

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


def symmetries(parts):
    return site_symmetries(
        [k for part in parts for k in part.kernels], rows=[part.field for part in parts]
    )


def in_sector(parts, generators, *, inverted=False):
    sector = Sector.of(parts[0].n_spins, generators)
    return SectorHamiltonian(parts, sector=sector.inverted() if inverted else sector)


def project(space, psi):
    sector = space.sector
    return sector.lowered(sector.amplitudes(psi))


@pytest.mark.parametrize(
    "shape", [(6,), (2, 3), pytest.param((3, 3), marks=pytest.mark.slow), (2, 2, 2)]
)
def test_sector_equals_full_space(shape):
    rng = np.random.default_rng(7)
    parts = [on_lattice(rng, shape), on_lattice(rng, shape)]
    n = parts[0].n_spins
    sector = in_sector(parts, symmetries(parts))
    assert sector.dimension < 0.6 * (1 << n)
    full = SpinHamiltonian(parts)
    psi = product_state(np.tile([0.48, 0.6, 0.64], (n, 1)))
    times = np.array([0.0, 0.2, 0.5])
    options = {
        "drive": DriveWeights((1.0, Envelope([0, 0.2, 0.4, 0.6], values=[1, -1, 2, 0.0], **CUBIC))),
        "rotations": [Rotation(0.3, (0.6, 0.0, 0.8), -1.1)],
        "tolerance": 1e-9,
    }
    a = evolve(sector, project(sector, psi), times, **options)
    b = evolve(full, psi, times, **options)
    np.testing.assert_allclose(a.spin, b.spin, atol=2e-9 * n)
    np.testing.assert_allclose(a.covariance, b.covariance, atol=4e-9 * n**2)
    np.testing.assert_allclose(sector.sector.expand(a.state), b.state, atol=2e-9)


def test_real_matrices_act_as_complex_ones():
    part = power_law_xxz(8, 3.0, 1.0, -0.7)
    sector = in_sector([part], symmetries([part]))
    rng = np.random.default_rng(0)
    c = rng.normal(size=sector.dimension) + 1j * rng.normal(size=sector.dimension)
    got, want = np.empty_like(c), np.empty(1 << 8, dtype=complex)
    sector.frozen().apply(c, got)
    SpinHamiltonian([part]).frozen().apply(sector.sector.expand(c), want)
    np.testing.assert_allclose(sector.sector.expand(got), want, atol=1e-13)


def test_the_last_sector_is_kept_for_its_own_symmetries_alone():
    chain = [np.roll(np.arange(6), 1)]
    first = Sector.of(6, chain)
    assert Sector.of(6, chain) is first
    assert first.inverted().whole is first
    mirrored = Sector.of(6, [*chain, np.arange(6)[::-1]])
    assert (first.dimension, mirrored.dimension) == (14, 13)
    assert Sector.of(5, [np.roll(np.arange(5), 1)]).dimension == 8


def test_generators_are_those_the_model_respects():
    chain = power_law_xxz(6, 3.0, 1.0, 0.0)
    assert len(group_elements(symmetries([chain]))) == 12
    opened = HamiltonianPart(
        field=chain.field,
        tensors=chain.tensors,
        kernels=np.where(np.abs(np.subtract.outer(range(6), range(6))) < 2, chain.kernels, 0.0),
    )
    (mirror,) = symmetries([opened])
    np.testing.assert_array_equal(mirror, np.arange(6)[::-1])
    assert symmetries([random_part(np.random.default_rng(0), 6)]) == []


@pytest.mark.parametrize("shape", [(5,), pytest.param((2, 4), marks=pytest.mark.slow)])
def test_inversion_halves_the_sector(shape):
    """XYZ couplings and a field along x, two strengths, from a state along x; N even or odd."""
    rng = np.random.default_rng(3)
    parts = [on_lattice(rng, shape) for _ in range(2)]
    for part in parts:
        part.tensors[:, 0, 1:] = part.tensors[:, 1:, 0] = 0.0
        part.field[:, 1:] = 0.0
    generators = symmetries(parts)
    n = parts[0].n_spins
    plain, halved = (in_sector(parts, generators, inverted=joins) for joins in (False, True))
    assert halved.dimension <= 0.75 * plain.dimension
    psi = product_state(np.tile([1.0, 0, 0], (n, 1)))
    assert halved.sector.unmoved(halved.sector.amplitudes(psi))
    assert not plain.sector.unmoved(plain.sector.amplitudes(dicke_state(n, spins_up=1)))
    if n % 2:
        back = product_state(np.tile([-1.0, 0, 0], (n, 1)))
        assert not plain.sector.unmoved(plain.sector.amplitudes(back))
    options = {
        "drive": DriveWeights((1.0, Envelope([0, 0.2, 0.4, 0.6], values=[1, -1, 2, 0.0], **CUBIC))),
        "tolerance": 1e-9,
    }
    times = np.array([0.0, 0.2, 0.5])
    a = evolve(halved, project(halved, psi), times, **options)
    b = evolve(SpinHamiltonian(parts), psi, times, **options)
    np.testing.assert_allclose(a.spin, b.spin, atol=2e-9 * n)
    np.testing.assert_allclose(a.covariance, b.covariance, atol=4e-9 * n**2)
    np.testing.assert_allclose(halved.sector.expand(a.state), b.state, atol=2e-9)
    with pytest.raises(InvalidInput, match="a rotation leaves the sector of inversion"):
        halved.rotate(a.state, axis=np.eye(3)[0], angle=1.0)


TIMES = np.linspace(0.0, 1.0, 4)
STAGGERED = [[0, 0.6, 0.8], [0, 0.8, -0.6]] * 5
CASES = {
    "+x of XXZ": ({}, sq.CoherentState("+x"), 44),
    "-x of XXZ": ({}, sq.CoherentState("-x"), 44),
    "tilted": ({}, sq.CoherentState([0.48, 0.6, 0.64]), 78),
    "with a pulse": ({"pulses": [sq.Pulse(0.3, axis="y", angle=0.4)]}, sq.CoherentState("+x"), 78),
    "pulses on a sublattice": (
        {"pulses": [sq.Pulse(0.3, axis="y", angle=0.4, sites=range(0, 10, 2))]},
        sq.CoherentState("+x"), 136,
    ),
    "staggered": ({}, sq.ProductState(STAGGERED), 136),
    "a Dicke state": ({}, sq.DickeState(1.0, axis="y"), 78),
    "one spin apart": ({}, sq.ProductState([[0, 0, -1], *[[0, 0, 1]] * 9]), 544),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_states_and_pulses_take_the_symmetry_that_they_share(name, monkeypatch):
    """On a ring of 10: 20 permutations, and inversion about x."""
    options, state, dimension = CASES[name]
    ring = sq.SpinModel(
        sq.Lattice((10,)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=-0.6, exponent=3)]
    )
    data = sq.simulate(ring, state, TIMES, method="exact", keep_state=True, **options)
    assert diagnostics_of(data)["dimension"] == dimension
    monkeypatch.setattr(closed_sector, "FEWEST_SPINS", 99)
    full = sq.simulate(ring, state, TIMES, method="exact", keep_state=True, **options)
    assert diagnostics_of(full)["dimension"] == 1024
    np.testing.assert_allclose(data.spin, full.spin, atol=1e-9)
    np.testing.assert_allclose(data.covariance, full.covariance, atol=1e-8)
    ends = [sq.final_state(d).amplitudes for d in (data, full)]
    np.testing.assert_allclose(*ends, atol=1e-9)


ROLLED = np.eye(10)[np.roll(np.arange(10), 1)]
"""One step around the ring."""
BREAK_INVERSION = {
    "a field along y": sq.UniformField([0.3, 0.7, 0]),
    "a field along z": sq.UniformField([0.3, 0, 0.7]),
    "couplings of x and y": sq.PairCoupling(ROLLED + ROLLED.T, tensor=np.eye(3)[[1, 0, 2]]),
    "couplings of x and z": sq.PairCoupling(ROLLED + ROLLED.T, tensor=np.eye(3)[[2, 1, 0]]),
}


@pytest.mark.parametrize("name", BREAK_INVERSION)
def test_what_a_turn_about_x_changes_is_followed_without_inversion(name, monkeypatch):
    terms = [sq.PowerLawXXZ(j_perp=1.0, j_z=-0.6, exponent=3), BREAK_INVERSION[name]]
    ring = sq.SpinModel(sq.Lattice((10,)), hamiltonian=terms)
    data = sq.simulate(ring, sq.CoherentState("+x"), TIMES, method="exact")
    assert diagnostics_of(data)["dimension"] == 78
    monkeypatch.setattr(closed_sector, "FEWEST_SPINS", 99)
    full = sq.simulate(ring, sq.CoherentState("+x"), TIMES, method="exact")
    np.testing.assert_allclose(data.spin, full.spin, atol=1e-9)
    np.testing.assert_allclose(data.covariance, full.covariance, atol=1e-8)


def test_what_the_sector_leaves_out_of_a_state_is_claimed():
    """A state vector that is symmetric but for 5e-13 of it."""
    psi = product_state(np.tile([0.48, 0.6, 0.64], (10, 1))).astype(complex)
    psi[1] += 5e-13
    ring = sq.SpinModel(
        sq.Lattice((10,)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=-0.6, exponent=3)]
    )
    answer = sq.Exact().answer(evolve_question(ring, sq.StateVector(psi), [0.0]))
    assert answer.diagnostics["dimension"] == 78
    # The mean over the ten places of one spin up keeps a tenth.
    left_out = 5e-13 * np.sqrt(0.9)
    assert left_out < answer.diagnostics["state_error"] < 1.1 * left_out
    assert answer.error["spin"][0] >= 2 * left_out * np.sqrt(10)


def test_a_state_vector_goes_on_in_its_sector():
    ring = sq.SpinModel(
        sq.Lattice((10,)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=-0.6, exponent=3)]
    )
    half = sq.simulate(ring, sq.CoherentState("+x"), [0.0, 0.5], method="exact", keep_state=True)
    there = sq.simulate(ring, sq.final_state(half), [0.0, 0.5], method="exact")
    once = sq.simulate(ring, sq.CoherentState("+x"), [0.0, 1.0], method="exact")
    assert diagnostics_of(there)["dimension"] == 44
    np.testing.assert_allclose(there.covariance[-1], once.covariance[-1], atol=1e-9)
    shaken = np.array(sq.final_state(half).amplitudes)
    shaken[3] += 1e-6
    state = sq.StateVector(shaken / np.linalg.norm(shaken))
    assert diagnostics_of(sq.simulate(ring, state, [0.5], method="exact"))["dimension"] == 1024


def test_fields_by_site_are_left_to_the_full_space():
    field = np.zeros((10, 3))
    field[[0, 1, 3], 2] = 0.3, 0.1, 0.2
    ring = sq.SpinModel(
        sq.Lattice((10,)),
        hamiltonian=[
            sq.PowerLawXXZ(j_perp=1.0, j_z=-0.6, exponent=3), sq.SiteField(field)
        ],
    )  # fmt: skip
    data = sq.simulate(ring, sq.CoherentState("+x"), TIMES, method="exact")
    assert diagnostics_of(data)["dimension"] == 1024


@pytest.mark.parametrize("shape", [(12,), (3, 4)])
def test_the_cost_in_a_sector_is_near(shape):
    model = sq.SpinModel(
        sq.Lattice(shape), hamiltonian=[sq.PowerLawXYZ(j_x=0.5, j_y=-0.3, j_z=1.0, exponent=3)]
    )
    question = evolve_question(model, sq.CoherentState([0.48, 0.6, 0.64]), TIMES)
    answer = sq.Exact().answer(question)
    detail = sq.Exact().cost(question).detail
    assert float(detail.split("sector, ")[1].split()[0]) == pytest.approx(
        answer.diagnostics["dimension"], rel=0.01
    )
