"""Lattices and collective models from laboratory numbers: rates, forms, files, refusals."""

import json

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.tables import model_as_tables, model_from_tables
from spinsqueeze.results.dataset import warnings_of

TWO_PI = 2 * np.pi
CHAIN = sq.Lattice(4, boundary="open")


def strengths(spins, **numbers):
    """What the canonical form holds: tensors times the first couplings, fields, rates."""
    form = sq.spins_from_lab(spins, **numbers).model.canonical
    pairs = [(p.strength * p.tensor * p.kernel.matrix()[0, 1]).diagonal() for p in form.pairs]
    return form, np.sum(pairs, axis=0)


def test_c6_at_five_micrometres_is_55_megahertz_times_two_pi():
    form, pair = strengths(CHAIN, spacing="5 um", c6="863 GHz um^6")
    near = TWO_PI * 863e3 / 5**6  # rad/us
    np.testing.assert_allclose(pair, [0, 0, near], rtol=1e-13)
    (field,) = form.fields
    edge = near / 2 * (1 + 2.0**-6 + 3.0**-6)
    np.testing.assert_allclose(field.vectors[0], [0, 0, edge], rtol=1e-13)
    bare, again = strengths(CHAIN, spacing="5 um", c6="2 pi x 863 GHz um^6", c6_form="ising")
    assert not bare.fields
    np.testing.assert_array_equal(again, pair)
    _, slow = strengths(CHAIN, spacing="5 um", c6="863 GHz um^6", time_unit="ms")
    np.testing.assert_allclose(slow, 1000 * pair, rtol=1e-13)


def test_a_soft_core_is_told_by_its_plateau_or_by_c6():
    by_plateau = strengths(CHAIN, spacing="0.532 um", plateau="-2 kHz", core_radius="1.2 um")[1]
    c6 = f"{-2 * 1.2**6} kHz um^6"
    by_c6 = strengths(CHAIN, spacing="532 nm", c6=c6, core_radius="1200 nm")[1]
    expected = -TWO_PI * 2e-3 / (1 + (0.532 / 1.2) ** 6)
    np.testing.assert_allclose(by_plateau[2], expected, rtol=1e-13)
    np.testing.assert_allclose(by_c6, by_plateau, rtol=1e-12)


@pytest.mark.parametrize(
    ("form", "pair"), [("exchange", [2, 2, 0]), ("ising", [0, 0, 1]), ("secular", [-0.5, -0.5, 1])]
)
def test_c3_in_its_three_forms(form, pair):
    rate = TWO_PI * 2400 / 8**3
    for axis, factor in (("+z", 1.0), ([1, 0, 0], -2.0), ([1, 1, 1], 0.0)):
        found = strengths(
            CHAIN, spacing="8 um", c3="2.4 GHz um^3", c3_form=form, quantisation_axis=axis
        )[1]
        np.testing.assert_allclose(found, factor * rate * np.array(pair), atol=1e-12)


def test_collective_numbers_fields_and_coherence():
    lab = sq.spins_from_lab(
        100, chi="1 Hz", rabi="2 pi x 3 kHz", drive_detuning="-40 kHz", t1="100 us", t2="50 us"
    )
    form = lab.model.canonical
    (twist,), (field,) = form.quadratics, form.fields
    np.testing.assert_allclose(twist.matrix, np.diag([0, 0, TWO_PI * 1e-6]), rtol=1e-14)
    np.testing.assert_allclose(field.vectors, [TWO_PI * 3e-3, 0, TWO_PI * 40e-3], rtol=1e-13)
    decay, dephasing = lab.model.jumps
    assert decay.rate == pytest.approx(0.01, rel=1e-14)
    assert dephasing.rate == pytest.approx(1 / 50 - 0.01 / 2, rel=1e-14)
    alone = sq.spins_from_lab(100, chi="1 Hz", t1="0.1 ms", t2="200 us").model
    assert [type(jump) for jump in alone.jumps] == [sq.LocalDecay]
    assert "twisting     2 pi x 1 Hz = 6.28319e-06 1/us" in str(lab)


def test_twisting_a_hundred_thousand_atoms_is_best_after_88_microseconds():
    model = sq.spins_from_lab(100_000, chi="1 Hz").model
    data = sq.simulate(model, sq.CoherentState("+x"), method="closed_form")
    best = sq.optimum(data)
    assert best.time == pytest.approx(88.007, abs=2e-3)
    assert best.decibels == pytest.approx(-33.03, abs=0.005)
    assert data["time"].attrs["units"] == "us"
    np.testing.assert_allclose(data["time_times_chi"], data["time"] * 1e-6 * TWO_PI, rtol=1e-13)
    assert data.attrs["lab_chi_hz"] == pytest.approx(1.0)


def test_a_term_of_the_laboratory_that_is_given_again_is_warned_of():
    twice = sq.spins_from_lab(100, chi="1 Hz", hamiltonian=[sq.OneAxisTwisting(1.0)]).model
    data = sq.simulate(twice, sq.CoherentState("+x"), [0.1], method="closed_form")
    assert "time_times_chi" not in data.coords
    assert "lab_chi_hz" not in data.attrs
    (warning,) = warnings_of(data)
    assert warning.startswith("lab: one_axis_twisting comes from [lab] and once more from hamilton")
    decays = sq.spins_from_lab(9, chi="1 Hz", t1="1 ms", jumps=[sq.LocalDecay(0.1)])
    assert [text.split(":")[1] for text in decays.concerns] == [
        " local_decay comes from [lab] and once more from jumps"
    ]
    along_x = sq.OneAxisTwisting(1.0, axis="x")
    other = sq.spins_from_lab(
        9, chi="1 Hz", drive_detuning="1 Hz", hamiltonian=[along_x, sq.UniformField([1, 0, 0])]
    )
    assert other.concerns == ()
    assert other.figures() == {"lab_chi_hz": pytest.approx(1.0)}
    across = sq.spins_from_lab(9, chi="1 Hz", rabi="1 Hz", hamiltonian=[sq.Drive(1.0, phase=1.5)])
    assert across.concerns == ()


def test_a_decaying_spin_has_its_coherence_time():
    model = sq.spins_from_lab(1, t1="4 us", t2="5 us").model
    data = sq.simulate(model, sq.CoherentState("+x"), [5.0], method="exact")
    assert data["spin"].values[0, 0] == pytest.approx(0.5 * np.exp(-1), rel=1e-8)


def test_results_have_the_coupling_beside_the_microseconds():
    model = sq.spins_from_lab(CHAIN, spacing="5 um", c6="863 GHz um^6").model
    data = sq.simulate(model, sq.CoherentState("+x"), [0.001, 0.002], method="closed_form")
    hertz = 863e9 / 5**6
    assert data.attrs["lab_coupling_hz"] == pytest.approx(hertz, rel=1e-13)
    np.testing.assert_allclose(
        data["time_times_coupling"], TWO_PI * hertz * 1e-6 * data["time"], rtol=1e-13
    )
    again = sq.study_of(data).model
    assert again.lab.numbers == model.lab.numbers
    assert again.canonical.pairs[0].strength == model.canonical.pairs[0].strength


FILE = {
    "ensemble": {"shape": [4, 3], "boundary": "open", "filling": 0.75, "seed": 3},
    "lab": {
        "spacing": "5 um",
        "c3": "2.4 GHz um^3",
        "quantisation_axis": [1.0, 2.0, 0.5],
        "t2": "5 us",
        "time_unit": "ns",
    },
    "hamiltonian": [{"term": "uniform_field", "vector": [0.0, 0.0, 0.1]}],
    "jumps": [{"term": "local_pumping", "rate": 0.2}],
}


def test_a_study_file_says_the_same():
    model = model_from_tables(FILE)
    lattice = sq.Lattice((4, 3), boundary="open", filling=0.75, seed=3)
    ours = sq.spins_from_lab(
        lattice, **FILE["lab"], hamiltonian=[sq.UniformField([0, 0, 0.1])],
        jumps=[sq.LocalPumping(0.2)],
    ).model  # fmt: skip
    assert model.hamiltonian == ours.hamiltonian
    assert model.jumps == ours.jumps
    assert (model.unit, len(model.hamiltonian), len(model.jumps)) == ("1/ns", 2, 2)
    tables = json.loads(json.dumps(model_as_tables(model)))
    assert set(tables) == {"unit", *FILE}
    again = model_from_tables(tables)
    assert again.hamiltonian == model.hamiltonian
    assert model_as_tables(again) == model_as_tables(model)


def refused(changes, **lab):
    return model_from_tables({"ensemble": {"shape": [3]}, "lab": lab, **changes})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: refused({}, c6="1 GHz um^6"), r"^lab\.spacing: must be given with c6: the length"),
        (
            lambda: refused({}, spacing="0 um", c6="1 GHz um^6"),
            r"^lab\.spacing: must be above 0, got '0 um'$",
        ),
        (
            lambda: refused({}, spacing=5, c6="1 GHz um^6"),
            r"^lab\.spacing: must be a text with its unit such as '5 um', got 5$",
        ),
        (
            lambda: refused({}, spacing="5 parsec", c6="1 GHz um^6"),
            r"^lab\.spacing: must have a unit made of m, s, Hz, rad with a prefix .* got 'parsec'$",
        ),
        (
            lambda: refused({}, spacing="5 um", c6="1 GHz um^6", core_radius="0 um"),
            r"^lab\.core_radius: must be above 0, got '0 um'$",
        ),
        (
            lambda: refused({}, spacing="5 um", plateau="1 kHz"),
            r"^lab\.core_radius: must be given with plateau, e\.g\. '3 um'$",
        ),
        (
            lambda: refused({}, spacing="5 um", plateau="1 kHz", c6="1 GHz um^6"),
            r"^lab\.plateau: must not stand next to c6: C6 = plateau core_radius\^6$",
        ),
        (
            lambda: refused({}, spacing="5 um", c3="1 MHz um^3", quantisation_axis=[0, 0, 0]),
            r"^lab\.quantisation_axis: must have a length above 0, got 0; give",
        ),
        (
            lambda: refused({}, chi="1 Hz", quantisation_axis="+x"),
            r"^lab\.quantisation_axis: needs c3; leave it out$",
        ),
        (
            lambda: refused({}, chi="1 Hz", spacing="5 um"),
            r"^lab\.spacing: needs c6, c3 or plateau, which say ",
        ),
        (lambda: refused({}, chi="1+2j Hz"), r"^lab\.chi: must end in a unit such as that of"),
        (lambda: refused({}, chi="1 Hz", t1="-1 us"), r"^lab\.t1: must be above 0, got '-1 us'$"),
        (
            lambda: refused({}, chi="1 Hz", t1="2 us", t2="5 us"),
            r"^lab\.t2: must be at most 2 T1 = 4 .s, since decay alone ends coherence, got '5 us'",
        ),
        (
            lambda: refused({}, chi="1 Hz", time_unit="min"),
            r"^lab\.time_unit: must be one of ns, us, ms, s, got 'min'",
        ),
        (
            lambda: refused({}, chi="1 Hz", c33="1 Hz"),
            r"^lab\.c33: unknown key of the table \[lab\] beside \[ensemble\]; did you mean 'c3'\?",
        ),
        (
            lambda: refused({"unit": "J"}, chi="1 Hz"),
            r"^unit: must be '1/us' next to \[lab\] with time_unit = 'us', got 'J'; leave it out",
        ),
        (
            lambda: refused({"cavity": {}}, chi="1 Hz"),
            r"^cavity: must not stand next to \[ensemble\] and \[lab\]; a cavity has numbers of",
        ),
        (lambda: model_from_tables({"lab": {"chi": "1 Hz"}}), r"^ensemble: is missing; give \[ens"),
        (
            lambda: refused({"ensemble": {"spins": 3}}, spacing="5 um", c6="1 GHz um^6"),
            r"^lab\.spacing: needs a lattice: give \[ensemble\] a shape or positions, or chi alone",
        ),
        (
            lambda: sq.spins_from_lab(3, chi="1 Hz", jumps=[sq.LocalDecay([1.0, 2.0])]),
            r"^jumps\.0: LocalDecay needs one rate, or one a spin: got 2 for 3 spins$",
        ),
    ],
)
def test_contradictions_are_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_a_lattice_with_a_spacing_of_its_own_is_refused_or_warned_of():
    both = (
        r"^spacing must not stand next to spacing = 5 of the lattice: neighbours would be 5 times "
        r"5 um, 25 µm, apart; leave that of the lattice out$"
    )
    numbers = {"spacing": "5 um", "c6": "863 GHz um^6"}
    with pytest.raises(InvalidInput, match=both):
        sq.spins_from_lab(sq.Lattice(4, spacing=5), **numbers)
    with pytest.raises(
        InvalidInput, match=both.replace("^", "^lab.", 1).replace(" must", ": must")
    ):
        model_from_tables({"ensemble": {"shape": [4], "spacing": 5}, "lab": numbers})
    assert not sq.spins_from_lab(sq.Lattice((4, 2), spacing=(1.0, 3.0)), **numbers).concerns
    apart = sq.spins_from_lab(sq.Lattice((4, 2), spacing=(2.0, 3.0)), **numbers)
    data = sq.simulate(apart.model, sq.CoherentState("+x"), [0.0, 1.0], method="closed_form")
    assert json.loads(data.attrs["warnings"]) == list(apart.concerns)
    assert apart.concerns[0].startswith("spacing: neighbours are 10 µm and 15 µm apart, 5 um times")


@pytest.mark.parametrize(
    ("numbers", "hertz"),
    [
        ({"c6": "-4 MHz um^6"}, -4e6 / 2**6),
        ({"c3": "-4 MHz um^3"}, -4e6 / 2**3),
        ({"plateau": "-3 MHz", "core_radius": "4 um"}, -3e6 / (1 + 0.5**6)),
        ({"c6": "1 MHz um^6", "c3": "-1 MHz um^3"}, -1e6 / 2**3),
    ],
)
def test_the_coupling_at_the_spacing_is_the_largest_with_its_sign(numbers, hertz):
    lab = sq.spins_from_lab(CHAIN, spacing="2 um", **numbers)
    assert lab.figures()["lab_coupling_hz"] == pytest.approx(hertz, rel=1e-13)


@pytest.mark.parametrize("endless", [float("inf"), "inf", "inf us"])
def test_an_endless_coherence_time_is_no_dephasing(endless):
    lab = sq.spins_from_lab(10, chi="1 Hz", t1="100 us", t2=endless)
    assert [type(jump) for jump in lab.model.jumps] == [sq.LocalDecay]
    again = model_from_tables(model_as_tables(lab.model))
    assert again.lab.numbers.t2 == endless
    assert not sq.spins_from_lab(10, chi="1 Hz", t1=endless).model.jumps
    with pytest.raises(InvalidInput, match=r"^t2 must be a time such as '5 us', got '1 um'$"):
        sq.spins_from_lab(10, chi="1 Hz", t2="inf um")


@pytest.mark.parametrize(
    ("lattice", "numbers", "label", "factor"),
    [
        (CHAIN, {"c6": "1 MHz um^6"}, "at spacing", 1.0),
        (CHAIN, {"c3": "1 MHz um^3"}, "at spacing", 1.0),
        (CHAIN, {"c6": "1 MHz um^6", "c3": "-2 MHz um^3"}, "at spacing", -2.0),
        (CHAIN, {"c3": "1 MHz um^3", "quantisation_axis": "+x"}, "largest", -2.0),
        # of four spins on a square only those across have an angle
        (
            sq.Lattice((2, 2), boundary="open"),
            {"c3": "-1 MHz um^3", "quantisation_axis": [1, 1, 1]},
            "largest",
            1 / 2**1.5,
        ),
        (sq.Lattice(positions=[[0.0], [2.0], [5.0]]), {"c6": "1 MHz um^6"}, "largest", 2.0**-6),
        (sq.Lattice((3, 2), spacing=(3, 2)), {"c6": "1 MHz um^6"}, "largest", 2.0**-6),
        (
            sq.Lattice(positions=[[0.0], [2.0]]),
            {"plateau": "1 MHz", "core_radius": "2 um"},
            "largest",
            1 / 2,
        ),
        (sq.Lattice(2), {"plateau": "1 MHz", "core_radius": "1 um"}, "at spacing", 1 / 2),
    ],
)
def test_the_largest_coupling_is_told_where_it_is_not_that_at_the_spacing(
    lattice, numbers, label, factor
):
    lab = sq.spins_from_lab(lattice, spacing="1 um", **numbers)
    largest = lab.figures()["lab_largest_coupling_hz"]
    assert largest == pytest.approx(1e6 * factor, rel=1e-12)
    assert dict(lab.lines())[label].startswith("2 pi x ")
    assert len(dict(lab.lines())) == 3


def test_a_laboratory_without_an_interaction_says_so():
    lab = sq.spins_from_lab(4, t2="5 us", rabi="1 MHz")
    assert lab.concerns[0].startswith("interaction: there is none in this model, so that nothing")
    assert not sq.spins_from_lab(4, chi="1 Hz").concerns
    further = sq.spins_from_lab(4, t2="5 us", hamiltonian=[sq.OneAxisTwisting(1.0)])
    assert not further.concerns
    data = sq.simulate(lab.model, sq.CoherentState("+x"), [0.0, 1.0])
    assert "no squeezing: there is no interaction in this model" in str(sq.summary(data))
    squeezed = sq.DickeState(0)
    data = sq.simulate(lab.model, squeezed, [0.0, 1.0], method="exact")
    assert "there is no interaction" not in str(sq.summary(data)).split("warning")[0]
