"""The claimed error of the steps against the true one, for few and for very many spins."""

import numpy as np
import pytest
from tests.calibration.random_problems import Draw

import spinsqueeze as sq

QUICK = range(8)
MORE = range(len(QUICK), 120)
SEEDS = [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)]


def large_problem(seed):
    """Strengths such that all parts turn the mean spin at rates of order 1."""
    rng = np.random.default_rng([31, seed])
    draw = Draw(rng, last=float(rng.choice([0.5, 2.0])), timed=bool(rng.random() < 0.5))
    n = int(10 ** rng.integers(2, 9))
    counts = [n // 3, n - n // 3] if draw.chance(0.4) else [n]
    spins = [
        sq.SpinClass(c, weight=float(rng.normal()), detuning=float(rng.normal())) for c in counts
    ]
    terms = [
        sq.CollectiveQuadratic(draw.tensor() / n, envelope=draw.factor()),
        sq.UniformField(rng.normal(size=3), envelope=draw.factor()),
    ]
    vector = rng.normal(size=3) + 1j * rng.normal(size=3)
    jumps = [sq.LocalJump(draw.rate(), vector=draw.complex_vector())] if draw.chance(0.7) else []
    if draw.chance(0.7):
        jumps.append(sq.CollectiveJump(float(rng.uniform(0.1, 1.0)) / n, vector=vector))
    times = draw.times()
    pulses = draw.pulses(n, times, classes=len(counts) if len(counts) > 1 else 0)
    model = sq.SpinModel(spins if len(counts) > 1 else n, hamiltonian=terms, jumps=jumps)
    return model, sq.CoherentState(draw.direction()), times, pulses


@pytest.mark.parametrize("seed", SEEDS)
def test_the_steps_err_by_no_more_than_claimed(seed):
    model, state, times, pulses = large_problem(seed)
    noise = np.sqrt(model.n_spins) / 2
    for order in (1, 2, 3):
        known = sq.simulate(
            model,
            state,
            times,
            method=sq.Cumulants(order, next_order=False, tolerance=1e-13),
            pulses=pulses,
        )
        for tolerance in (1e-6, 1e-8, 1e-10, 1e-12):
            method = sq.Cumulants(order, next_order=False, tolerance=tolerance)
            data = sq.simulate(model, state, times, method=method, pulses=pulses)
            assert data.sizes["time"] == known.sizes["time"] == len(times)
            true = np.linalg.norm(data["spin"] - known["spin"], axis=1).max() / noise
            assert true <= data.attrs["numerical_error"], (order, tolerance)


def test_the_next_order_is_no_bound_in_a_squeezed_reservoir():
    """The numbers of docs/cumulants.md: odd orders change little of what the even ones do."""
    model = sq.SpinModel(30, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.8), sq.LocalDecay(0.5)])
    exact = float(sq.steady_state(model, method="permutation_invariant").xi2)
    start = sq.CoherentState("-z")
    rows = []
    for order in (2, 3, 4, 5):
        data = sq.steady_state(model, initial_state=start, method=sq.Cumulants(order))
        xi2 = float(data.xi2)
        rows.append((xi2, xi2 - exact, float(data.xi2_truncation)))
    expected = [
        (0.2491, 0.0174, 0.0024),
        (0.2466, 0.0150, 0.0111),
        (0.2355, 0.0038, 0.0016),
        (0.2339, 0.0023, 0.0013),
    ]
    np.testing.assert_allclose(rows, expected, atol=6e-5)
    assert exact == pytest.approx(0.2317, abs=6e-5)
