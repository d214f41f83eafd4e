"""The true error of every reading stays within what was claimed, over random problems.

Each problem goes to every method that says it supports it, at its own tolerance and at a loose one
(where a claim that is not measured shows).
"""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.run.questions import evolve_question
from tests.calibration.claims import EPS, misses, state_error, wrong_status
from tests.calibration.random_problems import FAMILIES, problem
from tests.problems import dense_evolution as truth
from tests.problems.dense_states import density_matrix

METHODS = {
    "exact": lambda tolerance: sq.Exact(tolerance),
    "symmetric": lambda tolerance: sq.SymmetricSubspace(tolerance),
    "permutation_invariant": lambda tolerance: sq.PermutationInvariant(tolerance, qfi=True),
    "closed_form": lambda _tolerance: sq.ClosedForm(),
}
TIGHT, LOOSE = 1e-10, 1e-5
QUICK = range(18)
MORE = range(len(QUICK), 120)


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
    supporting = [name for name in METHODS if not METHODS[name](TIGHT).support(question)]
    assert supporting
    for name in supporting:
        for tolerance in (TIGHT, LOOSE)[: 1 if name == "closed_form" else 2]:
            data = solve(case, METHODS[name](tolerance))
            assert data.attrs["numerical_error"] > 0, (name, tolerance)
            delta = state_error(data, rounding)
            assert not misses(data, truths, delta), (name, tolerance)
            assert not len(wrong_status(data, truths)), (name, tolerance)
            if "final_state" in data:
                rho = density_matrix(sq.final_state(data), case.model.n_spins)
                assert np.linalg.norm(rho - states[-1], "nuc") <= 2 * delta, (name, tolerance)


def solve(case, method):
    keeps_state = method.name() != "closed_form" and not (
        method.name() == "symmetric" and case.model.dissipative
    )
    return sq.simulate(
        case.model,
        case.state,
        case.times,
        method=method,
        pulses=case.pulses,
        keep_state=keeps_state,
    )
