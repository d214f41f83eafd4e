"""Laboratory numbers: what each of them means, shown by what atoms and light then do."""

import copy
import dataclasses
import inspect
import math
import pickle

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import inverse, with_prefix
from spinsqueeze.models.lab import LabNumbers
from spinsqueeze.models.modes import steady_state
from spinsqueeze.models.tables import model_as_tables, model_from_tables

STRONTIUM = {
    "n_atoms": 10_000,
    "g_hz": 4.0,
    "kappa_hz": 150e3,
    "gamma_hz": 1 / (2 * math.pi * 10),
    "detuning_hz": -150e3,
}
ALONE = {"n_atoms": 2, "g_hz": 1e-6, "kappa_hz": 1e6, "gamma_hz": 0.0}
"""Atoms that the cavity does not touch."""
TWO_PI = 2 * math.pi


def lab(base=STRONTIUM, **changes):
    return sq.cavity_from_lab(**{**base, **changes})


def spin_at(setup, start, time):
    model = setup.eliminated.model
    data = sq.simulate(model, sq.CoherentState(start), [time], method=sq.PermutationInvariant())
    return data["spin"].values[0]


def test_the_clock_transition_of_tucker2020_gives_its_rates():
    setup = lab()
    numbers = setup.numbers
    assert numbers.chi / numbers.collective_decay_rate == pytest.approx(1.0, rel=1e-14)
    assert numbers.gamma / numbers.collective_decay_rate == pytest.approx(186.5, abs=0.05)
    assert numbers.gamma == pytest.approx(0.1)
    exchange, decay = setup.eliminated.model.hamiltonian[-1], setup.eliminated.model.jumps[-1]
    assert isinstance(exchange, sq.CollectiveExchange)
    assert exchange.chi == pytest.approx(numbers.chi, rel=1e-13)
    assert isinstance(decay, sq.CollectiveDecay)
    assert decay.rate == pytest.approx(numbers.collective_decay_rate, rel=1e-13)
    assert setup.eliminated.model.jumps[0] == sq.LocalDecay(numbers.gamma)
    # By hand: 4 (2pi 4 Hz)^2/(5 (2pi 150 kHz)) and 4 16/(150e3 0.0159).
    assert setup.collective_decay_hz * TWO_PI == pytest.approx(5.3617e-4, rel=1e-4)
    assert setup.chi_hz == pytest.approx(setup.collective_decay_hz)
    assert setup.cooperativity == pytest.approx(0.026808, rel=1e-4)
    assert setup.collective_cooperativity == pytest.approx(1e4 * setup.cooperativity)
    assert setup.superradiant_hz == pytest.approx(1e4 * setup.collective_decay_hz)
    assert setup.eliminated.coupling_ratio == pytest.approx(100 * 4 / math.hypot(75e3, 150e3))
    assert setup.eliminated.concerns == ()


def test_a_cavity_above_the_atoms_pushes_excitations_down():
    assert lab(detuning_hz=150e3).chi_hz == -lab().chi_hz
    assert lab(detuning_hz=0.0).chi_hz == 0.0


def test_kappa_is_a_full_width_at_half_maximum():
    def photons(detuning_hz):
        mode, _ = lab(detuning_hz=detuning_hz).model.cavity.lower(lab().model.ensemble)
        return abs(steady_state(mode[0], drive=1.0).amplitude) ** 2

    assert photons(75e3) / photons(0.0) == pytest.approx(0.5)


def test_a_rabi_frequency_of_1_khz_inverts_in_half_a_millisecond():
    assert spin_at(lab(ALONE, rabi_hz=1e3), "-z", 0.5e-3) == pytest.approx([0, 0, 1], abs=1e-6)
    table = {"times": [0.0, 1.0], "values": [1e3, 1e3]}
    assert spin_at(lab(ALONE, rabi_hz=table), "-z", 0.5e-3) == pytest.approx([0, 0, 1], abs=1e-6)


def test_excited_atoms_decay_at_gamma_and_coherence_within_t2():
    gamma_hz = 10.0
    setup = lab(ALONE, gamma_hz=gamma_hz, t2_s=0.01)
    assert spin_at(setup, "+z", 1 / (TWO_PI * gamma_hz))[2] == pytest.approx(2 / math.e - 1)
    assert spin_at(setup, "+x", 0.01)[0] == pytest.approx(1 / math.e)
    longest = 2 / (TWO_PI * gamma_hz)
    assert lab(ALONE, gamma_hz=gamma_hz, t2_s=longest).numbers.dephasing_rate == 0.0


def test_the_drive_through_the_cavity_holds_its_photons_and_turns_atoms_at_2_g_sqrt_n():
    setup = lab(drive_photons=0.3, detuning_hz=40e3)
    assert setup.eliminated.photon_number == pytest.approx(0.3)
    (field,) = setup.eliminated.model.canonical.fields
    rabi = field.strength * np.linalg.norm(field.vectors)
    assert rabi == pytest.approx(2 * TWO_PI * 4.0 * math.sqrt(0.3))
    start = setup.model.canonical.modes[0].initial
    assert abs(start.amplitude) ** 2 == pytest.approx(0.3)
    assert lab(drive_photons=0.3, initial_field="vacuum").model.cavity.initial == "vacuum"


def test_a_detuned_drive_sets_the_frame():
    setup = lab(drive_detuning_hz=50.0, rabi_hz=2.0)
    assert setup.model.cavity.detuning == pytest.approx(TWO_PI * (-150e3 - 50.0))
    (field,) = setup.model.canonical.fields
    vector = field.strength * np.broadcast_to(field.vectors, (1, 3))[0]
    assert vector == pytest.approx(TWO_PI * np.array([2.0, 0.0, -50.0]))


def test_a_temperature_stands_for_its_photons():
    # k/h = 20.8366 GHz/K.
    warm = lab(temperature_k=1.0, frequency_hz=20.836619e9).numbers
    assert warm.cavity.thermal_occupation == pytest.approx(1 / (math.e - 1), rel=1e-6)
    assert lab(temperature_k=0.0, frequency_hz=1e9).numbers.photons_in_reservoir == 0.0
    assert lab(temperature_k=1e-6, frequency_hz=1e15).numbers.photons_in_reservoir == 0.0
    assert lab(thermal_photons=0.2).model.cavity.thermal_occupation == 0.2


def test_squeezing_in_decibels_is_that_of_the_field_inside():
    setup = lab(squeezing_db=3.0, detuning_hz=0.0)
    ((mode,), _) = setup.model.cavity.lower(setup.model.ensemble)
    rest = steady_state(mode, drive=0.0)
    least = 2 * rest.photons + 1 - 2 * abs(rest.pairs)
    assert 10 * math.log10(least) == pytest.approx(-3.0)
    lossy = lab(squeezing_db=3.0, internal_kappa_hz=50e3).model.cavity
    assert lossy.internal_decay_rate == pytest.approx(TWO_PI * 50e3)
    assert lossy.decay_rate + lossy.internal_decay_rate == pytest.approx(TWO_PI * 150e3)


@pytest.mark.parametrize("n_classes", [2, 3, 8])
def test_a_standing_wave_couples_with_half_the_mean_square(n_classes):
    setup = lab(n_atoms=24, coupling_profile="standing_wave", n_classes=n_classes, rabi_hz=0.5)
    assert setup.collective_cooperativity == pytest.approx(12 * setup.cooperativity)
    assert sum(c.count for c in setup.model.spins) == 24
    ratio = lab(n_atoms=12).eliminated.coupling_ratio
    assert setup.eliminated.coupling_ratio == pytest.approx(ratio)
    (field,) = setup.model.canonical.fields  # the drive is alike for all
    assert np.ptp(np.atleast_2d(field.vectors), axis=0) == pytest.approx([0, 0, 0])
    decay = setup.eliminated.model.jumps[-1]
    assert decay.rate == pytest.approx(setup.numbers.collective_decay_rate)


def test_factors_of_the_coupling_share_the_atoms():
    setup = lab(n_atoms=7, coupling_profile=[1.0, 0.5, 0.0])
    assert [(c.count, c.weight) for c in setup.model.spins] == [(3, 1.0), (2, 0.5), (2, 0.0)]
    assert setup.collective_cooperativity == pytest.approx(3.5 * setup.cooperativity)
    assert "profile of its own in 3 classes" in str(setup)


SETUPS = {
    "plain": {},
    "driven, dephased": {"rabi_hz": 0.9, "t2_s": 3.0, "drive_detuning_hz": 0.1},
    "envelope": {"rabi_hz": {"times": [0.0, 1.0], "values": [0.0, 2.0]}},
    "light": {"drive_photons": 0.1, "squeezing_db": 2.0, "squeezing_phase": 0.3},
    "warm": {"temperature_k": 0.1, "frequency_hz": 5e9, "internal_kappa_hz": 1e3},
    "standing wave": {"coupling_profile": "standing_wave", "rabi_hz": 0.2},
    "factors": {"coupling_profile": [0.2, 1.0], "initial_field": "vacuum"},
}


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("kept", [True, False])
def test_models_go_through_tables(name, kept):
    more = {"hamiltonian": [sq.OneAxisTwisting(1e-3)], "jumps": [sq.LocalPumping(0.2)]}
    setup = lab(**SETUPS[name], **more)
    model = setup.model if kept else setup.eliminated.model
    tables = model_as_tables(model)
    assert set(tables) == {"unit", "lab", "hamiltonian", "jumps"}
    assert len(tables["hamiltonian"]) == len(tables["jumps"]) == 1
    again = model_from_tables(tables)
    assert (again.cavity is None) == (not kept)
    assert again.cavity == model.cavity
    assert again.hamiltonian == model.hamiltonian
    assert again.jumps == model.jumps
    assert again.lab.numbers == setup.numbers
    assert model_as_tables(again).keys() == tables.keys()
    assert again.lab.figures() == setup.figures()
    plain = model_as_tables(dataclasses.replace(model))  # a copy is any other model
    assert "lab" not in plain
    assert model_from_tables(plain).hamiltonian == model.hamiltonian


def test_setups_are_copied_and_sent():
    setup = lab(rabi_hz=0.9)
    for other in (copy.deepcopy(setup), pickle.loads(pickle.dumps(setup))):
        assert other.model.lab is other
        assert other.figures() == setup.figures()


def test_the_function_has_the_fields_as_arguments():
    wanted = {f.name: f.default for f in dataclasses.fields(LabNumbers)}
    arguments = dict(inspect.signature(sq.cavity_from_lab).parameters)
    assert arguments.pop("hamiltonian").default == arguments.pop("jumps").default == ()
    assert list(arguments) == list(wanted)
    for name, parameter in arguments.items():
        missing = wanted[name] is dataclasses.MISSING
        assert parameter.default == (inspect.Parameter.empty if missing else wanted[name])


def test_the_summary_says_both_units_cooperativity_and_validity():
    text = str(lab(rabi_hz=0.9, t2_s=5.0, thermal_photons=0.1, squeezing_db=1.0,
                   internal_kappa_hz=1e3, drive_detuning_hz=0.5))  # fmt: skip
    for words in (
        "N = 10000, g/2pi = 4 Hz, gamma/2pi = 15.92 mHz (1/gamma = 10 s), T2 = 5 s",
        "kappa/2pi = 150 kHz (full width), of it 1 kHz inside, detuning from the atoms -150 kHz",
        "0.1 thermal photons, light squeezed by 1 dB",
        "Omega/2pi = 900 mHz, detuned from the atoms by 500 mHz",
        "cooperativity C = 4 g^2/(kappa gamma) = 0.02681 of one atom, N C = 268.1",
        "chi/2pi = 85.33 µHz, chi = 0.0005362 1/s = 1/(1865 s)",
        "Gamma/2pi = 85.33 µHz, Gamma = 0.0005362 1/s = 1/(1865 s), N Gamma = 5.362 1/s",
        "elimination  holds: sqrt(N) g/|kappa/2 + i detuning| = 0.0024",
    ):
        assert words in text
    assert "doubtful, keep the cavity: " in str(lab(g_hz=4e3))
    assert "0.25 photons in the empty cavity, 2g sqrt(n)/2pi = 4 Hz" in str(lab(drive_photons=0.25))
    assert "up to 2 Hz, in time" in str(lab(rabi_hz=sq.Envelope([0, 1], values=[0, 2])))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (150e3, "Hz", "150 kHz"),
        (-4.0, "Hz", "-4 Hz"),
        (999.96, "Hz", "1 kHz"),
        (1.6e-2, "Hz", "16 mHz"),
        (2.5e-7, "s", "250 ns"),
        (1865.0, "s", "1865 s"),
        (0.0, "Hz", "0 Hz"),
        (1e40, "Hz", "1e+40 Hz"),
        (math.inf, "Hz", "inf Hz"),
    ],
)
def test_numbers_with_a_prefix(value, unit, text):
    assert with_prefix(value, unit) == text


def test_inverse_units():
    assert [inverse(unit) for unit in ("J", "1/s", "Hz", "1/")] == ["1/J", "s", "1/Hz", "1/1/"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_atoms": 1.5}, r"^n_atoms must be an integer, got 1.5 \(float\)$"),
        ({"n_atoms": 0}, r"^n_atoms must be at least 1, got 0$"),
        ({"g_hz": -4.0}, r"^g_hz must be above 0, got -4; it is a size, without a sign$"),
        ({"g_hz": 0.0}, r"^g_hz must be above 0, got 0; leave the cavity out instead$"),
        ({"g_hz": math.nan}, r"^g_hz must be a number, got NaN; give a finite value$"),
        (
            {"g_hz": "4 kHz"},
            r"^g_hz must be a real number, got '4 kHz' \(str\); write 4000, in Hz$",
        ),
        ({"t2_s": "5 us"}, r"^t2_s must be a real number, got '5 us' \(str\); write 5e-06, in s$"),
        ({"kappa_hz": math.inf}, r"^kappa_hz must be finite, got inf$"),
        ({"kappa_hz": 1e30}, r"^kappa_hz must lie between 1e-12 and 1e\+18 Hz in size, got 1e\+30"),
        ({"gamma_hz": -1.0}, r"^gamma_hz must be at least 0, got -1; it is a size"),
        ({"detuning_hz": None}, r"^detuning_hz must be a real number, got None \(NoneType\)$"),
        ({"drive_detuning_hz": 3.0}, r"^drive_detuning_hz needs a drive: give rabi_hz or drive_ph"),
        ({"rabi_hz": 1e30}, r"^rabi_hz must be at most 1e\+18 Hz in size, got 1e\+30$"),
        ({"rabi_hz": math.sin}, r"^rabi_hz is a function: tabulate it first"),
        ({"drive_photons": -1.0}, r"^drive_photons must be at least 0, got -1$"),
        ({"drive_photons": 1.0, "rabi_hz": 1.0}, r"^drive_photons must not stand next to rabi_hz:"),
        ({"thermal_photons": 1e30}, r"^thermal_photons must stand for at most 1e\+18 photons, got"),
        ({"t2_s": 0.0}, r"^t2_s must be at least 1e-18, got 0$"),
        ({"t2_s": 25.0}, r"^t2_s must be at most 2/gamma = 20 s, since decay alone ends coherence"),
        ({"temperature_k": 1.0}, r"^frequency_hz must be given with temperature_k, or give therma"),
        ({"frequency_hz": 1.0}, r"^temperature_k must be given with frequency_hz, or give thermal"),
        (
            {"temperature_k": 1.0, "frequency_hz": 1e9, "thermal_photons": 1.0},
            r"^thermal_photons must not stand next to temperature_k; give one of them$",
        ),
        (
            {"temperature_k": 1e18, "frequency_hz": 1e-3},
            r"^temperature_k must stand for at most 1e\+18 photons",
        ),
        ({"squeezing_db": -3.0}, r"^squeezing_db must be at least 0, got -3$"),
        (
            {"internal_kappa_hz": 2e5},
            r"^internal_kappa_hz must be at most kappa_hz = 150000, of wh",
        ),
        (
            {"internal_kappa_hz": 150e3, "squeezing_db": 1.0},
            r"^squeezing_db needs a mirror through which the light enters, got internal_kappa_hz",
        ),
        (
            {"coupling_profile": "cosine"},
            r"^coupling_profile must be one of uniform, standing_wave",
        ),
        (
            {"coupling_profile": [0.5, 2.0]},
            r"^coupling_profile must be \"uniform\", .* from 0 to 1",
        ),
        ({"coupling_profile": [0.5, -1]}, r"^coupling_profile must be at least 0, got -1$"),
        ({"coupling_profile": []}, r"^coupling_profile must be \"uniform\", "),
        ({"n_classes": 4}, r"^n_classes needs coupling_profile = \"standing_wave\"; leave it out$"),
        (
            {"coupling_profile": "standing_wave", "n_classes": 1},
            r"^n_classes must be at least 2, got 1$",
        ),
        (
            {"coupling_profile": "standing_wave", "n_atoms": 3},
            r"^n_atoms must be at least 8, one for each class of coupling_profile, got 3; give few",
        ),
        ({"initial_field": "warm"}, r"^initial_field must be one of steady, vacuum, got 'warm'"),
        ({"hamiltonian": [sq.LocalDecay(1.0)]}, r"^hamiltonian must hold hamiltonian terms only"),
        (
            {"jumps": [sq.LocalDecay([1.0, 2.0])]},
            r"^jumps.0.*got 2 for 10000 spins$",
        ),
    ],
)
def test_a_mistake_is_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        lab(**changes)
