"""Pulses of pi between stretches of Ising evolution, against dense matrices."""

import numpy as np
import pytest
from tests.problems.catalogue import Problem
from tests.problems.dense_evolution import answers

import spinsqueeze as sq
from spinsqueeze.methods.closed_form.echoes import ROUNDING
from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments
from spinsqueeze.methods.closed_form.single_spin import (
    after_stretch,
    connected_z_factor,
    factor_minus_one,
)
from spinsqueeze.run.questions import evolve_question

TIMES = np.array([0.0, 0.4, 0.7, 1.1])
TILTED = sq.CoherentState([0.48, -0.6, 0.64])


def across(angle, axis="z"):
    """A unit vector perpendicular to the axis."""
    vector = np.zeros(3)
    b, c = ("xyz".index(axis) + 1) % 3, ("xyz".index(axis) + 2) % 3
    vector[[b, c]] = np.cos(angle), np.sin(angle)
    return vector


def check(model, pulses, *, formula, state=TILTED, times=TIMES):
    data = sq.simulate(model, state, times, method="closed_form", pulses=pulses)
    assert f'"{formula}"' in data.attrs["diagnostics"]
    problem = Problem("", model, state, {}, times=times, pulses=tuple(pulses))
    for k, expected in enumerate(answers(problem)):
        for name in ("spin", "covariance"):
            found = data[name].values[k]
            np.testing.assert_allclose(found, expected[name], rtol=0, atol=1e-10, err_msg=name)


def random_pulses(rng, n, *, count, partial, axis="z"):
    """Pulses of pi at any times: at 0, at outputs, two at once, at the end; and rotations."""
    special = [0.0, TIMES[1], TIMES[1], TIMES[-1]]
    times = [*special[: count // 2], *rng.uniform(0, TIMES[-1], size=count - count // 2)]
    pulses = []
    for time in times:
        direction = across(rng.uniform(0, 2 * np.pi), axis)
        angle = np.pi * rng.choice([1, -1, 3])
        if rng.random() < 0.2:
            direction, angle = np.eye(3)["xyz".index(axis)] * rng.choice([-1, 1]), rng.normal()
        sites = None
        if partial and rng.random() < 0.7:
            sites = sorted(rng.choice(n, size=rng.integers(1, n + 1), replace=False).tolist())
        pulses.append(sq.Pulse(float(time), axis=direction, angle=angle, sites=sites))
    return pulses


def random_sites(rng, n, *, present, axis="z"):
    """Couplings, fields, decay, pumping and dephasing of every site."""
    a = np.eye(3)["xyz".index(axis)]
    b, c = across(0, axis), across(np.pi / 2, axis)
    J = rng.normal(size=(n, n))
    terms = [sq.SiteField(rng.normal(size=(n, 1)) * a)]
    if n > 1:
        matrix = np.triu(J, 1) + np.triu(J, 1).T
        terms.append(sq.PairCoupling(matrix, tensor=np.outer(a, a)))
    rates = rng.uniform(0.05, 1, size=(3, n))
    vectors = (b - 1j * c, b + 1j * c, a)
    jumps = [
        sq.LocalJump(rate, vector=v)
        for rate, v, on in zip(rates, vectors, present, strict=True)
        if on
    ]
    return sq.SpinModel(sq.Lattice((n,), boundary="open"), hamiltonian=terms, jumps=jumps)


def random_state(rng, n):
    vectors = rng.normal(size=(n, 3))
    return sq.ProductState(vectors / np.linalg.norm(vectors, axis=1)[:, None])


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_closed_sites(n, partial):
    rng = np.random.default_rng(n)
    pulses = random_pulses(rng, n, count=6, partial=partial)
    model = random_sites(rng, n, present=(0, 0, 0))
    check(model, pulses, formula="Ising matrix", state=random_state(rng, n))


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("present", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_sites_with_noise(axis, present):
    rng = np.random.default_rng(7)
    for partial in (False, True):
        pulses = random_pulses(rng, 3, count=5, partial=partial, axis=axis)
        model = random_sites(rng, 3, present=present, axis=axis)
        check(model, pulses, formula="Ising matrix", state=random_state(rng, 3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_many_random_pulses(seed):
    rng = np.random.default_rng(100 + seed)
    n = 1 + seed % 4
    pulses = random_pulses(rng, n, count=int(rng.integers(1, 9)), partial=bool(seed % 2))
    model = random_sites(rng, n, present=rng.integers(0, 2, size=3))
    check(model, pulses, formula="Ising matrix", state=random_state(rng, n))


def local_noise(which):
    jumps = [sq.LocalDecay(0.5), sq.LocalPumping(0.2), sq.LocalDephasing(0.3)]
    return [jump for jump, on in zip(jumps, which, strict=True) if on]


@pytest.mark.parametrize("noise", [(0, 0, 1), (1, 0, 0), (1, 1, 1)])
def test_a_periodic_lattice(noise):
    model = sq.SpinModel(
        sq.Lattice((3,)),
        hamiltonian=[
            sq.PowerLawXXZ(j_perp=0.0, j_z=1.7, exponent=3),
            sq.UniformField([0, 0, 0.6]),
        ],
        jumps=local_noise(noise),
    )
    pulses = random_pulses(np.random.default_rng(3), 3, count=6, partial=False)
    check(model, pulses, formula="Ising lattice")


def test_a_whole_turn_about_any_axis_changes_nothing():
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(0.8), sq.UniformField([0, 0, 0.6])])
    pulses = [
        sq.Pulse(0.3, axis=[0.6, 0.0, 0.8], angle=-2 * np.pi),
        sq.Pulse(0.5, axis="+x", angle=np.pi),
        sq.Pulse(0.6, axis=[0.6, 0.8, 0.0], angle=4 * np.pi),
    ]
    check(model, pulses, formula="one-axis twisting")


@pytest.mark.parametrize("noise", [(0, 0, 1), (1, 1, 0)])
def test_alike_spins(noise):
    model = sq.SpinModel(
        4,
        hamiltonian=[sq.OneAxisTwisting(0.8), sq.UniformField([0, 0, 0.6])],
        jumps=local_noise(noise),
    )
    pulses = random_pulses(np.random.default_rng(4), 4, count=5, partial=False)
    formula = "spin classes" if noise[0] else "one-axis twisting"
    check(model, pulses, formula=formula)


@pytest.mark.parametrize("noise", [(0, 0, 0), (1, 1, 1)])
def test_classes_of_which_one_is_flipped(noise):
    model = sq.SpinModel(
        [sq.SpinClass(2, weight=0.5, detuning=0.4), sq.SpinClass(2, weight=1.3)],
        hamiltonian=[sq.OneAxisTwisting(0.6)],
        jumps=local_noise(noise),
    )
    pulses = [
        sq.Pulse(0.0, axis="+y", angle=0.7, spin_class=1),
        sq.Pulse(0.3, axis="+x", angle=np.pi, spin_class=0),
        sq.Pulse(0.5, axis=across(1.1), angle=np.pi),
        sq.Pulse(0.9, axis="-y", angle=np.pi, spin_class=1),
    ]
    check(model, pulses, formula="spin classes")


def test_envelopes_of_couplings_and_fields():
    ramp = sq.Envelope([0.0, 0.5, 0.8], values=[0.3, 1.5, -0.4])
    model = sq.SpinModel(
        sq.Lattice((4,), boundary="open"),
        hamiltonian=[
            sq.PowerLawXXZ(j_perp=0.0, j_z=ramp, exponent=1),
            sq.UniformField([0.0, 0.0, 0.7], envelope=ramp),
        ],
        jumps=[sq.LocalDephasing(0.3)],
    )
    rng = np.random.default_rng(5)
    for partial in (False, True):
        pulses = random_pulses(rng, 4, count=4, partial=partial)
        check(model, pulses, formula="Ising matrix")


def test_any_pulse_at_the_beginning_and_of_all_spins_at_the_last_time():
    rng = np.random.default_rng(6)
    model = random_sites(rng, 3, present=(1, 0, 1))
    pulses = [
        sq.Pulse(0.0, axis="+y", angle=0.7),
        sq.Pulse(0.0, axis=[0.6, 0.0, 0.8], angle=1.0, sites=[0, 2]),
        sq.Pulse(0.5, axis="+x", angle=np.pi),
        sq.Pulse(TIMES[-1], axis="+y", angle=np.pi, sites=[1]),
        sq.Pulse(TIMES[-1], axis=[0.6, 0.0, 0.8], angle=-2.0),
        sq.Pulse(TIMES[-1], axis="+x", angle=np.pi),
    ]
    check(model, pulses, formula="Ising matrix", state=random_state(rng, 3))


def test_isotropic_exchange_stays_idle():
    model = sq.SpinModel(
        3,
        hamiltonian=[
            sq.CollectiveXYZ(j_x=0.7, j_y=0.7, j_z=2.0),
            sq.UniformField([0.0, 0.0, 0.5]),
        ],
    )
    check(model, [sq.Pulse(0.3, axis="+y", angle=np.pi)], formula="one-axis twisting")
    some = evolve_question(
        model, TILTED, TIMES, pulses=[sq.Pulse(0.3, axis="+y", angle=np.pi, sites=[0])]
    )
    assert any("one axis" in reason for reason in sq.ClosedForm().obstacles(some))


@pytest.mark.parametrize("direction", ["+x", [0.6, 0.0, 0.8]])
def test_a_million_spins_lose_their_field_and_keep_the_twisting(direction):
    n, times = 10**6, np.array([0.5e-4, 1.2e-4])
    fields = sq.UniformField([0.0, 0.0, 3e4])
    model = sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(1.0), fields])
    state = sq.CoherentState(direction)
    pulses = [sq.Pulse(0.6e-4, axis="+x", angle=np.pi)]
    data = sq.simulate(model, state, times, method="closed_form", pulses=pulses)
    spin, covariance = one_axis_twisting_moments(
        n, direction=state.direction, twisting=times, rotation=[3e4 * times[0], 0.0]
    )
    turn = np.diag([1.0, -1.0, -1.0])
    np.testing.assert_allclose(data["spin"].values[0], spin[0], rtol=0, atol=1e-12 * n)
    np.testing.assert_allclose(data["spin"].values[1], turn @ spin[1], rtol=0, atol=1e-9 * n)
    scale = np.abs(covariance[1]).max()
    expected = turn @ covariance[1] @ turn
    np.testing.assert_allclose(data["covariance"].values[1], expected, rtol=0, atol=1e-9 * scale)


def test_stretches_of_one_proportion_are_one_stretch():
    rng = np.random.default_rng(8)
    for size in (1e-3, 1.0, 8.0):
        phi, down, up = size * rng.normal(), *(size * rng.uniform(size=2))
        z, parts = 0.3, np.array([0.2, 0.0, 0.7, 0.1])
        change, connected, mean = 0.0j, 0.0j, z
        for part in parts:
            change, connected, mean = after_stretch(
                change, connected, mean, part * phi, part * down, part * up
            )
        exact = factor_minus_one(phi, z, down, up)
        assert abs(change - exact) < 1e-13 * abs(exact)
        exact = connected_z_factor(phi, z, down, up)
        assert abs(connected - exact) < 1e-12 * max(abs(exact), 1e-3 * abs(phi))


def test_a_spin_that_cannot_jump_and_one_that_rests():
    # No noise in the second stretch; nothing at all in the third.
    change, connected, mean = after_stretch(0.0j, 0.0j, 0.4, 0.9, 0.3, 0.1)
    change, connected, mean = after_stretch(change, connected, mean, 1e-3, 0.0, 0.0)
    assert after_stretch(change, connected, mean, 0.0, 0.0, 0.0) == (change, connected, mean)
    A = [np.array([[0.45j - 0.3, 0.1], [0.3, -0.45j - 0.1]]), np.diag([5e-4j, -5e-4j])]
    vector = np.array([0.7, 0.3], dtype=complex)
    for generator in A:
        values, vectors = np.linalg.eig(generator)
        vector = vectors @ (np.exp(values) * np.linalg.solve(vectors, vector))
    assert abs(1 + change - vector.sum()) < 1e-14
    assert abs(connected + mean * (1 + change) - (vector[0] - vector[1])) < 1e-14


def reasons(pulses):
    model = sq.SpinModel(3, hamiltonian=[sq.OneAxisTwisting(1.0)])
    return sq.ClosedForm().obstacles(evolve_question(model, TILTED, TIMES, pulses=pulses))


@pytest.mark.parametrize(
    ("axis", "angle"),
    [("+x", np.pi / 2), ("+x", np.pi + 30 * ROUNDING), ([0.6, 0.0, 0.8], np.pi)],
)
def test_other_pulses_during_the_run_are_refused(axis, angle):
    pulse = sq.Pulse(0.3, axis=axis, angle=angle)
    (reason,) = reasons([pulse])
    assert reason.startswith("a pulse at time 0.3 turns spins away from the Ising axis z: between")
    (reason,) = reasons([sq.Pulse(fraction=0.25, axis=axis, angle=angle)])
    assert reason.startswith("a pulse at 0.25 of every time turns spins away from the Ising axis")
    model = sq.SpinModel(3, hamiltonian=[sq.OneAxisTwisting(1.0)])
    with pytest.raises(sq.Unsupported, match="only pulses of pi about an axis perpendicular"):
        sq.simulate(model, TILTED, TIMES, pulses=[pulse], method="closed_form")


def test_a_pi_of_few_digits_is_told_what_it_lacks():
    (reason,) = reasons([sq.Pulse(0.3, axis="+x", angle=-3.14159)])
    assert reason.endswith("(angle -3.14159 misses pi by 3e-06: write -3.141592653589793)")
    (reason,) = reasons([sq.Pulse(0.3, axis="+x", angle=3.0)])
    assert "misses" not in reason


def test_a_last_pulse_of_some_spins_is_refused_unless_it_is_one_of_pi():
    last = TIMES[-1]
    assert not reasons([sq.Pulse(last, axis="+x", angle=np.pi, sites=[1])])
    for pulses in (
        [sq.Pulse(last, axis="+x", angle=1.0, sites=[1])],
        [
            sq.Pulse(last, axis="+x", angle=1.0),
            sq.Pulse(last, axis="+x", angle=np.pi, sites=[1]),
        ],
    ):
        (reason,) = reasons(pulses)
        assert "a pulse at the last time turns some of the spins" in reason
