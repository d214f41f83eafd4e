"""Every initial state means the same to every method that takes it."""

import numpy as np
import pytest

import spinsqueeze as sq

N = 5
IDLE = sq.SpinModel(N, hamiltonian=[sq.UniformField([0.0, 0.0, 0.3])])
OPEN = sq.SpinModel(N, jumps=[sq.CollectiveDecay(0.2)])
TAKES = ("symmetric", "permutation_invariant", "exact")


@pytest.mark.parametrize("method", TAKES)
@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("m", [-2.5, -0.5, 1.5])
def test_a_dicke_state_lies_along_its_axis(method, axis, m):
    data = sq.simulate(IDLE, sq.DickeState(m, axis=axis), [0.0], method=method)
    unit = np.eye(3)["xyz".index(axis)]
    assert data["spin"].values[0] == pytest.approx(m * unit, abs=1e-12)
    across = (N / 2 * (N / 2 + 1) - m**2) / 2
    truth = across * (np.eye(3) - np.outer(unit, unit))
    assert data["covariance"].values[0] == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize("axis", "xyz")
def test_a_dicke_state_of_an_open_model(axis):
    state = sq.DickeState(1.5, axis=axis)
    data = [sq.simulate(OPEN, state, [0.0, 0.4], method=method) for method in TAKES[:2]]
    assert data[0]["spin"].values[0] == pytest.approx(1.5 * np.eye(3)["xyz".index(axis)], abs=1e-12)
    assert data[0]["purity"].values[0] == pytest.approx(1.0)
    for name in ("spin", "covariance", "purity"):
        assert data[0][name].values == pytest.approx(data[1][name].values, abs=1e-9)


def test_amplitudes_begin_with_all_spins_up():
    rng = np.random.default_rng(1)
    amplitudes = rng.normal(size=N + 1) + 1j * rng.normal(size=N + 1)
    state = sq.SymmetricState(amplitudes / np.linalg.norm(amplitudes))
    m = N / 2 - np.arange(N + 1)
    data = [sq.simulate(IDLE, state, [0.0, 0.7], method=method) for method in TAKES]
    assert float(data[0]["spin"][0, 2]) == pytest.approx(np.abs(state.amplitudes) ** 2 @ m)
    # <S_x + i S_y> = sum_m c_(m+1)* sqrt((J - m)(J + m + 1)) c_m
    raising = np.sqrt((N / 2 - m[1:]) * (N / 2 + m[1:] + 1))
    plus = np.sum(state.amplitudes[:-1].conj() * raising * state.amplitudes[1:])
    assert data[0]["spin"].values[0, :2] == pytest.approx([plus.real, plus.imag])
    for other in data[1:]:
        for name in ("spin", "covariance"):
            assert other[name].values == pytest.approx(data[0][name].values, abs=1e-9)


@pytest.mark.parametrize("method", TAKES[:2])
def test_a_pulse_turns_an_open_model_right_handed(method):
    pulses = [sq.Pulse(0.4, axis="+z", angle=np.pi / 2)]
    weak = sq.SpinModel(N, jumps=[sq.CollectiveDecay(1e-9)])
    data = sq.simulate(weak, sq.CoherentState("+x"), [0.3, 0.4], method=method, pulses=pulses)
    assert data["spin"].values == pytest.approx(N / 2 * np.eye(3)[:2], abs=1e-6)


def test_purity_is_that_of_the_density_matrix():
    """One spin with decay: tr rho^2 = (1 + |<sigma>|^2)/2."""
    one = sq.SpinModel(1, jumps=[sq.CollectiveDecay(0.7)])
    for method in TAKES[:2]:
        data = sq.simulate(one, sq.CoherentState("+x"), [0.0, 0.5, 1.3], method=method)
        length = np.linalg.norm(2 * data["spin"].values, axis=1)
        assert data["purity"].values == pytest.approx((1 + length**2) / 2, abs=1e-9)


def test_fisher_information_is_the_largest_over_directions():
    """Pure states: 4 times the largest variance; N for a coherent state."""
    twist = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(0.5)])
    method = sq.PermutationInvariant(qfi=True)
    data = sq.simulate(twist, sq.CoherentState("+x"), [0.0, 0.8], method=method)
    largest = 4 * np.linalg.eigvalsh(data["covariance"].values)[:, -1]
    assert data["qfi"].values == pytest.approx(largest, rel=1e-6)
    assert float(data["qfi"][0]) == pytest.approx(N)


def test_the_solver_named_is_the_solver_used(monkeypatch):
    """A missing package is named by evolution and steady state alike."""
    import sys

    monkeypatch.setitem(sys.modules, "pypardiso", None)
    model = sq.SpinModel(20, jumps=[sq.LocalDecay(0.3), sq.CollectiveDecay(0.1)])
    method = sq.PermutationInvariant(algorithm="rational", solver="pardiso")
    with pytest.raises(sq.Unsupported, match="needs the package pypardiso"):
        sq.simulate(model, sq.CoherentState("+x"), [1.0], method=method)
    with pytest.raises(sq.Unsupported, match="needs the package pypardiso"):
        sq.steady_state(model, method=method)


@pytest.mark.parametrize("method", TAKES[:2])
def test_methods_of_alike_spins_refuse_a_pulse_on_some(method):
    pulse = sq.Pulse(0.1, axis="x", angle=1.0, sites=[0, 3])
    with pytest.raises(sq.Unsupported, match="the model has spins that differ in their pulses"):
        sq.simulate(IDLE, sq.CoherentState("+x"), [0.0, 0.4], pulses=[pulse], method=method)


def test_the_symmetric_subspace_refuses_local_jumps():
    model = sq.SpinModel(N, jumps=[sq.LocalDecay(0.2)])
    with pytest.raises(sq.Unsupported, match="local jumps lead out of total spin N/2"):
        sq.simulate(model, sq.CoherentState("+x"), [0.0, 0.4], method="symmetric")


def test_the_symmetric_subspace_refuses_an_open_model_in_time():
    rate = sq.Envelope([0.0, 1.0], values=[0.2, 0.4])
    model = sq.SpinModel(N, jumps=[sq.CollectiveDecay(rate)])
    with pytest.raises(sq.Unsupported, match="an envelope of some strength or rate next to"):
        sq.simulate(model, sq.CoherentState("+x"), [0.0, 0.4], method="symmetric")
