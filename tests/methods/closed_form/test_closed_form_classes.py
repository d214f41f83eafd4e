import mpmath as mp
import numpy as np
import pytest

from spinsqueeze.methods.closed_form.ising import ising_moments
from spinsqueeze.methods.closed_form.ising_classes import class_moments, twisting_couplings
from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments

STRENGTHS = np.array([[0, 0], [0.1, 0.05], [1.0, 1.2], [7.0, 3.0]])


@pytest.mark.parametrize("counts", [[1], [2], [1, 1], [3, 1, 2], [4, 5, 1, 2]])
@pytest.mark.parametrize("kind", ["transverse", "pure", "mixed"])
@pytest.mark.parametrize("is_open", [False, True])
def test_classes_equal_their_spins_one_by_one(counts, kind, is_open, random_problem):
    C = len(counts)
    _, detuning, bloch, rates = random_problem(C, C, kind)
    rng = np.random.default_rng(C)
    J = rng.normal(size=(2, C, C))
    J = J + np.swapaxes(J, 1, 2)
    w = rng.uniform(0.5, 1.5, size=C)
    member = np.repeat(np.arange(C), counts)
    dense = J[:, member][:, :, member].copy()
    for matrix in dense:
        np.fill_diagonal(matrix, 0)
    time = STRENGTHS[:, :1]
    options = {"rotation": time * detuning}
    if is_open:
        names = ("dephasing", "decay", "pumping")
        options |= {name: time * rate for name, rate in zip(names, rates, strict=True)}
    found = class_moments(
        counts, couplings=J, integrals=STRENGTHS, bloch=bloch, weights=w, **options
    )
    expected = ising_moments(
        dense,
        integrals=STRENGTHS,
        bloch=bloch[member],
        weights=w[member],
        **{name: value[:, member] for name, value in options.items()},
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-12)


@pytest.mark.parametrize("n_spins", [1, 2, 3, 10, 1000, 10**6])
@pytest.mark.parametrize("direction", [(1, 0, 0), (0.6, 0.8, 0), (1, 0, 0.5)])
def test_one_class_is_one_axis_twisting(n_spins, direction):
    best = n_spins ** (-2 / 3)
    pi = np.pi
    mu = np.array([0, 1e-12, 1e-6, best / 3, best, 2 * best, 0.1, pi / 4, pi / 2, 2.0, pi])
    u = np.array(direction) / np.linalg.norm(direction)
    found = class_moments([n_spins], couplings=[[2.0]], integrals=mu, bloch=u, rotation=0.2)
    expected = one_axis_twisting_moments(n_spins, direction=u, twisting=mu, rotation=0.2)
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-13 * n_spins)
    scale = np.max(np.abs(expected[1]), axis=(1, 2), keepdims=True)
    phase = 0.0 if direction[2] == 0 else 1e-15 * n_spins  # of (N - 1) arg g, both sides
    assert np.max(np.abs(found[1] - expected[1]) / scale) < 5e-13 + phase


def test_two_equal_classes_are_one():
    mu = np.array([1e-4, 2e-4, 0.01])
    one = class_moments([10**6], couplings=[[2.0]], integrals=mu, bloch=(1, 0, 0))
    two = class_moments(
        [400_000, 600_000], couplings=twisting_couplings([1, 1]), integrals=mu, bloch=(1, 0, 0)
    )
    np.testing.assert_allclose(two[1], one[1], rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize(("z", "decay"), [(0.0, 1e-3), (0.5, 0.5)])
def test_a_million_decaying_spins_against_50_digits(z, decay):
    N, pumping = 10**6, decay / 4
    mu = N ** (-2 / 3)
    bloch = np.array([np.sqrt(1 - z * z), 0, z])
    spin, covariance = class_moments(
        [N], couplings=[[2.0]], integrals=[mu], bloch=bloch, decay=decay, pumping=pumping
    )
    with mp.workdps(50):
        down, up, t, M = mp.mpf(decay), mp.mpf(pumping), mp.mpf(mu), mp.mpf(N)

        def signal(phi):
            A = mp.matrix([[mp.mpc(-down, phi / 2), up], [down, mp.mpc(-up, -phi / 2)]])
            r = mp.expm(A) * mp.matrix([(1 + mp.mpf(z)) / 2, (1 - mp.mpf(z)) / 2])
            return r[0] + r[1], r[0] - r[1]

        F, G = signal(2 * t)
        F2, G0 = signal(4 * t)[0], signal(mp.mpf(0))[1].real
        p = mp.mpf(float(bloch[0])) / 2 * mp.exp(-(down + up) / 2)
        m = p * F ** (N - 1)
        pairs = M * (M - 1) * p
        pp = pairs * p * (F2 ** (N - 2) - F ** (2 * N - 2))
        pm = pairs * p * (1 - abs(F) ** (2 * N - 2))
        zp = pairs / 2 * (G - G0 * F) * F ** (N - 2)
        expected = {
            (0, 0): (pp.real + pm) / 2 + M / 4 - M * m.real**2,
            (1, 1): (pm - pp.real) / 2 + M / 4 - M * m.imag**2,
            (2, 2): M / 4 - M * G0**2 / 4,
            (0, 1): pp.imag / 2 - M * m.real * m.imag,
            (0, 2): zp.real - M * m.real * G0 / 2,
            (1, 2): zp.imag - M * m.imag * G0 / 2,
        }
        for (a, b), value in expected.items():
            assert abs(mp.mpf(float(covariance[0, a, b])) - value) <= 2e-11 * abs(value)
        assert abs(spin[0, 0] - float(M * m.real)) <= 1e-12 * N


@pytest.mark.parametrize(
    ("counts", "couplings", "message"),
    [
        ([0], [[1.0]], "counts must be whole numbers of at least 1"),
        ([1.5], [[1.0]], "counts must be whole numbers"),
        ([], [[1.0]], "counts must be whole numbers"),
        ([1, 2], [[1.0]], r"couplings must be finite, \(n_terms, 2, 2\)"),
        ([1], [[np.nan]], "couplings must be finite"),
        ([1, 2], [[1.0, 2.0], [1.0, 1.0]], "couplings between classes must be symmetric"),
    ],
)
def test_refusals(counts, couplings, message):
    with pytest.raises(ValueError, match=message):
        class_moments(counts, couplings=couplings, integrals=[1.0], bloch=(1, 0, 0))
