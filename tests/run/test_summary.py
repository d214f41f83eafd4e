"""summary, and the short representations of what comes back."""

import html

import numpy as np
import pytest

import spinsqueeze as sq

MODEL = sq.SpinModel(
    6, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)], unit="2 pi MHz"
)
START, TIMES = sq.CoherentState("+x"), np.linspace(0.0, 0.6, 13)


@pytest.fixture(scope="module")
def data():
    return sq.simulate(MODEL, START, TIMES, method="permutation_invariant", title="An <echo>")


def test_a_run_in_a_few_lines(data):
    text = str(sq.summary(data)).splitlines()
    assert text[0].split(maxsplit=1) == ["title", "An <echo>"]
    assert text[3].split(maxsplit=1) == ["times", "13 from 0 to 0.6 µs/2π"]
    assert text[4].split(maxsplit=1) == ["best", str(sq.optimum(data))]
    assert "µs/2π, angle" in text[4]
    assert dir(sq.plot) == sorted(sq.plot.__all__)
    assert "An &lt;echo&gt;" in sq.summary(data)._repr_html_()
    with pytest.raises(sq.InvalidInput, match="data must be a Dataset"):
        sq.summary("x.nc")


def test_a_steady_state_and_a_run_without_a_direction(data):
    model = sq.SpinModel(8, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.5)])
    steady = sq.steady_state(model, initial_state=START)
    assert "dB) in the steady state" in str(sq.summary(steady))
    lost = data.copy(deep=True)
    lost["spin"][:] = 0.0
    assert "no optimum: xi2 is undefined" in str(sq.summary(lost))


def test_a_sweep_counts_its_optima():
    data = sq.sweep(
        sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)]), START, TIMES,
        over={"hamiltonian.0.chi": [0.0, 0.1, 1.0]}, workers=0,
    )  # fmt: skip
    assert np.isnan(data["optimal_angle"].values[0])
    text = str(sq.summary(data))
    assert "chi: 3 values from 0 to 1" in text
    assert "3 of 3 points done" in text
    assert "at the last time: 1 of 3 optima" in text
    assert "least in the initial state: 1 of 3 optima" in text


def test_representations_are_short(data):
    best = sq.optimum(data)
    assert repr(best) == f"<Optimum {best}>"
    assert best._repr_html_().startswith("<pre>xi2 = ")
    compared = sq.compare(MODEL, START, TIMES, methods=["exact", "permutation_invariant"])
    assert repr(compared) == "<Comparison of exact, permutation_invariant: agrees>"
    assert "reference: " in compared._repr_html_()
    advice = sq.advise(MODEL)
    assert repr(advice) == str(advice)
    assert advice._repr_html_().count("<tr>") == len(advice.rows) + 1


def test_a_model_in_one_line():
    assert repr(MODEL) == (
        "SpinModel(6 spins, hamiltonian=[OneAxisTwisting(chi=1.0, axis='z')], "
        "jumps=[LocalDephasing(rate=0.1, envelope=None)], unit='2 pi MHz')"
    )
    lattice = sq.SpinModel(sq.Lattice((4, 4)), hamiltonian=[sq.SiteField(np.ones((16, 3)))])
    assert len(repr(lattice)) < 300


def test_no_squeezing_gives_no_angle():
    model = sq.SpinModel(6, jumps=[sq.LocalDephasing(1.0)])
    best = sq.optimum(sq.simulate(model, START, TIMES))
    assert best.status is sq.OptimumStatus.INITIAL_STATE
    assert best.angle is None
    assert "no squeezing at these times" in str(best)
    assert "angle" not in str(best)


def test_a_negative_variance_has_no_decibels():
    jumps = [sq.CollectiveDecay(1.0), sq.LocalDecay(0.1)]
    model = sq.SpinModel(20, hamiltonian=[sq.Drive(8.0)], jumps=jumps)
    text = str(sq.summary(sq.steady_state(model, method="perturbation")))
    assert "xi2 = -4.27205 (no decibels: a negative variance" in text
    assert "domain: order 2 has a negative variance" in text


@pytest.mark.filterwarnings("ignore:the spins are too fast")
def test_notebooks_show_what_is_printed():
    emitters = sq.SpinModel(4, hamiltonian=[sq.Drive(0.2)], jumps=[sq.LocalDecay(1.0)])
    cavity = sq.Cavity(0.3, decay_rate=16.0, detuning=8.0)
    lab = {"g_hz": 4.0, "kappa_hz": 1e5, "gamma_hz": 1e-3, "detuning_hz": 5e5}
    things = [
        sq.liouvillian_gap(emitters),
        sq.squeezing_theorem(emitters),
        sq.equations(emitters),
        sq.eliminate_cavity(sq.SpinModel(2, cavity=cavity)),
        sq.spins_from_lab(4, chi="1 Hz"),
        sq.cavity_from_lab(100, **lab),
    ]
    for thing in things:
        lines = str(thing).splitlines()
        assert 1 < len(lines) < 60
        assert thing._repr_html_() == f"<pre>{html.escape(str(thing))}</pre>"
    assert str(things[0]).startswith("gap = 0.5")
    assert "coupling ratio 0.0" in str(things[3])
