"""Which method is taken when none is named."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.run.choice import approximation_note, default_method
from spinsqueeze.run.questions import evolve_question, steady_question

STATE = sq.CoherentState("+x")
OPEN = sq.SpinModel(12, hamiltonian=[sq.TwoAxisTwisting(0.1)], jumps=[sq.CollectiveDecay(0.1)])
SQUEEZED = sq.SpinModel(12, jumps=[sq.SqueezedCollectiveDecay(0.1, r=1.0)])


def lattice(*shape, j_z=-1.0):
    terms = [sq.PowerLawXXZ(j_perp=2.0, j_z=j_z, exponent=3)]
    return sq.SpinModel(sq.Lattice(shape), hamiltonian=terms)


def evolving(model, budget=4e9):
    return evolve_question(model, STATE, np.array([1.0]), memory_budget=budget)


def steady(model, budget=4e9):
    return steady_question(model, initial_state=STATE, memory_budget=budget)


def cost(question, name):
    return METHODS[name]().cost(question)


@pytest.mark.parametrize(
    ("question", "model", "first", "second"),
    [
        (evolving, OPEN, "symmetric", "permutation_invariant"),
        (steady, SQUEEZED, "closed_form", "permutation_invariant"),
    ],
)
def test_a_method_beyond_the_budget_is_not_taken(question, model, first, second):
    most, least = (cost(question(model), name).memory for name in (first, second))
    assert least < most
    assert default_method(question(model)).name() == first
    assert default_method(question(model, most)).name() == first
    assert default_method(question(model, 0.99 * most)).name() == second
    with pytest.raises(TooLarge, match=r"^\w+ needs .*; the budget is 10 B, and every other"):
        default_method(question(model, 10.0))


def test_the_quickest_of_equal_trust_is_taken():
    question = steady(OPEN)
    assert cost(question, "permutation_invariant").seconds < cost(question, "symmetric").seconds
    assert default_method(question).name() == "permutation_invariant"


def test_samples_only_where_exact_methods_take_more_than_a_minute():
    small, large = evolving(lattice(4, 5)), evolving(lattice(4, 7, j_z=1.0))
    assert 0.1 < cost(small, "exact").seconds < 60 < cost(large, "exact").seconds
    assert default_method(small).name() == "exact"
    assert default_method(large).name() == "truncated_shells"
    # Far from the isotropic point the state leaves the shells, which are then trusted least.
    assert default_method(evolving(lattice(4, 7, j_z=-4.0))).name() == "dtwa"


def test_advice_on_a_model_is_that_on_its_study_and_marks_the_default():
    model = sq.SpinModel(10_000, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.1)])
    advice = sq.advise(model)
    assert str(advice) == str(sq.advise(sq.Study(model, initial_state=STATE)))
    assert [row.name for row in advice if row.default] == ["closed_form"]
    assert "closed_form (the default): fits" in str(advice)
    pulsed = sq.advise(model, pulses=[sq.Pulse(0.9, axis="+x", angle=1.0)])
    assert any(row.fits for row in pulsed)


def test_a_run_by_the_default_method_keeps_to_its_budget():
    most = cost(evolving(OPEN), "symmetric").memory
    data = sq.simulate(OPEN, STATE, [1.0], memory_budget=0.99 * most)
    assert data.attrs["method"] == "permutation_invariant"
    most = cost(steady(SQUEEZED), "closed_form").memory
    data = sq.steady_state(SQUEEZED, initial_state=STATE, memory_budget=0.99 * most)
    assert data.attrs["method"] == "permutation_invariant"


def test_advice_counts_the_budget():
    most = cost(evolving(OPEN), "symmetric").memory
    roomy, tight = (
        {
            row.name: row
            for row in sq.advise(OPEN, times=(1.0,), initial_state=STATE, memory_budget=budget)
        }
        for budget in (most, 0.99 * most)
    )
    assert roomy["symmetric"].fits
    assert not tight["symmetric"].fits
    assert "the budget is" in tight["symmetric"].reasons[0]
    assert tight["permutation_invariant"].fits


def test_a_pulse_may_come_at_the_last_time_and_not_after():
    sq.simulate(OPEN, STATE, [0.5], pulses=[sq.Pulse(0.5, axis="+x", angle=1.0)])
    with pytest.raises(InvalidInput, match=r"pulses\[0\] comes at time 0.6, after the last output"):
        sq.simulate(OPEN, STATE, [0.5], pulses=[sq.Pulse(0.6, axis="+x", angle=1.0)])


def test_kept_states_choose_among_methods_that_keep_one():
    twisting = sq.SpinModel(12, hamiltonian=[sq.OneAxisTwisting(1.0)])
    assert default_method(evolving(twisting)).name() == "closed_form"
    data = sq.simulate(twisting, STATE, [0.0, 0.2], keep_state=True)
    assert data.attrs["method"] == "symmetric"
    assert isinstance(sq.final_state(data), sq.SymmetricState)
    data = sq.simulate(OPEN, STATE, keep_state=True)
    assert data.attrs["method"] == "permutation_invariant"
    assert sq.rerun(data).equals(data)
    lossy = sq.SpinModel(sq.Lattice((2, 2)), jumps=[sq.LocalDecay([1.0, 2.0, 3.0, 4.0])])
    with pytest.raises(InvalidInput, match=r"no method fits this model and keeps its state\. "):
        sq.simulate(lossy, STATE, [0.0, 0.2], keep_state=True)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_keeps_the_state_that_it_says(name):
    method = METHODS[name]()
    kept = 0
    for question in (
        evolving(sq.SpinModel(3, hamiltonian=[sq.OneAxisTwisting(1.0)])),
        evolving(
            sq.SpinModel(3, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(1.0)])
        ),
        evolving(sq.SpinModel(3, hamiltonian=[sq.Drive(1.0)], jumps=[sq.CollectiveDecay(1.0)])),
        evolving(lattice(3)),
        steady(SQUEEZED),
        steady(sq.SpinModel(3, jumps=[sq.LocalDecay(1.0)])),
    ):
        if not method.judge(question) or name == "dtwa":
            continue
        there = method.answer(question).state_at(len(getattr(question, "times", [0])) - 1)
        assert (there is not None) == method.keeps_state(question)
        kept += there is not None
    assert kept > 0 or name not in ("closed_form", "symmetric", "exact", "permutation_invariant")


def test_an_approximation_says_which_exact_method_it_stands_for():
    large = lattice(4, 5, j_z=-0.5)
    question = evolve_question(large, STATE, np.linspace(0, 50, 5), memory_budget=1e7)
    note = approximation_note(question, METHODS["dtwa"]())
    assert note.startswith("choice: dtwa (uncontrolled and sampling error) was taken instead of")
    assert "exact needs " in note
    assert "the budget is 10 MB" in note
    slow = evolve_question(large, STATE, np.linspace(0, 5000, 5))
    assert "exact would take about " in approximation_note(slow, METHODS["dtwa"]())
    beyond = evolving(lattice(8, 8))
    assert approximation_note(beyond, METHODS["dtwa"]()) == ""
    assert approximation_note(evolving(lattice(3)), METHODS["exact"]()) == ""
