"""The true error of every reading stays within what was claimed, over random problems.

Each problem goes to every method that says it is exact on it, at its own tolerance and at a loose
one (where a claim that is not measured shows).
"""

import dataclasses

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.run.questions import evolve_question
from tests.calibration.claims import EPS, exact_methods, misses, state_error, wrong_status
from tests.calibration.random_problems import FAMILIES, problem
from tests.problems import dense_evolution as truth
from tests.problems.dense_states import density_matrix

TIGHT, LOOSE = 1e-10, 1e-5
QUICK = range(6)
MORE = range(len(QUICK), 26)


CASES = [
    pytest.param(
        family,
        seed,
        marks=[pytest.mark.slow] if seed in MORE else [],
        id=f"{family}-{seed}",
    )
    for family in FAMILIES
    for seed in (*QUICK, *MORE)
]


@pytest.mark.parametrize(("family", "seed"), CASES)
def test_no_reading_errs_by_more_than_claimed(family, seed):
    case = problem(family, seed)
    states = truth.evolve(case)
    truths = [truth.readings(rho, case.model.n_spins) for rho in states]
    rounding = 100 * EPS * (states[0].shape[0] ** 2 + truth.action(case))
    question = evolve_question(case.model, case.state, case.times, pulses=case.pulses)
    exact = exact_methods(question)
    assert exact
    for name in exact:
        options = {field.name for field in dataclasses.fields(METHODS[name])}
        for tolerance in (TIGHT, LOOSE)[: 2 if "tolerance" in options else 1]:
            wanted = {"tolerance": tolerance, "qfi": True}
            data = solve(case, METHODS[name](**{k: wanted[k] for k in wanted.keys() & options}))
            assert data.attrs["numerical_error"] > 0, (name, tolerance)
            delta = state_error(data, rounding)
            assert not misses(data, truths, delta), (name, tolerance)
            assert not len(wrong_status(data, truths)), (name, tolerance)
            if "final_state" in data:
                rho = density_matrix(sq.final_state(data), case.model.n_spins)
                assert np.linalg.norm(rho - states[-1], "nuc") <= 2 * delta, (name, tolerance)


def solve(case, method):
    without = ("closed_form", "cumulants", "mean_field", "truncated_shells")
    keeps_state = method.name() not in without and not (
        method.name() in ("exact", "symmetric") and case.model.dissipative
    )
    return sq.simulate(
        case.model,
        case.state,
        case.times,
        method=method,
        pulses=case.pulses,
        keep_state=keeps_state,
    )
