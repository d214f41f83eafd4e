"""Symmetries of a model and its pulses, as permutations of spins."""

import numpy as np

import spinsqueeze as sq
from spinsqueeze.methods.exact.symmetries import symmetries_of_model
from spinsqueeze.run.questions import evolve_question


def generators(model, pulses=()):
    question = evolve_question(model, sq.CoherentState("+x"), [0.0, 1.0], pulses=pulses)
    return [np.asarray(g) for g in symmetries_of_model(question.per_spin())]


def test_spins_of_unlike_weights_are_not_exchanged():
    classes = [sq.SpinClass(count=2), sq.SpinClass(count=3, weight=0.5)]
    found = generators(sq.SpinModel(classes, hamiltonian=[sq.OneAxisTwisting(1.0)]))
    weights = np.repeat([1.0, 0.5], [2, 3])
    assert len(found) > 0
    assert all(np.array_equal(weights[g], weights) for g in found)


def test_a_pulse_on_some_sites_keeps_them_together():
    ring = sq.SpinModel(
        sq.Lattice(6), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)]
    )
    pulse = sq.Pulse(0.5, axis="+z", angle=0.4, sites=[0, 1, 4])
    assert len(generators(ring)) > 0
    turned = np.isin(np.arange(6), [0, 1, 4])
    assert all(np.array_equal(turned[g], turned) for g in generators(ring, (pulse,)))
