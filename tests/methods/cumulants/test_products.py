"""Mean field with factorised products: what it keeps, where it is the default, what refuses it."""

import json

import numpy as np
import pytest

import spinsqueeze as sq

DOWN = sq.CoherentState("-z")
DECAY = (sq.CollectiveDecay(1.0),)
FACTORISED = sq.MeanField(products="factorised", next_order=False)
PAULI = sq.MeanField(products="pauli", next_order=False)
BY_DEFAULT = sq.MeanField(next_order=False)


def driven_dicke(n, strength, *, exchange=0.0, jumps=DECAY):
    """With the drive over its critical value N/2 |Gamma + 2i chi|."""
    critical = n / 2 * np.hypot(1.0, 2 * exchange)
    return sq.SpinModel(
        n, hamiltonian=[sq.Drive(strength * critical), sq.CollectiveExchange(exchange)], jumps=jumps
    )


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize("strength", [0.5, 0.8, 0.95])
def test_the_driven_dicke_model_below_its_transition(n, strength):
    model = driven_dicke(n, strength)
    spin = sq.steady_state(model, initial_state=DOWN, method=BY_DEFAULT)["spin"].values / (n / 2)
    assert spin == pytest.approx([0, strength, -np.sqrt(1 - strength**2)], abs=1e-9)
    exact = sq.steady_state(model, initial_state=DOWN, method="closed_form")["spin"].values / (
        n / 2
    )
    assert np.abs(spin - exact).max() < 1.0 / (n * (1 - strength**2) ** 1.5)
    other = sq.steady_state(model, initial_state=DOWN, method=PAULI)["spin"].values / (n / 2)
    if strength > 2**-0.5:  # where Pauli's relations put the transition
        assert np.abs(other - exact).max() > 0.5


def test_above_the_transition_the_factorised_spin_never_rests():
    model = driven_dicke(50, 1.2)
    with pytest.raises(sq.NumericalFailure, match=r"nothing shorten the mean spin.*pauli"):
        sq.steady_state(model, initial_state=DOWN, method=BY_DEFAULT)
    assert abs(sq.steady_state(model, initial_state=DOWN, method=PAULI)["spin"][2]) < 0.1


def test_exchange_is_right_to_the_first_order_in_one_over_n():
    errors = []
    for n in (50, 100, 200):
        model = driven_dicke(n, 0.5, exchange=1.0)
        exact = sq.steady_state(model, initial_state=DOWN, method="symmetric")["spin"]
        spin = sq.steady_state(model, initial_state=DOWN, method=FACTORISED)["spin"]
        errors.append(float(np.abs(spin - exact).max()) / (n / 2))
    assert np.polyfit(np.log([50, 100, 200]), np.log(errors), 1)[0] == pytest.approx(-1, abs=0.15)
    assert errors[-1] < 5e-4


def test_the_length_of_the_mean_spin_stays():
    n, t = 200, np.linspace(0, 0.1, 6)
    jumps = [sq.SqueezedCollectiveDecay(1.0, r=0.4), sq.CollectiveJump(0.3, vector=[0.2, 1j, 0.5])]
    model = sq.SpinModel(n, hamiltonian=[sq.Drive(20.0), sq.OneAxisTwisting(1.0)], jumps=jumps)
    lengths = {}
    for method in (FACTORISED, PAULI):
        data = sq.simulate(model, sq.CoherentState("+y"), t, method=method)
        lengths[method.products] = np.linalg.norm(data["spin"].values, axis=1) / (n / 2)
    assert lengths["factorised"] == pytest.approx(np.ones(6), abs=1e-8)
    assert lengths["pauli"][-1] < 0.97


def test_the_right_hand_side_is_the_classical_one():
    n, rate, c = 40, 0.7, np.array([0.3 + 0.1j, 0.8j, -0.4])
    model = sq.SpinModel(n, jumps=[sq.CollectiveJump(rate, vector=c)])
    direction, step = np.array([0.6, 0.0, 0.8]), 1e-6
    data = sq.simulate(model, sq.CoherentState(direction), [0.0, step], method=FACTORISED)
    spin = n / 2 * direction
    expected = -rate * np.imag(np.vdot(c, spin) * np.cross(c, spin))
    assert np.diff(data["spin"].values, axis=0)[0] / step == pytest.approx(expected, rel=1e-3)


def products_of(model, state=DOWN, method=BY_DEFAULT):
    data = sq.simulate(model, state, [0.0, 1e-3], method=method)
    return json.loads(data.attrs["diagnostics"])["products"]


def test_where_factorised_is_the_default():
    dicke = driven_dicke(20, 0.5)
    assert products_of(dicke) == "factorised"
    assert products_of(dicke, sq.ProductState(np.tile([0.6, 0, 0.8], (20, 1)))) == "factorised"
    assert products_of(dicke, method=PAULI) == "pauli"
    both = driven_dicke(
        20, 0.5, jumps=[sq.CollectiveDecay(1.0), sq.CollectiveJump(0.5, vector=[1, 1j, 0])]
    )
    assert products_of(both) == "pauli"
    assert products_of(both, method=FACTORISED) == "factorised"


ONE_AXIS = sq.CollectiveJump(1.0, vector=np.array([0.6, 0, 0.8]) * np.exp(0.3j))
UNFIT = {
    "local jumps change the total spin": driven_dicke(
        20, 0.5, jumps=[sq.CollectiveDecay(1.0), sq.LocalDephasing(0.1)]
    ),
    "classes of spins": sq.SpinModel(
        [sq.SpinClass(10), sq.SpinClass(10, weight=0.5)], jumps=[sq.CollectiveDecay(1.0)]
    ),
    "of a single spin": sq.SpinModel(1, jumps=[sq.CollectiveDecay(1.0)]),
    "without collective jumps": sq.SpinModel(20, hamiltonian=[sq.OneAxisTwisting(1.0)]),
    "along one axis only shortens": driven_dicke(
        20, 0.5, jumps=[sq.CollectiveDecay(1.0), ONE_AXIS]
    ),
}


@pytest.mark.parametrize("reason", UNFIT)
def test_models_that_factorised_products_do_not_suit(reason):
    model = UNFIT[reason]
    with pytest.raises(sq.Unsupported, match=reason):
        sq.simulate(model, DOWN, [0.0, 1e-3], method=FACTORISED)
    assert products_of(model) == "pauli"


@pytest.mark.parametrize("state", [sq.DickeState(3), sq.SymmetricState(np.ones(21) / np.sqrt(21))])
def test_states_whose_mean_spin_is_short(state):
    model = driven_dicke(20, 0.5)
    with pytest.raises(sq.Unsupported, match="must be a coherent state"):
        sq.simulate(model, state, [0.0, 1e-3], method=FACTORISED)
    assert products_of(model, state) == "pauli"


def test_a_pulse_on_some_of_the_spins():
    pulse = sq.Pulse(0.0, axis="x", angle=0.3, sites=range(5))
    with pytest.raises(sq.Unsupported, match="pulses on some of them"):
        sq.simulate(driven_dicke(20, 0.5), DOWN, [1e-3], pulses=[pulse], method=FACTORISED)


def test_products_by_another_name():
    with pytest.raises(sq.InvalidInput, match="products must be one of auto, pauli, factorised"):
        sq.MeanField(products="classical")


def test_the_next_order_beside_factorised_products():
    data = sq.steady_state(driven_dicke(100, 0.5), initial_state=DOWN, method=sq.MeanField())
    assert 0 < float(np.abs(data["spin_truncation"]).max()) / 50 < 0.02
