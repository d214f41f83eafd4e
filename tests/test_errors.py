"""Errors carry their parts: moving one to another path is an operation on data."""

import pickle

import pytest

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
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
