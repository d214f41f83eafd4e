import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.run.differences import difference

TIMES = np.linspace(0.0, 0.8, 9)
STATE = sq.CoherentState("+x")


def ising(n=6):
    return sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(0.5)])


def test_exact_methods_agree():
    found = sq.compare(ising(), STATE, TIMES, methods=[sq.ClosedForm(), sq.Exact()])
    assert found.agree
    assert found.reference == "closed_form"
    assert "agrees" in str(found)


def test_every_method_that_fits_runs_when_none_is_named():
    found = sq.compare(ising(), STATE, TIMES)
    assert set(found.datasets) | set(found.refused) == set(METHODS)
    exact = {"closed_form", "symmetric", "exact", "permutation_invariant"}
    assert set(found.datasets) >= {*exact, "dtwa"}
    assert all(d.agrees for d in found.differences if d.method in exact), str(found)


def test_two_seeds_of_one_method_agree_within_their_errors():
    methods = [sq.DTWA(400), sq.DTWA(401)]
    model = sq.SpinModel(sq.Lattice((3, 3)), hamiltonian=[xxz(1.0, 3)])
    found = sq.compare(model, STATE, TIMES, methods=methods)
    assert list(found.datasets) == ["dtwa(n_trajectories=400)", "dtwa(n_trajectories=401)"]
    assert found.agree


def test_orders_of_one_method_are_told_apart():
    methods = [sq.Cumulants(2), sq.Cumulants(4), sq.Cumulants(3), sq.ClosedForm()]
    found = sq.compare(ising(), STATE, TIMES[:2], methods=methods)
    assert list(found.datasets) == [*(f"cumulants(order={k})" for k in (2, 4, 3)), "closed_form"]
    both = [sq.Cumulants(2), sq.Cumulants(2, tolerance=1e-7), sq.ClosedForm()]
    labels = list(sq.compare(ising(), STATE, TIMES[:2], methods=both).datasets)
    assert labels[1] == "cumulants(tolerance=1e-07)"
    with pytest.raises(InvalidInput, match=r"^methods must differ, got cumulants twice$"):
        sq.compare(ising(), STATE, TIMES, methods=[*methods, sq.Cumulants(3)])


def xxz(j_z, exponent):
    return sq.PowerLawXXZ(j_perp=2.0, j_z=j_z, exponent=exponent)


@pytest.mark.parametrize(("shape", "j_z", "exponent"), [
    ((3, 3), -2.0, 3.0), ((3, 3), 1.0, 6.0), ((3, 3), 0.0, np.inf),
    pytest.param((4, 4), -2.0, np.inf, marks=pytest.mark.slow),
])  # fmt: skip
def test_dtwa_on_small_lattices_is_reported_as_it_is(shape, j_z, exponent):
    model = sq.SpinModel(sq.Lattice(shape), hamiltonian=[xxz(j_z, exponent)])
    times = np.array([0.02, 0.04, 0.5, 1.0, 1.5, 2.0])
    sampling = sq.DTWA(4000, dtype="float64", tolerance=1e-7, sampling="independent")
    found = sq.compare(model, STATE, times, methods=[sq.Exact(), sampling], seed=3)
    assert found.reference == "exact"
    exact, sampled = found.datasets["exact"], found.datasets["dtwa"]
    for one in found.differences:
        name = one.variable
        # At short times the truncation is below the sampling error, but for Var(S_x) along the
        # mean spin: it starts as t^2, and DTWA has half of it (the factor cos^2(J_ij t/2)).
        if name != "covariance":
            assert one.grade != "differs" or one.time > 0.1
        error = sampled[f"{name}_stderr"].values + 1e-12
        sigmas = np.abs(sampled[name].values - exact[name].values) / error
        # Undefined (the mean spin is zero within its error) is not a one.
        worst = np.where(np.isnan(sigmas), 0.0, sigmas).reshape(len(times), -1).max(axis=1)
        first = times[worst > 6][:1]
        if len(first):
            assert one.grade == "differs"
            assert one.time <= first[0]
        if not one.agrees:
            assert worst[times == one.time] > (5 if one.grade == "differs" else 3)
    along, error = (sampled[k].values[0, 0, 0] for k in ("covariance", "covariance_stderr"))
    half = 0.5 * exact["covariance"].values[0, 0, 0]
    assert abs(along - half) < 5 * error
    assert error < 0.1 * half
    # 4000 samples resolve the truncation on a lattice this small: in the in-plane correlators.
    (covariance,) = (d for d in found.differences if d.variable == "covariance")
    assert covariance.grade == "differs"
    assert len(covariance.component) == 2


def test_too_few_methods():
    model = sq.SpinModel(40, hamiltonian=[sq.TwoAxisTwisting(0.1)])
    with pytest.raises(InvalidInput, match=r"two methods that fit, got 1: .*2\^40"):
        sq.compare(model, STATE, TIMES, methods=[sq.DTWA(10), sq.Exact()])


def _two_runs():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    methods = [sq.Exact(), sq.Cumulants(4)]
    times = [0.0, 0.1, 0.2, 0.3]
    return [sq.simulate(model, sq.CoherentState("+x"), times, method=m) for m in methods]


def test_nothing_is_compared_where_a_method_bounds_its_error_no_more():
    exact, cumulants = _two_runs()
    cumulants["xi2_truncation"][2:] = np.inf
    cumulants["xi2"][2:] = 7.0
    found = difference(exact, cumulants, variable="xi2", method="cumulants")
    assert found.agrees
    assert found.until == 0.2
    assert "xi2 agrees up to t = 0.2, where a method ends or bounds its error no more" in str(found)
    cumulants["xi2_truncation"][:] = np.inf
    found = difference(exact, cumulants, variable="xi2", method="cumulants")
    assert not found.agrees
    assert str(found) == "cumulants: xi2: nothing to compare, it sets no bound to its error"


def test_a_method_that_ends_early_is_compared_until_there():
    exact, cumulants = _two_runs()
    found = difference(exact, cumulants.isel(time=slice(3)), variable="xi2", method="cumulants")
    assert found.agrees
    assert found.until == 0.3
    assert difference(exact, cumulants, variable="xi2", method="cumulants").until is None
    cumulants["xi2"][1] = 7.0
    found = difference(exact, cumulants.isel(time=slice(3)), variable="xi2", method="cumulants")
    assert not found.agrees
    assert found.time == 0.1


def with_a_cavity(speed):
    """A lossy, detuned cavity that decays `speed` times as fast as it moves two spins."""
    cavity = sq.Cavity(0.3 * speed**0.5, decay_rate=speed, detuning=0.5 * speed)
    return sq.SpinModel(2, hamiltonian=[sq.UniformField([0.4, 0.0, 0.0])], cavity=cavity)


@pytest.mark.filterwarnings("ignore:the spins are too fast")
def test_a_cavity_kept_and_eliminated():
    """Each by its most trusted method, against the one that is named first; g^2/kappa is kept."""
    differences = []
    for speed in (16.0, 64.0):
        kept = with_a_cavity(speed)
        models = {"kept": kept, "eliminated": sq.eliminate_cavity(kept).model}
        found = sq.compare(models, sq.CoherentState("-z"), np.linspace(0.0, 6.0, 5))
        assert found.reference.startswith("kept: ")
        assert len(found.datasets) == 2
        assert not found.agree
        gap = (
            found.datasets[found.reference].spin
            - next(
                data for name, data in found.datasets.items() if name.startswith("eliminated: ")
            ).spin
        )
        differences.append(float(np.abs(gap).max()))
    assert differences[1] < 0.5 * differences[0] < 0.02


def test_models_of_different_size_are_not_compared():
    models = {
        "two": sq.SpinModel(2, hamiltonian=[sq.OneAxisTwisting(1.0)]),
        "three": with_a_cavity(9),
    }
    with pytest.raises(
        InvalidInput, match=r"models or more of one size, got two: 2 spins, three: 2"
    ):
        sq.compare({**models, "four": sq.SpinModel(4)}, sq.CoherentState("+x"), [0.0, 1.0])
    other = sq.SpinModel(2, hamiltonian=[sq.OneAxisTwisting(1.0)], unit="Hz")
    with pytest.raises(InvalidInput, match="models of one unit, got Hz, J"):
        sq.compare({**models, "two in Hz": other}, sq.CoherentState("+x"), [0.0, 1.0])
    with pytest.raises(InvalidInput, match="must map names to SpinModels"):
        sq.compare({"one": 3}, sq.CoherentState("+x"), [0.0, 1.0])
