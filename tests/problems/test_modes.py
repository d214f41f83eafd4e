"""The judge itself: spins and a cavity on Fock levels, against what is known in closed form."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad

import spinsqueeze as sq
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.kinds import one_each
from spinsqueeze.models.modes import Mode, ModeCoupling, Reservoir
from tests.problems import fock
from tests.problems.brute_force import flow, liouvillian, site_operators
from tests.problems.catalogue import Problem
from tests.problems.dense_evolution import (
    all_readings,
    answers,
    check_that_the_cut_is_not_felt,
    evolve,
    steady_state,
)
from tests.problems.dense_model import generators
from tests.problems.dense_states import density_matrix

TIMES = np.array([0.0, 0.3, 0.9, 1.4])
BESIDE = [sq.SpinClass(1, weight=0.0)]  # a spin that the cavity does not see


def ask(model, state, times=TIMES, mode=None):
    return answers(Problem("a cavity", model, state, {}, times=times), mode)


def of_all(found, name):
    return np.array([reading[name] for reading in found])


def amplitude(rho, n):
    """<a> of the cavity."""
    mode = fock.mode_part(rho, n)
    return np.trace(fock.annihilation(len(mode)) @ mode)


def test_vacuum_rabi_oscillations():
    found = ask(sq.SpinModel(1, cavity=sq.Cavity(0.8, decay_rate=0.0)), sq.CoherentState("+z"))
    np.testing.assert_allclose(of_all(found, "spin")[:, 2], np.cos(1.6 * TIMES) / 2, atol=1e-12)
    photons = np.sin(0.8 * TIMES) ** 2
    np.testing.assert_allclose(of_all(found, "photon_number"), photons, atol=1e-12)


@pytest.mark.parametrize("n", [2, 4])
def test_alike_spins_take_a_photon_faster_by_the_root_of_their_number(n):
    photon = fock.pure(np.eye(4)[1])
    model = sq.SpinModel(n, cavity=sq.Cavity(0.8, decay_rate=0.0))
    found = ask(model, sq.CoherentState("-z"), mode=photon)
    expected = np.cos(0.8 * np.sqrt(n) * TIMES) ** 2
    np.testing.assert_allclose(of_all(found, "photon_number"), expected, atol=1e-12)
    kept = of_all(found, "photon_number") + of_all(found, "spin")[:, 2]
    np.testing.assert_allclose(kept, 1 - n / 2, atol=1e-12)


def test_weights_and_vectors_of_classes_are_couplings():
    # One photon and two spins that take it with 0.5 and 1.2: together with their root mean square.
    photon = fock.pure(np.eye(3)[1])
    weighted = [sq.SpinClass(1, weight=0.5), sq.SpinClass(1, weight=-1.2)]
    rows = np.array([0.5, 1.2j])[:, None] * np.array([1, -1j, 0])
    for model in (
        sq.SpinModel(weighted, cavity=sq.Cavity(1.0, decay_rate=0.0)),
        sq.SpinModel([sq.SpinClass(1), sq.SpinClass(1)], cavity=sq.Cavity(rows, decay_rate=0.0)),
        sq.SpinModel(2, cavity=sq.Cavity(rows, decay_rate=0.0)),
    ):
        found = ask(model, sq.CoherentState("-z"), mode=photon)
        expected = np.cos(1.3 * TIMES) ** 2
        np.testing.assert_allclose(of_all(found, "photon_number"), expected, atol=1e-12)


@pytest.mark.parametrize("interpolation", ["linear", "cubic", "step"])
def test_a_coupling_that_changes_turns_by_its_area(interpolation):
    g = sq.Envelope([0.2, 0.5, 0.8, 1.1], values=[0.4, 1.5, -0.3, 0.9], interpolation=interpolation)
    found = ask(sq.SpinModel(1, cavity=sq.Cavity(g, decay_rate=0.0)), sq.CoherentState("+z"))
    np.testing.assert_allclose(
        of_all(found, "spin")[:, 2], np.cos(2 * g.integral(TIMES)) / 2, atol=1e-12
    )


def test_a_coherent_field_decays_at_the_area_of_its_rate():
    rate = sq.Envelope([0.0, 0.5, 1.0], values=[0.3, 2.0, 0.1])
    cavity = sq.Cavity(1.0, decay_rate=rate, internal_decay_rate=0.2, detuning=0.7)
    problem = Problem("decay", sq.SpinModel(BESIDE, cavity=cavity), sq.CoherentState("-z"), {})
    states = evolve(problem, fock.coherent(16, 0.8 - 0.3j))
    losses = rate.integral(problem.times) + 0.2 * problem.times
    expected = (0.8 - 0.3j) * np.exp(-0.7j * problem.times - losses / 2)
    np.testing.assert_allclose([amplitude(rho, 1) for rho in states], expected, atol=1e-11)


def test_a_drive_that_changes():
    drive = sq.Envelope([0.0, 0.4, 1.0], values=[0.0, 0.9, -0.2])
    cavity = sq.Cavity(1.0, decay_rate=1.1, detuning=-0.6, drive=drive)
    model = sq.SpinModel(BESIDE, cavity=cavity)
    problem = Problem("drive", model, sq.CoherentState("+x"), {}, times=TIMES)
    # da/dt = -(i detuning + kappa/2) a - i drive
    rate = -0.6j + 0.55

    def filled(time):
        kinks = [t for t in (0.4, 1.0) if t < time] or None
        return quad(
            lambda s: -1j * drive(s) * np.exp(-rate * (time - s)),
            0, time, points=kinks, epsabs=1e-13, complex_func=True,
        )[0]  # fmt: skip

    expected = [filled(t) for t in TIMES]
    found = [amplitude(rho, 1) for rho in evolve(problem)]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("detuning", [0.0, 0.7])
def test_a_driven_empty_cavity_settles(detuning):
    # 0 = -(i detuning + kappa/2) a - i drive
    cavity = sq.Cavity(1.0, decay_rate=1.3, detuning=detuning, drive=0.3)
    model = sq.SpinModel(BESIDE, jumps=[sq.LocalDecay(1.0)], cavity=cavity)
    rho = steady_state(model)
    photons = 4 * 0.3**2 / (1.3**2 + 4 * detuning**2)
    assert all_readings(rho, model)["photon_number"] == pytest.approx(photons, abs=1e-9)
    assert amplitude(rho, 1) == pytest.approx(-0.3j / (1j * detuning + 0.65), abs=1e-9)


def test_a_squeezed_reservoir_and_a_loss_share_their_moments():
    # groszkowski2022, Eqs. (A6) to (A8) at equal times
    r, squeezed, internal = 0.35, 1.2, 0.4
    cavity = sq.Cavity(1.0, decay_rate=squeezed, squeezing=r, internal_decay_rate=internal)
    model = sq.SpinModel(BESIDE, jumps=[sq.LocalDecay(1.0)], cavity=cavity)
    rho = steady_state(model, 30)
    a = fock.annihilation(30)
    mode = fock.mode_part(rho, 1)
    share = squeezed / (squeezed + internal)
    assert np.trace(a @ a @ mode) == pytest.approx(-share * np.sinh(r) * np.cosh(r), abs=1e-9)
    photons = all_readings(rho, model)["photon_number"]
    assert photons == pytest.approx(share * np.sinh(r) ** 2, abs=1e-9)


@pytest.mark.parametrize(("r", "levels", "tilt"), [(0.0, 7, 0.0), (0.0, 7, 0.5), (0.15, 12, 0.0)])
def test_a_bad_cavity_is_collective_decay(r, levels, tilt):
    """The error falls as (g/kappa)^2 at a fixed rate 4 g^2/kappa; tilt: detuning/kappa."""
    state, times = sq.CoherentState([0.6, 0.0, 0.8]), np.array([0.5, 1.0])
    exchange = [sq.CollectiveExchange(-tilt)]  # chi/rate = -detuning/kappa
    decay = [sq.SqueezedCollectiveDecay(1.0, r=r)]
    spins_only = sq.SpinModel(2, hamiltonian=exchange, jumps=decay)
    limit = ask(spins_only, state, times)
    sizes, errors = np.array([20.0, 40.0, 80.0]), []
    for kappa in sizes:
        g = np.sqrt(kappa * (1 + 4 * tilt**2)) / 2
        cavity = sq.Cavity(g, decay_rate=kappa, squeezing=r, detuning=tilt * kappa)
        mode = fock.squeezed(levels, r)
        found = ask(sq.SpinModel(2, cavity=cavity), state, times, mode)
        both = [of_all(x, name) for x in (found, limit) for name in ("spin", "covariance")]
        errors.append(max(np.abs(both[k] - both[k + 2]).max() for k in range(2)))
    ratios = np.sqrt(1 / sizes) / 2  # g/kappa
    slope = np.polyfit(np.log(ratios), np.log(errors), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.15)
    assert errors[-1] < 0.05


def test_against_qutip():
    qutip = pytest.importorskip("qutip")
    model = sq.SpinModel(
        2,
        hamiltonian=[sq.OneAxisTwisting(0.4, axis="x"), sq.UniformField([0.1, 0.2, -0.5])],
        jumps=[sq.LocalDecay(0.2)],
        cavity=sq.Cavity(
            [0.3, 0.2j, 0.4 - 0.1j], decay_rate=0.9, detuning=0.3, drive=0.2, squeezing=0.2
        ),
    )
    levels = 22
    found = ask(model, sq.CoherentState("+x"), mode=fock.vacuum(levels))
    half = [x / 2 for x in (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz())]
    unit, empty = qutip.qeye(2), qutip.qeye(levels)
    s = [[qutip.tensor(x, unit, empty), qutip.tensor(unit, x, empty)] for x in half]
    S = [sum(pair) for pair in s]
    a = qutip.tensor(unit, unit, qutip.destroy(levels))
    exchange = a.dag() * (0.3 * S[0] + 0.2j * S[1] + (0.4 - 0.1j) * S[2])
    H = 0.4 * S[0] ** 2 + 0.1 * S[0] + 0.2 * S[1] - 0.5 * S[2]
    H += 0.3 * a.dag() * a + 0.2 * (a + a.dag()) + exchange + exchange.dag()
    losses = [np.sqrt(0.2) * (s[0][i] - 1j * s[1][i]) for i in range(2)]
    losses.append(np.sqrt(0.9) * (np.cosh(0.2) * a + np.sinh(0.2) * a.dag()))
    up = (qutip.basis(2, 0) + qutip.basis(2, 1)).unit()
    start = qutip.tensor(up, up, qutip.basis(levels, 0))
    options = {"atol": 1e-11, "rtol": 1e-10, "progress_bar": ""}
    run = qutip.mesolve(H, start, TIMES, losses, e_ops=[*S, a.dag() * a], options=options)
    np.testing.assert_allclose(of_all(found, "spin").T, run.expect[:3], atol=1e-8)
    np.testing.assert_allclose(of_all(found, "photon_number"), run.expect[3], atol=1e-8)


def test_states_of_a_mode():
    a = fock.annihilation(40)
    number, one = a.conj().T @ a, np.eye(40)
    rho = fock.coherent(40, 0.9 + 0.4j)
    np.testing.assert_allclose(a @ rho, (0.9 + 0.4j) * rho, atol=1e-12)
    rho = fock.squeezed(40, 0.3)
    np.testing.assert_allclose((np.cosh(0.3) * a + np.sinh(0.3) * a.T) @ rho, 0 * one, atol=1e-9)
    rho = fock.thermal(40, 0.5)
    assert np.trace(number @ rho).real == pytest.approx(0.5, abs=1e-12)
    assert [np.trace(fock.vacuum(3) @ fock.coherent(3, z)).real for z in (0, 0.0j)] == [1.0, 1.0]


def test_a_pulse_turns_the_spins_of_a_cavity_model():
    """Half a turn about z changes the sign of S_minus: what was taken comes back."""
    model = sq.SpinModel(3, cavity=sq.Cavity(0.8, decay_rate=0.0))
    echo = (sq.Pulse(0.6, axis="+z", angle=np.pi),)
    problem = Problem(
        "echo", model, sq.CoherentState("+z"), {}, times=np.array([0.6, 1.2]), pulses=echo
    )
    photons = of_all(answers(problem), "photon_number")
    assert photons[0] > 0.5
    assert photons[1] == pytest.approx(0.0, abs=1e-12)


def test_operators_of_three_modes():
    levels = (2, 3, 4)
    a = fock.mode_operators(2, levels)
    place = np.indices((2, *levels)).reshape(4, -1)
    for m, lowers in enumerate(a):
        np.testing.assert_allclose(np.diag(lowers.T @ lowers), place[m + 1], atol=1e-14)
        assert all(np.array_equal(lowers @ other, other @ lowers) for other in a)
    top = np.zeros(48)
    top[np.ravel_multi_index((1, 0, 2, 1), (2, *levels))] = 1.0
    assert fock.top_population(np.diag(top), 1, levels) == 1.0
    assert fock.top_population(np.diag(np.eye(48)[0]), 1, levels) == 0.0


def test_two_modes_in_canonical_form():
    """A thermal state stays in its reservoir; a photon of either mode is exchanged by the spins."""
    thermal = (Reservoir(1.5 * 0.7), Reservoir(0.5 * 0.7, 0.0, 1.0))
    levels = (30, 3)
    a = fock.mode_operators(2, levels)
    model = Canonical(one_each(1), modes=(Mode(0.4, 0.0, thermal), Mode(detuning=-0.3)))
    s = fock.lifted(site_operators(1), levels)
    rho = np.kron(np.eye(2) / 2, np.kron(fock.thermal(30, 0.5), fock.thermal(3, 0.2)))
    np.testing.assert_allclose(flow(model, s, 0.0, rho, a), 0.0, atol=1e-12)
    minus = np.array([1, -1j, 0])
    coupled = dataclasses.replace(
        model,
        modes=(Mode(), Mode()),
        mode_couplings=(ModeCoupling(0, 0.6, minus), ModeCoupling(1, -0.8, minus)),
    )
    # From |up, 0, 0> the photon goes to 0.6 a_0 - 0.8 a_1, with the rate 1.
    up = np.kron(np.diag([1.0, 0.0]), np.kron(fock.vacuum(30), fock.vacuum(3))).astype(complex)
    second = flow(coupled, s, 0.0, flow(coupled, s, 0.0, up, a), a)
    numbers = [np.trace(x.conj().T @ x @ second).real for x in a]
    np.testing.assert_allclose(numbers, [2 * 0.36, 2 * 0.64], atol=1e-12)


def random_cavity_model(rng):
    """A model whose cavity has everything, envelopes among it."""

    def strength(low):
        if rng.random() < 0.5:
            return float(rng.uniform(low, 2.0))
        return sq.Envelope([0.0, 0.6, 1.0], values=rng.uniform(low, 2.0, size=3))

    n_classes = int(rng.integers(0, 3))
    spins = [sq.SpinClass(1, weight=float(rng.normal())) for _ in range(n_classes)] or 2
    shape = (3,) if rng.random() < 0.5 else (n_classes or 2, 3)
    number = rng.random() < 0.3
    vectors = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    cavity = sq.Cavity(
        float(rng.normal()) if number else vectors,
        decay_rate=strength(0.1),
        detuning=strength(-2.0),
        drive=strength(-2.0),
        squeezing=float(rng.normal()) if rng.random() < 0.5 else 0.0,
        internal_decay_rate=strength(0.0),
        envelope=strength(-2.0) if rng.random() < 0.7 else None,
    )
    return sq.SpinModel(
        spins, hamiltonian=[sq.Drive(strength(-1))], jumps=[sq.CollectiveDecay(0.4)], cavity=cavity
    )


@pytest.mark.parametrize("seed", range(30))
def test_the_canonical_form_is_what_the_docstring_of_the_cavity_says(seed):
    rng = np.random.default_rng(seed)
    model, levels, time = random_cavity_model(rng), 3, float(rng.uniform(0, 1.0))
    n = model.n_spins
    written = sum(
        (f(time) if isinstance(f, sq.Envelope) else f) * matrix
        for f, matrix in generators(model, levels)
    )
    s = fock.lifted(site_operators(n), levels)
    a = fock.mode_operators(2**n, (levels,))
    lowered = liouvillian(model.canonical, s, time, a)
    np.testing.assert_allclose(lowered, written.toarray(), atol=1e-12)


def test_too_few_levels_are_noticed():
    model = sq.SpinModel(1, cavity=sq.Cavity(0.1, decay_rate=0.1, drive=3.0))
    with pytest.raises(AssertionError, match=r"^the top of 12 Fock levels holds .*: give more"):
        ask(model, sq.CoherentState("+z"))
    full = np.kron(density_matrix(sq.CoherentState("+z"), 1), fock.pure(np.eye(3)[2]))
    with pytest.raises(AssertionError, match=r"^the top of 3 Fock levels holds 1.0e\+00"):
        check_that_the_cut_is_not_felt(full, 1, 3)


def test_modes_of_a_model_cannot_be_left_out():
    model = sq.SpinModel(1, cavity=sq.Cavity(0.1, decay_rate=0.1)).canonical
    with pytest.raises(ValueError, match="zip"):
        liouvillian(model, site_operators(1), 0.0)
