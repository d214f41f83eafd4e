import json
import re

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.core.registry import REGISTRY
from spinsqueeze.run.study_file import study_from_tables

MODEL = sq.SpinModel(
    sq.Lattice((3, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-1.0, exponent=3)]
)
STATE = sq.CoherentState("+x")
TIMES = np.linspace(0.0, 0.5, 6)
VARIABLES = (
    "spin",
    "covariance",
    "xi2",
    "xi2_kitagawa_ueda",
    "uncertainty_product",
    "antisqueezing",
    "ellipse_area",
    "squeezing_angle",
    "contrast",
    "total_spin_squared",
    "effective_spins",
)
ATTRIBUTES = (
    "title",
    "method",
    "error_kind",
    "references",
    "seed",
    "study",
    "diagnostics",
    "warnings",
    "dtype",
    "device",
    "wall_time",
    "spinsqueeze_version",
    "commit",
    "machine",
    "unit",
    "n_spins",
    "numerical_error",
)


@pytest.fixture(scope="module")
def sampled():
    return sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(100), seed=7, title="a run")


def test_variables_have_units_names_and_errors(sampled):
    for name in VARIABLES:
        assert sampled[name].dims == REGISTRY[name].dims
        assert sampled[name].attrs["long_name"] == REGISTRY[name].long_name
        assert sampled[name].attrs["units"] == REGISTRY[name].units
        assert sampled[f"{name}_stderr"].dims == sampled[name].dims
    assert sampled["time"].attrs["units"] == "1/J"
    assert list(sampled["axis"].values) == ["x", "y", "z"]


def test_an_exact_method_has_no_error_bars():
    data = sq.simulate(MODEL, STATE, TIMES, method=sq.Exact())
    assert not [name for name in data if str(name).endswith("_stderr")]


def test_initial_moments_of_a_coherent_state():
    data = sq.simulate(MODEL, STATE, TIMES, method="exact").isel(time=0)
    assert data["spin"].values == pytest.approx([4.5, 0, 0])
    assert data["covariance"].values == pytest.approx(np.diag([0, 2.25, 2.25]), abs=1e-12)
    assert float(data["xi2"]) == pytest.approx(1.0)
    assert float(data["effective_spins"]) == pytest.approx(9.0)


def test_a_result_can_be_run_again_from_itself(sampled):
    study = study_from_tables(json.loads(sampled.attrs["study"]))
    again = sq.run_study(study)
    assert study.seed == 7
    for name in sampled:
        assert np.array_equal(again[name].values, sampled[name].values, equal_nan=True)
    assert again.attrs["study"] == sampled.attrs["study"]


def test_attributes_say_where_the_numbers_come_from(sampled):
    for key in ATTRIBUTES:
        assert key in sampled.attrs
    assert sampled.attrs["title"] == "a run"
    assert sampled.attrs["dtype"] == "float32"


def test_seed_changes_samples_and_repeats_them(sampled):
    other = sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(100), seed=8)
    assert not np.array_equal(other["spin"].values, sampled["spin"].values)


def test_no_method_named_takes_the_most_trusted():
    assert sq.simulate(MODEL, STATE, TIMES).attrs["method"] == "exact"
    twisting = sq.SpinModel(10**6, hamiltonian=[sq.OneAxisTwisting(1e-4)])
    assert sq.simulate(twisting, STATE, TIMES).attrs["method"] == "closed_form"


def test_no_method_fits():
    couplings = [sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)]
    cavity = sq.Cavity(1.0, decay_rate=1.0)
    model = sq.SpinModel(sq.Lattice((4, 4)), hamiltonian=couplings, cavity=cavity)
    with pytest.raises(
        InvalidInput, match=r"no method fits this model\. ClosedForm: .*Exact: needs"
    ):
        sq.simulate(model, STATE, TIMES)


def test_unsupported_lists_every_reason():
    model = sq.SpinModel(5, jumps=[sq.LocalDecay(0.1)], cavity=sq.Cavity(1.0, decay_rate=1.0))
    with pytest.raises(Unsupported, match=r"\(1\) .*cavity.*\(2\) DickeState"):
        sq.simulate(model, sq.DickeState(0.5), TIMES, method=sq.DTWA())


def test_too_large_is_refused_before_work():
    model = sq.SpinModel(24, hamiltonian=[sq.TwoAxisTwisting(1.0)])
    with pytest.raises(TooLarge, match=r"Exact needs .* GB .*budget is 1 GB.*memory_budget"):
        sq.simulate(model, STATE, TIMES, method=sq.Exact(), memory_budget=1e9)


def test_unknown_method_is_corrected():
    with pytest.raises(InvalidInput, match=r"method 'dtva' does not exist; did you mean 'dtwa'"):
        sq.simulate(MODEL, STATE, TIMES, method="dtva")


def test_progress_reaches_one():
    for method in (sq.Exact(), sq.DTWA(10), sq.ClosedForm()):
        model = MODEL
        if isinstance(method, sq.ClosedForm):
            model = sq.SpinModel(
                sq.Lattice((3, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=0, j_z=1, exponent=3)]
            )
        seen = []
        sq.simulate(model, STATE, TIMES, method=method, progress=seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == 1.0


@pytest.mark.parametrize(
    ("method", "n_spins", "jumps", "envelope"),
    [
        ("symmetric", 80, (), False),
        ("symmetric", 6, (), True),
        ("symmetric", 20, (sq.CollectiveDecay(0.5),), False),
        (sq.PermutationInvariant(algorithm="polynomial"), 8, (sq.LocalDecay(5.0),), False),
        (sq.PermutationInvariant(algorithm="rational"), 8, (sq.LocalDecay(5.0),), False),
        ("permutation_invariant", 3, (sq.LocalDecay(1.0),), True),
    ],
)
def test_progress_tells_of_one_long_evolution(method, n_spins, jumps, envelope):
    """Where no pulse parts it, it does not wait for the end."""
    ramp = sq.Envelope([0.0, 2.0], values=[1.0, 0.5]) if envelope else None
    terms = [sq.OneAxisTwisting(2.0), sq.UniformField([4.0, 0.0, 0.0], envelope=ramp)]
    model = sq.SpinModel(n_spins, hamiltonian=terms, jumps=jumps)
    seen = []
    sq.simulate(model, STATE, np.linspace(0, 2, 5), method=method, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert sum(0.01 < share < 0.98 for share in seen) >= 2
    assert max(np.diff([0.0, *seen])) < 0.6


def test_run_continues_from_the_final_state():
    whole = sq.simulate(MODEL, STATE, TIMES, method=sq.Exact())
    first = sq.simulate(MODEL, STATE, TIMES[:3], method=sq.Exact(), keep_state=True)
    rest = sq.simulate(MODEL, sq.final_state(first), TIMES[:4], method=sq.Exact())
    assert rest["xi2"].values == pytest.approx(whole["xi2"].values[2:], abs=1e-8)


def test_final_state_needs_keep_state(sampled, monkeypatch):
    with pytest.raises(InvalidInput, match="keep_state=True"):
        sq.final_state(sampled)
    monkeypatch.setattr(sq.DTWA, "answer", lambda *_: pytest.fail("refused before work"))
    with pytest.raises(InvalidInput, match=r"DTWA has no state to keep here.* take .*Exact"):
        sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(10), keep_state=True)
    lattice = sq.SpinModel(sq.Lattice((2, 2)), jumps=[sq.LocalDecay([0.1, 0.2, 0.3, 0.4])])
    with pytest.raises(InvalidInput, match=r"Exact has no .* no method that fits keeps one$"):
        sq.simulate(lattice, STATE, TIMES, method="exact", keep_state=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model", STATE, TIMES), "model must be a SpinModel"),
        ((MODEL, "+x", TIMES), "initial_state must be a state such as"),
        ((MODEL, STATE, []), "times must hold at least one"),
        ((MODEL, STATE, [0.0, 2.0, 1.0]), "times must increase strictly, got 2 then 1"),
        ((MODEL, STATE, [-1.0, 2.0]), "times must be at least 0, got -1"),
        ((MODEL, sq.DickeState(0), TIMES), "m must be one of"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        sq.simulate(*arguments)


def test_pulse_after_the_end_is_refused():
    with pytest.raises(InvalidInput, match=r"pulses\[0\] comes at time 3, after the last output"):
        sq.simulate(MODEL, STATE, TIMES, pulses=[sq.Pulse(3.0, axis="+x", angle=1.0)])


def test_large_claimed_errors_are_said():
    # A decay to the ground state, 1e17 lifetimes later: the trace has drifted, and the claim knows.
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.CollectiveDecay(1.0)])
    data = sq.simulate(model, STATE, [0.0, 1e17], method="symmetric")
    error = abs(float(data.spin[-1, 2]) + 2.0)
    assert error <= float(data.attrs["numerical_error"])  # sqrt(N)/2 = 1
    (warning,) = json.loads(data.attrs["warnings"])
    assert re.match(r"accuracy: the mean spin may err by .* projection noises", warning)
    fine = sq.simulate(model, STATE, [0.0, 10.0], method="symmetric")
    assert json.loads(fine.attrs["warnings"]) == []


def test_terms_that_cancel_leave_no_rounding():
    # 0.1 + 0.2 - 0.3 is 5.6e-17: such a field would break what the rest conserves.
    fields = [sq.UniformField([0, 0, b]) for b in (0.1, 0.2, -0.3)]
    assert sq.SpinModel(2, hamiltonian=fields).canonical.fields == ()
    twists = [sq.OneAxisTwisting(chi) for chi in (0.1, 0.2, -0.3)]
    assert sq.SpinModel(2, hamiltonian=twists).canonical.quadratics == ()
    pairs = [sq.PowerLawXXZ(j_perp=0.0, j_z=j, exponent=0) for j in (0.1, 0.2, -0.3)]
    assert sq.SpinModel(sq.Lattice((3,)), hamiltonian=pairs).canonical.pairs == ()
    dephasing = sq.LocalJump(1.0, vector=[1, 0, 0])
    steady = sq.steady_state(
        sq.SpinModel(2, hamiltonian=fields, jumps=[dephasing]), initial_state=sq.CoherentState("+x")
    )
    np.testing.assert_allclose(steady.spin, [1.0, 0.0, 0.0], atol=1e-12)


def test_where_open_spins_have_their_information():
    """As docs/conventions.md says: up to 4 spins; from 5 on there are Pauli strings, no matrix."""
    for n, known in ((4, True), (5, False)):
        model = sq.SpinModel(n, jumps=[sq.LocalDecay(0.1)])
        data = sq.simulate(model, sq.CoherentState("+x"), [0.1], method="exact")
        assert ("qfi" in data) == known
