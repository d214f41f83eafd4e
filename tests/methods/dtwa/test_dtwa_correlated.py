"""Jumps of a finite range: the noise that they make, their limits, and dense answers."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.jumps.reservoirs import lower_jumps

VECTOR = [0.6, -0.9j, 0.2]
LATTICES = {
    "ring": sq.Lattice(6),
    "torus": sq.Lattice((3, 4)),
    "open chain": sq.Lattice(5, boundary="open"),
    "vacancies": sq.Lattice((3, 3), vacancies=(1, 5)),
    "positions": sq.Lattice(positions=[[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]),
}


def reservoirs_of(lattice, jump):
    canonical = sq.SpinModel(lattice, jumps=[jump]).canonical.per_spin()
    couplings = lower(canonical)
    return couplings, lower_jumps(canonical, couplings)


def dense(couplings, kernel, array):
    """A filter or a coupling as a matrix between spins."""
    if kernel.kind == "dense":
        matrix = array
    else:
        cells = np.eye(couplings.plan.n_cells).reshape(-1, *kernel.shape)
        axes = tuple(range(1, 1 + len(kernel.shape)))
        moved = np.fft.ifftn(np.fft.fftn(cells, axes=axes) * array, axes=axes)
        matrix = moved.real.reshape(len(cells), -1)
    return couplings.to_spins(couplings.to_spins(matrix).T)


@pytest.mark.parametrize("reach", [{"range": 1.3}, {"exponent": 1.5}, {"range": 0.2}])
@pytest.mark.parametrize("name", LATTICES)
def test_noise_and_reaction_are_those_of_the_jumps(name, reach):
    lattice = LATTICES[name]
    couplings, reservoirs = reservoirs_of(lattice, sq.CorrelatedJumps(0.4, vector=VECTOR, **reach))
    distance = lattice.distances()
    f = np.exp(-distance / reach["range"]) if "range" in reach else None
    if f is None:
        f = np.where(distance > 0, np.where(distance > 0, distance, 1) ** -reach["exponent"], 1)
    C = f.T @ f
    least = np.linalg.eigvalsh(C)[0]
    u, v = np.real(VECTOR), np.imag(VECTOR)
    # Noise of single spins, and through the filter: of both parts of the vector.
    local = -2 * np.trace(reservoirs.damping[0])[0] / (2 * (u @ u + v @ v))
    assert local == pytest.approx(least, abs=1e-10)
    (found,) = reservoirs.filters
    g = dense(couplings, found.plan, found.array)
    size = np.sum(reservoirs.kicks[..., 0] ** 2) / (u @ u + v @ v)
    np.testing.assert_allclose(local * np.eye(len(C)) + size * g.T @ g, C, atol=1e-10)
    # What a spin does to itself, and to the others.
    own = np.broadcast_to(reservoirs.pumping.sum(axis=0), (3, couplings.plan.n_cells))
    np.testing.assert_allclose(
        couplings.to_spins(own), np.outer(np.cross(u, v), np.diag(C)), atol=1e-10
    )
    # How its mean is damped by all of the noise.
    mean = np.broadcast_to(reservoirs.averaged.damping.sum(axis=0), (3, 3, couplings.plan.n_cells))
    alone = (np.outer(u, u) + np.outer(v, v) - (u @ u + v @ v) * np.eye(3)) / 2
    np.testing.assert_allclose(
        couplings.to_spins(mean), np.multiply.outer(alone, np.diag(C)), atol=1e-10
    )
    between = dense(couplings, couplings.plan.kernels[0], couplings.arrays[0])
    np.testing.assert_allclose(between, C - np.diag(np.diag(C)), atol=1e-10)
    (tensor,) = couplings.coefficients(np.array([0.0])).kernels
    np.testing.assert_allclose(tensor[0], 0.2 * (np.outer(u, v) - np.outer(v, u)), atol=1e-14)


def test_without_range_they_are_local_jumps():
    _, near = reservoirs_of(sq.Lattice(6), sq.CorrelatedJumps(0.4, vector=VECTOR, range=1e-3))
    _, local = reservoirs_of(sq.Lattice(6), sq.LocalJump(0.4, vector=VECTOR))
    assert near.plan == local.plan
    np.testing.assert_allclose(near.damping, local.damping, atol=1e-14)
    np.testing.assert_allclose(near.pumping, local.pumping, atol=1e-14)


def within_error_bars(found, exact):
    for name in ("spin", "covariance"):
        error = found[f"{name}_stderr"].values
        assert np.all(np.abs(found[name].values - exact[name].values) <= 5 * error + 2e-3), name
        assert error.max() < 0.1, name


@pytest.mark.slow
def test_hermitian_jumps_have_both_moments_exactly():
    """A random unitary, and noise of single spins: whatever the range."""
    model = sq.SpinModel(
        sq.Lattice(4, boundary="open"),
        jumps=[sq.CorrelatedJumps(0.5, vector=[0.3, 0.0, 1.0], range=1.0)],
    )
    state = sq.CoherentState([0.6, 0.0, 0.8])
    times = [0.0, 0.4, 0.9]
    found = sq.simulate(model, state, times, method=sq.DTWA(3000), seed=5)
    within_error_bars(found, sq.simulate(model, state, times, method=sq.Exact()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("boundary", "reach"), [("open", {"range": 1.0}), ("periodic", {"exponent": 1.0})]
)
def test_a_squeezing_reservoir_against_the_dense_answer(reach, boundary):
    """It errs by the own products of a spin, as collective jumps do: little at early times."""
    model = sq.SpinModel(
        sq.Lattice(6, boundary=boundary),
        jumps=[sq.CorrelatedJumps(0.2, vector=[np.exp(-0.4), -1j * np.exp(0.4), 0], **reach)],
    )
    state, times = sq.CoherentState("-z"), [0.0, 0.15]
    found = sq.simulate(model, state, times, method=sq.DTWA(8000), seed=5)
    exact = sq.simulate(model, state, times, method=sq.Exact())
    difference = 10 * np.log10(found.xi2.values / exact.xi2.values)
    assert np.all(np.abs(difference) < 0.15)
    np.testing.assert_allclose(found.spin.values, exact.spin.values, atol=0.06)


def test_every_jump_has_noise_of_its_own():
    """Isotropic noise, collective and correlated, leaves no direction: <S> shrinks and stays put.

    If two of three axes shared their random numbers, <S_z> would come to 0.15 of 1.5.
    """
    axes, reach = np.eye(3), 1.0
    model = sq.SpinModel(
        sq.Lattice(3),
        jumps=[sq.CollectiveJump(0.5, vector=a) for a in axes]
        + [sq.CorrelatedJumps(0.5, vector=a, range=reach) for a in axes],
    )
    found = sq.simulate(model, sq.CoherentState("+x"), [0.6], method=sq.DTWA(3000), seed=5)
    own = 1 + 2 * np.exp(-2 / reach)  # of a spin: sum_j f_ij^2
    error = found.spin_stderr.values[0]
    assert error.max() < 0.025
    exact = [1.5 * np.exp(-0.5 * (1 + own) * 0.6), 0.0, 0.0]
    assert np.all(np.abs(found.spin.values[0] - exact) < 4 * error)
