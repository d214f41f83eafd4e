"""What cumulants refuse, and steady states that there are and that there are not."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.cumulants import evolve

PLUS, DOWN = sq.CoherentState("+x"), sq.CoherentState("-z")
DRIVEN = sq.SpinModel(
    30, hamiltonian=[sq.Drive(2.0)], jumps=[sq.CollectiveDecay(0.1), sq.LocalDecay(1.0)]
)


@pytest.mark.parametrize("order", [0, -1, 13, 2.5])
def test_an_order_out_of_range(order):
    with pytest.raises(sq.InvalidInput, match="order"):
        sq.Cumulants(order)


@pytest.mark.parametrize("tolerance", [0.0, 1e-14, 1.0])
def test_a_tolerance_out_of_range(tolerance):
    for kind in (sq.Cumulants, sq.MeanField):
        with pytest.raises(sq.InvalidInput, match="tolerance"):
            kind(tolerance=tolerance)


def test_the_next_order_is_asked_by_yes_or_no():
    with pytest.raises(sq.InvalidInput, match="next_order"):
        sq.Cumulants(2, next_order=1)


def test_couplings_on_a_lattice():
    terms = [sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)]
    model = sq.SpinModel(sq.Lattice(4), hamiltonian=terms)
    with pytest.raises(sq.Unsupported, match="couplings depend on the pair of spins"):
        sq.simulate(model, PLUS, [0.1], method="cumulants")


def test_a_state_that_differs_within_a_class():
    spins = [sq.SpinClass(2), sq.SpinClass(2, weight=0.5)]
    model = sq.SpinModel(spins, hamiltonian=[sq.OneAxisTwisting(1.0)])
    state = sq.ProductState([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    with pytest.raises(sq.Unsupported, match="differ within a class"):
        sq.simulate(model, state, [0.1], method="cumulants")
    with pytest.raises(sq.Unsupported, match="a state of alike spins; for classes"):
        sq.simulate(model, sq.DickeState(1), [0.1], method="cumulants")


def test_cumulants_that_rounding_takes():
    model = sq.SpinModel(2000, hamiltonian=[sq.OneAxisTwisting(1.0)])
    state = sq.DickeState(0)
    with pytest.raises(sq.Unsupported, match="lost to rounding"):
        sq.simulate(model, state, [1e-6], method=sq.Cumulants(6))
    data = sq.simulate(model, state, [0.0], method=sq.Cumulants(2))
    assert data["covariance"].values[0] == pytest.approx(
        np.diag([1000 * 1001 / 2, 1000 * 1001 / 2, 0]), rel=1e-9, abs=1e-6
    )


def test_steady_states_of_thirty_spins():
    exact = sq.steady_state(DRIVEN, method="permutation_invariant")
    for order in (2, 3, 4):
        data = sq.steady_state(DRIVEN, initial_state=DOWN, method=sq.Cumulants(order))
        for name in ("spin", "covariance", "xi2"):
            true = np.abs(data[name] - exact[name]).max()
            assert true <= 2 * np.abs(data[f"{name}_truncation"]).max(), (order, name)
    assert true < 1e-4


def test_a_steady_state_of_order_n_is_exact():
    model = sq.SpinModel(
        3,
        hamiltonian=[sq.Drive(1.0), sq.OneAxisTwisting(0.7)],
        jumps=[sq.CollectiveDecay(0.5), sq.LocalDecay(1.0)],
    )
    exact = sq.steady_state(model, method="permutation_invariant")
    data = sq.steady_state(model, initial_state=DOWN, method=sq.Cumulants(3))
    for name in ("spin", "covariance"):
        assert data[name].values == pytest.approx(exact[name].values, abs=1e-12)


def test_a_steady_state_with_a_conserved_quantity():
    model = sq.SpinModel(30, jumps=[sq.LocalDephasing(1.0)])
    state = sq.CoherentState([0.6, 0.0, 0.8])
    data = sq.steady_state(model, initial_state=state, method=sq.Cumulants(2))
    assert data["spin"].values == pytest.approx([0.0, 0.0, 12.0], abs=1e-8)


def test_cumulants_without_a_bounded_solution():
    model = sq.SpinModel(30, hamiltonian=[sq.TwoAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.1)])
    start = sq.CoherentState("+z")
    with pytest.raises(sq.NumericalFailure, match="no bounded solution beyond time"):
        sq.steady_state(model, initial_state=start, method=sq.Cumulants(4))
    data = sq.simulate(model, start, [0.05, 2.0], method=sq.Cumulants(4))
    assert data.sizes["time"] == 1
    assert "ended early" in data.attrs["warnings"]


def test_cumulants_that_oscillate():
    model = sq.SpinModel(30, hamiltonian=[sq.Drive(2.0)], jumps=[sq.LocalDecay(1e-9)])
    with pytest.raises(sq.NumericalFailure, match="do not come to rest"):
        sq.steady_state(model, initial_state=DOWN, method=sq.Cumulants(2))


def test_a_next_order_without_rest_leaves_the_answer_of_its_order():
    model = sq.SpinModel(30, hamiltonian=[sq.TwoAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.1)])
    start = sq.CoherentState("+z")
    alone = sq.steady_state(model, initial_state=start, method=sq.Cumulants(2, next_order=False))
    data = sq.steady_state(model, initial_state=start, method=sq.Cumulants(2))
    np.testing.assert_array_equal(data["spin"], alone["spin"])
    assert np.isinf(float(data["xi2_truncation"]))
    assert "order 2 has no bounded solution of the next order" in data.attrs["warnings"]


@pytest.mark.parametrize("stiff", [False, True])
def test_a_run_of_too_many_steps_ends_with_its_reason(stiff, monkeypatch):
    monkeypatch.setitem(evolve.through.__kwdefaults__, "max_steps", 40)
    rate = 1e5 if stiff else 0.01
    model = sq.SpinModel(
        30, hamiltonian=[sq.Drive(3.0), sq.OneAxisTwisting(0.3)], jumps=[sq.LocalDecay(rate)]
    )
    start = sq.CoherentState("+x")
    data = sq.simulate(model, start, [1e-4, 50.0], method=sq.Cumulants(2, next_order=False))
    assert data.sizes["time"] == 1
    assert "take too many steps beyond time 0.0001: end earlier" in data.attrs["warnings"]


def test_a_steady_state_needs_an_initial_state():
    with pytest.raises(sq.Unsupported, match="may have several fixed points: give an initial"):
        sq.steady_state(DRIVEN, method=sq.Cumulants(2))


@pytest.mark.parametrize("method", [sq.Cumulants(2), sq.MeanField()])
def test_stiff_runs_of_constant_models(method):
    """Fast decay and a slow drive: by the implicit method, against the Bloch equations."""
    model = sq.SpinModel(50, hamiltonian=[sq.Drive(3.0)], jumps=[sq.LocalDecay(1e5)])
    data = sq.simulate(model, PLUS, [1e-5, 1.0, 100.0], method=method)
    assert '"implicit": 1' in data.attrs["diagnostics"]
    assert data.attrs["numerical_error"] < 1e-3
    decay = np.exp(-0.5)  # of <s_x>, which the drive along x leaves alone
    assert data["spin"][0, 0] == pytest.approx(25 * decay, rel=1e-6)
    end = -25 * np.array([0.0, -2 * 3.0 / 1e5, 1.0]) / (1 + 2 * (3.0 / 1e5) ** 2)
    np.testing.assert_allclose(data["spin"][1:], [end, end], rtol=0, atol=1e-6)


def test_envelopes_of_unequal_length():
    short = sq.Envelope([0.0, 0.1], values=[1.0, 2.0])
    long = sq.Envelope([0.0, 0.2, 0.3, 0.5, 0.6], values=[0.5, 1.0, 0.0, 1.0, 2.0])
    model = sq.SpinModel(
        4, hamiltonian=[sq.OneAxisTwisting(short), sq.Drive(long)], jumps=[sq.LocalDecay(0.3)]
    )
    times = [0.05, 0.5, 1.5]
    ours = sq.simulate(model, PLUS, times, method=sq.Cumulants(4))
    exact = sq.simulate(model, PLUS, times, method=sq.PermutationInvariant())
    np.testing.assert_allclose(ours["spin"], exact["spin"], rtol=0, atol=1e-7)
    np.testing.assert_allclose(ours["covariance"], exact["covariance"], rtol=0, atol=1e-7)


def test_the_default_of_large_open_models_is_cumulants_not_mean_field():
    model = sq.SpinModel(
        10**5, hamiltonian=[sq.Drive(45000.0)], jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(50.0)]
    )
    data = sq.simulate(model, sq.CoherentState("-x"), [0.001])  # trajectories take minutes
    assert data.attrs["method"] == "cumulants"
    assert data.attrs["error_kind"] == "truncation"
