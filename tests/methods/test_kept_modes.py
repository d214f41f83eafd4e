"""Spins and a cavity on Fock states, by every method that keeps the state."""

import json
import math

import numpy as np
import pytest
from scipy.linalg import expm
from tests.problems import fock
from tests.problems.catalogue import Problem
from tests.problems.dense_evolution import all_readings, answers, steady_state

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, TooLarge, Unsupported

TIMES = np.array([0.0, 0.2, 0.7, 1.1])
DOWN = sq.CoherentState("-z")
TILTED = sq.CoherentState([0.48, -0.6, 0.64])
LEVELS = 26
ALIKE = [sq.Exact(), sq.SymmetricSubspace(), sq.PermutationInvariant()]
GENERAL = sq.Cavity(
    [[0.3, 0.05], [0.0, -0.25], [0.1, 0.0]],
    decay_rate=1.1,
    detuning=0.4,
    drive=0.3,
    squeezing=0.15,
    squeezing_phase=0.9,
    thermal_occupation=0.02,
    internal_decay_rate=0.3,
    reservoirs=[sq.CavityReservoir(0.2, loss=0.9, gain=0.2j)],
    initial=sq.CavityState(coherent=0.3 - 0.2j, thermal=0.01, squeezing=0.1, phase=0.4),
)
GENERAL_ALIKE = sq.Cavity(0.3, decay_rate=1.0, drive=0.2)
SPINS = [sq.OneAxisTwisting(0.3), sq.UniformField([0.1, 0.4, -0.2])]
LOCAL = [sq.LocalDecay(0.3), sq.LocalDephasing(0.2), sq.LocalJump(0.1, vector=[0.3, 0.2j, 0.5])]


def density(state, levels=LEVELS):
    """A squeezed thermal state, displaced, by exponentials of matrices in a larger space."""
    a = fock.annihilation(levels + 40)
    zeta = state.squeezing * np.exp(1j * state.phase)
    squeeze = expm((np.conj(zeta) * a @ a - zeta * a.T @ a.T) / 2)
    move = expm(state.coherent * a.T - np.conj(state.coherent) * a)
    rho = fock.thermal(len(a), state.thermal)
    U = move @ squeeze
    return (U @ rho @ U.conj().T)[:levels, :levels]


def diagnostic(found, name):
    return json.loads(found.attrs["diagnostics"])[name]


def check(found, expected):
    """Every reading within 1e-9, and what is claimed of the spins no less."""
    claimed = (
        np.atleast_1d(found.spin_numerical_error.values) * math.sqrt(found.attrs["n_spins"]) / 2
    )
    assert claimed.max() < 1e-5
    for name in ("spin", "covariance", "purity", "photon_number", "xi2"):
        values = np.array([reading[name] for reading in expected])
        allowed = 1e-8 if name == "photon_number" else 1e-9
        if np.all(np.isfinite(values)):
            np.testing.assert_allclose(found[name], values, atol=allowed, rtol=0, err_msg=name)


@pytest.mark.parametrize("method", ALIKE, ids=lambda method: method.name())
def test_a_driven_lossy_squeezed_cavity_against_matrices(method):
    model = sq.SpinModel(2, hamiltonian=SPINS, jumps=[sq.CollectiveDecay(0.2)], cavity=GENERAL)
    pulse = sq.Pulse(0.7, axis=[0.0, 0.6, 0.8], angle=0.9)
    found = sq.simulate(model, TILTED, TIMES, method=method, pulses=[pulse])
    problem = Problem("a cavity", model, TILTED, {}, times=TIMES, pulses=[pulse])
    check(found, answers(problem, density(GENERAL.initial)))


def test_single_spins_that_jump_beside_a_cavity():
    model = sq.SpinModel(2, hamiltonian=SPINS, jumps=LOCAL, cavity=GENERAL)
    expected = answers(Problem("", model, TILTED, {}, times=TIMES), density(GENERAL.initial))
    for method in (sq.Exact(), sq.PermutationInvariant(qfi=True)):
        found = sq.simulate(model, TILTED, TIMES, method=method)
        check(found, expected)
    assert np.all(1 / found.xi2 <= found.qfi / 2 + 1e-9)


def test_spins_that_differ_beside_a_cavity():
    """Classes with weights, a field and decay of their own, couplings by rows, a pulse of some."""
    model = sq.SpinModel(
        [sq.SpinClass(1, weight=0.7, detuning=0.4), sq.SpinClass(1, weight=-1.2)],
        hamiltonian=[*SPINS, sq.PairCoupling([[0, 0.6], [0.6, 0]])],
        jumps=[sq.LocalDecay([0.4, 0.1])],
        cavity=sq.Cavity([[0.4, 0.1j, 0.2], [0.1, 0.3, 0.0]], decay_rate=1.0, detuning=0.3),
    )
    pulse = sq.Pulse(0.2, axis="y", angle=0.6, spin_class=1)
    found = sq.simulate(model, TILTED, TIMES, method=sq.Exact(), pulses=[pulse])
    problem = Problem("", model, TILTED, {}, times=TIMES, pulses=[pulse])
    check(found, answers(problem, fock.vacuum(14)))


def test_everything_in_time():
    ramp = sq.Envelope([0.0, 0.5, 1.1], values=[0.0, 0.8, 0.3])
    model = sq.SpinModel(
        1,
        hamiltonian=[sq.Drive(sq.Envelope([0.0, 1.0], values=[0.5, -0.5]))],
        jumps=[sq.LocalDecay(sq.Envelope([0.0, 0.6], values=[0.1, 0.5]))],
        cavity=sq.Cavity(
            0.5, decay_rate=ramp, detuning=ramp, drive=sq.Envelope([0.0, 0.4], values=[0.2, 0.6]),
            envelope=sq.Envelope([0.0, 0.8], values=[1.0, 0.2]),
        ),
    )  # fmt: skip
    expected = answers(Problem("", model, TILTED, {}, times=TIMES), fock.vacuum(22))
    for method in (sq.Exact(), sq.PermutationInvariant()):
        check(sq.simulate(model, TILTED, TIMES, method=method), expected)


@pytest.mark.parametrize("method", ALIKE, ids=lambda method: method.name())
def test_amplitudes_serve_without_losses(method):
    cavity = sq.Cavity(0.6, decay_rate=0.0, detuning=0.4, drive=0.2)
    model = sq.SpinModel(3, hamiltonian=SPINS, cavity=cavity)
    found = sq.simulate(model, TILTED, TIMES, method=method)
    check(found, answers(Problem("", model, TILTED, {}, times=TIMES), fock.vacuum(20)))


@pytest.mark.parametrize("method", [sq.Exact(), sq.SymmetricSubspace()], ids=lambda m: m.name())
@pytest.mark.parametrize("amplitude", [2.0, 9.0j])
def test_collapse_of_rabi_oscillations_in_a_coherent_field(method, amplitude):
    """<s_z> = (1/2) sum_n P_n cos(2 g sqrt(n + 1) t) from |up> and |alpha>, at resonance."""
    times = np.linspace(0.0, 3.0, 31)
    initial = sq.CavityState(coherent=amplitude)
    model = sq.SpinModel(1, cavity=sq.Cavity(1.0, decay_rate=0.0, initial=initial))
    found = sq.simulate(model, sq.CoherentState("+z"), times, method=method)
    n = np.arange(400)
    weights = np.exp(-(abs(amplitude) ** 2) + n * np.log(abs(amplitude) ** 2) - _log_factorial(n))
    exact = np.cos(2 * np.sqrt(n + 1.0) * times[:, None]) @ weights / 2
    claimed = found.spin_numerical_error.values / 2
    assert np.all(np.abs(found.spin[:, 2] - exact) <= claimed + 1e-10)
    assert claimed.max() < 1e-5
    np.testing.assert_allclose(
        found.photon_number, abs(amplitude) ** 2 + 0.5 - exact, atol=2e-7 * abs(amplitude) ** 2
    )


def _log_factorial(n):
    return np.array([math.lgamma(k + 1.0) for k in n])


def test_a_strong_drive_is_followed_by_displacements():
    """A cavity with idle spins: <a> = -i drive (1 - exp(-lambda t))/lambda, here 225 photons."""
    cavity = sq.Cavity(1e-9, decay_rate=1.0, detuning=0.5, drive=12.0)
    model = sq.SpinModel(1, cavity=cavity)
    times = np.linspace(0.0, 6.0, 7)
    found = sq.simulate(model, sq.CoherentState("-z"), times, method=sq.Exact())
    rate = 0.5 + 0.5j
    field = -12j * (1 - np.exp(-rate * times)) / rate
    np.testing.assert_allclose(found.field[:, 0] + 1j * found.field[:, 1], field, atol=1e-6)
    np.testing.assert_allclose(found.photon_number, np.abs(field) ** 2, atol=1e-5)
    np.testing.assert_allclose(found.field_covariance, np.tile(np.eye(2) / 4, (7, 1, 1)), atol=1e-6)
    assert diagnostic(found, "photon_levels") < 80
    assert diagnostic(found, "displacements") > 3


def test_the_geometric_phase_of_a_closed_loop_is_one_axis_twisting():
    """g S_z (a + a†) beside detuning a†a: after 2 pi/detuning the mode is empty again, and the
    spins have turned by exp(i (g^2/detuning) S_z^2 t)."""
    n, g, detuning = 60, 0.05, 1.0
    cavity = sq.Cavity([0.0, 0.0, g], decay_rate=0.0, detuning=detuning)
    times = np.array([0.0, 1.7, 2 * np.pi])
    found = sq.simulate(
        sq.SpinModel(n, cavity=cavity), sq.CoherentState("+x"), times,
        method=sq.SymmetricSubspace(),
    )  # fmt: skip
    twisted = sq.simulate(
        sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(-(g**2) / detuning)]),
        sq.CoherentState("+x"), times[[0, 2]], method=sq.ClosedForm(),
    )  # fmt: skip
    assert found.photon_number[1] > 0.05
    for name in ("spin", "covariance"):
        np.testing.assert_allclose(found[name][-1], twisted[name][-1], atol=1e-6)
    assert found.photon_number[-1] < 1e-9
    assert found.purity[-1] > 1 - 1e-9


@pytest.mark.parametrize("jumps", [[], LOCAL], ids=["collective", "local"])
def test_where_a_driven_cavity_comes_to_rest(jumps):
    cavity = sq.Cavity(0.5, decay_rate=1.0, detuning=0.3, drive=0.25, squeezing=0.1)
    model = sq.SpinModel(2, hamiltonian=SPINS, jumps=jumps, cavity=cavity)
    start = None if jumps else sq.CoherentState("-z")
    found = [sq.steady_state(model, initial_state=start, method=sq.PermutationInvariant())]
    if jumps:
        found.append(sq.steady_state(model, method=sq.Exact()))
        expected = all_readings(steady_state(model, 20), model)
    else:
        found.append(sq.steady_state(model, initial_state=start, method=sq.SymmetricSubspace()))
        late = sq.simulate(model, start, [0.0, 300.0], method=sq.SymmetricSubspace()).isel(time=-1)
        expected = {name: late[name].values for name in late}
    for one in found:
        for name in ("spin", "covariance", "purity", "photon_number"):
            np.testing.assert_allclose(one[name], expected[name], atol=2e-8, err_msg=name)


def test_an_intense_steady_field_is_found_by_moving_the_origin():
    """<a> = -i drive/lambda where the spins are idle: 400 photons."""
    cavity = sq.Cavity(1e-9, decay_rate=1.0, drive=10.0)
    model = sq.SpinModel(1, jumps=[sq.LocalDecay(1.0)], cavity=cavity)
    found = sq.steady_state(model, method=sq.Exact())
    np.testing.assert_allclose(found.field, [0.0, -20.0], atol=1e-6)
    np.testing.assert_allclose(found.photon_number, 400.0, atol=1e-5)


def test_open_lattices_without_a_cavity():
    """Jumps of their own at every site, a general one too, and where they lead."""
    model = sq.SpinModel(
        sq.Lattice((3,), boundary="open"),
        hamiltonian=[sq.PowerLawXYZ(j_x=0.5, j_y=-0.3, j_z=1.0, exponent=3)],
        jumps=[sq.LocalDecay([0.4, 0.1, 0.7]), *LOCAL, sq.CollectiveDecay(0.2)],
    )
    found = sq.simulate(model, TILTED, TIMES, method=sq.Exact())
    expected = answers(Problem("", model, TILTED, {}, times=TIMES))
    for name in ("spin", "covariance", "purity"):
        values = [reading[name] for reading in expected]
        np.testing.assert_allclose(found[name], values, atol=1e-9, err_msg=name)
    assert "photon_number" not in found
    end = sq.steady_state(model, method=sq.Exact())
    late = sq.simulate(model, TILTED, [0.0, 80.0], method=sq.Exact())
    np.testing.assert_allclose(end.spin, late.spin[-1], atol=1e-8)
    np.testing.assert_allclose(end.covariance, late.covariance[-1], atol=1e-8)


def test_a_loose_tolerance_claims_what_it_errs():
    model = sq.SpinModel(2, hamiltonian=SPINS, cavity=GENERAL)
    times = np.linspace(0.0, 6.0, 7)
    fine = sq.simulate(model, TILTED, times, method=sq.SymmetricSubspace())
    for tolerance in (1e-4, 1e-6):
        method = sq.SymmetricSubspace(tolerance=tolerance)
        rough = sq.simulate(model, TILTED, times, method=method)
        error = np.abs(rough.spin - fine.spin).max("axis") / (math.sqrt(2) / 2)
        assert np.all(error <= rough.spin_numerical_error + 1e-9)
        assert rough.spin_numerical_error.max() < 300 * tolerance
        assert diagnostic(rough, "photon_levels") < diagnostic(fine, "photon_levels")


def test_what_does_not_fit_is_refused_with_a_remedy():
    amplifier = sq.Cavity(0.3, decay_rate=0.1, reservoirs=[sq.CavityReservoir(0.5, loss=0, gain=1)])
    model = sq.SpinModel(2, jumps=[sq.LocalDecay(1.0)], cavity=amplifier)
    for method in (sq.Exact(), sq.PermutationInvariant()):
        with pytest.raises(Unsupported, match="lose more than it gains"):
            sq.steady_state(model, method=method)
    with pytest.raises(TooLarge, match=r"the cavity needs .* levels or more.*eliminate"):
        sq.simulate(model, TILTED, [0.0, 30.0], method=sq.PermutationInvariant(), memory_budget=3e7)
    collective = sq.SpinModel(2, cavity=sq.Cavity(0.3, decay_rate=1.0))
    with pytest.raises(Unsupported, match="total spin is conserved"):
        sq.steady_state(collective, method=sq.Exact())
    with pytest.raises(InvalidInput, match="independent steady states"):
        sq.steady_state(collective, method=sq.PermutationInvariant())
    along = sq.SpinModel(2, cavity=sq.Cavity([0, 0, 0.3], decay_rate=1.0))
    with pytest.raises(Unsupported, match="total spin is conserved"):
        sq.steady_state(along, initial_state=TILTED, method=sq.Exact())
    lost = {"method": sq.PermutationInvariant(), "losses": sq.Losses(times=[0.5])}
    with pytest.raises(Unsupported, match="losses of spins beside a cavity"):
        sq.simulate(collective, TILTED, [0.0, 1.0], **lost)


def test_what_the_start_cuts_off_is_claimed():
    """Coherences with the levels that are cut off count by their size, not by the populations."""
    initial = sq.CavityState(coherent=-0.408)
    times = np.linspace(0.0, 3.0, 6)
    field = sq.UniformField([-0.9, -0.6, 0.3])
    found = []
    for decay, tolerance in ((0.0, 1e-13), (1e-14, 1e-10)):
        cavity = sq.Cavity([0, 0, -1.3], decay_rate=decay, detuning=0.3, initial=initial)
        model = sq.SpinModel(1, hamiltonian=[field], cavity=cavity)
        found.append(sq.simulate(model, TILTED, times, method=sq.Exact(tolerance)))
    pure, mixed = found
    assert pure.spin_numerical_error.max() < 1e-10
    error = np.abs(mixed.spin - pure.spin).max("axis") / 0.5
    claimed = mixed.spin_numerical_error + pure.spin_numerical_error
    assert np.all(error <= claimed)


@pytest.mark.parametrize("thermal", [0.0, 0.7])
@pytest.mark.parametrize("state", [None, sq.CoherentState([0.6, 0.0, 0.8])])
def test_a_steady_state_that_keeps_coherences_is_refused(state, thermal):
    """S_x is conserved, and not along the axis of the states that are counted."""
    cavity = sq.Cavity([0.3, 0.0, 0.0], decay_rate=1.0, thermal_occupation=thermal)
    with pytest.raises(NumericalFailure, match=r"conserves more than|does not converge"):
        sq.steady_state(sq.SpinModel(1, cavity=cavity), initial_state=state, method=sq.Exact())


def test_the_weights_of_steady_states_are_those_of_the_spins():
    """S_z is conserved; the mode comes to rest far from where it began."""
    cavity = sq.Cavity([0, 0, 0.3], decay_rate=1.0, drive=4.0, initial=sq.CavityState(coherent=3.0))
    state = sq.CoherentState([0.6, 0.0, 0.8])
    found = sq.steady_state(sq.SpinModel(1, cavity=cavity), initial_state=state, method=sq.Exact())
    np.testing.assert_allclose(found.spin, [0.0, 0.0, 0.4], atol=1e-9)
    # <a> = -i (drive + g s_z) / (kappa/2) where s_z = +-1/2 has the weights of the start
    np.testing.assert_allclose(found.field, [0.0, -2 * (4.0 + 0.3 * 0.4)], atol=1e-7)


@pytest.mark.parametrize("times", [[0.0], [0.0, 5e-324], [1e-300]])
def test_runs_without_length(times):
    model = sq.SpinModel(1, hamiltonian=SPINS, cavity=GENERAL_ALIKE)
    found = sq.simulate(model, TILTED, times, method=sq.Exact())
    np.testing.assert_allclose(found.spin[-1], [0.24, -0.3, 0.32], atol=1e-14)


@pytest.mark.parametrize(
    "initial", [{"squeezing": 5.0}, {"squeezing": 20.0}, {"thermal": 1e6}, {"thermal": 1e300}]
)
def test_a_start_with_too_many_photons_is_refused(initial):
    cavity = sq.Cavity(0.3, decay_rate=1.0, initial=sq.CavityState(**initial))
    with pytest.raises(NumericalFailure, match="more than 4000 levels"):
        sq.simulate(sq.SpinModel(1, cavity=cavity), TILTED, [0.0, 1.0], method=sq.Exact())


@pytest.mark.slow
def test_three_spins_beside_a_driven_squeezed_cavity_against_qutip():
    """Evolution and steady state to 1e-8, by both methods that take single spins' decay."""
    import qutip

    levels, r, phase, kappa, gamma = 8, 0.04, 0.7, 1.0, 0.3  # less than 1e-11 in the last level
    cavity = sq.Cavity(
        0.25, decay_rate=kappa, detuning=0.3, drive=0.08, squeezing=r, squeezing_phase=phase
    )
    twisting = sq.OneAxisTwisting(0.4)
    model = sq.SpinModel(3, hamiltonian=[twisting], jumps=[sq.LocalDecay(gamma)], cavity=cavity)
    one = [qutip.qeye(2)] * 3
    lower = [
        qutip.tensor(*one[:k], qutip.sigmam(), *one[k + 1 :], qutip.qeye(levels)) for k in range(3)
    ]
    a = qutip.tensor(*one, qutip.destroy(levels))
    total = sum(lower)
    s_z = (total.dag() * total - total * total.dag()) / 2
    H = 0.4 * s_z**2 + 0.3 * a.dag() * a + 0.25 * (a.dag() * total + a * total.dag())
    H += 0.08 * (a + a.dag())
    squeezed = np.cosh(r) * a + np.exp(1j * phase) * np.sinh(r) * a.dag()
    jumps = [np.sqrt(kappa) * squeezed, *(np.sqrt(gamma) * s for s in lower)]
    S = [(total + total.dag()) / 2, (total - total.dag()) * 0.5j, s_z]
    asked = [*S, *(p * q for p in S for q in S), a.dag() * a]
    down = qutip.tensor(*[qutip.basis(2, 1)] * 3, qutip.basis(levels, 0))
    tight = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 10**6, "progress_bar": ""}
    run = qutip.mesolve(H, down, TIMES, jumps, e_ops=asked, options=tight)
    evolved = np.real(run.expect).T
    rested = np.real(qutip.expect(asked, qutip.steadystate(H, jumps)))
    for method in (sq.Exact(), sq.PermutationInvariant()):
        found = sq.simulate(model, DOWN, TIMES, method=method)
        end = sq.steady_state(model, method=method)
        pairs = [(found.isel(time=k), row) for k, row in enumerate(evolved)] + [(end, rested)]
        for data, row in pairs:
            spin, second = row[:3], row[3:12].reshape(3, 3)
            np.testing.assert_allclose(data.spin, spin, atol=1e-8)
            centred = (second + second.T) / 2 - np.outer(spin, spin)
            np.testing.assert_allclose(data.covariance, centred, atol=1e-8)
            np.testing.assert_allclose(data.photon_number, row[12], atol=1e-8)
