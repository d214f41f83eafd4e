"""Which errors a comparison allows for, and what it does not run."""

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.methods.base.method import Cost
from spinsqueeze.run.compare import Comparison
from spinsqueeze.run.differences import difference, optimum_difference

STATE = sq.CoherentState([0.48, -0.6, 0.64])
TIMES = np.array([0.5, 8.0])
XYZ = sq.PowerLawXYZ(j_x=0.5, j_y=-0.3, j_z=1.0, exponent=1)


def loose_and_strict():
    model = sq.SpinModel(sq.Lattice((7,), boundary="open"), hamiltonian=[XYZ])
    return sq.compare(model, STATE, TIMES, methods=[sq.Exact(1e-12), sq.Exact(1e-4)])


def test_claimed_errors_count():
    found = loose_and_strict()
    (spin,) = (d for d in found.differences if d.variable == "spin")
    assert abs(spin.value - spin.reference) > 1e-6
    assert found.agree


def test_a_claim_that_does_not_hold_is_adifference(monkeypatch):
    plain = sq.run.compare.simulate

    def boastful(*arguments, **options):
        return (
            plain(*arguments, **options)
            .assign_attrs(numerical_error=0.0)
            .drop_vars("spin_numerical_error")
        )

    monkeypatch.setattr(sq.run.compare, "simulate", boastful)
    found = loose_and_strict()
    assert not found.agree
    assert {d.variable for d in found.differences if not d.agrees} >= {"spin", "covariance"}


def test_standard_errors_count():
    model = sq.SpinModel(sq.Lattice((3, 3)), hamiltonian=[XYZ])
    methods = [sq.DTWA(n, dtype="float64", tolerance=1e-6) for n in (100, 101)]
    found = sq.compare(model, STATE, TIMES[:1], methods=methods, seed=2)
    (spin,) = (d for d in found.differences if d.variable == "spin")
    assert abs(spin.value - spin.reference) > 1e-4
    assert found.agree


def stated(variable, values, *, stderr, truncation, numerical):
    """A run of 100 spins with every sort of error that it may state."""
    errors = {"stderr": stderr, "truncation": truncation}
    variables = {f"{variable}_{name}": ("time", [error] * 3) for name, error in errors.items()}
    return xr.Dataset(
        {variable: ("time", values), **variables},
        coords={"time": [0.1, 0.2, 0.3]},
        attrs={"n_spins": 100, "numerical_error": numerical},
    )


@pytest.mark.parametrize(
    ("variable", "scale"),
    [("spin", 5), ("covariance", 25), ("xi2", 1), ("contrast", 0.1), ("total_spin_squared", 100)],
)
def test_how_far_two_runs_may_differ(variable, scale):
    """In errors, each the standard errors of both and a third of twice what the others say."""
    values = np.array([0.05, 30.0, 0.05])
    right = stated(variable, values, stderr=0.03, truncation=0.01, numerical=1e-4)
    bounds = 2 * 0.03 + 2 * 3e-4 * np.maximum(scale, values)
    error = 0.05 + bounds / 3
    doubt, allowed = (k * error for k in (3, 5))
    for off, time, grade in (
        (0.999 * doubt, 0.1, "agrees"),
        (np.array([0.0, 1.001, 0.5]) * doubt, 0.2, "doubtful"),
        (np.array([1.001, 0.999, 1.001]) * [doubt[0], allowed[1], allowed[2]], 0.3, "differs"),
    ):
        ours = stated(variable, values - off, stderr=0.04, truncation=0.02, numerical=2e-4)
        found = difference(right, ours, variable=variable, method="ours")
        assert found.grade == grade
        assert found.time == time or grade == "agrees"
        assert found.sigmas == pytest.approx(max(off / error))
        assert (found.sigmas > 3) == (grade != "agrees")
        k = int(np.argmin(np.abs(right["time"].values - found.time)))
        assert found.error == pytest.approx(error[k])
        assert f"error {error[k]:.2g} = standard 0.05 + stated {bounds[k]:.2g}/3" in str(found)


def test_a_component_without_a_bound_takes_its_time_out():
    times, spin = np.array([0.1, 0.2]), np.ones((2, 3))
    bounds, away = np.zeros((2, 3)), np.zeros((2, 3))
    bounds[1, 0], away[1, 1] = np.inf, 3.0
    runs = [
        xr.Dataset(
            {"spin": (("time", "axis"), s), "spin_truncation": (("time", "axis"), bounds)},
            coords={"time": times},
            attrs={"n_spins": 4, "numerical_error": 0.0},
        )
        for s in (spin, spin + away)
    ]
    found = difference(*runs, variable="spin", method="ours")
    assert found.agrees
    assert found.until == 0.2


def test_a_method_that_takes_minutes_is_run_only_by_name(monkeypatch):
    model = sq.SpinModel(4, hamiltonian=[sq.TwoAxisTwisting(0.3)])
    hours = Cost(1e6, 7200.0, "a lot of work")
    monkeypatch.setattr(sq.PermutationInvariant, "cost", lambda _self, _question: hours)
    found = sq.compare(model, sq.DickeState(1.0), TIMES)
    others = {"symmetric", "exact", "cumulants", "mean_field", "trajectories"}
    assert set(found.datasets) == others
    message = "would take about 7200 s; name it in methods to run it"
    assert found.refused["permutation_invariant"] == message
    named = sq.compare(model, sq.DickeState(1.0), TIMES, methods=["exact", sq.PermutationInvariant])
    assert set(named.datasets) == {"exact", "permutation_invariant"}
    assert named.agree


def curve(shift, stderr):
    """A dip of xi2 to -3 dB, shifted by some decibels, with its standard error."""
    times = np.linspace(0.0, 2.0, 41)
    xi2 = 10 ** ((shift - 3.0 * np.sin(np.pi * times / 2) ** 2) / 10)
    data = sq.simulate(
        sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(0.3)]),
        sq.CoherentState("+x"),
        times,
        method=sq.Exact(),
    )
    data["xi2"] = data["xi2"].copy(data=xi2)
    data["xi2_stderr"] = data["xi2"].copy(data=stderr * np.log(10) / 10 * xi2)
    return data.drop_vars("xi2_truncation", errors="ignore")


@pytest.mark.parametrize(
    ("shift", "grade"), [(0.2, "agrees"), (0.5, "doubtful"), (-0.5, "doubtful"), (0.8, "differs")]
)
def test_the_optima_are_compared_in_decibels(shift, grade):
    """Combined error sqrt(0.1^2 + 0.1^2) = 0.14 dB, nothing stated but the interpolation."""
    found = optimum_difference(curve(0.0, 0.1), curve(shift, 0.1), method="ours")
    assert found.grade == grade
    assert found.difference == pytest.approx(shift, abs=1e-3)
    assert found.error == pytest.approx(0.1 * np.sqrt(2), rel=1e-3)
    assert found.stated < 1e-3
    assert found.time == pytest.approx(1.0, abs=1e-3)
    assert f"difference {shift:+.2g} ± 0.14 dB" in str(found)
    assert found.sigmas == pytest.approx(abs(shift) / 0.1414, rel=0.01)
    assert f": {found.sigmas:.1f} errors of 0.14 dB" in str(found)


def test_an_optimum_agrees_up_to_three_errors_with_what_is_stated():
    ours = curve(0.3, 0.0)
    for truncation, grade in ((0.03, "agrees"), (0.0148, "doubtful"), (0.008, "differs")):
        ours["xi2_truncation"] = ours["xi2"].copy(data=np.full(41, truncation))
        found = optimum_difference(curve(0.0, 0.0), ours, method="ours")
        assert found.grade == grade
        assert (found.sigmas > 3) == (grade != "agrees")
        assert (found.sigmas > 5) == (grade == "differs")


def test_what_one_of_the_two_does_not_define_is_no_agreement():
    exact, ours = curve(0.0, 0.1), curve(0.0, 0.1)
    ours["xi2"] = ours["xi2"].where(ours["time"] < 1.0)
    found = difference(exact, ours, variable="xi2", method="ours")
    assert found.agrees
    assert found.until == 1.0
    ours["xi2"] = ours["xi2"] * np.nan
    found = difference(exact, ours, variable="xi2", method="ours")
    assert found.grade == "no bound"
    assert str(found) == "ours: xi2: nothing to compare, undefined in one of the two"


def test_a_comparison_without_a_bound_neither_agrees_nor_differs():
    exact, ours = curve(0.0, 0.1), curve(0.0, 0.1)
    ours["xi2_truncation"] = ours["xi2"] * np.inf
    same = difference(exact, ours, variable="spin", method="ours")
    unknown = difference(exact, ours, variable="xi2", method="ours")
    found = Comparison("exact", {}, (same, unknown), (), {})
    assert not found.agree
    assert found.grade == "no bound"
    far = optimum_difference(exact, curve(0.8, 0.1), method="ours")
    assert Comparison("exact", {}, (same, unknown), (far,), {}).grade == "differs"
    assert Comparison("exact", {}, (same,), (), {}).grade == "agrees"


def test_an_optimum_without_a_bound_or_without_a_value():
    exact, ours = curve(0.0, 0.1), curve(1.0, 0.1)
    ours["xi2_truncation"] = ours["xi2"].copy(data=np.where(exact["time"] < 0.5, 0.0, np.inf))
    found = optimum_difference(exact, ours, method="ours")
    assert found.grade == "no bound"
    assert not found.agrees
    ours["xi2_truncation"] = ours["xi2"].copy(data=np.full(41, 0.2))
    assert optimum_difference(exact, ours, method="ours").agrees  # 2 * 0.2/0.63 = 2.7 dB
    ours["xi2"] = ours["xi2"] * np.nan
    assert optimum_difference(exact, ours, method="ours") is None


def test_the_worst_grade_is_that_of_the_comparison():
    methods = [sq.Exact(), sq.DTWA(4000, sampling="independent")]
    model = sq.SpinModel(sq.Lattice((3, 3)), hamiltonian=[XYZ])
    found = sq.compare(model, sq.CoherentState("+x"), np.linspace(0, 2, 21), methods=methods)
    assert found.grade == "differs"
    assert len(found.optima) == 1
    assert "dB at t = " in str(found)


def test_what_both_state_of_their_optima_adds_up():
    ours, theirs = (curve(0.0, 0.0).isel(time=slice(None, None, 4)) for _ in range(2))
    for run, truncation, numerical in ((ours, 0.02, 2e-4), (theirs, 0.01, 1e-4)):
        run["xi2_truncation"] = run["xi2"].copy(data=np.full(11, truncation))
        run["spin_numerical_error"] = run["xi2"].copy(data=np.full(11, numerical))
    found = optimum_difference(theirs, ours, method="ours")
    best = sq.optimum(ours)
    bounds = 2 * 0.03 + 2 * 3e-4  # xi2 < 1: numerical errors are of 1
    stated = 10 / np.log(10) * bounds / best.xi2 + 2 * best.decibels_interpolation
    assert found.stated == pytest.approx(stated, rel=1e-9)
    assert best.decibels_interpolation > 1e-6 * stated
