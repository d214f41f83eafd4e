"""A product state with one direction a spin class is that with one direction a spin."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, Unsupported

COUNTS = (2, 3)
ROWS = np.array([[0.6, 0.0, 0.8], [0.0, -0.8, 0.6]])
BY_CLASS = sq.ProductState(ROWS)
BY_SPIN = sq.ProductState(np.repeat(ROWS, COUNTS, axis=0))
TIMES = np.linspace(0.0, 0.8, 5)
NOISE = [sq.LocalDephasing(0.3), sq.LocalDecay(0.2)]


def classes(counts=COUNTS, **of_the_second):
    first, second = counts
    return [sq.SpinClass(first), sq.SpinClass(second, **of_the_second)]


def differences(spins, method, *, jumps=(), by_spin=None, **options):
    """Of spin and covariance, by class and by spin (by another method that takes that)."""
    model = sq.SpinModel(spins, hamiltonian=[sq.OneAxisTwisting(0.7)], jumps=jumps)
    first = sq.simulate(model, BY_CLASS, TIMES, method=method, **options)
    second = sq.simulate(model, BY_SPIN, TIMES, method=by_spin or method, **options)
    assert abs(first["spin"].values[0] - np.array(COUNTS) @ ROWS / 2).max() < 1.0
    return max(float(abs(first[name] - second[name]).max()) for name in ("spin", "covariance"))


@pytest.mark.parametrize("spins", [classes(), classes(weight=0.4, detuning=1.1)])
@pytest.mark.parametrize(
    ("method", "jumps", "by_spin", "error"),
    [
        (sq.Exact(), [], None, 1e-9),
        (sq.DTWA(20, tolerance=1e-8, dtype="float64"), [], None, 1e-6),
        (sq.ClosedForm(), [], None, 1e-12),
        (sq.ClosedForm(), NOISE, None, 1e-12),
        (sq.Cumulants(5), NOISE, sq.ClosedForm(), 1e-8),
    ],
)
def test_directions_by_class_and_by_spin_are_the_same(spins, method, jumps, by_spin, error):
    assert differences(spins, method, jumps=jumps, by_spin=by_spin) < error


@pytest.mark.parametrize("of_pulse", [{"spin_class": 1}, {}, {"sites": [3]}])
def test_pulses_act_on_classes_that_nothing_else_tells_apart(of_pulse):
    pulse = sq.Pulse(0.3, axis="x", angle=1.0, **of_pulse)
    assert differences(classes(), sq.Exact(), pulses=[pulse]) < 1e-9
    if "sites" not in of_pulse:
        both = {"by_spin": sq.Exact(), "pulses": [pulse]}
        assert differences(classes(), sq.Cumulants(5), **both) < 1e-8


def test_a_million_spins_need_no_million_rows():
    million = classes((10**6, 3 * 10**6))
    model = sq.SpinModel(million, hamiltonian=[sq.OneAxisTwisting(1e-7)], jumps=[*NOISE[:1]])
    exact = sq.simulate(model, BY_CLASS, TIMES, method=sq.ClosedForm())
    near = sq.simulate(model, BY_CLASS, TIMES, method=sq.Cumulants(3))
    np.testing.assert_allclose(near["xi2"], exact["xi2"], rtol=1e-6)
    assert abs(exact["xi2"].values[-1] / exact["xi2"].values[0] - 1) > 0.01


def test_studies_and_steady_states(tmp_path):
    model = sq.SpinModel(classes(detuning=0.5), jumps=[sq.LocalDecay(1.0), sq.CollectiveDecay(0.1)])
    data = sq.steady_state(model, initial_state=BY_CLASS, method=sq.Cumulants(2))
    assert abs(float(data["spin"].sel(axis="z")) + 2.5) < 1e-8
    evolved = sq.simulate(model, BY_CLASS, TIMES, method=sq.Cumulants(2))
    sq.save(evolved, tmp_path / "a.nc")
    again = sq.run_study(sq.study_of(sq.load(tmp_path / "a.nc")))
    assert again["spin"].values.tobytes() == evolved["spin"].values.tobytes()
    swept = sq.sweep(
        model, BY_CLASS, TIMES, over={"jumps.1.rate": [0.1]}, method="cumulants", workers=0
    )
    assert (swept["status"] == "done").all()


def test_refusals():
    model = sq.SpinModel(classes(), jumps=[sq.CollectiveDecay(1.0)])
    rule = r"needs one direction a spin or class: got 3 for 5 spins in 2 classes"
    with pytest.raises(InvalidInput, match=rule):
        sq.simulate(model, sq.ProductState([[0, 0, 1]] * 3), TIMES)
    with pytest.raises(InvalidInput, match="got 2 for 5 spins"):
        sq.simulate(sq.SpinModel(5), BY_CLASS, TIMES)
    by_spin = "differ within a class of alike spins; give one direction a class"
    with pytest.raises(Unsupported, match=by_spin):
        sq.simulate(model, BY_SPIN, TIMES, method=sq.Cumulants(2))
    with pytest.raises(Unsupported, match="ProductStateOfClasses is not permutation invariant"):
        sq.simulate(model, BY_CLASS, TIMES, method=sq.PermutationInvariant())
    with pytest.raises(Unsupported, match="ProductStateOfClasses is not in the symmetric"):
        sq.simulate(model, BY_CLASS, TIMES, method=sq.SymmetricSubspace())
