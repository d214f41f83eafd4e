"""Orders 2 to 4 against exact answers of 30 and 60 spins, and what is left of digits at 1e8."""

import json
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from tests.methods.cumulants.printed import tucker_second_order

import spinsqueeze as sq


def tucker(n, *, chi, gamma_s, share):
    """The driven cavity of tucker2020: Omega = N Upsilon/2, Upsilon_c^2 = Gamma^2 + 4 chi^2."""
    drive = n / 2 * share * np.sqrt(1 + 4 * chi**2)
    return sq.SpinModel(
        n,
        hamiltonian=[sq.CollectiveExchange(chi), sq.Drive(drive)],
        jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(gamma_s)],
    )


EXCHANGE = sq.SpinModel(
    30,
    hamiltonian=[sq.CollectiveExchange(1.0)],
    jumps=[sq.CollectiveDecay(0.05), sq.LocalDephasing(0.3)],
)
TWISTING = sq.SpinModel(30, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.4)])
CASES = {
    "tucker2020 from -x": (
        tucker(60, chi=0.0, gamma_s=4.0, share=0.9), sq.CoherentState("-x"), [0.05, 0.15, 0.3]
    ),
    "exchange": (EXCHANGE, sq.CoherentState("+x"), [0.02, 0.06, 0.1]),
    "twisting of a tilted state": (
        TWISTING, sq.CoherentState([0.8, 0.0, 0.6]), [0.02, 0.06, 0.1]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_next_order_measures_the_error(case):
    model, state, times = CASES[case]
    exact = sq.simulate(model, state, times, method="permutation_invariant")
    before = np.inf
    for order in (2, 3, 4):
        data = sq.simulate(model, state, times, method=sq.Cumulants(order))
        for name in ("spin", "covariance", "xi2"):
            true = np.abs(data[name] - exact[name]).values.reshape(len(times), -1).max(axis=1)
            claimed = data[f"{name}_truncation"].values.reshape(len(times), -1).max(axis=1)
            # An estimate, no bound: the next order is several times better.
            assert np.all(true <= 2 * claimed + 1e-8), (order, name)
            assert np.all(claimed <= 3 * true + 1e-8), (order, name)
        error = float(np.abs(data["xi2"] - exact["xi2"]).max())
        assert error < before / 2, order
        before = error
    assert before < 3e-3


def test_tucker_at_its_minimum():
    model = tucker(60, chi=0.0, gamma_s=4.0, share=0.9)
    known = {2: 0.6963, 3: 0.67443, 4: 0.672577, 5: 0.672506}
    for order, value in known.items():
        method = sq.Cumulants(order, next_order=False)
        data = sq.simulate(model, sq.CoherentState("-x"), [0.3], method=method)
        assert float(data["xi2"][0]) == pytest.approx(value, abs=5e-5), order


def test_ten_thousand_spins():
    model = tucker(10**4, chi=1.0, gamma_s=200.0, share=0.8)
    runs = [
        sq.simulate(model, sq.CoherentState("-x"), [2e-3], method=sq.Cumulants(order))
        for order in (2, 3)
    ]
    values = [float(data["xi2"][0]) for data in runs]
    assert values == pytest.approx([0.59246, 0.59230], abs=2e-5)
    assert float(runs[0]["xi2_truncation"][0]) == pytest.approx(1.6e-4, rel=0.1)


def twisted_xi2(n, angle):
    """Xi2 of one-axis twisting from +x (Kitagawa and Ueda), in 60 digits."""
    with mpmath.workdps(60):
        mu = 2 * mpmath.mpf(angle)
        A = 1 - mpmath.cos(mu) ** (n - 2)
        B = 4 * mpmath.sin(mu / 2) * mpmath.cos(mu / 2) ** (n - 2)
        variance = 1 + mpmath.mpf(n - 1) / 4 * (A - mpmath.sqrt(A**2 + B**2))
        return float(variance / mpmath.cos(mu / 2) ** (2 * n - 2))


@pytest.mark.parametrize("n_spins", [10**6, 10**8])
def test_rounding_of_the_squeezing_of_many_spins(n_spins):
    """At N chi t = 2 and 10, xi2 = 0.17 and 0.01, what order 4 leaves out is below 1e-9."""
    model = sq.SpinModel(n_spins, hamiltonian=[sq.OneAxisTwisting(1.0)])
    times = np.array([2.0, 10.0]) / n_spins
    method = sq.Cumulants(4, tolerance=1e-12)
    data = sq.simulate(model, sq.CoherentState("+x"), times, method=method)
    right = [twisted_xi2(n_spins, t) for t in times]
    assert data["xi2"].values == pytest.approx(right, rel=1e-6)
    assert json.loads(data.attrs["diagnostics"])["dtype"] == "float64"


def closed(means):
    """Means of up to three distinct spins, from those of two: third cumulants vanish."""

    def m(word):
        word = "".join(sorted(word, key="z+-".index))
        if word in means:
            return means[word]
        if len(word) < 3:
            return means[word.translate(str.maketrans("+-", "-+"))].conjugate()
        a, b, c = word
        pairs = m(a + b) * m(c) + m(a + c) * m(b) + m(b + c) * m(a)
        return pairs - 2 * m(a) * m(b) * m(c)

    return m


def xi2_of(m, n):
    """Of means of products of sigma, in the precision that they have."""
    means = [2 * m("+").real, 2 * m("+").imag, m("z").real]
    same, opposite = 2 * m("++").real, 2 * m("+-").real
    pairs = mpmath.matrix(
        [
            [opposite + same, 2 * m("++").imag, 2 * m("z+").real],
            [2 * m("++").imag, opposite - same, 2 * m("z+").imag],
            [2 * m("z+").real, 2 * m("z+").imag, m("zz").real],
        ]
    )
    covariance = mpmath.matrix(3)
    for a in range(3):
        for b in range(3):
            shared = mpmath.mpf(n) / 4 * (a == b) + mpmath.mpf(n) * (n - 1) / 4 * pairs[a, b]
            covariance[a, b] = shared - mpmath.mpf(n) ** 2 / 4 * means[a] * means[b]
    length = mpmath.sqrt(sum(x**2 for x in means))
    along = mpmath.matrix([x / length for x in means])
    across = mpmath.eye(3) - along * along.T
    inside = across * covariance * across
    least = sorted(mpmath.eigsy(inside, eigvals_only=True), key=abs)[1]
    return float(least * n / (n * length / 2) ** 2)


@pytest.mark.slow
def test_rounding_of_an_open_model_of_many_spins():
    """N = 1e8: drive, exchange and both decays, against printed equations in 40 digits."""
    n = 10**8
    strengths = {"decay": 1.0, "local": 0.02 * n, "chi": 1.0, "drive": 0.8 * n / 2 * np.sqrt(5)}
    model = sq.SpinModel(
        n,
        hamiltonian=[sq.CollectiveExchange(strengths["chi"]), sq.Drive(strengths["drive"])],
        jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(strengths["local"])],
    )
    method = sq.Cumulants(2, next_order=False, tolerance=1e-12)
    data = sq.simulate(model, sq.CoherentState("-x"), np.array([1.0, 2.0]) / n, method=method)
    with mpmath.workdps(40):
        half = mpmath.mpf(1) / 2
        start = {"+": -half, "z": 0, "z+": 0, "zz": 0, "++": half**2, "+-": half**2}
        start = {word: mpmath.mpc(value) for word, value in start.items()}
        ends = [
            extrapolated(lambda at: tucker_second_order(closed(at), n=n, **strengths), start, t / n)
            for t in (mpmath.mpf(1), mpmath.mpf(2))
        ]
        found = [xi2_of(closed(means), n) for means in ends]
    assert max(found) < 0.9
    assert data["xi2"].values == pytest.approx(found, rel=1e-6)


def extrapolated(slope, start, duration):
    """The end of a path, from five runs of ever shorter steps: its first five errors cancel.

    xi2 of N spins has 1/N of the moments' digits left.
    """
    runs = []
    for doubling in range(5):
        n_steps = 20 * 2**doubling
        at = start
        for _ in range(n_steps):
            at = runge_kutta(slope, at, duration / n_steps)
        runs.append(at)
    for order in range(4, 8):
        runs = [
            {w: fine[w] + (fine[w] - coarse[w]) / (2**order - 1) for w in start}
            for coarse, fine in pairwise(runs)
        ]
    return runs[-1]


def runge_kutta(slope, at, h):
    def moved(by, length):
        return {word: value + length * by[word] for word, value in at.items()}

    first = slope(at)
    second = slope(moved(first, h / 2))
    third = slope(moved(second, h / 2))
    fourth = slope(moved(third, h))
    return moved({w: first[w] + 2 * second[w] + 2 * third[w] + fourth[w] for w in at}, h / 6)
