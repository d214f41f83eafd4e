import numba
import numpy as np
import pytest

from spinsqueeze.methods.closed_form import pair_kernels
from spinsqueeze.methods.closed_form.ising import (
    ising_correlators,
    ising_cost,
    ising_moments,
)
from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments

TIMES = np.array([0.0, 0.01, 0.3, 1.7, 30.0])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("kind", ["transverse", "pure", "mixed"])
def test_correlators_are_those_of_the_full_space(n, kind, random_problem, ising_brute_force):
    J, fields, bloch, _ = random_problem(n, n, kind)
    results = ising_correlators(J, integrals=TIMES, bloch=bloch, rotation=TIMES[:, None] * fields)
    for time, now in zip(TIMES, results, strict=True):
        means, pairs = ising_brute_force(J, fields, bloch, time)
        np.testing.assert_allclose(now.spin(), means, rtol=0, atol=1e-13)
        np.testing.assert_allclose(now.pairs(), pairs, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("present", [(1, 0, 0), (1, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_open_correlators_are_those_of_lindblad(n, present, random_problem, ising_brute_force):
    J, fields, bloch, rates = random_problem(10 + n, n, "mixed")
    rates = rates * np.array(present)[:, None]
    times = TIMES[1:4]
    names = ("dephasing", "decay", "pumping")
    results = ising_correlators(
        J,
        integrals=times,
        bloch=bloch,
        rotation=times[:, None] * fields,
        **{name: times[:, None] * rate for name, rate in zip(names, rates, strict=True)},
    )
    for time, now in zip(times, results, strict=True):
        means, pairs = ising_brute_force(
            J, fields, bloch, time, **dict(zip(names, rates, strict=True))
        )
        np.testing.assert_allclose(now.spin(), means, rtol=0, atol=1e-12)
        np.testing.assert_allclose(now.pairs(), pairs, rtol=0, atol=1e-12)


def test_moments_are_sums_of_correlators(random_problem, ising_brute_force):
    n, time = 5, 0.8
    J, fields, bloch, _ = random_problem(3, n, "mixed")
    w = np.array([1.0, -0.5, 0.3, 2.0, 1.1])
    spin, covariance = ising_moments(
        J, integrals=[time], bloch=bloch, rotation=[time * fields], weights=w
    )
    means, pairs = ising_brute_force(J, fields, bloch, time)
    second = np.einsum("i,j,ijab->ab", w, w, pairs) + np.eye(3) / 4 * np.sum(w**2)
    first = w @ means
    np.testing.assert_allclose(spin[0], first, rtol=0, atol=1e-13)
    expected = (second + second.T) / 2 - np.outer(first, first)
    np.testing.assert_allclose(covariance[0], expected, rtol=0, atol=1e-13)


def test_several_tiles_and_the_twisting_limit():
    # 150 spins: more than one tile of columns, the last one partly filled
    times = np.array([0.0, 0.02, 0.1, np.pi / 2, 3.1])
    J = 2 * (1 - np.eye(150))
    for z in (0.0, 0.5):
        bloch = np.array([np.sqrt(1 - z * z), 0, z])
        found = ising_moments(J, integrals=times, bloch=bloch)
        expected = one_axis_twisting_moments(150, direction=bloch, twisting=times)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)  # entries up to 150^2/4


@pytest.mark.parametrize(("n", "few"), [(100, True), (400, False)])
@pytest.mark.parametrize("z", [0.0, 0.6])
def test_small_arrays_are_computed_on_one_thread(n, few, z, monkeypatch):
    threads, before = [], numba.get_num_threads()

    def product(*_):
        threads.append(numba.get_num_threads())

    for name in ("real_pair_products", "complex_pair_products"):
        monkeypatch.setattr(pair_kernels, name, product)
    J = (1 - np.eye(n)) / n
    next(ising_correlators(J, integrals=[1.0], bloch=[np.sqrt(1 - z * z), 0, z]))
    assert threads == [1 if few else before]
    assert numba.get_num_threads() == before


def test_fast_kernel_equals_the_general_one(random_problem):
    J, fields, bloch, _ = random_problem(5, 130, "transverse")
    J = J / 8
    fast = next(ising_correlators(J, integrals=[1.0], bloch=bloch, rotation=[fields]))
    tilted = bloch.copy()
    tilted[7, 2] = 1e-300  # no number changes, the general kernel runs
    slow = next(ising_correlators(J, integrals=[1.0], bloch=tilted, rotation=[fields]))
    for name in ("plus", "plus_plus", "plus_minus", "z_plus"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=0, atol=1e-15)
    assert np.max(np.abs(fast.plus_minus)) > 1e-3


def test_envelopes_enter_by_their_integrals(random_problem):
    J, _, bloch, _ = random_problem(6, 4)
    J2 = random_problem(7, 4)[0]
    both = ising_moments([J, J2], integrals=[[0.3, 0.7], [0.1, -0.2]], bloch=bloch)
    one = ising_moments(0.3 * J + 0.7 * J2, integrals=[1.0], bloch=bloch)
    np.testing.assert_allclose(both[1][0], one[1][0], rtol=0, atol=1e-14)
    assert np.max(np.abs(both[1][1] - one[1][0])) > 1e-2


def test_connected_parts_have_full_relative_accuracy_at_short_times():
    t = 1e-9
    J = np.array([[0, 1.0, 0.5], [1.0, 0, 0.25], [0.5, 0.25, 0]])
    now = next(ising_correlators(J, integrals=[t], bloch=(1, 0, 0)))
    # connected <s^+_1 s^±_2> = (1/4)[cos(a ± b) - cos a cos b cos^2 c], where a, b and c are
    # t J_13/2, t J_23/2 and t J_12/2
    a, b, c = 0.25 * t, 0.125 * t, 0.5 * t
    assert now.plus_plus[0, 1].real == pytest.approx((-a * b + c * c) / 4, rel=1e-12)
    assert now.plus_minus[0, 1].real == pytest.approx((a * b + c * c) / 4, rel=1e-12)


def test_cost_counts_pairs_of_pairs():
    work, size = ising_cost(1000, n_times=10)
    assert work == pytest.approx(10 * 8 * 1000 * 1000 * 998 / 2)
    assert size == pytest.approx(200e6)
    assert ising_cost(1, n_times=10)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"couplings": [[0, 1], [2, 0]]}, "couplings must be symmetric"),
        ({"couplings": [[1, 1], [1, 0]]}, "zero diagonal"),
        ({"couplings": [[0, np.nan], [np.nan, 0]]}, "couplings must be finite"),
        ({"couplings": [[0, 1, 0]]}, "couplings must be square"),
        ({"integrals": [[1.0, 2.0]]}, r"integrals must be finite, of shape \(n_times, n_terms = 1"),
        ({"integrals": [np.inf]}, "integrals must be finite"),
        ({"bloch": (1, 1, 0)}, "at most 1 long; got 1.41"),
        ({"bloch": [(1, 0, 0)] * 3}, r"bloch must have shape \(3,\) or \(2, 3\)"),
        ({"rotation": [1.0, 2.0, 3.0]}, "rotation must be one number"),
        ({"rotation": [[1.0, 2.0, 3.0]]}, r"rotation must have one column or one a site \(2\)"),
        ({"decay": -0.1}, "decay must be at least 0 everywhere; got -0.1"),
        ({"pumping": np.nan}, "pumping must be at least 0"),
        ({"dephasing": [[-1.0]]}, "dephasing must be at least 0"),
    ],
)
def test_refusals(arguments, message):
    values = {"couplings": [[0, 1], [1, 0]], "integrals": [1.0], "bloch": (1, 0, 0), **arguments}
    with pytest.raises(ValueError, match=message):
        ising_moments(values.pop("couplings"), **values)
