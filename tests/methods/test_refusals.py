"""A method refuses what it has never heard of, whoever wrote the new piece."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.base.question import Evolve, Steady
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.kinds import one_each
from spinsqueeze.models.term import JumpTerm
from spinsqueeze.run.questions import evolve_question, steady_question

STATE = sq.CoherentState("-z")
LOWER = sq.CollectiveDecay(1.0)
EVOLVING = [kind for kind in METHODS.values() if Evolve in kind.answers]


@dataclass(frozen=True)
class CorrelatedPiece:
    """A piece of the canonical form that no method knows."""

    rates: np.ndarray


SPREAD = sq.CorrelatedJumps(
    0.1, vector=[1.0, -1.0j, 0.0], matrix=[[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
)


@dataclass(frozen=True, eq=False)
class CorrelatedJumps(JumpTerm):
    """sum_ij rates_ij (s_i rho s_j† - ...): a term that somebody writes next year."""

    def lower(self, ensemble):
        return [CorrelatedPiece(np.eye(ensemble.n_spins))]


@pytest.mark.parametrize("kind", METHODS.values(), ids=METHODS)
def test_an_invented_piece_is_refused_by_every_method(kind):
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[CorrelatedJumps(), LOWER])
    assert "CorrelatedPiece" in model.canonical.features
    questions = (evolve_question(model, STATE, [1.0]), steady_question(model, initial_state=STATE))
    for question in questions:
        reasons = kind().support(question)
        assert "the model has CorrelatedPiece, which it does not treat" in reasons
    with pytest.raises(sq.Unsupported, match="has CorrelatedPiece, which it does not treat"):
        sq.simulate(model, STATE, [1.0], method=kind())
    for run in (lambda: sq.simulate(model, STATE, [1.0]), lambda: sq.steady_state(model)):
        with pytest.raises(sq.InvalidInput, match=r"no method fits this model.* CorrelatedPiece"):
            run()


def test_every_part_of_the_canonical_form_is_a_feature():
    whole = sq.SpinModel(
        3, hamiltonian=[sq.UniformField([1, 0, 0]), sq.OneAxisTwisting(1.0),
                        sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=0)],
        jumps=[LOWER, sq.LocalDecay(1.0), CorrelatedJumps(), SPREAD],
        cavity=sq.Cavity(coupling=0.1, decay_rate=1.0),
    ).canonical  # fmt: skip
    optional = {f.name for f in dataclasses.fields(Canonical)} - {"counts", "lattice"}
    named = {"other_pieces": {"CorrelatedPiece"}}
    named["correlated_jumps"] = {"correlated_jumps", "unlike_spins"}
    assert whole.features == set().union(*(named.get(name, {name}) for name in optional))
    for name in optional:
        model = dataclasses.replace(Canonical(one_each(3)), **{name: getattr(whole, name)})
        assert model.features == named.get(name, {name})


UNLIKE = {
    "fields": sq.SpinModel([sq.SpinClass(2), sq.SpinClass(2, detuning=0.1)]),
    "couplings": sq.SpinModel(
        sq.Lattice(4), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)]
    ),
    "weights": sq.SpinModel(
        [sq.SpinClass(2), sq.SpinClass(2, weight=0.5)], hamiltonian=[sq.OneAxisTwisting(1.0)]
    ),
    "weights, in a jump": sq.SpinModel(
        [sq.SpinClass(2), sq.SpinClass(2, weight=0.5)], jumps=[LOWER]
    ),
    "local rates": sq.SpinModel(4, jumps=[sq.LocalDecay([1.0, 1.0, 1.0, 2.0])]),
    "couplings to the cavity": sq.SpinModel(
        [sq.SpinClass(2), sq.SpinClass(2, weight=0.5)], cavity=sq.Cavity(0.1, decay_rate=1.0)
    ),
}


@pytest.mark.parametrize("difference", UNLIKE)
@pytest.mark.parametrize("kind", METHODS.values(), ids=METHODS)
def test_spins_that_differ_are_a_feature_with_its_reason(kind, difference):
    model = UNLIKE[difference].canonical
    (word,) = model.differences
    assert word == difference.split(",")[0]
    assert "unlike_spins" in model.features
    reasons = kind().support(Evolve(model, STATE, np.ones(1)))
    said = f"the model has spins that differ in their {word}, which it does not treat"
    assert (said in reasons) == ("unlike_spins" not in kind.handles)


@pytest.mark.parametrize("pulse", [{"spin_class": 1}, {"sites": [0, 2]}])
def test_a_pulse_on_some_of_the_spins_makes_them_differ(pulse):
    spins = [sq.SpinClass(2), sq.SpinClass(2)]
    model = sq.SpinModel(spins, hamiltonian=[sq.OneAxisTwisting(1.0)])
    assert model.canonical.features == {"quadratics"}
    echo = sq.Pulse(0.5, axis="+x", angle=1.0, **pulse)
    question = evolve_question(model, STATE, [1.0], pulses=[echo])
    for kind in (sq.SymmetricSubspace, sq.PermutationInvariant):
        reasons = kind().support(question)
        assert reasons == [
            "the model has spins that differ in their pulses, which it does not treat"
        ]
    for kind in (sq.Exact, sq.DTWA):
        assert not kind().support(question)
    assert Canonical(one_each(3)).features == frozenset()


@pytest.mark.parametrize("kind", METHODS.values(), ids=METHODS)
def test_methods_handle_parts_that_there_are(kind):
    assert kind.handles <= {f.name for f in dataclasses.fields(Canonical)} | {
        "pulses",
        "losses",
        "unlike_spins",
    }


@pytest.mark.parametrize("kind", EVOLVING, ids=lambda kind: kind.name())
def test_losses_are_refused_by_all_but_one_method(kind):
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
    asked = evolve_question(model, STATE, [1.0], losses=sq.Losses(rate=0.1))
    refused = [] if kind is sq.PermutationInvariant else ["losses"]
    reasons = kind().support(asked)
    assert reasons == [f"the model has {what}, which it does not treat" for what in refused]


def test_a_kind_of_question_without_an_answer_is_refused():
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)]).canonical
    reasons = sq.DTWA().support(Steady(model, STATE))
    assert reasons == [
        "it evolves in time only and has no steady-state solver: evolve until nothing changes"
    ]


def test_a_refusal_names_the_methods_that_can():
    spread = sq.CorrelatedJumps(0.1, vector=[1.0, -1.5j, 0.0], range=1.0)
    model = sq.SpinModel(sq.Lattice(4), jumps=[spread])
    said = r"^Cumulants cannot .*: the model has correlated jumps, which it does not treat; "
    with pytest.raises(sq.Unsupported, match=said + "Exact and DTWA can$"):
        sq.simulate(model, STATE, [1.0], method="cumulants")
    with pytest.raises(sq.Unsupported, match=said + "DTWA can$"):
        sq.simulate(sq.SpinModel(sq.Lattice(40), jumps=[spread]), STATE, [1.0], method="cumulants")
    with pytest.raises(sq.Unsupported, match=r"^DTWA .*: evolve until nothing changes; Exact can$"):
        sq.steady_state(model, method="dtwa")


WITHOUT_CAVITY = {name: kind for name, kind in METHODS.items() if "modes" not in kind.handles}


@pytest.mark.parametrize("kind", WITHOUT_CAVITY.values(), ids=WITHOUT_CAVITY)
def test_a_cavity_is_refused(kind):
    cavity = sq.Cavity(coupling=0.1, decay_rate=1.0)
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)], cavity=cavity)
    with pytest.raises(sq.Unsupported, match="the model has a cavity, which it does not treat"):
        sq.simulate(model, STATE, [1.0], method=kind())
    assert model.canonical.features >= {"modes", "mode_couplings"}
    reasons = kind().support(evolve_question(model, STATE, [1.0]))
    assert sum("cavity" in reason for reason in reasons) == 1


@pytest.mark.parametrize("part", ["modes", "mode_couplings"])
@pytest.mark.parametrize("kind", WITHOUT_CAVITY.values(), ids=WITHOUT_CAVITY)
def test_either_part_of_a_cavity_is_refused(kind, part):
    whole = sq.SpinModel(3, cavity=sq.Cavity(coupling=0.1, decay_rate=1.0)).canonical
    model = dataclasses.replace(Canonical(one_each(3)), **{part: getattr(whole, part)})
    reasons = kind().support(Evolve(model, STATE, np.ones(1)))
    assert reasons[0] == "the model has a cavity, which it does not treat"
