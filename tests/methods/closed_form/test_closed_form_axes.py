"""Ising models along any axis with noise along that axis, against the master equation on 2^N."""

import numpy as np
import pytest
from tests.problems.brute_force import open_moments

import spinsqueeze as sq

TIMES = np.array([0.0, 0.35, 0.9])
STATE = sq.CoherentState([0.48, -0.6, 0.64])
N = 3


def frame(axis):
    """Unit vectors (b, c, a), right-handed, with a along the axis."""
    a = "xyz".index(axis)
    return np.eye(3)[[(a + 1) % 3, (a + 2) % 3, a]]


def noise(axis, rates):
    """Decay, pumping and dephasing along the axis as jumps vector . s_i."""
    b, c, a = frame(axis)
    vectors = (b - 1j * c, 0.7j * (b + 1j * c), 1.3 * a)
    return [sq.LocalJump(rate, vector=v) for rate, v in zip(rates, vectors, strict=True)]


def agrees(model, *, formula, state=STATE):
    data = sq.simulate(model, state, TIMES, method="closed_form")
    assert f'"{formula}"' in data.attrs["diagnostics"]
    spin, covariance = open_moments(model.canonical, state.direction, TIMES)
    assert data["spin"].values == pytest.approx(spin, abs=1e-10)
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-10)


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("kinds", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1)])
def test_twisting_with_noise_along_its_axis(axis, kinds):
    twisting = sq.OneAxisTwisting(1.3, axis=axis)
    field = sq.UniformField(0.4 * frame(axis)[2])
    jumps = [j for j, on in zip(noise(axis, (0.5, 0.2, 0.3)), kinds, strict=True) if on]
    model = sq.SpinModel(N, hamiltonian=[twisting, field], jumps=jumps)
    agrees(model, formula="one-axis twisting" if kinds == (0, 0, 1) else "spin classes")


@pytest.mark.parametrize("axis", "xyz")
def test_lattice_with_noise_along_its_axis(axis):
    strengths = {f"j_{a}": 1.7 if a == axis else 0.0 for a in "xyz"}
    model = sq.SpinModel(
        sq.Lattice((N,)),
        hamiltonian=[sq.PowerLawXYZ(**strengths, exponent=3)],
        jumps=noise(axis, (0.5, 0.2, 0.3)),
    )
    agrees(model, formula="Ising lattice")


@pytest.mark.parametrize("axis", "xyz")
def test_sites_with_noise_of_their_own_along_the_axis(axis):
    a = frame(axis)[2]
    couplings = np.array([[0, 1.1, -0.6], [1.1, 0, 0.8], [-0.6, 0.8, 0]])
    rates = ([0.5, 0.1, 0.0], [0.0, 0.3, 0.2], [0.2, 0.0, 0.4])
    model = sq.SpinModel(
        N,
        hamiltonian=[
            sq.PairCoupling(couplings, tensor=np.outer(a, a)),
            sq.SiteField(np.outer([0.3, -0.5, 0.9], a)),
        ],
        jumps=noise(axis, rates),
    )
    agrees(model, formula="Ising matrix")


@pytest.mark.parametrize("axis", "xyz")
def test_dephasing_in_time_along_the_axis(axis):
    ramp = sq.Envelope([0.0, 0.5, 0.9], values=[0.2, 1.0, 0.6])
    a = frame(axis)[2]
    model = sq.SpinModel(
        N,
        hamiltonian=[sq.OneAxisTwisting(1.3, axis=axis)],
        jumps=[sq.LocalJump(ramp, vector=1.3 * a)],
    )
    data = sq.simulate(model, STATE, TIMES, method="closed_form")
    # The rate of the coherences is |c|^2/2 times the rate of the jump: the same integral.
    integral = float(ramp.integral(0.9))
    steady = sq.SpinModel(
        N,
        hamiltonian=[sq.OneAxisTwisting(1.3, axis=axis)],
        jumps=[sq.LocalJump(integral / 0.9, vector=1.3 * a)],
    )
    spin, covariance = open_moments(steady.canonical, STATE.direction, TIMES)
    assert data["spin"].values[-1] == pytest.approx(spin[-1], abs=1e-10)
    assert data["covariance"].values[-1] == pytest.approx(covariance[-1], abs=1e-10)


@pytest.mark.parametrize("axis", "xyz")
def test_noise_along_another_axis_is_refused(axis):
    jump = sq.LocalJump(0.1, vector=frame(axis)[0])
    model = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(1.3, axis=axis)], jumps=[jump])
    with pytest.raises(sq.SpinSqueezeError, match=f"along the Ising axis {axis}"):
        sq.simulate(model, STATE, TIMES, method="closed_form")


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize(("i", "j"), [(0, 1), (0, 2), (1, 2)])
def test_couplings_off_every_axis_are_refused(axis, i, j):
    matrix = np.outer(frame(axis)[2], frame(axis)[2])
    matrix[i, j] = matrix[j, i] = 1e-6
    model = sq.SpinModel(N, hamiltonian=[sq.CollectiveQuadratic(matrix)])
    with pytest.raises(sq.Unsupported, match="do not all lie along one axis"):
        sq.simulate(model, STATE, TIMES, method="closed_form")


@pytest.mark.parametrize(
    ("diagonal", "jumps", "state"),
    [
        ((0.3, 0.2, 1.0), [], STATE),
        ((0.3, 0.3, 1.0), [sq.LocalDecay(0.1)], STATE),
        ((0.3, 0.3, 1.0), [], sq.ProductState([[1, 0, 0], [0, 1, 0], [0, 0, 1]])),
    ],
    ids=["unequal", "exchange with decay", "exchange of a product state"],
)
def test_exchange_is_idle_only_for_alike_spins_that_keep_their_total(diagonal, jumps, state):
    terms = [sq.CollectiveQuadratic(np.diag(diagonal))]
    model = sq.SpinModel(N, hamiltonian=terms, jumps=jumps)
    with pytest.raises(sq.Unsupported, match="do not all lie along one axis"):
        sq.simulate(model, state, TIMES, method="closed_form")


@pytest.mark.parametrize("axis", "xyz")
def test_twisting_on_top_of_couplings(axis):
    a = frame(axis)[2]
    twisting = sq.OneAxisTwisting(0.4, axis=axis)
    strengths = {f"j_{b}": 1.7 if b == axis else 0.0 for b in "xyz"}
    jumps = [sq.LocalJump(0.3, vector=a)]
    chain = sq.PowerLawXYZ(**strengths, exponent=3)
    agrees(
        sq.SpinModel(sq.Lattice((N,)), hamiltonian=[chain, twisting], jumps=jumps),
        formula="Ising lattice",
    )
    couplings = np.array([[0, 1.1, -0.6], [1.1, 0, 0.8], [-0.6, 0.8, 0]])
    pairs = sq.PairCoupling(couplings, tensor=np.outer(a, a))
    agrees(sq.SpinModel(N, hamiltonian=[pairs, twisting], jumps=jumps), formula="Ising matrix")


@pytest.mark.parametrize("jump", [sq.LocalDecay, sq.LocalPumping])
def test_decay_with_anything_in_time_is_refused(jump):
    ramp = sq.Envelope([0.0, 1.0], values=[0.2, 1.0])
    for strength, rate in ((ramp, 0.1), (1.0, ramp)):
        model = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(strength)], jumps=[jump(rate)])
        with pytest.raises(sq.Unsupported, match="decay and pumping need constant strengths"):
            sq.simulate(model, STATE, TIMES, method="closed_form")


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("kinds", [(0, 0, 1), (1, 1, 0)])
def test_noise_alone_chooses_the_axis(axis, kinds):
    jumps = [j for j, on in zip(noise(axis, (0.5, 0.2, 0.3)), kinds, strict=True) if on]
    model = sq.SpinModel(N, jumps=jumps)
    data = sq.simulate(model, STATE, TIMES, method="closed_form")
    spin, covariance = open_moments(model.canonical, STATE.direction, TIMES)
    assert data["spin"].values == pytest.approx(spin, abs=1e-10)
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-10)
