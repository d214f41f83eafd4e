"""Where 2 pi stands and where it does not: numbers worked out by hand."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.written_units import axis_scale, si_value

CHAIN = sq.Lattice(2, boundary="open")
BY_HAND = pytest.approx


def parts(spins, **numbers):
    """Pair tensor, field, twisting of a model from lab numbers, as the methods get them."""
    form = sq.spins_from_lab(spins, **numbers).model.canonical
    pair = sum(p.strength * np.diagonal(p.tensor) * p.kernel.matrix()[0, 1] for p in form.pairs)
    field = sum(f.strength * np.atleast_2d(f.vectors)[0] for f in form.fields)
    twist = sum(np.asarray(q.matrix)[2, 2] for q in form.quadratics)
    return pair, field, twist


@pytest.mark.parametrize("c6", ["863 GHz um^6", "2 pi x 863 GHz um^6", "5.42238892 rad um^6/ps"])
def test_c6_at_five_micrometres(c6):  # 863e3/5^6 = 55.232 MHz; times 6.283185
    pair, field, _ = parts(CHAIN, spacing="5 um", c6=c6)
    assert pair == BY_HAND([0, 0, 347.032889], rel=1e-8)
    assert field == BY_HAND([0, 0, 173.516444], rel=1e-8)


@pytest.mark.parametrize(
    ("form", "pair"),
    [
        ("exchange", [58.9048623, 58.9048623, 0]),
        ("ising", [0, 0, 29.4524311]),
        ("secular", [-14.7262156, -14.7262156, 29.4524311]),
    ],
)
def test_c3_at_eight_micrometres(form, pair):  # 2400/512 = 4.6875 MHz
    found, _, _ = parts(CHAIN, spacing="8 um", c3="2.4 GHz um^3", c3_form=form)
    assert found == BY_HAND(pair, rel=1e-8)


def test_a_plateau():  # 20 kHz/(1 + 1) at the radius of the core
    pair, _, _ = parts(CHAIN, spacing="3 um", core_radius="3 um", plateau="20 kHz")
    assert pair == BY_HAND([0, 0, 0.0628318531], rel=1e-8)


@pytest.mark.parametrize("two_pi", ["", "2 pi x "])
def test_chi_rabi_and_detuning(two_pi):
    told = {"chi": "3 Hz", "rabi": "1.2 MHz", "drive_detuning": "-40 kHz"}
    _, field, twist = parts(50, **{name: two_pi + text for name, text in told.items()})
    assert twist == BY_HAND(1.88495559e-5, rel=1e-8)
    assert field == BY_HAND([7.53982237, 0, 0.251327412], rel=1e-8)


def test_angular_rates_get_no_factor():
    _, field, twist = parts(50, chi="3/s", rabi="1.2 rad/us", drive_detuning="40 1/ms")
    assert (twist, *field) == BY_HAND((3e-6, 1.2, 0, -0.04), rel=1e-12)


@pytest.mark.parametrize(("time_unit", "size"), [("ns", 1e-3), ("us", 1), ("ms", 1e3), ("s", 1e6)])
def test_times_get_no_factor(time_unit, size):
    lab = sq.spins_from_lab(2, rabi="1 MHz", t1="100 us", t2="50 us", time_unit=time_unit)
    assert [jump.rate for jump in lab.model.jumps] == BY_HAND([0.01 * size, 0.015 * size])
    (field,) = lab.model.canonical.fields
    assert field.strength * np.ravel(field.vectors)[0] == BY_HAND(6.28318531 * size, rel=1e-8)


def test_the_cavity_of_a_clock_transition():
    lab = sq.cavity_from_lab(
        10_000, g_hz=4.0, kappa_hz=150e3, gamma_hz=0.016, detuning_hz=-150e3, rabi_hz=900.0,
        t2_s=3.0,
    )  # fmt: skip
    n, mode = lab.numbers, lab.model.cavity
    assert (n.g, n.kappa, n.gamma) == BY_HAND((25.1327412, 942477.796, 0.100530965), rel=1e-8)
    rates = [np.ravel(x)[0] for x in (mode.coupling, mode.decay_rate, mode.detuning)]
    assert rates == BY_HAND([25.1327412, 942477.796, -942477.796], rel=1e-8)
    # 4 g^2/(5 kappa), as the detuning is kappa: 64/750000 Hz.
    assert (n.chi, n.collective_decay_rate) == BY_HAND((5.36165146e-4, 5.36165146e-4), rel=1e-8)
    assert (lab.chi_hz, lab.superradiant_hz) == BY_HAND((8.53333333e-5, 0.853333333), rel=1e-8)
    assert lab.cooperativity == BY_HAND(0.0266666667, rel=1e-8)  # 64/(150000 * 0.016)
    assert [jump.rate for jump in lab.model.jumps] == BY_HAND([0.100530965, 0.283067851], rel=1e-8)
    (drive,) = lab.model.canonical.fields
    assert drive.strength * np.ravel(drive.vectors)[0] == BY_HAND(5654.86678, rel=1e-8)


def test_results_of_lab_numbers_label_their_times():  # chi t = 6.283185 * 1 Hz * 88e-6 s
    model = sq.spins_from_lab(50, chi="1 Hz").model
    data = sq.simulate(model, sq.CoherentState("+x"), [0.0, 88.0], method="closed_form")
    assert data["time"].attrs["units"] == "us"
    assert float(data["time_times_chi"][1]) == BY_HAND(5.52920307e-4, rel=1e-8)


@pytest.mark.parametrize(
    ("unit", "seconds", "label", "drawn"),
    [
        ("MHz", 0.5e-6, "µs", 0.5),
        ("rad/us", 0.5e-6, "µs", 0.5),
        ("2 pi MHz", 0.0795774715e-6, "ns", 79.5774715),
    ],
)
def test_numbers_in_a_unit_are_angular_unless_2_pi_is_written(unit, seconds, label, drawn):
    """chi = 1 in all three: the same numbers come out, and 2 pi is in the seconds."""
    model = sq.SpinModel(50, hamiltonian=[sq.OneAxisTwisting(1.0)], unit=unit)
    data = sq.simulate(model, sq.CoherentState("+x"), [0.5], method="closed_form")
    assert float(data["spin"][0, 0]) == BY_HAND(25 * np.cos(0.5) ** 49, rel=1e-9)
    units = data["time"].attrs["units"]
    assert si_value(0.5, units) == BY_HAND(seconds, rel=1e-8)
    factor, shown = axis_scale(0.5, units)
    assert (0.5 * factor, shown) == (BY_HAND(drawn, rel=1e-8), label)
