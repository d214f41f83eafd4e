"""Errors carry their parts: moving one to another path is an operation on data."""

import pickle

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, NotAnInteger
from spinsqueeze.core.plain import with_value


def test_a_check_knows_its_argument_and_rule():
    with pytest.raises(InvalidInput) as caught:
        checks.real("j_z", -1.0, minimum=0.0)
    assert caught.value.argument == "j_z"
    assert caught.value.rule == "must be at least 0, got -1"
    assert str(caught.value) == "j_z must be at least 0, got -1"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvalidInput.of("j_z", "must be real"), "hamiltonian.0.j_z: must be real"),
        (InvalidInput.of("sites[2]", "must be real"), "hamiltonian.0.sites.2: must be real"),
        (InvalidInput("must be real", path="a.b"), "hamiltonian.0.a.b: must be real"),
        (InvalidInput("one and two clash"), "hamiltonian.0: one and two clash"),
    ],
)
def test_an_error_moves_below_a_path(error, text):
    assert str(error.at("hamiltonian.0")) == text


def test_an_error_keeps_its_parts_between_processes():
    error = pickle.loads(pickle.dumps(InvalidInput.of("times", "must increase").at("run")))
    assert (error.path, error.rule) == ("run.times", "must increase")
    assert str(error) == "run.times: must increase"


def test_with_value_shares_what_the_path_does_not_pass_and_changes_nothing_given():
    tables = {"hamiltonian": [{"j_z": 1.0}, {"h": 2.0}], "run": {"seed": 0}}
    changed = with_value(tables, "hamiltonian.0.j_z", 5.0)
    assert tables["hamiltonian"][0]["j_z"] == 1.0
    assert changed["hamiltonian"][0]["j_z"] == 5.0
    assert changed["run"] is tables["run"]
    assert changed["hamiltonian"][1] is tables["hamiltonian"][1]


def test_an_error_knows_its_entry_and_how_users_call_it():
    error = InvalidInput.of("m[1].values", "must be whole")
    assert str(error) == "m[1].values must be whole"
    assert error.entry == "m.1.values"
    placed = error.at("initial_state", names={"m": "dicke"})
    assert str(placed) == "initial_state.dicke.1.values: must be whole"
    assert str(placed.at("sweep")) == "sweep.initial_state.dicke.1.values: must be whole"
    assert str(error.at("")) == "m.1.values: must be whole"
    assert str(InvalidInput("no argument").at("run")) == "run: no argument"
    pulse = InvalidInput.of("time", "must be at least 0").owned_by("pulse")
    assert str(pulse) == "pulse time must be at least 0"
    assert str(pulse.at("pulses.2")) == "pulses.2.time: must be at least 0"
    assert str(InvalidInput("takes one").owned_by("pulse")) == "takes one"


def test_an_error_of_a_whole_number_stays_one_on_its_way_up():
    with pytest.raises(NotAnInteger) as caught:
        checks.integer("n_trajectories", 1.5, minimum=1)
    assert type(caught.value.at("method")) is NotAnInteger
    assert type(InvalidInput.of("a", "b").at("c")) is InvalidInput


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("hamiltonian.1", {"hamiltonian": [sq.Drive(1.0), sq.SiteField([[0, 0, 1]])]}),
        ("jumps.0", {"jumps": [sq.LocalDecay([1.0, 2.0])]}),
        ("cavity.coupling", {"cavity": sq.Cavity([[1, 0, 0]] * 2, decay_rate=1.0)}),
    ],
)
def test_a_term_that_does_not_fit_is_named_when_the_model_is_made(path, make):
    with pytest.raises(InvalidInput) as caught:
        sq.SpinModel(4, **make)
    assert caught.value.path == path


def test_nearest_neighbours_of_free_positions_are_refused_when_the_model_is_made():
    term = sq.PowerLawXXZ(j_perp=1.0, j_z=1.0, exponent=np.inf)
    with pytest.raises(InvalidInput, match=r"^hamiltonian\.0: exponent = inf .* lattice sites"):
        sq.SpinModel(sq.Lattice(positions=[[0.0], [1.0]]), hamiltonian=[term])
