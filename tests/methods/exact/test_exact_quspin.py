"""Closed exact evolution against quspin: numbers of `by_quspin.py`, and afresh if it is there."""

import json

import numpy as np
import pytest
from tests.methods.exact.by_quspin import NUMBERS, moments, random_case

import spinsqueeze as sq

CASES = json.loads(NUMBERS.read_text())


def by_exact(case):
    matrix, n = np.array(case["matrix"]), case["n_spins"]
    model = sq.SpinModel(
        sq.Lattice((n,), boundary="open"),
        hamiltonian=[
            sq.PairCoupling(matrix + matrix.T, tensor=case["tensor"]),
            sq.SiteField(case["fields"]),
        ],
    )
    directions = np.array(case["directions"])
    state = sq.ProductState(directions / np.linalg.norm(directions, axis=1, keepdims=True))
    data = sq.simulate(model, state, case["times"], method=sq.Exact(1e-13))
    return data["spin"].values, data["covariance"].values


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c['n_spins']}{' fields' if np.any(c['fields']) else ''}"
)
def test_moments_are_those_of_quspin(case):
    spin, covariance = by_exact(case)
    np.testing.assert_allclose(spin, case["spin"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(covariance, case["covariance"], rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("fields", [False, True])
def test_quspin_afresh(fields):
    pytest.importorskip("quspin")
    case = random_case(9, fields=fields)
    for own, other in zip(by_exact(case), moments(case), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-10)
