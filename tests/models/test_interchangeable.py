"""Models of alike spins as collective arrays, against their operators on 2^N."""

import numpy as np
import pytest
from tests.problems.brute_force import hamiltonian, moments, open_moments, site_operators

import spinsqueeze as sq
from spinsqueeze.models import interchangeable

N = 3
TIMES = np.array([0.0, 0.4, 1.1])
DIRECTION = np.array([0.48, -0.6, 0.64])
PAIRS = sq.PowerLawXYZ(j_x=0.9, j_y=-0.4, j_z=1.6, exponent=0)
EVERYTHING = [
    PAIRS,
    sq.PowerLawXXZ(j_perp=0.5, j_z=-0.8, exponent=0),
    sq.CollectiveQuadratic([[0.3, 0.1, 0.2], [0.1, -0.5, 0.0], [0.2, 0.0, 0.4]]),
    sq.UniformField([0.2, -0.7, 0.4]),
]


def model(terms, jumps=()):
    return sq.SpinModel(sq.Lattice((N,)), hamiltonian=terms, jumps=jumps)


@pytest.mark.parametrize("terms", [[PAIRS], EVERYTHING], ids=["pairs", "everything"])
def test_collective_arrays_are_the_operator_up_to_a_constant(terms):
    canonical = model(terms).canonical
    s = site_operators(N)
    S = s.sum(axis=0)
    arrays = interchangeable.at_peak(canonical)
    collective = np.einsum("ab,axy,byz->xz", arrays.quadratic, S, S)
    collective = collective + np.einsum("a,axy->xy", arrays.field, S)
    rest = hamiltonian(canonical, s, 0.0) - collective
    assert rest == pytest.approx(rest[0, 0] * np.eye(2**N), abs=1e-13)


@pytest.mark.parametrize("method", ["symmetric", "permutation_invariant", "exact"])
def test_all_to_all_pairs_evolve_as_their_operator(method):
    chain = model(EVERYTHING)
    data = sq.simulate(chain, sq.CoherentState(DIRECTION), TIMES, method=method)
    spin, covariance = moments(chain.canonical, DIRECTION, TIMES)
    assert data["spin"].values == pytest.approx(spin, abs=1e-8)
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-8)


@pytest.mark.parametrize("jumps", [[], [sq.LocalDephasing(0.3), sq.LocalDecay(0.2)]])
@pytest.mark.parametrize(
    "terms",
    [
        [sq.PowerLawXXZ(j_perp=0.0, j_z=1.7, exponent=0)],
        [sq.PowerLawXXZ(j_perp=0.0, j_z=1.7, exponent=0), sq.OneAxisTwisting(0.6)],
    ],
    ids=["pairs", "pairs and twisting"],
)
def test_all_to_all_ising_pairs_in_closed_form(terms, jumps):
    chain = model(terms, jumps)
    data = sq.simulate(chain, sq.CoherentState(DIRECTION), TIMES, method="closed_form")
    solve = open_moments if jumps else moments
    spin, covariance = solve(chain.canonical, DIRECTION, TIMES)
    assert data["spin"].values == pytest.approx(spin, abs=1e-10)
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-10)


def test_isotropic_pairs_only_add_a_phase_in_closed_form():
    chain = model([sq.PowerLawXXZ(j_perp=0.9, j_z=2.2, exponent=0)])
    data = sq.simulate(chain, sq.CoherentState(DIRECTION), TIMES, method="closed_form")
    assert "one-axis twisting" in data.attrs["diagnostics"]
    spin, covariance = moments(chain.canonical, DIRECTION, TIMES)
    assert data["spin"].values == pytest.approx(spin, abs=1e-10)
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-10)


def test_envelopes_count_at_their_peak():
    ramp = sq.Envelope([0.0, 1.0, 2.0], values=[0.5, -3.0, 1.0])
    jumps = [sq.LocalDecay(sq.Envelope([0.0, 2.0], values=[0.1, 0.4]))]
    chain = model([sq.OneAxisTwisting(ramp), sq.UniformField([0.0, 0.0, 0.3])], jumps)
    peak = interchangeable.at_peak(chain.canonical)
    assert peak.quadratic.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, -3.0]]
    assert peak.field.tolist() == [0.0, 0.0, 0.3]
    assert [rate for rate, _ in peak.local_jumps] == [0.4]


def test_parts_in_time_add_up_to_the_model():
    ramp = sq.Envelope([0.0, 2.0], values=[0.5, -3.5])
    rate = sq.Envelope([0.0, 2.0], values=[0.1, 0.5])
    chain = model(
        [sq.OneAxisTwisting(ramp), sq.UniformField([0.0, 0.0, 0.3])],
        [sq.LocalDecay(rate), sq.LocalDephasing(0.7)],
    )
    arrays, drive = interchangeable.in_time(chain.canonical)
    weights = drive.moments(0.75, 1.25)[0] / 0.5
    quadratic = sum(w * part.quadratic for w, part in zip(weights, arrays, strict=True))
    field = sum(w * part.field for w, part in zip(weights, arrays, strict=True))
    assert quadratic == pytest.approx(np.diag([0, 0, -1.5]), abs=1e-14)
    assert field == pytest.approx(np.array([0, 0, 0.3]), abs=1e-14)
    # Decay at 0.3 in the middle of its ramp beside constant dephasing.
    rates = [w * r for w, part in zip(weights, arrays, strict=True) for r, _ in part.local_jumps]
    constant = interchangeable.at_peak(model([], [sq.LocalDephasing(0.7)]).canonical)
    assert sorted(rates) == pytest.approx(sorted([0.3, constant.local_jumps[0][0]]), rel=1e-13)
